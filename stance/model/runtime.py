"""Reference inference: fp32 torch, batches of similar length, order restored.

Rows are sorted by length and cut into batches by a budget of padded tokens; a row's result does not
depend on its neighbours beyond the rounding of sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from stance.model.inputs import EncodedWindow, InputEncoder
from stance.model.network import StanceNetwork

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Padded tokens in one batch. More gives no speed on a CPU and costs memory.
TOKEN_BUDGET: Final = 4096
# Rows sorted by length together.
_CHUNK: Final = 2048


def length_batches(
    lengths: Sequence[int], batch_size: int, token_budget: int = TOKEN_BUDGET
) -> list[list[int]]:
    """Cuts rows into batches of similar length.

    Args:
        lengths: Tokens of each row.
        batch_size: Most rows in a batch.
        token_budget: Most tokens in a batch, padding counted; a longer row gets its own batch.

    Returns:
        Row indices of each batch, longest rows first; every row once.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    batches: list[list[int]] = []
    for row in order:
        # Rows come longest first, so the batch's first row is what the others are padded to.
        batch = batches[-1] if batches else None
        if (
            batch is not None
            and len(batch) < batch_size
            and lengths[batch[0]] * (len(batch) + 1) <= token_budget
        ):
            batch.append(row)
        else:
            batches.append([row])
    return batches


def collate(windows: Sequence[EncodedWindow], pad_id: int) -> tuple[Tensor, Tensor, Tensor | None]:
    """Returns ids, type ids and mask of a batch, each (batch, tokens); no mask without padding."""
    lengths = [len(window.ids) for window in windows]
    width = max(lengths)
    ids = torch.full((len(windows), width), pad_id, dtype=torch.long)
    type_ids = torch.zeros((len(windows), width), dtype=torch.long)
    for row, window in enumerate(windows):
        ids[row, : lengths[row]] = torch.tensor(window.ids)
        type_ids[row, : lengths[row]] = torch.tensor(window.type_ids)
    if min(lengths) == width:
        return ids, type_ids, None
    return ids, type_ids, torch.arange(width) < torch.tensor(lengths)[:, None]


def predict_logits(
    network: StanceNetwork,
    windows: Sequence[EncodedWindow],
    pad_id: int,
    *,
    batch_size: int = 32,
) -> dict[str, NDArray[np.float32]]:
    """Returns each task's logits, (windows, classes), in the order given.

    Args:
        network: Put into evaluation mode here.
        windows: Encoded rows.
        pad_id: Token id that fills rows up.
        batch_size: Most rows in a batch.
    """
    if network.training:
        network.eval()
    logits = {
        task: np.zeros((len(windows), classes), dtype=np.float32)
        for task, classes in network.class_counts.items()
    }
    with torch.inference_mode():
        for batch in length_batches([len(window.ids) for window in windows], batch_size):
            ids, type_ids, mask = collate([windows[row] for row in batch], pad_id)
            for task, values in network(ids, type_ids, mask).items():
                logits[task][batch] = values.numpy()
    return logits


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Returns probabilities, (rows, classes), each row summing to 1."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def predict_probabilities(
    network: StanceNetwork,
    encoder: InputEncoder,
    texts: Sequence[str],
    contexts: Sequence[str],
    temperatures: Mapping[str, float],
    *,
    batch_size: int = 32,
    progress: bool = False,
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Returns each task's probabilities and the number of windows of each row.

    Args:
        network: The network.
        encoder: Makes its inputs.
        texts: The quotes.
        contexts: Contexts in which the quote is already replaced, "" for none.
        temperatures: Divides each task's logits; 1 where a task is missing.
        batch_size: Most rows in a batch.
        progress: Whether to show a progress bar on standard error.

    Returns:
        Task to (rows, classes): the mean over a row's windows, weighted by their tokens; and the
        number of windows, (rows,).
    """
    from tqdm import tqdm

    result = {
        task: np.zeros((len(texts), classes)) for task, classes in network.class_counts.items()
    }
    counts = np.zeros(len(texts), dtype=np.int64)
    with tqdm(total=len(texts), unit="quote", desc="classify", disable=not progress) as bar:
        # In chunks, so that the memory for token ids does not grow with the number of quotes.
        for start in range(0, len(texts), _CHUNK):
            chunk = slice(start, min(start + _CHUNK, len(texts)))
            size = chunk.stop - chunk.start
            windows = encoder.encode(texts[chunk], contexts[chunk])
            logits = predict_logits(network, windows, encoder.pad_id, batch_size=batch_size)
            rows = np.array([window.row for window in windows], dtype=np.int64)
            weights = np.array([window.weight for window in windows], dtype=np.float64)
            totals = np.bincount(rows, weights, minlength=size)
            counts[chunk] = np.bincount(rows, minlength=size)
            for task, values in logits.items():
                weighted = softmax(values, temperatures.get(task, 1.0)) * weights[:, None]
                np.add.at(result[task][chunk], rows, weighted)
                result[task][chunk] /= totals[:, None]
            bar.update(size)
    return result, counts
