"""What the page shows of a suite: plain data for the templates, made from ``results.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from stance.evaluation import plots
from stance.evaluation.report_text import (
    CEILING_METRICS,
    Notes,
    ceiling_cells,
    figure_cell,
    figure_text,
    worst_sentence,
)
from stance.evaluation.schema import (
    HEADS,
    METRICS,
    HeadReport,
    MetricValue,
    Sample,
    SuiteReport,
    primary,
)

#: The columns of the table of systems, by head.
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "stance": (
        "accuracy",
        "macro_f1",
        "three_way_accuracy",
        "mcc",
        "kappa",
        "accuracy_at_70",
        "aurc",
        "ece",
        "ece_chance",
        "ece_adaptive",
        "brier",
        "log_loss",
    ),
    "sentiment": (
        "accuracy",
        "macro_f1",
        "mcc",
        "kappa",
        "accuracy_at_70",
        "aurc",
        "ece",
        "ece_chance",
        "ece_adaptive",
        "brier",
        "log_loss",
    ),
}
#: The same for the suite that asks only what confidence is worth.
CONFIDENCE_COLUMNS: Final = (
    "accuracy",
    "ece",
    "ece_chance",
    "ece_adaptive",
    "brier",
    "log_loss",
    "accuracy_at_70",
    "aurc",
)
#: The suite that shows what confidence is worth; others leave it out on the same data.
CONFIDENCE_SUITE: Final = "calibration"


def suite_view(suite: SuiteReport, covered: frozenset[str]) -> dict[str, Any]:
    """Returns what the template shows of one suite.

    Args:
        suite: The suite.
        covered: Hashes of the data whose confidence the suite ``calibration`` shows.
    """
    model = suite["systems"][0]
    is_brief = suite["name"] == CONFIDENCE_SUITE
    is_covered = not is_brief and {part["sha256"] for part in suite["data"]} <= covered
    heads = [
        _head_view(suite, head, is_brief=is_brief, with_confidence=not is_covered)
        for head in HEADS
        if head in model["heads"]
    ]
    fractions = {
        key: value
        for key, value in model["metrics"].items()
        if METRICS[key].is_fraction and not _is_part(key, model["metrics"])
    }
    absent: dict[str, list[str]] = {}
    for key, value in model["metrics"].items():
        if value["value"] is None:
            absent.setdefault(value["reason"] or "not measured", []).append(METRICS[key].title)
    if all(value["value"] is None for value in fractions.values()):
        fractions = {}
    return {
        "suite": suite,
        "id": "suite-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in suite["key"]),
        "primary": primary(suite, model),
        "info": METRICS[suite["primary_metric"]],
        "primary_name": metric_name(suite),
        "systems": plots.systems_figure(suite),
        "heads": heads,
        "is_brief": is_brief,
        "whole": plots.metrics_figure(fractions, suite["title"]) if len(fractions) > 1 else None,
        "whole_keys": list(fractions) if len(fractions) > 1 else [],
        "others": _others(suite),
        "absent": [f"{', '.join(names)}: undefined, {why}." for why, names in absent.items()],
        "agreed": agreed_text(suite),
    }


def _is_part(key: str, metrics: dict[str, MetricValue]) -> bool:
    """Whether a metric is the precision or recall of an F1 that is shown."""
    stem, _, part = key.rpartition("_")
    return part in ("precision", "recall") and f"{stem}_f1" in metrics


def _others(suite: SuiteReport) -> dict[str, Any] | None:
    """Returns the table of figures that are no fractions, one column a system, or None."""
    keys = [
        key
        for key, value in suite["systems"][0]["metrics"].items()
        if not METRICS[key].is_fraction and value["value"] is not None
    ]
    systems = [
        system for system in suite["systems"] if any(key in system["metrics"] for key in keys)
    ]
    if not keys:
        return None
    notes = Notes()
    rows = []
    for key in keys:
        cells = [
            figure_cell(key, system["metrics"][key], notes) if key in system["metrics"] else None
            for system in systems
        ]
        rows.append({"key": key, "info": METRICS[key], "cells": cells})
    # "no sample of quotes" under every time would say the same thing many times over.
    for row in rows:
        for cell in row["cells"]:
            if cell is not None and cell["text"] != "undef.":
                cell["letter"] = ""
    reasons = [(letter, reason) for letter, reason in notes.items() if "no interval" not in reason]
    return {"systems": systems, "rows": rows, "notes": reasons}


def _head_view(
    suite: SuiteReport, head: str, *, is_brief: bool, with_confidence: bool
) -> dict[str, Any]:
    report = suite["systems"][0]["heads"][head]
    curves = [
        (
            system["title"],
            "model" if system["kind"] == "model" else "baseline",
            system["heads"][head],
        )
        for system in suite["systems"]
        if head in system["heads"] and system["name"] in ("model", "tfidf")
    ]
    fields = list(dict.fromkeys(part["field"] for part in suite["slices"]))
    overall = report["metrics"]["accuracy"]
    slices = [
        (field, figure)
        for field in fields
        if (figure := plots.slices_figure(suite["slices"], head, field, overall)) is not None
    ]
    small = sum(part["head"] == head and part["n"] < plots.LEAST_SLICE for part in suite["slices"])
    return {
        "name": head,
        "report": report,
        "table": _table(suite, head, CONFIDENCE_COLUMNS if is_brief else COLUMNS[head]),
        "differences": [part for part in suite["differences"] if part["head"] == head],
        "confusion": plots.confusion_figure(report, head),
        "classes": plots.classes_figure(report, head),
        "reliability": plots.reliability_figure(report) if with_confidence else None,
        "coverage": plots.coverage_figure(curves) if with_confidence else None,
        "slices": slices,
        "worst": worst_sentence(suite["slices"], head, overall),
        "small_slices": small,
    }


def _table(suite: SuiteReport, head: str, columns: Sequence[str]) -> dict[str, Any]:
    """Returns the table of systems: cells with text, interval and the letter of their reason.

    The last row is that of the annotators, where their agreement is known.
    """
    notes = Notes()
    rows: list[dict[str, Any]] = []
    for system in suite["systems"]:
        report: HeadReport | None = system["heads"].get(head)
        if report is None:
            reason = system["reason"] or system["head_reasons"].get(head) or "not measured"
            rows.append({"system": system, "cells": None, "reason": reason})
            continue
        cells = [figure_cell(key, report["metrics"].get(key), notes) for key in columns]
        rows.append({"system": system, "cells": cells, "reason": None})
    ceiling = suite["ceilings"].get(head)
    return {
        "columns": [(key, METRICS[key]) for key in columns],
        "rows": rows,
        "ceiling": ceiling_cells(ceiling, columns) if ceiling else None,
        "ceiling_about": ceiling["about"] if ceiling else "",
        "notes": list(notes.items()),
    }


def sample_view(sample: Sample) -> dict[str, Any]:
    """Returns a sample as the page's script reads it."""
    probabilities = sample["probabilities"]
    return {
        "s": sample["suite"],
        "i": sample["id"],
        "t": sample["text"],
        "c": sample["context"],
        "h": sample["sha256"],
        "g": sample["gold"],
        "p": sample["predicted"],
        "q": {
            head: round(values.get(sample["predicted"].get(head, ""), 0.0), 3)
            for head, values in probabilities.items()
        },
        "k": sample["tags"],
    }


def metric_name(suite: SuiteReport) -> str:
    """Returns the primary metric in words for the middle of a sentence: "stance macro-F1"."""
    title = METRICS[suite["primary_metric"]].title
    # Names such as MCC and F1 keep their letters.
    title = title if title[:2].isupper() else title[:1].lower() + title[1:]
    return f"{suite['primary_head']} {title}" if suite["primary_head"] else title


def agreed_text(suite: SuiteReport) -> str | None:
    """Returns the annotators' figure of the primary metric, where it is known."""
    ceiling = suite["ceilings"].get(suite["primary_head"] or "")
    key = suite["primary_metric"]
    if ceiling is None or key not in CEILING_METRICS:
        return None
    value = ceiling[key]  # type: ignore[literal-required]
    return None if value is None else figure_text(key, value)
