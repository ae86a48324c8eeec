"""Figures of quote extraction and attribution, by the definitions of PolNeAR's comparison.

==================  ==============================================================================
direct_exact        pieces of direct quotes: start, end and kind must be right
direct_words        words of the same pieces
quoted_exact        pieces between quotation marks, of direct or mixed quotes, whatever the kind
quoted_words        words of the same pieces
reported_words      words of indirect and mixed contents
reported_found      indirect and mixed contents, matched one to one at a word Jaccard of at least
                    0.5, the best first
any_found           the same over all kinds
recall_*            that last matching's recall by gold kind, and for indirect contents that hang on
                    a verb of speech (the others are beliefs, intentions, plans)
speaker_*           of gold direct pieces with a source: one is matched by a found piece of Jaccard
                    at least 0.5, and right when the mentions overlap, the heads of the names fit,
                    or both are the same pronoun
pronouns_resolved   of those mentioned by a pronoun with a known antecedent: a fitting name given
==================  ==============================================================================

Two more where the gold names its speakers: ``name_right``, of the quotes found, and
``articles_right``, the articles with every piece, kind and name right and nothing else found.

Every figure is a ratio of sums over articles, so articles are what the bootstrap draws.

Source: Newell, Margolin and Ruths, An Attribution Relations Corpus for Political News (2018),
https://aclanthology.org/L18-1524/
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from stance.evaluation import bootstrap
from stance.evaluation.quote_articles import Article, Attributed
from stance.evaluation.quote_figures import ROWS, SHARES
from stance.evaluation.quote_geometry import (
    Span,
    Words,
    intersect,
    jaccard,
    merge,
    pieces,
    quoted_regions,
    words,
)
from stance.evaluation.quote_names import is_pronoun, names_fit
from stance.evaluation.schema import MetricValue
from stance.labels import QUOTE_KINDS

LEAST_OVERLAP: Final = 0.5

Kind = Literal["missed", "extra", "edges", "kind", "speaker"]


@dataclass(frozen=True, slots=True)
class Pair:
    """A gold quote with the found one, or one of the two alone; ``wrong`` is empty when right."""

    article: str
    gold: Attributed | None
    found: Attributed | None
    wrong: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class QuoteScores:
    """The figures of one system on some articles.

    Attributes:
        metrics: The keys of ``quote_figures.FIGURES``, with intervals over articles.
        counts: Key of a row or a share to its sums: right, found and gold ones for a row; right
            ones and cases for a share.
        pairs: Every gold quote and every extra one, in the order of the articles.
        resampling: What the intervals rest on.
    """

    metrics: dict[str, MetricValue]
    counts: dict[str, tuple[int, ...]]
    pairs: list[Pair]
    resampling: str


def score(
    gold: Sequence[Article],
    found: Mapping[str, Sequence[Attributed]],
    *,
    repeats: int = 2000,
    seed: int = 0,
) -> QuoteScores:
    """Compares what a system found with the gold.

    Args:
        gold: The articles.
        found: Article id to the quotes found; an article left out counts as one without quotes.
        repeats: Bootstrap resamples; 0 gives no intervals.
        seed: The same seed gives the same intervals.

    Raises:
        ValueError: There is no article, or ``found`` names one that is not in ``gold``.
    """
    if not gold:
        raise ValueError("there are no articles to score")
    unknown = sorted(set(found) - {article.id for article in gold})
    if unknown:
        raise ValueError(f"quotes were given for articles outside the gold: {unknown[:5]}")
    tallies = []
    pairs: list[Pair] = []
    for article in gold:
        tally, here = _compare(article, found.get(article.id, ()))
        tallies.append(tally)
        pairs += here
    enough = len(gold) >= bootstrap.MIN_GROUPS
    resamples = bootstrap.draw(len(gold), groups=None, repeats=repeats if enough else 0, seed=seed)
    few = None if enough else f"only {len(gold)} articles: too few to resample"
    columns = {
        key: np.array([tally.get(key, (0, 0, 0)) for tally in tallies], dtype=np.float64)
        for key in (*ROWS, *SHARES)
    }
    metrics: dict[str, MetricValue] = {}
    for row in ROWS:
        right, system, total = columns[row].T
        for part, above, below in (
            ("f1", 2 * right, system + total),
            ("precision", right, system),
            ("recall", right, total),
        ):
            metrics[f"{row}_{part}"] = bootstrap.ratio(above, below, resamples, "no such quote")
    for share in SHARES:
        right, cases, _ = columns[share].T
        metrics[share] = bootstrap.ratio(right, cases, resamples, "no such case in the gold")
    if few and repeats:
        for value in metrics.values():
            value["interval_reason"] = value["reason"] or few
    counts = {
        key: tuple(int(n) for n in column.sum(axis=0)[: 3 if key in ROWS else 2])
        for key, column in columns.items()
    }
    about = resamples.about.replace("rows", "articles") if enough else few or ""
    return QuoteScores(metrics, counts, pairs, about)


def match(gold: Sequence[Words], found: Sequence[Words]) -> dict[int, int]:
    """Returns gold index to found index, one to one, the largest Jaccard first."""
    by_word: defaultdict[int, set[int]] = defaultdict(set)
    for place, content in enumerate(found):
        for word in content:
            by_word[word].add(place)
    overlaps = sorted(
        (-jaccard(content, found[place]), index, place)
        for index, content in enumerate(gold)
        for place in set().union(*(by_word[word] for word in content if word in by_word))
    )
    pairs: dict[int, int] = {}
    used: set[int] = set()
    for negative, index, place in overlaps:
        if -negative >= LEAST_OVERLAP and index not in pairs and place not in used:
            pairs[index] = place
            used.add(place)
    return pairs


@dataclass(frozen=True, slots=True)
class _Measured:
    """A quote with its words and pieces."""

    quote: Attributed
    words: Words
    pieces: list[Span]
    quoted: list[Span]


def _measured(
    text: str, quotes: Sequence[Attributed], regions: list[Span], discard: Words | None
) -> list[_Measured]:
    """Returns the quotes with their words.

    Args:
        text: The article.
        quotes: Of the gold or of the system.
        regions: What stands between quotation marks.
        discard: The system's quotes that have no word, or most of theirs here, are left out; None
            for the gold, which stays whole.
    """
    result = []
    for quote in quotes:
        spans = merge((max(0, start), min(len(text), end)) for start, end in quote.spans)
        inside = words(text, spans)
        if discard is not None and (not inside or len(inside & discard) * 2 > len(inside)):
            continue
        whole = pieces(text, spans)
        quoted: list[Span] = []
        if quote.kind == "direct":
            quoted = whole
        elif quote.kind == "mixed":
            quoted = pieces(text, intersect(spans, regions))
        result.append(_Measured(quote, inside, whole, quoted))
    return result


Tally = dict[str, tuple[int, int, int]]


def _compare(article: Article, found: Sequence[Attributed]) -> tuple[Tally, list[Pair]]:
    text = article.text
    regions = quoted_regions(text)
    gold = _measured(text, article.quotes, regions, None)
    system = _measured(text, found, regions, words(text, article.discard))
    tally: Tally = {}

    def overlap(row: str, ours: frozenset[Span] | Words, theirs: frozenset[Span] | Words) -> None:
        tally[row] = (len(ours & theirs), len(theirs), len(ours))

    for row, kinds in (("direct", ("direct",)), ("quoted", ("direct", "mixed"))):
        ours, theirs = (
            frozenset(span for one in side if one.quote.kind in kinds for span in one.quoted)
            for side in (gold, system)
        )
        overlap(f"{row}_exact", ours, theirs)
        overlap(f"{row}_words", words(text, ours), words(text, theirs))
    reported = [[one for one in side if one.quote.kind != "direct"] for side in (gold, system)]
    overlap(
        "reported_words",
        *(frozenset().union(*(one.words for one in side)) for side in reported),
    )
    for row, (ours_, theirs_) in (("reported_found", reported), ("any_found", (gold, system))):
        met = match([one.words for one in ours_], [one.words for one in theirs_])
        tally[row] = (len(met), len(theirs_), len(ours_))
    cases: dict[str, list[int]] = {f"recall_{kind}": [] for kind in QUOTE_KINDS}
    cases["recall_speech"] = []
    for index, one in enumerate(gold):
        cases[f"recall_{one.quote.kind}"].append(index)
        if one.quote.kind == "indirect" and one.quote.has_speech_cue:
            cases["recall_speech"].append(index)
    for share, indices in cases.items():
        tally[share] = (sum(index in met for index in indices), len(indices), 0)
    _count_speakers(text, gold, system, tally)
    pairs = _pairs(article.id, gold, system, met)
    named = [pair for pair in pairs if pair.gold and pair.found and pair.gold.is_named]
    tally["name_right"] = (sum("speaker" not in pair.wrong for pair in named), len(named), 0)
    if all(one.quote.is_named for one in gold):
        tally["articles_right"] = (int(not any(pair.wrong for pair in pairs)), 1, 0)
    return tally, pairs


def _count_speakers(
    text: str, gold: list[_Measured], system: list[_Measured], tally: Tally
) -> None:
    found = [(words(text, [span]), one.quote) for one in system for span in one.pieces]
    total = matched = surface = right = pronouns = resolved = 0
    for one in gold:
        if one.quote.kind != "direct" or not one.quote.source:
            continue
        for span in one.pieces:
            total += 1
            has_antecedent = one.quote.is_pronoun and any(one.quote.names)
            pronouns += has_antecedent
            inside = words(text, [span])
            best = max(found, key=lambda other: jaccard(inside, other[0]), default=None)
            if best is None or jaccard(inside, best[0]) < LEAST_OVERLAP:
                continue
            matched += 1
            overlaps, fits, is_right = _judge(text, one.quote, best[1])
            surface += overlaps
            right += is_right
            resolved += has_antecedent and fits
    tally["speaker_end_to_end"] = (right, total, 0)
    tally["speaker_matched"] = (right, matched, 0)
    tally["speaker_surface"] = (surface, matched, 0)
    tally["pronouns_resolved"] = (resolved, pronouns, 0)


def _judge(text: str, gold: Attributed, found: Attributed) -> tuple[bool, bool, bool]:
    """Returns whether the mentions overlap, a name fits, and the speaker is right."""
    overlaps = bool(intersect(gold.source, found.source))
    mention = " ".join(text[start:end] for start, end in found.source)
    given = [name for name in (*found.names, mention) if name.strip()]
    right = [] if gold.is_pronoun else [gold.mention]
    right += [name for name in gold.names if name]
    fits = any(names_fit(name, other) for name in given if not is_pronoun(name) for other in right)
    same_pronoun = (
        gold.is_pronoun
        and not found.source
        and any(name.strip().lower() == gold.mention.strip().lower() for name in given)
    )
    return overlaps, fits, overlaps or fits or same_pronoun


def _pairs(
    article: str, gold: list[_Measured], system: list[_Measured], met: dict[int, int]
) -> list[Pair]:
    result = []
    for index, one in enumerate(gold):
        place = met.get(index)
        if place is None:
            result.append(Pair(article, one.quote, None, ("missed",)))
            continue
        other = system[place]
        wrong: list[Kind] = []
        if one.pieces != other.pieces:
            wrong.append("edges")
        if one.quote.kind != other.quote.kind:
            wrong.append("kind")
        if not _is_speaker_right(one.quote, other.quote):
            wrong.append("speaker")
        result.append(Pair(article, one.quote, other.quote, tuple(wrong)))
    used = set(met.values())
    result += [
        Pair(article, None, one.quote, ("extra",))
        for place, one in enumerate(system)
        if place not in used
    ]
    return result


def _is_speaker_right(gold: Attributed, found: Attributed) -> bool:
    """Whether the name is one of the resolved ones, or, where they are guessed, fits one."""
    name = found.names[0] if found.names else None
    if gold.is_named:
        return gold.has_name(name)
    if not gold.source:
        return True
    if intersect(gold.source, found.source):
        return True
    return name is not None and any(names_fit(name, other) for other in (gold.mention, *gold.names))
