"""Noun phrases and clauses by closed word lists: subjects of verbs, adjuncts, where a clause is.

No parser stands behind these rules. A subject is read backwards from its verb to the next word that
cannot belong to it; an adjunct is read forwards while its words look like one.
"""

from __future__ import annotations

from collections.abc import Sequence

from stance.quotes import lexicon as lex
from stance.quotes.page import Token

Range = tuple[int, int]  # token indices, half-open
MAX_SUBJECT = 30
MAX_ADJUNCT = 40


# Determiners that can be a subject by themselves.
_ALONE = lex.words("some many most several both others one another few this all")
_PHRASE_HEADS = lex.BEFORE_NAMES | lex.DETERMINERS | lex.ROLE_NOUNS | lex.GROUPS
_NO_PERSON = lex.TIMES | lex.ORGANISATIONS | lex.DEMONYMS | lex.PRONOUNS
_NO_OFFICE = lex.TIMES | {"a", "an"}
_CLOSED = lex.SUBORDINATORS | lex.TIMES | lex.PRONOUNS
_PREPOSITIONS_BUT_OF = lex.PREPOSITIONS - {"of"}
_OPENERS = lex.PREPOSITIONS | lex.SUBORDINATORS
_VERB_FORMS = lex.verb_forms()
_SPANS_OF_TIME = lex.words("second minute hour day week month year decade")
_UNITS = lex.words("day week month year morning afternoon evening night hour weekend time")
_JOINERS = frozenset({"&", "-", "/", "'", "’"})


def is_adverb(token: Token) -> bool:
    """Whether a word may stand between a subject and its verb."""
    return token.lower in lex.ADVERBS or (
        token.kind == "w"
        and token.lower.endswith("ly")
        and len(token.lower) > 4
        and not token.is_capital
    )


def is_finite(tokens: Sequence[Token], i: int) -> bool:
    """Whether a word looks like a finite verb: an auxiliary, a known form, or one in -ed."""
    token = tokens[i]
    if token.kind != "w":
        return False
    if token.lower in lex.FINITE:
        # “Public Works Minister”
        return not token.is_capital or i == 0 or token.lower in lex.AUXILIARIES
    before = tokens[i - 1] if i else None
    if before is not None and (before.lower in lex.DETERMINERS or before.is_possessive):
        return False
    form = _VERB_FORMS.get(token.lower)
    if form is not None and not token.is_capital:
        if form.form == "past":
            return True
        if form.form == "s" and token.lower not in lex.NOUN_LIKE:
            return True
        return form.form == "base" and token.lower not in lex.NOUN_LIKE and i > 0
    return (
        token.lower.endswith("ed")
        and len(token.lower) > 4
        and not token.is_capital
        and "-" not in token.lower
        and token.lower not in lex.NOT_FINITE
        and not (before is not None and before.lower in lex.PREPOSITIONS)
    )


def has_finite(tokens: Sequence[Token], start: int, end: int, most: int = 40) -> bool:
    """Whether a finite verb stands in a token range (looking at ``most`` tokens)."""
    return any(is_finite(tokens, i) for i in range(start, min(end, start + most)))


def subject_before(tokens: Sequence[Token], verb: int) -> Range | None:
    """Returns the noun phrase that ends right before a verb group, or None.

    Adverbs and times between the two ("Lavrov on Tuesday said") and an appositive or relative
    clause between commas ("Wood, the US representative, said") are passed over.
    """
    end = _skip_time_back(tokens, verb)
    if end > 0 and tokens[end - 1].text == ")":
        opening = next(
            (j for j in range(end - 2, max(-1, end - 15), -1) if tokens[j].text == "("), None
        )
        if opening:
            end = opening
    if end > 0 and tokens[end - 1].text == ",":
        return _subject_before_comma(tokens, end - 1)
    return _phrase_before(tokens, end) or _with_relative(tokens, end)


def _with_relative(tokens: Sequence[Token], end: int) -> Range | None:
    """Returns "an official who asked not to be named": a subject with its relative clause."""
    for i in range(end - 2, max(0, end - 16), -1):
        if tokens[i].kind != "w":
            return None
        if tokens[i].lower == "who":
            phrase = _phrase_before(tokens, i)
            return (phrase[0], end) if phrase is not None else None
    return None


def _skip_time_back(tokens: Sequence[Token], end: int) -> int:
    while end > 0 and is_adverb(tokens[end - 1]):
        end -= 1
    stop = end
    while stop > 0 and (
        tokens[stop - 1].lower in lex.TIMES or (tokens[stop - 1].text.isdigit() and stop < end)
    ):
        stop -= 1
    if stop < end:
        if stop > 0 and tokens[stop - 1].lower in {"on", "in", "late", "early", "the"}:
            stop -= 1
        return stop
    for back in range(2, 7):  # “X in a statement said”
        start = end - back
        if start <= 0:
            break
        if tokens[start].lower in {"in", "at", "during", "on", "via", "through"}:
            inner = tokens[start + 1 : end]
            is_name = back > 2 and inner[-1].is_capital and inner[-2].is_capital
            is_plain = all(token.kind == "w" for token in inner) and not is_name
            if inner[-1].lower in lex.SPEECH_EVENTS and is_plain:
                return start
            break
    return end


def _subject_before_comma(tokens: Sequence[Token], comma: int) -> Range | None:
    opening = next(
        (
            j
            for j in range(comma - 1, max(-1, comma - MAX_SUBJECT), -1)
            if tokens[j].text == "," or tokens[j].kind == "q"
        ),
        None,
    )
    if opening is None or tokens[opening].kind == "q":
        return None
    inner = tokens[opening + 1 : comma]
    if not inner or inner[0].lower in {"and", "but", "or"}:
        return None
    stepped = _two_steps(tokens, opening, comma)
    if stepped is not None:
        return stepped
    phrase = _phrase_before(tokens, opening)
    if phrase is None:
        return None
    inner_is_name = all(t.is_capital for t in inner) and 1 < len(inner) <= 4
    if inner_is_name and any(tokens[i].lower in lex.ROLE_NOUNS for i in range(phrase[0], opening)):
        return phrase[0], comma  # “Putin’s spokesman, Dmitry Peskov,”
    return phrase


def _two_steps(tokens: Sequence[Token], comma: int, last: int) -> Range | None:
    """Returns "Daniel" of ‘“…,” Daniel, now 81 and retired in Salem, Mass., said’.

    Only a name right behind a quotation or at the head of its sentence is taken, for elsewhere
    the first comma may as well end a clause.
    """
    first = comma
    for i in range(comma - 1, max(-1, comma - MAX_SUBJECT), -1):
        if tokens[i].kind == "q":
            break
        if tokens[i].text == ",":
            first = i
    else:
        i = -1
    start = i + 1
    if first == comma or start > first or (i >= 0 and tokens[i].kind != "q"):
        return None
    if first == start:  # the comma behind the marks
        return None
    phrase = _phrase_before(tokens, first)
    if phrase is None or phrase[0] != start or not tokens[phrase[1] - 1].is_capital:
        return None
    relative = tokens[first + 1].lower in {"who", "which", "whose"}
    if not relative and has_finite(tokens, first + 1, last):
        return None
    return phrase


def _phrase_before(tokens: Sequence[Token], end: int) -> Range | None:
    if end <= 0:
        return None
    last = tokens[end - 1]
    if last.lower in lex.PRONOUNS:
        return (end - 1, end)
    if last.lower == "who":
        return _phrase_before(tokens, end - (2 if end > 1 and tokens[end - 2].text == "," else 1))
    for start in _phrase_starts(tokens, end):
        found = _valid_phrase(tokens, start, end)
        if found is not None:
            return found
    return None


def _phrase_starts(tokens: Sequence[Token], end: int) -> list[int]:
    """Returns where the noun phrase before an index may begin, the longest first."""
    starts: list[int] = []
    j = end - 1
    while j >= 0 and end - j <= MAX_SUBJECT and not _ends_phrase(tokens, j, end):
        if tokens[j].lower in lex.PREPOSITIONS or tokens[j].lower == "and":
            starts.append(j + 1)
            if tokens[j].lower in {"about", "over", "through", "during"}:
                break
        j -= 1
    if j > 0 and tokens[j].lower == "that" and tokens[j - 1].lower in lex.PREPOSITIONS:
        while j + 2 < end and not tokens[j + 1].is_capital:
            j += 1  # “In that regard Trump vowed”
        starts = [start for start in starts if start > j]
    return [j + 1, *reversed(starts)]


def _is_time(tokens: Sequence[Token], j: int) -> bool:
    """Whether a word is a time; "this" and "next" only before one, as in "this week"."""
    if tokens[j].lower in {"this", "next", "last"} and j + 1 < len(tokens):
        return tokens[j + 1].lower in lex.TIMES
    if tokens[j].lower not in lex.TIMES:
        return False
    # Jan Costa, April Costa: a month before a name is a name
    followed = j + 1 < len(tokens) and tokens[j + 1].is_capital
    return not (followed and tokens[j].is_capital and tokens[j + 1].lower not in lex.TIMES)


def _ends_phrase(tokens: Sequence[Token], j: int, end: int) -> bool:
    token = tokens[j]
    if token.kind == "q":
        return not (j + 1 < end and _is_nickname(tokens, j))
    if token.kind == "p":
        return token.text not in {"&", "-", "/", "%", "$", "'", "’"}
    return (
        token.lower in lex.SUBORDINATORS
        or token.lower in lex.PRONOUNS
        or (_is_time(tokens, j) and not token.text == "May")
        or (is_adverb(token) and token.lower not in {"first", "only"})
        or is_finite(tokens, j)
    )


def _valid_phrase(tokens: Sequence[Token], start: int, end: int) -> Range | None:
    while start < end and tokens[start].lower in {"and", "even", "only", "both"}:
        start += 1
    if start >= end:
        return None
    first, last = tokens[start], tokens[end - 1]
    if first.lower in lex.PREPOSITIONS or last.kind != "w" or last.is_possessive:
        return None
    if last.lower in lex.DETERMINERS and (end - start > 1 or last.lower not in _ALONE):
        return None
    if last.lower in lex.PREPOSITIONS or last.lower in {"and", "or"}:
        return None
    if start == end - 1 and not (last.is_capital or last.lower in lex.DETERMINERS):
        known = last.lower in lex.GROUPS or last.lower in lex.ROLE_NOUNS or last.lower.endswith("s")
        return (start, end) if known else None
    if end - start > 25:
        return None
    return (start, end)


def phrase_after(tokens: Sequence[Token], start: int, most: int = 25) -> Range | None:
    """Returns the noun phrase that begins at a token, or None: for “said Ryabkov, who …”."""
    if start >= len(tokens):
        return None
    first = tokens[start]
    if first.lower in lex.PRONOUNS:
        return (start, start + 1)
    if first.kind != "w" or (_is_time(tokens, start) and first.text != "May"):
        return None
    if not (first.is_capital or first.lower in _PHRASE_HEADS or _leads_to_name(tokens, start)):
        return None
    end = start
    while end < len(tokens) and end - start < most and _stays_in_phrase(tokens, start, end):
        end += 1
    return (start, end) if end > start else None


def _leads_to_name(tokens: Sequence[Token], start: int) -> bool:
    """Whether a word in small letters begins "border chief Ana Costa"."""
    for i in range(start + 1, min(len(tokens), start + 4)):
        if tokens[i].kind != "w" or tokens[i - 1].lower in lex.PREPOSITIONS or is_finite(tokens, i):
            return False
        if tokens[i].lower in lex.ROLE_NOUNS:
            return i + 1 < len(tokens) and tokens[i + 1].is_capital
    return False


def with_name_after(tokens: Sequence[Token], source: Range) -> Range:
    """Returns a description with the name in apposition to it: "her rival, Petar Ilić".

    Args:
        tokens: The sentence.
        source: A noun phrase; one that is a name itself, or no person's, comes back as it is.
    """
    last = source[1] - 1
    comma = source[1]
    if tokens[last].lower not in lex.ROLE_NOUNS and tokens[source[0]].lower not in lex.POSSESSIVES:
        return source
    if tokens[last].is_capital or comma >= len(tokens) or tokens[comma].text != ",":
        return source
    end = comma + 1
    while end < len(tokens) and tokens[end].is_capital and not tokens[end].is_possessive:
        end += 1
    name = tokens[comma + 1 : end]
    is_name = 1 < len(name) <= 5 and not any(token.lower in _NO_PERSON for token in name)
    # “said the minister, Ana Costa having left”: only what a mark ends is an apposition
    is_closed = end >= len(tokens) or (tokens[end].kind == "p" and tokens[end].text not in _JOINERS)
    return (source[0], end) if is_name and is_closed else source


def _stays_in_phrase(tokens: Sequence[Token], start: int, i: int) -> bool:
    token = tokens[i]
    if token.kind == "q":
        return i > start and _is_nickname(tokens, i)
    if token.kind == "p":
        return token.text in _JOINERS
    if token.lower in lex.PREPOSITIONS and token.lower not in {"of", "for", "from"}:
        following = tokens[i + 1].lower if i + 1 < len(tokens) else "a"
        is_office = i > start and tokens[i - 1].lower in lex.ROLE_NOUNS
        fits = is_office and token.lower in {"to", "at", "in", "with"}
        return fits and following not in _NO_OFFICE
    if i == start:
        return True
    return not (token.lower in _CLOSED or is_adverb(token) or is_finite(tokens, i))


def _is_nickname(tokens: Sequence[Token], i: int) -> bool:
    """Whether a quotation stands inside a name: Dmitry "the Bear" Ivanov."""
    return (
        0 < i < len(tokens) - 1
        and tokens[i - 1].is_capital
        and tokens[i + 1].is_capital
        and tokens[i].end - tokens[i].start < 40
    )


def skip_addressee(tokens: Sequence[Token], start: int) -> int:
    """Returns where the words after "told <somebody>" begin."""
    if start >= len(tokens) or tokens[start].kind != "w":
        return start
    first = tokens[start]
    if first.lower in lex.OBJECT_PRONOUNS:
        return start + 1
    if first.lower in lex.SUBORDINATORS:
        return start  # “warned that …” has no addressee
    i = start
    limit = min(len(tokens), start + 15)
    seen_lower = not first.is_capital
    while i < limit:
        token = tokens[i]
        if token.kind == "q" or (token.kind == "p" and token.text not in {"'", "’", "-", "&"}):
            break
        if i > start and (
            token.lower in lex.SUBORDINATORS
            or token.lower in lex.PRONOUNS
            or token.lower in lex.TIMES
            or token.lower == "to"
            or (token.lower in lex.PREPOSITIONS and token.lower != "of")
            or is_finite(tokens, i)
        ):
            break
        joined = (
            tokens[i - 1].lower in {"of", "and", "the", "a", "an"} or tokens[i - 1].is_possessive
        )
        if i > start and token.lower in lex.DETERMINERS and not joined:
            break
        if (
            i > start
            and seen_lower
            and token.is_capital
            and not joined
            and not tokens[i - 1].is_capital
            and tokens[i - 1].lower not in lex.ROLE_NOUNS
        ):
            break
        if first.lower not in lex.DETERMINERS and seen_lower and i > start + 2:
            break
        seen_lower = seen_lower or not token.is_capital
        i += 1
    return i


def skip_adjuncts(tokens: Sequence[Token], start: int) -> int:
    """Returns the index after times, places, occasions: "late Tuesday in an interview"."""
    i = start
    limit = min(len(tokens), start + MAX_ADJUNCT)
    while i < limit:
        token = tokens[i]
        if token.kind != "w":
            break
        if token.lower in lex.TIMES or token.text.isdigit() or is_adverb(token):
            i += 1
            continue
        if (
            token.lower in {"the", "a"}
            and i + 1 < limit
            and tokens[i + 1].lower
            in {"same", "next", "previous", "day", "week", "month", "year", "other", "following"}
            and (tokens[i + 1].lower in _UNITS or (i + 2 < limit and tokens[i + 2].lower in _UNITS))
            and not has_finite(tokens, i + 2, min(limit, i + 3))
        ):
            i += 2
            continue
        if _is_span_of_time(tokens, i):
            i += 3  # “an hour later”
            continue
        if token.lower not in lex.PLACES or (token.lower == "about" and _is_number(tokens, i + 1)):
            break
        if token.lower in {"over", "as", "while", "when", "with", "by", "after", "before", "about"}:
            reached = _skip_clause(tokens, i, limit)
        else:
            reached = _skip_prepositional(tokens, i + 1, limit)
        if reached <= i + 1:
            break
        i = reached
    return i


def _is_span_of_time(tokens: Sequence[Token], i: int) -> bool:
    return (
        i + 2 < len(tokens)
        and (tokens[i].lower in {"a", "an"} or _is_number(tokens, i))
        and tokens[i + 1].lower.rstrip("s") in _SPANS_OF_TIME
        and tokens[i + 2].lower in {"later", "earlier", "ago"}
    )


def _is_number(tokens: Sequence[Token], i: int) -> bool:
    return i < len(tokens) and (tokens[i].text[:1].isdigit() or tokens[i].lower in lex.NUMBERS)


def _skip_clause(tokens: Sequence[Token], start: int, limit: int) -> int:
    """Passes "as he left Geneva" and the like only when "that" or a quotation follows."""
    for i in range(start + 1, limit):
        token = tokens[i]
        if token.lower == "that" or token.kind == "q":
            return i
        if token.kind == "p" and token.text not in {"-", "'", "’"}:
            return i if token.text in {",", ":"} else start
    return limit if limit == len(tokens) else start


def _skip_prepositional(tokens: Sequence[Token], start: int, limit: int) -> int:
    i = start
    seen_noun = False
    while i < limit and not _ends_adjunct(tokens, i, seen_noun):
        if tokens[i].lower in lex.OBJECT_PRONOUNS and i == start:
            return i + 1
        if tokens[i].lower in lex.PRONOUNS:
            break
        if seen_noun and _begins_clause(tokens, i, limit):
            break
        seen_noun = seen_noun or tokens[i].lower not in lex.DETERMINERS
        i += 1
    return i


def _ends_adjunct(tokens: Sequence[Token], i: int, seen_noun: bool) -> bool:
    token = tokens[i]
    if token.kind != "w":
        return token.text not in _JOINERS
    if token.lower in lex.SUBORDINATORS or token.lower == "there":
        return True
    return seen_noun and (token.lower in _PREPOSITIONS_BUT_OF or token.lower in lex.TIMES)


def _begins_clause(tokens: Sequence[Token], i: int, limit: int) -> bool:
    """Whether a new subject or verb begins after the noun of an adjunct: "in Moscow the …"."""
    before, token = tokens[i - 1], tokens[i]
    if before.lower in {"of", "and", "the", "a", "an"} or before.is_possessive:
        return False
    if token.lower in lex.DETERMINERS:
        return True
    if token.is_capital and not before.is_capital:
        return has_finite(tokens, i + 1, min(limit, i + 6))
    return not token.is_capital and before.is_capital and is_finite(tokens, i)


def main_subject(tokens: Sequence[Token], until: int) -> Range | None:
    """Returns the subject of the first clause of a sentence, before a token index, or None."""
    start = 0
    if tokens and tokens[0].lower in _OPENERS:
        comma = next((i for i in range(min(until, 30)) if tokens[i].text == ","), None)
        if comma is None:
            return None
        start = comma + 1
    for i in range(start + 1, min(until, start + MAX_SUBJECT)):
        if is_finite(tokens, i) or (is_adverb(tokens[i]) and i + 1 < until):
            found = subject_before(tokens, i)
            if found is not None and found[0] >= start:
                return found
            if is_finite(tokens, i):
                break
    return None
