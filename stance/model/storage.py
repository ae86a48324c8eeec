"""Saves and loads a model directory: JSON and safetensors, nothing that can run code.

The directory holds only the tensors that differ from the base encoder, in half precision: about
21 MB for the default base with its embeddings frozen.

- ``config.json``: format, base with hash, tasks and labels in order, input settings, temperatures,
  hash of the weights, and how they were trained
- ``model.safetensors``: the tensors
- ``training_log.jsonl``: one line an epoch
- ``README.md``: model card, generated from ``config.json`` and, when there is one, a results file
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stance.model.encoder import (
    Base,
    build_encoder,
    file_sha256,
    find_base,
    from_hub,
    load_tokenizer,
)

if TYPE_CHECKING:
    from stance.model.inputs import InputEncoder
    from stance.model.network import StanceNetwork

FORMAT_VERSION: Final = 1
POOLING: Final = "first_and_mean"
_HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(slots=True)
class StoredModel:
    """A trained model with all that inference and saving need.

    Attributes:
        base: The encoder its weights build on.
        network: Encoder and heads, in evaluation mode.
        inputs: Makes its inputs.
        tasks: Task to labels, in order.
        temperatures: Task to the number its logits are divided by.
        training: Facts of the training run, JSON-ready.
        history: One record an epoch.
    """

    base: Base
    network: StanceNetwork
    inputs: InputEncoder
    tasks: dict[str, tuple[str, ...]]
    temperatures: dict[str, float]
    training: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)


def save_model(
    model: StoredModel, folder: Path, *, results: Mapping[str, Any] | None = None
) -> None:
    """Writes a model directory.

    Args:
        model: The model.
        folder: Made when missing; files of the same names are overwritten.
        results: Content of an evaluation's ``results.json``, whose figures go into the model card.
    """
    import torch
    from safetensors.torch import save_file

    from stance.model.card import write_card

    folder.mkdir(parents=True, exist_ok=True)
    original = build_encoder(model.base).state_dict()
    changed = {
        name: tensor.detach().half().contiguous()
        for name, tensor in model.network.state_dict().items()
        if name.startswith("heads.")
        or not torch.equal(tensor, original[name.removeprefix("encoder.")])
    }
    weights = folder / "model.safetensors"
    save_file(changed, weights, metadata={"format": "pt"})
    # safetensors writes for the owner alone; an installed model is for every user.
    weights.chmod(0o644)
    config = {
        "format_version": FORMAT_VERSION,
        "base": {
            "name": model.base.name,
            "package": model.base.package,
            "sha256": model.base.sha256,
            "tokenizer_sha256": model.base.tokenizer_sha256,
        },
        "tasks": {task: list(labels) for task, labels in model.tasks.items()},
        "pooling": POOLING,
        "max_length": model.inputs.max_length,
        "temperatures": model.temperatures,
        "weights_sha256": file_sha256(weights),
        "training": model.training,
    }
    (folder / "config.json").write_text(
        json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8"
    )
    (folder / "training_log.jsonl").write_text(
        "".join(json.dumps(record) + "\n" for record in model.history), "utf-8"
    )
    write_card(folder, config, results)


def find_model(path_or_id: str | Path) -> Path:
    """Returns the folder of a saved model: a path, or a hub id looked up in the cache first.

    Raises:
        FileNotFoundError: There is no such folder, and no such model on the hub.
    """
    folder = Path(path_or_id)
    if folder.is_dir():
        return folder
    name = str(path_or_id)
    if isinstance(path_or_id, str) and _HUB_ID.fullmatch(name) and not folder.is_absolute():
        try:
            return from_hub(name, ("config.json", "model.safetensors", "*.jsonl", "README.md"))
        except RuntimeError as error:
            raise FileNotFoundError(str(error)) from error
    raise FileNotFoundError(f"no model directory at {name!r}")


def load_model(folder: Path, *, base: str | None = None) -> StoredModel:
    """Loads a model directory and the base it builds on, and verifies both.

    Args:
        folder: The directory.
        base: Where the base is now, when it is not where it was at training; its hash must be the
            same.

    Raises:
        FileNotFoundError: ``config.json`` or ``model.safetensors`` is missing.
        ValueError: A file is damaged, or of a format that this version does not read.
        BaseModelError: The base is missing or another one.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from stance.model.inputs import InputEncoder
    from stance.model.network import StanceNetwork

    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} is not a model directory: it has no {name}")
    config = _read_config(folder / "config.json")
    weights = folder / "model.safetensors"
    if file_sha256(weights) != config["weights_sha256"]:
        raise ValueError(f"{weights} is damaged: its SHA-256 is not the one in config.json")
    found = find_base(base or config["base"]["name"], sha256=config["base"]["sha256"])
    if config["base"]["tokenizer_sha256"] != found.tokenizer_sha256:
        raise ValueError(f"the tokenizer of {found.name} is not the one these weights learned with")
    encoder = build_encoder(found)
    if config["max_length"] > int(encoder.max_tokens):  # type: ignore[arg-type]
        raise ValueError(
            f"{folder}: max_length is {config['max_length']}, but {found.name} reads at most "
            f"{encoder.max_tokens} tokens"
        )
    network = StanceNetwork(encoder, config["tasks"])
    try:
        changed = load_file(weights)
    except SafetensorError as error:
        raise ValueError(f"{weights} is not a safetensors file: {error}") from error
    needed = {name for name in network.state_dict() if name.startswith("heads.")}
    if missing := sorted(needed - changed.keys()):
        raise ValueError(f"{weights} lacks {missing}")
    try:
        result = network.load_state_dict(
            {name: tensor.float() for name, tensor in changed.items()}, strict=False, assign=True
        )
    except RuntimeError as error:
        raise ValueError(f"{weights} does not fit the base {found.name}: {error}") from error
    if result.unexpected_keys:
        raise ValueError(f"{weights} holds unknown tensors: {result.unexpected_keys}")
    network.eval().requires_grad_(False)
    log = folder / "training_log.jsonl"
    return StoredModel(
        base=found,
        network=network,
        inputs=InputEncoder(load_tokenizer(found), config["max_length"]),
        tasks=config["tasks"],
        temperatures=config["temperatures"],
        training=config["training"],
        history=_read_log(log) if log.is_file() else [],
    )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
        version = config["format_version"]
        if version != FORMAT_VERSION:
            raise ValueError(
                f"{path} has format {version!r}; this version of stance reads {FORMAT_VERSION}"
            )
        if config["pooling"] != POOLING:
            raise ValueError(f"{path}: pooling must be {POOLING!r}, not {config['pooling']!r}")
        tasks: dict[str, Any] = config["tasks"]
        temperatures: dict[str, Any] = config["temperatures"]
        read: dict[str, Any] = {
            "base": {key: config["base"][key] for key in ("name", "sha256", "tokenizer_sha256")},
            "tasks": {str(task): _labels(names) for task, names in tasks.items()},
            "temperatures": {str(task): float(value) for task, value in temperatures.items()},
            "max_length": int(config["max_length"]),
            "weights_sha256": str(config["weights_sha256"]),
            "training": dict(config.get("training", {})),
        }
        for task, temperature in read["temperatures"].items():
            if not temperature > 0:
                raise ValueError(f"{path}: temperature of {task!r} is {temperature}")
        return read
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a valid model configuration: {error!r}") from error


def _labels(names: Sequence[Any]) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"labels must be a list of strings, not {names!r}")
    return tuple(names)


def _read_log(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
