"""Reads labelled quotes for training: the authored corpus and further JSONL files.

A row needs ``text``, ``stance`` and ``sentiment``; ``context`` may give the sentence it stands in,
``condition`` and ``outcome`` the words that state them, ``group`` the minimal edits that belong
together, and ``source`` the document, by which a further file's validation share is cut off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from stance.labels import SENTIMENTS, STANCES
from stance.model.finetune import Example
from stance.model.hashes import file_sha256
from stance.references import (
    check_offsets,
    cut_quotes,
    join_articles,
    join_rows,
    read_records,
    read_references,
    text_sha256,
)

TASKS: Final[dict[str, tuple[str, ...]]] = {"stance": STANCES, "sentiment": SENTIMENTS}
# Stands for the file of the quotes that a teacher alone labels, whatever that is called.
TEACHER_ALONE: Final = "teacher"
# Part of each further file that is kept for validation, by document.
EXTRA_VALIDATION_SHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that was read, and what it was used for.

    Attributes:
        path: The file.
        use: "train", "validation", "train and validation", or "teacher".
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
    news: tuple[Path, Path] | None = None,
    how_weights: Mapping[str, float] | None = None,
    extra_weight: float = 1.0,
    source_weights: Mapping[str, float] | None = None,
) -> Corpus:
    """Loads the authored corpus, further files, and quotes cut out of news articles.

    Args:
        folder: Holds ``train.jsonl``, any further ``train*.jsonl``, and ``validation.jsonl``.
        extra: Further files; a tenth of the documents of each is validated on and not trained on.
        labels: Labels by reference for them (``stance.references``); None to take their own.
        news: Labels by offsets and the file of articles that they point into.
        how_weights: Weight of a row by its field ``how``; 1 for a value that is not named.
        extra_weight: Weight of every row of the further files and of the news quotes.
        source_weights: Weight of every row of a file by the file's name without its ending
            ("train", "train_contrast", "news_labels"); multiplies the others.

    Raises:
        ValueError: A file is missing, empty, no JSONL, or holds a row without text or with an
            unknown label; the message names file and line. A source weight names no file.
    """
    validation_file = folder / "validation.jsonl"
    train_files = [folder / "train.jsonl"]
    train_files += sorted(set(folder.glob("train*.jsonl")) - set(train_files))
    weigh = _Weights(how_weights or {}, source_weights or {})
    train: list[Example] = []
    files: list[DataFile] = []
    for path in train_files:
        rows = read_rows(path)
        train += [_example(row, weigh(path, row), path.stem) for row in rows]
        files.append(DataFile(path, "train", len(rows), file_sha256(path)))
    validation = {"authored": [_example(row) for row in read_rows(validation_file)]}
    count = len(validation["authored"])
    files.append(DataFile(validation_file, "validation", count, file_sha256(validation_file)))
    references = read_references(labels) if labels is not None else None
    notes: list[str] = []
    sources = [(path, read_rows(path, references, notes)) for path in extra]
    if news is not None:
        sources.append((news[0], _news_rows(*news, notes)))
    for path, rows in sources:
        learned, held_out = _divided(rows)
        train += [_example(row, extra_weight * weigh(path, row), path.stem) for row in learned]
        name = path.stem if path.stem not in validation else str(path)
        validation[name] = [_example(row) for row in held_out]
        used = len(learned) + len(held_out)
        files.append(DataFile(path, "train and validation", used, file_sha256(path)))
    if unknown := sorted(weigh.by_source.keys() - weigh.seen):
        raise ValueError(f"source_weights names {unknown}, but the files are {sorted(weigh.seen)}")
    return Corpus(train, validation, files, bool(sources), notes)


class _Weights:
    """The weight of a row by its file and by how it was labelled."""

    def __init__(self, by_how: Mapping[str, float], by_source: Mapping[str, float]) -> None:
        self.by_how, self.by_source = by_how, by_source
        self.seen: set[str] = set()

    def __call__(self, path: Path, row: Mapping[str, Any]) -> float:
        self.seen.add(path.stem)
        return self.by_source.get(path.stem, 1.0) * self.by_how.get(str(row.get("how")), 1.0)


def _news_rows(labels: Path, articles: Path, notes: list[str]) -> list[dict[str, Any]]:
    rows, summary = join_articles(labels, articles)
    notes.append(summary)
    for row in rows:
        _check_row(f"{labels}, a quote of article {row['source']!r}", row)
    return rows


def _divided(
    rows: Sequence[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Returns the rows to train on and those to validate on; rows of any other split are neither.

    Rows say by ``split`` where they belong. Where none says "validation", a tenth of the documents
    does it.
    """
    rows = [row for row in rows if row.get("split") in (None, "train", "validation")]
    held_out = [row.get("split") == "validation" for row in rows]
    if not any(held_out):
        held_out = is_held_out(rows)
    learned = [row for row, kept in zip(rows, held_out, strict=True) if not kept]
    return learned, [row for row, kept in zip(rows, held_out, strict=True) if kept]


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
    # datasets reports bad JSON without a line number, so lines are looked at first.
    lines = [number for number, _ in read_records(path, "data file")]
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
        _check_row(f"{path}, line {number}", row)
    return [row for _, row in numbered]


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


def _check_row(place: str, row: dict[str, Any]) -> None:
    """Raises ValueError where a row is bad; the message begins with its place."""
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError(f"{place}: text is missing or blank: {text!r}")
    for task, labels in TASKS.items():
        if row.get(task) not in labels:
            raise ValueError(f"{place}: {task} is {row.get(task)!r}, not one of {list(labels)}")
    context = row.get("context")
    if context is not None and not isinstance(context, str):
        raise ValueError(f"{place}: context must be a string, not {context!r}")
    row["context"] = context or ""
    for name in ("condition", "outcome", "group"):
        if not isinstance(row.get(name), str | None):
            raise ValueError(f"{place}: {name} must be a string, not {row[name]!r}")


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


def _example(row: Mapping[str, Any], weight: float = 1.0, file: str = "") -> Example:
    return Example(
        row["text"],
        {task: row[task] for task in TASKS},
        row["context"],
        weight,
        condition=row.get("condition") or "",
        outcome=row.get("outcome") or "",
        group=row.get("group") or "",
        file=file,
    )


def example_sha256(text: str, context: str) -> str:
    """Returns the hash by which a teacher's file knows a quote with its context."""
    return text_sha256(f"{text}\n\n{context}")


@dataclass(frozen=True, slots=True)
class Teacher:
    """What a teacher thinks: probabilities of quotes in label order.

    Attributes:
        known: Hash of a labelled example (``example_sha256``) to task to probabilities.
        unlabelled: References to quotes of articles that nobody labelled, each with its
            probabilities by task.
    """

    known: dict[str, dict[str, list[float]]]
    unlabelled: list[dict[str, Any]]


def read_teacher(path: Path) -> Teacher:
    """Reads the probabilities that ``training/teach.py`` wrote.

    Raises:
        ValueError: The file is missing or a line is no such record; the message names the line.
    """
    found = Teacher({}, [])
    for number, record in read_records(path, "file of a teacher"):
        try:
            probabilities = {task: [float(p) for p in record[task]] for task in TASKS}
            sha256 = record["sha256"]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {number}: no teacher's record: {error!r}") from error
        for task, names in TASKS.items():
            values = probabilities[task]
            # Asked this way round, NaN is refused too.
            is_distribution = all(p >= 0 for p in values) and abs(sum(values) - 1) <= 1e-3
            if len(values) != len(names) or not is_distribution:
                raise ValueError(
                    f"{path}, line {number}: {task} needs {len(names)} probabilities that sum to "
                    f"1, not {values}"
                )
        if not isinstance(sha256, str):
            raise ValueError(f"{path}, line {number}: sha256 must be a string, not {sha256!r}")
        if "article" in record:
            check_offsets(record, f"{path}, line {number}")
            found.unlabelled.append({**record, **probabilities})
        else:
            found.known[sha256] = probabilities
    return found


def with_teacher(
    examples: Sequence[Example], teacher: Mapping[str, Mapping[str, Sequence[float]]]
) -> tuple[list[Example], int]:
    """Returns the examples with a teacher's probabilities where it has them, and how many."""
    taught = []
    for example in examples:
        found = teacher.get(example_sha256(example.text, example.context))
        taught.append(example if found is None else replace(example, teacher=found))
    return taught, sum(example.teacher is not None for example in taught)


def unlabelled_examples(
    teacher: Teacher, articles: Path, labelled: Sequence[Example]
) -> tuple[list[Example], str]:
    """Returns the quotes that the student learns from its teacher alone, and a line on how many.

    Args:
        teacher: Points to them.
        articles: The file they are cut out of.
        labelled: Examples of training and validation, whose texts are left out. Other quotes of
            an article that is validated on are not known here and stay.

    Raises:
        ValueError: The file of articles is missing or bad.
    """
    found, summary = cut_quotes(teacher.unlabelled, articles)
    known = {example.text for example in labelled}
    examples = [
        Example(
            row["text"],
            {},
            row["context"],
            teacher={task: record[task] for task in TASKS},
            file=TEACHER_ALONE,
        )
        for record, row in found
        if row["text"] not in known
    ]
    left_out = len(found) - len(examples)
    note = f"unlabelled quotes of the teacher: {summary}; {left_out:,} have labels and are left out"
    return examples, note


def describe(examples: Sequence[Example]) -> str:
    """Returns counts by label in one line a task."""
    lines = []
    for task, names in TASKS.items():
        found = np.array([example.labels.get(task, "") for example in examples])
        counts = ", ".join(f"{int((found == name).sum()):,} {name}" for name in names)
        lines.append(f"{task}: {counts}")
    return "; ".join(lines)
