"""Metrics of one head: point values by scikit-learn, intervals from weighted confusion matrices.

Calling scikit-learn on each of 2,000 resamples takes minutes; the same figures from one weighted
confusion matrix a resample take a second. Tests hold the two ways equal. What has no value (a label
that never occurs, a system without probabilities) is None with its reason.

Sources: Matthews correlation for many classes, Gorodkin (2004),
https://doi.org/10.1016/j.compbiolchem.2004.09.006; Cohen (1960), https://doi.org/10.1177/001316446002000104;
Brier (1950), https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

from stance.evaluation import calibration
from stance.evaluation.bootstrap import FloatArray, IntArray, Resamples, with_interval
from stance.evaluation.schema import HEADS, ClassReport, HeadReport, MetricValue, undefined

NO_PROBABILITIES: Final = "this system gives no probabilities"
#: Probabilities of exactly 0 are raised to this for the log loss (scikit-learn's own for float64).
SMALLEST: Final = float(np.finfo(np.float64).eps)

Value = tuple[float | None, str | None]


@dataclass(frozen=True, slots=True)
class HeadData:
    """The answers of one system on one head.

    Attributes:
        labels: Names of the classes, in label order.
        gold: ``(n,)``: index of the right label.
        predicted: ``(n,)``: index of the answer.
        probabilities: ``(n, classes)`` rows summing to 1, or None.
        taken: Indices of the labels among which a stance is taken, or None for sentiment.
    """

    labels: tuple[str, ...]
    gold: IntArray
    predicted: IntArray
    probabilities: FloatArray | None
    taken: tuple[int, ...] | None = None

    @property
    def confidence(self) -> FloatArray:
        """``(n,)``: the probability of each answer; call only when there are probabilities."""
        assert self.probabilities is not None
        confidence: FloatArray = self.probabilities[np.arange(len(self.gold)), self.predicted]
        return confidence

    @property
    def is_correct(self) -> FloatArray:
        """``(n,)`` of 0.0 and 1.0."""
        return np.asarray(self.gold == self.predicted, dtype=np.float64)


def taken_of(head: str) -> tuple[int, ...] | None:
    """Returns the indices of the labels that take a stance; None for sentiment."""
    if head != "stance":
        return None
    return tuple(index for index, name in enumerate(HEADS[head]) if name != "neutral")


@dataclass(frozen=True, slots=True)
class Measured:
    """A head's report, and its resampled values for paired differences.

    Attributes:
        report: What goes into ``results.json``.
        resampled: Metric to ``(resamples,)`` values, NaN where undefined.
        is_correct: ``(n,)`` of 0.0 and 1.0, for McNemar's test.
    """

    report: HeadReport
    resampled: dict[str, FloatArray]
    is_correct: FloatArray


def measure(data: HeadData, resamples: Resamples) -> Measured:
    """Returns every metric of one head with its interval."""
    points = point_values(data)
    resampled = resampled_values(data, resamples)
    empty: FloatArray = np.full(len(resamples.counts), np.nan)
    values: dict[str, MetricValue] = {
        key: with_interval(value, reason, resampled.get(key, empty))
        for key, (value, reason) in points.items()
    }
    if data.probabilities is not None:
        # Its interval is the range of the draws, not of resampled quotes.
        chance = calibration.chance_calibration_errors(data.confidence)
        values["ece_chance"] = with_interval(float(chance.mean()), None, chance)
    else:
        values["ece_chance"] = undefined(NO_PROBABILITIES)
    per_class: dict[str, ClassReport] = {}
    for index, label in enumerate(data.labels):
        per_class[label] = {
            "precision": values.pop(f"precision:{label}"),
            "recall": values.pop(f"recall:{label}"),
            "f1": values.pop(f"f1:{label}"),
            "support": int((data.gold == index).sum()),
            "predicted": int((data.predicted == index).sum()),
        }
    has_probabilities = data.probabilities is not None
    report: HeadReport = {
        "n": len(data.gold),
        "labels": list(data.labels),
        "metrics": values,
        "per_class": per_class,
        "confusion": sk.confusion_matrix(
            data.gold, data.predicted, labels=range(len(data.labels))
        ).tolist(),
        "reliability": calibration.reliability_bins(data.confidence, data.is_correct)
        if has_probabilities
        else [],
        "risk_coverage": calibration.coverage_points(data.confidence, data.is_correct)
        if has_probabilities
        else [],
    }
    return Measured(report, resampled, data.is_correct)


def point_values(data: HeadData) -> dict[str, Value]:
    """Returns each metric on the data itself, as (value, None) or (None, reason).

    Per-class metrics have keys such as ``"f1:conditional"``.
    """
    gold, predicted = data.gold, data.predicted
    classes = range(len(data.labels))
    values: dict[str, Value] = {"accuracy": (float(sk.accuracy_score(gold, predicted)), None)}
    precision, recall, f1, support = sk.precision_recall_fscore_support(
        gold, predicted, labels=classes, zero_division=0
    )
    absent = [data.labels[index] for index in classes if support[index] == 0]
    present = [index for index in classes if support[index] > 0]
    values["macro_f1"] = (
        (float(np.mean(f1)), None)
        if not absent
        else (None, f"no row is labelled {_names(absent)}; see macro_f1_present")
    )
    values["macro_f1_present"] = (float(np.mean([f1[index] for index in present])), None)
    values |= _agreement(gold, predicted)
    if data.taken is not None:
        values["three_way_accuracy"] = _three_way(data)
    values |= _probability_values(data)
    for index, label in enumerate(data.labels):
        missing = None if support[index] else f"no row is labelled {label}"
        never = None if (predicted == index).any() else f"{label} is never predicted"
        values[f"precision:{label}"] = (None if never else float(precision[index]), never)
        values[f"recall:{label}"] = (None if missing else float(recall[index]), missing)
        values[f"f1:{label}"] = (None if missing else float(f1[index]), missing)
    return values


def _agreement(gold: IntArray, predicted: IntArray) -> dict[str, Value]:
    if len(np.unique(gold)) == 1:
        reason = "every row has the same label"
        return {"mcc": (None, reason), "kappa": (None, reason)}
    if len(np.unique(predicted)) == 1:
        reason = "every answer is the same label"
        # Kappa has a value here (0: no agreement beyond chance); the correlation is 0/0.
        return {
            "mcc": (None, reason),
            "kappa": (float(sk.cohen_kappa_score(gold, predicted)), None),
        }
    return {
        "mcc": (float(sk.matthews_corrcoef(gold, predicted)), None),
        "kappa": (float(sk.cohen_kappa_score(gold, predicted)), None),
    }


def _three_way(data: HeadData) -> Value:
    is_taken, is_right = _taken_rows(data)
    if not is_taken.any():
        return None, "no row takes a stance"
    if data.probabilities is None:
        return None, NO_PROBABILITIES
    return float(is_right[is_taken].mean()), None


def _taken_rows(data: HeadData) -> tuple[npt.NDArray[np.bool_], FloatArray]:
    """Returns which rows take a stance, and whether the best of the taken stances is right."""
    taken = np.asarray(data.taken)
    is_taken = np.isin(data.gold, taken)
    if data.probabilities is None:
        return is_taken, np.zeros(len(data.gold))
    best = taken[data.probabilities[:, taken].argmax(axis=1)]
    return is_taken, (best == data.gold).astype(np.float64)


def _row_losses(data: HeadData) -> dict[str, FloatArray]:
    """Returns the losses that are means over rows: Brier score and log loss, each ``(n,)``."""
    assert data.probabilities is not None
    one_hot = np.eye(len(data.labels))[data.gold]
    right = data.probabilities[np.arange(len(data.gold)), data.gold]
    return {
        "brier": ((data.probabilities - one_hot) ** 2).sum(axis=1),
        "log_loss": -np.log(np.clip(right, SMALLEST, 1.0)),
    }


def _probability_values(data: HeadData) -> dict[str, Value]:
    keys = ("accuracy_at_70", "aurc", "ece", "ece_adaptive", "brier", "log_loss")
    if data.probabilities is None:
        return dict.fromkeys(keys, (None, NO_PROBABILITIES))
    confidence, is_correct = data.confidence, data.is_correct
    ones = np.ones(len(data.gold))
    at_70, aurc = calibration.SelectiveCurve(confidence, is_correct).summary(ones)
    ece = calibration.expected_calibration_error(confidence, is_correct, ones[None, :])
    losses = {
        "brier": float(_row_losses(data)["brier"].mean()),
        "log_loss": float(
            sk.log_loss(data.gold, data.probabilities, labels=range(len(data.labels)))
        ),
    }
    found = {
        "accuracy_at_70": at_70,
        "aurc": aurc,
        "ece": float(ece[0]),
        "ece_adaptive": calibration.adaptive_calibration_error(confidence, is_correct, ones),
        **losses,
    }
    return {key: (found[key], None) for key in keys}


def resampled_values(data: HeadData, resamples: Resamples) -> dict[str, FloatArray]:
    """Returns each metric on every resample, ``(resamples,)``, NaN where it is undefined."""
    parts: list[dict[str, FloatArray]] = []
    for weights in resamples.chunks():
        part = _from_confusion(data, weights)
        if data.probabilities is not None:
            part |= _from_probabilities(data, weights)
        parts.append(part)
    if not parts:
        return {}
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _from_confusion(data: HeadData, weights: FloatArray) -> dict[str, FloatArray]:
    classes = len(data.labels)
    cells = np.zeros((len(data.gold), classes * classes))
    cells[np.arange(len(data.gold)), data.gold * classes + data.predicted] = 1.0
    matrix = (weights @ cells).reshape(-1, classes, classes)
    total = matrix.sum(axis=(1, 2))
    hits = np.diagonal(matrix, axis1=1, axis2=2)
    support, answers = matrix.sum(axis=2), matrix.sum(axis=1)
    recall, precision = _ratio(hits, support), _ratio(hits, answers)
    f1 = np.where(support > 0, _ratio(2 * hits, support + answers), np.nan)
    right = hits.sum(axis=1)
    chance = (support * answers).sum(axis=1)
    spread = (total**2 - (support**2).sum(axis=1)) * (total**2 - (answers**2).sum(axis=1))
    one_label = (support > 0).sum(axis=1) == 1
    kappa = _ratio(right * total - chance, total**2 - chance)
    counts = (support > 0).sum(axis=1)
    values = {
        "accuracy": right / total,
        "macro_f1": f1.mean(axis=1),
        "macro_f1_present": np.nansum(f1, axis=1) / counts,
        "mcc": _ratio(right * total - chance, np.sqrt(np.maximum(spread, 0))),
        "kappa": np.where(one_label, np.nan, kappa),
    }
    for index, label in enumerate(data.labels):
        values[f"precision:{label}"] = precision[:, index]
        values[f"recall:{label}"] = recall[:, index]
        values[f"f1:{label}"] = f1[:, index]
    return values


def _from_probabilities(data: HeadData, weights: FloatArray) -> dict[str, FloatArray]:
    confidence, is_correct = data.confidence, data.is_correct
    total = weights.sum(axis=1)
    curve = calibration.SelectiveCurve(confidence, is_correct)
    selective = np.array([curve.summary(row) for row in weights])
    order = np.argsort(confidence, kind="stable")
    gaps, ordered = (is_correct - confidence)[order], weights[:, order]
    values = {
        "accuracy_at_70": selective[:, 0],
        "aurc": selective[:, 1],
        "ece": calibration.expected_calibration_error(confidence, is_correct, weights),
        "ece_adaptive": np.array(
            [calibration.adaptive_error_of_sorted(gaps, row) for row in ordered]
        ),
        **{key: weights @ losses / total for key, losses in _row_losses(data).items()},
    }
    if data.taken is not None:
        is_taken, is_right = _taken_rows(data)
        values["three_way_accuracy"] = _ratio(weights @ (is_taken * is_right), weights @ is_taken)
    return values


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    out: FloatArray = np.full(np.broadcast(numerator, denominator).shape, np.nan)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return out


def _names(labels: list[str]) -> str:
    return " or ".join(labels)
