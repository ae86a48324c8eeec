"""Turns quotes and their contexts into token ids: pairing, truncation and windows.

The first segment is the quote; the second, when there is a context, is the context with the quote's
own words replaced by "[…]". The quote has priority: where both do not fit, words of the context far
from the quote's place go first. A quote too long by itself is read in overlapping windows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

MARKER: Final = "[…]"
# A context shorter than this many tokens says nothing; the quote is then read alone.
_LEAST_CONTEXT_TOKENS: Final = 4
# The share of a window that the next one repeats.
_WINDOW_OVERLAP: Final = 0.25
# House style is no meaning: marks and apostrophes are read in one form, whatever the paper's.
_ONE_STYLE: Final = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»", '"'),
        **dict.fromkeys("‘’‚‛‹›´`ʼ", "'"),
        **dict.fromkeys("–—‑", "-"),
    }
)
# Begins where a run of marks begins: from each mark of a long run anew, time would grow with its
# square.
_OPENING: Final = r"(?<![\"'])[\"']*"
_CLOSING: Final = r"[,.;]?[\"']+"
_CHUNK: Final = 512


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """One row for the encoder.

    Attributes:
        row: Which input it belongs to.
        ids: Token ids with the special tokens.
        type_ids: Segment of each token.
        weight: How many tokens of the quote it holds, at least 1: its weight in the mean.
        offsets: The characters ``[start, end)`` of the quote as given that each token stands for,
            (0, 0) for tokens that are none of the quote's; None where not asked for.
    """

    row: int
    ids: list[int]
    type_ids: list[int]
    weight: int
    offsets: list[tuple[int, int]] | None = None


def normalise(text: str) -> str:
    """Returns a text with quotation marks, apostrophes and dashes in one style, lengths kept."""
    return text.translate(_ONE_STYLE)


def normalise_quote(text: str) -> str:
    """Returns a quote as the encoder reads it: one style, without what only frames it.

    A pair of marks around the whole quote, or a lone one left at an end, goes; the comma before
    "he said" becomes the full stop that the speaker made.
    """
    start, end = _unframed(text)
    plain = normalise(text[start:end])
    return plain[:-1] + "." if len(plain) > 1 and plain.endswith(",") else plain


def _unframed(text: str) -> tuple[int, int]:
    """Returns the characters of a quote that its frame of marks and white space leaves."""
    plain = normalise(text)
    start, end = len(plain) - len(plain.lstrip()), len(plain.rstrip())
    if start >= end:
        return 0, 0
    whole = plain[start:end]
    inner = whole.strip('"')
    if len(whole) - len(inner) == whole.count('"') and not is_blank(inner):
        start += len(whole) - len(whole.lstrip('"'))
        end -= len(whole) - len(whole.rstrip('"'))
        start += len(inner) - len(inner.lstrip())
        end -= len(inner) - len(inner.rstrip())
    return start, end


def replace_quote(context: str, text: str, pieces: Sequence[str] | None = None) -> str:
    """Returns the context with the quote's words, and the marks around them, replaced by "[…]".

    Args:
        context: The sentence or sentences that the quote stands in; may hold "[…]" already, of
            the article's own or in the quote's place.
        text: The quote. Runs of white space in it match any white space.
        pieces: The parts of the quote as they stand in the context, where it is interrupted.

    Returns:
        The context in one style of marks, the quote replaced where it is found; "" where nothing
        but the quote would be left.
    """
    if not context.strip():
        return ""
    context, text = normalise(context), normalise(text)
    replaced = _replace_once(context, text)
    if replaced == context and pieces is not None and len(pieces) > 1:
        for piece in pieces:
            replaced = _replace_once(replaced, normalise(piece))
    rest = replaced.replace(MARKER, "")
    return replaced if any(character.isalnum() for character in rest) else ""


def _replace_once(context: str, text: str) -> str:
    words = [re.escape(word) for word in text.split()]
    if not words:
        return context
    core = r"\s+".join(words)
    # A word of the context must not be cut: "art" is no quote in "party".
    before = r"(?<!\w)" if text.strip()[0].isalnum() else ""
    after = r"(?!\w)" if text.strip()[-1].isalnum() else ""
    pattern = f"{_OPENING}{before}{core}{after}(?:{_CLOSING})?"
    return re.sub(pattern, MARKER, context, count=1)


def is_blank(text: str) -> bool:
    """Tells whether a text has no visible character: empty, white space, control characters."""
    return not any(character.isprintable() and not character.isspace() for character in text)


class InputEncoder:
    """Encodes quotes with their contexts for one tokenizer.

    Args:
        tokenizer: The base's tokenizer, truncation and padding off.
        max_length: Most tokens in one window, special tokens included.
    """

    def __init__(self, tokenizer: Tokenizer, max_length: int) -> None:
        self._tokenizer = tokenizer
        self.max_length = max_length
        self._single = tokenizer.num_special_tokens_to_add(False)
        self._pair = tokenizer.num_special_tokens_to_add(True)
        if max_length < self._pair + 2 * _LEAST_CONTEXT_TOKENS:
            raise ValueError(
                f"max_length must be at least {self._pair + 2 * _LEAST_CONTEXT_TOKENS}, "
                f"not {max_length}"
            )

    @property
    def pad_id(self) -> int:
        """The id that fills rows up; whatever it is, the mask hides it."""
        for token in ("[PAD]", "<pad>"):
            found = self._tokenizer.token_to_id(token)
            if found is not None:
                return int(found)
        return 0

    def encode(
        self, texts: Sequence[str], contexts: Sequence[str], *, with_offsets: bool = False
    ) -> list[EncodedWindow]:
        """Returns the windows of each row, in the order of the rows.

        Args:
            texts: The quotes.
            contexts: A context for each, already passed through ``replace_quote``; "" for none.
            with_offsets: Whether windows say where in the quote each token stands.

        Returns:
            At least one window a row.
        """
        windows: list[EncodedWindow] = []
        for start in range(0, len(texts), _CHUNK):
            quotes = self._tokenize(list(map(normalise_quote, texts[start : start + _CHUNK])))
            chunk = contexts[start : start + _CHUNK]
            with_context = [offset for offset, context in enumerate(chunk) if context]
            seconds = dict(
                zip(
                    with_context,
                    self._tokenize([chunk[offset] for offset in with_context]),
                    strict=True,
                )
            )
            for offset, quote in enumerate(quotes):
                row = start + offset
                # The encoder reads the quote without its frame; offsets count from the frame on.
                shift = _unframed(texts[row])[0] if with_offsets else None
                windows.extend(self._windows(row, quote, chunk[offset], seconds.get(offset), shift))
        return windows

    def _tokenize(self, texts: Sequence[str]) -> list[Encoding]:
        if not texts:
            return []
        # Lone surrogates are no text; the tokenizer would raise on them.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encoded: list[Encoding] = self._tokenizer.encode_batch(clean, add_special_tokens=False)
        return encoded

    def _windows(
        self,
        row: int,
        quote: Encoding,
        context: str,
        second: Encoding | None,
        shift: int | None,
    ) -> list[EncodedWindow]:
        tokens = len(quote.ids)
        room = self.max_length - self._pair - tokens
        if second is not None and room >= _LEAST_CONTEXT_TOKENS and len(second.ids) > 0:
            _keep_around_marker(second, context, room)
            joined = self._tokenizer.post_process(quote, second, True)
            offsets = _quote_offsets(joined, tokens, shift)
            return [EncodedWindow(row, joined.ids, joined.type_ids, max(tokens, 1), offsets)]
        most = self.max_length - self._single
        pieces = [quote]
        if tokens > most:
            quote.truncate(most, stride=int(most * _WINDOW_OVERLAP))
            pieces = [quote, *quote.overflowing]
        windows = []
        for piece in pieces:
            weight = max(len(piece.ids), 1)
            single = self._tokenizer.post_process(piece, None, True)
            offsets = _quote_offsets(single, len(piece.ids), shift)
            windows.append(EncodedWindow(row, single.ids, single.type_ids, weight, offsets))
        return windows


def _quote_offsets(
    encoding: Encoding, tokens: int, shift: int | None
) -> list[tuple[int, int]] | None:
    """Returns each token's place in the quote as given, (0, 0) for tokens of no quote."""
    if shift is None:
        return None
    places = encoding.offsets
    # The quote comes first, after whatever special tokens the tokenizer begins with.
    special = encoding.special_tokens_mask
    first = special.index(0) if tokens else 0
    offsets = [(0, 0)] * len(places)
    for position in range(first, first + tokens):
        start, end = places[position]
        offsets[position] = (start + shift, end + shift)
    return offsets


def _keep_around_marker(context: Encoding, text: str, room: int) -> None:
    """Cuts a context to ``room`` tokens, keeping those nearest to the quote's place."""
    count = len(context.ids)
    if count <= room:
        return
    place = text.find(MARKER)
    if place < 0:
        context.truncate(room)
        return
    centre = context.char_to_token(place)
    centre = count // 2 if centre is None else centre
    end = min(count, max(room, centre + room // 2))
    context.truncate(end)
    context.truncate(room, direction="left")
