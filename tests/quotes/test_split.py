"""What split finds: content, kind, cue and speaker, one rule a row."""

from __future__ import annotations

import pytest

from stance import quotes
from stance.types import Quote

Row = tuple[str, str, str | None, str | None]  # kind, text, speaker name, cue


def split(article: str) -> list[Quote]:
    """The rules alone: what they find must not change with the released weights."""
    return quotes.split(article, tagger=None)


def rows(article: str) -> list[Row]:
    return [
        (q.kind, q.text, q.speaker and q.speaker.name, q.cue and q.cue.text) for q in split(article)
    ]


@pytest.mark.parametrize("article", ["", " ", "\n\n", "It rained.", "\x00", "\ud800", "“”", '"'])
def test_text_without_quotes_gives_an_empty_list(article: str) -> None:
    assert split(article) == []


@pytest.mark.parametrize("value", [None, 3, b"x", ["x"]])
def test_anything_but_a_string_is_refused_by_its_type(value: object) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        split(value)  # type: ignore[arg-type]


DIRECT: list[tuple[str, list[Row]]] = [
    ("“We agree,” Costa said.", [("direct", "We agree", "Costa", "said")]),
    ("“It holds,” according to Costa.", [("direct", "It holds", "Costa", "according to")]),
    ("Said Costa, the envoy: “We agree.”", [("direct", "We agree.", "Costa", "Said")]),
    ("As Costa put it, “a bad peace.”", [("direct", "a bad peace.", "Costa", "put it")]),
    ("“A bad peace,” as Costa put it.", [("direct", "A bad peace", "Costa", "put it")]),
    ("“We agree,” said Costa.", [("direct", "We agree", "Costa", "said")]),
    ("Costa said, “We agree.”", [("direct", "We agree.", "Costa", "said")]),
    ("Costa said: “We agree.”", [("direct", "We agree.", "Costa", "said")]),
    ('Costa tweeted: "We agree."', [("direct", "We agree.", "Costa", "tweeted")]),
    ("“Do we agree?” Costa asked.", [("direct", "Do we agree?", "Costa", "asked")]),
    ("'We agree,' Costa said.", [("direct", "We agree", "Costa", "said")]),
    ("''We agree,'' Costa said.", [("direct", "We agree", "Costa", "said")]),
    ("«We agree», said Costa.", [("direct", "We agree", "Costa", "said")]),
    (
        "“We agree,” Costa told reporters in Lisbon on Monday.",
        [("direct", "We agree", "Costa", "told")],
    ),
    (
        '"If they agree," Costa said, "we will sign."',
        [("direct", "If they agree we will sign.", "Costa", "said")],
    ),
    (
        "“We agree,” Costa said. “We will sign tomorrow.”",
        [
            ("direct", "We agree", "Costa", "said"),
            ("direct", "We will sign tomorrow.", "Costa", None),
        ],
    ),
    (
        "“We agree,” said Costa, who leads the team, adding that “nobody lost.”",
        [("direct", "We agree", "Costa", "said"), ("direct", "nobody lost.", "Costa", "adding")],
    ),
    ("Costa: “We are ready to sign.”", [("direct", "We are ready to sign.", "Costa", None)]),
    (
        "“We are close to a deal.” – Commissioner Jansen",
        [("direct", "We are close to a deal.", "Jansen", None)],
    ),
    (
        "And from Chairwoman Maria Diaz:\n\n“We stand ready to help.”",
        [("direct", "We stand ready to help.", "Maria Diaz", None)],
    ),
    (
        'Costa continued:\n\n"We stand ready to help."',
        [("direct", "We stand ready to help.", "Costa", "continued")],
    ),
    ("“We will see,” Costa laughed.", [("direct", "We will see", "Costa", "laughed")]),
    (
        "Costa shrugged, “We will see soon enough.”",
        [("direct", "We will see soon enough.", "Costa", "shrugged")],
    ),
]


@pytest.mark.parametrize(("article", "expected"), DIRECT)
def test_direct_quotes(article: str, expected: list[Row]) -> None:
    assert rows(article) == expected


INDIRECT: list[tuple[str, list[Row]]] = [
    (
        "Costa said that the talks were over.",
        [("indirect", "the talks were over", "Costa", "said")],
    ),
    ("Costa said the talks were over.", [("indirect", "the talks were over", "Costa", "said")]),
    ("The talks were over, Costa said.", [("indirect", "The talks were over", "Costa", "said")]),
    (
        "Costa said late Tuesday in an interview with RTP that the talks were over.",
        [("indirect", "the talks were over", "Costa", "said")],
    ),
    (
        "Costa on Tuesday said the talks were over.",
        [("indirect", "the talks were over", "Costa", "said")],
    ),
    (
        "Costa told reporters the talks were over.",
        [("indirect", "the talks were over", "Costa", "told")],
    ),
    (
        "The talks are going on, Costa told reporters on a conference call on Monday.",
        [("indirect", "The talks are going on", "Costa", "told")],
    ),
    (
        "The treaty, Costa said, would be signed on Monday.",
        [("indirect", "The treaty would be signed on Monday", "Costa", "said")],
    ),
    (
        "According to a senior official who asked not to be named, the talks have failed.",
        [
            (
                "indirect",
                "the talks have failed",
                "a senior official who asked not to be named",
                "According to",
            )
        ],
    ),
    (
        "The talks have failed, according to the ministry.",
        [("indirect", "The talks have failed", "the ministry", "according to")],
    ),
    (
        "Lisbon, however, denies the charges.",
        [("indirect", "the charges", "Lisbon", "denies")],
    ),
    (
        "Spain and its allies accuse Lisbon of breaking the truce.",
        [("indirect", "Lisbon of breaking the truce", "Spain and its allies", "accuse")],
    ),
    ("Lisbon refused to sign the text.", [("indirect", "to sign the text", "Lisbon", "refused")]),
    (
        "Costa expressed concern that it may get harder.",
        [("indirect", "it may get harder", "Costa", "expressed concern")],
    ),
    (
        "The ministry has signaled it still wants a treaty.",
        [("indirect", "it still wants a treaty", "The ministry", "has signaled")],
    ),
    (
        "Costa called for an end to the siege.",
        [("indirect", "an end to the siege", "Costa", "called for")],
    ),
    ("Costa ruled out new talks.", [("indirect", "new talks", "Costa", "ruled out")]),
    (
        "Costa believes the treaty is dead, which his rivals doubt.",
        [("indirect", "the treaty is dead", "Costa", "believes")],
    ),
    (
        "Costa said the treaty was dead, and Silva warned that it was not.",
        [
            ("indirect", "the treaty was dead", "Costa", "said"),
            ("indirect", "it was not", "Silva", "warned"),
        ],
    ),
    (
        "Costa said Lisbon welcomed the plan and stressed that time was short.",
        [
            ("indirect", "Lisbon welcomed the plan", "Costa", "said"),
            ("indirect", "time was short", "Costa", "stressed"),
        ],
    ),
    (
        "Costa backed the plan, saying that time was short.",
        [("indirect", "time was short", "Costa", "saying")],
    ),
    (
        "Costa, who said the treaty was dead, left the hall.",
        [("indirect", "the treaty was dead", "Costa", "said")],
    ),
    (
        "PENCE: We will never do that again.",
        [("indirect", "We will never do that again", "PENCE", None)],
    ),
]


@pytest.mark.parametrize(("article", "expected"), INDIRECT)
def test_indirect_quotes(article: str, expected: list[Row]) -> None:
    assert rows(article) == expected


MIXED: list[tuple[str, list[Row]]] = [
    (
        "Lisbon called the tariffs “a mistake” on Tuesday.",
        [("mixed", "the tariffs “a mistake”", "Lisbon", "called")],
    ),
    (
        "Asked whether she would go, Costa said no. Costa called the demand “absurd”.",
        [("mixed", "the demand “absurd”", "Costa", "called")],
    ),
    (
        "Costa said it is “the priority” for Lisbon to sign.",
        [("mixed", "it is “the priority” for Lisbon to sign", "Costa", "said")],
    ),
    (
        "Lisbon left the talks, dismissing a call for a truce as “unacceptable.”",
        [("mixed", "a call for a truce as “unacceptable.”", "Lisbon", "dismissing")],
    ),
    (
        "The plan “has long been known” and is rejected, said Costa, who leads the team.",
        [("mixed", "The plan “has long been known” and is rejected", "Costa", "said")],
    ),
    (
        'Costa said he thought Silva was a "thief" and that he would "pay a price" for it.',
        [
            (
                "mixed",
                'he thought Silva was a "thief" and that he would "pay a price" for it',
                "Costa",
                "said",
            )
        ],
    ),
]


@pytest.mark.parametrize(("article", "expected"), MIXED)
def test_mixed_quotes_keep_their_marks(article: str, expected: list[Row]) -> None:
    assert rows(article) == expected


@pytest.mark.parametrize(
    "article",
    [
        "The so-called “red lines” were redrawn.",
        "His book “Diplomacy” sold well.",
        "“The Art of the Deal” is a book.",
        "Dmitry “the Bear” Ivanov left the hall.",
        "The minister's demands were not met.",
        "The proposed treaty is dead.",
        "Nobody asked.",
        "Costa did not say when the talks would end.",
        "Costa may say that the talks are over.",
        "The letter was written by Costa.",
        "If Costa says that the talks are over, we leave.",
        "He vowed he would.",
        "Everything Costa says is a lie.",
    ],
)
def test_no_speech_no_quote(article: str) -> None:
    assert rows(article) == []


def test_each_paragraph_opens_and_only_the_last_closes_is_one_quote() -> None:
    article = 'Costa said: "The first part is long.\n\n"The second part is short."\n\nIt rained.'
    [quote] = split(article)
    assert quote.text == "The first part is long. The second part is short."
    assert len(quote.spans) == 2
    assert quote.context.endswith('short."')


def test_quote_of_two_paragraphs_named_at_its_end_is_one_quote() -> None:
    article = '"The first part is long.\n\n"The second part is short," Costa said.'
    [quote] = split(article)
    assert quote.text == "The first part is long. The second part is short"
    assert quote.speaker is not None
    assert quote.speaker.name == "Costa"
    assert quote.cue is not None


def test_context_is_the_whole_sentence_with_its_attribution() -> None:
    article = "It rained. “We agree,” Costa said on Monday in Lisbon. He left."
    [quote] = split(article)
    assert quote.context == "“We agree,” Costa said on Monday in Lisbon."


def test_context_of_a_quote_of_several_sentences_holds_them_all() -> None:
    article = "It rained. “We agree. We sign. We go,” Costa said. He left."
    [quote] = split(article)
    assert quote.context == "“We agree. We sign. We go,” Costa said."


def test_furniture_yields_no_quote() -> None:
    story = "Ministers from nine states met in the lakeside town on Monday for a second round."
    article = (
        f"Costa says talks have failed\n\n{story}\n\n"
        "READ MORE: Costa says talks have failed\n\n"
        "This photo shows Costa, who said the talks have failed. (PHOTO / AFP)\n\n"
        "Join the Example.org mailing list"
    )
    assert split(article) == []


def test_dateline_is_not_part_of_the_quote() -> None:
    [quote] = split("LISBON (Reuters) - The talks have failed, Foreign Minister Ana Costa said.")
    assert quote.text == "The talks have failed"
    assert quote.context.startswith("The talks")


def test_paragraph_printed_twice_yields_its_quote_once() -> None:
    line = "“We are ready to sign the treaty on Monday,” Costa told reporters in Lisbon."
    assert len(split(f"{line}\n\nIt rained.\n\n{line}")) == 1


def test_result_is_a_list_of_quotes_in_article_order() -> None:
    quotes = split("“A deal is near,” Costa said. Silva denied the report. “No,” said Diaz.")
    assert all(isinstance(quote, Quote) for quote in quotes)
    assert [q.speaker.name for q in quotes if q.speaker] == ["Costa", "Silva", "Diaz"]
    assert [q.start for q in quotes] == sorted(q.start for q in quotes)


@pytest.mark.parametrize(
    ("article", "texts"),
    [
        ("“We want no stones, envoy Ana Costa said.", ["We want no stones"]),
        ("A film called “The Fence” was shown.", []),
        ("A pipe is a marriage, she added, not a weekend.", ["A pipe is a marriage not a weekend"]),
        (
            "Oslo said it would stay, and Riga said nothing.",
            ["it would stay"],
        ),
        ("Costa replied to him an hour later: “Then come.”", ["Then come."]),
        ("Oslo is hoping for a summit in May.", ["a summit in May"]),
    ],
)
def test_forms_that_once_went_wrong(article: str, texts: list[str]) -> None:
    assert [quote.text for quote in split(article)] == texts


def test_a_handle_names_its_owner() -> None:
    article = "Minister Ana Costa came. Minister Ana Costa left.\n\n@CostaAna replied: “Then come.”"
    speaker = split(article)[-1].speaker
    assert speaker is not None
    assert (speaker.name, speaker.mention) == ("Ana Costa", "@CostaAna")
