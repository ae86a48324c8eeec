"""Clocks: interleaved rounds, growth with input size, child processes."""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

#: Seconds after which a measured process is ended.
LONGEST: Final = 900.0
#: Seconds of rest before each measured call. The threads of torch's OpenMP keep a core busy for a
#: while after their work is done, and would slow down whatever is measured next in the process.
REST: Final = 0.3
#: Unmeasured rounds at first. Engines compile what a new shape of input needs when they meet it,
#: one that computes batches side by side in each of its threads.
WARM_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True)
class Timing:
    """What one way took.

    Attributes:
        seconds: Median over rounds.
        fastest: The fastest round, seconds.
        per_second: Items a second at the median.
        ratio: How many times faster than the way all are compared with: the median over rounds of
            the ratio within the round, so that other load falls on both.
    """

    seconds: float
    fastest: float
    per_second: float
    ratio: float


def interleave(
    ways: Mapping[str, Callable[[], object]], *, rounds: int, items: int, baseline: str
) -> dict[str, dict[str, float]]:
    """Runs all ways in turn, round after round, after ``WARM_ROUNDS`` unmeasured ones.

    Args:
        ways: Name to work; each does the same job on the same ``items``.
        rounds: Measured rounds.
        items: How many items one call treats.
        baseline: The way that ratios are against.

    Returns:
        Name to the fields of ``Timing``.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(WARM_ROUNDS + rounds):
        for name, work in ways.items():
            time.sleep(REST)
            seconds = clock(work)
            if number >= WARM_ROUNDS:
                taken[name].append(seconds)
    return {
        name: asdict(
            Timing(
                seconds=statistics.median(values),
                fastest=min(values),
                per_second=items / statistics.median(values),
                ratio=statistics.median(
                    base / own for base, own in zip(taken[baseline], values, strict=True)
                ),
            )
        )
        for name, values in taken.items()
    }


def clock(work: Callable[[], object]) -> float:
    """Returns the seconds that one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def growth(sizes: Sequence[int], work: Callable[[int], object], *, limit: float) -> dict[str, Any]:
    """Measures cost against input size.

    Args:
        sizes: Ascending.
        work: Does the work for a size.
        limit: Seconds; once a size takes longer, larger ones are left out.

    Returns:
        ``points`` (size, seconds), ``left_out`` and ``exponent``: the slope of log seconds over log
        size from the middle of the range of sizes up, where constant costs no longer matter; None
        for fewer than two such points.
    """
    points: list[tuple[int, float]] = []
    work(sizes[0])
    for size in sizes:
        points.append((size, clock(lambda size=size: work(size))))
        if points[-1][1] > limit:
            break
    middle = math.sqrt(sizes[0] * points[-1][0])
    return {
        "points": [{"size": size, "seconds": seconds} for size, seconds in points],
        "left_out": list(sizes[len(points) :]),
        "exponent": exponent([point for point in points if point[0] >= middle]),
    }


def exponent(points: Sequence[tuple[float, float]]) -> float | None:
    """Returns the least-squares slope of log seconds over log size; None for one point."""
    if len({size for size, _ in points}) < 2:
        return None
    xs, ys = zip(*((math.log(size), math.log(seconds)) for size, seconds in points), strict=True)
    return statistics.linear_regression(xs, ys).slope


def children(
    commands: Mapping[str, Sequence[str]],
    *,
    rounds: int,
    baseline: str | None = None,
    warm: bool = True,
) -> dict[str, dict[str, float]]:
    """Runs whole processes in turn, round after round.

    Args:
        commands: Name to arguments of this Python.
        rounds: How often each runs.
        baseline: The command that ratios are against, or None.
        warm: Whether an unmeasured round comes first, which fills the disk's cache.

    Returns:
        Name to ``seconds`` (median wall time), ``cpu_seconds`` (median), ``peak_mb`` (largest
        resident memory, median), ``ratio`` and ``memory_ratio`` where there is a baseline.

    Raises:
        RuntimeError: A command fails, or runs over ``LONGEST`` seconds; the message holds its last
            words.
    """
    runs: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for number in range(rounds + warm):
        for name, arguments in commands.items():
            run = _child(arguments)
            if number >= warm:
                runs[name].append(run)
    result: dict[str, dict[str, float]] = {}
    for name, values in runs.items():
        seconds, cpu, peak = (statistics.median(column) for column in zip(*values, strict=True))
        result[name] = {"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak}
        if baseline is not None:
            pairs = list(zip(runs[baseline], values, strict=True))
            result[name]["ratio"] = statistics.median(base[0] / own[0] for base, own in pairs)
            result[name]["memory_ratio"] = statistics.median(
                own[2] / base[2] for base, own in pairs
            )
    return result


# Runs and times a command from a process that is small itself: a child counts the memory of the
# process that it was split off from as its own.
_LAUNCHER: Final = """
import json, os, subprocess, sys, threading, time
started = time.perf_counter()
process = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL)
timer = threading.Timer(float(sys.argv[1]), process.kill)
timer.start()
_, status, usage = os.wait4(process.pid, 0)
timer.cancel()
seconds = time.perf_counter() - started
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss]))
"""


def _child(arguments: Sequence[str]) -> tuple[float, float, float]:
    """Returns wall seconds, CPU seconds and peak megabytes of one process."""
    launched = subprocess.run(
        [sys.executable, "-S", "-c", _LAUNCHER, str(LONGEST), sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    code, seconds, cpu, peak = json.loads(launched.stdout)
    if code:
        what = f"ran over {LONGEST:.0f} s" if seconds >= LONGEST else "failed"
        raise RuntimeError(f"{list(arguments)} {what}:\n{launched.stderr[-2000:]}")
    # Kilobytes, on macOS bytes.
    return seconds, cpu, peak / (1e6 if sys.platform == "darwin" else 1e3)
