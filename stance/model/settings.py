"""The settings of a training run: one dataclass, read from TOML, overridden field by field."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

PRECISIONS: Final = ("auto", "fp32", "bf16")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that decides a training run besides its data.

    Attributes:
        base: Folder or hub id of the base encoder; "" for the default one.
        init: safetensors file, or a folder that holds one, whose encoder layers replace the base's
            at the start; "" for none. The trained model still loads with ``base``.
        max_length: Most tokens of quote and context together.
        epochs: Passes over the training data, or over what is shown of it at a time; at least 1.
        batch_size: Rows a step.
        pass_tokens: Most tokens, padding counted, that go through the network at once; a step of
            more is cut into passes whose gradients add up. Bounds memory; 0 for no limit.
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
        token_weight: Weight of the loss of the token head that finds condition and outcome, beside
            that of the tasks; 0, or examples without spans, for no such head.
        teacher_weight: Share of a teacher's probabilities in the loss, 0..1, the rest being the
            labels'; only rows that have such probabilities are touched.
        teacher_temperature: Softens teacher and student alike; 1 for as they are.
            Source: Hinton et al. 2015, https://arxiv.org/abs/1503.02531.
        group_batches: Whether the examples of one group (a quote and its minimal edits) share a
            batch, so that one step sees what tells them apart.
        adversarial: Size of a worst-case change of the weights, as a share of their norm, under
            which a second pass of each step learns; 0 for none. Doubles the time.
            Source: Wu et al. 2020, https://arxiv.org/abs/2004.05884.
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
    init: str = ""
    max_length: int = 256
    epochs: int = 5
    batch_size: int = 32
    pass_tokens: int = 2048
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
    token_weight: float = 0.5
    teacher_weight: float = 0.7
    teacher_temperature: float = 1.0
    group_batches: bool = False
    adversarial: float = 0.0
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
            _check(self, name, is_finite_weight(getattr(self, name)), "0 or more")
        for name in ("class_balance", "r_drop", "token_weight", "pass_tokens"):
            _check(self, name, is_finite_weight(getattr(self, name)), "0 or more")
        for name in ("learning_rate", "head_learning_rate"):
            _check(self, name, 0 < getattr(self, name) <= 0.1, "above 0 and at most 0.1")
        for name in ("dropout", "hidden_dropout", "attention_dropout", "label_smoothing"):
            _check(self, name, 0 <= getattr(self, name) < 1, "in [0, 1)")
        for name in ("warmup", "context_dropout", "teacher_weight"):
            _check(self, name, 0 <= getattr(self, name) <= 1, "in [0, 1]")
        _check(self, "ema_decay", 0 <= self.ema_decay < 1, "in [0, 1)")
        _check(self, "adversarial", 0 <= self.adversarial < 1, "in [0, 1)")
        _check(self, "teacher_temperature", 0 < self.teacher_temperature <= 20, "in (0, 20]")
        _check(self, "layer_decay", 0 < self.layer_decay <= 1, "in (0, 1]")
        _check(self, "max_length", self.max_length >= 16, "at least 16")
        _check(self, "precision", self.precision in PRECISIONS, f"one of {list(PRECISIONS)}")
        for task, weight in (self.task_weights or {}).items():
            if not is_finite_weight(weight):
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


def is_finite_weight(value: object) -> bool:
    """Tells whether a value is a finite number of at least 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < math.inf  # type: ignore[operator]


def parse_changes(changes: Sequence[str]) -> dict[str, Any]:
    """Returns the settings that a command line changes by ``--set NAME=VALUE``.

    Numbers, true and false are read as in JSON; anything else is a string.

    Raises:
        ValueError: One of them has no "=".
    """
    parsed: dict[str, Any] = {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise ValueError(f"--set needs NAME=VALUE, not {change!r}")
        try:
            parsed[name.strip()] = json.loads(value)
        except json.JSONDecodeError:
            parsed[name.strip()] = value
    return parsed


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
