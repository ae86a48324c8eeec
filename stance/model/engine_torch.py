"""BERT's layers in lean torch: what runs where OpenVINO is missing.

Linear layers see the rows joined end to end, without padding; attention sees rows of similar length
padded to one width. Linear layers compute in bf16 where the processor can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from stance.model.batching import length_batches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stance.model.engine_numpy import BertWeights


class TorchEngine:
    """Attention, residuals and normalisation in fp32, linear layers in ``dtype``.

    Args:
        weights: The encoder's weights.
        dtype: ``torch.float32`` or ``torch.bfloat16``; None for what the processor is made for.
    """

    name = "torch"

    def __init__(self, weights: BertWeights, dtype: torch.dtype | None = None) -> None:
        if dtype is None:
            dtype = torch.bfloat16 if cpu_computes_bf16() else torch.float32
        self._heads = weights.heads
        self._epsilon = weights.epsilon
        self._dtype = dtype

        def convert(array: NDArray[np.float32]) -> Tensor:
            return torch.tensor(array, dtype=dtype)

        def norm(pair: tuple[NDArray[np.float32], NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
            return torch.tensor(pair[0]), torch.tensor(pair[1])

        self._embedding_norm = norm(weights.embedding_norm)
        self._layers = [
            (
                (convert(layer.qkv_weight), convert(layer.qkv_bias)),
                (convert(layer.attention_weight), convert(layer.attention_bias)),
                norm(layer.attention_norm),
                (convert(layer.up_weight), convert(layer.up_bias)),
                (convert(layer.down_weight), convert(layer.down_bias)),
                norm(layer.output_norm),
            )
            for layer in weights.layers
        ]

    def states(
        self, embedded: Sequence[NDArray[np.float32]], *, batch_size: int = 64
    ) -> list[NDArray[np.float32]]:
        """Returns the last hidden states of each row; see ``stance.model.engine.Engine``."""
        results: list[NDArray[np.float32]] = [np.empty((0, 0), np.float32)] * len(embedded)
        lengths = [len(row) for row in embedded]
        with torch.inference_mode():
            for batch in length_batches(lengths, batch_size):
                joined = np.concatenate([embedded[row] for row in batch])
                states = self._forward(torch.from_numpy(joined), [lengths[row] for row in batch])
                start = 0
                for row in batch:
                    results[row] = states[start : start + lengths[row]].numpy()
                    start += lengths[row]
        return results

    def _forward(self, joined: Tensor, lengths: list[int]) -> Tensor:
        """Returns states, (tokens of all rows, hidden), from summed embeddings of that shape."""
        rows, width, hidden = len(lengths), max(lengths), joined.shape[1]
        mask = place = None
        if min(lengths) < width:
            kept = torch.arange(width) < torch.tensor(lengths)[:, None]
            mask, place = kept[:, None, None, :], kept.view(-1).nonzero().view(-1)
        states = self._normalise(joined, self._embedding_norm)
        for qkv, mix, mix_norm, up, down, norm in self._layers:
            projected = functional.linear(states.to(self._dtype), *qkv).float()
            if place is not None:
                padded = projected.new_zeros(rows * width, 3 * hidden)
                projected = padded.index_copy_(0, place, projected)
            query, key, value = projected.view(
                rows, width, 3, self._heads, hidden // self._heads
            ).permute(2, 0, 3, 1, 4)
            # Queries come scaled.
            mixed = functional.scaled_dot_product_attention(query, key, value, mask, scale=1.0)
            mixed = mixed.transpose(1, 2).reshape(rows * width, hidden)
            if place is not None:
                mixed = mixed.index_select(0, place)
            attended = functional.linear(mixed.to(self._dtype), *mix)
            states = self._normalise(attended + states, mix_norm)
            wide = functional.gelu(functional.linear(states.to(self._dtype), *up))
            states = self._normalise(functional.linear(wide, *down) + states, norm)
        return states

    def _normalise(self, states: Tensor, norm: tuple[Tensor, Tensor]) -> Tensor:
        return functional.layer_norm(states, states.shape[-1:], *norm, self._epsilon)


def cpu_computes_bf16() -> bool:
    """Tells whether this CPU multiplies matrices in bfloat16 (AMX or AVX512-BF16)."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    found = [getattr(torch.cpu, name, None) for name in checks]
    return any(check is not None and bool(check()) for check in found)
