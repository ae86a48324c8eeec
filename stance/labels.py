"""The two closed label sets: their order, what they mean, and how they are shown.

The order here is the order of classes everywhere: in heads, probability dictionaries, confusion
matrices and reports. The full rules for choosing a label stand in ``data/GUIDELINES.md``.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

StanceLabel = Literal["conciliatory", "dismissive", "conditional", "neutral"]
SentimentLabel = Literal["negative", "neutral", "positive"]
QuoteKind = Literal["direct", "mixed", "indirect"]

STANCES: Final[tuple[StanceLabel, ...]] = get_args(StanceLabel)
SENTIMENTS: Final[tuple[SentimentLabel, ...]] = get_args(SentimentLabel)
QUOTE_KINDS: Final[tuple[QuoteKind, ...]] = get_args(QuoteKind)

DEFINITIONS: Final[dict[str, str]] = {
    "conciliatory": "opens or keeps open a way to agreement, without making it hang on anything",
    "dismissive": "closes or attacks: rejects, refuses, denies, belittles, blames, threatens",
    "conditional": "makes agreement, restraint or action hang on something that is still open",
    "neutral": "states facts, procedure or the state of play; takes none of the three stances",
}

# Okabe-Ito hues: told apart by readers with the common colour-vision deficiencies, dark enough
# for a contrast ratio above 4.5:1 on white. A label is always written out beside its colour.
COLOURS: Final[dict[str, str]] = {
    "conciliatory": "#00684A",
    "dismissive": "#A63A00",
    "conditional": "#005A9C",
    "neutral": "#555555",
    "negative": "#A63A00",
    "positive": "#00684A",
}

# A shape for each stance, so that a reader without colour sees the difference at a glance.
SYMBOLS: Final[dict[str, str]] = {
    "conciliatory": "●",
    "dismissive": "✕",
    "conditional": "◆",
    "neutral": "○",
}
