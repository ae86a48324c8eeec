"""Articles with their gold quotes for the suite ``pipeline``: the seeds and the authored ones."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.evaluation.rows import (
    DataError,
    Row,
    RowSet,
    read_bytes,
    read_objects,
    read_rows,
    row_of,
)


@dataclass(frozen=True, slots=True)
class Stories:
    """Whole articles with the quotes that should be found in them.

    Attributes:
        rows: The gold quotes with their files; ``fields["article"]`` names the article.
        texts: Name of an article to its text.
    """

    rows: RowSet
    texts: dict[str, str]

    def gold(self, article: str) -> list[Row]:
        """Returns the gold quotes of one article, in file order."""
        return [row for row in self.rows.rows if row.fields["article"] == article]


def gold_spans(row: Row) -> list[tuple[int, int]]:
    """Returns the character ranges of a gold row, from ``spans`` or ``start`` and ``end``.

    Raises:
        DataError: They are missing or not ranges.
    """
    spans: Any = row.fields.get("spans") or [[row.fields.get("start"), row.fields.get("end")]]
    try:
        ranges = [(int(start), int(end)) for start, end in spans]
    except (TypeError, ValueError):
        ranges = []
    if not ranges or any(start < 0 or end <= start for start, end in ranges):
        raise DataError(f"row {row.id!r}: 'spans' must be ranges [start, end), not {spans!r}")
    return ranges


def read_seeds(gold_file: Path, folder: Path) -> Stories:
    """Reads rows of single quotes whose articles stand as files in a folder.

    Args:
        gold_file: Rows with article, spans, kind, speaker, stance and sentiment.
        folder: Where the articles are.

    Raises:
        DataError: A row or an article is missing or malformed.
    """
    rows = read_rows([gold_file], required=("article",))
    texts = {}
    for row in rows.rows:
        gold_spans(row)
        article = row.fields["article"]
        if Path(article).name != article:
            raise DataError(f"{gold_file}: the article must be a file name, not {article!r}")
        if article not in texts:
            texts[article] = _decode(folder / article)
    return Stories(rows, texts)


def read_authored(path: Path) -> Stories:
    """Reads articles that hold their quotes: JSON lines with ``id``, ``text`` and ``quotes``.

    Raises:
        DataError: An article or a quote is malformed; the message names file and line.
    """
    raw = read_bytes(path)
    texts: dict[str, str] = {}
    rows: list[Row] = []
    for number, article in read_objects(path, raw):
        where = f"{path}:{number}"
        name, text, quotes = article.get("id"), article.get("text"), article.get("quotes")
        if not isinstance(name, str) or not isinstance(text, str) or not isinstance(quotes, list):
            raise DataError(f"{where}: an article needs 'id', 'text' and a list of 'quotes'")
        if name in texts:
            raise DataError(f"{where}: the id {name!r} occurs twice")
        texts[name] = text
        for place, quote in enumerate(quotes):
            if not isinstance(quote, dict):
                raise DataError(f"{where}: quote {place + 1} must be an object, not {quote!r}")
            fields = {"id": f"{name}-{place + 1:02}", **quote, "article": name}
            row = row_of(fields, path, number)
            if any(end > len(text) for _, end in gold_spans(row)):
                raise DataError(f"{where}: quote {place + 1} ends behind its article")
            rows.append(row)
    if not rows:
        raise DataError(f"{path}: no quotes in this file")
    digest = hashlib.sha256(raw).hexdigest()
    return Stories(RowSet(tuple(rows), ((path, digest, len(rows)),)), texts)


def _decode(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8") from None
