"""Measures what changes of the training settings bring, over several seeds, on validation quotes.

    python training/ablate.py none smoothing:label_smoothing=0.1 dropout:hidden_dropout=0.1

Every variant trains on the same sample of rows with each seed, shown in full in every epoch
(``epoch_shares`` are left aside); validation is measured once, at the end. Figures are added to a
JSONL file run by run, and runs on the same data that stand there are not made again, so a stopped
ablation goes on and a variant more costs its own runs only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stance.training.script import run_script
from stance.training.train_stance import (
    add_training_arguments,
    read_corpus,
    read_settings,
    taught,
)

if TYPE_CHECKING:
    from stance.model.examples import Example
    from stance.model.settings import TrainingConfig
    from stance.training.epochs import EpochExamples

# These are not a variant's to change: the seeds are those of the command line, and the last epoch
# is measured.
_FIXED = ("seed", "patience")


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the table and returns 0, or 2 where settings, variants or data are wrong."""
    stop = "stopped; the same command goes on with the next run"
    return run_script("ablate", _ablate, _parser().parse_args(argv), stop)


def _ablate(arguments: argparse.Namespace) -> None:
    from stance.training.epochs import epoch_source

    config, data_settings = read_settings(arguments)
    variants = _variants(arguments.variants, config)
    corpus = read_corpus(arguments, data_settings)
    train = taught(arguments, corpus)[0] if arguments.teacher else corpus.train
    train = sample(train, arguments.rows)
    data_settings["epoch_shares"] = {}
    done, wanted = _read(arguments.output), []
    for seed in arguments.seeds:
        source, notes = epoch_source(train, data_settings, seed)
        for note in notes:
            print(note)
        data = _fingerprint(train, corpus.validation, data_settings)
        for name, settings in variants.items():
            chosen = replace(settings, seed=seed)
            key = {"name": name, "data": data, "settings": asdict(chosen)}
            wanted.append(key)
            if any(run["key"] == key for run in done):
                continue
            run = {"key": key, **_run(source, corpus.validation, chosen, arguments.threads)}
            done.append(run)
            _write(arguments.output, done)
            print(f"{name}, seed {seed}: mean {run['mean']:.3f}, {run['seconds']:.0f} s")
    print(f"{len(train):,} rows, {config.epochs} epochs")
    print(table([run for run in done if run["key"] in wanted]))


def sample(examples: Sequence[Example], rows: int) -> list[Example]:
    """Returns at most so many examples in their order, always the same ones; groups stay whole.

    Args:
        examples: All of them.
        rows: How many at most; 0 for all.

    Raises:
        ValueError: No example fits in.
    """
    if not rows:
        return list(examples)
    units: dict[str, list[int]] = {}
    for row, example in enumerate(examples):
        units.setdefault(example.group or f"\0{row}", []).append(row)
    members = list(units.values())
    taken: list[int] = []
    for unit in np.random.default_rng(0).permutation(len(members)).tolist():
        if len(taken) + len(members[unit]) <= rows:
            taken += members[unit]
    if not taken:
        raise ValueError(f"--rows {rows} leaves no rows to train on")
    return [examples[row] for row in sorted(taken)]


def table(runs: Sequence[Mapping[str, Any]]) -> str:
    """Returns a Markdown table: macro-F1 of each task in percent, mean ± standard deviation."""
    views = list(runs[0]["validation"])
    lines = [
        f"| | {' | '.join(views)} | mean of all | seconds |",
        f"|---|{'---:|' * (len(views) + 2)}",
    ]
    for name in dict.fromkeys(run["key"]["name"] for run in runs):
        own = [run for run in runs if run["key"]["name"] == name]
        cells = [
            " / ".join(
                _spread([run["validation"][view][task]["macro_f1"] for run in own])
                for task in own[0]["validation"][view]
            )
            for view in views
        ]
        mean = _spread([run["mean"] for run in own])
        seconds = np.mean([run["seconds"] for run in own])
        lines.append(f"| {name} ({len(own)}) | {' | '.join(cells)} | {mean} | {seconds:.0f} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    mean = f"{100 * np.mean(values):.1f}"
    return f"{mean} ± {100 * np.std(values, ddof=1):.1f}" if len(values) > 1 else mean


def _run(
    train: EpochExamples,
    validation: Mapping[str, Sequence[Example]],
    config: TrainingConfig,
    threads: int | None,
) -> dict[str, Any]:
    """Returns the figures of one run, and the seconds that its steps took.

    Of one thread its own time is taken, which other processes do not lengthen.
    """
    import torch

    from stance.model.encoder import find_base
    from stance.model.trainer import Trainer
    from stance.training.data import TASKS

    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    run = Trainer(find_base(config.base or None), dict(TASKS), config, train, validation)
    clock = time.thread_time if threads == 1 else time.monotonic
    started, step = clock(), 0
    for epoch in range(config.epochs):
        windows, batches = run.start_epoch(epoch)
        for rows in batches:
            run.step(windows, rows, step)
            step += 1
    seconds = clock() - started
    with run.as_kept():
        figures, _ = run.measure()
    every = [one["macro_f1"] for tasks in figures.values() for one in tasks.values()]
    return {"mean": float(np.mean(every)), "seconds": round(seconds, 1), "validation": figures}


def _variants(given: Sequence[str], config: TrainingConfig) -> dict[str, TrainingConfig]:
    from stance.model.settings import parse_changes

    found: dict[str, TrainingConfig] = {}
    for text in given:
        name, _, settings = text.partition(":")
        if not name or name in found:
            raise ValueError(f"a variant needs a name of its own before its settings: {text!r}")
        try:
            changes = parse_changes(settings.split(",") if settings else [])
        except ValueError:
            raise ValueError(f"a variant is NAME or NAME:SETTING=VALUE,..., not {text!r}") from None
        if fixed := sorted(set(changes) & set(_FIXED)):
            raise ValueError(f"variant {name!r} cannot change {', '.join(fixed)}")
        found[name] = config.updated(changes)
    return found


def _fingerprint(
    train: Sequence[Example],
    validation: Mapping[str, Sequence[Example]],
    data_settings: Mapping[str, Any],
) -> str:
    sets = {name: [asdict(one) for one in examples] for name, examples in validation.items()}
    content = [[asdict(one) for one in train], sets, dict(data_settings)]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> list[dict[str, Any]]:
    """Returns the runs that an earlier call wrote."""
    if not path.is_file():
        return []
    try:
        runs = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for run in runs:
            _ = run["key"]["name"], run["mean"], run["seconds"], run["validation"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is no file of this script: {error!r}") from error
    return runs


def _write(path: Path, runs: Sequence[Mapping[str, Any]]) -> None:
    """Writes all runs to a new file that takes the old one's place, so that none is cut off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.new")
    beside.write_text("".join(json.dumps(run) + "\n" for run in runs), "utf-8")
    os.replace(beside, path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ablate", description="Measures changes of the training settings over several seeds."
    )
    parser.add_argument(
        "variants",
        nargs="+",
        metavar="NAME[:SETTING=VALUE,...]",
        help="what to train: a name, and the settings that it changes",
    )
    add_training_arguments(parser)
    parser.add_argument(
        "--rows", type=int, default=4000, help="training rows (default: 4000; 0 for all)"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="default: 0 1 2")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/ablation.jsonl"),
        help="JSONL file of the runs (default: runs/ablation.jsonl)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
