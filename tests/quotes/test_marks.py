"""Quotation marks: what stands between them, in every style."""

from __future__ import annotations

import pytest

from stance.quotes.marks import quoted_regions
from stance.text import paragraphs


def inner(article: str) -> list[str]:
    return [
        article[r.inner_start : r.inner_end] for r in quoted_regions(article, paragraphs(article))
    ]


@pytest.mark.parametrize(
    ("article", "expected"),
    [
        ('He said "yes" twice.', ["yes"]),
        ("He said “yes” twice.", ["yes"]),
        ("He said 'yes' twice.", ["yes"]),
        ("He said ‘yes’ twice.", ["yes"]),
        ("He said ''yes'' twice.", ["yes"]),
        ("He said ``yes'' twice.", ["yes"]),
        ("He said «yes» twice.", ["yes"]),
        ("He said « yes » twice.", ["yes"]),
        ("He said »yes« twice.", ["yes"]),
        ("He said „yes“ twice.", ["yes"]),
        ("He said „yes” twice.", ["yes"]),
        ("He said ‹yes› twice.", ["yes"]),
        ("He said ”yes” twice.", ["yes"]),
        ('He said “yes" twice.', ["yes"]),
        ("He said “more ‘red lines’ now” twice.", ["more ‘red lines’ now"]),
        ("He said “more “red lines” now” twice.", ["more “red lines” now"]),
        ('He said "more "red lines" now" twice.', ['more "red lines" now']),
        ("'He told me \"no\" again,' she said.", ['He told me "no" again,']),
        ("«Il a dit “non” hier», dit-il.", ["Il a dit “non” hier"]),
        ('"One," he said. "Two."', ["One,", "Two."]),
        ("‘One,’ he said. ‘Two.’", ["One,", "Two."]),
    ],
)
def test_style_of_marks(article: str, expected: list[str]) -> None:
    assert inner(article) == expected


@pytest.mark.parametrize(
    "article",
    [
        "It's the ministers' plan, isn't it?",
        "'Tis the season of the '90s, rock 'n' roll and '68.",
        "The boys' club and the girls' school met.",
        "He is 6'3\" tall.",
        'A 12" pipe burst.',
        "James’s and the states’ rights",
        'A stray " in the middle.',
        'Empty "" and "  " marks',
        "Nothing “” in it",
        '""""""""""""',
    ],
)
def test_apostrophes_inches_and_strays_open_nothing(article: str) -> None:
    assert inner(article) == []


def test_possessive_inside_single_marks_does_not_close() -> None:
    assert inner("'We like the ministers' plan,' she said.") == ["We like the ministers' plan,"]


def test_height_inside_a_quotation_does_not_close() -> None:
    assert inner('"He is 6\'3" tall," she said.') == ["He is 6'3\" tall,"]


def test_open_mark_runs_to_the_end_of_its_paragraph_and_no_further() -> None:
    article = "“First part.\n\n“Last part,” he said.\n\nNo marks here. “One more.”"
    regions = quoted_regions(article, paragraphs(article))
    assert inner(article) == ["First part.", "Last part,", "One more."]
    assert [region.closed for region in regions] == [False, True, True]
    assert [region.paragraph for region in regions] == [0, 1, 2]


def test_unclosed_mark_loses_nothing_of_the_next_paragraph() -> None:
    assert inner('He said "we agree. Then he left.\n"No," she said.') == [
        "we agree. Then he left.",
        "No,",
    ]


def test_regions_never_overlap_whatever_the_marks() -> None:
    article = "".join("\"“'”’«‘»„ a"[i * 7 % 11] for i in range(4000))
    regions = quoted_regions(article, paragraphs(article))
    ends = [0, *(region.end for region in regions)]
    assert all(end <= region.start for end, region in zip(ends, regions, strict=False))
    assert all(r.start < r.inner_start < r.inner_end <= r.end for r in regions)
