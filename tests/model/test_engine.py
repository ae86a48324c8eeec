"""Every engine computes BERT's layers, whatever the batch."""

import builtins
import gc
import json
import os
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.model.encoder import build_encoder, find_base, load_base_arrays
from stance.model.engine import ENGINES, load_engine
from stance.model.engine_numpy import _gelu
from stance.model.engine_openvino import user_threads

# fp32 engines differ by the order of sums; bf16 keeps 8 bits of each factor, and the states that
# come out of the last normalisation have size 1.
TOLERANCE = {"numpy": 1e-5, "torch": 4e-2, "openvino": 4e-2, "auto": 4e-2}
LENGTHS = (5, 1, 23, 23, 64, 8)


def needs_openvino():
    # Not importorskip: importing openvino as it comes would report to its makers.
    if find_spec("openvino") is None:
        pytest.skip("openvino is not installed")


@pytest.fixture(scope="module")
def base(tiny_base):
    return find_base(str(tiny_base))


@pytest.fixture(scope="module")
def inputs(base):
    arrays = load_base_arrays(base)
    generator = np.random.default_rng(0)
    rows = [generator.integers(5, 90, length) for length in LENGTHS]
    embedded = [
        arrays["embeddings.word_embeddings.weight"][ids]
        + arrays["embeddings.token_type_embeddings.weight"][0]
        + arrays["embeddings.position_embeddings.weight"][: len(ids)]
        for ids in rows
    ]
    return arrays, rows, embedded


@pytest.fixture(scope="module", params=ENGINES)
def engine(request, base, inputs):
    if request.param == "openvino":
        needs_openvino()
    return request.param, load_engine(inputs[0], base.config, engine=request.param)


def test_every_engine_agrees_with_torch_in_fp32_in_the_order_given(engine, base, inputs):
    name, loaded = engine
    network = build_encoder(base).eval()
    _, rows, embedded = inputs
    states = loaded.states(embedded)
    assert [found.shape for found in states] == [(length, 32) for length in LENGTHS]
    assert {found.dtype for found in states} == {np.dtype(np.float32)}
    for ids, found in zip(rows, states, strict=True):
        tensor = torch.from_numpy(ids)[None]
        with torch.inference_mode():
            expected = network(tensor, torch.zeros_like(tensor))[0].numpy()
        np.testing.assert_allclose(found, expected, atol=TOLERANCE[name])


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_neighbours_change_a_row_by_no_more_than_rounding(engine, inputs, batch_size):
    name, loaded = engine
    embedded = inputs[2]
    together = loaded.states(embedded, batch_size=batch_size)
    for row, found in zip(embedded, together, strict=True):
        np.testing.assert_allclose(loaded.states([row])[0], found, atol=TOLERANCE[name])


def test_inputs_are_left_as_they_are_and_results_are_their_own_memory(engine, inputs):
    _, loaded = engine
    before = [row.copy() for row in inputs[2]]
    first = loaded.states(inputs[2])
    kept = [found.copy() for found in first]
    loaded.states(inputs[2][::-1])
    for row, copy in zip(inputs[2], before, strict=True):
        np.testing.assert_array_equal(row, copy)
    for found, copy in zip(first, kept, strict=True):
        np.testing.assert_array_equal(found, copy)


def test_no_rows_give_no_states(engine):
    assert engine[1].states([]) == []


def test_an_unknown_engine_is_refused_by_name(base, inputs):
    with pytest.raises(ValueError, match="'tpu'"):
        load_engine(inputs[0], base.config, engine="tpu")


def test_a_missing_tensor_is_named(base, inputs):
    state = {name: array for name, array in inputs[0].items() if "layer.1.output" not in name}
    with pytest.raises(KeyError, match=r"layer\.1\.output"):
        load_engine(state, base.config)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [((), "openvino"), (("openvino",), "torch"), (("openvino", "engine_torch"), "numpy")],
)
def test_auto_falls_back_to_what_is_there(base, inputs, monkeypatch, missing, expected):
    if expected == "openvino":
        needs_openvino()
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[-1] in missing:
            raise ImportError(f"no {name}")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    found = load_engine(inputs[0], base.config)
    assert found.name == expected
    assert found.states(inputs[2][:1])[0].shape == (5, 32)


@pytest.fixture
def streams(base, inputs, monkeypatch):
    """An OpenVINO engine that computes side by side from the second batch on."""
    needs_openvino()
    monkeypatch.setattr("stance.model.engine_openvino._MANY_BATCHES", 2)
    monkeypatch.setattr("stance.model.engine_openvino.user_threads", lambda: 2)
    return load_engine(inputs[0], base.config, engine="openvino")


def test_batches_side_by_side_give_what_each_gives_alone(streams, inputs):
    embedded = inputs[2] * 5
    alone = [streams.states([row])[0] for row in embedded]
    assert streams._stream_count == 0
    together = streams.states(embedded, batch_size=1)
    assert streams._stream_count >= 1
    for one, found in zip(alone, together, strict=True):
        np.testing.assert_allclose(found, one, atol=1e-3)
        assert found.base is None


def test_an_error_in_one_batch_is_told_and_harms_no_later_call(streams, inputs):
    embedded = inputs[2]
    expected = streams.states(embedded, batch_size=1)
    narrow = np.ones((7, 3), np.float32)
    for _ in range(3):
        with pytest.raises(ValueError, match="broadcast"):
            streams.states([*embedded, narrow, *embedded], batch_size=1)
    for found, row in zip(streams.states(embedded, batch_size=1), expected, strict=True):
        np.testing.assert_allclose(found, row, atol=1e-3)


def test_several_threads_may_ask_for_one_row_and_for_many(streams, inputs):
    embedded = inputs[2]
    expected = streams.states(embedded, batch_size=1)

    def ask(many):
        return streams.states(embedded, batch_size=1 if many else 64)

    with ThreadPoolExecutor(4) as pool:
        for states in pool.map(ask, [True, False] * 10):
            for found, row in zip(states, expected, strict=True):
                np.testing.assert_allclose(found, row, atol=TOLERANCE["openvino"])


def test_results_are_not_held_back(streams, inputs):
    states = streams.states(inputs[2], batch_size=1)
    held = weakref.ref(states[0])
    del states
    gc.collect()
    assert held() is None


def test_without_a_second_graph_batches_are_computed_one_by_one(
    streams, inputs, monkeypatch, caplog
):
    def fail(options):
        raise RuntimeError("no streams here")

    monkeypatch.setattr(streams, "_compiled", fail)
    for _ in range(2):
        states = streams.states(inputs[2], batch_size=1)
        assert [found.shape for found in states] == [(length, 32) for length in LENGTHS]
    assert caplog.text.count("no streams here") == 1


@settings(deadline=None)
@given(st.lists(st.floats(-12, 12, width=32), min_size=1, max_size=40))
def test_gelu_without_an_error_function_is_gelu(values):
    array = np.array(values, dtype=np.float32)
    expected = torch.nn.functional.gelu(torch.from_numpy(array.copy())).numpy()
    np.testing.assert_allclose(_gelu(array), expected, atol=2e-6)


@pytest.mark.parametrize(
    ("setting", "expected"), [("3", 3), ("2,1", 2), ("", 0), ("many", 0), (None, 0)]
)
def test_threads_are_what_the_user_set(setting, expected):
    code = "from stance.model.engine_openvino import user_threads; print(user_threads())"
    environment = {} if setting is None else {"OMP_NUM_THREADS": setting}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == expected


def test_threads_set_in_torch_come_first(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert user_threads() == torch.get_num_threads()


WATCHED = """
import json, sys
seen = []
def watch(event, args):
    if event.split(".")[0] in {"socket", "urllib", "http", "subprocess"} or "fork" in event:
        seen.append(event)
sys.addaudithook(watch)
import numpy as np
from stance.model.engine_numpy import BertWeights
from stance.model.engine_openvino import OpenVinoEngine
norm = (np.ones(4, np.float32), np.zeros(4, np.float32))
weights = BertWeights(1, 1e-12, norm, ())
engine = OpenVinoEngine(weights)
engine.states([np.ones((3, 4), np.float32)])
engine.states([np.ones((3, 4), np.float32)] * 8, batch_size=1)
reporting = [name for name in sys.modules if "telemetry" in name or name == "openvino.tools.ovc"]
print(json.dumps([seen, reporting]))
"""


def test_openvino_reports_to_nobody(tmp_path):
    needs_openvino()
    # A continuous integration server is not reported on anyway; here nothing may depend on it.
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [[], []]
    assert list(tmp_path.iterdir()) == []
