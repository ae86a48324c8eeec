"""Any text: offsets hold, nothing overlaps, nothing raises, nothing hangs."""

from __future__ import annotations

import itertools
import time

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
    quotes = split(article, tagger=None)
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
            assert 0.0 <= quote.speaker.confidence <= 1.0
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


# every code point, lone surrogates and NUL included, and the signs that the rules look at
ANY = st.one_of(
    st.characters(),
    st.characters(categories=["Cs", "Mn", "Cf", "Cc", "Zs"]),
    st.sampled_from("\"“”‘’'«»„‚‹›「」`.,:;—\n\r\t\x00\u202e\u2067\ufeff\u0301שלוםأه"),
)


@settings(max_examples=250, deadline=None)
@given(st.text(alphabet=ANY, max_size=400))
def test_offsets_hold_for_any_text(article: str) -> None:
    check(article)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=ANY, max_size=60), st.integers(0, 40))
def test_a_sentence_inside_any_text_keeps_its_offsets(noise: str, at: int) -> None:
    check(noise[:at] + "\n\n“We agree on all of it,” Ana Costa said.\n\n" + noise[at:])


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_undecodable_bytes_are_read_through(page: bytes) -> None:
    check(page.decode("utf-8", errors="surrogateescape"))
    check(page.decode("latin-1"))


@settings(max_examples=100, deadline=None)
@given(NEWSLIKE)
def test_split_gives_the_same_twice(article: str) -> None:
    assert split(article, tagger=None) == split(article, tagger=None)


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


GROWING = {
    "one mark a line": '"\n',
    "an open quotation a line": '"We agree on this\n',
    "a quotation a line": '"We agree now," Costa said.\n\n',
    "quotations in one line": 'a "b" ',
    "single marks in one line": "'as' ",
    "curly marks left open": "“a ",
    "one long sentence": "the talks go on and on ",
    "sentences in one line": "The minister said that talks go on. ",
    "pronouns": "“No,” he said. ",
    "roles": "The president said it was over. President Smith and Minister Ode met. ",
    "names": "Ana Costa met Pedro Rocha. ",
    "labels": "X Y: b c\n",
    "no blank": "a",
}


@pytest.mark.parametrize("unit", GROWING.values(), ids=GROWING.keys())
def test_time_grows_with_the_length_and_not_with_its_square(unit: str) -> None:
    """Four times the text may take at most nine times as long: a square would take sixteen."""

    def cost(size: int) -> float:
        article = unit * (size // len(unit))
        started = time.process_time()
        split(article, tagger=None)
        return time.process_time() - started

    small, large = cost(60_000), cost(240_000)
    assert large < 9 * max(small, 0.05) or cost(240_000) < 9 * max(cost(60_000), 0.05)


def test_names_that_never_come_again_stay_linear() -> None:
    letters = [chr(97 + i) for i in range(26)]
    names = ["".join(four) for four in itertools.product(letters[:9], repeat=4)]
    article = "".join(f"Minister B{a} C{a} said that it was over.\n\n" for a in names[:4000])
    check(article)


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
