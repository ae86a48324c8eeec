"""Joins texts that stay on a user's disk with labels that are published by reference.

The real quotes that the model learned from belong to their publishers, so the project publishes
their labels only: ``data/real/labels.jsonl`` holds an id, the SHA-256 of the text, its source and its
labels. Whoever has the texts joins the two by hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

LABEL_FIELDS: Final = ("stance", "sentiment")
_TAKEN_FIELDS: Final = (*LABEL_FIELDS, "how")


@dataclass(frozen=True, slots=True)
class Join:
    """The outcome of a join.

    Attributes:
        rows: The rows whose text has a label, with it, in their order.
        missing: How many rows had a text without a label; they are not in ``rows``.
        unused: How many labels found no text.
    """

    rows: list[dict[str, Any]]
    missing: int
    unused: int

    def __str__(self) -> str:
        return (
            f"labels by reference: {len(self.rows):,} texts found their labels, "
            f"{self.missing:,} texts have none, {self.unused:,} labels found no text"
        )


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


def join_labels(
    rows: Iterable[Mapping[str, Any]], references: Mapping[str, Mapping[str, Any]]
) -> Join:
    """Gives each row the labels published for its text.

    Args:
        rows: Rows with ``text``; labels that stand in them already are replaced.
        references: As ``read_references`` returns.

    Example:
        >>> text = "We welcome the offer."
        >>> labels = {text_sha256(text): {"stance": "conciliatory", "sentiment": "positive"}}
        >>> join = join_labels([{"text": text}, {"text": "Unknown."}], labels)
        >>> join.rows[0]["stance"], join.missing
        ('conciliatory', 1)
    """
    joined: list[dict[str, Any]] = []
    missing = 0
    used: set[str] = set()
    for row in rows:
        key = text_sha256(str(row.get("text", "")))
        record = references.get(key)
        if record is None:
            missing += 1
            continue
        used.add(key)
        joined.append({**row, **{name: record[name] for name in _TAKEN_FIELDS if name in record}})
    return Join(joined, missing, len(references) - len(used))
