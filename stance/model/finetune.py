"""Trains encoder and heads on labelled quotes, for the released weights and for users alike.

AdamW with linear warm-up and decay on batches of similar length; validation after each epoch
chooses the weights that are kept; these are rounded to the half precision they are saved in before
they are measured and calibrated, so that the figures are those of the saved model. A run can go on
from its checkpoint and then ends as it would have without the stop.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from stance.model.checkpoint import load_checkpoint, save_checkpoint
from stance.model.encoder import Base, find_base
from stance.model.examples import Example
from stance.model.network import check_tasks
from stance.model.settings import TrainingConfig
from stance.model.storage import StoredModel
from stance.model.trainer import (
    RunState,
    Trainer,
    TrainingExamples,
    all_examples,
    epoch_examples,
)

__all__ = ["Example", "TrainingConfig", "finetune"]

logger = logging.getLogger(__name__)


def finetune(
    train: TrainingExamples,
    validation: Mapping[str, Sequence[Example]],
    tasks: Mapping[str, Sequence[str]],
    config: TrainingConfig | None = None,
    *,
    checkpoint: Path | None = None,
    resume: bool = False,
    log: Path | None = None,
    progress: bool = False,
) -> StoredModel:
    """Fine-tunes the base encoder and new heads.

    Args:
        train: Examples to learn from, or what gives those of each epoch.
        validation: Named sets that choose the epoch to keep and fit the temperatures, each with
            equal say, and give the scores of label sets; empty to keep the last epoch,
            uncalibrated.
        tasks: Task to labels, in the order of classes.
        config: Settings; the defaults for None.
        checkpoint: Where to keep the run's state while it lasts; None to keep none.
        resume: Whether to go on from ``checkpoint`` where that file exists.
        log: JSONL file with one line an epoch, or None.
        progress: Whether to show a progress bar on standard error.

    Returns:
        The trained model, in evaluation mode and with the facts of its training, ready to be
        saved. A validation set that holds contexts has a second entry in the facts,
        "NAME, quote alone".

    Raises:
        ValueError: No examples, a label that its task does not have, a weight of an unknown task, a
            checkpoint of another run, or a loss that is no longer a number.
    """
    started = time.monotonic()
    config = config or TrainingConfig()
    labels = {task: tuple(names) for task, names in tasks.items()}
    check_tasks(labels)
    first, every = epoch_examples(train, 0), all_examples(train)
    base = find_base(config.base or None)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        run = Trainer(base, labels, config, train, validation)
        state = RunState()
        seen = every if every is first else [*every, *first]
        fingerprint = _fingerprint(config, base, run.init_sha256, labels, seen)
        if resume and checkpoint is not None and checkpoint.is_file():
            run.restore(load_checkpoint(checkpoint, fingerprint), state)
            logger.info("resumed at epoch %d, batch %d", state.epoch + 1, state.batch)
        _train(run, state, checkpoint, fingerprint, log, progress)
    calibration, figures = run.finish(state)
    model = StoredModel(
        base=base,
        weights=run.network,
        inputs=run.inputs,
        tasks=labels,
        temperatures=calibration.temperatures,
        label_sets=calibration.label_sets,
        training={
            # The folder of whoever trained it says nothing to others; the hash below does.
            "config": {**asdict(config), "init": Path(config.init).name if config.init else ""},
            "rows": len(every),
            "rows_an_epoch": len(first),
            "best_epoch": state.best_epoch,
            "validation": figures,
            **({"spans": spans} if (spans := run.validation.measure_spans(run.network)) else {}),
            **({"init_sha256": run.init_sha256} if run.init_sha256 else {}),
            "seconds": round(time.monotonic() - started, 1),
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "precision": "bf16" if run.bf16 else "fp32",
            "threads": torch.get_num_threads(),
            "versions": library_versions(),
        },
        history=state.history,
        token_heads=run.token_heads,
    )
    if checkpoint is not None:
        checkpoint.unlink(missing_ok=True)
    return model


def _train(
    run: Trainer,
    state: RunState,
    checkpoint: Path | None,
    fingerprint: str,
    log: Path | None,
    progress: bool,
) -> None:
    from tqdm import tqdm

    config = run.config
    rows = config.epochs * len(run.train.bare)
    with tqdm(
        total=rows,
        initial=min(state.step * config.batch_size, rows),
        unit="quote",
        desc="train",
        disable=not progress,
    ) as bar:
        while state.epoch < config.epochs and not _is_over(state, config):
            epoch_started = time.monotonic()
            windows, batches = run.start_epoch(state.epoch)
            while state.batch < len(batches):
                batch = batches[state.batch]
                loss = run.step(windows, batch, state.step)
                state.loss_sum += loss
                state.batch += 1
                state.step += 1
                bar.update(len(batch))
                steps = config.checkpoint_steps
                if checkpoint is not None and steps and state.step % steps == 0:
                    save_checkpoint(checkpoint, run.snapshot(state, fingerprint))
            record = run.close_epoch(state, len(batches), time.monotonic() - epoch_started)
            bar.set_postfix(loss=f"{record['loss']:.3f}", score=f"{record.get('score', 0):.3f}")
            if log is not None:
                _write_log(log, state.history)
            if checkpoint is not None:
                save_checkpoint(checkpoint, run.snapshot(state, fingerprint))


def _is_over(state: RunState, config: TrainingConfig) -> bool:
    return 0 < config.patience <= state.epoch - state.best_epoch


def library_versions() -> dict[str, str]:
    """Returns the versions of Python and of the libraries that decide what training gives."""
    found = {"python": platform.python_version()}
    for name in ("stance-quotes", "torch", "tokenizers", "safetensors", "numpy", "scikit-learn"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _fingerprint(
    config: TrainingConfig,
    base: Base,
    init_sha256: str | None,
    tasks: Mapping[str, Sequence[str]],
    examples: Sequence[Example],
) -> str:
    digest = hashlib.sha256()
    # How often the state is saved changes nothing that is learned.
    settings = {key: value for key, value in asdict(config).items() if key != "checkpoint_steps"}
    digest.update(
        json.dumps([settings, base.sha256, init_sha256, dict(tasks)], sort_keys=True).encode()
    )
    for example in examples:
        digest.update(json.dumps(asdict(example), sort_keys=True).encode())
    return digest.hexdigest()


def _write_log(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in history), "utf-8")
