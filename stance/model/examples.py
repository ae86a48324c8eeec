"""Checks what callers give: quotes, contexts and labels; makes training examples of them.

No tensor library is needed here, so that a wrong argument is told before anything heavy loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stance.labels import SENTIMENTS, STANCES
from stance.model.inputs import is_blank, replace_quote
from stance.types import Quote

Labels = Sequence[str] | Mapping[str, Sequence[str | None]]

KNOWN_LABELS: Final[dict[str, tuple[str, ...]]] = {"stance": STANCES, "sentiment": SENTIMENTS}
# Fewer held-out examples than this choose and calibrate nothing; all are then trained on.
_LEAST_HELD_OUT: Final = 20


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled quote.

    Attributes:
        text: The quote.
        labels: Task to label; a task may be missing.
        context: The sentence it stands in, "" for none.
        weight: Its weight in the loss, 0 or more.
    """

    text: str
    labels: Mapping[str, str]
    context: str = ""
    weight: float = 1.0


def quote_text(quote: str | Quote) -> str:
    """Returns the words of a quote given as a string or as a ``Quote``."""
    # str() makes a plain string of the items of a NumPy array.
    return quote.text if isinstance(quote, Quote) else str(quote)


def is_blank_quote(quote: str | Quote) -> bool:
    """Tells whether a quote has no visible character."""
    return is_blank(quote_text(quote))


def as_list(quotes: Any) -> list[str | Quote]:
    """Returns the items of an iterable after checking that each is a string or a Quote."""
    if isinstance(quotes, str | Quote):
        raise TypeError("a list of quotes is needed here, not a single one")
    if isinstance(quotes, bytes | bytearray | Mapping) or not isinstance(quotes, Iterable):
        raise TypeError(
            f"quotes must be strings or Quote objects, or an iterable of them, "
            f"not {type(quotes).__name__}"
        )
    items = list(quotes)
    for position, item in enumerate(items):
        if not isinstance(item, str | Quote):
            raise TypeError(
                f"quotes[{position}] must be a string or a Quote, not {type(item).__name__}"
            )
    return items


def contexts_of(quotes: Sequence[str | Quote], context: Any) -> list[str]:
    """Returns the context of each quote with the quote replaced in it, "" for none."""
    given: list[Any]
    if context is None:
        given = [None] * len(quotes)
    elif isinstance(context, str):
        raise ValueError(
            f"one context for {len(quotes)} quotes: give a list of the same length, not a string"
        )
    else:
        given = list(context)
    if len(given) != len(quotes):
        raise ValueError(f"{len(quotes)} quotes but {len(given)} contexts")
    contexts = []
    for position, (quote, text) in enumerate(zip(quotes, given, strict=True)):
        if text is not None and not isinstance(text, str):
            raise TypeError(
                f"context[{position}] must be a string or None, not {type(text).__name__}"
            )
        own = quote.context if isinstance(quote, Quote) else ""
        contexts.append(
            replace_quote(own if text is None else text, quote_text(quote), _pieces(quote))
        )
    return contexts


def _pieces(quote: str | Quote) -> list[str] | None:
    """Returns the parts of an interrupted quote as they stand in the article, or None."""
    if not isinstance(quote, Quote) or len(quote.spans) < 2:
        return None
    pieces, start = [], 0
    for first, last in quote.spans:
        pieces.append(quote.text[start : start + last - first])
        start += last - first + 1
    return pieces


def _class_order(task: str, labels: Sequence[Any], rows: int) -> tuple[str, ...]:
    """Returns a task's labels in the order of classes: ours as we order them, others sorted."""
    if len(labels) != rows:
        raise ValueError(f"{rows} quotes but {len(labels)} labels for {task!r}")
    for position, label in enumerate(labels):
        if label is not None and not isinstance(label, str):
            raise TypeError(
                f"label {position} of {task!r} must be a string, not {type(label).__name__}"
            )
    seen = {str(label) for label in labels if label is not None}
    known = KNOWN_LABELS.get(task, ())
    return (
        tuple(name for name in known if name in seen) if seen <= set(known) else tuple(sorted(seen))
    )


def labelled_examples(
    X: Iterable[str | Quote],
    y: Labels,
    context: Iterable[str | None] | None,
    sample_weight: Iterable[float] | None,
) -> tuple[list[Example], dict[str, tuple[str, ...]]]:
    """Checks training data and returns it as examples, with the labels of each task in order."""
    quotes = as_list(X)
    if not quotes:
        raise ValueError("no quotes to train on")
    for position, quote in enumerate(quotes):
        if is_blank_quote(quote):
            raise ValueError(f"X[{position}] has no visible character: {quote_text(quote)!r}")
    by_task = {task: list(values) for task, values in y.items()} if isinstance(y, Mapping) else {}
    if not isinstance(y, Mapping):
        by_task["stance"] = list(y)
    tasks = {task: _class_order(task, labels, len(quotes)) for task, labels in by_task.items()}
    weights = [1.0] * len(quotes) if sample_weight is None else [float(w) for w in sample_weight]
    if len(weights) != len(quotes):
        raise ValueError(f"{len(quotes)} quotes but {len(weights)} sample weights")
    for position, weight in enumerate(weights):
        if not 0 <= weight < float("inf"):
            raise ValueError(f"sample_weight[{position}] must be 0 or more, not {weight}")
    contexts = contexts_of(quotes, context)
    examples = [
        Example(
            text=quote_text(quote),
            context=contexts[row],
            labels={
                task: str(labels[row])
                for task, labels in by_task.items()
                if labels[row] is not None
            },
            weight=weights[row],
        )
        for row, quote in enumerate(quotes)
    ]
    return examples, tasks


def hold_out(
    examples: list[Example], fraction: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Splits examples at random into those to train on and those to validate on."""
    import numpy as np

    if not 0 <= fraction < 1:
        raise ValueError(f"validation_fraction must be in [0, 1), not {fraction!r}")
    held_out = int(len(examples) * fraction)
    if held_out < _LEAST_HELD_OUT:
        return examples, []
    order = np.random.default_rng(seed).permutation(len(examples))
    rows = set(order[:held_out].tolist())
    train = [example for row, example in enumerate(examples) if row not in rows]
    return train, [examples[row] for row in sorted(rows)]
