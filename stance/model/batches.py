"""Labelled quotes as tensors, and batches of similar length in random order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import torch
from torch import Tensor

from stance.model.examples import Example
from stance.model.inputs import EncodedWindow, InputEncoder, replace_quote
from stance.model.settings import TrainingConfig
from stance.model.spans import Spans, find_spans

# Stands for "this row has no label for this task"; cross_entropy leaves such rows out.
NO_LABEL: Final = -100
# Batches are cut from stretches of this many batches, sorted by length: little padding, and chance
# enough.
_STRETCH: Final = 50
# Rows are padded to a multiple of this. oneDNN prepares and keeps a kernel for each shape it meets;
# fewer shapes take less memory and less time to prepare.
_WIDTH_STEP: Final = 16


@dataclass(slots=True)
class EncodedExamples:
    """Examples as the network sees them.

    Attributes:
        bare: The quotes alone.
        full: The quotes with their contexts, where they have one.
        targets: Task to class indices, (rows,); ``NO_LABEL`` where there is none.
        weights: Weight of each row in the loss, (rows,).
        texts: The quotes as given.
        spans: Condition and outcome of the rows that have them; their windows have offsets.
        groups: The group of each row, "" for none.
        teacher: Task to a teacher's probabilities, (rows, classes), and which rows have them,
            (rows,).
    """

    bare: list[EncodedWindow]
    full: list[EncodedWindow]
    targets: dict[str, Tensor]
    weights: Tensor
    texts: list[str]
    spans: dict[int, Spans]
    groups: list[str]
    teacher: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)


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
    bare = _first_windows(inputs.encode(texts, [""] * len(texts)), len(texts))
    full = _first_windows(inputs.encode(texts, contexts), len(texts))
    spans = spans_of(examples)
    # Offsets take much more memory than ids, so only the rows that need them get them.
    chosen = list(spans)
    for windows, seconds in ((bare, [""] * len(texts)), (full, contexts)):
        located = inputs.encode(
            [texts[row] for row in chosen], [seconds[row] for row in chosen], with_offsets=True
        )
        for row, window in zip(chosen, _first_windows(located, len(chosen)), strict=True):
            windows[row] = replace(window, row=row)
    return EncodedExamples(
        bare=bare,
        full=full,
        targets=targets,
        weights=torch.tensor([example.weight for example in examples], dtype=torch.float32),
        texts=texts,
        spans=spans,
        groups=[example.group for example in examples],
        teacher=_teacher_of(examples, tasks),
    )


def spans_of(examples: Sequence[Example]) -> dict[int, Spans]:
    """Returns where condition and outcome stand, for the rows whose text holds one of them."""
    found = {
        row: find_spans(example.text, example.condition, example.outcome)
        for row, example in enumerate(examples)
        if example.condition or example.outcome
    }
    return {row: spans for row, spans in found.items() if spans.condition or spans.outcome}


def _teacher_of(
    examples: Sequence[Example], tasks: Mapping[str, Sequence[str]]
) -> dict[str, tuple[Tensor, Tensor]]:
    teacher = {}
    for task, names in tasks.items():
        given = [(example.teacher or {}).get(task) for example in examples]
        if not any(values is not None for values in given):
            continue
        for row, values in enumerate(given):
            if values is not None and len(values) != len(names):
                raise ValueError(
                    f"example {row}: {len(values)} probabilities of a teacher for the "
                    f"{len(names)} labels of task {task!r}"
                )
        uniform = [1 / len(names)] * len(names)
        soft = torch.tensor([uniform if values is None else list(values) for values in given])
        teacher[task] = (soft, torch.tensor([values is not None for values in given]))
    return teacher


def _first_windows(windows: list[EncodedWindow], rows: int) -> list[EncodedWindow]:
    """Keeps a text's first window: in training, a very long quote counts by its beginning."""
    first: dict[int, EncodedWindow] = {}
    for window in windows:
        first.setdefault(window.row, window)
    return [first[row] for row in range(rows)]


def training_batches(
    windows: Sequence[EncodedWindow],
    config: TrainingConfig,
    epoch: int,
    groups: Sequence[str] | None = None,
) -> list[list[int]]:
    """Returns batches of similar length in random order, the same for the same seed and epoch.

    Args:
        windows: The rows as this epoch shows them.
        config: Settings; rows of one group stay together where ``group_batches`` is set.
        epoch: Counted from 0.
        groups: The group of each row, "" for none.
    """
    units = [[row] for row in range(len(windows))]
    if config.group_batches and groups is not None:
        units = _units(groups, config.batch_size)
    generator = np.random.default_rng((config.seed, epoch, 2))
    order = generator.permutation(len(units)).tolist()
    size = config.batch_size
    lengths = [max(len(windows[row].ids) for row in unit) for unit in units]
    batches: list[list[int]] = []
    for start in range(0, len(order), size * _STRETCH):
        stretch = sorted(order[start : start + size * _STRETCH], key=lengths.__getitem__)
        batch: list[int] = []
        for unit in stretch:
            if len(batch) + len(units[unit]) > size:
                batches.append(batch)
                batch = []
            batch = batch + units[unit]
        batches.append(batch)
    return [batches[position] for position in generator.permutation(len(batches))]


def _units(groups: Sequence[str], size: int) -> list[list[int]]:
    """Returns the rows of each group, cut to a batch's size, and every other row by itself."""
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group or f"\0{row}", []).append(row)
    return [
        rows[first : first + size]
        for rows in members.values()
        for first in range(0, len(rows), size)
    ]


def passes_of(windows: Sequence[EncodedWindow], rows: Sequence[int], most: int) -> list[list[int]]:
    """Cuts a step's rows into passes of at most ``most`` tokens, padding counted, 0 for no limit.

    A row longer than that has a pass of its own.
    """
    if not most:
        return [list(rows)]
    passes: list[list[int]] = []
    width = 0
    for row in sorted(rows, key=lambda row: -len(windows[row].ids)):
        # Rows come longest first, so a pass is as wide as its first row.
        if passes and width * (len(passes[-1]) + 1) <= most:
            passes[-1].append(row)
        else:
            passes.append([row])
            width = _width(len(windows[row].ids))
    return passes


def _width(tokens: int) -> int:
    return -(-tokens // _WIDTH_STEP) * _WIDTH_STEP


def pad(
    windows: Sequence[EncodedWindow], pad_id: int, most: int
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Returns ids, type ids and mask of some rows, each (rows, tokens); no mask without padding.

    Args:
        windows: The rows.
        pad_id: Token id that fills them up, to a multiple of 16 tokens where ``most`` allows.
        most: Most tokens that the encoder reads.
    """
    lengths = [len(window.ids) for window in windows]
    width = max(max(lengths), min(_width(max(lengths)), most))
    ids = torch.full((len(windows), width), pad_id, dtype=torch.long)
    type_ids = torch.zeros((len(windows), width), dtype=torch.long)
    for row, window in enumerate(windows):
        ids[row, : lengths[row]] = torch.tensor(window.ids)
        type_ids[row, : lengths[row]] = torch.tensor(window.type_ids)
    if min(lengths) == width:
        return ids, type_ids, None
    return ids, type_ids, torch.arange(width) < torch.tensor(lengths)[:, None]


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
