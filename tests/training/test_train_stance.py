import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import EIGHT

from stance import StanceClassifier
from stance.evaluation import swap_edits
from stance.training import train_stance
from stance.training.data import is_held_out, load_corpus, read_rows

CONFIGS = Path(train_stance.__file__).parent / "configs"


def write(path: Path, rows) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8"
    )
    return path


def row(text="We sign.", stance="neutral", sentiment="neutral", **more):
    return {"text": text, "stance": stance, "sentiment": sentiment, **more}


@pytest.fixture
def folder(tmp_path) -> Path:
    authored = tmp_path / "authored"
    authored.mkdir()
    rows = [row(*labels, id=f"a{number}", context="") for number, labels in enumerate(EIGHT)]
    write(authored / "train.jsonl", rows * 3)
    write(authored / "validation.jsonl", rows)
    return authored


@pytest.fixture
def arguments(tiny_base, folder, tmp_path):
    return [
        *("--config", str(CONFIGS / "smoke.toml"), "--base", str(tiny_base)),
        *("--data", str(folder), "--output", str(tmp_path / "out"), "--quiet"),
    ]


def test_the_script_trains_end_to_end(arguments, tmp_path, capsys):
    extra = write(
        tmp_path / "more.jsonl",
        [row(f"quote {n} we sign", source=f"document {n // 2}", how="single") for n in range(60)],
    )
    assert train_stance.main([*arguments, "--extra", str(extra), "--set", "warmup=0.2"]) == 0
    shown = capsys.readouterr().out
    assert "validation, authored" in shown
    assert "macro-F1" in shown
    out = tmp_path / "out"
    facts = json.loads((out / "config.json").read_text("utf-8"))["training"]
    assert facts["real_quotes"] is True
    assert facts["config"]["warmup"] == 0.2
    assert [entry["file"] for entry in facts["data"]] == [
        "train.jsonl",
        "validation.jsonl",
        "more.jsonl",
    ]
    assert [entry["rows"] for entry in facts["data"]] == [24, 8, 60]
    assert str(tmp_path) not in json.dumps(facts["data"])
    assert len((out / "training_log.jsonl").read_text().splitlines()) == 2
    assert not (out / "checkpoint.pt").exists()
    found = StanceClassifier.from_pretrained(out).classify(
        "We sign.", context='"We sign," he said.'
    )
    assert set(found.stance_probabilities) == {
        "conciliatory",
        "dismissive",
        "conditional",
        "neutral",
    }


def test_a_run_killed_from_outside_goes_on_to_the_same_weights(arguments, tmp_path):
    more = ["--epochs", "8", "--set", "checkpoint_steps=1", "--threads", "1"]
    command = [sys.executable, train_stance.__file__, *arguments, *more]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    checkpoint = tmp_path / "out" / "checkpoint.pt"
    deadline = time.monotonic() + 60
    while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert checkpoint.exists()
    assert not (tmp_path / "out" / "model.safetensors").exists()
    assert train_stance.main([*arguments, *more, "--resume"]) == 0
    whole = [*arguments, *more]
    whole[whole.index("--output") + 1] = str(tmp_path / "whole")
    assert train_stance.main(whole) == 0
    resumed, uninterrupted = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("out", "whole")
    )
    assert resumed == uninterrupted


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([row(), row(stance="hostile")], "line 2: stance is 'hostile'"),
        ([row(), row(sentiment=None)], "line 2: sentiment is None"),
        ([row(text="  ")], "line 1: text is missing or blank"),
        ([{"stance": "neutral", "sentiment": "neutral"}], "line 1: text is missing or blank: None"),
        ([row(), "", "{broken"], "line 3: not JSON"),
        (["[1, 2]"], "line 1: a JSON object is needed"),
        ([], "holds no rows"),
        (["", " "], "holds no rows"),
        ([row(context=5)], "line 1: context must be a string, not 5"),
    ],
)
def test_bad_rows_are_named_by_file_and_line(arguments, folder, capsys, rows, message):
    write(folder / "train.jsonl", rows)
    assert train_stance.main(arguments) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "train.jsonl" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--epochs", "0"], "epochs must be at least 1, not 0"),
        (["--set", "epochs"], "NAME=VALUE"),
        (["--set", "colour=red"], "unknown training setting 'colour'"),
        (["--data", "/no/such/folder"], "no such data file"),
        (["--extra", "/no/such/file.jsonl"], "no such data file"),
        (["--base", "nobody/no-such-encoder"], "nobody/no-such-encoder"),
        (["--config", "/no/such/config.toml"], "config.toml"),
    ],
)
def test_a_users_mistake_ends_with_a_message_and_code_two(arguments, capsys, extra, message):
    assert train_stance.main([*arguments, *extra]) == 2
    assert message in capsys.readouterr().err


def test_not_utf8_is_named(folder):
    (folder / "train.jsonl").write_bytes(b'{"text": "\xff"}\n')
    with pytest.raises(ValueError, match=r"train\.jsonl is not UTF-8"):
        read_rows(folder / "train.jsonl")


def test_documents_are_never_torn_between_train_and_validation(folder, tmp_path):
    rows = [row(f"quote {n}", source=f"document {n // 5}") for n in range(1000)]
    held_out = is_held_out(rows)
    documents = {True: set(), False: set()}
    for one, kept in zip(rows, held_out, strict=True):
        documents[kept].add(one["source"])
    assert not documents[True] & documents[False]
    assert 0.05 < sum(held_out) / 1000 < 0.15
    assert is_held_out(rows[::-1]) == held_out[::-1]
    corpus = load_corpus(folder, [write(tmp_path / "more.jsonl", rows)])
    assert corpus.validation.keys() == {"authored", "more"}
    assert len(corpus.train) - 24 + len(corpus.validation["more"]) == 1000
    assert corpus.has_real_quotes


def test_rows_weigh_by_how_they_were_labelled(folder, tmp_path):
    rows = [row(f"quote {n}", how="single" if n % 2 else "agreed") for n in range(40)]
    extra = write(tmp_path / "more.jsonl", rows)
    corpus = load_corpus(folder, [extra], how_weights={"single": 0.5}, extra_weight=2.0)
    weights = {example.text: example.weight for example in corpus.train}
    assert {weights.get(f"quote {n}", 1.0) for n in range(1, 40, 2)} == {1.0}
    assert {weights.get(f"quote {n}", 2.0) for n in range(0, 40, 2)} == {2.0}
    assert weights[EIGHT[0][0]] == 1.0


@pytest.mark.parametrize("name", ["default.toml", "smoke.toml"])
def test_shipped_configurations_are_valid(name):
    from stance.model.settings import TrainingConfig, read_toml

    content = read_toml(CONFIGS / name)
    content.pop("data", None)
    assert TrainingConfig().updated(content).epochs >= 1


def news(tmp_path, count=40, **fields):
    """Articles of one quote each, and their labels by offsets."""
    from stance.references import text_sha256

    articles, labels = [], []
    for number in range(count):
        text = f"we sign in week {number}"
        articles.append({"id": f"a{number}", "text": f"Talks. He said {text} . Rain."})
        labels.append(
            {
                "article": f"a{number}",
                "spans": [[15, 15 + len(text)]],
                "context": [7, 17 + len(text)],
                "sha256": text_sha256(text),
                "stance": "conciliatory",
                "sentiment": "neutral",
                **{name: values[number % len(values)] for name, values in fields.items()},
            }
        )
    return write(tmp_path / "news_labels.jsonl", labels), write(tmp_path / "news.jsonl", articles)


def test_news_quotes_and_further_authored_files_are_trained_on(arguments, folder, tmp_path, capsys):
    write(
        folder / "train_contrast.jsonl",
        [row("We sign.", group="g1"), row("We never sign.", "dismissive", group="g1")],
    )
    labels, articles = news(tmp_path)
    command = [*arguments, "--news", str(labels), "--articles", str(articles)]
    command += ["--source-weight", "news_labels=0.5", "--set", "group_batches=true"]
    assert train_stance.main(command) == 0
    assert "40 of 40 quotes cut out" in capsys.readouterr().out
    facts = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))["training"]
    assert [entry["file"] for entry in facts["data"]] == [
        "train.jsonl",
        "train_contrast.jsonl",
        "validation.jsonl",
        "news_labels.jsonl",
    ]
    assert facts["data_settings"]["source_weights"] == {"news_labels": 0.5}
    assert facts["real_quotes"] is True
    assert facts["notes"][0].startswith("news_labels.jsonl: 40 of 40 quotes cut out of ")
    assert str(tmp_path) not in json.dumps(facts)
    corpus = load_corpus(folder, news=(labels, articles), source_weights={"news_labels": 0.5})
    learned = [example for example in corpus.train if example.text.startswith("we sign in")]
    assert len(learned) + len(corpus.validation["news_labels"]) == 40
    assert {example.weight for example in learned} == {0.5}
    assert learned[0].context == "He said […] ."
    assert [example.group for example in corpus.train[24:26]] == ["g1", "g1"]


def test_news_quotes_of_other_splits_are_never_trained_on(folder, tmp_path):
    paths = news(tmp_path, split=["train", "validation", "test", "dev"])
    corpus = load_corpus(folder, news=paths)
    learned = {example.text for example in corpus.train if example.text.startswith("we sign in")}
    assert learned == {f"we sign in week {number}" for number in range(0, 40, 4)}
    held_out = {example.text for example in corpus.validation["news_labels"]}
    assert held_out == {f"we sign in week {number}" for number in range(1, 40, 4)}


def test_condition_and_outcome_reach_the_token_head(arguments, folder, tmp_path, capsys):
    spans = {"condition": "If the troops leave", "outcome": "we will sign"}
    rows = [row("If the troops leave, we will sign.", "conditional", **spans), row()]
    for name in ("train.jsonl", "validation.jsonl"):
        write(folder / name, rows * 4)
    assert train_stance.main([*arguments, "--epochs", "1"]) == 0
    assert "authored, token-F1 of spans: condition" in capsys.readouterr().out
    config = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))
    assert config["token_heads"] == {"span": ["none", "condition", "outcome"]}
    assert config["training"]["spans"]["authored"]["both"]["rows"] == 8


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--news", "labels.jsonl"], "--news needs --articles"),
        (["--source-weight", "nothing=1"], "source_weights names ['nothing']"),
        (["--source-weight", "train"], "--source-weight needs NAME=WEIGHT"),
        (["--source-weight", "train=-1"], "--source-weight needs NAME=WEIGHT"),
        (["--source-weight", "train=x"], "--source-weight needs NAME=WEIGHT"),
        (["--init", "/no/such/start"], "init: /no/such/start is missing"),
        (["--teacher", "/no/such/teacher"], "no such file of a teacher"),
        (["--set", 'task_weights={"mood": 1}'], "task_weights names ['mood']"),
    ],
)
def test_a_mistake_in_naming_sources_ends_with_a_message(arguments, capsys, extra, message):
    assert train_stance.main([*arguments, *extra]) == 2
    assert message in capsys.readouterr().err


def test_without_the_word_lists_nothing_is_swapped_and_the_log_says_so(
    arguments, tmp_path, capsys, monkeypatch
):
    settings = tmp_path / "settings.toml"
    smoke = (CONFIGS / "smoke.toml").read_text("utf-8")
    settings.write_text(f"{smoke}\n[data]\nswap_share = 1.0\n", "utf-8")
    monkeypatch.setattr(swap_edits, "FOLDER", tmp_path)
    swap_edits.word_list.cache_clear()
    assert train_stance.main([*arguments, "--config", str(settings)]) == 0
    assert "nothing swapped: " in capsys.readouterr().out


def test_an_epoch_shows_the_part_of_a_file_that_is_set(arguments, folder, tmp_path, capsys):
    write(folder / "train_more.jsonl", [row(text=f"We sign in week {n}.") for n in range(10)])
    settings = tmp_path / "settings.toml"
    smoke = (CONFIGS / "smoke.toml").read_text("utf-8")
    settings.write_text(f"{smoke}\n[data]\nepoch_shares = {{ train_more = 0.3 }}\n", "utf-8")
    assert train_stance.main([*arguments, "--config", str(settings)]) == 0
    training = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))["training"]
    assert training["rows"] - training["rows_an_epoch"] == 7
    assert training["data_settings"]["epoch_shares"] == {"train_more": 0.3}
    assert f"shows {training['rows_an_epoch']} of {training['rows']}" in capsys.readouterr().out


SHARES = ["nan", "-0.1", "1.5", '"half"', "true"]
WEIGHTS = ["nan", "inf", "-1", "true", '"much"']


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        *((f"swap_share = {one}", "swap_share in [data] must be in 0..1") for one in SHARES),
        ("epoch_shares = { train = 1.5 }", "epoch_shares.train in [data] must be in 0..1"),
        ("epoch_shares = 0.5", "epoch_shares in [data] must be a table"),
        *(
            (f"how_weights = {{ unsure = {one} }}", "a weight in [data] must be 0 or more")
            for one in WEIGHTS
        ),
    ],
)
def test_a_number_of_the_data_table_that_is_not_allowed_is_named(
    arguments, tmp_path, capsys, setting, message
):
    settings = tmp_path / "settings.toml"
    settings.write_text(f"[data]\n{setting}\n", "utf-8")
    assert train_stance.main([*arguments, "--config", str(settings)]) == 2
    assert message in capsys.readouterr().err
