"""Writes what trained models think of the training quotes, for another model to learn from.

    python training/teach.py runs/seed0 runs/seed1 runs/seed2 --output runs/teacher.jsonl
    python training/train_stance.py --teacher runs/teacher.jsonl

The mean of several seeds' probabilities is better than any one of them; a student of the same size
that learns it (``teacher_weight``, ``teacher_temperature``) keeps part of the gain, and so does one
that learns from a teacher of a larger base. Give the same ``--data``, ``--extra``, ``--labels``,
``--news`` and ``--articles`` as to the training. ``--unlabelled`` names quotes of the articles that
nobody labelled: the student learns them from the teacher alone.

Source: Hinton et al. 2015, https://arxiv.org/abs/1503.02531.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stance.training.script import run_script
from stance.training.train_stance import add_data_arguments, read_corpus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the teachers and returns the exit code: 0, or 2 where something is wrong."""
    return run_script("teach", _teach, _parser().parse_args(argv), "stopped; nothing was written")


def _teach(arguments: argparse.Namespace) -> None:
    from stance.references import cut_quotes, read_article_references
    from stance.training.data import example_sha256

    # 1. The quotes that the student will learn from. Of those with labels, none that it is
    # validated on; which of the others it leaves out is decided when it is trained.
    corpus = read_corpus(arguments, {})
    notes = list(corpus.notes)
    quotes = list({(example.text, example.context): None for example in corpus.train})
    records: list[dict[str, object]] = [
        {"sha256": example_sha256(text, context)} for text, context in quotes
    ]
    if arguments.unlabelled:
        if not arguments.articles:
            raise ValueError("--unlabelled needs --articles: the articles that it points to")
        references = read_article_references(arguments.unlabelled, labelled=False)
        found, note = cut_quotes(references, arguments.articles)
        if not found:
            raise ValueError(f"{arguments.unlabelled}: {note}")
        notes.append(f"{arguments.unlabelled}: {note}")
        quotes += [(row["text"], row["context"]) for _, row in found]
        kept = ("article", "spans", "context", "sha256")
        records += [{name: one[name] for name in kept if name in one} for one, _ in found]
    for note in notes:
        print(note)

    # 2. The mean of the models' calibrated probabilities.
    means = _mean_probabilities(arguments.models, quotes)

    # 3. One line a quote, known by its hash or its place in an article: no text is written.
    lines = []
    for row, record in enumerate(records):
        for task, values in means.items():
            record[task] = [round(float(value), 4) for value in values[row]]
        lines.append(json.dumps(record) + "\n")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("".join(lines), "utf-8")
    print(f"{len(lines):,} quotes taught by {len(arguments.models)} models: {arguments.output}")


def _mean_probabilities(
    models: Sequence[str], quotes: Sequence[tuple[str, str]]
) -> dict[str, NDArray[np.float64]]:
    """Returns task to the mean of the models' probabilities, (quotes, labels).

    Raises:
        ValueError: A model has other labels, or is none.
    """
    import numpy as np

    from stance import StanceClassifier
    from stance.training.data import TASKS

    texts = [text for text, _ in quotes]
    contexts = [context or None for _, context in quotes]
    means = {task: np.zeros((len(quotes), len(labels))) for task, labels in TASKS.items()}
    for path in models:
        teacher = StanceClassifier.from_pretrained(path)
        for task, labels in TASKS.items():
            if teacher.tasks_.get(task) != labels:
                raise ValueError(f"{path} does not label {task} as {list(labels)}")
        # Both tasks come from one pass.
        for row, answer in enumerate(teacher.classify(texts, context=contexts)):
            means["stance"][row] += list(answer.stance_probabilities.values())
            means["sentiment"][row] += list(answer.sentiment_probabilities.values())
    return {task: values / len(models) for task, values in means.items()}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="teach", description="Writes models' probabilities of the training quotes."
    )
    parser.add_argument("models", nargs="+", metavar="MODEL", help="model directories")
    add_data_arguments(parser)
    parser.add_argument(
        "--unlabelled",
        type=Path,
        metavar="FILE",
        help="JSONL of article, spans, context and sha256: further quotes of --articles",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/teacher.jsonl"),
        help="file to write (default: runs/teacher.jsonl)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
