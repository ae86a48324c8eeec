"""Measuring the model and the baselines on labelled rows: the work that most suites share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from stance.evaluation import bootstrap
from stance.evaluation.baselines import Answers, Baseline
from stance.evaluation.metrics import HeadData, Measured, measure
from stance.evaluation.provenance import shown_path
from stance.evaluation.rows import LONGEST_NAME, RowSet
from stance.evaluation.schema import (
    HEADS,
    DataFile,
    Difference,
    Sample,
    SuiteReport,
    SystemReport,
)
from stance.evaluation.slices import slice_reports
from stance.types import Prediction

#: Differences between model and baselines are given for these metrics.
COMPARED: Final = ("accuracy", "macro_f1")


class Classifier(Protocol):
    """Anything that labels quotes as ``stance.StanceClassifier`` does."""

    def classify(self, texts: list[str], *, context: list[str]) -> list[Prediction]:
        """Returns one prediction a text, in order; a context may be empty."""
        ...


class ModelError(RuntimeError):
    """The model's answers cannot be measured; the message says what is wrong with them."""


@dataclass(frozen=True)
class Setting:
    """What every suite needs for a run.

    Attributes:
        model: The model to measure.
        root: The repository, where data and seeds stand.
        baselines: Each ready to label, or with the reason why it is not.
        data_files: Files named with ``--data``.
        references: Labels by hash of the text for those files, or None to take their own.
        seed: Seed of the resamples.
        repeats: Number of resamples.
        include_text: Whether texts of ``data_files`` may be written into reports.
        training: The rows the baselines learned from, or None.
        model_files: SHA-256 to name of the files the model says it was trained on.
    """

    model: Classifier
    root: Path
    baselines: Sequence[tuple[Baseline, str | None]] = ()
    data_files: tuple[Path, ...] = ()
    references: dict[str, dict[str, Any]] | None = None
    seed: int = 0
    repeats: int = 2000
    include_text: bool = False
    training: RowSet | None = None
    model_files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The report of one suite on one data set, with its samples in row order."""

    report: SuiteReport
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Subject:
    """Which suite a report is for, as its fields say in ``SuiteReport``."""

    name: str
    title: str
    key: str
    about: str
    primary_metric: str
    primary_head: str | None


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


@dataclass(frozen=True, slots=True)
class SystemRun:
    """A system's answers on the rows of a suite: label ids and probabilities, or why none."""

    report: SystemReport
    answers: dict[str, Answers]
    measured: dict[str, Measured]


def evaluate_rows(
    rows: RowSet, setting: Setting, subject: Subject, *, is_ours: bool, group_field: str = ""
) -> tuple[Outcome, list[SystemRun], bootstrap.Resamples]:
    """Measures the model and every baseline on labelled rows.

    Args:
        rows: The rows with their gold labels.
        setting: The run.
        subject: The suite's names.
        is_ours: Whether the texts are the project's own and may stand in reports.
        group_field: The field that groups the rows, where it is not the usual one.

    Returns:
        The outcome, the systems' answers (the model first), and the resamples, for suites that add
        figures of their own.
    """
    started = time.perf_counter()
    resamples = bootstrap.draw(
        len(rows.rows),
        groups=rows.groups(*([group_field] if group_field else [])),
        repeats=setting.repeats,
        seed=setting.seed,
    )
    runs = [_run_model(rows, setting, resamples)]
    runs += [
        _run_baseline(baseline, reason, rows, resamples) for baseline, reason in setting.baselines
    ]
    warnings = [*rows.warnings, *_leaks(rows, setting)]
    slices = slice_reports(rows, runs[0].answers, resamples, warnings)
    report: SuiteReport = {
        "name": subject.name,
        "title": subject.title,
        "key": subject.key,
        "about": subject.about,
        "status": "done",
        "reason": None,
        "primary_metric": subject.primary_metric,
        "primary_head": subject.primary_head,
        "data": data_files(rows, setting.root),
        "rows": len(rows.rows),
        "label_counts": rows.counts(),
        "resampling": resamples.about,
        "warnings": warnings,
        "systems": [run.report for run in runs],
        "differences": _differences(runs),
        "slices": slices,
        "seconds": time.perf_counter() - started,
    }
    samples = _samples(rows, runs, subject.key, with_text=is_ours or setting.include_text)
    return Outcome(report, samples), runs, resamples


def data_files(rows: RowSet, root: Path) -> list[DataFile]:
    """Returns the files of the rows as results.json names them."""
    return [
        {"file": shown_path(path, root), "sha256": digest, "rows": count}
        for path, digest, count in rows.files
    ]


def _run_model(rows: RowSet, setting: Setting, resamples: bootstrap.Resamples) -> SystemRun:
    # The first call loads the model; its time is not the model's speed.
    ask(setting.model, [rows.rows[0].text], [rows.rows[0].context])
    started = time.perf_counter()
    answers = ask(
        setting.model, [row.text for row in rows.rows], [row.context for row in rows.rows]
    )
    seconds = time.perf_counter() - started
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
            "quotes_per_second": len(rows.rows) / seconds if seconds > 0 else None,
        },
        answers,
        measured,
    )


def _run_baseline(
    baseline: Baseline, reason: str | None, rows: RowSet, resamples: bootstrap.Resamples
) -> SystemRun:
    answers: dict[str, Answers] = {}
    head_reasons: dict[str, str] = {}
    seconds = None
    if reason is None:
        started = time.perf_counter()
        for head, given in baseline.label([row.text for row in rows.rows]).items():
            if isinstance(given, str):
                head_reasons[head] = given
            else:
                answers[head] = given
        seconds = time.perf_counter() - started
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


def _measure(
    rows: RowSet, answers: dict[str, Answers], resamples: bootstrap.Resamples
) -> dict[str, Measured]:
    measured = {}
    for head, given in answers.items():
        labels = HEADS[head]
        gold = np.array([labels.index(row.labels[head]) for row in rows.rows], dtype=np.int64)
        taken = None
        if head == "stance":
            taken = tuple(index for index, name in enumerate(labels) if name != "neutral")
        data = HeadData(labels, gold, given.predicted, given.probabilities, taken)
        measured[head] = measure(data, resamples)
    return measured


def _differences(runs: list[SystemRun]) -> list[Difference]:
    model = runs[0]
    found: list[Difference] = []
    for run in runs[1:]:
        for head, theirs in run.measured.items():
            ours = model.measured[head]
            for metric in COMPARED:
                empty = np.empty(0)
                value = bootstrap.difference(
                    ours.report["metrics"][metric],
                    theirs.report["metrics"][metric],
                    ours.resampled.get(metric, empty),
                    theirs.resampled.get(metric, empty),
                )
                found.append(
                    {
                        "baseline": run.report["name"],
                        "head": head,
                        "metric": metric,
                        "difference": value,
                    }
                )
    return found


def _leaks(rows: RowSet, setting: Setting) -> list[str]:
    """Returns warnings about rows that some system may have learned from."""
    warnings = []
    for path, digest, _ in rows.files:
        if digest in setting.model_files:
            name = setting.model_files[digest]
            warnings.append(
                f"{path.name} is one of the files this model was trained on ({name}): the figures "
                "say nothing about new quotes"
            )
    if setting.training is not None:
        known = {_plain(row.text) for row in setting.training.rows}
        shared = sum(_plain(row.text) in known for row in rows.rows)
        if shared:
            warnings.append(f"{shared} of {len(rows.rows)} texts also stand in the training rows")
        situations = {row.fields.get("situation") for row in setting.training.rows} - {None, ""}
        common = sum(row.fields.get("situation") in situations for row in rows.rows)
        if common:
            warnings.append(f"{common} of {len(rows.rows)} rows share a situation with training")
    return warnings


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _samples(rows: RowSet, runs: list[SystemRun], key: str, *, with_text: bool) -> list[Sample]:
    model = runs[0]
    samples: list[Sample] = []
    for position, row in enumerate(rows.rows):
        answers = {run.report["name"]: _labels_at(run.answers, position) for run in runs}
        group = next((row.fields.get(name) for name in ("group", "situation", "article")), None)
        samples.append(
            {
                "suite": key,
                # An id longer than a name may hold the text itself.
                "id": row.id if with_text or len(row.id) <= LONGEST_NAME else row.sha256[:16],
                "sha256": row.sha256,
                "text": row.text if with_text else None,
                "context": row.context if with_text else None,
                "tags": list(row.tags) if with_text else [],
                "group": group if with_text and isinstance(group, str) else None,
                "gold": dict(row.labels),
                "predicted": answers.pop("model"),
                "probabilities": {
                    head: {
                        name: round(float(value), 6)
                        for name, value in zip(
                            HEADS[head], given.probabilities[position], strict=True
                        )
                    }
                    for head, given in model.answers.items()
                    if given.probabilities is not None
                },
                "baselines": {name: labels for name, labels in answers.items() if labels},
            }
        )
    return samples


def _labels_at(answers: dict[str, Answers], position: int) -> dict[str, str]:
    return {head: HEADS[head][int(given.predicted[position])] for head, given in answers.items()}
