"""Tensors of safetensors files as NumPy arrays that read from disk only what is looked at.

Of a base encoder's 47 MB of word embeddings, a quote needs a few rows.

Source: https://github.com/huggingface/safetensors#format.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TYPES: Final = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U8": "<u1",
    "BOOL": "?",
}


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Returns a file's tensors by name: read-only views of the file; bf16 tensors as fp32 copies.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, cut off, or no safetensors file.
    """
    # As plain arrays the views can be pickled, by content.
    data: NDArray[np.uint8] = np.zeros(0, np.uint8)
    if path.stat().st_size:
        data = np.asarray(np.memmap(path, np.uint8, mode="r"))
    try:
        (length,) = struct.unpack("<Q", data[:8].tobytes())
        start = 8 + length
        if start > len(data):
            raise ValueError("it is shorter than it says")
        header = json.loads(data[8:start].tobytes())
        arrays: dict[str, NDArray[Any]] = {}
        for name, entry in header.items():
            if name == "__metadata__":
                continue
            first, last = entry["data_offsets"]
            if not 0 <= first <= last <= len(data) - start:
                raise ValueError("it is shorter than it says")
            array = data[start + first : start + last].view(_TYPES[entry["dtype"]])
            array = array.reshape(entry["shape"])
            if entry["dtype"] == "BF16":
                array = (array.astype(np.uint32) << 16).view(np.float32)
            arrays[str(name)] = array
        return arrays
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
