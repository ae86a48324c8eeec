"""Averages the weights of models trained one from the other, and calibrates the mean.

    python training/average.py runs/first runs/second --shares 0.25 0.75 --output runs/mean

Models that began from the same weights lie close enough together for the mean of their weights to
do as well as the mean of their answers, at the cost of one model. The validation sets are those of
training, so name the same data.

Source: Wortsman et al. 2022, Model soups, https://arxiv.org/abs/2203.05482.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from stance.training.script import run_script
from stance.training.train_stance import add_data_arguments, print_validation, read_corpus

if TYPE_CHECKING:
    from stance.model.storage import StoredModel


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the mean model and returns 0, or 2 where models, shares or data are wrong."""
    stop = "stopped; nothing was written"
    return run_script("average", _average, _parser().parse_args(argv), stop)


def _average(arguments: argparse.Namespace) -> None:
    from stance.model.hashes import file_sha256
    from stance.model.storage import find_model, load_model, save_model
    from stance.model.validation import Validation

    folders = [find_model(model) for model in arguments.models]
    shares = _shares(arguments.shares, len(folders))
    models = [load_model(folder) for folder in folders]
    last = _mean(models, shares)
    validation = Validation(read_corpus(arguments, {}).validation, last.tasks, last.inputs)
    found = validation.calibrate(last.network)
    spans = validation.measure_spans(last.network)
    last = replace(
        last,
        temperatures=found.temperatures,
        label_sets=found.label_sets,
        training={
            **last.training,
            "averaged": [
                {"share": share, "weights_sha256": file_sha256(folder / "model.safetensors")}
                for folder, share in zip(folders, shares, strict=True)
            ],
            "validation": validation.measure(last.network),
            **({"spans": spans} if spans else {}),
        },
    )
    save_model(last, arguments.output)
    print_validation(last.training)
    print(f"saved to {arguments.output}")


def _mean(models: Sequence[StoredModel], shares: Sequence[float]) -> StoredModel:
    """Returns the last model with the weighted mean of all weights.

    Raises:
        ValueError: The models differ in base, labels or heads.
    """
    import torch

    last = models[-1]
    for model in models[:-1]:
        for what in ("base.sha256", "tasks", "token_heads"):
            ours, theirs = _facet(last, what), _facet(model, what)
            if ours != theirs:
                raise ValueError(f"the models differ in {what}: {theirs} and {ours}")
    network = last.network
    states = [model.network.state_dict() for model in models]
    mean = {}
    for name, tensor in states[-1].items():
        if all(torch.equal(tensor, state[name]) for state in states):
            # What nobody trained stays the base's to the bit, and need not be saved.
            mean[name] = tensor
            continue
        total = sum(share * state[name] for share, state in zip(shares, states, strict=True))
        # As it is saved, so that what is measured is what is loaded.
        mean[name] = torch.as_tensor(total).half().float()
    network.load_state_dict(mean)
    return replace(last, weights=network)


def _facet(model: StoredModel, name: str) -> object:
    return model.base.sha256 if name == "base.sha256" else getattr(model, name)


def _shares(given: Sequence[float] | None, count: int) -> list[float]:
    if given is None:
        return [1 / count] * count
    if len(given) != count:
        raise ValueError(f"--shares needs one number for each of {count} models, not {len(given)}")
    if any(not 0 <= share <= 1 for share in given) or not math.isclose(sum(given), 1.0):
        raise ValueError(f"--shares must be in 0..1 and sum to 1, not {given}")
    return list(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="average", description="Averages the weights of models and calibrates the mean."
    )
    parser.add_argument(
        "models",
        nargs="+",
        metavar="MODEL",
        help="model directories, the one whose training the mean is described by last",
    )
    add_data_arguments(parser)
    parser.add_argument(
        "--shares", type=float, nargs="+", metavar="SHARE", help="of each model (default: equal)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/mean"),
        help="model directory to write (default: runs/mean)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
