"""From attributions to quotes: edges, kind, text, context and resolved speaker.

The first half collects attributions sentence by sentence with the lexical rules; ``assemble`` is
the second half, and takes attributions of any origin.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from stance.labels import QuoteKind
from stance.quotes.cues import cue_words, find_cues
from stance.quotes.direct import (
    count_labels,
    is_sentence_like,
    label_subject,
    leftover,
    stands_alone,
    transcript_turn,
)
from stance.quotes.page import Attribution, Page, Unit
from stance.quotes.phrases import main_subject, phrase_after
from stance.quotes.reporting import attributions_in
from stance.quotes.speakers import Cast
from stance.text import Span, trim
from stance.types import Cue, Quote, Speaker

_WORD = re.compile(r"\w+")
_EDGE: Final = ",;:—–- \t\r\n\u00a0"
# How often the source of a quotation without a cue of its own is the right one, by where it comes
# from: the quote before it in its paragraph, the quote in the paragraph before, the sentence before
# that announces it, the subject of that sentence.
SAME_PARAGRAPH: Final = 0.99
NEXT_PARAGRAPH: Final = 0.6
ANNOUNCED: Final = 0.85
SUBJECT_BEFORE: Final = 0.6
_MARKS: Final = "\"“”„‟«»‹›‘’'`‚"


def attributions_by_rules(page: Page) -> list[Attribution]:
    """Returns the attributions that the lexical rules find, in order."""
    found: list[Attribution] = []
    labels = count_labels(page)
    turn_of: dict[int, Attribution | None] = {}
    previous: Unit | None = None
    answerer: Span | None = None
    for unit in page.units:
        if unit.paragraph not in turn_of:
            turn = transcript_turn(page, unit.paragraph, labels)
            turn_of[unit.paragraph] = turn
            if turn is not None:
                if turn.source is None and page.article.startswith(
                    "Q", page.lines[unit.paragraph][0]
                ):
                    answerer = answerer or _introduced(previous, page)
                elif turn.source is None and answerer is not None:
                    turn = replace(turn, source=answerer, trust=NEXT_PARAGRAPH)
                found.append(replace(turn, exact=True))
        has_quotes = unit.regions[0] < unit.regions[1]
        if not has_quotes and not unit.holds_any(cue_words()):
            previous = unit
            continue
        if turn_of[unit.paragraph] is None:
            here = attributions_in(page, unit)
            taken = [span for one in here for span in one.content]
            here += leftover(page, unit, taken)
            if not here and stands_alone(unit):
                here = _alone(page, unit, previous, found)
            found.extend(sorted(here, key=lambda one: one.content[0]))
        previous = unit
    return found


def _introduced(before: Unit | None, page: Page) -> Span | None:
    """Returns who is introduced in the paragraph before the first "Q:" and so gives the answers."""
    if before is None:
        return None
    first = page.units[page.unit_index(page.lines[before.paragraph][0])]
    subject = main_subject(first.tokens, len(first.tokens))
    if subject is None:
        return None
    return first.tokens[subject[0]].start, first.tokens[subject[1] - 1].end


def _alone(
    page: Page, unit: Unit, previous: Unit | None, found: Sequence[Attribution]
) -> list[Attribution]:
    """Attributes a sentence that is nothing but a quotation by what stands before it."""
    regions = [page.regions[token.region] for token in unit.tokens if token.kind == "q"]
    content = tuple((region.start, region.end) for region in regions)
    last = found[-1] if found else None
    last_paragraph = (
        page.units[page.unit_index(last.content[-1][1] - 1)].paragraph if last is not None else -9
    )
    if last is not None and last_paragraph == unit.paragraph - 1:
        before = page.regions_in(last.content[-1][1] - 1, last.content[-1][1])
        if before and not before[-1].closed:
            return [Attribution(content, None, last.source, continues=True)]
    if not any(is_sentence_like(page, region) for region in regions):
        return []
    if last is not None and last_paragraph == unit.paragraph:
        return [Attribution(content, None, last.source, trust=SAME_PARAGRAPH * last.trust)]
    source = cue = None
    trust = 1.0
    if previous is not None and previous.paragraph >= unit.paragraph - 1:
        source, cue = _lead_in(previous)
        trust = 1.0 if cue is not None else ANNOUNCED
    if source is None and last is not None and last_paragraph >= unit.paragraph - 2:
        source, trust = last.source, NEXT_PARAGRAPH * last.trust
    if source is None and previous is not None and previous.paragraph >= unit.paragraph - 1:
        subject = main_subject(previous.tokens, len(previous.tokens))
        if subject is not None:
            source = (previous.tokens[subject[0]].start, previous.tokens[subject[1] - 1].end)
            trust = SUBJECT_BEFORE
    return [Attribution(content, cue, source, trust=trust)]


def _lead_in(unit: Unit) -> tuple[Span | None, Span | None]:
    """Returns speaker and cue of a sentence that announces the quotation after it."""
    tokens = unit.tokens
    ends_open = tokens[-1].text == ":"
    cues = [cue for cue in find_cues(tokens) if cue.source is not None]
    if cues and (ends_open or not any(token.kind == "q" for token in tokens)):
        cue = cues[-1] if ends_open else cues[0]
        assert cue.source is not None
        source = (tokens[cue.source[0]].start, tokens[cue.source[1] - 1].end)
        return source, (tokens[cue.start].start, tokens[cue.end - 1].end) if ends_open else None
    if not ends_open:
        return None, None
    origin = next((i for i in range(min(2, len(tokens))) if tokens[i].lower == "from"), None)
    named = phrase_after(tokens, origin + 1) if origin is not None else None
    subject = named or main_subject(tokens, len(tokens)) or label_subject(tokens, len(tokens) - 1)
    if subject is None:
        return None, None
    return (tokens[subject[0]].start, tokens[subject[1] - 1].end), None


def assemble(
    page: Page, attributions: Sequence[Attribution], *, speech_only: bool = False
) -> list[Quote]:
    """Returns the quotes of attributions found by rules or by a tagger.

    Overlapping content is given to the attribution that begins first. Furniture is left out.

    Args:
        page: The article.
        attributions: In any order; ranges may include or leave out quotation marks.
        speech_only: Whether indirect quotes of beliefs and intentions are left out.

    Returns:
        Quotes in the order of the article; their spans never overlap.
    """
    if not attributions:
        return []
    cast = Cast(page)
    drafts: list[_Draft] = []
    reach = 0
    for one in sorted(attributions, key=lambda item: item.content[0] if item.content else (0, 0)):
        spans, kind = _spans_and_kind(page, one.content, reach)
        if not spans:
            continue
        reach = spans[-1][1]
        last = drafts[-1] if drafts else None
        opened = (
            last is not None
            and kind == "direct"
            and _left_open(page, last, spans[0][0], anywhere=one.continues)
        )
        # The quote that it goes on may have been left out since.
        if last is not None and one.continues and opened:
            last.go_on(spans, _sentences_around(page, spans[0][0], spans[-1][1]))
            continue
        cue = Cue(page.article[slice(*one.cue)], *one.cue) if one.cue is not None else None
        speaker = None
        if one.source is not None and not any(
            a < one.source[1] and one.source[0] < b for a, b in spans
        ):
            speaker = cast.speaker(one.source, one.trust)
        cast.heard(speaker, spans[-1][1])
        if last is not None and opened and (last.speaker is None or speaker is None):
            # ‘"First paragraph. ¶ "Second paragraph," Smith said.’: one quote, named at its end
            last.go_on(spans, _sentences_around(page, spans[0][0], spans[-1][1]))
            if last.speaker is None:
                last.speaker, last.cue = speaker, cue
            continue
        context = _context(page, spans, one)
        said = one.speech or kind != "indirect"
        drafts.append(_Draft(list(spans), kind, speaker, cue, [context], said))
    return [draft.finished(page.article) for draft in drafts if draft.said or not speech_only]


@dataclass(slots=True)
class _Draft:
    """A quote that may still go on in the next paragraph."""

    spans: list[Span]
    kind: QuoteKind
    speaker: Speaker | None
    cue: Cue | None
    contexts: list[str]
    said: bool

    def go_on(self, spans: Sequence[Span], context: str) -> None:
        """Adds the next paragraph of the quote."""
        self.spans.extend(spans)
        self.contexts.append(context)

    def finished(self, article: str) -> Quote:
        """Returns the quote."""
        return Quote(
            " ".join(article[a:b] for a, b in self.spans),
            self.spans[0][0],
            self.spans[-1][1],
            tuple(self.spans),
            self.kind,
            self.speaker,
            self.cue,
            " ".join(self.contexts),
        )


def _left_open(page: Page, draft: _Draft, at: int, *, anywhere: bool) -> bool:
    """Whether a quote was left open in the paragraph before the one that begins here.

    Args:
        page: The article.
        draft: The quote.
        at: Where the next one begins.
        anywhere: Whether that may be later in its paragraph than at the first character.
    """
    if draft.kind != "direct":
        return False
    before = page.regions_in(draft.spans[-1][1] - 1, draft.spans[-1][1])
    here = page.regions_in(at, at + 1)
    return (
        bool(before and here)
        and not before[-1].closed
        and here[0].paragraph == before[-1].paragraph + 1
        and (anywhere or here[0].start == page.lines[here[0].paragraph][0])
    )


def _spans_and_kind(
    page: Page, content: Sequence[Span], reach: int
) -> tuple[list[Span], QuoteKind]:
    """Returns the spans of a quote, cut at ``reach`` and trimmed, and its kind by geometry."""
    kept = [(max(a, reach), min(b, len(page.article))) for a, b in content]
    kept = [(a, b) for a, b in kept if a < b]
    inside = outside = 0
    for a, b in kept:
        regions = page.regions_in(a, b)
        # Most contents lie on one side of the marks: one word tells as much as all of them.
        if not regions:
            outside += _WORD.search(page.article, a, b) is not None
            continue
        if regions[0].start <= a and b <= regions[0].end:
            inside += _WORD.search(page.article, a, b) is not None
            continue
        quoted = sum(
            len(_WORD.findall(page.article, max(a, r.start), min(b, r.end))) for r in regions
        )
        inside += quoted
        outside += len(_WORD.findall(page.article, a, b)) - quoted
    if not inside and not outside:
        return [], "indirect"
    if inside and not outside:
        spans: list[Span] = []
        for a, b in kept:
            for region in page.regions_in(a, b):
                span = _inner(page, max(a, region.inner_start), min(b, region.inner_end))
                if span is not None:
                    spans.append(span)
        return spans, "direct"
    trimmed = [_outer(page, a, b) for a, b in kept]
    return [span for span in trimmed if span is not None], "mixed" if inside else "indirect"


def _inner(page: Page, start: int, end: int) -> Span | None:
    """Trims the words between two marks: blanks, and the comma that only leads to the cue."""
    while end > start and (page.article[end - 1].isspace() or page.article[end - 1] == ","):
        end -= 1
    return trim(page.article, start, end)


def _outer(page: Page, start: int, end: int) -> Span | None:
    """Trims a stretch with words outside marks: edges lose punctuation and unpaired marks."""
    article = page.article
    while start < end and (article[start] in _EDGE or article[start] in ".)]"):
        start += 1
    while end > start:
        last = article[end - 1]
        if last in _EDGE:
            end -= 1
        elif last == "." and not re.search(
            r"(?:\b[A-Za-z]\.){1,3}[A-Za-z]\.$", article[max(start, end - 8) : end]
        ):
            end -= 1
        elif last in "([" or (last in _MARKS and not _is_paired(page, end - 1)):
            end -= 1
        else:
            break
    while start < end and article[start] in _MARKS and not _is_paired(page, start):
        start += 1
    return trim(article, start, end)


def _is_paired(page: Page, at: int) -> bool:
    """Whether the mark at an offset is an edge of a quotation, not a stray."""
    return any(r.closed and at in range(r.start, r.end) for r in page.regions_in(at, at + 1))


def _context(page: Page, spans: Sequence[Span], one: Attribution) -> str:
    start, end = spans[0][0], spans[-1][1]
    if one.cue is not None:
        near = page.unit_index(one.cue[0])
        first, last = page.unit_index(start), page.unit_index(max(start, end - 1))
        if first - 1 <= near <= last + 1:
            start, end = min(start, one.cue[0]), max(end, one.cue[1])
    return _sentences_around(page, start, end)


def _sentences_around(page: Page, start: int, end: int) -> str:
    first = page.units[page.unit_index(start)]
    last = page.units[page.unit_index(max(start, end - 1))]
    return page.article[min(first.start, start) : max(last.end, end)]
