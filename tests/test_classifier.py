import json
import shutil
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stance
from stance import Prediction, Quote, StanceClassifier, classifier
from stance.labels import SENTIMENTS, STANCES
from stance.model.examples import contexts_of, hold_out
from stance.model.finetune import Example
from stance.model.inputs import is_blank

TEXTS = ["We are ready to talk.", "They will never have our gas!", "?", "sign " * 90]


def quote(text: str, context: str = "", spans=None) -> Quote:
    spans = spans or ((0, len(text)),)
    return Quote(text, spans[0][0], spans[-1][1], spans, "direct", context=context)


def test_a_string_gives_one_prediction_and_a_list_a_list(tiny_classifier):
    one = tiny_classifier.classify(TEXTS[0])
    many = tiny_classifier.classify(TEXTS)
    assert isinstance(one, Prediction)
    assert [prediction.text for prediction in many] == TEXTS
    assert many[0].stance == one.stance
    assert many[0].confidence == pytest.approx(one.confidence, abs=1e-5)
    assert [prediction.windows > 1 for prediction in many] == [False, False, False, True]


def test_probabilities_are_in_label_order_and_sum_to_one(tiny_classifier):
    for found in tiny_classifier.classify(TEXTS):
        assert tuple(found.stance_probabilities) == STANCES
        assert tuple(found.sentiment_probabilities) == SENTIMENTS
        assert sum(found.stance_probabilities.values()) == pytest.approx(1)
        assert sum(found.sentiment_probabilities.values()) == pytest.approx(1)
        assert found.confidence == found.stance_probabilities[found.stance]
        assert found.confidence == max(found.stance_probabilities.values())
        json.dumps(found.to_dict())


@pytest.mark.parametrize("collection", [list, tuple, iter, np.array, lambda x: (t for t in x)])
def test_any_iterable_of_quotes_will_do(tiny_classifier, collection):
    found = tiny_classifier.classify(collection(TEXTS[:2]))
    assert [prediction.text for prediction in found] == TEXTS[:2]
    assert {type(prediction.text) for prediction in found} == {str}


def test_nothing_in_nothing_out(tiny_classifier):
    assert tiny_classifier.classify([]) == []
    assert tiny_classifier.predict([]).shape == (0,)
    assert tiny_classifier.predict_proba([]).shape == (0, 4)


def test_the_batch_size_changes_nothing(tiny_classifier):
    for left, right in zip(
        tiny_classifier.classify(TEXTS, batch_size=1),
        tiny_classifier.classify(TEXTS, batch_size=64),
        strict=True,
    ):
        assert left.confidence == pytest.approx(right.confidence, abs=1e-5)


@pytest.mark.parametrize(
    ("given_quotes", "message"),
    [
        (None, "not NoneType"),
        (7, "not int"),
        (b"we sign", "not bytes"),
        ({"text": "we sign"}, "not dict"),
        (["we sign", None], r"quotes\[1\] .* not NoneType"),
        (["we sign", "no", 3.5], r"quotes\[2\] .* not float"),
        ([b"we sign"], r"quotes\[0\] .* not bytes"),
    ],
)
def test_what_is_no_quote_is_named_with_its_place(tiny_classifier, given_quotes, message):
    with pytest.raises(TypeError, match=message):
        tiny_classifier.classify(given_quotes)


@pytest.mark.parametrize("blank", ["", "  \n", "\u200b", "\x00\x01"])
def test_a_blank_quote_is_refused_and_named(tiny_classifier, blank):
    with pytest.raises(ValueError, match="the quote has no visible character"):
        tiny_classifier.classify(blank)
    with pytest.raises(ValueError, match=r"quotes\[1\] has no visible character"):
        tiny_classifier.classify(["we sign", blank])


@pytest.mark.parametrize(
    ("quotes", "context", "error", "message"),
    [
        (["a", "b"], ["c"], ValueError, "2 quotes but 1 contexts"),
        (["a"], ["c", "d"], ValueError, "1 quotes but 2 contexts"),
        (["a", "b"], "c", ValueError, "one context for 2 quotes"),
        ("a", ["c"], TypeError, "must be a string, not list"),
        (["a"], [5], TypeError, r"context\[0\] must be a string or None, not int"),
    ],
)
def test_contexts_must_match_the_quotes(tiny_classifier, quotes, context, error, message):
    with pytest.raises(error, match=message):
        tiny_classifier.classify(quotes, context=context)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, None])
def test_a_bad_batch_size_is_named(tiny_classifier, size):
    with pytest.raises(ValueError, match=f"not {size}"):
        tiny_classifier.classify(TEXTS, batch_size=size)


def test_a_quote_brings_its_context_and_an_argument_overrides_it(tiny_classifier):
    with_context = quote("never", 'The minister said "never" to the talks.')
    found = tiny_classifier.classify(with_context)
    by_hand = tiny_classifier.classify("never", context='The minister said "never" to the talks.')
    bare = tiny_classifier.classify("never")
    overridden = tiny_classifier.classify([with_context], context=[""])[0]
    assert found.quote is with_context
    assert by_hand.quote is None
    assert dict(found.stance_probabilities) == dict(by_hand.stance_probabilities)
    assert dict(overridden.stance_probabilities) == dict(bare.stance_probabilities)
    assert dict(found.stance_probabilities) != dict(bare.stance_probabilities)


def test_both_parts_of_an_interrupted_quote_are_replaced_in_its_context():
    context = '"We," he said, "will sign." Then he left.'
    interrupted = quote("We, will sign.", context, spans=((1, 4), (16, 26)))
    assert contexts_of([interrupted], None) == ["[…] he said, […] Then he left."]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_text_is_labelled_or_refused_by_name(tiny_classifier, texts):
    if any(map(is_blank, texts)):
        with pytest.raises(ValueError, match="has no visible character"):
            tiny_classifier.classify(texts)
    else:
        found = tiny_classifier.classify(texts)
        assert [prediction.text for prediction in found] == texts


def test_what_is_learned_by_heart_is_predicted(tiny_classifier, eight_quotes):
    texts, stances, sentiments = eight_quotes
    assert tiny_classifier.predict(texts).tolist() == stances
    assert tiny_classifier.predict(texts, task="sentiment").tolist() == sentiments
    assert tiny_classifier.score(texts, stances) == 1.0
    assert tiny_classifier.classes_.tolist() == list(STANCES)


def test_saving_and_loading_changes_no_probability(tiny_classifier, tmp_path):
    tiny_classifier.save_pretrained(tmp_path / "model")
    loaded = StanceClassifier.from_pretrained(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), tiny_classifier.predict_proba(TEXTS))
    assert loaded.tasks_ == tiny_classifier.tasks_
    assert loaded.get_params() == tiny_classifier.get_params()
    loaded.save_pretrained(tmp_path / "again")
    first, second = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("model", "again")
    )
    assert first == second


def test_a_model_directory_holds_no_pickle_and_no_unchanged_tensor(tiny_classifier, tmp_path):
    from safetensors.torch import load_file

    tiny_classifier.save_pretrained(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"README.md", "config.json", "model.safetensors", "training_log.jsonl"}
    tensors = load_file(tmp_path / "model.safetensors")
    assert "encoder.embeddings.word_embeddings.weight" not in tensors
    assert "heads.stance.weight" in tensors
    card = (tmp_path / "README.md").read_text("utf-8")
    assert card.startswith("---\nlanguage: en\n")
    assert "`conciliatory`" in card


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: config.update(format_version=99), "format 99"),
        (lambda config: config.pop("tasks"), "tasks"),
        (lambda config: config.update(temperatures={"stance": 0}), "temperature of 'stance' is 0"),
        (lambda config: config.update(pooling="max"), "'max'"),
        (lambda config: config["base"].update(sha256="0" * 64), "trained on 0000"),
        (lambda config: config.update(weights_sha256="0" * 64), "damaged"),
        (lambda config: config["base"].update(tokenizer_sha256="0" * 64), "tokenizer"),
        (lambda config: config.update(max_length=9999), "max_length is 9999"),
        (lambda config: config["tasks"].update(third=["a", "b"]), "heads.third"),
        (lambda config: config.update(tasks={}), r"config\.json .* no task"),
        (lambda config: config.update(max_length="long"), r"config\.json .* 'long'"),
        (lambda config: config.update(temperatures={"stance": float("inf")}), "is inf"),
        (lambda config: config.update(training={"config": 3}), "config in training is 3"),
        (lambda config: config["base"].update(sha256=None), "trained on None"),
        (lambda config: config["base"].update(name=5), "'5' is neither a folder nor a model"),
    ],
)
def test_a_damaged_model_directory_is_refused(tiny_classifier, tmp_path, change, message):
    tiny_classifier.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    change(config)
    (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises((ValueError, RuntimeError), match=message):
        StanceClassifier.from_pretrained(tmp_path)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-folder"):
        StanceClassifier.from_pretrained(tmp_path / "no-such-folder")
    with pytest.raises(FileNotFoundError, match=r"config\.json"):
        StanceClassifier.from_pretrained(tmp_path)


def test_a_base_that_moved_can_be_named(tiny_base, tiny_classifier, tmp_path):
    tiny_classifier.save_pretrained(tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))
    config["base"]["name"] = "/gone"
    (tmp_path / "model" / "config.json").write_text(json.dumps(config), "utf-8")
    moved = shutil.copytree(tiny_base, tmp_path / "moved")
    with pytest.raises(RuntimeError, match="/gone"):
        StanceClassifier.from_pretrained(tmp_path / "model")
    loaded = StanceClassifier.from_pretrained(tmp_path / "model", base=str(moved))
    assert loaded.classify("We sign.").stance in STANCES


@pytest.fixture
def quick(tiny_base):
    return StanceClassifier(str(tiny_base), epochs=2, batch_size=4, max_length=32)


def test_any_label_set_can_be_trained(quick):
    texts = ["we sign", "they leave", "no deal", "open the border"] * 3
    quick.fit(texts, ["yes", "no", "no", "yes"] * 3)
    assert quick.classes_.tolist() == ["no", "yes"]
    assert quick.predict_proba(texts).shape == (12, 2)
    assert set(quick.predict(texts)) <= {"no", "yes"}
    with pytest.raises(ValueError, match="lacks \\['sentiment'\\]"):
        quick.classify("we sign")
    with pytest.raises(ValueError, match="unknown task 'tone'"):
        quick.predict(texts, task="tone")


def test_a_row_may_lack_a_label_of_a_task(quick):
    quick.fit(
        ["we sign", "they leave", "no deal"],
        {
            "stance": ["conciliatory", None, "dismissive"],
            "sentiment": [None, "neutral", "negative"],
        },
    )
    assert quick.tasks_ == {
        "stance": ("conciliatory", "dismissive"),
        "sentiment": ("negative", "neutral"),
    }


@pytest.mark.parametrize(
    ("X", "y", "extra", "error", "message"),
    [
        ([], [], {}, ValueError, "no quotes to train on"),
        (["a", "b"], ["x"], {}, ValueError, "2 quotes but 1 labels"),
        (["a", "b"], ["x", 1], {}, TypeError, "label 1 .* must be a string like .* not int"),
        (["a", "b"], [1, True], {}, TypeError, "label 1 .* must be a whole number .* not bool"),
        (["a", "b"], [0.5, 1.0], {}, TypeError, "label 0 .* not float"),
        (["a", "b"], ["x", "x"], {}, ValueError, "at least two labels"),
        (["a", ""], ["x", "y"], {}, ValueError, r"X\[1\] has no visible character"),
        (["a", None], ["x", "y"], {}, TypeError, r"quotes\[1\]"),
        (["a", "b"], ["x", "y"], {"sample_weight": [1]}, ValueError, "1 sample weights"),
        (["a", "b"], ["x", "y"], {"sample_weight": [1, -2]}, ValueError, r"\[1\] .* not -2"),
        (["a", "b"], ["x", "y"], {"sample_weight": [1, None]}, TypeError, r"\[1\] .* not None"),
        (["a", "b"], ["x", "y"], {"sample_weight": [0, 0]}, ValueError, "0 for every quote"),
        (["a", "b"], ["x", "y"], {"context": ["c"]}, ValueError, "1 contexts"),
        (["a", "b"], None, {}, TypeError, "labels of 'stance' must be a list, .* not NoneType"),
        (["a", "b"], "xy", {}, TypeError, "labels of 'stance' must be a list, .* not str"),
        (["a", "b"], {3: ["x", "y"]}, {}, TypeError, "a task's name must be a string, not 3"),
    ],
)
def test_bad_training_data_is_named(quick, X, y, extra, error, message):
    with pytest.raises(error, match=message):
        quick.fit(X, y, **extra)


def test_a_setting_given_in_two_places_is_named(tiny_base):
    twice = StanceClassifier(str(tiny_base), epochs=2, settings={"epochs": 9})
    with pytest.raises(ValueError, match=r"settings names \['epochs'\]"):
        twice.fit(["we sign", "they leave"], ["yes", "no"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"settings": ["epochs"]}, "settings must be a dict, not list"),
        ({"validation_fraction": "half"}, "validation_fraction must be a number, not 'half'"),
    ],
)
def test_a_hyperparameter_of_the_wrong_kind_is_named(tiny_base, options, message):
    with pytest.raises(TypeError, match=message):
        StanceClassifier(str(tiny_base), **options).fit(["we sign", "they leave"], ["yes", "no"])


@pytest.mark.parametrize(
    ("X", "y", "weights", "message"),
    [
        ([], [], None, "no quotes to score"),
        (["we sign"], [], None, "1 quotes but labels of shape"),
        (["we sign"], ["neutral"], [1, 2], "1 quotes but sample weights of shape"),
    ],
)
def test_what_cannot_be_scored_is_told(tiny_classifier, X, y, weights, message):
    with pytest.raises(ValueError, match=message):
        tiny_classifier.score(X, y, sample_weight=weights)


def test_a_table_is_no_list_of_quotes(tiny_classifier):
    # Iterating over a data frame gives the names of its columns.
    for table in (np.array([["we sign", "no deal"]]), np.array("we sign")):
        with pytest.raises(TypeError, match="quotes must be one-dimensional"):
            tiny_classifier.predict(table)


def test_an_untrained_classifier_says_so():
    from sklearn.exceptions import NotFittedError

    for call in ("predict", "classify", "explain", "predict_set"):
        for error in (RuntimeError, NotFittedError):
            with pytest.raises(error, match="not fitted"):
                getattr(StanceClassifier(), call)("we sign" if call == "explain" else ["we sign"])


def test_below_the_least_confidence_the_stance_is_none_and_the_rest_stays(tiny_classifier):
    plain = tiny_classifier.classify(TEXTS)
    least = sorted(found.confidence for found in plain)[2]
    for before, after in zip(
        plain, tiny_classifier.classify(TEXTS, min_confidence=least - 1e-9), strict=True
    ):
        assert after.stance == (before.stance if before.confidence >= least - 1e-9 else None)
        assert after.stance_probabilities == before.stance_probabilities
        assert (after.sentiment, after.confidence) == (before.sentiment, before.confidence)
        assert after.to_dict()["stance"] == after.stance
    assert None in {p.stance for p in tiny_classifier.classify(TEXTS, min_confidence=least)}
    assert tiny_classifier.classify(TEXTS[0], min_confidence=1).stance is None
    stream = tiny_classifier.classify_stream(iter(TEXTS), min_confidence=1)
    assert {found.stance for found in stream} == {None}
    article = '"We will sign the deal," the minister said on Monday.'
    assert tiny_classifier.analyze(article, min_confidence=1)[0].stance is None
    assert tiny_classifier.analyze(article)[0].stance is not None


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_least_confidence_that_is_no_fraction_is_named(tiny_classifier, value):
    with pytest.raises(ValueError, match=f"min_confidence must be .* not {value}"):
        tiny_classifier.classify("we sign", min_confidence=value)
    with pytest.raises(ValueError, match="min_confidence"):
        tiny_classifier.analyze("", min_confidence=value)


@pytest.mark.parametrize("value", ["0.5", None, True])
def test_a_least_confidence_that_is_no_number_is_refused(tiny_classifier, value):
    with pytest.raises(TypeError, match=f"not {type(value).__name__}"):
        tiny_classifier.classify("we sign", min_confidence=value)


@pytest.fixture
def calibrated(tiny_classifier, tmp_path, eight_quotes):
    """The tiny classifier, calibrated on forty quotes: its own, and some that it gets wrong."""
    tiny_classifier.save_pretrained(tmp_path / "plain")
    loaded = StanceClassifier.from_pretrained(tmp_path / "plain")
    texts, stances, sentiments = eight_quotes
    wrong = [STANCES[(STANCES.index(label) + 1) % 4] for label in stances]
    return loaded.calibrate(texts * 5, {"stance": stances * 4 + wrong, "sentiment": sentiments * 5})


def test_calibrating_moves_probabilities_but_no_label(calibrated, tiny_classifier, eight_quotes):
    texts = eight_quotes[0]
    before, after = (c.predict_proba(texts) for c in (tiny_classifier, calibrated))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    # A fifth of the labels given were wrong, so it has become less sure.
    assert after.max(axis=1).mean() == pytest.approx(0.8, abs=0.05)
    assert before.max(axis=1).mean() > 0.9


def test_label_sets_are_saved_with_the_weights(calibrated, tmp_path):
    calibrated.save_pretrained(tmp_path / "model")
    loaded = StanceClassifier.from_pretrained(tmp_path / "model")
    first, second = (c.classify(TEXTS) for c in (calibrated, loaded))
    for left, right in zip(first, second, strict=True):
        for task in ("stance", "sentiment"):
            found = right.label_set(0.9, task=task)
            assert found == left.label_set(0.9, task=task)
            assert found[0] == getattr(right, task)
    sets = loaded.predict_set(TEXTS, 0.9)
    assert sets == [found.label_set() for found in second]
    # Were the promise 75%, the one label that it knows by heart would do.
    assert loaded.classify("We reject the deal and blame them for it.").label_set(0.75) == (
        "dismissive",
    )
    assert len(loaded.classify(TEXTS[0]).label_set(0.99)) == 4


def test_scores_of_other_weights_are_refused(calibrated, tmp_path):
    calibrated.save_pretrained(tmp_path)
    path = tmp_path / "calibration.json"
    text = path.read_text("utf-8")
    for changed in (text.replace('"weights_sha256": "', '"weights_sha256": "0'), "{", "[]", "{}"):
        path.write_text(changed, "utf-8")
        with pytest.raises(ValueError, match=r"calibration\.json is damaged"):
            StanceClassifier.from_pretrained(tmp_path)


def test_weights_without_scores_promise_no_coverage(tiny_classifier, tmp_path):
    with pytest.raises(ValueError, match="no calibration scores for stance"):
        tiny_classifier.classify("we sign").label_set()
    with pytest.raises(ValueError, match="no calibration scores for stance"):
        tiny_classifier.predict_set(["we sign"])
    # Those of an earlier model in the same folder do not stay behind.
    (tmp_path / "calibration.json").write_text("old", "utf-8")
    tiny_classifier.save_pretrained(tmp_path)
    assert not (tmp_path / "calibration.json").exists()


def test_label_sets_name_what_is_wrong(calibrated):
    found = calibrated.classify("we sign")
    with pytest.raises(ValueError, match="unknown task 'mood'"):
        found.label_set(task="mood")
    with pytest.raises(ValueError, match=r"not 1\.5"):
        found.label_set(1.5)
    with pytest.raises(ValueError, match="no labels \\['hostile'\\]"):
        calibrated.calibrate(["we sign"] * 2, {"stance": ["hostile", "neutral"]})
    with pytest.raises(ValueError, match="unknown task 'mood'"):
        calibrated.calibrate(["we sign"], {"mood": ["good"]})


def test_fit_saves_label_sets_when_enough_is_held_out(quick):
    quick.set_params(validation_fraction=0.5)
    texts = ["we sign", "they leave", "no deal", "open the border"] * 20
    quick.fit(texts, ["yes", "no", "no", "yes"] * 20)
    assert all(set(found) <= {"yes", "no"} for found in quick.predict_set(texts[:4], 0.8))


def test_a_bad_hyperparameter_is_named_at_fit(tiny_base):
    with pytest.raises(ValueError, match="epochs must be at least 1, not 0"):
        StanceClassifier(str(tiny_base), epochs=0).fit(["a", "b"], ["x", "y"])


def test_scikit_learn_can_clone_and_cross_validate(quick):
    from sklearn.base import clone, is_classifier
    from sklearn.model_selection import cross_val_score

    copied = clone(quick.set_params(seed=3))
    assert copied is not quick
    assert copied.get_params() == quick.get_params()
    assert is_classifier(quick)
    scores = cross_val_score(quick, ["we sign", "they leave"] * 4, ["yes", "no"] * 4, cv=2)
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()
    with pytest.raises(ValueError, match="unknown parameter 'depth'"):
        quick.set_params(depth=3)
    assert "seed=3" in repr(quick)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (["yes", "no"], ["no", "yes"]),
        (np.array(["yes", "no"]), ["no", "yes"]),
        ([True, False], [False, True]),
        (np.array([10, 2]), [2, 10]),
        ([np.int64(10), np.int64(2)], [2, 10]),
        # scikit-learn's scorers of probabilities need sorted columns.
        (["dismissive", "conditional"], ["conditional", "dismissive"]),
    ],
)
def test_classes_keep_the_kind_of_the_labels_and_are_sorted(quick, tmp_path, labels, classes):
    texts = ["we sign", "they leave"] * 4
    y = list(labels) * 4 if isinstance(labels, list) else np.tile(labels, 4)
    quick.fit(texts, y).save_pretrained(tmp_path)
    for fitted in (quick, StanceClassifier.from_pretrained(tmp_path)):
        assert fitted.classes_.tolist() == classes
        assert fitted.classes_.dtype.kind == np.array(labels).dtype.kind
        assert set(fitted.predict(texts).tolist()) <= set(classes)
        assert 0 <= fitted.score(texts, y) <= 1


def test_a_pandas_column_will_do(quick):
    pd = pytest.importorskip("pandas")
    texts = pd.Series(["we sign", "they leave"] * 4, index=range(10, 18))
    quick.fit(texts, pd.Series(["yes", "no"] * 4, index=range(20, 28)))
    assert quick.predict(texts).shape == (8,)
    with pytest.raises(TypeError, match=r"label 1 .* not float"):
        quick.fit(texts[:2], pd.Series(["yes", float("nan")]))


@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_estimator_repr",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_no_attributes_set_in_init",
        "check_get_params_invariance",
        "check_set_params",
        "check_parameters_default_constructible",
        "check_estimators_unfitted",
    ],
)
def test_it_passes_scikit_learns_checks_that_need_no_numbers_as_input(quick, check):
    from sklearn.utils import estimator_checks

    if not hasattr(estimator_checks, check):
        pytest.skip("of a later scikit-learn")
    getattr(estimator_checks, check)("StanceClassifier", quick)


def test_grid_search_and_pipelines_take_it(quick):
    from sklearn.model_selection import GridSearchCV, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    texts, labels = ["we sign", "they leave"] * 4, ["yes", "no"] * 4
    lower = FunctionTransformer(lambda rows: [text.lower() for text in rows])
    pipeline = make_pipeline(lower, quick)
    search = GridSearchCV(
        pipeline, {"stanceclassifier__seed": [0, 1]}, cv=2, scoring="neg_log_loss"
    )
    search.fit(texts, labels)
    assert search.best_params_["stanceclassifier__seed"] in {0, 1}
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.classes_.tolist() == ["no", "yes"]
    assert cross_val_predict(quick, texts, labels, cv=2, method="predict_proba").shape == (8, 2)
    with pytest.raises(ValueError, match="2 quotes but labels of shape"):
        search.best_estimator_.score(texts[:2], labels)


def test_a_fitted_classifier_can_be_copied_and_pickled(tiny_classifier):
    import copy
    import pickle

    expected = tiny_classifier.predict_proba(TEXTS)
    for copied in (copy.deepcopy(tiny_classifier), pickle.loads(pickle.dumps(tiny_classifier))):
        np.testing.assert_array_equal(copied.predict_proba(TEXTS), expected)


def test_equal_seeds_give_equal_weights(quick):
    texts, labels = ["we sign", "they leave", "no deal", "open"] * 2, ["yes", "no"] * 4
    first = quick.fit(texts, labels).predict_proba(texts)
    np.testing.assert_array_equal(quick.fit(texts, labels).predict_proba(texts), first)
    assert (quick.set_params(seed=1).fit(texts, labels).predict_proba(texts) != first).any()


def test_the_held_out_rows_are_a_share_and_no_row_is_lost():
    rows = [Example(f"quote {number}", {"stance": "neutral"}) for number in range(300)]
    train, held_out = hold_out(rows, 0.1, seed=0)
    assert (len(train), len(held_out)) == (270, 30)
    assert {row.text for row in train + held_out} == {row.text for row in rows}
    assert hold_out(rows[:50], 0.1, seed=0) == (rows[:50], [])


def test_the_default_model_is_loaded_once_by_many_threads(monkeypatch, tiny_classifier):
    loads = []
    barrier = threading.Barrier(8)

    def load():
        loads.append(1)
        return tiny_classifier

    # The released weights may be absent while they are being trained; loading them is the cost
    # that must be paid once, so the loader is counted here.
    monkeypatch.setattr(classifier, "_default", None)
    monkeypatch.setattr(classifier, "StanceClassifier", SimpleNamespace(from_pretrained=load))
    found = []

    def work():
        barrier.wait()
        found.append(stance.classify("We sign.").stance)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert len(found) == 8
    assert len(set(found)) == 1


def test_analyze_needs_a_string(tiny_classifier):
    for wrong in (7, None, b"an article", {"text": "an article"}, ["an article", 7]):
        with pytest.raises(TypeError, match=r"must be (a )?string"):
            tiny_classifier.analyze(wrong)


def test_analyze_labels_the_quotes_of_split(tiny_classifier):
    article = '"We will sign the deal," the minister said on Monday.'
    analysis = tiny_classifier.analyze(article)
    assert analysis.article == article
    assert [prediction.quote for prediction in analysis] == stance.split(article)
    assert len(analysis) == 1
    assert len(tiny_classifier.analyze("")) == 0


OBVIOUS = [
    ("We welcome the proposal and are ready to sit down with them next week.", "conciliatory"),
    ("We are grateful to our partners and hope to reach an agreement soon.", "conciliatory"),
    ("We are ready to talk at any time and in any place.", "conciliatory"),
    ("We categorically reject this proposal; it is completely unacceptable.", "dismissive"),
    ("They alone are to blame for the collapse of the talks.", "dismissive"),
    ("These accusations are absurd lies and we condemn them.", "dismissive"),
    ("If they lift the sanctions, we will return to the negotiating table.", "conditional"),
    ("We will sign the agreement once all troops have left our territory.", "conditional"),
    ("Unless they release the prisoners, there will be no deal.", "conditional"),
    ("The two delegations met in Geneva on Monday.", "neutral"),
    ("The delegations will meet in Geneva on Monday.", "neutral"),
    ("The third round of consultations was held in Vienna from 4 to 6 May.", "neutral"),
    ("The report was sent to the members of the committee on Tuesday.", "neutral"),
]


@pytest.mark.weights
@pytest.mark.parametrize(("text", "expected"), OBVIOUS)
def test_obvious_sentences_are_right(text, expected):
    assert stance.classify(text).stance == expected


@pytest.mark.weights
@pytest.mark.parametrize(("text", "expected"), OBVIOUS)
def test_meaning_preserving_changes_keep_the_label(text, expected):
    variants = [
        f"“{text}”",
        f'"{text}"',
        text.replace("Geneva", "Vienna").replace("Monday", "Thursday"),
        text.replace(", ", ",  ").upper() if text.isascii() else text,
        f"  {text}\n",
    ]
    found = [prediction.stance for prediction in stance.classify(variants)]
    assert found == [expected] * len(variants)


@pytest.mark.weights
def test_released_weights_load_without_transformers():
    code = (
        "import sys, stance; print(stance.classify('We reject it.').stance); "
        "assert not {'transformers', 'sklearn', 'datasets', 'pandas'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in STANCES
