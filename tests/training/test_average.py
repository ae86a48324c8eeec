import json

import numpy as np
import pytest
from conftest import EIGHT
from safetensors.numpy import load_file
from test_train_stance import CONFIGS, row, write

from stance import StanceClassifier
from stance.training import average, train_stance


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "authored"
    folder.mkdir()
    rows = [row(*labels) for labels in EIGHT]
    write(folder / "train.jsonl", rows * 2)
    write(folder / "validation.jsonl", rows * 5)
    return folder


@pytest.fixture
def models(tiny_base, data, tmp_path):
    common = ["--config", str(CONFIGS / "smoke.toml"), "--base", str(tiny_base), "--quiet"]
    common += ["--data", str(data)]
    first, second = (str(tmp_path / name) for name in ("first", "second"))
    assert train_stance.main([*common, "--output", first]) == 0
    assert train_stance.main([*common, "--init", first, "--seed", "1", "--output", second]) == 0
    return [first, second]


def test_the_mean_is_that_of_the_tensors_and_is_calibrated(models, data, tmp_path, capsys):
    output = tmp_path / "mean"
    arguments = [*models, "--shares", "0.25", "0.75", "--data", str(data)]
    assert average.main([*arguments, "--output", str(output)]) == 0
    assert "authored, stance: accuracy" in capsys.readouterr().out
    first, second, mean = (load_file(f"{path}/model.safetensors") for path in (*models, output))
    assert mean.keys() == first.keys() == second.keys()
    for name, tensor in mean.items():
        expected = 0.25 * first[name].astype(np.float32) + 0.75 * second[name].astype(np.float32)
        np.testing.assert_allclose(tensor, expected, atol=1e-3)
    moved = [
        name for name in mean if np.abs(mean[name] - second[name].astype(np.float32)).max() > 0
    ]
    assert len(moved) > 5
    facts = json.loads((output / "config.json").read_text("utf-8"))["training"]
    assert [part["share"] for part in facts["averaged"]] == [0.25, 0.75]
    loaded = StanceClassifier.from_pretrained(output)
    assert loaded.predict([EIGHT[0][0]]).shape == (1,)
    # Calibrated on the 40 validation rows.
    assert "temperatures" in (output / "config.json").read_text("utf-8")
    assert loaded.classify(EIGHT[0][0]).label_set(coverage=0.9)
    assert "weights averaged: 25% of SHA-256" in (output / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        (["1"], "needs one number for each of 2 models, not 1"),
        (["0.5", "0.4"], "must be in 0..1 and sum to 1"),
        (["nan", "1"], "must be in 0..1 and sum to 1"),
    ],
)
def test_bad_shares_are_told(models, data, tmp_path, capsys, shares, message):
    output = tmp_path / "mean"
    command = [*models, "--shares", *shares, "--data", str(data), "--output", str(output)]
    assert average.main(command) == 2
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_models_of_other_labels_have_no_mean(models, eight_quotes, tiny_base, tmp_path, capsys):
    texts, stances, _ = eight_quotes
    other = StanceClassifier(str(tiny_base), epochs=1).fit(texts, stances)
    other.save_pretrained(tmp_path / "other")
    assert average.main([str(tmp_path / "other"), models[1], "--output", str(tmp_path / "x")]) == 2
    assert "the models differ in tasks" in capsys.readouterr().err
