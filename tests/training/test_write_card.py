import json

import pytest

from stance.model.hashes import file_sha256
from stance.training.write_card import main

METRIC = {"low": None, "high": None, "reason": None}


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
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def results(path, macro_f1, weights="other"):
    heads = {
        "stance": {
            "n": 9,
            "metrics": {"macro_f1": {"value": macro_f1, **METRIC}},
            "per_class": {},
        }
    }
    suite = {
        "key": "real",
        "title": "Real",
        "status": "done",
        "reason": None,
        "primary_metric": "macro_f1",
        "primary_head": "stance",
        "systems": [{"metrics": {}, "heads": heads}],
        "data": [],
    }
    model = {"name": "m", "sha256": "0", "files": {"model.safetensors": weights}}
    content = {"schema_version": 2, "version": "0.3.0", "model": model, "suites": [suite]}
    path.write_text(json.dumps(content), "utf-8")
    return str(path)


def test_the_card_shows_what_was_measured(model, tmp_path, capsys):
    ours = results(tmp_path / "ours.json", 0.75, file_sha256(model / "model.safetensors"))
    theirs = results(tmp_path / "theirs.json", 0.5)
    assert main([str(model), "--results", ours, "--authored-only", theirs]) == 0
    assert capsys.readouterr().out.strip() == str(model / "README.md")
    text = (model / "README.md").read_text("utf-8")
    assert "| Real | stance | 9 | undefined | 0.750 | undefined |" in text
    assert "| Real | stance | 0.750 | 0.500 |" in text


def test_mistakes_are_told_by_file(model, tmp_path, capsys):
    (tmp_path / "bad.json").write_text("{}", "utf-8")
    assert main([str(model), "--results", str(tmp_path / "bad.json")]) == 2
    assert "bad.json: not a results.json" in capsys.readouterr().err
    other = results(tmp_path / "other.json", 0.5)
    assert main([str(model), "--results", other]) == 2
    assert "other.json is no evaluation of the weights" in capsys.readouterr().err
    assert main([str(tmp_path / "none"), "--results", other]) == 2
    assert "none" in capsys.readouterr().err
    (model / "config.json").write_text("[]", "utf-8")
    assert main([str(model), "--results", other]) == 2
    assert "config.json is not the config.json of a model" in capsys.readouterr().err
    assert not (model / "README.md").exists()
