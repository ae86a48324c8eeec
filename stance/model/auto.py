"""Any encoder of transformers behind the call of ``BertEncoder``."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class TransformersEncoder(nn.Module):
    """Loads transformers' ``AutoModel`` from a folder; safetensors only, no remote code.

    Args:
        folder: Holds ``config.json`` and ``model.safetensors``.
        dropout: Share of hidden units dropped in training, 0..1.
        attention_dropout: The same for attention weights.

    Raises:
        OSError: The files are missing or damaged.
        ValueError: transformers does not know the architecture.
    """

    def __init__(self, folder: Path, dropout: float = 0.1, attention_dropout: float = 0.0) -> None:
        from transformers import AutoModel

        super().__init__()
        self.model: Any = AutoModel.from_pretrained(
            str(folder), use_safetensors=True, trust_remote_code=False
        ).float()
        config = self.model.config
        self.hidden_size: int = config.hidden_size
        self.layer_count: int = getattr(config, "num_hidden_layers", 0)
        # RoBERTa counts positions from padding_idx + 1 on, so two of its table are not for tokens.
        self.max_tokens: int = getattr(config, "max_position_embeddings", 514) - 2
        self.takes_type_ids: bool = (
            "token_type_ids" in inspect.signature(self.model.forward).parameters
            and getattr(config, "type_vocab_size", 0) > 1
        )
        for name, module in self.model.named_modules():
            if isinstance(module, nn.Dropout):
                module.p = attention_dropout if "attention.self" in name else dropout

    def forward(self, ids: Tensor, type_ids: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the last hidden states, (batch, tokens, hidden); see ``BertEncoder.forward``."""
        attention_mask = torch.ones_like(ids) if mask is None else mask.long()
        extra = {"token_type_ids": type_ids} if self.takes_type_ids else {}
        states: Tensor = self.model(
            input_ids=ids, attention_mask=attention_mask, **extra
        ).last_hidden_state
        return states
