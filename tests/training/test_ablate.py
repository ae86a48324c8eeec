import json

import pytest
from conftest import EIGHT
from test_train_stance import CONFIGS, row, write

from stance.model.examples import Example
from stance.model.trainer import Trainer
from stance.training import ablate


@pytest.fixture
def arguments(tiny_base, tmp_path):
    folder = tmp_path / "authored"
    folder.mkdir()
    rows = [row(*labels) for labels in EIGHT]
    write(folder / "train.jsonl", rows * 2)
    write(folder / "validation.jsonl", rows)
    return [
        *("--config", str(CONFIGS / "smoke.toml"), "--base", str(tiny_base), "--data", str(folder)),
        *("--output", str(tmp_path / "runs.jsonl"), "--threads", "1"),
    ]


def test_every_variant_runs_with_every_seed_and_once(arguments, tmp_path, capsys):
    variants = ["none", "smooth:label_smoothing=0.2,warmup=0.3"]
    assert ablate.main([*variants, *arguments, "--seeds", "0", "1"]) == 0
    runs = [json.loads(line) for line in (tmp_path / "runs.jsonl").open()]
    keys = [(run["key"]["name"], run["key"]["settings"]["seed"]) for run in runs]
    assert keys == [("none", 0), ("smooth", 0), ("none", 1), ("smooth", 1)]
    assert runs[1]["key"]["settings"]["label_smoothing"] == 0.2
    assert all(run["seconds"] >= 0 for run in runs)
    shown = capsys.readouterr().out.splitlines()
    assert "none, seed 1: mean " in "".join(shown)
    assert shown[-5] == "16 rows, 2 epochs"
    assert shown[-4].startswith("| | authored |")
    assert shown[-2].startswith("| none (2) | ")
    assert shown[-2].count("±") == 3

    assert ablate.main([*variants, *arguments, "--seeds", "0", "1", "2"]) == 0
    again = (tmp_path / "runs.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in again[:4]] == runs
    assert len(again) == 6


def test_other_data_makes_other_runs(arguments, tmp_path, capsys):
    assert ablate.main(["none", *arguments, "--seeds", "0"]) == 0
    capsys.readouterr()
    more = write(tmp_path / "more.jsonl", [row(f"we sign {n}", source=f"d{n}") for n in range(40)])
    given = ["none", *arguments, "--seeds", "0"]
    assert ablate.main([*given, "--source-weight", "train=5"]) == 0
    assert ablate.main([*given, "--extra", str(more)]) == 0
    assert ablate.main(given) == 0
    assert len((tmp_path / "runs.jsonl").read_text("utf-8").splitlines()) == 3
    assert capsys.readouterr().out.splitlines()[-1].startswith("| none (1) | ")


def test_a_setting_of_a_variant_reaches_its_training(arguments, tmp_path):
    rates = ["still:learning_rate=1e-9,head_learning_rate=1e-9", "moved:head_learning_rate=0.1"]
    assert ablate.main([*rates, *arguments, "--seeds", "0", "--set", "epochs=8"]) == 0
    still, moved = (json.loads(line)["validation"] for line in (tmp_path / "runs.jsonl").open())
    accuracy = [one["authored"]["stance"]["accuracy"] for one in (still, moved)]
    assert accuracy[0] < accuracy[1]


def test_a_loss_that_is_no_number_ends_the_runs(arguments, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Trainer, "_backward", lambda *_: float("nan"))
    assert ablate.main(["none", *arguments]) == 2
    assert "the loss is nan at step 1" in capsys.readouterr().err
    assert not (tmp_path / "runs.jsonl").exists()


def test_the_table_gives_mean_and_deviation_in_percent():
    def run(name, value):
        figures = {"held out": {"stance": {"macro_f1": value}}}
        return {"key": {"name": name}, "mean": value, "seconds": 2.0, "validation": figures}

    lines = ablate.table([run("none", 0.7), run("more", 0.5), run("none", 0.72)]).splitlines()
    assert lines[0] == "| | held out | mean of all | seconds |"
    assert lines[2] == "| none (2) | 71.0 ± 1.4 | 71.0 ± 1.4 | 2 |"
    assert lines[3] == "| more (1) | 50.0 | 50.0 | 2 |"


def test_a_sample_keeps_groups_whole_and_is_the_same_always():
    examples = [Example(f"quote {n}", {}, group=f"g{n // 2}" if n < 20 else "") for n in range(40)]
    chosen = ablate.sample(examples, 15)
    assert 14 <= len(chosen) <= 15
    assert chosen == ablate.sample(examples, 15) == sorted(chosen, key=examples.index)
    groups = [example.group for example in chosen if example.group]
    assert all(groups.count(group) == 2 for group in groups)
    assert ablate.sample(examples, 0) == examples


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ([":seed=1"], "a variant needs a name"),
        (["a:dropout"], "a variant is NAME or NAME:SETTING=VALUE,..., not 'a:dropout'"),
        (["a:seed=3"], "variant 'a' cannot change seed"),
        (["a", "a:dropout=0.2"], "a variant needs a name of its own"),
        (["a:drop=1"], "unknown training setting 'drop'"),
        (["a", "--rows", "-1"], "--rows -1 leaves no rows"),
    ],
)
def test_a_mistake_ends_with_a_message(arguments, capsys, extra, message):
    assert ablate.main([*extra, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_another_file_is_not_added_to(arguments, tmp_path, capsys):
    write(tmp_path / "runs.jsonl", [{"text": "x"}])
    assert ablate.main(["none", *arguments]) == 2
    assert "is no file of this script" in capsys.readouterr().err
