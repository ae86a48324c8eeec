"""Reads labelled quotes for training: the authored corpus and further JSONL files.

A row needs ``text``, ``stance`` and ``sentiment``; ``context`` may give the sentence it stands in,
and ``source`` the document, by which a further file's validation share is cut off.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from stance.labels import SENTIMENTS, STANCES
from stance.model.encoder import file_sha256
from stance.model.finetune import Example
from stance.references import join_rows, read_references

TASKS: Final[dict[str, tuple[str, ...]]] = {"stance": STANCES, "sentiment": SENTIMENTS}
# Part of each further file that is kept for validation, by document.
EXTRA_VALIDATION_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that was read, and what it was used for.

    Attributes:
        path: The file.
        use: "train", "validation", or "train and validation".
        rows: How many rows it holds.
        sha256: Hash of its bytes.
    """

    path: Path
    use: str
    rows: int
    sha256: str

    def to_dict(self, root: Path) -> dict[str, Any]:
        """Returns JSON-ready facts; a file outside ``root`` is named without its folder."""
        resolved = self.path.resolve()
        inside = resolved.is_relative_to(root)
        name = resolved.relative_to(root).as_posix() if inside else resolved.name
        return {"file": name, "use": self.use, "rows": self.rows, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Corpus:
    """The examples of a run.

    Attributes:
        train: To learn from.
        validation: Named sets that choose the epoch.
        files: What was read.
        has_real_quotes: Whether files beyond the authored corpus are in ``train``.
        notes: What a log must say about the reading.
    """

    train: list[Example]
    validation: dict[str, list[Example]]
    files: list[DataFile]
    has_real_quotes: bool
    notes: list[str] = field(default_factory=list)


def load_corpus(
    folder: Path,
    extra: Sequence[Path] = (),
    *,
    labels: Path | None = None,
    how_weights: Mapping[str, float] | None = None,
    extra_weight: float = 1.0,
) -> Corpus:
    """Loads the authored corpus and further files.

    Args:
        folder: Holds ``train.jsonl`` and ``validation.jsonl``.
        extra: Further files; a tenth of the documents of each is validated on and not trained on.
        labels: Labels by reference for them (``stance.references``); None to take their own.
        how_weights: Weight of a row by its field ``how``; 1 for a value that is not named.
        extra_weight: Weight of every row of the further files.

    Raises:
        ValueError: A file is missing, empty, no JSONL, or holds a row without text or with an
            unknown label; the message names file and line.
    """
    train_file, validation_file = folder / "train.jsonl", folder / "validation.jsonl"
    train = [_example(row) for row in read_rows(train_file)]
    validation = {"authored": [_example(row) for row in read_rows(validation_file)]}
    files = [
        DataFile(train_file, "train", len(train), file_sha256(train_file)),
        DataFile(
            validation_file, "validation", len(validation["authored"]), file_sha256(validation_file)
        ),
    ]
    references = read_references(labels) if labels is not None else None
    notes: list[str] = []
    for path in extra:
        rows = read_rows(path, references, notes)
        held_out = is_held_out(rows)
        weights = [extra_weight * (how_weights or {}).get(str(row.get("how")), 1.0) for row in rows]
        train += [
            _example(row, weight)
            for row, weight, kept in zip(rows, weights, held_out, strict=True)
            if not kept
        ]
        name = path.stem if path.stem not in validation else str(path)
        validation[name] = [_example(row) for row, kept in zip(rows, held_out, strict=True) if kept]
        files.append(DataFile(path, "train and validation", len(rows), file_sha256(path)))
    return Corpus(train, validation, files, bool(extra), notes)


def read_rows(
    path: Path,
    references: Mapping[str, Mapping[str, Any]] | None = None,
    notes: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Reads a JSONL file of labelled quotes through ``datasets`` and checks every row.

    Args:
        path: The file.
        references: Labels by hash of the text, which replace those of the rows; a row whose text
            has none is left out.
        notes: Is given a line that says how many rows found labels.

    Returns:
        The rows; ``text``, ``stance``, ``sentiment`` and ``context`` are strings.

    Raises:
        ValueError: The file is missing, empty, no JSONL, or a row is bad; named by line.
    """
    if not path.is_file():
        raise ValueError(f"no such data file: {path}")
    # datasets reports bad JSON without a line number, so lines are looked at first.
    with path.open(encoding="utf-8") as file:
        try:
            lines = [number for number, line in enumerate(file, 1) if _is_row(path, number, line)]
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} is not UTF-8: {error}") from error
    if not lines:
        raise ValueError(f"{path} holds no rows")
    rows = _load(path)
    numbered = list(zip(lines, rows, strict=True))
    if references is not None:
        numbered, found = join_rows(numbered, references)
        summary = f"{path}: {found}"
        if not numbered:
            raise ValueError(summary)
        if notes is not None:
            notes.append(summary)
    for number, row in numbered:
        _check_row(path, number, row)
    return [row for _, row in numbered]


def _is_row(path: Path, number: int, line: str) -> bool:
    if not line.strip():
        return False
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}, line {number}: not JSON: {error.msg}") from error
    if not isinstance(row, dict):
        raise ValueError(f"{path}, line {number}: a JSON object is needed")
    return True


def _load(path: Path) -> list[dict[str, Any]]:
    import tempfile

    from datasets import disable_progress_bars, load_dataset
    from datasets.utils import are_progress_bars_disabled, enable_progress_bars

    were_disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        # A cache of its own, so that nothing is read back from an earlier version of the file.
        with tempfile.TemporaryDirectory() as cache:
            loaded = load_dataset(
                "json", data_files=str(path), split="train", cache_dir=cache, keep_in_memory=True
            )
            return [dict(row) for row in loaded]
    except Exception as error:
        raise ValueError(f"{path} cannot be read as a table: {error}") from error
    finally:
        if not were_disabled:
            enable_progress_bars()


def _check_row(path: Path, number: int, row: dict[str, Any]) -> None:
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{path}, line {number}: text is missing or blank: {text!r}")
    for task, labels in TASKS.items():
        if row.get(task) not in labels:
            raise ValueError(
                f"{path}, line {number}: {task} is {row.get(task)!r}, not one of {list(labels)}"
            )
    context = row.get("context")
    if context is not None and not isinstance(context, str):
        raise ValueError(f"{path}, line {number}: context must be a string, not {context!r}")
    row["context"] = context or ""


def is_held_out(rows: Sequence[Mapping[str, Any]]) -> list[bool]:
    """Tells which rows are for validation: a tenth of the documents, all rows of each together.

    The choice hangs on the document's name alone, so that it is the same in every run and does not
    change when rows are added. A row without ``source`` is its own document.
    """
    names = [str(row.get("source") or row["text"]) for row in rows]
    limit = int(EXTRA_VALIDATION_SHARE * 2**32)
    return [
        int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:4], "big") < limit
        for name in names
    ]


def _example(row: Mapping[str, Any], weight: float = 1.0) -> Example:
    labels = {task: row[task] for task in TASKS}
    return Example(row["text"], labels, row["context"], weight)


def describe(examples: Sequence[Example]) -> str:
    """Returns counts by label in one line a task."""
    lines = []
    for task, names in TASKS.items():
        found = np.array([example.labels.get(task, "") for example in examples])
        counts = ", ".join(f"{int((found == name).sum()):,} {name}" for name in names)
        lines.append(f"{task}: {counts}")
    return "; ".join(lines)
