"""BERT's layers compiled by OpenVINO: bf16 where the processor multiplies in bf16, else fp32.

The graph is built from the weights in memory: no exported file, no conversion, no training library.

Source: https://docs.openvino.ai/2025/openvino-workflow/model-preparation.html (opset 13).
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from queue import SimpleQueue
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stance.model.batching import length_batches, padded_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stance.model.engine_numpy import BertWeights

    Array = NDArray[np.float32]
    # Requests that compute nothing at the moment.
    _Requests = SimpleQueue[Any]

logger = logging.getLogger(__name__)

# Measured: larger batches are no faster and hold more memory (370 MB in all at 1,024 against 324);
# widths in steps of 8 waste little and keep the number of shapes, each compiled once, small.
_TOKEN_BUDGET: Final = 512
_WIDTH_STEP: Final = 8
# Compiling the second graph takes as long as about this many batches save: 512 quotes took 1.64 s
# with it and 1.67 s without, 256 took 0.95 and 0.96 s, 1,024 took 2.74 and 3.28 s.
_MANY_BATCHES: Final = 48
# Added to the attention scores of padding; small enough to be exact in bf16, large enough for 0.
_HIDDEN_SCORE: Final = -1e9


_REPORTING: Final = ("openvino.tools.ovc", "openvino_telemetry")
_import_lock = threading.Lock()


class OpenVinoEngine:
    """Rows of similar length, padded, through a compiled graph.

    A lone batch, such as a single quote, is computed by all threads together. Several batches are
    computed side by side in streams of few threads each, which is a third faster on two cores; the
    graph for that is compiled when enough batches have come to be worth it.

    Args:
        weights: The encoder's weights. Both graphs read these arrays in place: they must stay as
            they are.

    Raises:
        ImportError: openvino is not installed, or not for this machine.
        RuntimeError: It cannot compile the graph here.
    """

    name = "openvino"

    def __init__(self, weights: BertWeights) -> None:
        self._openvino = import_quietly()
        self._weights = weights
        compiled = self._compiled({"NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"})
        self.precision: str = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self._hidden = weights.hidden
        # A request computes one batch at a time, whichever thread asks.
        self._alone: _Requests = SimpleQueue()
        self._alone.put(compiled.create_infer_request())
        self._streams, self._stream_count = SimpleQueue[Any](), 0
        self._batches_seen = 0
        self._is_prepared = False
        self._lock = threading.Lock()

    def states(self, embedded: Sequence[Array], *, batch_size: int = 64) -> list[Array]:
        """Returns the last hidden states of each row; see ``stance.model.engine.Engine``."""
        results: list[Array] = [np.empty((0, self._hidden), np.float32)] * len(embedded)
        lengths = [len(row) for row in embedded]
        batches = length_batches(lengths, batch_size, _TOKEN_BUDGET, multiple=_WIDTH_STEP)

        def compute(batch: list[int], requests: _Requests) -> None:
            inputs = self._padded(embedded, batch)
            request = requests.get()
            try:
                output = request.infer(inputs, share_inputs=True, share_outputs=True)[0]
                for place, row in enumerate(batch):
                    results[row] = np.array(output[place, : lengths[row]])
            finally:
                requests.put(request)

        if len(batches) > 1:
            self._prepare_streams(len(batches))
        if 1 < self._stream_count <= len(batches):
            with ThreadPoolExecutor(self._stream_count) as pool:
                for _ in pool.map(compute, batches, repeat(self._streams)):
                    pass
        else:
            for batch in batches:
                compute(batch, self._alone)
        return results

    def _prepare_streams(self, batches: int) -> None:
        """Counts batches, and compiles the graph of several streams when there were many."""
        with self._lock:
            self._batches_seen += batches
            if self._is_prepared or self._batches_seen < _MANY_BATCHES:
                return
            self._is_prepared = True
            if user_threads() == 1:
                return
            try:
                compiled = self._compiled({"PERFORMANCE_HINT": "THROUGHPUT"})
                count = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
                for _ in range(count):
                    self._streams.put(compiled.create_infer_request())
            except RuntimeError as error:
                logger.warning("OpenVINO computes one batch at a time: %s", error)
                return
            self._stream_count = count

    def _padded(self, embedded: Sequence[Array], batch: Sequence[int]) -> list[Array]:
        """Returns a batch's rows, (rows, width, hidden), and what hides their padding."""
        width = padded_width(len(embedded[batch[0]]), _WIDTH_STEP)
        padded = np.zeros((len(batch), width, self._hidden), np.float32)
        scores = np.full((len(batch), 1, 1, width), _HIDDEN_SCORE, np.float32)
        for place, row in enumerate(batch):
            padded[place, : len(embedded[row])] = embedded[row]
            scores[place, ..., : len(embedded[row])] = 0
        return [padded, scores]

    def _compiled(self, options: dict[str, Any]) -> Any:
        # Pinned threads of two programs would wait for the same core while others idle.
        options["ENABLE_CPU_PINNING"] = False
        threads = user_threads()
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        return self._openvino.Core().compile_model(_graph(self._weights), "CPU", options)


def import_quietly() -> ModuleType:
    """Imports openvino without its model converter, which would report to Google Analytics.

    ``openvino/__init__.py`` imports ``openvino.tools.ovc`` where it can, and that sends an event
    with an identifier of the user to google-analytics.com from a forked process, and writes to
    ``~/intel``, unless the user has opted out. What nobody asked for, a library that reads
    unpublished articles does not send. Only the import in here goes without; a program that needs
    ``openvino.convert_model`` beside stance imports openvino first, and its word then holds.
    Without the converter the import takes a third of the time.

    Raises:
        ImportError: openvino is not installed, or not for this machine.
    """
    with _import_lock:
        missing = [name for name in _REPORTING if name not in sys.modules]
        # None makes Python raise ImportError for that name, which openvino takes for not installed.
        sys.modules.update(dict.fromkeys(missing))  # type: ignore[arg-type]
        try:
            import openvino
        finally:
            for name in missing:
                if sys.modules.get(name) is None:
                    sys.modules.pop(name, None)
    found: ModuleType = openvino
    return found


def user_threads() -> int:
    """Returns how many threads the user wants: torch's setting, OMP_NUM_THREADS, or 0 for any."""
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        return int(torch.get_num_threads())
    # A list gives the threads of nested regions; the first counts.
    first = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(first) if first.isdecimal() else 0


def _graph(weights: BertWeights) -> Any:
    """Returns the model (embeddings, score offsets) -> states as a graph of dynamic shape."""
    import openvino
    from openvino import opset13 as ops

    hidden, heads = weights.hidden, weights.heads

    def constant(values: Any, dtype: Any = np.float32) -> Any:
        # Shared, or OpenVINO would keep a copy for each graph; for that it wants writable arrays.
        return ops.constant(np.require(values, dtype, ["C", "W"]), shared_memory=True)

    def linear(states: Any, weight: Array, bias: Array) -> Any:
        return ops.add(ops.matmul(states, constant(weight), False, True), constant(bias))

    def normalise(states: Any, norm: tuple[Array, Array]) -> Any:
        centred = ops.mvn(states, constant([2], np.int64), True, weights.epsilon, "INSIDE_SQRT")
        return ops.add(ops.multiply(centred, constant(norm[0])), constant(norm[1]))

    by_head = constant([0, 0, heads, hidden // heads], np.int64)
    swapped = constant([0, 2, 1, 3], np.int64)
    joined = constant([0, 0, hidden], np.int64)
    # Queries come scaled.
    no_scale = constant(1.0)
    embedded = ops.parameter([-1, -1, hidden], np.float32, name="embedded")
    scores = ops.parameter([-1, 1, 1, -1], np.float32, name="scores")
    states = normalise(embedded, weights.embedding_norm)
    for layer in weights.layers:
        query, key, value = (
            ops.transpose(
                ops.reshape(
                    linear(
                        states,
                        layer.qkv_weight[part * hidden : (part + 1) * hidden],
                        layer.qkv_bias[part * hidden : (part + 1) * hidden],
                    ),
                    by_head,
                    True,
                ),
                swapped,
            )
            for part in range(3)
        )
        mixed = ops.scaled_dot_product_attention(query, key, value, scores, no_scale)
        mixed = ops.reshape(ops.transpose(mixed, swapped), joined, True)
        attended = ops.add(linear(mixed, layer.attention_weight, layer.attention_bias), states)
        attended = normalise(attended, layer.attention_norm)
        wide = ops.gelu(linear(attended, layer.up_weight, layer.up_bias), "erf")
        states = ops.add(linear(wide, layer.down_weight, layer.down_bias), attended)
        states = normalise(states, layer.output_norm)
    return openvino.Model([ops.result(states)], [embedded, scores], "bert")
