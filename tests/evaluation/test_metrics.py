import numpy as np
import pytest
from sklearn import metrics as sk

from stance.evaluation.bootstrap import draw
from stance.evaluation.metrics import HeadData, measure, point_values, resampled_values
from stance.labels import SENTIMENTS, STANCES


def noisy(n=80, seed=3, labels=STANCES):
    generator = np.random.default_rng(seed)
    gold = generator.integers(0, len(labels), n)
    gold[: len(labels)] = range(len(labels))
    scores = generator.normal(size=(n, len(labels))) + 1.2 * np.eye(len(labels))[gold]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    taken = (0, 1, 2) if labels == STANCES else None
    return HeadData(labels, gold, probabilities.argmax(axis=1), probabilities, taken)


def values(data):
    return {key: value for key, (value, _) in point_values(data).items()}


def test_point_values_are_scikit_learns():
    data = noisy()
    found = values(data)
    assert found["accuracy"] == sk.accuracy_score(data.gold, data.predicted)
    assert found["macro_f1"] == sk.f1_score(data.gold, data.predicted, average="macro")
    assert found["mcc"] == sk.matthews_corrcoef(data.gold, data.predicted)
    assert found["kappa"] == sk.cohen_kappa_score(data.gold, data.predicted)
    assert found["log_loss"] == pytest.approx(sk.log_loss(data.gold, data.probabilities))
    assert found["recall:neutral"] == sk.recall_score(data.gold == 3, data.predicted == 3)


@pytest.mark.parametrize("labels", [STANCES, SENTIMENTS])
def test_weighted_values_equal_those_of_the_rows_repeated(labels):
    # The fast way (weights) must give what measuring a copied resample gives, for every metric.
    data = noisy(labels=labels)
    resamples = draw(len(data.gold), groups=None, repeats=25, seed=1)
    fast = resampled_values(data, resamples)
    for position, counts in enumerate(resamples.counts):
        rows = np.repeat(np.arange(len(data.gold)), counts[resamples.membership])
        copied = HeadData(
            labels, data.gold[rows], data.predicted[rows], data.probabilities[rows], data.taken
        )
        slow = values(copied)
        assert slow.keys() == fast.keys()
        for key, value in slow.items():
            expected = np.nan if value is None else value
            assert fast[key][position] == pytest.approx(expected, abs=1e-9, nan_ok=True), key


def test_brier_log_loss_and_three_way_by_hand():
    # Two rows. Row 1: gold conciliatory, given 0.5. Row 2: gold dismissive, neutral ahead of it.
    probabilities = np.array([[0.5, 0.3, 0.2, 0.0], [0.1, 0.3, 0.2, 0.4]])
    data = HeadData(STANCES, np.array([0, 1]), np.array([0, 3]), probabilities, (0, 1, 2))
    found = values(data)
    assert found["brier"] == pytest.approx((0.25 + 0.09 + 0.04 + 0.01 + 0.49 + 0.04 + 0.16) / 2)
    assert found["log_loss"] == pytest.approx(-(np.log(0.5) + np.log(0.3)) / 2)
    assert found["accuracy"] == 0.5
    assert found["three_way_accuracy"] == 1.0


def test_brier_is_scikit_learns_where_it_has_many_classes():
    data = noisy()
    try:
        expected = sk.brier_score_loss(data.gold, data.probabilities, scale_by_half=False)
    except (TypeError, ValueError):
        pytest.skip("this scikit-learn has the two-class Brier score only")
    assert values(data)["brier"] == pytest.approx(expected)


def test_absent_class_is_undefined_with_its_reason_and_never_zero():
    data = HeadData(STANCES, np.array([0, 1, 2]), np.array([0, 1, 3]), None, (0, 1, 2))
    found = point_values(data)
    assert found["macro_f1"][0] is None
    assert "no row is labelled neutral" in found["macro_f1"][1]
    assert found["macro_f1_present"][0] == pytest.approx(2 / 3)
    assert found["f1:neutral"] == (None, "no row is labelled neutral")
    assert found["recall:neutral"] == (None, "no row is labelled neutral")
    assert found["precision:conditional"] == (None, "conditional is never predicted")
    assert found["f1:conditional"] == (0.0, None)  # there are such rows, and none was found
    for key in ("ece", "ece_adaptive", "brier", "log_loss", "aurc", "accuracy_at_70"):
        assert found[key] == (None, "this system gives no probabilities")
    assert found["three_way_accuracy"] == (None, "this system gives no probabilities")


def test_one_class_leaves_correlations_undefined():
    data = HeadData(STANCES, np.array([3, 3]), np.array([3, 1]), None, (0, 1, 2))
    found = point_values(data)
    assert found["mcc"] == (None, "every row has the same label")
    assert found["kappa"] == (None, "every row has the same label")
    assert found["three_way_accuracy"] == (None, "no row takes a stance")
    assert found["accuracy"] == (0.5, None)


def test_report_holds_value_inside_interval_and_counts():
    data = noisy(200)
    report = measure(data, draw(200, groups=None, repeats=300, seed=0)).report
    for key in ("accuracy", "macro_f1", "mcc", "kappa", "brier", "log_loss", "aurc"):
        metric = report["metrics"][key]
        assert metric["low"] < metric["value"] < metric["high"], key
    chance = report["metrics"]["ece_chance"]
    assert 0 < chance["low"] < chance["value"] < chance["high"]
    assert report["confusion"] == sk.confusion_matrix(data.gold, data.predicted).tolist()
    assert sum(entry["n"] for entry in report["reliability"]) == 200
    assert sum(entry["support"] for entry in report["per_class"].values()) == 200
    assert report["risk_coverage"][-1]["coverage"] == 1.0
    assert report["risk_coverage"][-1]["risk"] == pytest.approx(
        1 - report["metrics"]["accuracy"]["value"]
    )


def test_no_resamples_leave_values_without_intervals():
    report = measure(noisy(), draw(80, groups=None, repeats=0, seed=0)).report
    metric = report["metrics"]["accuracy"]
    assert metric["value"] is not None
    assert metric["low"] is None
    assert metric["interval_reason"] == "no resamples were asked for"


def test_rare_class_makes_the_interval_undefined_not_narrow():
    gold = np.array([0] * 40 + [1])
    data = HeadData(("a", "b"), gold, gold.copy(), None)
    metric = measure(data, draw(41, groups=None, repeats=400, seed=0)).report["metrics"]["macro_f1"]
    assert metric["value"] == 1.0
    assert metric["low"] is None
    assert 100 < metric["undefined_resamples"] < 200  # (1 - 1/41)^41 is 0.36 of 400
    assert "undefined in" in metric["interval_reason"]
