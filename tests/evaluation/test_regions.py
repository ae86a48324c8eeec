import pytest
from evaluation_fakes import record, write_rows

from stance.evaluation.regions import NOT_TOLD, SEVERAL, region_of, regions, regions_of
from stance.evaluation.rows import condition_words, read_rows
from stance.evaluation.slices import slice_reports


@pytest.mark.parametrize(
    ("fields", "region"),
    [
        ({"speaker_role": "Foreign minister of Kenya"}, "Sub-Saharan Africa"),
        ({"speaker_role": "US envoy"}, "North America"),
        ({"speaker_role": "A man who told us"}, NOT_TOLD),
        ({"speaker_role": "Kenyan envoy", "situation": "gaza-crossing"}, "Sub-Saharan Africa"),
        ({"speaker_role": "Envoy", "situation": "south-china-sea"}, "East and South-East Asia"),
        ({"speaker_role": "Envoy", "tags": ["rule3"], "text": "Oslo waits."}, "Europe"),
        ({"speaker_role": "Ambassador of India in Ottawa"}, SEVERAL),
        ({"speaker_role": "UN official in Juba"}, "Sub-Saharan Africa"),
        ({"speaker_role": "UN official"}, "United Nations and world bodies"),
        ({"speaker_role": "New Zealand's premier"}, "Oceania"),
        ({}, NOT_TOLD),
    ],
)
def test_region_is_of_the_first_field_that_names_one(fields, region):
    assert region_of(fields) == region


def test_names_count_as_whole_words_only():
    assert regions_of("The Indus basin") == ["South Asia"]
    assert regions_of("industry and business") == []


def test_row_without_a_country_takes_the_region_of_its_situation():
    rows = [
        {"situation": "x", "speaker_role": "Mayor"},
        {"situation": "x", "speaker_role": "Peruvian premier", "text": "Peru"},
        {"situation": "y", "speaker_role": "Mayor"},
        {"speaker_role": "Mayor"},
    ]
    assert regions(rows) == [
        "Latin America and Caribbean",
        "Latin America and Caribbean",
        NOT_TOLD,
        NOT_TOLD,
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("We sign if they leave.", "if"),
        ("IF they leave, unless not.", "if"),
        ("Not unless they leave.", "another (unless, once, until …)"),
        ("We will sign.", "none"),
        ("A stiff price.", "none"),
    ],
)
def test_condition_words_are_told_apart(text, words):
    assert condition_words(text) == words


def test_rare_sources_are_gathered_and_fields_without_them_make_no_slice(tmp_path):
    import numpy as np

    from stance.evaluation.baselines import Answers
    from stance.evaluation.bootstrap import draw
    from stance.evaluation.schema import HEADS

    def fields_of(sources):
        rows = [record(i, source=source) for i, source in enumerate(sources)]
        read = read_rows([write_rows(tmp_path / "rows.jsonl", rows)])
        answers = {head: Answers(np.zeros(len(rows), dtype=np.int64), None) for head in HEADS}
        found = slice_reports(read, answers, draw(12, groups=None, repeats=0, seed=0), [])
        return {part["value"]: part["n"] for part in found if part["field"] == "source"}

    assert fields_of(["wire:1"] * 10 + ["blog:2"] * 2) == {"wire": 10, "other": 2}
    assert fields_of([f"d{i}:x" for i in range(12)]) == {}
