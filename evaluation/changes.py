"""The figures of two reports side by side: what changed, by how much, and whether beyond noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from stance.evaluation import bootstrap
from stance.evaluation.bootstrap import FloatArray
from stance.evaluation.guard import Guarded, figure
from stance.evaluation.metrics import HeadData, measure, taken_of
from stance.evaluation.paired import bootstrap_p, mcnemar
from stance.evaluation.schema import HEADS, METRICS, MetricValue, Sample, undefined
from stance.evaluation.stored import StoredReport, stored_answers

#: Head metrics that are compared, in the order of the table; then the F1 of each label.
COMPARED: Final = (
    "accuracy",
    "macro_f1",
    "three_way_accuracy",
    "mcc",
    "accuracy_at_70",
    "aurc",
    "ece",
    "brier",
)
#: Fewer shared quotes than this say nothing about the suite.
LEAST_SHARED: Final = 20
Verdict = Literal["better", "worse", "within noise", "undefined"]


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in both reports.

    Attributes:
        suite: Key of the suite.
        head: The head, or None.
        metric: Key of the metric, or "f1:" and a label.
        before: The figure in OLD.
        after: The figure in NEW.
        difference: NEW minus OLD; on the shared quotes where paired.
        low: Lower end of the difference's 95% interval, or None.
        high: Upper end.
        p_value: McNemar's for accuracy, else of the paired bootstrap; None where not paired.
        method: "paired" or "unpaired".
        n: Quotes shared, or None where not paired.
        is_guarded: Whether ``guard.json`` names it.
        verdict: What the interval says.
    """

    suite: str
    head: str | None
    metric: str
    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    p_value: float | None
    method: str
    n: int | None
    is_guarded: bool
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports side by side.

    Attributes:
        changes: Every figure that both hold.
        notes: What a reader must know about them.
        fallen: One sentence for each guarded figure that fell.
    """

    changes: list[Change]
    notes: list[str]
    fallen: list[str]


def compare(
    old: StoredReport,
    new: StoredReport,
    guarded: Sequence[Guarded] = (),
    *,
    seed: int = 0,
    repeats: int = 2000,
) -> Comparison:
    """Compares two reports.

    Args:
        old: The report to start from.
        new: The report to judge.
        guarded: The figures that must not fall.
        seed: Seed of the resamples.
        repeats: Resamples for the paired differences.
    """
    changes: list[Change] = []
    notes: list[str] = []
    before, after = old.suites(), new.suites()
    if old.results["model"]["sha256"] == new.results["model"]["sha256"] is not None:
        notes.append("both reports are of the same weights")
    for key in before:
        if key not in after:
            notes.append(f"{key}: not in NEW")
    for key, suite in after.items():
        if key not in before:
            notes.append(f"{key}: not in OLD")
            continue
        paired = _Paired(key, old, new, seed, repeats, notes)
        changes += _changes_of(key, before[key], suite, paired, guarded)
        unknown = sorted(set(suite["systems"][0]["metrics"]) - METRICS.keys())
        if unknown:
            notes.append(f"{key}: not compared, unknown to this version: {', '.join(unknown)}")
    fallen = []
    for entry in guarded:
        was = figure(old.results, entry.suite, entry.head, entry.metric)
        now = figure(new.results, entry.suite, entry.head, entry.metric)
        if was["value"] is not None and now["value"] is None:
            fallen.append(f"{entry.name} has no value in NEW ({now['reason']})")
    fallen += [
        f"{name_of(change)} fell by {abs(change.difference or 0.0):.4f}"
        for change in changes
        if change.is_guarded and change.verdict == "worse"
    ]
    return Comparison(changes, notes, fallen)


class _Paired:
    """The quotes of one suite that both reports hold, measured on the same resamples."""

    def __init__(
        self,
        key: str,
        old: StoredReport,
        new: StoredReport,
        seed: int,
        repeats: int,
        notes: list[str],
    ) -> None:
        first, second = old.samples.get(key, {}), new.samples.get(key, {})
        #: Ids of the quotes that are the same in both, labels included.
        self.ids = [
            name
            for name, sample in second.items()
            if name in first
            and sample["sha256"] == first[name]["sha256"]
            and sample["gold"] == first[name]["gold"]
        ]
        total = max(len(first), len(second))
        if not first or not second:
            notes.append(f"{key}: no samples beside both reports; intervals taken as independent")
            self.ids = []
        elif len(self.ids) < LEAST_SHARED:
            notes.append(
                f"{key}: only {len(self.ids)} quotes are the same in both; intervals taken as "
                "independent"
            )
            self.ids = []
        elif len(self.ids) < total:
            notes.append(f"{key}: differences on the {len(self.ids)} quotes of both, of {total}")
        self.first = [first[name] for name in self.ids]
        self.second = [second[name] for name in self.ids]
        if self.ids:
            self.resamples = bootstrap.draw(
                len(self.ids), groups=self._groups(), repeats=repeats, seed=seed
            )

    def _groups(self) -> tuple[str, list[str]] | None:
        groups = [sample.get("group") for sample in self.second]
        if any(group is None for group in groups) or len(set(groups)) in (1, len(groups)):
            return None
        return "group", [str(group) for group in groups]

    def head(self, head: str) -> dict[str, tuple[MetricValue, float | None]]:
        """Returns the difference and p-value of every metric of one head; empty if not paired."""
        if not self.ids:
            return {}
        old, new = (_head_data(rows, head) for rows in (self.first, self.second))
        if old is None or new is None:
            return {}
        was, now = measure(old, self.resamples), measure(new, self.resamples)
        before = was.report["metrics"] | _f1_of(was.report)
        after = now.report["metrics"] | _f1_of(now.report)
        found = {}
        for metric in before.keys() & after.keys():
            ours, theirs = now.resampled.get(metric), was.resampled.get(metric)
            if ours is None or theirs is None:
                continue
            value = bootstrap.difference(after[metric], before[metric], ours, theirs)
            p_value = bootstrap_p(ours - theirs)
            if metric == "accuracy":
                p_value = mcnemar(new.is_correct, old.is_correct)
            found[metric] = (value, p_value)
        return found

    def groups_right(self) -> tuple[MetricValue, float | None] | None:
        """Returns the difference in the share of groups with every stance right, if paired."""
        grouped = self._groups() if self.ids else None
        if grouped is None:
            return None
        rights: list[FloatArray] = []
        for rows in (self.first, self.second):
            right: dict[str, bool] = {}
            for sample, group in zip(rows, grouped[1], strict=True):
                same = sample["gold"].get("stance") == sample["predicted"].get("stance")
                right[group] = right.get(group, True) and same
            rights.append(np.array(list(right.values()), dtype=np.float64))
        resamples = bootstrap.draw(
            len(rights[0]), groups=None, repeats=len(self.resamples.counts), seed=0
        )
        delta = bootstrap.ratio(
            rights[1] - rights[0], np.ones(len(rights[0])), resamples, "no group"
        )
        return delta, mcnemar(rights[1], rights[0])


def _f1_of(report: Any) -> dict[str, MetricValue]:
    return {f"f1:{label}": entry["f1"] for label, entry in report["per_class"].items()}


def _head_data(samples: Sequence[Sample], head: str) -> HeadData | None:
    """Returns the answers of stored samples on one head, or None where some have none."""
    answers = stored_answers(samples, head)
    labels = HEADS[head]
    gold = [sample["gold"].get(head) for sample in samples]
    if answers is None or any(label not in labels for label in gold):
        return None
    right = np.array([labels.index(str(label)) for label in gold])
    return HeadData(labels, right, answers.predicted, answers.probabilities, taken_of(head))


def _changes_of(
    key: str, old: Any, new: Any, paired: _Paired, guarded: Sequence[Guarded]
) -> list[Change]:
    names = {(entry.suite, entry.head, entry.metric) for entry in guarded}
    changes = []
    was, now = old["systems"][0], new["systems"][0]
    for head in now["heads"]:
        if head not in was["heads"]:
            continue
        before = was["heads"][head]["metrics"] | _f1_of(was["heads"][head])
        after = now["heads"][head]["metrics"] | _f1_of(now["heads"][head])
        deltas = paired.head(head)
        wanted = [*COMPARED, *(metric for metric in after if metric.startswith("f1:"))]
        for metric in wanted:
            if metric in before and metric in after:
                delta = deltas.get(metric)
                is_guarded = (key, head, metric) in names
                changes.append(
                    _change(
                        (key, head, metric),
                        before[metric],
                        after[metric],
                        delta,
                        paired,
                        is_guarded,
                    )
                )
    for metric, value in now["metrics"].items():
        # A name that this version does not know has no direction to be judged by.
        if metric in was["metrics"] and metric in METRICS:
            delta = paired.groups_right() if metric == "groups_right" else None
            is_guarded = (key, None, metric) in names
            changes.append(
                _change(
                    (key, None, metric), was["metrics"][metric], value, delta, paired, is_guarded
                )
            )
    return changes


def _change(
    name: tuple[str, str | None, str],
    before: MetricValue,
    after: MetricValue,
    delta: tuple[MetricValue, float | None] | None,
    paired: _Paired,
    is_guarded: bool,
) -> Change:
    difference, p_value = delta if delta is not None else (_independent(before, after), None)
    if delta is not None and difference["value"] is None:
        difference, p_value, delta = _independent(before, after), None, None
    return Change(
        *name,
        before["value"],
        after["value"],
        difference["value"],
        difference["low"],
        difference["high"],
        p_value,
        "paired" if delta is not None else "unpaired",
        len(paired.ids) if delta is not None else None,
        is_guarded,
        _verdict(name[2], difference),
    )


def _independent(before: MetricValue, after: MetricValue) -> MetricValue:
    """Returns the difference of two figures whose intervals are taken as independent."""
    value = undefined(before["reason"] or after["reason"] or "no interval")
    if before["value"] is None or after["value"] is None:
        return value
    value["value"], value["reason"] = after["value"] - before["value"], None
    if None in (before["low"], before["high"], after["low"], after["high"]):
        return value
    # The widths towards each other add in squares, as errors of independent figures do.
    down = _hypotenuse(after["value"] - after["low"], before["high"] - before["value"])  # type: ignore[operator]
    up = _hypotenuse(after["high"] - after["value"], before["value"] - before["low"])  # type: ignore[operator]
    value["low"], value["high"] = value["value"] - down, value["value"] + up
    value["interval_reason"] = None
    return value


def _hypotenuse(first: float, second: float) -> float:
    return float((first**2 + second**2) ** 0.5)


def _verdict(metric: str, difference: MetricValue) -> Verdict:
    low, high = difference["low"], difference["high"]
    if difference["value"] is None:
        return "undefined"
    if low is None or high is None or low <= 0 <= high:
        return "within noise"
    is_up_better = metric.startswith("f1:") or METRICS[metric].is_higher_better
    return "better" if (low > 0) == is_up_better else "worse"


def name_of(change: Change) -> str:
    """Returns a figure in words: "authored: stance macro_f1"."""
    return f"{change.suite}: {f'{change.head} ' if change.head else ''}{change.metric}"
