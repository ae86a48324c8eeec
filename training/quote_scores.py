"""Agreement of found quotes with gold, to choose where the tagger draws its lines.

``evaluation/quotes.py`` has the full figures; these three are the ones that are optimised.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from stance.training.quote_data import GoldArticle
from stance.types import Quote

_WORD = re.compile(r"\w+(?:[’'.]\w+)*")
_EDGE: Final = "\"'`‘’‚“”„«» \t\r\n\u00a0.,;:!?…-–—―()[]"
_LEAST: Final = 0.5

Words = frozenset[int]


def score_quotes(gold: Sequence[GoldArticle], found: Sequence[Sequence[Quote]]) -> dict[str, float]:
    """Returns F1 fractions.

    Args:
        gold: The articles.
        found: The quotes found in each.

    Returns:
        ``direct_exact`` (pieces with both edges right), ``other_found`` (indirect and mixed
        contents matched at word Jaccard 0.5) and ``any_found`` (the same for all kinds).
    """
    counts = {name: [0, 0, 0] for name in ("direct_exact", "other_found", "any_found")}
    for article, quotes in zip(gold, found, strict=True):
        discarded = _words(article.text, article.discard)
        mine = [(q.kind, list(q.spans), _words(article.text, q.spans)) for q in quotes]
        mine = [one for one in mine if one[2] and 2 * len(one[2] & discarded) <= len(one[2])]
        theirs = [(q.kind, q.content, _words(article.text, q.content)) for q in article.quotes]
        pairs = {
            "direct_exact": [
                {
                    _trim(article.text, *s)
                    for kind, spans, _ in side
                    if kind == "direct"
                    for s in spans
                }
                for side in (theirs, mine)
            ],
            "other_found": [
                [w for kind, _, w in side if kind != "direct"] for side in (theirs, mine)
            ],
            "any_found": [[w for _, _, w in side] for side in (theirs, mine)],
        }
        for name, (right, system) in pairs.items():
            hits = (
                len(right & system)  # type: ignore[operator]
                if name == "direct_exact"
                else _matched(right, system)  # type: ignore[arg-type]
            )
            for i, value in enumerate((hits, len(system), len(right))):
                counts[name][i] += value
    return {
        name: 2 * hits / (system + right) if system + right else 1.0
        for name, (hits, system, right) in counts.items()
    }


def _words(text: str, spans: Sequence[tuple[int, int]]) -> Words:
    return frozenset(m.start() for a, b in spans for m in _WORD.finditer(text, a, b))


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in _EDGE:
        start += 1
    while end > start and text[end - 1] in _EDGE:
        end -= 1
    return start, end


def _matched(gold: Sequence[Words], system: Sequence[Words]) -> int:
    """Returns how many are matched one to one, the most similar first."""
    owner: dict[int, list[int]] = {}
    for j, words in enumerate(system):
        for word in words:
            owner.setdefault(word, []).append(j)
    pairs = []
    for i, words in enumerate(gold):
        for j in {j for word in words for j in owner.get(word, [])}:
            share = len(words & system[j]) / len(words | system[j])
            if share >= _LEAST:
                pairs.append((-share, i, j))
    seen_gold: set[int] = set()
    seen_system: set[int] = set()
    for _, i, j in sorted(pairs):
        if i not in seen_gold and j not in seen_system:
            seen_gold.add(i)
            seen_system.add(j)
    return len(seen_gold)
