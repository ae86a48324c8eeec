import json
from dataclasses import dataclass, replace

import pytest
from evaluation_fakes import QUOTES, Oracle, build_root, record, write_rows

from stance.evaluation import learning, report, speed
from stance.evaluation.rows import DataError
from stance.evaluation.runner import Options, run
from stance.evaluation.schema import METRICS
from stance.evaluation.spans import word_counts
from stance.evaluation.stories import read_authored
from stance.evaluation.systems import ModelError, Remembering

ARTICLE = "“We will sign,” Ana Ruiz said. “Not before Monday.”"
GOLD_PLACE = {"spans": [[1, 13]], "kind": "direct", "speaker": "Ana Ruiz"}


@pytest.fixture
def root(tmp_path):
    return build_root(tmp_path / "repository")


@dataclass
class WithSets:
    """A prediction whose label sets are known."""

    answer: object
    labels: tuple

    def __getattr__(self, name):
        return getattr(self.answer, name)

    def label_set(self, *, coverage, task):
        if task == "sentiment":
            raise ValueError("these weights hold no calibration scores")
        return self.labels if coverage < 0.85 else (*self.labels, "neutral")


class Careful(Oracle):
    def classify(self, texts, *, context):
        answers = super().classify(texts, context=context)
        return [WithSets(answer, (answer.stance,)) for answer in answers]


def test_calibration_counts_how_often_label_sets_hold_the_right_label(root):
    model = Careful(wrong=[QUOTES[0][0], QUOTES[3][0], QUOTES[7][0]])
    results, samples = run(model, Options(root=root, suites=("calibration",), repeats=50))
    suite = results["suites"][0]
    metrics = suite["systems"][0]["metrics"]
    assert metrics["stance_coverage_80"]["value"] == pytest.approx(9 / 12)
    # At 90% every set holds neutral too, which is right for two of the three.
    assert metrics["stance_coverage_90"]["value"] == pytest.approx(11 / 12)
    assert metrics["stance_set_size_80"]["value"] == 1.0
    assert metrics["stance_set_size_90"]["value"] == 2.0
    assert metrics["sentiment_coverage_90"]["reason"] == "these weights hold no calibration scores"
    assert suite["primary_metric"] == "ece"
    assert [system["name"] for system in suite["systems"]] == ["model", "tfidf", "embeddings"]
    assert samples == []
    page = report.to_html(results, samples)
    assert "Does 80% sure mean right in 80%?" in page
    assert "Where answers go" not in page


def test_calibration_reads_data_files_too(root, tmp_path):
    path = write_rows(tmp_path / "mine.jsonl", [record(i) for i in range(12)])
    options = Options(root=root, suites=("calibration",), data=(path,), repeats=0)
    results, _ = run(Oracle(), options)
    assert [suite["key"] for suite in results["suites"]] == [
        "calibration",
        "calibration:mine.jsonl",
    ]


def test_no_quote_is_labelled_twice(root):
    model = Oracle()
    suites = ("authored", "contrast", "invariance", "calibration", "real", "seeds", "pipeline")
    originals = [
        record(i, original=f"t{i}", original_text=QUOTES[i][0], swap="capitals", id=f"c{i}")
        | {"text": QUOTES[i][0].upper()}
        for i in range(12)
    ]
    write_rows(root / "data" / "invariance" / "invariance.jsonl", originals)
    twice = [record(i, id=f"{copy}{i}") for i in range(12) for copy in "ab"]
    path = write_rows(root / "twice.jsonl", twice)
    gold = [record(i, article="a.txt", **GOLD_PLACE) for i in range(2)]
    write_rows(root / "data" / "seeds_gold.jsonl", gold)
    (root / "seeds").mkdir()
    (root / "seeds" / "a.txt").write_text(f"{ARTICLE}\n\n{ARTICLE}\n", "utf-8")
    results, _ = run(model, Options(root=root, suites=suites, data=(path,), repeats=0))
    assert [suite["status"] for suite in results["suites"]] == ["done"] * 8
    assert len(model.seen) == len(set(model.seen)) >= 24


def test_speed_of_the_model_is_that_of_the_quotes_new_in_the_suite(root):
    results, _ = run(Oracle(), Options(root=root, suites=("authored", "calibration"), repeats=0))
    first, again = (suite["systems"] for suite in results["suites"])
    # Eleven: the first quote loads the model before the clock starts.
    assert first[0]["quotes_per_second"] == pytest.approx(11 / first[0]["seconds"])
    assert again[0]["seconds"] is again[0]["quotes_per_second"] is None
    embeddings = {system["name"]: system for system in again}["embeddings"]
    assert embeddings["status"] == "done"
    assert embeddings["seconds"] is embeddings["quotes_per_second"] is None


def test_remembered_answers_keep_the_order_and_a_short_answer_is_refused():
    model = Remembering(Oracle())
    texts = [text for text, _, _ in QUOTES]
    first = model.classify(texts[:4], context=[""] * 4)
    again = model.classify([*texts[3::-1], texts[5]], context=[""] * 5)
    assert again[:4] == first[::-1]
    assert again[4].text == texts[5]
    assert model.unknown(texts[4:7], [""] * 3) == [(texts[4], ""), (texts[6], "")]

    class Short(Oracle):
        def classify(self, texts, *, context):
            return super().classify(texts, context=context)[1:]

    with pytest.raises(ModelError, match="gave 2 answers to 3 quotes"):
        Remembering(Short()).classify(texts[:3], context=[""] * 3)


class Knowing(Oracle):
    """Names the condition of the first quote right and half of its outcome."""

    def classify(self, texts, *, context):
        answers = super().classify(texts, context=context)
        return [
            replace(answer, condition="the inspectors sign", outcome="the ferry line")
            if answer.text == QUOTES[0][0]
            else answer
            for answer in answers
        ]


def test_condition_and_outcome_are_scored_by_words(root):
    rows = [record(i) for i in range(12)]
    rows[0] |= {"condition": "as soon as the inspectors sign", "outcome": "reopen the ferry line"}
    rows[4] |= {"condition": "the dam gates open", "outcome": ""}
    write_rows(root / "data" / "authored" / "test.jsonl", rows)
    results, _ = run(Knowing(), Options(root=root, suites=("authored",), repeats=20))
    metrics = results["suites"][0]["systems"][0]["metrics"]
    # Condition: 3 of 3 given right, 6 + 4 wanted. Outcome: 3 of 3 given right, 4 wanted.
    assert metrics["condition_f1"]["value"] == pytest.approx(2 * 3 / (3 + 10))
    assert metrics["outcome_f1"]["value"] == pytest.approx(2 * 3 / (3 + 4))
    results, _ = run(Oracle(), Options(root=root, suites=("authored",), repeats=0))
    metrics = results["suites"][0]["systems"][0]["metrics"]
    assert metrics["condition_f1"]["reason"] == "this model names no such words"


def test_word_counts_agree_with_the_library_s_own_figure():
    from stance.model.spans import span_token_f1

    text = "Lift the tariffs, and we will buy your grain."
    gold, found = ("Lift the tariffs", "we will buy your grain"), ("the tariffs", "buy your grain")
    hits, given, wanted = word_counts(text, gold, found)[0]
    theirs = span_token_f1([text], [found], [gold])["condition"]["f1"]
    assert 2 * hits / (given + wanted) == pytest.approx(theirs)


def test_speed_stands_beside_a_pipeline_in_the_same_run(root):
    results, samples = run(Oracle(), Options(root=root, suites=("speed",)))
    ours, theirs = results["suites"][0]["systems"]
    assert ours["metrics"]["in_batches"]["value"] > 0
    assert theirs["metrics"]["in_batches"]["value"] > 0
    ratio = ours["metrics"]["in_batches"]["value"] / theirs["metrics"]["in_batches"]["value"]
    assert ours["metrics"]["in_batches_ratio"]["value"] == pytest.approx(ratio)
    assert "no folder" in ours["metrics"]["cold_start"]["reason"]
    assert samples == []
    assert "times" in report.headline(results)[0]
    assert "quotes/s" in report.to_html(results, samples)
    assert "quotes/s" in report.to_markdown(results)


def test_alternative_that_cannot_be_loaded_gives_a_note(root, monkeypatch):
    import transformers

    def broken(*arguments, **options):
        raise ImportError("no backend here\nand a long explanation")

    monkeypatch.setattr(transformers, "pipeline", broken)
    results, _ = run(Oracle(), Options(root=root, suites=("speed",)))
    suite = results["suites"][0]
    assert suite["warnings"] == ["the transformers pipeline cannot run: no backend here"]
    ours, theirs = suite["systems"]
    assert ours["metrics"]["in_batches"]["value"] > 0
    assert ours["metrics"]["in_batches_ratio"]["reason"] == "the alternative cannot run here"
    assert theirs["status"] == "skipped"


@pytest.mark.parametrize(
    "child",
    ["import time; time.sleep(60)", "print('ready', flush=True); import time; time.sleep(60)"],
)
def test_process_that_hangs_is_ended(tmp_path, monkeypatch, child):
    monkeypatch.setattr(speed, "TIMEOUT", 0.5)
    monkeypatch.setattr(speed, "_CHILD", child)
    assert speed._cold("stance", tmp_path, ["a"]) == (None, None, "the process took more than 0 s")


GOLD = {**GOLD_PLACE, "text": "We will sign"}
LABELS = {"stance": "conciliatory", "sentiment": "neutral"}


def test_authored_articles_become_gold_quotes(tmp_path):
    rows = [{"id": "a1", "text": ARTICLE, "quotes": [{**GOLD, **LABELS}]}]
    stories = read_authored(write_rows(tmp_path / "articles.jsonl", rows))
    assert stories.texts == {"a1": ARTICLE}
    assert [row.id for row in stories.gold("a1")] == ["a1-01"]
    assert stories.rows.files[0][2] == 1


@pytest.mark.parametrize(
    ("article", "message"),
    [
        ({"text": "x", "quotes": []}, ":1: an article needs 'id', 'text'"),
        ({"id": "a", "text": "x", "quotes": ["q"]}, ":1: quote 1 must be an object"),
        ({"id": "a", "text": "x", "quotes": [{**GOLD, **LABELS}]}, "ends behind its article"),
        ({"id": "a", "text": ARTICLE, "quotes": [GOLD]}, ":1: the field 'stance' is missing"),
        ({"id": "a", "text": "x", "quotes": []}, "no quotes in this file"),
    ],
)
def test_bad_article_is_named_by_file_and_line(tmp_path, article, message):
    with pytest.raises(DataError, match=message):
        read_authored(write_rows(tmp_path / "articles.jsonl", [article]))


def curve_file(root, content):
    path = root / learning.FILE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))


def test_learning_curve_is_read_in_order_of_rows(tmp_path):
    points = [{"rows": 400, "value": 0.6}, {"rows": 100, "value": 0.4, "low": 0.3, "high": 0.5}]
    curve_file(tmp_path, {"about": "a", "metric": "m", "points": points})
    found = learning.read_curve(tmp_path)
    assert [point["rows"] for point in found["points"]] == [100, 400]
    assert learning.read_curve(tmp_path / "nowhere") is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "'points' must be a list"),
        ({"points": [3]}, "point 1: must be an object"),
        ({"points": [{"rows": 0, "value": 0.5}]}, "'rows' must be a whole number from 1, not 0"),
        ({"points": [{"rows": 5, "value": 50}]}, "'value' must be a fraction in 0..1, not 50"),
    ],
)
def test_bad_learning_curve_is_named(tmp_path, content, message):
    curve_file(tmp_path, content)
    with pytest.raises(DataError, match=message):
        learning.read_curve(tmp_path)


def test_every_metric_has_a_title_and_a_meaning():
    assert all(info.title and info.meaning for info in METRICS.values())
    assert all(not info.unit for info in METRICS.values() if info.is_fraction)
