import json

import pytest

from stance.training.write_card import main


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    config = {
        "base": {"name": "some/encoder", "package": None, "sha256": "ab" * 32},
        "tasks": {"stance": ["conciliatory", "neutral"]},
        "max_length": 256,
        "training": {},
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def results(path, macro_f1):
    heads = {"stance": {"n": 9, "metrics": {"macro_f1": {"value": macro_f1}}}}
    suites = [{"title": "Real", "systems": [{"heads": heads}]}]
    path.write_text(json.dumps({"suites": suites}), "utf-8")
    return str(path)


def test_the_card_shows_what_was_measured(model, tmp_path):
    ours = results(tmp_path / "ours.json", 0.75)
    theirs = results(tmp_path / "theirs.json", 0.5)
    assert main([str(model), "--results", ours, "--authored-only", theirs]) == 0
    text = (model / "README.md").read_text("utf-8")
    assert "| Real | stance | 9 | undefined | 0.750 | undefined |" in text
    assert "| Real | stance | 0.750 | 0.500 |" in text


def test_mistakes_are_told_by_file(model, tmp_path, capsys):
    (tmp_path / "bad.json").write_text("{}", "utf-8")
    assert main([str(model), "--results", str(tmp_path / "bad.json")]) == 2
    assert "bad.json is not the results.json of an evaluation" in capsys.readouterr().err
    good = results(tmp_path / "good.json", 0.5)
    assert main([str(tmp_path / "none"), "--results", good]) == 2
    assert "none" in capsys.readouterr().err
    assert not (model / "README.md").exists()
