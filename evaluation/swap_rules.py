"""The seven changes that must not move a label: what each puts in the place of what.

Each takes the quote, its context and a seed and returns the edits of both, or None where nothing
applies. The words come from ``data/invariance/*.json``. A word is changed in the same way wherever
it stands, so a quote that stands in its context word for word still does after the change.

The method is the invariance test of behavioural testing: a change that keeps the meaning must keep
the answer. Weak spots: no parser stands behind the rules ("her" is told to be "his" or "him" by the
next word), and places that the lists lack stay; the committed rows were therefore read one by one.

Source: Ribeiro et al., Beyond Accuracy: Behavioral Testing of NLP Models with CheckList (2020),
https://aclanthology.org/2020.acl-main.442
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Final

from stance.evaluation.swap_countries import country
from stance.evaluation.swap_edits import Dice, Edit, Edits, any_of, edit_both, like, word_list

Rule = Callable[[str, str, "int | str"], "Edits | None"]

WORDS_PER_TYPO: Final = 12
SHORTEST_TYPO_WORD: Final = 5
#: Words that carry the stance: a slip in one of them could change what is said.
STANCE_WORDS: Final = frozenset(
    "after again agree agreed always before cannot could either except every least might "
    "neither never nobody nothing nowhere only otherwise provided rather reject rejected refuse "
    "refused shall should since still their there these those though under unless until whatever "
    "whether which while within without would yet accept accepted welcome condition first where "
    "barring assuming exchange return once soon long if not but no nor none hardly barely "
    "contingent depend depends subject hinges hinge means unacceptable ruled".split()
)
#: In lower case these abbreviations would be read as other words.
NOT_LOWERED: Final = re.compile(r"\b(?:US|IT|WHO|AIDS|ICE|ARM|MEN|ALL)\b")
#: What follows "her" where it stands for "him" and not for "his".
AFTER_HIM: Final = frozenset(
    "a about after again all an and any anything as at back be because before but by come do down "
    "everything for from go how if in into is it make no not nothing of off on once or out over "
    "right say so speak than that the there through to today tomorrow tonight twice under until up "
    "was what when where whether which who why will with would yesterday".split()
)


def name(text: str, context: str, seed: int | str) -> Edits | None:
    """Swaps the names after titles; where there is none, names the speaker in the context."""
    lists = word_list("names")
    dice = Dice(seed)
    person = r"[A-ZÀ-Þ][\w’'-]*[^\W_]"
    pattern = re.compile(
        rf"(?<!\w)(?:{any_of(lists['titles'])})\s+(?P<name>{person}(?:\s+{person})*)"
    )
    new: dict[str, str] = {}

    def edits(of: str) -> list[Edit]:
        found = []
        for match in pattern.finditer(of):
            whole = re.sub(r"['’]s$", "", match["name"])
            last = whole.split()[-1]
            if {*whole.split()} & {*lists["not_names"]}:
                continue
            if last not in new:
                new[last] = dice.pick([one for one in lists["surnames"] if one != last])
            # Of a full name only the surname is changed, so that one person stays one.
            start = match.start("name") + len(whole) - len(last)
            found.append(Edit(start, start + len(last), new[last]))
        return found

    return edit_both(text, context, edits) or _name_the_speaker(text, context, dice)


def _name_the_speaker(text: str, context: str, dice: Dice) -> Edits | None:
    """Returns the edit that adds a name: "the envoy said" becomes "the envoy, Ana Quispe, said"."""
    lists = word_list("names")
    roles, verbs = any_of(lists["roles"]), any_of(lists["verbs"])
    described = rf"(?:[Tt]he|[Aa]n?|[Hh]is|[Hh]er|\w+[’']s)\s+(?:[\w’'-]+\s+){{0,5}}?(?:{roles})"
    at = _place(text, context)
    for shape, tail in (
        (rf"(?<!\w){described}(?=\s+(?:{verbs})\b)", ","),
        (rf"\b(?:{verbs})\s+{described}(?=[.])", ""),
    ):
        for match in re.finditer(shape, context):
            if at is not None and match.start() < at[1] and at[0] < match.end():
                continue
            around = context if at is None else context[: at[0]] + " " + context[at[1] :]
            is_woman = re.search(r"\b(?:she|her|\w+woman)\b", around, re.IGNORECASE)
            is_man = re.search(r"\b(?:he|him|his|\w+man)\b", around, re.IGNORECASE)
            fitting = [
                one["name"]
                for one in lists["people"]
                if not (is_woman and one["gender"] == "male")
                and not (is_man and not is_woman and one["gender"] == "female")
            ]
            return Edits([], [Edit(match.end(), match.end(), f", {dice.pick(fitting)}{tail}")])
    return None


def gender(text: str, context: str, seed: int | str) -> Edits | None:
    """Swaps masculine and feminine words; ``seed`` is not used."""
    swapped, pattern = _gender_forms()

    def edits(of: str) -> list[Edit]:
        found = []
        for match in pattern.finditer(of):
            word = match[0].lower()
            following = re.match(r"\s+([^\W\d_]+)", of[match.end() :])
            if word == "her":
                is_object = following is None or following[1].lower() in AFTER_HIM
                new = "him" if is_object else "his"
            elif word == "his":
                new = "her" if following is not None else "hers"
            else:
                new = swapped.get(word, "")
            if new:
                found.append(Edit(match.start(), match.end(), like(match[0], new)))
        return found

    return edit_both(text, context, edits)


@cache
def _gender_forms() -> tuple[dict[str, str], re.Pattern[str]]:
    lists = word_list("gender")
    swapped = {"him": "her", "hers": "his"}
    for pair in lists["pairs"]:
        swapped.setdefault(pair["masculine"], pair["feminine"])
        if not pair.get("one_way"):
            swapped.setdefault(pair["feminine"], pair["masculine"])
    swapped.update(lists["also_feminine"])
    words = any_of([*swapped, "her", "his", *lists["keep"]])
    return swapped, re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)


def capitals(text: str, context: str, seed: int | str) -> Edits | None:
    """Puts everything in capitals or everything in small letters."""
    both = f"{text}\n{context}"
    up = NOT_LOWERED.search(both) is not None or Dice(seed).pick((True, False))
    change = str.upper if up else str.lower
    if change(both) == both:
        change = str.lower if up else str.upper

    def edits(of: str) -> list[Edit]:
        new = ((at, change(letter)) for at, letter in enumerate(of))
        return [Edit(at, at + 1, letter) for at, letter in new if letter != of[at]]

    return edit_both(text, context, edits)


QUOTATION_STYLES: Final = {"straight": '""', "curly": "“”", "guillemets": "«»", "single": "‘’"}


def quotation(text: str, context: str, seed: int | str) -> Edits | None:
    """Changes double quotation marks, straight, curly or «», to another of those or to ‘ ’.

    Apostrophes follow: straight with straight marks, curly with curly ones.
    """
    both = f"{text}\n{context}"
    if not re.search(r"[\"“”«»]", both):
        return None
    present = {style for style, marks in QUOTATION_STYLES.items() if marks[0] in both}
    style = Dice(seed).pick([one for one in QUOTATION_STYLES if one not in present] or ["curly"])
    marks = QUOTATION_STYLES[style]

    def edits(of: str) -> list[Edit]:
        found = []
        for match in re.finditer(r"[\"“”«»]|(?<=\w)['’]|['’](?=\d\d\b)", of):
            sign, at = match[0], match.start()
            if sign in "'’":
                new = {"straight": "'", "guillemets": sign}.get(style, "’")
            elif sign == '"':
                is_opening = at == 0 or of[at - 1].isspace() or of[at - 1] in "([{—–-\"“‘'"
                new = marks[0 if is_opening else 1]
            else:
                new = marks[0 if sign in "“«" else 1]
            if new != sign:
                found.append(Edit(at, at + 1, new))
        return found

    return edit_both(text, context, edits)


def spelling(text: str, context: str, seed: int | str) -> Edits | None:
    """Turns British spellings American; where there is none, American ones British.

    ``seed`` is not used.
    """
    lists = word_list("spelling")
    to_american = {pair["british"]: pair["american"] for pair in lists["pairs"]}
    to_british: dict[str, str] = {}
    for pair in lists["pairs"]:
        if not pair.get("one_way"):
            to_british.setdefault(pair["american"], pair["british"])

    for table in (to_american, to_british):
        pattern = _spelling_pattern(tuple(table), tuple(lists["keep"]))

        def edits(
            of: str, table: dict[str, str] = table, pattern: re.Pattern[str] = pattern
        ) -> list[Edit]:
            return [
                Edit(match.start(), match.end(), like(match[0], table[match[0].lower()]))
                for match in pattern.finditer(of)
                if match[0].lower() in table
            ]

        found = edit_both(text, context, edits)
        if found is not None:
            return found
    return None


@cache
def _spelling_pattern(words: tuple[str, ...], keep: tuple[str, ...]) -> re.Pattern[str]:
    # "Mr." is American already, and "dr" never ends a British sentence.
    return re.compile(rf"(?<!\w)(?:{any_of([*words, *keep])})(?!\w)(?<!(?i:mr|dr|ms)(?=\.))", re.I)


def typos(text: str, context: str, seed: int | str) -> Edits | None:
    """Makes one slip of the keyboard in every 12 words of the quote, never in a stance word.

    Names and words under 5 letters stay as well. A quote of under 12 words, or one that does not
    stand in its context word for word, gives None.
    """
    count = len(text.split()) // WORDS_PER_TYPO
    at = _place(text, context)
    words = [
        match
        for match in re.finditer(rf"(?<![\w’'-])[a-z]{{{SHORTEST_TYPO_WORD},}}(?![\w’'-])", text)
        if match[0] not in STANCE_WORDS
    ]
    if (context and at is None) or not count or not words:
        return None
    dice = Dice(seed)
    found: list[Edit] = []
    for _ in range(min(count, len(words))):
        match = dice.pick(words)
        words.remove(match)
        found.append(Edit(match.start(), match.end(), _slip(match[0], dice)))
    found.sort()
    start = at[0] if at is not None else 0
    moved = [Edit(start + edit.start, start + edit.end, edit.new) for edit in found]
    return Edits(found, moved if context else [])


def _slip(word: str, dice: Dice) -> str:
    """Returns the word with two inner letters swapped, one left out, or one typed twice."""
    inner = range(1, len(word) - 1)
    position = dice.pick(inner)
    kind = dice.pick(("swap", "drop", "double"))
    unequal = [at for at in inner[:-1] if word[at] != word[at + 1]]
    if kind == "swap" and unequal:
        at = dice.pick(unequal)
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == "drop":
        return word[:position] + word[position + 1 :]
    return word[: position + 1] + word[position:]


def _place(text: str, context: str) -> tuple[int, int] | None:
    """Returns where the quote stands in its context: [start, end), in characters."""
    # In '"A," she said' the context has a comma where the quote has its full stop.
    for whole in (text, text.rstrip(".,!?;:…")):
        start = context.find(whole) if whole else -1
        if start >= 0:
            return start, start + len(whole)
    return None


RULES: Final[dict[str, Rule]] = {
    "country": country,
    "name": name,
    "gender": gender,
    "capitals": capitals,
    "quotation": quotation,
    "spelling": spelling,
    "typos": typos,
}
