"""The tagger's network in torch, for training: encoder, features, tag head and link heads.

PolNeAR's annotation is univocal: a word belongs to at most one role of one attribution. One joint
BIO head over content, cue and source therefore loses nothing, and its decoding is one exact search
instead of three that may contradict each other. Which cue a piece of content has, and which source
a cue, is left to two bilinear scorers over the ends of the spans.

Source: Dozat and Manning 2017 (biaffine attention), https://arxiv.org/abs/1611.01734.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

TAGS: Final = (
    "O",
    "B-content",
    "I-content",
    "B-cue",
    "I-cue",
    "B-source",
    "I-source",
)
LINK_SIZE: Final = 64
# Signed distances in words, in buckets: nearest first, then doubling.
DISTANCES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
DISTANCE_BUCKETS: Final = 2 * (len(DISTANCES) + 1)


class TagNetwork(nn.Module):
    """Encoder with feature embeddings, one tag head and the heads that link spans.

    Args:
        encoder: A ``BertEncoder``.
        feature_sizes: Values of each feature of a piece.
        dropout: Share of states dropped before the heads, 0..1.
    """

    def __init__(
        self, encoder: nn.Module, feature_sizes: tuple[int, ...], dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder = encoder
        hidden = int(encoder.hidden_size)  # type: ignore[arg-type]
        self.dropout = nn.Dropout(dropout)
        self.feature_count = len(feature_sizes)
        features = [nn.Embedding(size, hidden) for size in feature_sizes]
        for table in features:
            # Training starts from what the encoder knows.
            nn.init.zeros_(table.weight)
        self.heads = nn.ModuleDict(
            {
                "features": nn.ModuleList(features),
                "tags": nn.Linear(hidden, len(TAGS)),
                # From content to cue, and from cue to source; a span is its first and last word.
                "content": nn.Linear(2 * hidden, LINK_SIZE),
                "content_cue": nn.Linear(2 * hidden, LINK_SIZE),
                "cue": nn.Linear(2 * hidden, LINK_SIZE),
                "cue_source": nn.Linear(2 * hidden, LINK_SIZE),
                "content_distance": nn.Embedding(DISTANCE_BUCKETS, 1),
                "cue_distance": nn.Embedding(DISTANCE_BUCKETS, 1),
                "no_source": nn.Linear(2 * hidden, 1),
                "speech": nn.Linear(2 * hidden, 1),
            }
        )
        for name in ("content_distance", "cue_distance"):
            nn.init.zeros_(self.heads[name].weight)  # type: ignore[arg-type]

    def states(self, ids: Tensor, features: Tensor, mask: Tensor | None) -> Tensor:
        """Returns the last hidden states, (batch, pieces, hidden).

        Args:
            ids: Token ids, (batch, pieces).
            features: Feature values, (batch, pieces, features).
            mask: True at pieces and False at padding, (batch, pieces), or None.
        """
        tables = self.encoder.embeddings
        positions = torch.arange(ids.shape[1], device=ids.device)
        total = tables.word_embeddings(ids) + tables.position_embeddings(positions)  # type: ignore[union-attr, operator]
        total = total + tables.token_type_embeddings.weight[0]  # type: ignore[union-attr, index]
        for i in range(self.feature_count):
            table = self.heads.get_submodule(f"features.{i}")
            total = total + table(features[:, :, i])
        states: Tensor = tables.dropout(tables.LayerNorm(total))  # type: ignore[union-attr, operator]
        attention_mask = None if mask is None else mask[:, None, None, :]
        for layer in self.encoder.encoder.layer:  # type: ignore[union-attr]
            states = layer(states, attention_mask)
        return states

    def tag_logits(self, states: Tensor) -> Tensor:
        """Returns (…, tags) logits in fp32."""
        logits: Tensor = self.heads["tags"](self.dropout(states)).float()
        return logits

    def link_logits(
        self, head: str, queries: Tensor, keys: Tensor, buckets: Tensor, same: Tensor
    ) -> Tensor:
        """Returns the scores of links between spans, (queries, keys), -inf where not allowed.

        Args:
            head: ``content`` (to cues) or ``cue`` (to sources).
            queries: Joined states of first and last word, (queries, 2 x hidden).
            keys: The same of the candidates, (keys, 2 x hidden).
            buckets: Distance buckets, (queries, keys).
            same: Whether both stand in one window, (queries, keys).
        """
        target = {"content": "content_cue", "cue": "cue_source"}[head]
        left = self.heads[head](queries).float()
        right = self.heads[target](keys).float()
        scores = left @ right.T / LINK_SIZE**0.5
        scores = scores + self.heads[f"{head}_distance"](buckets)[:, :, 0].float()
        allowed: Tensor = scores.masked_fill(~same, -torch.inf)
        return allowed
