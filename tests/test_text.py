"""Paragraphs, furniture and sentences."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stance.text import MAX_SENTENCE, furniture, paragraphs, sentences

STORY = (
    "Ministers from nine states met in the lakeside town on Monday to open "
    "the second round of their talks."
)


def pieces(article: str, spans: list[tuple[int, int]]) -> list[str]:
    return [article[a:b] for a, b in spans]


@pytest.mark.parametrize(
    ("article", "expected"),
    [
        ("", []),
        (" \n\t\n", []),
        ("One.\nTwo.\n\nThree.", ["One.", "Two.", "Three."]),
        ("One.\r\n\r\n  Two. \r\n", ["One.", "Two."]),
        ("One.\u2028Two.\u2029Three.", ["One.", "Two.", "Three."]),
    ],
)
def test_line_is_a_paragraph(article: str, expected: list[str]) -> None:
    assert pieces(article, paragraphs(article)) == expected


def test_block_wrapped_at_a_fixed_width_is_one_paragraph() -> None:
    article = (
        "The envoy told the assembly that the convoy would leave the\n"
        "harbour before dawn and that nobody had been asked to sign\n"
        "anything.\n\nThe next day it rained."
    )
    assert pieces(article, paragraphs(article)) == [
        article.split("\n\n")[0],
        "The next day it rained.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "This photo taken on May 3, 2021, shows Minister Ana Costa at a rally. (PHOTO / AFP)",
        "FILE PHOTO: Minister Ana Costa speaks in Lisbon",
        "In this file photo, the minister says the talks have failed.",
        "The minister arrives at the palace. (AP Photo/John Doe)",
        "READ MORE: Minister says talks have failed",
        "ALSO READ: Nine states say yes",
        "See also: what the minister said",
        "Advertisement",
        "Sign up for our newsletter",
        "Join the Example.org mailing list",
        "© 2021 Example Media. All rights reserved.",
        "Copyright 2021 Example Media",
        "Share this",
        "Reporting by A. Writer; Editing by B. Writer",
        "Follow us on Telegram",
        "By John Writer",
        "May 11, 2021",
        "Analysis",
    ],
)
def test_page_furniture_is_found_around_running_text(line: str) -> None:
    article = f"{STORY}\n{line}\n{STORY[:40]} again, and left."
    assert line in pieces(article, furniture(article))


@pytest.mark.parametrize(
    "line",
    [
        STORY,
        "“We are ready to sign,” Costa said.",
        "Related costs rose, the minister said after the first round of talks had ended.",
        "Watching the talks, Costa said nothing had been decided.",
        "Share prices fell after the minister said that the talks had failed on Monday night.",
        "“No.”",
        "And from Chairwoman Maria Diaz:",
    ],
)
def test_running_text_is_no_furniture(line: str) -> None:
    article = f"{STORY}\n{line}\nNobody knew what would come next, and the talks went on."
    assert furniture(article) == [] if line != STORY else len(furniture(article)) == 1


def test_headline_and_site_header_above_the_story_are_furniture() -> None:
    article = f"EXAMPLE24 - Donate now\n\nWorld news\n\nMinister says talks have failed\n\n{STORY}"
    assert pieces(article, furniture(article)) == [
        "EXAMPLE24 - Donate now",
        "World news",
        "Minister says talks have failed",
    ]


def test_single_line_without_full_stop_is_text() -> None:
    assert furniture("Costa said the talks have failed") == []


def test_second_printing_of_a_paragraph_is_furniture() -> None:
    article = f"{STORY}\n\nIt rained.\n\n{STORY}"
    assert furniture(article) == [(len(article) - len(STORY), len(article))]


@pytest.mark.parametrize(
    "dateline",
    [
        "LISBON (Reuters) - ",
        "LISBON, May 3 (AP) — ",
        "PORTO, Portugal -- ",
        "Lisbon (AFP) – ",
    ],
)
def test_dateline_is_cut_and_its_sentence_kept(dateline: str) -> None:
    assert furniture(dateline + STORY) == [(0, len(dateline))]


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("He left. She stayed.", ["He left.", "She stayed."]),
        ("Mr. Costa met Gen. Silva on Nov. 3 in the U.S. Senate.", None),
        ("J. R. Silva spoke at 3.5 percent.", None),
        ("He lives in the U.S. The talks go on.", ["He lives in the U.S.", "The talks go on."]),
        ("“We go.” He left.", ["“We go.”", "He left."]),
        ("“Really?” he asked.", None),
        ("“Really?” Costa asked.", None),
        ("“Really?” The talks went on.", ["“Really?”", "The talks went on."]),
        ("Wait... what now? Nothing!", ["Wait... what now?", "Nothing!"]),
        ("no end here", None),
        ("Costa said no. She left.", ["Costa said no.", "She left."]),
        ("The vote on item no. 7 was close.", None),
        ("They knew where he sat. Nobody rose.", ["They knew where he sat.", "Nobody rose."]),
    ],
)
def test_sentence_ends(paragraph: str, expected: list[str] | None) -> None:
    assert pieces(paragraph, sentences(paragraph)) == (expected or [paragraph])


def test_atomic_range_is_never_cut() -> None:
    paragraph = "“One. Two. Three,” he said. “Four.” Five."
    atomic = [(0, 18), (28, 35)]
    assert pieces(paragraph, sentences(paragraph, atomic=atomic)) == [
        "“One. Two. Three,” he said.",
        "“Four.”",
        "Five.",
    ]


def test_endless_sentence_is_cut_at_blanks() -> None:
    text = "word " * 5000
    spans = sentences(text)
    assert len(spans) > 1
    assert max(b - a for a, b in spans) <= MAX_SENTENCE
    assert " ".join(pieces(text, spans)) == text.strip()


def test_a_long_run_of_dots_takes_no_time() -> None:
    # From each dot anew, half a million of them would take hours.
    article = "The talks " + "." * 500_000 + "xx ended. We left."
    assert pieces(article, sentences(article))[-1] == "We left."


class Counted(Sequence[tuple[int, int]]):
    """Ranges that count how often they are read."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self.spans = spans
        self.reads = 0

    def __len__(self) -> int:
        return len(self.spans)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        self.reads += 1
        return self.spans[index]


def test_long_sentences_do_not_each_read_all_atomic_ranges() -> None:
    text = ("word " * 700 + "end. Then ") * 100
    atomic = Counted([(start, start + 4) for start in range(0, len(text), 350)])
    spans = sentences(text, atomic=atomic)
    assert len(spans) > 200
    assert max(b - a for a, b in spans) <= MAX_SENTENCE
    assert atomic.reads < 20 * len(atomic) < len(spans) / 2 * len(atomic)


@given(st.text(alphabet=st.characters(), max_size=300))
def test_sentences_cover_all_that_is_not_blank(text: str) -> None:
    covered = 0
    for start, end in paragraphs(text):
        spans = sentences(text, start, end)
        assert spans == sorted(spans)
        assert all(a < b for a, b in spans)
        assert all(spans[i][1] <= spans[i + 1][0] for i in range(len(spans) - 1))
        covered += sum(len("".join(text[a:b].split())) for a, b in spans)
    assert covered == len("".join(text.split()))


@given(st.text(alphabet=st.characters(), max_size=300))
def test_furniture_is_ordered_and_inside_the_text(text: str) -> None:
    spans = furniture(text)
    assert spans == sorted(spans)
    assert all(0 <= a < b <= len(text) for a, b in spans)
