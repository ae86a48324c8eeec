"""Writes the model card of a trained model from its evaluation.

stance evaluate --model runs/stance --output runs/report
python training/write_card.py runs/stance --results runs/report/results.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def main(argv: Sequence[str] | None = None) -> int:
    """Writes ``README.md`` into the directory and returns 0, or 2 where a file is wrong."""
    from stance.model.card import write_card

    arguments = _parser().parse_args(argv)
    try:
        config = json.loads((arguments.model / "config.json").read_text("utf-8"))
        results = read_results(arguments.results)
        beside = read_results(arguments.authored_only) if arguments.authored_only else None
        write_card(arguments.model, config, results, authored_only=beside)
    except (ValueError, OSError, KeyError) as error:
        print(f"write_card: {error}", file=sys.stderr)
        return 2
    return 0


def read_results(path: Path) -> dict[str, Any]:
    """Reads the ``results.json`` of an evaluation.

    Raises:
        ValueError: The file is no such thing.
        OSError: It cannot be read.
    """
    try:
        results = json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    suites = results.get("suites") if isinstance(results, dict) else None
    if not isinstance(suites, list) or not all(isinstance(suite, dict) for suite in suites):
        raise ValueError(f"{path} is not the results.json of an evaluation: it has no suites")
    return results


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="write_card", description="Write a model card with the figures of an evaluation."
    )
    parser.add_argument("model", type=Path, metavar="MODEL", help="the model directory")
    parser.add_argument("--results", type=Path, required=True, help="its results.json")
    parser.add_argument(
        "--authored-only",
        type=Path,
        metavar="FILE",
        help="results.json of the model trained without real quotes, to stand beside it",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
