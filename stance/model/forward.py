"""Predictions of the torch network itself: what validation is measured on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from stance.model.batches import pad, passes_of
from stance.model.inputs import EncodedWindow
from stance.model.network import StanceNetwork

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Without gradients nothing is kept between layers, so passes may be larger than in training; more
# than this gives no speed on a CPU.
_PASS_TOKENS: Final = 4096


def network_logits(
    network: StanceNetwork, windows: Sequence[EncodedWindow], pad_id: int, most: int
) -> tuple[dict[str, NDArray[np.float32]], dict[str, list[NDArray[np.float32]]]]:
    """Returns the logits of some windows in the order given.

    Args:
        network: Put into evaluation mode here.
        windows: Encoded rows.
        pad_id: Token id that fills rows up.
        most: Most tokens that the encoder reads.

    Returns:
        Task to (windows, classes); token head to one (tokens, labels) a window.
    """
    network.eval()
    logits = {
        task: np.zeros((len(windows), classes), dtype=np.float32)
        for task, classes in network.class_counts.items()
    }
    nothing = np.zeros((0, 0), dtype=np.float32)
    tokens = {name: [nothing] * len(windows) for name in network.token_heads}
    with torch.inference_mode():
        for rows in passes_of(windows, range(len(windows)), _PASS_TOKENS):
            ids, type_ids, mask = pad([windows[row] for row in rows], pad_id, most)
            found, located = network.read(ids, type_ids, mask)
            for task, values in found.items():
                logits[task][rows] = values.numpy()
            for name, values in located.items():
                for place, row in enumerate(rows):
                    tokens[name][row] = values[place, : len(windows[row].ids)].numpy().copy()
    return logits, tokens
