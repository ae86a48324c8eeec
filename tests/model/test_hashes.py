"""A remembered hash is used only while nothing about the file has changed."""

import hashlib
import json
import os

import pytest

from stance.model import hashes
from stance.model.hashes import file_sha256, known_sha256


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A file large enough to be remembered, an hour old as far as the clock is concerned."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setattr(hashes.sys, "platform", "linux")
    later = hashes.time.time_ns() + 3600 * 10**9
    monkeypatch.setattr(hashes.time, "time_ns", lambda: later)
    path = tmp_path / "model.safetensors"
    path.write_bytes(os.urandom(1 << 20))
    return path


@pytest.fixture
def reads(monkeypatch):
    """The files that were hashed, in order."""
    seen = []

    def counted(path):
        seen.append(path)
        return file_sha256(path)

    monkeypatch.setattr(hashes, "file_sha256", counted)
    return seen


def test_a_file_is_hashed_once(weights, reads):
    expected = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert known_sha256(weights) == expected
    assert known_sha256(weights) == expected
    assert len(reads) == 1


def test_a_changed_byte_is_seen_even_with_the_old_time_of_modification(weights, reads):
    before, stat = known_sha256(weights), weights.stat()
    data = bytearray(weights.read_bytes())
    data[77] ^= 1
    weights.write_bytes(data)
    os.utime(weights, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert weights.stat().st_mtime_ns == stat.st_mtime_ns
    assert known_sha256(weights) != before
    assert len(reads) == 2


def test_a_file_put_in_the_others_place_is_seen(weights, reads, tmp_path):
    known_sha256(weights)
    other = tmp_path / "other"
    other.write_bytes(os.urandom(1 << 20))
    os.replace(other, weights)
    assert known_sha256(weights) == file_sha256(weights)
    assert len(reads) == 2


def test_a_file_just_written_is_not_remembered(weights, reads, monkeypatch):
    monkeypatch.setattr(hashes.time, "time_ns", lambda: weights.stat().st_ctime_ns + 1)
    known_sha256(weights)
    known_sha256(weights)
    assert len(reads) == 2


def test_small_files_are_not_remembered(weights, reads, tmp_path):
    weights.write_bytes(b"{}")
    known_sha256(weights)
    assert len(reads) == 1
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("content", ["", "{", "[]", '{"%s": 3}', '{"%s": [1]}', "\0"])
def test_a_damaged_memory_costs_a_reading_and_nothing_else(weights, reads, tmp_path, content):
    known_sha256(weights)
    memory = tmp_path / "cache" / "stance" / "hashes.json"
    memory.write_text(content.replace("%s", str(weights)), "utf-8")
    assert known_sha256(weights) == file_sha256(weights)
    assert len(reads) == 2
    assert str(weights.resolve()) in json.loads(memory.read_text("utf-8"))


def test_a_cache_that_cannot_be_written_is_no_error(weights, reads, tmp_path):
    (tmp_path / "cache").write_text("a file stands where the folder would be")
    assert known_sha256(weights) == file_sha256(weights)


def test_a_user_without_a_home_has_no_memory_and_no_error(weights, reads, monkeypatch):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(hashes.Path, "home", nowhere)
    assert known_sha256(weights) == file_sha256(weights)
    assert len(reads) == 1


def test_the_memory_is_for_its_owner_and_does_not_grow_for_ever(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(hashes, "_MOST_ENTRIES", 2)
    for number in range(4):
        path = tmp_path / f"{number}"
        path.write_bytes(weights.read_bytes())
        known_sha256(path)
    folder = tmp_path / "cache" / "stance"
    assert [place.name for place in folder.iterdir()] == ["hashes.json"]
    kept = json.loads((folder / "hashes.json").read_text("utf-8"))
    assert [os.path.basename(key) for key in kept] == ["2", "3"]
    if os.name == "posix":
        assert (folder / "hashes.json").stat().st_mode & 0o077 == 0
