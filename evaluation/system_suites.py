"""The suites that look at the whole system: calibration, quotes, the whole way, and speed."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from stance.evaluation import pipeline, speed
from stance.evaluation import quotes as quote_figures
from stance.evaluation.label_sets import add_label_sets
from stance.evaluation.labelled import Outcome, Setting, evaluate_rows
from stance.evaluation.rows import RowSet, read_rows
from stance.evaluation.suite import FileSuite, Suite

#: The baselines whose probabilities stand beside the model's in the suite ``calibration``.
WITH_PROBABILITIES: Final = ("tfidf", "embeddings")


class Calibration(FileSuite):
    """Whether the probabilities mean what they say."""

    name = "calibration"
    title = "Confidence"
    about = (
        "Whether quotes labelled with 80% confidence are right in 80%: calibration error, the "
        "reliability diagram, the error among the surest answers, and how often the label sets of "
        "a wanted coverage hold the right label. ECE grows with fewer quotes and its interval "
        "leans upward."
    )
    primary_metric = "ece"
    file = "data/authored/test.jsonl"

    def check(self, setting: Setting) -> None:
        """Reads every file."""
        self._sets(setting)

    def run(self, setting: Setting) -> list[Outcome]:
        """Measures on the held-out authored quotes and on each ``--data`` file."""
        kept = [pair for pair in setting.baselines if pair[0].name in WITH_PROBABILITIES]
        # The previous report's answers to these rows stand in the suites that hold their samples.
        setting = replace(setting, baselines=tuple(kept), previous=None)
        outcomes = []
        for key, rows, is_ours in self._sets(setting):
            title = self.title if is_ours else f"{self.title}: {key.partition(':')[2]}"
            subject = self.subject(title=title, key=key)
            outcome, runs, resamples = evaluate_rows(rows, setting, subject, is_ours=is_ours)
            add_label_sets(rows, runs[0], resamples, setting)
            # The suites of these rows hold their slices and samples.
            outcome.report["slices"] = []
            outcomes.append(Outcome(outcome.report, []))
        return outcomes

    def _sets(self, setting: Setting) -> list[tuple[str, RowSet, bool]]:
        sets = [(self.name, read_rows([setting.root / self.file]), True)]
        names = [path.name for path in setting.data_files]
        for position, path in enumerate(setting.data_files):
            name = path.name if names.count(path.name) == 1 else f"{path.name} ({position + 1})"
            rows = read_rows([path], references=setting.references)
            sets.append((f"{self.name}:{name}", rows, False))
        return sets


class Quotes(Suite):
    """Splitting, kinds and speakers."""

    name = "quotes"
    title = "Quotes and speakers"
    about = quote_figures.ABOUT
    primary_metric = quote_figures.PRIMARY
    primary_head = None
    has_baselines = False
    files: Final = (quote_figures.AUTHORED, quote_figures.SEEDS)

    def missing(self, setting: Setting) -> str | None:
        """Returns that a file of articles is absent, or None."""
        return next(
            (f"{file} is not there" for file in self.files if not (setting.root / file).is_file()),
            None,
        )

    def check(self, setting: Setting) -> None:
        """Reads every file of articles."""
        quote_figures.check_quotes(setting.root, setting.article_files)

    def run(self, setting: Setting) -> list[Outcome]:
        """Splits every article and compares."""
        return quote_figures.quotes_suite(setting, self.subject(), setting.article_files)


class Pipeline(FileSuite):
    """From the articles' text to speakers and labels."""

    name = "pipeline"
    title = "Seed articles, from text to labels"
    about = (
        "Articles as text: quotes split out, speakers named, both labels given. Every error of "
        "splitting counts as well."
    )
    primary_metric = "end_to_end"
    primary_head = None
    has_baselines = False
    file = "data/seeds_gold.jsonl"
    authored = "data/quotes/articles.jsonl"

    def check(self, setting: Setting) -> None:
        """Reads the gold files with their spans."""
        pipeline.read_seeds(setting.root / self.file, setting.root / "seeds")
        if (setting.root / self.authored).is_file():
            pipeline.read_authored(setting.root / self.authored)

    def run(self, setting: Setting) -> list[Outcome]:
        """Splits and labels the articles: the seeds, and the authored ones where they are there."""
        seeds = pipeline.read_seeds(setting.root / self.file, setting.root / "seeds")
        outcomes = [pipeline.run_pipeline(seeds, setting, self.subject())]
        if (setting.root / self.authored).is_file():
            subject = self.subject(
                title="Authored articles, from text to labels", key=f"{self.name}:authored"
            )
            stories = pipeline.read_authored(setting.root / self.authored)
            outcomes.append(pipeline.run_pipeline(stories, setting, subject))
        return outcomes


class Speed(FileSuite):
    """Quotes a second, cold start and memory, beside a transformers pipeline."""

    name = "speed"
    title = "Speed"
    about = speed.ABOUT
    primary_metric = "in_batches_ratio"
    primary_head = None
    has_baselines = False
    file = "data/authored/test.jsonl"

    def run(self, setting: Setting) -> list[Outcome]:
        """Times the model and the alternative in turn on the same quotes."""
        return [speed.run_speed(setting.root / self.file, setting, self.subject())]
