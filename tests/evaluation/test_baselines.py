import builtins

import numpy as np
import pytest
from evaluation_fakes import QUOTES, record, write_rows

from stance.evaluation.baselines import (
    BaselineUnavailable,
    Keywords,
    Majority,
    TextBlobPolarity,
    TfidfRegression,
    Vader,
    all_baselines,
)
from stance.evaluation.keywords import sentiment_by_keywords, stance_by_keywords
from stance.evaluation.rows import read_rows
from stance.labels import STANCES


@pytest.fixture
def rows(tmp_path):
    return read_rows([write_rows(tmp_path / "train.jsonl", [record(i) for i in range(12)])]).rows


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("We sign once the escorts leave.", "conditional"),
        ("No talks until the crew is home.", "conditional"),
        ("We could lift it in exchange for grain.", "conditional"),
        ("Even if they beg, we refuse.", "dismissive"),
        ("I do not know if the meeting will happen.", "neutral"),
        ("We won’t be there.", "dismissive"),
        ("We welcome the idea, but it is unacceptable in this form.", "dismissive"),
        ("It is unacceptable in this form, but we welcome the idea.", "conciliatory"),
        ("The convoy passed at dawn.", "neutral"),
    ],
)
def test_keywords_follow_their_order(text, stance):
    assert stance_by_keywords(text) == stance


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("A good and promising day.", "positive"),
        ("A shameful crime.", "negative"),
        ("A good crime.", "neutral"),
        ("A day.", "neutral"),
    ],
)
def test_keyword_tone_is_the_balance(text, sentiment):
    assert sentiment_by_keywords(text) == sentiment


def test_majority_answers_the_commonest_with_training_shares(rows):
    baseline = Majority()
    baseline.fit(rows, seed=0)
    answers = baseline.label(["x", "y"])["sentiment"]
    assert answers.predicted.tolist() == [1, 1]  # neutral, 6 of 12
    assert answers.probabilities == pytest.approx(np.array([[4 / 12, 6 / 12, 2 / 12]] * 2))


def test_tfidf_learns_its_training_rows_and_repeats_itself(rows):
    texts = [text for text, _, _ in QUOTES]
    answers = []
    for _ in range(2):
        baseline = TfidfRegression()
        baseline.fit(rows, seed=0)
        answers.append(baseline.label(texts)["stance"])
    gold = [STANCES.index(stance) for _, stance, _ in QUOTES]
    assert answers[0].predicted.tolist() == gold
    assert answers[0].probabilities.sum(axis=1) == pytest.approx(np.ones(12))
    assert (answers[0].probabilities == answers[1].probabilities).all()


def test_class_absent_from_training_gets_probability_zero_in_its_column(tmp_path):
    few = [record(i) for i in (0, 1, 4, 5)]  # conditional and dismissive only
    baseline = TfidfRegression()
    baseline.fit(read_rows([write_rows(tmp_path / "f.jsonl", few)]).rows, seed=0)
    answers = baseline.label(["We refuse."])["stance"]
    assert answers.probabilities[0, [0, 3]].tolist() == [0.0, 0.0]


def test_one_class_training_is_refused_with_the_reason(tmp_path):
    few = [record(1), record(5)]
    with pytest.raises(BaselineUnavailable, match="only one stance"):
        TfidfRegression().fit(read_rows([write_rows(tmp_path / "f.jsonl", few)]).rows, seed=0)


def test_vader_labels_sentiment_only():
    pytest.importorskip("vaderSentiment")
    baseline = Vader()
    baseline.prepare()
    answers = baseline.label(["This is wonderful.", "This is horrible.", "This is a train."])
    assert answers["sentiment"].predicted.tolist() == [2, 0, 1]
    assert answers["sentiment"].probabilities is None
    assert answers["stance"] == "VADER labels sentiment only"


def test_missing_library_names_the_pip_line(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.startswith(("vaderSentiment", "textblob")):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    for baseline in (Vader(), TextBlobPolarity()):
        with pytest.raises(BaselineUnavailable, match=r"pip install 'stance-quotes\[evaluate\]'"):
            baseline.prepare()


def test_names_are_unique_and_rules_need_no_training():
    names = [baseline.name for baseline in all_baselines()]
    assert len(set(names)) == len(names)
    assert not Keywords.is_trained
