"""What the arguments of split do: rules alone, a tagger, speech only; and speaker confidence."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stance import quotes
from stance.quotes.page import Attribution, Page
from stance.types import Quote

ARTICLE = (
    "Moscow hopes that the talks go on. Foreign Minister Ana Costa said that they were over. "
    "“We are done,” Costa said. Pedro Rocha wants to sign the text on Monday."
)


class Finder:
    """A tagger in name only: it attributes the ranges it was given."""

    def __init__(self, *found: Attribution) -> None:
        self.found = list(found)

    def attributions(self, page: Page) -> list[Attribution]:
        assert isinstance(page, Page)
        return self.found


def span(article: str, words: str) -> tuple[int, int]:
    start = article.index(words)
    return start, start + len(words)


def texts(found: list[Quote]) -> list[str]:
    return [quote.text for quote in found]


def test_speech_only_drops_hopes_and_plans() -> None:
    everything = texts(quotes.split(ARTICLE, tagger=None))
    speech = texts(quotes.split(ARTICLE, tagger=None, speech_only=True))
    assert everything == [
        "the talks go on",
        "they were over",
        "We are done",
        "to sign the text on Monday",
    ]
    assert speech == ["they were over", "We are done"]


def test_speech_only_keeps_words_between_marks() -> None:
    article = "“The deal is dead,” she thinks."
    assert texts(quotes.split(article, tagger=None, speech_only=True)) == ["The deal is dead"]


def test_tagger_is_asked_and_its_ranges_are_assembled() -> None:
    article = "Hillary Clinton, the Democratic nominee, is sure of it: they will sign."
    source = span(article, "Hillary Clinton, the Democratic nominee,")
    found = Attribution((span(article, "they will sign."),), span(article, "is sure"), source)
    [quote] = quotes.split(article, tagger=Finder(found))  # type: ignore[arg-type]
    assert quote.text == "they will sign"
    assert quote.speaker is not None
    assert (quote.speaker.name, quote.speaker.role) == ("Hillary Clinton", "Democratic nominee")


@pytest.mark.parametrize(
    ("mention", "name"),
    [
        ("Hugh Hill, a doctor in the village of Lom,", "Hugh Hill"),
        ("former Finance Minister Hugh Hill (Labour)", "Hugh Hill"),
        ("Hill", "Hugh Hill"),
        ("Hill's spokeswoman", "Hill's spokeswoman"),
        ("the wife of Hill", "the wife of Hill"),
    ],
)
def test_long_surface_forms_of_a_tagger_are_resolved(mention: str, name: str) -> None:
    article = f"Hugh Hill came to Lom. It went well. {mention} swore that they will sign."
    found = Attribution((span(article, "they will sign"),), None, span(article, mention))
    if article.index(mention) < 10:
        at = article.rindex(mention)
        found = Attribution((span(article, "they will sign"),), None, (at, at + len(mention)))
    [quote] = quotes.split(article, tagger=Finder(found))  # type: ignore[arg-type]
    assert quote.speaker is not None
    assert quote.speaker.name == name


def test_belief_of_a_tagger_is_dropped_by_speech_only() -> None:
    article = "Oslo is certain they will sign."
    found = Attribution((span(article, "they will sign"),), speech=False)
    finder = Finder(found)
    assert texts(quotes.split(article, tagger=finder)) == ["they will sign"]  # type: ignore[arg-type]
    assert quotes.split(article, tagger=finder, speech_only=True) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["rules", "", 3, True, Finder])
def test_anything_but_a_tagger_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="tagger must be"):
        quotes.split("x", tagger=value)  # type: ignore[arg-type]


def test_rules_alone_import_no_torch_and_no_numpy() -> None:
    code = (
        "import sys, stance; stance.split('“We agree,” Costa said.', tagger=None);"
        "print([m for m in ('torch', 'transformers', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def confidence(article: str) -> float:
    speaker = quotes.split(article, tagger=None)[-1].speaker
    assert speaker is not None
    return speaker.confidence


def test_confidence_falls_from_name_to_pronoun_to_guess() -> None:
    named = confidence("“We agree,” Ana Costa said.")
    pronoun = confidence("Ana Costa came. “We agree,” she said.")
    carried = confidence("“We agree,” Ana Costa said.\n\n“We will sign it all on Monday.”")
    unresolved = confidence("“We agree,” she said.")
    assert named > pronoun > carried > unresolved
    assert named > 0.95
    assert unresolved < 0.5


def test_continued_quote_in_its_paragraph_is_nearly_certain() -> None:
    article = "“We agree,” Ana Costa said. “We will sign it all on Monday.”"
    assert confidence(article) > 0.9
