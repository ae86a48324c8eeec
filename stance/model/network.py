"""The network: one encoder, pooling, and a linear head for each task.

Tasks are an ordered mapping from a task's name to its labels, so the same network serves stance and
sentiment as well as any label set that a user trains on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

Tasks = Mapping[str, Sequence[str]]


class StanceNetwork(nn.Module):
    """Encoder, pooling [first token; mean over tokens], dropout, one linear head a task.

    Args:
        encoder: A module ``(ids, type_ids, mask) -> (batch, tokens, hidden)`` with a
            ``hidden_size``.
        tasks: Task name to labels, in order.
        dropout: Share of pooled features dropped in training, 0..1.
        token_heads: Name to labels of heads that give each token logits, such as the spans of
            condition and outcome; None for none.
    """

    def __init__(
        self,
        encoder: nn.Module,
        tasks: Tasks,
        dropout: float = 0.1,
        token_heads: Tasks | None = None,
    ) -> None:
        super().__init__()
        check_tasks(tasks)
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        hidden = int(encoder.hidden_size)  # type: ignore[arg-type]
        self.heads = nn.ModuleDict(
            {task: nn.Linear(2 * hidden, len(labels)) for task, labels in tasks.items()}
        )
        if token_heads:
            check_tasks(token_heads)
        self.token_heads = nn.ModuleDict(
            {name: nn.Linear(hidden, len(labels)) for name, labels in (token_heads or {}).items()}
        )

    @property
    def class_counts(self) -> dict[str, int]:
        """Task to the number of its classes."""
        return {
            task: head.out_features
            for task, head in self.heads.items()
            if isinstance(head, nn.Linear)
        }

    def pool(self, states: Tensor, mask: Tensor | None) -> Tensor:
        """Returns (batch, 2 x hidden): the first token's state, then the mean over all tokens."""
        if mask is None:
            mean = states.mean(dim=1)
        else:
            weights = mask.to(states.dtype)[:, :, None]
            mean = (states * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.cat((states[:, 0], mean), dim=1)

    def forward(
        self, ids: Tensor, type_ids: Tensor, mask: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Returns the logits of each task, (batch, classes) in fp32.

        Args:
            ids: Token ids, (batch, tokens).
            type_ids: Segments, (batch, tokens).
            mask: True at tokens and False at padding, (batch, tokens); None without padding.
        """
        return self.read(ids, type_ids, mask)[0]

    def read(
        self, ids: Tensor, type_ids: Tensor, mask: Tensor | None = None
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Returns the logits of tasks and of token heads from one pass of the encoder.

        Args:
            ids: As in ``forward``, and so are ``type_ids`` and ``mask``.
            type_ids: Segments.
            mask: True at tokens.

        Returns:
            Task to logits, (batch, classes); token head to logits, (batch, tokens, labels).
        """
        states = self.encoder(ids, type_ids, mask).float()
        features = self.dropout(self.pool(states, mask))
        logits = {task: head(features).float() for task, head in self.heads.items()}
        tokens = {
            name: head(self.dropout(states)).float() for name, head in self.token_heads.items()
        }
        return logits, tokens


def check_tasks(tasks: Tasks) -> None:
    """Rejects task sets that no network can be built for.

    Raises:
        ValueError: No task, a name that torch cannot give a module, fewer than two labels, or a
            label twice.
    """
    if not tasks:
        raise ValueError("at least one task is needed, none given")
    for task, labels in tasks.items():
        if not task or "." in task:
            raise ValueError(f"a task's name must not be empty or hold a full stop: {task!r}")
        if hasattr(nn.ModuleDict, task) or task == "training":
            raise ValueError(f"a task cannot be called {task!r}: torch keeps that name for itself")
        if len(labels) < 2:
            raise ValueError(f"task {task!r} needs at least two labels, not {list(labels)}")
        if len(set(labels)) != len(labels):
            raise ValueError(f"task {task!r} names a label twice: {list(labels)}")
