import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.model.encoder import find_base, load_tokenizer
from stance.model.inputs import InputEncoder, is_blank, normalise_quote, replace_quote


@pytest.mark.parametrize(
    ("context", "text", "pieces", "expected"),
    [
        ('He called it "unacceptable" today.', "unacceptable", None, "He called it […] today."),
        ("“We will sign,” she said.", "We will sign,", None, "[…] she said."),
        ("“We will sign,” she said.", "We will sign", None, "[…] she said."),
        ("They said they would sign soon.", "they would sign", None, "They said […] soon."),
        ("She said […] to the press.", "anything", None, "She said […] to the press."),
        ("No such words here.", "we will sign", None, "No such words here."),
        ("“A […] b,” he said. “We sign.”", "We sign.", None, '"A […] b," he said. […]'),
        (
            '"We […]," he said, "will sign."',
            "We […], will sign.",
            ["We […],", "will sign."],
            "[…] he said, […]",
        ),
        ("He said\n  we   will\nsign.", "we will sign", None, "He said\n  […]."),
        ("‘It’s over,’ he said.", "It's over", None, "[…] he said."),
        ("The party left.", "art", None, "The party left."),
        ('"We will sign."', "We will sign.", None, ""),
        ("   ", "We will sign.", None, ""),
        ("", "We will sign.", None, ""),
        (
            '"We," he said, "will sign."',
            "We, will sign.",
            ["We,", "will sign."],
            "[…] he said, […]",
        ),
        ("A (b+c)* d", "(b+c)*", None, "A […] d"),
    ],
)
def test_the_quote_is_replaced_in_its_context(context, text, pieces, expected):
    assert replace_quote(context, text, pieces) == expected


def test_a_long_run_of_marks_takes_no_time():
    # From each mark anew, half a million of them would take hours.
    context = "'" * 500_000 + "x we will sign"
    assert replace_quote(context, "we will sign").endswith("'x […]")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("“We won’t sign.”", "We won't sign."),
        ('"We will sign,"', "We will sign."),
        ('We will sign,"', "We will sign."),
        ('They call it a "deal"', 'They call it a "deal"'),
        ('"Deal" is what they call a "trap"', '"Deal" is what they call a "trap"'),
        ("  talks – or war  ", "talks - or war"),
        ('"', '"'),
        (",", ","),
    ],
)
def test_what_only_frames_a_quote_is_not_read(text, expected):
    assert normalise_quote(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        (" \n\t", True),
        ("\u200b\u200e", True),
        ("\x00", True),
        ("?", False),
        ("平", False),
    ],
)
def test_blank_means_no_visible_character(text, expected):
    assert is_blank(text) is expected


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    return load_tokenizer(find_base(str(tiny_base)))


def test_quote_and_context_are_two_segments(tokenizer):
    (window,) = InputEncoder(tokenizer, 48).encode(["we sign"], ["he said […] on monday"])
    tokens = [tokenizer.id_to_token(token) for token in window.ids]
    assert tokens[:4] == ["[CLS]", "we", "sign", "[SEP]"]
    assert tokens[-1] == "[SEP]"
    assert window.type_ids == [0] * 4 + [1] * (len(tokens) - 4)
    assert window.weight == 2


def test_the_context_is_cut_and_the_quote_kept_whole(tokenizer):
    context = "if " * 40 + "[…] " + "then " * 40
    (window,) = InputEncoder(tokenizer, 24).encode(["we sign the deal"], [context])
    tokens = [tokenizer.id_to_token(token) for token in window.ids]
    assert len(tokens) <= 24
    assert tokens[1:5] == ["we", "sign", "the", "deal"]
    assert "…" in tokens
    assert "if" in tokens
    assert "then" in tokens


def test_a_context_without_room_is_left_out(tokenizer):
    (window,) = InputEncoder(tokenizer, 16).encode(["we " * 12], ["he said […] on monday"])
    assert set(window.type_ids) == {0}


def test_a_long_quote_is_read_in_overlapping_windows(tokenizer):
    words = [f"{first} {second}" for first in ("we", "they", "you") for second in WORD_LIST]
    text = " ".join(words)
    total = len(tokenizer.encode(text, add_special_tokens=False).ids)
    windows = InputEncoder(tokenizer, 16).encode([text], [""])
    inner = [window.ids[1:-1] for window in windows]
    assert all(len(window.ids) <= 16 for window in windows)
    assert [window.weight for window in windows] == [len(ids) for ids in inner]
    # Joined without their overlaps, the windows give the whole text.
    joined = inner[0] + [token for ids in inner[1:] for token in ids[3:]]
    assert joined == tokenizer.encode(text, add_special_tokens=False).ids
    assert len(joined) == total


WORD_LIST = ["talk", "sign", "leave", "meet", "ship", "stop", "return", "agree", "close", "open"]


def test_rows_keep_their_numbers(tokenizer):
    texts = ["we", "they " * 40, "you"]
    windows = InputEncoder(tokenizer, 16).encode(texts, ["", "", "[…] said he"])
    rows = [window.row for window in windows]
    assert rows == sorted(rows)
    assert set(rows) == {0, 1, 2}
    assert rows.count(1) > 1


def test_too_small_a_length_is_refused(tokenizer):
    with pytest.raises(ValueError, match="not 4"):
        InputEncoder(tokenizer, 4)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.text(max_size=120), min_size=1, max_size=3), context=st.text(max_size=120))
def test_any_text_gives_windows_within_the_limit(tokenizer, texts, context):
    contexts = [replace_quote(context, text) for text in texts]
    windows = InputEncoder(tokenizer, 20).encode(texts, contexts)
    assert {window.row for window in windows} == set(range(len(texts)))
    for window in windows:
        assert 2 <= len(window.ids) <= 20
        assert len(window.ids) == len(window.type_ids)
        assert window.weight >= 1


def test_lone_surrogates_are_read_as_unknown(tokenizer):
    assert InputEncoder(tokenizer, 20).encode(["we \ud800 sign"], [""])


@pytest.mark.parametrize(
    "text",
    [
        "We sign once they leave.",
        "  “We sign, once they leave,”  ",
        '"We" sign "once',
        '" \t"We sign" ',
        '"""',
        "We sign,",
        "caf\u00e9 we sign \ud800 they",
    ],
)
@pytest.mark.parametrize("context", ["", "the minister said […] in geneva on monday"])
def test_offsets_point_into_the_quote_as_given(tiny_base, text, context):
    inputs = InputEncoder(load_tokenizer(find_base(str(tiny_base))), 48)
    (window,) = inputs.encode([text], [context], with_offsets=True)
    (plain,) = inputs.encode([text], [context])
    assert plain.offsets is None
    assert (plain.ids, plain.type_ids) == (window.ids, window.type_ids)
    assert len(window.offsets) == len(window.ids)
    places = [place for place in window.offsets if place != (0, 0)]
    assert places == sorted(places)
    for word in ("We", "sign", "once", "they", "leave"):
        if word in text:
            start = text.index(word)
            assert (start, start + len(word)) in places


def test_offsets_of_later_windows_go_on_where_they_stand(tiny_base):
    inputs = InputEncoder(load_tokenizer(find_base(str(tiny_base))), 16)
    text = "we sign " * 30
    windows = inputs.encode([text], [""], with_offsets=True)
    assert len(windows) > 2
    seen = {place for window in windows for place in window.offsets if place[0] < place[1]}
    assert {text[start:end] for start, end in seen} == {"we", "sign"}
    assert max(end for _, end in seen) == len(text.rstrip())


@given(st.text(alphabet="ab ,.\"'“”«»‘’\t\n", max_size=20))
@settings(max_examples=300, deadline=None)
def test_a_quote_without_its_frame_is_a_stretch_of_it(text):
    from stance.model.inputs import _unframed, normalise

    start, end = _unframed(text)
    plain = normalise_quote(text)
    assert len(plain) == end - start
    assert plain[:-1] == normalise(text[start:end])[:-1]
    assert plain == plain.strip()
