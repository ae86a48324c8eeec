"""The two seed articles: unchanged, and split exactly as the hand-made gold says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from stance.labels import QUOTE_KINDS, SENTIMENTS, STANCES
from stance.quotes import split

ROOT = Path(__file__).resolve().parent.parent
HASHES = {
    "000_76e31d1dde951bd1.txt": "2aa2bec6b73d0f1ed0a62621475cc00028e18ab37a43acde8f4a4441e8c0cb86",
    "004_af8e47a0b07967d6.txt": "c5c76ad1191cfa855a2978a633210cb78358a5e25d417945bb9c11120036c687",
}
GOLD: list[dict[str, Any]] = [
    json.loads(line)
    for line in (ROOT / "data/seeds_gold.jsonl").read_text(encoding="utf-8").splitlines()
]


def read(name: str) -> str:
    return (ROOT / "seeds" / name).read_bytes().decode("utf-8")


@pytest.mark.parametrize(("name", "digest"), HASHES.items())
def test_seed_is_the_file_it_was(name: str, digest: str) -> None:
    assert hashlib.sha256((ROOT / "seeds" / name).read_bytes()).hexdigest() == digest


TAGGERS = [None, pytest.param("auto", marks=pytest.mark.weights)]


@pytest.mark.parametrize("tagger", TAGGERS)
@pytest.mark.parametrize("name", HASHES)
def test_split_finds_exactly_the_gold_quotes(name: str, tagger: Any) -> None:
    expected = [
        {
            "spans": [tuple(span) for span in row["spans"]],
            "text": row["text"],
            "kind": row["kind"],
            "speaker": row["speaker"],
            "mention": row["mention"],
            "role": row["role"],
            "cue": row["cue"],
            "context": row["context"],
        }
        for row in GOLD
        if row["article"] == name
    ]
    found = [
        {
            "spans": list(quote.spans),
            "text": quote.text,
            "kind": quote.kind,
            "speaker": quote.speaker and quote.speaker.name,
            "mention": quote.speaker and quote.speaker.mention,
            "role": quote.speaker and quote.speaker.role,
            "cue": quote.cue and quote.cue.text,
            "context": quote.context,
        }
        for quote in split(read(name), tagger=tagger)
    ]
    assert found == expected


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("tagger", TAGGERS)
def test_every_offset_slices_right(name: str, tagger: Any) -> None:
    article = read(name)
    quotes = split(article, tagger=tagger)
    assert quotes
    for quote in quotes:
        assert quote.text == " ".join(article[a:b] for a, b in quote.spans)
        assert (quote.start, quote.end) == (quote.spans[0][0], quote.spans[-1][1])
        assert quote.context in article
        assert quote.speaker is not None
        assert article[quote.speaker.start : quote.speaker.end] == quote.speaker.mention
        assert quote.cue is None or article[quote.cue.start : quote.cue.end] == quote.cue.text


@pytest.mark.parametrize("row", GOLD, ids=lambda row: row["id"])
def test_gold_row_is_consistent(row: dict[str, Any]) -> None:
    article = read(row["article"])
    assert row["text"] == " ".join(article[a:b] for a, b in row["spans"])
    assert [row["start"], row["end"]] == [row["spans"][0][0], row["spans"][-1][1]]
    assert row["context"] in article
    assert row["text"] in row["context"]
    assert row["kind"] in QUOTE_KINDS
    assert row["stance"] in STANCES
    assert row["sentiment"] in SENTIMENTS


def test_gold_labels_that_the_project_fixed() -> None:
    fixed = {
        "they won’t get it": "dismissive",
        "could be reached tomorrow": "conditional",
        "But as the differences": "dismissive",
        "They are in the process": "neutral",
        "“the priority”": "conciliatory",
        "has long been known to us": "dismissive",
        "unacceptable": "dismissive",
    }
    for words, stance in fixed.items():
        [row] = [row for row in GOLD if words in row["text"]]
        assert row["stance"] == stance, words
