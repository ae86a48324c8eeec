"""One run: the suites asked for, on one model, beside the baselines, into a results object."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, cast

import stance
from stance.evaluation import baselines as baseline_module
from stance.evaluation import bootstrap, learning, provenance
from stance.evaluation.baselines import Baseline, BaselineUnavailable
from stance.evaluation.hugging_face import HuggingFace
from stance.evaluation.labelled import Setting, data_files, plain_text
from stance.evaluation.rows import DataError, RowSet, read_rows
from stance.evaluation.schema import SCHEMA_VERSION, ModelFacts, Results, Sample, SuiteReport
from stance.evaluation.stored import previous_report
from stance.evaluation.suites import SUITES, Suite, suite_named
from stance.evaluation.systems import Classifier, Remembering
from stance.references import read_references

TRAINING_FILE: Final = "data/authored/train.jsonl"
#: scikit-learn takes no larger seed.
MOST_SEED: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Options:
    """What to measure.

    Attributes:
        suites: Names; empty for every suite whose data is there.
        data: Labelled files for the suite ``real``.
        articles: Files of articles with gold quotes for the suite ``quotes``.
        labels: File of labels by reference for ``data``, or None to take the files' own labels.
        seed: Seed of the resamples and of the baselines.
        repeats: Bootstrap resamples; 0 gives no intervals.
        include_text: Whether texts of ``data`` may stand in the reports.
        baselines: Models of Hugging Face to stand beside, by hub id or path.
        with_baselines: Whether any baseline is run; without them a run is quicker.
        model_directory: Where the model was loaded from, for its cold start; None for none.
        root: The repository.
        command: The command line as reports show it.
    """

    suites: tuple[str, ...] = ()
    data: tuple[Path, ...] = ()
    labels: Path | None = None
    articles: tuple[Path, ...] = ()
    seed: int = 0
    repeats: int = 2000
    include_text: bool = False
    baselines: tuple[str, ...] = ()
    with_baselines: bool = True
    model_directory: Path | None = None
    root: Path = field(default_factory=lambda: find_root())
    command: str = "stance.evaluation.runner.run"

    def __post_init__(self) -> None:
        """Rejects bad values.

        Raises:
            ValueError: A number is out of range, a suite is unknown, or ``data`` would not be read.
        """
        for name, value, most in (
            ("bootstrap", self.repeats, bootstrap.MOST_REPEATS),
            ("seed", self.seed, MOST_SEED),
        ):
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be 0 to {most}, not {value}")
        for name in self.suites:
            suite_named(name)
        if self.data and self.suites and not {"real", "calibration"} & set(self.suites):
            raise ValueError(
                "--data is read by the suite 'real' (and by 'calibration'), which is not among: "
                f"{', '.join(self.suites)}"
            )
        if self.articles and self.suites and "quotes" not in self.suites:
            raise ValueError(
                "--articles is read by the suite 'quotes', which is not among: "
                f"{', '.join(self.suites)}"
            )
        if self.baselines and not self.with_baselines:
            raise ValueError("a named baseline cannot stand in a run without baselines")
        if self.labels is not None and not self.data:
            raise ValueError("--labels gives labels to --data files, and none was named")


class SuiteUnavailable(RuntimeError):
    """A suite was named but its data is absent."""


def find_root() -> Path:
    """Returns the repository: where this package stands in it, else the working directory."""
    here = Path(__file__).resolve().parent.parent
    return here if (here / "pyproject.toml").is_file() else Path.cwd()


def prepare(options: Options) -> tuple[list[Suite], dict[str, str]]:
    """Finds the suites to run and reads their data, before any model is needed.

    Returns:
        The suites asked for, and name to reason for those that cannot run.

    Raises:
        SuiteUnavailable: A suite that was named has no data.
        DataError: Some data cannot be used; the message names file and line.
    """
    # Looking for data needs no model.
    setting = Setting(
        cast(Classifier, None),
        options.root,
        data_files=options.data,
        article_files=options.articles,
        references=_references(options),
    )
    chosen = [suite_named(name) for name in dict.fromkeys(options.suites)] or list(SUITES)
    reasons: dict[str, str] = {}
    for suite in chosen:
        reason = suite.missing(setting)
        if reason is None:
            suite.check(setting)
        elif options.suites:
            raise SuiteUnavailable(f"suite {suite.name!r}: {reason}")
        else:
            reasons[suite.name] = reason
    return chosen, reasons


def _references(options: Options) -> dict[str, dict[str, Any]] | None:
    if options.labels is None:
        return None
    try:
        return read_references(options.labels)
    except ValueError as error:
        raise DataError(str(error)) from None


def run(
    model: Classifier,
    options: Options,
    *,
    facts: ModelFacts | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> tuple[Results, list[Sample]]:
    """Runs the suites.

    Args:
        model: Anything with ``classify(texts, context=contexts)``.
        options: What to measure.
        facts: What is known of the model; its class name by default.
        report: Is called with one line of progress before each step.

    Returns:
        The results, and one sample a row and suite.

    Raises:
        SuiteUnavailable: A suite that was named has no data.
        DataError: Some data cannot be used; the message names file and line.
        ModelError: The model's answers are not probabilities over the labels.
        BaselineUnavailable: A model named in ``options.baselines`` cannot be used.
    """
    started = time.perf_counter()
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    chosen, reasons = prepare(options)
    facts = facts or provenance.model_facts(None, options.root, type(model).__name__)
    setting = Setting(
        model=Remembering(model),
        root=options.root,
        data_files=options.data,
        article_files=options.articles,
        references=_references(options),
        seed=options.seed,
        repeats=options.repeats,
        include_text=options.include_text,
        previous=previous_report(options.root, facts["sha256"]),
        model_directory=options.model_directory,
        model_files=provenance.training_hashes(facts),
        authored_texts=_authored_texts(options.root),
    )
    needed = any(suite.has_baselines and suite.name not in reasons for suite in chosen)
    if needed and options.with_baselines:
        report("fitting the baselines")
        setting = _with_baselines(setting, options)
    suites: list[SuiteReport] = []
    samples: list[Sample] = []
    for suite in chosen:
        _run_suite(suite, reasons.get(suite.name), setting, suites, samples, report)
    results: Results = {
        "schema_version": SCHEMA_VERSION,
        "version": stance.__version__,
        "run": {
            "command": options.command,
            "started": moment,
            "seconds": round(time.perf_counter() - started, 2),
            "seed": options.seed,
            "bootstrap": options.repeats,
            "interval": bootstrap.LEVEL,
            "python": platform.python_version(),
            "libraries": provenance.library_versions(),
            "hardware": provenance.hardware(),
        },
        "model": facts,
        "baselines_trained_on": data_files(setting.training, setting.root)[0]
        if setting.training
        else None,
        "previous": setting.previous.results["version"] if setting.previous else None,
        "learning_curve": learning.read_curve(options.root),
        "suites": suites,
    }
    return results, samples


def _run_suite(
    suite: Suite,
    reason: str | None,
    setting: Setting,
    suites: list[SuiteReport],
    samples: list[Sample],
    report: Callable[[str], None],
) -> None:
    if reason is not None:
        report(f"{suite.name}: skipped, {reason}")
        suites.append(suite.skipped(reason))
        return
    report(f"{suite.name}: running")
    for outcome in suite.run(setting):
        for warning in outcome.report["warnings"]:
            report(f"{outcome.report['key']}: note: {warning}")
        suites.append(outcome.report)
        samples.extend(outcome.samples)


def _authored_texts(root: Path) -> frozenset[str]:
    """Returns the texts of all authored training files, which no held-out row should share."""
    paths = sorted((root / TRAINING_FILE).parent.glob("train*.jsonl"))
    return frozenset(plain_text(row.text) for path in paths for row in read_rows([path]).rows)


def _with_baselines(setting: Setting, options: Options) -> Setting:
    """Returns the setting with every baseline fitted, or the reason why it is not.

    Raises:
        BaselineUnavailable: A model named in the options cannot be used.
    """
    # One that was named must be able to run; the others are left out with their reason.
    named = [HuggingFace(name, options.root) for name in options.baselines]
    for baseline in named:
        baseline.prepare()
    path = setting.root / TRAINING_FILE
    training: RowSet | None = read_rows([path]) if path.is_file() else None
    ready: list[tuple[Baseline, str | None]] = []
    for baseline in baseline_module.all_baselines():
        reason = None
        try:
            if baseline.is_trained and training is None:
                raise BaselineUnavailable(f"{TRAINING_FILE} is not there to learn from")
            baseline.prepare()
            if baseline.is_trained and training is not None:
                baseline.fit(training.rows, seed=setting.seed)
        except BaselineUnavailable as error:
            reason = str(error)
        ready.append((baseline, reason))
    ready += [(baseline, None) for baseline in named]
    return replace(setting, baselines=tuple(ready), training=training)
