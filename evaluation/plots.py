"""The figures of a report as plain numbers: where each mark of an SVG stands.

``templates/plots.html`` draws them. Every figure is 360 units wide, as a phone's screen, so that
its letters keep their size there; a wider page sets figures side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from stance.evaluation.schema import (
    METRICS,
    HeadReport,
    LearningCurve,
    MetricValue,
    Slice,
    SuiteReport,
    primary,
)
from stance.labels import SYMBOLS

WIDTH: Final = 360
LABEL_WIDTH: Final = 136
VALUE_WIDTH: Final = 42
ROW_HEIGHT: Final = 24
#: Colours of the lines of a learning curve, by their order.
SERIES_TONES: Final = ("model", "dismissive", "conciliatory", "baseline")
#: Slices with fewer rows stay in results.json: their intervals span most of the axis.
LEAST_SLICE: Final = 10
LETTER_WIDTH: Final = 6.1
WIDEST_LABEL: Final = 172


@dataclass(frozen=True, slots=True)
class Mark:
    """One row of a dot-and-interval figure.

    Attributes:
        label: Written at the left.
        symbol: A sign before the label, or empty.
        tone: CSS class suffix of its colour.
        value: The figure with its interval, or why there is none.
        n: Number of rows behind it, or None.
    """

    label: str
    symbol: str
    tone: str
    value: MetricValue
    n: int | None = None


def forest(
    marks: Sequence[Mark], *, title: str, is_fraction: bool = True, rule: float | None = None
) -> dict[str, Any]:
    """Returns a figure of dots with their intervals, one row a mark.

    Args:
        marks: From top to bottom.
        title: What the figure shows, for readers who cannot see it.
        is_fraction: Whether values are shown as percentages.
        rule: Where to draw a vertical line for comparison, or None.
    """
    shown = [number for mark in marks for number in _numbers(mark.value)]
    low, high, step = 0.0, 1.0, 0.25
    # Dots need no zero, unlike bars: the axis begins where something is to be seen.
    if shown and min(shown) < 0:
        low, step = -1.0, 0.5
    elif shown and min(shown) >= 0.42:
        low, step = 0.4, 0.2
    elif shown and max(shown) <= 0.24:
        high, step = 0.25, 0.05
    # Long names get room at the cost of the axis, so that they are not all cut to the same words.
    letters = max((len(mark.label) + 2 * (mark.n is not None) for mark in marks), default=0)
    room = min(max(LABEL_WIDTH, LETTER_WIDTH * letters), WIDEST_LABEL)
    longest = int(room / LETTER_WIDTH)
    left, right = float(round(room)), float(WIDTH - VALUE_WIDTH)

    def place(value: float) -> float:
        clipped = min(max(value, low), high)
        return round(left + (right - left) * (clipped - low) / (high - low), 1)

    rows = []
    for index, mark in enumerate(marks):
        value = mark.value["value"]
        bounded = mark.value["low"] is not None and mark.value["high"] is not None
        rows.append(
            {
                "y": 14 + index * ROW_HEIGHT,
                "label": _cut(mark.label, longest - 4 if mark.n is not None else longest),
                "full": mark.label,
                "symbol": mark.symbol,
                "tone": mark.tone,
                "x": place(value) if value is not None else None,
                "low": place(mark.value["low"] or 0.0) if bounded else None,
                "high": place(mark.value["high"] or 0.0) if bounded else None,
                "shown": _shown(value, is_fraction),
                "reason": mark.value["reason"],
                "n": mark.n,
                "value": mark.value,
            }
        )
    height = len(marks) * ROW_HEIGHT + 24
    ticks = [low + step * part for part in range(round((high - low) / step) + 1)]
    return {
        "title": title,
        "width": WIDTH,
        "height": height,
        "bottom": height - 20,
        "left": left,
        "right": right,
        "rows": rows,
        "rule": place(rule) if rule is not None else None,
        "is_fraction": is_fraction,
        "ticks": [{"x": place(tick), "shown": _tick(tick, is_fraction)} for tick in ticks],
    }


def systems_figure(suite: SuiteReport) -> dict[str, Any]:
    """Returns the primary metric of every system that has one, with the annotators' as a line."""
    info = METRICS[suite["primary_metric"]]
    ceiling = suite["ceilings"].get(suite["primary_head"] or "")
    known = {"accuracy", "macro_f1", "kappa"} & {suite["primary_metric"]}
    rule = ceiling[known.pop()] if ceiling and known else None  # type: ignore[literal-required]
    marks = [
        Mark(
            system["title"],
            "",
            "model" if system["kind"] == "model" else "baseline",
            primary(suite, system),
        )
        for system in suite["systems"]
        if system["kind"] == "model" or primary(suite, system)["value"] is not None
    ]
    head = f"{suite['primary_head'].capitalize()}: " if suite["primary_head"] else ""
    return forest(
        marks,
        title=f"{head}{info.title} of each system on {suite['title']}",
        is_fraction=info.is_fraction,
        rule=rule,
    )


def learning_figure(curve: LearningCurve | None) -> dict[str, Any] | None:
    """Returns the learning curve: the figure by training rows (on a logarithmic axis), or None."""
    if curve is None:
        return None
    left, right, top, bottom = 40.0, 350.0, 10.0, 210.0
    points = curve["points"]
    counts = sorted({point["rows"] for point in points})
    shown = [
        number
        for point in points
        for number in (point["value"], point["low"], point["high"])
        if number is not None
    ]
    low = max(0.0, math.floor(10 * min(shown)) / 10)
    high = min(1.0, math.ceil(10 * max(shown) + 1e-9) / 10)
    high = high if high > low else low + 0.1
    first, last = math.log(counts[0]), math.log(counts[-1])

    def across(rows: int) -> float:
        share = (math.log(rows) - first) / (last - first) if last > first else 0.5
        return round(left + 8 + (right - left - 16) * share, 1)

    def down(value: float) -> float:
        return round(bottom - (bottom - top) * (value - low) / (high - low), 1)

    lines = []
    for index, series in enumerate(dict.fromkeys(point["series"] for point in points)):
        marks = [
            {
                "x": across(point["rows"]),
                "y": down(point["value"]),
                "y_low": down(point["low"]) if point["low"] is not None else None,
                "y_high": down(point["high"]) if point["high"] is not None else None,
                "rows": point["rows"],
                "value": point["value"],
            }
            for point in points
            if point["series"] == series
        ]
        path = " ".join(f"{mark['x']},{mark['y']}" for mark in marks)
        tone = SERIES_TONES[index % len(SERIES_TONES)]
        lines.append({"title": series, "tone": tone, "marks": marks, "path": path})
    x_ticks: list[dict[str, Any]] = []
    for rows in counts:
        at = across(rows)
        if not x_ticks or at - x_ticks[-1]["at"] >= 36:
            x_ticks.append({"at": at, "shown": f"{rows:,}"})
    steps = round((high - low) / 0.1)
    values = [low + 0.1 * step for step in range(steps + 1)]
    return {
        "width": WIDTH,
        "height": 246,
        "left": left,
        "right": right,
        "top": top,
        "bottom": bottom,
        "metric": curve["metric"],
        "about": curve["about"],
        "file": curve["file"],
        "lines": lines,
        "x_ticks": x_ticks,
        "y_ticks": [{"at": down(value), "shown": f"{100 * value:.0f}%"} for value in values],
    }


def symbol_of(head: str, label: str) -> str:
    """Returns the sign of a stance; sentiments have none, though one of them is "neutral" too."""
    return SYMBOLS.get(label, "") if head == "stance" else ""


def classes_figure(report: HeadReport, head: str) -> dict[str, Any]:
    """Returns the F1 of each label with its interval."""
    marks = [
        Mark(label, symbol_of(head, label), label, entry["f1"], entry["support"])
        for label, entry in report["per_class"].items()
    ]
    return forest(marks, title="F1 of each label")


def metrics_figure(metrics: dict[str, MetricValue], title: str) -> dict[str, Any]:
    """Returns several metrics of one system."""
    marks = [Mark(METRICS[key].title, "", "model", value) for key, value in metrics.items()]
    return forest(marks, title=title)


def slices_figure(
    slices: Sequence[Slice], head: str, field: str, overall: MetricValue
) -> dict[str, Any] | None:
    """Returns the accuracy on each value of one slice field, or None when all are too small."""
    marks = [
        Mark(part["value"], "", "model", part["accuracy"], part["n"])
        for part in slices
        if part["head"] == head and part["field"] == field and part["n"] >= LEAST_SLICE
    ]
    if not marks:
        return None
    return forest(marks, title=f"{head} accuracy by {field}", rule=overall["value"])


def confusion_figure(report: HeadReport, head: str) -> dict[str, Any]:
    """Returns the confusion matrix: gold labels down, answers across, shade by share of the row."""
    labels, matrix = report["labels"], report["confusion"]
    left, top = 92.0, 46.0
    size = (WIDTH - left) / len(labels)
    height = 46.0
    cells = []
    for row, counts in enumerate(matrix):
        total = sum(counts)
        for column, count in enumerate(counts):
            share = count / total if total else 0.0
            cells.append(
                {
                    "x": round(left + column * size, 1),
                    "y": round(top + row * height, 1),
                    "width": round(size - 3, 1),
                    "height": height - 3,
                    "count": count,
                    # At most half opaque, so that the numbers keep their contrast on it.
                    "shade": round(0.5 * share, 3),
                    "is_right": row == column,
                    "percent": f"{100 * share:.0f}%" if total else "",
                }
            )
    return {
        "width": WIDTH,
        "height": top + height * len(labels) + 4,
        "cells": cells,
        "rows": [
            {
                "label": label,
                "symbol": symbol_of(head, label),
                "y": top + index * height + height / 2,
                "x": round(left + index * size + size / 2, 1),
                "n": sum(matrix[index]),
            }
            for index, label in enumerate(labels)
        ],
    }


def reliability_figure(report: HeadReport) -> dict[str, Any] | None:
    """Returns accuracy against confidence, with how many quotes stand in each bin."""
    bins = [entry for entry in report["reliability"] if entry["n"]]
    if not bins:
        return None
    left, right, top, bottom, floor = 40.0, 350.0, 10.0, 190.0, 250.0
    most = max(entry["n"] for entry in bins)

    def across(value: float) -> float:
        return round(left + (right - left) * value, 1)

    def down(value: float) -> float:
        return round(bottom - (bottom - top) * value, 1)

    points = []
    for entry in bins:
        tall = 40 * entry["n"] / most
        points.append(
            {
                "x": across(entry["confidence"] or 0.0),
                "y": down(entry["accuracy"] or 0.0),
                "ideal": down(entry["confidence"] or 0.0),
                "radius": round(2.5 + 5 * (entry["n"] / most) ** 0.5, 1),
                "bar_x": across(entry["low"]) + 1,
                "bar_width": round((right - left) / 15 - 2, 1),
                "bar_y": round(floor - tall, 1),
                "bar_height": round(tall, 1),
                "n": entry["n"],
                "confidence": entry["confidence"],
                "accuracy": entry["accuracy"],
            }
        )
    ticks = [0.0, 0.25, 0.5, 0.75, 1.0]
    return {
        "width": WIDTH,
        "height": 284,
        "left": left,
        "right": right,
        "top": top,
        "bottom": bottom,
        "floor": floor,
        "points": points,
        "x_ticks": [{"at": across(tick), "shown": f"{100 * tick:.0f}%"} for tick in ticks],
        "y_ticks": [{"at": down(tick), "shown": f"{100 * tick:.0f}%"} for tick in ticks],
    }


def coverage_figure(curves: Sequence[tuple[str, str, HeadReport]]) -> dict[str, Any] | None:
    """Returns the error rate by the share of quotes kept, the most confident first.

    Args:
        curves: Title, tone and report of each system that gives probabilities.
    """
    curves = [curve for curve in curves if curve[2]["risk_coverage"]]
    if not curves:
        return None
    left, right, top, bottom = 40.0, 350.0, 10.0, 230.0
    largest = max(point["risk"] for _, _, report in curves for point in report["risk_coverage"])
    limit = max(0.2, -(-largest // 0.2) * 0.2)

    def place(coverage: float, risk: float) -> tuple[float, float]:
        return (
            round(left + (right - left) * coverage, 1),
            round(bottom - (bottom - top) * risk / limit, 1),
        )

    lines = []
    for title, tone, report in curves:
        points = [place(point["coverage"], point["risk"]) for point in report["risk_coverage"]]
        lines.append(
            {
                "title": title,
                "tone": tone,
                "path": " ".join(f"{x},{y}" for x, y in points),
                "end": points[-1],
                "points": report["risk_coverage"],
            }
        )
    steps = 4
    return {
        "width": WIDTH,
        "height": 266,
        "left": left,
        "right": right,
        "top": top,
        "bottom": bottom,
        "lines": lines,
        "kept": place(0.7, 0.0)[0],
        "x_ticks": [
            {"at": place(tick, 0.0)[0], "shown": f"{100 * tick:.0f}%"}
            for tick in (0.0, 0.25, 0.5, 0.75, 1.0)
        ],
        "y_ticks": [
            {
                "at": place(0.0, limit * step / steps)[1],
                "shown": f"{100 * limit * step / steps:.0f}%",
            }
            for step in range(steps + 1)
        ],
    }


def _numbers(value: MetricValue) -> list[float]:
    return [
        number for number in (value["value"], value["low"], value["high"]) if number is not None
    ]


def _shown(value: float | None, is_fraction: bool) -> str:
    if value is None:
        return "undef."
    return f"{100 * value:.1f}" if is_fraction else f"{value:.2f}"


def _tick(value: float, is_fraction: bool) -> str:
    return f"{100 * value:.0f}%" if is_fraction else f"{value:.1f}"


def _cut(label: str, longest: int) -> str:
    return label if len(label) <= longest else label[: longest - 1].rstrip() + "…"
