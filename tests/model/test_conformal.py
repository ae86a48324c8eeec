import json
import math

import numpy as np
import pytest

from stance.model.calibration import calibrate, softmax
from stance.model.conformal import LEAST_ROWS, MOST_STORED, CalibrationScores, LabelSets

NAMES = ("a", "b", "c", "d")


def drawn(rows: int, seed: int, noise: float = 1.0):
    """Probabilities of a model, and right labels that follow other probabilities than its own."""
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(rows, 4)) * 1.5
    true = softmax(logits + generator.normal(size=(rows, 4)) * noise)
    targets = (generator.random(rows)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    # Twice as sure of itself as it may be: the promise must hold for a bad model too.
    return softmax(logits * 2), targets


def sets_of(label_sets: LabelSets, probabilities, coverage: float):
    return [
        label_sets.label_set(dict(zip(NAMES, row, strict=True)), coverage)
        for row in probabilities.tolist()
    ]


def fitted(rows: int, seed: int, noise: float = 1.0) -> LabelSets:
    probabilities, targets = drawn(rows, seed, noise)
    found = LabelSets.of({"drawn": probabilities[np.arange(rows), targets].tolist()})
    assert found is not None
    return found


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9, 0.95])
def test_the_right_label_is_in_the_set_as_often_as_promised(coverage):
    label_sets = fitted(2000, seed=1)
    probabilities, targets = drawn(8000, seed=2)
    found = sets_of(label_sets, probabilities, coverage)
    held = np.mean([NAMES[t] in names for t, names in zip(targets, found, strict=True)])
    assert coverage - 0.02 <= held
    # At 0.5 the sets would be smaller than one label, which none is.
    if coverage > 0.5:
        assert held <= coverage + 0.03


def test_a_higher_coverage_never_loses_a_label():
    label_sets = fitted(500, seed=3)
    probabilities, _ = drawn(50, seed=4)
    low, high = (sets_of(label_sets, probabilities, coverage) for coverage in (0.7, 0.95))
    assert all(set(few) <= set(many) for few, many in zip(low, high, strict=True))
    assert sum(map(len, low)) < sum(map(len, high))


def test_labels_come_most_probable_first_and_never_none():
    label_sets = fitted(100, seed=5)
    assert label_sets.label_set({"a": 0.25, "b": 0.25, "c": 0.3, "d": 0.2}, 0.01) == ("c",)
    assert label_sets.label_set({"a": 0.2, "b": 0.1, "c": 0.3, "d": 0.4}, 0.9999) == tuple("dcab")


def test_the_threshold_is_the_order_statistic_of_the_source():
    scores = CalibrationScores.of([1 - place / 100 for place in range(1, 100)])
    assert scores is not None
    # ceil((99 + 1) * 0.9) = 90: the 90th smallest of 0.01, 0.02, …
    assert scores.threshold(0.9) == pytest.approx(0.90)
    assert scores.threshold(0.99) == pytest.approx(0.99)
    assert scores.threshold(0.995) > 1


def test_thinned_scores_are_never_below_the_exact_ones():
    values = np.random.default_rng(0).random(3000)
    scores = CalibrationScores.of(values.tolist())
    assert scores is not None
    assert len(scores.scores) == MOST_STORED
    ordered = np.sort(1 - values)
    for coverage in np.linspace(0.01, 0.999, 200):
        exact = ordered[math.ceil(3001 * coverage - 1e-9) - 1]
        assert exact <= scores.threshold(float(coverage)) <= exact + 0.02


def test_the_group_that_needs_most_labels_decides():
    easy, hard = [0.9] * 50, [0.2] * 50
    row = {"a": 0.7, "b": 0.3}
    only_easy, both = LabelSets.of({"easy": easy}), LabelSets.of({"easy": easy, "hard": hard})
    assert only_easy is not None
    assert both is not None
    assert only_easy.label_set(row, 0.9) == ("a",)
    assert both.label_set(row, 0.9) == ("a", "b")


def test_too_few_rows_make_no_label_sets():
    assert LabelSets.of({"few": [0.5] * (LEAST_ROWS - 1)}) is None
    assert LabelSets.of({}) is None
    found = LabelSets.of({"few": [0.5] * 3, "enough": [0.5] * LEAST_ROWS})
    assert found is not None
    assert list(found.groups) == ["enough"]


@pytest.mark.parametrize("coverage", [0, 1, 1.5, -0.1, math.nan, math.inf])
def test_a_coverage_outside_the_open_interval_is_named(coverage):
    with pytest.raises(ValueError, match=f"not {coverage}"):
        fitted(100, seed=0).label_set({"a": 1.0}, coverage)


@pytest.mark.parametrize("coverage", ["0.9", None, True])
def test_a_coverage_that_is_no_number_is_refused(coverage):
    with pytest.raises(TypeError, match=f"not {type(coverage).__name__}"):
        fitted(100, seed=0).label_set({"a": 1.0}, coverage)


def test_json_and_back_changes_nothing():
    label_sets = fitted(700, seed=6)
    assert LabelSets.from_dict(json.loads(json.dumps(label_sets.to_dict()))) == label_sets


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"x": {"rows": 40, "scores": [0.1] * 39}},
        {"x": {"rows": 3, "scores": [0.1] * 3}},
        {"x": {"rows": 40, "scores": [0.2, *[0.1] * 39]}},
        {"x": {"rows": 40, "scores": [1.5] * 40}},
        {"x": {"rows": 40, "scores": [math.nan] * 40}},
    ],
)
def test_damaged_scores_are_refused(values):
    with pytest.raises(ValueError, match="calibration scores"):
        LabelSets.from_dict(values)


def test_each_set_has_equal_say_in_the_temperature():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(4000, 4)) * 3

    def targets_at(temperature: float, rows: slice):
        shares = softmax(logits[rows], temperature).cumsum(axis=1)
        return (generator.random(len(shares))[:, None] > shares).sum(axis=1).clip(0, 3)

    large, small = slice(0, 3600), slice(3600, 4000)
    groups = {
        "large": ({"t": logits[large]}, {"t": targets_at(1.0, large)}),
        "small": ({"t": logits[small]}, {"t": targets_at(4.0, small)}),
    }
    alone = {name: calibrate(["t"], {name: groups[name]}).temperatures["t"] for name in groups}
    pooled = calibrate(
        ["t"],
        {
            "one": (
                {"t": logits},
                {"t": np.concatenate([groups[name][1]["t"] for name in groups])},
            )
        },
    ).temperatures["t"]
    both = calibrate(["t"], groups)
    assert alone["large"] < pooled < both.temperatures["t"] < alone["small"]
    assert list(both.label_sets["t"].groups) == ["large", "small"]


def test_rows_without_a_label_and_empty_sets_have_no_say():
    logits = np.random.default_rng(0).normal(size=(80, 2))
    targets = logits.argmax(axis=1)
    targets[::3] = 1 - targets[::3]
    some = targets.copy()
    some[:20] = -100
    nothing = np.full(80, -100)
    kept = calibrate(
        ["t"], {"x": ({"t": logits}, {"t": some}), "y": ({"t": logits}, {"t": nothing})}
    )
    expected = calibrate(["t"], {"x": ({"t": logits[20:]}, {"t": targets[20:]})})
    assert kept == expected
    assert calibrate(["t"], {"y": ({"t": logits}, {"t": nothing})}).temperatures == {"t": 1.0}
    assert calibrate(["t"], {}).label_sets == {}
