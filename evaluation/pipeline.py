"""From the article to the labels: what `analyze` gets right on articles with gold quotes."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from stance.evaluation import bootstrap
from stance.evaluation.baselines import Answers
from stance.evaluation.labelled import Outcome, Setting, Subject, data_files
from stance.evaluation.quote_score import match
from stance.evaluation.rows import Row
from stance.evaluation.schema import HEADS, MetricValue, Sample
from stance.evaluation.stories import Stories, gold_spans, read_authored, read_seeds
from stance.evaluation.systems import Classifier, ask
from stance.references import text_sha256
from stance.types import Quote

__all__ = ["Unit", "read_authored", "read_seeds", "run_pipeline", "unit_metrics"]

WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Unit:
    """A gold quote, a found quote, or the two matched; what resampling draws.

    Attributes:
        article: File name of the article.
        gold: The gold row, or None for a quote that should not have been found.
        quote: The quote found, or None for one that was missed.
        labels: The model's labels of the quote found, by head.
        probabilities: The same heads' probabilities by label.
    """

    article: str
    gold: Row | None
    quote: Quote | None
    labels: dict[str, str]
    probabilities: dict[str, dict[str, float]]

    @property
    def is_exact(self) -> bool:
        """Whether the characters found are exactly the gold ones."""
        if self.gold is None or self.quote is None:
            return False
        return list(self.quote.spans) == gold_spans(self.gold)

    @property
    def is_speaker_right(self) -> bool:
        """Whether both name the same speaker, or both none."""
        if self.gold is None or self.quote is None:
            return False
        name = self.quote.speaker.name if self.quote.speaker else ""
        also = self.gold.fields.get("speaker_also") or []
        names = [
            self.gold.fields.get("speaker") or "",
            *([also] if isinstance(also, str) else also),
        ]
        return name.casefold() in {str(one).casefold() for one in names}

    def is_label_right(self, head: str) -> bool:
        """Whether the quote was found and its label on this head is right."""
        return self.gold is not None and self.labels.get(head) == self.gold.labels[head]


def run_pipeline(stories: Stories, setting: Setting, subject: Subject) -> Outcome:
    """Splits and labels every article and compares.

    Args:
        stories: The articles with their gold quotes.
        setting: The run; the baselines have no part in it.
        subject: The suite's names.
    """
    started = time.perf_counter()
    rows = stories.rows
    units: list[Unit] = []
    for article, text in stories.texts.items():
        units += _compare(article, text, stories.gold(article), setting.model)
    seconds = time.perf_counter() - started
    resamples = bootstrap.draw(
        len(units),
        groups=("article", [unit.article for unit in units]),
        repeats=setting.repeats,
        seed=setting.seed,
    )
    found = sum(unit.quote is not None for unit in units)
    return Outcome(
        {
            **subject.report(),
            "data": data_files(rows, setting.root),
            "rows": len(rows.rows),
            "label_counts": rows.counts(),
            "resampling": resamples.about,
            "warnings": list(rows.warnings),
            "systems": [
                {
                    "name": "model",
                    "title": "stance",
                    "kind": "model",
                    "status": "done",
                    "reason": None,
                    "note": f"split found {found} quotes where the gold has {len(rows.rows)}",
                    "heads": {},
                    "head_reasons": {},
                    "metrics": unit_metrics(units, resamples),
                    "seconds": seconds,
                    "quotes_per_second": found / seconds if seconds > 0 else None,
                }
            ],
            "seconds": time.perf_counter() - started,
        },
        [_sample(unit, subject.key) for unit in units],
    )


def unit_metrics(units: list[Unit], resamples: bootstrap.Resamples) -> dict[str, MetricValue]:
    """Returns the metrics of the whole way from article to labels."""

    def column(values: list[bool]) -> bootstrap.FloatArray:
        return np.array(values, dtype=np.float64)

    gold = column([unit.gold is not None for unit in units])
    found = column([unit.quote is not None for unit in units])
    exact = column([unit.is_exact for unit in units])
    met = gold * found
    kind = column(
        [
            unit.gold is not None
            and unit.quote is not None
            and unit.quote.kind == unit.gold.fields.get("kind")
            for unit in units
        ]
    )
    speaker = column([unit.is_speaker_right for unit in units])
    right = {head: column([unit.is_label_right(head) for unit in units]) for head in HEADS}
    parts = {
        "span_f1": (2 * exact, gold + found),
        "span_precision": (exact, found),
        "span_recall": (exact, gold),
        "found_recall": (met, gold),
        "kind_accuracy": (kind, met),
        "speaker_accuracy": (speaker, met),
        "stance_accuracy": (right["stance"], met),
        "sentiment_accuracy": (right["sentiment"], met),
        "end_to_end": (exact * speaker * right["stance"] * right["sentiment"], gold),
    }
    return {
        key: bootstrap.ratio(above, below, resamples, "no quote was found")
        for key, (above, below) in parts.items()
    }


def _compare(article: str, text: str, gold: list[Row], model: Classifier) -> list[Unit]:
    from stance.quotes import split

    quotes = split(text)
    answers: dict[str, Answers] = {}
    if quotes:
        answers = ask(model, [quote.text for quote in quotes], [quote.context for quote in quotes])
    labels, probabilities = [], []
    for position in range(len(quotes)):
        labels.append(
            {head: HEADS[head][int(given.predicted[position])] for head, given in answers.items()}
        )
        probabilities.append(
            {
                head: dict(zip(HEADS[head], given.probabilities[position].tolist(), strict=True))
                for head, given in answers.items()
                if given.probabilities is not None
            }
        )
    pairs = match(
        [_words(text, gold_spans(row)) for row in gold], [_words(text, q.spans) for q in quotes]
    )
    units = []
    for index, row in enumerate(gold):
        place = pairs.get(index)
        if place is None:
            units.append(Unit(article, row, None, {}, {}))
        else:
            units.append(Unit(article, row, quotes[place], labels[place], probabilities[place]))
    used = set(pairs.values())
    units += [
        Unit(article, None, quote, labels[place], probabilities[place])
        for place, quote in enumerate(quotes)
        if place not in used
    ]
    return units


def _words(text: str, spans: Any) -> frozenset[int]:
    """Returns the offsets of the words inside the spans."""
    return frozenset(found.start() for s, e in spans for found in WORD.finditer(text, s, e))


def _sample(unit: Unit, key: str) -> Sample:
    gold: dict[str, str] = {}
    predicted: dict[str, str] = {}
    if unit.gold is not None:
        fields = unit.gold.fields
        gold = {
            **unit.gold.labels,
            "speaker": str(fields.get("speaker") or ""),
            "kind": str(fields.get("kind") or ""),
            "spans": str(gold_spans(unit.gold)),
        }
    if unit.quote is not None:
        predicted = {
            **unit.labels,
            "speaker": unit.quote.speaker.name if unit.quote.speaker else "",
            "kind": unit.quote.kind,
            "spans": str(list(unit.quote.spans)),
        }
    text = unit.gold.text if unit.gold is not None else unit.quote.text if unit.quote else ""
    row = unit.gold
    state = "missed" if unit.quote is None else "not in the gold" if row is None else "found"
    return {
        "suite": key,
        "id": row.id if row else f"{unit.article}:{unit.quote.start if unit.quote else 0}",
        "sha256": row.sha256 if row else text_sha256(text),
        "text": text,
        "context": row.context if row else unit.quote.context if unit.quote else "",
        "tags": [state, *(["exact"] if unit.is_exact else [])],
        "group": unit.article,
        "gold": gold,
        "predicted": predicted,
        "probabilities": unit.probabilities,
        "baselines": {},
    }
