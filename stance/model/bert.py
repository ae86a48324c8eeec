"""A BERT encoder in plain torch, with the parameter names of transformers' ``BertModel``.

Importing transformers' model code costs seconds at every cold start; classifying with the default
base needs only these few layers. A test holds the two implementations together to 1e-5.

Source: Devlin et al. 2019, BERT, https://arxiv.org/abs/1810.04805; parameter names as in
https://huggingface.co/docs/transformers/model_doc/bert.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class ByteDropout(nn.Module):
    """Dropout that draws one random byte a unit: much cheaper on a CPU than a Bernoulli draw.

    Args:
        share: Share of units dropped in training, 0..1, kept to the nearest 1/256.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.threshold = round(share * 256)

    def forward(self, states: Tensor) -> Tensor:
        """Returns the states with some at 0 and the others scaled up; unchanged in evaluation."""
        if not self.training or self.threshold == 0:
            return states
        words = torch.empty(-(-states.numel() // 8), dtype=torch.int64)
        # With no upper bound all 64 bits are drawn; the default leaves the highest at 0.
        words.random_(-(2**63), None)
        drawn = words.view(torch.uint8)[: states.numel()].view(states.shape)
        kept = (drawn >= self.threshold).to(states.device)
        return states * kept * (256 / (256 - self.threshold))


class _Embeddings(nn.Module):
    def __init__(self, config: Mapping[str, Any], dropout: float) -> None:
        super().__init__()
        hidden = config["hidden_size"]
        self.word_embeddings = nn.Embedding(config["vocab_size"], hidden)
        self.position_embeddings = nn.Embedding(config["max_position_embeddings"], hidden)
        self.token_type_embeddings = nn.Embedding(config["type_vocab_size"], hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=config.get("layer_norm_eps", 1e-12))
        self.dropout = ByteDropout(dropout)

    def forward(self, ids: Tensor, type_ids: Tensor) -> Tensor:
        positions = torch.arange(ids.shape[1], device=ids.device)
        total = self.word_embeddings(ids) + self.token_type_embeddings(type_ids)
        normed: Tensor = self.LayerNorm(total + self.position_embeddings(positions))
        dropped: Tensor = self.dropout(normed)
        return dropped


class _Projection(nn.Module):
    """A linear layer with dropout, added to the residual and normalised."""

    def __init__(self, inputs: int, config: Mapping[str, Any], dropout: float) -> None:
        super().__init__()
        hidden = config["hidden_size"]
        self.dense = nn.Linear(inputs, hidden)
        self.LayerNorm = nn.LayerNorm(hidden, eps=config.get("layer_norm_eps", 1e-12))
        self.dropout = ByteDropout(dropout)

    def forward(self, inputs: Tensor, residual: Tensor) -> Tensor:
        summed: Tensor = self.LayerNorm(self.dropout(self.dense(inputs)) + residual)
        return summed


class _SelfAttention(nn.Module):
    def __init__(self, config: Mapping[str, Any], dropout: float) -> None:
        super().__init__()
        hidden = config["hidden_size"]
        self.heads = config["num_attention_heads"]
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.dropout = dropout

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        rows, tokens, hidden = states.shape
        shape = (rows, tokens, self.heads, hidden // self.heads)
        query, key, value = (
            layer(states).view(shape).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        dropout = self.dropout if self.training else 0.0
        # The CPU's bf16 attention kernel is many times slower backwards than its fp32 one.
        with torch.autocast("cpu", enabled=False):
            mixed = functional.scaled_dot_product_attention(
                query.float(), key.float(), value.float(), mask, dropout_p=dropout
            )
        return mixed.transpose(1, 2).reshape(rows, tokens, hidden)


class _Attention(nn.Module):
    def __init__(self, config: Mapping[str, Any], dropout: float, attention_dropout: float) -> None:
        super().__init__()
        # ``self`` is the name in the checkpoints of BERT.
        self.self = _SelfAttention(config, attention_dropout)
        self.output = _Projection(config["hidden_size"], config, dropout)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        attended: Tensor = self.output(self.self(states, mask), states)
        return attended


class _Intermediate(nn.Module):
    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.dense = nn.Linear(config["hidden_size"], config["intermediate_size"])

    def forward(self, states: Tensor) -> Tensor:
        return functional.gelu(self.dense(states))


class _Layer(nn.Module):
    def __init__(self, config: Mapping[str, Any], dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.attention = _Attention(config, dropout, attention_dropout)
        self.intermediate = _Intermediate(config)
        self.output = _Projection(config["intermediate_size"], config, dropout)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        attended = self.attention(states, mask)
        output: Tensor = self.output(self.intermediate(attended), attended)
        return output


class _Stack(nn.Module):
    def __init__(self, config: Mapping[str, Any], dropout: float, attention_dropout: float) -> None:
        super().__init__()
        self.layer = nn.ModuleList(
            _Layer(config, dropout, attention_dropout) for _ in range(config["num_hidden_layers"])
        )


class BertEncoder(nn.Module):
    """Token ids in, contextual states out; the pooler of BERT is left out.

    Args:
        config: The base's ``config.json``.
        dropout: Share of hidden units dropped in training, 0..1.
        attention_dropout: The same for attention weights; above 0, the fast attention kernel for
            CPUs is not used in training.
    """

    def __init__(
        self, config: Mapping[str, Any], dropout: float = 0.1, attention_dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.hidden_size: int = config["hidden_size"]
        self.layer_count: int = config["num_hidden_layers"]
        self.max_tokens: int = config["max_position_embeddings"]
        self.embeddings = _Embeddings(config, dropout)
        self.encoder = _Stack(config, dropout, attention_dropout)

    def forward(self, ids: Tensor, type_ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the last hidden states.

        Args:
            ids: Token ids, (batch, tokens).
            type_ids: 0 for the first segment and 1 for the second, (batch, tokens).
            mask: True where a token stands and False at padding, (batch, tokens); None when no
                row is padded, which is faster.

        Returns:
            States, (batch, tokens, hidden).
        """
        attention_mask = None if mask is None else mask[:, None, None, :]
        states: Tensor = self.embeddings(ids, type_ids)
        if torch.is_autocast_enabled("cpu"):
            # Else the residuals stay in fp32 and are cast again for every product, which makes a
            # training step a third slower (ABLATIONS.md).
            states = states.to(torch.get_autocast_dtype("cpu"))
        for layer in self.encoder.layer:
            states = layer(states, attention_mask)
        return states
