import pytest
from evaluation_fakes import Oracle, write_rows

from stance.evaluation.bootstrap import draw
from stance.evaluation.pipeline import Unit, gold_spans, unit_metrics
from stance.evaluation.rows import DataError, read_rows
from stance.evaluation.runner import Options, run
from stance.types import Quote, Speaker


def gold_row(tmp_path, **more):
    row = {
        "id": "g",
        "article": "a.txt",
        "text": "We agree.",
        "stance": "conciliatory",
        "sentiment": "neutral",
        "kind": "direct",
        "speaker": "Ann Lee",
        "spans": [[1, 10]],
        **more,
    }
    return read_rows([write_rows(tmp_path / "gold.jsonl", [row])]).rows[0]


def test_whole_way_metrics_by_hand(tmp_path):
    gold = gold_row(tmp_path)
    ann = Speaker("ann lee", "Lee", 20, 23)
    right = Quote("We agree.", 1, 10, ((1, 10),), "direct", speaker=ann)
    shorter = Quote("We", 1, 3, ((1, 3),), "mixed")
    good = {"stance": "conciliatory", "sentiment": "neutral"}
    units = [
        Unit("a.txt", gold, right, good, {}),  # all right
        Unit("a.txt", gold, shorter, {**good, "stance": "neutral"}, {}),  # found, nothing else
        Unit("a.txt", gold, None, {}, {}),  # missed
        Unit("a.txt", None, right, good, {}),  # should not be there
    ]
    metrics = unit_metrics(units, draw(4, groups=None, repeats=10, seed=0))
    expected = {
        "span_f1": 2 / 6,
        "span_precision": 1 / 3,
        "span_recall": 1 / 3,
        "found_recall": 2 / 3,
        "kind_accuracy": 1 / 2,
        "speaker_accuracy": 1 / 2,
        "stance_accuracy": 1 / 2,
        "sentiment_accuracy": 1.0,
        "end_to_end": 1 / 3,
    }
    assert {key: value["value"] for key, value in metrics.items()} == pytest.approx(expected)


def test_nothing_found_leaves_accuracies_undefined(tmp_path):
    units = [Unit("a.txt", gold_row(tmp_path), None, {}, {})]
    metrics = unit_metrics(units, draw(1, groups=None, repeats=5, seed=0))
    assert metrics["speaker_accuracy"]["reason"] == "no quote was found"
    assert metrics["span_precision"]["value"] is None
    assert metrics["end_to_end"]["value"] == 0.0


@pytest.mark.parametrize("spans", [[[3, 3]], [[1]], "1-3", [["a", "b"]], [[-1, 4]]])
def test_bad_spans_are_named(tmp_path, spans):
    with pytest.raises(DataError, match="row 'g': 'spans' must be ranges"):
        gold_spans(gold_row(tmp_path, spans=spans))


def test_article_is_split_labelled_and_compared(tmp_path):
    said = "We are ready to talk about the orchards tomorrow."
    text = f'"{said}" said Ann Lee, the minister.\n'
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.txt").write_text(text, "utf-8")
    row = {
        "id": "g1",
        "article": "a.txt",
        "start": 1,
        "end": 1 + len(said),
        "text": said,
        "kind": "direct",
        "speaker": "Ann Lee",
        "stance": "conciliatory",
        "sentiment": "neutral",
    }
    write_rows(tmp_path / "data" / "seeds_gold.jsonl", [row])
    results, samples = run(Oracle(), Options(root=tmp_path, suites=("pipeline",), repeats=10))
    metrics = results["suites"][0]["systems"][0]["metrics"]
    assert {key: value["value"] for key, value in metrics.items()} == dict.fromkeys(metrics, 1.0)
    assert samples[0]["tags"] == ["found", "exact"]


@pytest.mark.parametrize("article", ["../secret.txt", "/etc/passwd", "missing.txt"])
def test_article_must_be_a_file_in_seeds(tmp_path, article):
    (tmp_path / "seeds").mkdir()
    row = {
        "article": article,
        "start": 0,
        "end": 2,
        "text": "x",
        "stance": "neutral",
        "sentiment": "neutral",
    }
    write_rows(tmp_path / "data" / "seeds_gold.jsonl", [row])
    with pytest.raises(DataError, match=r"must be a file name|no such file"):
        run(Oracle(), Options(root=tmp_path, suites=("pipeline",), repeats=0))
