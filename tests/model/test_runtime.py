import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stance.model.batching import length_batches, padded_width
from stance.model.encoder import build_encoder, find_base, load_tokenizer
from stance.model.inputs import EncodedWindow, InputEncoder
from stance.model.network import StanceNetwork, check_tasks
from stance.model.runtime import (
    ArrayReader,
    NetworkReader,
    predict_probabilities,
    predict_with_spans,
    softmax,
)
from stance.model.spans import SPAN_HEAD, SPAN_LABELS

TASKS = {"stance": ("yes", "no", "maybe"), "tone": ("up", "down")}
# What bf16 may move a probability by; fp32 engines stay below 1e-5.
BF16 = 5e-3


@given(
    st.lists(st.integers(1, 300), max_size=80),
    st.integers(1, 16),
    st.integers(1, 2000),
    st.sampled_from([1, 8]),
)
def test_batches_hold_every_row_once_within_the_budget(lengths, batch_size, budget, multiple):
    batches = length_batches(lengths, batch_size, budget, multiple=multiple)
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        width = padded_width(max(lengths[row] for row in batch), multiple)
        assert width % multiple == 0
        assert len(batch) <= batch_size
        assert len(batch) == 1 or width * len(batch) <= budget


@pytest.fixture(scope="module")
def network(tiny_base):
    torch.manual_seed(3)
    encoder = build_encoder(find_base(str(tiny_base)))
    return StanceNetwork(encoder, TASKS, token_heads={SPAN_HEAD: SPAN_LABELS}).eval()


@pytest.fixture(scope="module")
def inputs(tiny_base):
    return InputEncoder(load_tokenizer(find_base(str(tiny_base))), 24)


def array_reader(network, tiny_base, engine):
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    return ArrayReader(state, find_base(str(tiny_base)).config, engine=engine)


@pytest.fixture(scope="module", params=["numpy", "auto", "network"])
def reader(request, network, inputs, tiny_base):
    """Each way of reading, with what its arithmetic may move a probability by."""
    if request.param == "network":
        return NetworkReader(network, inputs.pad_id, 24), 1e-5
    exact = request.param == "numpy"
    return array_reader(network, tiny_base, request.param), 1e-5 if exact else BF16


TEXTS = ["we sign", "they leave the table and close the border at once", "no", "we " * 60, "ready?"]


def test_results_do_not_depend_on_the_batch(reader, inputs):
    reads, tolerance = reader
    together, counts = predict_probabilities(reads, inputs, TEXTS, [""] * 5, {}, batch_size=5)
    for row, text in enumerate(TEXTS):
        alone, count = predict_probabilities(reads, inputs, [text], [""], {}, batch_size=1)
        assert count[0] == counts[row]
        for task in TASKS:
            np.testing.assert_allclose(alone[task][0], together[task][row], atol=tolerance)


def test_results_are_those_of_the_network(reader, network, inputs):
    reads, tolerance = reader
    reference = NetworkReader(network, inputs.pad_id, 24)
    contexts = ["", "he said […] at the table", "", "", "[…] was the word"]
    found, _ = predict_probabilities(reads, inputs, TEXTS, contexts, {})
    expected, _ = predict_probabilities(reference, inputs, TEXTS, contexts, {})
    for task in TASKS:
        np.testing.assert_allclose(found[task], expected[task], atol=tolerance)


def test_token_logits_come_only_when_asked_for_and_are_those_of_the_network(
    reader, network, inputs
):
    reads, tolerance = reader
    windows = inputs.encode(TEXTS, [""] * 5)
    assert reads.token_head_names == (SPAN_HEAD,)
    assert reads.read(windows)[1] == {}
    located = reads.read(windows, tokens=True)[1][SPAN_HEAD]
    expected = NetworkReader(network, inputs.pad_id, 24).read(windows, tokens=True)[1][SPAN_HEAD]
    assert [len(values) for values in located] == [len(window.ids) for window in windows]
    for values, right in zip(located, expected, strict=True):
        np.testing.assert_allclose(values, right, atol=20 * tolerance)


def test_spans_are_given_to_rows_of_the_class_asked_for_alone(reader, inputs):
    reads, _ = reader
    probabilities, _, none = predict_with_spans(reads, inputs, TEXTS, [""] * 5, {})
    assert none == {}
    best = probabilities["stance"].argmax(axis=1)
    for wanted in range(3):
        _, _, spans = predict_with_spans(
            reads, inputs, TEXTS, [""] * 5, {}, spans_where=("stance", wanted)
        )
        assert sorted(spans) == np.flatnonzero(best == wanted).tolist()


def test_spans_are_those_of_the_quote_by_itself(network, inputs, tiny_base, monkeypatch):
    monkeypatch.setattr("stance.model.runtime.CHUNK", 2)
    reads = array_reader(network, tiny_base, "numpy")
    contexts = ["", "he said […] at the table", "", "", "[…] was the word"]
    found = 0
    for wanted in range(3):
        where = ("stance", wanted)
        _, _, together = predict_with_spans(
            reads, inputs, TEXTS * 3, contexts * 3, {}, spans_where=where
        )
        for row, spans in together.items():
            text, context = TEXTS[row % 5], contexts[row % 5]
            _, _, alone = predict_with_spans(
                reads, inputs, [text], [context], {}, spans_where=where
            )
            assert (alone[0].condition, alone[0].outcome) == (spans.condition, spans.outcome)
            found += spans.condition is not None or spans.outcome is not None
    assert found >= 3


def test_long_rows_are_the_token_weighted_mean_of_their_windows(reader, inputs):
    reads, tolerance = reader
    text = TEXTS[1] + " " + TEXTS[3]
    found, counts = predict_probabilities(reads, inputs, [text], [""], {"stance": 2.0})
    windows = inputs.encode([text], [""])
    logits, _ = reads.read(windows)
    weights = np.array([window.weight for window in windows])
    expected = np.average(softmax(logits["stance"], 2.0), axis=0, weights=weights)
    assert counts[0] == len(windows) > 1
    np.testing.assert_allclose(found["stance"][0], expected, atol=tolerance)


def test_probabilities_sum_to_one_and_the_temperature_flattens_them(reader, inputs):
    reads, _ = reader
    cold, _ = predict_probabilities(reads, inputs, TEXTS, [""] * 5, {})
    hot, _ = predict_probabilities(reads, inputs, TEXTS, [""] * 5, dict.fromkeys(TASKS, 5.0))
    for task, labels in TASKS.items():
        assert cold[task].shape == (5, len(labels))
        np.testing.assert_allclose(cold[task].sum(axis=1), 1.0)
        assert (hot[task].max(axis=1) < cold[task].max(axis=1)).all()
        if task == "tone":
            assert (hot[task].argmax(axis=1) == cold[task].argmax(axis=1)).all()


def test_no_rows_give_empty_arrays(reader, inputs):
    found, counts = predict_probabilities(reader[0], inputs, [], [], {})
    assert found["stance"].shape == (0, 3)
    assert counts.shape == (0,)


def test_many_windows_are_read_in_stretches_and_come_back_in_order(
    network, inputs, tiny_base, monkeypatch
):
    reads = array_reader(network, tiny_base, "numpy")
    windows = inputs.encode(TEXTS * 3, [""] * 15)
    whole, _ = reads.read(windows)
    monkeypatch.setattr("stance.model.runtime._HELD_TOKENS", 30)
    cut, _ = reads.read(windows)
    for task in TASKS:
        np.testing.assert_allclose(cut[task], whole[task], atol=1e-5)


def test_segments_and_positions_count(network, inputs, tiny_base):
    reads = array_reader(network, tiny_base, "numpy")
    ids = inputs.encode(["we sign"], [""])[0].ids
    plain = reads.read([EncodedWindow(0, ids, [0] * len(ids), 1)])[0]["stance"]
    second = reads.read([EncodedWindow(0, ids, [1] * len(ids), 1)])[0]["stance"]
    turned = reads.read([EncodedWindow(0, ids[::-1], [0] * len(ids), 1)])[0]["stance"]
    assert np.abs(plain - second).max() > 1e-4
    assert np.abs(plain - turned).max() > 1e-4


def test_padding_does_not_enter_the_mean(network):
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
