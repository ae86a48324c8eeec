"""The swap of countries: name, adjective, people, capital and cities together.

Places that ``data/invariance/countries.json`` lacks stay as they are.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from stance.evaluation.swap_edits import Dice, Edit, Edits, any_of, edit_both, like, word_list

#: What follows a noun rather than an adjective: "the French say" but "the French minister".
AFTER_NOUN: Final = frozenset(
    "a about agree agreed again all also and are as asked at be been but by can cannot could did "
    "do don't don’t for from gave get give had has have here if in into is know made may might "
    "must never no not of offer on once or ought over say saying says sell send shall should sign "
    "than that the then themselves there think to told tell until want wanted was we were what "
    "when where who will with would".split()
)
#: Names written with "the"; only names without it are put in.
WITH_THE: Final = frozenset(
    "United States|US|U.S.|USA|United Kingdom|UK|U.K.|Philippines|Netherlands|Emirates|UAE|"
    "United Arab Emirates|Gambia".split("|")
)
ABBREVIATED: Final = frozenset(("US", "U.S.", "UK", "U.K.", "UAE"))
#: Written with a vowel, spoken with "y": "a Ugandan".
SPOKEN_CONSONANT: Final = re.compile(r"Ugand|Ukrain|Urugu|Eu|Uni|US|UK|UA|U\.")


def country(text: str, context: str, seed: int | str) -> Edits | None:
    """Swaps every country named for another: name, adjective, people, capital and cities."""
    forms, pattern = _country_forms()
    named: dict[str, list[str]] = {}
    for match in pattern.finditer(f"{text}\n{context}"):
        form = match["form"]
        if form in forms:
            name, field = forms[form]
            cities = named.setdefault(name, [])
            if field == "cities" and form not in cities:
                cities.append(form)
    dice = Dice(seed)
    by_name = {entry["name"]: entry for entry in word_list("countries")["countries"]}
    chosen: dict[str, dict[str, Any]] = {}
    for name, cities in named.items():
        taken = {*named, *(entry["name"] for entry in chosen.values())}
        fitting = [
            entry
            for entry in by_name.values()
            if entry["target"]
            and entry["name"] not in taken
            and len(entry["cities"]) >= len(cities)
        ]
        if not fitting:
            return None
        chosen[name] = dice.pick(fitting)

    def edits(of: str) -> list[Edit]:
        found = []
        for match in pattern.finditer(of):
            if match["form"] in forms:
                name, field = forms[match["form"]]
                found.append(_country_edit(of, match, field, chosen[name], named[name]))
        return found

    return edit_both(text, context, edits)


@cache
def _country_forms() -> tuple[dict[str, tuple[str, str]], re.Pattern[str]]:
    """Returns form to (country, field), and a pattern that also meets what is kept."""
    forms: dict[str, tuple[str, str]] = {}
    lists = word_list("countries")
    for entry in lists["countries"]:
        for field in ("name", "capital", "people", "adjective", "aliases", "cities"):
            values = entry.get(field, [])
            for value in [values] if isinstance(values, str) else values:
                forms[value] = (entry["name"], "name" if field == "aliases" else field)
        for value in entry.get("capital_aliases", []):
            forms[value] = (entry["name"], "capital")
    words = any_of([*forms, *lists["keep"]])
    return forms, re.compile(rf"(?<!\w)(?P<lead>(?:[Tt]he|[Aa]n?)\s+)?(?P<form>{words})(?!\w)")


def _country_edit(
    of: str, match: re.Match[str], field: str, target: dict[str, Any], cities: list[str]
) -> Edit:
    lead, form = match["lead"] or "", match["form"]
    follower = re.match(r"\s+([\w’']+)", of[match.end() :])
    is_before_noun = follower is not None and follower[1] not in AFTER_NOUN
    article = lead.strip().lower()
    if field == "name" and form in ABBREVIATED and is_before_noun:
        field = "adjective"
    elif field == "adjective" and article == "the" and not is_before_noun:
        field = "people"  # "the French"
    elif field == "people" and is_before_noun and not form.endswith("s"):
        field = "adjective"  # "Chinese" is both
    new = target["cities"][cities.index(form)] if field == "cities" else target[field]
    if article == "the" and field == "name" and form in WITH_THE:
        lead = ""
    elif article in ("a", "an"):
        is_vowel = new[0] in "AEIOUÉ" and not SPOKEN_CONSONANT.match(new)
        lead = like(lead.strip(), "an" if is_vowel else "a") + lead[len(lead.rstrip()) :]
    return Edit(match.start(), match.end(), lead + new)
