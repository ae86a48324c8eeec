"""Condition and outcome: which words of a conditional quote state what hangs on what.

A token head gives each token of the quote three logits. The span of a kind is the run of words with
the highest sum of log odds, which bridges a doubtful word between two sure ones; the two spans
never overlap. No tensor library is needed here, so that every runtime decodes alike.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The name of the token head in the network and its classes in order.
SPAN_HEAD: Final = "span"
SPAN_LABELS: Final = ("none", "condition", "outcome")
SPAN_KINDS: Final = SPAN_LABELS[1:]
# The stance whose quotes have a condition.
CONDITIONAL: Final = "conditional"
# Marks a token that has no target; equal to ``batches.NO_LABEL``, which needs torch.
NO_TARGET: Final = -100

_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")
# Of 0.2, 0.3 … 0.6 the one with the best token-F1 on authored validation (training/ABLATIONS.md).
THRESHOLD: Final = 0.3
# What never belongs to a span when it stands at its edge.
_EDGE: Final = " \t\r\n,.;:!?\"'“”‘’„«»—–-…"

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Spans:
    """Where a quote states its condition and its outcome.

    Attributes:
        condition: Characters ``[start, end)`` of the quote's text, or None.
        outcome: The same for what hangs on the condition.
        score: The sum of both spans' log odds.
    """

    condition: Range | None = None
    outcome: Range | None = None
    score: float = 0.0

    @property
    def certainty(self) -> tuple[int, float]:
        """How much was found and how surely; of two windows of a quote the greater one counts."""
        # By number first: a long run of outcome words must not outbid a whole condition.
        found = 2 * (self.condition is not None) + (self.outcome is not None)
        return found, self.score

    def words(self, text: str) -> tuple[str | None, str | None]:
        """Returns condition and outcome as they stand in the text."""
        first, second = (
            None if place is None else text[place[0] : place[1]]
            for place in (self.condition, self.outcome)
        )
        return first, second


def find_spans(text: str, condition: str, outcome: str) -> Spans:
    """Returns where the words of a condition and an outcome stand in a quote.

    Args:
        text: The quote.
        condition: Words of it, or "" for none; words that it does not hold count as none.
        outcome: The same; the first place that does not overlap the condition is taken.
    """
    first = _occurrences(text, condition)
    chosen = first[0] if first else None
    second = [
        place
        for place in _occurrences(text, outcome)
        if chosen is None or place[1] <= chosen[0] or place[0] >= chosen[1]
    ]
    return Spans(chosen, second[0] if second else None)


def _occurrences(text: str, words: str) -> list[Range]:
    words = words.strip()
    if not words:
        return []
    return [(found.start(), found.end()) for found in re.finditer(re.escape(words), text)]


def token_targets(offsets: Sequence[Range], spans: Spans) -> list[int]:
    """Returns the class of each token: an index into ``SPAN_LABELS``, or ``NO_TARGET``.

    Args:
        offsets: The characters of the quote's text that each token stands for; an empty range for
            a token that is none of the quote's.
        spans: The quote's spans.
    """
    targets = []
    for start, end in offsets:
        target = NO_TARGET if start == end else 0
        for index, place in enumerate((spans.condition, spans.outcome), 1):
            if place is not None and start < end and place[0] <= start and end <= place[1]:
                target = index
        targets.append(target)
    return targets


def decode_spans(
    text: str,
    offsets: Sequence[Range],
    logits: NDArray[np.floating],
    *,
    threshold: float = THRESHOLD,
) -> Spans:
    """Returns the best span of each kind.

    Args:
        text: The quote.
        offsets: As in ``token_targets``; one a row of ``logits``.
        logits: (tokens, labels) in the order of ``SPAN_LABELS``.
        threshold: A span needs words that are of its kind with more than this probability, 0..1.

    Returns:
        Ranges of whole words without punctuation at their edges; None for a kind where no word
        passes the threshold.

    Raises:
        ValueError: Offsets and logits differ in length, or the threshold is not inside 0..1.
    """
    if len(offsets) != len(logits):
        raise ValueError(f"{len(offsets)} offsets but {len(logits)} rows of logits")
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must be above 0 and below 1, not {threshold!r}")
    groups = _words(text, offsets)
    if not groups:
        return Spans()
    odds = _log_odds(np.asarray(logits, dtype=np.float64)) - math.log(threshold / (1 - threshold))
    # A word's score is the mean of its pieces'.
    counts = np.array([len(tokens) for _, tokens in groups])
    pieces = odds[[token for _, tokens in groups for token in tokens]]
    sums = np.add.reduceat(pieces, np.cumsum(counts) - counts, axis=0)
    first, second = _disjoint(*(sums / counts[:, None]).T.tolist())
    places = [_trimmed(text, groups, found) for found in (first, second)]
    total = sum(
        found[0] for found, place in zip((first, second), places, strict=True) if place is not None
    )
    return Spans(places[0], places[1], total)


def _log_odds(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns log p / (1 - p) of condition and outcome, (tokens, 2)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    others = weights.sum(axis=1, keepdims=True) - weights
    odds: NDArray[np.float64] = (shifted - np.log(np.maximum(others, 1e-12)))[:, 1:]
    return odds


def _words(text: str, offsets: Sequence[Range]) -> list[tuple[Range, list[int]]]:
    """Groups tokens that are pieces of one word: the word's characters and its tokens."""
    groups: list[tuple[Range, list[int]]] = []
    for token, (start, end) in enumerate(offsets):
        if start >= end:
            continue
        if groups and _continues(text, groups[-1][0][1], start):
            (first, _), tokens = groups[-1]
            groups[-1] = ((first, end), [*tokens, token])
        else:
            groups.append(((start, end), [token]))
    return groups


def _continues(text: str, end: int, start: int) -> bool:
    return end == start and text[end - 1].isalnum() and text[start : start + 1].isalnum()


# A best run: its score, first word and one past its last word.
_Run = tuple[float, int, int]
_NOTHING: Final[_Run] = (0.0, 0, 0)


def _prefix_bests(scores: Sequence[float]) -> list[_Run]:
    """Returns the best run within the first n words, for each n from 0 on."""
    bests, current = [_NOTHING], (0.0, 0)
    for index, score in enumerate(scores):
        current = (current[0] + score, current[1]) if current[0] > 0 else (score, index)
        run = (current[0], current[1], index + 1)
        bests.append(run if run[0] > bests[-1][0] else bests[-1])
    return bests


def _suffix_bests(scores: Sequence[float]) -> list[_Run]:
    """Returns the best run from word n on, for each n."""
    count = len(scores)
    return [
        (score, count - end, count - start) if score > 0 else _NOTHING
        for score, start, end in reversed(_prefix_bests(scores[::-1]))
    ]


def _disjoint(first: Sequence[float], second: Sequence[float]) -> tuple[_Run, _Run]:
    """Returns the two runs, one a kind, that do not overlap and score highest together."""
    left, right = _prefix_bests(first), _prefix_bests(second)
    one, other = left[-1], right[-1]
    if one[2] <= other[1] or other[2] <= one[1] or min(one[0], other[0]) <= 0:
        return one, other
    cuts = range(len(first) + 1)
    after_first, after_second = _suffix_bests(first), _suffix_bests(second)
    forward = max(((left[cut], after_second[cut]) for cut in cuts), key=_together)
    backward = max(((after_first[cut], right[cut]) for cut in cuts), key=_together)
    return max(forward, backward, key=_together)


def _together(runs: tuple[_Run, _Run]) -> float:
    return runs[0][0] + runs[1][0]


def _trimmed(text: str, groups: Sequence[tuple[Range, list[int]]], run: _Run) -> Range | None:
    score, first, last = run
    if score <= 0:
        return None
    start, end = groups[first][0][0], groups[last - 1][0][1]
    while start < end and text[start] in _EDGE:
        start += 1
    while start < end and text[end - 1] in _EDGE:
        end -= 1
    return (start, end) if any(character.isalnum() for character in text[start:end]) else None


def span_token_f1(
    texts: Sequence[str],
    predicted: Sequence[tuple[str | None, str | None]],
    expected: Sequence[tuple[str | None, str | None]],
) -> dict[str, dict[str, Any]]:
    """Returns how well the words of conditions and outcomes were found.

    Precision and recall count words of the text, punctuation left out, over all rows together
    (micro average). A row whose expected words do not stand in its text (but in its context) is
    left out for that kind.

    Args:
        texts: The quotes, (rows,).
        predicted: Condition and outcome of each quote as strings; None or "" for none.
        expected: The same by hand.

    Returns:
        For ``condition``, ``outcome`` and ``both``: ``precision``, ``recall`` and ``f1`` in 0..1 (0
        where undefined), ``rows`` counted and ``left_out``.

    Raises:
        ValueError: The lengths differ.
    """
    if not len(texts) == len(predicted) == len(expected):
        raise ValueError(
            f"{len(texts)} texts, {len(predicted)} predicted, {len(expected)} expected"
        )
    counts = {kind: [0, 0, 0, 0, 0] for kind in SPAN_KINDS}
    for text, found, wanted in zip(texts, predicted, expected, strict=True):
        words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
        right = find_spans(text, wanted[0] or "", wanted[1] or "")
        given = find_spans(text, found[0] or "", found[1] or "")
        for kind, index in zip(SPAN_KINDS, range(2), strict=True):
            row = counts[kind]
            gold: Range | None = getattr(right, kind)
            if (wanted[index] or "").strip() and gold is None:
                row[4] += 1
                continue
            marked = _inside(words, getattr(given, kind))
            true = _inside(words, gold)
            row[0] += len(marked & true)
            row[1] += len(marked)
            row[2] += len(true)
            row[3] += 1
    both = [sum(values) for values in zip(*counts.values(), strict=True)]
    return {kind: _figures(row) for kind, row in {**counts, "both": both}.items()}


def _inside(words: Sequence[Range], place: Range | None) -> set[int]:
    if place is None:
        return set()
    return {
        index for index, (start, end) in enumerate(words) if place[0] <= start and end <= place[1]
    }


def _figures(row: Sequence[int]) -> dict[str, Any]:
    hits, marked, true, rows, left_out = row
    precision, recall = hits / max(marked, 1), hits / max(true, 1)
    total = precision + recall
    f1 = 2 * precision * recall / total if total else 0.0
    figures: Mapping[str, Any] = {"precision": precision, "recall": recall, "f1": f1}
    return {**figures, "rows": rows, "left_out": left_out}
