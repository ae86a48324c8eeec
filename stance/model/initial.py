"""Starts the encoder's layers from other weights than the base's, the base staying what it is.

Continued pretraining changes the layers and leaves the embeddings alone. A model trained from such
layers stores them among its own tensors, so whoever loads it needs the default base alone.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from stance.model.encoder import BaseModelError
from stance.model.hashes import file_sha256


def load_layers(encoder: nn.Module, path: str | Path) -> str:
    """Puts the tensors of a file into an encoder.

    Args:
        encoder: As ``build_encoder`` made it; tensors that the file lacks stay.
        path: safetensors file of a BERT encoder or of a saved model of ours, or its folder.

    Returns:
        The SHA-256 of the file.

    Raises:
        BaseModelError: The file is missing or damaged, holds no layer of this encoder, or tensors
            of other shapes or other word embeddings.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    file = Path(path)
    file = file / "model.safetensors" if file.is_dir() else file
    try:
        loaded = load_file(file)
    except (OSError, SafetensorError) as error:
        raise BaseModelError(f"init: {file} is missing or damaged: {error}") from error
    own = encoder.state_dict()
    state = {}
    for name, tensor in loaded.items():
        # Names as in BertModel, in BertForMaskedLM and in our own saved models.
        for prefix in ("", "bert.", "encoder."):
            if name.startswith(prefix) and name[len(prefix) :] in own:
                state[name[len(prefix) :]] = tensor.float()
    if not any(".layer" in name for name in state):
        raise BaseModelError(f"init: {file} holds no layer of this encoder")
    for name, tensor in state.items():
        if tensor.shape != own[name].shape:
            raise BaseModelError(
                f"init: {name} in {file} has shape {list(tensor.shape)}, the base has "
                f"{list(own[name].shape)}"
            )
        if "word_embeddings" in name and not torch.equal(tensor, own[name]):
            raise BaseModelError(
                f"init: the word embeddings of {file} are not those of the base: give its folder "
                "as base instead"
            )
    encoder.load_state_dict({**own, **state})
    return file_sha256(file)
