import json

import pytest
from evaluation_fakes import record, write_rows

from stance.evaluation.rows import DataError, length_band, read_rows

GOOD = record(0)


def without(name):
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"f\.jsonl:2: not JSON"),
        ("[1]", r":2: a row must be an object, not list"),
        ("[" * 100_000, r":2: not JSON"),
        (json.dumps(without("stance")), r":2: the field 'stance' is missing"),
        (json.dumps(without("sentiment")), r":2: the field 'sentiment' is missing"),
        (json.dumps(without("text")), r":2: the field 'text' is missing"),
        (
            json.dumps({**GOOD, "id": "x", "stance": "angry"}),
            r":2: unknown stance 'angry'; known: ",
        ),
        (
            json.dumps({**GOOD, "id": "x", "sentiment": "Neutral"}),
            r":2: unknown sentiment 'Neutral'",
        ),
        (
            json.dumps({**GOOD, "id": "x", "text": "  "}),
            r":2: 'text' must be text that is not blank",
        ),
        (json.dumps({**GOOD, "id": "x", "text": 3}), r":2: 'text' must be text .* not 3"),
        (json.dumps({**GOOD, "id": "x", "context": 3}), r":2: 'context' must be text, not int"),
        (json.dumps({**GOOD, "id": "x", "tags": "short"}), r":2: 'tags' must be a list of texts"),
        (json.dumps({**GOOD, "id": ["x"]}), r":2: 'id' must be text or a whole number"),
        (json.dumps(GOOD), r":2: the id 't0' occurs twice \(first at .*f\.jsonl:1\)"),
    ],
)
def test_bad_line_is_named_with_its_file_and_number(tmp_path, line, message):
    path = tmp_path / "f.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line + "\n", "utf-8")
    with pytest.raises(DataError, match=message):
        read_rows([path])


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_file_without_rows_is_an_error(tmp_path, content):
    path = tmp_path / "f.jsonl"
    path.write_text(content, "utf-8")
    with pytest.raises(DataError, match=r"\.jsonl:1: no rows in this file"):
        read_rows([path])


def test_missing_file_folder_and_latin_1_are_errors(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_rows([tmp_path / "none.jsonl"])
    with pytest.raises(DataError, match="is a directory"):
        read_rows([tmp_path])
    path = tmp_path / "latin.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b"\n" + "{é}".encode("latin-1"))
    with pytest.raises(DataError, match=r"latin\.jsonl:2: not UTF-8 \(byte 0xe9\)"):
        read_rows([path])


def test_byte_order_mark_and_line_separators_inside_strings_are_read(tmp_path):
    path = tmp_path / "f.jsonl"
    row = {**GOOD, "text": "one\u2028two"}
    path.write_text("\ufeff" + json.dumps(row, ensure_ascii=False) + "\r\n", "utf-8")
    assert [row.text for row in read_rows([path]).rows] == ["one\u2028two"]


def test_rows_without_id_are_named_after_file_and_line(tmp_path):
    path = write_rows(tmp_path / "mine.jsonl", [without("id"), without("id")])
    assert [row.id for row in read_rows([path]).rows] == ["mine:1", "mine:2"]


def test_one_label_in_a_file_is_a_warning_that_names_it(tmp_path):
    rows = [record(1), record(5), record(9)]
    warnings = read_rows([write_rows(tmp_path / "one.jsonl", rows)]).warnings
    assert len(warnings) == 2
    assert "one.jsonl: every row has the stance 'dismissive'" in warnings[0]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([{"situation": "a"}, {"situation": "a"}, {"situation": "b"}], "situation"),
        ([{"situation": "a"}, {"situation": "b"}, {"situation": "c"}], None),  # one row a group
        ([{"situation": "a"}, {"situation": "a"}, {"situation": "a"}], None),  # all in one group
        ([{"source": "a"}, {"source": "a"}, {}], None),  # one row has none
        ([{"source": "a", "group": "x"}, {"source": "a", "group": "y"}, {"source": "b"}], "source"),
    ],
)
def test_rows_are_grouped_by_the_first_field_that_all_have(tmp_path, fields, expected):
    base = {key: value for key, value in GOOD.items() if key not in ("situation", "id")}
    rows = read_rows([write_rows(tmp_path / "f.jsonl", [{**base, **more} for more in fields])])
    groups = rows.groups()
    assert (groups[0] if groups else None) == expected


@pytest.mark.parametrize(
    ("words", "band"),
    [
        (1, "up to 18"),
        (18, "up to 18"),
        (19, "19 to 38"),
        (38, "19 to 38"),
        (39, "39 words and more"),
    ],
)
def test_length_bands_meet_without_a_gap(words, band):
    assert length_band("word " * words).startswith(band)
