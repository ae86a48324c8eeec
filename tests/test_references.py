"""Labels by reference: found by the hash of the text, counted, never guessed."""

import json
import re
from pathlib import Path

import pytest

from stance.evaluation.rows import DataError, read_rows
from stance.labels import SENTIMENTS, STANCES
from stance.references import join_summary, label_row, read_references, text_sha256
from stance.training.data import read_rows as read_training_rows

ROOT = Path(__file__).resolve().parents[1]
KNOWN = "We accept the mediator's draft."
LABELS = '{"sha256": "0", "stance": "neutral", "sentiment": "negative"}'


@pytest.fixture
def references():
    return {text_sha256(KNOWN): {"stance": "conciliatory", "sentiment": "neutral", "how": "agreed"}}


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_published_file_holds_labels_and_hashes_but_no_text():
    records = read_references(ROOT / "data" / "real" / "labels.jsonl")
    assert len(records) > 4000
    for key, record in records.items():
        assert re.fullmatch(r"[0-9a-f]{64}", key)
        assert set(record) == {"id", "sha256", "split", "source", "stance", "sentiment", "how"}
        assert record["stance"] in STANCES
        assert record["sentiment"] in SENTIMENTS


def test_a_known_text_gets_its_labels_and_keeps_its_other_fields(references):
    row = label_row({"text": KNOWN, "stance": "neutral", "context": "c"}, references)
    assert row == {
        "text": KNOWN,
        "context": "c",
        "stance": "conciliatory",
        "sentiment": "neutral",
        "how": "agreed",
    }


def test_a_text_that_differs_in_one_character_has_no_label(references):
    assert label_row({"text": KNOWN + " "}, references) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[" * 100_000, "line 1: not JSON"),
        ('{"sha256": "0"}', "line 1: needs sha256"),
        ("[]", "line 1: a JSON object is needed"),
        (LABELS + "\n\n" + LABELS.replace("neutral", "hostile"), "line 3: stance is 'hostile'"),
        (LABELS.replace('"0"', "[0]"), r"line 1: sha256 must be a string, not \[0\]"),
        (LABELS + "\n" + LABELS.replace("negative", "positive"), "line 2: an earlier line has"),
        ("\xff".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_a_bad_file_of_labels_is_named_by_line(tmp_path, content, message):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=re.escape(str(path)) + ".*" + message):
        read_references(path)


def test_a_line_separator_inside_a_string_ends_no_line(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_text(LABELS.replace("}", ', "how": "a\u2028b"}'), encoding="utf-8")
    assert read_references(path)["0"]["how"] == "a\u2028b"


def test_the_evaluation_counts_what_the_join_found(tmp_path, references):
    path = write(tmp_path / "texts.jsonl", [{"text": KNOWN}, {"text": "Unknown."}])
    rows = read_rows([path], references=references)
    assert [row.labels["stance"] for row in rows.rows] == ["conciliatory"]
    assert join_summary(1, 1, 1) in rows.warnings[0]


def test_the_training_counts_what_the_join_found(tmp_path, references):
    path = write(tmp_path / "texts.jsonl", [{"text": KNOWN}, {"text": "Unknown."}])
    notes = []
    [row] = read_training_rows(path, references, notes)
    assert (row["stance"], row["sentiment"]) == ("conciliatory", "neutral")
    assert join_summary(1, 1, 1) in notes[0]


def test_a_join_that_finds_nothing_is_an_error(tmp_path, references):
    path = write(tmp_path / "texts.jsonl", [{"text": "Unknown."}])
    with pytest.raises(DataError, match="0 texts found their labels, 1 have none"):
        read_rows([path], references=references)
    with pytest.raises(ValueError, match="0 texts found their labels, 1 have none"):
        read_training_rows(path, references)
