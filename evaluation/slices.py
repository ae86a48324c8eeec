"""The model's accuracy on parts of the data: by length, codebook rule, register, region and others.

Where rows name no country, and where a source holds fewer rows than ``LEAST_SOURCE``, they are
gathered under one name rather than left out.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import numpy as np

from stance.evaluation.baselines import Answers
from stance.evaluation.bootstrap import Resamples, ratios
from stance.evaluation.regions import regions
from stance.evaluation.rows import LONGEST_NAME, Row, RowSet
from stance.evaluation.schema import HEADS, Slice

MOST_VALUES: Final = 60
#: Sources (the part of ``source`` before its first colon) with fewer rows are gathered as "other".
LEAST_SOURCE: Final = 10
#: Tags that name a rule of the codebook, section "Deciding".
RULE_TAG: Final = re.compile(r"r(?:ule)?(\d{1,2})")


def slice_reports(
    rows: RowSet,
    answers: dict[str, Answers],
    resamples: Resamples,
    warnings: list[str],
) -> list[Slice]:
    """Returns the model's accuracy on each slice; fields with one value tell nothing and go."""
    keys = [
        _slice_keys(row, len(rows.files)) | {("region", region)} | source
        for row, region, source in zip(
            rows.rows, regions([row.fields for row in rows.rows]), _sources(rows), strict=True
        )
    ]
    counts = Counter(key for row_keys in keys for key in row_keys)
    by_field: dict[str, list[tuple[str, str]]] = {}
    for key, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        by_field.setdefault(key[0], []).append(key)
    chosen: list[tuple[str, str]] = []
    for name in sorted(by_field, key=_field_order):
        values = by_field[name]
        if counts[values[0]] == len(rows.rows):
            continue
        if len(values) > MOST_VALUES:
            warnings.append(f"slices: of {len(values)} {name} values the {MOST_VALUES} commonest")
        chosen += sorted(values[:MOST_VALUES], key=_slice_order)
    if not chosen:
        return []
    inside = np.array([[key in row_keys for key in chosen] for row_keys in keys], dtype=np.float64)
    by_head = {}
    for head, given in answers.items():
        gold = np.array([HEADS[head].index(row.labels[head]) for row in rows.rows])
        hits = inside * (gold == given.predicted)[:, None]
        by_head[head] = ratios(hits, inside, resamples, "no row")
    return [
        {
            "field": key[0],
            "value": key[1],
            "head": head,
            "n": int(inside[:, column].sum()),
            "accuracy": values[column],
        }
        for column, key in enumerate(chosen)
        for head, values in by_head.items()
    ]


def _sources(rows: RowSet) -> list[set[tuple[str, str]]]:
    """Returns the source slice of each row; empty sets where no source holds enough rows."""
    names = []
    for row in rows.rows:
        source = row.fields.get("source")
        name = source.partition(":")[0].strip() if isinstance(source, str) else ""
        names.append(name if len(name) <= LONGEST_NAME else "")
    counts = Counter(name for name in names if name)
    if not counts or max(counts.values()) < LEAST_SOURCE:
        return [set() for _ in names]
    return [
        {("source", name if name and counts[name] >= LEAST_SOURCE else "other")} for name in names
    ]


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
    places = {
        "length": 0,
        "condition words": 1,
        "codebook rule": 2,
        "register": 3,
        "kind": 4,
        "region": 5,
        "source": 6,
        "context": 7,
        "tag": 9,
    }
    return places.get(name, 8), name


def _slice_order(key: tuple[str, str]) -> tuple[bool, int, str]:
    """Orders bands by length, rule tags by number, and the rest by name."""
    bands = {"up": 0, "19": 1, "39": 2}
    value = key[1]
    if key[0] == "length":
        return False, bands[value.split()[0]], value
    if key[0] == "codebook rule":
        return False, int(value.split()[1]), value
    return True, 0, value
