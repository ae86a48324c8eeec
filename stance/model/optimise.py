"""The optimiser of a training run: parameter groups, learning-rate schedule, mean of weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from stance.model.network import StanceNetwork
from stance.model.settings import TrainingConfig

# The number of a layer in parameter names of transformers' encoders.
_LAYER: Final = re.compile(r"\blayers?\.(\d+)\.")


def rate_factor(step: int, total: int, warmup: float) -> float:
    """Returns the share of the peak learning rate at a step counted from 0: up, then down to 0."""
    rising = max(1, int(total * warmup)) if warmup else 0
    if step < rising:
        return (step + 1) / rising
    return max(0.0, (total - step) / max(1, total - rising))


def build_optimizer(network: StanceNetwork, config: TrainingConfig) -> torch.optim.AdamW:
    """Returns AdamW with lower rates for lower layers and no decay on vectors.

    Source: Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101; layer-wise rates as in
    Howard and Ruder 2018, https://arxiv.org/abs/1801.06146.
    """
    layers = int(network.encoder.layer_count)  # type: ignore[arg-type]
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        if name.startswith(("heads.", "token_heads.")):
            rate = config.head_learning_rate
        else:
            found = _LAYER.search(name)
            depth = int(found.group(1)) + 1 if found else 0
            rate = config.learning_rate * config.layer_decay ** max(0, layers - depth)
        decay = config.weight_decay if parameter.ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


class WeightMean:
    """An exponential moving mean of parameters, which often generalises better than the last ones.

    Args:
        parameters: The parameters to follow, by name.
        decay: Share of the old mean kept at each update, 0..1.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.value: dict[str, Tensor] = {
            name: parameter.detach().clone() for name, parameter in parameters.items()
        }

    def update(self, parameters: Mapping[str, nn.Parameter]) -> None:
        """Moves the mean towards the present parameters."""
        self.updates += 1
        # A short memory first, so that the untrained start does not linger in the mean.
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        with torch.no_grad():
            for name, mean in self.value.items():
                mean.lerp_(parameters[name], 1.0 - decay)


@contextmanager
def worst_case(parameters: Mapping[str, nn.Parameter], size: float) -> Iterator[None]:
    """Moves matrices along their gradient for the time of a ``with`` block.

    Args:
        parameters: By name; those without a gradient and vectors stay.
        size: Length of the move, as a share of each matrix's norm.

    Source: Wu et al. 2020, Adversarial Weight Perturbation, https://arxiv.org/abs/2004.05884.
    """
    moved: list[tuple[nn.Parameter, Tensor]] = []
    with torch.no_grad():
        for parameter in parameters.values():
            gradient = parameter.grad
            if gradient is None or parameter.ndim < 2:
                continue
            length = gradient.norm()
            if length > 0:
                # A copy, since subtracting the move again would not give the same bits.
                moved.append((parameter, parameter.detach().clone()))
                parameter.add_(gradient, alpha=float(size * parameter.norm() / length))
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, before in moved:
                parameter.copy_(before)
