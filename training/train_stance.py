"""Trains the stance and sentiment model, from data files to a saved model directory.

    python training/train_stance.py
    python training/train_stance.py --extra more_quotes.jsonl --output runs/mine
    python training/train_stance.py --news data/real/news_labels.jsonl --articles news.jsonl.gz
    python training/train_stance.py --init runs/pretrained --teacher runs/teacher.jsonl
    python training/train_stance.py --set learning_rate=5e-5 --set epochs=6 --resume

``stance train`` runs the same. Read ``main`` from top to bottom.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stance.training.script import run_script

if TYPE_CHECKING:
    from stance.model.examples import Example
    from stance.model.settings import TrainingConfig
    from stance.training.data import Corpus, DataFile

REPOSITORY: Final = Path(__file__).resolve().parent.parent
# The settings of [data] that are about reading files.
_FILE_SETTINGS: Final = ("how_weights", "extra_weight", "source_weights")
DEFAULT_CONFIG: Final = Path(__file__).resolve().parent / "configs" / "default.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the training.

    Args:
        argv: Arguments of the command line; None takes those of the process.

    Returns:
        The exit code: 0, or 2 where settings or data are wrong.
    """
    stop = "stopped; --resume goes on from the last checkpoint, if there was one"
    return run_script("stance train", _train, _parser().parse_args(argv), stop)


def _train(arguments: argparse.Namespace) -> None:
    # 1. Settings: the TOML file, then what the command line changes.
    config, data_settings = read_settings(arguments)
    output: Path = arguments.output

    # 2. Data: authored quotes, and further files where they are given.
    from stance.training.data import TASKS, describe
    from stance.training.epochs import epoch_source

    corpus = read_corpus(arguments, data_settings)
    train, notes, files = corpus.train, list(corpus.notes), list(corpus.files)
    if arguments.teacher:
        train, file, found = taught(arguments, corpus)
        notes += found
        files.append(file)
    source, found = epoch_source(train, data_settings, config.seed)
    notes += found
    for note in notes:
        print(note)
    print(f"train: {len(train):,} quotes; {describe(train)}")
    for name, examples in corpus.validation.items():
        print(f"validation, {name}: {len(examples):,} quotes; {describe(examples)}")

    # 3. Base encoder, heads, optimiser, epochs, validation, temperatures.
    import torch

    from stance.model.finetune import finetune

    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    output.mkdir(parents=True, exist_ok=True)
    model = finetune(
        source,
        corpus.validation,
        TASKS,
        config,
        checkpoint=output / "checkpoint.pt",
        resume=arguments.resume,
        log=output / "training_log.jsonl",
        progress=not arguments.quiet,
    )

    # 4. Save: weights that differ from the base, configuration with the facts, log, model card.
    from stance.model.storage import save_model

    model.training = {
        "data": [file.to_dict(REPOSITORY) for file in files],
        "data_settings": data_settings,
        # Quotes that a teacher alone labels are cut out of articles.
        "real_quotes": corpus.has_real_quotes or len(train) > len(corpus.train),
        "notes": [_without_folders(note) for note in notes],
        **model.training,
    }
    save_model(model, output)

    # 5. Report: the validation figures of the weights as saved.
    facts = model.training
    print(f"epoch {facts['best_epoch']} of {config.epochs} kept, {facts['seconds']:.0f} s")
    print_validation(facts)
    size = (output / "model.safetensors").stat().st_size / 1e6
    print(f"saved to {output} ({size:.1f} MB); to measure it: stance evaluate --model {output}")


def print_validation(facts: Mapping[str, Any]) -> None:
    """Prints the validation figures in the facts of a model, one line a set and task."""
    for name, tasks in facts["validation"].items():
        for task, figures in tasks.items():
            print(
                f"{name}, {task}: accuracy {figures['accuracy']:.3f}, "
                f"macro-F1 {figures['macro_f1']:.3f}"
            )
    for name, kinds in facts.get("spans", {}).items():
        shown = ", ".join(f"{kind} {figures['f1']:.3f}" for kind, figures in kinds.items())
        print(f"{name}, token-F1 of spans: {shown}")


def taught(
    arguments: argparse.Namespace, corpus: Corpus
) -> tuple[list[Example], DataFile, list[str]]:
    """Returns the training quotes with a teacher's view of them and those it alone labels.

    Raises:
        ValueError: The teacher's file is bad, or has nothing for this training.
    """
    from stance.model.hashes import file_sha256
    from stance.training.data import DataFile, read_teacher, unlabelled_examples, with_teacher

    path: Path = arguments.teacher
    train = corpus.train
    teacher = read_teacher(path)
    taught, count = with_teacher(train, teacher.known)
    notes = [f"{path}: a teacher's probabilities for {count:,} of {len(train):,} training quotes"]
    if teacher.unlabelled and arguments.articles:
        labelled = [*train, *(one for rows in corpus.validation.values() for one in rows)]
        more, note = unlabelled_examples(teacher, arguments.articles, labelled)
        taught, count = [*taught, *more], count + len(more)
        notes.append(note)
    elif teacher.unlabelled:
        notes.append(
            f"{path}: {len(teacher.unlabelled):,} unlabelled quotes left out: their articles are "
            "not given (--articles)"
        )
    if not count:
        raise ValueError("; ".join([f"{path} teaches nothing of this training", *notes]))
    rows = len(teacher.known) + len(teacher.unlabelled)
    return taught, DataFile(path, "teacher", rows, file_sha256(path)), notes


def read_settings(arguments: argparse.Namespace) -> tuple[TrainingConfig, dict[str, Any]]:
    """Reads the settings that a command line names: the TOML file, then what it changes itself.

    Args:
        arguments: Has what ``add_training_arguments`` added.

    Returns:
        The settings of the run, and the [data] table.

    Raises:
        ValueError: The file cannot be read, or a setting is unknown or not allowed.
    """
    from stance.model.settings import TrainingConfig, read_toml

    content = read_toml(arguments.config)
    data_settings = _data_settings(content.pop("data", {}), arguments.config)
    return TrainingConfig().updated({**content, **_overrides(arguments)}), data_settings


def read_corpus(arguments: argparse.Namespace, data_settings: dict[str, Any]) -> Corpus:
    """Reads the data that a command line names.

    Args:
        arguments: Has what ``add_data_arguments`` added.
        data_settings: The [data] table of the configuration; is given the weights of the command
            line, so that it says what was done.

    Raises:
        ValueError: A file is missing or bad, or --news comes without --articles.
    """
    from stance.training.data import load_corpus

    if arguments.news and not arguments.articles:
        raise ValueError("--news needs --articles: the articles that its labels point to")
    if arguments.source_weights:
        data_settings["source_weights"] = {
            **data_settings.get("source_weights", {}),
            **_source_weights(arguments.source_weights),
        }
    return load_corpus(
        arguments.data,
        arguments.extra,
        labels=arguments.labels,
        news=(arguments.news, arguments.articles) if arguments.news else None,
        **{name: data_settings[name] for name in _FILE_SETTINGS if name in data_settings},
    )


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that name training data."""
    parser.add_argument(
        "--data",
        type=Path,
        default=REPOSITORY / "data" / "authored",
        help="folder with train.jsonl, any train*.jsonl, and validation.jsonl "
        "(default: data/authored)",
    )
    parser.add_argument(
        "--extra",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="further JSONL files with text, stance, sentiment and, optionally, context and source",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        metavar="FILE",
        help="labels by reference for the --extra files, such as data/real/labels.jsonl",
    )
    parser.add_argument(
        "--news",
        type=Path,
        metavar="FILE",
        help="labels of news quotes by offsets, such as data/real/news_labels.jsonl",
    )
    parser.add_argument(
        "--articles",
        type=Path,
        metavar="FILE",
        help="the articles that --news or a teacher points into: JSONL, may be .gz",
    )
    parser.add_argument(
        "--source-weight",
        action="append",
        default=[],
        metavar="NAME=WEIGHT",
        dest="source_weights",
        help="weight of the rows of one file, by its name without ending; repeatable",
    )


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments that name settings and training data."""
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG, help="TOML file of settings")
    add_data_arguments(parser)
    parser.add_argument(
        "--teacher",
        type=Path,
        metavar="FILE",
        help="probabilities to learn from beside the labels, written by training/teach.py",
    )
    parser.add_argument(
        "--init",
        help="start the encoder's layers from this safetensors file or folder, the base staying",
    )
    parser.add_argument("--base", help="folder or hub id of another base encoder")
    parser.add_argument("--epochs", type=int, help="passes over the data")
    parser.add_argument("--learning-rate", type=float, help="peak rate of the encoder")
    parser.add_argument("--batch-size", type=int, help="quotes a step")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        dest="changes",
        help="change any other setting; repeatable",
    )
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's choice)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="stance train",
        description="Trains the stance and sentiment model.",
        epilog="Any setting of the configuration can be changed: --set label_smoothing=0.1",
    )
    add_training_arguments(parser)
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("runs/stance"),
        help="model directory to write (default: runs/stance)",
    )
    parser.add_argument("--seed", type=int, help="seed of every random choice")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in --output"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    return parser


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    from stance.model.settings import parse_changes

    names = ("base", "init", "seed", "epochs", "learning_rate", "batch_size")
    changes = {name: getattr(arguments, name, None) for name in names}
    changes = {name: value for name, value in changes.items() if value is not None}
    return {**changes, **parse_changes(arguments.changes)}


def _source_weights(given: Sequence[str]) -> dict[str, float]:
    weights = {}
    for change in given:
        name, equals, value = change.partition("=")
        try:
            weights[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not 0 <= weights[name.strip()] < float("inf"):
            raise ValueError(f"--source-weight needs NAME=WEIGHT, 0 or more, not {change!r}")
    return weights


def _without_folders(note: str) -> str:
    """Returns a note that names files without the folders of this machine."""
    return re.sub(r"(?<!\S)\S*/(?=\S)", "", note)


def _data_settings(section: Any, path: Path) -> dict[str, Any]:
    """Checks the [data] table of the configuration."""
    from stance.model.settings import is_finite_weight

    known = {*_FILE_SETTINGS, "epoch_shares", "swap_share"}
    if not isinstance(section, dict) or not set(section) <= known:
        raise ValueError(f"{path}: [data] may hold {sorted(known)}, not {section!r}")
    weights = [section.get("extra_weight", 1.0)]
    for table in ("how_weights", "source_weights", "epoch_shares"):
        if not isinstance(section.get(table, {}), dict):
            raise ValueError(f"{path}: {table} in [data] must be a table, not {section[table]!r}")
        if table != "epoch_shares":
            weights += section.get(table, {}).values()
    for weight in weights:
        if not is_finite_weight(weight):
            raise ValueError(f"{path}: a weight in [data] must be 0 or more, not {weight!r}")
    shares = {f"epoch_shares.{file}": one for file, one in section.get("epoch_shares", {}).items()}
    for name, share in {"swap_share": section.get("swap_share", 0.0), **shares}.items():
        if not is_finite_weight(share) or share > 1:
            raise ValueError(f"{path}: {name} in [data] must be in 0..1, not {share!r}")
    return dict(section)


if __name__ == "__main__":
    sys.exit(main())
