"""The people of an article: names, roles and genders, read off runs of capitalised words.

Roles stand before a name ("Russian Deputy Foreign Minister Sergei Ryabkov") or in apposition
("Putin’s spokesman, Dmitry Peskov"; "Robert Wood, the US representative,"). Without a role, a known
first name makes a person, and so do two or three capitalised words of which the last one comes
again.

Only the capitalised words of a line are looked at one by one, and the words around them only where
a role may stand there: names are rare, and a news page is read some hundred times a second.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from stance.quotes import lexicon as lex
from stance.quotes import names
from stance.quotes.page import Page, Token, tokenize

_PARTICLES: Final = frozenset(
    "al bin ibn abu van von der den de del della di da dos du la le el ben ter zu st".split()
)
_OFFICE_WORDS: Final = frozenset({"of", "for", "to", "at"})
_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii"})
_FEMALE_ROLES: Final = lex.words(
    "spokeswoman chairwoman congresswoman businesswoman queen princess lady actress mrs ms miss "
    "mrs. ms. dame woman mother wife daughter sister widow"
)
_MALE_ROLES: Final = lex.words(
    "spokesman chairman congressman businessman king prince lord sir mr mr. man father husband son "
    "brother pope bishop archbishop cardinal ayatollah sheikh imam"
)
_FIRST_NAMES: Final = names.MALE | names.FEMALE
_BEFORE_ROLE: Final = lex.SUBORDINATORS | lex.PREPOSITIONS
_NO_ROLE_WORD: Final = (
    lex.DETERMINERS | lex.AUXILIARIES | lex.PRONOUNS | frozenset(lex.verb_forms())
)
_PLAIN_DETERMINERS: Final = lex.DETERMINERS - lex.POSSESSIVES
_PERSONAL: Final = lex.POSSESSIVES - {"its", "their"}
_NEVER_FIRST: Final = lex.POSSESSIVES | lex.PREPOSITIONS
_NEVER_ALONE: Final = lex.ORGANISATIONS | lex.DEMONYMS
_NEVER_FIRST_NAME: Final = (
    lex.DEMONYMS | lex.NOT_NAMES | lex.PLACE_NAMES | lex.words("new saint fort mount lake san los")
)
_NOT_NAMES: Final = lex.NOT_NAMES | {"said", "says"}
MOST: Final = 50  # namesakes, roles and holders of one role that are looked at: keeps it linear
_LONGEST_NAME: Final = 5  # words

_CAPITALISED = re.compile(r"[^\W\d_a-z][\w-]*(?:['’]\w+)*")
_CHUNK: Final = r"[^\W\d_a-z][^\s,;:!?()\[\]\"“”…—]{0,60}"
_SMALL: Final = "|".join(sorted(_PARTICLES | _OFFICE_WORDS | {"the"}))
_RUN = re.compile(rf"(?<!\w)(?<!\w['’&.-]){_CHUNK}(?:\s(?:(?:{_SMALL})\s){{0,3}}{_CHUNK}){{0,19}}")


_NICKNAMED = re.compile(
    r"(?<!\w)([A-Z][\w-]{1,30}) [“\"‘'«][^“”\"‘’'«»\n]{2,30}[”\"’'»] ([A-Z][\w-]{1,30})(?!\w)"
)
# The middle of the same: looked for first, for ``re`` skips to a character faster than to a word.
_NICKNAME = re.compile(r"[“\"‘'«](?<=[\w-] .)(?=[^“”\"‘’'«»\n]{2,30}[”\"’'»] [A-Z])")


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


class _Run(NamedTuple):
    """A run of capitalised words: its range in the text it was read from, role and name."""

    start: int
    end: int
    role: str
    name: tuple[str, ...]
    is_led: bool  # begins with the name
    is_possessive: bool


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
        self._by_parts: dict[tuple[str, str], Person] = {}
        self._titled: dict[str, str] = {}
        for start, end in page.all_lines:
            if end - start > 3 and not _is_title_case(page.article, start, end):
                self._read(start, end)
        reach = 0
        for nickname in _NICKNAME.finditer(page.article):
            # a name has at most 31 characters, a nickname with its marks and blanks 34
            at = nickname.start()
            nicknamed = _NICKNAMED.search(page.article, max(reach, at - 32), at + 66)
            if nicknamed is not None and nicknamed.start() < at < nicknamed.end():
                self._note_person(nicknamed.groups(), [])
                reach = nicknamed.end()
        self._add_titled()
        self._places()

    # reading the people ---------------------------------------------------------------------

    def _read(self, start: int, end: int) -> None:
        for match in _RUN.finditer(self.page.article, start, end):
            at = match.start()
            for run in _runs_of(match.group()):
                self._read_run(run, at, start, end)

    def _read_run(self, run: _Run, at: int, low: int, high: int) -> None:
        before = self._role_before(at + run.start, low) if run.is_led else ""
        if len(run.name) == 1:
            if run.role or before:
                self._note_surname_role(run.name[0], run.role or before)
            return
        if any(word.lower().strip(".") in lex.ORGANISATIONS for word in run.name):
            return
        first = run.name[0].lower()
        if first in _NEVER_FIRST_NAME or run.name[-1].lower() in lex.PLACE_NAMES:
            return
        after = "" if run.is_possessive else self._role_after(at + run.end, high)
        self._note_person(run.name, [found for found in (run.role, before, after) if found])

    def _note_person(self, words: Sequence[str], roles: Sequence[str]) -> None:
        text = " ".join(words)
        person = self.people.get(text)
        if person is None:
            # “Donald J. Trump” and “Donald Trump” are one; “Donald Trump Jr.” is another
            parts = (words[0].lower(), text.lower() if _is_junior(words) else _surname(text))
            person = self._by_parts.get(parts)
            if person is None:
                person = self._by_parts[parts] = Person(text)
                self.by_surname.setdefault(_surname(text), []).append(person)
            self.people[text] = person
        for role in roles:
            fresh = role not in person.roles and role.lower() not in lex.COURTESY
            if fresh and len(person.roles) < MOST:
                person.roles.append(role)
        person.confirmed = person.confirmed or words[0].lower() in _FIRST_NAMES or bool(roles)
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
        if last in lex.TITLES and surname.lower() not in _NEVER_ALONE:
            self._titled.setdefault(surname, role)
        for person in self.by_surname.get(surname.lower(), [])[:MOST]:
            if (
                len(person.roles) < MOST
                and role not in person.roles
                and role.lower() not in lex.COURTESY
            ):
                person.roles.append(role)
            person.gender = person.gender or gender_of("", role)

    def _role_before(self, at: int, low: int) -> str:
        """Returns "Putin’s spokesman" of ‘Putin’s spokesman, Dmitry Peskov’ and the like."""
        article = self.page.article
        if not _may_follow_role(article, at, low):
            return ""
        head = article[max(low, at - 150) : at]
        cut = 0 if at - low <= 150 else head.find(" ") + 1
        tokens = tokenize(article, at - len(head) + cut, at)
        last = len(tokens) - 1
        j = last
        if j >= 0 and tokens[j].text == ",":
            last -= 1
            j = _role_noun_before(tokens, last)
        if j < 0 or tokens[j].lower not in lex.ROLE_NOUNS or tokens[j].kind != "w":
            return ""
        limit = j - 10
        while j > 0 and j > limit:
            before = tokens[j - 1]
            if before.kind != "w" or before.lower in _BEFORE_ROLE or before.lower in _NO_ROLE_WORD:
                break
            j -= 1
        if j > 0 and tokens[j - 1].lower in _PERSONAL:
            return ""  # “his counterpart, X”: a role only beside the man it speaks of
        return article[tokens[j].start : tokens[last].end]

    def _role_after(self, at: int, high: int) -> str:
        """Returns "US representative" of ‘Robert Wood, the US representative,’."""
        article = self.page.article
        if article[at : at + 1] != ",":
            return ""
        window = article[at + 1 : min(high, at + 200)]
        if lex.ROLE_NOUNS.isdisjoint(
            window.lower().replace(",", " ").replace(". ", " ").replace(")", " ").split()
        ):
            return ""
        tokens = tokenize(article, at + 1, at + 1 + len(window))
        i = 0
        has_role = False
        while i < min(len(tokens), 18) and tokens[i].kind == "w":
            if tokens[i].lower in {"who", "which", "and", "said", "told"}:
                break
            if tokens[i].lower in lex.verb_forms() and tokens[i].lower not in lex.NOUN_LIKE:
                break
            has_role = has_role or tokens[i].lower in lex.ROLE_NOUNS
            i += 1
        if not has_role or i >= len(tokens) or tokens[i].text not in {",", ".", ")"}:
            return ""
        start = _apposition_start(tokens, i)
        return article[tokens[start].start : tokens[i - 1].end] if start is not None else ""

    def _places(self) -> None:
        """Notes where each person is named outside quotations, for the pronouns."""
        article = self.page.article
        regions = self.page.regions
        by_surname = self.by_surname
        region = 0
        previous, previous_end = "", -2
        for match in _CAPITALISED.finditer(article) if by_surname else ():
            word, start = match.group(), match.start()
            bare = word[:-2] if word.endswith(("'s", "’s")) else word
            first, first_end = previous, previous_end
            previous, previous_end = bare, match.end()
            people = by_surname.get(bare.lower())
            if people is None or not word[0].isupper():
                continue
            while region < len(regions) and regions[region].end <= start:
                region += 1
            if region < len(regions) and regions[region].start <= start:
                continue
            person = people[0]
            if len(people) > 1 and first_end == start - 1:
                person = self.people.get(f"{first} {bare}", person)
            # a surname by itself, later on, makes a person: never “Hampshire”, often “Lavrov”
            if person.places and first_end != start - 1:
                person.confirmed = True
            person.places.append(start)
            if bare == word:
                self.subjects.append((start, person))


def _may_follow_role(article: str, at: int, low: int) -> bool:
    """Whether a role noun stands right before an offset, or anywhere before a comma there."""
    if at - low < 3:
        return False
    if article[at - 2] != ",":
        return article[article.rfind(" ", low, at - 1) + 1 : at - 1].lower() in lex.ROLE_NOUNS
    words = article[max(low, at - 90) : at].lower().replace(",", " ").split()
    return not lex.ROLE_NOUNS.isdisjoint(words)


def _role_noun_before(tokens: Sequence[Token], last: int) -> int:
    """Returns where the role noun of “The top negotiator for peace in Syria, X,” stands."""
    j = last
    while (
        last - j < 8 and j > 0 and tokens[j].kind == "w" and tokens[j].lower not in lex.ROLE_NOUNS
    ):
        j -= 1
    if j < last and tokens[j + 1].lower not in {"of", "for", "to", "in", "at", "on"}:
        return last
    return j


def _apposition_start(tokens: Sequence[Token], end: int) -> int | None:
    """Returns where the role begins in the words after a name and a comma, or None for no role."""
    start = 0
    if tokens[0].lower in _PLAIN_DETERMINERS:
        start = 1
    elif tokens[0].lower in _NEVER_FIRST or (
        tokens[0].is_capital and not any(t.lower in lex.ROLE_NOUNS for t in tokens[:5])
    ):
        return None
    if tokens[start].is_capital and len(split_role(tokens[start:end])[1]) >= 2:
        return None  # a list of people: “Foreign Minister A, Defence Minister B, …”
    return start


@lru_cache(maxsize=8192)
def _runs_of(text: str) -> tuple[_Run, ...]:
    """Returns the runs of a stretch of capitalised words that hold a name."""
    tokens = tokenize(text, 0, len(text))
    found: list[_Run] = []
    i = 0
    while i < len(tokens):
        if not is_name_word(tokens[i]):
            i += 1
            continue
        end = run_end(tokens, i)
        role, name = split_role(tokens[i:end])
        if 0 < len(name) <= _LONGEST_NAME:
            words = (*(token.text for token in name[:-1]), _bare(name[-1]))
            is_led = not role and name[0] is tokens[i]
            last = tokens[end - 1]
            run = _Run(tokens[i].start, last.end, role, words, is_led, name[-1].is_possessive)
            found.append(run)
        i = max(end, i + 1)
    return tuple(found)


def run_end(tokens: Sequence[Token], start: int) -> int:
    """Returns where a run of capitalised words that begins at an index ends."""
    end = start + 1
    while end < len(tokens) and _run_goes_on(tokens, start, end):
        end += 1
    while end > start and not tokens[end - 1].is_capital:
        end -= 1
    return end


def _run_goes_on(tokens: Sequence[Token], start: int, i: int) -> bool:
    before, token = tokens[i - 1], tokens[i]
    if before.is_possessive or token.start - before.end > 1 or i - start > 20:
        return False
    if is_name_word(token):
        return True
    if i + 1 >= len(tokens) or token.kind != "w":
        return False
    if token.lower in _PARTICLES:
        return is_name_word(tokens[i + 1])
    if token.lower in _OFFICE_WORDS and _in_office(tokens, start, i):
        return is_name_word(tokens[i + 1]) or tokens[i + 1].lower == "the"
    return token.lower == "the" and before.lower in _OFFICE_WORDS


def _in_office(tokens: Sequence[Token], start: int, i: int) -> bool:
    """Whether an office goes on before an "of": in "Envoy for Arms", not in "Envoy Ana Costa"."""
    if tokens[i - 1].lower in lex.ROLE_NOUNS:
        return True
    for k in range(i - 1, start, -1):
        if tokens[k].lower in _FIRST_NAMES:
            return False
        if tokens[k].lower in _OFFICE_WORDS:
            return any(token.lower in lex.ROLE_NOUNS for token in tokens[start:k])
    return False


def _is_title_case(article: str, start: int, end: int) -> bool:
    """Whether a line is a headline In Title Case, whose runs of capitals are no names."""
    if end - start > 400 or not article[end - 1].isalnum():
        return False
    words = [token for token in tokenize(article, start, end) if token.kind == "w"]
    return 3 < len(words) <= 30 and sum(token.is_capital for token in words) > 0.65 * len(words)


def _is_junior(words: Sequence[str]) -> bool:
    return len(words) > 2 and words[-1].lower().strip(".") in _SUFFIXES


def _surname(name: str) -> str:
    parts = name.split()
    return parts[-2 if _is_junior(parts) else -1].lower()


def _bare(token: Token) -> str:
    if not token.is_possessive:
        return token.text
    return token.text[: -1 if token.text.endswith(("'", "’")) else -2]


def is_name_word(token: Token) -> bool:
    """Whether a word may be part of a name or of the title before it."""
    return token.is_capital and token.lower not in _NOT_NAMES


def split_role(run: Sequence[Token]) -> tuple[str, list[Token]]:
    """Cuts a run of capitalised words into role and name: "Foreign Minister" and "Sergei Lavrov".

    Returns:
        The role as written ("" when there is none), and the words of the name.
    """
    words = [token for token in run if token.kind == "w"]
    last_role = next(
        (i for i in range(len(words) - 1, -1, -1) if words[i].lower in lex.ROLE_NOUNS), -1
    )
    if last_role >= 0:
        rest = words[last_role + 1 :]
        if rest and (rest[0].lower in _OFFICE_WORDS or rest[0].lower == "the"):
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
        if rest[i].lower in _FIRST_NAMES:
            return i
    run = len(rest) - 1 - last_small
    return len(rest) - 2 if run >= 3 else len(rest)
