"""Any text: offsets hold, nothing overlaps, nothing raises, nothing hangs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.quotes import split
from stance.types import Quote

NEWSLIKE = st.lists(
    st.sampled_from(
        [
            *"\"“”‘’'«»„‹›.,;:?!—-()\n \t\u00a0\u2028\x00\u0301\u200f\ud83d",
            "''",
            "``",
            "\n\n",
            " said ",
            " Costa ",
            " he ",
            " who ",
            " that ",
            " the deal is dead",
            " and ",
            " according to ",
            " told ",
            " reporters ",
            " Foreign Minister ",
            " Ana Costa ",
            " denied ",
            " expressed concern ",
            " saying ",
            " on Monday ",
            " the ",
            "READ MORE: ",
            "COSTA: ",
            " of ",
            " 6'3\" ",
            " is confident that ",
            " السلام ",
            " Of ",
            " The ",
            " President ",
            " For ",
            "…",
        ]
    ),
    max_size=60,
).map("".join)


def check(article: str) -> list[Quote]:
    quotes = split(article)
    reach = 0
    for quote in quotes:
        assert quote.spans
        for start, end in quote.spans:
            assert reach <= start < end <= len(article)
            reach = end
        assert quote.text == " ".join(article[a:b] for a, b in quote.spans)
        assert (quote.start, quote.end) == (quote.spans[0][0], quote.spans[-1][1])
        assert quote.text.strip() == quote.text != ""
        if quote.cue is not None:
            assert article[quote.cue.start : quote.cue.end] == quote.cue.text
        if quote.speaker is not None:
            assert article[quote.speaker.start : quote.speaker.end] == quote.speaker.mention
            assert quote.speaker.name
        if len(quote.spans) == 1:
            assert quote.text in quote.context
            assert quote.context in article
    return quotes


@settings(max_examples=300, deadline=None)
@given(NEWSLIKE)
def test_offsets_hold_for_text_made_of_news_parts(article: str) -> None:
    check(article)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=400))
def test_offsets_hold_for_any_text(article: str) -> None:
    check(article)


@settings(max_examples=100, deadline=None)
@given(NEWSLIKE)
def test_split_gives_the_same_twice(article: str) -> None:
    assert split(article) == split(article)


SIZE = 120_000


@pytest.mark.parametrize(
    "unit",
    [
        '"',
        "“",
        "'",
        "“\"'’",
        '"a ',
        "'as' ",
        "word ",
        "said ",
        "he said ",
        "Smith ",
        "Mr. Smith said, ",
        "and ",
        "a, ",
        "according to ",
        ". ",
        "(",
        "-",
        "x\n",
        "\n",
        "\n ",
        "A: ",
        "X Y: b c\n",
        '"a b c d e\n',
        'Smith said the deal, which was dead, is "over" and he left. ',
        "President Smith and Minister Smith met. The president said it was over. ",
        "THE ",
        "1",
        "\u0301",
        "\ud800",
    ],
    ids=repr,
)
def test_long_repetition_finishes_with_offsets_right(unit: str) -> None:
    check(unit * (SIZE // len(unit)))


def test_five_million_quotation_marks_finish() -> None:
    assert check('"' * 5_000_000) == []


def test_two_hundred_thousand_quotations_finish() -> None:
    check('a "b" ' * 100_000)


def test_rest_of_the_article_survives_rubbish() -> None:
    article = '"' * 1000 + "\n\n“We agree on all of it,” Costa said."
    assert [quote.text for quote in check(article)] == ["We agree on all of it"]


def test_rest_of_the_paragraph_survives_a_row_of_marks() -> None:
    article = "'" * 1000 + " “We agree on all of it,” Costa said."
    assert [q.text for q in check(article) if q.kind == "direct"] == ["We agree on all of it"]
