import numpy as np
import pytest

from stance.evaluation.bootstrap import difference, draw, ratio, with_interval


def test_rows_of_a_group_are_drawn_together():
    names = [f"g{i // 3}" for i in range(30)]
    resamples = draw(30, groups=("situation", names), repeats=50, seed=0)
    weights = np.concatenate(list(resamples.chunks(7)))
    assert weights.shape == (50, 30)
    assert (weights.reshape(50, 10, 3) == weights.reshape(50, 10, 3)[:, :, :1]).all()
    assert (weights[:, ::3].sum(axis=1) == 10).all()
    assert "10 groups (field 'situation')" in resamples.about


def test_too_few_groups_fall_back_to_rows_and_say_so():
    resamples = draw(20, groups=("article", ["a", "b"] * 10), repeats=10, seed=0)
    assert len(set(resamples.membership.tolist())) == 20
    assert "only 2 groups (field 'article')" in resamples.about


def test_equal_seeds_give_equal_resamples_and_others_do_not():
    first, same, other = (draw(50, groups=None, repeats=20, seed=s).counts for s in (4, 4, 5))
    assert (first == same).all()
    assert (first != other).any()


def test_grouped_intervals_are_wider_when_rows_of_a_group_agree():
    # 20 groups of 10 equal rows hold 20 facts, not 200.
    hits = np.repeat(np.arange(20) % 2, 10).astype(float)
    names = [f"g{i // 10:02}" for i in range(200)]
    widths = []
    for groups in (None, ("situation", names)):
        value = ratio(hits, np.ones(200), draw(200, groups=groups, repeats=800, seed=0), "")
        assert value["value"] == 0.5
        widths.append(value["high"] - value["low"])
    assert widths[1] > 2.5 * widths[0]  # sqrt(10) in theory


def test_interval_covers_the_truth_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        hits = (generator.random(100) < 0.7).astype(float)
        value = ratio(hits, np.ones(100), draw(100, groups=None, repeats=200, seed=trial), "")
        covered += value["low"] <= 0.7 <= value["high"]
    assert 0.88 <= covered / 200 <= 0.99


def test_paired_difference_of_equal_systems_is_exactly_zero():
    resampled = np.random.default_rng(0).random(100)
    value = with_interval(0.5, None, resampled)
    assert difference(value, value, resampled, resampled)["low"] == 0.0
    assert difference(value, value, resampled, resampled)["high"] == 0.0


def test_difference_with_an_undefined_side_is_undefined():
    good = with_interval(0.5, None, np.ones(3))
    bad = with_interval(None, "no rows", np.full(3, np.nan))
    found = difference(good, bad, np.ones(3), np.full(3, np.nan))
    assert found["value"] is None
    assert found["reason"] == "no rows"


@pytest.mark.parametrize(("n", "repeats"), [(0, 1), (1, -1)])
def test_bad_numbers_are_refused(n, repeats):
    with pytest.raises(ValueError, match=r"rows|repeats"):
        draw(n, groups=None, repeats=repeats, seed=0)


def test_ratio_over_nothing_is_undefined():
    value = ratio(np.zeros(2), np.zeros(2), draw(2, groups=None, repeats=5, seed=0), "no row")
    assert (value["value"], value["reason"]) == (None, "no row")
