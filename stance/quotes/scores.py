"""How sure the tagger is of each word of an article, and where the lines are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stance.text import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Decision:
    """Where the lines are drawn; chosen on held-out training articles.

    Attributes:
        content_bias: Added to the logits of content: above 0 finds more, below 0 is stricter.
        snap: Share of a quotation's words that must be content for the whole quotation to be, 0..1.
        keep_direct: Least mean probability of content at which a direct quote stays that only the
            rules found, 0..1.
        keep_other: The same for indirect and mixed quotes.
        add_direct: Least mean probability of content at which a direct quote is added that only the
            tagger found, 0..1.
        add_other: The same for indirect and mixed quotes.
        add_loose: The same for contents without a cue in or before their sentence, and for a few
            words without a verb of reporting.
        doubt: How far from certain the tagger must be of the words on which it and the rules differ
            for the rules to have their way: they gain words from this probability on, and lose
            words up to 1 minus it.
    """

    content_bias: float = 0.0
    snap: float = 0.5
    keep_direct: float = 0.2
    keep_other: float = 0.4
    add_direct: float = 0.8
    add_other: float = 0.7
    add_loose: float = 0.82
    doubt: float = 0.2


class WordScores:
    """How likely each word of an article is content.

    Args:
        starts: First character of each word, ascending, (words,).
        ends: One past its last character, (words,).
        content: Probability that it is content, (words,).
        tagged: Whether it was tagged as content, (words,).
    """

    def __init__(
        self,
        starts: NDArray[np.int64],
        ends: NDArray[np.int64],
        content: NDArray[np.float32],
        tagged: NDArray[np.bool_],
    ) -> None:
        self._starts, self._ends = starts, ends
        self._content = np.concatenate(([0.0], np.cumsum(content, dtype=np.float64)))
        self._tagged = np.concatenate(([0], np.cumsum(tagged)))

    def _range(self, start: int, end: int) -> tuple[int, int]:
        first = int(np.searchsorted(self._ends, start, side="right"))
        return first, max(first, int(np.searchsorted(self._starts, end)))

    def mean(self, spans: Sequence[Span]) -> float:
        """Returns the mean probability of the words in some ranges; 0 without words."""
        ranges = [self._range(*span) for span in spans]
        words = sum(b - a for a, b in ranges)
        total = sum(float(self._content[b] - self._content[a]) for a, b in ranges)
        return total / words if words else 0.0

    def mean_or_none(self, spans: Sequence[Span]) -> float | None:
        """Returns the mean probability of the words in some ranges; None without words."""
        has_words = any(b > a for a, b in (self._range(*span) for span in spans))
        return self.mean(spans) if has_words else None

    def tagged_share(self, span: Span) -> float:
        """Returns the share of a range's words that were tagged as content."""
        a, b = self._range(*span)
        return float(self._tagged[b] - self._tagged[a]) / (b - a) if b > a else 0.0
