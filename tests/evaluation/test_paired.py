import numpy as np
import pytest

from stance.evaluation.bootstrap import draw
from stance.evaluation.paired import bootstrap_p, mcnemar


@pytest.mark.parametrize(
    ("ours", "theirs", "p_value"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0),
        # Five of five differing rows on one side: 2 / 2**5.
        ([1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0], 2 / 32),
        ([1, 0, 1], [0, 1, 1], 1.0),
    ],
)
def test_mcnemar_is_the_binomial_test_of_the_differing_rows(ours, theirs, p_value):
    assert mcnemar(np.array(ours, float), np.array(theirs, float)) == pytest.approx(p_value)


def test_bootstrap_p_is_twice_the_smaller_side_and_never_zero():
    assert bootstrap_p(np.array([0.1] * 98 + [-0.1])) == pytest.approx(2 * 2 / 100)
    assert bootstrap_p(np.full(99, 0.1)) == pytest.approx(2 / 100)
    assert bootstrap_p(np.zeros(50)) == 1.0
    assert bootstrap_p(np.array([np.nan])) is None


def test_equal_systems_are_told_apart_about_as_seldom_as_alpha_says():
    generator = np.random.default_rng(0)
    small = 0
    for seed in range(60):
        gold = generator.integers(0, 2, 80)
        runs = []
        for _ in range(2):
            answers = np.where(generator.random(80) < 0.8, gold, 1 - gold)
            runs.append((gold == answers).astype(float))
        weights = draw(80, groups=None, repeats=200, seed=seed).counts
        p_value = bootstrap_p(weights @ (runs[0] - runs[1]))
        small += p_value < 0.05
    assert small <= 9
