"""Quotes of a file or of standard input, parsed line by line, as often as they are asked for.

A file of a million quotes is checked to its end before the first is labelled, without ever being in
memory as a whole; what can be read only once is kept in an unnamed temporary file.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from stance.io import (
    STANDARD_INPUT,
    InputError,
    QuoteInput,
    check_byte_order_mark,
    check_encoding,
    check_visible,
    decode,
    input_name,
    is_wide,
    open_binary,
    parse_quote,
    reason_of,
)

# Standard input up to this size stays in memory.
_IN_MEMORY: Final = 8 << 20


class QuoteFile:
    """The quotes of a file: one a line, or one JSON object a line.

    Only one iteration may be under way at a time.

    Args:
        path: A file, or ``-`` for standard input. Blank lines hold no quote.
        encoding: The file's text encoding.
        jsonl: Whether each line is JSON: an object with ``text`` and, if wanted, ``context``
            and ``spans`` (other keys are ignored, so the output of ``stance split --format jsonl``
            will do), or a string. None decides by the ending: ``.jsonl`` and ``.ndjson`` are.

    Raises:
        InputError: The file cannot be opened, or is of another kind. Iterating raises the same when
            the file cannot be read or a line is not as described; the message names it.
        ValueError: The encoding is unknown.
    """

    def __init__(
        self, path: str | Path, *, encoding: str = "utf-8", jsonl: bool | None = None
    ) -> None:
        self._codec = check_encoding(encoding)
        self._encoding = encoding
        self.name = input_name(path)
        suffix = Path(path).suffix.lower()
        if jsonl is None:
            if suffix == ".json":
                raise InputError(
                    f"{self.name}: give JSON Lines, one object a line, in a .jsonl file"
                )
            jsonl = suffix in {".jsonl", ".ndjson"}
        self._is_jsonl = jsonl
        self._file = _open(path)
        weakref.finalize(self, self._file.close)
        if not is_wide(self._codec):
            check_byte_order_mark(self._file.read(4), self.name)

    def __iter__(self) -> Iterator[QuoteInput]:
        for number, line in self._lines():
            if self._is_jsonl:
                yield parse_quote(line, f"{self.name}: line {number}")
            else:
                check_visible(line, f"{self.name}: line {number}")
                yield QuoteInput(line)

    def _lines(self) -> Iterator[tuple[int, str]]:
        """Yields the number and the stripped text of each line that is not blank."""
        self._file.seek(0)
        codec = "utf-8-sig" if self._codec == "utf-8" else self._codec
        # Line ends are \n, \r\n and \r; U+2028 and form feeds may stand inside a quote.
        reader = io.TextIOWrapper(self._file, encoding=codec, newline=None)
        try:
            for number, line in enumerate(reader, 1):
                if "\0" in line:
                    raise UnicodeError("a NUL character")
                stripped = (line.removeprefix("\ufeff") if number == 1 else line).strip()
                if stripped:
                    yield number, stripped
        except UnicodeError as error:
            self._explain(error)
        except OSError as error:
            raise InputError(f"{self.name}: cannot be read ({reason_of(error)})") from error
        finally:
            # The next iteration goes on with the file, which the wrapper would close.
            reader.detach()

    def _explain(self, error: UnicodeError) -> None:
        """Raises the error of what is no text, with its offset in the file."""
        self._file.seek(0)
        decode(self._file.read(), name=self.name, encoding=self._encoding)
        raise InputError(f"{self.name}: not {self._encoding} text ({error})") from error


def _open(path: str | Path) -> IO[bytes]:
    name = input_name(path)
    if str(path) == STANDARD_INPUT:
        if sys.stdin is None:
            raise InputError(f"{name}: is closed")
        return _kept(sys.stdin.buffer, name)
    file = open_binary(path)
    # A pipe can be read once.
    return file if Path(path).is_file() else _kept(file, name)


def _kept(stream: IO[bytes], name: str) -> IO[bytes]:
    """Returns what is left of a stream as a file that can be read again."""
    try:
        start = stream.read(_IN_MEMORY)
        if len(start) < _IN_MEMORY:
            return io.BytesIO(start)
        kept = tempfile.TemporaryFile()
        kept.write(start)
        shutil.copyfileobj(stream, kept)
        kept.seek(0)
        return kept
    except OSError as error:
        raise InputError(f"{name}: cannot be read ({reason_of(error)})") from error
