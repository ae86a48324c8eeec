"""Swaps who speaks and of whom in training quotes, so that the stance does not hang on it.

A model that has read "Pyongyang" beside refusals a hundred times finds refusals in it. The swaps
are those of the invariance test (``stance.evaluation.swaps``): country, name, gender; the labels
stay.

Source: counterfactual data augmentation, Lu et al. 2018, https://arxiv.org/abs/1807.11714.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from stance.evaluation.swap_edits import word_list
from stance.evaluation.swaps import moved_parts, swap
from stance.model.examples import Example
from stance.references import text_sha256
from stance.training.data import example_sha256

SWAPS: Final = ("country", "name", "gender")


def check_word_lists() -> None:
    """Makes sure that swaps can be made.

    Raises:
        FileNotFoundError: A word list is not there.
    """
    for name in ("countries", "names", "gender"):
        word_list(name)


def swap_examples(
    examples: Sequence[Example], share: float, seed: int
) -> tuple[list[Example], int]:
    """Returns the examples with each swap made in a share of those that it applies to.

    The examples of one group are swapped alike, as far as they name the same: what tells minimal
    edits apart is then still the edit.

    Args:
        examples: Stay as they are.
        share: Chance of each swap in each example or group, 0..1.
        seed: With the example's group, or else its text, it decides; other examples do not matter.

    Returns:
        As many examples in the same order, and how many of them differ.

    Raises:
        FileNotFoundError: The word lists are not there.
    """
    swapped = [_swapped(example, share, seed) for example in examples]
    changed = sum(old is not new for old, new in zip(examples, swapped, strict=True))
    return swapped, changed


def _swapped(example: Example, share: float, seed: int) -> Example:
    key = (
        text_sha256(example.group)
        if example.group
        else example_sha256(example.text, example.context)
    )
    chances = np.random.default_rng((seed, int(key[:12], 16))).random(len(SWAPS))
    for name, chance in zip(SWAPS, chances, strict=True):
        if chance >= share:
            continue
        found = swap(name, example.text, example.context, seed=seed, row_id=key)
        if found is not None:
            parts = {"condition": example.condition, "outcome": example.outcome}
            moved = moved_parts(example.text, parts, found.edits)
            example = replace(
                example,
                text=found.text,
                context=found.context,
                condition=moved.get("condition", example.condition),
                outcome=moved.get("outcome", example.outcome),
            )
    return example
