"""The people of an article: names, roles and genders, read off runs of capitalised words.

Roles stand before a name ("Russian Deputy Foreign Minister Sergei Ryabkov") or in apposition
("Putin’s spokesman, Dmitry Peskov"; "Robert Wood, the US representative,"). Without a role, a known
first name makes a person, and so do two or three capitalised words of which the last one comes
again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from stance.quotes import lexicon as lex
from stance.quotes import names
from stance.quotes.page import Page, Token, tokenize

_PARTICLES: Final = frozenset(
    "al bin ibn abu van von der den de del della di da dos du la le el ben ter zu st".split()
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
MOST: Final = 50  # namesakes, roles and holders of one role that are looked at: keeps it linear
_CAPITALISED = re.compile(r"[^\W\d_a-z][\w-]*(?:['’]\w+)*")


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
    if first in names.FEMALE and first not in names.MALE:
        return "f"
    if first in names.MALE and first not in names.FEMALE:
        return "m"
    return None


class Roster:
    """The people of one article."""

    def __init__(self, page: Page) -> None:
        """Reads every person off the article, furniture included: captions give full names.

        Args:
            page: The article.
        """
        self.page = page
        self.people: dict[str, Person] = {}
        self.by_surname: dict[str, list[Person]] = {}
        self.subjects: list[tuple[int, Person]] = []
        self.by_role: dict[str, list[Person]] = {}
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
            if not is_name_word(tokens[i]):
                i += 1
                continue
            end = self.run_end(tokens, i)
            self._read_run(tokens, i, end)
            i = max(end, i + 1)

    def run_end(self, tokens: Sequence[Token], start: int) -> int:
        """Returns where a run of capitalised words that begins at an index ends."""
        end = start + 1
        while end < len(tokens) and self._run_goes_on(tokens, start, end):
            end += 1
        while end > start and not tokens[end - 1].is_capital:
            end -= 1
        return end

    def _run_goes_on(self, tokens: Sequence[Token], start: int, i: int) -> bool:
        before, token = tokens[i - 1], tokens[i]
        if before.is_possessive or token.start - before.end > 1 or i - start > 20:
            return False
        if is_name_word(token):
            return True
        if i + 1 >= len(tokens) or token.kind != "w":
            return False
        if token.lower in _PARTICLES:
            return is_name_word(tokens[i + 1])
        is_office = any(t.lower in lex.ROLE_NOUNS for t in tokens[start:i])
        if token.lower in {"of", "for", "to", "at"} and is_office:
            return is_name_word(tokens[i + 1]) or tokens[i + 1].lower == "the"
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
            if fresh and len(person.roles) < MOST:
                person.roles.append(role)
        known = words[0].lower() in names.MALE | names.FEMALE
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
        for person in self.by_surname.get(surname.lower(), [])[:MOST]:
            if (
                len(person.roles) < MOST
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
                self.subjects.append((start, person))
        for person in self.people.values():
            person.confirmed = person.confirmed or len(person.places) > 1
            for word in {word for role in person.roles for word in role.lower().split()}:
                self.by_role.setdefault(word, []).append(person)


def _is_title_case(tokens: Sequence[Token]) -> bool:
    """Whether a line is a headline In Title Case, whose runs of capitals are no names."""
    words = [token for token in tokens if token.kind == "w"]
    return (
        3 < len(words) <= 30
        and sum(token.is_capital for token in words) > 0.65 * len(words)
        and words[-1].end == tokens[-1].end
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


def is_name_word(token: Token) -> bool:
    """Whether a word may be part of a name or of the title before it."""
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
    last_small = max((i for i, token in enumerate(rest) if not token.is_capital), default=-1)
    for i in range(last_small + 1, len(rest) - 1):
        if rest[i].lower in names.MALE | names.FEMALE:
            return i
    run = len(rest) - 1 - last_small
    return len(rest) - 2 if run >= 3 else len(rest)
