"""Fast inference: token ids in, calibrated probabilities out, without torch for plain BERT.

Embedding look-up, pooling, heads and softmax are a few NumPy operations here; the layers between
them run in an engine (``stance.model.engine``) that sorts by length, batches and restores the
order. A row's result does not depend on the other rows beyond rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from stance.model.engine import load_engine
from stance.model.spans import SPAN_HEAD, Spans, decode_spans
from stance.progress import count_progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stance.model.inputs import EncodedWindow, InputEncoder
    from stance.model.network import StanceNetwork

    Logits = dict[str, NDArray[np.float32]]
    TokenLogits = dict[str, list[NDArray[np.float32]]]

# Rows sorted by length together. More sorts no better, and holds more states in memory.
CHUNK: Final = 512
# Windows whose embeddings and states are held at once: 256 tokens of 384 numbers make 0.4 MB.
_HELD_TOKENS: Final = 16384


class Reader(Protocol):
    """A trained network that only predicts."""

    @property
    def class_counts(self) -> dict[str, int]:
        """Task to the number of its classes."""

    @property
    def token_head_names(self) -> tuple[str, ...]:
        """The heads that give logits to tokens."""

    def read(
        self, windows: Sequence[EncodedWindow], *, batch_size: int = 32, tokens: bool = False
    ) -> tuple[Logits, TokenLogits]:
        """Returns the logits of some windows in the order given.

        Args:
            windows: Encoded rows.
            batch_size: Most windows computed at once.
            tokens: Whether to compute the token heads too.

        Returns:
            Task to logits, (windows, classes); token head to one (tokens, labels) a window, empty
            unless asked for.
        """


class ArrayReader:
    """A plain BERT with heads, computed from arrays.

    Args:
        arrays: By the names of ``StanceNetwork``: "encoder.embeddings.word_embeddings.weight", …,
            "heads.<task>.weight", "token_heads.<name>.weight". Embedding tables may be views of a
            file; only the rows that are needed are read.
        config: The base's ``config.json``.
        engine: One of ``stance.model.engine.ENGINES``.
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[Any]],
        config: Mapping[str, Any],
        *,
        engine: str = "auto",
    ) -> None:
        prefix = "encoder."
        state = {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        }
        at = "embeddings."
        self._words = state[f"{at}word_embeddings.weight"]
        self._positions = np.asarray(state[f"{at}position_embeddings.weight"], np.float32)
        self._types = np.asarray(state[f"{at}token_type_embeddings.weight"], np.float32)
        self._heads = _linear_maps(arrays, "heads.")
        self._token_heads = _linear_maps(arrays, "token_heads.")
        self.engine = load_engine(state, config, engine=engine)

    @property
    def class_counts(self) -> dict[str, int]:
        """Task to the number of its classes."""
        return {task: len(bias) for task, (_, bias) in self._heads.items()}

    @property
    def token_head_names(self) -> tuple[str, ...]:
        """The heads that give logits to tokens."""
        return tuple(self._token_heads)

    def read(
        self, windows: Sequence[EncodedWindow], *, batch_size: int = 32, tokens: bool = False
    ) -> tuple[Logits, TokenLogits]:
        """Returns the logits of some windows in the order given; see ``Reader.read``."""
        logits: Logits = {
            task: np.zeros((len(windows), classes), dtype=np.float32)
            for task, classes in self.class_counts.items()
        }
        nothing = np.zeros((0, 0), dtype=np.float32)
        located: TokenLogits = {
            name: [nothing] * len(windows) for name in self._token_heads if tokens
        }
        for rows in _stretches(windows):
            states = self.engine.states(
                [self._embed(windows[row]) for row in rows], batch_size=batch_size
            )
            features = np.stack([np.concatenate((s[0], s.mean(axis=0))) for s in states])
            for task, (weight, bias) in self._heads.items():
                logits[task][rows.start : rows.stop] = features @ weight.T + bias
            for name, values in located.items():
                weight, bias = self._token_heads[name]
                values[rows.start : rows.stop] = [s @ weight.T + bias for s in states]
        return logits, located

    def _embed(self, window: EncodedWindow) -> NDArray[np.float32]:
        """Returns the sum of a window's embeddings, (tokens, hidden)."""
        total: NDArray[np.float32] = self._words[window.ids].astype(np.float32)
        total += self._types[window.type_ids]
        total += self._positions[: len(window.ids)]
        return total


class NetworkReader:
    """Any network in torch: for encoders that are no plain BERT, and the reference in tests.

    Args:
        network: Put into evaluation mode here.
        pad_id: Token id that fills rows up.
        max_length: Most tokens in a window.
    """

    def __init__(self, network: StanceNetwork, pad_id: int, max_length: int) -> None:
        self._network, self._pad_id, self._max_length = network, pad_id, max_length

    @property
    def class_counts(self) -> dict[str, int]:
        """Task to the number of its classes."""
        return self._network.class_counts

    @property
    def token_head_names(self) -> tuple[str, ...]:
        """The heads that give logits to tokens."""
        return tuple(self._network.token_heads)

    def read(
        self, windows: Sequence[EncodedWindow], *, batch_size: int = 32, tokens: bool = False
    ) -> tuple[Logits, TokenLogits]:
        """Returns the logits of some windows in the order given; see ``Reader.read``."""
        from stance.model.forward import network_logits

        logits, located = network_logits(self._network, windows, self._pad_id, self._max_length)
        return logits, located if tokens else {}


def _linear_maps(
    arrays: Mapping[str, NDArray[Any]], prefix: str
) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Returns name to weight, (outputs, inputs), and bias, for the heads under a prefix."""
    names = [
        name.removeprefix(prefix).removesuffix(".weight")
        for name in arrays
        if name.startswith(prefix) and name.endswith(".weight")
    ]
    return {
        name: (
            np.asarray(arrays[f"{prefix}{name}.weight"], np.float32),
            np.asarray(arrays[f"{prefix}{name}.bias"], np.float32),
        )
        for name in names
    }


def _stretches(windows: Sequence[EncodedWindow]) -> list[range]:
    """Cuts windows into stretches of a bounded number of tokens, at least one window each."""
    stretches: list[range] = []
    start = held = 0
    for row, window in enumerate(windows):
        if row > start and held + len(window.ids) > _HELD_TOKENS:
            stretches.append(range(start, row))
            start, held = row, 0
        held += len(window.ids)
    if windows:
        stretches.append(range(start, len(windows)))
    return stretches


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    """Returns probabilities, (rows, classes), each row summing to 1."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return probabilities


def predict_probabilities(
    reader: Reader,
    encoder: InputEncoder,
    texts: Sequence[str],
    contexts: Sequence[str],
    temperatures: Mapping[str, float],
    *,
    batch_size: int = 32,
    progress: bool = False,
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64]]:
    """Returns what ``predict_with_spans`` does, without spans."""
    probabilities, counts, _ = predict_with_spans(
        reader, encoder, texts, contexts, temperatures, batch_size=batch_size, progress=progress
    )
    return probabilities, counts


def predict_with_spans(
    reader: Reader,
    encoder: InputEncoder,
    texts: Sequence[str],
    contexts: Sequence[str],
    temperatures: Mapping[str, float],
    *,
    spans_where: tuple[str, int] | None = None,
    batch_size: int = 32,
    progress: bool = False,
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.int64], dict[int, Spans]]:
    """Returns each task's probabilities, the number of windows of each row, and spans.

    Args:
        reader: The trained network.
        encoder: Makes its inputs.
        texts: The quotes.
        contexts: Contexts in which the quote is already replaced, "" for none.
        temperatures: Divides each task's logits; 1 where a task is missing.
        spans_where: A task and the index of one of its classes: rows whose most probable class it
            is get spans, where the network has a head for them. None for no spans.
        batch_size: Most windows computed at once.
        progress: Whether to show a progress bar on standard error.

    Returns:
        Task to (rows, classes): the mean over a row's windows, weighted by their tokens; the number
        of windows, (rows,); and row to the spans of its best window, for the rows that have them.
    """
    result = {
        task: np.zeros((len(texts), classes)) for task, classes in reader.class_counts.items()
    }
    counts = np.zeros(len(texts), dtype=np.int64)
    spans: dict[int, Spans] = {}
    tokens = spans_where is not None and SPAN_HEAD in reader.token_head_names
    # In chunks, so that the memory for token ids does not grow with the number of quotes.
    with count_progress(len(texts), progress) as advance:
        for start in range(0, len(texts), CHUNK):
            chunk = slice(start, min(start + CHUNK, len(texts)))
            size = chunk.stop - chunk.start
            windows = encoder.encode(texts[chunk], contexts[chunk])
            logits, located = reader.read(windows, batch_size=batch_size, tokens=tokens)
            rows = np.array([window.row for window in windows], dtype=np.int64)
            weights = np.array([window.weight for window in windows], dtype=np.float64)
            totals = np.bincount(rows, weights, minlength=size)
            counts[chunk] = np.bincount(rows, minlength=size)
            for task, values in logits.items():
                weighted = softmax(values, temperatures.get(task, 1.0)) * weights[:, None]
                np.add.at(result[task][chunk], rows, weighted)
                result[task][chunk] /= totals[:, None]
            if tokens and spans_where is not None:
                task, wanted = spans_where
                is_wanted = result[task][chunk].argmax(axis=1) == wanted
                chosen = (np.flatnonzero(is_wanted) + start).tolist()
                read = [located[SPAN_HEAD][at] for at in np.flatnonzero(is_wanted[rows])]
                spans.update(_best_spans(encoder, texts, contexts, chosen, read))
            advance(size)
    return result, counts, spans


def _best_spans(
    encoder: InputEncoder,
    texts: Sequence[str],
    contexts: Sequence[str],
    chosen: Sequence[int],
    logits: Sequence[NDArray[np.float32]],
) -> dict[int, Spans]:
    """Returns the spans of the chosen rows, each from its window that is surest.

    Args:
        encoder: As in ``predict_with_spans``, and so are ``texts`` and ``contexts``.
        texts: The quotes.
        contexts: Their contexts.
        chosen: Rows of the two.
        logits: The token logits of these rows' windows, in order.
    """
    best: dict[int, Spans] = {}
    # Where each token stands takes time to say, and few rows need it: only these get it.
    windows = encoder.encode(
        [texts[row] for row in chosen], [contexts[row] for row in chosen], with_offsets=True
    )
    for window, values in zip(windows, logits, strict=True):
        row = chosen[window.row]
        if window.offsets is not None:
            found = decode_spans(texts[row], window.offsets, values)
            if row not in best or found.certainty > best[row].certainty:
                best[row] = found
    return best
