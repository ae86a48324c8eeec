"""Whether two strings can name the same speaker: by the head of a name, loosely.

This is what the comparison on PolNeAR needs, whose gold knows mentions and guessed antecedents, not
resolved names. Where the gold names its speakers, names are compared whole instead.
"""

from __future__ import annotations

import re
from typing import Final

PRONOUNS: Final = frozenset(
    "i me my he him his himself she her hers herself they them their we us our it its "
    "you your who".split()
)
_HEAD_END: Final = re.compile(r"[,;(:]| (?:who|that|of|for|from|at|in|on|with|to) ")
_NAME_WORD: Final = re.compile(r"[\w.'’-]+")
#: Titles and small words that name nobody.
_NAMELESS: Final = frozenset(
    "the a an of for and to in on at by with from mr mrs ms dr sen gov rep sir lord".split()
)


def is_pronoun(name: str) -> bool:
    """Whether the string is a pronoun and nothing else."""
    return name.strip().lower() in PRONOUNS


def head(name: str) -> str:
    """Returns the last name or head noun of a speaker, in small letters: "Gov. Ann Lee" → "lee"."""
    first = _HEAD_END.split(" ".join(name.split()), maxsplit=1)[0]
    tokens = [token.strip(".'’-") for token in _tokens(first)]
    tokens = [token for token in tokens if token and token.lower() not in _NAMELESS]
    capitals = [token for token in tokens if token[:1].isupper()]
    return (capitals or tokens or [""])[-1].lower()


def names_fit(first: str, second: str) -> bool:
    """Whether the head of either name is among the words of the other."""
    return any(
        bool(head(one)) and head(one) in {token.strip(".").lower() for token in _tokens(other)}
        for one, other in ((first, second), (second, first))
    )


def _tokens(name: str) -> list[str]:
    return [re.sub(r"['’]s$", "", token) for token in _NAME_WORD.findall(name)]
