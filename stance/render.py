"""Showing results to people: a table for the terminal and a self-contained HTML page.

Both take whatever this library's functions return (see ``stance.io.as_documents``). No meaning is
carried by colour alone: every label is written out and has a shape of its own. Article text is
untrusted: control characters never reach the terminal, and all text in a page is escaped.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, TextIO

from stance.io import UNDECIDED, Document, Results, as_documents
from stance.labels import QUOTE_KINDS, STANCES, SYMBOLS
from stance.types import Prediction, Quote

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from stance.explanation import Explanation, WordWeight

UNDECIDED_SYMBOL: Final = "?"
KIND_SYMBOLS: Final = {"direct": "■", "mixed": "◧", "indirect": "□"}
_OTHER_SYMBOL: Final = "•"

# The terminal's own palette, which its theme keeps readable on light and dark backgrounds alike;
# the hexadecimal colours of ``labels.COLOURS`` are made for white paper.
_TERMINAL_COLOURS: Final = {
    "conciliatory": "green",
    "dismissive": "red",
    "conditional": "cyan",
    "neutral": "default",
    "direct": "cyan",
    "mixed": "magenta",
    "indirect": "default",
}
_MAX_TABLE_WIDTH: Final = 112

# Escape sequences in an article could rewrite the reader's screen, and direction overrides could
# show words in another order than they are read.
_UNSAFE_CHARACTERS: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def quote_of(item: Quote | Prediction) -> Quote | None:
    """Returns the quote itself, or None for a prediction made from a plain string."""
    return item.quote if isinstance(item, Prediction) else item


def category_of(item: Quote | Prediction) -> str:
    """Returns what an item is grouped and coloured by: its stance, or its kind if not labelled.

    A prediction below ``min_confidence`` is "undecided".
    """
    return (item.stance or UNDECIDED) if isinstance(item, Prediction) else item.kind


def count_categories(items: Iterable[Quote | Prediction]) -> list[tuple[str, int]]:
    """Returns ``(category, how many)`` in label order, without those that do not occur."""
    counts = Counter(category_of(item) for item in items)
    order = [*STANCES, UNDECIDED, *QUOTE_KINDS]
    rest = sorted(set(counts) - set(order))
    return [(name, counts[name]) for name in [*order, *rest] if counts[name]]


def symbol_of(category: str) -> str:
    """Returns the shape that stands for a stance or a kind of quote."""
    if category == UNDECIDED:
        return UNDECIDED_SYMBOL
    return SYMBOLS.get(category) or KIND_SYMBOLS.get(category, _OTHER_SYMBOL)


def most_probable(item: Prediction) -> str:
    """Returns the stance that the model would give if it had to decide."""
    probabilities = item.stance_probabilities
    return max(probabilities, key=lambda label: probabilities[label])


def percent(probability: float) -> str:
    """Returns a fraction in 0..1 as whole percent."""
    return f"{probability:.0%}"


def points(weight: float) -> str:
    """Returns a word's weight as signed percentage points."""
    return f"{100 * weight:+.1f}".replace("-", "−")


def strongest(explanation: Explanation, count: int = 12) -> list[WordWeight]:
    """Returns the words that weigh most for or against the label, the strongest first."""
    ranked = sorted(explanation.words, key=lambda word: -abs(word.weight))
    return [word for word in ranked[:count] if word.weight]


def plural(count: int, noun: str) -> str:
    """Returns the count with its noun, which takes a plain s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _one_line(text: str) -> str:
    return " ".join(_UNSAFE_CHARACTERS.sub(" ", text).split())


def in_marks(item: Quote | Prediction) -> str:
    """Returns the words on one line, between quotation marks if all were spoken as written."""
    quote = quote_of(item)
    text = _one_line(item.text)
    return f"“{text}”" if quote is not None and quote.kind == "direct" else text


def to_table(results: Results) -> RenderableType:
    """Returns a table for ``rich.print`` or a notebook: who says what, with which stance.

    Args:
        results: What ``split``, ``classify`` or ``analyze`` returned, or ``Document`` objects.
            An article without quotes says so.
    """
    from rich.console import Group

    documents = as_documents(results)
    parts = [_document_table(document) for document in documents]
    if len(documents) > 1:
        parts.append(_totals(documents))
    return Group(*parts)


def to_html(results: Results, *, title: str | None = None, is_predicted: bool | None = None) -> str:
    """Returns one self-contained HTML page: the articles with their quotes marked in place.

    The page loads nothing, runs no script and says so in its content security policy.

    Args:
        results: What ``split``, ``classify`` or ``analyze`` returned, or ``Document`` objects.
        title: The page's title; None makes one from the file name or the number of articles.
        is_predicted: Whether the page is one of stances; None looks at the quotes, of which an
            article may have none.

    Example:
        >>> import stance
        >>> page = to_html(stance.split('"We will sign," the minister said.'), title="Today")
        >>> "<h1>Today</h1>" in page
        True
    """
    from stance.page import render_page

    return render_page(as_documents(results), title=title, is_predicted=is_predicted)


def print_table(documents: Iterable[Document], stream: TextIO) -> None:
    """Writes the table of each document as it comes, then a line of totals if there were several.

    Args:
        documents: Asked for one by one.
        stream: Gets colours if it is a terminal, unless ``NO_COLOR`` is set.

    Raises:
        BrokenPipeError: The reader of the stream went away.
    """
    console = _console(stream)
    width = min(console.width, _MAX_TABLE_WIDTH)
    shown: list[Document] = []
    for document in documents:
        console.print(_document_table(document), width=width)
        # Only the labels are needed for the totals; articles may be large.
        shown.append(Document(document.name, None, document.items))
    if len(shown) > 1:
        console.print(_totals(shown), width=width)


def print_explanation(explanation: Explanation, stream: TextIO) -> None:
    """Writes a label, the quote with its weighty words set off, and what each of these weighs.

    Args:
        explanation: What ``stance.explain`` returned.
        stream: Gets colours if it is a terminal, unless ``NO_COLOR`` is set.

    Raises:
        BrokenPipeError: The reader of the stream went away.
    """
    from rich.text import Text

    console = _console(stream)
    label = _one_line(explanation.label)
    head = Text()
    head.append(f"{symbol_of(explanation.label)} {label}", "bold")
    head.append(f" {percent(explanation.probability)}  {_one_line(explanation.task)}", "dim")
    words = strongest(explanation)
    weighty = {word.start: word for word in words}
    line = Text()
    position = 0
    for word in explanation.words:
        line.append(_UNSAFE_CHARACTERS.sub(" ", explanation.text[position : word.start]))
        style = ""
        if word.start in weighty:
            style = "bold green" if word.weight > 0 else "italic red"
        line.append(_UNSAFE_CHARACTERS.sub(" ", word.text), style)
        position = word.end
    line.append(_UNSAFE_CHARACTERS.sub(" ", explanation.text[position:]))
    width = min(console.width, _MAX_TABLE_WIDTH)
    console.print(head, width=width)
    console.print(line, width=width)
    if not words:
        console.print("no word of it weighs anything")
        return
    console.print(
        Text(f"percentage points of probability: + for {label}, − against it", "dim"), width=width
    )
    most = abs(words[0].weight)
    for word in words:
        bar = "━" * max(1, round(20 * abs(word.weight) / most))
        row = Text(f"{points(word.weight):>6}  ")
        row.append(f"{bar:<20}", "green" if word.weight > 0 else "red")
        console.print(row.append(f"  {_one_line(word.text)}"), width=width, no_wrap=True)


def _console(stream: TextIO) -> Console:
    """Returns a console that prints text as it is."""
    from rich.console import Console

    class PipeConsole(Console):
        """Leaves a closed pipe to the caller, where rich would end the program."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return PipeConsole(file=stream, highlight=False, markup=False, emoji=False)


def _document_table(document: Document) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    header = Text()
    if document.name is not None:
        header.append(_one_line(document.name), "bold")
        header.append("  ")
    header.append(facts_of(document), "dim")
    if not document.items:
        return Group(header, "")
    return Group(header, _table(document.items), _summary(document.items), "")


def facts_of(document: Document) -> str:
    """Returns the line of counts that stands beside a document's name."""
    if document.article is None:
        return plural(len(document.items), "quote")
    if not document.article.strip():
        return "no text"
    if not document.items:
        return f"no quotes found · {plural(len(document.article), 'character')}"
    speakers = {speaker for item in document.items if (speaker := speaker_name(item)) is not None}
    return f"{plural(len(document.items), 'quote')} · {plural(len(speakers), 'speaker')}"


def speaker_name(item: Quote | Prediction) -> str | None:
    """Returns the resolved name of who says it, or None."""
    quote = quote_of(item)
    return quote.speaker.name if quote is not None and quote.speaker is not None else None


def _table(items: Sequence[Quote | Prediction]) -> Table:
    from rich import box
    from rich.table import Table

    is_predicted = isinstance(items[0], Prediction)
    # Quotes given as plain strings have no speaker: then the words get the room.
    has_quotes = any(quote_of(item) is not None for item in items)
    table = Table(
        box=box.HORIZONTALS, show_lines=True, expand=True, border_style="dim", header_style="dim"
    )
    if has_quotes:
        table.add_column("speaker", ratio=5, min_width=12, overflow="fold")
    table.add_column("stance" if is_predicted else "kind", width=15, no_wrap=False)
    table.add_column("quote", ratio=10, min_width=20, overflow="fold")
    for item in items:
        cells = [_label_cell(item), _quote_cell(item)]
        table.add_row(*([_speaker_cell(item), *cells] if has_quotes else cells))
    return table


def _speaker_cell(item: Quote | Prediction) -> Text:
    from rich.text import Text

    quote = quote_of(item)
    if quote is None or quote.speaker is None:
        return Text("speaker not named", "dim italic")
    cell = Text()
    cell.append(_one_line(quote.speaker.name), "bold")
    if quote.speaker.role:
        cell.append("\n").append(_one_line(quote.speaker.role), "dim")
    return cell


def _label_cell(item: Quote | Prediction) -> Text:
    from rich.text import Text

    category = category_of(item)
    colour = _TERMINAL_COLOURS.get(category, "default")
    cell = Text()
    cell.append(f"{symbol_of(category)} {_one_line(category)}", f"bold {colour}")
    if isinstance(item, Prediction):
        filled = round(item.confidence * 8)
        cell.append("\n").append("━" * filled, colour).append("╌" * (8 - filled), "dim")
        cell.append(f" {percent(item.confidence)}\n")
        if item.stance is None:
            cell.append(f"{_one_line(most_probable(item))}?\n", "dim")
        cell.append(f"{_one_line(item.sentiment)} tone", "dim")
    elif item.cue is not None:
        cell.append("\n").append(_one_line(item.cue.text), "dim")
    return cell


def _quote_cell(item: Quote | Prediction) -> Text:
    from rich.text import Text

    cell = Text(in_marks(item))
    if isinstance(item, Prediction):
        for name, words in (("if", item.condition), ("then", item.outcome)):
            if words:
                cell.append(f"\n{name}: ", "dim").append(_one_line(words))
        if item.windows > 1:
            cell.append(f"\nmean of {item.windows} parts: too long for one reading", "dim")
    return cell


def _summary(items: Iterable[Quote | Prediction]) -> Text:
    from rich.text import Text

    line = Text(" ")
    for name, count in count_categories(items):
        if len(line) > 1:
            line.append(" · ", "dim")
        colour = _TERMINAL_COLOURS.get(name, "default")
        line.append(f"{symbol_of(name)} {count:,} {_one_line(name)}", colour)
    return line


def _totals(documents: Sequence[Document]) -> Text:
    from rich.text import Text

    items = [item for document in documents for item in document.items]
    line = Text()
    line.append(f"{plural(len(documents), 'article')} · {plural(len(items), 'quote')}", "bold")
    return line.append(" ·", "dim").append_text(_summary(items)) if items else line
