"""Training the quote tagger on a few articles of our own and a random encoder."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

import stance
from stance.model.encoder import find_base, load_tokenizer
from stance.quotes.decoding import TagSpan
from stance.quotes.tagger import QuoteTagger, special_ids
from stance.training import train_quotes
from stance.training.quote_data import (
    collate,
    read_articles,
    tag_article,
    training_windows,
)
from stance.training.quote_scores import score_quotes

SMOKE = Path(train_quotes.__file__).parent / "configs" / "quotes_smoke.toml"
SENTENCES = [
    ("The minister said ", "talks will open on Monday", "."),
    ("The delegation said ", "sanctions must be lifted", "."),
    ("“", "We will sign the deal", ",” the minister said."),
    ("“", "They will never close the border", ",” the delegation said."),
]


def article_row(order, name):
    """An article of four sentences, one a paragraph, with its gold."""
    text, quotes = "", []
    for index in order:
        before, content, after = SENTENCES[index]
        start = len(text)
        line = before + content + after
        at = start + len(before)
        cue = start + line.index("said")
        who = "minister" if "minister" in line else "delegation"
        source = start + line.index(who)
        direct = before == "“"
        quotes.append(
            {
                "id": str(index),
                "kind": "direct" if direct else "indirect",
                "content": [[at - direct, at + len(content) + 2 * direct]],
                "cue": [[cue, cue + 4]],
                "source": [[source, source + len(who)]],
                "speech_cue": True,
            }
        )
        text += line + " The table is open.\n\n"
    return {"id": name, "text": text, "quotes": quotes}


@pytest.fixture(scope="module")
def articles(tmp_path_factory):
    path = tmp_path_factory.mktemp("articles") / "articles.jsonl"
    orders = [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)]
    rows = [article_row(order, f"a{i}") for i, order in enumerate(orders)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def arguments(articles, base, output, *more):
    return [
        "--articles",
        str(articles),
        "--validation",
        str(articles),
        "--config",
        str(SMOKE),
        "--base",
        str(base),
        "--output",
        str(output),
        *more,
    ]


@pytest.fixture(scope="module")
def trained(articles, tiny_base, tmp_path_factory):
    output = tmp_path_factory.mktemp("run") / "quotes"
    more = ("--set", "epochs=60", "--set", "window=60", "--set", "stride=40")
    assert train_quotes.main(arguments(articles, tiny_base, output, *more)) == 0
    return output


def test_training_learns_four_articles_by_heart(trained, articles):
    tagger = QuoteTagger.from_pretrained(trained)
    gold = read_articles(articles)
    found = [stance.split(article.text, tagger=tagger) for article in gold]
    assert score_quotes(gold, found)["any_found"] >= 0.95
    said = {q.text: q.speaker and q.speaker.mention for q in found[0]}
    assert "minister" in said["talks will open on Monday"]
    assert "delegation" in said["They will never close the border"]


def test_saved_folder_tells_how_it_was_made(trained):
    config = json.loads((trained / "config.json").read_text("utf-8"))
    training = config["training"]
    assert training["counts"]["train"] == 4
    assert len(training["history"]) == 60
    assert training["config"]["window"] == config["window"] == 60
    assert set(training["held_out"]) == {"direct_exact", "other_found", "any_found"}


def test_frozen_embeddings_are_not_saved(trained):
    saved = QuoteTagger.from_pretrained(trained).changed
    assert "encoder.embeddings.word_embeddings.weight" not in saved
    assert "encoder.encoder.layer.0.attention.self.query.weight" in saved


def test_equal_seeds_give_equal_weights(articles, tiny_base, tmp_path):
    for name in ("a", "b"):
        done = train_quotes.main(
            arguments(articles, tiny_base, tmp_path / name, "--set", "epochs=2")
        )
        assert done == 0
    a, b = (QuoteTagger.from_pretrained(tmp_path / name).changed for name in ("a", "b"))
    assert a.keys() == b.keys()
    assert all(np.array_equal(a[name], b[name]) for name in a)


def test_time_limit_ends_learning_and_still_saves(articles, tiny_base, tmp_path):
    more = ("--minutes", "0.0001", "--set", "epochs=500")
    assert train_quotes.main(arguments(articles, tiny_base, tmp_path / "run", *more)) == 0
    assert QuoteTagger.from_pretrained(tmp_path / "run").training["history"][-1]["step"] < 500


def test_time_limit_must_be_above_zero(articles, tiny_base, tmp_path, capsys):
    assert train_quotes.main(arguments(articles, tiny_base, tmp_path, "--minutes", "0")) == 2
    assert "--minutes must be above 0, not 0.0" in capsys.readouterr().err


def test_articles_too_short_to_learn_from_are_told(tiny_base, tmp_path, capsys):
    path = tmp_path / "short.jsonl"
    path.write_text('{"id": "a", "text": "We sign.", "quotes": []}\n', "utf-8")
    assert train_quotes.main(arguments(path, tiny_base, tmp_path / "run")) == 2
    assert "no text to learn from" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("epochs=0", "epochs must be at least 1, not 0"),
        ("stride=99", "stride at most window - 2"),
        ("warmup=1", "warmup must be below 1"),
        ("learning_rate=fast", "learning_rate must be of type float, not 'fast'"),
        ("precision=fp8", "precision must be auto, bf16 or fp32, not 'fp8'"),
        ("weight_decay=Infinity", "weight_decay must be 0 or more, not inf"),
        ("colour=red", "unknown settings ['colour']"),
        ("epochs", "--set needs NAME=VALUE, not 'epochs'"),
    ],
)
def test_wrong_setting_is_named(change, message, articles, tiny_base, tmp_path, capsys):
    assert train_quotes.main(arguments(articles, tiny_base, tmp_path, "--set", change)) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1: not JSON"),
        (
            '{"id": "a", "text": "abc", "quotes": [{"kind": "x", "content": [[0, 1]]}]}',
            "kind is 'x'",
        ),
        ('{"id": "a", "text": "abc"}', "quotes"),
        ('{"id": "a", "text": "abc", "quotes": [{"content": [[0, 9]]}]}', "lies outside the text"),
        ('{"id": "a", "text": "abc", "quotes": [{"content": []}]}', "has no content"),
        ("", "holds no article"),
    ],
)
def test_wrong_article_is_named(line, message, tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(ValueError, match=message):
        read_articles(path)


def test_gold_becomes_tags_and_links(articles, tiny_base):
    article = read_articles(articles)[0]
    [tagged] = tag_article(article, load_tokenizer(find_base(str(tiny_base))))
    stretch = tagged.stretch
    words = {
        role: [
            article.text[s:e]
            for s, e, t in zip(stretch.starts, stretch.ends, tagged.tags, strict=True)
            if t == begin
        ]
        for role, begin in (("content", 1), ("cue", 3), ("source", 5))
    }
    assert words["content"] == ["talks", "sanctions", "“", "“"]
    assert words["cue"] == ["said"] * 4
    assert words["source"] == ["minister", "delegation", "minister", "delegation"]
    contents, cue, source, speech = tagged.links[0]
    assert (source.end, cue.end, contents) == (cue.start, 3, [TagSpan("content", 3, 8)])
    assert speech is True


def test_batches_point_at_the_words_they_mean(articles, tiny_base):
    tokenizer = load_tokenizer(find_base(str(tiny_base)))
    stretches = [t for a in read_articles(articles) for t in tag_article(a, tokenizer)]
    windows = training_windows(stretches, 30, np.random.default_rng(0))
    pieces = sum(len(t.stretch.ids) for t in stretches)
    assert 0.8 * pieces <= sum(w.end - w.start for w in windows) <= pieces
    batch = collate(windows[:6], *special_ids(tokenizer))
    assert len(batch.tags) == len(batch.words) > 0
    said = tokenizer.token_to_id("said")
    for row, first, last in batch.content.keys.tolist():
        assert first == last
        assert batch.ids[row, first] == said
    for links in (batch.content, batch.cue):
        right = links.targets < len(links.keys)
        rows = links.queries[right, 0]
        assert torch.equal(links.keys[links.targets[right], 0], rows)


def test_scores_are_counted_by_hand(articles):
    gold = read_articles(articles)[:1]
    quotes = stance.split(gold[0].text, tagger=None)
    perfect = score_quotes(gold, [quotes])
    assert perfect["direct_exact"] == 1.0
    assert perfect["other_found"] == 1.0
    one = score_quotes(gold, [quotes[:1]])
    assert one == {"direct_exact": 0.0, "other_found": 2 / 3, "any_found": 2 / 5}
