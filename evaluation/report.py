"""Writes a run: results.json, samples.jsonl, report.md and one self-contained report.html."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from stance.evaluation import plots
from stance.evaluation.schema import (
    HEADS,
    METRICS,
    HeadReport,
    MetricValue,
    Results,
    Sample,
    Slice,
    SuiteReport,
    SystemReport,
    primary,
)
from stance.labels import DEFINITIONS, SYMBOLS

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
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
        "ece_adaptive",
        "brier",
        "log_loss",
    ),
}
SHORT_COLUMNS: Final = {
    "stance": ("accuracy", "macro_f1", "three_way_accuracy", "mcc", "ece", "accuracy_at_70"),
    "sentiment": ("accuracy", "macro_f1", "mcc", "ece", "accuracy_at_70"),
}


class Notes:
    """The reasons named under a table, each with a letter."""

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def letter(self, reason: str) -> str:
        """Returns the letter of a reason, a new one the first time: a to z, then aa."""
        if reason not in self._letters:
            index, name = len(self._letters), ""
            while index >= 0:
                name = chr(ord("a") + index % 26) + name
                index = index // 26 - 1
            self._letters[reason] = name
        return self._letters[reason]

    def items(self) -> Iterable[tuple[str, str]]:
        """Returns each letter with its reason, in order."""
        return [(letter, reason) for reason, letter in self._letters.items()]


def write(results: Results, samples: Sequence[Sample], output: Path) -> list[Path]:
    """Writes the four files of a report.

    Args:
        results: The run.
        samples: One a row and suite.
        output: The folder; made when absent, files of the same names are replaced.

    Returns:
        The paths written.

    Raises:
        OSError: The folder cannot be written.
    """
    output.mkdir(parents=True, exist_ok=True)
    files = {
        "results.json": json.dumps(results, indent=1, allow_nan=False) + "\n",
        "samples.jsonl": "".join(_json_line(sample) for sample in samples),
        "report.md": to_markdown(results),
        "report.html": to_html(results, samples),
    }
    paths = []
    for name, text in files.items():
        path = output / name
        # Half of a surrogate pair is legal in JSON and has no UTF-8: it becomes a question mark.
        path.write_bytes(text.encode("utf-8", "replace"))
        paths.append(path)
    return paths


def _json_line(sample: Sample) -> str:
    line = json.dumps(sample, ensure_ascii=False, allow_nan=False)
    # A line separator inside a string would cut the line for some readers.
    return line.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + "\n"


def to_html(results: Results, samples: Sequence[Sample]) -> str:
    """Returns the page: one file, nothing loaded, every text escaped.

    The script is allowed by its hash alone, so that nothing else in the page can run.
    """
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("report.html")
        .render(
            results=results,
            suites=[_suite_view(suite) for suite in results["suites"] if suite["status"] == "done"],
            skipped=[suite for suite in results["suites"] if suite["status"] == "skipped"],
            lead=headline(results),
            samples=[_compact(sample) for sample in samples],
            suite_titles={suite["key"]: suite["title"] for suite in results["suites"]},
            heads=HEADS,
            symbols=SYMBOLS,
            symbol_of=plots.symbol_of,
            definitions=DEFINITIONS,
            metrics=METRICS,
            script=Markup(script),  # our own file; its hash stands in the policy
            script_hash=digest,
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        )
    )


def to_markdown(results: Results) -> str:
    """Returns the short report for a pull request."""
    return (
        _environment()
        .get_template("report.md")
        .render(
            results=results,
            suites=[suite for suite in results["suites"] if suite["status"] == "done"],
            skipped=[suite for suite in results["suites"] if suite["status"] == "skipped"],
            lead=headline(results),
            columns=SHORT_COLUMNS,
            metrics=METRICS,
            notes=Notes,
            primary=primary,
            smallest=plots.LEAST_SLICE,
        )
    )


def headline(results: Results) -> list[str]:
    """Returns one sentence a suite: the primary figure, its interval and the best baseline."""
    sentences = []
    for suite in results["suites"]:
        if suite["status"] != "done":
            continue
        value = primary(suite, suite["systems"][0])
        what = f"{suite['title']} ({suite['rows']:,} quotes): {_metric_name(suite)}"
        if value["value"] is None:
            sentences.append(f"{what} is undefined ({value['reason']}).")
            continue
        sentence = f"{what} {fraction(value['value'])}"
        if value["low"] is not None:
            sentence += f" ({interval(value)})"
        best = _best_baseline(suite)
        if best is not None:
            sentence += f"; best baseline: {best[0]}, {fraction(best[1])}"
        sentences.append(sentence + ".")
    return sentences


def summary(results: Results) -> str:
    """Returns the lines for the terminal."""
    lines = list(headline(results))
    lines += [
        f"{suite['name']}: skipped, {suite['reason']}"
        for suite in results["suites"]
        if suite["status"] == "skipped"
    ]
    return "\n".join(lines)


def _metric_name(suite: SuiteReport) -> str:
    """Returns the primary metric in words for the middle of a sentence: "stance macro-F1"."""
    title = METRICS[suite["primary_metric"]].title
    # Names such as MCC and F1 keep their letters.
    title = title if title[:2].isupper() else title[:1].lower() + title[1:]
    return f"{suite['primary_head']} {title}" if suite["primary_head"] else title


def _best_baseline(suite: SuiteReport) -> tuple[str, float] | None:
    found = [
        (system["title"], value)
        for system in suite["systems"][1:]
        if (value := primary(suite, system)["value"]) is not None
    ]
    best = max if METRICS[suite["primary_metric"]].is_higher_better else min
    return best(found, key=lambda item: item[1]) if found else None


def _suite_view(suite: SuiteReport) -> dict[str, Any]:
    """Returns what the template shows of one suite."""
    model = suite["systems"][0]
    heads = [_head_view(suite, head) for head in HEADS if head in model["heads"]]
    return {
        "suite": suite,
        "id": "suite-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in suite["key"]),
        "primary": primary(suite, model),
        "info": METRICS[suite["primary_metric"]],
        "primary_name": _metric_name(suite),
        "systems": plots.systems_figure(suite),
        "heads": heads,
        "whole": plots.metrics_figure(model["metrics"], suite["title"])
        if len(model["metrics"]) > 1
        else None,
    }


def _head_view(suite: SuiteReport, head: str) -> dict[str, Any]:
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
        "table": _table(suite["systems"], head),
        "differences": [part for part in suite["differences"] if part["head"] == head],
        "confusion": plots.confusion_figure(report, head),
        "classes": plots.classes_figure(report, head),
        "reliability": plots.reliability_figure(report),
        "coverage": plots.coverage_figure(curves),
        "slices": slices,
        "small_slices": small,
    }


def _table(systems: Sequence[SystemReport], head: str) -> dict[str, Any]:
    """Returns the table of systems: cells with text, interval and the letter of their reason."""
    notes = Notes()
    rows: list[dict[str, Any]] = []
    for system in systems:
        report: HeadReport | None = system["heads"].get(head)
        if report is None:
            reason = system["reason"] or system["head_reasons"].get(head) or "not measured"
            rows.append({"system": system, "cells": None, "reason": reason})
            continue
        cells = [_cell(key, report["metrics"].get(key), notes) for key in COLUMNS[head]]
        rows.append({"system": system, "cells": cells, "reason": None})
    return {
        "columns": [(key, METRICS[key]) for key in COLUMNS[head]],
        "rows": rows,
        "notes": list(notes.items()),
    }


def _cell(key: str, value: MetricValue | None, notes: Notes) -> dict[str, str]:
    if value is None or value["value"] is None:
        reason = value["reason"] if value else None
        return {"text": "undef.", "interval": "", "letter": notes.letter(reason or "not measured")}
    # Probabilities' errors are small: percentages as well, but of the same number of digits.
    text = fraction(value["value"]) if METRICS[key].is_fraction else f"{value['value']:.2f}"
    letter = ""
    if value["low"] is None and value["interval_reason"]:
        letter = notes.letter(f"no interval: {value['interval_reason']}")
    return {"text": text, "interval": interval(value, METRICS[key].is_fraction), "letter": letter}


def _compact(sample: Sample) -> dict[str, Any]:
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


def fraction(value: float) -> str:
    """Returns a fraction as a percentage without its sign: 0.641 gives "64.1"."""
    return f"{100 * value:.1f}"


def interval(value: MetricValue, is_fraction: bool = True) -> str:
    """Returns an interval such as "60.2–68.0", empty when there is none."""
    if value["low"] is None or value["high"] is None:
        return ""
    if is_fraction:
        return f"{100 * value['low']:.1f}–{100 * value['high']:.1f}"
    between = " to " if value["low"] < 0 else "–"
    return f"{value['low']:.2f}{between}{value['high']:.2f}".replace("-", "−")


def signed(value: MetricValue) -> str:
    """Returns a difference of fractions in points with its interval: "+21.0 (17.2 to 24.9)"."""
    if value["value"] is None:
        return f"undefined ({value['reason']})"
    text = f"{100 * value['value']:+.1f}"
    if value["low"] is not None and value["high"] is not None:
        text += f" ({100 * value['low']:+.1f} to {100 * value['high']:+.1f})"
    return text.replace("-", "−")


def metric_text(key: str, value: MetricValue | None, notes: Notes) -> str:
    """Returns a table cell for Markdown: the figure with its interval, or its note's letter."""
    cell = _cell(key, value, notes)
    text = cell["text"] + (f" ({cell['interval']})" if cell["interval"] else "")
    return text + (f" [{cell['letter']}]" if cell["letter"] else "")


def cell_text(text: Any) -> str:
    """Returns untrusted text that is safe in a cell of a Markdown table on one line."""
    plain = " ".join(str(text).split())
    for sign in "\\`*_[]<>|&#~":
        plain = plain.replace(sign, "\\" + sign if sign not in "<>&" else f"&#{ord(sign)};")
    return plain


def worst_slices(slices: Sequence[Slice], head: str, least: int, count: int = 5) -> list[Slice]:
    """Returns the slices of at least ``least`` rows on which the model is least often right."""
    found = [
        part
        for part in slices
        if part["head"] == head and part["n"] >= least and part["accuracy"]["value"] is not None
    ]
    return sorted(found, key=lambda part: part["accuracy"]["value"] or 0.0)[:count]


def _environment() -> jinja2.Environment:
    # Markdown templates escape by the filter "cell"; HTML ones by default.
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Label order carries meaning; the default would sort the keys of every object.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    environment.filters.update(
        fraction=fraction,
        interval=interval,
        signed=signed,
        cell=cell_text,
        metric=metric_text,
        worst=worst_slices,
    )
    return environment
