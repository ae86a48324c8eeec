"""Saves and loads a model directory: JSON and safetensors, nothing that can run code.

The directory holds only the tensors that differ from the base encoder, in half precision: about
21 MB for the default base with its embeddings frozen.

- ``config.json``: format, base with hash, tasks and labels in order, input settings, temperatures,
  hash of the weights, and how they were trained
- ``model.safetensors``: the tensors
- ``calibration.json``: the scores that label sets are made by, where there are any
- ``training_log.jsonl``: one line an epoch
- ``README.md``: model card, generated from ``config.json`` and, when there is one, a results file
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stance.model.conformal import LabelSets
from stance.model.encoder import (
    Base,
    build_encoder,
    find_base,
    from_hub,
    is_plain_bert,
    load_base_arrays,
    load_tokenizer,
    max_tokens,
)
from stance.model.hashes import file_sha256, known_sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stance.model.inputs import InputEncoder
    from stance.model.network import StanceNetwork
    from stance.model.runtime import Reader

FORMAT_VERSION: Final = 1
POOLING: Final = "first_and_mean"
_HEADS: Final = ("heads.", "token_heads.")
_DERIVED: Final = ("network", "_reader")
_CALIBRATION: Final = "calibration.json"
_HUB_ID: Final = re.compile(r"[\w.-]+/[\w.-]+")
# ``cached_property`` locks no more from Python 3.12 on: threads that come together would build one
# engine each.
_reader_lock = threading.Lock()


@dataclass
class StoredModel:
    """A trained model with all that inference and saving need.

    Attributes:
        base: The encoder its weights build on.
        weights: The trained network, or the arrays that differ from the base, and the heads, by
            the network's names.
        inputs: Makes its inputs.
        tasks: Task to labels, in order.
        temperatures: Task to the number its logits are divided by.
        training: Facts of the training run, JSON-ready.
        history: One record an epoch.
        token_heads: Name to labels of the heads that label tokens, in order.
        label_sets: Task to what makes its label sets; tasks without calibration are missing.
        engine: What computes plain BERT, one of ``stance.model.engine.ENGINES``.
    """

    base: Base
    weights: StanceNetwork | Mapping[str, NDArray[Any]]
    inputs: InputEncoder
    tasks: dict[str, tuple[str, ...]]
    temperatures: dict[str, float]
    training: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    token_heads: dict[str, tuple[str, ...]] = field(default_factory=dict)
    label_sets: dict[str, LabelSets] = field(default_factory=dict)
    engine: str = "auto"

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what is made from the weights: compiled engines cannot be copied."""
        return {name: value for name, value in vars(self).items() if name not in _DERIVED}

    @cached_property
    def network(self) -> StanceNetwork:
        """Encoder and heads in torch, in evaluation mode; built when first asked for.

        Raises:
            ValueError: The arrays do not fit the base.
        """
        if not isinstance(self.weights, Mapping):
            return self.weights
        import numpy as np
        import torch

        from stance.model.network import StanceNetwork

        network = StanceNetwork(build_encoder(self.base), self.tasks, token_heads=self.token_heads)
        state = {
            name: torch.from_numpy(np.array(array, dtype=np.float32))
            for name, array in self.weights.items()
        }
        try:
            result = network.load_state_dict(state, strict=False, assign=True)
        except RuntimeError as error:
            raise ValueError(f"the weights do not fit {self.base.name}: {error}") from error
        if result.unexpected_keys:
            raise ValueError(f"the weights hold unknown tensors: {result.unexpected_keys}")
        return network.eval().requires_grad_(False)

    @property
    def reader(self) -> Reader:
        """What computes logits: an engine without torch for plain BERT, else the network."""
        with _reader_lock:
            return self._reader

    @cached_property
    def _reader(self) -> Reader:
        from stance.model.runtime import ArrayReader, NetworkReader

        if not is_plain_bert(self.base.config):
            return NetworkReader(self.network, self.inputs.pad_id, self.inputs.max_length)
        if isinstance(self.weights, Mapping):
            base = load_base_arrays(self.base)
            arrays = {f"encoder.{name}": array for name, array in base.items()}
            return ArrayReader({**arrays, **self.weights}, self.base.config, engine=self.engine)
        state = self.weights.state_dict()
        return ArrayReader(
            {name: tensor.detach().cpu().numpy() for name, tensor in state.items()},
            self.base.config,
            engine=self.engine,
        )


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
        if name.startswith(_HEADS)
        or not torch.equal(tensor, original[name.removeprefix("encoder.")])
    }
    weights = folder / "model.safetensors"
    # A model that was loaded from here goes on reading the file it has; it must not change.
    fresh = folder / "model.safetensors.new"
    save_file(changed, fresh, metadata={"format": "pt"})
    # safetensors writes for the owner alone; an installed model is for every user.
    fresh.chmod(0o644)
    fresh.replace(weights)
    config = {
        "format_version": FORMAT_VERSION,
        "base": {
            "name": model.base.name,
            "package": model.base.package,
            "sha256": model.base.sha256,
            "tokenizer_sha256": model.base.tokenizer_sha256,
        },
        "tasks": {task: list(labels) for task, labels in model.tasks.items()},
        # Labels of the heads that label tokens, such as those of condition and outcome.
        "token_heads": {name: list(labels) for name, labels in model.token_heads.items()},
        "pooling": POOLING,
        "max_length": model.inputs.max_length,
        "temperatures": model.temperatures,
        "weights_sha256": file_sha256(weights),
        "training": model.training,
    }
    (folder / "config.json").write_text(
        json.dumps(config, indent=2, ensure_ascii=False) + "\n", "utf-8"
    )
    _write_label_sets(folder / _CALIBRATION, model.label_sets, str(config["weights_sha256"]))
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
            return from_hub(name, ("*.json", "model.safetensors", "*.jsonl", "README.md"))
        except RuntimeError as error:
            raise FileNotFoundError(str(error)) from error
    raise FileNotFoundError(f"no model directory at {name!r}")


def load_model(folder: Path, *, base: str | None = None, engine: str = "auto") -> StoredModel:
    """Loads a model directory and the base it builds on, and verifies both.

    Args:
        folder: The directory.
        base: Where the base is now, when it is not where it was at training; its hash must be the
            same.
        engine: What computes plain BERT, one of ``stance.model.engine.ENGINES``.

    Raises:
        FileNotFoundError: ``config.json`` or ``model.safetensors`` is missing.
        ValueError: A file is damaged, or of a format that this version does not read.
        BaseModelError: The base is missing or another one.
    """
    from stance.model.arrays import map_arrays
    from stance.model.engine import check_engine
    from stance.model.inputs import InputEncoder

    check_engine(engine)
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} is not a model directory: it has no {name}")
    config = _read_config(folder / "config.json")
    weights = folder / "model.safetensors"
    if known_sha256(weights) != config["weights_sha256"]:
        raise ValueError(f"{weights} is damaged: its SHA-256 is not the one in config.json")
    found = find_base(base or config["base"]["name"], sha256=config["base"]["sha256"])
    if config["base"]["tokenizer_sha256"] != found.tokenizer_sha256:
        raise ValueError(f"the tokenizer of {found.name} is not the one these weights learned with")
    most = max_tokens(found)
    if config["max_length"] > most:
        raise ValueError(
            f"{folder}: max_length is {config['max_length']}, but {found.name} reads at most "
            f"{most} tokens"
        )
    changed = map_arrays(weights)
    _check_changed(changed, found, config, weights)
    log = folder / "training_log.jsonl"
    return StoredModel(
        base=found,
        weights=changed,
        inputs=InputEncoder(load_tokenizer(found), config["max_length"]),
        tasks=config["tasks"],
        temperatures=config["temperatures"],
        training=config["training"],
        history=_read_log(log) if log.is_file() else [],
        token_heads=config["token_heads"],
        engine=engine,
        label_sets=_read_label_sets(folder / _CALIBRATION, config["weights_sha256"]),
    )


def _check_changed(
    changed: Mapping[str, NDArray[Any]], base: Base, config: Mapping[str, Any], place: Path
) -> None:
    """Checks that the saved arrays are the heads, and otherwise replace arrays of the base.

    Raises:
        ValueError: One is missing, unknown, or of another shape.
    """
    hidden = int(base.config["hidden_size"])
    shapes: dict[str, tuple[int, ...]] = {}
    for kind, heads, inputs in (
        ("heads", config["tasks"], 2 * hidden),
        ("token_heads", config["token_heads"], hidden),
    ):
        for name, labels in heads.items():
            shapes[f"{kind}.{name}.weight"] = (len(labels), inputs)
            shapes[f"{kind}.{name}.bias"] = (len(labels),)
    if missing := sorted(shapes.keys() - changed.keys()):
        raise ValueError(f"{place} lacks {missing}")
    if not is_plain_bert(base.config):
        # transformers alone knows how its modules name their tensors.
        return
    shapes |= {f"encoder.{name}": array.shape for name, array in load_base_arrays(base).items()}
    if unknown := sorted(changed.keys() - shapes.keys()):
        raise ValueError(f"{place} holds unknown tensors: {unknown}")
    for name, array in changed.items():
        if array.shape != shapes[name]:
            raise ValueError(
                f"{place} does not fit the base {base.name}: {name} has shape {array.shape}, "
                f"not {shapes[name]}"
            )


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
        version = config["format_version"]
        if version != FORMAT_VERSION:
            raise ValueError(f"format {version!r}; this version of stance reads {FORMAT_VERSION}")
        if config["pooling"] != POOLING:
            raise ValueError(f"pooling must be {POOLING!r}, not {config['pooling']!r}")
        tasks: dict[str, Any] = config["tasks"]
        temperatures: dict[str, Any] = config["temperatures"]
        read: dict[str, Any] = {
            "base": {
                "name": str(config["base"]["name"]),
                # Never None, which would let any base pass.
                "sha256": str(config["base"]["sha256"]),
                "tokenizer_sha256": config["base"]["tokenizer_sha256"],
            },
            "tasks": {str(task): _labels(names) for task, names in tasks.items()},
            # Models of before 0.2 have none.
            "token_heads": {
                str(name): _labels(labels) for name, labels in config.get("token_heads", {}).items()
            },
            "temperatures": {str(task): float(value) for task, value in temperatures.items()},
            "max_length": int(config["max_length"]),
            "weights_sha256": str(config["weights_sha256"]),
            "training": dict(config.get("training", {})),
        }
        for task, temperature in read["temperatures"].items():
            if not 0 < temperature < math.inf:
                raise ValueError(f"temperature of {task!r} is {temperature}")
        if not read["tasks"]:
            raise ValueError("it names no task")
        if not isinstance(read["training"].get("config", {}), dict):
            raise ValueError(f"config in training is {read['training']['config']!r}")
        return read
    except (
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:
        what = error if type(error) is ValueError else repr(error)
        raise ValueError(f"{path} is not a valid model configuration: {what}") from error


def _write_label_sets(path: Path, label_sets: Mapping[str, LabelSets], weights: str) -> None:
    """Writes the label sets, a line a task; leaves no file of other weights behind."""
    path.unlink(missing_ok=True)
    if label_sets:
        # The scores mean nothing beside other weights than those they were computed with.
        values = {"weights_sha256": weights, "label_sets": {}}
        lines = [
            f"{json.dumps(task)}: {json.dumps(found.to_dict())}"
            for task, found in label_sets.items()
        ]
        start = json.dumps(values).removesuffix("}}")
        path.write_text(start + "\n" + ",\n".join(lines) + "\n}}\n", "utf-8")


def _read_label_sets(path: Path, weights: str) -> dict[str, LabelSets]:
    """Reads the label sets; models of before 0.2 have none.

    Raises:
        ValueError: The file is damaged or belongs to other weights.
    """
    if not path.is_file():
        return {}
    try:
        values = json.loads(path.read_text("utf-8"))
        if values["weights_sha256"] != weights:
            raise ValueError("it belongs to other weights")
        return {
            str(task): LabelSets.from_dict(found) for task, found in values["label_sets"].items()
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error


def _labels(names: Sequence[Any]) -> tuple[str, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"labels must be a list of strings, not {names!r}")
    return tuple(names)


def _read_log(path: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
