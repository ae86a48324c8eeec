"""Reading labelled rows from JSON lines, with errors that name the file and the line."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from stance.evaluation.keywords import CONDITION
from stance.evaluation.schema import HEADS
from stance.references import join_rows, text_sha256

#: The first of these that is filled in every row groups the rows for resampling: rows that share a
#: situation, a source document or an article are not independent of each other.
GROUP_FIELDS: Final = ("situation", "source", "article", "group")
#: Fields whose few values become slices of a report, beside the length bands and the tags.
SLICE_FIELDS: Final = ("register", "kind", "how", "hard", "genre", "swap")
LONGEST_NAME: Final = 60
IF: Final = re.compile(r"\bif\b", re.IGNORECASE)


class DataError(ValueError):
    """The data cannot be evaluated; the message names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled quote.

    Attributes:
        id: Unique within its file.
        text: The quote.
        context: The sentence or sentences it stood in; empty when there is none.
        labels: Head to gold label.
        tags: Names of slices the row belongs to.
        slices: Field to value, for the slices of a report.
        fields: The whole row as read.
        file: Name of the file without its ending.
        line: Line number in the file, from 1.
    """

    id: str
    text: str
    context: str
    labels: dict[str, str]
    tags: tuple[str, ...]
    slices: dict[str, str]
    fields: dict[str, Any]
    file: str
    line: int

    @property
    def sha256(self) -> str:
        """SHA-256 of the UTF-8 text, in hex."""
        return text_sha256(self.text)


@dataclass(frozen=True, slots=True)
class RowSet:
    """The rows of one data set, with the files they came from.

    Attributes:
        rows: In file order.
        files: Each file with its SHA-256 and number of rows.
        warnings: What a reader of the figures must know about these rows.
    """

    rows: tuple[Row, ...]
    files: tuple[tuple[Path, str, int], ...]
    warnings: tuple[str, ...] = field(default=())

    def groups(self, *first: str) -> tuple[str, list[str]] | None:
        """Returns the grouping field and each row's group, or None for independent rows.

        Args:
            first: Fields to try before ``GROUP_FIELDS``.
        """
        for name in (*first, *GROUP_FIELDS):
            values = [row.fields.get(name) for row in self.rows]
            if all(isinstance(value, str) and value for value in values):
                names = [str(value) for value in values]
                if 1 < len(set(names)) < len(names):
                    return name, names
        return None

    def counts(self) -> dict[str, dict[str, int]]:
        """Returns how often each label of each head occurs, in label order."""
        return {
            head: {name: sum(row.labels[head] == name for row in self.rows) for name in labels}
            for head, labels in HEADS.items()
        }


def read_rows(
    paths: Sequence[Path],
    *,
    required: Sequence[str] = (),
    references: Mapping[str, Mapping[str, Any]] | None = None,
) -> RowSet:
    """Reads and checks labelled rows.

    Args:
        paths: JSON-lines files; each row needs ``text``, ``stance`` and ``sentiment``.
        required: Further fields every row must fill with text.
        references: Labels by hash of the text (``stance.references``), which replace those of the
            rows; rows whose text has none are left out, and a warning counts them.

    Returns:
        The rows of all files. Rows without ``id`` are named after their file and line.

    Raises:
        DataError: A file is missing, unreadable, empty or not UTF-8; a line is not a JSON object;
            a field is missing or has the wrong type; a label is unknown; an id occurs twice.
    """
    rows: list[Row] = []
    files: list[tuple[Path, str, int]] = []
    warnings: list[str] = []
    seen: dict[str, str] = {}
    for path in paths:
        raw = read_bytes(path)
        objects = read_objects(path, raw)
        if not objects:
            raise DataError(f"{path}:1: no rows in this file")
        if references is not None:
            objects, summary = join_rows(objects, references)
            if not objects:
                raise DataError(f"{path}: {summary}")
            warnings.append(f"{path.name}: {summary}")
        found = _rows_of(path, objects, required, seen)
        rows.extend(found)
        files.append((path, hashlib.sha256(raw).hexdigest(), len(found)))
    for head in HEADS:
        present = {row.labels[head] for row in rows}
        if len(present) == 1:
            names = ", ".join(path.name for path in paths)
            warnings.append(
                f"{names}: every row has the {head} {next(iter(present))!r}; the metrics that "
                "compare labels are undefined"
            )
    return RowSet(tuple(rows), tuple(files), tuple(warnings))


def read_bytes(path: Path) -> bytes:
    """Returns a file's bytes.

    Raises:
        DataError: It is missing, a directory or not readable.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: is a directory, not a file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def read_objects(path: Path, raw: bytes) -> list[tuple[int, dict[str, Any]]]:
    """Returns the JSON object of each line that is not blank, with its line number from 1.

    Raises:
        DataError: The bytes are not UTF-8, or a line is not a JSON object.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = raw.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path}:{at}: not UTF-8 (byte {raw[error.start]:#04x})") from None
    objects = []
    # Only "\n" ends a JSON line: str.splitlines would also cut at U+2028 inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (json.JSONDecodeError, RecursionError) as error:
            what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
            raise DataError(f"{path}:{number}: not JSON ({what})") from None
        if not isinstance(value, dict):
            raise DataError(f"{path}:{number}: a row must be an object, not {_kind(value)}")
        objects.append((number, value))
    return objects


def _rows_of(
    path: Path,
    objects: Sequence[tuple[int, dict[str, Any]]],
    required: Sequence[str],
    seen: dict[str, str],
) -> list[Row]:
    rows = []
    for number, fields in objects:
        row = row_of(fields, path, number, required=required)
        where = f"{path}:{number}"
        if row.id in seen:
            raise DataError(f"{where}: the id {row.id!r} occurs twice (first at {seen[row.id]})")
        seen[row.id] = where
        rows.append(row)
    return rows


def row_of(fields: dict[str, Any], path: Path, number: int, *, required: Sequence[str] = ()) -> Row:
    """Returns a labelled row from its JSON object, checked.

    Args:
        fields: The object.
        path: Its file, for messages and for an id where there is none.
        number: Its line from 1.
        required: Fields that must be text, beside the text and its labels.

    Raises:
        DataError: A field is missing or has the wrong type, or a label is unknown.
    """
    where = f"{path}:{number}"
    for name in ("text", *HEADS, *required):
        value = fields.get(name)
        if value is None:
            raise DataError(f"{where}: the field {name!r} is missing")
        if not isinstance(value, str) or not value.strip():
            raise DataError(f"{where}: {name!r} must be text that is not blank, not {value!r}")
    for head, labels in HEADS.items():
        if fields[head] not in labels:
            known = ", ".join(labels)
            raise DataError(f"{where}: unknown {head} {fields[head]!r}; known: {known}")
    return _row(fields, _id_of(fields, path, number, where), path, number, where)


def _id_of(fields: dict[str, Any], path: Path, number: int, where: str) -> str:
    value = fields.get("id")
    if value is None:
        return f"{path.stem}:{number}"
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise DataError(f"{where}: 'id' must be text or a whole number, not {value!r}")
    return str(value)


def _row(fields: dict[str, Any], name: str, path: Path, number: int, where: str) -> Row:
    context = fields.get("context")
    if context is not None and not isinstance(context, str):
        raise DataError(f"{where}: 'context' must be text, not {_kind(context)}")
    tags = fields.get("tags") or []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise DataError(f"{where}: 'tags' must be a list of texts, not {tags!r}")
    slices = {
        "length": length_band(fields["text"]),
        "condition words": condition_words(fields["text"]),
        "context": "yes" if context else "no",
    }
    for key in SLICE_FIELDS:
        value = fields.get(key)
        if isinstance(value, bool):
            slices[key] = "yes" if value else "no"
        elif isinstance(value, str) and value and len(value) <= LONGEST_NAME:
            slices[key] = value
    labels = {head: fields[head] for head in HEADS}
    return Row(
        id=name,
        text=fields["text"],
        context=context or "",
        labels=labels,
        tags=tuple(dict.fromkeys(tags)),
        slices=slices,
        fields=fields,
        file=path.stem,
        line=number,
    )


def length_band(text: str) -> str:
    """Returns the length band of a quote: the thirds that the authored data is written in."""
    words = len(text.split())
    if words <= 18:
        return "up to 18 words"
    return "19 to 38 words" if words <= 38 else "39 words and more"


def condition_words(text: str) -> str:
    """Returns whether a quote has an "if", else whether it has another word that may open one."""
    if IF.search(text):
        return "if"
    return "another (unless, once, until …)" if CONDITION.search(text) else "none"


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__
