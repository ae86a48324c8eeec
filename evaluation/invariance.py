"""The invariance set: how it is made, and how far a system's answers move on it.

``python evaluation/invariance.py`` writes ``data/invariance/invariance.jsonl`` from the held-out
authored quotes, the word lists and the list of rows that a reader dropped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from stance.evaluation import bootstrap
from stance.evaluation.baselines import Answers
from stance.evaluation.labelled import Setting
from stance.evaluation.rows import DataError, RowSet, read_rows
from stance.evaluation.schema import HEADS, undefined
from stance.evaluation.swaps import SWAPS, swap
from stance.evaluation.systems import SystemRun, ask

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = "data/authored/test.jsonl"
FILE: Final = "data/invariance/invariance.jsonl"
DROPPED: Final = "data/invariance/dropped.json"
SEED: Final = 0
#: How many rows of each swap were made and read.
CANDIDATES: Final = {
    "country": 76,
    "name": 64,
    "gender": 60,
    "capitals": 48,
    "quotation": 50,
    "spelling": 60,
    "typos": 52,
}
#: The swaps of the primary figure: who speaks and of whom must not matter.
IDENTITY: Final = ("country", "name", "gender")


def build(root: Path = ROOT) -> list[dict[str, str]]:
    """Returns the rows of the invariance set.

    Raises:
        DataError: The authored quotes cannot be read.
        FileNotFoundError: The word lists or the list of dropped rows are not there.
    """
    rows = read_rows([root / SOURCE]).rows
    dropped = set(json.loads((root / DROPPED).read_text(encoding="utf-8"))["dropped"])
    made = []
    for name in SWAPS:
        # By hash, so that the rows read are no longer next to each other in the source.
        shuffled = sorted(
            rows, key=lambda row: hashlib.sha256(f"{name}:{row.id}".encode()).hexdigest()
        )
        count = 0
        for row in shuffled:
            found = swap(name, row.text, row.context, seed=SEED, row_id=row.id)
            if found is None:
                continue
            count += 1
            if count > CANDIDATES[name]:
                break
            if f"{name}:{row.id}" in dropped:
                continue
            made.append(
                {
                    "id": f"{name}:{row.id}",
                    "original": row.id,
                    "swap": name,
                    "original_text": row.text,
                    "original_context": row.context,
                    "text": found.text,
                    "context": found.context,
                    **row.labels,
                }
            )
    return made


def to_lines(rows: list[dict[str, str]]) -> str:
    """Returns the rows as JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def check_swaps(rows: RowSet) -> None:
    """Checks that every row names a swap that is reported.

    Raises:
        DataError: A swap is unknown; the message names file and line.
    """
    for row in rows.rows:
        if row.fields["swap"] not in SWAPS:
            raise DataError(
                f"{rows.files[0][0]}:{row.line}: unknown swap {row.fields['swap']!r}; "
                f"known: {', '.join(SWAPS)}"
            )
        context = row.fields.get("original_context")
        if context is not None and not isinstance(context, str):
            raise DataError(
                f"{rows.files[0][0]}:{row.line}: 'original_context' must be text, not {context!r}"
            )


class Moved(NamedTuple):
    """Per head and row: whether the answer differs from that on the original quote."""

    by_head: dict[str, np.ndarray[Any, np.dtype[np.bool_]]]
    reasons: dict[str, str]


def add_moves(rows: RowSet, runs: list[SystemRun], setting: Setting) -> None:
    """Adds to each system's metrics the share of rows whose answer moves, by swap and head.

    Args:
        rows: The set, with ``original_text``, ``original_context`` and ``swap`` in each row.
        runs: The systems with their answers to the changed quotes, the model first.
        setting: The run they were made in.
    """
    texts = [row.fields["original_text"] for row in rows.rows]
    contexts = [row.fields.get("original_context") or "" for row in rows.rows]
    baselines = {baseline.name: baseline for baseline, _ in setting.baselines}
    kinds = np.array([row.fields["swap"] for row in rows.rows])
    # One quote may stand in several swaps: its rows are drawn together.
    resamples = bootstrap.draw(
        len(rows.rows),
        groups=("original", [row.fields["original"] for row in rows.rows]),
        repeats=setting.repeats,
        seed=setting.seed,
    )
    for run in runs:
        if run.report["kind"] == "previous":
            continue  # its report holds these figures, but not its answers before the change
        name = run.report["name"]
        answers: dict[str, Answers] = {}
        if run.answers and run.report["kind"] == "model":
            answers = ask(setting.model, texts, contexts)
        elif run.answers:
            given = baselines[name].label(texts)
            answers = {head: one for head, one in given.items() if not isinstance(one, str)}
        moved = _moves(run, answers)
        for swaps, key in ((IDENTITY, "identity"), *(((one,), one) for one in SWAPS)):
            among = np.isin(kinds, swaps)
            for head in HEADS:
                entry = undefined(moved.reasons.get(head, ""))
                if head in moved.by_head:
                    entry = bootstrap.ratio(
                        (moved.by_head[head] & among).astype(np.float64),
                        among.astype(np.float64),
                        resamples,
                        f"no row of {key}",
                    )
                run.report["metrics"][f"{head}_moved_{key}"] = entry


def _moves(run: SystemRun, before: dict[str, Answers]) -> Moved:
    moved = Moved({}, {})
    for head in HEADS:
        if head not in run.answers or head not in before:
            reason = run.report["head_reasons"].get(head) or run.report["reason"]
            moved.reasons[head] = reason or f"no {head} labels"
            continue
        first, second = before[head].predicted, run.answers[head].predicted
        if len({*first.tolist(), *second.tolist()}) == 1:
            # 0 would make the emptiest system the best one.
            moved.reasons[head] = "one label for every quote, which cannot move"
            continue
        moved.by_head[head] = first != second
    return moved


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the set; returns 0, or 2 where its sources cannot be used."""
    argparse.ArgumentParser(prog="invariance", description=f"Writes {FILE} anew.").parse_args(argv)
    try:
        lines = to_lines(build())
        (ROOT / FILE).write_bytes(lines.encode("utf-8"))
    except (DataError, OSError, ValueError) as error:
        print(f"invariance: error: {error}", file=sys.stderr)
        return 2
    print(f"{ROOT / FILE}: {lines.count(chr(10))} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
