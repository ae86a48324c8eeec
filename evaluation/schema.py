"""The shape of ``results.json``, version 1: every figure of a run, and where it came from.

A reader needs only this file. Figures are fractions in 0..1 unless their entry in ``METRICS`` says
otherwise. A figure that cannot be computed is ``None`` with its reason, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict

from stance.labels import SENTIMENTS, STANCES

SCHEMA_VERSION: Final = 1

#: The two heads and their labels, in label order: rows and columns of every matrix.
HEADS: Final[dict[str, tuple[str, ...]]] = {"stance": STANCES, "sentiment": SENTIMENTS}


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """How one metric is shown.

    Attributes:
        title: Column heading.
        is_higher_better: False for errors and losses.
        is_fraction: Whether the value lies in 0..1 and may be shown as a percentage.
        meaning: One sentence for the reader of a report.
    """

    title: str
    is_higher_better: bool
    is_fraction: bool
    meaning: str


#: What the suite ``invariance`` changes: title and meaning.
_MOVES: Final[dict[str, tuple[str, str]]] = {
    "identity": (" moves", "another country, name or gender, together"),
    "country": (", country", "another country with its people and cities"),
    "name": (", name", "another name, or a name for a speaker without one"),
    "gender": (", gender", "feminine for masculine words, or the reverse"),
    "capitals": (", capitals", "all capitals or all small letters"),
    "quotation": (", marks", "other quotation marks and apostrophes"),
    "spelling": (", spelling", "American for British spelling, or the reverse"),
    "typos": (", typos", "one slip of the keyboard in 12 words"),
}

METRICS: Final[dict[str, MetricInfo]] = {
    "accuracy": MetricInfo("Accuracy", True, True, "share of quotes labelled right"),
    "macro_f1": MetricInfo(
        "Macro-F1", True, True, "mean F1 over all labels, each counting the same"
    ),
    "macro_f1_present": MetricInfo(
        "Macro-F1, labels present",
        True,
        True,
        "mean F1 over the labels that occur in this data",
    ),
    "mcc": MetricInfo(
        "MCC", True, False, "Matthews correlation, -1 to 1; 0 is no better than chance"
    ),
    "kappa": MetricInfo(
        "Cohen's κ", True, False, "agreement with the labels beyond chance, at most 1"
    ),
    "three_way_accuracy": MetricInfo(
        "Three-way",
        True,
        True,
        "where a stance is taken: the right one of conciliatory, dismissive, conditional",
    ),
    "accuracy_at_70": MetricInfo(
        "Acc. at 70%", True, True, "accuracy on the most confident 70% of the quotes"
    ),
    "aurc": MetricInfo(
        "AURC", False, True, "mean error over all shares kept, most confident first"
    ),
    "ece": MetricInfo(
        "ECE", False, True, "gap between confidence and accuracy, 15 bins of equal width"
    ),
    "ece_adaptive": MetricInfo(
        "ECE, adaptive", False, True, "the same with 15 bins of equally many quotes"
    ),
    "brier": MetricInfo("Brier", False, False, "squared error of the probabilities, 0 to 2"),
    "log_loss": MetricInfo(
        "Log loss", False, False, "mean -ln of the probability given to the right label"
    ),
    "groups_right": MetricInfo(
        "Groups right", True, True, "share of groups with every stance in them right"
    ),
    **{
        f"{head}_moved_{key}": MetricInfo(
            f"{head.capitalize()}{title}",
            False,
            True,
            f"share of quotes whose {head} differs from that before the change: {what}",
        )
        for key, (title, what) in _MOVES.items()
        for head in HEADS
    },
    "span_f1": MetricInfo("Span F1", True, True, "quotes found with exactly the right characters"),
    "found_recall": MetricInfo(
        "Found", True, True, "gold quotes met by a quote that shares at least half of the words"
    ),
    "span_precision": MetricInfo(
        "Span precision", True, True, "share of the quotes found that are exactly right"
    ),
    "span_recall": MetricInfo("Span recall", True, True, "share of the gold quotes found exactly"),
    "kind_accuracy": MetricInfo(
        "Kind", True, True, "of the quotes found: direct, mixed or indirect told right"
    ),
    "speaker_accuracy": MetricInfo(
        "Speaker", True, True, "of the quotes found: the speaker's resolved name is right"
    ),
    "stance_accuracy": MetricInfo("Stance", True, True, "of the quotes found: stance right"),
    "sentiment_accuracy": MetricInfo(
        "Sentiment", True, True, "of the quotes found: sentiment right"
    ),
    "end_to_end": MetricInfo(
        "All right",
        True,
        True,
        "of the gold quotes: exact characters, speaker, stance and sentiment all right",
    ),
}


class MetricValue(TypedDict):
    """One figure with its interval.

    ``reason`` says why ``value`` is None; ``interval_reason`` why ``low`` and ``high`` are, or what
    a reader must know about them. ``undefined_resamples`` counts the resamples without a value.
    """

    value: float | None
    low: float | None
    high: float | None
    reason: str | None
    interval_reason: str | None
    undefined_resamples: int


class ClassReport(TypedDict):
    """One label: ``support`` is the number of gold rows with it, ``predicted`` of answers."""

    precision: MetricValue
    recall: MetricValue
    f1: MetricValue
    support: int
    predicted: int


class ReliabilityBin(TypedDict):
    """Quotes whose confidence lies in ``(low, high]``; the means are None when ``n`` is 0."""

    low: float
    high: float
    n: int
    confidence: float | None
    accuracy: float | None


class CoveragePoint(TypedDict):
    """The error rate ``risk`` on the most confident share ``coverage`` of the rows."""

    coverage: float
    risk: float


class HeadReport(TypedDict):
    """Everything measured on one head of one system. ``confusion[gold][predicted]``."""

    n: int
    labels: list[str]
    metrics: dict[str, MetricValue]
    per_class: dict[str, ClassReport]
    confusion: list[list[int]]
    reliability: list[ReliabilityBin]
    risk_coverage: list[CoveragePoint]


class SystemReport(TypedDict):
    """The model or one baseline on one suite; ``heads`` is empty when it was skipped.

    ``head_reasons`` says why a head is missing; ``metrics`` are those of no single head.
    """

    name: str
    title: str
    kind: Literal["model", "baseline"]
    status: Literal["done", "skipped"]
    reason: str | None
    note: str
    heads: dict[str, HeadReport]
    head_reasons: dict[str, str]
    metrics: dict[str, MetricValue]
    seconds: float | None
    quotes_per_second: float | None


class Difference(TypedDict):
    """Model minus baseline on the same resamples (paired bootstrap)."""

    baseline: str
    head: str
    metric: str
    difference: MetricValue


class Slice(TypedDict):
    """The model's accuracy on the rows for which ``field`` has ``value``."""

    field: str
    value: str
    head: str
    n: int
    accuracy: MetricValue


class DataFile(TypedDict):
    """A file that was read. ``file`` is relative to the repository, or a bare name outside it."""

    file: str
    sha256: str
    rows: int


class SuiteReport(TypedDict):
    """One suite on one data set. ``systems[0]`` is the model."""

    name: str
    title: str
    key: str
    about: str
    status: Literal["done", "skipped"]
    reason: str | None
    primary_metric: str
    primary_head: str | None
    data: list[DataFile]
    rows: int
    label_counts: dict[str, dict[str, int]]
    resampling: str
    warnings: list[str]
    systems: list[SystemReport]
    differences: list[Difference]
    slices: list[Slice]
    seconds: float


class ModelFacts(TypedDict):
    """What was evaluated. ``real_quotes_used`` is None when the model's config does not say."""

    name: str
    sha256: str | None
    files: dict[str, str]
    real_quotes_used: bool | None
    training: dict[str, Any]


class RunFacts(TypedDict):
    """How the run was made; ``started`` is UTC, ISO 8601."""

    command: str
    started: str
    seconds: float
    seed: int
    bootstrap: int
    interval: float
    python: str
    libraries: dict[str, str]
    hardware: dict[str, str | int | float | None]


class Results(TypedDict):
    """The whole of ``results.json``."""

    schema_version: int
    version: str
    run: RunFacts
    model: ModelFacts
    baselines_trained_on: DataFile | None
    suites: list[SuiteReport]


class Sample(TypedDict):
    """One line of ``samples.jsonl``: one row of one suite.

    ``text`` and ``context`` are None for data that is not ours; ``sha256`` is that of the UTF-8
    text, so that its owner can trace the row.
    """

    suite: str
    id: str
    sha256: str
    text: str | None
    context: str | None
    tags: list[str]
    group: str | None
    gold: dict[str, str]
    predicted: dict[str, str]
    probabilities: dict[str, dict[str, float]]
    baselines: dict[str, dict[str, str]]


def undefined(reason: str) -> MetricValue:
    """Returns the entry of a metric that has no value, with the reason."""
    return {
        "value": None,
        "low": None,
        "high": None,
        "reason": reason,
        "interval_reason": reason,
        "undefined_resamples": 0,
    }


def primary(suite: SuiteReport, system: SystemReport) -> MetricValue:
    """Returns a system's value of its suite's primary metric; undefined when it has none.

    Example:
        >>> import json
        >>> from pathlib import Path
        >>> results = json.loads(Path("results.json").read_text())  # doctest: +SKIP
        >>> [(s["key"], primary(s, s["systems"][0])["value"]) for s in results["suites"]
        ...  if s["status"] == "done"]  # doctest: +SKIP
        [('authored', 0.64)]
    """
    head = suite["primary_head"]
    if head is None:
        metrics = system["metrics"]
    elif head in system["heads"]:
        metrics = system["heads"][head]["metrics"]
    else:
        return undefined(system["head_reasons"].get(head) or system["reason"] or "not measured")
    return metrics.get(suite["primary_metric"]) or undefined("not measured")
