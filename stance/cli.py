"""The ``stance`` command: its arguments, its exit codes, and the way to training and evaluation.

Results go to standard output or ``--output``; notes, errors and progress go to standard error.
Exit codes: 0 done; 1 the result could not be written; 2 an input or an argument is wrong (inputs
that could be read are still processed); 130 interrupted; 141 the reader of the output went away.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from stance import __version__
from stance.commands import (
    EXPLAIN_FORMATS,
    FORMATS,
    OutputError,
    note_to,
    run_articles,
    run_classify,
    run_explain,
)
from stance.io import STANDARD_INPUT, InputError, check_encoding

EXIT_OK, EXIT_OUTPUT, EXIT_INPUT, EXIT_INTERRUPTED, EXIT_PIPE = 0, 1, 2, 130, 141

_EPILOG: Final = """\
examples:
  stance analyze article.txt                    who says what, with which stance
  stance analyze *.txt --output report.html     the same as a page to read or print
  stance split article.txt --format jsonl       only the quotes, one JSON object a line
  stance classify "We are ready to talk."       label one quote
  stance explain "We are ready to talk."        which words made the label

`stance COMMAND --help` tells more.
"""

_SPLIT_EPILOG: Final = """\
examples:
  stance split article.txt
  cat article.txt | stance split --format json
  stance split *.txt --format jsonl | stance classify --jsonl --format csv

Offsets count the characters of the decoded file from 0, line ends included; a byte order mark
at the beginning is not counted. An article without quotes is not an error.
"""

_CLASSIFY_EPILOG: Final = """\
examples:
  stance classify "The freeze is unacceptable."
  stance classify "They won't get it" "We will sign once the troops leave." --format json
  stance classify "the priority" --context "An agreement is “the priority”, Peskov said."
  stance classify --file quotes.txt --format csv --output labels.csv
  stance classify --file quotes.jsonl

A file holds one quote a line or, if its name ends in .jsonl, one JSON object a line with "text"
and, if wanted, "context": the sentence that the quote stood in. Without TEXT and --file, quotes
are read from standard input. Lines of `stance split --format jsonl` are labelled as by `stance
analyze`; a few quotes are computed in another way, which may move a probability by up to about
0.01. A quote that begins with a hyphen goes behind `--`.
"""

_ANALYZE_EPILOG: Final = """\
examples:
  stance analyze article.txt
  stance analyze article.txt --output article.html
  stance analyze --format csv *.txt > quotes.csv
  curl -s https://example.org/article.txt | stance analyze --format jsonl

CSV cells that begin like a spreadsheet formula (= + - @) get an apostrophe in front; the JSON
formats keep every character as it is.
"""

_EXPLAIN_EPILOG: Final = """\
examples:
  stance explain "We reject this proposal."
  stance explain "We reject this proposal." --label conciliatory
  stance explain "We reject this proposal." --output why.html

A word weighs what the label's probability loses when the word is left out, on average.
"""

_DELEGATES: Final = {
    "train": "stance.training.train_stance",
    "evaluate": "stance.evaluation.evaluate",
    "compare": "stance.evaluation.compare",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line and returns its exit code.

    Args:
        argv: The words after ``stance``; None takes them from the command line.

    Raises:
        SystemExit: ``--help`` or ``--version`` was answered, or an argument is wrong (code 2).
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except InputError as error:
        return _fail(str(error))
    except OutputError as error:
        _silence_output()
        return _fail(str(error), EXIT_OUTPUT)
    except BrokenPipeError:
        _silence_output()
        return EXIT_PIPE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _run(words: list[str]) -> int:
    try:
        if words and words[0] in _DELEGATES:
            return _delegate(words[0], words[1:])
        parser = _parser()
        if not words:
            parser.print_help(sys.stderr)
            return EXIT_INPUT
        arguments = parser.parse_args(words)
        errors: list[InputError] = arguments.run(arguments)
    except SystemExit:
        # Python flushes at exit too, but there a closed pipe (`stance --help | head -1`) ends in a
        # complaint on standard error.
        if sys.stdout is not None:
            sys.stdout.flush()
        raise
    for error in errors:
        _fail(str(error))
    return EXIT_INPUT if errors else EXIT_OK


def _fail(message: str, code: int = EXIT_INPUT) -> int:
    note_to(sys.stderr, "error", message)
    return code


def _silence_output() -> None:
    # Whatever is still buffered would raise again when Python flushes at exit.
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stance",
        description="Finds quotes in diplomatic news and labels the stance and sentiment of each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"stance {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    split = _add_command(commands, "split", "find the quotes of articles", _SPLIT_EPILOG)
    split.set_defaults(run=run_articles, is_predicted=False)
    _add_splitting(split)
    _add_files(split)
    classify = _add_command(commands, "classify", "label quotes", _CLASSIFY_EPILOG)
    classify.set_defaults(run=run_classify, is_predicted=True)
    _add_model(classify)
    _add_confidence(classify)
    classify.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="a quote (not a file name); - alone is standard input",
    )
    classify.add_argument("--file", metavar="FILE", help="read the quotes from FILE, one a line")
    classify.add_argument(
        "--jsonl", action="store_true", help="lines of the file or of standard input are JSON"
    )
    classify.add_argument(
        "--context",
        metavar="TEXT",
        help="the sentence that quotes without one of their own stood in",
    )
    purpose = "find the quotes of articles and label them"
    analyze = _add_command(commands, "analyze", purpose, _ANALYZE_EPILOG)
    analyze.set_defaults(run=run_articles, is_predicted=True)
    _add_model(analyze)
    _add_confidence(analyze)
    _add_splitting(analyze)
    _add_files(analyze)
    _add_explain(commands)
    # Listed here for --help; _run() hands them over before anything is parsed.
    commands.add_parser("train", help="train a model from a data folder", add_help=False)
    commands.add_parser("evaluate", help="measure a model and write a report", add_help=False)
    commands.add_parser("compare", help="compare two reports of evaluate", add_help=False)
    return parser


def _add_command(commands: Any, name: str, purpose: str, epilog: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose.capitalize()}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "-f",
        "--format",
        choices=FORMATS,
        help="how to show the result (default: by the ending of --output, else table)",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="write there, always UTF-8 (- or none: standard output)",
    )
    parser.add_argument(
        "--encoding",
        type=_encoding,
        default="utf-8",
        metavar="NAME",
        help="text encoding of the input, such as latin-1 (default: utf-8)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes and no progress bar")
    return parser


def _add_explain(commands: Any) -> None:
    explain = commands.add_parser(
        "explain",
        help="show which words made a label",
        description="Shows which words of a quote made its label.",
        epilog=_EXPLAIN_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    explain.set_defaults(run=run_explain)
    explain.add_argument("text", metavar="TEXT", help="the quote (not a file name)")
    explain.add_argument("--context", metavar="TEXT", help="the sentence that the quote stood in")
    explain.add_argument(
        "--task", metavar="NAME", help="stance or sentiment (default: the model's first)"
    )
    explain.add_argument("--label", metavar="NAME", help="which label (default: the most probable)")
    _add_model(explain)
    explain.add_argument(
        "-f",
        "--format",
        choices=EXPLAIN_FORMATS,
        help="how to show the result (default: by the ending of --output, else table)",
    )
    explain.add_argument(
        "-o", "--output", metavar="FILE", help="write there, UTF-8 (- or none: standard output)"
    )


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        default=[STANDARD_INPUT],
        metavar="FILE",
        help="text files; - or none is standard input",
    )


def _add_splitting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-tagger",
        action="store_true",
        help="find quotes by rules alone: much faster, but fewer of those without quotation marks",
    )
    parser.add_argument(
        "--speech-only",
        action="store_true",
        help="leave out what somebody only believes, hopes, wants or plans",
    )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", metavar="DIR", help="folder of a trained model (default: the released one)"
    )


def _add_confidence(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--min-confidence",
        type=_fraction,
        default=0.0,
        metavar="X",
        help='show quotes as "undecided" whose stance is less probable than X, 0 to 1 (default: 0)',
    )


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, not {text!r}")
    return value


def _encoding(name: str) -> str:
    try:
        return check_encoding(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _delegate(command: str, words: list[str]) -> int:
    """Hands ``train``, ``evaluate`` or ``compare`` to its own program, which answers ``--help``."""
    from importlib import import_module

    name = _DELEGATES[command]
    try:
        module = import_module(name)
        run: Callable[[list[str]], int | None] = module.main
        code = run(words) or EXIT_OK
    except ImportError as error:
        return _fail(_how_to_install(command, error.name or str(error)))
    # In a checkout the data stand beside the program's folder; pip installs no data.
    if (
        code == EXIT_INPUT
        and not (Path(module.__file__ or "").resolve().parents[1] / "data").is_dir()
    ):
        note_to(
            sys.stderr,
            "note",
            "the project's data are not part of the installed package. Clone its repository,\n"
            f"install from it (pip install -e .) and run `stance {command}` there, or name your\n"
            f"own files: `stance {command} --help`",
        )
    return code


def _how_to_install(command: str, missing: str) -> str:
    if missing.split(".")[0] == "stance":
        return (
            f"`stance {command}` is not in this installation ({missing} is missing): clone the\n"
            "project's repository and install from it with `pip install -e .`"
        )
    return (
        f"`stance {command}` needs the package {missing}, which is not installed:\n"
        "pip install 'stance-quotes[evaluate]'"
    )
