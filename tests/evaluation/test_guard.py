"""Releases are guarded: the committed report is of the released weights and meets the limits."""

import json
from pathlib import Path

import pytest

import stance
from stance.evaluation.guard import (
    Guarded,
    GuardError,
    failures,
    figure,
    read_guard,
    renewed,
)
from stance.evaluation.provenance import model_facts
from stance.evaluation.stored import read_report

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "evaluation" / "reports" / stance.__version__


@pytest.fixture(scope="module")
def committed():
    return read_report(COMMITTED, with_samples=False).results


@pytest.mark.weights
def test_committed_report_is_of_the_released_weights(committed):
    facts = model_facts(ROOT / "stance" / "weights", ROOT, "")
    assert committed["model"]["files"] == facts["files"]
    assert committed["model"]["sha256"] == facts["sha256"]
    assert committed["version"] == stance.__version__


@pytest.mark.weights
def test_committed_report_meets_every_limit(committed):
    guarded = read_guard()
    assert guarded
    assert failures(committed, guarded) == []


def report_of(value, high=None):
    entry = {"value": value, "low": value, "high": high, "reason": "why", "interval_reason": None}
    metrics = {"accuracy": entry, "ece": entry}
    suite = {
        "key": "authored",
        "status": "done",
        "systems": [
            {"metrics": {"groups_right": entry}, "heads": {"stance": {"metrics": metrics}}}
        ],
    }
    return {"suites": [suite], "version": "9", "model": {"sha256": "x"}}


@pytest.mark.parametrize(
    ("metric", "value", "is_met"),
    [
        ("accuracy", 0.80, True),
        ("accuracy", 0.79, False),
        ("ece", 0.80, True),
        ("ece", 0.81, False),
        ("accuracy", None, False),
    ],
)
def test_limit_is_a_floor_or_a_ceiling_by_the_metric(metric, value, is_met):
    found = failures(report_of(value), [Guarded("authored", "stance", metric, 0.8)])
    assert (found == []) == is_met


def test_suite_that_was_not_run_misses_its_limit():
    found = failures(report_of(1.0), [Guarded("seeds", None, "groups_right", 0.0)])
    assert found == ["seeds: groups_right is undefined (the suite was not run)"]


def test_renewed_limits_are_the_worse_ends_rounded_outwards():
    guarded = [
        Guarded("authored", "stance", "accuracy", 0.0),
        Guarded("authored", "stance", "ece", 0.0),
    ]
    content = renewed(report_of(0.81239, high=0.90011), guarded)
    assert [entry["limit"] for entry in content["figures"]] == [0.812, 0.901]
    assert figure(report_of(0.5), "authored", None, "groups_right")["value"] == 0.5
    with pytest.raises(GuardError, match="is undefined"):
        renewed(report_of(None), guarded)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ('{"guard_version": 7}', "'guard_version' must be 1"),
        ('{"guard_version": 1, "figures": 3}', "'figures' must be a list"),
        ('{"guard_version": 1, "figures": [3]}', "figure 1: needs 'suite'"),
    ],
)
def test_bad_guard_file_is_named(tmp_path, content, message):
    path = tmp_path / "guard.json"
    path.write_text(content)
    with pytest.raises(GuardError, match=message):
        read_guard(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metric": "f7"}, "unknown metric 'f7'"),
        ({"head": "mood"}, "unknown head 'mood'"),
        ({"limit": "high"}, "'limit' must be a number, not 'high'"),
        ({"limit": True}, "'limit' must be a number, not True"),
    ],
)
def test_bad_entry_is_named(tmp_path, change, message):
    entry = {"suite": "authored", "head": "stance", "metric": "accuracy", "limit": 0.5} | change
    path = tmp_path / "guard.json"
    path.write_text(json.dumps({"guard_version": 1, "figures": [entry]}))
    with pytest.raises(GuardError, match=message):
        read_guard(path)
