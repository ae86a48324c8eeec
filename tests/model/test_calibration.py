import numpy as np
import pytest

from stance.model.calibration import HIGHEST, LOWEST, fit_temperature, negative_log_likelihood


def sampled(temperature: float, rows: int = 4000):
    """Logits whose true temperature is known: targets are drawn from them."""
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(rows, 4)) * 2
    weights = np.exp(logits / temperature)
    cumulative = (weights / weights.sum(axis=1, keepdims=True)).cumsum(axis=1)
    targets = (generator.random(rows)[:, None] > cumulative).sum(axis=1).clip(0, 3)
    return logits, targets


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_true_temperature_is_found(temperature):
    logits, targets = sampled(temperature)
    assert fit_temperature(logits, targets) == pytest.approx(temperature, rel=0.1)


def test_the_fit_is_the_minimum_of_the_likelihood_on_a_grid():
    logits, targets = sampled(1.7, 300)
    fitted = fit_temperature(logits, targets)
    best = min(
        np.geomspace(0.3, 8, 400), key=lambda t: negative_log_likelihood(logits, targets, float(t))
    )
    assert fitted == pytest.approx(best, rel=0.02)


def test_the_likelihood_equals_scikit_learns_log_loss():
    from sklearn.metrics import log_loss

    logits, targets = sampled(1.0, 200)
    weights = np.exp(logits / 3.0)
    expected = log_loss(targets, weights / weights.sum(axis=1, keepdims=True), labels=range(4))
    assert negative_log_likelihood(logits, targets, 3.0) == pytest.approx(expected)


def test_perfect_and_hopeless_logits_stay_within_bounds():
    targets = np.arange(40) % 2
    logits = np.eye(2)[targets] * 2.0
    assert fit_temperature(logits, targets) == pytest.approx(LOWEST, rel=0.01)
    assert fit_temperature(logits, 1 - targets) == pytest.approx(HIGHEST, rel=0.01)


def test_few_rows_are_left_as_they_are():
    assert fit_temperature(np.zeros((5, 2)), np.zeros(5, dtype=int)) == 1.0


def test_lengths_must_agree():
    with pytest.raises(ValueError, match=r"3 rows .* 2 targets"):
        fit_temperature(np.zeros((3, 2)), np.zeros(2, dtype=int))
