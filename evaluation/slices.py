"""The model's accuracy on parts of the data: by length, codebook rule, register, tag and others."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import numpy as np
import numpy.typing as npt

from stance.evaluation.baselines import Answers
from stance.evaluation.bootstrap import Resamples, ratio
from stance.evaluation.rows import LONGEST_NAME, Row, RowSet
from stance.evaluation.schema import HEADS, Slice

MOST_VALUES: Final = 60
#: Tags that name a rule of the codebook, section "Deciding".
RULE_TAG: Final = re.compile(r"r(?:ule)?(\d{1,2})")


def slice_reports(
    rows: RowSet,
    answers: dict[str, Answers],
    resamples: Resamples,
    warnings: list[str],
) -> list[Slice]:
    """Returns the model's accuracy on each slice; fields with one value tell nothing and go."""
    keys = [_slice_keys(row, len(rows.files)) for row in rows.rows]
    counts = Counter(key for row_keys in keys for key in row_keys)
    by_field: dict[str, list[tuple[str, str]]] = {}
    for key, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        by_field.setdefault(key[0], []).append(key)
    found: list[Slice] = []
    for name in sorted(by_field, key=_field_order):
        values = by_field[name]
        if counts[values[0]] == len(rows.rows):
            continue
        if len(values) > MOST_VALUES:
            warnings.append(f"slices: of {len(values)} {name} values the {MOST_VALUES} commonest")
        for key in sorted(values[:MOST_VALUES], key=_slice_order):
            inside = np.array([key in row_keys for row_keys in keys])
            for head, given in answers.items():
                found.append(_slice(key, head, inside, rows, given, resamples))
    return found


def _slice_keys(row: Row, files: int) -> set[tuple[str, str]]:
    keys = set(row.slices.items())
    for tag in row.tags:
        rule = RULE_TAG.fullmatch(tag)
        if rule:
            keys.add(("codebook rule", f"rule {rule[1]}"))
        elif tag and len(tag) <= LONGEST_NAME:
            keys.add(("tag", tag))
    if files > 1:
        keys.add(("file", row.file))
    return keys


def _field_order(name: str) -> tuple[int, str]:
    """Puts the fields of the project's own data first and tags, which are many, last."""
    places = {"length": 0, "codebook rule": 1, "register": 2, "context": 3, "tag": 9}
    return places.get(name, 5), name


def _slice_order(key: tuple[str, str]) -> tuple[bool, int, str]:
    """Orders bands by length, rule tags by number, and the rest by name."""
    bands = {"up": 0, "19": 1, "39": 2}
    value = key[1]
    if key[0] == "length":
        return False, bands[value.split()[0]], value
    if key[0] == "codebook rule":
        return False, int(value.split()[1]), value
    return True, 0, value


def _slice(
    key: tuple[str, str],
    head: str,
    inside: npt.NDArray[np.bool_],
    rows: RowSet,
    given: Answers,
    resamples: Resamples,
) -> Slice:
    gold = np.array([HEADS[head].index(row.labels[head]) for row in rows.rows])
    hits = (inside & (gold == given.predicted)).astype(np.float64)
    value = ratio(hits, inside.astype(np.float64), resamples, "no row")
    return {
        "field": key[0],
        "value": key[1],
        "head": head,
        "n": int(inside.sum()),
        "accuracy": value,
    }
