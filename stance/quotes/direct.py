"""Quotations that no reporting verb of their sentence claims: labels, lead-ins, and going on.

A quoted stretch is speech only when something attributes it, when it goes on a quote, or when it
is a whole sentence. Scare quotes, titles of works and nicknames therefore stay out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from stance.quotes import lexicon as lex
from stance.quotes.cues import find_cues
from stance.quotes.marks import Quoted
from stance.quotes.page import Attribution, Page, Token, Unit
from stance.quotes.phrases import (
    is_adverb,
    is_finite,
    main_subject,
    phrase_after,
    subject_before,
    with_name_after,
)
from stance.text import Span

_LABEL = re.compile(
    r"(?:Q|A|[A-Z][A-Z.'’-]+(?: [A-Z][A-Z.'’-]+){0,4}|(?:(?:Mr|Mrs|Ms|Dr|Sen|Gov)\. )?"
    r"[A-Z][\w.'’-]*(?: (?:[A-Z][\w.'’-]*|of|the|for|de|van|von|bin|al)){0,7})"
    r"(?: ?\([^()\n]{1,40}\))?(?=:\s)"
)
_NO_LABEL: Final = frozenset(
    "update updated note correction watch photo video analysis opinion source sources exclusive "
    "clarification editors breaking more related read live editor q a".split()
)
_PLACE_BEFORE: Final = frozenset({"on", "in", "at", "to", "with", "about"})
_DASHES: Final = frozenset({"—", "–", "--", "-", "―", "~"})
_WORD = re.compile(r"\w+")
_TERMINAL: Final = ".?!…"
MIN_SENTENCE_WORDS: Final = 4
LONG_WORDS: Final = 10


def transcript_turn(page: Page, index: int, labels: dict[str, int]) -> Attribution | None:
    """Returns what a paragraph "PENCE: …" attributes, or None.

    A label in capitals counts by itself; any other must begin at least two paragraphs.

    Args:
        page: The article.
        index: Index of the paragraph in ``page.lines``.
        labels: How many paragraphs each label begins, from ``count_labels``.
    """
    start, end = page.lines[index]
    match = _LABEL.match(page.article, start, min(end, start + 120))
    if match is None:
        return None
    label = match.group()
    content = match.end() + 1
    while content < end and page.article[content].isspace():
        content += 1
    words = label.split()
    is_other = label not in {"Q", "A"} and words[0].lower().strip(".") in _NO_LABEL
    if is_other or content >= end or len(words) > 8:
        return None
    quoted = page.regions_in(content, content + 1)
    if quoted and quoted[0].start == content:
        inside = page.regions_in(content, end)
        return Attribution(
            tuple((region.start, region.end) for region in inside), None, match.span()
        )
    asked = label in {"Q", "A"} and bool(labels.get("Q") and labels.get("A"))
    if asked:
        return Attribution(((content, end),), None, None)
    shouted = label.isupper() and len(label) > 2 and label not in {"WASHINGTON", "UN", "US", "EU"}
    if not shouted and labels.get(label, 0) < 2:
        return None
    if len(_WORD.findall(page.article[content : content + 200])) < 2:
        return None
    return Attribution(((content, end),), None, match.span())


def count_labels(page: Page) -> dict[str, int]:
    """Returns how many paragraphs begin with each label, "PENCE:" or "Mike Pence:".

    A single word in small letters counts only when it is a surname elsewhere in the article, so
    that lists ("Winner: …") are no transcripts.
    """
    counts: dict[str, int] = {}
    for start, end in page.lines:
        match = _LABEL.match(page.article, start, min(end, start + 120))
        if match is not None:
            counts[match.group()] = counts.get(match.group(), 0) + 1
    single = [label for label, n in counts.items() if n > 1 and not label.isupper()]
    single = [label for label in single if " " not in label]
    surnames = set(re.findall(r"[A-Z][a-z]+ ([A-Z][\w'’-]+)", page.article)) if single else set()
    for label in single:
        if label not in surnames:
            counts[label] = 0
    return counts


def is_sentence_like(page: Page, region: Quoted) -> bool:
    """Whether a quotation reads as a sentence of its own and not as a title or a single term."""
    text = page.article[region.inner_start : min(region.inner_end, region.inner_start + 400)]
    words = _WORD.findall(text)
    if len(words) < MIN_SENTENCE_WORDS:
        return text[-1:] in _TERMINAL + "," and len(words) > 0 and text[:1].isupper()
    if _is_title(words) and text[-1:] not in _TERMINAL:
        return False
    return text[-1:] in _TERMINAL + ",—-:" or not region.closed or len(words) >= LONG_WORDS


def _is_title(words: Sequence[str]) -> bool:
    small = {"of", "the", "a", "an", "and", "in", "on", "for", "to", "at", "with", "s", "or", "by"}
    return all(word[:1].isupper() or word.lower() in small or word.isdigit() for word in words)


def leftover(page: Page, unit: Unit, taken: Sequence[Span]) -> list[Attribution]:
    """Returns the quotations of a sentence that its own words attribute without a known verb.

    Args:
        page: The article.
        unit: The sentence.
        taken: Ranges that are content already.
    """
    found: list[Attribution] = []
    if unit.regions[0] == unit.regions[1]:
        return found
    tokens = unit.tokens
    for i, token in enumerate(tokens):
        if token.kind != "q" or any(a < token.end and token.start < b for a, b in taken):
            continue
        attribution = _followed(page, tokens, i) or _preceded(page, tokens, i) or _signed(tokens, i)
        if attribution is not None:
            found.append(attribution)
    return found


def stands_alone(unit: Unit) -> bool:
    """Whether a sentence is nothing but quotations and punctuation."""
    if unit.regions[0] == unit.regions[1]:
        return False
    tokens = unit.tokens
    return any(t.kind == "q" for t in tokens) and all(t.kind != "w" for t in tokens)


def _span(tokens: Sequence[Token], a: int, b: int) -> Span:
    return tokens[a].start, tokens[b - 1].end


def _followed(page: Page, tokens: Sequence[Token], i: int) -> Attribution | None:
    """‘“…,” Smith thundered.’: a subject and any verb after a quotation that ends a clause."""
    region = page.regions[tokens[i].region]
    j = i + 1
    ended = page.last_sign(region) in ",?!…—-"
    if j < len(tokens) and tokens[j].text == ",":
        ended, j = True, j + 1
    if not ended or j >= len(tokens):
        return None
    content = ((tokens[i].start, tokens[i].end),)
    if tokens[j].lower in lex.LOOSE or tokens[j].lower in lex.verb_forms():
        turned = phrase_after(tokens, j + 1)
        if turned is not None:
            return Attribution(content, _span(tokens, j, j + 1), _span(tokens, *turned))
    verb = _verb_after(tokens, j + 1)
    source = subject_before(tokens, verb) if verb is not None else None
    if verb is None or source is None or source[0] != j:
        return None
    return Attribution(content, _span(tokens, verb, verb + 1), _span(tokens, *source))


def _verb_after(tokens: Sequence[Token], start: int) -> int | None:
    for k in range(start, min(len(tokens), start + 13)):
        word = tokens[k].lower
        if tokens[k].kind != "w" and word != ",":
            return None
        if word in lex.LOOSE or (is_finite(tokens, k) and word not in lex.AUXILIARIES):
            return k
    return None


def _preceded(page: Page, tokens: Sequence[Token], i: int) -> Attribution | None:
    """‘Putin was blunt: “…”’ and ‘Smith shrugged, “…”’."""
    if i < 2 or tokens[i - 1].text not in {":", ","}:
        return None
    region = page.regions[tokens[i].region]
    if not is_sentence_like(page, region):
        return None
    content = ((tokens[i].start, tokens[i].end),)
    if tokens[i - 1].text == ",":
        return _after_loose_verb(tokens, i, content)
    label = _label_after_dash(tokens, i - 1)
    if label is not None:
        return Attribution(content, None, _span(tokens, *label))
    cues = [cue for cue in find_cues(tokens[: i - 1]) if cue.source is not None]
    near = _clause_before(tokens, i - 1)
    if near is not None and not (cues and cues[-1].start >= near[0]):
        verb, source = near
        return Attribution(content, _span(tokens, verb, i - 1), _span(tokens, *source))
    if cues and cues[-1].source is not None:
        cue = cues[-1]
        return Attribution(
            content, _span(tokens, cue.start, cue.end), _span(tokens, *cues[-1].source)
        )
    subject = main_subject(tokens, i)
    if subject is None:
        subject = label_subject(tokens, i - 1)
        if subject is not None and tokens[subject[0] - 1].lower in _PLACE_BEFORE and subject[0]:
            subject = None  # “Then, on CNN: …”
    if subject is None:
        return Attribution(content)
    return Attribution(content, None, _span(tokens, *subject))


def _after_loose_verb(
    tokens: Sequence[Token], i: int, content: tuple[Span, ...]
) -> Attribution | None:
    k = next(
        (
            k
            for k in range(i - 2, max(0, i - 12), -1)
            if tokens[k].lower in lex.LOOSE or tokens[k].lower in lex.verb_forms()
        ),
        None,
    )
    source = subject_before(tokens, k) if k is not None else None
    if k is None or source is None:
        return None
    return Attribution(content, _span(tokens, k, k + 1), _span(tokens, *source))


def _label_after_dash(tokens: Sequence[Token], colon: int) -> tuple[int, int] | None:
    """Returns the name of ‘Pollsters agree – Ana Costa: “…”’ and of ‘More from Ana Costa: “…”’."""
    name = label_subject(tokens, colon)
    if name is None or name[0] == 0 or name[1] != colon:
        return None
    before = tokens[name[0] - 1]
    return name if before.text in _DASHES or before.lower == "from" else None


def _clause_before(tokens: Sequence[Token], colon: int) -> tuple[int, tuple[int, int]] | None:
    """Returns verb and subject of the short clause before a colon: "Smith shot back:"."""
    for k in range(colon - 1, max(0, colon - 3), -1):
        if tokens[k].kind != "w":
            return None
        if tokens[k].lower in lex.LOOSE or is_finite(tokens, k):
            source = subject_before(tokens, k)
            if source is not None and tokens[k].lower not in lex.AUXILIARIES:
                return k, source
    return None


def label_subject(tokens: Sequence[Token], end: int) -> tuple[int, int] | None:
    """Returns the name right before a colon: "And from Chairwoman Maria Diaz:"."""
    start = end
    while start > 0 and (
        tokens[start - 1].is_capital
        or (
            tokens[start - 1].lower in {"of", "the", "for", "de", "van", "von", "bin", "al"}
            and start < end
            and start > 1
            and tokens[start - 2].is_capital
        )
    ):
        start -= 1
    while start < end and tokens[start].lower in lex.NOT_NAMES:
        start += 1
    return (start, end) if start < end else None


def _signed(tokens: Sequence[Token], i: int) -> Attribution | None:
    """‘“…” – Commissioner Jansen’: a name after a dash that ends the paragraph."""
    if i + 2 >= len(tokens) or tokens[i + 1].text not in _DASHES:
        return None
    name = phrase_after(tokens, i + 2)
    if name is None or not tokens[i + 2].is_capital:
        return None
    name = with_name_after(tokens, name)
    rest = tokens[name[1] :]
    if rest and rest[0].text not in {",", ".", "("}:
        return None
    if any(is_finite(tokens, k) and not is_adverb(tokens[k]) for k in range(name[1], len(tokens))):
        return None
    return Attribution(
        ((tokens[i].start, tokens[i].end),), None, (tokens[name[0]].start, tokens[name[1] - 1].end)
    )
