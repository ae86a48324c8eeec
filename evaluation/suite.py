"""What a suite is: something to measure, by name, with its data and its primary figure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from stance.evaluation.labelled import Outcome, Setting, Subject, evaluate_rows
from stance.evaluation.rows import read_rows
from stance.evaluation.schema import SuiteReport


class Suite(ABC):
    """One thing to measure.

    Attributes:
        name: What one types.
        title: Heading in reports.
        about: One or two sentences for the reader of a report.
        primary_metric: The one figure that stands for the suite, a key of ``schema.METRICS``.
        primary_head: The head it belongs to; None for metrics of no single head.
        has_baselines: Whether the baselines stand beside the model in it.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    primary_metric: ClassVar[str] = "macro_f1"
    primary_head: ClassVar[str | None] = "stance"
    has_baselines: ClassVar[bool] = True

    @abstractmethod
    def missing(self, setting: Setting) -> str | None:
        """Returns why the suite cannot run here (data that is absent), or None."""

    @abstractmethod
    def check(self, setting: Setting) -> None:
        """Reads the data without measuring, so that a mistake in it is told before a long run.

        Raises:
            DataError: The data cannot be used; the message names file and line.
        """

    @abstractmethod
    def run(self, setting: Setting) -> list[Outcome]:
        """Measures; one outcome a data set."""

    def subject(self, *, title: str = "", key: str = "") -> Subject:
        """Returns the suite's names for a report."""
        return Subject(
            name=self.name,
            title=title or self.title,
            key=key or self.name,
            about=self.about,
            primary_metric=self.primary_metric,
            primary_head=self.primary_head,
        )

    def skipped(self, reason: str) -> SuiteReport:
        """Returns the report of a suite that could not run."""
        return {**self.subject().report(), "status": "skipped", "reason": reason}


class FileSuite(Suite):
    """A suite on one file of the repository, ``file``."""

    file: ClassVar[str]

    def missing(self, setting: Setting) -> str | None:
        """Returns that the file is absent, or None."""
        return None if (setting.root / self.file).is_file() else f"{self.file} is not there"

    def check(self, setting: Setting) -> None:
        """Reads the file."""
        read_rows([setting.root / self.file])

    def run(self, setting: Setting) -> list[Outcome]:
        """Labels every row of the file."""
        rows = read_rows([setting.root / self.file])
        return [evaluate_rows(rows, setting, self.subject(), is_ours=True)[0]]
