"""Quotation marks: which stretches of an article stand between them.

The unit is the paragraph, as in news style: each paragraph of a long quote opens a mark and only
the last one closes it, so a mark left open runs to the end of its paragraph and never further.
Straight and curly double and single marks, two apostrophes, backticks, guillemets and low marks
are known. A straight mark after a digit (6'3", a 12" pipe), an apostrophe ('tis, the '90s, the
ministers' plan) opens nothing. Every step is linear in the length of the paragraph.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from stance.text import Span, trim

# Eight marks in a row are a rule or rubbish, not quotations; they are passed over in one step. The
# patterns begin with a plain set of characters and look back at which one it was: ``re`` then skips
# the characters between the marks several times faster.
_ANY = r"[\"“”„‟«»‹›＂〝〞「」『』'‘’‚`]"
_RUN: Final = rf"{_ANY}(?:(?P<run>{_ANY}{{7,}})"
_DOUBLE = re.compile(_RUN + r"|(?<=`)`|(?<=')'|(?<=[\"“”„‟«»‹›＂〝〞「」『』]))")
_ANY_DOUBLE = re.compile('["“”„‟«»‹›＂〝〞「」『』]')
_ANY_SINGLE = re.compile(r"['‘‚](?<!\w.)")
_SINGLE = re.compile(_RUN + r"|(?<=')(?<!'')(?!')|(?<=[‘’‚]))")
_WORD = re.compile(r"\w+(?:['’.]\w+)*")
_OPEN_ONLY: Final = frozenset("“„‟‹「『〝") | {"``"}
_CLOSERS: Final = {
    "“": "”",
    "„": "“”‟",
    "‟": "”",
    "«": "»",
    "»": "«»",
    "‹": "›",
    "›": "‹",
    "”": "”",
    "「": "」",
    "『": "』",
    "〝": "〞",
    "``": "''",
    "''": "''",
    '"': '"',
    "＂": "＂",
}
_ELISION = re.compile(
    r"['’](?:\d0s\b|\d\d\b|tis\b|twas\b|em\b|cause\b|til\b|till\b|round\b|bout\b|n['’ ]|cos\b|"
    r"ere\b|s\b)",
    re.IGNORECASE,
)
_STRONG_BEFORE: Final = frozenset(",.!?…—-")
_STRONG_AFTER: Final = frozenset(".,;:!?)]")
_PARAGRAPH_OPENERS: Final = frozenset("\"“„«‘'`＂「")
# “…, Ana Costa said.” at the end of a paragraph
_ATTRIBUTION = re.compile(
    r",(?=\s(?:he|she|they|(?:[\w.'’-]+\s){0,8}[A-Z][\w.'’-]+)\s(?:said|says|added)\.?$)"
)
_LONGEST_TAIL: Final = 120  # characters
MAX_SINGLE: Final = 2000


@dataclass(frozen=True, slots=True)
class Quoted:
    """One stretch between quotation marks.

    Attributes:
        start: The opening mark.
        end: One past the closing mark, or the end of the paragraph when none closes it.
        inner_start: First character after the opening mark that is not blank.
        inner_end: One past the last character before the closing mark that is not blank.
        closed: Whether a closing mark was found.
        paragraph: Index of the paragraph it stands in.
    """

    start: int
    end: int
    inner_start: int
    inner_end: int
    closed: bool
    paragraph: int


def quoted_regions(article: str, lines: Sequence[Span]) -> list[Quoted]:
    """Returns the outermost quoted stretches of each paragraph, in order.

    Args:
        article: The article.
        lines: Its paragraphs, from ``stance.text.paragraphs``.

    Returns:
        Stretches that never overlap and hold at least one character other than marks and blanks.
    """
    found: list[Quoted] = []
    for index, (start, end) in enumerate(lines):
        # Nothing between marks counts without a word; and a page of bare marks stays quick.
        if end - start < 3:
            continue
        has_double = (
            _ANY_DOUBLE.search(article, start, end) is not None
            or article.find("''", start, end) >= 0
            or article.find("``", start, end) >= 0
        )
        has_single = _ANY_SINGLE.search(article, start, end) is not None
        if not (has_double or has_single) or _WORD.search(article, start, end) is None:
            continue
        doubles = _double_regions(article, start, end) if has_double else []
        singles = _single_regions(article, start, end, doubles) if has_single else []
        reach = start
        for a, b, width, closing in sorted(doubles + singles):
            if a < reach:
                continue
            reach = b
            stop = None if closing else _attributed_at(article, lines, index, a)
            inner = trim(article, a + width, stop or b - closing)
            if inner is not None and _WORD.search(article, *inner):
                found.append(Quoted(a, stop or b, *inner, closing > 0 or stop is not None, index))
    return found


def _attributed_at(article: str, lines: Sequence[Span], index: int, start: int) -> int | None:
    """Returns where a quotation ends that lacks its closing mark before “, Ana Costa said.”."""
    end = lines[index][1]
    if index + 1 < len(lines) and article[lines[index + 1][0]] in _PARAGRAPH_OPENERS:
        return None  # it goes on in the next paragraph
    tail = _ATTRIBUTION.search(article, max(start + 1, end - _LONGEST_TAIL), end)
    return tail.start() + 1 if tail is not None else None


_Region = tuple[int, int, int, int]  # start, end, width of the opening mark, of the closing mark


def _double_regions(article: str, start: int, end: int) -> list[_Region]:
    matches = [m for m in _DOUBLE.finditer(article, start, end) if m.group("run") is None]
    if not matches:
        return []
    regions, balanced = _scan(article, start, end, matches, nests=True)
    if not balanced:
        regions, _ = _scan(article, start, end, matches, nests=False)
    return regions


def _scan(
    article: str, start: int, end: int, matches: Sequence[re.Match[str]], nests: bool
) -> tuple[list[_Region], bool]:
    """Pairs the double marks of a paragraph.

    With ``nests`` a mark that opens inside a quotation must be closed before it; the second value
    tells whether that worked out.
    """
    regions: list[_Region] = []
    opened: re.Match[str] | None = None
    stack: list[str] = []
    for match in matches:
        mark = match.group()
        before, after = _neighbours(article, match, start, end)
        if opened is None:
            if _may_open(mark, before, after):
                opened, stack = match, [mark]
            continue
        does = _inside(mark, stack[-1], before, after)
        if does == "open" and nests:
            stack.append(mark)
        elif does == "close" and not _is_inch(article, match, start, end):
            stack.pop()
            if not stack:
                regions.append((opened.start(), match.end(), len(opened.group()), len(mark)))
                opened = None
    if opened is not None and not nests and opened.end() < end:
        regions.append((opened.start(), end, len(opened.group()), 0))
    return regions, opened is None or not nests


def _neighbours(article: str, match: re.Match[str], start: int, end: int) -> tuple[str, str]:
    before = article[match.start() - 1] if match.start() > start else " "
    return before, article[match.end()] if match.end() < end else " "


def _inside(mark: str, innermost: str, before: str, after: str) -> str:
    """Returns what a mark does inside a quotation: ``open`` one in it, ``close``, or nothing."""
    opening = _at_opening(before, after)
    if mark in _CLOSERS[innermost]:
        return "open" if mark in '"＂»' and opening else "close"
    if mark in _OPEN_ONLY or (mark in '"«＂' and opening):
        return "open"
    # straight and curly marks are mixed on many pages: “more hours"
    mixed = mark in '”"' and innermost in '“"' and not opening
    return "close" if mixed else ""


def _at_opening(before: str, after: str) -> bool:
    return (before.isspace() or before in "([{-—–/:‘'“\"…") and (
        after.isalnum() or after in "'‘“$£€[…#@"
    )


def _may_open(mark: str, before: str, after: str) -> bool:
    if mark in _OPEN_ONLY or mark == "«":
        return not after.isspace() or mark == "«"
    if mark in '"＂':
        return (
            not before.isalnum()
            and not after.isspace()
            and (before not in ",.;!?)" or after.isalnum())
        )
    if mark == "''":
        return not before.isalnum() and not after.isspace()
    # a closing curly mark or a reversed guillemet where a quotation would open
    return mark in "”»" and _at_opening(before, after)


def _is_inch(article: str, match: re.Match[str], start: int, end: int) -> bool:
    """Whether a straight mark inside a quotation ends a height (6'3") and a later one closes."""
    at = match.start()
    return (
        match.group() == '"'
        and at > start
        and article[at - 1].isdigit()
        and bool(re.search(r"\d['’]\s?\d{1,2}$", article[max(start, at - 6) : at]))
        and article.find('"', match.end(), min(end, match.end() + 2000)) >= 0
    )


def _single_regions(
    article: str, start: int, end: int, doubles: Sequence[_Region]
) -> list[_Region]:
    """Pairs single marks outside double ones.

    The first mark that may close does so, unless it could be the apostrophe of a plural possessive
    (after an s, before a blank) and a better one follows.
    """
    candidates: list[_Candidate] = []
    region = 0
    for match in _SINGLE.finditer(article, start, end):
        at = match.start()
        if match.group("run") is not None:
            continue
        while region < len(doubles) and doubles[region][1] <= at:
            region += 1
        if region < len(doubles) and doubles[region][0] <= at:
            continue
        before = article[at - 1] if at > start else " "
        after = article[at + 1] if at + 1 < end else " "
        opens = (
            match.group() in "'‘‚"
            and not before.isalnum()
            and before not in ",.!?…"
            and (after.isalnum() or after in '“"[$£€…')
            and not _ELISION.match(article, at, min(end, at + 8))
        )
        closes = match.group() in "'’‘" and not before.isspace() and not after.isalnum()
        strong = closes and (before in _STRONG_BEFORE or after in _STRONG_AFTER or at + 1 >= end)
        if opens or closes:
            sure = closes and (strong or before not in "sS")
            ends = closes and (before in ",.!?…" or after in ".,;:")
            candidates.append(_Candidate(at, match.group(), opens, closes, sure, ends))
    return _pair_singles(start, end, candidates, doubles)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A single mark outside double quotations and what it may do."""

    at: int
    mark: str
    opens: bool
    closes: bool
    sure: bool  # closes, and cannot be a possessive
    ends: bool  # closes right after a comma or a full stop


def _pair_singles(
    start: int, end: int, candidates: Sequence[_Candidate], doubles: Sequence[_Region]
) -> list[_Region]:
    count = len(candidates)
    next_any: list[int | None] = [None] * (count + 1)
    next_sure: list[int | None] = [None] * (count + 1)
    next_end: list[int | None] = [None] * (count + 1)
    next_low: list[int | None] = [None] * (count + 1)  # ‚German‘ and ‚Polish’ single marks
    for i in range(count - 1, -1, -1):
        one = candidates[i]
        closes = one.closes and one.mark != "‘"
        next_low[i] = i if one.closes and one.mark in "‘’" else next_low[i + 1]
        next_any[i] = i if closes else next_any[i + 1]
        next_sure[i] = i if closes and one.sure else next_sure[i + 1]
        next_end[i] = i if closes and one.ends else next_end[i + 1]
    regions: list[_Region] = []
    i = block = 0
    while i < count:
        one = candidates[i]
        if not one.opens:
            i += 1
            continue
        while block < len(doubles) and doubles[block][0] < one.at:
            block += 1

        def fits(j: int | None, opener: _Candidate = one) -> bool:
            return (
                j is not None
                and candidates[j].at - opener.at <= MAX_SINGLE
                and (opener.mark == "'") == (candidates[j].mark == "'")
            )

        sooner = (next_low[i + 1],) if one.mark == "‚" else (next_sure[i + 1], next_any[i + 1])
        closer = next((j for j in sooner if fits(j)), None)
        if (
            closer is not None
            and block < len(doubles)
            and doubles[block][0] < candidates[closer].at
        ):
            # British style: a double quotation inside a single one, which then ends a clause
            closer = next_end[i + 1] if fits(next_end[i + 1]) else None
        if closer is not None:
            regions.append((one.at, candidates[closer].at + 1, 1, 1))
            i = closer + 1
        elif one.mark == "‘" and one.at == start and not doubles:
            # news style: a single mark at the head of a paragraph that the next one goes on
            regions.append((one.at, end, 1, 0))
            break
        else:
            i += 1
    return regions
