"""The settings of a run that trains the quote tagger."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class QuoteTrainingConfig:
    """Everything that decides a run besides its data.

    Attributes:
        base: Folder or hub id of the base encoder; "" for the default one.
        init: File or folder of encoder layers to start from, such as ``training/pretrain.py``
            writes; "" for the base's own. The tagger then still builds on the base.
        window: Most word pieces read together, the two special tokens included.
        stride: Pieces from one window to the next when an article is read.
        epochs: Passes over the articles, each cut into other windows.
        batch_size: Windows a step.
        learning_rate: Peak rate of the encoder's top layer.
        head_learning_rate: Peak rate of heads and feature embeddings.
        layer_decay: Each lower layer learns this many times slower than the one above.
        frozen_layers: Lowest layers that stay as they are, and need not be saved.
        warmup: Share of all steps over which the rate rises, 0..1.
        weight_decay: Decoupled weight decay of matrices.
        dropout: Share of states dropped before the heads, 0..1.
        hidden_dropout: Share of hidden units dropped in the encoder, 0..1.
        link_weight: Weight of the links' loss beside that of the tags.
        speech_weight: Weight of the loss of "is the cue one of speech".
        ema_decay: Decay a step of the running mean of the weights that is kept; 0 for none.
        gradient_clip: Largest norm of the gradient.
        held_out: Articles of the training file kept for choosing the decision lines, where no
            validation file is given.
        precision: "bf16", "fp32", or "auto" for bf16 where the CPU computes in it.
        seed: Seed of every random choice.
    """

    base: str = ""
    init: str = ""
    window: int = 192
    stride: int = 144
    epochs: int = 4
    batch_size: int = 8
    learning_rate: float = 3e-4
    head_learning_rate: float = 2e-3
    layer_decay: float = 0.95
    frozen_layers: int = 0
    warmup: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.1
    hidden_dropout: float = 0.1
    link_weight: float = 0.3
    speech_weight: float = 0.1
    ema_decay: float = 0.995
    gradient_clip: float = 1.0
    held_out: int = 60
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kind = getattr(self, field.name), str(field.type)
            allowed = {"str": (str,), "int": (int,), "float": (int, float)}[kind]
            if isinstance(value, bool) or not isinstance(value, allowed):
                raise ValueError(f"{field.name} must be of type {kind}, not {value!r}")
            if kind != "str" and not 0 <= value < math.inf:
                raise ValueError(f"{field.name} must be 0 or more, not {value!r}")
        for name in ("epochs", "batch_size", "stride"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)!r}")
        for name in ("warmup", "dropout", "hidden_dropout", "ema_decay"):
            if getattr(self, name) >= 1:
                raise ValueError(f"{name} must be below 1, not {getattr(self, name)!r}")
        if self.window < 16 or self.stride > self.window - 2:
            raise ValueError(
                f"window must be at least 16 and stride at most window - 2, not {self.window} "
                f"and {self.stride}"
            )
        if self.precision not in {"auto", "bf16", "fp32"}:
            raise ValueError(f"precision must be auto, bf16 or fp32, not {self.precision!r}")


def configured(values: Mapping[str, Any]) -> QuoteTrainingConfig:
    """Returns the configuration that some settings make.

    Raises:
        ValueError: A name is no setting, or a value is not allowed.
    """
    known = {field.name for field in fields(QuoteTrainingConfig)}
    if unknown := sorted(set(values) - known):
        raise ValueError(f"unknown settings {unknown}; known are {sorted(known)}")
    return QuoteTrainingConfig(**values)
