"""Speakers: which person of an article "he" or "the top Russian diplomat" is.

A mention is looked up by full name, surname, pronoun and office, in this order, and only within the
article. A mention that fits nobody keeps its own words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from stance.quotes import lexicon as lex
from stance.quotes.page import Page, Token, tokenize
from stance.quotes.people import MOST, Person, Roster, is_name_word, split_role
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
_THIS_FAR: Final = 1500  # characters back in which a pronoun looks for its person


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

    def speaker(self, source: Span) -> Speaker:
        """Returns the speaker that a source range names.

        Args:
            source: The mention.
        """
        mention = self.page.article[slice(*source)]
        name, role = self._resolve(mention, source)
        return Speaker(name, mention, *source, role)

    def _resolve(self, mention: str, source: Span) -> tuple[str, str | None]:
        tokens = tokenize(self.page.article, *source)
        lower = mention.lower()
        if lower in {"he", "she", "they", "it", "who", "him", "her"}:
            return self._pronoun(lower, source)
        together = self._together(tokens)
        if together is not None:
            return together, None
        named = self._named(tokens)
        if named is not None:
            return named.name, named.roles[0] if named.roles else None
        described = self._described(tokens, source)
        if described is not None:
            return described.name, described.roles[0] if described.roles else None
        role, name = split_role(tokens)
        if name and role and all(token.is_capital for token in name):
            return " ".join(token.text for token in name), role
        return " ".join(mention.split()), None

    def _together(self, tokens: Sequence[Token]) -> str | None:
        """Returns "A and B" where two people speak as one, by their full names, or None."""
        joint = next((i for i, token in enumerate(tokens) if token.lower == "and"), None)
        if joint is None or any(token.kind == "q" for token in tokens):
            return None
        first, second = self._named(tokens[:joint]), self._named(tokens[joint + 1 :])
        if first is None or second is None or first is second:
            return None
        return f"{first.name} and {second.name}"

    def _named(self, tokens: Sequence[Token]) -> Person | None:
        """Returns the last person named in a mention before its first gap, or None."""
        i = 0
        best: Person | None = None
        while i < len(tokens):
            if not is_name_word(tokens[i]):
                if best is not None:
                    break
                i += 1
                continue
            end = self.run_end(tokens, i)
            run = tokens[i:end]
            i = max(end, i + 1)
            if not run or run[-1].is_possessive:
                continue  # “Putin’s spokesman” is not Putin
            if i < len(tokens) and tokens[i].lower in lex.ROLE_NOUNS | lex.GROUPS:
                continue  # “Trump aides” are not Trump
            best = self._person_of(run, tokens[0].start) or best
        return best

    def _person_of(self, run: Sequence[Token], at: int) -> Person | None:
        _, name = split_role(run)
        text = " ".join(token.text for token in name)
        if text in self.people:
            return self.people[text]
        people = self.by_surname.get(text.lower(), []) if len(name) == 1 else []
        return self._nearest(people, at) if people else None

    def _nearest(self, people: Sequence[Person], at: int) -> Person:
        before = [(_last_before(person.places, at), person) for person in people[:MOST]]
        return max(before, key=lambda pair: pair[0])[1]

    def _pronoun(self, pronoun: str, source: Span) -> tuple[str, str | None]:
        mention = self.page.article[slice(*source)]
        if pronoun in {"they", "it"}:
            group = self._last_group
            if group is not None and 0 <= source[0] - group[1] < _THIS_FAR:
                plural = " and " in group[0].name or group[0].name.split()[-1].endswith("s")
                if plural == (pronoun == "they"):
                    return group[0].name, group[0].role
            return mention, None
        if pronoun == "who":
            return mention, None
        wanted = "f" if pronoun in {"she", "her"} else "m"
        person = self._antecedent(source[0], wanted)
        if person is None:
            group = self._last_group
            if group is not None and source[0] - group[1] < _THIS_FAR and _may_be_person(group[0]):
                return group[0].name, group[0].role
            return mention, None
        return person.name, person.roles[0] if person.roles else None

    def _antecedent(self, at: int, wanted: str) -> Person | None:
        """Returns the person a pronoun stands for.

        Somebody named earlier in the sentence comes first, then who spoke last, then the first
        person named in the sentence before.
        """
        index = self.page.unit_index(at)
        here = self._fitting(self.page.units[index].start, at, wanted) if self.page.units else []
        if here:
            return here[0]
        spoke = None
        if self._last is not None and 0 <= at - self._last[1] < _THIS_FAR:
            candidate = self.people[self._last[0].name]
            if candidate.gender in {None, wanted}:
                spoke = candidate
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
                return found[0]
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
        for person in self.people.values():
            words = {
                word for role in person.roles for word in role.lower().replace("’", "'").split()
            }
            if not words & fitting or not demands <= words:
                continue
            place = _last_before(person.places, source[0])
            if place >= 0 and (best is None or place > best[0]):
                best = (place, person)
        return best[1] if best is not None else None


def _last_before(places: Sequence[int], at: int) -> int:
    index = bisect_right(places, at)
    return places[index - 1] if index else -1


def _may_be_person(speaker: Speaker) -> bool:
    """Whether a speaker whom nothing shows to be a person may still be "he": "Smith"."""
    words = speaker.name.split()
    return len(words) <= 2 and all(
        word[:1].isupper()
        and word.lower() not in lex.PLACE_NAMES | lex.ORGANISATIONS | lex.DEMONYMS | lex.NOT_NAMES
        for word in words
    )
