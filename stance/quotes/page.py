"""An article read once: paragraphs, furniture, quotations, sentences and words, all with offsets.

The lexical rules and a learned tagger both start from a ``Page``, and both hand ``Attribution``s
on.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from stance.quotes.marks import Quoted, quoted_regions
from stance.text import Span, furniture, paragraphs, sentences, trim

# Order counts. The look-aheads let blanks pass all alternatives in one step, and most words the two
# long ones. Only the last alternative, punctuation, is a group: that tells the kinds apart.
_TOKEN = re.compile(
    r"(?=\S)(?:[a-z]+(?=[\s,])"
    r"|(?=[HhSsIiTtWwYy])(?i:he|she|it|they|we|i|you|who|there|that|what)"
    r"(?=['’](?i:s|ve|d|re|ll|m)(?!['’&.-]?\w))"
    r"|(?=[MDSRGLCAPHJFNO])(?:Mr|Mrs|Ms|Dr|Sen|Sens|Rep|Reps|Gov|Gen|Lt|Col|Maj|Sgt|Adm|Capt|Prof|"
    r"Rev|Hon|Amb|St|Jr|Sr|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.(?=\s|$)"
    r"|[^\W\d_]\.(?:[^\W\d_]\.)+|[A-Z]\.(?=\s+[A-Z])"
    r"|\w+s['’](?=\s\w)|\w+(?:['’&.-]\w+)*"
    r"|(?<=[eEtTyYuUiIoO])['’](?i:s|ve|d|re|ll|m)(?!\w)"
    r"|(--+|(?P<same>[^\w\s])(?P=same){3,}|\S))"
)


class Token(NamedTuple):
    """A word, a punctuation mark, or one whole quotation.

    Attributes:
        kind: ``w`` word, ``p`` punctuation, ``q`` quotation with its marks.
        text: As written; empty for a quotation.
        lower: In small letters.
        start: First character.
        end: One past the last.
        region: Index of the quotation in ``Page.regions``, or -1.
        is_capital: Whether it is a word that starts with a capital letter.
    """

    kind: str
    text: str
    lower: str
    start: int
    end: int
    region: int = -1
    is_capital: bool = False

    @property
    def is_possessive(self) -> bool:
        """Whether it is a noun with a possessive ending."""
        return self.kind == "w" and self.text.endswith(("'s", "’s", "s'", "s’"))


class Unit:
    """One sentence whose quotations are never cut.

    Attributes:
        start: First character.
        end: One past the last.
        paragraph: Index into ``Page.lines``.
        regions: Its quotations: the first one’s index into ``Page.regions`` and one past the last.
    """

    __slots__ = ("_page", "end", "paragraph", "regions", "start")

    def __init__(self, page: Page, start: int, end: int, paragraph: int, regions: Span) -> None:
        """Notes where a sentence stands; its words are cut when they are asked for."""
        self._page = page
        self.start = start
        self.end = end
        self.paragraph = paragraph
        self.regions = regions

    @property
    def tokens(self) -> list[Token]:
        """Words, punctuation and whole quotations, in order."""
        return self._page.tokens_of(self)

    def holds_any(self, words: frozenset[str]) -> bool:
        """Whether one of some words in small letters stands in it: is it worth reading?"""
        text = self._page.article[self.start : self.end].lower()
        # most sentences that hold one show it without the dearer search
        return not (words.isdisjoint(text.split()) and words.isdisjoint(_LOWER.findall(text)))


@dataclass(frozen=True, slots=True)
class Attribution:
    """What rules or a tagger find: who says what by which words.

    Attributes:
        content: Ranges of the quote, quotation marks included or not.
        cue: Range of the reporting words, or None.
        source: Range of the words that name the speaker, or None.
        continues: Whether the content goes on the quote before it (a next paragraph).
        speech: Whether something is said, rather than believed, hoped, wanted or planned.
        trust: How likely the source is the right one, in 0..1: 1 when the cue is its verb, less
            when it is only who spoke before.
        exact: Whether the lay-out of the page shows it, as in a transcript, and no reading can.
    """

    content: tuple[Span, ...]
    cue: Span | None = None
    source: Span | None = None
    continues: bool = False
    speech: bool = True
    trust: float = 1.0
    exact: bool = False


_WORD = re.compile(r"\w\w")
_LOWER = re.compile(r"[a-z]+(?:-[a-z]+)*")
_INNER_CLOSERS: Final = frozenset("\"”’'»›)]")
_KEPT_UNITS: Final = 4  # the sentence being read, the one before it, and two for look-backs


class Page:
    """An article and everything the rules read off it, each part computed once."""

    def __init__(self, article: str) -> None:
        """Reads paragraphs, furniture and quotation marks.

        Args:
            article: The article; offsets count its characters.
        """
        self.article = article
        self.all_lines = paragraphs(article)
        self.furniture = furniture(article, self.all_lines)
        self.lines = self._running_lines()
        self.regions: list[Quoted] = quoted_regions(article, self.lines)
        self._kept: dict[int, list[Token]] = {}

    def _running_lines(self) -> list[Span]:
        lines: list[Span] = []
        index = 0
        for start, end in self.all_lines:
            if end - start < 100 and _WORD.search(self.article, start, end) is None:
                continue  # a page of single characters has nothing to say, and many lines
            while index < len(self.furniture) and self.furniture[index][1] <= start:
                index += 1
            if index < len(self.furniture) and self.furniture[index][0] == start:
                kept = trim(self.article, self.furniture[index][1], end)
                if kept is None or kept[0] >= end:
                    continue
                start = kept[0]
            lines.append((start, end))
        return lines

    @cached_property
    def units(self) -> list[Unit]:
        """The sentences of the running text, in order."""
        found: list[Unit] = []
        first = 0
        for index, (start, end) in enumerate(self.lines):
            last = first
            while last < len(self.regions) and self.regions[last].paragraph == index:
                last += 1
            atomic = [(region.start, region.end) for region in self.regions[first:last]]
            cursor = first
            for a, b in sentences(self.article, start, end, atomic):
                begin = cursor
                while cursor < last and self.regions[cursor].start < b:
                    cursor += 1
                found.append(Unit(self, a, b, index, (begin, cursor)))
            first = last
        return found

    def tokens_of(self, unit: Unit) -> list[Token]:
        """Returns the words of a sentence, which are kept while it and its neighbours are read."""
        if unit.start not in self._kept:
            while len(self._kept) >= _KEPT_UNITS:
                self._kept.pop(next(iter(self._kept)))
            tokens: list[Token] = []
            at = unit.start
            for region in range(*unit.regions):
                quoted = self.regions[region]
                if quoted.start < at:
                    continue
                tokens.extend(tokenize(self.article, at, quoted.start))
                tokens.append(Token("q", "", "", quoted.start, quoted.end, region))
                at = quoted.end
            if at < unit.end:
                tokens.extend(tokenize(self.article, at, unit.end))
            self._kept[unit.start] = tokens
        return self._kept[unit.start]

    @cached_property
    def _region_starts(self) -> list[int]:
        return [region.start for region in self.regions]

    def regions_in(self, start: int, end: int) -> list[Quoted]:
        """Returns the quotations that share at least one character with a range."""
        first = max(0, bisect_right(self._region_starts, start) - 1)
        last = bisect_left(self._region_starts, end)
        return [r for r in self.regions[first:last] if r.end > start and r.start < end]

    def last_sign(self, region: Quoted) -> str:
        """Returns the last character between two marks, marks within them and blanks left out."""
        at = region.inner_end - 1
        while at > region.inner_start and (
            self.article[at] in _INNER_CLOSERS or self.article[at].isspace()
        ):
            at -= 1
        return self.article[at]

    @cached_property
    def _unit_starts(self) -> list[int]:
        return [unit.start for unit in self.units]

    def unit_index(self, at: int) -> int:
        """Returns the index of the last unit that starts at or before a character, or 0."""
        return max(0, bisect_right(self._unit_starts, at) - 1)


def tokenize(article: str, start: int, end: int) -> list[Token]:
    """Returns the words and marks of a range; pronouns are cut from "'s" and the like."""
    tokens: list[Token] = []
    add, new = tokens.append, tuple.__new__  # a third faster than Token(…)
    for match in _TOKEN.finditer(article, start, end):
        text = match.group()
        a, b = match.span()
        if match.lastindex is not None:
            add(new(Token, ("p", text, text, a, b, -1, False)))
        elif text.islower():
            add(new(Token, ("w", text, text, a, b, -1, False)))
        else:
            add(new(Token, ("w", text, text.lower(), a, b, -1, text[0].isupper())))
    return tokens
