"""The learned quote tagger: finds content, cue and source by reading.

Method: the base encoder, fine-tuned on PolNeAR, reads the article in overlapping windows with case,
quotation marks and paragraph starts as further embeddings; one joint BIO head tags every word,
bilinear heads link content to cue and cue to source; ``stance.quotes.combine`` then sets the edges
by the quotation marks and adds what the rules alone found. ``training/train_quotes.py`` makes the
weights.

Source: Newell, Margolin and Ruths 2018, PolNeAR, https://aclanthology.org/L18-1524/.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from stance.model.encoder import (
    Base,
    find_base,
    is_plain_bert,
    load_base_arrays,
    load_tokenizer,
)
from stance.model.hashes import file_sha256
from stance.quotes.assemble import attributions_by_rules
from stance.quotes.combine import Piece, combine
from stance.quotes.decoding import TAG_COUNT, best_tags, link_spans, spans_of
from stance.quotes.page import Attribution, Page
from stance.quotes.scores import Decision, WordScores
from stance.quotes.wordpieces import (
    CASES,
    FEATURE_SIZES,
    STRETCH_PIECES,
    Stretch,
    Window,
    cut_windows,
    read_stretches,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from stance.model.engine import Engine

    Arrays = dict[str, NDArray[np.float32]]

FORMAT_VERSION: Final = 1
KIND: Final = "quote-tagger"
# Where the released weights are, when there are any.
RELEASED: Final = Path(__file__).resolve().parent.parent / "weights" / "quotes"
# Windows given to the encoder at once, which batches them by length.
_BATCH: Final = 64
# ``cached_property`` locks no more from Python 3.12 on: threads that come together would build one
# engine each.
_engine_lock = threading.Lock()
_SIGN: Final = CASES.index("sign")
_HEADS: Final = (
    *("features.0.weight", "features.1.weight", "features.2.weight"),
    *("tags.weight", "tags.bias", "content.weight", "content.bias"),
    *("content_cue.weight", "content_cue.bias", "cue.weight", "cue.bias"),
    *("cue_source.weight", "cue_source.bias", "content_distance.weight"),
    *("cue_distance.weight", "no_source.weight", "no_source.bias"),
    *("speech.weight", "speech.bias"),
)


@dataclass(frozen=True, slots=True)
class Read:
    """What the network says of one stretch.

    Attributes:
        stretch: The words.
        logits: Scores of the tags, (words, 7).
        states: State of each word's first piece, (words, hidden).
    """

    stretch: Stretch
    logits: NDArray[np.float32]
    states: NDArray[np.float32]


class QuoteTagger:
    """Finds who says what in an article.

    Args:
        base: The base encoder.
        changed: Arrays that differ from the base (``encoder.…``), and the heads (``heads.…``).
        window: Most pieces read together, the two special tokens included.
        stride: Pieces from one window to the next.
        decision: Where the lines are drawn.
        training: Facts of the training run, JSON-ready.

    Raises:
        ValueError: The arrays do not fit the base, or the window is too long for it.

    Example:
        >>> tagger = QuoteTagger.from_pretrained()  # doctest: +SKIP
        >>> stance.split(article, tagger=tagger)  # doctest: +SKIP
    """

    def __init__(
        self,
        base: Base,
        changed: Mapping[str, NDArray[Any]],
        *,
        window: int = 256,
        stride: int = 192,
        decision: Decision | None = None,
        training: Mapping[str, Any] | None = None,
    ) -> None:
        self.base = base
        self.changed = dict(changed)
        self.window, self.stride = window, stride
        self.decision = decision or Decision()
        self.training = dict(training or {})
        if not is_plain_bert(base.config):
            raise ValueError(f"the tagger needs a plain BERT encoder; {base.name} is none")
        limit = int(base.config["max_position_embeddings"])
        if not 4 <= window <= limit:
            raise ValueError(f"window must be within 4..{limit}, not {window}")
        if not 1 <= stride <= window - 2:
            raise ValueError(f"stride must be within 1..{window - 2}, not {stride}")
        self._heads: Arrays = {
            name.removeprefix("heads."): array.astype(np.float32)
            for name, array in self.changed.items()
            if name.startswith("heads.")
        }
        _check_heads(self._heads, int(base.config["hidden_size"]))

    @classmethod
    def from_pretrained(cls, path: str | Path | None = None) -> QuoteTagger:
        """Loads a tagger from a directory.

        Args:
            path: A directory written by ``save_pretrained``; None for the released weights.

        Raises:
            FileNotFoundError: There is no such directory, or it lacks a file.
            ValueError: A file is damaged, or of another format.
            BaseModelError: The base encoder is missing or another one.
        """
        folder = RELEASED if path is None else Path(path)
        for name in ("config.json", "model.safetensors"):
            if not (folder / name).is_file():
                raise FileNotFoundError(f"{folder} is no quote tagger: it has no {name}")
        config = _read_config(folder / "config.json")
        weights = folder / "model.safetensors"
        if file_sha256(weights) != config["weights_sha256"]:
            raise ValueError(f"{weights} is damaged: its SHA-256 is not the one in config.json")
        base = find_base(config["base"]["name"], sha256=config["base"]["sha256"])
        if config["base"]["tokenizer_sha256"] != base.tokenizer_sha256:
            raise ValueError(f"the tokenizer of {base.name} is not the one the tagger learned with")
        return cls(
            base,
            _load_arrays(weights),
            window=config["window"],
            stride=config["stride"],
            decision=config["decision"],
            training=config["training"],
        )

    def save_pretrained(self, path: str | Path) -> None:
        """Writes ``config.json`` and ``model.safetensors`` (half precision) into a directory.

        Args:
            path: Made when missing; files of the same names are overwritten.
        """
        from safetensors.numpy import save_file

        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        weights = folder / "model.safetensors"
        halves = {
            name: np.ascontiguousarray(array.astype(np.float16))
            for name, array in sorted(self.changed.items())
        }
        save_file(halves, weights)
        # safetensors writes for the owner alone; an installed model is for every user.
        weights.chmod(0o644)
        config = {
            "format_version": FORMAT_VERSION,
            "kind": KIND,
            "base": {
                "name": self.base.name,
                "package": self.base.package,
                "sha256": self.base.sha256,
                "tokenizer_sha256": self.base.tokenizer_sha256,
            },
            "window": self.window,
            "stride": self.stride,
            "decision": asdict(self.decision),
            "weights_sha256": file_sha256(weights),
            "training": self.training,
        }
        text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
        (folder / "config.json").write_text(text, "utf-8")

    def attributions(self, page: Page, reads: Sequence[Read] | None = None) -> list[Attribution]:
        """Returns the attributions of an article, in its order; none overlap.

        Args:
            page: The article.
            reads: What ``read`` returns for it; None reads it now.
        """
        read = self.read(page) if reads is None else reads
        pieces, scores = self.pieces(page, read, self.decision.content_bias)
        return combine(page, pieces, scores, attributions_by_rules(page), self.decision)

    def read(self, page: Page) -> list[Read]:
        """Returns what the network says of each stretch of an article."""
        return self.read_all([page])[0]

    def read_all(self, pages: Sequence[Page]) -> list[list[Read]]:
        """Returns what the network says of several articles, whose windows it reads together."""
        found: list[list[Read]] = [[] for _ in pages]
        waiting: list[tuple[int, Stretch]] = []
        size = 0
        for index, page in enumerate(pages):
            for stretch in read_stretches(page, self._tokenizer):
                waiting.append((index, stretch))
                size += len(stretch.ids)
                # A bound on memory, whatever the length of the articles.
                if size >= STRETCH_PIECES:
                    self._read_into(found, waiting)
                    waiting, size = [], 0
        self._read_into(found, waiting)
        return found

    def _read_into(self, found: list[list[Read]], waiting: Sequence[tuple[int, Stretch]]) -> None:
        all_states = self._states([stretch for _, stretch in waiting])
        for (index, stretch), piece_states in zip(waiting, all_states, strict=True):
            states = piece_states[stretch.first]
            logits = states @ self._heads["tags.weight"].T + self._heads["tags.bias"]
            found[index].append(Read(stretch, logits, states))

    def pieces(
        self, page: Page, reads: Sequence[Read], content_bias: float
    ) -> tuple[list[Piece], WordScores]:
        """Decodes what ``read`` returned.

        Args:
            page: The article.
            reads: Its stretches.
            content_bias: Added to the logits of content.

        Returns:
            The pieces of content in order, and the scores of the words.
        """
        pieces: list[Piece] = []
        columns: list[tuple[NDArray[Any], ...]] = []
        for read in reads:
            stretch = read.stretch
            tags = best_tags(_biased(read.logits, content_bias), stretch.begins_paragraph)
            for link in link_spans(spans_of(tags), read.states, self._heads):
                spans = [
                    None
                    if span is None
                    else (int(stretch.starts[span.start]), int(stretch.ends[span.end - 1]))
                    for span in (link.content, link.cue, link.source)
                ]
                assert spans[0] is not None
                pieces.append(
                    Piece(spans[0], spans[1], spans[2], link.speech, link.source_probability)
                )
            shares = _softmax(read.logits)[:, 1:3].sum(axis=1)
            tagged = np.isin(tags, (1, 2))
            # Whether a comma is content says nothing of the words beside it.
            spoken = stretch.features[stretch.first, 0] != _SIGN
            columns.append(
                (stretch.starts[spoken], stretch.ends[spoken], shares[spoken], tagged[spoken])
            )
        if not columns:
            empty = np.zeros(0, dtype=np.int64)
            return [], WordScores(empty, empty, empty.astype(np.float32), empty.astype(bool))
        starts, ends, shares, tagged = map(np.concatenate, zip(*columns, strict=True))
        return pieces, WordScores(starts, ends, shares, tagged)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return load_tokenizer(self.base)

    @cached_property
    def _state(self) -> dict[str, NDArray[Any]]:
        """The encoder's arrays by transformers' names."""
        state = load_base_arrays(self.base)
        for name, array in self.changed.items():
            if name.startswith("encoder."):
                short = name.removeprefix("encoder.")
                if short not in state or state[short].shape != array.shape:
                    raise ValueError(f"{name} does not fit the base {self.base.name}")
                state[short] = array.astype(np.float32)
        return state

    @property
    def _engine(self) -> Engine:
        with _engine_lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> Engine:
        from stance.model.engine import load_engine

        return load_engine(self._state, self.base.config)

    def _states(self, stretches: Sequence[Stretch]) -> list[NDArray[np.float32]]:
        """Returns the last hidden states of each piece of some stretches, (pieces, hidden)."""
        windows = [
            (stretch, window)
            for stretch in stretches
            for window in cut_windows(len(stretch.ids), self.window - 2, self.stride)
        ]
        parts: dict[int, list[NDArray[np.float32]]] = {id(stretch): [] for stretch in stretches}
        for at in range(0, len(windows), _BATCH):
            batch = windows[at : at + _BATCH]
            engine = self._engine  # first: it also reads the arrays that embedding takes
            embedded = [self._embedded(stretch, window) for stretch, window in batch]
            states = engine.states(embedded)
            for (stretch, window), rows in zip(batch, states, strict=True):
                offset = 1 - window.start
                parts[id(stretch)].append(
                    rows[window.keep_start + offset : window.keep_end + offset]
                )
        return [np.concatenate(parts[id(stretch)]) for stretch in stretches]

    def _embedded(self, stretch: Stretch, window: Window) -> NDArray[np.float32]:
        """Returns the summed embeddings of a window with its special tokens, (pieces, hidden)."""
        begin, end = special_ids(self._tokenizer)[:2]
        words, constant = self._tables
        size = window.end - window.start
        total = words[np.concatenate(([begin], stretch.ids[window.start : window.end], [end]))]
        total = total.astype(np.float32)
        total += constant[: size + 2]
        features = stretch.features[window.start : window.end]
        for i in range(len(FEATURE_SIZES)):
            table = self._heads[f"features.{i}.weight"]
            total[1:-1] += table[features[:, i]]
            total[[0, -1]] += table[0]
        return total

    @cached_property
    def _tables(self) -> tuple[NDArray[Any], NDArray[np.float32]]:
        """The word embeddings, and what a place in the window adds whatever stands there."""
        words, places, segments = (
            self._state[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        )
        constant: NDArray[np.float32] = places[: self.window].astype(np.float32) + segments[0]
        return words, constant


def special_ids(tokenizer: Tokenizer) -> tuple[int, int, int]:
    """Returns the ids of the tokens that begin, end and fill up a window.

    Raises:
        ValueError: The tokenizer lacks one of them.
    """
    found = {name: tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[PAD]")}
    if missing := [name for name, value in found.items() if value is None]:
        raise ValueError(f"the base's tokenizer has no {missing}")
    begin, end, pad = (int(value) for value in found.values() if value is not None)
    return begin, end, pad


def _biased(logits: NDArray[np.float32], bias: float) -> NDArray[np.float32]:
    shifted = logits.copy()
    shifted[:, 1:3] += np.float32(bias)
    return shifted


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = raised / raised.sum(axis=1, keepdims=True)
    return shares


def _check_heads(heads: Arrays, hidden: int) -> None:
    if missing := sorted(set(_HEADS) - heads.keys()):
        raise ValueError(f"the weights lack the heads {missing}")
    if unknown := sorted(heads.keys() - set(_HEADS)):
        raise ValueError(f"the weights hold unknown heads {unknown}")
    expected = {f"features.{i}.weight": (size, hidden) for i, size in enumerate(FEATURE_SIZES)}
    expected["tags.weight"] = (TAG_COUNT, hidden)
    for name, shape in expected.items():
        if heads[name].shape != shape:
            raise ValueError(f"{name} must have shape {shape}, not {heads[name].shape}")


def _load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    from stance.model.arrays import map_arrays

    try:
        return map_arrays(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a safetensors file: {error}") from error


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text("utf-8"))
        if config["kind"] != KIND or config["format_version"] != FORMAT_VERSION:
            raise ValueError(
                f"{path} describes {config['kind']!r} of format {config['format_version']!r}; "
                f"this version of stance reads {KIND!r} of format {FORMAT_VERSION}"
            )
        decision = {name: float(value) for name, value in config["decision"].items()}
        return {
            "base": {key: config["base"][key] for key in ("name", "sha256", "tokenizer_sha256")},
            "window": int(config["window"]),
            "stride": int(config["stride"]),
            "decision": Decision(**decision),
            "weights_sha256": str(config["weights_sha256"]),
            "training": dict(config.get("training", {})),
        }
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a valid tagger configuration: {error!r}") from error
