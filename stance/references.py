"""Joins texts that stay on a user's disk with labels that are published by reference.

The real quotes that the model learned from belong to their publishers, so the project publishes
their labels only: ``data/real/labels.jsonl`` holds an id, the SHA-256 of the text, its source and
its labels. Whoever has the texts joins the two by hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

LABEL_FIELDS: Final = ("stance", "sentiment")
_TAKEN_FIELDS: Final = (*LABEL_FIELDS, "how")


def text_sha256(text: str) -> str:
    """Returns the hash by which a text is known, 64 hexadecimal digits of its UTF-8 bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read_references(path: Path) -> dict[str, dict[str, Any]]:
    """Reads labels by reference.

    Args:
        path: JSON lines with ``sha256``, ``stance`` and ``sentiment``.

    Returns:
        Hash of a text to its record.

    Raises:
        ValueError: The file is missing or a line is no such record; the message names the line.
    """
    if not path.is_file():
        raise ValueError(f"no such file of labels: {path}")
    records: dict[str, dict[str, Any]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: not JSON: {error.msg}") from error
        if not isinstance(record, dict) or not {"sha256", *LABEL_FIELDS} <= set(record):
            raise ValueError(f"{path}, line {number}: needs sha256, stance and sentiment")
        records[record["sha256"]] = record
    return records


def label_row(
    row: Mapping[str, Any], references: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any] | None:
    """Returns a row with the labels published for its text, or None when there are none.

    Args:
        row: Has ``text``; labels that stand in it already are replaced.
        references: As ``read_references`` returns.

    Example:
        >>> text = "We welcome the offer."
        >>> labels = {text_sha256(text): {"stance": "conciliatory", "sentiment": "positive"}}
        >>> label_row({"text": text}, labels)["stance"]
        'conciliatory'
        >>> label_row({"text": "Unknown."}, labels) is None
        True
    """
    record = references.get(text_sha256(str(row.get("text", ""))))
    if record is None:
        return None
    return {**row, **{name: record[name] for name in _TAKEN_FIELDS if name in record}}


def join_rows(
    numbered: Sequence[tuple[int, dict[str, Any]]],
    references: Mapping[str, Mapping[str, Any]],
) -> tuple[list[tuple[int, dict[str, Any]]], str]:
    """Returns the rows whose text has published labels, with them, and a line on how many.

    Args:
        numbered: Line number and row.
        references: As ``read_references`` returns.
    """
    found = []
    for number, row in numbered:
        labelled = label_row(row, references)
        if labelled is not None:
            found.append((number, labelled))
    return found, join_summary(len(found), len(numbered) - len(found), len(references))


def join_summary(found: int, missing: int, references: int) -> str:
    """Returns one line that says how a join went, for a log or a report.

    Args:
        found: Rows whose text has labels.
        missing: Rows whose text has none; they are left out.
        references: Labels in the file.
    """
    return (
        f"labels by reference: {found:,} texts found their labels, {missing:,} have none and are "
        f"left out, {references - found:,} labels found no text"
    )
