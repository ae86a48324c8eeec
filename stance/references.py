"""Joins texts that stay on a user's disk with labels that are published by reference.

The real quotes that the model learned from belong to their publishers, so the project publishes
their labels only: ``data/real/labels.jsonl`` holds an id, the SHA-256 of the text, its source and
its labels. Whoever has the texts joins the two by hash. Quotes of articles are published as offsets
into the article (``data/real/news_labels.jsonl``) and cut out of whoever's copy of it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, Final

from stance.labels import SENTIMENTS, STANCES

LABEL_FIELDS: Final = ("stance", "sentiment")
_KNOWN_LABELS: Final = {"stance": STANCES, "sentiment": SENTIMENTS}
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
        ValueError: The file is missing, a line is no such record, or two lines give one text
            different labels; the message names the line.
    """
    records: dict[str, dict[str, Any]] = {}
    for number, record in _label_records(path, ("sha256", *LABEL_FIELDS)):
        known = records.setdefault(record["sha256"], record)
        if any(known[field] != record[field] for field in LABEL_FIELDS):
            raise ValueError(
                f"{path}, line {number}: an earlier line has other labels for the text"
            )
    return records


def read_records(path: Path, what: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the objects of a JSON Lines file with their line numbers, reading line by line.

    Args:
        path: The file; compressed where its name ends in ".gz". Blank lines hold no object.
        what: What to call the file where there is none, such as "file of labels".

    Raises:
        ValueError: The file is missing, damaged or not UTF-8, or a line is no JSON object; the
            message names the line.
    """
    if not path.is_file():
        raise ValueError(f"no such {what}: {path}")
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line, f"{path}, line {number}")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def _object(line: str, place: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: not JSON: {getattr(error, 'msg', error)}") from error
    if not isinstance(record, dict):
        raise ValueError(f"{place}: a JSON object is needed")
    return record


def _label_records(path: Path, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the records of a file of labels with their line numbers, the labels checked.

    Labels that are not ``needed`` are not looked at.

    Raises:
        ValueError: As in ``read_records``; or a record lacks a key or has an unknown label.
    """
    for number, record in read_records(path, "file of labels"):
        place = f"{path}, line {number}"
        if not set(needed) <= set(record):
            raise ValueError(f"{place}: needs {', '.join(needed)}")
        if not isinstance(record["sha256"], str):
            raise ValueError(f"{place}: sha256 must be a string, not {record['sha256']!r}")
        for field, labels in _KNOWN_LABELS.items():
            if field in needed and record[field] not in labels:
                raise ValueError(
                    f"{place}: {field} is {record[field]!r}, not one of {list(labels)}"
                )
        yield number, record


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


def read_article_references(path: Path, *, labelled: bool = True) -> list[dict[str, Any]]:
    """Reads quotes that are cut out of articles by offsets, with their labels.

    Args:
        path: JSON lines with ``article`` (its id), ``spans`` (pairs of offsets into its text),
            ``sha256`` (of the quote's text), ``stance`` and ``sentiment``; ``context`` (a pair of
            offsets), ``id``, ``how`` and ``split`` may be there.
        labelled: Whether the labels must be there.

    Raises:
        ValueError: The file is missing or a line is no such record; the message names the line.
    """
    records = []
    needed = ("article", "spans", "sha256", *(LABEL_FIELDS if labelled else ()))
    for number, record in _label_records(path, needed):
        check_offsets(record, f"{path}, line {number}")
        records.append(record)
    return records


def check_offsets(record: Mapping[str, Any], place: str) -> None:
    """Checks the ``spans`` and, where there is one, the ``context`` of a quote in an article.

    Raises:
        ValueError: They are no offsets; the message begins with ``place``.
    """
    ranges, context = record.get("spans"), record.get("context")
    if not (isinstance(ranges, list) and ranges and all(map(_is_range, ranges))):
        raise ValueError(f"{place}: spans must be pairs of offsets: {ranges!r}")
    if context is not None and not _is_range(context):
        raise ValueError(f"{place}: context must be a pair of offsets: {context!r}")


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(offset, int) and not isinstance(offset, bool) for offset in value)
        and 0 <= value[0] < value[1]
    )


def read_articles(path: Path, wanted: Set[str]) -> dict[str, str]:
    """Returns the texts of some articles by id, reading line by line.

    Args:
        path: JSON lines with ``id`` and ``text``; compressed where its name ends in ".gz".
        wanted: The ids to keep.

    Raises:
        ValueError: The file is missing, damaged, or a line is no such record.
    """
    texts: dict[str, str] = {}
    for number, article in read_records(path, "file of articles"):
        if "id" not in article or not isinstance(article.get("text"), str):
            raise ValueError(f"{path}, line {number}: needs id and text")
        if str(article["id"]) in wanted:
            texts[str(article["id"])] = article["text"]
    return texts


def cut_quotes(
    records: Sequence[Mapping[str, Any]], articles: Path
) -> tuple[list[tuple[Mapping[str, Any], dict[str, str]]], str]:
    """Cuts quotes out of articles on the user's disk and checks each by its hash.

    Args:
        records: As ``read_article_references`` returns.
        articles: As ``read_articles`` reads them.

    Returns:
        Each record whose quote was found, with ``text``, ``context`` and ``source`` (the article);
        and a line on how many there are. The context has the quote replaced by "[…]", as the
        classifier reads it.

    Raises:
        ValueError: The file of articles is missing or bad.
    """
    from stance.model.inputs import replace_quote

    texts = read_articles(articles, {str(record["article"]) for record in records})
    found = []
    missing = differing = 0
    for record in records:
        article = texts.get(str(record["article"]))
        if article is None:
            missing += 1
            continue
        pieces = [article[start:end] for start, end in record["spans"]]
        text = " ".join(pieces)
        if text_sha256(text) != record["sha256"]:
            differing += 1
            continue
        first, last = record.get("context") or (0, 0)
        context = replace_quote(article[first:last], text, pieces)
        found.append((record, {"text": text, "context": context, "source": str(record["article"])}))
    summary = (
        f"{len(found):,} of {len(records):,} quotes cut out of {articles}; "
        f"{missing:,} have no article there, {differing:,} a text that is not the one meant"
    )
    return found, summary


def join_articles(labels: Path, articles: Path) -> tuple[list[dict[str, Any]], str]:
    """Returns the labelled quotes of articles on the user's disk.

    Args:
        labels: As ``read_article_references`` reads them.
        articles: As ``read_articles`` reads them.

    Returns:
        Rows with ``text``, ``context``, ``stance``, ``sentiment`` and ``source`` (the article), and
        the fields ``id``, ``how`` and ``split`` that the label has; and a line on how many there
        are.

    Raises:
        ValueError: A file is missing or bad, or no quote was found.
    """
    found, cut = cut_quotes(read_article_references(labels), articles)
    summary = f"{labels}: {cut}"
    if not found:
        raise ValueError(summary)
    taken = ("id", "split", *_TAKEN_FIELDS)
    return [
        {**row, **{name: record[name] for name in taken if name in record}} for record, row in found
    ], summary
