"""One training run's moving parts: steps, validation, the best weights so far, snapshots."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from stance.model.batches import (
    class_weights,
    encode_examples,
    pad,
    passes_of,
    spans_of,
    training_batches,
)
from stance.model.calibration import Calibration
from stance.model.encoder import Base, build_encoder, load_tokenizer
from stance.model.engine_torch import cpu_computes_bf16
from stance.model.examples import Example
from stance.model.initial import load_layers
from stance.model.inputs import EncodedWindow, InputEncoder
from stance.model.losses import Objective, Outputs
from stance.model.network import StanceNetwork
from stance.model.optimise import WeightMean, build_optimizer, rate_factor, worst_case
from stance.model.settings import TrainingConfig
from stance.model.spans import SPAN_HEAD, SPAN_LABELS
from stance.model.validation import Validation


class EpochSource(Protocol):
    """Gives the examples of each epoch: the same ones each time, about as many for each epoch."""

    @property
    def examples(self) -> Sequence[Example]:
        """All examples, as they are before an epoch chooses or changes some."""

    def __call__(self, epoch: int) -> Sequence[Example]:
        """Returns the examples of an epoch, counted from 0."""


TrainingExamples = Sequence[Example] | EpochSource


def all_examples(train: TrainingExamples) -> Sequence[Example]:
    """Returns every example of a training, whichever epoch shows it."""
    return train if isinstance(train, Sequence) else train.examples


def epoch_examples(train: TrainingExamples, epoch: int) -> Sequence[Example]:
    """Returns the examples of an epoch, counted from 0.

    Raises:
        ValueError: There are none.
    """
    found = train if isinstance(train, Sequence) else train(epoch)
    if not found:
        where = "" if isinstance(train, Sequence) else f" in epoch {epoch + 1}"
        raise ValueError(f"no examples to train on{where}")
    return found


@dataclass(slots=True)
class RunState:
    """Where a run stands."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best_score: float = -1.0
    best_epoch: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


class Trainer:
    """The moving parts of one run.

    Args:
        base: The encoder to start from.
        tasks: Task to labels, in the order of classes.
        config: Settings.
        train: The examples, or what gives those of each epoch. Weights of classes and the number of
            steps are taken from the first epoch.
        validation: Named sets of examples.

    Attributes:
        train: The examples of the epoch that was started last, encoded.

    Raises:
        ValueError: No examples, a label that its task does not have, or a weight of an unknown
            task.
    """

    def __init__(
        self,
        base: Base,
        tasks: dict[str, tuple[str, ...]],
        config: TrainingConfig,
        train: TrainingExamples,
        validation: Mapping[str, Sequence[Example]],
    ) -> None:
        if unknown := sorted(set(config.task_weights or {}) - set(tasks)):
            raise ValueError(f"task_weights names {unknown}, but the tasks are {list(tasks)}")
        self.base, self.tasks, self.config = base, tasks, config
        encoder = build_encoder(
            base, dropout=config.hidden_dropout, attention_dropout=config.attention_dropout
        )
        self.init_sha256 = load_layers(encoder, config.init) if config.init else None
        limit = min(config.max_length, int(encoder.max_tokens))  # type: ignore[arg-type]
        self.inputs = InputEncoder(load_tokenizer(base), limit)
        self._given, self._encoded_epoch = train, 0
        self.train = encode_examples(epoch_examples(train, 0), tasks, self.inputs)
        # Users' own labels have no spans: then there is nothing for a token head to learn.
        with_spans = config.token_weight > 0 and bool(spans_of(all_examples(train)))
        self.token_heads: dict[str, tuple[str, ...]] = (
            {SPAN_HEAD: SPAN_LABELS} if with_spans else {}
        )
        self.network = StanceNetwork(encoder, tasks, config.dropout, self.token_heads)
        if config.freeze_embeddings:
            _freeze_embeddings(encoder)
        self.trainable = {
            name: parameter
            for name, parameter in self.network.named_parameters()
            if parameter.requires_grad
        }
        self.validation = Validation(validation, tasks, self.inputs)
        balance = class_weights(self.train.targets, tasks, config.class_balance)
        self.objective = Objective(self.train, balance, config)
        self.optimizer = build_optimizer(self.network, config)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.mean = WeightMean(self.trainable, config.ema_decay) if config.ema_decay else None
        self.total_steps = len(self.batches(self.train.full, 0)) * config.epochs
        self.bf16 = config.precision == "bf16" or (
            config.precision == "auto" and cpu_computes_bf16()
        )

    def start_epoch(self, epoch: int) -> tuple[list[EncodedWindow], list[list[int]]]:
        """Takes the examples of an epoch, which ``train`` then holds.

        Returns:
            How each is shown, and the rows of each step.

        Raises:
            ValueError: The epoch has no examples.
        """
        if not isinstance(self._given, Sequence) and epoch != self._encoded_epoch:
            shown = epoch_examples(self._given, epoch)
            self.train = encode_examples(shown, self.tasks, self.inputs)
            self.objective.data, self._encoded_epoch = self.train, epoch
        windows = self.epoch_windows(epoch)
        return windows, self.batches(windows, epoch)

    def epoch_windows(self, epoch: int) -> list[EncodedWindow]:
        """Chooses, for each example, whether this epoch shows its context."""
        chance = np.random.default_rng((self.config.seed, epoch, 1)).random(len(self.train.bare))
        return [
            bare if chance[row] < self.config.context_dropout else full
            for row, (bare, full) in enumerate(zip(self.train.bare, self.train.full, strict=True))
        ]

    def batches(self, windows: list[EncodedWindow], epoch: int) -> list[list[int]]:
        """Returns the rows of each step of an epoch."""
        return training_batches(windows, self.config, epoch, self.train.groups)

    def step(self, windows: list[EncodedWindow], rows: list[int], step: int) -> float:
        """Learns from one batch and returns its loss.

        Raises:
            ValueError: The loss is no longer a number.
        """
        factor = rate_factor(step, self.total_steps, self.config.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * factor
        self.network.train()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self._backward(windows, rows)
        if not math.isfinite(loss):
            raise ValueError(
                f"the loss is {loss} at step {step + 1}: lower learning_rate "
                f"({self.config.learning_rate:g}), or the weights of rows"
            )
        if self.config.adversarial:
            # The gradient at the worst neighbour is added to the plain one.
            with worst_case(self.trainable, self.config.adversarial):
                self._backward(windows, rows)
        if self.config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.trainable.values(), self.config.gradient_clip)
        self.optimizer.step()
        if self.mean is not None:
            self.mean.update(self.trainable)
        return loss

    def _backward(self, windows: list[EncodedWindow], rows: list[int]) -> float:
        """Adds the gradient of a step's loss, pass by pass, and returns the loss."""
        norms = self.objective.norms(rows)
        total = 0.0
        for chosen in passes_of(windows, rows, self.config.pass_tokens):
            shown = [windows[row] for row in chosen]
            ids, type_ids, mask = pad(shown, self.inputs.pad_id, self.inputs.max_length)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
                outputs = [
                    Outputs(*self.network.read(ids, type_ids, mask))
                    for _ in range(2 if self.config.r_drop else 1)
                ]
            loss = self.objective(outputs, chosen, shown, norms)
            loss.backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach())
        return total

    def close_epoch(self, state: RunState, batches: int, seconds: float) -> dict[str, Any]:
        """Validates, keeps the weights if they are the best so far, and moves to the next epoch."""
        state.epoch += 1
        record: dict[str, Any] = {
            "epoch": state.epoch,
            "step": state.step,
            "loss": state.loss_sum / max(batches, 1),
            "seconds": round(seconds, 1),
        }
        state.batch, state.loss_sum = 0, 0.0
        with self.as_kept():
            score = 1.0
            if self.validation.sets:
                figures, spans = self.measure()
                score = _score(figures, self.config)
                record |= {"score": score, "validation": figures}
                if spans:
                    record["spans"] = spans
            if not self.validation.sets or score > state.best_score:
                state.best_score, state.best_epoch = score, state.epoch
                state.best = {name: one.detach().clone() for name, one in self.trainable.items()}
        state.history.append(record)
        return record

    def measure(self) -> tuple[dict[str, dict[str, dict[str, float]]], dict[str, Any]]:
        """Returns the validation figures of labels and of spans, in the arithmetic of training."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            return (
                self.validation.measure(self.network),
                self.validation.measure_spans(self.network),
            )

    @contextmanager
    def as_kept(self) -> Iterator[None]:
        """Puts in the weights that an epoch is judged by, for the time of a ``with`` block."""
        if self.mean is None:
            yield
            return
        current = {name: one.detach().clone() for name, one in self.trainable.items()}
        self._put(self.mean.value)
        try:
            yield
        finally:
            self._put(current)

    def finish(self, state: RunState) -> tuple[Calibration, dict[str, dict[str, dict[str, float]]]]:
        """Puts the kept weights in, rounded as they will be saved, calibrates and measures them.

        Returns:
            Temperatures and label sets, and the figures of ``measure``.
        """
        self._put({name: value.half().float() for name, value in state.best.items()})
        self.network.eval().requires_grad_(False)
        return self.validation.calibrate(self.network), self.validation.measure(self.network)

    def snapshot(self, state: RunState, fingerprint: str) -> dict[str, Any]:
        """Returns everything that the rest of the run depends on."""
        return {
            "fingerprint": fingerprint,
            "state": {name: getattr(state, name) for name in RunState.__slots__},
            "weights": {name: value.detach() for name, value in self.trainable.items()},
            "optimizer": self.optimizer.state_dict(),
            "mean": None if self.mean is None else [self.mean.updates, self.mean.value],
            "rng": torch.get_rng_state(),
        }

    def restore(self, saved: dict[str, Any], state: RunState) -> None:
        """Puts a snapshot back."""
        for name in RunState.__slots__:
            setattr(state, name, saved["state"][name])
        self._put(saved["weights"])
        self.optimizer.load_state_dict(saved["optimizer"])
        if self.mean is not None:
            self.mean.updates, self.mean.value = saved["mean"]
        torch.set_rng_state(saved["rng"])

    def _put(self, values: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self.trainable.items():
                parameter.copy_(values[name])


def _freeze_embeddings(encoder: torch.nn.Module) -> None:
    # Segment embeddings stay trainable: the default base never saw a second segment.
    for name, parameter in encoder.named_parameters():
        if "word_embeddings" in name or "position_embeddings" in name or "tok_embeddings" in name:
            parameter.requires_grad_(False)


def _score(
    figures: Mapping[str, Mapping[str, Mapping[str, float]]], config: TrainingConfig
) -> float:
    """Returns the mean over sets of the task-weighted macro-F1: what chooses the kept epoch."""
    scores = []
    for tasks in figures.values():
        total = sum(config.task_weight(task) for task in tasks)
        if total > 0:
            weighted = (config.task_weight(task) * tasks[task]["macro_f1"] for task in tasks)
            scores.append(sum(weighted) / total)
    return float(np.mean(scores)) if scores else 0.0
