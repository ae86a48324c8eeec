"""The figures that must not fall: which they are, and the limits a released report must meet.

``evaluation/guard.json`` names them. ``stance compare OLD NEW`` fails when one of them falls beyond
noise; a test in CI holds the committed report of the released weights to the limits, by its numbers
and the weights' hash, without measuring again.

``python -m stance.evaluation.guard REPORT_DIR`` writes the limits anew from a report: the worse end
of each figure's 95% interval, so that a release within noise passes and a real fall does not.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stance.evaluation.schema import HEADS, METRICS, MetricValue, undefined

FILE: Final = Path(__file__).resolve().parent / "guard.json"
GUARD_VERSION: Final = 1


class GuardError(ValueError):
    """The list of guarded figures cannot be used; the message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """One figure that must not fall.

    Attributes:
        suite: Key of the suite in ``results.json``.
        head: ``stance`` or ``sentiment``, or None for a figure of no single head.
        metric: A key of ``schema.METRICS``.
        limit: The value must be at least this (at most, where lower is better).
    """

    suite: str
    head: str | None
    metric: str
    limit: float

    @property
    def name(self) -> str:
        """The figure in words: "authored: stance macro_f1"."""
        return f"{self.suite}: {f'{self.head} ' if self.head else ''}{self.metric}"

    def is_met(self, value: float) -> bool:
        """Whether a value is within the limit."""
        if METRICS[self.metric].is_higher_better:
            return value >= self.limit
        return value <= self.limit


def read_guard(path: Path = FILE) -> list[Guarded]:
    """Reads the guarded figures.

    Raises:
        GuardError: The file is missing or malformed, or names an unknown metric or head.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise GuardError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise GuardError(f"{path}: not JSON ({error})") from None
    if not isinstance(content, dict) or content.get("guard_version") != GUARD_VERSION:
        raise GuardError(f"{path}: 'guard_version' must be {GUARD_VERSION}")
    entries = content.get("figures")
    if not isinstance(entries, list):
        raise GuardError(f"{path}: 'figures' must be a list")
    return [_entry(path, number, entry) for number, entry in enumerate(entries, start=1)]


def _entry(path: Path, number: int, entry: Any) -> Guarded:
    where = f"{path}: figure {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("suite"), str):
        raise GuardError(f"{where}: needs 'suite', 'metric' and 'limit', not {entry!r}")
    head, metric, limit = entry.get("head"), entry.get("metric"), entry.get("limit")
    if metric not in METRICS:
        raise GuardError(f"{where}: unknown metric {metric!r}")
    if head is not None and head not in HEADS:
        raise GuardError(f"{where}: unknown head {head!r}; known: {', '.join(HEADS)}")
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        raise GuardError(f"{where}: 'limit' must be a number, not {limit!r}")
    return Guarded(entry["suite"], head, metric, float(limit))


def figure(results: Mapping[str, Any], suite: str, head: str | None, metric: str) -> MetricValue:
    """Returns one figure of the model in a run; undefined, with the reason, when it is not there.

    Args:
        results: The content of a ``results.json``.
        suite: Key of the suite.
        head: The head, or None for a figure of no single head.
        metric: Key of the metric.
    """
    for report in results["suites"]:
        if report["key"] != suite:
            continue
        if report["status"] != "done":
            return undefined(f"the suite was skipped: {report['reason']}")
        system = report["systems"][0]
        values = system["metrics"] if head is None else system["heads"].get(head, {}).get("metrics")
        found: MetricValue | None = (values or {}).get(metric)
        return found or undefined("not measured")
    return undefined("the suite was not run")


def failures(results: Mapping[str, Any], guarded: Sequence[Guarded]) -> list[str]:
    """Returns a sentence for every guarded figure that misses its limit or has no value."""
    found = []
    for entry in guarded:
        value = figure(results, entry.suite, entry.head, entry.metric)
        if value["value"] is None:
            found.append(f"{entry.name} is undefined ({value['reason']})")
        elif not entry.is_met(value["value"]):
            side = "below" if METRICS[entry.metric].is_higher_better else "above"
            found.append(f"{entry.name} {value['value']:.4f} is {side} its limit {entry.limit}")
    return found


def renewed(results: Mapping[str, Any], guarded: Sequence[Guarded]) -> dict[str, Any]:
    """Returns the content of ``guard.json`` with every limit taken from a report.

    Raises:
        GuardError: A guarded figure has no value in the report.
    """
    entries = []
    for entry in guarded:
        value = figure(results, entry.suite, entry.head, entry.metric)
        if value["value"] is None:
            raise GuardError(f"{entry.name} is undefined ({value['reason']})")
        if METRICS[entry.metric].is_higher_better:
            worse = value["value"] if value["low"] is None else value["low"]
            limit = math.floor(1000 * worse) / 1000
        else:
            worse = value["value"] if value["high"] is None else value["high"]
            limit = math.ceil(1000 * worse) / 1000
        entries.append(
            {"suite": entry.suite, "head": entry.head, "metric": entry.metric, "limit": limit}
        )
    return {
        "guard_version": GUARD_VERSION,
        "about": "Figures of the released weights that must not fall; the meaning of a limit and "
        "how to renew this file stand in evaluation/guard.py.",
        "report": results["version"],
        "model_sha256": results["model"]["sha256"],
        "figures": entries,
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Writes ``guard.json`` anew from a report's folder; returns 0, or 2 with the reason."""
    from stance.evaluation.stored import StoredError, read_report

    arguments = list(sys.argv[1:] if argv is None else argv)
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print("usage: python -m stance.evaluation.guard REPORT_DIR", file=sys.stderr)
        return 2
    try:
        content = renewed(read_report(Path(arguments[0])).results, read_guard())
    except (GuardError, StoredError) as error:
        print(f"stance guard: error: {error}", file=sys.stderr)
        return 2
    FILE.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(FILE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
