import gzip
import json
import random

import pytest
import torch
from safetensors.torch import load_file

from stance import StanceClassifier
from stance.model.encoder import find_base, load_tokenizer
from stance.training import pretrain, train_stance
from stance.training.masking import MaskedModel

ORDER = "we will sign the deal on monday but they reject the border offer and leave talks".split()


@pytest.fixture
def articles(tmp_path):
    """Texts of one sentence from different words on, so that there is something to learn."""
    generator = random.Random(0)
    path = tmp_path / "articles.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for _ in range(200):
            start = generator.randrange(len(ORDER))
            text = " ".join((ORDER * 3)[start : start + 24])
            file.write(json.dumps({"id": "x", "text": text}) + "\n")
    return path


def run(tiny_base, articles, output, *more):
    command = ["--base", str(tiny_base), "--articles", str(articles), "--output", str(output)]
    return pretrain.main([*command, "--threads", "1", "--quiet", *map(str, more)])


def test_words_are_predicted_better_and_the_layers_start_a_training(
    tiny_base, articles, tmp_path, capsys
):
    out = tmp_path / "out"
    more = ("--steps", 60, "--learning-rate", 3e-3, "--batch-size", 16)
    assert run(tiny_base, articles, out, *more) == 0
    facts = json.loads((out / "pretraining.json").read_text("utf-8"))
    assert facts["steps"] == 60
    assert facts["held_out"]["loss"] < facts["held_out"]["loss_before"] - 0.5
    assert facts["data"][0]["file"] == "articles.jsonl.gz"
    state = load_file(out / "model.safetensors")
    before = load_file(tiny_base / "model.safetensors")
    assert state
    assert not any("embeddings" in name for name in state)
    assert any(not torch.equal(state[name], before[name]) for name in state)
    rows = [
        {"text": "We sign.", "stance": "neutral", "sentiment": "neutral"},
        {"text": "They leave.", "stance": "dismissive", "sentiment": "negative"},
    ]
    data = tmp_path / "data"
    data.mkdir()
    for name in ("train.jsonl", "validation.jsonl"):
        (data / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    model = tmp_path / "model"
    smoke = pretrain.Path(train_stance.__file__).parent / "configs" / "smoke.toml"
    command = ["--config", str(smoke), "--base", str(tiny_base), "--data", str(data), "--quiet"]
    assert train_stance.main([*command, "--init", str(out), "--output", str(model)]) == 0
    config = json.loads((model / "config.json").read_text("utf-8"))
    assert config["training"]["init_sha256"] == facts["weights_sha256"]
    assert config["base"]["sha256"] == facts["base"]["sha256"]
    StanceClassifier.from_pretrained(model).classify("We sign.")
    assert "stance train --init" in capsys.readouterr().out


def test_equal_seeds_and_steps_give_equal_weights(tiny_base, articles, tmp_path):
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        assert run(tiny_base, articles, tmp_path / name, "--steps", 5, "--seed", seed) == 0
    one, two, three = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two", "three")
    )
    assert one == two
    assert one != three


def test_the_clock_ends_a_run(tiny_base, articles, tmp_path):
    assert run(tiny_base, articles, tmp_path / "out", "--minutes", 0.02) == 0
    facts = json.loads((tmp_path / "out" / "pretraining.json").read_text("utf-8"))
    assert 1 <= facts["steps"]
    assert facts["seconds"] < 20


def test_hidden_words_follow_the_shares_and_spare_padding(tiny_base):
    base = find_base(str(tiny_base))
    torch.manual_seed(0)
    model = MaskedModel(base, load_tokenizer(base), dropout=0.0, mask=0.2)
    ids = torch.randint(10, 60, (200, 40))
    ids[:, 0], ids[:, 30] = model.first_id, model.last_id
    ids[:, 31:] = model.pad_id
    mask = torch.arange(40) < torch.full((200, 1), 31)
    hidden, chosen = model._hide(ids, mask, None)
    assert not chosen[:, 30:].any()
    assert not chosen[:, 0].any()
    assert torch.equal(hidden[~chosen], ids[~chosen])
    assert float(chosen.sum()) / (200 * 29) == pytest.approx(0.2, abs=0.03)
    masked = (hidden == model.mask_id) & chosen
    assert float(masked.sum() / chosen.sum()) == pytest.approx(0.8, abs=0.04)
    left = chosen & (hidden == ids)
    assert float(left.sum() / chosen.sum()) == pytest.approx(0.1, abs=0.04)


def test_a_quote_is_put_back_into_its_context(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [{"text": "We sign.", "context": "[…] he said."}, {"text": "They leave."}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert pretrain.read_texts(path) == ['"We sign." he said.', "They leave."]


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        (None, (), "no such file"),
        ("", (), "holds no texts"),
        ('{"text": "we sign"}\n{broken', (), "line 2: not JSON"),
        ('{"id": 1}\n', (), "line 1: a row needs a text"),
        ('{"text": "we sign"}\n', (), "no text has 16 tokens"),
        ('{"text": "we sign"}\n', ("--minutes", 0), "minutes must be above 0, not 0.0"),
        ('{"text": "we sign"}\n', ("--steps", -1), "steps must be 0 or more, not -1"),
    ],
)
def test_a_users_mistake_ends_with_a_message(tiny_base, tmp_path, capsys, content, more, message):
    path = tmp_path / "texts.jsonl"
    if content is not None:
        path.write_text(content, "utf-8")
    assert run(tiny_base, path, tmp_path / "out", *more) == 2
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown
