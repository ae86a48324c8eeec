"""The fast encoder on a CPU: summed embeddings in, last hidden states out.

Embedding look-up, pooling and heads stay outside (``stance.model.runtime``), so that classifier and
quote tagger share one engine.

``auto`` takes OpenVINO; lean torch where that is missing; NumPy where both are. OpenVINO and torch
compute in bf16 where the processor does, which moves a probability by up to about 0.01 against
NumPy's fp32. A program therefore stays with one engine: a number must not depend on what was asked
before. NumPy is ready at once, where OpenVINO needs half a second to load; for a few quotes from
the shell that is the shorter way, and the command line asks for it by name.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from stance.model.engine_numpy import BertWeights, NumpyEngine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

logger = logging.getLogger(__name__)

ENGINES: Final = ("auto", "openvino", "torch", "numpy")


class Engine(Protocol):
    """What computes an encoder's layers."""

    @property
    def name(self) -> str:
        """The name of what computes, one of ``ENGINES`` but "auto"."""

    def states(
        self, embedded: Sequence[NDArray[np.float32]], *, batch_size: int = 64
    ) -> list[NDArray[np.float32]]:
        """Returns the last hidden states of each row, (tokens, hidden) in fp32, in order.

        Args:
            embedded: For each row the sum of its word, position, segment and any other embeddings
                before the embedding normalisation, (tokens, hidden). Rows may differ in length;
                a row's result does not depend on the others beyond rounding.
            batch_size: Most rows computed at once; a limit on tokens also holds.
        """


def load_engine(
    state: Mapping[str, Any], config: Mapping[str, Any], *, engine: str = "auto"
) -> Engine:
    """Makes an engine for a BERT encoder.

    Args:
        state: Arrays by transformers' names ("embeddings.LayerNorm.weight",
            "encoder.layer.0.attention.self.query.weight", …); embedding tables are not needed.
        config: The encoder's ``config.json``.
        engine: One of ``ENGINES``; "auto" takes the fastest that this machine has.

    Raises:
        ImportError: The engine asked for by name is not installed.
        KeyError: A tensor is missing.
        ValueError: ``engine`` is no known name.
    """
    check_engine(engine)
    weights = BertWeights.of(state, config)
    if engine == "auto":
        return _fastest(weights)
    return _load(engine, weights)


def check_engine(engine: str) -> None:
    """Rejects names of no engine.

    Raises:
        ValueError: ``engine`` is not in ``ENGINES``.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {ENGINES}, not {engine!r}")


def _load(engine: str, weights: BertWeights) -> Engine:
    if engine == "numpy":
        return NumpyEngine(weights)
    if engine == "openvino":
        from stance.model.engine_openvino import OpenVinoEngine

        return OpenVinoEngine(weights)
    from stance.model.engine_torch import TorchEngine

    return TorchEngine(weights)


def _fastest(weights: BertWeights) -> Engine:
    for name in ("openvino", "torch"):
        try:
            return _load(name, weights)
        # Anything that a foreign binary raises while it loads means: not on this machine.
        except Exception as error:
            logger.info("no %s engine on this machine: %s", name, error)
    return NumpyEngine(weights)
