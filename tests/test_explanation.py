import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stance
from stance.evaluation.faithfulness import measure, random_ranking
from stance.explanation import MOST_PARTS, Explanation, WordWeight, without, word_weights, words_of
from stance.page import render_explanation


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("We reject it.", ["We", "reject", "it"]),
        ("We won’t; they can't.", ["We", "won’t", "they", "can't"]),
        ("A cease-fire - now", ["A", "cease-fire", "now"]),
        ("“Нет”, сказал он", ["Нет", "сказал", "он"]),
        ("…?!", []),
        ("", []),
    ],
)
def test_words_keep_their_apostrophes_and_hyphens(text, words):
    assert [text[start:end] for start, end in words_of(text)] == words


def test_leaving_words_out_leaves_no_gap():
    text = "We reject it, all of it."
    parts = words_of(text)
    assert without(text, parts, [True] * 6) == text
    assert without(text, parts, [True, False, True, False, True, True]) == "We it, of it."
    assert without("We reject", words_of("We reject"), [False, False]) == "…"


def test_weights_are_those_of_a_model_that_adds_its_words():
    worth = {"never": 0.5, "gladly": -0.25}

    def probability_of(texts):
        return np.array([0.4 + sum(worth.get(word, 0) for word in t.split()) for t in texts])

    found = {
        word.text: word.weight for word in word_weights("we never gladly sign", probability_of)
    }
    assert found["never"] == pytest.approx(0.5, abs=0.05)
    assert found["gladly"] == pytest.approx(-0.25, abs=0.05)
    assert found["we"] == pytest.approx(0, abs=0.03)


def test_two_words_that_say_the_same_both_weigh():
    def probability_of(texts):
        return np.array([0.9 if {"reject", "refuse"} & set(t.split()) else 0.1 for t in texts])

    words = word_weights("we reject and we refuse it", probability_of)
    assert {word.text for word in sorted(words, key=lambda w: -w.weight)[:2]} == {
        "reject",
        "refuse",
    }


def test_a_long_quote_costs_no_more_variants_than_a_bounded_number():
    asked = []

    def probability_of(texts):
        asked.append(len(texts))
        return np.array([0.9 if "never" in t else 0.1 for t in texts])

    text = " ".join(["word"] * 700 + ["never"] + ["word"] * 700)
    words = word_weights(text, probability_of)
    assert len(words) == 1401
    assert sum(asked) <= 3 * MOST_PARTS
    best = max(range(len(words)), key=lambda place: words[place].weight)
    assert abs(best - 700) <= 1401 / MOST_PARTS + 1


def test_an_explanation_has_every_word_of_the_quote(tiny_classifier):
    text = "They will never have our gas."
    why = tiny_classifier.explain(text)
    assert (why.text, why.task, why.label) == (text, "stance", "dismissive")
    assert [word.text for word in why.words] == ["They", "will", "never", "have", "our", "gas"]
    assert all(text[word.start : word.end] == word.text for word in why.words)
    assert why.probability == pytest.approx(max(tiny_classifier.predict_proba([text])[0]))
    assert tiny_classifier.explain(text) == why
    json.dumps(why.to_dict())


def test_a_label_and_a_task_can_be_chosen(tiny_classifier):
    text = "We reject the deal and blame them for it."
    other = tiny_classifier.explain(text, label="neutral")
    assert other.label == "neutral"
    assert other.probability < 0.5
    assert tiny_classifier.explain(text, task="sentiment").label == "negative"


@pytest.mark.parametrize(
    ("given_quote", "options", "error", "message"),
    [
        ("", {}, ValueError, "no visible character"),
        (7, {}, TypeError, "not int"),
        (["we sign"], {}, TypeError, "not list"),
        ("we sign", {"label": "hostile"}, ValueError, "unknown label 'hostile'"),
        ("we sign", {"task": "mood"}, ValueError, "unknown task 'mood'"),
        ("we sign", {"context": 3}, TypeError, "not int"),
    ],
)
def test_what_cannot_be_explained_is_named(tiny_classifier, given_quote, options, error, message):
    with pytest.raises(error, match=message):
        tiny_classifier.explain(given_quote, **options)


def test_marks_without_words_have_an_empty_explanation(tiny_classifier):
    why = tiny_classifier.explain("?!")
    assert why.words == ()
    assert why.top() == []
    assert "No word of this quote weighs anything" in why.to_html()


@settings(max_examples=15, deadline=None)
@given(st.text(min_size=1, max_size=60).filter(lambda t: any(c.isalnum() for c in t)))
def test_any_text_is_explained(tiny_classifier, text):
    why = tiny_classifier.explain(text)
    assert all(np.isfinite(word.weight) for word in why.words)
    assert why.to_html().startswith("<!doctype html>")


HOSTILE = "<script>alert(1)</script> & \x1b[31m"


def test_article_text_is_escaped_in_the_page():
    words = tuple(
        WordWeight(HOSTILE[start:end], start, end, 0.1) for start, end in words_of(HOSTILE)
    )
    page = render_explanation(Explanation(HOSTILE, "stance", "<b>label</b>", 0.5, words))
    assert "<script>" not in page
    assert "<b>label" not in page
    assert "&lt;" in page


def test_the_page_writes_weights_and_directions_in_words():
    words = (WordWeight("no", 0, 2, 0.2), WordWeight("deal", 3, 7, -0.1))
    page = Explanation("no deal", "stance", "dismissive", 0.8, words).to_html()
    assert 'class="for"' in page
    assert 'class="against"' in page
    assert "+20.0" in page
    assert "−10.0" in page


def test_the_strongest_words_come_first_and_only_those_that_speak_for_the_label():
    words = tuple(
        WordWeight(text, 0, 1, weight) for text, weight in [("a", 0.1), ("b", -0.5), ("c", 0.3)]
    )
    why = Explanation("a", "stance", "neutral", 0.5, words)
    assert [word.text for word in why.top(5)] == ["c", "a"]
    assert [word.text for word in why.top(1)] == ["c"]
    with pytest.raises(ValueError, match="not -1"):
        why.top(-1)


def test_the_words_it_names_matter_more_than_words_at_random(tiny_classifier, eight_quotes):
    texts = eight_quotes[0]
    ours = measure(tiny_classifier, texts)
    random = measure(tiny_classifier, texts, rank=random_ranking())
    assert ours.quotes == len(texts)
    assert ours.comprehensiveness > random.comprehensiveness
    assert ours.sufficiency < random.sufficiency
    with pytest.raises(ValueError, match="no quote has 5 words"):
        measure(tiny_classifier, ["no"])


@pytest.mark.weights
def test_the_word_that_makes_the_label_weighs_most():
    assert stance.explain("If they lift the sanctions, we will return.").top(1)[0].text == "If"
    assert stance.explain("We welcome the talks.").top(1)[0].text == "welcome"
