"""Converts PolNeAR from its public repository to the JSONL that ``train_quotes.py`` reads.

    git clone https://github.com/networkdynamics/PolNeAR
    python training/polnear.py PolNeAR/data/train polnear_train.jsonl

A folder holds ``text/NAME.txt`` and ``attributions/NAME_ANNOTATOR.ann`` in the stand-off format of
brat: text-bound lines ``T1<TAB>Source 0 5<TAB>Flynn`` (ranges of several pieces part with ";") and
event lines ``E1<TAB>Attribution:T4 Content:T3 Cue:T2 Source:T1``. The articles belong to their
publishers; only weights and figures made from them may be passed on.

Source: Newell, Margolin and Ruths 2018, https://aclanthology.org/L18-1524/; brat's format,
https://brat.nlplab.org/standoff.html.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from stance.quotes.combine import is_quoted, is_speech
from stance.quotes.page import Page

_NAME: Final = re.compile(r"(.+)_([0-9a-f]{4})")
_ROLE: Final = re.compile(r"(Content|Cue|Source)\d*")
_IGNORED: Final = ("A", "M", "R", "N", "#", "*")

Spans = list[list[int]]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the conversion.

    Args:
        argv: Arguments of the command line; None takes those of the process.

    Returns:
        The exit code: 0, or 2 where a file is missing or damaged.
    """
    parser = argparse.ArgumentParser(
        prog="polnear",
        description="Converts PolNeAR's files to JSONL for training/train_quotes.py.",
    )
    parser.add_argument("folder", type=Path, help="a compartment, such as PolNeAR/data/train")
    parser.add_argument("output", type=Path, help="JSONL file to write")
    arguments = parser.parse_args(argv)
    try:
        rows = list(convert(arguments.folder))
        with arguments.output.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    except (ValueError, OSError) as error:
        print(f"polnear: {error}", file=sys.stderr)
        return 2
    quotes = sum(len(row["quotes"]) for row in rows)
    print(f"{len(rows):,} articles, {quotes:,} attributions: {arguments.output}")
    return 0


def convert(folder: Path) -> Iterator[dict[str, Any]]:
    """Yields the articles of a compartment in the order of their names.

    Where several annotators read an article, the one who marked most is taken, and the first by
    name among equals.

    Args:
        folder: Holds ``text`` and ``attributions``.

    Raises:
        ValueError: A folder or a text is missing, or an annotation is damaged.
    """
    annotations = sorted((folder / "attributions").glob("*.ann"))
    if not annotations:
        raise ValueError(f"{folder} holds no attributions/*.ann")
    found: dict[str, dict[str, Any]] = {}
    for path in annotations:
        match = _NAME.fullmatch(path.stem)
        if match is None:
            raise ValueError(
                f"{path}: the name must end in _ and the annotator's four hexadecimal digits"
            )
        name, annotator = match.groups()
        text_path = folder / "text" / f"{name}.txt"
        if not text_path.is_file():
            raise ValueError(f"{path} has no text: {text_path} is missing")
        # newline="": offsets count the characters of the file as it is.
        try:
            with text_path.open(encoding="utf-8", newline="") as file:
                text = file.read()
            annotation = path.read_text("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path} or its text is not UTF-8: {error}") from error
        quotes, discard = _read_annotation(path, annotation, text)
        if name not in found or len(quotes) > len(found[name]["quotes"]):
            found[name] = {
                "id": f"polnear/{folder.name}/{name}",
                "text": text,
                "publisher": name.split("_")[0],
                "annotator": annotator,
                "discard": discard,
                "quotes": quotes,
            }
    yield from (found[name] for name in sorted(found))


def _read_annotation(path: Path, annotation: str, text: str) -> tuple[list[dict[str, Any]], Spans]:
    """Returns the attributions of one file in their order, and the ranges marked as discarded."""
    labels: dict[str, str] = {}
    spans: dict[str, Spans] = {}
    events: list[tuple[str, list[str]]] = []
    for number, line in enumerate(annotation.split("\n"), 1):
        if not line.strip() or line.startswith(_IGNORED):
            continue
        key, _, content = line.rstrip("\r").partition("\t")
        try:
            if key.startswith("T"):
                labels[key], _, ranges = content.partition("\t")[0].partition(" ")
                spans[key] = [_range(part, text) for part in ranges.split(";")]
            elif key.startswith("E"):
                events.append((key, content.split()))
            else:
                raise ValueError(f"unknown line {key!r}")
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error
    page = Page(text)
    quotes = []
    for key, parts in events:
        roles = _roles(parts[1:], spans, f"{path}, event {key}")
        if roles["content"]:
            quotes.append(_quote(key, page, roles))
    discard = [span for key, label in labels.items() if label == "Discard" for span in spans[key]]
    return sorted(quotes, key=lambda quote: list(quote["content"][0])), sorted(discard)


def _roles(parts: Sequence[str], spans: dict[str, Spans], where: str) -> dict[str, Spans]:
    """Returns the ranges of each role that an event line names: "Content:T3 Cue:T2 Source:T1"."""
    roles: dict[str, Spans] = {"content": [], "cue": [], "source": []}
    for part in parts:
        role, _, target = part.partition(":")
        match = _ROLE.fullmatch(role)
        if match is None:
            continue
        if target not in spans:
            raise ValueError(f"{where}: {target!r} is nowhere")
        roles[match.group(1).lower()] += spans[target]
    return {role: sorted(found) for role, found in roles.items()}


def _range(part: str, text: str) -> list[int]:
    start, end = map(int, part.split(" "))
    if not 0 <= start < end <= len(text):
        raise ValueError(f"the range {start} {end} lies outside the text of {len(text)} characters")
    return [start, end]


def _quote(key: str, page: Page, roles: dict[str, Spans]) -> dict[str, Any]:
    """Returns one attribution; PolNeAR itself has neither the kind nor the kind of cue."""
    text = page.article
    content = [(start, end) for start, end in roles["content"]]
    touched = any(
        any(map(str.isalnum, text[max(a, region.start) : min(b, region.end)]))
        for a, b in content
        for region in page.regions_in(a, b)
    )
    kind = "indirect" if not touched else "direct" if is_quoted(page, content) else "mixed"
    cue = " ".join(text[a:b] for a, b in roles["cue"])
    return {
        "id": key,
        "kind": kind,
        **roles,
        "source_text": " ".join(text[a:b] for a, b in roles["source"]),
        "speech_cue": is_speech(cue),
    }


if __name__ == "__main__":
    sys.exit(main())
