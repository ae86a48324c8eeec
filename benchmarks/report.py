"""Results as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def to_markdown(results: Mapping[str, Any]) -> str:
    """Returns the results of ``benchmarks.run`` as one Markdown page."""
    machine = results["machine"]
    processes, engines = results["processes"], results["engines"]
    versions = ", ".join(f"{name} {found}" for name, found in machine["versions"].items() if found)
    scope = "quick run; " if results.get("quick") else ""
    parts = [
        "# Benchmarks",
        f"{scope}{machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"load {machine['load_average']}, {', '.join(machine['flags'])}; {versions}; "
        f"{machine['measured']}. Ratios compare ways within the same round; above 1 is faster.",
        "## classify, many quotes",
        _timings(results["classify_many"], "quotes/s", "× pipeline, batch 32", results["notes"]),
        "## classify, one quote at a time",
        _timings(results["classify_one"], "quotes/s", "× pipeline, batch 1"),
        "## Engines",
        "The encoder's layers alone, on embedded rows. Agreement: share of the "
        f"{engines['compared_rows']} authored test rows with the label of fp32. Ceiling: a large "
        f"bf16 matrix product in torch, {engines['bf16_matmul_gflops']:.0f} GFLOP/s here.",
        _table(
            ("engine", "rows/s", "× numpy", "of the ceiling", "stance agrees", "sentiment agrees"),
            (
                (
                    name,
                    f"{way['per_second']:.0f}",
                    f"{way['ratio']:.2f}",
                    f"{way['ceiling_fraction']:.1%}",
                    f"{way['agreement_stance']:.2%}",
                    f"{way['agreement_sentiment']:.2%}",
                )
                for name, way in engines["ways"].items()
            ),
        ),
        "## Articles",
        f"Articles of {results['articles']['mean_characters']:.0f} characters on average.",
        _timings(results["articles"]["ways"], "articles/s", "× split + pipeline"),
        "## Growth",
        _growth(results["growth"]),
        "## Processes",
        "From the start of Python to its end; memory is the largest resident set.",
        _processes(processes["start"], "pipeline"),
        f"Many: {processes['quotes']} quotes, loading included.",
        _processes(processes["work"], "pipeline"),
    ]
    return "\n\n".join(parts) + "\n"


def _timings(
    ways: Mapping[str, Mapping[str, float]],
    unit: str,
    against: str,
    notes: Mapping[str, str] | None = None,
) -> str:
    header: tuple[str, ...] = ("way", unit, against)
    rows = [(name, f"{way['per_second']:.1f}", f"{way['ratio']:.2f}") for name, way in ways.items()]
    if notes is None:
        return _table(header, rows)
    return _table((*header, "what it does"), ((*row, notes.get(row[0], "")) for row in rows))


def _growth(found: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, work in found.items():
        points = ", ".join(f"{p['size']:,}: {p['seconds']:.3g} s" for p in work["points"])
        exponent = "–" if work["exponent"] is None else f"{work['exponent']:.2f}"
        left_out = ", ".join(f"{size:,}" for size in work["left_out"]) or "none"
        rows.append((name, points, exponent, left_out))
    return _table(("work", "size: time", "exponent", "left out for time"), rows)


def _processes(found: Mapping[str, Mapping[str, float]], against: str) -> str:
    return _table(
        ("process", "seconds", "CPU seconds", f"× {against}", "peak MB", f"memory / {against}"),
        (
            (
                name,
                f"{run['seconds']:.2f}",
                f"{run['cpu_seconds']:.2f}",
                f"{run['ratio']:.1f}",
                f"{run['peak_mb']:.0f}",
                f"{run['memory_ratio']:.2f}",
            )
            for name, run in found.items()
        ),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
