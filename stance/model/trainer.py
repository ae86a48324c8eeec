"""One training run's moving parts: steps, validation, the best weights so far, snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stance.model.batches import NO_LABEL, class_weights, encode_examples
from stance.model.calibration import fit_temperature
from stance.model.encoder import Base, build_encoder, load_tokenizer
from stance.model.examples import Example
from stance.model.inputs import EncodedWindow, InputEncoder
from stance.model.network import StanceNetwork
from stance.model.optimise import WeightMean, build_optimizer, rate_factor
from stance.model.runtime import collate, predict_logits
from stance.model.settings import TrainingConfig


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
    """The moving parts of one run."""

    def __init__(
        self,
        base: Base,
        tasks: dict[str, tuple[str, ...]],
        config: TrainingConfig,
        train: Sequence[Example],
        validation: Mapping[str, Sequence[Example]],
    ) -> None:
        self.base, self.tasks, self.config = base, tasks, config
        encoder = build_encoder(
            base, dropout=config.hidden_dropout, attention_dropout=config.attention_dropout
        )
        limit = min(config.max_length, int(encoder.max_tokens))  # type: ignore[arg-type]
        self.inputs = InputEncoder(load_tokenizer(base), limit)
        self.network = StanceNetwork(encoder, tasks, config.dropout)
        if config.freeze_embeddings:
            _freeze_embeddings(encoder)
        self.trainable = {
            name: parameter
            for name, parameter in self.network.named_parameters()
            if parameter.requires_grad
        }
        self.train = encode_examples(train, tasks, self.inputs)
        self.validation = {
            name: encode_examples(examples, tasks, self.inputs)
            for name, examples in validation.items()
            if examples
        }
        # Quotes come with and without context; where a set has contexts, both ways count.
        self.views = [(name, data, data.full) for name, data in self.validation.items()]
        self.views += [
            (f"{name}, quote alone", data, data.bare)
            for name, data in self.validation.items()
            if any(map(_differ, data.bare, data.full))
        ]
        self.class_weights = class_weights(self.train.targets, tasks, config.class_balance)
        self.optimizer = build_optimizer(self.network, config)
        self.peak_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.mean = WeightMean(self.trainable, config.ema_decay) if config.ema_decay else None
        steps = -(-len(train) // config.batch_size)
        self.total_steps = steps * config.epochs
        self.bf16 = config.precision == "bf16" or (
            config.precision == "auto" and cpu_computes_bf16()
        )

    def epoch_windows(self, epoch: int) -> list[EncodedWindow]:
        """Chooses, for each example, whether this epoch shows its context."""
        chance = np.random.default_rng((self.config.seed, epoch, 1)).random(len(self.train.bare))
        return [
            bare if chance[row] < self.config.context_dropout else full
            for row, (bare, full) in enumerate(zip(self.train.bare, self.train.full, strict=True))
        ]

    def step(self, windows: list[EncodedWindow], rows: list[int], step: int) -> float:
        """Learns from one batch and returns its loss."""
        factor = rate_factor(step, self.total_steps, self.config.warmup)
        for group, peak in zip(self.optimizer.param_groups, self.peak_rates, strict=True):
            group["lr"] = peak * factor
        self.network.train()
        ids, type_ids, mask = collate([windows[row] for row in rows], self.inputs.pad_id)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            logits = self.network(ids, type_ids, mask)
            again = self.network(ids, type_ids, mask) if self.config.r_drop else None
        loss = self._loss(logits, again, rows)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.trainable.values(), self.config.gradient_clip)
        self.optimizer.step()
        if self.mean is not None:
            self.mean.update(self.trainable)
        return float(loss.detach())

    def _loss(
        self, logits: dict[str, Tensor], again: dict[str, Tensor] | None, rows: list[int]
    ) -> Tensor:
        total = torch.zeros(())
        for task, values in logits.items():
            targets = self.train.targets[task][rows]
            weights = self.train.weights[rows] * (targets != NO_LABEL)
            norm = weights.sum().clamp_min(1e-9)
            passes = [values] if again is None else [values, again[task]]
            loss = torch.zeros(())
            for outputs in passes:
                losses = functional.cross_entropy(
                    outputs,
                    targets,
                    self.class_weights[task],
                    ignore_index=NO_LABEL,
                    reduction="none",
                    label_smoothing=self.config.label_smoothing,
                )
                loss = loss + (losses * weights).sum() / norm / len(passes)
            if again is not None:
                first, second = (output.log_softmax(dim=1) for output in passes)
                divergence = functional.kl_div(first, second, reduction="none", log_target=True)
                divergence = divergence + functional.kl_div(
                    second, first, reduction="none", log_target=True
                )
                per_row = divergence.sum(dim=1) / 2
                loss = loss + self.config.r_drop * (per_row * weights).sum() / norm
            total = total + self.config.task_weight(task) * loss
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
        current = {name: value.detach().clone() for name, value in self.trainable.items()}
        if self.mean is not None:
            self._put(self.mean.value)
        score = 1.0
        if self.validation:
            # Only a choice between epochs, so the fast arithmetic of training will do.
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
                figures = self.measure()
            score = _score(figures, self.config)
            record |= {"score": score, "validation": figures}
        if not self.validation or score > state.best_score:
            state.best_score, state.best_epoch = score, state.epoch
            state.best = {name: value.detach().clone() for name, value in self.trainable.items()}
        self._put(current)
        state.history.append(record)
        return record

    def measure(self) -> dict[str, dict[str, dict[str, float]]]:
        """Returns accuracy and macro-F1 of the present weights on each validation set."""
        from sklearn.metrics import f1_score

        figures: dict[str, dict[str, dict[str, float]]] = {}
        for name, data, windows in self.views:
            logits = predict_logits(self.network, windows, self.inputs.pad_id)
            figures[name] = {}
            for task, values in logits.items():
                targets = data.targets[task].numpy()
                known = targets != NO_LABEL
                if not known.any():
                    continue
                predicted = values[known].argmax(axis=1)
                present = np.unique(targets[known])
                figures[name][task] = {
                    "accuracy": float((predicted == targets[known]).mean()),
                    # Over the labels that this set holds: an absent one has no F1.
                    "macro_f1": float(
                        f1_score(targets[known], predicted, labels=present, average="macro")
                    ),
                }
        return figures

    def finish(
        self, state: RunState
    ) -> tuple[dict[str, float], dict[str, dict[str, dict[str, float]]]]:
        """Puts the kept weights in, rounded as they will be saved, calibrates and measures them.

        Returns:
            Task to temperature, and the figures of ``measure``.
        """
        self._put({name: value.half().float() for name, value in state.best.items()})
        self.network.eval().requires_grad_(False)
        temperatures = dict.fromkeys(self.tasks, 1.0)
        if self.validation:
            outputs = [
                (predict_logits(self.network, windows, self.inputs.pad_id), data.targets)
                for _, data, windows in self.views
            ]
            for task in self.tasks:
                logits = np.concatenate([values[task] for values, _ in outputs])
                targets = np.concatenate([known[task].numpy() for _, known in outputs])
                kept = targets != NO_LABEL
                temperatures[task] = fit_temperature(logits[kept], targets[kept])
        return temperatures, self.measure()

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


def cpu_computes_bf16() -> bool:
    """Tells whether this CPU multiplies matrices in bfloat16 (AMX or AVX512-BF16)."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    found = [getattr(torch.cpu, name, None) for name in checks]
    return any(check is not None and bool(check()) for check in found)


def _differ(first: EncodedWindow, second: EncodedWindow) -> bool:
    return first.ids != second.ids


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
