"""How well ``stance.split`` finds quotes, their kinds and their speakers.

``python -m stance.evaluation.quotes`` prints the figures on the authored articles and the seeds, or
on the files named with ``--articles`` (PolNeAR's too); ``quotes_suite`` gives them to the reports.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from stance.evaluation.bootstrap import MOST_REPEATS
from stance.evaluation.labelled import Outcome, Setting, Subject
from stance.evaluation.provenance import shown_path
from stance.evaluation.quote_articles import (
    Article,
    ArticleSet,
    Attributed,
    from_split,
    read_articles,
    read_single_quotes,
)
from stance.evaluation.quote_figures import ROWS, SHARES
from stance.evaluation.quote_score import Pair, QuoteScores, score
from stance.evaluation.rows import DataError
from stance.evaluation.schema import MetricValue, Sample, SystemReport
from stance.labels import QUOTE_KINDS
from stance.quotes import split
from stance.references import text_sha256
from stance.types import Quote

AUTHORED: Final = "data/quotes/articles.jsonl"
SEEDS: Final = "data/seeds_gold.jsonl"
PRIMARY: Final = "any_found_f1"
ABOUT: Final = (
    "Quotes found in whole articles, their kinds and speakers, by the definitions of "
    "evaluation/quote_score.py; intervals are over articles."
)

Splitter = Callable[[str], list[Quote]]


def split_by_rules(article: str) -> list[Quote]:
    """Returns the quotes that the rules find alone, without weights."""
    return split(article, tagger=None)


def quotes_suite(setting: Setting, subject: Subject, files: Sequence[Path] = ()) -> list[Outcome]:
    """Measures ``stance.split``, and the rules alone where it uses a tagger.

    Args:
        setting: The run; its model and baselines have no part in it.
        subject: The suite's names; a file's own name is added to title and key.
        files: Further files of articles, whose texts stay out of the report unless
            ``setting.include_text``.

    Returns:
        One outcome for the authored articles, one for the seeds, one a further file.

    Raises:
        DataError: A file is missing or malformed.
    """
    outcomes = []
    for key, title, articles in _own_sets(setting.root):
        outcomes.append(_outcome(articles, setting, subject, key, title))
    names = [path.name for path in files]
    for place, path in enumerate(files):
        name = path.name if names.count(path.name) == 1 else f"{path.name} ({place + 1})"
        articles = read_articles(path, is_ours=False)
        outcomes.append(_outcome(articles, setting, subject, name, name))
    return outcomes


def check_quotes(root: Path, files: Sequence[Path] = ()) -> None:
    """Reads every file of the suite without measuring.

    Raises:
        DataError: A file is missing or malformed.
    """
    _own_sets(root)
    for path in files:
        read_articles(path, is_ours=False)


def find_quotes(
    articles: Sequence[Article], splitter: Splitter
) -> tuple[dict[str, list[Attributed]], float]:
    """Returns the quotes found by article id, and the seconds it took."""
    started = time.perf_counter()
    found = {article.id: from_split(splitter(article.text)) for article in articles}
    return found, time.perf_counter() - started


def _own_sets(root: Path) -> list[tuple[str, str, ArticleSet]]:
    return [
        ("authored", "authored articles", read_articles(root / AUTHORED, is_ours=True)),
        ("seeds", "seed articles", read_single_quotes(root / SEEDS, root / "seeds")),
    ]


def _outcome(
    articles: ArticleSet, setting: Setting, subject: Subject, key: str, title: str
) -> Outcome:
    started = time.perf_counter()
    find_quotes(articles.articles[:1], split)  # the first call loads the weights, if there are any
    found, seconds = find_quotes(articles.articles, split)
    scores = score(articles.articles, found, repeats=setting.repeats, seed=setting.seed)
    systems = [_system("model", "stance.split", scores, articles, seconds)]
    found_by_rules, seconds = find_quotes(articles.articles, split_by_rules)
    if found_by_rules != found:
        rules = score(articles.articles, found_by_rules, repeats=setting.repeats, seed=setting.seed)
        systems.append(_system("rules", "rules alone", rules, articles, seconds))
    gold = [quote for article in articles.articles for quote in article.quotes]
    full_key = f"{subject.key}:{key}"
    shows_text = articles.is_ours or setting.include_text
    return Outcome(
        {
            **subject.report(),
            "title": f"{subject.title}: {title}",
            "key": full_key,
            "data": [
                {
                    "file": shown_path(articles.path, setting.root),
                    "sha256": articles.sha256,
                    "rows": len(gold),
                }
            ],
            "rows": len(gold),
            "label_counts": {
                "kind": {kind: sum(one.kind == kind for one in gold) for kind in QUOTE_KINDS}
            },
            "resampling": scores.resampling,
            "systems": systems,
            "seconds": time.perf_counter() - started,
        },
        _samples(scores, articles, full_key, shows_text=shows_text),
    )


def _system(
    name: str, title: str, scores: QuoteScores, articles: ArticleSet, seconds: float
) -> SystemReport:
    count = sum(pair.found is not None for pair in scores.pairs)
    return {
        "name": name,
        "title": title,
        "kind": "model" if name == "model" else "baseline",
        "status": "done",
        "reason": None,
        "note": f"{len(articles.articles)} articles, {count} quotes found",
        "heads": {},
        "head_reasons": {},
        "metrics": scores.metrics,
        "seconds": seconds,
        "quotes_per_second": count / seconds if seconds > 0 else None,
    }


def _samples(
    scores: QuoteScores, articles: ArticleSet, key: str, *, shows_text: bool
) -> list[Sample]:
    texts = {article.id: article.text for article in articles.articles}
    samples: list[Sample] = []
    for pair in scores.pairs:
        shown = pair.gold or pair.found
        assert shown is not None  # a pair has at least one side
        text = content(texts[pair.article], shown)
        digest = text_sha256(text)
        samples.append(
            {
                "suite": key,
                # A gold quote that was missed and one found in vain may begin at one place.
                "id": f"{pair.article}:{'' if pair.gold else 'found-'}{shown.spans[0][0]}",
                "sha256": digest,
                "text": text if shows_text else None,
                "context": None,
                "tags": list(pair.wrong) or ["right"],
                "group": pair.article if shows_text else text_sha256(pair.article)[:12],
                "gold": _facts(pair.gold, shows_text=shows_text),
                "predicted": _facts(pair.found, shows_text=shows_text),
                "probabilities": {},
                "baselines": {},
            }
        )
    return samples


def _facts(quote: Attributed | None, *, shows_text: bool) -> dict[str, str]:
    if quote is None:
        return {}
    facts = {"kind": quote.kind, "spans": str([list(span) for span in quote.spans])}
    if shows_text:
        facts["speaker"] = (quote.names or (quote.mention,))[0]
    return facts


def content(text: str, quote: Attributed) -> str:
    """Returns the words of a quote: its spans joined by one space."""
    return " ".join(text[start:end] for start, end in quote.spans)


def table(scores: QuoteScores) -> str:
    """Returns the figures as lines of text, in percent with their intervals."""
    lines = [f"{'':26} {'P':>6} {'R':>6} {'F1':>6}  {'95% of F1':15} right/found/gold"]
    for row, (title, _) in ROWS.items():
        parts = [scores.metrics[f"{row}_{part}"] for part in ("precision", "recall", "f1")]
        cells = " ".join(_percent(part["value"]) for part in parts)
        sums = "/".join(str(number) for number in scores.counts[row])
        lines.append(f"{title:26} {cells}  {_interval(parts[-1]):15} {sums}")
    lines.append("")
    for share, (title, _) in SHARES.items():
        value = scores.metrics[share]
        right, cases = scores.counts[share]
        lines.append(
            f"{title:26} {_percent(value['value'])}  {_interval(value):15} {right} of {cases}"
        )
    return "\n".join(lines)


def errors(scores: QuoteScores, articles: Sequence[Article], limit: int) -> str:
    """Returns the first errors of each kind in turn, two lines each, as text for a reader."""
    texts = {article.id: article.text for article in articles}
    by_kind: dict[str, list[Pair]] = {}
    for pair in scores.pairs:
        if pair.wrong:
            by_kind.setdefault(pair.wrong[0], []).append(pair)
    chosen = []
    depth = 0
    while len(chosen) < limit and any(depth < len(pairs) for pairs in by_kind.values()):
        chosen += [pairs[depth] for pairs in by_kind.values() if depth < len(pairs)]
        depth += 1
    lines = []
    for pair in chosen[:limit]:
        lines.append(f"{', '.join(pair.wrong)} in {pair.article}")
        for name, quote in (("gold ", pair.gold), ("found", pair.found)):
            if quote is not None:
                words = " ".join(content(texts[pair.article], quote).split())
                who = (quote.names or (quote.mention,))[0] or "nobody"
                lines.append(f"  {name} {quote.kind}, {who}: {words[:160]}")
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "     –" if value is None else f"{100 * value:6.1f}"


def _interval(value: MetricValue) -> str:
    if value["low"] is None or value["high"] is None:
        return ""
    return f"[{100 * value['low']:.1f}, {100 * value['high']:.1f}]"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the figures; returns 2 for a mistake of the user's, else 0."""
    parser = argparse.ArgumentParser(prog="python -m stance.evaluation.quotes", description=__doc__)
    parser.add_argument(
        "--articles",
        type=Path,
        action="append",
        metavar="FILE",
        help="articles with gold quotes, JSON lines (repeatable); else the authored ones and seeds",
    )
    parser.add_argument("--no-tagger", action="store_true", help="the rules alone")
    parser.add_argument("--errors", type=int, default=0, metavar="N", help="print N errors")
    parser.add_argument("--bootstrap", type=int, default=2000, metavar="N", help="resamples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object a file")
    options = parser.parse_args(arguments)
    for name in ("errors", "bootstrap", "seed"):
        if getattr(options, name) < 0:
            parser.error(f"--{name} must be 0 or more, not {getattr(options, name)}")
    if options.bootstrap > MOST_REPEATS:
        parser.error(f"--bootstrap must be at most {MOST_REPEATS}, not {options.bootstrap}")
    try:
        if options.articles:
            sets = [(str(path), read_articles(path, is_ours=False)) for path in options.articles]
        else:
            root = Path(__file__).resolve().parent.parent
            sets = [(title, articles) for _, title, articles in _own_sets(root)]
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    splitter = split_by_rules if options.no_tagger else split
    for title, articles in sets:
        _print_one(title, articles, splitter, options)
    return 0


def _print_one(title: str, articles: ArticleSet, splitter: Splitter, options: Any) -> None:
    found, seconds = find_quotes(articles.articles, splitter)
    scores = score(articles.articles, found, repeats=options.bootstrap, seed=options.seed)
    if options.json:
        result = {
            "articles": title,
            "sha256": articles.sha256,
            "seconds": seconds,
            "metrics": scores.metrics,
            "counts": scores.counts,
        }
        print(json.dumps(result, ensure_ascii=False))
        return
    print(f"{title}: {len(articles.articles)} articles in {seconds:.1f} s; {scores.resampling}\n")
    print(table(scores), end="\n\n")
    if options.errors:
        print(errors(scores, articles.articles, options.errors), end="\n\n")


if __name__ == "__main__":
    sys.exit(main())
