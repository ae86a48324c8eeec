"""What the library returns: quotes, speakers, predictions and the analysis of an article.

All offsets are half-open character ranges ``[start, end)`` into the article exactly as given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, overload

from stance.labels import SENTIMENTS, STANCES, QuoteKind, SentimentLabel, StanceLabel

if TYPE_CHECKING:
    import pandas as pd


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
    """

    name: str
    mention: str
    start: int
    end: int
    role: str | None = None


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
        stance: The most probable stance.
        sentiment: The most probable sentiment.
        stance_probabilities: Label to probability in label order; they sum to 1.
        sentiment_probabilities: The same for sentiment.
        confidence: The probability of ``stance``, in 0..1.
        quote: The quote that was labelled, or None when a plain string was.
        condition: The words that state the condition of a conditional quote; None for every other
            stance and from models without a condition head (the released one has none yet).
        outcome: What hangs on the condition; None like ``condition``.
        windows: How many windows the text was read in: 1, or more when it is longer than the
            model's ``max_length`` tokens; then the probabilities are the windows' means.
    """

    text: str
    stance: StanceLabel
    sentiment: SentimentLabel
    stance_probabilities: Mapping[str, float]
    sentiment_probabilities: Mapping[str, float]
    confidence: float
    quote: Quote | None = None
    condition: str | None = None
    outcome: str | None = None
    windows: int = 1

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
        """Returns one flat row for a table, with the keys of ``RECORD_COLUMNS`` in that order."""
        quote = self.quote
        speaker = quote.speaker if quote is not None else None
        values: dict[str, Any] = {
            "start": quote.start if quote is not None else None,
            "end": quote.end if quote is not None else None,
            "kind": quote.kind if quote is not None else None,
            "speaker": speaker.name if speaker is not None else None,
            "role": speaker.role if speaker is not None else None,
            "mention": speaker.mention if speaker is not None else None,
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
        """Returns one row a quote, with the columns of ``RECORD_COLUMNS``.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            message = "to_pandas needs pandas: pip install 'stance-quotes[pandas]'"
            raise ImportError(message) from error
        records = [prediction.to_record() for prediction in self.predictions]
        return pd.DataFrame(records, columns=list(RECORD_COLUMNS))
