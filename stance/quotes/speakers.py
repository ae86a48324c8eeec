"""Speakers: the people of an article, and which of them "he" or "the top Russian diplomat" is.

People are read off runs of capitalised words: role words before a name ("Russian Deputy Foreign
Minister Sergei Ryabkov"), a role in apposition ("Putin’s spokesman, Dmitry Peskov"; "Robert Wood, the
US representative,"), a known first name, or simply two or three capitalised words. A mention that fits
nobody keeps its own words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from stance.quotes import lexicon as lex
from stance.quotes.page import Page, Token, tokenize
from stance.text import Span
from stance.types import Speaker

_PARTICLES: Final = frozenset(
    "al bin ibn abu van von der den de del della di da dos du la le el ben ter zu st".split()
)
_ROLE_OBJECTS: Final = lex.words(
    "state defense defence treasury foreign affairs interior energy commerce labor education "
    "justice "
    "health transportation agriculture trade finance war parliament congress staff"
)
_FEMALE_ROLES: Final = lex.words(
    "spokeswoman chairwoman congresswoman businesswoman queen princess lady actress mrs ms miss "
    "mrs. ms. "
    "dame woman mother wife daughter sister widow"
)
_MALE_ROLES: Final = lex.words(
    "spokesman chairman congressman businessman king prince lord sir mr mr. man father husband son "
    "brother pope bishop archbishop cardinal ayatollah sheikh imam"
)
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
_MOST: Final = 50  # namesakes, roles and holders of one role that are looked at: keeps it linear
_CAPITALISED = re.compile(r"[^\W\d_a-z][\w-]*(?:['’]\w+)*")
_THIS_FAR: Final = 1500  # characters back in which a pronoun looks for its person


@dataclass(slots=True)
class Person:
    """One person of the article.

    Attributes:
        name: Full name without role words.
        roles: Roles as written, first one first.
        gender: ``m``, ``f`` or None.
        places: Where the name (or the surname) stands: start offsets in order.
        confirmed: Whether a role, a first name or a later surname shows that it is a person.
    """

    name: str
    roles: list[str] = field(default_factory=list)
    gender: str | None = None
    places: list[int] = field(default_factory=list)
    confirmed: bool = False


def gender_of(name: str, role: str = "") -> str | None:
    """Returns ``m`` or ``f`` by role words and first name, or None when they do not tell."""
    role_words = role.lower().split()
    if any(word in _FEMALE_ROLES for word in role_words):
        return "f"
    if any(word in _MALE_ROLES for word in role_words):
        return "m"
    parts = name.lower().split()
    first = parts[0] if len(parts) > 1 else ""
    if first in lex.FEMALE_NAMES and first not in lex.MALE_NAMES:
        return "f"
    if first in lex.MALE_NAMES and first not in lex.FEMALE_NAMES:
        return "m"
    return None


class Cast:
    """The people of one article and who spoke last."""

    def __init__(self, page: Page) -> None:
        """Reads every person off the article, furniture included: captions give full names.

        Args:
            page: The article.
        """
        self.page = page
        self.people: dict[str, Person] = {}
        self.by_surname: dict[str, list[Person]] = {}
        self._subjects: list[tuple[int, Person]] = []
        self._last: tuple[Speaker, int] | None = None
        self._last_group: tuple[Speaker, int] | None = None
        self._titled: dict[str, str] = {}
        for start, end in page.all_lines:
            tokens = tokenize(page.article, start, min(end, start + 200_000))
            if not _is_title_case(tokens):
                self._read(tokens)
        self._add_titled()
        self._places()

    # reading the people ---------------------------------------------------------------------

    def _read(self, tokens: Sequence[Token]) -> None:
        i = 0
        while i < len(tokens):
            if not _is_name_word(tokens[i]):
                i += 1
                continue
            end = self._run_end(tokens, i)
            self._read_run(tokens, i, end)
            i = max(end, i + 1)

    def _run_goes_on(self, tokens: Sequence[Token], start: int, i: int) -> bool:
        before, token = tokens[i - 1], tokens[i]
        if before.is_possessive or token.start - before.end > 1 or i - start > 20:
            return False
        if _is_name_word(token):
            return True
        if i + 1 >= len(tokens) or token.kind != "w":
            return False
        if token.lower in _PARTICLES:
            return _is_name_word(tokens[i + 1])
        is_office = any(t.lower in lex.ROLE_NOUNS for t in tokens[start:i])
        if token.lower in {"of", "for", "to", "at"} and is_office:
            return _is_name_word(tokens[i + 1]) or tokens[i + 1].lower == "the"
        return token.lower == "the" and before.lower in {"of", "for", "to", "at"}

    def _read_run(self, tokens: Sequence[Token], start: int, end: int) -> None:
        role, name = split_role(tokens[start:end])
        if not name or len(name) > 5:
            return
        words = [*(token.text for token in name[:-1]), _bare(name[-1])]
        led = not role and name[0] is tokens[start]
        before = self._role_before(tokens, start) if led else ""
        after = "" if name[-1].is_possessive else self._role_after(tokens, end)
        if len(words) == 1:
            if role or before:
                self._note_surname_role(words[0], role or before)
            return
        if any(word.lower().strip(".") in lex.ORGANISATIONS for word in words):
            return
        if name[0].lower in lex.DEMONYMS or name[0].lower in lex.NOT_NAMES:
            return
        self._note_person(words, [found for found in (role, before, after) if found])

    def _note_person(self, words: Sequence[str], roles: Sequence[str]) -> None:
        text = " ".join(words)
        person = self.people.get(text)
        if person is None:
            person = self.people[text] = Person(text)
            self.by_surname.setdefault(_surname(text), []).append(person)
        for role in roles:
            fresh = role not in person.roles and role.lower() not in lex.COURTESY
            if fresh and len(person.roles) < _MOST:
                person.roles.append(role)
        known = words[0].lower() in lex.MALE_NAMES | lex.FEMALE_NAMES
        person.confirmed = person.confirmed or known or bool(roles)
        person.gender = person.gender or gender_of(text, " ".join(roles))

    def _add_titled(self) -> None:
        """Adds people whom the article names by a title and a surname only ("Mr. Obama")."""
        for surname, role in self._titled.items():
            if surname.lower() in self.by_surname:
                continue
            person = Person(surname, [] if role.lower() in lex.COURTESY else [role], confirmed=True)
            person.gender = gender_of("", role)
            self.people[surname] = person
            self.by_surname[surname.lower()] = [person]

    def _note_surname_role(self, surname: str, role: str) -> None:
        last = role.split()[-1].lower()
        if last in lex.TITLES and surname.lower() not in lex.ORGANISATIONS | lex.DEMONYMS:
            self._titled.setdefault(surname, role)
        for person in self.by_surname.get(surname.lower(), [])[:_MOST]:
            if (
                len(person.roles) < _MOST
                and role not in person.roles
                and role.lower() not in lex.COURTESY
            ):
                person.roles.append(role)
            person.gender = person.gender or gender_of("", role)

    def _role_before(self, tokens: Sequence[Token], start: int) -> str:
        """Returns "Putin’s spokesman" of ‘Putin’s spokesman, Dmitry Peskov’ and the like."""
        j = start - 1
        last = j
        if j >= 0 and tokens[j].text == ",":
            j = last = j - 1
            # “The top negotiator for peace in Syria, X,”: back over the phrases after the role
            while (
                last - j < 8
                and j > 0
                and tokens[j].kind == "w"
                and (tokens[j].lower not in lex.ROLE_NOUNS)
            ):
                j -= 1
            if j < last and tokens[j + 1].lower not in {"of", "for", "to", "in", "at", "on"}:
                j = last
        if j < 0 or tokens[j].lower not in lex.ROLE_NOUNS or tokens[j].kind != "w":
            return ""
        end = last + 1
        limit = j - 10
        while j > 0 and j > limit:
            before = tokens[j - 1]
            if before.kind != "w" or before.lower in lex.SUBORDINATORS | lex.PREPOSITIONS:
                break
            if before.lower in lex.DETERMINERS or before.lower in lex.AUXILIARIES:
                break
            if before.lower in lex.PRONOUNS or before.lower in lex.verb_forms():
                break
            j -= 1
        if j > 0 and tokens[j - 1].lower in lex.POSSESSIVES:
            return ""  # “his counterpart, X”: a role only beside the man it speaks of
        return self.page.article[tokens[j].start : tokens[end - 1].end]

    def _role_after(self, tokens: Sequence[Token], end: int) -> str:
        """Returns "US representative" of ‘Robert Wood, the US representative,’."""
        if end >= len(tokens) - 1 or tokens[end].text != ",":
            return ""
        i = start = end + 1
        has_role = False
        while i < len(tokens) and i - start < 18 and tokens[i].kind == "w":
            if tokens[i].lower in {"who", "which", "and", "said", "told"}:
                break
            if tokens[i].lower in lex.verb_forms() and tokens[i].lower not in lex.NOUN_LIKE:
                break
            has_role = has_role or tokens[i].lower in lex.ROLE_NOUNS
            i += 1
        if not has_role or i >= len(tokens) or tokens[i].text not in {",", ".", ")"}:
            return ""
        if tokens[start].lower in lex.DETERMINERS - lex.POSSESSIVES:
            start += 1
        elif tokens[start].is_capital and not any(
            t.lower in lex.ROLE_NOUNS for t in tokens[start : start + 5]
        ):
            return ""
        elif tokens[start].lower in lex.POSSESSIVES | lex.PREPOSITIONS:
            return ""
        if len(split_role(tokens[start:i])[1]) >= 2 and tokens[start].is_capital:
            return ""  # a list of people: “Foreign Minister A, Defence Minister B, …”
        return self.page.article[tokens[start].start : tokens[i - 1].end]

    def _places(self) -> None:
        """Notes where each person is named outside quotations, for the pronouns."""
        article = self.page.article
        regions = self.page.regions
        region = 0
        before = ("", -2)
        for match in _CAPITALISED.finditer(article) if self.by_surname else ():
            word, start = match.group(), match.start()
            bare = word[:-2] if word.endswith(("'s", "’s")) else word
            previous, before = before, (bare, match.end())
            people = self.by_surname.get(bare.lower())
            if people is None or not word[0].isupper():
                continue
            while region < len(regions) and regions[region].end <= start:
                region += 1
            if region < len(regions) and regions[region].start <= start:
                continue
            person = people[0]
            if len(people) > 1 and previous[1] == start - 1:
                person = self.people.get(f"{previous[0]} {bare}", person)
            person.places.append(start)
            if bare == word:
                self._subjects.append((start, person))
        self._by_role: dict[str, list[Person]] = {}
        for person in self.people.values():
            person.confirmed = person.confirmed or len(person.places) > 1
            for word in {word for role in person.roles for word in role.lower().split()}:
                self._by_role.setdefault(word, []).append(person)

    # resolving ------------------------------------------------------------------------------

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

    def _named(self, tokens: Sequence[Token]) -> Person | None:
        """Returns the last person named in a mention before its first gap, or None."""
        i = 0
        best: Person | None = None
        while i < len(tokens):
            if not _is_name_word(tokens[i]):
                if best is not None:
                    break
                i += 1
                continue
            end = self._run_end(tokens, i)
            run = tokens[i:end]
            i = max(end, i + 1)
            if not run or run[-1].is_possessive:
                continue  # “Putin’s spokesman” is not Putin
            if i < len(tokens) and tokens[i].lower in lex.ROLE_NOUNS | lex.GROUPS:
                continue  # “Trump aides” are not Trump
            best = self._person_of(run, tokens[0].start) or best
        return best

    def _run_end(self, tokens: Sequence[Token], start: int) -> int:
        end = start + 1
        while end < len(tokens) and self._run_goes_on(tokens, start, end):
            end += 1
        while end > start and not tokens[end - 1].is_capital:
            end -= 1
        return end

    def _person_of(self, run: Sequence[Token], at: int) -> Person | None:
        _, name = split_role(run)
        text = " ".join(token.text for token in name)
        if text in self.people:
            return self.people[text]
        people = self.by_surname.get(text.lower(), []) if len(name) == 1 else []
        return self._nearest(people, at) if people else None

    def _nearest(self, people: Sequence[Person], at: int) -> Person:
        before = [(_last_before(person.places, at), person) for person in people[:_MOST]]
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
        low, high = 0, len(self._subjects)
        while low < high:
            middle = (low + high) // 2
            if self._subjects[middle][0] < start:
                low = middle + 1
            else:
                high = middle
        found: list[Person] = []
        while low < len(self._subjects) and self._subjects[low][0] < end:
            person = self._subjects[low][1]
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


def _is_title_case(tokens: Sequence[Token]) -> bool:
    """Whether a line is a headline In Title Case, whose runs of capitals are no names."""
    words = [token for token in tokens if token.kind == "w"]
    return (
        3 < len(words) <= 30
        and sum(token.is_capital for token in words) > 0.65 * len(words)
        and words[-1].end == tokens[-1].end
    )


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


def _surname(name: str) -> str:
    parts = name.split()
    last = parts[-1]
    if last.lower().strip(".") in {"jr", "sr", "ii", "iii"} and len(parts) > 2:
        last = parts[-2]
    return last.lower()


def _bare(token: Token) -> str:
    if not token.is_possessive:
        return token.text
    return token.text[: -1 if token.text.endswith(("'", "’")) else -2]


def _is_name_word(token: Token) -> bool:
    return (
        token.is_capital
        and token.lower not in lex.NOT_NAMES
        and not (token.lower in lex.verb_forms() and token.lower in {"said", "says"})
    )


def split_role(run: Sequence[Token]) -> tuple[str, list[Token]]:
    """Cuts a run of capitalised words into role and name: "Foreign Minister" and "Sergei Lavrov".

    Returns:
        The role as written ("" when there is none), and the words of the name.
    """
    words = [token for token in run if token.kind == "w"]
    if len(words) != len(run):
        nicknames = [token for token in run if token.kind == "p"]
        if any(token.text not in {"-", "'", "’"} for token in nicknames):
            run = words
    last_role = max(
        (i for i, token in enumerate(words) if token.lower in lex.ROLE_NOUNS and i < len(words)),
        default=-1,
    )
    if last_role >= 0:
        rest = words[last_role + 1 :]
        prepositions = {"of", "for", "to", "at", "the"}
        if rest and rest[0].lower in prepositions:
            cut = _name_after_office(rest)
            role_words, name = words[: last_role + 1] + rest[:cut], rest[cut:]
        else:
            role_words, name = words[: last_role + 1], rest
    else:
        cut = 0
        while cut < len(words) - 1 and (
            words[cut].lower in lex.DEMONYMS or words[cut].lower in lex.NOT_NAMES
        ):
            cut += 1
        role_words, name = [], words[cut:]
    role = " ".join(token.text for token in role_words)
    return role, list(name)


def _name_after_office(rest: Sequence[Token]) -> int:
    """Returns where the name begins in "for Arms Control Marshall Billingslea", or the end."""
    last_small = max(i for i, token in enumerate(rest) if not token.is_capital)
    for i in range(last_small + 1, len(rest) - 1):
        if rest[i].lower in lex.MALE_NAMES | lex.FEMALE_NAMES:
            return i
    run = len(rest) - 1 - last_small
    if run >= 3 or (run == 3 and rest[last_small + 1].lower in _ROLE_OBJECTS):
        return len(rest) - 2
    return len(rest)
