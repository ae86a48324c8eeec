"""Reading articles from files, and writing results as JSON, JSON Lines or CSV.

Text is decoded strictly and its line ends are left alone, so that the offsets of every quote match
the file as it stands on disk. Whatever cannot be read raises ``InputError`` with a message that
names the file, what was tried and what to do; nothing is replaced or skipped in silence.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO, Any, Final, TextIO

from stance.model.inputs import is_blank
from stance.types import RECORD_COLUMNS, Analysis, Prediction, Quote

STANDARD_INPUT: Final = "-"
STANDARD_INPUT_NAME: Final = "standard input"

QUOTE_COLUMNS: Final[tuple[str, ...]] = RECORD_COLUMNS[: RECORD_COLUMNS.index("text") + 1]

# What a table says in place of a stance below ``min_confidence``; JSON has null.
UNDECIDED: Final = "undecided"

# A spreadsheet runs a cell that begins with one of these as a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

# UTF-32 stands first: its little-endian mark begins with that of UTF-16.
_BYTE_ORDER_MARKS: Final[tuple[tuple[bytes, str], ...]] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class InputError(ValueError):
    """A file that cannot be read as text, or a line of it that is not what it should be."""


@dataclass(frozen=True, slots=True)
class Article:
    """A text and where it came from.

    Attributes:
        name: The path as given, or ``standard input``.
        text: The decoded text without a byte order mark; line ends as in the file.
    """

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class QuoteInput:
    """One quote to label.

    Attributes:
        text: The words of the quote, never without a visible character.
        context: The sentence it stood in, or None.
        spans: Where the article holds the words, as in ``Quote``; empty for unknown.
    """

    text: str
    context: str | None = None
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One input with what was found in it: what the writers and renderers take.

    Attributes:
        name: The file's name, or None when the quotes were given as strings.
        article: The whole text, or None when single quotes were labelled.
        items: Quotes (of ``split``) or predictions (of ``analyze`` or ``classify``), in order.
    """

    name: str | None
    article: str | None
    items: tuple[Quote | Prediction, ...]

    @property
    def is_predicted(self) -> bool:
        """Whether the items carry labels; False for a document without items."""
        return bool(self.items) and isinstance(self.items[0], Prediction)

    def to_dict(self) -> dict[str, Any]:
        """Returns ``file``, ``article`` and ``quotes`` as JSON-ready values."""
        quotes = [item.to_dict() for item in self.items]
        return {"file": self.name, "article": self.article, "quotes": quotes}


Results = Document | Analysis | Prediction | Quote | Sequence["Results"]


def as_documents(results: Results) -> list[Document]:
    """Returns the results of this library's functions as documents.

    Args:
        results: A document, an analysis, one prediction or quote, or a sequence of these.
            Predictions and quotes that follow each other form one document without an article.

    Raises:
        TypeError: Something else is among them.
    """
    if isinstance(results, Document):
        return [results]
    if isinstance(results, Analysis):
        return [Document(None, results.article, results.predictions)]
    if isinstance(results, (Prediction, Quote)):
        return [Document(None, None, (results,))]
    if isinstance(results, (str, bytes, Mapping)) or not isinstance(results, Iterable):
        raise TypeError(f"expected the result of stance functions, got {type(results).__name__}")
    documents: list[Document] = []
    loose: list[Quote | Prediction] = []
    for result in results:
        if isinstance(result, (Prediction, Quote)):
            loose.append(result)
            continue
        if loose:
            documents.append(Document(None, None, tuple(loose)))
            loose = []
        documents.extend(as_documents(result))
    if loose or not documents:
        documents.append(Document(None, None, tuple(loose)))
    return documents


def check_encoding(name: str) -> str:
    """Returns the normal name of a text encoding.

    Raises:
        ValueError: Python knows no text encoding of that name.
    """
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        info = None
    # base64, zip and the like are codecs too, but from bytes to bytes.
    if info is None or not getattr(info, "_is_text_encoding", True):
        raise ValueError(f"unknown text encoding {name!r}; try utf-8, latin-1, cp1252 or utf-16")
    return info.name


def is_wide(codec: str) -> bool:
    """Whether an encoding, by its normal name, takes two or four bytes a character."""
    return codec.startswith(("utf-16", "utf-32"))


def check_byte_order_mark(data: bytes, name: str) -> None:
    """Rejects a file whose first bytes, in ``data``, say that it is UTF-16 or UTF-32.

    Raises:
        InputError: They do; the message says which.
    """
    for mark, wide in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise InputError(f"{name}: this is {wide.upper()} text; add --encoding {wide}")


def decode(data: bytes, *, name: str, encoding: str = "utf-8") -> str:
    """Returns ``data`` as text, without a byte order mark and with its line ends untouched.

    Args:
        data: The whole content of a file.
        name: What to call the file in an error message.
        encoding: Any text encoding of Python's.

    Raises:
        InputError: The data are binary or not in ``encoding``.
        ValueError: The encoding is unknown.
    """
    codec = check_encoding(encoding)
    if not is_wide(codec):
        check_byte_order_mark(data, name)
        position = data.find(b"\0")
        if position >= 0:
            raise InputError(f"{name}: binary data, not text (NUL byte at offset {position})")
    try:
        text = data.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError as error:
        byte = data[error.start] if error.start < len(data) else 0
        raise InputError(
            f"{name}: not {encoding} text (byte 0x{byte:02X} at offset {error.start}); "
            "name its encoding, for example --encoding cp1252"
        ) from error
    except UnicodeError as error:
        raise InputError(f"{name}: not {encoding} text ({error})") from error
    if "\0" in text:
        raise InputError(f"{name}: binary data, not text (NUL character)")
    return text.removeprefix("\ufeff")


def _read_bytes(path: str | Path) -> bytes:
    if str(path) == STANDARD_INPUT:
        if sys.stdin is None:
            raise InputError(f"{STANDARD_INPUT_NAME}: is closed")
        return _read_all(sys.stdin.buffer, STANDARD_INPUT_NAME)
    with open_binary(path) as file:
        return _read_all(file, str(path))


def _read_all(file: IO[bytes], name: str) -> bytes:
    try:
        return file.read()
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({reason_of(error)})") from error


def open_binary(path: str | Path) -> IO[bytes]:
    """Opens a file for reading.

    Raises:
        InputError: There is none, it is a folder, or it cannot be read.
    """
    try:
        return Path(path).open("rb")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: is a folder; name the files in it") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({reason_of(error)})") from error


def reason_of(error: Exception) -> str:
    """Returns why a file could not be opened or read, in the system's words."""
    return getattr(error, "strerror", None) or str(error)


def input_name(path: str | Path) -> str:
    """Returns what to call an input in a message."""
    return STANDARD_INPUT_NAME if str(path) == STANDARD_INPUT else str(path)


def read_article(path: str | Path, *, encoding: str = "utf-8") -> Article:
    """Returns the text of one file.

    Args:
        path: A file, or ``-`` for standard input.
        encoding: The file's text encoding.

    Raises:
        InputError: The file is missing, a folder, unreadable, binary or not in ``encoding``.
        ValueError: The encoding is unknown.
    """
    check_encoding(encoding)
    name = input_name(path)
    return Article(name, decode(_read_bytes(path), name=name, encoding=encoding))


def read_articles(
    paths: Iterable[str | Path],
    *,
    encoding: str = "utf-8",
    on_error: Callable[[InputError], None] | None = None,
) -> Iterator[Article]:
    """Yields the articles in ``paths`` in order, each read when it is asked for.

    Args:
        paths: Files; ``-`` is standard input, once at most.
        encoding: The text encoding of all of them.
        on_error: Called with the error of each file that cannot be read, which is then passed over;
            None raises the first.

    Yields:
        One article a readable file, empty ones included.

    Raises:
        InputError: A file cannot be read and ``on_error`` is None.
        ValueError: The encoding is unknown.
    """
    check_encoding(encoding)
    has_read_input = False
    for path in paths:
        try:
            if str(path) == STANDARD_INPUT:
                if has_read_input:
                    raise InputError(f"{STANDARD_INPUT_NAME}: named twice, but can be read once")
                has_read_input = True
            article = read_article(path, encoding=encoding)
        except InputError as error:
            if on_error is None:
                raise
            on_error(error)
        else:
            yield article


def parse_quote(line: str, place: str) -> QuoteInput:
    """Returns the quote in a line of JSON.

    Args:
        line: An object with ``text`` and, if wanted, ``context`` and the ``spans`` of ``split``,
            which are left out where they do not fit the text; or a string.
        place: What to call the line in an error message.

    Raises:
        InputError: It is neither.
    """
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place} is not JSON ({error})") from error
    if isinstance(value, str):
        value = {"text": value}
    if not isinstance(value, dict):
        raise InputError(f'{place} is a {type(value).__name__}, not an object with "text"')
    text, context = value.get("text"), value.get("context")
    if not isinstance(text, str) or not text.strip():
        raise InputError(f'{place} has no "text", or an empty one')
    if context is not None and not isinstance(context, str):
        raise InputError(f'{place}: "context" is a {type(context).__name__}, not a string')
    if has_lone_surrogates(text) or has_lone_surrogates(context or ""):
        raise InputError(f"{place} holds half a surrogate pair, which is no character")
    check_visible(text, place)
    return QuoteInput(text, context or None, _spans(value.get("spans"), text))


def _spans(value: Any, text: str) -> tuple[tuple[int, int], ...]:
    """Returns the spans of a quote read from JSON, or none where its text is not made of them."""
    try:
        spans = tuple((int(start), int(end)) for start, end in value)
    except (TypeError, ValueError, OverflowError):
        return ()
    fits = all(start < end for start, end in spans)
    return spans if fits and sum(b - a + 1 for a, b in spans) == len(text) + 1 else ()


def check_visible(text: str, place: str) -> None:
    """Rejects a quote that has no visible character.

    Raises:
        InputError: It has none; the message begins with ``place``.
    """
    if is_blank(text):
        raise InputError(f"{place} has no visible character: {text!r}")


def has_lone_surrogates(text: str) -> bool:
    """Whether ``text`` holds code points that no encoding can write."""
    return _SURROGATE.search(text) is not None


def _dumps(value: object, *, indent: int | None = None) -> str:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return json.dumps(value, indent=indent) if has_lone_surrogates(text) else text


def write_json(documents: Iterable[Document], stream: TextIO) -> None:
    """Writes one JSON list, an element as soon as its document is there.

    Args:
        documents: Those with an article become one object ``{"file", "article", "quotes"}``
            each; of those without (quotes labelled singly) every prediction is an element.
        stream: A text stream that takes any character.
    """
    has_written = False
    for document in documents:
        if document.article is not None:
            values = [document.to_dict()]
        else:
            values = [item.to_dict() for item in document.items]
        for value in values:
            stream.write(",\n" if has_written else "[\n")
            stream.write(_dumps(value, indent=2))
            has_written = True
    stream.write("\n]\n" if has_written else "[]\n")


def write_jsonl(documents: Iterable[Document], stream: TextIO) -> None:
    """Writes one JSON object a line and quote: ``file``, then the quote's or prediction's own keys.

    Args:
        documents: A document without quotes writes nothing.
        stream: A text stream that takes any character.

    Example:
        >>> import sys
        >>> quote = Quote("We will sign", 1, 13, ((1, 13),), "direct")
        >>> write_jsonl(as_documents(quote), sys.stdout)  # doctest: +ELLIPSIS
        {"file": null, "text": "We will sign", "start": 1, "end": 13, "spans": [[1, 13]], ...}
    """
    for document in documents:
        for item in document.items:
            stream.write(_dumps({"file": document.name, **item.to_dict()}) + "\n")


def write_csv(
    documents: Iterable[Document], stream: TextIO, *, columns: Sequence[str] | None = None
) -> None:
    """Writes one row a quote, with ``file`` before the columns of ``Prediction.to_record``.

    A cell whose text begins like a spreadsheet formula (``= + - @``) gets an apostrophe in front,
    since the words of an article are not to be run, and half a surrogate pair becomes a question
    mark; JSON Lines keeps every character. A stance below ``min_confidence`` is written as
    "undecided".

    Args:
        documents: All of one kind: split, or labelled by one model.
        stream: A text stream opened with ``newline=""``.
        columns: The columns after ``file`` where there is no quote at all; None for
            ``RECORD_COLUMNS``.
    """
    rows = ((document.name, _record(item)) for document in documents for item in document.items)
    first = next(rows, None)
    names = list(first[1]) if first is not None else list(columns or RECORD_COLUMNS)
    # The line end of RFC 4180. With a bare "\n" the csv module would leave a carriage return inside
    # a quote unprotected, and the row would break there.
    writer = csv.DictWriter(stream, ["file", *names], lineterminator="\r\n")
    writer.writeheader()
    for name, record in chain([first] if first is not None else [], rows):
        row = {"file": name, **record}
        writer.writerow({key: _safe_cell(value) for key, value in row.items()})


def _record(item: Quote | Prediction) -> dict[str, Any]:
    if isinstance(item, Prediction):
        return {**item.to_record(), "stance": item.stance or UNDECIDED}
    speaker, cue = item.speaker, item.cue
    return {
        "start": item.start,
        "end": item.end,
        "kind": item.kind,
        "speaker": speaker.name if speaker is not None else None,
        "role": speaker.role if speaker is not None else None,
        "mention": speaker.mention if speaker is not None else None,
        "speaker_confidence": speaker.confidence if speaker is not None else None,
        "cue": cue.text if cue is not None else None,
        "text": item.text,
    }


def _safe_cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # A file name that is not UTF-8 holds such halves, and no file can hold them.
    text = value.encode("utf-8", "replace").decode("utf-8")
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text
