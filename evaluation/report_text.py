"""Figures, intervals and slices in words, as every form of the report shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from stance.evaluation.plots import LEAST_SLICE
from stance.evaluation.schema import METRICS, Ceiling, MetricValue, Slice

#: What two annotators are measured by.
CEILING_METRICS: Final = ("accuracy", "macro_f1", "kappa")


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


def figure_text(key: str, value: float) -> str:
    """Returns a figure as reports show it: "64.1" for a fraction, "0.55", or "7.3 s"."""
    info = METRICS[key]
    if info.is_fraction:
        return fraction(value)
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    text = f"{value:,.{digits}f}".replace("-", "−")
    return text + ("" if info.unit in ("", "×") else " ") + info.unit


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


def p_text(value: float | None) -> str:
    """Returns a p-value such as "0.03" or "<0.001"; empty for none."""
    if value is None:
        return ""
    return "<0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def figure_cell(key: str, value: MetricValue | None, notes: Notes) -> dict[str, str]:
    """Returns a table cell: the figure, its interval, and the letter of its note."""
    if value is None or value["value"] is None:
        reason = value["reason"] if value else None
        return {"text": "undef.", "interval": "", "letter": notes.letter(reason or "not measured")}
    text = figure_text(key, value["value"])
    letter = ""
    if value["low"] is None and value["interval_reason"]:
        letter = notes.letter(f"no interval: {value['interval_reason']}")
    return {"text": text, "interval": interval(value, METRICS[key].is_fraction), "letter": letter}


def metric_text(key: str, value: MetricValue | None, notes: Notes) -> str:
    """Returns a table cell for Markdown: the figure with its interval, or its note's letter."""
    cell = figure_cell(key, value, notes)
    text = cell["text"] + (f" ({cell['interval']})" if cell["interval"] else "")
    return text + (f" [{cell['letter']}]" if cell["letter"] else "")


def ceiling_cells(ceiling: Ceiling, columns: Sequence[str]) -> list[str]:
    """Returns the annotators' row of a table; empty cells where nobody measured it."""
    cells = []
    for key in columns:
        value = ceiling[key] if key in CEILING_METRICS else None  # type: ignore[literal-required]
        cells.append("" if value is None else figure_text(key, value))
    return cells


def cell_text(text: Any) -> str:
    """Returns untrusted text that is safe in a cell of a Markdown table on one line."""
    return " ".join(str(text).split()).translate(_MARKDOWN)


# One pass over the text, so that what a sign becomes is not replaced again.
_MARKDOWN: Final = str.maketrans(
    {sign: f"&#{ord(sign)};" if sign in "<>&" else f"\\{sign}" for sign in "\\`*_[]<>|&#~"}
)


def worst_slices(slices: Sequence[Slice], head: str, least: int, count: int = 5) -> list[Slice]:
    """Returns the slices of at least ``least`` rows on which the model is least often right."""
    found = [
        part
        for part in slices
        if part["head"] == head and part["n"] >= least and part["accuracy"]["value"] is not None
    ]
    return sorted(found, key=lambda part: part["accuracy"]["value"] or 0.0)[:count]


def worst_sentence(slices: Sequence[Slice], head: str, overall: MetricValue) -> str:
    """Returns the slices clearly below the whole in words, or that there are none.

    A slice is named when the whole interval lies below the accuracy on all quotes.
    """
    if overall["value"] is None:
        return ""
    level = overall["value"]
    named = [
        part
        for part in worst_slices(slices, head, LEAST_SLICE, count=len(slices))
        if part["accuracy"]["high"] is not None and part["accuracy"]["high"] < level
    ]
    looked_at = sum(part["head"] == head and part["n"] >= LEAST_SLICE for part in slices)
    if not looked_at:
        return ""
    if not named:
        return (
            f"None of the {looked_at} parts looked at is clearly below the {fraction(level)}% of "
            "all quotes."
        )
    parts = [
        f"{part['field']} “{part['value']}” ({fraction(part['accuracy']['value'] or 0.0)}%, "
        f"{part['n']} quotes)"
        for part in named[:5]
    ]
    more = f", and {len(named) - 5} more" if len(named) > 5 else ""
    return (
        f"Clearly below the {fraction(level)}% of all quotes: {', '.join(parts)}{more}; of "
        f"{looked_at} parts looked at, so one or two by chance."
    )
