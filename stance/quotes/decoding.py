"""From scores to attributions: legal tag sequences, spans, links. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

OUTSIDE: Final = 0
ROLES: Final = ("content", "cue", "source")
BEGIN: Final = {"content": 1, "cue": 3, "source": 5}
TAG_COUNT: Final = 7
# Links reach this many words at most: news names its speaker nearby.
MAX_REACH: Final = 200
_DISTANCES: Final = np.asarray((1, 2, 4, 8, 16, 32, 64, 128))


class TagSpan(NamedTuple):
    """A run of words with one role.

    Attributes:
        role: One of ``ROLES``.
        start: First word.
        end: One past the last.
    """

    role: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Link:
    """One content piece with its cue and source.

    Attributes:
        content: The words of the content.
        cue: The words of its cue, or None when no cue was found near it.
        source: The words that name the speaker, or None.
        speech: Whether the cue is one of speech.
        source_probability: How likely the link from cue to source is right, in 0..1.
    """

    content: TagSpan
    cue: TagSpan | None
    source: TagSpan | None
    speech: bool
    source_probability: float


def best_tags(logits: Array, breaks: NDArray[np.bool_]) -> list[int]:
    """Returns the best legal tag of each word (Viterbi).

    A continuing tag follows only a tag of its own role, and never begins a sequence or a paragraph.

    Args:
        logits: Scores, (words, 7): outside, then begin and continue of content, cue and source.
        breaks: Whether a paragraph begins at a word, (words,).
    """
    # Only the two tags of a role lead to its continuing tag, so plain floats beat 7 x 7 arrays.
    back: list[tuple[int, int, int, int]] = []
    minus = -np.inf
    score = [0.0, minus, minus, minus, minus, minus, minus]
    for row, cut in zip(logits.tolist(), breaks.tolist(), strict=True):
        best = max(range(TAG_COUNT), key=score.__getitem__)
        top = score[best]
        fresh = [top + value for value in row]
        origins = [best]
        for begin in (1, 3, 5):
            origin = begin if score[begin] > score[begin + 1] else begin + 1
            fresh[begin + 1] = minus if cut else score[origin] + row[begin + 1]
            origins.append(origin)
        back.append((origins[0], origins[1], origins[2], origins[3]))
        score = fresh
    if not back:
        return []
    tag = max(range(TAG_COUNT), key=score.__getitem__)
    tags = []
    for step in reversed(back):
        tags.append(tag)
        tag = step[tag // 2] if tag in (2, 4, 6) else step[0]
    tags.reverse()
    return tags


def spans_of(tags: list[int]) -> list[TagSpan]:
    """Returns the runs of a legal tag sequence, in order."""
    spans: list[TagSpan] = []
    for at, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        role = ROLES[(tag - 1) // 2]
        if tag == BEGIN[role]:
            spans.append(TagSpan(role, at, at + 1))
        else:
            spans[-1] = TagSpan(role, spans[-1].start, at + 1)
    return spans


def distance_buckets(
    queries: list[TagSpan] | NDArray[np.int64], keys: list[TagSpan] | NDArray[np.int64]
) -> NDArray[np.int64]:
    """Returns the bucket of the signed distance in words between spans, (queries, keys).

    Args:
        queries: Spans, or their starts and ends as (queries, 2).
        keys: The same of the candidates.
    """
    left, right = _ends(queries), _ends(keys)
    after = right[None, :, 0] - left[:, None, 1]
    before = left[:, None, 0] - right[None, :, 1]
    gap = np.maximum(np.maximum(after, before), 0)
    near = np.searchsorted(_DISTANCES, gap, side="right")
    buckets: NDArray[np.int64] = np.where(before >= 0, near, near + len(_DISTANCES) + 1)
    return buckets


def _ends(spans: list[TagSpan] | NDArray[np.int64]) -> NDArray[np.int64]:
    if isinstance(spans, np.ndarray):
        return spans
    return np.asarray([(s.start, s.end) for s in spans], dtype=np.int64).reshape(-1, 2)


def link_spans(spans: list[TagSpan], states: Array, heads: Mapping[str, Array]) -> list[Link]:
    """Gives each content piece its cue, and each cue its source.

    Args:
        spans: All spans of a stretch, in order.
        states: State of each word's first piece, (words, hidden).
        heads: The arrays of the heads by their parameter names without ``heads.``.

    Returns:
        One link a content piece, in order.
    """
    by_role = {role: [s for s in spans if s.role == role] for role in ROLES}
    contents, cues, sources = (by_role[role] for role in ROLES)
    ends = {role: _joined(found, states) for role, found in by_role.items()}
    chosen: dict[TagSpan, tuple[TagSpan | None, float]] = {}
    speech = _linear(ends["cue"], heads, "speech")[:, 0] > 0
    for i, best, probability in _choose(cues, sources, ends, heads, "cue"):
        chosen[cues[i]] = (None if best is None else sources[best], probability)
    said = dict(zip(cues, speech.tolist(), strict=True))
    links = []
    for i, best, _ in _choose(contents, cues, ends, heads, "content"):
        cue = None if best is None else cues[best]
        source, probability = chosen[cue] if cue is not None else (None, 0.0)
        links.append(Link(contents[i], cue, source, cue is None or said[cue], probability))
    return links


def _choose(
    queries: list[TagSpan],
    keys: list[TagSpan],
    ends: Mapping[str, Array],
    heads: Mapping[str, Array],
    role: str,
) -> list[tuple[int, int | None, float]]:
    """Returns for each query the best key within reach, or None, and its probability."""
    target = {"content": "cue", "cue": "source"}[role]
    left = _linear(ends[role], heads, role)
    right = _linear(ends[target], heads, f"{role}_{target}")
    none = _linear(ends[role], heads, "no_source")[:, 0] if role == "cue" else None
    table = heads[f"{role}_distance.weight"][:, 0]
    key_starts = np.asarray([k.start for k in keys])
    key_ends = np.asarray([k.end for k in keys])
    found: list[tuple[int, int | None, float]] = []
    for i, query in enumerate(queries):
        # Spans never overlap and stand in order, so the candidates are one range.
        first = int(np.searchsorted(key_ends, query.start - MAX_REACH)) if keys else 0
        last = int(np.searchsorted(key_starts, query.end + MAX_REACH)) if keys else 0
        if first >= last:
            found.append((i, None, 0.0))
            continue
        buckets = distance_buckets([query], keys[first:last])[0]
        scores = right[first:last] @ left[i] / left.shape[1] ** 0.5 + table[buckets]
        if none is not None:
            scores = np.append(scores, none[i])
        shares = np.exp(scores - scores.max())
        shares /= shares.sum()
        best = int(scores.argmax())
        is_key = best < last - first
        found.append((i, first + best if is_key else None, float(shares[best])))
    return found


def _joined(spans: list[TagSpan], states: Array) -> Array:
    ends = _ends(spans)
    return np.concatenate((states[ends[:, 0]], states[ends[:, 1] - 1]), axis=1)


def _linear(inputs: Array, heads: Mapping[str, Array], name: str) -> Array:
    outputs: Array = inputs @ heads[f"{name}.weight"].T + heads[f"{name}.bias"]
    return outputs
