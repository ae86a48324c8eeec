"""Continues the base encoder's masked-language training on news, before it learns any label.

    python training/pretrain.py --articles news.jsonl.gz --minutes 45 --output runs/pretrained
    python training/train_stance.py --init runs/pretrained

all-MiniLM-L6-v2 was bent towards topic similarity and is weak on *whether* something is said to
hold; predicting hidden words of the domain brings that back. The embeddings stay frozen and the
output is tied to the word embeddings, so the result differs from the base in its layers only and a
model trained from it still loads with the default base.

Source: Gururangan et al. 2020, Don't Stop Pretraining, https://arxiv.org/abs/2004.10964; masking
as in Devlin et al. 2019, https://arxiv.org/abs/1810.04805, at the rate of Wettig et al. 2023,
https://arxiv.org/abs/2202.08005.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stance.training.script import run_script

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from stance.training.masking import MaskedModel

# Shorter pieces at the end of an article teach little.
LEAST_TOKENS: Final = 16
# Share of the pieces that is never learned from and shows whether the words are predicted better.
HELD_OUT_SHARE: Final = 0.01
MOST_HELD_OUT: Final = 512
# Batches are cut from stretches of this many, sorted by length.
_STRETCH: Final = 50
_SAVE_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class PretrainConfig:
    """What decides a run besides its texts.

    Attributes:
        base: Folder or hub id of the base encoder; "" for the default one.
        minutes: Most minutes to learn for. Without ``steps`` the learning rate falls by the clock,
            and the result depends on the machine's speed.
        steps: Steps after which the rate reaches 0; then equal seeds give equal weights. 0 for
            going by ``minutes`` alone.
        batch_size: Pieces of text a step.
        tokens: Most tokens of a piece, without the special ones.
        learning_rate: Peak rate.
        warmup: Share of the run over which the rate rises, 0..1.
        dropout: Share of hidden units dropped, 0..1.
        mask: Share of tokens to be predicted: eight in ten hidden, one replaced, one left.
        seed: Seed of every random choice.
    """

    base: str = ""
    minutes: float = 45.0
    steps: int = 0
    batch_size: int = 32
    tokens: int = 126
    learning_rate: float = 5e-4
    warmup: float = 0.03
    dropout: float = 0.05
    mask: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        checks = (
            ("minutes", 0 < self.minutes < float("inf"), "above 0"),
            ("steps", self.steps >= 0, "0 or more"),
            ("batch_size", self.batch_size >= 1, "at least 1"),
            ("tokens", LEAST_TOKENS <= self.tokens <= 510, f"in {LEAST_TOKENS}..510"),
            ("learning_rate", 0 < self.learning_rate <= 0.1, "above 0 and at most 0.1"),
            ("warmup", 0 <= self.warmup < 1, "in [0, 1)"),
            ("dropout", 0 <= self.dropout < 1, "in [0, 1)"),
            ("mask", 0 < self.mask < 1, "between 0 and 1"),
            ("seed", self.seed >= 0, "0 or more"),
        )
        for name, passed, allowed in checks:
            if not passed:
                raise ValueError(f"{name} must be {allowed}, not {getattr(self, name)!r}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the pretraining and returns the exit code: 0, or 2 where arguments are wrong."""
    stop = "stopped; what was saved last, if anything, is in --output"
    return run_script("pretrain", _run, _parser().parse_args(argv), stop)


def _run(arguments: argparse.Namespace) -> None:
    import torch

    from stance.model.encoder import find_base, load_tokenizer
    from stance.model.hashes import file_sha256
    from stance.training.masking import MaskedModel

    names = ("base", "minutes", "steps", "batch_size", "learning_rate", "seed")
    given = {name: getattr(arguments, name) for name in names}
    config = PretrainConfig(**{name: value for name, value in given.items() if value is not None})
    if arguments.threads:
        torch.set_num_threads(arguments.threads)

    # 1. Texts, cut into pieces of token ids; some of them are held out.
    base = find_base(config.base or None)
    tokenizer = load_tokenizer(base)
    texts = [text for path in arguments.articles for text in read_texts(path)]
    pieces = cut(texts, tokenizer, config.tokens)
    train, held_out = hold_out_pieces(pieces, config.seed)
    count = sum(map(len, train))
    print(f"{len(texts):,} texts, {len(train):,} pieces, {count:,} tokens to learn from")

    # 2. The encoder with frozen embeddings and a head tied to the word embeddings.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = MaskedModel(base, tokenizer, dropout=config.dropout, mask=config.mask)
        before = model.measure(held_out, config.batch_size, config.seed)
        print(f"held out, before: loss {before[0]:.3f}, accuracy {before[1]:.3f}")

        # 3. Steps, until the clock or the number of steps says stop.
        facts = learn(model, train, config, arguments.output, quiet=arguments.quiet)
        after = model.measure(held_out, config.batch_size, config.seed)
    print(f"held out, after: loss {after[0]:.3f}, accuracy {after[1]:.3f}")

    # 4. Save: the layers, and what they were made of.
    save_layers(model, arguments.output)
    files = [
        {"file": path.name, "sha256": file_sha256(path)} for path in map(Path, arguments.articles)
    ]
    record = {
        "config": asdict(config),
        "base": {"name": base.name, "sha256": base.sha256},
        "data": files,
        "held_out": {"loss": after[0], "accuracy": after[1], "loss_before": before[0]},
        "weights_sha256": file_sha256(arguments.output / "model.safetensors"),
        **facts,
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (arguments.output / "pretraining.json").write_text(text, "utf-8")
    print(
        f"{facts['steps']:,} steps, {facts['seconds'] / 60:.1f} minutes; saved to "
        f"{arguments.output}; to use it: stance train --init {arguments.output}"
    )


def read_texts(path: Path) -> list[str]:
    """Returns the texts of a JSONL file, which may be compressed (".gz").

    A row with a ``context`` that has a place "[…]" for the quote gives the context with the quote
    in it, which is how the words stood in the paper.

    Raises:
        ValueError: The file is missing, damaged, or a line has no ``text``.
    """
    from stance.model.inputs import MARKER
    from stance.references import read_records

    texts = []
    for number, row in read_records(path, "file of texts"):
        text, context = row.get("text"), row.get("context")
        if not isinstance(text, str):
            raise ValueError(f"{path}, line {number}: a row needs a text")
        placed = isinstance(context, str) and MARKER in context
        texts.append(context.replace(MARKER, f'"{text}"') if placed else text)
    if not texts:
        raise ValueError(f"{path} holds no texts")
    return texts


def cut(texts: Sequence[str], tokenizer: Tokenizer, tokens: int) -> list[list[int]]:
    """Returns the texts as pieces of at most ``tokens`` token ids, in one style of marks."""
    from stance.model.inputs import normalise

    pieces: list[list[int]] = []
    for start in range(0, len(texts), 512):
        clean = [
            normalise(text).encode("utf-8", "replace").decode("utf-8")
            for text in texts[start : start + 512]
        ]
        for encoding in tokenizer.encode_batch(clean, add_special_tokens=False):
            ids = encoding.ids
            found = (ids[first : first + tokens] for first in range(0, len(ids), tokens))
            pieces += [piece for piece in found if len(piece) >= LEAST_TOKENS]
    if not pieces:
        raise ValueError(f"no text has {LEAST_TOKENS} tokens")
    return pieces


def hold_out_pieces(
    pieces: Sequence[list[int]], seed: int
) -> tuple[list[list[int]], list[list[int]]]:
    """Splits pieces at random into those to learn from and those to measure on."""
    import numpy as np

    count = min(MOST_HELD_OUT, int(len(pieces) * HELD_OUT_SHARE))
    order = np.random.default_rng((seed, 7)).permutation(len(pieces)).tolist()
    return [pieces[row] for row in order[count:]], [pieces[row] for row in order[:count]]


def batches(pieces: Sequence[list[int]], size: int, seed: int) -> Iterator[list[list[int]]]:
    """Yields batches of similar length in random order, pass after pass, without end."""
    import numpy as np

    generator = np.random.default_rng((seed, 8))
    while True:
        order = generator.permutation(len(pieces)).tolist()
        for start in range(0, len(order), size * _STRETCH):
            stretch = sorted(order[start : start + size * _STRETCH], key=lambda r: len(pieces[r]))
            cuts = range(0, len(stretch), size)
            for first in generator.permutation(len(cuts)).tolist():
                yield [pieces[row] for row in stretch[cuts[first] : cuts[first] + size]]


def learn(
    model: MaskedModel,
    pieces: Sequence[list[int]],
    config: PretrainConfig,
    output: Path,
    *,
    quiet: bool = False,
) -> dict[str, Any]:
    """Learns until the steps are done or the minutes are over.

    Args:
        model: Changed in place.
        pieces: Token ids to learn from.
        config: Settings.
        output: Folder where the layers are saved now and then.
        quiet: Whether to print no progress.

    Returns:
        Steps, tokens, seconds and the mean loss of the last hundred steps.
    """
    started = saved = time.monotonic()
    steps = tokens = 0
    recent: list[float] = []
    for batch in batches(pieces, config.batch_size, config.seed):
        by_clock = (time.monotonic() - started) / (60 * config.minutes)
        done = steps / config.steps if config.steps else by_clock
        if done >= 1 or by_clock >= 1:
            break
        rising = (done + 1e-3) / config.warmup if config.warmup else 1.0
        rate = config.learning_rate * min(1.0, rising, 1 - done)
        recent = [*recent[-99:], model.step(batch, rate)]
        steps += 1
        tokens += sum(map(len, batch))
        if not quiet and steps % 50 == 1:
            pace = tokens / (time.monotonic() - started)
            loss = sum(recent) / len(recent)
            print(f"step {steps}: loss {loss:.3f}, {pace:,.0f} tokens/s, {done:.1%}", flush=True)
        if time.monotonic() - saved > _SAVE_SECONDS:
            save_layers(model, output)
            saved = time.monotonic()
    if config.steps and steps < config.steps:
        print(f"stopped by --minutes after {steps:,} of {config.steps:,} steps", file=sys.stderr)
    return {
        "steps": steps,
        "tokens": tokens,
        "seconds": round(time.monotonic() - started, 1),
        "loss": sum(recent) / max(len(recent), 1),
    }


def save_layers(model: MaskedModel, folder: Path) -> None:
    """Writes the tensors that were learned, by BERT's names; a kill leaves a whole file."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "model.safetensors.partial"
    save_file(model.layers(), partial, metadata={"format": "pt"})
    # safetensors writes for the owner alone.
    partial.chmod(0o644)
    os.replace(partial, folder / "model.safetensors")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pretrain", description="Continues masked-language training of the base encoder."
    )
    parser.add_argument(
        "--articles",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        metavar="FILE",
        help="JSONL files with text and, optionally, context; may be .gz",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/pretrained"),
        help="folder to write (default: runs/pretrained)",
    )
    parser.add_argument("--minutes", type=float, help="most minutes to learn for (default: 45)")
    parser.add_argument("--steps", type=int, help="steps to learn for, for a repeatable result")
    parser.add_argument("--base", help="folder or hub id of another base encoder (BERT)")
    parser.add_argument("--batch-size", type=int, help="pieces of text a step (default: 32)")
    parser.add_argument("--learning-rate", type=float, help="peak rate (default: 5e-4)")
    parser.add_argument("--seed", type=int, help="seed of every random choice")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")
    parser.add_argument("--quiet", action="store_true", help="print no progress")
    return parser


if __name__ == "__main__":
    sys.exit(main())
