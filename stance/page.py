"""The HTML page of ``stance.render.to_html``: what its template is given.

The template gets plain text and escapes every piece of it; what becomes part of a class name or an
anchor is made here and never comes from an article.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stance.io import UNDECIDED, Document
from stance.labels import COLOURS, DEFINITIONS, QUOTE_KINDS, STANCES, SYMBOLS
from stance.render import (
    KIND_SYMBOLS,
    category_of,
    count_categories,
    facts_of,
    in_marks,
    most_probable,
    percent,
    plural,
    points,
    quote_of,
    speaker_name,
    strongest,
    symbol_of,
)
from stance.types import Prediction, Quote

if TYPE_CHECKING:
    from jinja2 import Template

    from stance.explanation import Explanation

KIND_DEFINITIONS: Final = {
    "direct": "every word stands inside quotation marks",
    "mixed": "part of it stands inside quotation marks",
    "indirect": "reported without quotation marks",
}
_UNDECIDED_MEANING: Final = "no stance is probable enough for the confidence that was asked for"
# The share of the strongest word's weight below which a word is not marked.
_LEAST_SHARE: Final = 0.1
_LINE_ENDS: Final = re.compile(r"\r\n|\r|\n")


class Piece(NamedTuple):
    """A run of article text within one paragraph.

    Attributes:
        text: The characters as they stand in the article.
        card: The quote that the run belongs to, or None.
        is_first: Whether the quote begins here: this run gets the quote's anchor.
        is_last: Whether the quote ends here: this run is followed by its number.
    """

    text: str
    card: Card | None = None
    is_first: bool = False
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What a page shows about one quote; every field is plain text, escaped by the template."""

    anchor: str
    number: int
    category: str
    shade: str
    symbol: str
    text: str
    speaker: str | None
    role: str | None
    cue: str | None
    kind: str | None
    prediction: Prediction | None
    spans: tuple[tuple[int, int], ...]

    @property
    def verdict(self) -> str:
        """What stands before the percentage of an undecided quote: the likeliest stance."""
        if self.prediction is None or self.prediction.stance is not None:
            return ""
        return f"perhaps {most_probable(self.prediction)}"

    @property
    def label(self) -> str:
        """One line for screen readers and tooltips."""
        parts = [f"Quote {self.number}", self.speaker or "speaker not named", self.category]
        if self.prediction is not None:
            parts[-1] += f" {self.verdict}" if self.verdict else ""
            parts[-1] += f" {percent(self.prediction.confidence)}"
            parts.append(f"{self.prediction.sentiment} tone")
        return ", ".join(parts)


class Paragraph(NamedTuple):
    """One line of the article, with the cards of the quotes that begin in it."""

    pieces: list[Piece]
    cards: list[Card]


@cache
def _template(name: str) -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("stance"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = percent
    environment.filters["plural"] = plural
    environment.filters["shade"] = _shade
    return environment.get_template(name)


def render_page(
    documents: Sequence[Document], *, title: str | None = None, is_predicted: bool | None = None
) -> str:
    """Returns the page that shows ``documents``; see ``stance.render.to_html``."""
    items = [item for document in documents for item in document.items]
    if is_predicted is None:
        is_predicted = any(document.is_predicted for document in documents)
    kicker = "Quotes and stances" if is_predicted else "Quotes"
    page = _template("page.html.jinja").render(
        title=title or _title(documents) or kicker,
        kicker=kicker,
        colours=COLOURS,
        documents=[_page_document(document, n) for n, document in enumerate(documents, 1)],
        legend=_legend(items, is_predicted=is_predicted),
        total=_shares(items),
        quote_count=len(items),
        is_predicted=is_predicted,
    )
    # Half a surrogate pair in an article can be kept in a str, but no file can hold it.
    return page.encode("utf-8", "replace").decode("utf-8")


def render_explanation(explanation: Explanation) -> str:
    """Returns the page of ``Explanation.to_html``: the quote with its words marked, and a table."""
    most = max((abs(word.weight) for word in explanation.words), default=0.0)
    pieces: list[dict[str, Any]] = []
    position = 0
    for word in explanation.words:
        share = abs(word.weight) / most if most else 0.0
        pieces.append({"text": explanation.text[position : word.start], "kind": ""})
        pieces.append(
            {
                "text": word.text,
                # Marking what hardly weighs would hide what does.
                "kind": _direction(word.weight) if share >= _LEAST_SHARE else "",
                "share": round(45 * share),
                "title": points(word.weight),
            }
        )
        position = word.end
    pieces.append({"text": explanation.text[position:], "kind": ""})
    page = _template("explanation.html.jinja").render(
        task=explanation.task,
        label=explanation.label,
        probability=explanation.probability,
        colours=COLOURS,
        pieces=pieces,
        rows=[
            {
                "text": word.text,
                "kind": _direction(word.weight),
                "share": round(100 * abs(word.weight) / most),
                "weight": points(word.weight),
            }
            for word in strongest(explanation)
        ],
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def _direction(weight: float) -> str:
    return "for" if weight > 0 else "against"


def _title(documents: Sequence[Document]) -> str | None:
    if len(documents) == 1:
        return documents[0].name
    return plural(len(documents), "article")


def _shade(category: str) -> str:
    """Returns the CSS class of a category; names that are not ours never become part of one."""
    known = category in SYMBOLS or category in KIND_SYMBOLS or category == UNDECIDED
    return category if known else "other"


def _shares(items: Sequence[Quote | Prediction]) -> list[dict[str, Any]]:
    return [
        {"name": name, "shade": _shade(name), "symbol": symbol_of(name), "count": count}
        for name, count in count_categories(items)
    ]


def _legend(items: Sequence[Quote | Prediction], *, is_predicted: bool) -> list[dict[str, str]]:
    names: Sequence[str] = STANCES if is_predicted else QUOTE_KINDS
    meanings = DEFINITIONS if is_predicted else KIND_DEFINITIONS
    meanings = {**meanings, UNDECIDED: _UNDECIDED_MEANING}
    extra = [name for name, _ in count_categories(items) if name not in names]
    # A model trained on other labels has none of ours: then only its own are explained.
    if set(extra) - {UNDECIDED} and not any(category_of(item) in names for item in items):
        names = []
    return [
        {
            "name": name,
            "shade": _shade(name),
            "symbol": symbol_of(name),
            "meaning": meanings.get(name, ""),
        }
        for name in [*names, *extra]
    ]


def _page_document(document: Document, position: int) -> dict[str, Any]:
    cards = [_card(item, position, number) for number, item in enumerate(document.items, 1)]
    named = sorted((card for card in cards if card.speaker), key=lambda card: card.speaker or "")
    speakers = [(name, list(group)) for name, group in groupby(named, lambda card: card.speaker)]
    speakers.sort(key=lambda entry: (-len(entry[1]), entry[1][0].number))
    return {
        "anchor": f"a{position}",
        "name": document.name,
        "facts": facts_of(document),
        "has_article": document.article is not None,
        "paragraphs": _paragraphs(document.article or "", cards),
        "cards": cards,
        "shares": _shares(document.items),
        "speakers": speakers,
    }


def _card(item: Quote | Prediction, position: int, number: int) -> Card:
    quote = quote_of(item)
    category = category_of(item)
    return Card(
        anchor=f"a{position}q{number}",
        number=number,
        category=category,
        shade=_shade(category),
        symbol=symbol_of(category),
        text=in_marks(item),
        speaker=speaker_name(item),
        role=quote.speaker.role if quote is not None and quote.speaker is not None else None,
        cue=quote.cue.text if quote is not None and quote.cue is not None else None,
        kind=quote.kind if quote is not None else None,
        prediction=item if isinstance(item, Prediction) else None,
        spans=quote.spans if quote is not None else (),
    )


def _paragraphs(article: str, cards: Sequence[Card]) -> list[Paragraph]:
    """Cuts an article at its line ends and at the edges of its quotes; blank lines are left out."""
    spans = _free_spans(article, cards)
    first = {card.anchor: start for start, _, card in reversed(spans)}
    last = {card.anchor: end for _, end, card in spans}
    paragraphs: list[Paragraph] = []
    next_span = 0
    for line_start, line_end in _lines(article):
        pieces: list[Piece] = []
        begun: list[Card] = []
        position = line_start
        while next_span < len(spans) and spans[next_span][0] < line_end:
            start, end, card = spans[next_span]
            start, stop = max(start, position), min(end, line_end)
            if start > position:
                pieces.append(Piece(article[position:start]))
            is_first = start == first[card.anchor]
            pieces.append(Piece(article[start:stop], card, is_first, stop == last[card.anchor]))
            if is_first:
                begun.append(card)
            position = stop
            if end > line_end:
                break
            next_span += 1
        if line_end > position:
            pieces.append(Piece(article[position:line_end]))
        if any(piece.text.strip() for piece in pieces):
            paragraphs.append(Paragraph(pieces, begun))
    lost = [card for card in cards if card.anchor not in first]
    return [*paragraphs, Paragraph([], lost)] if lost else paragraphs


def _lines(article: str) -> Iterator[tuple[int, int]]:
    position = 0
    for match in _LINE_ENDS.finditer(article):
        yield position, match.start()
        position = match.end()
    yield position, len(article)


def _free_spans(article: str, cards: Sequence[Card]) -> list[tuple[int, int, Card]]:
    """Returns the spans of all cards in order, without blank edges and without overlaps.

    ``split`` returns neither, but a page must not lose or repeat words when hand-made quotes do.
    """
    ordered = [(start, end, card) for card in cards for start, end in card.spans]
    ordered.sort(key=lambda entry: entry[:2])
    spans: list[tuple[int, int, Card]] = []
    for start, end, card in ordered:
        start, end = max(start, spans[-1][1] if spans else 0), min(end, len(article))
        while start < end and article[start].isspace():
            start += 1
        while end > start and article[end - 1].isspace():
            end -= 1
        if start < end:
            spans.append((start, end, card))
    return spans
