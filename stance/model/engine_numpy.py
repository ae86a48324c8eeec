"""BERT's layers in NumPy, fp32: slower than a compiled engine, but nothing has to be loaded first.

A first answer from the shell costs less here than importing any tensor library would.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

# Tokens computed in one go: the widest layer then stays within a processor's cache.
_PACKED_TOKENS: Final = 512


@dataclass(frozen=True, slots=True)
class Layer:
    """The arrays of one transformer layer; a linear layer's weight is (outputs, inputs)."""

    qkv_weight: Array
    qkv_bias: Array
    attention_weight: Array
    attention_bias: Array
    attention_norm: tuple[Array, Array]
    up_weight: Array
    up_bias: Array
    down_weight: Array
    down_bias: Array
    output_norm: tuple[Array, Array]


@dataclass(frozen=True, slots=True)
class BertWeights:
    """An encoder's weights, joined and scaled the way that every engine wants them.

    Attributes:
        heads: Attention heads.
        epsilon: Added to the variance in layer normalisation.
        embedding_norm: Scale and shift applied to the summed embeddings, (hidden,) each.
        layers: First to last. Queries are already divided by the square root of a head's size.
    """

    heads: int
    epsilon: float
    embedding_norm: tuple[Array, Array]
    layers: tuple[Layer, ...]

    @property
    def hidden(self) -> int:
        """Width of a token's state."""
        return len(self.embedding_norm[0])

    @classmethod
    def of(cls, state: Mapping[str, Any], config: Mapping[str, Any]) -> BertWeights:
        """Reads the weights by transformers' names.

        Args:
            state: Name to array, such as "encoder.layer.0.attention.self.query.weight".
            config: The encoder's ``config.json``.

        Raises:
            KeyError: A tensor is missing; the message names it.
        """

        def read(name: str) -> Array:
            return np.ascontiguousarray(state[name], dtype=np.float32)

        def norm(name: str) -> tuple[Array, Array]:
            return read(f"{name}.weight"), read(f"{name}.bias")

        heads = int(config["num_attention_heads"])
        scale = 1.0 / math.sqrt(int(config["hidden_size"]) // heads)
        layers = []
        for index in range(int(config["num_hidden_layers"])):
            at = f"encoder.layer.{index}"
            own = f"{at}.attention.self"
            parts = [(read(f"{own}.{p}.weight"), read(f"{own}.{p}.bias")) for p in _PARTS]
            parts[0] = (parts[0][0] * np.float32(scale), parts[0][1] * np.float32(scale))
            layers.append(
                Layer(
                    qkv_weight=np.concatenate([weight for weight, _ in parts]),
                    qkv_bias=np.concatenate([bias for _, bias in parts]),
                    attention_weight=read(f"{at}.attention.output.dense.weight"),
                    attention_bias=read(f"{at}.attention.output.dense.bias"),
                    attention_norm=norm(f"{at}.attention.output.LayerNorm"),
                    up_weight=read(f"{at}.intermediate.dense.weight"),
                    up_bias=read(f"{at}.intermediate.dense.bias"),
                    down_weight=read(f"{at}.output.dense.weight"),
                    down_bias=read(f"{at}.output.dense.bias"),
                    output_norm=norm(f"{at}.output.LayerNorm"),
                )
            )
        return cls(
            heads=heads,
            epsilon=float(config.get("layer_norm_eps", 1e-12)),
            embedding_norm=norm("embeddings.LayerNorm"),
            layers=tuple(layers),
        )


_PARTS: Final = ("query", "key", "value")


class NumpyEngine:
    """The reference engine: fp32, linear layers over joined rows, attention row by row."""

    name = "numpy"

    def __init__(self, weights: BertWeights) -> None:
        self._weights = weights

    def states(self, embedded: Sequence[Array], *, batch_size: int = 64) -> list[Array]:
        """Returns the last hidden states of each row; see ``stance.model.engine.Engine``."""
        results: list[Array] = []
        for rows in _packs(embedded, batch_size):
            results.extend(self._pack(rows))
        return results

    def _pack(self, rows: list[Array]) -> list[Array]:
        weights = self._weights
        ends = np.cumsum([len(row) for row in rows]).tolist()
        ranges = list(zip([0, *ends[:-1]], ends, strict=True))
        states = np.concatenate(rows, dtype=np.float32)
        states = _normalise(states, weights.embedding_norm, weights.epsilon)
        for layer in weights.layers:
            projected = _linear(states, layer.qkv_weight, layer.qkv_bias)
            mixed = np.empty_like(states)
            for start, end in ranges:
                mixed[start:end] = _attend(projected[start:end], weights.heads)
            attended = _linear(mixed, layer.attention_weight, layer.attention_bias)
            attended += states
            attended = _normalise(attended, layer.attention_norm, weights.epsilon)
            states = _linear(
                _gelu(_linear(attended, layer.up_weight, layer.up_bias)),
                layer.down_weight,
                layer.down_bias,
            )
            states += attended
            states = _normalise(states, layer.output_norm, weights.epsilon)
        return [states[start:end] for start, end in ranges]


def _packs(embedded: Sequence[Array], batch_size: int) -> Iterator[list[Array]]:
    pack: list[Array] = []
    size = 0
    for row in embedded:
        if pack and (size + len(row) > _PACKED_TOKENS or len(pack) == batch_size):
            yield pack
            pack, size = [], 0
        pack.append(row)
        size += len(row)
    if pack:
        yield pack


def _linear(states: Array, weight: Array, bias: Array) -> Array:
    result: Array = states @ weight.T
    result += bias
    return result


def _attend(projected: Array, heads: int) -> Array:
    """Mixes one row's values by attention: (tokens, 3 x hidden) to (tokens, hidden)."""
    tokens, width = projected.shape
    query, key, value = projected.reshape(tokens, 3, heads, width // 3 // heads).transpose(
        1, 2, 0, 3
    )
    scores: Array = query @ key.transpose(0, 2, 1)
    scores -= scores.max(axis=2, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=2, keepdims=True)
    mixed: Array = (scores @ value).transpose(1, 0, 2).reshape(tokens, width // 3)
    return mixed


def _normalise(states: Array, norm: tuple[Array, Array], epsilon: float) -> Array:
    """Returns layer-normalised states; the input is overwritten."""
    states -= states.mean(axis=1, keepdims=True, dtype=np.float32)
    squares: Array = np.einsum("th,th->t", states, states)
    squares /= states.shape[1]
    squares += epsilon
    states /= np.sqrt(squares)[:, None]
    states *= norm[0]
    states += norm[1]
    return states


def _gelu(values: Array) -> Array:
    """Returns x times the normal distribution function of x, the exact form that BERT uses.

    NumPy has no error function; this rational approximation errs by less than 1.5e-7.

    Source: Abramowitz and Stegun 1964, Handbook of Mathematical Functions, 7.1.26.
    """
    scaled = np.abs(values)
    scaled *= np.float32(math.sqrt(0.5))
    step = np.float32(1) / (np.float32(1) + np.float32(0.3275911) * scaled)
    tail = step * np.float32(1.061405429) + np.float32(-1.453152027)
    for coefficient in (1.421413741, -0.284496736, 0.254829592):
        tail *= step
        tail += np.float32(coefficient)
    tail *= step
    np.square(scaled, out=scaled)
    np.negative(scaled, out=scaled)
    tail *= np.exp(scaled, out=scaled)
    # tail is now 1 - erf(|x| / sqrt 2); half of it, times |x|, is what gelu lacks to max(x, 0).
    tail *= np.abs(values)
    tail *= np.float32(0.5)
    positive: Array = np.maximum(values, 0, out=values)
    positive -= tail
    return positive
