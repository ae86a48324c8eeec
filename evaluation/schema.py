"""The shape of ``results.json``, version 2: every figure of a run, and where it came from.

A reader needs only this file. Figures are fractions in 0..1 unless their entry in ``METRICS`` says
otherwise. A figure that cannot be computed is ``None`` with its reason, never 0.

Version 2 added to version 1: a system of the kind ``previous`` (the newest report of other
weights); ``p_value`` and ``test`` of a difference; ``ceilings`` of a suite; ``learning_curve``; the
suites calibration, speed and quotes with their metrics. ``stance compare`` reads both versions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypedDict

from stance.evaluation.quote_figures import FIGURES as QUOTE_FIGURES
from stance.labels import SENTIMENTS, STANCES

SCHEMA_VERSION: Final = 2

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
        unit: Written after a value that is no fraction, such as "s"; empty for pure numbers.
    """

    title: str
    is_higher_better: bool
    is_fraction: bool
    meaning: str
    unit: str = ""


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
    "ece_chance": MetricInfo(
        "ECE by chance",
        False,
        True,
        "the ECE of perfect calibration on as many quotes: mean and range of 1,000 draws",
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
    **{
        f"{head}_{key}_{level}": MetricInfo(
            f"{head.capitalize()} {title} {level}%",
            key == "coverage",
            key == "coverage",
            meaning.format(level=level, head=head),
            "" if key == "coverage" else "labels",
        )
        for head in HEADS
        for level in (80, 90)
        for key, title, meaning in (
            (
                "coverage",
                "sets,",
                "quotes whose right {head} is in the label set asked for with {level}% coverage",
            ),
            ("set_size", "set size,", "mean number of labels in those sets; fewer say more"),
        )
    },
    "condition_f1": MetricInfo(
        "Condition", True, True, "token F1 of the words that state the condition"
    ),
    "outcome_f1": MetricInfo(
        "Outcome", True, True, "token F1 of the words that state what hangs on it"
    ),
    **{key: MetricInfo(title, True, True, what) for key, (title, what) in QUOTE_FIGURES.items()},
    "one_by_one": MetricInfo(
        "One by one", True, False, "quotes labelled in a second, one a call", "quotes/s"
    ),
    "in_batches": MetricInfo(
        "Many at once", True, False, "quotes labelled in a second, all in one call", "quotes/s"
    ),
    "one_by_one_ratio": MetricInfo(
        "One by one, times", True, False, "speed one by one over that of the alternative", "×"
    ),
    "in_batches_ratio": MetricInfo(
        "Many, times", True, False, "speed of many at once over that of the alternative", "×"
    ),
    "cold_start": MetricInfo(
        "Cold start", False, False, "a new process from its start to the first label", "s"
    ),
    "peak_memory": MetricInfo(
        "Peak memory", False, False, "most memory of that process after 256 quotes", "MiB"
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
    """The model, a baseline or the previous report; ``heads`` is empty when it was skipped.

    ``head_reasons`` says why a head is missing; ``metrics`` are those of no single head.
    ``seconds`` is None where an answer was known from an earlier suite; for the model it is that of
    the quotes new in this suite, without the first, which loads it.
    """

    name: str
    title: str
    kind: Literal["model", "baseline", "previous"]
    status: Literal["done", "skipped"]
    reason: str | None
    note: str
    heads: dict[str, HeadReport]
    head_reasons: dict[str, str]
    metrics: dict[str, MetricValue]
    seconds: float | None
    quotes_per_second: float | None


class Difference(TypedDict):
    """Model minus another system on the same resamples (paired bootstrap).

    ``p_value`` is two-sided: McNemar's exact one for accuracy, of the paired bootstrap else
    (``test`` says which), None without resamples.
    """

    baseline: str
    head: str
    metric: str
    difference: MetricValue
    p_value: float | None
    test: str


class Ceiling(TypedDict):
    """How far two annotators agree: no system can be told to be better than that.

    The figures take the first annotator's labels as right and the second's as answers; None where
    nobody measured it. ``n`` is the number of quotes both labelled, None where it is not told.
    """

    kappa: float | None
    accuracy: float | None
    macro_f1: float | None
    n: int | None
    about: str


class CurvePoint(TypedDict):
    """One training run of the learning curve: ``rows`` learned from, ``value`` with its bounds."""

    series: str
    rows: int
    value: float
    low: float | None
    high: float | None


class LearningCurve(TypedDict):
    """How a figure grows with the training rows; ``file`` is where the points were read."""

    file: str
    about: str
    metric: str
    points: list[CurvePoint]


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
    ceilings: dict[str, Ceiling]
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
    previous: str | None
    learning_curve: LearningCurve | None
    suites: list[SuiteReport]


class Sample(TypedDict):
    """One line of ``samples.jsonl``: one row of one suite.

    ``text`` and ``context`` are None for data that is not ours; ``sha256`` is that of the UTF-8
    text, so that its owner can trace the row. ``group`` is what was drawn together for the
    intervals, or the beginning of its hash.
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
