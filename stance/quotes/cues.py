"""Reporting cues of one sentence: which verbs attribute something, and whose words they are.

Only words outside quotation marks are looked at. A cue is found with its auxiliaries, its particle
("called for", "ruled out") and its noun ("expressed concern"), but without times and addressees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from stance.quotes import lexicon as lex
from stance.quotes.page import Token
from stance.quotes.phrases import (
    Range,
    has_finite,
    is_adverb,
    is_finite,
    phrase_after,
    subject_before,
    with_name_after,
)

_INVERTING = lex.words(
    "say add write note ask reply explain argue warn insist claim continue conclude declare "
    "report recall respond joke observe announce remark quip tweet admit agree acknowledge assert "
    "predict complain maintain"
)
_STATES = lex.words(
    "confident hopeful concerned worried sure optimistic convinced certain adamant afraid "
    "pessimistic "
    "hoping satisfied disappointed surprised proud skeptical sceptical doubtful pleased glad"
)
_STATEMENT_NOUNS = lex.words(
    "statement letter message tweet email e-mail memo report release post note communique "
    "communiqué"
)
# “asked not to be named” describes the speaker
_ANONYMOUS = frozenset({"not to be", "to remain anonymous", "to be named", "to be identified"})
_MEANS = lex.words("telephone phone email e-mail text fax letter video")
_HYPOTHETICAL = lex.words("may might could should can cannot")
# Before a subject these make the clause a condition, a comparison or part of a noun phrase.
_NOT_REPORTING = lex.words(
    "what whatever how than everything if unless whether until which whom whose"
)
_OPENS_CONTENT = lex.DETERMINERS | lex.PRONOUNS | {"that", "to", "for"}
_KEEP_NEGATED = lex.words("believe think want rule support agree see know expect understand accept")


@dataclass(frozen=True, slots=True)
class Cue:
    """A reporting verb in its sentence; all numbers are token indices.

    Attributes:
        start: First word of the cue (auxiliaries included).
        end: One past its last word.
        verb: The verb itself.
        lemma: Its base form.
        form: ``base``, ``s``, ``past`` or ``ing``.
        frames: What may follow it (see ``stance.quotes.lexicon``).
        source: The noun phrase of the speaker, or None when it is understood.
        inverted: Whether the speaker follows the verb.
        clause_start: Where speaker and cue begin.
        clause_end: Where speaker and cue end: what comes next may be the content.
    """

    start: int
    end: int
    verb: int
    lemma: str
    form: str
    frames: frozenset[str]
    source: Range | None
    inverted: bool
    clause_start: int
    clause_end: int


@lru_cache(maxsize=1)
def cue_words() -> frozenset[str]:
    """Returns the words of which every sentence with a cue holds one."""
    return (
        frozenset(lex.verb_forms())
        | _STATES
        | {"clear", "according", "words", "pointed", "points", "pointing", "put", "puts"}
    )


def find_cues(tokens: Sequence[Token]) -> list[Cue]:
    """Returns the reporting cues of a sentence, in order."""
    found: list[Cue] = []
    forms = lex.verb_forms()
    triggers = cue_words()
    for i, token in enumerate(tokens):
        if token.lower not in triggers:
            continue
        if token.lower in forms and (i == 0 or not token.is_capital):
            cue = _verb_cue(tokens, i, forms[token.lower])
        elif token.lower in _STATES or token.lower == "clear":
            cue = _state_cue(tokens, i)
        elif token.lower == "according":
            cue = _according_cue(tokens, i, i)
        elif token.lower == "words" and i > 1 and tokens[i - 2].lower == "in":
            cue = _according_cue(tokens, i - 2, i)
        elif token.lower in {"put", "puts"}:
            cue = _put_it_cue(tokens, i)
        elif token.lower in {"pointed", "points", "pointing"}:
            cue = _verb_cue(tokens, i, lex.VerbForm("point", _point_form(token.lower)))
        else:
            continue
        if cue is not None and (not found or cue.start >= found[-1].end):
            found.append(cue)
    return found


def _point_form(form: str) -> str:
    return {"pointed": "past", "points": "s"}.get(form, "ing")


def _verb_group(tokens: Sequence[Token], verb: int) -> tuple[int, int, list[str]]:
    """Returns where auxiliaries begin, where adverbs before them begin, and which they are."""
    j = verb
    start = verb
    auxiliaries: list[str] = []
    while j > 0 and (tokens[j - 1].lower in lex.AUXILIARIES or is_adverb(tokens[j - 1])):
        if tokens[j - 1].lower in lex.AUXILIARIES:
            auxiliaries.append(tokens[j - 1].lower)
            start = j - 1
        j -= 1
    return start, j, auxiliaries


def _verb_cue(tokens: Sequence[Token], verb: int, form: lex.VerbForm) -> Cue | None:
    start, group, auxiliaries = _verb_group(tokens, verb)
    if group and tokens[group - 1].lower == "to" and form.form == "base":
        return _infinitive_cue(tokens, verb, form.lemma)
    if _is_no_report(tokens, verb, group, form, auxiliaries):
        return None
    return _finite_cue(tokens, verb, form, start, group, auxiliaries)


def _finite_cue(
    tokens: Sequence[Token],
    verb: int,
    form: lex.VerbForm,
    start: int,
    group: int,
    auxiliaries: Sequence[str],
) -> Cue | None:
    lemma = form.lemma
    end, frames = _complement(tokens, verb, lemma)
    if not frames:
        return None
    if form.form == "ing" and not any(
        a in lex.PASSIVE_AUXILIARIES or a == "been" for a in auxiliaries
    ):
        free = _is_free_participle(tokens, verb)
        return Cue(verb, end, verb, lemma, "ing", frames, None, False, verb, end) if free else None
    if verb == 0:
        return _opening_cue(tokens, form, frames)
    turned = _inverted(tokens, verb, group, form, auxiliaries)
    if turned is not None and not _has_apposition(tokens, group):
        turned = with_name_after(tokens, turned)
        return Cue(verb, verb + 1, verb, lemma, form.form, frames, turned, True, verb, turned[1])
    if any(a in _HYPOTHETICAL for a in auxiliaries):
        return None
    source = subject_before(tokens, group)
    if source is None:
        before = tokens[group - 1].lower if group else ""
        if before not in {"and", "but", "then", "who", ","}:
            return None
        return Cue(start, end, verb, lemma, form.form, frames, None, False, group, end)
    bare = form.form == "base" and not auxiliaries
    if (bare and not _is_plural(tokens, source)) or _speaks_for_itself(tokens, source, lemma):
        return None
    return Cue(start, end, verb, lemma, form.form, frames, source, False, source[0], end)


def _is_no_report(
    tokens: Sequence[Token],
    verb: int,
    group: int,
    form: lex.VerbForm,
    auxiliaries: Sequence[str],
) -> bool:
    """Whether the words around a form show an infinitive, a passive, a denial of saying, a noun."""
    if group and tokens[group - 1].lower == "to":
        return True
    if " ".join(token.lower for token in tokens[verb + 1 : verb + 4]) in _ANONYMOUS:
        return True
    if form.form == "past" and any(a in lex.PASSIVE_AUXILIARIES for a in auxiliaries):
        return True
    words = {*auxiliaries, *(token.lower for token in tokens[group:verb])}
    if words & lex.NEGATIONS and form.lemma not in _KEEP_NEGATED:
        return True
    if auxiliaries:
        return False
    if form.form == "past":
        after = [token.lower for token in tokens[verb + 1 : verb + 3]]
        return after[:1] == ["by"] and not (len(after) > 1 and after[1] in _MEANS)
    return form.form in {"s", "base"} and not _is_verb_use(tokens, verb, group, form)


def _infinitive_cue(tokens: Sequence[Token], verb: int, lemma: str) -> Cue | None:
    """Returns the cue of ‘He went on to say, “…”’: the quotation shows that it was said."""
    frames = lex.frames().get(lemma, frozenset())
    if "say" not in frames or verb + 2 >= len(tokens):
        return None
    opens = tokens[verb + 1].text in {",", ":"} and tokens[verb + 2].kind == "q"
    if not opens and not (tokens[verb + 1].kind == "q" and lemma in {"say", "add"}):
        return None
    for i in range(verb - 2, max(0, verb - 7), -1):
        if tokens[i].kind != "w":
            return None
        if is_finite(tokens, i):
            start, group, _ = _verb_group(tokens, i)
            source = subject_before(tokens, group)
            if source is None:
                return None
            return Cue(
                start, verb + 1, verb, lemma, "past", frames, source, False, source[0], verb + 1
            )
    return None


def _has_apposition(tokens: Sequence[Token], group: int) -> bool:
    """Whether the comma before a verb ends an apposition ("Wood, the envoy, said")."""
    if tokens[group - 1].text != ",":
        return False
    source = subject_before(tokens, group)
    if source is None or any(token.kind == "q" for token in tokens[:group]):
        return False
    if has_finite(tokens, source[0], source[1]):
        return False
    return source[0] == 0 or (tokens[source[0] - 1].text == "," and source[0] <= 8)


def _speaks_for_itself(tokens: Sequence[Token], source: Range, lemma: str) -> bool:
    """Whether it is the writer's or nobody's attribution: "you want", "what Trump says"."""
    head = tokens[source[0]].lower
    if head == "you" or (head in {"i", "we"} and "say" not in lex.frames().get(lemma, ())):
        return True
    if head in {"everything", "anything", "nothing", "whatever", "there"}:
        return True
    before = tokens[source[0] - 1].lower if source[0] else ""
    if before == "when" and lemma in {"know", "think", "believe", "feel", "want", "learn"}:
        return True
    return before in _NOT_REPORTING


def _is_verb_use(tokens: Sequence[Token], verb: int, group: int, form: lex.VerbForm) -> bool:
    """Whether an -s or base form is a verb here and not a noun ("the minister’s demands")."""
    if group == 0:
        return False
    before = tokens[group - 1]
    if before.is_possessive or before.lower in lex.DETERMINERS:
        return False
    if tokens[verb].lower not in lex.NOUN_LIKE:
        return True
    following = tokens[verb + 1] if verb + 1 < len(tokens) else None
    if following is None or (following.kind == "p" and following.text not in {":", ","}):
        return False
    if following.lower == "that" and (
        before.lower in {"and", "but"} or (before.lower.endswith("s") and form.form == "base")
    ):
        return True
    plain = before.lower in lex.PRONOUNS or before.lower in lex.GROUPS or before.lower == "who"
    opens = following.kind == "q" or following.lower in _OPENS_CONTENT
    if plain or group < verb:
        return True
    return (before.is_capital or before.lower in lex.ROLE_NOUNS) and opens


def _is_plural(tokens: Sequence[Token], source: Range) -> bool:
    head = tokens[source[1] - 1].lower
    if head in {"he", "she", "it"}:
        return False
    if head in {
        "they",
        "we",
        "i",
        "you",
        "who",
        "some",
        "many",
        "most",
        "several",
        "people",
        "police",
        "others",
        "both",
        "few",
        "all",
    }:
        return True
    return (
        any(tokens[i].lower == "and" for i in range(*source))
        or head.endswith("s")
        or (head in lex.GROUPS)
    )


def _complement(tokens: Sequence[Token], verb: int, lemma: str) -> tuple[int, frozenset[str]]:
    """Returns the end of the cue with its particle or noun, and the frames that are left."""
    frames = lex.frames().get(lemma, frozenset())
    word = tokens[verb + 1].lower if verb + 1 < len(tokens) else ""
    noun = frozenset({"np"})
    if lemma == "point":
        left = {"out": frozenset({"say"}), "to": noun}.get(word)
        return (verb + 2, left) if left is not None else (verb + 1, frozenset())
    if lemma == "rule":
        return (verb + 2, noun) if word == "out" else (verb + 1, frozenset())
    if lemma in {"express", "voice", "raise"}:
        return _expressed(tokens, verb, lemma)
    if word in {"for", "on", "of", "about", "against"} and word in frames:
        return verb + 2, noun
    if word == "to" and "to_np" in frames:
        return verb + 2, noun
    return verb + 1, frames - {"to_np"}


def _expressed(tokens: Sequence[Token], verb: int, lemma: str) -> tuple[int, frozenset[str]]:
    """Returns the same for "expressed deep concern about": the noun belongs to the cue."""
    for i in range(verb + 1, min(len(tokens), verb + 5)):
        if tokens[i].lower in lex.SPEECH_NOUNS:
            after = tokens[i + 1].lower if i + 1 < len(tokens) else ""
            if after in {"about", "over", "for", "at", "of", "with", "in"}:
                return i + 2, frozenset({"np"})
            return i + 1, frozenset({"that", "to"})
        if tokens[i].kind != "w":
            break
    return verb + 1, frozenset({"np"} if lemma == "voice" else ())


def _is_free_participle(tokens: Sequence[Token], verb: int) -> bool:
    if verb == 0:
        return False
    j = verb - 1
    while j > 0 and is_adverb(tokens[j]):
        j -= 1
    before = tokens[j]
    if before.text in {",", "—", "–", "--"} or before.kind == "q":
        return True
    if before.lower in {"and", "while", "by"}:
        return tokens[verb].lower not in lex.NOUN_LIKE and j > 0
    return before.lower in _STATEMENT_NOUNS


def _inverted(
    tokens: Sequence[Token], verb: int, group: int, form: lex.VerbForm, auxiliaries: Sequence[str]
) -> Range | None:
    """Returns the speaker of “…,” said Ryabkov; None when the verb is not inverted."""
    if form.lemma not in _INVERTING or form.form not in {"past", "s"} or auxiliaries or group == 0:
        return None
    before = tokens[group - 1]
    if before.text not in {",", "—", "–", "--"} and before.kind != "q":
        return None
    after = phrase_after(tokens, verb + 1)
    if after is None:
        return None
    following = tokens[after[1]] if after[1] < len(tokens) else None
    if following is None or following.kind == "p" or following.kind == "q":
        return after
    if following.lower in lex.TIMES or following.lower in lex.PREPOSITIONS or is_adverb(following):
        return after
    return after if following.lower in {"after", "before", "when", "while", "as", "who"} else None


def _opening_cue(tokens: Sequence[Token], form: lex.VerbForm, frames: frozenset[str]) -> Cue | None:
    """Returns the cue of ‘Said Ryabkov, the envoy: “…”’, whose verb opens the sentence."""
    source = phrase_after(tokens, 1)
    if form.lemma not in _INVERTING or form.form not in {"past", "s"} or source is None:
        return None
    source = with_name_after(tokens, source)
    for i in range(source[1], min(len(tokens) - 1, source[1] + 12)):
        if tokens[i].kind == "q":
            return None
        if tokens[i].text == ":":
            opens = tokens[i + 1].kind == "q"
            cue = Cue(0, 1, 0, form.lemma, form.form, frames, source, True, 0, i)
            return cue if opens else None
    return None


def _put_it_cue(tokens: Sequence[Token], verb: int) -> Cue | None:
    """Finds "as the premier put it" in a sentence with a quotation."""
    if verb + 1 >= len(tokens) or tokens[verb + 1].lower != "it":
        return None
    source = subject_before(tokens, verb)
    if source is None or source[0] == 0 or tokens[source[0] - 1].lower != "as":
        return None
    if not any(token.kind == "q" for token in tokens):
        return None
    start, end = source[0] - 1, verb + 2
    frames = frozenset({"say"})
    return Cue(verb, end, verb, "put", "past", frames, source, False, start, end)


def _state_cue(tokens: Sequence[Token], i: int) -> Cue | None:
    """Finds "is confident that" and "made (it) clear that"."""
    if i + 1 >= len(tokens) or tokens[i + 1].lower != "that":
        return None
    frames = frozenset({"that"})
    if tokens[i].lower == "clear":
        j = i - 1
        while j > 0 and (tokens[j].lower == "it" or is_adverb(tokens[j])):
            j -= 1
        if tokens[j].lower not in {"made", "makes", "make", "making"}:
            return None
        if tokens[j].lower == "making":
            return Cue(j, i + 1, j, "make", "ing", frames, None, False, j, i + 1)
        verb = j
    else:
        j = i - 1
        while j > 0 and is_adverb(tokens[j]):
            j -= 1
        if tokens[j].lower not in lex.PASSIVE_AUXILIARIES:
            return None
        verb = j
    start, group, _ = _verb_group(tokens, verb)
    source = subject_before(tokens, group)
    if source is None or tokens[source[0]].lower in {"it", "there"}:
        return None
    return Cue(min(start, verb), i + 1, verb, "be", "past", frames, source, False, source[0], i + 1)


def _according_cue(tokens: Sequence[Token], first: int, i: int) -> Cue | None:
    """Finds "according to X" and "in the words of X" from its last word but one."""
    if i + 2 >= len(tokens) or tokens[i + 1].lower != ("to" if first == i else "of"):
        return None
    end = i + 2
    while end < len(tokens) and end - i < 30:
        token = tokens[end]
        if token.kind == "q" or (token.kind == "p" and token.text not in {"&", "-", "/", "'", "’"}):
            break
        end += 1
    if end == i + 2:
        return None
    source = (i + 2, end)
    if first > 0:
        # In front of its content the comma ends the source: “According to the envoy, Ana Costa …”.
        source = with_name_after(tokens, source)
        end = source[1]
    return Cue(first, i + 2, i, "according", "according", frozenset(), source, True, first, end)
