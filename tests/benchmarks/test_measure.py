"""The clocks of the benchmarks count what they say."""

import importlib
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module", autouse=True)
def _repository_on_the_path():
    sys.path.insert(0, str(ROOT))
    yield
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def measure(_repository_on_the_path):
    return importlib.import_module("benchmarks.measure")


def test_ways_run_in_turn_and_the_first_rounds_are_not_measured(measure):
    calls = []
    ways = {
        "slow": lambda: (calls.append("slow"), time.sleep(0.02)),
        "fast": lambda: calls.append("fast"),
    }
    found = measure.interleave(ways, rounds=3, items=10, baseline="slow")
    assert calls == ["slow", "fast"] * (measure.WARM_ROUNDS + 3)
    assert found["slow"]["ratio"] == 1.0
    assert found["fast"]["ratio"] > 5
    assert found["slow"]["per_second"] == pytest.approx(10 / found["slow"]["seconds"])
    assert 0.02 <= found["slow"]["fastest"] <= found["slow"]["seconds"]


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_the_slope_in_logarithms(measure, power):
    points = [(size, 3e-4 * size**power) for size in (10, 100, 1000)]
    assert measure.exponent(points) == pytest.approx(power)


def test_one_size_has_no_exponent(measure):
    assert measure.exponent([(10, 1.0)]) is None


def test_growth_stops_after_a_size_that_took_too_long_and_says_so(measure):
    found = measure.growth((1, 2, 4, 8), lambda size: time.sleep(size / 200), limit=0.015)
    assert [point["size"] for point in found["points"]] == [1, 2, 4]
    assert found["left_out"] == [8]
    assert found["exponent"] == pytest.approx(1.0, abs=0.4)


def test_child_processes_are_measured_each_for_itself(measure):
    commands = {
        "large": ["-c", "x = bytearray(b'1') * 80_000_000"],
        "small": ["-c", "pass"],
    }
    found = measure.children(commands, rounds=1, baseline="large")
    assert found["large"]["peak_mb"] > found["small"]["peak_mb"] + 60
    assert found["small"]["memory_ratio"] < 1
    assert found["small"]["seconds"] > 0


def test_a_child_that_fails_is_told_with_its_last_words(measure):
    with pytest.raises(RuntimeError, match="no such thing"):
        measure.children({"bad": ["-c", "raise SystemExit('no such thing')"]}, rounds=1)


def test_a_child_that_hangs_is_ended(measure, monkeypatch):
    monkeypatch.setattr(measure, "LONGEST", 0.5)
    with pytest.raises(RuntimeError, match="ran over 0 s"):
        measure.children({"slow": ["-c", "import time; time.sleep(60)"]}, rounds=1, warm=False)


@pytest.mark.parametrize("option", ["--rows", "--validation-rows", "--seeds", "--threads"])
def test_numbers_below_one_are_refused_by_name(option, capsys):
    training = importlib.import_module("benchmarks.training")
    with pytest.raises(SystemExit):
        training.main([option, "0"])
    assert f"{option} must be 1 or more, not 0" in capsys.readouterr().err


def test_training_without_accelerate_ends_with_the_line_to_install_it(capsys, monkeypatch):
    training = importlib.import_module("benchmarks.training")
    monkeypatch.setattr(training, "find_spec", lambda name: None)
    assert training.main([]) == 2
    assert "pip install accelerate" in capsys.readouterr().err


def test_articles_have_the_size_asked_for_and_quotes_the_number():
    ways = importlib.import_module("benchmarks.ways")
    assert [len(ways.article_of(size)) for size in (0, 10, 5000, 50_000)] == [0, 10, 5000, 50_000]
    assert len(ways.quotes(2000)) == 2000
    assert ways.quotes(3) == ways.quotes(2000)[:3]


def test_operations_are_those_of_the_matrix_products():
    ways = importlib.import_module("benchmarks.ways")
    # One token: 4 projections of 384 x 384 and 2 of 384 x 1536, and attention to itself.
    one_layer = 2 * (4 * 384 * 384 + 2 * 384 * 1536) + 4 * 384
    assert ways.encoder_operations([1]) == 6 * one_layer
