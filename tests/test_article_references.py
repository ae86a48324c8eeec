import gzip
import json

import pytest

from stance.references import (
    cut_quotes,
    join_articles,
    read_article_references,
    read_articles,
    text_sha256,
)

ARTICLE = "Talks failed. “We will,” he said, “sign on Monday.” Rain fell."


def span(text, start=0):
    first = ARTICLE.index(text, start)
    return [first, first + len(text)]


def label(**changes):
    text = "We will, sign on Monday."
    record = {
        "id": "n1",
        "article": "a1",
        "spans": [span("We will,"), span("sign on Monday.")],
        "context": span("“We will,” he said, “sign on Monday.”"),
        "sha256": text_sha256(text),
        "stance": "conciliatory",
        "sentiment": "neutral",
    }
    return {**record, **changes}


def write(path, rows, opened=open):
    with opened(path, "wt", encoding="utf-8") as file:
        for row in rows:
            file.write((row if isinstance(row, str) else json.dumps(row)) + "\n")
    return path


@pytest.mark.parametrize("name", ["articles.jsonl", "articles.jsonl.gz"])
def test_quotes_are_cut_out_by_offsets_and_checked_by_hash(tmp_path, name):
    opened = gzip.open if name.endswith(".gz") else open
    articles = write(
        tmp_path / name, [{"id": "a0", "text": "Other."}, {"id": "a1", "text": ARTICLE}], opened
    )
    labels = write(
        tmp_path / "labels.jsonl",
        [label(split="train", how="agreed"), label(article="gone"), label(sha256="0" * 64)],
    )
    rows, summary = join_articles(labels, articles)
    assert rows == [
        {
            "text": "We will, sign on Monday.",
            "context": "[…] he said, […]",
            "source": "a1",
            "id": "n1",
            "split": "train",
            "how": "agreed",
            "stance": "conciliatory",
            "sentiment": "neutral",
        }
    ]
    assert "1 of 3 quotes" in summary
    assert "1 have no article there, 1 a text that is not the one meant" in summary


def test_a_reference_needs_no_labels_where_none_are_asked_for(tmp_path):
    articles = write(tmp_path / "articles.jsonl", [{"id": "a1", "text": ARTICLE}])
    bare = {name: value for name, value in label().items() if name not in ("stance", "sentiment")}
    path = write(tmp_path / "references.jsonl", [bare])
    [(record, row)], summary = cut_quotes(read_article_references(path, labelled=False), articles)
    assert record == bare
    assert (row["text"], row["source"]) == ("We will, sign on Monday.", "a1")
    assert summary.startswith("1 of 1 quotes")
    with pytest.raises(ValueError, match="line 1: needs article, spans, sha256, stance"):
        read_article_references(path)


def test_a_label_without_context_gives_none(tmp_path):
    articles = write(tmp_path / "articles.jsonl", [{"id": "a1", "text": ARTICLE}])
    labels = write(tmp_path / "labels.jsonl", [label(context=None)])
    assert join_articles(labels, articles)[0][0]["context"] == ""


def test_when_no_quote_is_found_the_counts_are_told(tmp_path):
    articles = write(tmp_path / "articles.jsonl", [{"id": "b", "text": ARTICLE}])
    with pytest.raises(ValueError, match=r"0 of 1 quotes .* 1 have no article there"):
        join_articles(write(tmp_path / "labels.jsonl", [label()]), articles)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (label(spans=[]), "line 1: spans must be pairs of offsets"),
        (label(spans=[[3, 1]]), r"spans must be pairs of offsets: \[\[3, 1\]\]"),
        (label(spans=[[0, True]]), "spans must be pairs"),
        (label(context=[1]), "context must be a pair of offsets"),
        (label(stance="hostile"), "line 1: stance is 'hostile', not one of"),
        ({"sha256": "x"}, "line 1: needs article, "),
        ("{broken", "line 1: not JSON"),
    ],
)
def test_a_bad_label_is_named_by_line(tmp_path, row, message):
    articles = write(tmp_path / "articles.jsonl", [{"id": "a1", "text": ARTICLE}])
    with pytest.raises(ValueError, match=message):
        join_articles(write(tmp_path / "labels.jsonl", [row]), articles)


def test_bad_articles_are_named(tmp_path):
    with pytest.raises(ValueError, match="no such file of articles"):
        read_articles(tmp_path / "none.jsonl", {"a"})
    with pytest.raises(ValueError, match="line 2: needs id and text"):
        read_articles(write(tmp_path / "a.jsonl", [{"id": "a", "text": "b"}, {"id": "c"}]), {"a"})
    damaged = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(b'{"id": "a", "text": "b"}\n' * 50, mtime=0)
    for content in (b"not compressed", whole[:-9], whole[:12] + b"\xff\xff" + whole[14:]):
        damaged.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.jsonl\.gz cannot be read"):
            read_articles(damaged, {"a"})
