"""The baselines every result stands beside; they learn from ``data/authored/train.jsonl`` only.

Each reads the quote's text without its context. None was tuned: the settings are the libraries' own
or the one value named here, chosen before any measurement.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np

from stance.evaluation.bootstrap import FloatArray, IntArray
from stance.evaluation.keywords import sentiment_by_keywords, stance_by_keywords
from stance.evaluation.rows import Row
from stance.evaluation.schema import HEADS


class BaselineUnavailable(RuntimeError):
    """A baseline cannot run here; the message says what would help."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers on one head.

    Attributes:
        predicted: ``(n,)``: index of each label in label order.
        probabilities: ``(n, classes)``, rows summing to 1, or None.
    """

    predicted: IntArray
    probabilities: FloatArray | None


class Baseline(ABC):
    """A simple way to label quotes, to compare the model with.

    Attributes:
        name: Key in ``results.json``.
        title: Name in reports.
        note: One sentence on how it labels.
        is_trained: Whether ``fit`` needs the training rows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    note: ClassVar[str]
    is_trained: ClassVar[bool] = True

    def prepare(self) -> None:
        """Loads what it needs; raises ``BaselineUnavailable`` when that is not installed."""
        return

    def fit(self, rows: Sequence[Row], *, seed: int) -> None:
        """Learns from the training rows; the default learns nothing."""
        return

    def knows_any(self, texts: Sequence[str]) -> bool:
        """Whether it kept its work on one of these texts, so that a time says nothing."""
        return False

    @abstractmethod
    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns the answers of each head, or the reason why it has none."""


class Majority(Baseline):
    """The commonest training label for everything, with the training shares as probabilities."""

    name = "majority"
    title = "Majority label"
    note = "the commonest label of the training rows; their shares as probabilities"

    def fit(self, rows: Sequence[Row], *, seed: int) -> None:
        """Fits one dummy classifier a head."""
        from sklearn.dummy import DummyClassifier

        self._models = {
            head: DummyClassifier(strategy="prior", random_state=seed).fit(
                np.zeros((len(rows), 1)), [row.labels[head] for row in rows]
            )
            for head in HEADS
        }

    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns the same answer for every text."""
        blank = np.zeros((len(texts), 1))
        return {head: by_sklearn(model, blank, head) for head, model in self._models.items()}


class Keywords(Baseline):
    """Ordered rules over words, from ``keywords.py``."""

    name = "keywords"
    title = "Keyword rules"
    note = "hand-written lists: if, unless, in exchange …; refusals; welcome words"
    is_trained = False

    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns labels without probabilities."""
        rules = {"stance": stance_by_keywords, "sentiment": sentiment_by_keywords}
        return {
            head: Answers(
                np.array([HEADS[head].index(rule(text)) for text in texts], dtype=np.int64), None
            )
            for head, rule in rules.items()
        }


class Vader(Baseline):
    """VADER sentiment; it knows nothing of stance.

    Source: Hutto and Gilbert (2014), https://doi.org/10.1609/icwsm.v8i1.14550; the thresholds are
    those of its README, https://github.com/cjhutto/vaderSentiment#about-the-scoring.
    """

    name = "vader"
    title = "VADER"
    note = "sentiment lexicon; compound score from 0.05 positive, to -0.05 negative"
    is_trained = False
    THRESHOLD: Final = 0.05

    def prepare(self) -> None:
        """Loads the lexicon."""
        try:
            from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
        except ImportError:
            raise BaselineUnavailable(
                "vaderSentiment is not installed: pip install 'stance-quotes[evaluate]'"
            ) from None
        self._analyzer: Any = SentimentIntensityAnalyzer()

    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns sentiment labels without probabilities."""
        scores = np.array([self._analyzer.polarity_scores(text)["compound"] for text in texts])
        tone = np.where(scores >= self.THRESHOLD, "positive", "neutral")
        tone = np.where(scores <= -self.THRESHOLD, "negative", tone)
        predicted = np.array([HEADS["sentiment"].index(str(name)) for name in tone])
        return {
            "stance": "VADER labels sentiment only",
            "sentiment": Answers(predicted.astype(np.int64), None),
        }


class TextBlobPolarity(Baseline):
    """TextBlob's sentiment; it knows nothing of stance.

    Source: https://textblob.readthedocs.io (the lexicon of the library pattern); polarity above 0
    is positive and below 0 negative, as its documentation reads it.
    """

    name = "textblob"
    title = "TextBlob"
    note = "sentiment lexicon; polarity above 0 positive, below 0 negative"
    is_trained = False

    def prepare(self) -> None:
        """Loads the lexicon."""
        try:
            from textblob import TextBlob
        except ImportError:
            raise BaselineUnavailable(
                "textblob is not installed: pip install 'stance-quotes[evaluate]'"
            ) from None
        self._read: Any = TextBlob

    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns sentiment labels without probabilities."""
        scores = np.array([self._read(text).sentiment.polarity for text in texts])
        tone = np.where(scores > 0, "positive", np.where(scores < 0, "negative", "neutral"))
        predicted = np.array([HEADS["sentiment"].index(str(name)) for name in tone])
        return {
            "stance": "TextBlob labels sentiment only",
            "sentiment": Answers(predicted.astype(np.int64), None),
        }


class TfidfRegression(Baseline):
    """Logistic regression on TF-IDF weights of words and word pairs."""

    name = "tfidf"
    title = "TF-IDF regression"
    note = "logistic regression on words and word pairs, sublinear TF-IDF, C = 10, balanced"

    def fit(self, rows: Sequence[Row], *, seed: int) -> None:
        """Fits one pipeline a head."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

        texts = [row.text for row in rows]
        self._models = {}
        for head in HEADS:
            labels = [row.labels[head] for row in rows]
            if len(set(labels)) < 2:
                raise BaselineUnavailable(f"the training rows hold only one {head}")
            # Function words carry stance (if, unless, not), so none is left out; the token pattern
            # keeps one-letter words and contractions whole.
            self._models[head] = make_pipeline(
                TfidfVectorizer(
                    ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"(?u)\b[\w'’]+\b"
                ),
                LogisticRegression(
                    C=10.0, class_weight="balanced", max_iter=2000, random_state=seed
                ),
            ).fit(texts, labels)

    def label(self, texts: Sequence[str]) -> dict[str, Answers | str]:
        """Returns labels with probabilities."""
        return {head: by_sklearn(model, list(texts), head) for head, model in self._models.items()}


def all_baselines() -> list[Baseline]:
    """Returns every baseline, not ready yet, in the order of the tables.

    A new one is a class here (or in a module of its own) and its name in this list.
    """
    # Imported here, since that module builds on this one.
    from stance.evaluation.embeddings import FrozenEmbeddings

    return [
        Majority(),
        Keywords(),
        Vader(),
        TextBlobPolarity(),
        TfidfRegression(),
        FrozenEmbeddings(),
    ]


def encodable(text: str) -> str:
    """Returns a text without half surrogate pairs, which JSON may hold: they have no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def by_sklearn(model: Any, inputs: Any, head: str) -> Answers:
    """Returns the answers of a scikit-learn classifier, its columns put in label order."""
    labels = HEADS[head]
    probabilities = np.zeros((len(inputs), len(labels)))
    columns = [labels.index(str(name)) for name in model.classes_]
    probabilities[:, columns] = model.predict_proba(inputs)
    # What was computed in single precision sums to one only nearly.
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return Answers(probabilities.argmax(axis=1), probabilities)
