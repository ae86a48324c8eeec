"""Keeps a training run's state on disk, so that a killed run goes on where it was.

A checkpoint holds tensors and plain values only and is read with ``weights_only=True``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import torch

FORMAT_VERSION: Final = 1


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes a checkpoint; a kill while writing leaves the one before it whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save({**state, "format_version": FORMAT_VERSION}, partial)
    os.replace(partial, path)


def load_checkpoint(path: Path, fingerprint: str) -> dict[str, Any]:
    """Reads a checkpoint of the same run.

    Args:
        path: The checkpoint.
        fingerprint: Identifies settings and data; it must equal the one saved.

    Raises:
        ValueError: The file is no checkpoint, or one of a run with other settings or data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} is not a readable checkpoint: {error}") from error
    if not isinstance(state, dict) or state.get("format_version") != FORMAT_VERSION:
        raise ValueError(f"{path} is not a checkpoint of format {FORMAT_VERSION}")
    if state.get("fingerprint") != fingerprint:
        raise ValueError(
            f"{path} belongs to a run with other settings or data: give the same ones, "
            "or start anew without --resume"
        )
    return state
