"""Whether probabilities mean what they say: calibration error, and accuracy by confidence.

The confidence of an answer is the probability of its label. Every function takes a weight for each
row (how often a bootstrap resample drew it; ones for the data itself).

Sources: ECE in 15 bins of equal width, Guo et al., On Calibration of Modern Neural Networks (2017),
https://arxiv.org/abs/1706.04599; bins of equal mass, Nguyen and O'Connor, Posterior calibration and
exploratory analysis for natural language processing models (2015), https://arxiv.org/abs/1508.05154;
AURC, Geifman et al., Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers (2019),
https://arxiv.org/abs/1805.08206.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from stance.evaluation.bootstrap import FloatArray, IntArray
from stance.evaluation.schema import CoveragePoint, ReliabilityBin

BINS: Final = 15
COVERAGE: Final = 0.70
CHANCE_DRAWS: Final = 1000
_DRAWS_AT_ONCE: Final = 50


def bin_of(confidence: FloatArray) -> IntArray:
    """Returns the bin of each confidence, ``(n,)`` in 0..14: bin i is ``(i/15, (i+1)/15]``."""
    upper = np.arange(1, BINS + 1) / BINS
    return np.minimum(np.searchsorted(upper, confidence, side="left"), BINS - 1)


def expected_calibration_error(
    confidence: FloatArray, is_correct: FloatArray, weights: FloatArray
) -> FloatArray:
    """Returns ECE for each row of ``weights``.

    Args:
        confidence: ``(n,)``.
        is_correct: ``(n,)`` of 0 and 1.
        weights: ``(resamples, n)``.

    Returns:
        ``(resamples,)``: the mean over quotes of |accuracy - mean confidence| of their bin.
    """
    members = np.zeros((len(confidence), BINS))
    members[np.arange(len(confidence)), bin_of(confidence)] = is_correct - confidence
    gaps = np.abs(weights @ members).sum(axis=1)
    total: FloatArray = gaps / weights.sum(axis=1)
    return total


def chance_calibration_errors(confidence: FloatArray) -> FloatArray:
    """Returns the ECE that perfect calibration shows by chance on as many quotes.

    Few quotes leave gaps in their bins even where every confidence is true. Each draw makes a quote
    right with the probability that its confidence states; an ECE inside the range of the draws is
    no sign of miscalibration. Source: consistency resampling, Vaicenavicius et al., Evaluating
    model calibration in classification (2019), https://arxiv.org/abs/1902.06977.

    Args:
        confidence: ``(n,)``.

    Returns:
        ``(1000,)``, one a draw, the same for the same confidences.
    """
    generator = np.random.default_rng(0)
    members = np.zeros((len(confidence), BINS))
    members[np.arange(len(confidence)), bin_of(confidence)] = 1.0
    errors = []
    # Some draws at a time: all of them for 100,000 quotes would not fit into memory.
    for _ in range(CHANCE_DRAWS // _DRAWS_AT_ONCE):
        drawn = generator.random((_DRAWS_AT_ONCE, len(confidence))) < confidence
        errors.append(np.abs((drawn - confidence) @ members).sum(axis=1) / len(confidence))
    return np.concatenate(errors)


def adaptive_calibration_error(
    confidence: FloatArray, is_correct: FloatArray, weights: FloatArray
) -> float:
    """Returns ECE with 15 bins of equally many quotes (to one), for one set of weights ``(n,)``."""
    order = np.argsort(confidence, kind="stable")
    return adaptive_error_of_sorted((is_correct - confidence)[order], weights[order])


def adaptive_error_of_sorted(gaps: FloatArray, weights: FloatArray) -> float:
    """Returns the adaptive ECE from gaps in the order of their confidence.

    Args:
        gaps: ``(n,)``: accuracy (0 or 1) minus confidence of each row.
        weights: ``(n,)``: how often each row counts, whole numbers.
    """
    places = np.concatenate([[0.0], np.cumsum(weights)])
    sums = np.concatenate([[0.0], np.cumsum(weights * gaps)])
    total = int(places[-1])
    bins = min(BINS, total)
    # As numpy.array_split cuts: the first bins get one row more where the division leaves a rest.
    size, rest = divmod(total, bins)
    edges = np.concatenate([[0], np.cumsum(np.full(bins, size) + (np.arange(bins) < rest))])
    # Inside the copies of one row the sum grows evenly, so a bin may end there too.
    return float(np.abs(np.diff(np.interp(edges, places, sums))).sum() / total)


class SelectiveCurve:
    """The error on the most confident share of the quotes.

    Quotes of equal confidence cannot be told apart, so each counts with their mean error: the
    expectation over every order of them.
    """

    def __init__(self, confidence: FloatArray, is_correct: FloatArray) -> None:
        order = np.argsort(-confidence, kind="stable")
        self._order = order
        ranked = confidence[order]
        self._tie = np.concatenate([[0], np.cumsum(ranked[1:] != ranked[:-1])]).astype(np.int64)
        self._error = 1.0 - is_correct[order]

    def risks(self, weights: FloatArray) -> FloatArray:
        """Returns the error of the first 1, 2, … quotes, ``(sum of weights,)``."""
        counts = weights[self._order]
        size = np.bincount(self._tie, counts)
        errors = np.bincount(self._tie, counts * self._error)
        mean = np.divide(errors, size, out=np.zeros_like(errors), where=size > 0)
        steps = np.repeat(mean[self._tie], counts.astype(np.int64))
        risks: FloatArray = np.cumsum(steps) / np.arange(1, len(steps) + 1)
        return risks

    def summary(self, weights: FloatArray) -> tuple[float, float]:
        """Returns the accuracy on the most confident 70% (rounded up), and the AURC."""
        risks = self.risks(weights)
        # The small term keeps ceil(0.7 * 10) at 7 although 0.7 * 10 may exceed 7 in binary.
        kept = int(np.ceil(COVERAGE * len(risks) - 1e-9))
        return float(1.0 - risks[max(kept, 1) - 1]), float(risks.mean())


def reliability_bins(confidence: FloatArray, is_correct: FloatArray) -> list[ReliabilityBin]:
    """Returns the 15 bins of the reliability diagram, empty ones included."""
    which = bin_of(confidence)
    bins: list[ReliabilityBin] = []
    for index in range(BINS):
        inside = which == index
        n = int(inside.sum())
        bins.append(
            {
                "low": index / BINS,
                "high": (index + 1) / BINS,
                "n": n,
                "confidence": float(confidence[inside].mean()) if n else None,
                "accuracy": float(is_correct[inside].mean()) if n else None,
            }
        )
    return bins


def coverage_points(
    confidence: FloatArray, is_correct: FloatArray, points: int = 50
) -> list[CoveragePoint]:
    """Returns at most ``points`` points of the risk-coverage curve, the last at coverage 1."""
    risks = SelectiveCurve(confidence, is_correct).risks(np.ones(len(confidence)))
    kept = np.unique(np.ceil(np.linspace(1 / points, 1, points) * len(risks) - 1e-9).astype(int))
    return [
        {"coverage": float(count / len(risks)), "risk": float(risks[count - 1])}
        for count in kept
        if count > 0
    ]
