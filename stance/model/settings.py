"""The settings of a training run: one dataclass, read from TOML, overridden field by field."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

PRECISIONS: Final = ("auto", "fp32", "bf16")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides a training run besides its data.

    Attributes:
        base: Folder or hub id of the base encoder; "" for the default one.
        max_length: Most tokens of quote and context together.
        epochs: Passes over the training data, at least 1.
        batch_size: Rows a step.
        learning_rate: Peak rate of the encoder's top layer.
        head_learning_rate: Peak rate of the heads.
        layer_decay: Each lower layer learns this many times slower than the one above; 1 for none.
        warmup: Share of all steps over which the rate rises, 0..1; then it falls linearly to 0.
        weight_decay: Decoupled weight decay of matrices.
        dropout: Share of pooled features dropped before the heads, 0..1.
        hidden_dropout: Share of hidden units dropped in the encoder, 0..1.
        attention_dropout: Share of attention weights dropped, 0..1.
        context_dropout: Share of contexts left out in each epoch, 0..1, so that bare quotes are
            learned too; 1 trains without contexts.
        label_smoothing: Share of the target spread over all labels, 0..1.
        class_balance: Weights of classes are their inverse frequency to this power; 0 for none.
        r_drop: Weight of the divergence between two dropout passes; 0 for one pass.
            Source: Liang et al. 2021, https://arxiv.org/abs/2106.14448.
        ema_decay: Decay a step of a running mean of the weights, which is then what is validated
            and kept; 0 for none.
        task_weights: Weight of a task in the loss and in the choice of the best epoch; 1 where
            none is given.
        freeze_embeddings: Whether word and position embeddings stay as they are. They are half of
            the parameters, and then need not be saved.
        gradient_clip: Largest norm of the gradient; 0 for no limit.
        patience: Stop after this many epochs without a better validation score; 0 for never.
        precision: "bf16" or "fp32" arithmetic; "auto" takes bf16 where the CPU computes in it.
        checkpoint_steps: Steps between two checkpoints; 0 for one an epoch.
        seed: Seed of every random choice.
    """

    base: str = ""
    max_length: int = 256
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float = 2e-4
    head_learning_rate: float = 1e-3
    layer_decay: float = 0.9
    warmup: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.1
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.0
    context_dropout: float = 0.5
    label_smoothing: float = 0.0
    class_balance: float = 0.0
    r_drop: float = 0.0
    ema_decay: float = 0.0
    task_weights: Mapping[str, float] | None = None
    freeze_embeddings: bool = True
    gradient_clip: float = 1.0
    patience: int = 0
    precision: str = "auto"
    checkpoint_steps: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_types(self)
        for name in ("epochs", "batch_size"):
            _check(self, name, getattr(self, name) >= 1, "at least 1")
        for name in ("patience", "checkpoint_steps", "seed", "gradient_clip", "weight_decay"):
            _check(self, name, getattr(self, name) >= 0, "0 or more")
        for name in ("class_balance", "r_drop"):
            _check(self, name, getattr(self, name) >= 0, "0 or more")
        for name in ("learning_rate", "head_learning_rate"):
            _check(self, name, 0 < getattr(self, name) <= 0.1, "above 0 and at most 0.1")
        for name in ("dropout", "hidden_dropout", "attention_dropout", "label_smoothing"):
            _check(self, name, 0 <= getattr(self, name) < 1, "in [0, 1)")
        for name in ("warmup", "context_dropout"):
            _check(self, name, 0 <= getattr(self, name) <= 1, "in [0, 1]")
        _check(self, "ema_decay", 0 <= self.ema_decay < 1, "in [0, 1)")
        _check(self, "layer_decay", 0 < self.layer_decay <= 1, "in (0, 1]")
        _check(self, "max_length", self.max_length >= 16, "at least 16")
        _check(self, "precision", self.precision in PRECISIONS, f"one of {list(PRECISIONS)}")
        for task, weight in (self.task_weights or {}).items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
                raise ValueError(f"task_weights[{task!r}] must be 0 or more, not {weight!r}")

    def task_weight(self, task: str) -> float:
        """Returns the weight of a task, 1 where none is set."""
        return float((self.task_weights or {}).get(task, 1.0))

    def updated(self, overrides: Mapping[str, Any]) -> TrainingConfig:
        """Returns a copy with some fields changed.

        Raises:
            ValueError: A name is no field, or a value is not allowed.
        """
        known = {field.name for field in fields(self)}
        for name in overrides:
            if name not in known:
                raise ValueError(f"unknown training setting {name!r}; known are {sorted(known)}")
        return replace(self, **overrides)


def read_toml(path: Path) -> dict[str, Any]:
    """Returns the content of a TOML file.

    Raises:
        ValueError: The file cannot be read, or is no TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with path.open("rb") as file:
            content: dict[str, Any] = tomllib.load(file)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from error
    return content


def _check(config: TrainingConfig, name: str, passed: bool, allowed: str) -> None:
    if not passed:
        raise ValueError(f"{name} must be {allowed}, not {getattr(config, name)!r}")


def _check_types(config: TrainingConfig) -> None:
    kinds: dict[str, tuple[type, ...]] = {
        "int": (int,),
        "float": (int, float),
        "bool": (bool,),
        "str": (str,),
        "Mapping[str, float] | None": (Mapping, type(None)),
    }
    for field in fields(config):
        value = getattr(config, field.name)
        allowed = kinds[str(field.type)]
        # bool is an int to isinstance, but "epochs = true" is a mistake.
        wrong_bool = isinstance(value, bool) and bool not in allowed
        if wrong_bool or not isinstance(value, allowed):
            raise ValueError(f"{field.name} must be of type {field.type}, not {value!r}")
