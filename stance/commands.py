"""What ``stance split``, ``classify`` and ``analyze`` do once their arguments are known.

Documents flow one by one from reading through labelling to the writer, so that the first results of
many files appear at once and ``| head`` ends the work.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from stance.io import (
    QUOTE_COLUMNS,
    STANDARD_INPUT,
    STANDARD_INPUT_NAME,
    Article,
    Document,
    InputError,
    QuoteInput,
    check_visible,
    has_lone_surrogates,
    read_articles,
    write_csv,
    write_json,
    write_jsonl,
)
from stance.progress import count_progress
from stance.types import RECORD_COLUMNS, Prediction, Quote

if TYPE_CHECKING:
    from stance.classifier import StanceClassifier
    from stance.explanation import Explanation
    from stance.quotes.tagger import QuoteTagger

FORMATS: Final = ("table", "json", "jsonl", "csv", "html")
EXPLAIN_FORMATS: Final = ("table", "json", "html")
_STANDARD_OUTPUT: Final = "-"
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
_FEW_CHARACTERS: Final = 3000
# Predictions of one file that are in memory at once where the format lets them go.
_PREDICTIONS_HELD: Final = 2048
# Articles are labelled together until they have this many quotes, or this many characters. Longer
# batches are no faster.
_QUOTES_TOGETHER: Final = 256
_CHARACTERS_TOGETHER: Final = 2_000_000
# Whoever logs a run this large wants signs of life even without a terminal, but few of them.
_LARGE_INPUT: Final = 20_000_000  # bytes
_LOG_INTERVAL: Final = 30.0  # seconds
# What is wrong with files of weights, or with the base encoder that they build on.
_LOADING_ERRORS: Final = (OSError, ValueError, KeyError, ImportError, RuntimeError)


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
        tagger = None if arguments.no_tagger else _load_tagger()
        _write(_process(chain([first], articles), tagger, classifier, arguments), arguments)
    return errors


def _process(
    articles: Iterable[Article],
    tagger: QuoteTagger | None,
    classifier: StanceClassifier | None,
    arguments: argparse.Namespace,
) -> Iterator[Document]:
    """Yields the quotes of each article, in order, labelled together where there is a classifier.

    The first article goes alone, so that its result appears at once.
    """
    from stance.quotes import split

    waiting: list[Document] = []
    quotes = characters = 0
    is_first = True
    for article in articles:
        found = split(article.text, tagger=tagger, speech_only=arguments.speech_only)
        if not article.text.strip():
            _note(arguments, f"no text in {article.name}")
        elif not found:
            _note(arguments, f"no quotes found in {article.name}")
        waiting.append(Document(article.name, article.text, tuple(found)))
        quotes += len(found)
        characters += len(article.text)
        is_full = quotes >= _QUOTES_TOGETHER or characters >= _CHARACTERS_TOGETHER
        if classifier is None or is_first or is_full:
            yield from _label(waiting, classifier, arguments)
            waiting, quotes, characters, is_first = [], 0, 0, False
    yield from _label(waiting, classifier, arguments)


def _label(
    documents: Sequence[Document],
    classifier: StanceClassifier | None,
    arguments: argparse.Namespace,
) -> Iterator[Document]:
    quotes = [quote for document in documents for quote in document.items]
    if classifier is None or not quotes:
        yield from documents
        return
    # Beside the bar that counts files, only a single large file has one of its own.
    shown = len(documents) == 1 and _shows_progress(arguments) and len(quotes) >= _MANY_QUOTES
    labelled = iter(_labelled(classifier, quotes, None, arguments, shown))
    for document in documents:
        found = tuple(islice(labelled, len(document.items)))
        yield Document(document.name, document.article, found)


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
    if STANDARD_INPUT in arguments.texts and path is None:
        raise InputError("- is standard input: give it alone, or each quote as TEXT")
    if path is None and arguments.jsonl:
        raise InputError("--jsonl is for --file and standard input; TEXT is the quote itself")
    if has_lone_surrogates(arguments.context or ""):
        raise InputError("--context is not text in this terminal's encoding")
    _settle_output(arguments, [path] if path is not None else [])
    quotes: Iterable[QuoteInput]
    if path is not None:
        if path == STANDARD_INPUT:
            _note_waiting(arguments, "quotes, one a line")
        from stance.quote_file import QuoteFile

        jsonl = True if arguments.jsonl else None
        quotes = QuoteFile(path, encoding=arguments.encoding, jsonl=jsonl)
    else:
        quotes = [_quote_argument(text) for text in arguments.texts]
    name = STANDARD_INPUT_NAME if path == STANDARD_INPUT else path
    _write(_classify(quotes, name, arguments), arguments)
    return []


def run_explain(arguments: argparse.Namespace) -> list[InputError]:
    """Explains the label of the quote on the command line, and writes; returns an empty list.

    Raises:
        InputError: An argument is wrong, or the model has no such task or label.
        OutputError: The place cannot be written.
    """
    quote = _quote_argument(arguments.text)
    if has_lone_surrogates(arguments.context or ""):
        raise InputError("--context is not text in this terminal's encoding")
    _settle_output(arguments, [])
    if arguments.format not in EXPLAIN_FORMATS:
        raise InputError(
            f"explain writes {', '.join(EXPLAIN_FORMATS)}, not {arguments.format}: "
            "name one with --format"
        )
    classifier = _load_classifier(arguments.model)
    try:
        explanation = classifier.explain(
            quote.text, task=arguments.task, label=arguments.label, context=arguments.context
        )
    except ValueError as error:
        raise InputError(str(error)) from error
    _write_explanation(explanation, arguments)
    return []


def _write_explanation(explanation: Explanation, arguments: argparse.Namespace) -> None:
    place = "standard output" if arguments.output is None else f"--output {arguments.output}"
    try:
        with _open_output(arguments) as stream:
            if arguments.format == "table":
                from stance.render import print_explanation

                print_explanation(explanation, stream)
            elif arguments.format == "html":
                stream.write(explanation.to_html())
            else:
                stream.write(json.dumps(explanation.to_dict(), ensure_ascii=False, indent=2) + "\n")
            stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{place}: cannot be written ({error.strerror or error})") from error


def _classify(
    quotes: Iterable[QuoteInput], name: str | None, arguments: argparse.Namespace
) -> Iterator[Document]:
    """Yields one document; where lines are written one by one, as many as bound its memory.

    Args:
        quotes: They are iterated twice: all lines are labelled or none, so what is wrong with a
            late line is told before an early one is written.
        name: The file's name.
        arguments: The command's arguments.
    """
    rows = size = 0
    for quote in quotes:
        rows += 1
        size += len(quote.text) + len(quote.context or arguments.context or "")
    if not rows:
        _note(arguments, f"no quotes in {name}")
        yield Document(name, None, ())
        return
    # So few are labelled before a faster engine would have loaded.
    engine = "numpy" if size < _FEW_CHARACTERS else "auto"
    classifier = _load_classifier(arguments.model, engine)
    held = _PREDICTIONS_HELD if arguments.format in ("jsonl", "csv") else rows
    is_shown = _shows_progress(arguments) and rows >= _MANY_QUOTES
    items = iter(quotes)
    with count_progress(rows, is_shown and held < rows) as advance:
        while chunk := list(islice(items, held)):
            texts = [_with_pieces(quote) for quote in chunk]
            contexts = [quote.context or arguments.context for quote in chunk]
            shown = is_shown and held >= rows
            found = _labelled(classifier, texts, contexts, arguments, shown)
            # Of what stands in a line, only the words are shown with their label.
            yield Document(name, None, tuple(replace(one, quote=None) for one in found))
            advance(len(found))


def _with_pieces(quote: QuoteInput) -> str | Quote:
    """Returns what ``classify`` takes: an interrupted quote is found in its context by pieces."""
    if len(quote.spans) < 2:
        return quote.text
    return Quote(quote.text, quote.spans[0][0], quote.spans[-1][1], quote.spans, "direct")


def _labelled(
    classifier: StanceClassifier,
    quotes: Sequence[Any],
    contexts: Sequence[str | None] | None,
    arguments: argparse.Namespace,
    shown: bool,
) -> tuple[Prediction, ...]:
    try:
        return tuple(
            classifier.classify(
                quotes,
                context=contexts,
                min_confidence=arguments.min_confidence,
                progress=shown,
            )
        )
    except ValueError as error:
        # A model that was trained on other labels.
        raise InputError(str(error)) from error


def _quote_argument(text: str) -> QuoteInput:
    if not text.strip():
        raise InputError("TEXT is empty: there is nothing to label")
    if has_lone_surrogates(text):
        raise InputError(f"TEXT is not text in this terminal's encoding: {text!a}")
    check_visible(text, "TEXT")
    is_file = False
    with contextlib.suppress(OSError, ValueError):
        is_file = Path(text).is_file()
    if is_file:
        raise InputError(
            f"{text} is a file, but TEXT is the quote itself; for quotes one a line use\n"
            f"`stance classify --file {text}`, for an article `stance analyze {text}`"
        )
    return QuoteInput(text)


def _load_classifier(model: str | None, engine: str = "auto") -> StanceClassifier:
    from stance.classifier import StanceClassifier

    if model is not None and not Path(model).is_dir():
        raise InputError(f"--model {model}: no such folder")
    try:
        if model is None:
            return StanceClassifier.from_pretrained(engine=engine)
        return StanceClassifier.from_pretrained(model, engine=engine)
    except _LOADING_ERRORS as error:
        place = f"the model in {model}" if model is not None else "the released model"
        raise InputError(f"cannot load {place}: {error}") from error


def _load_tagger() -> QuoteTagger | None:
    from stance.quotes import released_tagger

    try:
        return released_tagger()
    except _LOADING_ERRORS as error:
        raise InputError(
            f"cannot load the quote tagger: {error};\n--no-tagger finds quotes by rules alone"
        ) from error


def _settle_output(arguments: argparse.Namespace, inputs: Sequence[str]) -> None:
    """Chooses the format and finds a bad ``--output`` before the work is done rather than after."""
    if arguments.output == _STANDARD_OUTPUT:
        arguments.output = None
    output = arguments.output
    if output is None and sys.stdout is None:
        raise InputError("standard output: is closed; name a file with --output")
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

        stream.write(to_html(list(documents), is_predicted=arguments.is_predicted))
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
