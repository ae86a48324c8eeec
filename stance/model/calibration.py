"""Temperature scaling: one number a head that makes probabilities mean what they say.

Source: Guo et al. 2017, On Calibration of Modern Neural Networks, https://arxiv.org/abs/1706.04599.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST: Final = 0.2
HIGHEST: Final = 10.0
# With fewer examples the fitted number would be noise: probabilities then stay as they are.
LEAST_EXAMPLES: Final = 30
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0


def negative_log_likelihood(
    logits: NDArray[np.floating], targets: NDArray[np.integer], temperature: float = 1.0
) -> float:
    """Returns the mean of -log p(target) in nats for logits of shape (rows, classes)."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    shifted = scaled - scaled.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    chosen = shifted[np.arange(len(shifted)), targets]
    return float((log_total - chosen).mean())


def fit_temperature(logits: NDArray[np.floating], targets: NDArray[np.integer]) -> float:
    """Returns the temperature under which the targets are most likely.

    The likelihood has one optimum in log temperature, so golden-section search finds it without a
    step size or a starting point. It is kept within 0.2..10: on targets that the model gets all
    right the optimum is 0, which would turn every probability into a certainty.

    Args:
        logits: (rows, classes), from data that the network was not trained on.
        targets: Class indices, (rows,).

    Returns:
        The temperature to divide logits by; 1.0 for fewer than 30 rows.

    Raises:
        ValueError: The two lengths differ.
    """
    if len(logits) != len(targets):
        raise ValueError(f"{len(logits)} rows of logits but {len(targets)} targets")
    if len(targets) < LEAST_EXAMPLES:
        return 1.0
    low, high = math.log(LOWEST), math.log(HIGHEST)
    while high - low > 1e-6:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if negative_log_likelihood(logits, targets, math.exp(left)) < negative_log_likelihood(
            logits, targets, math.exp(right)
        ):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2.0)
