"""Articles with gold quotes, and the quotes that a system found in them.

Three forms are read: the authored articles (``data/quotes/articles.jsonl``), articles of PolNeAR as
``training/polnear.py`` writes them, and rows of single quotes whose articles stand beside them
(``data/seeds_gold.jsonl``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stance.evaluation.quote_geometry import Span, merge
from stance.evaluation.quote_names import is_pronoun
from stance.evaluation.rows import DataError, read_bytes, read_objects, read_rows
from stance.labels import QUOTE_KINDS
from stance.types import Quote


@dataclass(frozen=True, slots=True)
class Attributed:
    """One quote with its speaker, of the gold or of a system.

    Attributes:
        kind: ``direct``, ``mixed`` or ``indirect``.
        spans: The content, in order, without overlaps.
        source: Where the speaker is mentioned; empty when nowhere.
        mention: The mention as written.
        names: Gold: every name that is right for the speaker. System: the one resolved name.
        is_named: Whether ``names`` come from a person who resolved them; then none at all says that
            the article names nobody. False for PolNeAR, whose names are guessed by co-reference.
        has_speech_cue: Gold: whether an indirect quote hangs on a verb of speech.
    """

    kind: str
    spans: tuple[Span, ...]
    source: tuple[Span, ...] = ()
    mention: str = ""
    names: tuple[str, ...] = ()
    is_named: bool = False
    has_speech_cue: bool = False

    @property
    def is_pronoun(self) -> bool:
        """Whether the speaker is mentioned by a pronoun only."""
        return is_pronoun(self.mention)

    def has_name(self, name: str | None) -> bool:
        """Whether ``name``, or None for nobody, is among the right ones; case does not count."""
        return (name or "").casefold() in {right.casefold() for right in self.names or ("",)}


@dataclass(frozen=True, slots=True)
class Article:
    """One article with its gold quotes.

    Attributes:
        id: Unique within a run.
        text: The article; all offsets are into it.
        quotes: The gold.
        discard: Page furniture; what a system finds mostly there is not counted.
    """

    id: str
    text: str
    quotes: tuple[Attributed, ...]
    discard: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class ArticleSet:
    """The articles of one file. ``is_ours`` tells whether its texts may stand in reports."""

    path: Path
    sha256: str
    articles: tuple[Article, ...]
    is_ours: bool


def from_split(quotes: Iterable[Quote]) -> list[Attributed]:
    """Returns the quotes that ``stance.split`` found."""
    return [
        Attributed(
            quote.kind,
            tuple(merge(quote.spans)),
            ((quote.speaker.start, quote.speaker.end),) if quote.speaker else (),
            quote.speaker.mention if quote.speaker else "",
            (quote.speaker.name,) if quote.speaker else (),
        )
        for quote in quotes
    ]


def read_articles(path: Path, *, is_ours: bool) -> ArticleSet:
    """Reads articles with their quotes from JSON lines.

    Args:
        path: One article a line: ``id``, ``text`` and ``quotes``, each with ``kind`` and the
            content in ``spans`` or (PolNeAR) ``content``.
        is_ours: Whether its texts may stand in reports.

    Raises:
        DataError: The file cannot be read, or a line is not such an article; the message names file
            and line.
    """
    content = read_bytes(path)
    articles: dict[str, Article] = {}
    for number, record in read_objects(path, content):
        place = f"{path}, line {number}"
        article = _article(record, place)
        if article.id in articles:
            raise DataError(f"{place}: the id {article.id!r} occurs twice")
        articles[article.id] = article
    if not articles:
        raise DataError(f"{path}:1: no article in this file")
    digest = hashlib.sha256(content).hexdigest()
    return ArticleSet(path, digest, tuple(articles.values()), is_ours)


def read_single_quotes(path: Path, folder: Path) -> ArticleSet:
    """Reads rows of single quotes whose articles are files of ``folder``.

    Raises:
        DataError: A row or an article is missing or malformed.
    """
    rows = read_rows([path], required=("article",))
    texts: dict[str, str] = {}
    quotes: dict[str, list[Attributed]] = {}
    for row in rows.rows:
        name = str(row.fields["article"])
        place = f"{path}, row {row.id!r}"
        if Path(name).name != name:
            raise DataError(f"{place}: the article must be a file name, not {name!r}")
        if name not in texts:
            try:
                texts[name] = read_bytes(folder / name).decode("utf-8")
            except UnicodeDecodeError:
                raise DataError(f"{folder / name}: not UTF-8") from None
        quotes.setdefault(name, []).append(_quote(row.fields, texts[name], place))
    articles = tuple(Article(name, texts[name], tuple(quotes[name])) for name in texts)
    return ArticleSet(path, rows.files[0][1], articles, True)


def _article(record: dict[str, Any], place: str) -> Article:
    for key, kind in (("id", str), ("text", str), ("quotes", list)):
        if not isinstance(record.get(key), kind):
            raise DataError(f"{place}: {key!r} must be a {kind.__name__}, not {record.get(key)!r}")
    text = record["text"]
    quotes = tuple(
        _quote(quote, text, f"{place}, quote {number}")
        for number, quote in enumerate(record["quotes"], 1)
    )
    discard = _spans(record.get("discard") or [], text, f"{place}, 'discard'")
    return Article(record["id"], text, quotes, discard)


def _quote(record: Any, text: str, place: str) -> Attributed:
    if not isinstance(record, dict):
        raise DataError(f"{place}: must be an object, not {type(record).__name__}")
    kind = record.get("kind")
    if kind not in QUOTE_KINDS:
        raise DataError(f"{place}: 'kind' must be {', '.join(QUOTE_KINDS)}, not {kind!r}")
    spans = _spans(record["content"] if "content" in record else record.get("spans"), text, place)
    if not spans:
        raise DataError(f"{place}: the quote has no content")
    if "content" in record:  # PolNeAR
        source = _spans(record.get("source") or [], text, f"{place}, 'source'")
        mention = record.get("source_text") or " ".join(text[a:b] for a, b in source)
        names = _names(record, "source_aliases", place)
        return Attributed(
            kind, spans, source, mention, names, False, bool(record.get("speech_cue"))
        )
    mention, source = "", ()
    given = record.get("mention")
    if isinstance(given, list):
        source = _spans([given], text, f"{place}, 'mention'")
        mention = text[slice(*source[0])] if source else ""
    elif isinstance(given, str) and (found := _nearest(text, given, spans[0][0])) is not None:
        source, mention = (found,), given
    speaker = record.get("speaker")
    names = (*((str(speaker),) if speaker else ()), *_names(record, "speaker_also", place))
    is_speech = bool(record.get("speech", True)) and bool(record.get("cue"))
    if speaker is None and names:
        # the article names nobody, and a label such as "Q" is right as well
        names = ("", *names)
    return Attributed(kind, spans, source, mention, names, True, is_speech and kind == "indirect")


def _names(record: dict[str, Any], field: str, place: str) -> tuple[str, ...]:
    """Returns the names of a field that may be absent; one name may stand without a list."""
    value = record.get(field) or []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{place}: {field!r} must be a list of names, not {value!r}")
    return tuple(name for name in names if name)


def _nearest(text: str, mention: str, place: int) -> Span | None:
    """Returns where the mention stands nearest to the quote."""
    pattern = rf"(?<!\w){re.escape(mention)}(?!\w)"
    starts = [found.start() for found in re.finditer(pattern, text)] if mention else []
    if not starts:
        return None
    best = min(starts, key=lambda start: abs(start - place))
    return best, best + len(mention)


def _spans(value: Any, text: str, place: str) -> tuple[Span, ...]:
    """Returns checked ranges into the text, merged."""
    try:
        ranges = [(int(start), int(end)) for start, end in value]
    except (TypeError, ValueError):
        raise DataError(f"{place}: ranges must be [[start, end], …], not {value!r}") from None
    for start, end in ranges:
        if not 0 <= start < end <= len(text):
            raise DataError(
                f"{place}: [{start}, {end}) is no range in a text of {len(text)} characters"
            )
    return tuple(merge(ranges))
