"""An article as the learned tagger reads it: word pieces, features, overlapping windows.

The encoder is uncased and knows no lay-out, so each piece carries what the tokenizer takes away:
the case of its word, where it stands to the quotation marks, and whether a sentence or a paragraph
begins there.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from stance.quotes.page import Page

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

# Values of the three features; 0 stands for special tokens.
CASES: Final = ("special", "lower", "capitalised", "upper", "mixed", "digits", "sign")
PLACES: Final = ("special", "outside", "opening", "inside", "closing", "unclosed")
BEGINNINGS: Final = ("special", "none", "sentence", "paragraph")
FEATURE_SIZES: Final = (len(CASES), len(PLACES), len(BEGINNINGS))
# An article is tagged in stretches of whole sentences of about this many pieces, so that memory
# stays bounded whatever its length.
STRETCH_PIECES: Final = 8192
_SIGN = re.compile(r"\w")
_WORD = re.compile(r"\w\w")
# A sentence longer than this many characters says nothing without a word of two.
_LONG: Final = 100
# A sentence longer than this many characters is tokenized in parts.
_MAX_PART: Final = 20_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an article in word pieces and words.

    Attributes:
        ids: Token id of each piece, (pieces,).
        features: Values of case, place and beginning of each piece, (pieces, 3).
        first: Index of each word's first piece, (words,).
        starts: First character of each word, (words,).
        ends: One past its last character, (words,).
        begins_paragraph: Whether a word is the first of its paragraph, (words,).
    """

    ids: NDArray[np.int64]
    features: NDArray[np.int64]
    first: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    begins_paragraph: NDArray[np.bool_]


class Window(NamedTuple):
    """A range of pieces that is encoded together, and the part of it that is kept.

    Attributes:
        start: First piece.
        end: One past the last.
        keep_start: First piece whose state is taken from this window.
        keep_end: One past the last.
    """

    start: int
    end: int
    keep_start: int
    keep_end: int


def cut_windows(pieces: int, size: int, stride: int) -> list[Window]:
    """Covers a stretch with overlapping windows, each piece kept once.

    A piece is kept from the window in which it stands nearest to the middle; the last window is
    moved back so that it is full.

    Args:
        pieces: Length of the stretch.
        size: Most pieces in a window.
        stride: Pieces from one window's start to the next one's, at most ``size``.

    Raises:
        ValueError: ``stride`` is not within 1..``size``.
    """
    if not 1 <= stride <= size:
        raise ValueError(f"stride must be within 1..{size}, not {stride}")
    if pieces <= 0:
        return []
    starts = [*range(0, max(pieces - size, 0), stride), max(pieces - size, 0)]
    windows = []
    kept = 0
    for i, start in enumerate(starts):
        end = min(start + size, pieces)
        keep_end = pieces if i + 1 == len(starts) else (end + starts[i + 1] + 1) // 2
        windows.append(Window(start, end, kept, keep_end))
        kept = keep_end
    return windows


def read_stretches(page: Page, tokenizer: Tokenizer) -> Iterator[Stretch]:
    """Yields the running text of an article in word pieces; nothing for a text without words.

    Args:
        page: The article.
        tokenizer: The encoder's tokenizer, without truncation and padding.
    """
    lines = [start for start, _ in page.lines]
    parts: list[tuple[int, int, int]] = []
    size = 0
    for unit in page.units:
        # A page of bare marks or single letters says nothing, and stays quick.
        least = _SIGN if unit.end - unit.start < _LONG else _WORD
        if least.search(page.article, unit.start, unit.end) is None:
            continue
        at_line = bisect_left(lines, unit.start)
        beginning = 3 if at_line < len(lines) and lines[at_line] == unit.start else 2
        for start in range(unit.start, unit.end, _MAX_PART):
            parts.append((start, min(start + _MAX_PART, unit.end), beginning))
            beginning = 1
        # About four characters a piece: an estimate is enough to bound a stretch.
        size += (unit.end - unit.start) // 4 + 1
        if size >= STRETCH_PIECES:
            yield from _stretch(page, tokenizer, parts)
            parts, size = [], 0
    yield from _stretch(page, tokenizer, parts)


def _stretch(
    page: Page, tokenizer: Tokenizer, parts: list[tuple[int, int, int]]
) -> Iterator[Stretch]:
    # Lone surrogates are no text: each becomes one "?", so that offsets stay.
    texts = [page.article[a:b].encode("utf-8", "replace").decode("utf-8") for a, b, _ in parts]
    ids: list[int] = []
    word_of: list[int] = []
    first: list[int] = []
    starts: list[int] = []
    ends: list[int] = []
    cases: list[int] = []
    beginnings: list[int] = []
    encodings: list[Encoding] = tokenizer.encode_batch(texts, add_special_tokens=False)
    for (at, _, beginning), text, encoding in zip(parts, texts, encodings, strict=True):
        last = None
        for piece, word, (a, b) in zip(
            encoding.ids, encoding.word_ids, encoding.offsets, strict=True
        ):
            if word != last or word is None:
                first.append(len(ids))
                starts.append(at + a)
                ends.append(at + b)
                beginnings.append(beginning if last is None else 1)
                last = word
            else:
                ends[-1] = at + b
            word_of.append(len(first) - 1)
            ids.append(piece)
        done = len(cases)
        cases.extend(
            _case(text[a - at : b - at]) for a, b in zip(starts[done:], ends[done:], strict=True)
        )
    if not ids:
        return
    word_starts, word_ends = np.asarray(starts), np.asarray(ends)
    of = np.asarray(word_of)
    per_word = np.stack(
        (np.asarray(cases), _places(page, word_starts, word_ends), np.asarray(beginnings)), axis=1
    )
    features = per_word[of]
    # Only the first piece of the first word begins a sentence.
    continued = np.ones(len(ids), dtype=bool)
    continued[first] = False
    features[continued, 2] = 1
    yield Stretch(
        np.asarray(ids),
        features,
        np.asarray(first),
        word_starts,
        word_ends,
        np.asarray(beginnings) == 3,
    )


def _case(word: str) -> int:
    if not any(map(str.isalnum, word)):
        return 6
    if not word.isalpha():
        return 5
    if word.islower():
        return 1
    if word.isupper():
        return 3 if len(word) > 1 else 2
    return 2 if word[:1].isupper() and (word[1:].islower() or not word[1:]) else 4


def _places(page: Page, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns where each word stands to the quotation marks, an index into ``PLACES``."""
    places = np.ones(len(starts), dtype=np.int64)
    if not page.regions:
        return places
    edges = np.asarray(
        [(r.start, r.inner_start, r.inner_end, r.end, r.closed) for r in page.regions]
    )
    at = np.maximum(np.searchsorted(edges[:, 0], starts, side="right") - 1, 0)
    region = edges[at]
    inside = (starts >= region[:, 0]) & (starts < region[:, 3])
    places[inside] = np.where(region[inside, 4] == 1, 3, 5)
    places[inside & (ends <= region[:, 1])] = 2
    places[inside & (starts >= region[:, 2]) & (region[:, 4] == 1)] = 4
    return places
