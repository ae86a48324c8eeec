import numpy as np
import pytest

from stance.evaluation.calibration import (
    SelectiveCurve,
    adaptive_calibration_error,
    bin_of,
    chance_calibration_errors,
    coverage_points,
    expected_calibration_error,
    reliability_bins,
)


def test_bins_hold_their_upper_edge():
    assert bin_of(np.array([0.0, 1 / 15, 1 / 15 + 1e-9, 0.999, 1.0])).tolist() == [0, 0, 1, 14, 14]


def test_calibration_error_by_hand():
    # Bin of 0.9: 4 quotes, 2 right: gap 0.4. Bin of 0.5: 6 quotes, 3 right: gap 0.
    confidence = np.array([0.9] * 4 + [0.5] * 6)
    is_correct = np.array([1, 1, 0, 0, 1, 1, 1, 0, 0, 0], dtype=float)
    found = expected_calibration_error(confidence, is_correct, np.ones((1, 10)))
    assert found[0] == pytest.approx(0.4 * 0.4)


def test_calibrated_confidence_has_little_error_and_shifted_one_much():
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.3, 1.0, 20_000)
    is_correct = (generator.random(20_000) < confidence).astype(float)
    ones = np.ones(20_000)
    assert expected_calibration_error(confidence, is_correct, ones[None])[0] < 0.02
    assert adaptive_calibration_error(confidence, is_correct, ones) < 0.02
    assert adaptive_calibration_error(confidence - 0.2, is_correct, ones) == pytest.approx(
        0.2, abs=0.02
    )


def test_chance_error_is_what_calibrated_confidence_shows():
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.3, 1.0, 400)
    drawn = chance_calibration_errors(confidence)
    # The same by the function that measures a model, on answers that are right as often as stated.
    shown = [
        expected_calibration_error(
            confidence, (generator.random(400) < confidence).astype(float), np.ones((1, 400))
        )[0]
        for _ in range(300)
    ]
    assert drawn.mean() == pytest.approx(np.mean(shown), abs=0.002)
    assert 0.02 < drawn.mean() < 0.06
    # More quotes leave less to chance; a model that is surer than it is right lies outside.
    assert chance_calibration_errors(np.tile(confidence, 20)).mean() < drawn.mean() / 3
    overconfident = (generator.random(400) < confidence - 0.2).astype(float)
    found = expected_calibration_error(confidence, overconfident, np.ones((1, 400)))[0]
    assert found > np.quantile(drawn, 0.975)


def test_chance_error_of_no_doubt_is_none():
    assert chance_calibration_errors(np.ones(30)).max() == 0.0


def test_selective_accuracy_and_aurc_by_hand():
    # Most confident first: right, right, wrong, right -> risks 0, 0, 1/3, 1/4; 70% of 4 keeps 3.
    confidence = np.array([0.6, 0.9, 0.5, 0.8])
    is_correct = np.array([0.0, 1.0, 1.0, 1.0])
    curve = SelectiveCurve(confidence, is_correct)
    assert curve.risks(np.ones(4)) == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert curve.summary(np.ones(4)) == pytest.approx((2 / 3, (1 / 3 + 1 / 4) / 4))


def test_equal_confidence_does_not_depend_on_row_order():
    is_correct = np.array([1.0, 1.0, 0.0, 0.0])
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [0, 2, 1, 3]):
        curve = SelectiveCurve(np.full(4, 0.5), is_correct[order])
        assert curve.summary(np.ones(4)) == pytest.approx((0.5, 0.5))


def test_seventy_percent_of_ten_is_seven():
    is_correct = np.array([1.0] * 7 + [0.0] * 3)
    curve = SelectiveCurve(np.linspace(0.9, 0.1, 10), is_correct)
    assert curve.summary(np.ones(10))[0] == 1.0


def test_reliability_bins_hold_every_quote_and_empty_bins_no_mean():
    bins = reliability_bins(np.array([0.2, 0.95, 1.0]), np.array([0.0, 1.0, 1.0]))
    assert len(bins) == 15
    assert sum(entry["n"] for entry in bins) == 3
    assert all((entry["accuracy"] is None) == (entry["n"] == 0) for entry in bins)


@pytest.mark.parametrize("n", [1, 3, 49, 50, 51, 1000])
def test_coverage_points_end_at_all_quotes(n):
    points = coverage_points(np.linspace(0, 1, n), np.ones(n))
    assert points[-1]["coverage"] == 1.0
    assert 0 < points[0]["coverage"]
    assert len(points) <= 50
