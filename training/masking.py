"""The model of masked-language training: an encoder that predicts the words it cannot see."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from stance.model.batches import pad
from stance.model.bert import BertEncoder
from stance.model.encoder import Base, BaseModelError, build_encoder
from stance.model.engine_torch import cpu_computes_bf16
from stance.model.inputs import EncodedWindow

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# all-MiniLM's word embeddings have a length near 1; predictions need larger logits to start from.
_FIRST_SCALE = 4.0
# Share of the tokens to predict that are hidden; half of the rest is replaced, half left.
_HIDDEN = 0.8


class MaskedModel(nn.Module):
    """Encoder, a transform, and logits over the vocabulary by the frozen word embeddings.

    Args:
        base: The encoder to start from; BERT only.
        tokenizer: Its tokenizer.
        dropout: Share of hidden units dropped.
        mask: Share of tokens to predict.

    Raises:
        BaseModelError: The base is no BERT, or its tokenizer lacks a special token.
    """

    def __init__(self, base: Base, tokenizer: Tokenizer, *, dropout: float, mask: float) -> None:
        super().__init__()
        encoder = build_encoder(base, dropout=dropout)
        if not isinstance(encoder, BertEncoder):
            raise BaseModelError(f"{base.name} is no BERT encoder")
        self.encoder = encoder
        for parameter in encoder.embeddings.parameters():
            parameter.requires_grad_(False)
        self.frozen = {
            name for name, parameter in encoder.named_parameters() if not parameter.requires_grad
        }
        special = [tokenizer.token_to_id(t) for t in ("[PAD]", "[CLS]", "[SEP]", "[MASK]")]
        if None in special:
            raise BaseModelError(f"{base.name}: its tokenizer lacks [PAD], [CLS], [SEP] or [MASK]")
        self.pad_id, self.first_id, self.last_id, self.mask_id = special
        words, hidden = encoder.embeddings.word_embeddings.weight.shape
        self.share = mask
        self.transform = nn.Sequential(nn.Linear(hidden, hidden), nn.GELU(), nn.LayerNorm(hidden))
        # Near the identity, so that the first steps do not undo what the encoder knows.
        nn.init.eye_(self.transform[0].weight)
        nn.init.zeros_(self.transform[0].bias)
        self.bias = nn.Parameter(torch.zeros(words))
        self.scale = nn.Parameter(torch.tensor(_FIRST_SCALE))
        self.bf16 = cpu_computes_bf16()
        # Cast once: a cast a step would cost as much as the product with it.
        kind = torch.bfloat16 if self.bf16 else torch.float32
        self.table = encoder.embeddings.word_embeddings.weight.detach().to(kind)
        matrices = [p for p in self.parameters() if p.requires_grad and p.ndim > 1]
        vectors = [p for p in self.parameters() if p.requires_grad and p.ndim <= 1]
        self.optimizer = torch.optim.AdamW(
            [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}],
            weight_decay=0.01,
            betas=(0.9, 0.98),
            fused=True,
        )

    def step(self, pieces: Sequence[list[int]], rate: float) -> float:
        """Learns from a batch at a learning rate and returns its loss."""
        self.train()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss, _ = self._loss(pieces, None)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        self.optimizer.step()
        return float(loss.detach())

    def measure(self, pieces: Sequence[list[int]], size: int, seed: int) -> tuple[float, float]:
        """Returns loss and accuracy of the hidden words, the same words for the same seed.

        Zeros where there are no pieces.
        """
        self.eval()
        generator = torch.Generator().manual_seed(seed)
        ordered = sorted(pieces, key=len)
        total = right = count = 0.0
        with torch.inference_mode():
            for start in range(0, len(ordered), size):
                batch = ordered[start : start + size]
                loss, (hits, predicted) = self._loss(batch, generator)
                total += float(loss) * predicted
                right += hits
                count += predicted
        return (total / count, right / count) if count else (0.0, 0.0)

    def layers(self) -> dict[str, Tensor]:
        """Returns the encoder's tensors that were learned, by name."""
        return {
            name: tensor.detach().clone().contiguous()
            for name, tensor in self.encoder.state_dict().items()
            if name not in self.frozen
        }

    def _loss(
        self, pieces: Sequence[list[int]], generator: torch.Generator | None
    ) -> tuple[Tensor, tuple[int, int]]:
        """Returns the mean loss, and how many of how many words were predicted right."""
        rows = [[self.first_id, *piece, self.last_id] for piece in pieces]
        windows = [EncodedWindow(0, ids, [0] * len(ids), 1) for ids in rows]
        ids, type_ids, mask = pad(windows, self.pad_id, self.encoder.max_tokens)
        hidden, chosen = self._hide(ids, mask, generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            states = self.transform(self.encoder(hidden, type_ids, mask)[chosen])
            logits = functional.linear(states.to(self.table.dtype), self.table).float()
        logits = logits * self.scale + self.bias
        targets = ids[chosen]
        hits = int((logits.detach().argmax(dim=1) == targets).sum())
        return functional.cross_entropy(logits, targets), (hits, len(targets))

    def _hide(
        self, ids: Tensor, mask: Tensor | None, generator: torch.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Returns ids with some words hidden, and which are to be predicted, at least one."""
        ordinary = (ids != self.first_id) & (ids != self.last_id)
        if mask is not None:
            ordinary &= mask
        chosen = (torch.rand(ids.shape, generator=generator) < self.share) & ordinary
        if not chosen.any():
            chosen[tuple(ordinary.nonzero()[0])] = True
        drawn = torch.rand(ids.shape, generator=generator)
        others = torch.randint(len(self.table), ids.shape, generator=generator)
        hidden = ids.masked_fill(chosen & (drawn < _HIDDEN), self.mask_id)
        replaced = chosen & (drawn >= (1 + _HIDDEN) / 2)
        return torch.where(replaced, others, hidden), chosen
