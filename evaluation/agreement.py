"""How far the annotators agree: the ceiling beside each figure.

A system that agrees with the labels as well as two annotators do with each other cannot be told to
be better on that data. Where the annotations are published (``data/agreement.jsonl``) the figures
are computed from them; for the real quotes they are as their makers give them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from stance.evaluation.rows import DataError, RowSet, read_bytes, read_objects
from stance.evaluation.schema import HEADS, Ceiling

FILE: Final = "data/agreement.jsonl"
LABELS_OF_REAL: Final = "data/real/labels.jsonl"
#: The sets of ``FILE`` by the suite that measures on them.
SETS: Final = {"authored": "test", "contrast": "contrast"}
#: At least this share of a file's texts must be known real quotes for their figures to apply.
LEAST_KNOWN: Final = 0.5
_ABOUT_AUTHORED: Final = (
    "two blind annotators of these quotes, before the quotes they disagreed on were dropped; both "
    "are instances of one language model, so this is no agreement of people"
)
_ABOUT_REAL: Final = (
    "two annotators of the corpus these quotes come from, as its makers give it; not measured on "
    "this part of it alone"
)
#: Source: the description that comes with the real quotes (data/README.md, "Labels and agreement").
_REAL: Final[dict[str, Ceiling]] = {
    "stance": {"kappa": 0.92, "accuracy": None, "macro_f1": 0.94, "n": None, "about": _ABOUT_REAL},
    "sentiment": {
        "kappa": 0.91,
        "accuracy": None,
        "macro_f1": None,
        "n": None,
        "about": _ABOUT_REAL,
    },
}


def ceilings(suite: str, rows: RowSet, root: Path) -> dict[str, Ceiling]:
    """Returns the agreement of annotators by head; empty where it is not known.

    Args:
        suite: Name of the suite.
        rows: Its rows, to recognise the real quotes by their hashes.
        root: The repository.

    Raises:
        DataError: The file of annotations is malformed.
    """
    if suite in SETS:
        return _authored(root / FILE, SETS[suite])
    if suite == "real" and _are_known(rows, root / LABELS_OF_REAL):
        return dict(_REAL)
    return {}


def _are_known(rows: RowSet, path: Path) -> bool:
    if not path.is_file():
        return False
    known = {fields.get("sha256") for _, fields in read_objects(path, read_bytes(path))}
    return sum(row.sha256 in known for row in rows.rows) >= LEAST_KNOWN * len(rows.rows)


def _authored(path: Path, name: str) -> dict[str, Ceiling]:
    if not path.is_file():
        return {}
    from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score

    pairs: dict[str, tuple[list[str], list[str]]] = {head: ([], []) for head in HEADS}
    for number, fields in read_objects(path, read_bytes(path)):
        if fields.get("set") != name or not fields.get("second"):
            continue
        for head, labels in HEADS.items():
            try:
                answers = fields["first"][head], fields["second"][head]
            except (KeyError, TypeError):
                raise DataError(f"{path}:{number}: no {head} of two annotators") from None
            if any(answer not in labels for answer in answers):
                raise DataError(f"{path}:{number}: unknown {head} among {answers}")
            for column, answer in zip(pairs[head], answers, strict=True):
                column.append(answer)
    found: dict[str, Ceiling] = {}
    for head, (first, second) in pairs.items():
        if len(set(first)) < 2 or len(set(second)) < 2:
            continue
        labels = list(HEADS[head])
        is_full = set(first) == set(labels)
        found[head] = {
            "kappa": float(cohen_kappa_score(first, second)),
            "accuracy": float(accuracy_score(first, second)),
            "macro_f1": float(f1_score(first, second, labels=labels, average="macro"))
            if is_full
            else None,
            "n": len(first),
            "about": _ABOUT_AUTHORED,
        }
    return found
