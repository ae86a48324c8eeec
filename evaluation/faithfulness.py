"""Whether the words that an explanation names are those that made the label.

    python -m stance.evaluation.faithfulness --quotes data/authored/validation.jsonl

The words that weigh most are left out: the label's probability should fall (comprehensiveness, more
is better). They alone are kept: it should not (sufficiency, less is better). Both are means over
the top 5, 10, 20 and 50% of the words, and stand beside those of words ranked at random.

Source: DeYoung et al., ERASER: A Benchmark to Evaluate Rationalized NLP Models (2020),
https://arxiv.org/abs/1911.03429, section 4 (AOPC).
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from stance.evaluation.rows import DataError, read_bytes, read_objects
from stance.explanation import WordWeight, without, words_of

if TYPE_CHECKING:
    from stance.classifier import StanceClassifier

SHARES: Final = (0.05, 0.1, 0.2, 0.5)
# Of shorter quotes every share would be the same word.
_LEAST_WORDS: Final = 5


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """How faithful explanations are, on average over some quotes.

    Attributes:
        quotes: How many quotes.
        comprehensiveness: What the label's probability loses without the words that weigh most.
        sufficiency: What it loses when they alone are left.
        seconds: What one explanation took.
    """

    quotes: int
    comprehensiveness: float
    sufficiency: float
    seconds: float


def measure(
    classifier: StanceClassifier,
    texts: Sequence[str],
    *,
    task: str = "stance",
    rank: Callable[[str], Sequence[WordWeight]] | None = None,
) -> Faithfulness:
    """Measures a classifier's explanations.

    Args:
        classifier: Explains, and gives the probabilities.
        texts: Quotes of at least five words; shorter ones are passed over.
        task: Which label.
        rank: Gives a quote's words their weights; None for ``classifier.explain``.

    Raises:
        ValueError: No quote is long enough.
    """
    chosen = [text for text in texts if len(words_of(text)) >= _LEAST_WORDS]
    if not chosen:
        raise ValueError(f"no quote has {_LEAST_WORDS} words or more")
    losses, seconds = [], 0.0
    for text in chosen:
        started = time.perf_counter()
        words = rank(text) if rank else classifier.explain(text, task=task).words
        seconds += time.perf_counter() - started
        variants = [text, *_variants(text, words)]
        probabilities = classifier.predict_proba(variants, task=task)
        column = probabilities[:, int(probabilities[0].argmax())]
        losses.append(column[0] - column[1:])
    lost = np.array(losses)
    return Faithfulness(
        quotes=len(chosen),
        comprehensiveness=float(lost[:, 0::2].mean()),
        sufficiency=float(lost[:, 1::2].mean()),
        seconds=seconds / len(chosen),
    )


def _variants(text: str, words: Sequence[WordWeight]) -> list[str]:
    """Returns, for each share of the words, the quote without the top ones and with only them."""
    parts = [(word.start, word.end) for word in words]
    order = sorted(range(len(words)), key=lambda place: -words[place].weight)
    variants = []
    for share in SHARES:
        top = set(order[: max(1, math.ceil(share * len(words)))])
        variants.append(without(text, parts, [place not in top for place in range(len(words))]))
        variants.append(without(text, parts, [place in top for place in range(len(words))]))
    return variants


def random_ranking(seed: int = 0) -> Callable[[str], list[WordWeight]]:
    """Returns a ranking of words that knows nothing: what any explanation has to beat."""
    generator = np.random.default_rng(seed)

    def rank(text: str) -> list[WordWeight]:
        return [
            WordWeight(text[start:end], start, end, float(generator.random()))
            for start, end in words_of(text)
        ]

    return rank


def _texts(path: Path) -> list[str]:
    """Returns the text of each row.

    Raises:
        DataError: The file cannot be read, or a row has no text.
    """
    texts = []
    for number, row in read_objects(path, read_bytes(path)):
        text = row.get("text")
        if not isinstance(text, str) or not text.strip():
            raise DataError(f"{path}:{number}: 'text' must be text that is not blank, not {text!r}")
        texts.append(text)
    if not texts:
        raise DataError(f"{path}:1: no rows in this file")
    return texts


def main(argv: Sequence[str] | None = None) -> int:
    """Measures the released weights, or those of ``--model``, and prints JSON."""
    from stance.classifier import StanceClassifier

    parser = argparse.ArgumentParser(description="Measures how faithful explanations are.")
    parser.add_argument("--quotes", type=Path, required=True, help="JSONL with text")
    parser.add_argument("--model", help="folder of a trained model (default: the released one)")
    parser.add_argument("--task", default="stance", help="stance or sentiment (default: stance)")
    parser.add_argument("--most", type=int, default=100, help="quotes, drawn at random")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draw")
    arguments = parser.parse_args(argv)
    for name, least in (("most", 1), ("seed", 0)):
        if getattr(arguments, name) < least:
            parser.error(f"--{name} must be {least} or more, not {getattr(arguments, name)}")
    try:
        texts = _texts(arguments.quotes)
        order = np.random.default_rng(arguments.seed).permutation(len(texts))
        long = [texts[row] for row in order if len(words_of(texts[row])) >= _LEAST_WORDS]
        drawn = long[: arguments.most]
        classifier = StanceClassifier.from_pretrained(arguments.model)
        found = {
            "explanation": asdict(measure(classifier, drawn, task=arguments.task)),
            "random words": asdict(
                measure(classifier, drawn, task=arguments.task, rank=random_ranking(arguments.seed))
            ),
        }
    except (OSError, ValueError, RuntimeError) as error:
        print(f"faithfulness: error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
