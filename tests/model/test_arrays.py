"""Our reader of safetensors agrees with the library's and refuses what is damaged."""

import json
import pickle
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from stance.model.arrays import map_arrays

TENSORS = {
    "a.weight": torch.randn(3, 5),
    "half": torch.randn(4).half(),
    "brain": torch.randn(2, 2).bfloat16(),
    "ids": torch.arange(6).view(1, 6),
    "empty": torch.zeros(0, 4),
    "scalar": torch.tensor(2.5),
}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(TENSORS, path, metadata={"format": "pt"})
    return path


def test_arrays_are_those_that_were_saved(saved):
    found = map_arrays(saved)
    assert set(found) == set(TENSORS)
    for name, tensor in TENSORS.items():
        expected = tensor.float().numpy() if name == "brain" else tensor.numpy()
        assert found[name].dtype == expected.dtype
        np.testing.assert_array_equal(found[name], expected)


def test_arrays_cannot_be_written_and_can_be_pickled(saved):
    found = map_arrays(saved)
    with pytest.raises(ValueError, match="read-only"):
        found["half"][0] = 1
    copied = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(copied["a.weight"], found["a.weight"])


def header(entries):
    text = json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\x02",
        b"\xff" * 64,
        struct.pack("<Q", 2**63) + b"{}",
        header([]),
        header({"a": 3}),
        header({"a": {"dtype": "F32", "shape": [1]}}),
        header({"a": {"dtype": "C64", "shape": [1], "data_offsets": [0, 4]}}) + b"1234",
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}) + b"1234",
        header({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}) + b"1234",
        header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [-4, 4]}}) + b"12345678",
        header({"a": {"dtype": "F32", "shape": ["x"], "data_offsets": [0, 4]}}) + b"1234",
    ],
)
def test_damaged_files_are_refused_by_name(tmp_path, content):
    path = tmp_path / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"broken\.safetensors is not a whole"):
        map_arrays(path)
