"""Applies a change that must not move a label to the rows of a labelled file.

``python evaluation/swaps.py FILE.jsonl --swap country --seed 0 > swapped.jsonl``

The rules stand in ``swap_rules.py``. The same seed, row id and lists give the same change on every
machine. Exit code 0; 2 when an argument or the file cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from stance.evaluation.rows import DataError, Row, read_rows
from stance.evaluation.swap_edits import Edit
from stance.evaluation.swap_rules import RULES

#: The names of the swaps, in the order of reports.
SWAPS: Final = tuple(RULES)


class Swapped(NamedTuple):
    """A quote and its context after a swap; ``edits`` are those of the quote."""

    text: str
    context: str
    edits: list[Edit]


def swap(name: str, text: str, context: str, *, seed: int = 0, row_id: str = "") -> Swapped | None:
    """Applies one swap to a quote and its context.

    Args:
        name: One of ``SWAPS``.
        text: The quote.
        context: The sentence or sentences it stands in; may be empty.
        seed: Seed of the choices.
        row_id: Makes the choices differ between rows of one seed.

    Returns:
        The changed quote and context, or None where the swap does not apply. A quote that stands
        in its context word for word still does.

    Raises:
        ValueError: The swap is unknown.
        FileNotFoundError: The word lists are not there.

    Example:
        >>> swap("spelling", "We honour the programme.", "").text
        'We honor the program.'
    """
    if name not in RULES:
        raise ValueError(f"unknown swap {name!r}; known: {', '.join(SWAPS)}")
    edits = RULES[name](text, context, f"{seed}:{name}:{row_id}")
    if edits is None:
        return None
    found = Swapped(apply(text, edits.text), apply(context, edits.context), edits.text)
    return None if (found.text, found.context) == (text, context) else found


def apply(text: str, edits: Sequence[Edit]) -> str:
    """Returns the text with the edits made; they must be in order and must not overlap."""
    parts, end = [], 0
    for edit in edits:
        parts += [text[end : edit.start], edit.new]
        end = edit.end
    return "".join(parts) + text[end:]


def swap_row(row: Row, name: str, seed: int) -> dict[str, Any] | None:
    """Returns the fields of a row after a swap, or None where it does not apply.

    ``text`` and ``context`` are changed, ``condition`` and ``outcome`` with them where they stand
    in the text; ``id`` gains the swap's name, ``original`` is the id before, ``swap`` the swap.
    Every other field, such as ``speaker_role``, stays that of the original quote.
    """
    found = swap(name, row.text, row.context, seed=seed, row_id=row.id)
    if found is None:
        return None
    fields = {**row.fields, "id": f"{row.id}:{name}", "original": row.id, "swap": name}
    fields["text"] = found.text
    if row.fields.get("context") is not None:
        fields["context"] = found.context
    fields.update(moved_parts(row.text, row.fields, found.edits))
    return fields


def moved_parts(text: str, fields: Mapping[str, Any], edits: Sequence[Edit]) -> dict[str, str]:
    """Returns ``condition`` and ``outcome`` as they read after the edits of the text."""
    moved = {}
    for field in ("condition", "outcome"):
        part = fields.get(field)
        start = text.find(part) if isinstance(part, str) and part else -1
        if start < 0:
            continue
        end = start + len(part)
        # An edit that reaches over the edge ("a [Kenyan …") is taken in whole.
        inside = [edit for edit in edits if edit.start < end and start < edit.end]
        start = min([start, *(edit.start for edit in inside)])
        end = max([end, *(edit.end for edit in inside)])
        shifted = [Edit(edit.start - start, edit.end - start, edit.new) for edit in inside]
        moved[field] = apply(text[start:end], shifted)
    return moved


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="evaluation/swaps.py",
        description="Write the rows of a labelled file with a change that must not move a label.",
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE.jsonl", help="rows with text, stance and sentiment")
    add("--swap", required=True, choices=SWAPS, help="the change")
    add("--seed", type=int, default=0, help="seed of the choices (default: 0)")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line: rows to standard output, the count to standard error.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        0, or 2 for an argument or a file that cannot be used.
    """
    try:
        options = build_parser().parse_args(argv)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        rows = read_rows([options.file]).rows
        found = [swap_row(row, options.swap, options.seed) for row in rows]
    except (DataError, FileNotFoundError) as error:
        print(f"evaluation/swaps.py: error: {error}", file=sys.stderr)
        return 2
    swapped = [fields for fields in found if fields is not None]
    try:
        for fields in swapped:
            # ASCII, so that the output of any console is valid JSON.
            print(json.dumps(fields))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as head, has had enough; without this the exit would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    print(
        f"{len(swapped)} of {len(rows)} rows changed by {options.swap}; "
        f"to {len(rows) - len(swapped)} it does not apply, and they are not written",
        file=sys.stderr,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
