"""BERT's layers compiled by OpenVINO: bf16 where the processor multiplies in bf16, else fp32.

The graph is built from the weights in memory: no exported file, no conversion, no training library.

Source: https://docs.openvino.ai/2025/openvino-workflow/model-preparation.html (opset 13).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stance.model.batching import length_batches, padded_width

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stance.model.engine_numpy import BertWeights

    Array = NDArray[np.float32]

# Measured: larger batches are no faster and hold more memory; widths in steps of 8 waste little
# and keep the number of shapes, each of which is compiled once, small.
_TOKEN_BUDGET: Final = 1024
_WIDTH_STEP: Final = 8
# From this many batches on, the graph that computes several at a time is worth its compilation.
_MANY_BATCHES: Final = 4
# Added to the attention scores of padding; small enough to be exact in bf16, large enough for 0.
_HIDDEN_SCORE: Final = -1e9


_REPORTING: Final = ("openvino.tools.ovc", "openvino_telemetry")
_import_lock = threading.Lock()


class OpenVinoEngine:
    """Rows of similar length, padded, through a compiled graph.

    One batch is computed by all threads together, which is what a single quote needs. Of many
    batches each thread computes its own, which is a third faster on two cores: a second graph,
    compiled when there are many for the first time.

    Args:
        weights: Gives the encoder's weights, at once and again for the second graph, so that they
            need not stay in memory.

    Raises:
        ImportError: openvino is not installed, or not for this machine.
        RuntimeError: It cannot compile the graph here.
    """

    name = "openvino"

    def __init__(self, weights: Callable[[], BertWeights]) -> None:
        self._openvino = import_quietly()
        self._weights = weights
        compiled = self._compiled({"NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"})
        self.precision: str = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
        self._hidden: int = compiled.output().partial_shape[2].get_length()
        self._request = compiled.create_infer_request()
        self._queue: Any = None
        # Each computes for one caller at a time, whichever thread asks.
        self._request_lock, self._queue_lock = threading.Lock(), threading.Lock()

    def states(self, embedded: Sequence[Array], *, batch_size: int = 64) -> list[Array]:
        """Returns the last hidden states of each row; see ``stance.model.engine.Engine``."""
        results: list[Array] = [np.empty((0, self._hidden), np.float32)] * len(embedded)
        lengths = [len(row) for row in embedded]
        batches = length_batches(lengths, batch_size, _TOKEN_BUDGET, multiple=_WIDTH_STEP)

        def keep(output: Array, batch: list[int]) -> None:
            for place, row in enumerate(batch):
                results[row] = np.array(output[place, : lengths[row]])

        if len(batches) >= _MANY_BATCHES:
            with self._queue_lock:
                self._compute_many(embedded, batches, keep)
            return results
        for batch in batches:
            inputs = self._padded(embedded, batch)
            with self._request_lock:
                keep(self._request.infer(inputs, share_inputs=True, share_outputs=True)[0], batch)
        return results

    def _compute_many(
        self,
        embedded: Sequence[Array],
        batches: Sequence[list[int]],
        keep: Callable[[Array, list[int]], None],
    ) -> None:
        if self._queue is None:
            compiled = self._compiled({"PERFORMANCE_HINT": "THROUGHPUT"})
            self._queue = self._openvino.AsyncInferQueue(compiled)

        def finish(request: Any, job: tuple[list[int], list[Array]]) -> None:
            keep(request.get_output_tensor(0).data, job[0])

        self._queue.set_callback(finish)
        try:
            for batch in batches:
                inputs = self._padded(embedded, batch)
                # The queue computes in the callers' memory, which the job keeps until it is done.
                self._queue.start_async(inputs, (batch, inputs), share_inputs=True)
        finally:
            # Also after an error: nothing may be written into results that nobody waits for.
            self._queue.wait_all()

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
        graph = _graph(self._weights())
        return self._openvino.Core().compile_model(graph, "CPU", options)


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
        return ops.constant(np.ascontiguousarray(values, dtype=dtype))

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
