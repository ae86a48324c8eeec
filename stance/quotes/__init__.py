"""Finding quotes and their speakers in the text of a news article."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from stance.quotes.assemble import assemble, attributions_by_rules
from stance.quotes.page import Page
from stance.types import Quote

if TYPE_CHECKING:
    from stance.quotes.tagger import QuoteTagger

__all__ = ["split", "split_all"]

# Articles that are in memory at once.
_TOGETHER: Final = 16
# Looked for before the tagger is imported: without weights nothing heavy is loaded.
_RELEASED: Final = Path(__file__).resolve().parent.parent / "weights" / "quotes"
# Threads that come together would load one tagger each.
_released_lock = threading.Lock()


def split(
    article: str,
    *,
    tagger: QuoteTagger | Literal["auto"] | None = "auto",
    speech_only: bool = False,
) -> list[Quote]:
    """Returns the quotes of an article, in its order, with their speakers.

    A quote is the whole content of one attribution: direct speech, the words that a sentence
    reports indirectly, or both mixed. Captions, headlines and other page furniture yield none.

    Args:
        article: The text of one article. Any text is allowed.
        tagger: Who finds the attributions: a ``QuoteTagger``; ``"auto"`` for the released one, or
            the rules where no released weights are installed; None for the rules alone, which
            load no weights and no torch.
        speech_only: Whether to leave out what somebody only believes, hopes, wants or plans
            ("Moscow hopes that …"). Words between quotation marks were said and always stay.

    Returns:
        Quotes whose spans never overlap; empty for a text without quotes.

    Raises:
        TypeError: ``article`` is not a ``str``, or ``tagger`` is none of the above.
        FileNotFoundError: A file of the released tagger is missing.
        ValueError: A file of the released tagger is damaged.
        RuntimeError: The base encoder is missing or has another hash.

    Example:
        >>> [quote] = split("The ministry said that talks would resume on Monday.", tagger=None)
        >>> quote.text, quote.speaker.name, quote.cue.text
        ('talks would resume on Monday', 'The ministry', 'said')
    """
    return split_all([article], tagger=tagger, speech_only=speech_only)[0]


def split_all(
    articles: Sequence[str],
    *,
    tagger: QuoteTagger | Literal["auto"] | None = "auto",
    speech_only: bool = False,
) -> list[list[Quote]]:
    """Returns the quotes of many articles, in their order; the tagger reads several at once.

    Args:
        articles: The texts.
        tagger: As in ``split``.
        speech_only: As in ``split``.

    Raises:
        TypeError: As in ``split``.
        FileNotFoundError: As in ``split``.
        ValueError: As in ``split``.
        RuntimeError: As in ``split``.
    """
    for article in articles:
        if not isinstance(article, str):
            raise TypeError(f"article must be a str, not {type(article).__name__}")
    chosen = _tagger(tagger)
    if chosen is None or not hasattr(chosen, "read_all"):
        # The rules, and whatever finds attributions a page at a time.
        return [_split(Page(article), chosen, speech_only) for article in articles]
    found: list[list[Quote]] = []
    for start in range(0, len(articles), _TOGETHER):
        pages = [Page(article) for article in articles[start : start + _TOGETHER]]
        for page, read in zip(pages, chosen.read_all(pages), strict=True):
            attributions = chosen.attributions(page, read) if page.lines else []
            found.append(assemble(page, attributions, speech_only=speech_only))
    return found


def _split(page: Page, tagger: QuoteTagger | None, speech_only: bool) -> list[Quote]:
    if not page.lines:
        return []
    found = attributions_by_rules(page) if tagger is None else tagger.attributions(page)
    return assemble(page, found, speech_only=speech_only)


def _tagger(tagger: QuoteTagger | str | None) -> QuoteTagger | None:
    """Returns the tagger that an argument names, or None for the rules alone."""
    if isinstance(tagger, str) and tagger != "auto":
        raise TypeError(f"tagger must be a QuoteTagger, 'auto' or None, not {tagger!r}")
    is_tagger = hasattr(tagger, "attributions") and not isinstance(tagger, type)
    if tagger is not None and not isinstance(tagger, str) and not is_tagger:
        name = type(tagger).__name__
        raise TypeError(f"tagger must be a QuoteTagger, 'auto' or None, not {name}")
    return released_tagger() if isinstance(tagger, str) else tagger


def released_tagger() -> QuoteTagger | None:
    """Returns what ``"auto"`` stands for, loaded by the first call and shared by all threads.

    Returns:
        The tagger of the released weights; None, for the rules, where the package has none.

    Raises:
        FileNotFoundError: One of its files is missing.
        ValueError: A file is damaged.
        RuntimeError: The base encoder is missing or has another hash.
    """
    with _released_lock:
        return _released()


@lru_cache(maxsize=1)
def _released() -> QuoteTagger | None:
    if not (_RELEASED / "model.safetensors").is_file():
        return None
    from stance.quotes.tagger import QuoteTagger

    return QuoteTagger.from_pretrained(_RELEASED)
