import pytest

from stance.model.examples import Example
from stance.training.swapping import swap_examples

PLAIN = Example("We will not sign.", {"stance": "dismissive"})
ABOUT = Example(
    "If Japan opens its ports, we sign.",
    {"stance": "conditional"},
    context="“If Japan opens its ports, we sign,” the Japanese minister was told.",
    condition="If Japan opens its ports",
    outcome="we sign",
    group="g1",
    teacher={"stance": [0.1, 0.2, 0.6, 0.1]},
)


def test_countries_are_swapped_in_quote_context_and_condition_alike():
    [example, same], changed = swap_examples([ABOUT, PLAIN], 1.0, seed=0)
    assert changed == 1
    assert same is PLAIN
    assert "Japan" not in example.text + example.context + example.condition
    assert example.condition in example.text
    assert example.text.removesuffix(", we sign.") == example.condition
    assert example.text.removesuffix(".") in example.context
    kept = ("labels", "group", "teacher", "weight", "outcome")
    assert all(getattr(example, name) == getattr(ABOUT, name) for name in kept)


@pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.5, 30, 70), (1.0, 100, 100)])
def test_a_share_of_the_examples_is_swapped(share, low, high):
    examples = [Example(f"Japan takes offer {n}.", {"stance": "neutral"}) for n in range(100)]
    swapped, changed = swap_examples(examples, share, seed=0)
    assert low <= changed <= high
    assert sum("Japan" not in example.text for example in swapped) == changed


def test_minimal_edits_of_a_group_still_differ_in_their_edit_alone():
    pairs = [
        [
            Example(f"Japan {verb} offer {n}.", {"stance": stance}, group=f"g{n}")
            for verb, stance in (("takes", "conciliatory"), ("refuses", "dismissive"))
        ]
        for n in range(40)
    ]
    swapped, changed = swap_examples([one for pair in pairs for one in pair], 0.5, seed=0)
    assert 20 <= changed <= 60
    for first, second in zip(swapped[::2], swapped[1::2], strict=True):
        assert first.text.replace("takes", "refuses") == second.text


def test_the_choice_hangs_on_seed_and_example_alone():
    examples = [Example(f"Japan takes offer {n}.", {"stance": "neutral"}) for n in range(20)]
    first, _ = swap_examples(examples, 0.5, seed=0)
    backwards, _ = swap_examples(examples[::-1], 0.5, seed=0)
    assert backwards[::-1] == first
    assert swap_examples(examples, 0.5, seed=1)[0] != first
