"""Quotes of a file are read line by line, as often as wanted, and kept nowhere."""

import io
import json
import os
import sys
import threading
import tracemalloc

import pytest

import stance.quote_file
from stance.io import InputError
from stance.quote_file import QuoteFile

LINES = ["We sign.", "They refuse.\u2028All of them.", "“No” – said"]
MANY = 40_000


@pytest.fixture
def standard_input(monkeypatch):
    def put(text):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return put


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_gives_the_same_quotes_each_time_in_any_encoding(tmp_path, encoding, end):
    path = tmp_path / "q.txt"
    path.write_bytes((end.join(LINES) + end).encode(encoding))
    quotes = QuoteFile(path, encoding=encoding)
    assert [quote.text for quote in quotes] == LINES
    assert [quote.text for quote in quotes] == LINES


def test_an_iteration_that_is_given_up_does_not_hurt_the_next(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("\n".join(LINES), "utf-8")
    quotes = QuoteFile(path)
    assert next(iter(quotes)).text == LINES[0]
    assert [quote.text for quote in quotes] == LINES


@pytest.mark.parametrize("in_memory", [8, 1 << 20])
def test_standard_input_can_be_iterated_again_whatever_its_size(
    standard_input, monkeypatch, in_memory
):
    monkeypatch.setattr(stance.quote_file, "_IN_MEMORY", in_memory)
    standard_input("\n".join(LINES * 100))
    quotes = QuoteFile("-")
    assert quotes.name == "standard input"
    for _ in range(2):
        assert [quote.text for quote in quotes] == LINES * 100


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_can_be_iterated_again(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=("We sign.\nThey refuse.\n",))
    writer.start()
    quotes = QuoteFile(path)
    writer.join()
    for _ in range(2):
        assert [quote.text for quote in quotes] == ["We sign.", "They refuse."]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"good\n" * 9000 + b"caf\xe9\n", r"not utf-8 text \(byte 0xE9 at offset 45003\)"),
        (b"good\n" * 9000 + b"a\0b\n", r"NUL byte at offset 45001"),
        ("Ja".encode("utf-16"), "this is UTF-16 text"),
    ],
)
def test_what_is_no_text_is_named_with_its_offset_in_the_file(tmp_path, data, message):
    path = tmp_path / "q.txt"
    path.write_bytes(data)
    with pytest.raises(InputError, match=message):
        list(QuoteFile(path))


def test_a_line_of_invisible_characters_is_named(tmp_path):
    path = tmp_path / "q.txt"
    path.write_text("good\n\n\u200b\n", "utf-8")
    with pytest.raises(InputError, match=r"q\.txt: line 3 has no visible character"):
        list(QuoteFile(path))


@pytest.mark.parametrize("way", ["file", "standard input"])
def test_memory_does_not_grow_with_the_number_of_quotes(tmp_path, monkeypatch, standard_input, way):
    monkeypatch.setattr(stance.quote_file, "_IN_MEMORY", 1 << 16)
    path = tmp_path / "q.jsonl"
    line = json.dumps({"text": "We will sign once the troops leave. " * 4})
    path.write_text(f"{line}\n" * MANY, "utf-8")
    if way == "standard input":
        monkeypatch.setattr(sys, "stdin", path.open())
    tracemalloc.start()
    quotes = QuoteFile(path if way == "file" else "-", jsonl=True)
    assert sum(1 for _ in quotes) == MANY
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert path.stat().st_size > 6e6
    assert peak < 1e6
