"""The authored corpus: schema, splits without leaks, no artefact that gives a label away."""

import json
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import StandardScaler

from stance.labels import SENTIMENTS, STANCES

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
SPLITS = ("train", "validation", "test")
FIELDS = [
    "id",
    "text",
    "context",
    "speaker_role",
    "stance",
    "sentiment",
    "situation",
    "register",
    "tags",
    "condition",
    "outcome",
]
WORD = re.compile(r"[\w'’]+")


def read(split):
    path = ROOT / "data" / "authored" / f"{split}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def corpus():
    return {split: read(split) for split in SPLITS}


@pytest.fixture(scope="module")
def rows(corpus):
    return [row for split in SPLITS for row in corpus[split]]


def word_runs(text, length):
    words = WORD.findall(text.lower().replace("’", "'"))
    return {" ".join(words[i : i + length]) for i in range(len(words) - length + 1)}


def test_every_row_has_the_fields_and_known_labels(rows):
    for row in rows:
        assert list(row) == FIELDS, row["id"]
        assert row["stance"] in STANCES, row["id"]
        assert row["sentiment"] in SENTIMENTS, row["id"]
        assert row["text"] == row["text"].strip() != "", row["id"]
        assert row["situation"], row["id"]
        assert row["register"], row["id"]


def test_ids_and_texts_are_unique(rows):
    assert len({row["id"] for row in rows}) == len(rows)
    keys = Counter(re.sub(r"\W+", " ", row["text"] + "|" + row["context"]).lower() for row in rows)
    assert [key for key, count in keys.items() if count > 1] == []


def test_no_situation_stands_in_two_splits(corpus):
    owners = {}
    for split in SPLITS:
        for row in corpus[split]:
            assert owners.setdefault(row["situation"], split) == split, row["situation"]


def test_context_holds_the_quote_verbatim(rows):
    for row in rows:
        if row["context"]:
            assert row["text"].rstrip(".,") in row["context"], row["id"]


def test_condition_and_outcome_are_words_of_conditional_rows_only(rows):
    for row in rows:
        if row["stance"] == "conditional":
            assert row["condition"], row["id"]
            for part in (row["condition"], row["outcome"]):
                assert part in row["text"] or part in row["context"], row["id"]
        else:
            assert not row["condition"], row["id"]
            assert not row["outcome"], row["id"]


def test_no_two_rows_share_a_long_run_of_words(rows):
    """Twelve words in a row said twice would be a copied sentence, within or across splits."""
    owner = {}
    for row in rows:
        for run in word_runs(row["text"], 12):
            assert owner.setdefault(run, row["id"]) == row["id"], run


def test_no_row_nearly_repeats_another_by_five_grams(rows):
    """At most half of the shorter row's five-word runs may stand in any one other row."""
    owners = {}
    runs_of = [word_runs(row["text"], 5) for row in rows]
    for number, runs in enumerate(runs_of):
        for run in runs:
            owners.setdefault(run, []).append(number)
    shared = Counter()
    for numbers in owners.values():
        for i, first in enumerate(numbers):
            for second in numbers[i + 1 :]:
                shared[first, second] += 1
    for (first, second), count in shared.items():
        smaller = min(len(runs_of[first]), len(runs_of[second]))
        if smaller >= 4:
            assert count <= smaller / 2, (rows[first]["text"], rows[second]["text"])


def test_no_text_is_taken_from_the_seed_articles(rows):
    seeds = [path.read_text(encoding="utf-8") for path in (ROOT / "seeds").glob("*.txt")]
    seed_runs = set().union(*(word_runs(seed, 8) for seed in seeds))
    for row in rows:
        assert not word_runs(row["text"], 8) & seed_runs, row["id"]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora of others are not on this machine")
def test_no_text_is_taken_from_the_corpora_of_others(rows):
    """Nine words in a row, as counted by the project's own tool, would be a copied passage."""
    others = set()
    for path in CORPORA.glob("*quotes*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            others |= word_runs(row["text"], 9) | word_runs(row.get("context") or "", 9)
    assert others
    for row in rows:
        assert not (word_runs(row["text"], 9) | word_runs(row["context"], 9)) & others, row["id"]


def test_each_stance_has_its_share_in_every_split(corpus):
    for split in SPLITS:
        counts = Counter(row["stance"] for row in corpus[split])
        for stance in STANCES:
            assert 0.18 <= counts[stance] / len(corpus[split]) <= 0.32, (split, stance)


def fitted_score(train, test, train_labels, test_labels):
    model = LogisticRegression(max_iter=1000, class_weight="balanced")
    model.fit(train, train_labels)
    return balanced_accuracy_score(test_labels, model.predict(test))


def test_length_and_punctuation_alone_do_not_give_the_stance_away(corpus):
    """Chance is 0.25; a classifier that never reads a word must stay near it."""

    def surface(row):
        text = row["text"]
        marks = [text.count(mark) for mark in ",;:.?!—–-\"“'’"]
        return [len(text), len(text.split()), bool(row["context"]), *marks]

    scaler = StandardScaler()
    train = scaler.fit_transform(np.array([surface(row) for row in corpus["train"]], dtype=float))
    test = scaler.transform(np.array([surface(row) for row in corpus["test"]], dtype=float))
    labels = [[row["stance"] for row in corpus[split]] for split in ("train", "test")]
    assert fitted_score(train, test, *labels) < 0.40


def test_the_first_two_words_alone_do_not_give_the_stance_away(corpus):
    """Real quotes give 0.37 by the same measure; the authored ones are held below 0.50."""

    def opening(row):
        return " ".join(WORD.findall(row["text"].lower())[:2])

    vectorizer = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
    train = vectorizer.fit_transform(opening(row) for row in corpus["train"])
    test = vectorizer.transform(opening(row) for row in corpus["test"])
    labels = [[row["stance"] for row in corpus[split]] for split in ("train", "test")]
    assert fitted_score(train, test, *labels) < 0.50
