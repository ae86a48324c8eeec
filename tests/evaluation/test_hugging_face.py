import sys

import numpy as np
import pytest
from evaluation_fakes import QUOTES, Oracle, build_root

from stance.evaluation.baselines import BaselineUnavailable
from stance.evaluation.evaluate import main
from stance.evaluation.hugging_face import HYPOTHESES, HuggingFace
from stance.evaluation.runner import Options, run
from stance.evaluation.schema import HEADS

TEXTS = [text for text, _, _ in QUOTES]


def build_model(folder, names):
    """Writes a tiny classifier with these labels and random weights; returns its folder."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        PreTrainedTokenizerFast,
        set_seed,
    )

    words = sorted({word for text in TEXTS for word in text.lower().split()})
    vocabulary = {name: i for i, name in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=64,
    ).save_pretrained(folder)
    set_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    return {
        "tone": build_model(root / "tone", ["POS", "Neutral", "neg"]),
        "stances": build_model(root / "stances", list(reversed(HEADS["stance"]))),
        "nli": build_model(root / "nli", ["contradiction", "neutral", "entailment"]),
        "topics": build_model(root / "topics", ["sports", "weather"]),
    }


def prepared(folder, root):
    baseline = HuggingFace(str(folder), root)
    baseline.prepare()
    return baseline


def test_classifier_answers_the_head_of_its_labels_in_our_order(folders, tmp_path):
    from transformers import pipeline

    found = prepared(folders["tone"], tmp_path).label(TEXTS)
    assert found["stance"] == "tone labels sentiment only"
    answers = found["sentiment"]
    assert answers.probabilities.shape == (len(TEXTS), 3)
    np.testing.assert_allclose(answers.probabilities.sum(axis=1), 1.0)
    theirs = pipeline("text-classification", model=str(folders["tone"]), top_k=None)
    ours = {"POS": "positive", "Neutral": "neutral", "neg": "negative"}
    for row, scores in enumerate(theirs(TEXTS)):
        for score in scores:
            column = HEADS["sentiment"].index(ours[score["label"]])
            assert answers.probabilities[row, column] == pytest.approx(score["score"], abs=1e-5)
    assert prepared(folders["stances"], tmp_path).head == "stance"


def test_nli_model_answers_both_heads_zero_shot(folders, tmp_path):
    found = prepared(folders["nli"], tmp_path).label(TEXTS[:3])
    for head, labels in HEADS.items():
        assert set(HYPOTHESES[head]) == set(labels)
        assert found[head].probabilities.shape == (3, len(labels))
        np.testing.assert_allclose(found[head].probabilities.sum(axis=1), 1.0)


@pytest.mark.parametrize("name", ["tone", "nli"])
def test_text_is_labelled_once_however_often_it_is_asked_for(folders, tmp_path, name):
    baseline = prepared(folders[name], tmp_path)
    seen = []
    pipe = baseline._pipeline

    def counted(texts, **options):
        seen.append(list(texts))
        return pipe(texts, **options)

    baseline._pipeline = counted
    assert not baseline.knows_any(TEXTS)
    first = baseline.label([TEXTS[0], TEXTS[0]])["sentiment"]
    assert baseline.knows_any(TEXTS)
    both = baseline.label([TEXTS[1], TEXTS[0]])["sentiment"]
    assert {text for texts in seen for text in texts} == {TEXTS[0], TEXTS[1]}
    assert all(len(texts) == 1 for texts in seen)
    np.testing.assert_allclose(first.probabilities, both.probabilities[[1, 1]])


def test_missing_transformers_refuses_the_baseline_by_name(folders, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(BaselineUnavailable, match=r"'some/model' cannot be loaded: .*transformers"):
        prepared("some/model", tmp_path)


def test_named_model_stands_in_the_table_with_its_difference(folders, tmp_path):
    root = build_root(tmp_path / "repository")
    options = Options(
        suites=("authored",), root=root, repeats=20, baselines=(str(folders["tone"]),)
    )
    results, _ = run(Oracle(), options)
    suite = results["suites"][0]
    system = next(one for one in suite["systems"] if one["name"] == "hf:tone")
    assert system["heads"]["sentiment"]["n"] == 12
    assert str(tmp_path) not in str(results)
    assert any(part["baseline"] == "hf:tone" for part in suite["differences"])


@pytest.mark.parametrize(
    ("name", "message"),
    [("topics", "has the labels sports, weather; known are"), ("nosuch", "cannot be loaded")],
)
def test_model_that_cannot_serve_is_refused_by_name(folders, tmp_path, name, message):
    folder = folders.get(name, tmp_path / name)
    with pytest.raises(BaselineUnavailable, match=message):
        prepared(folder, tmp_path)


@pytest.mark.weights
def test_named_baseline_that_cannot_run_exits_2_with_one_line(folders, tmp_path, capsys):
    arguments = ["seeds", "--baseline", str(folders["topics"]), "--output", str(tmp_path / "out")]
    assert main(arguments) == 2
    error = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(error) == 1
    assert "has the labels sports, weather" in error[0]
