"""Label sets with a promised coverage: split conformal prediction.

A label belongs to the set when its probability is at least as high as that of the right label was
in the wanted share of the calibration quotes. If new quotes are drawn like those, the set holds the
right label at least that often, however good or bad the model is; what a weak model loses is size.
With several calibration sets (authored quotes, real ones, each with context and alone) the set that
needs the most labels decides, so the promise holds for quotes like those of any one of them.

The score is the least ambiguous one, one minus the probability of the right label; it gives the
smallest sets on average. The most probable label always belongs to the set, so none is empty.

Sources: Sadinle, Lei and Wasserman, Least Ambiguous Set-Valued Classifiers with Bounded Error
Levels (2019), https://arxiv.org/abs/1609.00451; Angelopoulos and Bates, A Gentle Introduction to
Conformal Prediction (2021), https://arxiv.org/abs/2107.07511, section 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

# More would only lengthen the file: neighbours then differ by a quarter of a percent of the rows.
MOST_STORED: Final = 400
# With fewer rows the promise is empty: even 90% would need nearly every label.
LEAST_ROWS: Final = 30
_DIGITS: Final = 10_000


@dataclass(frozen=True, slots=True)
class CalibrationScores:
    """How improbable the right label of one task was on one calibration set.

    Attributes:
        rows: How many quotes the scores come from.
        scores: Order statistics of one minus the probability of the right label, ascending, the
            greatest last: all of them, or ``MOST_STORED`` at even ranks.
    """

    rows: int
    scores: tuple[float, ...]

    @classmethod
    def of(cls, probabilities_of_right: Iterable[float]) -> CalibrationScores | None:
        """Makes the scores of a calibration set.

        Args:
            probabilities_of_right: The probability that each quote's right label got, in 0..1.

        Returns:
            The scores, or None for fewer than ``LEAST_ROWS`` rows.
        """
        ordered = sorted(1.0 - probability for probability in probabilities_of_right)
        rows = len(ordered)
        if rows < LEAST_ROWS:
            return None
        kept = min(rows, MOST_STORED)
        # Rounded up, and read at the next stored rank: either only makes a set larger.
        scores = (ordered[_rank(place, kept, rows) - 1] for place in range(1, kept + 1))
        return cls(rows, tuple(min(1.0, math.ceil(score * _DIGITS) / _DIGITS) for score in scores))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CalibrationScores:
        """Reads what ``to_dict`` wrote.

        Raises:
            KeyError: A key is missing.
            TypeError: A value is of the wrong kind.
            ValueError: The scores are not ascending fractions, or not as many as the rows give.
        """
        rows, scores = int(values["rows"]), tuple(float(score) for score in values["scores"])
        if len(scores) != min(rows, MOST_STORED) or rows < LEAST_ROWS:
            raise ValueError(f"{len(scores)} calibration scores do not belong to {rows} rows")
        if list(scores) != sorted(scores) or not 0 <= scores[0] <= scores[-1] <= 1:
            raise ValueError("calibration scores must be ascending fractions")
        return cls(rows, scores)

    def to_dict(self) -> dict[str, Any]:
        """Returns the scores as JSON-ready values."""
        return {"rows": self.rows, "scores": list(self.scores)}

    def threshold(self, coverage: float) -> float:
        """Returns the score up to which a label belongs to a set; 2.0 where every label does.

        Args:
            coverage: A fraction between 0 and 1.

        Raises:
            TypeError: ``coverage`` is no number.
            ValueError: It is not between 0 and 1.
        """
        check_coverage(coverage)
        rank = math.ceil((self.rows + 1) * coverage - 1e-9)
        if rank > self.rows:
            # So few rows promise nothing less than all labels.
            return 2.0
        # The first stored score whose rank is not below the wanted one.
        return self.scores[(rank - 1) * len(self.scores) // self.rows]


@dataclass(frozen=True, slots=True)
class LabelSets:
    """Makes the label sets of one task.

    Attributes:
        groups: The scores of each calibration set by its name; at least one.
    """

    groups: Mapping[str, CalibrationScores]

    @classmethod
    def of(cls, probabilities_of_right: Mapping[str, Iterable[float]]) -> LabelSets | None:
        """Makes them from calibration sets.

        Args:
            probabilities_of_right: Name of a set to the probability that each of its quotes' right
                label got, in 0..1.

        Returns:
            The label sets, without groups of fewer than ``LEAST_ROWS`` rows; None if none is left.
        """
        found = {
            name: scores
            for name, values in probabilities_of_right.items()
            if (scores := CalibrationScores.of(values)) is not None
        }
        return cls(found) if found else None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> LabelSets:
        """Reads what ``to_dict`` wrote; raises as ``CalibrationScores.from_dict`` does."""
        groups = {str(name): CalibrationScores.from_dict(group) for name, group in values.items()}
        if not groups:
            raise ValueError("calibration scores need at least one group")
        return cls(groups)

    def to_dict(self) -> dict[str, Any]:
        """Returns the groups as JSON-ready values."""
        return {name: scores.to_dict() for name, scores in self.groups.items()}

    def label_set(self, probabilities: Mapping[str, float], coverage: float) -> tuple[str, ...]:
        """Returns the labels of a set, the most probable first, never none.

        Args:
            probabilities: Label to probability.
            coverage: The share of quotes whose set is to hold the right label, between 0 and 1.

        Raises:
            TypeError: ``coverage`` is no number.
            ValueError: It is not between 0 and 1.
        """
        limit = max(scores.threshold(coverage) for scores in self.groups.values())
        # sorted() is stable: labels of equal probability stay in label order.
        ranked = sorted(probabilities, key=lambda label: -probabilities[label])
        kept = [label for label in ranked if 1.0 - probabilities[label] <= limit + 1e-9]
        return tuple(kept or ranked[:1])


def check_coverage(coverage: Any) -> None:
    """Checks a coverage.

    Raises:
        TypeError: It is no number.
        ValueError: It is not between 0 and 1.
    """
    if isinstance(coverage, bool) or not isinstance(coverage, int | float):
        raise TypeError(f"coverage must be a number, not {type(coverage).__name__}")
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must be between 0 and 1, such as 0.9, not {coverage!r}")


def _rank(place: int, stored: int, rows: int) -> int:
    """Returns the rank among ``rows`` scores of the one stored at ``place``, both from 1."""
    return -(-place * rows // stored)
