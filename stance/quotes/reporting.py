"""Lexical rules: from the reporting cues of a sentence to who says what.

Three positions are told apart. Behind its content: ‘“…,” X said.’, ‘The talks go on, X said.’ In
front of it: ‘X said that …’. Within it: ‘“…,” X said, “…”’. A learned tagger can replace this
module; what both hand on is ``Attribution``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from stance.quotes import lexicon as lex
from stance.quotes.cues import Cue, find_cues
from stance.quotes.page import Attribution, Page, Token, Unit
from stance.quotes.phrases import (
    Range,
    has_finite,
    is_adverb,
    is_finite,
    main_subject,
    skip_addressee,
    skip_adjuncts,
)
from stance.text import Span

_LONG_ENOUGH: Final = 20  # characters: a sentence rather than a term
_DASHES: Final = frozenset({"—", "–", "--", "-"})
_BEFORE_CUE: Final = _DASHES | {",", "?", "!"}
_COMMAS: Final = _DASHES | {",", ":"}
_SEMICOLONS: Final = _DASHES | {",", ";"}
_PAUSES: Final = _DASHES | {","}
_EDGES: Final = _DASHES | {",", ";", ":"}
_CLAUSE_OPEN: Final = lex.AUXILIARIES | {"that"}
_CLAUSE_HEADS: Final = lex.PRONOUNS | {"there"}
_NO_NOUN: Final = lex.PREPOSITIONS | lex.SUBORDINATORS | {"and", "to"}
_TIME_WORDS: Final = lex.TIMES | {"on", "in"}
_QUESTION_WORDS: Final = lex.words("whether if how why what when who where")
_ASKING: Final = lex.words("ask wonder say explain know tell doubt decide")
_NO_CLAUSE: Final = lex.words("so as than which by about and or")
# Without "that" or a quotation these say nothing: “he continued the talks”.
_NEEDS_MARK: Final = lex.words("repeat continue respond answer agree")
# Verbs of belief that may stand behind their content: “The deal is dead, he believes.”
_PARENTHETIC: Final = lex.words("believe think hope suggest")
_ASKED: Final = lex.words("asked pressed questioned")
_NAMING: Final = lex.words("call brand label")
_ADDRESSED: Final = lex.words("tell inform remind assure ask advise warn")


def attributions_in(page: Page, unit: Unit) -> list[Attribution]:
    """Returns the attributions whose cue stands in a sentence, in order, never overlapping.

    Args:
        page: The article.
        unit: One of its sentences.
    """
    return _Sentence(page, unit).attributions()


class _Sentence:
    """One sentence while it is being read; indices are token indices."""

    def __init__(self, page: Page, unit: Unit) -> None:
        self.page = page
        self.tokens: Sequence[Token] = unit.tokens
        self.size = len(self.tokens)
        self.cues = find_cues(self.tokens)
        self.last_source: Range | None = None
        self.found: list[Attribution] = []

    def attributions(self) -> list[Attribution]:
        if not self.cues:
            return self.found
        position = 0
        behind = [i for i, cue in enumerate(self.cues) if self._is_behind(cue)]
        for i, cue in enumerate(self.cues):
            if cue.clause_start < position:
                continue
            if i in behind:
                position = self._take_behind(cue, position)
                continue
            if any(j > i for j in behind) and not self._quote_follows(cue):
                continue
            start = self._content_start(cue)
            if start is None:
                if cue.source is not None:
                    self.last_source = cue.source
                continue
            position = self._take_in_front(i, start)
        return self.found

    # content in front of the cue ------------------------------------------------------------

    def _is_behind(self, cue: Cue) -> bool:
        """Whether the content comes first: a comma or a quotation stands before the clause."""
        start = cue.clause_start
        if cue.lemma == "according":
            return start > 1 or (start == 1 and self.tokens[0].kind == "q")
        if start == 0 or cue.source is None:
            return False
        if not (cue.inverted or "say" in cue.frames or cue.lemma in _PARENTHETIC):
            return False
        before = self.tokens[start - 1]
        if before.kind == "q":
            return self._closes_clause(cue, before)
        if before.text not in _BEFORE_CUE:
            return False
        if cue.inverted:
            return True
        follows = self._content_start(cue) is not None
        if start > 1 and self.tokens[start - 2].kind == "q":
            return not follows or (start <= 3 and not has_finite(self.tokens, 0, start))
        if start > 1 and self.tokens[start - 2].lower in _CLAUSE_OPEN:
            return True  # “It was, he said, ‘a stone …’”
        return not follows and self._is_statement(cue, start - 1)

    def _is_statement(self, cue: Cue, end: int) -> bool:
        """Whether the words before a cue can be its content: a clause, or the start of one."""
        quoted = any(token.kind == "q" for token in self.tokens[:end])
        if not quoted and self.tokens[0].lower in _ASKED:
            return False  # “Asked whether she would go, Costa said no.”
        return quoted or has_finite(self.tokens, 0, end) or self._goes_on(cue) is not None

    def _closes_clause(self, cue: Cue, token: Token) -> bool:
        """Whether a quotation before a cue is its content, not a term that the subject goes on."""
        region = self.page.regions[token.region]
        if not region.closed:
            return False
        if cue.inverted or self.page.last_sign(region) in ",.?!…—–-":
            return True
        # a page that forgot the comma: “The ice is thin” Smith said.
        opens = self.tokens[0] is token and region.inner_end - region.inner_start > _LONG_ENOUGH
        return opens and self._content_start(cue) is None

    def _goes_on(self, cue: Cue) -> int | None:
        """Returns where the content resumes after an attribution in its middle, or None."""
        i = skip_adjuncts(self.tokens, self._after_addressee(cue))
        if i >= self.size:
            return None
        if self.tokens[i].kind == "q":
            return i
        if self.tokens[i].text not in _COMMAS or i + 1 >= self.size:
            return None
        if self.tokens[i + 1].kind == "q":
            return i + 1
        following = self.tokens[i + 1]
        if following.lower == "not":
            return i + 1  # “A pipe is a marriage, she said, not a weekend.”
        if following.kind != "w" or following.lower in {"and", "but", "who", "which", "or"}:
            return None
        if following.lower in lex.verb_forms() or following.lower.endswith("ing"):
            return None
        before_has_verb = has_finite(self.tokens, 0, cue.clause_start)
        quoted_before = any(token.kind == "q" for token in self.tokens[: cue.clause_start])
        if before_has_verb or quoted_before or not has_finite(self.tokens, i + 1, self.size):
            return None
        return i + 1

    def _after_addressee(self, cue: Cue) -> int:
        if cue.lemma in _ADDRESSED and not cue.inverted:
            return skip_addressee(self.tokens, cue.clause_end)
        return cue.clause_end

    def _take_behind(self, cue: Cue, position: int) -> int:
        content = [(self._after_bracket(position, cue.clause_start), cue.clause_start)]
        resumed = self._goes_on(cue)
        end = self._after_addressee(cue)
        if resumed is not None:
            stop = self._resumed_end(cue, resumed)
            content.append((resumed, stop))
            end = stop
        self._emit(content, cue, cue.source)
        return end

    def _after_bracket(self, start: int, end: int) -> int:
        """Returns where the content begins: behind a bracket that is still open at its end."""
        for i in range(end - 1, max(start, end - 4) - 1, -1):
            if self.tokens[i].text == "(":
                return i + 1
        return start

    def _resumed_end(self, cue: Cue, start: int) -> int:
        for other in self.cues:
            if other.clause_start > start and other.form == "ing":
                return self._comma_before(other.clause_start)
            if other.clause_start > start and self._is_behind(other):
                following = [
                    i for i in range(start, other.clause_start) if self.tokens[i].kind == "q"
                ]
                return following[-1] if following else self._comma_before(other.clause_start)
        if self.tokens[start].kind == "q":
            end = start + 1
            while end < self.size and self.tokens[end].kind == "q":
                end += 1
            if all(token.kind != "w" for token in self.tokens[end:]):
                return end
            return self.size if self._has_more_quotes(end) else end
        return self.size

    def _has_more_quotes(self, start: int) -> bool:
        return any(token.kind == "q" for token in self.tokens[start:])

    # content behind the cue -----------------------------------------------------------------

    def _quote_follows(self, cue: Cue) -> bool:
        i = self._content_start(cue)
        return i is not None and self.tokens[i].kind == "q"

    def _content_start(self, cue: Cue) -> int | None:
        """Returns where the content after a cue begins, or None when nothing follows it."""
        if cue.lemma == "according":
            after = cue.clause_end
            opens = not self._is_behind(cue) and after < self.size - 1
            return after + 1 if opens and self.tokens[after].text == "," else None
        first = self._after_addressee(cue)
        i = skip_adjuncts(self.tokens, first)
        if i < self.size and self.tokens[i].text in _COMMAS:
            if self._opens_quote(cue, i):
                return i + 1
            comma = self._after_parenthesis(i)
            i = i if comma is None else comma
        if i >= self.size:
            i = first
        if cue.frames & {"say", "that"} and i < self.size:
            start = self._clause_start(cue, i, first)
            if start is not None:
                return start
        if "to" in cue.frames and first < self.size and self.tokens[first].lower == "to":
            return first if self._is_infinitive(first) else None
        return self._noun_start(cue, first) if "np" in cue.frames else None

    def _opens_quote(self, cue: Cue, i: int) -> bool:
        """Whether the comma or colon at an index leads to the content: ‘said: …’, ‘said, “…”’."""
        if i + 1 >= self.size:
            return False
        colon = self.tokens[i].text == ":" and bool(cue.frames & {"say", "that"})
        return colon or self.tokens[i + 1].kind == "q"

    def _is_infinitive(self, i: int) -> bool:
        """Whether "to" begins an infinitive with something after it: "to sign the text"."""
        rest = self.tokens[i + 1 : i + 4]
        if len(rest) < 3 or any(t.kind == "p" for t in rest[:2]):
            return False
        return (
            rest[0].lower not in lex.DETERMINERS
            and not rest[0].is_capital
            and (rest[0].kind == "q" or not rest[0].lower.endswith("ing"))
        )

    def _after_parenthesis(self, comma: int) -> int | None:
        """Passes ", for example," or ", in a sign of anger," before "that" or a quotation."""
        for i in range(comma + 1, min(self.size, comma + 20)):
            if (
                self.tokens[i].text == ","
                and i + 1 < self.size
                and (self.tokens[i + 1].lower == "that" or self.tokens[i + 1].kind == "q")
            ):
                return i + 1
        return None

    def _clause_start(self, cue: Cue, i: int, first: int) -> int | None:
        tokens = self.tokens
        token = tokens[i]
        if token.lower == "that" and i + 1 < self.size:
            # “in an interview that aired”: a relative clause of the reporter
            relative = i > first and tokens[i + 1].kind != "q" and is_finite(tokens, i + 1)
            return None if relative else i + 1
        if token.kind == "q":
            return i
        if token.lower in _QUESTION_WORDS:
            if cue.lemma not in _ASKING:
                return None
            # like “that”, “whether” belongs to nobody; “whether or not” stays whole
            opens = token.lower == "whether" and i + 1 < self.size
            return i + 1 if opens and tokens[i + 1].lower != "or" else i
        if token.kind != "w" or token.lower in _NO_CLAUSE or cue.lemma in _NEEDS_MARK:
            return None
        if "say" in cue.frames or token.lower in _CLAUSE_HEADS:
            return i if self._holds_clause(cue, i) else None
        return i if i == first and self._is_short_clause(i) else None

    def _is_short_clause(self, i: int, window: int = 14) -> bool:
        """Whether subject and verb stand close together: what a verb of belief needs."""
        if not has_finite(self.tokens, i + 1, self.size, window):
            return False
        reach = range(i, min(self.size, i + window))
        comma = next((k for k in reach if self.tokens[k].text == ","), None)
        return comma is None or has_finite(self.tokens, i + 1, comma)

    def _holds_clause(self, cue: Cue, i: int) -> bool:
        tokens = self.tokens
        if tokens[i].lower in lex.PREPOSITIONS and not has_finite(tokens, i, self.size):
            return False
        is_say = cue.lemma == "say"
        return (
            has_finite(tokens, i + 1, self.size, 40 if is_say else 20)
            or any(t.kind == "q" for t in tokens[i : i + 12])
            or (is_say and self.size - i > 6)
        )

    def _noun_start(self, cue: Cue, i: int) -> int | None:
        if i >= self.size:
            return None
        token = self.tokens[i]
        if token.kind == "q":
            # “a film called ‘Fences’ was shown”
            names = cue.lemma in _NAMING and i + 1 < self.size and is_finite(self.tokens, i + 1)
            return None if names else i
        if token.kind != "w" or is_adverb(token) or token.lower in lex.TIMES:
            return None
        if is_finite(self.tokens, i) and not token.lower.endswith("ed"):
            return None  # “the faith that he defends offers …”
        if cue.lemma in _NAMING and token.is_capital:
            # “a stream called Miracle Run” names a thing; “called Smith a liar” says something
            rest = self.tokens[i : i + 25]
            if not any(t.kind == "q" or t.lower in {"a", "an", "the", "his", "her"} for t in rest):
                return None
        if cue.lemma in _ADDRESSED:
            # “told reporters” alone holds nothing; “asked Congress to …” does
            rest = self.tokens[cue.end : cue.end + 12]
            return cue.end if any(t.lower == "to" for t in rest) else None
        if token.lower in _NO_NOUN:
            return None
        return i

    def _take_in_front(self, index: int, start: int) -> int:
        cue = self.cues[index]
        source = cue.source or self._understood(cue)
        end = self._content_end(index, start)
        words = [t for t in self.tokens[start:end] if t.kind != "p"]
        if (
            len(words) < 3
            and all(t.kind == "w" for t in words)
            and words
            and (words[0].lower in lex.PRONOUNS or words[0].lower == "to")
        ):
            return start  # “he vowed he would”: nothing is said here
        if self._is_explained(index, start, end):
            self.last_source = source or self.last_source
            return start
        self._emit([(start, end)], cue, source)
        return max(end, start + 1)

    def _is_explained(self, index: int, start: int, end: int) -> bool:
        """Whether it is only the topic of what comes next: “defended the plan, saying …”."""
        cue = self.cues[index]
        following = self.cues[index + 1] if index + 1 < len(self.cues) else None
        return (
            following is not None
            and following.form == "ing"
            and cue.lemma in lex.TOPICAL
            and "say" in following.frames
            and following.source is None
            and end <= following.clause_start <= end + 1
            and self._only_noun(cue, start)
            and all(token.kind == "w" for token in self.tokens[start:end])
            and self.tokens[start].lower != "to"
            and self._content_start(following) is not None
        )

    def _understood(self, cue: Cue) -> Range | None:
        """Returns the speaker of a cue without its own: that of the cue before, or the subject."""
        before = self.tokens[cue.clause_start - 1] if cue.clause_start else None
        if before is not None and before.lower == "who" and cue.clause_start > 1:
            return None
        if self.last_source is not None:
            return self.last_source
        return main_subject(self.tokens, cue.clause_start)

    def _content_end(self, index: int, start: int) -> int:
        """Returns where the next attribution, or the reporter's own words, end the content."""
        cue = self.cues[index]
        if self._leaves(start):
            return start + 1
        end = self.size
        for other in self.cues[index + 1 :]:
            if other.clause_start <= start:
                continue
            cut = self._cut_at(cue, other, start)
            if cut is not None and cut > start:
                end = cut
                break
        if cue.source is not None and self.tokens[cue.start - 1].lower == "who":
            comma = (i for i in range(start + 1, end) if self.tokens[i].text == ",")
            end = next(comma, end)  # “Smith, who said the deal was dead, left”
        if self._only_noun(cue, start):
            end = self._without_time(start, self._noun_end(start, end))
        return self._without_relative(start, end)

    def _leaves(self, start: int) -> bool:
        """Whether the speaker goes on to act after a quotation: ‘said “Let them” and left’."""
        after = self.tokens[start + 1 : start + 3]
        return (
            self.tokens[start].kind == "q"
            and len(after) == 2
            and after[0].lower in {"and", "but", "before", "then"}
            and is_finite(self.tokens, start + 2)
            and after[1].lower not in lex.AUXILIARIES
            and after[1].lower not in lex.verb_forms()
        )

    def _without_time(self, start: int, end: int) -> int:
        """Leaves out the reporter's "on Tuesday" behind a quotation."""
        last = next((i for i in range(end - 1, start, -1) if self.tokens[i].kind == "q"), None)
        if last is None:
            return end
        rest = [token for token in self.tokens[last + 1 : end] if token.kind == "w"]
        is_time = any(token.lower in lex.TIMES for token in rest) and all(
            token.lower in _TIME_WORDS or token.text.isdigit() for token in rest
        )
        return last + 1 if is_time else end

    def _cut_at(self, cue: Cue, other: Cue, start: int) -> int | None:
        tokens = self.tokens
        at = other.clause_start
        before = tokens[at - 1]
        if other.lemma == "according":
            return self._comma_before(at)
        if self._content_start(other) is None:
            # “Italy said it would stay, and Malta said nothing.”
            is_next = before.lower in {"and", "but"} and at > 1 and tokens[at - 2].text == ","
            same = other.lemma == cue.lemma and other.form == cue.form
            return at - 2 if is_next and same and other.source is not None else None
        if other.form == "ing":
            if before.text in _PAUSES or before.kind == "q":
                return self._comma_before(at)
            return None
        if (
            before.lower in {"and", "but", "while", "though", "although"}
            and other.source is not None
        ):
            if at > 1 and tokens[at - 2].text in _SEMICOLONS:
                return at - 2
            quoted = at > 1 and tokens[at - 2].kind == "q"
            return at - 1 if quoted else None
        if before.text == ";":
            return at - 1
        if before.text == "," and other.source is not None and other.lemma == cue.lemma:
            # “France said it would sail, Italy said it would not”
            return None if self._is_behind(other) else at - 1
        if other.source is None and before.lower in {"and", "but"} and other.form == cue.form:
            return self._second_verb(cue, other, start)
        return None

    def _second_verb(self, cue: Cue, other: Cue, start: int) -> int | None:
        """Returns where ‘… and said …’ with the same subject ends the content before it."""
        at = other.clause_start
        first = self._content_start(other)
        leads = first is not None and (
            self.tokens[first].kind == "q" or self.tokens[first - 1].lower == "that"
        )
        only_quotes = all(t.kind != "w" for t in self.tokens[start : at - 1])
        things = bool(other.frames & {"np", "to"}) and self._only_noun(cue, start)
        if leads or only_quotes or things or other.lemma == "say":
            return self._comma_before(at - 1)
        return None

    def _comma_before(self, i: int) -> int:
        while i > 0 and (self.tokens[i - 1].text in _PAUSES or is_adverb(self.tokens[i - 1])):
            i -= 1
        return i

    def _only_noun(self, cue: Cue, start: int) -> bool:
        if not cue.frames & {"np", "to"}:
            return False
        previous = self.tokens[start - 1]
        if (
            previous.lower == "that"
            or self.tokens[start].kind == "q"
            or previous.text in {",", ":"}
        ):
            return False
        return not (cue.frames & {"say", "that"}) or not has_finite(self.tokens, start, self.size)

    def _noun_end(self, start: int, end: int) -> int:
        for i in range(start + 1, end):
            token = self.tokens[i]
            if token.text in {";", "—", "–", "--"}:
                return i
            if token.lower == "and" and i + 1 < end and self.tokens[i + 1].lower in lex.AUXILIARIES:
                return i  # “wants a discount and has not paid”
            if token.lower == "and" and self.tokens[i - 1].kind == "q" and self._leaves(i - 1):
                return i
            if (
                token.text == ","
                and i + 1 < end
                and self.tokens[i + 1].lower
                in {
                    "and",
                    "but",
                    "while",
                    "after",
                    "before",
                    "when",
                    "as",
                    "because",
                    "although",
                    "though",
                    "with",
                    "which",
                    "who",
                    "even",
                    "despite",
                    "in",
                    "at",
                    "on",
                    "during",
                    "where",
                    "then",
                    "yet",
                    "whose",
                    "a",
                    "an",
                }
            ):
                return i
            if token.lower in {"during", "after", "while", "when", "before", "but"}:
                return i
        return end

    def _without_relative(self, start: int, end: int) -> int:
        """Leaves out a last ", which …" of the reporter; one with a quotation in it stays."""
        for i in range(end - 1, start, -1):
            token = self.tokens[i]
            if token.kind == "q":
                return end
            if token.text == ",":
                following = self.tokens[i + 1].lower if i + 1 < end else ""
                return i if following in {"which", "who", "whose"} and i - start > 1 else end
        return end

    # hand over ------------------------------------------------------------------------------

    def _emit(self, content: Sequence[Range], cue: Cue, source: Range | None) -> None:
        spans: list[Span] = []
        for a, b in content:
            while a < b and self.tokens[a].kind == "p" and self.tokens[a].text in _EDGES:
                a += 1
            while b > a and self.tokens[b - 1].kind == "p" and self.tokens[b - 1].text in _EDGES:
                b -= 1
            if a < b:
                spans.append((self.tokens[a].start, self.tokens[b - 1].end))
        if source is not None:
            self.last_source = source
        if not spans:
            return
        self.found.append(
            Attribution(
                tuple(spans),
                (self.tokens[cue.start].start, self.tokens[cue.end - 1].end),
                None
                if source is None
                else (self.tokens[source[0]].start, self.tokens[source[1] - 1].end),
                speech=cue.lemma not in lex.MENTAL,
            )
        )
