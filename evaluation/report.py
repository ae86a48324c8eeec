"""Writes a run: results.json, samples.jsonl, report.md and one self-contained report.html."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from stance.evaluation import plots
from stance.evaluation.report_text import (
    Notes,
    ceiling_cells,
    cell_text,
    figure_text,
    fraction,
    interval,
    metric_text,
    p_text,
    signed,
    worst_sentence,
    worst_slices,
)
from stance.evaluation.report_views import (
    CONFIDENCE_COLUMNS,
    CONFIDENCE_SUITE,
    agreed_text,
    metric_name,
    sample_view,
    suite_view,
)
from stance.evaluation.schema import HEADS, METRICS, Results, Sample, SuiteReport, primary
from stance.labels import DEFINITIONS, SYMBOLS

TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
#: The fewer columns of the Markdown report, by head.
SHORT_COLUMNS: Final = {
    "stance": ("accuracy", "macro_f1", "three_way_accuracy", "mcc", "ece", "accuracy_at_70"),
    "sentiment": ("accuracy", "macro_f1", "mcc", "ece", "accuracy_at_70"),
}


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
    covered = frozenset(
        part["sha256"]
        for suite in results["suites"]
        if suite["name"] == CONFIDENCE_SUITE and suite["status"] == "done"
        for part in suite["data"]
    )
    return (
        _environment()
        .get_template("report.html")
        .render(
            results=results,
            suites=[
                suite_view(suite, covered)
                for suite in results["suites"]
                if suite["status"] == "done"
            ],
            learning=plots.learning_figure(results["learning_curve"]),
            skipped=[suite for suite in results["suites"] if suite["status"] == "skipped"],
            lead=headline(results),
            samples=[sample_view(sample) for sample in samples],
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
            brief_columns=CONFIDENCE_COLUMNS[1:],
            brief_suite=CONFIDENCE_SUITE,
            ceiling_cells=ceiling_cells,
            worst_sentence=worst_sentence,
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
        what = f"{suite['title']} ({suite['rows']:,} quotes): {metric_name(suite)}"
        if value["value"] is None:
            sentences.append(f"{what} is undefined ({value['reason']}).")
            continue
        sentence = f"{what} {figure_text(suite['primary_metric'], value['value'])}"
        if value["low"] is not None:
            is_fraction = METRICS[suite["primary_metric"]].is_fraction
            sentence += f" ({interval(value, is_fraction)})"
        best = _best_baseline(suite)
        if best is not None:
            shown = figure_text(suite["primary_metric"], best[1])
            sentence += f"; best baseline: {best[0]}, {shown}"
        agreed = agreed_text(suite)
        if agreed is not None:
            sentence += f"; two annotators: {agreed}"
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


def _best_baseline(suite: SuiteReport) -> tuple[str, float] | None:
    found = [
        (system["title"], value)
        for system in suite["systems"][1:]
        if system["kind"] == "baseline" and (value := primary(suite, system)["value"]) is not None
    ]
    best = max if METRICS[suite["primary_metric"]].is_higher_better else min
    return best(found, key=lambda item: item[1]) if found else None


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
        ptext=p_text,
        figure=lambda value, key: figure_text(key, value),
    )
    return environment
