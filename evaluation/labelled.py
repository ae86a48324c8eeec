"""Measuring the model and the baselines on labelled rows: the work that most suites share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from stance.evaluation import bootstrap
from stance.evaluation.agreement import ceilings
from stance.evaluation.baselines import Answers, Baseline
from stance.evaluation.paired import bootstrap_p, mcnemar
from stance.evaluation.provenance import shown_path
from stance.evaluation.rows import LONGEST_NAME, Row, RowSet
from stance.evaluation.schema import (
    HEADS,
    DataFile,
    Difference,
    Sample,
    SuiteReport,
)
from stance.evaluation.slices import slice_reports
from stance.evaluation.stored import StoredReport
from stance.evaluation.systems import Classifier, SystemRun, run_baseline, run_model, run_previous
from stance.references import text_sha256

#: Differences between model and baselines are given for these metrics.
COMPARED: Final = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class Setting:
    """What every suite needs for a run.

    Attributes:
        model: The model to measure.
        root: The repository, where data and seeds stand.
        baselines: Each ready to label, or with the reason why it is not.
        data_files: Files named with ``--data``.
        article_files: Files named with ``--articles``.
        references: Labels by hash of the text for those files, or None to take their own.
        seed: Seed of the resamples.
        repeats: Number of resamples.
        include_text: Whether texts of ``data_files`` may be written into reports.
        training: The rows the baselines learned from, or None.
        authored_texts: The texts of every authored training file, as ``plain_text`` gives them.
        previous: The newest committed report of other weights, or None.
        model_directory: Where the model was loaded from, or None for one without a folder.
        model_files: SHA-256 to name of the files the model says it was trained on.
    """

    model: Classifier
    root: Path
    baselines: Sequence[tuple[Baseline, str | None]] = ()
    data_files: tuple[Path, ...] = ()
    article_files: tuple[Path, ...] = ()
    references: dict[str, dict[str, Any]] | None = None
    seed: int = 0
    repeats: int = 2000
    include_text: bool = False
    training: RowSet | None = None
    authored_texts: frozenset[str] = frozenset()
    previous: StoredReport | None = None
    model_directory: Path | None = None
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

    def report(self) -> SuiteReport:
        """Returns a report with nothing measured in it yet."""
        return {
            "name": self.name,
            "title": self.title,
            "key": self.key,
            "about": self.about,
            "status": "done",
            "reason": None,
            "primary_metric": self.primary_metric,
            "primary_head": self.primary_head,
            "data": [],
            "rows": 0,
            "label_counts": {},
            "ceilings": {},
            "resampling": "",
            "warnings": [],
            "systems": [],
            "differences": [],
            "slices": [],
            "seconds": 0.0,
        }


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
    runs = [run_model(setting.model, rows, resamples)]
    runs += [
        run_baseline(baseline, reason, rows, resamples) for baseline, reason in setting.baselines
    ]
    before = run_previous(setting.previous, rows, subject.key, resamples)
    if before is not None:
        runs.append(before)
    warnings = [*rows.warnings, *_leaks(rows, setting)]
    slices = slice_reports(rows, runs[0].answers, resamples, warnings)
    report: SuiteReport = {
        **subject.report(),
        "data": data_files(rows, setting.root),
        "rows": len(rows.rows),
        "label_counts": rows.counts(),
        "ceilings": ceilings(subject.name, rows, setting.root),
        "resampling": resamples.about,
        "warnings": warnings,
        "systems": [run.report for run in runs],
        "differences": _differences(runs),
        "slices": slices,
        "seconds": time.perf_counter() - started,
    }
    grouped = rows.groups(*([group_field] if group_field else []))
    groups = grouped[1] if grouped is not None else None
    samples = _samples(rows, runs, subject.key, groups, with_text=is_ours or setting.include_text)
    return Outcome(report, samples), runs, resamples


def data_files(rows: RowSet, root: Path) -> list[DataFile]:
    """Returns the files of the rows as results.json names them."""
    return [
        {"file": shown_path(path, root), "sha256": digest, "rows": count}
        for path, digest, count in rows.files
    ]


def _differences(runs: list[SystemRun]) -> list[Difference]:
    model = runs[0]
    found: list[Difference] = []
    for run in runs[1:]:
        for head, theirs in run.measured.items():
            ours = model.measured[head]
            for metric in COMPARED:
                empty = np.empty(0)
                our_values = ours.resampled.get(metric, empty)
                their_values = theirs.resampled.get(metric, empty)
                value = bootstrap.difference(
                    ours.report["metrics"][metric],
                    theirs.report["metrics"][metric],
                    our_values,
                    their_values,
                )
                p_value, test = bootstrap_p(our_values - their_values), "paired bootstrap"
                if metric == "accuracy":
                    p_value, test = mcnemar(ours.is_correct, theirs.is_correct), "McNemar, exact"
                found.append(
                    {
                        "baseline": run.report["name"],
                        "head": head,
                        "metric": metric,
                        "difference": value,
                        "p_value": p_value if value["value"] is not None else None,
                        "test": test,
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
    shared = sum(plain_text(row.text) in setting.authored_texts for row in rows.rows)
    if shared:
        warnings.append(f"{shared} of {len(rows.rows)} texts also stand in the training rows")
    if setting.training is not None:
        situations = {row.fields.get("situation") for row in setting.training.rows} - {None, ""}
        common = sum(row.fields.get("situation") in situations for row in rows.rows)
        if common:
            warnings.append(f"{common} of {len(rows.rows)} rows share a situation with training")
    return warnings


def plain_text(text: str) -> str:
    """Returns a text by which two are the same: letter case and white space do not count."""
    return " ".join(text.casefold().split())


def _samples(
    rows: RowSet, runs: list[SystemRun], key: str, groups: list[str] | None, *, with_text: bool
) -> list[Sample]:
    model = runs[0]
    samples: list[Sample] = []
    for position, row in enumerate(rows.rows):
        answers = {run.report["name"]: _labels_at(run.answers, position) for run in runs}
        group = groups[position] if groups is not None else None
        if group is not None and not with_text:  # a name may tell what the text is
            group = text_sha256(group)[:16]
        samples.append(
            {
                "suite": key,
                "id": _sample_id(row, with_text=with_text),
                "sha256": row.sha256,
                "text": row.text if with_text else None,
                "context": row.context if with_text else None,
                "tags": list(row.tags) if with_text else [],
                "group": group,
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


def _sample_id(row: Row, *, with_text: bool) -> str:
    # An id longer than a name may hold the text itself.
    return row.id if with_text or len(row.id) <= LONGEST_NAME else row.sha256[:16]


def _labels_at(answers: dict[str, Answers], position: int) -> dict[str, str]:
    return {head: HEADS[head][int(given.predicted[position])] for head, given in answers.items()}
