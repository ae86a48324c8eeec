"""The systems that are measured: the model, a baseline or a stored report, and their answers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stance.evaluation.baselines import Answers, Baseline
from stance.evaluation.bootstrap import Resamples
from stance.evaluation.metrics import HeadData, Measured, measure, taken_of
from stance.evaluation.rows import RowSet
from stance.evaluation.schema import HEADS, SystemReport
from stance.evaluation.stored import StoredReport, stored_answers
from stance.types import Prediction


class Classifier(Protocol):
    """Anything that labels quotes as ``stance.StanceClassifier`` does."""

    def classify(self, texts: list[str], *, context: list[str]) -> list[Prediction]:
        """Returns one prediction a text, in order; a context may be empty."""
        ...


class ModelError(RuntimeError):
    """The model's answers cannot be measured; the message says what is wrong with them."""


class Remembering:
    """A model that labels no quote twice: several suites read the same ones."""

    def __init__(self, model: Classifier) -> None:
        self.model = model
        self._known: dict[tuple[str, str], Prediction] = {}

    def unknown(self, texts: list[str], contexts: list[str]) -> list[tuple[str, str]]:
        """Returns each quote that was not labelled yet with its context, once and in order."""
        keys = dict.fromkeys(zip(texts, contexts, strict=True))
        return [key for key in keys if key not in self._known]

    def classify(self, texts: list[str], *, context: list[str]) -> list[Prediction]:
        """Returns one prediction a text, in order.

        Raises:
            ModelError: The model gave another number of answers than it was asked for.
        """
        new = self.unknown(texts, context)
        if new:
            answers = list(
                self.model.classify([key[0] for key in new], context=[key[1] for key in new])
            )
            if len(answers) != len(new):
                raise ModelError(f"the model gave {len(answers)} answers to {len(new)} quotes")
            self._known.update(zip(new, answers, strict=True))
        return [self._known[key] for key in zip(texts, context, strict=True)]


@dataclass(frozen=True, slots=True)
class SystemRun:
    """A system's answers on the rows of a suite: label ids and probabilities, or why none."""

    report: SystemReport
    answers: dict[str, Answers]
    measured: dict[str, Measured]


def ask(model: Classifier, texts: list[str], contexts: list[str]) -> dict[str, Answers]:
    """Returns the model's answers on each head.

    Raises:
        ModelError: The number of answers, a label or a probability is not what it must be.
    """
    predictions = list(model.classify(texts, context=contexts))
    if len(predictions) != len(texts):
        raise ModelError(f"the model gave {len(predictions)} answers to {len(texts)} quotes")
    answers = {}
    for head, labels in HEADS.items():
        predicted = np.zeros(len(texts), dtype=np.int64)
        probabilities = np.zeros((len(texts), len(labels)))
        for position, prediction in enumerate(predictions):
            label = getattr(prediction, head)
            given = getattr(prediction, f"{head}_probabilities")
            if label not in labels or set(given) != set(labels):
                raise ModelError(
                    f"answer {position}: the {head} {label!r} with probabilities for "
                    f"{sorted(given)} does not fit the labels {', '.join(labels)}"
                )
            predicted[position] = labels.index(label)
            probabilities[position] = [given[name] for name in labels]
        total = probabilities.sum(axis=1)
        if not np.isfinite(probabilities).all() or (probabilities < 0).any():
            raise ModelError(f"a {head} probability is negative or not a number")
        off = np.flatnonzero(np.abs(total - 1) > 1e-3)
        if len(off):
            raise ModelError(f"answer {off[0]}: the {head} probabilities sum to {total[off[0]]}")
        # float32 rounding is taken out, so that losses need no tolerance.
        answers[head] = Answers(predicted, probabilities / total[:, None])
    return answers


def run_model(model: Classifier, rows: RowSet, resamples: Resamples) -> SystemRun:
    """Returns the answers of the model under test, timed where quotes are new to it."""
    texts = [row.text for row in rows.rows]
    contexts = [row.context for row in rows.rows]
    if not isinstance(model, Remembering):
        model = Remembering(model)
    # The first call loads the model; its time is not the model's speed.
    new = model.unknown(texts, contexts)
    if new:
        model.classify([new[0][0]], context=[new[0][1]])
    started = time.perf_counter()
    answers = ask(model, texts, contexts)
    # What was labelled before takes no time, so only the rest says how fast the model is.
    seconds = time.perf_counter() - started if len(new) > 1 else None
    measured = _measure(rows, answers, resamples)
    return SystemRun(
        {
            "name": "model",
            "title": "stance",
            "kind": "model",
            "status": "done",
            "reason": None,
            "note": "the model under test; reads the quote with its context",
            "heads": {head: part.report for head, part in measured.items()},
            "head_reasons": {},
            "metrics": {},
            "seconds": seconds,
            "quotes_per_second": (len(new) - 1) / seconds if seconds else None,
        },
        answers,
        measured,
    )


def run_baseline(
    baseline: Baseline, reason: str | None, rows: RowSet, resamples: Resamples
) -> SystemRun:
    """Returns a baseline's answers, or why it has none: ``reason``, where it is not None."""
    answers: dict[str, Answers] = {}
    head_reasons: dict[str, str] = {}
    seconds = None
    if reason is None:
        texts = [row.text for row in rows.rows]
        is_known = baseline.knows_any(texts)
        started = time.perf_counter()
        for head, given in baseline.label(texts).items():
            if isinstance(given, str):
                head_reasons[head] = given
            else:
                answers[head] = given
        seconds = None if is_known else time.perf_counter() - started
    measured = _measure(rows, answers, resamples)
    return SystemRun(
        {
            "name": baseline.name,
            "title": baseline.title,
            "kind": "baseline",
            "status": "done" if reason is None else "skipped",
            "reason": reason,
            "note": baseline.note,
            "heads": {head: part.report for head, part in measured.items()},
            "head_reasons": head_reasons,
            "metrics": {},
            "seconds": seconds,
            "quotes_per_second": len(rows.rows) / seconds if seconds else None,
        },
        answers,
        measured,
    )


def run_previous(
    previous: StoredReport | None, rows: RowSet, key: str, resamples: Resamples
) -> SystemRun | None:
    """Returns the answers that the previous report holds for these rows, or None without one."""
    if previous is None or key not in previous.suites():
        return None
    stored = previous.samples.get(key, {})
    suite = previous.suites()[key]
    version = previous.results["version"]
    found = []
    for row in rows.rows:
        sample = next((stored[name] for name in (row.id, row.sha256[:16]) if name in stored), None)
        if sample is not None and sample["sha256"] == row.sha256:
            found.append(sample)
    reason = None
    if len(found) < len(rows.rows):
        reason = f"its samples hold {len(found)} of these {len(rows.rows)} quotes"
    answers = {}
    if reason is None:
        answers = {head: one for head in HEADS if (one := stored_answers(found, head)) is not None}
    measured = _measure(rows, answers, resamples)
    return SystemRun(
        {
            "name": "previous",
            "title": f"Report {version}",
            "kind": "previous",
            "status": "done" if reason is None else "skipped",
            "reason": reason,
            "note": "the newest committed report of other weights, from its samples.jsonl",
            "heads": {head: part.report for head, part in measured.items()},
            "head_reasons": {
                head: "not in its samples"
                for head in HEADS
                if reason is None and head not in answers
            },
            "metrics": dict(suite["systems"][0]["metrics"]) if reason is None else {},
            "seconds": None,
            "quotes_per_second": None,
        },
        answers,
        measured,
    )


def _measure(
    rows: RowSet, answers: dict[str, Answers], resamples: Resamples
) -> dict[str, Measured]:
    measured = {}
    for head, given in answers.items():
        labels = HEADS[head]
        gold = np.array([labels.index(row.labels[head]) for row in rows.rows], dtype=np.int64)
        data = HeadData(labels, gold, given.predicted, given.probabilities, taken_of(head))
        measured[head] = measure(data, resamples)
    return measured
