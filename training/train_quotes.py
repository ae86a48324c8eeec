"""Trains the quote tagger, from annotated articles to a saved directory.

    python training/polnear.py PolNeAR/data/train polnear_train.jsonl
    python training/train_quotes.py --articles polnear_train.jsonl --output runs/quotes
    python training/train_quotes.py --articles ... --set learning_rate=2e-4 --init runs/mlm

Read ``main`` from top to bottom.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stance.training.script import run_script

if TYPE_CHECKING:
    import numpy as np

    from stance.model.encoder import Base
    from stance.model.tag_network import TagNetwork
    from stance.quotes.tagger import QuoteTagger
    from stance.training.quote_data import GoldArticle
    from stance.training.quote_settings import QuoteTrainingConfig

DEFAULT_CONFIG: Final = Path(__file__).resolve().parent / "configs" / "quotes.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the training.

    Args:
        argv: Arguments of the command line; None takes those of the process.

    Returns:
        The exit code: 0, or 2 where settings or data are wrong.
    """
    return run_script("train_quotes", _train, _parser().parse_args(argv), "stopped")


def _train(arguments: argparse.Namespace) -> None:
    import numpy as np
    import torch

    from stance.model.encoder import build_encoder, find_base, is_plain_bert, load_tokenizer
    from stance.model.hashes import file_sha256
    from stance.model.initial import load_layers
    from stance.model.settings import read_toml
    from stance.model.tag_network import TagNetwork
    from stance.quotes.tagger import special_ids
    from stance.quotes.wordpieces import FEATURE_SIZES
    from stance.training.quote_data import read_articles, tag_article, training_windows
    from stance.training.quote_learning import learn
    from stance.training.quote_settings import configured

    # 1. Settings: the TOML file, then what the command line changes.
    config = configured({**read_toml(arguments.config), **_overrides(arguments)})
    if arguments.minutes is not None and not arguments.minutes > 0:
        raise ValueError(f"--minutes must be above 0, not {arguments.minutes!r}")
    torch.manual_seed(config.seed)
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    # 2. Data: articles to learn from, and articles to choose the decision lines on.
    articles = read_articles(arguments.articles)
    if arguments.validation is not None:
        held_out = read_articles(arguments.validation)
    else:
        order = np.random.default_rng(config.seed).permutation(len(articles)).tolist()
        count = min(config.held_out, len(articles) // 5)
        held_out = [articles[i] for i in sorted(order[:count])]
        articles = [articles[i] for i in sorted(order[count:])]
    started = time.monotonic()
    start_from = find_base(config.base or None)
    tokenizer = load_tokenizer(start_from)
    stretches = [tagged for article in articles for tagged in tag_article(article, tokenizer)]
    pieces = sum(len(tagged.stretch.ids) for tagged in stretches)
    print(
        f"train: {len(articles):,} articles, {pieces:,} word pieces, "
        f"{sum(len(t.links) for t in stretches):,} of "
        f"{sum(len(a.quotes) for a in articles):,} attributions; held out: {len(held_out):,} "
        f"articles; read in {time.monotonic() - started:.0f} s",
        flush=True,
    )

    # 3. The network, and what of it learns.
    if not is_plain_bert(start_from.config):
        raise ValueError(f"the tagger needs a plain BERT encoder; {start_from.name} is none")
    encoder = build_encoder(start_from, dropout=config.hidden_dropout)
    init_sha256 = load_layers(encoder, config.init) if config.init else None
    network = TagNetwork(encoder, FEATURE_SIZES, config.dropout)
    _freeze(network, config.frozen_layers)

    # 4. Learning: windows cut anew in each epoch, batches of similar length.
    def windows_of(epoch: int) -> list[Any]:
        generator = np.random.default_rng((config.seed, epoch))
        return _batches(
            training_windows(stretches, config.window - 2, generator), config.batch_size, generator
        )

    def keep(records: list[dict[str, float]]) -> None:
        tagger = _tagger(network, start_from, config)
        tagger.training = {"config": asdict(config), "history": records, "unfinished": True}
        tagger.save_pretrained(arguments.output)

    history = learn(network, windows_of, special_ids(tokenizer), config, keep, arguments.minutes)

    # 5. Decision lines, chosen on the held-out articles with the weights as they will be saved.
    tagger = _tagger(network, start_from, config)
    training = {
        "config": asdict(config),
        "articles": {"name": arguments.articles.name, "sha256": file_sha256(arguments.articles)},
        "init_sha256": init_sha256,
        "counts": {"train": len(articles), "held_out": len(held_out), "pieces": pieces},
        "history": history,
        "seconds": round(time.monotonic() - started, 1),
        "versions": {"torch": torch.__version__.split("+")[0], "numpy": np.__version__},
    }
    if held_out:
        tagger.decision, figures = choose_decision(tagger, held_out)
        training["held_out"] = figures
        print(
            f"held out: {tagger.decision}; " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items())
        )
    tagger.training = training

    # 6. Save: what differs from the base, half precision, and the facts of the run.
    tagger.save_pretrained(arguments.output)
    size = (arguments.output / "model.safetensors").stat().st_size / 1e6
    print(f"saved to {arguments.output} ({size:.1f} MB), {training['seconds']:.0f} s")


def _freeze(network: TagNetwork, frozen_layers: int) -> None:
    names = ["encoder.embeddings."]
    names += [f"encoder.encoder.layer.{i}." for i in range(frozen_layers)]
    for name, parameter in network.named_parameters():
        # The normalisation of the embeddings is small, and learns with the features.
        if name.startswith(tuple(names)) and "embeddings.LayerNorm" not in name:
            parameter.requires_grad_(False)


def _batches(windows: list[Any], size: int, generator: np.random.Generator) -> list[Any]:
    """Returns batches of similar length in random order."""
    order = generator.permutation(len(windows)).tolist()
    batches = []
    for start in range(0, len(order), size * 50):
        part = sorted(
            order[start : start + size * 50], key=lambda i: windows[i].end - windows[i].start
        )
        batches += [[windows[i] for i in part[j : j + size]] for j in range(0, len(part), size)]
    return [batches[i] for i in generator.permutation(len(batches))]


def _tagger(network: TagNetwork, start_from: Base, config: QuoteTrainingConfig) -> QuoteTagger:
    """Returns the tagger of trained weights, rounded as they will be saved."""
    import numpy as np

    from stance.model.encoder import load_base_arrays
    from stance.quotes.tagger import QuoteTagger

    original = load_base_arrays(start_from)
    changed = {}
    for name, tensor in network.state_dict().items():
        values = tensor.detach().numpy()
        short = name.removeprefix("encoder.")
        if name.startswith("heads.") or not np.array_equal(values, original[short]):
            changed[name] = values.astype(np.float16)
    return QuoteTagger(start_from, changed, window=config.window, stride=config.stride)


def choose_decision(
    tagger: QuoteTagger, articles: Sequence[GoldArticle]
) -> tuple[Any, dict[str, float]]:
    """Returns the decision lines with the best sum of three F1 on some articles, and the F1.

    Each line is chosen in turn, the others held; the network reads the articles once.
    """
    from stance.quotes.assemble import assemble, attributions_by_rules
    from stance.quotes.combine import combine
    from stance.quotes.page import Page
    from stance.quotes.scores import Decision
    from stance.training.quote_scores import score_quotes

    pages = [Page(article.text) for article in articles]
    reads = [tagger.read(page) for page in pages]
    rules = [attributions_by_rules(page) for page in pages]
    decoded: dict[float, list[Any]] = {}

    def figures_of(decision: Decision) -> dict[str, float]:
        bias = decision.content_bias
        if bias not in decoded:
            decoded[bias] = [
                tagger.pieces(page, read, bias) for page, read in zip(pages, reads, strict=True)
            ]
        return score_quotes(
            articles,
            [
                assemble(page, combine(page, pieces, scores, ruled, decision))
                for page, (pieces, scores), ruled in zip(pages, decoded[bias], rules, strict=True)
            ],
        )

    best = Decision()
    figures = figures_of(best)
    grid = {
        "content_bias": (-0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5),
        "keep_direct": (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 1.1),
        "keep_other": (0.1, 0.2, 0.3, 0.4, 0.5, 1.1),
        "snap": (0.3, 0.5, 0.7),
    }
    for name, values in grid.items():
        for value in values:
            trial = replace(best, **{name: value})
            found = figures_of(trial)
            if sum(found.values()) > sum(figures.values()):
                best, figures = trial, found
    return best, figures


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    from stance.model.settings import parse_changes

    named = {"base": arguments.base, "init": arguments.init}
    changes = {name: value for name, value in named.items() if value is not None}
    return {**changes, **parse_changes(arguments.changes)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="train_quotes",
        description="Trains the quote tagger on annotated articles.",
        epilog="Any setting of the configuration can be changed: --set epochs=4",
    )
    parser.add_argument(
        "--articles", type=Path, required=True, help="JSONL file made by training/polnear.py"
    )
    parser.add_argument(
        "--validation",
        type=Path,
        help="articles to choose the decision lines on (default: some of --articles)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/quotes"),
        help="directory to write (default: runs/quotes)",
    )
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="TOML file of settings")
    parser.add_argument("--base", help="folder or hub id of another base encoder")
    parser.add_argument("--init", help="file or folder of encoder layers to start from")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="changes",
        help="change any setting; repeatable",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        help="learn no longer than this, with the rate falling by the clock; the result then "
        "depends on the machine's speed",
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
