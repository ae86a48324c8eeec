"""The further training files: minimal edits, sample, long statements, and news by offsets."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from stance.labels import SENTIMENTS, STANCES
from stance.references import read_article_references
from stance.training.data import read_teacher

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
CORPORA = ROOT.parent / "shared" / "corpora"
FIELDS = {
    "train_contrast": ["id", "group", "edit", "text", "context", "stance", "sentiment"],
    "train_sample": ["id", "text", "context", "stance", "sentiment", "tags"],
    "train_long": ["id", "text", "context", "stance", "sentiment", "condition", "outcome"],
}


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def plain(text):
    return re.sub(r"\W+", " ", text).lower().strip()


def word_runs(text, length):
    words = re.findall(r"[\w'’]+", text.lower())
    return {" ".join(words[i : i + length]) for i in range(len(words) - length + 1)}


@pytest.fixture(scope="module")
def further():
    return {name: read(DATA / "authored" / f"{name}.jsonl") for name in FIELDS}


@pytest.fixture(scope="module")
def held_out():
    paths = [DATA / "authored" / "validation.jsonl", DATA / "authored" / "test.jsonl"]
    return [row for path in (*paths, DATA / "contrast" / "contrast.jsonl") for row in read(path)]


@pytest.mark.parametrize("name", FIELDS)
def test_every_row_has_the_fields_and_known_labels(further, name):
    for row in further[name]:
        assert list(row) == FIELDS[name], row["id"]
        assert row["stance"] in STANCES, row["id"]
        assert row["sentiment"] in SENTIMENTS, row["id"]
        assert row["text"].strip(), row["id"]


def test_ids_and_texts_are_unique_over_all_training_files(further):
    rows = [row for rows in further.values() for row in rows]
    rows += read(DATA / "authored" / "train.jsonl")
    assert len({row["id"] for row in rows}) == len(rows)
    keys = Counter(plain(row["text"] + "|" + row["context"]) for row in rows)
    assert [key for key, count in keys.items() if count > 1] == []


def test_groups_of_minimal_edits_have_stances_that_all_differ(further):
    groups = defaultdict(list)
    for row in further["train_contrast"]:
        groups[row["group"]].append(row["stance"])
    for name, stances in groups.items():
        assert len(set(stances)) == len(stances) >= 2, name


def test_conditions_and_outcomes_of_long_statements_stand_in_them(further):
    for row in further["train_long"]:
        assert bool(row["condition"]) <= (row["stance"] == "conditional"), row["id"]
        assert row["condition"] in row["text"], row["id"]
        assert row["outcome"] in row["text"], row["id"]
    assert sum(bool(row["condition"]) for row in further["train_long"]) > 100


def test_no_row_nearly_repeats_a_held_out_one(further, held_out):
    """At most three in ten of the shorter one's five-word runs may stand in a held-out row."""
    owners = defaultdict(set)
    runs_of = [word_runs(row["text"], 5) for row in held_out]
    texts = {plain(row["text"]) for row in held_out if not row["context"]}
    for number, runs in enumerate(runs_of):
        for run in runs:
            owners[run].add(number)
    for rows in further.values():
        for row in rows:
            runs = word_runs(row["text"], 5)
            shared = Counter(number for run in runs for number in owners.get(run, ()))
            for number, count in shared.items():
                smaller = min(len(runs), len(runs_of[number]))
                assert count <= 0.3 * smaller, (row["id"], held_out[number]["id"])
            assert row["context"] or plain(row["text"]) not in texts, row["id"]


def test_sentiments_of_training_rows_are_those_of_a_blind_annotator(further):
    rows = {row["id"]: row for name in ("train_contrast", "train_long") for row in further[name]}
    rows |= {row["id"]: row for row in read(DATA / "authored" / "train.jsonl")}
    seen = Counter()
    for record in read(DATA / "agreement.jsonl"):
        if record["id"] in rows and "sentiment" in (record.get("first") or {}):
            assert rows[record["id"]]["sentiment"] == record["first"]["sentiment"], record["id"]
            seen[record["id"]] += 1
    assert set(seen.values()) == {1}
    assert len(seen) > 0.98 * len(rows)


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora of others are not on this machine")
def test_no_text_is_taken_from_the_corpora_of_others(further):
    others = set()
    for path in CORPORA.glob("real_quotes_*.jsonl"):
        for row in read(path):
            others |= word_runs(row["text"], 9)
    assert others
    for rows in further.values():
        for row in rows:
            assert not word_runs(row["text"], 9) & others, row["id"]


def test_labels_of_news_quotes_carry_no_text():
    records = read_article_references(DATA / "real" / "news_labels.jsonl")
    keys = {"id", "article", "spans", "sha256", "stance", "sentiment", "how", "split", "context"}
    for record in records:
        assert set(record) <= keys, record["id"]
        assert record["stance"] in STANCES, record["id"]
        assert record["sentiment"] in SENTIMENTS, record["id"]
        assert record["how"] in {"single", "unsure"}, record["id"]
        assert record["split"] in {"train", "validation", "spare"}, record["id"]
    assert len({record["id"] for record in records}) == len(records)
    assert len({record["sha256"] for record in records}) == len(records)


def test_the_teachers_file_holds_probabilities_and_hashes_but_no_text():
    path = DATA / "real" / "teacher.jsonl"
    teacher = read_teacher(path)  # checks every line
    assert len(teacher.known) + len(teacher.unlabelled) > 10_000
    for record in read(path):
        assert set(record) <= {"sha256", "stance", "sentiment", "article", "spans", "context"}
        assert re.fullmatch(r"[0-9a-f]{64}", record["sha256"])


def test_no_news_article_is_both_trained_on_and_validated_on():
    owners = {}
    for record in read(DATA / "real" / "news_labels.jsonl"):
        split = record["split"]
        if split != "spare":
            assert owners.setdefault(record["article"], split) == split, record["article"]


def test_no_news_quote_is_one_of_the_real_quotes_by_reference():
    real = {record["sha256"] for record in read(DATA / "real" / "labels.jsonl")}
    news = {record["sha256"] for record in read(DATA / "real" / "news_labels.jsonl")}
    assert not real & news
