"""What got better or worse between two reports, beyond noise: ``stance compare OLD NEW``.

Where ``samples.jsonl`` lies beside both reports and holds the same quotes, the two are compared
quote by quote (paired bootstrap by group; McNemar for accuracy). Else the two intervals are taken
as independent, which misses small differences and never invents one.

Exit code 0; 1 when a guarded figure (``evaluation/guard.json``) falls; 2 for a bad file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stance.evaluation.changes import Change, Comparison

EXIT_OK, EXIT_FALLEN, EXIT_UNUSABLE = 0, 1, 2
EPILOG = """\
examples:
  stance compare evaluation/reports/0.1.0 runs/mine/report
  stance compare A/results.json B/results.json --format markdown
  stance compare evaluation/reports/0.1.0       the limits of evaluation/guard.json alone

A guarded figure falls when it is worse beyond noise, undefined in NEW though defined in OLD, or,
with --limits or a single report, outside its limit.
"""


def shown(comparison: Comparison, *, with_all: bool = False) -> list[Change]:
    """Returns the changes worth a row: guarded ones, and those beyond noise; or all."""
    return [
        change
        for change in comparison.changes
        if with_all or change.is_guarded or change.verdict in ("better", "worse")
    ]


def to_rows(changes: Sequence[Change]) -> list[list[str]]:
    """Returns the cells of the table, its head first."""
    from stance.evaluation.changes import name_of

    rows = [["figure", "old", "new", "change", "95% interval", "p", "verdict"]]
    for change in changes:
        guard = " (guarded)" if change.is_guarded else ""
        bounds = (
            f"{change.low:+.3f} to {change.high:+.3f}"
            if change.low is not None and change.high is not None
            else "none"
        )
        rows.append(
            [
                name_of(change),
                _number(change.before),
                _number(change.after),
                "undefined" if change.difference is None else f"{change.difference:+.3f}",
                bounds + ("" if change.method == "paired" else " (unpaired)"),
                "" if change.p_value is None else f"{change.p_value:.3f}",
                change.verdict + guard,
            ]
        )
    return rows


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def to_text(rows: list[list[str]]) -> str:
    """Returns the table for a terminal."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def to_markdown(rows: list[list[str]]) -> str:
    """Returns the table for a pull request."""
    from stance.evaluation.report_text import cell_text

    lines = ["| " + " | ".join(cell_text(cell) for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="stance compare",
        description="What got better or worse between two reports, beyond noise.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "reports",
        nargs="+",
        type=Path,
        metavar="REPORT",
        help="OLD and NEW: results.json or folder",
    )
    add("--all", action="store_true", help="show every figure, also those within noise")
    add("--format", choices=("table", "markdown", "json"), default="table")
    add("--limits", action="store_true", help="NEW must meet the limits of the guard file too")
    add("--guard", type=Path, metavar="FILE", help="default: evaluation/guard.json")
    add("--seed", type=int, default=0, help="seed of the resamples (default: 0)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        0; 1 when a guarded figure fell; 2 for a file or an argument that cannot be used.
    """
    try:
        options = build_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    # Below the argument parsing, so that --help needs none of the heavy libraries.
    from stance.evaluation.changes import Comparison, compare
    from stance.evaluation.guard import FILE, GuardError, failures, read_guard
    from stance.evaluation.stored import StoredError, read_report

    if len(options.reports) > 2 or options.seed < 0:
        what = f"{len(options.reports)} reports" if len(options.reports) > 2 else "a negative seed"
        print(f"stance compare: error: OLD and NEW are needed, not {what}", file=sys.stderr)
        return EXIT_UNUSABLE
    try:
        guarded = read_guard(options.guard or FILE)
        reports = [read_report(path) for path in options.reports]
    except (GuardError, StoredError) as error:
        print(f"stance compare: error: {error}", file=sys.stderr)
        return EXIT_UNUSABLE
    comparison = Comparison([], [], [])
    if len(reports) == 2:
        comparison = compare(reports[0], reports[1], guarded, seed=options.seed)
    if options.limits or len(reports) == 1:
        comparison.fallen.extend(failures(reports[-1].results, guarded))
    print(_output(comparison, options, is_single=len(reports) == 1))
    for sentence in comparison.fallen:
        print(f"stance compare: fallen: {sentence}", file=sys.stderr)
    return EXIT_FALLEN if comparison.fallen else EXIT_OK


def _output(comparison: Comparison, options: argparse.Namespace, *, is_single: bool) -> str:
    if options.format == "json":
        return json.dumps(asdict(comparison), indent=1)
    if is_single:
        count = len(comparison.fallen)
        return f"{count} guarded figures miss their limit" if count else "every limit is met"
    changes = shown(comparison, with_all=options.all)
    rows = to_rows(changes)
    lines = [to_markdown(rows) if options.format == "markdown" else to_text(rows)]
    if not changes:
        lines = ["No figure changed beyond noise, and none is guarded in both."]
    hidden = len(comparison.changes) - len(changes)
    if hidden:
        lines.append(f"{hidden} figures within noise are not shown (--all).")
    # One in twenty figures leaves its 95% interval by chance.
    lines.append(
        f"{len(comparison.changes)} figures compared: about "
        f"{max(1, round(len(comparison.changes) / 20))} would look changed by chance alone."
    )
    return "\n\n".join([*lines, *(f"note: {note}" for note in comparison.notes)])


if __name__ == "__main__":
    if Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
        sys.path.pop(0)
    sys.exit(main())
