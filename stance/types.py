"""What the library returns: quotes, speakers, predictions and the analysis of an article.

All offsets are half-open character ranges ``[start, end)`` into the article exactly as given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from stance.labels import SENTIMENTS, STANCES, QuoteKind, SentimentLabel, StanceLabel

if TYPE_CHECKING:
    import pandas as pd

    from stance.model.conformal import LabelSets


@dataclass(frozen=True, slots=True)
class Cue:
    """The reporting words that attribute a quote: "said", "according to", "accused".

    Attributes:
        text: The words as written, equal to ``article[start:end]``.
        start: First character.
        end: One past the last character.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who says a quote.

    Attributes:
        name: The name resolved within the article ("he" becomes "Robert Wood"); where the article
            names nobody, the description as written ("a senior official").
        mention: The words that name the speaker at this quote, equal to ``article[start:end]``.
        start: First character of the mention.
        end: One past its last character.
        role: Office or description given anywhere in the article, or None.
        confidence: How often a speaker found in this way is the right one, in 0..1: near 1 for a
            name beside the quote, less for a pronoun, least for a speaker carried over from the
            quote before. An estimate by the way of finding, not by the article.
    """

    name: str
    mention: str
    start: int
    end: int
    role: str | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Quote:
    """What one speaker says without a break.

    Attributes:
        text: The words of the quote without their outer quotation marks: the pieces
            ``article[s:e]`` for ``(s, e)`` in ``spans``, joined by one space.
        start: Start of the first span.
        end: End of the last span.
        spans: One range, or several in order where the attribution interrupts the sentence or the
            quote runs over several paragraphs.
        kind: ``direct`` when every word stands inside quotation marks, ``indirect`` when none
            does, ``mixed`` otherwise.
        speaker: Who says it, or None when the article does not tell.
        cue: The reporting words, or None.
        context: The sentence or sentences of the article that the quote stands in, whole.
    """

    text: str
    start: int
    end: int
    spans: tuple[tuple[int, int], ...]
    kind: QuoteKind
    speaker: Speaker | None = None
    cue: Cue | None = None
    context: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Returns the quote as JSON-ready values; spans become lists of two integers."""
        record = asdict(self)
        record["spans"] = [list(span) for span in self.spans]
        return record


@dataclass(frozen=True, slots=True)
class Prediction:
    """The two labels of one quote, with calibrated probabilities.

    Attributes:
        text: The words that were labelled.
        stance: The most probable stance; None where ``confidence`` is below the ``min_confidence``
            asked for, which is shown as "undecided".
        sentiment: The most probable sentiment.
        stance_probabilities: Label to probability in label order; they sum to 1.
        sentiment_probabilities: The same for sentiment.
        confidence: The probability of the most probable stance, in 0..1.
        quote: The quote that was labelled, or None when a plain string was.
        condition: The words that state the condition of a conditional quote; None for every other
            stance and from models without a condition head.
        outcome: What hangs on the condition; None like ``condition``.
        windows: How many windows the text was read in: 1, or more when it is longer than the
            model's ``max_length`` tokens; then the probabilities are the windows' means, weighted
            by their tokens.
        calibration: Task to what ``label_set`` needs; None from models that were saved without it.
    """

    text: str
    stance: StanceLabel | None
    sentiment: SentimentLabel
    stance_probabilities: Mapping[str, float]
    sentiment_probabilities: Mapping[str, float]
    confidence: float
    quote: Quote | None = None
    condition: str | None = None
    outcome: str | None = None
    windows: int = 1
    calibration: Mapping[str, LabelSets] | None = field(default=None, repr=False, compare=False)

    def label_set(
        self, coverage: float = 0.9, *, task: Literal["stance", "sentiment"] = "stance"
    ) -> tuple[str, ...]:
        """Returns the labels that together hold the right one as often as ``coverage`` says.

        The promise is for quotes like those that the model was calibrated on, on average over them;
        see ``stance.model.conformal``. It holds for an undecided prediction too.

        Args:
            coverage: The share of quotes whose set is to hold the right label, between 0 and 1,
                both excluded. A share that the calibration quotes are too few for gives all labels.
            task: Which labels.

        Returns:
            One label or more, the most probable first.

        Raises:
            TypeError: ``coverage`` is no number.
            ValueError: It is not between 0 and 1, ``task`` is unknown, or the model was saved
                without calibration scores.
        """
        by_task = {"stance": self.stance_probabilities, "sentiment": self.sentiment_probabilities}
        if task not in by_task:
            raise ValueError(f"unknown task {task!r}; a prediction has {list(by_task)}")
        scores = (self.calibration or {}).get(task)
        if scores is None:
            raise ValueError(
                f"this model has no calibration scores for {task}, so it cannot promise a "
                "coverage: it was saved before 0.2, or trained with too few validation quotes. "
                "Train it again, with a validation set"
            )
        return scores.label_set(by_task[task], coverage)

    def to_dict(self) -> dict[str, Any]:
        """Returns the prediction as JSON-ready values, the quote nested under ``quote``."""
        return {
            "text": self.text,
            "stance": self.stance,
            "sentiment": self.sentiment,
            "confidence": self.confidence,
            "stance_probabilities": dict(self.stance_probabilities),
            "sentiment_probabilities": dict(self.sentiment_probabilities),
            "condition": self.condition,
            "outcome": self.outcome,
            "windows": self.windows,
            "quote": self.quote.to_dict() if self.quote is not None else None,
        }

    def to_record(self) -> dict[str, Any]:
        """Returns one flat row for a table, with the keys of ``RECORD_COLUMNS`` in that order.

        A model of other labels has theirs in place of ours: ``stance_`` and ``sentiment_`` with
        each label's name.
        """
        quote = self.quote
        speaker = quote.speaker if quote is not None else None
        values: dict[str, Any] = {
            "start": quote.start if quote is not None else None,
            "end": quote.end if quote is not None else None,
            "kind": quote.kind if quote is not None else None,
            "speaker": speaker.name if speaker is not None else None,
            "role": speaker.role if speaker is not None else None,
            "mention": speaker.mention if speaker is not None else None,
            "speaker_confidence": speaker.confidence if speaker is not None else None,
            "cue": quote.cue.text if quote is not None and quote.cue is not None else None,
            "text": self.text,
            "stance": self.stance,
            "confidence": self.confidence,
            "sentiment": self.sentiment,
        }
        for label, probability in self.stance_probabilities.items():
            values[f"stance_{label}"] = probability
        for label, probability in self.sentiment_probabilities.items():
            values[f"sentiment_{label}"] = probability
        values["condition"] = self.condition
        values["outcome"] = self.outcome
        return values


RECORD_COLUMNS: Final[tuple[str, ...]] = (
    "start",
    "end",
    "kind",
    "speaker",
    "role",
    "mention",
    "speaker_confidence",
    "cue",
    "text",
    "stance",
    "confidence",
    "sentiment",
    *(f"stance_{label}" for label in STANCES),
    *(f"sentiment_{label}" for label in SENTIMENTS),
    "condition",
    "outcome",
)


@dataclass(frozen=True, slots=True)
class Analysis(Sequence[Prediction]):
    """The quotes of one article, each labelled, in the order of the article.

    Attributes:
        article: The article exactly as given.
        predictions: One prediction a quote, ``prediction.quote`` set.
    """

    article: str
    predictions: tuple[Prediction, ...]

    @overload
    def __getitem__(self, index: int) -> Prediction: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Prediction, ...]: ...
    def __getitem__(self, index: int | slice) -> Prediction | tuple[Prediction, ...]:
        return self.predictions[index]

    def __len__(self) -> int:
        return len(self.predictions)

    def __iter__(self) -> Iterator[Prediction]:
        return iter(self.predictions)

    def to_dict(self) -> dict[str, Any]:
        """Returns the article and its predictions as JSON-ready values."""
        return {
            "article": self.article,
            "quotes": [prediction.to_dict() for prediction in self.predictions],
        }

    def to_pandas(self) -> pd.DataFrame:
        """Returns one row a quote, with the keys of its ``to_record`` as columns.

        Where the rows differ in them, the columns of all are there, in the order of first
        appearance; without quotes they are ``RECORD_COLUMNS``.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            message = "to_pandas needs pandas: pip install 'stance-quotes[pandas]'"
            raise ImportError(message) from error
        records = [prediction.to_record() for prediction in self.predictions]
        names = dict.fromkeys(name for record in records for name in record)
        return pd.DataFrame(records, columns=list(names or RECORD_COLUMNS))
