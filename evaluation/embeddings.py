"""Baseline: frozen sentence embeddings with a logistic regression on top (the SetFit-style floor).

The base encoder as shipped, mean-pooled as its makers do, reads the quote; only the regression is
trained. What the model gains over it is what fine-tuning the encoder brings.

Source: Tunstall et al., Efficient Few-Shot Learning Without Prompts (2022),
https://arxiv.org/abs/2209.11055; pooling and the 256 tokens as in the card of all-MiniLM-L6-v2,
https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import numpy as np

from stance.evaluation.baselines import (
    Answers,
    Baseline,
    BaselineUnavailable,
    by_sklearn,
    encodable,
)
from stance.evaluation.rows import Row
from stance.evaluation.schema import HEADS

MAX_TOKENS: Final = 256


class Embedder:
    """The base encoder, its tokens' states averaged and scaled to length 1."""

    def __init__(self) -> None:
        """Loads the base.

        Raises:
            BaseModelError: The base is not installed or is another one.
        """
        from safetensors.numpy import load_file

        from stance.model.encoder import find_base, load_tokenizer
        from stance.model.engine import load_engine

        base = find_base()
        state: dict[str, Any] = {
            name.removeprefix("bert."): value
            for name, value in load_file(base.folder / "model.safetensors").items()
        }
        self._tokenizer = load_tokenizer(base)
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._words = state["embeddings.word_embeddings.weight"]
        self._rest = (
            state["embeddings.position_embeddings.weight"]
            + state["embeddings.token_type_embeddings.weight"][0]
        )
        self._engine = load_engine(state, base.config)

    def __call__(self, texts: Sequence[str]) -> Any:
        """Returns one embedding a text, ``(n, hidden)`` of length 1."""
        embedded = []
        for encoding in self._tokenizer.encode_batch([encodable(text) for text in texts]):
            ids = np.asarray(encoding.ids, dtype=np.int64)
            embedded.append((self._words[ids] + self._rest[: len(ids)]).astype(np.float32))
        means = np.array([states.mean(axis=0) for states in self._engine.states(embedded)])
        return means / np.linalg.norm(means, axis=1, keepdims=True)


@cache
def embedder() -> Embedder:
    """Returns the one embedder of this process: loading it takes longer than a small suite."""
    return Embedder()


class FrozenEmbeddings(Baseline):
    """Logistic regression on frozen sentence embeddings."""

    name = "embeddings"
    title = "Frozen embeddings"
    note = "logistic regression (balanced) on the untouched base encoder's mean-pooled embeddings"

    def prepare(self) -> None:
        """Loads the base encoder."""
        from stance.model.encoder import BaseModelError

        try:
            self._embed = embedder()
        except (BaseModelError, ImportError) as error:
            raise BaselineUnavailable(str(error)) from None
        #: Quotes stand in several suites; each is embedded once.
        self._known: dict[str, Any] = {}

    def fit(self, rows: Sequence[Row], *, seed: int) -> None:
        """Fits one regression a head."""
        from sklearn.linear_model import LogisticRegression

        inputs = self._embed([row.text for row in rows])
        self._models = {}
        for head in HEADS:
            labels = [row.labels[head] for row in rows]
            if len(set(labels)) < 2:
                raise BaselineUnavailable(f"the training rows hold only one {head}")
            self._models[head] = LogisticRegression(
                C=10.0, class_weight="balanced", max_iter=2000, random_state=seed
            ).fit(inputs, labels)

    def knows_any(self, texts: Sequence[str]) -> bool:
        """Whether one of the texts was embedded before."""
        return any(text in self._known for text in texts)

    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns labels with probabilities."""
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            self._known.update(zip(new, self._embed(new), strict=True))
        inputs = np.array([self._known[text] for text in texts])
        return {head: by_sklearn(model, inputs, head) for head, model in self._models.items()}
