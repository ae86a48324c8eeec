"""The suites, by name. A new one is a small class here with ``missing`` and ``run``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from stance.evaluation import invariance
from stance.evaluation.bootstrap import draw, ratio
from stance.evaluation.labelled import Outcome, Setting, evaluate_rows
from stance.evaluation.rows import RowSet, read_rows
from stance.evaluation.schema import undefined
from stance.evaluation.spans import add_spans
from stance.evaluation.suite import FileSuite, Suite
from stance.evaluation.system_suites import Calibration, Pipeline, Quotes, Speed
from stance.evaluation.systems import SystemRun
from stance.labels import STANCES


class Authored(FileSuite):
    """The held-out authored quotes."""

    name = "authored"
    title = "Authored quotes, held out"
    about = (
        "Quotes written for this project and split by situation, so that no situation stands in "
        "both training and test. About half are hard cases of the codebook."
    )
    file = "data/authored/test.jsonl"

    def run(self, setting: Setting) -> list[Outcome]:
        """Labels every row, and compares the words of conditions and outcomes."""
        rows = read_rows([setting.root / self.file])
        outcome, runs, resamples = evaluate_rows(rows, setting, self.subject(), is_ours=True)
        add_spans(rows, runs[0], resamples, setting)
        return [outcome]


class Seeds(FileSuite):
    """The gold quotes of the two seed articles, labelled without splitting."""

    name = "seeds"
    title = "Seed articles, gold quotes"
    about = (
        "The quotes of the two seed articles as marked by hand, so that only the labels are "
        "measured. Few quotes: read the intervals."
    )
    primary_metric = "accuracy"
    file = "data/seeds_gold.jsonl"


class Real(Suite):
    """Labelled files of one's own."""

    name = "real"
    title = "Files given with --data"
    about = "A file of labelled quotes from outside the repository."

    def missing(self, setting: Setting) -> str | None:
        """Returns that no file was named, or None."""
        return None if setting.data_files else "no file was given with --data"

    def check(self, setting: Setting) -> None:
        """Reads each file."""
        for path in setting.data_files:
            read_rows([path], references=setting.references)

    def run(self, setting: Setting) -> list[Outcome]:
        """Labels every row of every file, one outcome a file."""
        outcomes = []
        names = [path.name for path in setting.data_files]
        for position, path in enumerate(setting.data_files):
            name = path.name
            if names.count(name) > 1:  # two files of one name: told apart by their place
                name = f"{name} ({position + 1})"
            rows = read_rows([path], references=setting.references)
            subject = self.subject(title=f"Real quotes: {name}", key=f"real:{name}")
            outcomes.append(evaluate_rows(rows, setting, subject, is_ours=False)[0])
        return outcomes


class Contrast(Suite):
    """Groups of near-identical quotes whose labels differ, or must not differ."""

    name = "contrast"
    title = "Contrast sets"
    about = (
        "Groups of quotes that differ in a few words. A group counts only when the stance of every "
        "quote in it is right, so that labelling by habit does not pay (Gardner et al., 2020)."
    )
    primary_metric = "groups_right"
    primary_head = None
    folder: ClassVar[str] = "data/contrast"

    def missing(self, setting: Setting) -> str | None:
        """Returns that there are no files, or None."""
        return None if self._files(setting) else f"{self.folder}/ holds no .jsonl file"

    def check(self, setting: Setting) -> None:
        """Reads the files."""
        read_rows(self._files(setting), required=("group",))

    def run(self, setting: Setting) -> list[Outcome]:
        """Labels every row of every file together."""
        rows = read_rows(self._files(setting), required=("group",))
        outcome, runs, _ = evaluate_rows(
            rows, setting, self.subject(), is_ours=True, group_field="group"
        )
        for run in runs:
            self._add_groups_right(rows, run, setting)
        return [outcome]

    def _files(self, setting: Setting) -> list[Path]:
        return sorted((setting.root / self.folder).glob("*.jsonl"))

    def _add_groups_right(self, rows: RowSet, run: SystemRun, setting: Setting) -> None:
        """Adds the share of groups with every stance right to a system's metrics."""
        if "stance" not in run.answers:
            reason = run.report["head_reasons"].get("stance") or run.report["reason"]
            run.report["metrics"]["groups_right"] = undefined(reason or "no stance labels")
            return
        right: dict[tuple[str, str], bool] = {}
        for row, index in zip(rows.rows, run.answers["stance"].predicted, strict=True):
            key = (row.file, row.fields["group"])
            right[key] = right.get(key, True) and STANCES[int(index)] == row.labels["stance"]
        hits = np.array(list(right.values()), dtype=np.float64)
        resamples = draw(len(hits), groups=None, repeats=setting.repeats, seed=setting.seed)
        run.report["metrics"]["groups_right"] = ratio(
            hits, np.ones(len(hits)), resamples, "no group"
        )


class Invariance(FileSuite):
    """The same quotes with changes that must not move a label."""

    name = "invariance"
    title = "Changes that keep the meaning"
    about = (
        "Held-out quotes with the country, the names, the gender, the capitals, the quotation "
        "marks, the spelling or some letters changed. Counted is how often the answer differs from "
        "that on the quote before the change, whether or not it was right (Ribeiro et al., 2020). "
        "An interval of 0 to 0 says that no row moved, not that none can: the bound is then about "
        "3 in the number of rows."
    )
    primary_metric = "stance_moved_identity"
    primary_head = None
    file = invariance.FILE
    fields: ClassVar[tuple[str, ...]] = ("original", "original_text", "swap")

    def check(self, setting: Setting) -> None:
        """Reads the file with the quotes before the change."""
        invariance.check_swaps(read_rows([setting.root / self.file], required=self.fields))

    def run(self, setting: Setting) -> list[Outcome]:
        """Labels every row before and after its change."""
        rows = read_rows([setting.root / self.file], required=self.fields)
        outcome, runs, _ = evaluate_rows(
            rows, setting, self.subject(), is_ours=True, group_field="original"
        )
        invariance.add_moves(rows, runs, setting)
        return [outcome]


#: In the order of reports.
SUITES: Final[tuple[Suite, ...]] = (
    Authored(),
    Contrast(),
    Invariance(),
    Real(),
    Seeds(),
    Calibration(),
    Quotes(),
    Pipeline(),
    Speed(),
)


def suite_named(name: str) -> Suite:
    """Returns the suite with this name.

    Raises:
        ValueError: There is none; the message lists the names.
    """
    for suite in SUITES:
        if suite.name == name:
            return suite
    known = ", ".join(suite.name for suite in SUITES)
    raise ValueError(f"unknown suite {name!r}; known: {known}")


def listing(setting: Setting, suites: Sequence[Suite] = SUITES) -> list[tuple[str, str, str]]:
    """Returns each suite's name, title, and "ready" or why it cannot run."""
    return [(suite.name, suite.title, suite.missing(setting) or "ready") for suite in suites]
