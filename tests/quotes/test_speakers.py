"""Speakers: full names, roles, pronouns and descriptions, resolved within the article."""

from __future__ import annotations

import pytest

from stance import quotes
from stance.types import Quote


def split(article: str) -> list[Quote]:
    """The rules alone: what they find must not change with the released weights."""
    return quotes.split(article, tagger=None)


def last(article: str) -> tuple[str, str, str | None]:
    speaker = split(article)[-1].speaker
    assert speaker is not None
    assert article[speaker.start : speaker.end] == speaker.mention
    return speaker.name, speaker.mention, speaker.role


@pytest.mark.parametrize(
    ("article", "name", "mention", "role"),
    [
        (
            "“No,” said her rival, Pedro Rocha.",
            "Pedro Rocha",
            "her rival, Pedro Rocha",
            None,
        ),
        (
            "“No,” said his lawyer, Ana Costa, adding that talks were over.",
            "Ana Costa",
            "his lawyer, Ana Costa",
            None,
        ),
        (
            "The truce will hold until noon, according to the UN envoy, Ana Costa.",
            "Ana Costa",
            "the UN envoy, Ana Costa",
            "UN envoy",
        ),
        (
            "“No,” said the foreign minister, Friday Accord in hand.",
            "the foreign minister",
            "the foreign minister",
            None,
        ),
        (
            "“We agree,” Prime Minister Ana Costa and Chancellor Pedro Rocha said in a joint "
            "statement.",
            "Ana Costa and Pedro Rocha",
            "Prime Minister Ana Costa and Chancellor Pedro Rocha",
            None,
        ),
        (
            "“No,” the minister of trade and industry, Ana Costa, said.",
            "Ana Costa",
            "the minister of trade and industry, Ana Costa",
            "minister of trade and industry",
        ),
        (
            "“No,” Portuguese Deputy Foreign Minister Ana Costa said.",
            "Ana Costa",
            "Portuguese Deputy Foreign Minister Ana Costa",
            "Portuguese Deputy Foreign Minister",
        ),
        (
            "Foreign Minister Ana Costa met the press. “No,” Costa said.",
            "Ana Costa",
            "Costa",
            "Foreign Minister",
        ),
        (
            "Silva’s spokesman, Pedro Rocha, said Monday that talks were over.",
            "Pedro Rocha",
            "Silva’s spokesman, Pedro Rocha",
            "Silva’s spokesman",
        ),
        (
            "Robert Hale, the EU representative, said talks were over.",
            "Robert Hale",
            "Robert Hale",
            "EU representative",
        ),
        (
            "US Special Envoy for Arms Control Martin Hale said talks were over.",
            "Martin Hale",
            "US Special Envoy for Arms Control Martin Hale",
            "US Special Envoy for Arms Control",
        ),
        (
            "EU Representative to the Lisbon Disarmament Forum Robert Hale said talks were over.",
            "Robert Hale",
            "EU Representative to the Lisbon Disarmament Forum Robert Hale",
            "EU Representative to the Lisbon Disarmament Forum",
        ),
        ("“No,” spokesman Pedro Rocha said.", "Pedro Rocha", "spokesman Pedro Rocha", "spokesman"),
        (
            "Ministry spokeswoman Rita Melo spoke. She said talks were over.",
            "Rita Melo",
            "She",
            "Ministry spokeswoman",
        ),
        (
            "Portuguese Foreign Minister Ana Costa arrived. "
            "The top Portuguese diplomat added that talks were over.",
            "Ana Costa",
            "The top Portuguese diplomat",
            "Portuguese Foreign Minister",
        ),
        (
            "John Hale and Maria Melo met in Lisbon. She said the treaty was dead.",
            "Maria Melo",
            "She",
            None,
        ),
        (
            "John Hale and Maria Melo met in Lisbon. He said no deal was near.",
            "John Hale",
            "He",
            None,
        ),
        ("“No,” Hale said. “Never again,” he added.", "Hale", "he", None),
        ("The ministry said talks were over.", "The ministry", "The ministry", None),
        ("“No,” Mr. Hale said.", "Hale", "Mr. Hale", None),
        (
            "A senior official who asked not to be named said talks were over.",
            "A senior official who asked not to be named",
            "A senior official who asked not to be named",
            None,
        ),
    ],
)
def test_speaker_is_resolved(article: str, name: str, mention: str, role: str | None) -> None:
    assert last(article) == (name, mention, role)


@pytest.mark.parametrize(
    ("article", "name"),
    [
        ("“No one will fire,” said Dmitri “the Hammer” Sokolov.", "Dmitri Sokolov"),
        ("“No,” Ana Costa, now 81 and retired in Salem, Mass., said by telephone.", "Ana Costa"),
        ("“We go,” said border chief Ana Costa.", "Ana Costa"),
        ("“We go,” said former minister Ana Costa (Labour), an old hand.", "Ana Costa"),
        ("“I told him, ‘we go,’” Ana Costa said.", "Ana Costa"),
        ("“The ice is far too thin” Ana Costa said.", "Ana Costa"),
        ("Ana Costa spoke first. She went on to say, “We leave on Monday.”", "Ana Costa"),
        ("Defence Minister Ana Costa of Malta came. “No,” Costa said.", "Ana Costa"),
        ("“We go,” Public Works Minister Ana Costa said.", "Ana Costa"),
        ("“We go,” Jan Costa said.", "Jan Costa"),
        ("“We go,” this source told the Post.", "this source"),
        ("Asked whether the fleet should sail, Ana Costa shot back: “It must.”", "Ana Costa"),
        ("Critics agree – Ana Costa: “The plan is a bad plan.”", "Ana Costa"),
        ("From Senator Ana Costa, who led the group:\n\n“They were frank with us.”", "Ana Costa"),
        ("“We are in.” – Malta's environment minister, Ana Costa", "Ana Costa"),
        ("“Is it so?” Ana Costa went on, as if alone. “I doubt that it is.”", "Ana Costa"),
        ("Its envoy, Ana Costa, left. The envoy said talks were over.", "Ana Costa"),
        ("Donald J. Hale came. Donald Hale left. “No,” Hale said.", "Donald J. Hale"),
    ],
)
def test_form_gives_its_speaker(article: str, name: str) -> None:
    assert last(article)[0] == name


def test_rank_is_a_role_and_a_word_of_address_is_none() -> None:
    assert last("“No,” Col. Dan Peretz said.") == ("Dan Peretz", "Col. Dan Peretz", "Col.")
    assert last("“No,” Mr. Dan Peretz said.")[2] is None


def test_he_is_not_the_woman_who_spoke_last() -> None:
    article = (
        "When Prime Minister Adaeze Obi met President Kofi Mensah, she told him it was over.\n\n"
        "“Goods will follow people,” he said."
    )
    assert last(article)[0] == "Kofi Mensah"


def test_a_place_is_never_he() -> None:
    article = "Snow fell on New Hampshire. New Hampshire votes on Monday. “We go,” he said."
    assert last(article)[0] == "he"


def test_questions_and_answers_are_turns_of_the_person_introduced() -> None:
    article = (
        "The envoy, Levon Sahakian, took two questions.\n\n"
        "Q: Will the road be opened?\n\nA: The engineers are at work."
    )
    found = [(q.text, q.speaker and q.speaker.name) for q in split(article)]
    assert found == [
        ("Will the road be opened?", None),
        ("The engineers are at work", "Levon Sahakian"),
    ]


def test_possessor_is_not_the_speaker() -> None:
    name, *_ = last("President John Hale left. Hale’s aides said talks were over.")
    assert name == "Hale’s aides"


def test_name_inside_a_quotation_is_no_antecedent() -> None:
    article = (
        "Envoy Robert Hale backed the plan, saying talks had begun.\n\n"
        "“President Paul Mora and President Juan Diaz agree,” he told a forum."
    )
    assert last(article)[0] == "Robert Hale"


def test_caption_gives_the_full_name() -> None:
    article = (
        "This photo taken on May 3 shows Foreign Minister Ana Costa in Lisbon. (PHOTO / AFP)\n"
        "The talks that began in the lakeside town last week are over, Costa said on Monday."
    )
    assert last(article) == ("Ana Costa", "Costa", "Foreign Minister")


@pytest.mark.parametrize(
    "article",
    [
        "PRESIDENT OF THE UNITED STATES JOHN HALE SAID HE WAS OUT, Costa said.",
        "Minister For Of To Hale left, Costa said.",
        "President The The said it was over.",
    ],
)
def test_capitals_all_over_raise_nothing(article: str) -> None:
    assert all(quote.speaker is not None and quote.speaker.name for quote in split(article))


def test_unknown_speaker_is_none() -> None:
    [quote] = split("“This is the whole of what was said in the hall that night, and no more.”")
    assert quote.speaker is None


def test_pronoun_without_antecedent_keeps_itself() -> None:
    assert last("“No deal is near,” she said.") == ("she", "she", None)
