import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stance.model.encoder import build_encoder, find_base, load_tokenizer
from stance.model.inputs import InputEncoder
from stance.model.network import StanceNetwork, check_tasks
from stance.model.runtime import length_batches, predict_logits, predict_probabilities, softmax

TASKS = {"stance": ("yes", "no", "maybe"), "tone": ("up", "down")}


@given(st.lists(st.integers(1, 300), max_size=80), st.integers(1, 16), st.integers(1, 2000))
def test_batches_hold_every_row_once_within_the_budget(lengths, batch_size, budget):
    batches = length_batches(lengths, batch_size, budget)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) <= batch_size
        assert len(batch) == 1 or max(lengths[row] for row in batch) * len(batch) <= budget


@pytest.fixture(scope="module")
def parts(tiny_base):
    base = find_base(str(tiny_base))
    torch.manual_seed(3)
    network = StanceNetwork(build_encoder(base), TASKS).eval()
    return network, InputEncoder(load_tokenizer(base), 24)


TEXTS = ["we sign", "they leave the table and close the border at once", "no", "we " * 60, "ready?"]


def test_results_do_not_depend_on_the_batch(parts):
    network, inputs = parts
    together, counts = predict_probabilities(network, inputs, TEXTS, [""] * 5, {}, batch_size=5)
    for row, text in enumerate(TEXTS):
        alone, count = predict_probabilities(network, inputs, [text], [""], {}, batch_size=1)
        assert count[0] == counts[row]
        for task in TASKS:
            np.testing.assert_allclose(alone[task][0], together[task][row], atol=1e-5)


def test_long_rows_are_the_token_weighted_mean_of_their_windows(parts):
    network, inputs = parts
    text = TEXTS[1] + " " + TEXTS[3]
    found, counts = predict_probabilities(network, inputs, [text], [""], {"stance": 2.0})
    windows = inputs.encode([text], [""])
    logits = predict_logits(network, windows, inputs.pad_id)
    weights = np.array([window.weight for window in windows])
    expected = np.average(softmax(logits["stance"], 2.0), axis=0, weights=weights)
    assert counts[0] == len(windows) > 1
    np.testing.assert_allclose(found["stance"][0], expected, atol=1e-6)


def test_probabilities_sum_to_one_and_the_temperature_flattens_them(parts):
    network, inputs = parts
    cold, _ = predict_probabilities(network, inputs, TEXTS, [""] * 5, {})
    hot, _ = predict_probabilities(network, inputs, TEXTS, [""] * 5, dict.fromkeys(TASKS, 5.0))
    for task, labels in TASKS.items():
        assert cold[task].shape == (5, len(labels))
        np.testing.assert_allclose(cold[task].sum(axis=1), 1.0)
        assert (hot[task].max(axis=1) < cold[task].max(axis=1)).all()
        if task == "tone":
            assert (hot[task].argmax(axis=1) == cold[task].argmax(axis=1)).all()


def test_no_rows_give_empty_arrays(parts):
    network, inputs = parts
    found, counts = predict_probabilities(network, inputs, [], [], {})
    assert found["stance"].shape == (0, 3)
    assert counts.shape == (0,)


def test_padding_does_not_enter_the_mean(parts):
    network, _ = parts
    states = torch.randn(1, 5, 32)
    padded = torch.cat((states, torch.full((1, 3, 32), 1e4)), dim=1)
    mask = torch.arange(8)[None, :] < 5
    torch.testing.assert_close(network.pool(padded, mask), network.pool(states, None))


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({}, "at least one task"),
        ({"stance": ("yes",)}, "at least two labels"),
        ({"stance": ("yes", "yes")}, "twice"),
        ({"a.b": ("yes", "no")}, "full stop"),
    ],
)
def test_impossible_tasks_are_refused(tasks, message):
    with pytest.raises(ValueError, match=message):
        check_tasks(tasks)
