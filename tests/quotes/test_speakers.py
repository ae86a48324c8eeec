"""Speakers: full names, roles, pronouns and descriptions, resolved within the article."""

from __future__ import annotations

import pytest

from stance.quotes import split


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
