"""Bootstrap intervals: whole groups are drawn with replacement, never single rows of a group.

Rows of one situation, document or article resemble each other, so resampling rows would make the
intervals too narrow. A resample is kept as one weight a row (how often it was drawn); a metric
computed from weights needs no copy of the rows, and two systems measured with the same weights give
a paired difference.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 16;
Field and Welsh, Bootstrapping clustered data (2007), https://doi.org/10.1111/j.1467-9868.2007.00593.x
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from stance.evaluation.schema import MetricValue

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LEVEL: Final = 0.95
#: More resamples move no digit that is shown, and would fill the memory.
MOST_REPEATS: Final = 100_000
#: With fewer groups, resampling them gives a handful of different results, not an interval.
MIN_GROUPS: Final = 8
#: An interval over the defined resamples alone would be about other data when many are undefined.
MAX_UNDEFINED: Final = 0.10


@dataclass(frozen=True, slots=True)
class Resamples:
    """Bootstrap resamples of ``n`` rows.

    Attributes:
        counts: ``(resamples, groups)``: how often each group was drawn.
        membership: ``(n,)``: the group of each row.
        about: One sentence on what was resampled, for reports.
    """

    counts: IntArray
    membership: IntArray
    about: str

    def chunks(self, size: int = 200) -> Iterator[FloatArray]:
        """Yields the weights of the rows, ``(at most size, n)`` at a time to bound memory."""
        for start in range(0, len(self.counts), size):
            yield self.counts[start : start + size][:, self.membership].astype(np.float64)


def draw(n: int, *, groups: tuple[str, Sequence[str]] | None, repeats: int, seed: int) -> Resamples:
    """Draws bootstrap resamples.

    Args:
        n: Number of rows.
        groups: Name of the grouping field and each row's group, or None for independent rows.
        repeats: Number of resamples; 0 for none.
        seed: The same seed, rows and groups give the same resamples.

    Returns:
        The resamples. With fewer than ``MIN_GROUPS`` groups rows are drawn instead, which
        ``about`` says.

    Raises:
        ValueError: ``repeats`` is not in 0..``MOST_REPEATS``, or ``n`` is 0.
    """
    if not 0 <= repeats <= MOST_REPEATS:
        raise ValueError(f"repeats must be 0 to {MOST_REPEATS}, not {repeats}")
    if n < 1:
        raise ValueError("there are no rows to resample")
    membership = np.arange(n)
    about = f"{repeats} resamples of {n} rows"
    if groups is not None:
        field, names = groups
        distinct, inverse = np.unique(
            np.asarray(names, dtype=object).astype(str), return_inverse=True
        )
        if len(distinct) >= MIN_GROUPS:
            membership = inverse.astype(np.int64)
            about = f"{repeats} resamples of {len(distinct)} groups (field {field!r}) of {n} rows"
        else:
            about += (
                f"; only {len(distinct)} groups (field {field!r}), too few to resample, so the "
                "intervals leave out the differences between them"
            )
    size = int(membership.max()) + 1
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(size, np.full(size, 1.0 / size), size=repeats)
    return Resamples(counts.astype(np.int64), membership, about)


def with_interval(value: float | None, reason: str | None, resampled: FloatArray) -> MetricValue:
    """Returns a metric with its percentile interval.

    Args:
        value: The value on the data itself, or None.
        reason: Why it is None.
        resampled: ``(resamples,)``: the value on each resample; NaN where undefined.
    """
    entry: MetricValue = {
        "value": None if value is None else float(value),
        "low": None,
        "high": None,
        "reason": reason,
        "interval_reason": None,
        "undefined_resamples": int(np.isnan(resampled).sum()),
    }
    if value is None:
        entry["interval_reason"] = reason
    elif len(resampled) == 0:
        entry["interval_reason"] = "no resamples were asked for"
    elif entry["undefined_resamples"] > MAX_UNDEFINED * len(resampled):
        entry["interval_reason"] = (
            f"undefined in {entry['undefined_resamples']} of {len(resampled)} resamples"
        )
    else:
        tail = 100 * (1 - LEVEL) / 2
        low, high = np.nanpercentile(resampled, [tail, 100 - tail])
        entry["low"], entry["high"] = float(low), float(high)
    return entry


def difference(
    ours: MetricValue, theirs: MetricValue, our_resamples: FloatArray, their_resamples: FloatArray
) -> MetricValue:
    """Returns ours minus theirs with the interval of the paired resamples."""
    if ours["value"] is None or theirs["value"] is None:
        return with_interval(None, ours["reason"] or theirs["reason"], np.empty(0))
    return with_interval(ours["value"] - theirs["value"], None, our_resamples - their_resamples)


def ratio(
    numerator: FloatArray,
    denominator: FloatArray,
    resamples: Resamples,
    reason: str,
) -> MetricValue:
    """Returns sum(numerator) / sum(denominator) over rows with its interval.

    Args:
        numerator: ``(n,)``.
        denominator: ``(n,)``, at least 0.
        resamples: Resamples of the same rows.
        reason: Why there is no value when the denominator sums to 0.
    """
    return ratios(numerator[:, None], denominator[:, None], resamples, reason)[0]


def ratios(
    numerators: FloatArray,
    denominators: FloatArray,
    resamples: Resamples,
    reason: str,
) -> list[MetricValue]:
    """Returns several ratios of sums at once, since making the weights costs more than using them.

    Args:
        numerators: ``(n, ratios)``.
        denominators: ``(n, ratios)``, at least 0.
        resamples: Resamples of the same rows.
        reason: Why there is no value when a denominator sums to 0.
    """
    parts = [np.empty((0, numerators.shape[1]))]
    for weights in resamples.chunks():
        below = weights @ denominators
        out = np.full(below.shape, np.nan)
        parts.append(np.divide(weights @ numerators, below, out=out, where=below > 0))
    resampled = np.concatenate(parts)
    values = []
    for column, total in enumerate(denominators.sum(axis=0)):
        value = float(numerators[:, column].sum() / total) if total > 0 else None
        values.append(with_interval(value, None if total > 0 else reason, resampled[:, column]))
    return values
