"""Articles with attributions as training windows: tags of words, links of spans, batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from stance.labels import QUOTE_KINDS
from stance.quotes.decoding import BEGIN, TagSpan, distance_buckets
from stance.quotes.page import Page
from stance.quotes.wordpieces import FEATURE_SIZES, Stretch, read_stretches
from stance.references import read_records

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Spans = list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class GoldQuote:
    """One annotated attribution, in character ranges.

    Attributes:
        kind: ``direct``, ``mixed`` or ``indirect``.
        content: Ranges of the content, at least one.
        cue: Ranges of the cue; empty for none.
        source: Ranges of the source; empty for none.
        speech: Whether the cue is one of speech.
    """

    kind: str
    content: Spans
    cue: Spans
    source: Spans
    speech: bool


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """An annotated article."""

    id: str
    text: str
    discard: Spans
    quotes: list[GoldQuote]


@dataclass(slots=True)
class TaggedStretch:
    """A stretch with its gold.

    Attributes:
        stretch: Word pieces and words.
        tags: Gold tag of each word, (words,).
        links: For each attribution its content pieces, cue and source, and whether it is speech.
    """

    stretch: Stretch
    tags: np.ndarray
    links: list[tuple[list[TagSpan], TagSpan, TagSpan | None, bool]]


def read_articles(path: Path) -> list[GoldArticle]:
    """Reads annotated articles, one JSON object a line, in the form of ``training/polnear.py``.

    Raises:
        ValueError: The file cannot be read, a line is no article, or an offset lies outside its
            text; the line is named.
    """
    articles = []
    for number, row in read_records(path, "file of articles"):
        try:
            articles.append(_article(row))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(
                f"{path}, line {number}: not an annotated article: {error!r}"
            ) from error
    if not articles:
        raise ValueError(f"{path} holds no article")
    return articles


def _article(row: dict[str, Any]) -> GoldArticle:
    text = row["text"]
    if not isinstance(text, str):
        raise TypeError("text must be a string")
    quotes = []
    for quote in row["quotes"]:
        content = _spans(quote["content"], text)
        if not content:
            raise ValueError(f"quote {quote.get('id')!r} has no content")
        kind = quote.get("kind", "indirect")
        if kind not in QUOTE_KINDS:
            raise ValueError(f"quote {quote.get('id')!r}: kind is {kind!r}, not in {QUOTE_KINDS}")
        quotes.append(
            GoldQuote(
                kind,
                content,
                _spans(quote.get("cue") or [], text),
                _spans(quote.get("source") or [], text),
                bool(quote.get("speech_cue", True)),
            )
        )
    return GoldArticle(str(row["id"]), text, _spans(row.get("discard") or [], text), quotes)


def _spans(values: Sequence[Sequence[int]], text: str) -> Spans:
    spans = []
    for start, end in values:
        if not 0 <= start < end <= len(text):
            raise ValueError(f"the range [{start}, {end}] lies outside the text of {len(text)}")
        spans.append((int(start), int(end)))
    return sorted(spans)


def tag_article(article: GoldArticle, tokenizer: Tokenizer) -> list[TaggedStretch]:
    """Returns the stretches of an article with the tags and links of its annotation.

    An attribution whose words belong to another one already, or that stands outside the running
    text, is left out: PolNeAR has one such in two thousand.
    """
    found = []
    for stretch in read_stretches(Page(article.text), tokenizer):
        tags = np.zeros(len(stretch.first), dtype=np.int64)
        links = []
        marked: set[TagSpan] = set()
        for quote in article.quotes:
            roles = {
                "content": _word_spans(stretch, "content", quote.content),
                "cue": _word_spans(stretch, "cue", quote.cue),
                "source": _word_spans(stretch, "source", quote.source),
            }
            if not roles["content"] or not roles["cue"]:
                continue
            # A source may name the speaker of several attributions.
            spans = [s for role in roles.values() for s in role if s not in marked]
            if any(tags[s.start : s.end].any() for s in spans):
                continue
            for span in spans:
                tags[span.start] = BEGIN[span.role]
                tags[span.start + 1 : span.end] = BEGIN[span.role] + 1
                if span.role == "source":
                    marked.add(span)
            source = roles["source"][0] if roles["source"] else None
            links.append((roles["content"], roles["cue"][0], source, quote.speech))
        found.append(TaggedStretch(stretch, tags, links))
    return found


def _word_spans(stretch: Stretch, role: str, spans: Spans) -> list[TagSpan]:
    words = []
    for start, end in spans:
        first = int(np.searchsorted(stretch.starts, start))
        last = int(np.searchsorted(stretch.starts, end))
        # A span over several paragraphs is one piece in each.
        breaks = [i for i in range(first + 1, last) if stretch.begins_paragraph[i]]
        edges = [first, *breaks, last]
        words += [TagSpan(role, a, b) for a, b in pairwise(edges) if a < b]
    return words


@dataclass(frozen=True, slots=True)
class TrainingWindow:
    """A range of pieces of one stretch."""

    tagged: TaggedStretch
    start: int
    end: int


def training_windows(
    stretches: Sequence[TaggedStretch], size: int, generator: np.random.Generator
) -> list[TrainingWindow]:
    """Cuts stretches into windows that do not overlap, from a random first cut."""
    windows = []
    for tagged in stretches:
        pieces = len(tagged.stretch.ids)
        cuts = [0, pieces]
        if pieces > size:
            cuts = [0, *range(int(generator.integers(1, size + 1)), pieces, size), pieces]
        windows += [TrainingWindow(tagged, a, b) for a, b in pairwise(cuts) if b - a > 8]
    return windows


@dataclass(slots=True)
class Links:
    """Gold links of a batch from one role to the next.

    Attributes:
        queries: Row, first and last piece of each query, (queries, 3).
        keys: The same of each candidate, (keys, 3).
        targets: Index of the right key; ``len(keys)`` for none, (queries,).
        buckets: Distance buckets, (queries, keys).
        same: Whether both stand in one row, (queries, keys).
    """

    queries: Tensor
    keys: Tensor
    targets: Tensor
    buckets: Tensor
    same: Tensor


@dataclass(slots=True)
class Batch:
    """Windows as tensors.

    Attributes:
        ids: Token ids with special tokens, (batch, pieces).
        features: Feature values, (batch, pieces, features).
        mask: True at pieces, (batch, pieces); None without padding.
        words: Row and piece of each word's first piece, (words, 2).
        tags: Gold tags, (words,).
        content: Links from content to cue.
        cue: Links from cue to source.
        speech: 1 where a cue is one of speech, (cues,), in the order of ``content.keys``.
    """

    ids: Tensor
    features: Tensor
    mask: Tensor | None
    words: Tensor
    tags: Tensor
    content: Links
    cue: Links
    speech: Tensor


def collate(windows: Sequence[TrainingWindow], begin: int, end: int, pad: int) -> Batch:
    """Returns the batch of some windows.

    Args:
        windows: At least one.
        begin: Id of the token that begins every row.
        end: Id of the token that ends it.
        pad: Id that fills rows up.
    """
    lengths = [window.end - window.start + 2 for window in windows]
    width = max(lengths)
    ids = torch.full((len(windows), width), pad, dtype=torch.long)
    features = torch.zeros((len(windows), width, len(FEATURE_SIZES)), dtype=torch.long)
    words: list[np.ndarray] = []
    tags: list[np.ndarray] = []
    spans: dict[str, list[tuple[int, TagSpan, int, int]]] = {"content": [], "cue": [], "source": []}
    content_targets: list[int] = []
    cue_targets: list[int] = []
    cue_queries: list[tuple[int, TagSpan, int, int]] = []
    speech: list[float] = []
    for row, window in enumerate(windows):
        stretch = window.tagged.stretch
        inner = slice(window.start, window.end)
        ids[row, : lengths[row]] = torch.tensor([begin, *stretch.ids[inner].tolist(), end])
        features[row, 1 : lengths[row] - 1] = torch.from_numpy(stretch.features[inner])
        first = int(np.searchsorted(stretch.first, window.start))
        last = int(np.searchsorted(stretch.first, window.end))
        at = stretch.first[first:last] - window.start + 1
        words.append(np.stack((np.full(len(at), row), at), axis=1))
        tags.append(window.tagged.tags[first:last])
        sources: dict[TagSpan, int] = {}
        for contents, cue, source, said in window.tagged.links:
            if not (first <= cue.start and cue.end <= last):
                continue

            def place(
                span: TagSpan, row: int = row, window: TrainingWindow = window
            ) -> tuple[int, TagSpan, int, int]:
                pieces = window.tagged.stretch.first
                offset = 1 - window.start
                return (
                    row,
                    span,
                    int(pieces[span.start]) + offset,
                    int(pieces[span.end - 1]) + offset,
                )

            spans["cue"].append(place(cue))
            speech.append(float(said))
            for content in contents:
                if first <= content.start and content.end <= last:
                    spans["content"].append(place(content))
                    content_targets.append(len(spans["cue"]) - 1)
            if source is None:
                cue_queries.append(place(cue))
                cue_targets.append(-1)
            elif first <= source.start and source.end <= last:
                if source not in sources:
                    sources[source] = len(spans["source"])
                    spans["source"].append(place(source))
                cue_queries.append(place(cue))
                cue_targets.append(sources[source])
    none = len(spans["source"])
    return Batch(
        ids,
        features,
        None if min(lengths) == width else torch.arange(width) < torch.tensor(lengths)[:, None],
        torch.from_numpy(np.concatenate(words)),
        torch.from_numpy(np.concatenate(tags)),
        _links(spans["content"], spans["cue"], content_targets),
        _links(cue_queries, spans["source"], [none if t < 0 else t for t in cue_targets]),
        torch.tensor(speech),
    )


def _links(
    queries: list[tuple[int, TagSpan, int, int]],
    keys: list[tuple[int, TagSpan, int, int]],
    targets: list[int],
) -> Links:
    rows = torch.tensor([q[0] for q in queries]), torch.tensor([k[0] for k in keys])
    buckets = distance_buckets([q[1] for q in queries], [k[1] for k in keys])
    return Links(
        torch.tensor([(q[0], q[2], q[3]) for q in queries], dtype=torch.long).reshape(-1, 3),
        torch.tensor([(k[0], k[2], k[3]) for k in keys], dtype=torch.long).reshape(-1, 3),
        torch.tensor(targets, dtype=torch.long),
        torch.from_numpy(buckets),
        rows[0][:, None] == rows[1][None, :],
    )
