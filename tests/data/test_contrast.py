"""Contrast sets: groups of quotes a small edit apart, labels all different, never trained on."""

import difflib
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

from stance.labels import SENTIMENTS, STANCES

DATA = Path(__file__).resolve().parents[2] / "data"


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def groups():
    found = defaultdict(list)
    for row in read(DATA / "contrast" / "contrast.jsonl"):
        found[row["group"]].append(row)
    return found


def test_every_row_has_the_fields_and_known_labels(groups):
    rows = [row for members in groups.values() for row in members]
    assert len({row["id"] for row in rows}) == len(rows)
    for row in rows:
        assert list(row) == ["id", "group", "edit", "text", "context", "stance", "sentiment"]
        assert row["stance"] in STANCES, row["id"]
        assert row["sentiment"] in SENTIMENTS, row["id"]
        assert row["text"].strip(), row["id"]
        if row["context"]:
            assert row["text"].rstrip(".,") in row["context"], row["id"]


def test_there_are_at_least_four_hundred_groups_of_two_or_three(groups):
    assert len(groups) >= 400
    assert {len(members) for members in groups.values()} <= {2, 3}


def test_the_stances_of_a_group_are_all_different(groups):
    for name, members in groups.items():
        assert len({row["stance"] for row in members}) == len(members), name


def test_the_members_of_a_group_are_a_small_edit_apart(groups):
    """Close to half of the words, in order, are shared even by the most different members."""
    for name, members in groups.items():
        first, *others = ((row["text"] + " " + row["context"]).split() for row in members)
        for other in others:
            matcher = difflib.SequenceMatcher(None, first, other, autojunk=False)
            assert matcher.ratio() >= 0.45, name


def test_no_contrast_quote_stands_in_the_authored_corpus_or_shares_a_long_run_with_it(groups):
    def runs(text):
        words = re.findall(r"[\w'’]+", text.lower())
        return {" ".join(words[i : i + 8]) for i in range(len(words) - 7)}

    def plain(text):
        return re.sub(r"\W+", " ", text).lower().strip()

    authored, texts = set(), set()
    for split in ("train", "validation", "test"):
        for row in read(DATA / "authored" / f"{split}.jsonl"):
            authored |= runs(row["text"])
            texts.add(plain(row["text"]))
    for members in groups.values():
        for row in members:
            assert not runs(row["text"]) & authored, row["id"]
            assert plain(row["text"]) not in texts, row["id"]


def test_each_label_of_the_held_out_sets_was_seen_by_two_blind_annotators(groups):
    records = {record["id"]: record for record in read(DATA / "agreement.jsonl")}
    held_out = [row for members in groups.values() for row in members]
    for split in ("validation", "test"):
        held_out += read(DATA / "authored" / f"{split}.jsonl")
    for row in held_out:
        record = records[row["id"]]
        assert record["final"] == {"stance": row["stance"], "sentiment": row["sentiment"]}
        assert record["first"]["stance"] == record["second"]["stance"] == row["stance"], row["id"]
