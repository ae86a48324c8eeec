"""Any Hugging Face text classifier or zero-shot (NLI) model as a baseline: ``--baseline NAME``.

A classifier whose labels are the stances or the sentiments (by name, whatever their order or case)
answers that head. A model of natural language inference answers both: each label becomes a sentence
about the quote, and the one most entailed wins (Yin et al. 2019, https://aclanthology.org/D19-1404).
The sentences were written once, from the codebook's definitions, and not tuned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from stance.evaluation.baselines import Answers, Baseline, BaselineUnavailable, encodable
from stance.evaluation.schema import HEADS

#: What each label says of the quote, put after "The speaker".
HYPOTHESES: Final[dict[str, dict[str, str]]] = {
    "stance": {
        "conciliatory": "offers or accepts a way to agreement",
        "dismissive": "rejects, blames or attacks",
        "conditional": "sets a condition for agreement or action",
        "neutral": "only states facts",
    },
    "sentiment": {
        "negative": "sounds negative",
        "neutral": "sounds neutral",
        "positive": "sounds positive",
    },
}
_TEMPLATE: Final = "The speaker {}."
#: Other names that models give to sentiments.
_SYNONYMS: Final = {"neg": "negative", "neu": "neutral", "pos": "positive"}
_BATCH: Final = 16


class HuggingFace(Baseline):
    """A model of Hugging Face, by hub id or path, read through a ``transformers`` pipeline."""

    is_trained = False

    def __init__(self, source: str, root: Path) -> None:
        """Names the baseline.

        Args:
            source: Hub id or path.
            root: The repository; a path is shown by its last part.
        """
        is_path = Path(source).expanduser().exists()
        shown = Path(source).expanduser().resolve().name if is_path else source
        self.source = source
        self.name = f"hf:{shown}"  # type: ignore[misc]
        self.title = shown  # type: ignore[misc]
        self.note = "named with --baseline"  # type: ignore[misc]

    def prepare(self) -> None:
        """Loads the model.

        Raises:
            BaselineUnavailable: It cannot be loaded, or its labels are neither ours nor those of
                natural language inference.
        """
        #: Quotes stand in several suites; each is labelled once: text to head to probabilities.
        self._known: dict[str, dict[str, Any]] = {}
        try:
            from transformers import AutoConfig, logging, pipeline

            logging.disable_progress_bar()
            config = AutoConfig.from_pretrained(self.source)
        except Exception as error:  # the library raises its own, those of the hub and of parsers
            raise BaselineUnavailable(self._refusal(error)) from None
        names = {int(index): str(name) for index, name in (config.id2label or {}).items()}
        self.is_nli = any(name.casefold().startswith("entail") for name in names.values())
        self.head, self._columns = ("", {}) if self.is_nli else self._our_labels(names)
        task = "zero-shot-classification" if self.is_nli else "text-classification"
        try:
            # Safetensors only: a pickle could run code.
            self._pipeline: Any = pipeline(
                task, model=self.source, model_kwargs={"use_safetensors": True}
            )
        except Exception as error:
            raise BaselineUnavailable(self._refusal(error)) from None
        self.note = (  # type: ignore[misc]
            "zero-shot: each label as a sentence, the most entailed wins"
            if self.is_nli
            else f"labels {self.head} by itself; read through a transformers pipeline"
        )

    def _refusal(self, error: Exception) -> str:
        first = str(error).strip().split("\n")[0] or type(error).__name__
        return f"the baseline {self.source!r} cannot be loaded: {first}"

    def _our_labels(self, names: Mapping[int, str]) -> tuple[str, dict[str, str]]:
        """Returns the head a classifier answers, and its own name to ours for each label."""
        ours = {name: _SYNONYMS.get(name.casefold(), name.casefold()) for name in names.values()}
        for head, labels in HEADS.items():
            if len(ours) >= 2 and set(ours.values()) <= set(labels):
                return head, ours
        known = "; ".join(f"{head}: {', '.join(labels)}" for head, labels in HEADS.items())
        raise BaselineUnavailable(
            f"the baseline {self.source!r} has the labels {', '.join(names.values()) or 'none'}; "
            f"known are those of one head ({known}) or of an NLI model (entailment …)"
        )

    def knows_any(self, texts: Sequence[str]) -> bool:
        """Whether one of the texts was labelled before."""
        return any(encodable(text) in self._known for text in texts)

    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns labels with probabilities, for the heads that the model knows."""
        texts = [encodable(text) for text in texts]
        heads = tuple(HEADS) if self.is_nli else (self.head,)
        new = list(dict.fromkeys(text for text in texts if text not in self._known))
        if new:
            tables = [self._zero_shot(new, h) if self.is_nli else self._labels(new) for h in heads]
            for text, *rows in zip(new, *tables, strict=True):
                self._known[text] = dict(zip(heads, rows, strict=True))
        found: dict[str, Answers | str] = {
            head: f"{self.title} labels {self.head} only" for head in HEADS
        }
        for head in heads:
            found[head] = _answers(np.array([self._known[text][head] for text in texts]))
        return found

    def _labels(self, texts: Sequence[str]) -> Any:
        """Returns the classifier's probabilities of its head, ``(n, classes)``."""
        labels = HEADS[self.head]
        probabilities = np.zeros((len(texts), len(labels)))
        # top_k=None gives every label; a softmax is asked for, since configs differ.
        results = self._pipeline(
            list(texts), top_k=None, function_to_apply="softmax", batch_size=_BATCH, truncation=True
        )
        for row, scores in enumerate(results):
            for score in scores:
                column = labels.index(self._columns[score["label"]])
                probabilities[row, column] += score["score"]
        return probabilities

    def _zero_shot(self, texts: Sequence[str], head: str) -> Any:
        """Returns the probabilities of a head's sentences, ``(n, classes)``."""
        sentences = HYPOTHESES[head]
        results = self._pipeline(
            list(texts),
            candidate_labels=list(sentences.values()),
            hypothesis_template=_TEMPLATE,
            batch_size=_BATCH,
        )
        results = [results] if isinstance(results, dict) else results  # for a single text
        places = {sentence: HEADS[head].index(name) for name, sentence in sentences.items()}
        probabilities = np.zeros((len(texts), len(HEADS[head])))
        for row, result in enumerate(results):
            for sentence, score in zip(result["labels"], result["scores"], strict=True):
                probabilities[row, places[sentence]] = score
        return probabilities


def _answers(probabilities: Any) -> Answers:
    """Returns the answers from probabilities ``(n, classes)``, put to a sum of 1."""
    total = probabilities.sum(axis=1, keepdims=True)
    return Answers(probabilities.argmax(axis=1), probabilities / np.where(total > 0, total, 1.0))
