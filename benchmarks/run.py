"""Measures speed, growth, cold start and memory against named alternatives, in one run.

    python -m benchmarks.run            # about 12 minutes
    python -m benchmarks.run --quick    # under 3 minutes

Writes ``results.json`` and ``results.md`` into ``benchmarks/results/``, or where ``--output`` says.
Ratios count, not seconds: all ways run in turn within each round, so that other load falls on all.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.facts import machine_facts
from benchmarks.measure import WARM_ROUNDS, children, clock, growth, interleave
from benchmarks.report import to_markdown
from benchmarks.ways import (
    Way,
    article_of,
    authored,
    embedding_way,
    encoder_operations,
    matmul_ceiling,
    pipeline_way,
    quotes,
    seed_articles,
    tfidf_way,
    vader_way,
    write_pipeline_model,
)

OURS, PIPELINE = "stance", "transformers pipeline, batch 32"
PIPELINE_ONE = "transformers pipeline, one at a time"
QUOTE = "We are ready to talk, but the freeze is unacceptable."


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    quotes: int
    singles: int
    rounds: int
    quote_sizes: tuple[int, ...]
    article_sizes: tuple[int, ...]
    articles: int
    child_rounds: int
    child_quotes: int
    head_rows: int
    agreement_rows: int
    limit: float


QUICK = Plan(64, 8, 2, (1, 10, 100, 400), (1_000, 8_000, 64_000), 4, 1, 100, 100, 100, 5.0)
FULL = Plan(
    256,
    40,
    4,
    (1, 10, 100, 1_000, 10_000, 100_000),
    (1_000, 10_000, 100_000, 1_000_000),
    20,
    3,
    500,
    1_000,
    1_000,
    60.0,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the benchmarks and writes their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="smaller inputs, fewer rounds")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args(argv)
    # Now, and not after minutes of measuring, is the time to find out that it cannot be written.
    try:
        arguments.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--output {arguments.output}: {error.strerror}")
    plan = QUICK if arguments.quick else FULL
    with tempfile.TemporaryDirectory() as folder:
        results = measure(plan, Path(folder))
    results["quick"] = arguments.quick
    name = "quick" if arguments.quick else "results"
    text = to_markdown(results)
    (arguments.output / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    (arguments.output / f"{name}.md").write_text(text, "utf-8")
    print(text)
    return 0


def measure(plan: Plan, folder: Path) -> dict[str, Any]:
    """Returns all results, JSON-ready."""
    _say("cold start and memory")
    write_pipeline_model(folder)
    processes = _processes(plan, folder)
    _say("loading")
    ways, notes = _ways(plan, folder)
    results: dict[str, Any] = {"processes": processes, "notes": notes}
    _say("classify, many")
    texts = quotes(plan.quotes)
    many = {name: way for name, way in ways.items() if name != PIPELINE_ONE}
    results["classify_many"] = interleave(
        _on(many, texts), rounds=plan.rounds, items=len(texts), baseline=PIPELINE
    )
    _say("classify, one at a time")
    singles = texts[: plan.singles]
    one = {OURS: ways[OURS], PIPELINE_ONE: ways[PIPELINE_ONE]}
    results["classify_one"] = interleave(
        {name: _one_by_one(way, singles) for name, way in one.items()},
        rounds=plan.rounds,
        items=len(singles),
        baseline=PIPELINE_ONE,
    )
    _say("engines")
    results["engines"] = _engines(plan, texts)
    _say("split and analyze")
    results["articles"] = _articles(plan, ways[PIPELINE])
    _say("growth")
    results["growth"] = _growth(plan)
    results["machine"] = machine_facts()
    return results


def _ways(plan: Plan, folder: Path) -> tuple[dict[str, Way], dict[str, str]]:
    import stance

    rows = authored("train")
    name, encoder = embedding_way(rows[: plan.head_rows])
    ways: dict[str, Way] = {
        OURS: stance.classify,
        PIPELINE: pipeline_way(folder, 32),
        PIPELINE_ONE: pipeline_way(folder, 1),
        name: encoder,
        "TF-IDF + logistic regression": tfidf_way(rows),
    }
    vader = vader_way()
    notes = {
        OURS: "both tasks, calibrated, as Prediction objects",
        PIPELINE: "same encoder; one task; transformers' own head",
        "TF-IDF + logistic regression": "stance alone, no encoder",
    }
    if vader is not None:
        ways["VADER"] = vader
        notes["VADER"] = "sentiment alone, a word list"
    else:
        _say("no VADER: pip install 'stance-quotes[evaluate]'")
    return ways, notes


def _on(ways: dict[str, Way], texts: list[str]) -> dict[str, Callable[[], object]]:
    return {name: lambda way=way: way(texts) for name, way in ways.items()}


def _one_by_one(way: Way, texts: list[str]) -> Callable[[], object]:
    def work() -> None:
        for text in texts:
            way([text])

    return work


def _engines(plan: Plan, texts: list[str]) -> dict[str, Any]:
    """Compares the engines on embedded rows, with the machine's ceiling and with fp32 labels."""
    import numpy as np

    import stance
    from stance.model.runtime import ArrayReader, predict_probabilities

    model = stance.StanceClassifier.from_pretrained()._fitted()
    state = {name: tensor.numpy() for name, tensor in model.network.state_dict().items()}
    readers: dict[str, ArrayReader] = {}
    for name in ("openvino", "torch", "numpy"):
        try:
            readers[name] = ArrayReader(state, model.base.config, engine=name)
        except ImportError as error:
            _say(f"no {name}: {error}")
    windows = model.inputs.encode(texts, [""] * len(texts))
    embedded = [readers["numpy"]._embed(window) for window in windows]
    speeds = interleave(
        {name: lambda r=reader: r.engine.states(embedded) for name, reader in readers.items()},
        rounds=max(3, plan.rounds // 2),
        items=len(texts),
        baseline="numpy",
    )
    rows = authored("test")[: plan.agreement_rows]
    found = {
        name: predict_probabilities(
            reader, model.inputs, [row["text"] for row in rows], [""] * len(rows), {}
        )[0]
        for name, reader in readers.items()
    }
    for name, own in found.items():
        for task, values in own.items():
            same = values.argmax(axis=1) == found["numpy"][task].argmax(axis=1)
            speeds[name][f"agreement_{task}"] = float(np.mean(same))
    operations = encoder_operations([len(window.ids) for window in windows])
    ceiling = matmul_ceiling()
    for name in readers:
        reached = operations / speeds[name]["seconds"]
        speeds[name]["ceiling_fraction"] = reached / ceiling
    return {
        "ways": speeds,
        "bf16_matmul_gflops": ceiling / 1e9,
        "tokens": sum(len(window.ids) for window in windows),
        "compared_rows": len(rows),
    }


def _articles(plan: Plan, pipeline: Way) -> dict[str, Any]:
    import stance

    seeds = seed_articles()
    articles = [seeds[index % len(seeds)] for index in range(plan.articles)]

    def by_pipeline() -> None:
        for article in articles:
            found = stance.split(article)
            if found:
                pipeline([quote.text for quote in found])

    timings = interleave(
        {
            "stance.split": lambda: [stance.split(article) for article in articles],
            "stance.analyze, article by article": lambda: [stance.analyze(a) for a in articles],
            "stance.analyze, all together": lambda: stance.analyze(articles),
            "stance.split + transformers pipeline": by_pipeline,
        },
        rounds=max(1, plan.rounds // 2),
        items=len(articles),
        baseline="stance.split + transformers pipeline",
    )
    return {"ways": timings, "mean_characters": sum(map(len, articles)) / len(articles)}


def _growth(plan: Plan) -> dict[str, Any]:
    import stance

    classifier = stance.StanceClassifier.from_pretrained()

    def stream(count: int) -> None:
        for _ in classifier.classify_stream(quotes(count)):
            pass

    for _ in range(WARM_ROUNDS):
        stream(plan.quotes)
    articles = {size: article_of(size) for size in plan.article_sizes}
    return {
        "classify, quotes": growth(plan.quote_sizes, stream, limit=plan.limit),
        "split, characters": growth(
            plan.article_sizes, lambda size: stance.split(articles[size]), limit=plan.limit
        ),
        "analyze, characters": growth(
            plan.article_sizes, lambda size: stance.analyze(articles[size]), limit=plan.limit
        ),
    }


def _processes(plan: Plan, folder: Path) -> dict[str, Any]:
    """Measures whole processes: start, first answer, peak memory."""
    pipeline = (
        "from transformers import pipeline\n"
        f"pipe = pipeline('text-classification', model={str(folder)!r}, device=-1)\n"
    )
    many = f"from benchmarks.ways import quotes\ntexts = quotes({plan.child_quotes})\n"
    starts = {
        "python, nothing": ["-c", "pass"],
        "import stance": ["-c", "import stance"],
        "stance classify, one quote": ["-m", "stance", "classify", QUOTE, "--format", "json"],
        "import torch": ["-c", "import torch"],
        "transformers pipeline, one quote": ["-c", f"{pipeline}pipe({QUOTE!r})"],
    }
    stream = "import stance\nfor _ in stance.StanceClassifier.from_pretrained()"
    works = {
        "stance, many quotes": ["-c", f"{many}import stance\nstance.classify(texts)"],
        "stance, ten times as many, streamed": [
            "-c",
            f"{many}{stream}.classify_stream(t for _ in range(10) for t in texts): pass",
        ],
        "transformers pipeline, many quotes": [
            "-c",
            f"{many}{pipeline}pipe(texts, batch_size=32, truncation=True, max_length=256)",
        ],
    }
    return {
        "start": children(
            starts, rounds=plan.child_rounds, baseline="transformers pipeline, one quote"
        ),
        "work": children(
            works,
            rounds=max(1, plan.child_rounds // 2),
            baseline="transformers pipeline, many quotes",
            warm=False,
        ),
        "quotes": plan.child_quotes,
    }


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    print(f"{clock(main):.0f} s", file=sys.stderr)
