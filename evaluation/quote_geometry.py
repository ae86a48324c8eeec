"""What counts as a word, a quoted region and a piece when found quotes are compared with gold ones.

The geometry is the measure's own, simpler than that of ``stance.quotes``: a measure that shared its
rules with the system under test could not see their faults.

A piece is a content span cut at line ends, with the marks, punctuation and blanks at both edges
dropped: systems that keep or drop a closing comma are not told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

Span = tuple[int, int]
#: A word of a text is known by the offset of its first character.
Words = frozenset[int]

_OPENING: Final = "“„«"
_CLOSING: Final = "”»"
_EDGE: Final = frozenset("\"'`‘’‚“”„«»‹›「」『』＂ \t\r\n\u00a0.,;:!?…-–—―()[]")
_WORD: Final = re.compile(r"\w+(?:[’'.]\w+)*")
_LINE: Final = re.compile(r"[^\n]+")
_DOUBLE: Final = re.compile(f'["{_OPENING}{_CLOSING}]')
# Single marks count only as a pair at word edges; 300 characters bound what an apostrophe can eat.
_SINGLE: Final = re.compile(r"(?<!\w)['‘](?=\w)(.{1,300}?)(?<=[\w.,!?])['’](?!\w)")


def words(text: str, spans: Iterable[Span]) -> Words:
    """Returns the words inside the spans, as offsets of their first characters."""
    return frozenset(
        match.start() for start, end in spans for match in _WORD.finditer(text, start, end)
    )


def jaccard(first: Words, second: Words) -> float:
    """Returns shared words over all words of both, in 0..1; 0 when either is empty."""
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared) if shared else 0.0


def merge(spans: Iterable[Sequence[int]]) -> list[Span]:
    """Returns the spans in order, empty ones dropped and overlapping ones joined."""
    joined: list[Span] = []
    for start, end in sorted((int(span[0]), int(span[1])) for span in spans):
        if end <= start:
            continue
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def intersect(first: Iterable[Span], second: Sequence[Span]) -> list[Span]:
    """Returns the stretches that lie in a span of both."""
    return merge(
        (max(a, c), min(b, d)) for a, b in first for c, d in second if max(a, c) < min(b, d)
    )


def pieces(text: str, spans: Iterable[Span]) -> list[Span]:
    """Returns the pieces of the spans, those without a word left out."""
    found: set[Span] = set()
    for start, end in merge(spans):
        for line in _LINE.finditer(text, start, end):
            low, high = line.span()
            while low < high and text[low] in _EDGE:
                low += 1
            while high > low and text[high - 1] in _EDGE:
                high -= 1
            if _WORD.search(text, low, high):
                found.add((low, high))
    return sorted(found)


def quoted_regions(text: str) -> list[Span]:
    """Returns the stretches between quotation marks, marks included.

    Each line stands for itself. A double mark left open runs to the end of its line; curly and
    straight marks may close each other, and curly ones nest in straight ones. Single marks count
    outside double ones only.
    """
    regions: list[Span] = []
    for line in _LINE.finditer(text):
        doubles = _double_regions(line.group())
        singles = [
            match.span()
            for match in _SINGLE.finditer(line.group())
            if not any(start < match.end() and match.start() < end for start, end in doubles)
        ]
        regions += [(line.start() + a, line.start() + b) for a, b in doubles + singles]
    return merge(regions)


def _double_regions(line: str) -> list[Span]:
    regions: list[Span] = []
    opened: int | None = None
    is_nested = False
    for match in _DOUBLE.finditer(line):
        mark, at = match.group(), match.start()
        before, after = line[at - 1 : at], line[at + 1 : at + 2]
        looks_opening = bool(after.strip()) and (
            not before or before.isspace() or before in "([-–—/:"
        )
        if opened is None:
            opens = (
                mark in _OPENING
                or (mark == '"' and not before.isalnum())  # 6'3" opens nothing
                or (mark in _CLOSING and looks_opening)
            )
            if opens:
                opened, is_nested = at, False
            continue
        is_straight = line[opened] == '"'
        if mark in _OPENING:
            is_nested = is_straight
        elif mark in _CLOSING and is_nested:
            is_nested = False
        elif mark == '"' and not is_straight and looks_opening and after.isalnum():
            continue  # a straight quotation inside a curly one
        else:
            regions.append((opened, at + 1))
            opened = None
    if opened is not None and opened < len(line) - 1:
        regions.append((opened, len(line)))
    return merge(regions)
