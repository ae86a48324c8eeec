"""Batches of rows of similar length, within a budget of padded tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Padded tokens in one batch. More gives no speed on a CPU and costs memory.
TOKEN_BUDGET: Final = 2048


def length_batches(
    lengths: Sequence[int],
    batch_size: int,
    token_budget: int = TOKEN_BUDGET,
    *,
    multiple: int = 1,
) -> list[list[int]]:
    """Cuts rows into batches of similar length.

    Args:
        lengths: Tokens of each row.
        batch_size: Most rows in a batch.
        token_budget: Most tokens in a batch, padding counted; a longer row gets its own batch.
        multiple: Rows are padded to a multiple of this many tokens.

    Returns:
        Row indices of each batch, longest rows first; every row once.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    batches: list[list[int]] = []
    for row in order:
        # Rows come longest first, so the batch's first row is what the others are padded to.
        batch = batches[-1] if batches else None
        if (
            batch is not None
            and len(batch) < batch_size
            and padded_width(lengths[batch[0]], multiple) * (len(batch) + 1) <= token_budget
        ):
            batch.append(row)
        else:
            batches.append([row])
    return batches


def padded_width(length: int, multiple: int) -> int:
    """Returns the least multiple of ``multiple`` that is not below ``length``."""
    return -(-length // multiple) * multiple
