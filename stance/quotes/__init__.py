"""Finding quotes and their speakers in the text of a news article."""

from __future__ import annotations

from stance.quotes.assemble import assemble, attributions_by_rules
from stance.quotes.page import Page
from stance.types import Quote

__all__ = ["split"]


def split(article: str) -> list[Quote]:
    """Returns the quotes of an article, in its order, with their speakers.

    A quote is the whole content of one attribution: direct speech, the words that a sentence
    reports indirectly, or both mixed. Captions, headlines and other page furniture yield none.

    Args:
        article: The text of one article. Any text is allowed.

    Returns:
        Quotes whose spans never overlap; empty for a text without quotes.

    Raises:
        TypeError: ``article`` is not a ``str``.

    Example:
        >>> [quote] = split("The ministry said that talks would resume on Monday.")
        >>> quote.text, quote.speaker.name, quote.cue.text
        ('talks would resume on Monday', 'The ministry', 'said')
    """
    if not isinstance(article, str):
        raise TypeError(f"article must be a str, not {type(article).__name__}")
    page = Page(article)
    return assemble(page, attributions_by_rules(page))
