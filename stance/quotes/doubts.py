"""What reads like an attribution but reports nothing that anybody said.

PolNeAR also annotates "did not say when …" and "asked about …"; a quote of this library is what a
speaker is reported to have said, so these are left out of what the tagger alone found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from stance.quotes import lexicon as lex
from stance.quotes.page import Attribution, Page, tokenize
from stance.quotes.phrases import has_finite, is_adverb
from stance.text import Span

_ANY_WORD = re.compile(r"\w+(?:['’]\w+)*")
_NOT_SAID: Final = lex.NEGATIONS | {"may", "might", "could", "can"}
_CONDITIONS: Final = frozenset({"if", "unless", "until", "whether"})
_RELATIVES: Final = frozenset({"that", "which", "who"})
_ASKING: Final = frozenset({"ask"})
_SAYING = re.compile(r"[^.,;:“”\"]{0,25}, (?:saying|adding|arguing|noting|insisting)\b")
# What events do to the hopes and fears of others: “dashed hopes of a deal”.
_EFFECTS: Final = lex.words(
    "dash dashed dashes dashing crush crushed raise raised raises raising fuel fueled fuelled "
    "stoke stoked ease eased eases easing allay allayed revive revived boost boosted dampen "
    "dampened"
)


def is_title(page: Page, content: Sequence[Span]) -> bool:
    """Whether quoted words are written like the title of a work: “Song of the Strait”."""
    text = " ".join(page.article[a:b] for a, b in content)
    longer = [word for word in _ANY_WORD.findall(text) if len(word) > 3]
    return bool(longer) and all(word[0].isupper() for word in longer)


def reports_nothing(page: Page, one: Attribution) -> bool:
    """Whether cue and source say that nobody said it: “did not say when”, “If he says so, …”."""
    if one.cue is None:
        return False
    cue = _ANY_WORD.findall(page.article[slice(*one.cue)].lower())
    forms = lex.verb_forms()
    lemmas = {forms[word].lemma for word in cue if word in forms}
    source = one.source or one.cue
    unit = page.units[page.unit_index(one.cue[0])]
    if lemmas & _ASKING and (one.source is None or one.cue[0] == unit.start):
        return True
    if not lemmas <= lex.MENTAL and any(word in _NOT_SAID for word in cue):
        return True
    if any(a in _EFFECTS and b in lex.NOUN_LIKE for a, b in pairwise(cue)):
        return True
    if one.source is not None and one.source[0] < one.content[0][0] < one.cue[0]:
        return True  # words between speaker and verb are not what is said
    if lemmas & lex.TOPICAL and _SAYING.match(page.article, one.content[-1][1]):
        return True
    before = _ANY_WORD.findall(page.article[max(unit.start, source[0] - 20) : source[0]].lower())
    first = _ANY_WORD.findall(page.article[slice(*source)].lower())[:1]
    return bool(before and before[-1] in _CONDITIONS) or first in (["nobody"], ["no"], ["none"])


def is_state(page: Page, one: Attribution) -> bool:
    """Whether a thing without a verb is what a state or a deed is about, not what is reported.

    “Oslo is reluctant about the plan”, “the film was shown”, “pushing for a deal”, “books mostly
    about the border”: their cues hold no verb of reporting, or a passive that names nobody.
    """
    content = tokenize(page.article, *one.content[0])
    # A verb in a relative clause does not make a clause of a thing: “a deal that includes China”.
    relative = (i for i, t in enumerate(content) if i and t.lower in _RELATIVES)
    end = next(relative, len(content))
    if one.cue is None or content[0].lower == "to" or has_finite(content, 0, end):
        return False
    cue = [token for token in tokenize(page.article, *one.cue) if token.kind == "w"]
    plain = [t.lower for t in cue if t.lower not in lex.AUXILIARIES and not is_adverb(t)]
    if not plain:
        return False
    is_known = plain[0] in lex.verb_forms()
    is_passive = any(token.lower in lex.PASSIVE_AUXILIARIES for token in cue)
    if one.source is None and (is_passive or not is_known):
        return True
    if is_passive:
        return plain[-1] in lex.PREPOSITIONS and not plain[0].endswith("ing")
    is_about = all(word in lex.PREPOSITIONS for word in plain)
    return is_about or (not is_known and plain[0].endswith("ing"))
