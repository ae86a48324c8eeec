"""What the tagger read, the quotation marks and the rules, made into attributions.

The marks are exact, so they decide where direct speech begins and ends; the tagger decides whether
quoted words are speech, who says them, and finds what has no marks. Where both found something, the
edges are those of the rules unless the tagger is sure of others. What only the rules found stays
unless the tagger finds it unlikely to be content at all; what only the tagger found is kept where
it is sure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from stance.quotes import lexicon as lex
from stance.quotes.doubts import is_state, is_title, reports_nothing
from stance.quotes.page import Attribution, Page, tokenize
from stance.quotes.phrases import has_finite
from stance.quotes.scores import Decision, WordScores
from stance.text import Span

if TYPE_CHECKING:
    pass

_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_THAT = re.compile(r"(?:that|whether)\s+")
_SAYS_NOTHING: Final = frozenset({"nothing", "little", "more", "much", "so", "it", "this", "that"})
_FEW_WORDS: Final = 5
_SLIGHT: Final = 0.25  # share of the characters on which tagger and rules differ
_LEAST_REST: Final = 20  # characters: shorter remains of a content say nothing


class Piece(NamedTuple):
    """One piece of content with its cue and source, as character ranges."""

    content: Span
    cue: Span | None
    source: Span | None
    speech: bool
    trust: float


def snap_to_marks(
    page: Page, pieces: Sequence[Piece], scores: WordScores, snap: float
) -> list[Piece]:
    """Moves the edges of content to the quotation marks that it touches.

    Args:
        page: The article.
        pieces: In order, not overlapping.
        scores: Of the article's words.
        snap: Share of a quotation's words that must be content for all of it to be.

    Returns:
        Pieces in order, not overlapping.
    """
    snapped: list[Piece] = []
    for piece in pieces:
        start, end = piece.content
        for region in page.regions_in(start, end):
            whole = scores.tagged_share((region.inner_start, region.inner_end)) >= snap
            if whole:
                start, end = min(start, region.start), max(end, region.end)
            elif region.start <= start and end <= region.end:
                end = start
            elif region.start <= start:
                start = region.end
            elif end <= region.end:
                end = region.start
        if start >= end:
            continue
        if snapped and start < snapped[-1].content[1]:
            before = snapped[-1]
            snapped[-1] = before._replace(
                content=(before.content[0], max(end, before.content[1])),
                cue=before.cue or piece.cue,
                source=before.source or piece.source,
            )
            continue
        snapped.append(piece._replace(content=(start, end)))
    return snapped


def join_pieces(page: Page, pieces: Sequence[Piece]) -> list[Attribution]:
    """Joins the pieces that one sentence attributes with one cue: ‘"A," he said, "B."’.

    What the same cue claims in further sentences are quotes of their own, by the same speaker.
    """
    joined: list[Attribution] = []
    units: list[int] = []
    cues: list[Span | None] = []
    for piece in pieces:
        unit = page.unit_index(piece.content[0])
        cue = piece.cue
        source = piece.source
        same = [i for i in range(max(0, len(joined) - 3), len(joined)) if cues[i] == cue]
        if cue is not None and same and units[same[-1]] == unit:
            i = same[-1]
            joined[i] = replace(joined[i], content=(*joined[i].content, piece.content))
            continue
        repeated = cue is not None and bool(same)
        goes_on = repeated and same[-1] == len(joined) - 1 and _left_open(page, joined[-1], piece)
        joined.append(
            Attribution(
                (piece.content,),
                None if repeated else cue,
                source,
                continues=goes_on,
                # The verbs of the rules are surer than the head that learned from a sparse mark.
                speech=piece.speech or (cue is not None and is_speech(page.article[slice(*cue)])),
                trust=piece.trust if source is not None else 1.0,
            )
        )
        units.append(unit)
        cues.append(cue)
    return joined


def _overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _left_open(page: Page, before: Attribution, piece: Piece) -> bool:
    """Whether a piece goes on a quotation that the paragraph before left open."""
    last = page.regions_in(before.content[-1][1] - 1, before.content[-1][1])
    here = page.regions_in(piece.content[0], piece.content[0] + 1)
    return (
        bool(last and here) and not last[-1].closed and here[0].paragraph == last[-1].paragraph + 1
    )


def is_quoted(page: Page, content: Sequence[Span]) -> bool:
    """Whether every word of some ranges stands between quotation marks."""
    for start, end in content:
        at = start
        for region in page.regions_in(start, end):
            if any(map(str.isalnum, page.article[at : max(at, region.start)])):
                return False
            at = max(at, region.end)
        if any(map(str.isalnum, page.article[at : max(at, end)])):
            return False
    return bool(content)


def is_speech(cue: str) -> bool:
    """Whether a cue holds a verb of saying, or the "according to" and ":" that stand for one."""
    forms = lex.verb_forms()
    found = [forms[word].lemma for word in _WORD.findall(cue.lower()) if word in forms]
    return (
        any(lemma not in lex.MENTAL for lemma in found)
        or "according" in cue.lower()
        or cue.rstrip().endswith(":")
    )


def combine(
    page: Page,
    pieces: Sequence[Piece],
    scores: WordScores,
    rules: Sequence[Attribution],
    decision: Decision,
) -> list[Attribution]:
    """Returns the attributions of tagger and rules together.

    Args:
        page: The article.
        pieces: What the tagger found, in order.
        scores: Of the article's words.
        rules: What the rules found, in order.
        decision: Where the lines are drawn.

    Returns:
        Attributions in the order of the article; none overlap.
    """
    trimmed = [
        _without_that(page, piece)
        for piece in pieces
        # “Malta said nothing”
        if page.article[slice(*piece.content)].lower() not in _SAYS_NOTHING
    ]
    found = join_pieces(page, snap_to_marks(page, trimmed, scores, decision.snap))
    groups = _groups([one.content for one in found], [one.content for one in rules])
    merged: list[Attribution] = []
    for mine, ruled in groups:
        merged.extend(
            _settled(page, [found[i] for i in mine], [rules[j] for j in ruled], scores, decision)
        )
    return sorted(merged, key=lambda one: one.content[0])


def _without_that(page: Page, piece: Piece) -> Piece:
    """Leaves out the "that" or "whether" that only leads from the cue to the content."""
    start, end = piece.content
    leads = _THAT.match(page.article, start, end)
    if leads is None or piece.cue is None or piece.cue[1] > start or leads.end() >= end:
        return piece
    return piece._replace(content=(leads.end(), end))


def _groups(
    found: Sequence[Sequence[Span]], rules: Sequence[Sequence[Span]]
) -> list[tuple[list[int], list[int]]]:
    """Returns which of two lists of contents touch one another, as indices, in order."""
    spans = sorted(
        [(span, 0, i) for i, content in enumerate(found) for span in content]
        + [(span, 1, j) for j, content in enumerate(rules) for span in content]
    )
    # Contents are in order but for interrupted ones, so a group is a run whose spans touch, and two
    # runs that share an attribution are one.
    group_of: dict[tuple[int, int], int] = {}
    members: list[list[tuple[int, int]]] = []
    reach = -1
    for (start, end), side, index in spans:
        if start >= reach:
            members.append([])
        reach = max(reach, end)
        one, here = (side, index), len(members) - 1
        before = group_of.get(one, here)
        if before != here:
            for other in members[before]:
                group_of[other] = here
            members[here].extend(members[before])
            members[before] = []
        elif one not in group_of:
            group_of[one] = here
            members[here].append(one)
    return [
        ([i for side, i in group if side == 0], [j for side, j in group if side == 1])
        for group in members
        if group
    ]


def _settled(
    page: Page,
    mine: list[Attribution],
    ruled: list[Attribution],
    scores: WordScores,
    decision: Decision,
) -> list[Attribution]:
    """Returns what stays of the attributions of the tagger and the rules that touch each other."""
    if not mine:
        return [
            one
            for one in ruled
            if one.exact
            or scores.mean(one.content)
            >= (decision.keep_direct if is_quoted(page, one.content) else decision.keep_other)
        ]
    if not ruled:
        return [one for one in mine if _is_added(page, one, scores, decision)]
    kept: list[Attribution] = []
    # The words of the rules' cues belong to nobody's content.
    all_ruled = [span for one in ruled for span in (*one.content, *filter(None, (one.cue,)))]
    replaced: set[int] = set()
    for one in ruled:
        touching = [i for i, other in enumerate(mine) if _touches(other.content, one.content)]
        theirs = [span for i in touching for span in mine[i].content]
        if one.exact or _rules_decide(one.content, theirs, all_ruled, scores, decision):
            kept.append(one)
            replaced.update(touching)
        else:
            for i in touching:
                mine[i] = _completed(mine[i], one)
    taken = [span for one in kept for span in one.content]
    cues = [one.cue for one in kept if one.cue is not None]
    exact = any(one.exact for one in kept)
    for i, one in enumerate(mine):
        rest = _without(one.content, taken)
        is_told = exact or one.cue is None or any(_overlap(one.cue, cue) for cue in cues)
        if i in replaced and (is_told or not _is_rest(rest, one.content, scores, decision)):
            continue
        if rest:
            kept.append(replace(one, content=tuple(rest)))
    return kept


def _rules_decide(
    ruled: Sequence[Span],
    theirs: Sequence[Span],
    all_ruled: Sequence[Span],
    scores: WordScores,
    decision: Decision,
) -> bool:
    """Whether the edges of the rules stand: the tagger is not sure that they are wrong."""
    gained = scores.mean_or_none(_without(ruled, theirs))
    left = _without(theirs, all_ruled)
    lost = scores.mean_or_none(left)
    is_slight = sum(b - a for a, b in left) <= _SLIGHT * sum(b - a for a, b in theirs)
    return (gained is None or gained >= decision.doubt) and (
        lost is None or lost <= 1 - decision.doubt or is_slight
    )


def _is_rest(
    rest: Sequence[Span], content: Sequence[Span], scores: WordScores, decision: Decision
) -> bool:
    """Whether most of what the tagger found lies outside what the rules made of it."""
    left, whole = (sum(b - a for a, b in spans) for spans in (rest, content))
    return left > max(_LEAST_REST, whole / 2) and scores.mean(rest) >= decision.add_other


def _is_added(page: Page, one: Attribution, scores: WordScores, decision: Decision) -> bool:
    """Whether an attribution that only the tagger found is kept.

    The rules know what is no report: what nobody said, what was asked, what a condition holds. The
    tagger must be surer where the cue stands in a later sentence or is none, and where a few words
    without a verb have no verb of reporting.
    """
    mean = scores.mean(one.content)
    cue = "" if one.cue is None else page.article[slice(*one.cue)].lower()
    is_known = any(word in lex.verb_forms() for word in _WORD.findall(cue))
    if is_quoted(page, one.content):
        return mean >= decision.add_direct and (is_known or not is_title(page, one.content))
    if mean < decision.add_other or reports_nothing(page, one):
        return False
    if is_state(page, one):
        return False
    if mean >= decision.add_loose:
        return True
    if one.cue is None or page.unit_index(one.cue[0]) > page.unit_index(one.content[0][0]):
        return False
    if is_known:
        return True
    words = tokenize(page.article, *one.content[0])
    is_clause = len(words) > _FEW_WORDS or has_finite(words, 0, len(words))
    return is_clause and one.source is not None


def _touches(left: Sequence[Span], right: Sequence[Span]) -> bool:
    return any(_overlap(a, b) for a in left for b in right)


def _without(spans: Sequence[Span], cut: Sequence[Span]) -> list[Span]:
    """Returns what of some ranges lies outside others, in order."""
    left = list(spans)
    for start, end in cut:
        left = [
            part
            for a, b in left
            for part in ((a, min(b, start)), (max(a, end), b))
            if part[0] < part[1]
        ]
    return left


def _completed(mine: Attribution, ruled: Attribution) -> Attribution:
    """Takes cue and source from the rules where they are surer of them than the tagger."""
    surer = mine.source is None or ruled.trust >= mine.trust
    if ruled.source is None or not surer:
        return mine
    if any(_overlap(ruled.source, span) for span in mine.content):
        return mine
    return replace(mine, cue=ruled.cue or mine.cue, source=ruled.source, trust=ruled.trust)
