"""Checks what callers give: quotes, contexts and labels; makes training examples of them.

No tensor library is needed here, so that a wrong argument is told before anything heavy loads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stance.labels import SENTIMENTS, STANCES
from stance.model.inputs import is_blank, replace_quote
from stance.types import Quote

Label = str | int | bool
Labels = Sequence[Label] | Mapping[str, Sequence[Label | None]]

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
        condition: For a conditional quote, its words that state the condition; "" for unknown.
        outcome: The words that hang on it; "" for unknown.
        group: Examples of one group differ by a small edit; "" for none.
        teacher: Task to a teacher's probabilities, in the order of classes, or None.
        file: The name of the file that it came in, without ending; "" for none.
    """

    text: str
    labels: Mapping[str, str]
    context: str = ""
    weight: float = 1.0
    condition: str = ""
    outcome: str = ""
    group: str = ""
    teacher: Mapping[str, Sequence[float]] | None = None
    file: str = ""


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
    if (dimensions := getattr(quotes, "ndim", 1)) != 1:
        # Iterating over a data frame would give the names of its columns.
        raise TypeError(
            f"quotes must be one-dimensional, such as one column, not a {type(quotes).__name__} "
            f"with {dimensions} dimensions"
        )
    items = list(quotes)
    for position, item in enumerate(items):
        if not isinstance(item, str | Quote):
            raise TypeError(
                f"quotes[{position}] must be a string or a Quote, not {type(item).__name__}"
            )
    return items


def paired(
    quotes: Any, contexts: Iterable[str | None] | None
) -> Iterator[tuple[str | Quote, str | None]]:
    """Yields each quote with its context as they come, checked.

    Raises:
        TypeError: ``quotes`` or an item is of a wrong type.
        ValueError: A quote has no visible character, or the lengths differ.
    """
    if isinstance(quotes, str | Quote | bytes | bytearray | Mapping) or not isinstance(
        quotes, Iterable
    ):
        raise TypeError(f"an iterable of quotes is needed here, not {type(quotes).__name__}")
    if isinstance(contexts, str):
        raise TypeError("context must be an iterable of strings, one a quote, not one string")
    end = object()
    given: Iterator[Any] | None = None if contexts is None else iter(contexts)
    position = -1
    for position, quote in enumerate(quotes):
        if not isinstance(quote, str | Quote):
            raise TypeError(
                f"quotes[{position}] must be a string or a Quote, not {type(quote).__name__}"
            )
        if is_blank_quote(quote):
            raise ValueError(f"quotes[{position}] has no visible character: {quote_text(quote)!r}")
        context = None if given is None else next(given, end)
        if context is end:
            raise ValueError(f"there is no context for quotes[{position}]")
        if context is not None and not isinstance(context, str):
            raise TypeError(
                f"context[{position}] must be a string or None, not {type(context).__name__}"
            )
        yield quote, context
    if given is not None and next(given, end) is not end:
        raise ValueError(f"{position + 1} quotes but more contexts")


def texts_of(articles: Any) -> list[str]:
    """Returns the items of an iterable of articles after checking that each is a string.

    Raises:
        TypeError: It is no iterable, or an item is no string.
    """
    if isinstance(articles, bytes | bytearray | Mapping) or not isinstance(articles, Iterable):
        raise TypeError(f"article must be a string, not {type(articles).__name__}")
    texts = list(articles)
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"articles[{position}] must be a string, not {type(text).__name__}")
    return texts


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


_KINDS: Final[dict[type, str]] = {str: "string", int: "whole number", bool: "bool"}


def _plain_labels(task: str, labels: Any, rows: int) -> list[Label | None]:
    """Returns a task's labels as Python's own values, all of one kind."""
    if isinstance(labels, str | bytes) or not isinstance(labels, Iterable):
        raise TypeError(
            f"labels of {task!r} must be a list, one a quote, not {type(labels).__name__}"
        )
    # tolist() makes Python values of NumPy's, and pandas has it too.
    values = list(labels.tolist() if hasattr(labels, "tolist") else labels)
    if len(values) != rows:
        raise ValueError(f"{rows} quotes but {len(values)} labels for {task!r}")
    first: type | None = None
    for position, value in enumerate(values):
        # Items of a plain list may be NumPy's.
        value = values[position] = value.item() if hasattr(value, "item") else value
        if value is None:
            continue
        if not isinstance(value, str | int):
            raise TypeError(
                f"label {position} of {task!r} must be a string, a whole number or a bool, "
                f"not {type(value).__name__}"
            )
        kind = str if isinstance(value, str) else type(value)
        first = first or kind
        if kind is not first:
            raise TypeError(
                f"label {position} of {task!r} must be a {_KINDS[first]} like those before it, "
                f"not {type(value).__name__}"
            )
    return [str(value) if isinstance(value, str) else value for value in values]


def _class_order(labels: Sequence[Label | None], known: Sequence[str] = ()) -> tuple[Label, ...]:
    """Returns a task's labels in the order of classes: that of ``known`` if all are, or sorted."""
    seen = {label for label in labels if label is not None}
    if seen and seen <= set(known):
        return tuple(name for name in known if name in seen)
    # All are of one kind, so they have an order.
    return tuple(sorted(seen))


def label_values(names: Sequence[str], kind: str | None) -> list[Label]:
    """Returns labels as the caller gave them, from the strings that a model is saved with.

    Args:
        names: The labels in the order of classes.
        kind: "int", "bool", or None for strings.
    """
    if kind == "bool":
        return [name == "True" for name in names]
    return [int(name) for name in names] if kind == "int" else list(names)


def labelled_examples(
    X: Iterable[str | Quote],
    y: Labels,
    context: Iterable[str | None] | None,
    sample_weight: Iterable[float] | None,
) -> tuple[list[Example], dict[str, tuple[str, ...]], dict[str, str]]:
    """Checks training data and returns it as examples.

    Args:
        X: The quotes.
        y: Labels of one task, called "stance", or task to labels.
        context: The sentence of each quote, or None.
        sample_weight: Weight of each row, or None.

    Returns:
        The examples; each task's labels as strings, in the order of classes; and the kind, "int" or
        "bool", of the tasks whose labels were given as such.
    """
    quotes = as_list(X)
    if not quotes:
        raise ValueError("no quotes to train on")
    for position, quote in enumerate(quotes):
        if is_blank_quote(quote):
            raise ValueError(f"X[{position}] has no visible character: {quote_text(quote)!r}")
    given = y if isinstance(y, Mapping) else {"stance": y}
    for task in given:
        if not isinstance(task, str):
            raise TypeError(f"a task's name must be a string, not {task!r}")
    by_task = {task: _plain_labels(task, labels, len(quotes)) for task, labels in given.items()}
    # scikit-learn's scorers of probabilities take columns for sorted ones, so plain labels are.
    known = KNOWN_LABELS if isinstance(y, Mapping) else {}
    orders = {task: _class_order(labels, known.get(task, ())) for task, labels in by_task.items()}
    tasks = {task: tuple(map(str, labels)) for task, labels in orders.items()}
    kinds = {
        task: type(labels[0]).__name__
        for task, labels in orders.items()
        if labels and not isinstance(labels[0], str)
    }
    weights = _row_weights(sample_weight, len(quotes))
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
    return examples, tasks, kinds


def _row_weights(sample_weight: Iterable[float] | None, rows: int) -> list[float]:
    """Returns the weight of each row, 1 where none are given."""
    if sample_weight is None:
        return [1.0] * rows
    given = list(sample_weight)
    if len(given) != rows:
        raise ValueError(f"{rows} quotes but {len(given)} sample weights")
    weights = []
    for position, value in enumerate(given):
        try:
            weights.append(float(value))
        except (TypeError, ValueError):
            raise TypeError(f"sample_weight[{position}] must be a number, not {value!r}") from None
        if not 0 <= weights[-1] < float("inf"):
            raise ValueError(f"sample_weight[{position}] must be 0 or more, not {value}")
    if not any(weights):
        raise ValueError("sample_weight is 0 for every quote: nothing to learn from")
    return weights


def hold_out(
    examples: list[Example], fraction: float, seed: int
) -> tuple[list[Example], list[Example]]:
    """Splits examples at random into those to train on and those to validate on."""
    import numpy as np

    if isinstance(fraction, bool) or not isinstance(fraction, int | float):
        raise TypeError(f"validation_fraction must be a number, not {fraction!r}")
    if not 0 <= fraction < 1:
        raise ValueError(f"validation_fraction must be in [0, 1), not {fraction!r}")
    held_out = int(len(examples) * fraction)
    if held_out < _LEAST_HELD_OUT:
        return examples, []
    order = np.random.default_rng(seed).permutation(len(examples))
    rows = set(order[:held_out].tolist())
    train = [example for row, example in enumerate(examples) if row not in rows]
    return train, [examples[row] for row in sorted(rows)]
