"""SHA-256 of files, remembered between processes, so that a start does not read 90 MB to check it.

A remembered hash counts only while the file's size, inode, time of modification and time of change
are what they were. Every write moves the time of change, which no program can set back (on Windows,
where there is none, the time of modification stands alone), so a changed file is always read again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

# A small file is hashed faster than the memory of it is read.
_LEAST_BYTES: Final = 1 << 20
# A file this fresh (nanoseconds) may be written again without its times showing it.
_TOO_FRESH: Final = 2_000_000_000
_MOST_ENTRIES: Final = 64


def file_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file in hexadecimal, always computed from its bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def known_sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, computed only when the file may have changed since.

    Raises:
        OSError: The file cannot be read.
    """
    stat = path.stat()
    if stat.st_size < _LEAST_BYTES:
        return file_sha256(path)
    key = str(path.resolve())
    state = [stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns]
    try:
        memory = cache_folder() / "hashes.json"
    except RuntimeError:  # nobody's home, so nowhere to remember it
        return file_sha256(path)
    entries = _read(memory)
    entry = entries.get(key)
    if isinstance(entry, list) and entry[:-1] == state and isinstance(entry[-1], str):
        return entry[-1]
    found = file_sha256(path)
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > _TOO_FRESH:
        entries.pop(key, None)
        kept = dict([*entries.items(), (key, [*state, found])][-_MOST_ENTRIES:])
        # A disk that is full or read-only costs time at the next start, nothing else.
        with contextlib.suppress(OSError):
            _write(memory, kept)
    return found


def cache_folder() -> Path:
    """Returns the folder for what may be deleted at any time; it need not exist.

    Raises:
        RuntimeError: The user has no home directory.
    """
    if sys.platform == "win32":
        place = os.environ.get("LOCALAPPDATA")
        return (Path(place) if place else Path.home() / "AppData" / "Local") / "stance" / "cache"
    place = os.environ.get("XDG_CACHE_HOME")
    if place and Path(place).is_absolute():
        return Path(place) / "stance"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "stance"
    return Path.home() / ".cache" / "stance"


def _read(path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return entries if isinstance(entries, dict) else {}


def _write(path: Path, entries: dict[str, Any]) -> None:
    # For the user alone: whoever could write there could vouch for any file.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".json")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(entries, file)
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
