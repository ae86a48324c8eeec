"""Reading files strictly, and writing results that read back as they were."""

import csv
import io
import json
import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from result_samples import ARTICLE, LABELLED, OFFER, PREDICTIONS, QUOTES, SPLIT, make_prediction

from stance.io import (
    QUOTE_COLUMNS,
    Document,
    InputError,
    QuoteInput,
    as_documents,
    check_encoding,
    decode,
    parse_quote,
    read_article,
    read_articles,
    write_csv,
    write_json,
    write_jsonl,
)
from stance.quote_file import QuoteFile
from stance.types import RECORD_COLUMNS, Analysis, Quote


def written(write, documents, **options):
    stream = io.StringIO(newline="")
    write(documents, stream, **options)
    return stream.getvalue()


# --- reading ---


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        (b"", "utf-8", ""),
        ("“Oui”".encode(), "utf-8", "“Oui”"),
        (b"one\r\ntwo\rthree\n", "utf-8", "one\r\ntwo\rthree\n"),
        (b"\xef\xbb\xbftext", "utf-8", "text"),
        (b"\xef\xbb\xbftext", "UTF8", "text"),
        (b"caf\xe9", "latin-1", "café"),
        (b"\x93Oui\x94", "cp1252", "“Oui”"),
        ("Ω".encode("utf-16"), "utf-16", "Ω"),
        ("Ω".encode("utf-16-le"), "utf-16-le", "Ω"),
        (b"\xff\xfe" + "Ω".encode("utf-16-le"), "utf-16-le", "Ω"),
        ("Ω".encode("utf-32"), "utf-32", "Ω"),
    ],
)
def test_text_is_decoded_without_mark_and_with_its_line_ends(tmp_path, data, encoding, expected):
    file = tmp_path / "a.txt"
    file.write_bytes(data)
    article = read_article(file, encoding=encoding)
    assert (article.name, article.text) == (str(file), expected)


@pytest.mark.parametrize(
    ("data", "encoding", "words"),
    [
        (b"caf\xe9 noir", "utf-8", ["utf-8", "0xE9", "offset 3", "--encoding"]),
        (b"cut \xe2\x80", "utf-8", ["utf-8", "0xE2", "offset 4"]),
        (b"\x89PNG\0\0", "utf-8", ["binary", "NUL", "offset 4"]),
        (b"a\0", "latin-1", ["binary", "offset 1"]),
        ("text".encode("utf-16"), "utf-8", ["UTF-16", "--encoding utf-16"]),
        ("text".encode("utf-32"), "utf-8", ["UTF-32", "--encoding utf-32"]),
        (b"odd", "utf-16", ["utf-16"]),
        ("a\0b".encode("utf-16"), "utf-16", ["binary"]),
        (b"a", "undefined", ["undefined"]),
    ],
)
def test_what_is_not_text_is_refused_naming_file_and_encoding(data, encoding, words):
    with pytest.raises(InputError) as caught:
        decode(data, name="news.txt", encoding=encoding)
    assert all(word in str(caught.value) for word in ["news.txt", *words]), caught.value


@pytest.mark.parametrize("name", ["utf-9", "base64", "rot13", "zip", "", "a\0b", "ütf"])
def test_unknown_encoding_is_a_value_error_that_names_it(name):
    with pytest.raises(ValueError, match="unknown text encoding") as caught:
        check_encoding(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "none.txt", "no such file"),
        (lambda folder: folder, "folder"),
        (lambda folder: folder / "a\0b", "cannot be read"),
        (lambda folder: folder / ("x" * 300), "cannot be read"),
    ],
)
def test_unreadable_file_is_an_input_error_that_names_it(tmp_path, make, reason):
    path = make(tmp_path)
    with pytest.raises(InputError, match=reason) as caught:
        read_article(path)
    assert str(path) in str(caught.value)


def test_bad_files_are_reported_and_the_others_read(tmp_path):
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("fine")
    bad.write_bytes(b"\xff")
    errors = []
    paths = [bad, good, tmp_path / "none.txt", good]
    assert [a.text for a in read_articles(paths, on_error=errors.append)] == ["fine", "fine"]
    assert len(errors) == 2
    with pytest.raises(InputError):
        list(read_articles(paths))


def test_standard_input_that_cannot_be_read_is_an_input_error(monkeypatch):
    closed = os.fdopen(os.open(os.devnull, os.O_WRONLY), "rb")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(closed))
    with pytest.raises(InputError, match=r"standard input: cannot be read \("):
        read_article("-")


def test_standard_input_can_be_read_once(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("é".encode())))
    articles = read_articles(["-", "-"])
    first = next(articles)
    assert (first.name, first.text) == ("standard input", "é")
    with pytest.raises(InputError, match="twice"):
        next(articles)


@given(st.binary(max_size=60), st.sampled_from(["utf-8", "latin-1", "utf-16", "cp1252"]))
def test_any_bytes_are_decoded_exactly_or_refused(data, encoding):
    try:
        text = decode(data, name="x", encoding=encoding)
    except InputError:
        return
    assert data.decode(encoding).removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "q.txt",
            "One.\n\n  Two. \r\nThree\u2028still three.\n",
            ["One.", "Two.", "Three\u2028still three."],
        ),
        ("q.txt", '{"text": "not JSON here"}', ['{"text": "not JSON here"}']),
        ("q.txt", "", []),
        ("q.jsonl", '{"text": "A"}\n"B"\n\n{"text": "C", "id": 7}\n', ["A", "B", "C"]),
        ("q.NDJSON", '{"text": "A\\nB"}', ["A\nB"]),
    ],
)
def test_quotes_are_read_one_a_line(tmp_path, name, content, expected):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8", newline="")
    assert [quote.text for quote in QuoteFile(file)] == expected


def test_context_is_read_where_there_is_one(tmp_path):
    file = tmp_path / "q.jsonl"
    file.write_text('{"text": "A", "context": "A, he said."}\n{"text": "B", "context": null}')
    assert [quote.context for quote in QuoteFile(file)] == ["A, he said.", None]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("7", "a int, not an object"),
        ("{}", 'no "text"'),
        ('{"text": "  "}', 'no "text"'),
        ('{"text": 5}', 'no "text"'),
        (r'{"text": "\u200b"}', "no visible character"),
        ('{"text": "a", "context": 5}', '"context" is a int'),
        (r'{"text": "\ud800"}', "surrogate"),
    ],
)
def test_bad_json_line_is_refused_with_its_number(tmp_path, line, reason):
    file = tmp_path / "q.jsonl"
    file.write_text('{"text": "good"}\n' + line + "\n")
    with pytest.raises(InputError, match=reason) as caught:
        list(QuoteFile(file))
    assert f"{file}: line 2" in str(caught.value)


def test_json_list_is_refused_rather_than_read_as_lines(tmp_path):
    file = tmp_path / "q.json"
    file.write_text('["A"]')
    with pytest.raises(InputError, match="JSON Lines"):
        list(QuoteFile(file))


def test_split_output_can_be_read_as_quotes(tmp_path):
    file = tmp_path / "split.jsonl"
    file.write_text(written(write_jsonl, [SPLIT]), encoding="utf-8", newline="")
    quotes = list(QuoteFile(file))
    assert [(quote.text, quote.context, quote.spans) for quote in quotes] == [
        (q.text, q.context, q.spans) for q in QUOTES
    ]


@pytest.mark.parametrize(
    "spans", [None, 5, "ab", [], [1, 2], [[0, 1]], [[0, None]], [[0, 5], [9, 3]], {"a": 1}]
)
def test_spans_that_do_not_fit_the_text_are_left_out(spans):
    line = json.dumps({"text": "We sign.", "spans": spans})
    assert parse_quote(line, "line 1") == QuoteInput("We sign.")


# --- documents ---


def test_results_of_all_functions_become_documents():
    analysis = Analysis(ARTICLE, PREDICTIONS)
    assert as_documents(SPLIT) == [SPLIT]
    assert as_documents(analysis) == [Document(None, ARTICLE, PREDICTIONS)]
    assert as_documents(OFFER) == [Document(None, None, (OFFER,))]
    assert as_documents(list(PREDICTIONS)) == [Document(None, None, PREDICTIONS)]
    assert as_documents([]) == [Document(None, None, ())]
    mixed = as_documents([PREDICTIONS[0], analysis, SPLIT, PREDICTIONS[1]])
    assert [len(document.items) for document in mixed] == [1, 2, 2, 1]


@pytest.mark.parametrize("value", ["text", b"x", None, 3, {"text": "x"}, [None], ["text"]])
def test_other_values_are_a_type_error(value):
    with pytest.raises(TypeError, match="expected the result"):
        as_documents(value)


# --- writing ---


def test_json_holds_one_object_an_article():
    values = json.loads(written(write_json, [LABELLED, Document("empty.txt", "", ())]))
    assert values[0] == {
        "file": "border.txt",
        "article": ARTICLE,
        "quotes": json.loads(json.dumps([p.to_dict() for p in PREDICTIONS])),
    }
    assert values[1] == {"file": "empty.txt", "article": "", "quotes": []}


def test_json_of_single_quotes_is_a_list_of_predictions():
    document = Document(None, None, (make_prediction("Yes."), make_prediction("No.")))
    assert [value["text"] for value in json.loads(written(write_json, [document]))] == [
        "Yes.",
        "No.",
    ]


@pytest.mark.parametrize("documents", [[], [Document(None, None, ())]])
def test_json_of_nothing_is_an_empty_list(documents):
    assert json.loads(written(write_json, documents)) == []


def test_jsonl_holds_one_line_a_quote_with_its_file():
    lines = written(write_jsonl, [SPLIT, Document("none.txt", "", ())]).split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == [
        {"file": "border.txt", **json.loads(json.dumps(quote.to_dict()))} for quote in QUOTES
    ]


def test_unprintable_characters_do_not_break_a_line_or_an_encoding():
    quote = Quote("a\u2028b\n\ud800", 0, 5, ((0, 5),), "direct")
    text = written(write_jsonl, [Document("x", None, (quote,))])
    assert text.count("\n") == 1
    assert json.loads(text.encode("utf-8"))["text"] == quote.text


def test_csv_has_the_file_and_the_record_columns():
    rows = list(csv.DictReader(io.StringIO(written(write_csv, [LABELLED]), newline="")))
    assert tuple(rows[0]) == ("file", *RECORD_COLUMNS)
    assert rows[0]["text"] == OFFER.text
    assert float(rows[1]["confidence"]) == PREDICTIONS[1].confidence
    assert rows[1]["speaker"] == ""
    assert float(rows[0]["speaker_confidence"]) == OFFER.speaker.confidence
    assert rows[1]["speaker_confidence"] == ""


def test_csv_of_split_quotes_has_the_quote_columns():
    rows = list(csv.DictReader(io.StringIO(written(write_csv, [SPLIT]), newline="")))
    assert tuple(rows[0]) == ("file", *QUOTE_COLUMNS)
    assert [int(row["start"]) for row in rows] == [quote.start for quote in QUOTES]


def test_csv_without_quotes_has_its_header():
    nothing = [Document("a", "", ())]
    assert written(write_csv, nothing) == ",".join(["file", *RECORD_COLUMNS]) + "\r\n"
    header = written(write_csv, nothing, columns=QUOTE_COLUMNS)
    assert header == ",".join(["file", *QUOTE_COLUMNS]) + "\r\n"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", " ="])
def test_csv_cell_cannot_begin_like_a_formula(start):
    document = Document(f"{start}file", None, (make_prediction(f"{start}cmd|' /C calc'!A0"),))
    row = next(csv.DictReader(io.StringIO(written(write_csv, [document]), newline="")))
    assert row["text"] == f"'{start}cmd|' /C calc'!A0"
    assert row["file"] == f"'{start}file"


def test_half_a_surrogate_pair_does_not_stop_the_csv():
    quote = Quote("=We \ud800 sign", 0, 9, ((0, 9),), "direct")
    text = written(write_csv, [Document("\udcff.txt", "", (quote,))])
    row = next(csv.DictReader(io.StringIO(text.encode("utf-8").decode("utf-8"), newline="")))
    assert (row["file"], row["text"]) == ("?.txt", "'=We ? sign")


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_csv_reads_back_any_text(texts):
    document = Document("f", None, tuple(make_prediction(text) for text in texts))
    rows = list(csv.DictReader(io.StringIO(written(write_csv, [document]), newline="")))
    for row, text in zip(rows, texts, strict=True):
        assert row["text"] in (text, f"'{text}")


def test_writers_ask_for_one_document_at_a_time():
    stream = io.StringIO()

    def documents():
        yield SPLIT
        assert OFFER.cue.text in stream.getvalue()
        yield SPLIT

    for write in (write_json, write_jsonl, write_csv):
        stream.seek(0)
        stream.truncate()
        write(documents(), stream)
