"""Speakers: which person of an article "he" or "the top Russian diplomat" is.

A mention is looked up by full name, surname, pronoun and office, in this order, and only within the
article. A mention that fits nobody keeps its own words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from typing import Final, NamedTuple

from stance.quotes import lexicon as lex
from stance.quotes.page import Page, Token, tokenize
from stance.quotes.people import MOST, Person, Roster, is_name_word, run_end, split_role
from stance.text import Span
from stance.types import Speaker

# Words of a description and the role words they stand for.
_SYNONYMS: Final[dict[str, frozenset[str]]] = {
    "diplomat": lex.words("minister ambassador envoy representative diplomat secretary negotiator"),
    "official": lex.words(
        "minister secretary envoy representative official director spokesman deputy adviser "
        "ambassador"
    ),
    "leader": lex.words("president minister chancellor leader premier king chairman speaker prime"),
    "lawmaker": lex.words("senator congressman congresswoman representative mp lawmaker sen. rep."),
    "senator": lex.words("senator sen. sen"),
    "congressman": lex.words("congressman representative rep. rep"),
    "congresswoman": lex.words("congresswoman representative rep. rep"),
    "governor": lex.words("governor gov. gov"),
    "general": lex.words("general gen. gen"),
    "politician": lex.words("senator minister mp leader candidate president"),
    "premier": lex.words("premier minister"),
    "minister": lex.words("minister"),
    "secretary": lex.words("secretary"),
    "nominee": lex.words("nominee candidate"),
    "candidate": lex.words("nominee candidate"),
    "negotiator": lex.words("negotiator envoy"),
    "envoy": lex.words("envoy representative ambassador"),
    "spokesperson": lex.words("spokesman spokeswoman spokesperson"),
}
# How often each way of resolving a mention is right, rounded, on the training part of PolNeAR.
FULL_NAME: Final = 0.98
SURNAME: Final = 0.98
NAMESAKES: Final = 0.8
TOGETHER: Final = 0.9
ROLE: Final = 0.85
AS_WRITTEN: Final = 0.94
PRONOUN_SAME_SENTENCE: Final = 0.85
PRONOUN: Final = 0.83
PRONOUN_UNSURE: Final = 0.68
PRONOUN_GROUP: Final = 0.6
UNRESOLVED: Final = 0.2
_THIS_FAR: Final = 1500  # characters back in which a pronoun looks for its person


_VARIES: Final = frozenset({"former", "one-time", "veteran"})
_LONGEST_HANDLE: Final = 50  # characters
_PRONOUNS: Final = frozenset({"he", "she", "they", "it", "who", "him", "her"})
_NICKNAME_MARKS: Final = frozenset("\"“”‘’'«»")
_HOLDERS: Final = lex.ROLE_NOUNS | lex.GROUPS
_HELD: Final = lex.ROLE_NOUNS.union(*_SYNONYMS.values())
_NO_PERSON: Final = lex.PLACE_NAMES | lex.ORGANISATIONS | lex.DEMONYMS | lex.NOT_NAMES


class _Found(NamedTuple):
    """Whom a mention names: resolved name, role, and how sure that is."""

    name: str
    role: str | None
    sure: float


class Cast(Roster):
    """The people of one article and who spoke last."""

    def __init__(self, page: Page) -> None:
        """Reads the people off the article.

        Args:
            page: The article.
        """
        super().__init__(page)
        self._last: tuple[Speaker, int] | None = None
        self._last_group: tuple[Speaker, int] | None = None

    def heard(self, speaker: Speaker | None, at: int) -> None:
        """Notes who spoke last, for the pronouns after it."""
        if speaker is None:
            return
        if speaker.name in self.people:
            self._last = (speaker, at)
        elif speaker.mention.lower() not in lex.PRONOUNS:
            self._last_group = (speaker, at)

    def speaker(self, source: Span, trust: float = 1.0) -> Speaker:
        """Returns the speaker that a source range names.

        Args:
            source: The mention.
            trust: How likely it is the mention of the right speaker, in 0..1.
        """
        if self.page.article[max(0, source[0] - 1) : source[0]] == "@":
            source = source[0] - 1, source[1]
        mention = self.page.article[slice(*source)]
        name, role, sure = self._resolve(mention, source)
        return Speaker(name, mention, *source, role, round(sure * trust, 4))

    def _resolve(self, mention: str, source: Span) -> _Found:
        if mention.startswith("@"):
            owner = self._owner(mention[1:].lower())
            return _Found(mention, None, AS_WRITTEN) if owner is None else _of(owner, FULL_NAME)
        tokens = tokenize(self.page.article, *source)
        plain = _without_nickname(tokens)
        if plain is not tokens:
            tokens, mention = plain, " ".join(token.text for token in plain)
        lower = mention.lower()
        if lower in _PRONOUNS:
            return self._pronoun(lower, source)
        together = self._together(tokens)
        if together is not None:
            return _Found(together, None, TOGETHER)
        named = self._named(tokens)
        if named is not None:
            return named
        described = self._described(tokens, source)
        if described is not None:
            return _of(described, ROLE)
        varied = self._varied(tokens, source)
        if varied is not None:
            return _of(varied, PRONOUN_UNSURE)
        role, name = split_role(tokens)
        if name and role and all(token.is_capital for token in name):
            return _Found(" ".join(token.text for token in name), role, FULL_NAME)
        return _Found(" ".join(mention.split()), None, AS_WRITTEN)

    def _together(self, tokens: Sequence[Token]) -> str | None:
        """Returns "A and B" where two people speak as one, by their full names, or None."""
        joint = next((i for i, token in enumerate(tokens) if token.lower == "and"), None)
        if joint is None or any(token.kind == "q" for token in tokens):
            return None
        first, second = self._named(tokens[:joint]), self._named(tokens[joint + 1 :])
        if first is None or second is None or first.name == second.name:
            return None
        return f"{first.name} and {second.name}"

    def _named(self, tokens: Sequence[Token]) -> _Found | None:
        """Returns the last person named in a mention before its first gap, or None."""
        i = 0
        best: _Found | None = None
        while i < len(tokens):
            if not is_name_word(tokens[i]):
                if best is not None:
                    break
                i += 1
                continue
            end = run_end(tokens, i)
            run = tokens[i:end]
            is_of = i > 1 and tokens[i - 1].lower in lex.PREPOSITIONS
            i = max(end, i + 1)
            if is_of and best is None:
                continue  # “the wife of Putin” is not Putin
            if not run or run[-1].is_possessive:
                continue  # “Putin’s spokesman” is not Putin
            if i < len(tokens) and tokens[i].lower in _HOLDERS:
                continue  # “Trump aides” are not Trump
            best = self._person_of(run, tokens[0].start) or best
        return best

    def _person_of(self, run: Sequence[Token], at: int) -> _Found | None:
        _, name = split_role(run)
        text = " ".join(token.text for token in name)
        if text in self.people:
            return _of(self.people[text], FULL_NAME if len(name) > 1 else SURNAME)
        people = self.by_surname.get(text.lower(), []) if len(name) == 1 else []
        if not people:
            return None
        return _of(self._nearest(people, at), SURNAME if len(people) == 1 else NAMESAKES)

    def _nearest(self, people: Sequence[Person], at: int) -> Person:
        before = [(_last_before(person.places, at), person) for person in people[:MOST]]
        return max(before, key=lambda pair: pair[0])[1]

    def _pronoun(self, pronoun: str, source: Span) -> _Found:
        mention = self.page.article[slice(*source)]
        group = self._last_group
        is_near = group is not None and 0 <= source[0] - group[1] < _THIS_FAR
        if pronoun in {"they", "it"}:
            if group is not None and is_near:
                plural = " and " in group[0].name or group[0].name.split()[-1].endswith("s")
                if plural == (pronoun == "they"):
                    return _Found(group[0].name, group[0].role, PRONOUN_GROUP)
            return _Found(mention, None, UNRESOLVED)
        if pronoun == "who":
            return _Found(mention, None, UNRESOLVED)
        wanted = "f" if pronoun in {"she", "her"} else "m"
        found = self._antecedent(source[0], wanted)
        if found is not None:
            found[0].gender = found[0].gender or wanted  # so that the next “he” is somebody else
            return _of(*found)
        if group is not None and is_near and _may_be_person(group[0]):
            return _Found(group[0].name, group[0].role, PRONOUN_UNSURE)
        return _Found(mention, None, UNRESOLVED)

    def _antecedent(self, at: int, wanted: str) -> tuple[Person, float] | None:
        """Returns the person a pronoun stands for, and how sure that is.

        Somebody named earlier in the sentence comes first, then who spoke last, then the first
        person named in the sentence before.
        """
        index = self.page.unit_index(at)
        here = self._fitting(self.page.units[index].start, at, wanted) if self.page.units else []
        if here:
            return here[0], PRONOUN_SAME_SENTENCE if len(here) == 1 else PRONOUN
        spoke = None
        if self._last is not None and 0 <= at - self._last[1] < _THIS_FAR:
            candidate = self.people[self._last[0].name]
            if candidate.gender in {None, wanted}:
                spoke = candidate, PRONOUN if candidate.gender else PRONOUN_UNSURE
        for back in range(1, 9):
            if index - back < 0:
                break
            unit = self.page.units[index - back]
            if at - unit.end > _THIS_FAR:
                break
            if spoke is not None and self._last is not None and self._last[1] > unit.start:
                return spoke
            found = self._fitting(unit.start, unit.end, wanted)
            if found:
                sure = PRONOUN if found[0].gender and len(found) == 1 else PRONOUN_UNSURE
                return found[0], sure
        return spoke

    def _fitting(self, start: int, end: int, wanted: str) -> list[Person]:
        low, high = 0, len(self.subjects)
        while low < high:
            middle = (low + high) // 2
            if self.subjects[middle][0] < start:
                low = middle + 1
            else:
                high = middle
        found: list[Person] = []
        while low < len(self.subjects) and self.subjects[low][0] < end:
            person = self.subjects[low][1]
            if person.gender in {None, wanted} and person.confirmed:
                found.append(person)
            low += 1
        return sorted(found, key=lambda person: person.gender is None)

    def _owner(self, handle: str) -> Person | None:
        """Returns the person whose first name and surname a handle holds, or None."""
        if len(handle) > _LONGEST_HANDLE:
            return None
        for end in range(len(handle), 2, -1):
            for start in range(end - 2):
                # Looked up by its parts: an article may hold thousands of names.
                for person in self.by_surname.get(handle[start:end], ())[:MOST]:
                    if person.name.split()[0].lower() in handle[:start] + " " + handle[end:]:
                        return person
        return None

    def _varied(self, tokens: Sequence[Token], source: Span) -> Person | None:
        """Returns who spoke last in the paragraph when "the former minister" only varies the name.

        A description that begins like this is one of a person known already, and an article that
        tells nobody's past leaves only the one who is speaking.
        """
        if len(tokens) < 2 or self._last is None or tokens[0].lower != "the":
            return None
        if tokens[1].lower not in _VARIES or any(t.is_capital for t in tokens[1:]):
            return None
        unit, before = (self.page.unit_index(at) for at in (source[0], self._last[1] - 1))
        units = self.page.units
        near = units[unit].paragraph == units[before].paragraph
        return self.people[self._last[0].name] if near else None

    def _described(self, tokens: Sequence[Token], source: Span) -> Person | None:
        """Returns the person whose role fits "the top Russian diplomat", or None."""
        if len(tokens) < 2 or tokens[0].lower not in {"the", "this", "his", "her"}:
            return None
        if any(token.kind != "w" or token.lower in lex.PREPOSITIONS for token in tokens):
            return None
        head = tokens[-1].lower
        fitting = _SYNONYMS.get(head, frozenset({head}) if head in lex.ROLE_NOUNS else frozenset())
        if not fitting:
            return None
        demands = {
            token.lower
            for token in tokens[1:-1]
            if token.is_capital or token.lower in {"foreign", "prime", "defense", "defence", "vice"}
        } - {"gop"}
        best: tuple[int, Person] | None = None
        for role in fitting:
            places, people = self._holders.get(role, ([], []))
            high = bisect_right(places, source[0])
            for k in range(high - 1, max(-1, high - 1 - MOST), -1):
                if best is not None and places[k] <= best[0]:
                    break
                if demands <= _role_words(people[k]):
                    best = places[k], people[k]
                    break
        return best[1] if best is not None else None

    @cached_property
    def _holders(self) -> dict[str, tuple[list[int], list[Person]]]:
        """Role word to the places in order where its holders are named, and to the holders."""
        found: dict[str, list[tuple[int, Person]]] = {}
        for person in {id(person): person for person in self.people.values()}.values():
            for word in _role_words(person) & _HELD:
                found.setdefault(word, []).extend((at, person) for at in person.places)
        table = {}
        for word, pairs in found.items():
            pairs.sort(key=lambda pair: pair[0])
            table[word] = [at for at, _ in pairs], [person for _, person in pairs]
        return table


def _of(person: Person, sure: float) -> _Found:
    return _Found(person.name, person.roles[0] if person.roles else None, sure)


def _role_words(person: Person) -> set[str]:
    return {word for role in person.roles for word in role.lower().replace("’", "'").split()}


def _without_nickname(tokens: list[Token]) -> list[Token]:
    """Returns the words of a mention without a quoted nickname inside the name."""
    marks = [i for i, token in enumerate(tokens) if token.text in _NICKNAME_MARKS]
    if len(marks) != 2 or marks[0] == 0 or marks[1] + 1 >= len(tokens):
        return tokens
    before, after = tokens[marks[0] - 1], tokens[marks[1] + 1]
    if not before.is_capital or not after.is_capital:
        return tokens
    # moved together, so that first name and surname read as one run
    gap = after.start - before.end - 1
    moved = [t._replace(start=t.start - gap, end=t.end - gap) for t in tokens[marks[1] + 1 :]]
    return tokens[: marks[0]] + moved


def _last_before(places: Sequence[int], at: int) -> int:
    index = bisect_right(places, at)
    return places[index - 1] if index else -1


def _may_be_person(speaker: Speaker) -> bool:
    """Whether a speaker whom nothing shows to be a person may still be "he": "Smith"."""
    words = speaker.name.split()
    return len(words) <= 2 and all(
        word[:1].isupper() and word.lower() not in _NO_PERSON for word in words
    )
