"""How well the words of conditions and outcomes are found: token F1 with intervals.

The words counted are those of ``stance.model.spans.span_token_f1``; here each row's counts are
kept, so that whole situations can be drawn again for the interval. A row counts when its gold
names the words; where the model takes such a quote for another stance, it gives no words and misses
them all.
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from stance.evaluation.bootstrap import Resamples, ratio
from stance.evaluation.labelled import Setting
from stance.evaluation.rows import RowSet
from stance.evaluation.schema import undefined
from stance.evaluation.systems import SystemRun

KINDS: Final = ("condition", "outcome")
_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")


def add_spans(rows: RowSet, run: SystemRun, resamples: Resamples, setting: Setting) -> None:
    """Adds ``condition_f1`` and ``outcome_f1`` to the model's metrics, where the gold has words.

    Args:
        rows: The rows; ``condition`` and ``outcome`` are words of the text, or empty.
        run: The model's answers.
        resamples: Resamples of the rows.
        setting: The run they were made in.
    """
    if not any(row.fields.get(kind) for row in rows.rows for kind in KINDS):
        return
    predictions = setting.model.classify(
        [row.text for row in rows.rows], context=[row.context for row in rows.rows]
    )
    if all(found is None for one in predictions for found in (one.condition, one.outcome)):
        for kind in KINDS:
            run.report["metrics"][f"{kind}_f1"] = undefined("this model names no such words")
        return
    counts = np.zeros((len(rows.rows), len(KINDS), 3))
    for position, (row, prediction) in enumerate(zip(rows.rows, predictions, strict=True)):
        gold = tuple(str(row.fields.get(kind) or "") for kind in KINDS)
        found = (prediction.condition or "", prediction.outcome or "")
        counts[position] = word_counts(row.text, gold, found)
    for index, kind in enumerate(KINDS):
        hits, given, right = counts[:, index].T
        run.report["metrics"][f"{kind}_f1"] = ratio(
            2 * hits, given + right, resamples, f"no row names the words of its {kind}"
        )


def word_counts(text: str, gold: tuple[str, ...], found: tuple[str, ...]) -> Any:
    """Returns words right, given and wanted for each kind, ``(2, 3)``.

    A kind whose gold is empty or stands only in the context counts as nothing.
    """
    from stance.model.spans import find_spans

    words = [match.span() for match in _WORD.finditer(text)]
    right, given = find_spans(text, *gold), find_spans(text, *found)
    counts = np.zeros((len(KINDS), 3))
    for index, kind in enumerate(KINDS):
        wanted = _inside(words, getattr(right, kind))
        if wanted:
            marked = _inside(words, getattr(given, kind))
            counts[index] = len(wanted & marked), len(marked), len(wanted)
    return counts


def _inside(words: list[tuple[int, int]], place: tuple[int, int] | None) -> set[tuple[int, int]]:
    if place is None:
        return set()
    return {word for word in words if place[0] <= word[0] and word[1] <= place[1]}
