import pytest

from stance.model.examples import Example
from stance.training.epochs import EpochExamples, epoch_source


def examples(count: int = 30) -> list[Example]:
    own = [Example(f"Japan takes offer {n}.", {}, group=f"g{n // 3}", file="own") for n in range(9)]
    return own + [Example(f"Japan opens port {n}.", {}, file="news") for n in range(count)]


@pytest.mark.parametrize("share", [0.3, 0.4, 0.5])
def test_a_file_is_shown_in_parts_and_comes_again_only_after_all_of_it(share):
    shown = EpochExamples(examples(), {"news": share}, 0.0, seed=1)
    epochs = [shown.rows(epoch) for epoch in range(5)]
    for rows in epochs:
        assert rows[:9] == list(range(9))
        assert len(rows) == len(set(rows)) == 9 + round(30 * share)
    news = [row for rows in epochs for row in rows if row >= 9]
    times = [news.count(row) for row in range(9, 39)]
    assert max(times) - min(times) <= 1


def test_groups_of_a_file_stay_whole():
    rows = EpochExamples(examples(), {"own": 0.67, "news": 0}, 0.0, seed=0).rows(0)
    assert len(rows) == 6
    assert all(row // 3 * 3 + other in rows for row in rows for other in range(3))


def test_a_small_share_shows_at_least_one_example():
    shown = EpochExamples(examples(4), {"own": 0, "news": 0.02}, 0.0, seed=0)
    assert sorted(row for epoch in range(4) for row in shown.rows(epoch)) == [9, 10, 11, 12]


def test_the_log_names_files_that_are_not_there_and_counts_what_is_shown():
    source, notes = epoch_source(
        examples(), {"epoch_shares": {"news": 0.5, "old": 0.1}, "swap_share": 1.0}, seed=0
    )
    assert notes == [
        "epoch_shares names files that are not given here: old",
        "the first epoch shows 24 of 39 quotes, with countries, names or gender swapped in 24",
    ]
    assert source.swapped(0) == len(source(0)) == 24


def test_without_shares_and_swaps_every_epoch_shows_everything_as_it_is():
    data = examples()
    shown = EpochExamples(data, {"absent": 0.5}, 0.0, seed=0)
    assert shown(0) == shown(3) == data


def test_swaps_are_drawn_anew_for_each_epoch_and_the_same_for_the_same_seed():
    data = examples()
    first, again, other = (EpochExamples(data, {}, 0.5, seed) for seed in (0, 0, 1))
    assert first(2) == again(2)
    assert first(0) != first(1)
    assert first(0) != other(0)
    assert any("Japan" not in example.text for example in first(0))
