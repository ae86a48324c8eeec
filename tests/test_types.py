"""The result types: immutable, JSON-ready, and with the columns they promise."""

import dataclasses
import json
import sys

import pytest
from result_samples import ARTICLE, JOKE, OFFER, PREDICTIONS, make_prediction

from stance.types import RECORD_COLUMNS, Analysis, Quote


def test_text_is_the_pieces_of_the_article_joined_by_a_space():
    assert OFFER.text == " ".join(ARTICLE[start:end] for start, end in OFFER.spans)
    assert (OFFER.start, OFFER.end) == (OFFER.spans[0][0], OFFER.spans[-1][1])


@pytest.mark.parametrize(
    ("value", "field"),
    [(OFFER, "text"), (OFFER.speaker, "name"), (OFFER.cue, "text"), (PREDICTIONS[0], "stance")],
)
def test_results_cannot_be_changed(value, field):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, field, "other")


def test_quote_dictionary_survives_json():
    record = json.loads(json.dumps(OFFER.to_dict()))
    assert record["spans"] == [list(span) for span in OFFER.spans]
    assert record["speaker"]["name"] == "Ana Kovač"
    assert record["cue"] == {"text": "said", "start": OFFER.cue.start, "end": OFFER.cue.end}
    assert set(record) == {field.name for field in dataclasses.fields(Quote)}


def test_prediction_dictionary_keeps_label_order_and_nests_the_quote():
    record = json.loads(json.dumps(PREDICTIONS[0].to_dict()))
    assert list(record["stance_probabilities"]) == [
        "conciliatory",
        "dismissive",
        "conditional",
        "neutral",
    ]
    assert record["quote"] == json.loads(json.dumps(OFFER.to_dict()))
    assert make_prediction("They won't.").to_dict()["quote"] is None


@pytest.mark.parametrize("prediction", [*PREDICTIONS, make_prediction("A string.")])
def test_record_has_the_record_columns_in_order(prediction):
    assert tuple(prediction.to_record()) == RECORD_COLUMNS


def test_record_of_a_string_has_no_place_and_no_speaker():
    record = make_prediction("A string.").to_record()
    empty = ("start", "end", "kind", "speaker", "role", "mention", "speaker_confidence", "cue")
    assert all(record[name] is None for name in empty)
    assert record["text"] == "A string."


def test_record_without_speaker_says_none():
    record = make_prediction(JOKE).to_record()
    assert (record["speaker"], record["role"], record["mention"]) == (None, None, None)
    assert record["cue"] == "called"


def test_analysis_is_a_sequence_of_its_predictions():
    analysis = Analysis(ARTICLE, PREDICTIONS)
    assert len(analysis) == 2
    assert list(analysis) == list(PREDICTIONS)
    assert analysis[-1] is PREDICTIONS[1]
    assert analysis[:1] == PREDICTIONS[:1]
    assert PREDICTIONS[0] in analysis
    assert analysis.to_dict() == {
        "article": ARTICLE,
        "quotes": [prediction.to_dict() for prediction in PREDICTIONS],
    }


def test_to_pandas_has_a_row_a_quote_and_its_columns_even_when_empty():
    pytest.importorskip("pandas")
    frame = Analysis(ARTICLE, PREDICTIONS).to_pandas()
    assert tuple(frame.columns) == RECORD_COLUMNS
    assert frame["stance"].tolist() == ["conditional", "dismissive"]
    empty = Analysis("", ()).to_pandas()
    assert tuple(empty.columns) == RECORD_COLUMNS
    assert len(empty) == 0


def test_to_pandas_keeps_the_probabilities_of_other_labels():
    pytest.importorskip("pandas")
    own = dataclasses.replace(
        make_prediction("A string."), stance="yes", stance_probabilities={"yes": 0.7, "no": 0.3}
    )
    frame = Analysis(ARTICLE, (own,)).to_pandas()
    assert tuple(frame.columns) == tuple(own.to_record())
    assert frame["stance_yes"].tolist() == [0.7]
    both = Analysis(ARTICLE, (own, PREDICTIONS[0])).to_pandas()
    assert {*own.to_record(), *RECORD_COLUMNS} == set(both.columns)
    assert both["stance_conditional"].tolist()[1] == 0.91


def test_to_pandas_without_pandas_names_the_install_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install 'stance-quotes\[pandas\]'"):
        Analysis(ARTICLE, PREDICTIONS).to_pandas()
