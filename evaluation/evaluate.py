"""Measures a model and writes a report: ``stance evaluate`` or ``python evaluation/evaluate.py``.

Exit code 0 when every suite that could run did; 2 when an argument or some data cannot be used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

EPILOG = """\
examples:
  stance evaluate                              every suite whose data is there
  stance evaluate authored contrast            these two only
  stance evaluate real --data mine.jsonl       your own labelled quotes (text, stance, sentiment)
  stance evaluate --model runs/mine --output runs/mine/report
  stance evaluate authored --baseline facebook/bart-large-mnli     another model in the tables
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="stance evaluate",
        description="Measure a model beside baselines, with 95%% intervals, and write a report.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("suites", nargs="*", metavar="SUITE", help="suites to run; all that can, by default")
    add("--model", metavar="DIR", help="a saved model; the released weights by default")
    add(
        "--data",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE.jsonl",
        help="labelled quotes for the suite 'real'; their texts stay out of the report",
    )
    add(
        "--labels",
        type=Path,
        metavar="FILE.jsonl",
        help="labels by reference for --data files, such as data/real/labels.jsonl",
    )
    add(
        "--baseline",
        action="append",
        default=[],
        metavar="NAME_OR_DIR",
        help="a Hugging Face text-classification or zero-shot (NLI) model to stand beside; "
        "may be given more than once",
    )
    add(
        "--articles",
        nargs="+",
        action="extend",
        type=Path,
        default=[],
        metavar="FILE.jsonl",
        help="articles with gold quotes for the suite 'quotes', such as PolNeAR's; their texts "
        "stay out of the report",
    )
    add("--no-baselines", action="store_true", help="the model alone, which is quicker")
    add("--task", action="append", default=[], metavar="SUITE", help="the same as naming SUITE")
    add(
        "--output",
        type=Path,
        metavar="DIR",
        help="default: evaluation/reports/<version>; runs/report with --model or named suites",
    )
    add("--seed", type=int, default=0, help="seed of the resamples (default: 0)")
    add(
        "--bootstrap",
        type=int,
        default=2000,
        metavar="N",
        help="resamples for the intervals; 0 for none (default: 2000)",
    )
    add(
        "--include-text",
        action="store_true",
        help="write the texts of --data files into the report; not for texts of others",
    )
    add("--list", action="store_true", help="name the suites and whether they can run, then stop")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Args:
        argv: Arguments without the program's name; those of the process by default.

    Returns:
        0, or 2 for an argument or data that cannot be used (said on standard error), or 130 when
        interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        options = build_parser().parse_args(arguments)
    except SystemExit as stop:  # argparse has said why
        return int(stop.code or 0)
    try:
        return _evaluate(options, arguments)
    except KeyboardInterrupt:
        print("stance evaluate: interrupted", file=sys.stderr)
        return 130
    except _Refused as error:
        print(f"stance evaluate: error: {error}", file=sys.stderr)
        return 2


class _Refused(Exception):
    """The run cannot be made; the message is for the user."""


def _evaluate(options: argparse.Namespace, arguments: list[str]) -> int:
    # Below the argument parsing, so that --help needs none of the heavy libraries.
    from stance.evaluation import provenance, report
    from stance.evaluation.baselines import BaselineUnavailable
    from stance.evaluation.labelled import Setting
    from stance.evaluation.rows import DataError
    from stance.evaluation.runner import Options, SuiteUnavailable, find_root, prepare, run
    from stance.evaluation.suites import SUITES, listing
    from stance.evaluation.systems import ModelError

    root = find_root()
    names, data = _told_apart(
        [*options.suites, *options.task], options.data, {suite.name for suite in SUITES}
    )
    if options.list:
        for name, title, state in listing(Setting(cast(Any, None), root, data_files=data)):
            print(f"{name:<12} {title:<36} {state}")
        return 0
    try:
        wanted = Options(
            suites=names,
            data=data,
            labels=options.labels,
            articles=tuple(dict.fromkeys(options.articles)),
            seed=options.seed,
            repeats=options.bootstrap,
            include_text=options.include_text,
            baselines=tuple(dict.fromkeys(options.baseline)),
            with_baselines=not options.no_baselines,
            model_directory=Path(options.model) if options.model else weights_directory(),
            root=root,
            command=provenance.shown_command(arguments, root),
        )
    except ValueError as error:
        raise _Refused(str(error)) from None
    output = options.output or default_output(root, is_release=not (options.model or names))
    try:
        chosen, reasons = prepare(wanted)
    except (DataError, SuiteUnavailable) as error:
        raise _Refused(str(error)) from None
    if len(reasons) == len(chosen):
        raise _Refused("no suite can run here; `stance evaluate --list` says why")
    _check_output(output)
    model, facts = _load(options.model, root)
    try:
        results, samples = run(
            model, wanted, facts=facts, report=lambda line: print(line, file=sys.stderr)
        )
    except (BaselineUnavailable, DataError, ModelError, SuiteUnavailable) as error:
        raise _Refused(str(error)) from None
    try:
        paths = report.write(results, samples, output)
    except OSError as error:
        raise _Refused(f"cannot write to {output}: {error.strerror}") from None
    print(report.summary(results))
    print("\n".join(str(path) for path in paths))
    return 0


def default_output(root: Path, *, is_release: bool) -> Path:
    """Returns where a report goes when nobody says.

    Args:
        root: The repository.
        is_release: Whether it is of the released weights and all suites: then it is the committed
            report of this version, which no other run may replace.
    """
    import stance

    if not is_release:
        return root / "runs" / "report"
    return root / "evaluation" / "reports" / stance.__version__


def weights_directory() -> Path:
    """Returns where the released weights stand."""
    import stance

    return Path(stance.__file__).parent / "weights"


def _told_apart(
    suites: list[str], data: list[str], known: set[str]
) -> tuple[tuple[str, ...], tuple[Path, ...]]:
    """Returns suites and files: a suite named right after --data's files is taken for a suite."""
    trailing = [name for name in data if name in known and not Path(name).exists()]
    files = [Path(name) for name in data if name not in trailing]
    return (*suites, *trailing), tuple(dict.fromkeys(files))


def _check_output(output: Path) -> None:
    """Finds out before a long run that nothing could be written after it."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        probe = output / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _Refused(f"cannot write to {output}: {error.strerror}") from None


def _load(name: str | None, root: Path) -> tuple[Any, Any]:
    """Returns the model and its facts."""
    import stance
    from stance.evaluation import provenance

    directory = Path(name) if name else weights_directory()
    try:
        classifier = stance.StanceClassifier
        model = classifier.from_pretrained(name) if name else classifier.from_pretrained()
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        what = f"the model {name!r}" if name else "the released weights"
        raise _Refused(f"cannot load {what}: {error}") from None
    return model, provenance.model_facts(directory, root, name or "released weights")


if __name__ == "__main__":
    # The script's own folder would put modules named "metrics" or "report" on the top level.
    if Path(sys.path[0]).resolve() == Path(__file__).resolve().parent:
        sys.path.pop(0)
    sys.exit(main())
