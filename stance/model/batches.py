"""Labelled quotes as tensors, and batches of similar length in random order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from stance.model.examples import Example
from stance.model.inputs import EncodedWindow, InputEncoder, replace_quote
from stance.model.settings import TrainingConfig

# Stands for "this row has no label for this task"; cross_entropy leaves such rows out.
NO_LABEL: Final = -100
# Batches are cut from stretches of this many batches, sorted by length: little padding, and chance
# enough.
_STRETCH: Final = 50


@dataclass(slots=True)
class EncodedExamples:
    """Examples as the network sees them: alone, with context where there is one, and targets."""

    bare: list[EncodedWindow]
    full: list[EncodedWindow]
    targets: dict[str, Tensor]
    weights: Tensor


def encode_examples(
    examples: Sequence[Example], tasks: Mapping[str, Sequence[str]], inputs: InputEncoder
) -> EncodedExamples:
    """Tokenizes examples and turns their labels into class indices.

    Raises:
        ValueError: A label is none of its task's.
    """
    texts = [example.text for example in examples]
    contexts = [replace_quote(example.context, example.text) for example in examples]
    targets: dict[str, Tensor] = {}
    for task, names in tasks.items():
        index = {name: position for position, name in enumerate(names)}
        values = []
        for row, example in enumerate(examples):
            label = example.labels.get(task)
            if label is not None and label not in index:
                raise ValueError(
                    f"example {row}: {label!r} is no label of task {task!r}: {list(names)}"
                )
            values.append(NO_LABEL if label is None else index[label])
        targets[task] = torch.tensor(values)
    return EncodedExamples(
        bare=_first_windows(inputs.encode(texts, [""] * len(texts)), len(texts)),
        full=_first_windows(inputs.encode(texts, contexts), len(texts)),
        targets=targets,
        weights=torch.tensor([example.weight for example in examples], dtype=torch.float32),
    )


def _first_windows(windows: list[EncodedWindow], rows: int) -> list[EncodedWindow]:
    """Keeps a text's first window: in training, a very long quote counts by its beginning."""
    first: dict[int, EncodedWindow] = {}
    for window in windows:
        first.setdefault(window.row, window)
    return [first[row] for row in range(rows)]


def training_batches(
    windows: Sequence[EncodedWindow], config: TrainingConfig, epoch: int
) -> list[list[int]]:
    """Returns batches of similar length in random order, the same for the same seed and epoch."""
    generator = np.random.default_rng((config.seed, epoch, 2))
    order = generator.permutation(len(windows)).tolist()
    size = config.batch_size
    batches: list[list[int]] = []
    for start in range(0, len(order), size * _STRETCH):
        stretch = sorted(order[start : start + size * _STRETCH], key=lambda r: len(windows[r].ids))
        batches += [stretch[first : first + size] for first in range(0, len(stretch), size)]
    return [batches[position] for position in generator.permutation(len(batches))]


def class_weights(
    targets: Mapping[str, Tensor], tasks: Mapping[str, Sequence[str]], power: float
) -> dict[str, Tensor | None]:
    """Returns a weight for each class, (classes,), with mean 1 over the rows; None for power 0.

    Args:
        targets: Task to class indices, (rows,).
        tasks: Task to labels.
        power: Classes weigh as their inverse frequency to this power.
    """
    if not power:
        return dict.fromkeys(tasks)
    weights: dict[str, Tensor | None] = {}
    for task, names in tasks.items():
        known = targets[task][targets[task] != NO_LABEL]
        counts = torch.bincount(known, minlength=len(names)).clamp_min(1).float()
        raw = (counts.sum() / counts) ** power
        weights[task] = raw / (raw * counts).sum() * counts.sum()
    return weights
