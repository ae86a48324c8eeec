"""What ``stance split``, ``classify`` and ``analyze`` do once their arguments are known.

Documents flow one by one from reading through labelling to the writer, so that the first results of
many files appear at once and ``| head`` ends the work.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from stance.io import (
    QUOTE_COLUMNS,
    STANDARD_INPUT,
    STANDARD_INPUT_NAME,
    Article,
    Document,
    InputError,
    QuoteInput,
    has_lone_surrogates,
    read_articles,
    read_quotes,
    write_csv,
    write_json,
    write_jsonl,
)
from stance.types import RECORD_COLUMNS, Prediction, Quote

if TYPE_CHECKING:
    from stance.classifier import StanceClassifier

FORMATS: Final = ("table", "json", "jsonl", "csv", "html")
_FORMAT_OF_SUFFIX: Final = {
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".html": "html",
    ".htm": "html",
}

# Below these, the work is over before a progress bar would be read.
_MANY_FILES: Final = 3
_MANY_QUOTES: Final = 200
# Whoever logs a run this large wants signs of life even without a terminal, but few of them.
_LARGE_INPUT: Final = 20_000_000  # bytes
_LOG_INTERVAL: Final = 30.0  # seconds


class OutputError(Exception):
    """The result could not be written."""


def note_to(stream: TextIO | None, kind: str, message: str) -> None:
    """Writes one message for the user, without the control characters a file name may hold."""
    if stream is not None:
        safe = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in message)
        stream.write(f"stance: {kind}: {safe}\n")


def run_articles(arguments: argparse.Namespace) -> list[InputError]:
    """Splits the articles, labels their quotes if asked to, and writes; returns what went wrong."""
    files: list[str] = arguments.files
    _settle_output(arguments, files)
    if STANDARD_INPUT in files:
        _note_waiting(arguments, "an article")
    errors: list[InputError] = []
    names = _with_progress(files, arguments)
    articles = read_articles(names, encoding=arguments.encoding, on_error=errors.append)
    # A first article is read before anything is loaded or written: when no file can be read, the
    # user hears so at once, and an older result stays as it is.
    first = next(articles, None)
    if first is not None:
        classifier = _load_classifier(arguments.model) if arguments.is_predicted else None
        work = (_process(article, classifier, arguments) for article in chain([first], articles))
        _write(work, arguments)
    return errors


def _process(
    article: Article, classifier: StanceClassifier | None, arguments: argparse.Namespace
) -> Document:
    from stance.quotes import split

    quotes = split(article.text)
    if not article.text.strip():
        _note(arguments, f"no text in {article.name}")
    elif not quotes:
        _note(arguments, f"no quotes found in {article.name}")
    if classifier is None or not quotes:
        return Document(article.name, article.text, tuple(quotes))
    predictions = _labelled(classifier, quotes, None, arguments)
    return Document(article.name, article.text, predictions)


def run_classify(arguments: argparse.Namespace) -> list[InputError]:
    """Labels the quotes on the command line, in a file or on standard input, and writes.

    Returns:
        An empty list: a quote that cannot be read raises, since labels for only some of the lines
        would be taken for labels of other lines.

    Raises:
        InputError: An argument, the file or one of its lines is wrong.
    """
    path = arguments.file
    if arguments.texts and path is not None:
        raise InputError("give either TEXT or --file, not both")
    if path is None and arguments.texts in ([], [STANDARD_INPUT]):
        path = STANDARD_INPUT
    if path is None and arguments.jsonl:
        raise InputError("--jsonl is for --file and standard input; TEXT is the quote itself")
    if has_lone_surrogates(arguments.context or ""):
        raise InputError("--context is not text in this terminal's encoding")
    _settle_output(arguments, [path] if path is not None else [])
    if path is not None:
        if path == STANDARD_INPUT:
            _note_waiting(arguments, "quotes, one a line")
        jsonl = True if arguments.jsonl else None
        quotes = read_quotes(path, encoding=arguments.encoding, jsonl=jsonl)
    else:
        quotes = [_quote_argument(text) for text in arguments.texts]
    name = STANDARD_INPUT_NAME if path == STANDARD_INPUT else path
    if not quotes:
        _note(arguments, f"no quotes in {name}")
    _write(iter([_classify(quotes, name, arguments)]), arguments)
    return []


def _classify(
    quotes: Sequence[QuoteInput], name: str | None, arguments: argparse.Namespace
) -> Document:
    if not quotes:
        return Document(name, None, ())
    texts = [quote.text for quote in quotes]
    contexts = [quote.context or arguments.context for quote in quotes]
    classifier = _load_classifier(arguments.model)
    return Document(name, None, _labelled(classifier, texts, contexts, arguments))


def _labelled(
    classifier: StanceClassifier,
    quotes: Sequence[str | Quote],
    contexts: Sequence[str | None] | None,
    arguments: argparse.Namespace,
) -> tuple[Prediction, ...]:
    progress = _shows_progress(arguments) and len(quotes) >= _MANY_QUOTES
    try:
        return tuple(classifier.classify(quotes, context=contexts, progress=progress))
    except ValueError as error:
        # A quote of invisible characters, or a model that was trained on other labels.
        raise InputError(str(error)) from error


def _quote_argument(text: str) -> QuoteInput:
    if not text.strip():
        raise InputError("TEXT is empty: there is nothing to label")
    if has_lone_surrogates(text):
        raise InputError(f"TEXT is not text in this terminal's encoding: {text!a}")
    is_file = False
    with contextlib.suppress(OSError, ValueError):
        is_file = Path(text).is_file()
    if is_file:
        raise InputError(
            f"{text} is a file, but TEXT is the quote itself; for quotes one a line use\n"
            f"`stance classify --file {text}`, for an article `stance analyze {text}`"
        )
    return QuoteInput(text)


def _load_classifier(model: str | None) -> StanceClassifier:
    from stance.classifier import StanceClassifier

    if model is not None and not Path(model).is_dir():
        raise InputError(f"--model {model}: no such folder")
    try:
        if model is None:
            return StanceClassifier.from_pretrained()
        return StanceClassifier.from_pretrained(model)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        place = f"the model in {model}" if model is not None else "the released model"
        raise InputError(f"cannot load {place}: {error}") from error


def _settle_output(arguments: argparse.Namespace, inputs: Sequence[str]) -> None:
    """Chooses the format and finds a bad ``--output`` before the work is done rather than after."""
    output = arguments.output
    if arguments.format is None:
        suffix = Path(output).suffix.lower() if output is not None else ""
        arguments.format = _FORMAT_OF_SUFFIX.get(suffix, "table")
    if output is None:
        return
    path = Path(output)
    if path.is_dir():
        raise InputError(f"--output {output}: is a folder; name a file")
    if not path.parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {path.parent}")
    for name in inputs:
        is_same = False
        with contextlib.suppress(OSError, ValueError):
            is_same = name != STANDARD_INPUT and path.is_file() and path.samefile(name)
        if is_same:
            raise InputError(f"--output {output}: would overwrite the input {name}")


def _write(documents: Iterator[Document], arguments: argparse.Namespace) -> None:
    """Writes all documents to where the user wants them.

    Raises:
        OutputError: The place cannot be written, or its disk is full.
        BrokenPipeError: The reader of standard output went away.
    """
    # Labelling happens while the writers ask for documents. The first is done before the file is
    # opened, so that what is wrong with the model does not empty an older result.
    first = next(documents)
    place = "standard output" if arguments.output is None else f"--output {arguments.output}"
    try:
        with _open_output(arguments) as stream:
            _write_documents(chain([first], documents), stream, arguments)
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{place}: cannot be written ({error.strerror or error})") from error


def _open_output(arguments: argparse.Namespace) -> contextlib.AbstractContextManager[TextIO]:
    if arguments.output is not None:
        return open(arguments.output, "w", encoding="utf-8", newline="")
    # What `>` makes is UTF-8 like the files of --output, whatever the locale; a terminal keeps its
    # encoding and shows ? for what it lacks.
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None and arguments.format == "table":
        reconfigure(errors="replace")
    elif reconfigure is not None:
        reconfigure(encoding="utf-8", newline="")
    return contextlib.nullcontext(sys.stdout)


def _write_documents(
    documents: Iterable[Document], stream: TextIO, arguments: argparse.Namespace
) -> None:
    if arguments.format == "table":
        from stance.render import print_table

        print_table(documents, stream)
    elif arguments.format == "html":
        from stance.render import to_html

        stream.write(to_html(list(documents)))
    elif arguments.format == "csv":
        columns = RECORD_COLUMNS if arguments.is_predicted else QUOTE_COLUMNS
        write_csv(documents, stream, columns=columns)
    elif arguments.format == "json":
        write_json(documents, stream)
    else:
        write_jsonl(documents, stream)


def _note(arguments: argparse.Namespace, message: str) -> None:
    if not arguments.quiet:
        note_to(sys.stderr, "note", message)


def _note_waiting(arguments: argparse.Namespace, what: str) -> None:
    if sys.stdin is not None and sys.stdin.isatty():
        _note(arguments, f"reading {what} from the keyboard; Ctrl-D on an empty line ends it")


def _shows_progress(arguments: argparse.Namespace) -> bool:
    if arguments.quiet or sys.stderr is None or not sys.stderr.isatty():
        return False
    # Results that scroll by are progress enough, and a bar would be drawn through them.
    is_streaming = arguments.output is None and arguments.format != "html" and sys.stdout.isatty()
    return not is_streaming


def _with_progress(files: list[str], arguments: argparse.Namespace) -> Iterable[str]:
    """Returns the file names, counted by a progress bar on standard error when they are many."""
    if arguments.quiet or len(files) < _MANY_FILES:
        return files
    is_shown = _shows_progress(arguments)
    has_terminal = sys.stderr is not None and sys.stderr.isatty()
    if not is_shown and (has_terminal or _size_of(files) < _LARGE_INPUT):
        return files
    from tqdm import tqdm

    interval = 0.1 if is_shown else _LOG_INTERVAL
    progress: Iterable[str] = tqdm(files, unit="file", file=sys.stderr, mininterval=interval)
    return progress


def _size_of(files: Iterable[str]) -> int:
    total = 0
    for name in files:
        with contextlib.suppress(OSError, ValueError):
            total += Path(name).stat().st_size
    return total
