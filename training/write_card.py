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
    from stance.evaluation.stored import read_report
    from stance.model.card import write_card
    from stance.model.hashes import file_sha256

    arguments = _parser().parse_args(argv)
    try:
        config = _read_config(arguments.model / "config.json")
        results = read_report(arguments.results, with_samples=False).results
        measured = results["model"].get("files", {}).get("model.safetensors")
        if measured != file_sha256(arguments.model / "model.safetensors"):
            raise ValueError(f"{arguments.results} is no evaluation of the weights in this model")
        beside = None
        if arguments.authored_only:
            beside = read_report(arguments.authored_only, with_samples=False).results
        write_card(arguments.model, config, results, authored_only=beside)
    except (ValueError, OSError) as error:
        print(f"write_card: {error}", file=sys.stderr)
        return 2
    print(arguments.model / "README.md")
    return 0


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    needed = {"base", "tasks", "max_length", "training"}
    if not isinstance(config, dict) or not needed <= set(config):
        raise ValueError(f"{path} is not the config.json of a model: it needs {sorted(needed)}")
    return config


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
