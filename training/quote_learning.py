"""How the tagger's network learns: steps, losses, learning rate, running mean, clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from stance.model.engine_torch import cpu_computes_bf16
from stance.model.optimise import WeightMean, build_optimizer, rate_factor
from stance.model.tag_network import TagNetwork
from stance.training.quote_data import Batch, collate
from stance.training.quote_settings import QuoteTrainingConfig


def learn(
    network: TagNetwork,
    windows_of: Callable[[int], list[Any]],
    special: Sequence[int],
    config: QuoteTrainingConfig,
    keep: Callable[[list[dict[str, float]]], None],
    minutes: float | None = None,
) -> list[dict[str, float]]:
    """Trains the network in place and returns one record an epoch.

    Args:
        network: Ends with the running mean of its weights, where the configuration asks for one.
        windows_of: Gives the batches of an epoch counted from 0.
        special: Ids of the tokens that begin, end and fill up a row.
        config: The settings.
        keep: Called after each epoch but the last with the records so far, the network holding
            what would be kept, so that a run that is cut off leaves something.
        minutes: Learn no longer than this; the rate then falls with the clock.

    Raises:
        ValueError: There is no batch to learn from.
    """
    epochs = [windows_of(epoch) for epoch in range(config.epochs)]
    if not any(epochs):
        raise ValueError("no text to learn from: all the articles are shorter than a window")
    learner = _Learner(network, config, special, sum(map(len, epochs)), minutes)
    history: list[dict[str, float]] = []
    for epoch, batches in enumerate(epochs, 1):
        tags, links = learner.learn_epoch(epoch, batches)
        history.append({"epoch": epoch, "step": learner.step, "tag_loss": tags, "link_loss": links})
        current = {n: value.detach().clone() for n, value in learner.trainable.items()}
        if learner.mean is not None:
            _put(learner.trainable, learner.mean.value)
        if epoch == config.epochs or learner.clock.progress() >= 1:
            break
        keep(history)
        _put(learner.trainable, current)
    network.eval()
    return history


class _Learner:
    """The moving parts of a run."""

    def __init__(
        self,
        network: TagNetwork,
        config: QuoteTrainingConfig,
        special: Sequence[int],
        total: int,
        minutes: float | None,
    ) -> None:
        self.network, self.config, self.special, self.total = network, config, special, total
        self.optimizer = build_optimizer(network, config)  # type: ignore[arg-type]
        self.peaks = [group["lr"] for group in self.optimizer.param_groups]
        self.trainable = {n: p for n, p in network.named_parameters() if p.requires_grad}
        self.mean = WeightMean(self.trainable, config.ema_decay) if config.ema_decay else None
        self.bf16 = config.precision == "bf16" or (
            config.precision == "auto" and cpu_computes_bf16()
        )
        self.clock = _Clock(minutes)
        self.step = 0

    def learn_epoch(self, epoch: int, batches: Sequence[list[Any]]) -> tuple[float, float]:
        """Learns from batches while there is time; returns the mean losses of tags and links."""
        self.network.train()
        sums, done = torch.zeros(2), 0
        for windows in batches:
            if self.clock.progress() >= 1:
                break
            sums += self._learn_batch(windows)
            self.step, done = self.step + 1, done + 1
            if done % 50 == 0 or done == len(batches):
                tags, links = (sums / done).tolist()
                print(
                    f"epoch {epoch}, step {self.step} of {self.total}: tags {tags:.4f}, "
                    f"links {links:.4f}; {self.clock.seconds() / self.step:.2f} s a step",
                    flush=True,
                )
        tags, links = (sums / max(done, 1)).tolist()
        return tags, links

    def _learn_batch(self, windows: list[Any]) -> Tensor:
        now = max(self.step, int(self.clock.progress() * self.total))
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate_factor(now, self.total, self.config.warmup)
        batch = collate(windows, *self.special)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            tag_loss, link_loss = _losses(self.network, batch, self.config)
        self.optimizer.zero_grad(set_to_none=True)
        (tag_loss + link_loss).backward()
        if self.config.gradient_clip:
            torch.nn.utils.clip_grad_norm_(self.trainable.values(), self.config.gradient_clip)
        self.optimizer.step()
        if self.mean is not None:
            self.mean.update(self.trainable)
        return torch.stack((tag_loss.detach(), link_loss.detach()))


class _Clock:
    """The time since a run began, and its share of the time allowed."""

    def __init__(self, minutes: float | None) -> None:
        self._minutes = minutes
        self._started = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def progress(self) -> float:
        return self.seconds() / 60 / self._minutes if self._minutes else 0.0


def _put(parameters: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(values[name])


def _losses(
    network: TagNetwork, batch: Batch, config: QuoteTrainingConfig
) -> tuple[Tensor, Tensor]:
    """Returns the loss of the tags, and the weighted loss of links and speech."""
    states = network.states(batch.ids, batch.features, batch.mask)
    logits = network.tag_logits(states[batch.words[:, 0], batch.words[:, 1]])
    tag_loss = functional.cross_entropy(logits, batch.tags)
    link_loss = torch.zeros(())
    for head, links in (("content", batch.content), ("cue", batch.cue)):
        if len(links.queries) == 0 or (head == "content" and len(links.keys) == 0):
            continue
        queries, keys = _ends(states, links.queries), _ends(states, links.keys)
        scores = network.link_logits(head, queries, keys, links.buckets, links.same)
        if head == "cue":
            none = network.heads["no_source"](queries).float()
            scores = torch.cat((scores, none), dim=1)
        link_loss = link_loss + functional.cross_entropy(scores, links.targets)
    loss = config.link_weight * link_loss
    if len(batch.speech):
        said = network.heads["speech"](_ends(states, batch.content.keys))[:, 0].float()
        loss = loss + config.speech_weight * functional.binary_cross_entropy_with_logits(
            said, batch.speech
        )
    return tag_loss, loss


def _ends(states: Tensor, spans: Tensor) -> Tensor:
    """Returns the joined states of the spans' first and last words, (spans, 2 x hidden)."""
    rows = spans[:, 0]
    return torch.cat((states[rows, spans[:, 1]], states[rows, spans[:, 2]]), dim=1)
