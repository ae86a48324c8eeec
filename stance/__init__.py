"""Splits the quotes out of diplomatic news and labels the stance and sentiment in each.

``split`` finds the quotes of an article with their speakers; ``classify`` labels a quote;
``analyze`` does both; ``explain`` tells which words made a label. Heavy libraries load on first
use, so that importing the package is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stance.classifier import StanceClassifier, analyze, classify, explain
    from stance.explanation import Explanation
    from stance.labels import SENTIMENTS, STANCES
    from stance.quotes import split
    from stance.types import Analysis, Cue, Prediction, Quote, Speaker

__version__ = "0.6.0"

_HOMES = {
    "Analysis": "stance.types",
    "Cue": "stance.types",
    "Explanation": "stance.explanation",
    "Prediction": "stance.types",
    "Quote": "stance.types",
    "SENTIMENTS": "stance.labels",
    "STANCES": "stance.labels",
    "Speaker": "stance.types",
    "StanceClassifier": "stance.classifier",
    "analyze": "stance.classifier",
    "classify": "stance.classifier",
    "explain": "stance.classifier",
    "split": "stance.quotes",
}

__all__ = [
    "SENTIMENTS",
    "STANCES",
    "Analysis",
    "Cue",
    "Explanation",
    "Prediction",
    "Quote",
    "Speaker",
    "StanceClassifier",
    "analyze",
    "classify",
    "explain",
    "split",
]


def __getattr__(name: str) -> Any:
    """Loads a public name from the module that defines it, on first use."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'stance' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
