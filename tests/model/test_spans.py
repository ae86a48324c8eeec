import json
from pathlib import Path

import numpy as np
import pytest

from stance.model.inputs import InputEncoder
from stance.model.spans import (
    NO_TARGET,
    Spans,
    _disjoint,
    decode_spans,
    find_spans,
    span_token_f1,
    token_targets,
)

DATA = Path(__file__).parents[2] / "data" / "authored"
TEXT = "If the Americans agree, an agreement could be reached tomorrow."


def offsets_of(text):
    """Words and marks as tokens, with a special token at both ends."""
    import re

    places = [(m.start(), m.end()) for m in re.finditer(r"\w+|[^\w\s]", text)]
    return [(0, 0), *places, (0, 0)]


def logits_for(targets, strength=4.0):
    logits = np.zeros((len(targets), 3), dtype=np.float32)
    for row, target in enumerate(targets):
        logits[row, max(target, 0)] = strength
    return logits


@pytest.mark.parametrize(
    ("text", "condition", "outcome"),
    [
        (TEXT, "If the Americans agree", "an agreement could be reached tomorrow"),
        ("We will sign once they leave", "once they leave", "We will sign"),
        ("You stop, we stop", "You stop", "we stop"),
        ("We sign, unless", "unless", "We sign"),
        ("If they leave.", "If they leave", None),
        ("We would sign.", None, "We would sign"),
    ],
)
def test_targets_decode_to_the_words_they_were_made_of(text, condition, outcome):
    offsets = offsets_of(text)
    spans = find_spans(text, condition or "", outcome or "")
    found = decode_spans(text, offsets, logits_for(token_targets(offsets, spans)))
    assert found.words(text) == (condition, outcome)
    assert found.score > 0


def test_tokens_outside_the_quote_have_no_target():
    targets = token_targets([(0, 0), (0, 2), (3, 6), (0, 0)], Spans(condition=(0, 2)))
    assert targets == [NO_TARGET, 1, 0, NO_TARGET]


def test_a_doubtful_word_between_sure_ones_is_bridged_and_marks_at_the_edges_go():
    text = '"If they, at last, agree," he hoped'
    offsets = offsets_of(text)
    spans = find_spans(text, '"If they, at last, agree,"', "")
    logits = logits_for(token_targets(offsets, spans))
    comma = next(i for i, (start, _) in enumerate(offsets) if start == text.index(", at"))
    logits[comma] = [1.0, 0.0, 0.0]
    assert decode_spans(text, offsets, logits).words(text) == ("If they, at last, agree", None)


def test_a_span_takes_whole_words():
    # "unless" in two pieces, of which only the second is sure.
    text = "unless they go"
    offsets = [(0, 2), (2, 6), (7, 11), (12, 14)]
    logits = logits_for([0, 1, 1, 1], 2.0)
    logits[1] *= 3
    assert decode_spans(text, offsets, logits).words(text) == ("unless they go", None)


def test_the_threshold_decides_whether_there_is_a_span():
    offsets = offsets_of("we sign")
    logits = np.log(np.array([[1, 0.01, 0.01], [0.3, 0.6, 0.1], [0.8, 0.1, 0.1], [1, 0.1, 0.1]]))
    assert decode_spans("we sign", offsets, logits).words("we sign") == ("we", None)
    assert decode_spans("we sign", offsets, logits, threshold=0.7) == Spans()
    for bad in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="threshold"):
            decode_spans("we sign", offsets, logits, threshold=bad)
    with pytest.raises(ValueError, match="4 offsets but 2 rows"):
        decode_spans("we sign", offsets, logits[:2])


def test_no_tokens_and_marks_alone_give_no_span():
    assert decode_spans("", [(0, 0), (0, 0)], logits_for([1, 1])) == Spans()
    assert decode_spans("...", [(0, 1), (1, 2), (2, 3)], logits_for([1, 1, 1])) == Spans()


def test_the_best_pair_of_runs_without_overlap_is_found():
    generator = np.random.default_rng(0)
    for _ in range(60):
        count = int(generator.integers(1, 7))
        first, second = generator.normal(0, 2, (2, count)).tolist()
        runs = [(0, 0)] + [(a, b) for a in range(count) for b in range(a + 1, count + 1)]
        best = max(
            sum(first[a:b]) + sum(second[c:d])
            for a, b in runs
            for c, d in runs
            if b <= c or d <= a or a == b or c == d
        )
        one, other = _disjoint(first, second)
        assert one[0] + other[0] == pytest.approx(best)
        assert one[0] == pytest.approx(sum(first[one[1] : one[2]]))
        assert other[0] == pytest.approx(sum(second[other[1] : other[2]]))
        assert one[2] <= other[1] or other[2] <= one[1] or 0 in (one[0], other[0])


def test_token_f1_counts_words_over_all_rows():
    texts = ["if they go, we sign", "once done we talk", "we talk"]
    expected = [("if they go", "we sign"), ("once done", "we talk"), ("if asked", None)]
    found = [("if they", "we sign"), (None, "we talk"), (None, "we")]
    figures = span_token_f1(texts, found, expected)
    # Condition: 2 right of 2 marked and 5 true; the third row's stands in its context.
    assert figures["condition"] == {
        "precision": 1.0,
        "recall": pytest.approx(2 / 5),
        "f1": pytest.approx(4 / 7),
        "rows": 2,
        "left_out": 1,
    }
    assert figures["outcome"]["precision"] == pytest.approx(4 / 5)
    assert figures["outcome"]["recall"] == 1.0
    assert figures["both"]["f1"] == pytest.approx(2 * 6 / (7 + 9))
    with pytest.raises(ValueError, match="1 texts, 0 predicted, 1 expected"):
        span_token_f1(["a"], [], [(None, None)])


def test_authored_spans_survive_tokenizing_and_decoding():
    """What perfect logits decode to is what was authored, marks at its edges aside."""
    from stance.model.encoder import find_base, load_tokenizer

    lines = (DATA / "validation.jsonl").read_text("utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row.get("condition")]
    texts = [row["text"] for row in rows]
    inputs = InputEncoder(load_tokenizer(find_base()), 256)
    windows = inputs.encode(texts, [""] * len(texts), with_offsets=True)
    expected = [(row["condition"], row.get("outcome")) for row in rows]
    found = []
    for text, window, (condition, outcome) in zip(texts, windows, expected, strict=True):
        targets = token_targets(window.offsets, find_spans(text, condition, outcome or ""))
        found.append(decode_spans(text, window.offsets, logits_for(targets)).words(text))
    assert span_token_f1(texts, found, expected)["both"]["f1"] > 0.995


def test_a_whole_condition_outbids_a_long_outcome():
    both, long = Spans((0, 3), (4, 6), 5.0), Spans(None, (0, 90), 80.0)
    assert both.certainty > Spans((0, 3), None, 9.0).certainty > long.certainty
    assert long.certainty > Spans().certainty
    assert Spans((0, 3), (4, 6), 6.0).certainty > both.certainty
