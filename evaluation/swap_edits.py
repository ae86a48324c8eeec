"""What the swaps are made of: edits, seeded choices, word lists and capitals."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

FOLDER: Final = Path(__file__).resolve().parent.parent / "data" / "invariance"
Choice = TypeVar("Choice")


class Edit(NamedTuple):
    """Puts ``new`` in the place of ``text[start:end]``."""

    start: int
    end: int
    new: str


class Edits(NamedTuple):
    """The edits of the quote and of its context, each in order and without overlap."""

    text: list[Edit]
    context: list[Edit]


@cache
def word_list(name: str) -> dict[str, Any]:
    """Returns a file of ``data/invariance/``.

    Raises:
        FileNotFoundError: The lists are not there, as in an installed wheel; the message says so.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there: swaps need a checkout of the repository")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


class Dice:
    """Choices that depend on the seed alone and are the same on every version of Python."""

    def __init__(self, seed: int | str) -> None:
        # random() is promised to stay the same; choice() and sample() are not.
        self._random = random.Random(str(seed))

    def pick(self, among: Sequence[Choice]) -> Choice:
        """Returns one of ``among``, which must not be empty."""
        return among[int(self._random.random() * len(among))]


def any_of(words: Iterable[str]) -> str:
    """Returns a pattern for any of the words, the longest that fits."""
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


def like(model: str, word: str) -> str:
    """Returns ``word`` with the capitals of ``model``: "He" and "she" give "She"."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if model[:1].isupper() else word


def edit_both(text: str, context: str, edit: Callable[[str], list[Edit]]) -> Edits | None:
    """Returns the edits of quote and context, or None where there are none."""
    found = Edits(edit(text), edit(context))
    return found if found.text or found.context else None
