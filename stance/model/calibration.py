"""Calibration on validation sets: a temperature for each head, and the scores of label sets.

One number a head makes probabilities mean what they say (temperature scaling); the scores of
``stance.model.conformal`` are then taken from these probabilities.

Source: Guo et al. 2017, On Calibration of Modern Neural Networks, https://arxiv.org/abs/1706.04599.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from stance.model.conformal import LabelSets
from stance.model.runtime import softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOWEST: Final = 0.2
HIGHEST: Final = 10.0
# With fewer examples the fitted number would be noise: probabilities then stay as they are.
LEAST_EXAMPLES: Final = 30
_GOLDEN: Final = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """What calibration gives.

    Attributes:
        temperatures: Task to the number its logits are divided by.
        label_sets: Task to what makes its label sets; tasks with too few rows are missing.
    """

    temperatures: dict[str, float]
    label_sets: dict[str, LabelSets]


def calibrate(
    tasks: Sequence[str],
    groups: Mapping[
        str, tuple[Mapping[str, NDArray[np.floating]], Mapping[str, NDArray[np.integer]]]
    ],
) -> Calibration:
    """Calibrates the heads on one or more sets of quotes that the network was not trained on.

    Args:
        tasks: The tasks.
        groups: Name of a set to its logits, task to (rows, classes), and its targets, task to class
            indices (rows,), negative where a row has no label. Each set has equal say in the
            temperature, whatever its size; label sets keep their promise on each.
    """
    temperatures: dict[str, float] = {}
    label_sets: dict[str, LabelSets] = {}
    for task in tasks:
        known = {
            name: (logits[task][targets[task] >= 0], targets[task][targets[task] >= 0])
            for name, (logits, targets) in groups.items()
            if (targets[task] >= 0).any()
        }
        temperature = temperatures[task] = 1.0
        if known:
            temperature = temperatures[task] = fit_temperature(
                np.concatenate([logits for logits, _ in known.values()]),
                np.concatenate([targets for _, targets in known.values()]),
                equal_say([len(targets) for _, targets in known.values()]),
            )
        found = LabelSets.of(
            {
                name: softmax(logits, temperature)[np.arange(len(targets)), targets].tolist()
                for name, (logits, targets) in known.items()
            }
        )
        if found is not None:
            label_sets[task] = found
    return Calibration(temperatures, label_sets)


def negative_log_likelihood(
    logits: NDArray[np.floating],
    targets: NDArray[np.integer],
    temperature: float = 1.0,
    weights: NDArray[np.floating] | None = None,
) -> float:
    """Returns the mean of -log p(target) in nats for logits of shape (rows, classes).

    Args:
        logits: (rows, classes).
        targets: Class indices, (rows,).
        temperature: What logits are divided by.
        weights: Weight of each row in the mean, (rows,); None for equal ones.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    shifted = scaled - scaled.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    chosen = shifted[np.arange(len(shifted)), targets]
    return float(np.average(log_total - chosen, weights=weights))


def equal_say(sizes: Sequence[int]) -> NDArray[np.float64]:
    """Returns a weight for each row of some sets joined, so that every set weighs the same.

    A large authored set would otherwise settle what a small real one is calibrated to.

    Args:
        sizes: Rows of each set; an empty one has no say.
    """
    return np.concatenate([np.full(size, 1.0 / max(size, 1)) for size in sizes] or [np.zeros(0)])


def fit_temperature(
    logits: NDArray[np.floating],
    targets: NDArray[np.integer],
    weights: NDArray[np.floating] | None = None,
) -> float:
    """Returns the temperature under which the targets are most likely.

    The likelihood has one optimum in log temperature, so golden-section search finds it without a
    step size or a starting point. It is kept within 0.2..10: on targets that the model gets all
    right the optimum is 0, which would turn every probability into a certainty.

    Args:
        logits: (rows, classes), from data that the network was not trained on.
        targets: Class indices, (rows,).
        weights: Weight of each row, (rows,); None for equal ones.

    Returns:
        The temperature to divide logits by; 1.0 for fewer than 30 rows.

    Raises:
        ValueError: The two lengths differ.
    """
    # One number is all that is fitted: a bias for each class beside it (vector scaling) lowered
    # the likelihood of held-out real quotes by 0.01 nats for stance and raised it for sentiment.
    if len(logits) != len(targets):
        raise ValueError(f"{len(logits)} rows of logits but {len(targets)} targets")
    if len(targets) < LEAST_EXAMPLES:
        return 1.0
    low, high = math.log(LOWEST), math.log(HIGHEST)
    while high - low > 1e-6:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if negative_log_likelihood(
            logits, targets, math.exp(left), weights
        ) < negative_log_likelihood(logits, targets, math.exp(right), weights):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2.0)
