"""The same training by our trainer and by transformers.Trainer with its defaults.

    python -m benchmarks.training --rows 1500 --epochs 2
    python -m benchmarks.training                         # all of train.jsonl, default settings

Both train the same parameters (word and position embeddings stay as they are) with the same heads,
rows, epochs, batch size, rate and seed; whatever else a trainer decides (order and padding of
batches, arithmetic, optimiser, schedule, which epoch is kept) is its own. Both are measured on the
authored test set, which chooses nothing. Writes ``training.json`` and prints the ratio of seconds
and both macro-F1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.facts import machine_facts
from benchmarks.ways import authored

Rows = list[dict[str, Any]]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs both trainers and writes what they took and reached.

    Returns:
        0, or 2 where ``accelerate``, which transformers.Trainer needs, is not installed.
    """
    import torch

    from stance.model.settings import TrainingConfig

    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--rows", type=int, help="training rows (default: all)")
    parser.add_argument(
        "--validation-rows", type=int, help="validation and test rows (default: all)"
    )
    parser.add_argument("--epochs", type=int, default=TrainingConfig().epochs)
    parser.add_argument("--seeds", type=int, default=3, help="runs of each trainer")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args(argv)
    try:
        arguments.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--output {arguments.output}: {error.strerror}")
    for name in ("rows", "validation_rows", "epochs", "seeds", "threads"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more, not {value}")
    if find_spec("accelerate") is None:
        print("transformers.Trainer needs accelerate: pip install accelerate", file=sys.stderr)
        return 2
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    train = authored("train")[: arguments.rows]
    validation = authored("validation")[: arguments.validation_rows]
    test = authored("test")[: arguments.validation_rows]
    runs: list[dict[str, Any]] = []
    for seed in range(arguments.seeds):
        config = TrainingConfig(epochs=arguments.epochs, seed=seed)
        for name, way in (("stance", by_stance), ("transformers.Trainer", by_trainer)):
            seconds, logits = way(train, validation, test, config)
            run = {"trainer": name, "seed": seed, "seconds": seconds}
            runs.append(run | macro_f1(test, logits))
            print(json.dumps(runs[-1]), flush=True)
    results = {
        "rows": len(train),
        "epochs": arguments.epochs,
        "summary": summary(runs),
        "runs": runs,
        "machine": machine_facts(),
    }
    path = arguments.output / "training.json"
    path.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(json.dumps(results["summary"], indent=1))
    return 0


def by_stance(
    train: Rows, validation: Rows, test: Rows, config: Any
) -> tuple[float, dict[str, Any]]:
    """Returns the seconds of our training and its logits on the test rows.

    The seconds hold what training does: reading rows into tokens, all epochs with their validation,
    and calibration.
    """
    from stance.model.finetune import finetune
    from stance.model.forward import network_logits

    started = time.perf_counter()
    held_out = {"validation": [_example(row) for row in validation]}
    model = finetune([_example(row) for row in train], held_out, _tasks(), config)
    seconds = time.perf_counter() - started
    windows = _windows(model.inputs, test)
    logits, _ = network_logits(model.network, windows, model.inputs.pad_id, model.inputs.max_length)
    return seconds, logits


def by_trainer(
    train: Rows, validation: Rows, test: Rows, config: Any
) -> tuple[float, dict[str, Any]]:
    """Returns the seconds of transformers' training and its logits on the test rows.

    Each epoch is validated, as in ours, and the last one kept, as the defaults have it.
    """
    import torch
    from transformers import Trainer, TrainingArguments

    from stance.model.auto import TransformersEncoder
    from stance.model.batches import NO_LABEL
    from stance.model.encoder import find_base, load_tokenizer
    from stance.model.inputs import InputEncoder
    from stance.model.network import StanceNetwork

    started = time.perf_counter()
    torch.manual_seed(config.seed)
    base, tasks = find_base(), _tasks()
    inputs = InputEncoder(load_tokenizer(base), config.max_length)
    pad_id = inputs.pad_id

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = StanceNetwork(TransformersEncoder(base.folder), tasks, config.dropout)
            embeddings = self.network.encoder.model.embeddings
            for part in (embeddings.word_embeddings, embeddings.position_embeddings):
                part.requires_grad_(not config.freeze_embeddings)

        def forward(
            self, ids: Any, type_ids: Any, mask: Any, stance: Any, sentiment: Any
        ) -> dict[str, Any]:
            logits = self.network(ids, type_ids, mask)
            given = {"stance": stance, "sentiment": sentiment}
            losses = [
                torch.nn.functional.cross_entropy(values, given[task], ignore_index=NO_LABEL)
                for task, values in logits.items()
            ]
            return {"loss": torch.stack(losses).sum(), **logits}

    def items(rows: Rows) -> list[dict[str, Any]]:
        return [
            {
                "ids": window.ids,
                "type_ids": window.type_ids,
                **{
                    task: labels.index(row[task]) if row.get(task) in labels else NO_LABEL
                    for task, labels in tasks.items()
                },
            }
            for window, row in zip(_windows(inputs, rows), rows, strict=True)
        ]

    def collate(batch: list[dict[str, Any]]) -> dict[str, Any]:
        width = max(len(item["ids"]) for item in batch)

        def fill(key: str, value: int) -> Any:
            return torch.tensor([item[key] + [value] * (width - len(item[key])) for item in batch])

        mask = torch.arange(width) < torch.tensor([len(item["ids"]) for item in batch])[:, None]
        labels = {task: torch.tensor([item[task] for item in batch]) for task in tasks}
        return {"ids": fill("ids", pad_id), "type_ids": fill("type_ids", 0), "mask": mask, **labels}

    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            output_dir=folder,
            num_train_epochs=config.epochs,
            per_device_train_batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            seed=config.seed,
            eval_strategy="epoch",
            use_cpu=True,
            report_to=[],
            save_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
            label_names=list(tasks),
        )
        trainer = Trainer(
            model=Network(),
            args=settings,
            train_dataset=items(train),
            eval_dataset=items(validation),
            data_collator=collate,
        )
        trainer.train()
        seconds = time.perf_counter() - started
        found = trainer.predict(items(test)).predictions
    return seconds, dict(zip(tasks, found, strict=True))


def macro_f1(rows: Rows, logits: dict[str, Any]) -> dict[str, float]:
    """Returns each task's macro-F1 over the rows that are labelled, in 0..1."""
    from sklearn.metrics import f1_score

    figures = {}
    for task, labels in _tasks().items():
        kept = [index for index, row in enumerate(rows) if row.get(task) in labels]
        expected = [labels.index(rows[index][task]) for index in kept]
        predicted = logits[task][kept].argmax(axis=1)
        figures[task] = float(f1_score(expected, predicted, average="macro"))
    return figures


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns how many times faster ours is, and both ways' mean figures over the seeds."""
    from statistics import mean, median

    by_name: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        by_name.setdefault(run["trainer"], []).append(run)
    ours, theirs = by_name["stance"], by_name["transformers.Trainer"]
    pairs = zip(ours, theirs, strict=True)
    return {
        "times_faster": median(their["seconds"] / own["seconds"] for own, their in pairs),
        **{
            name: {key: mean(run[key] for run in found) for key in ("seconds", *_tasks())}
            for name, found in by_name.items()
        },
    }


def _tasks() -> dict[str, tuple[str, ...]]:
    from stance.labels import SENTIMENTS, STANCES

    return {"stance": STANCES, "sentiment": SENTIMENTS}


def _example(row: dict[str, Any]) -> Any:
    from stance.model.examples import Example

    labels = {task: row[task] for task in _tasks() if row.get(task)}
    return Example(row["text"], labels, row.get("context", ""))


def _windows(inputs: Any, rows: Rows) -> list[Any]:
    """Returns the first window of each row, with its context where it has one."""
    from stance.model.inputs import replace_quote

    texts = [row["text"] for row in rows]
    contexts = [replace_quote(row.get("context", ""), row["text"]) for row in rows]
    first: dict[int, Any] = {}
    for window in inputs.encode(texts, contexts):
        first.setdefault(window.row, window)
    return [first[index] for index in range(len(rows))]


if __name__ == "__main__":
    sys.exit(main())
