import json
from pathlib import Path

import numpy as np
import pytest
from conftest import EIGHT
from test_train_stance import CONFIGS, row, write

from stance import StanceClassifier
from stance.references import text_sha256
from stance.training import teach, train_stance
from stance.training.data import example_sha256, read_teacher


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "authored"
    folder.mkdir()
    rows = [
        row(*labels, context="the minister said […]" if n % 2 else "")
        for n, labels in enumerate(EIGHT)
    ]
    write(folder / "train.jsonl", rows * 2)
    write(folder / "validation.jsonl", rows)
    return folder


def test_two_models_teach_a_third(tiny_base, data, tmp_path, capsys):
    common = ["--config", str(CONFIGS / "smoke.toml"), "--base", str(tiny_base), "--quiet"]
    common += ["--data", str(data)]
    models = [str(tmp_path / f"seed{seed}") for seed in range(2)]
    for seed, model in enumerate(models):
        assert train_stance.main([*common, "--seed", str(seed), "--output", model]) == 0
    taught = tmp_path / "teacher.jsonl"
    assert teach.main([*models, "--data", str(data), "--output", str(taught)]) == 0
    found = read_teacher(taught)
    # Each quote once, however often it is trained on; and no text in the file.
    assert len(found.known) == 8
    assert not found.unlabelled
    assert EIGHT[0][0] not in taught.read_text("utf-8")
    text = EIGHT[1][0]
    expected = np.mean(
        [
            StanceClassifier.from_pretrained(model).predict_proba(
                [text], context=["the minister said […]"]
            )[0]
            for model in models
        ],
        axis=0,
    )
    assert found.known[example_sha256(text, "the minister said […]")]["stance"] == pytest.approx(
        expected.tolist(), abs=1e-4
    )
    capsys.readouterr()
    student = tmp_path / "student"
    command = [*common, "--teacher", str(taught), "--output", str(student)]
    assert train_stance.main(command) == 0
    assert "probabilities for 16 of 16 training quotes" in capsys.readouterr().out
    facts = json.loads((student / "config.json").read_text("utf-8"))["training"]
    assert facts["notes"] == [
        "teacher.jsonl: a teacher's probabilities for 16 of 16 training quotes"
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{broken", "line 1: not JSON"),
        ('{"sha256": "a"}', "line 1: no teacher's record"),
        (
            '{"sha256": "a", "stance": [1, 0], "sentiment": [1, 0, 0]}',
            "line 1: stance needs 4 probabilities that sum to 1",
        ),
        (
            '{"sha256": "a", "stance": [NaN, 1, 0, 0], "sentiment": [1, 0, 0]}',
            "line 1: stance needs 4 probabilities",
        ),
        (
            '{"sha256": "a", "stance": [1, 1, 0, 0], "sentiment": [1, 0, 0]}',
            "line 1: stance needs 4 probabilities",
        ),
        (
            '{"sha256": [], "stance": [1, 0, 0, 0], "sentiment": [1, 0, 0]}',
            r"line 1: sha256 must be a string, not \[\]",
        ),
        (
            '{"sha256": "a", "article": "b", "stance": [1, 0, 0, 0], "sentiment": [1, 0, 0]}',
            "line 1: spans must be pairs of offsets",
        ),
    ],
)
def test_a_bad_teachers_file_is_named(tmp_path, line, message):
    with pytest.raises(ValueError, match=message):
        read_teacher(write(tmp_path / "teacher.jsonl", [line]))


def test_a_student_learns_quotes_that_nobody_labelled(tiny_base, data, tmp_path, capsys):
    common = ["--config", str(CONFIGS / "smoke.toml"), "--base", str(tiny_base), "--quiet"]
    common += ["--data", str(data)]
    model, student, taught = (str(tmp_path / name) for name in ("model", "student", "taught"))
    assert train_stance.main([*common, "--output", model]) == 0
    text = "We may sign the pact."
    articles = write(tmp_path / "news.jsonl", [row(f"He said: “{text}”", id="n1")])
    reference = {"article": "n1", "spans": [[10, 31]], "context": [0, 32]}
    unlabelled = write(
        tmp_path / "quotes.jsonl",
        [{**reference, "sha256": text_sha256(text)}, {**reference, "sha256": "0" * 64}],
    )
    command = [model, "--data", str(data), "--unlabelled", str(unlabelled), "--output", taught]
    assert teach.main(command) == 2
    assert "--unlabelled needs --articles" in capsys.readouterr().err
    assert teach.main([*command, "--articles", str(articles)]) == 0
    assert "1 of 2 quotes cut out" in capsys.readouterr().out
    [quote] = read_teacher(Path(taught)).unlabelled
    expected = StanceClassifier.from_pretrained(model).predict_proba(
        [text], context=["He said: […]"]
    )
    assert quote["stance"] == pytest.approx(expected[0].tolist(), abs=1e-4)

    command = [*common, "--teacher", taught, "--output", student]
    assert train_stance.main(command) == 0
    assert "1 unlabelled quotes left out" in capsys.readouterr().out
    assert train_stance.main([*command, "--articles", str(articles)]) == 0
    assert "train: 17 quotes" in capsys.readouterr().out
    facts = json.loads(Path(student, "config.json").read_text("utf-8"))["training"]
    assert facts["real_quotes"] is True

    # A quote that has a label is learned from that.
    labelled = write(data / "train_more.jsonl", [row(text)])
    assert labelled.is_file()
    command += ["--articles", str(articles)]
    assert train_stance.main(command) == 0
    assert "1 have labels and are left out" in capsys.readouterr().out


def test_mistakes_end_with_a_message(data, tmp_path, capsys):
    assert teach.main([str(tmp_path / "none"), "--data", str(data)]) == 2
    assert "none" in capsys.readouterr().err
    other = {"sha256": "0" * 64, "stance": [1, 0, 0, 0], "sentiment": [1, 0, 0]}
    unknown = write(tmp_path / "teacher.jsonl", [other])
    command = ["--data", str(data), "--teacher", str(unknown), "--quiet"]
    assert train_stance.main(command) == 2
    assert "a teacher's probabilities for 0 of 16 training quotes" in capsys.readouterr().err
