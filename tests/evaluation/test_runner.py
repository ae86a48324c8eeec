import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from evaluation_fakes import QUOTES, Oracle, build_root, record, write_rows

from stance.evaluation import report
from stance.evaluation.provenance import model_facts, shown_command, shown_path
from stance.evaluation.rows import DataError
from stance.evaluation.runner import Options, SuiteUnavailable, run
from stance.evaluation.schema import HEADS, METRICS, primary
from stance.evaluation.systems import ModelError


@pytest.fixture
def root(tmp_path):
    return build_root(tmp_path / "repository")


def measured(root, model=None, **options):
    options = {"repeats": 50, **options}
    return run(model or Oracle(), Options(root=root, **options))


def suite_of(results, key):
    return next(suite for suite in results["suites"] if suite["key"] == key)


def test_oracle_scores_one_and_baselines_stand_beside_it(root):
    results, samples = measured(root, suites=("authored",))
    suite = suite_of(results, "authored")
    assert primary(suite, suite["systems"][0])["value"] == 1.0
    assert [system["name"] for system in suite["systems"]] == [
        "model",
        "majority",
        "keywords",
        "vader",
        "textblob",
        "tfidf",
        "embeddings",
    ]
    assert suite["label_counts"]["stance"] == dict.fromkeys(HEADS["stance"], 3)
    assert results["baselines_trained_on"]["file"] == "data/authored/train.jsonl"
    assert len(samples) == 12
    assert samples[0]["gold"]["stance"] == samples[0]["predicted"]["stance"] == "conditional"
    assert samples[0]["baselines"]["keywords"]["stance"] == "conditional"
    assert all(key in METRICS for key in suite["systems"][0]["heads"]["stance"]["metrics"])


def test_difference_to_a_baseline_is_model_minus_baseline(root):
    results, _ = measured(root, suites=("authored",))
    suite = suite_of(results, "authored")
    systems = {system["name"]: system for system in suite["systems"]}
    for part in suite["differences"]:
        theirs = systems[part["baseline"]]["heads"][part["head"]]["metrics"][part["metric"]][
            "value"
        ]
        assert part["difference"]["value"] == pytest.approx(1.0 - theirs)


def test_slices_count_every_row_of_their_field_once(root):
    results, _ = measured(root, Oracle(wrong=(QUOTES[0][0],)), suites=("authored",))
    slices = suite_of(results, "authored")["slices"]
    register = [part for part in slices if (part["field"], part["head"]) == ("register", "stance")]
    assert sum(part["n"] for part in register) == 12
    by_value = {part["value"]: part["accuracy"]["value"] for part in register}
    assert by_value == {"tweet": pytest.approx(5 / 6), "wire": 1.0}
    assert {part["value"] for part in slices if part["field"] == "codebook rule"} == {"rule 3"}


def test_contrast_group_counts_only_when_every_stance_is_right(root):
    results, _ = measured(root, Oracle(wrong=(QUOTES[0][0],)), suites=("contrast",))
    suite = suite_of(results, "contrast")
    assert suite["systems"][0]["metrics"]["groups_right"]["value"] == pytest.approx(2 / 3)
    assert suite["systems"][0]["heads"]["stance"]["metrics"]["accuracy"]["value"] == 11 / 12
    vader = next(system for system in suite["systems"] if system["name"] == "vader")
    assert vader["metrics"]["groups_right"]["value"] is None


def test_absent_data_is_skipped_with_its_reason_by_default_and_an_error_when_named(root):
    results, _ = measured(root, repeats=0)
    assert suite_of(results, "seeds")["status"] == "skipped"
    assert suite_of(results, "seeds")["reason"] == "data/seeds_gold.jsonl is not there"
    assert suite_of(results, "real")["reason"] == "no file was given with --data"
    with pytest.raises(SuiteUnavailable, match=r"'seeds': data/seeds_gold\.jsonl is not there"):
        measured(root, suites=("seeds",))


def test_bad_data_stops_the_run_before_any_labelling(root):
    write_rows(root / "data" / "contrast" / "more.jsonl", [record(0, id="new")])
    model = Oracle()
    with pytest.raises(DataError, match=r"more\.jsonl:1: the field 'group' is missing"):
        measured(root, model)
    assert model.seen == []


def test_texts_of_data_files_stay_out_of_every_file_written(root, tmp_path):
    secret = "Zanzibar quokka protocol"
    rows = [record(i, text=f"{QUOTES[i][0]} {secret} {i}.", context=secret) for i in range(12)]
    rows[0]["id"] = secret * 5
    rows[1]["tags"] = [secret * 5]
    rows[2]["register"] = secret * 5
    path = write_rows(tmp_path / "elsewhere" / "theirs.jsonl", rows)
    model = Oracle()
    suites = ("authored", "real", "calibration")
    results, samples = measured(root, model, data=(path,), suites=suites)
    assert any(secret in context for _, context in model.seen)  # the model did read it
    for written in report.write(results, samples, tmp_path / "out"):
        text = written.read_text("utf-8")
        assert secret not in text, written.name
        assert str(tmp_path) not in text, written.name
    real = [sample for sample in samples if sample["suite"] == "real:theirs.jsonl"]
    assert len(real) == 12
    assert all(sample["text"] is None and len(sample["sha256"]) == 64 for sample in real)
    shown, with_text = run(
        Oracle(), Options(root=root, data=(path,), suites=("real",), repeats=0, include_text=True)
    )
    assert with_text[0]["text"] == rows[0]["text"]
    assert suite_of(shown, "real:theirs.jsonl")["data"][0]["file"] == "theirs.jsonl"


def test_equal_seeds_give_equal_results(root):
    def figures(seed):
        results, _ = measured(root, seed=seed, suites=("authored", "contrast", "calibration"))
        for suite in results["suites"]:
            suite["seconds"] = 0
            for system in suite["systems"]:
                system["seconds"] = system["quotes_per_second"] = None
        return results["suites"]

    assert figures(7) == figures(7)
    assert figures(7) != figures(8)


def test_rows_that_training_holds_too_are_told(root):
    results, _ = measured(root, suites=("authored",))
    warnings = suite_of(results, "authored")["warnings"]
    assert "8 of 12 texts also stand in the training rows" in warnings


def test_further_training_files_are_looked_at_too(root):
    folder = root / "data" / "authored"
    test = (folder / "test.jsonl").read_text("utf-8").splitlines()
    (folder / "train.jsonl").unlink()
    row = json.loads(test[0])
    row["text"] = row["text"].upper() + " "
    (folder / "train_contrast.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    results, _ = measured(root, suites=("authored",))
    warnings = suite_of(results, "authored")["warnings"]
    assert "1 of 12 texts also stand in the training rows" in warnings


def test_file_the_model_was_trained_on_is_told(root, tmp_path):
    path = root / "data" / "authored" / "test.jsonl"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    model = tmp_path / "model"
    model.mkdir()
    training = {"data": [{"file": "/home/x/seen.jsonl", "sha256": digest}], "real_quotes": True}
    (model / "config.json").write_text(json.dumps({"training": training}), "utf-8")
    facts = model_facts(model, root, "")
    assert facts["real_quotes_used"] is True
    assert facts["training"]["data"][0]["file"] == "seen.jsonl"
    results, _ = run(Oracle(), Options(root=root, suites=("authored",), repeats=0), facts=facts)
    assert any(
        "was trained on (seen.jsonl)" in w for w in suite_of(results, "authored")["warnings"]
    )


def test_without_training_rows_learned_baselines_are_skipped_with_the_reason(root):
    (root / "data" / "authored" / "train.jsonl").unlink()
    results, _ = measured(root, suites=("authored",))
    states = {s["name"]: s["reason"] for s in suite_of(results, "authored")["systems"]}
    assert states["majority"] == "data/authored/train.jsonl is not there to learn from"
    assert states["tfidf"] == states["majority"]
    assert states["keywords"] is None


class Broken(Oracle):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def classify(self, texts, *, context):
        return self.change(super().classify(texts, context=context))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda answers: answers[1:], "gave 0 answers to 1 quotes"),
        (lambda answers: [replace(a, stance="angry") for a in answers], "the stance 'angry'"),
        (
            lambda answers: [replace(a, sentiment_probabilities={"good": 1.0}) for a in answers],
            r"probabilities for \['good'\]",
        ),
        (
            lambda answers: [
                replace(a, stance_probabilities=dict.fromkeys(HEADS["stance"], 1.0))
                for a in answers
            ],
            "sum to 4.0",
        ),
        (
            lambda answers: [
                replace(a, stance_probabilities=dict.fromkeys(HEADS["stance"], float("nan")))
                for a in answers
            ],
            "not a number",
        ),
    ],
)
def test_answers_that_are_no_probabilities_are_refused(root, change, message):
    with pytest.raises(ModelError, match=message):
        measured(root, Broken(change), suites=("authored",))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repeats": -1}, "bootstrap must be 0 to 100000, not -1"),
        ({"seed": -2}, "seed must be 0 to 4294967295, not -2"),
        ({"suites": ("nosuch",)}, "unknown suite 'nosuch'; known: authored"),
        ({"suites": ("authored",), "data": (Path("x"),)}, "--data is read by the suite 'real'"),
    ],
)
def test_bad_options_name_the_value(options, message):
    with pytest.raises(ValueError, match=message):
        Options(**options)


def test_paths_outside_the_repository_are_cut_to_their_name(root, tmp_path):
    assert shown_path(root / "data" / "x.jsonl", root) == "data/x.jsonl"
    assert shown_path(tmp_path / "x.jsonl", root) == "x.jsonl"
    shown = shown_command(["real", "--data", str(tmp_path / "a b.jsonl"), "--model=/m/n"], root)
    assert shown == "stance evaluate real --data 'a b.jsonl' --model=n"
