"""Reading a report back: its results and, where they lie beside, its samples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from stance.evaluation.baselines import Answers
from stance.evaluation.rows import DataError, read_bytes, read_objects
from stance.evaluation.schema import HEADS, SCHEMA_VERSION, Sample

#: Versions of results.json that can be compared; see ``schema.SCHEMA_VERSION``.
READABLE: Final = (1, SCHEMA_VERSION)
_NUMBER: Final = re.compile(r"\d+")


class StoredError(ValueError):
    """A stored report cannot be used; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class StoredReport:
    """One report as it was written.

    Attributes:
        path: The ``results.json``.
        results: Its content.
        samples: Suite key to id to sample; empty where no ``samples.jsonl`` lies beside.
    """

    path: Path
    results: dict[str, Any]
    samples: dict[str, dict[str, Sample]] = field(default_factory=dict)

    def suites(self) -> dict[str, dict[str, Any]]:
        """Returns the suites that were done, by key."""
        return {
            suite["key"]: suite for suite in self.results["suites"] if suite["status"] == "done"
        }


def read_report(path: Path, *, with_samples: bool = True) -> StoredReport:
    """Reads a report.

    Args:
        path: A ``results.json``, or the folder it stands in.
        with_samples: Whether to read the samples beside it too.

    Raises:
        StoredError: The file is missing, is no report, or has a version that is not known.
    """
    if path.is_dir():
        path = path / "results.json"
    try:
        raw = read_bytes(path)
    except DataError as error:
        raise StoredError(str(error)) from None
    try:
        results = json.loads(raw)
    except (ValueError, RecursionError):
        raise StoredError(f"{path}: not JSON") from None
    _check(path, results)
    samples: dict[str, dict[str, Sample]] = {}
    beside = path.parent / "samples.jsonl"
    if with_samples and beside.is_file():
        samples = _read_samples(beside)
    return StoredReport(path, results, samples)


def _check(path: Path, results: Any) -> None:
    if not isinstance(results, dict) or "schema_version" not in results:
        raise StoredError(f"{path}: not a results.json of `stance evaluate`")
    version = results["schema_version"]
    if version not in READABLE:
        known = ", ".join(map(str, READABLE))
        raise StoredError(f"{path}: schema_version {version!r} is not known; known: {known}")
    try:
        model = results["model"]["sha256"], results["model"]["name"], results["version"]
        for suite in results["suites"]:
            _check_suite(suite)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise StoredError(f"{path}: a part is missing or malformed: {error}") from None
    if not isinstance(model[2], str):
        raise StoredError(f"{path}: 'version' must be text, not {model[2]!r}")


def _check_suite(suite: Any) -> None:
    """Meets every part that a comparison reads; raises the error of whichever is not there."""
    if suite["status"] != "done":
        _ = suite["key"] + str(suite["reason"])
        return
    _ = suite["key"] + suite["title"], suite["primary_metric"], suite["primary_head"]
    system = suite["systems"][0]
    entries = list(system["metrics"].values())
    for head, report in system["heads"].items():
        if head not in HEADS:
            raise KeyError(f"head {head!r}")
        entries += [*report["metrics"].values()]
        entries += [label["f1"] for label in report["per_class"].values()]
    for entry in entries:
        for name in ("value", "low", "high"):
            value = entry[name]
            if value is not None and (isinstance(value, bool) or value != value + 0):
                raise TypeError(f"{name!r} must be a number, not {value!r}")
        _ = entry["reason"]
    _ = [part["sha256"] for part in suite["data"]]


def _is_fraction(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _read_samples(path: Path) -> dict[str, dict[str, Sample]]:
    try:
        objects = read_objects(path, read_bytes(path))
    except DataError as error:
        raise StoredError(str(error)) from None
    samples: dict[str, dict[str, Sample]] = {}
    for number, sample in objects:
        parts = (sample.get("gold"), sample.get("predicted"), sample.get("probabilities"))
        names = (sample.get("suite"), sample.get("id"), sample.get("sha256"))
        if not all(isinstance(part, dict) for part in parts) or not all(
            isinstance(name, str) for name in names
        ):
            raise StoredError(f"{path}:{number}: not a sample of `stance evaluate`")
        if not isinstance(sample.get("group"), str | None):
            raise StoredError(f"{path}:{number}: 'group' must be text, not {sample['group']!r}")
        for head, table in sample["probabilities"].items():
            values = list(table.values()) if isinstance(table, dict) else [table]
            if not all(_is_fraction(value) for value in values) or not sum(values) > 0:
                raise StoredError(
                    f"{path}:{number}: the {head} probabilities must be fractions in 0..1 that sum "
                    f"to 1, not {table!r}"
                )
        rows = samples.setdefault(sample["suite"], {})
        # Several quotes of one article may share an id where a splitter was measured.
        name, copy = sample["id"], 2
        while name in rows:
            name, copy = f"{sample['id']} ({copy})", copy + 1
        rows[name] = sample  # type: ignore[assignment]
    return samples


def stored_answers(samples: Sequence[Sample], head: str) -> Answers | None:
    """Returns the answers of stored samples, or None when one of them has none for this head."""
    labels = HEADS[head]
    if any(sample["predicted"].get(head) not in labels for sample in samples):
        return None
    predicted = np.array([labels.index(sample["predicted"][head]) for sample in samples])
    tables = [sample["probabilities"].get(head, {}) for sample in samples]
    if any(set(table) != set(labels) for table in tables):
        return Answers(predicted, None)
    values = np.array([[table[name] for name in labels] for table in tables])
    return Answers(predicted, values / values.sum(axis=1, keepdims=True))


def stored_reports(root: Path) -> Iterator[Path]:
    """Yields the folders of committed reports, the newest version first."""
    folder = root / "evaluation" / "reports"
    found = [path.parent for path in folder.glob("*/results.json")]

    def version(path: Path) -> tuple[list[int], str]:
        return [int(part) for part in _NUMBER.findall(path.name)], path.name

    yield from sorted(found, key=version, reverse=True)


def previous_report(root: Path, model_sha256: str | None) -> StoredReport | None:
    """Returns the newest committed report of other weights, or None.

    Args:
        root: The repository.
        model_sha256: The hash of the model being measured: its own report is no comparison.
    """
    for folder in stored_reports(root):
        try:
            report = read_report(folder, with_samples=False)
            if report.results["model"]["sha256"] != model_sha256:
                return read_report(folder)
        except StoredError:
            continue
    return None
