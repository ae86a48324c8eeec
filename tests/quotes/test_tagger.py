"""The learned tagger's parts, and the whole on a random encoder: nothing here needs weights."""

import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stance.quotes
from stance.model.encoder import find_base, load_tokenizer
from stance.model.tag_network import DISTANCES, LINK_SIZE, TAGS
from stance.quotes import decoding, split, split_all
from stance.quotes.assemble import assemble
from stance.quotes.combine import (
    Piece,
    combine,
    is_quoted,
    is_speech,
    join_pieces,
    snap_to_marks,
)
from stance.quotes.decoding import TagSpan, best_tags, distance_buckets, link_spans, spans_of
from stance.quotes.doubts import is_state, is_title, reports_nothing
from stance.quotes.page import Attribution, Page
from stance.quotes.scores import Decision, WordScores
from stance.quotes.tagger import QuoteTagger
from stance.quotes.wordpieces import FEATURE_SIZES, cut_windows, read_stretches

HIDDEN = 32
ODD_TEXTS = [
    "",
    " \n\n ",
    '"',
    "”“«»'’",
    "a\x00b said that \ud800 we talk",
    "قال الوزير «نحن مستعدون» اليوم.",
    "e\u0301tat said: “no\u200b” 🙂🙂",
    "word " * 400,
    "x" * 300,
    '"We will talk.' + "\n\n" + '"We will sign," he said.',
]


def random_heads(seed=0, scale=0.5):
    generator = np.random.default_rng(seed)
    shapes = {f"features.{i}.weight": (size, HIDDEN) for i, size in enumerate(FEATURE_SIZES)}
    shapes |= {"tags.weight": (len(TAGS), HIDDEN), "tags.bias": (len(TAGS),)}
    for name in ("content", "content_cue", "cue", "cue_source"):
        shapes |= {f"{name}.weight": (LINK_SIZE, 2 * HIDDEN), f"{name}.bias": (LINK_SIZE,)}
    for name in ("content_distance", "cue_distance"):
        shapes[f"{name}.weight"] = (2 * (len(DISTANCES) + 1), 1)
    for name in ("no_source", "speech"):
        shapes |= {f"{name}.weight": (1, 2 * HIDDEN), f"{name}.bias": (1,)}
    return {
        f"heads.{name}": (generator.normal(size=shape) * scale).astype(np.float32)
        for name, shape in shapes.items()
    }


@pytest.fixture(scope="module")
def tagger(tiny_base):
    return QuoteTagger(find_base(str(tiny_base)), random_heads(), window=24, stride=16)


# --- windows and features ---------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [0, 1, 5, 10, 11, 37, 100])
@pytest.mark.parametrize(("size", "stride"), [(10, 10), (10, 7), (10, 1), (3, 2)])
def test_windows_keep_every_piece_once(pieces, size, stride):
    windows = cut_windows(pieces, size, stride)
    kept = [i for window in windows for i in range(window.keep_start, window.keep_end)]
    assert kept == list(range(pieces))
    for window in windows:
        assert 0 <= window.start <= window.keep_start <= window.keep_end <= window.end <= pieces
    for window in windows:
        assert window.end - window.start == min(size, pieces)


@pytest.mark.parametrize("letters", ["“a " * 400, "x y z. " * 400, "a " * 5000])
def test_a_page_of_single_letters_is_not_read(letters, tiny_base):
    page = Page(letters + "\n\nThe envoy left.")
    tokenizer = load_tokenizer(find_base(str(tiny_base)))
    starts = [int(at) for stretch in read_stretches(page, tokenizer) for at in stretch.starts]
    assert starts[-1] > len(letters)
    # short sentences are read: “I do.” says something
    assert all(at > len(letters) for at in starts) or letters.startswith("x")


def test_stride_outside_the_window_is_rejected():
    with pytest.raises(ValueError, match=r"stride must be within 1\.\.5, not 6"):
        cut_windows(10, 5, 6)


def test_features_tell_case_marks_and_beginnings(tiny_base):
    article = "Wood said: “NATO will not sign 12 deals.” He left.\n\nThe McKay talks open."
    tokenizer = load_tokenizer(find_base(str(tiny_base)))
    [stretch] = read_stretches(Page(article), tokenizer)
    values = {}
    for index, start, end in zip(stretch.first, stretch.starts, stretch.ends, strict=True):
        values[article[start:end]] = tuple(stretch.features[index].tolist())
    assert values["Wood"] == (2, 1, 3)
    assert values["said"] == (1, 1, 1)
    assert values["“"] == (6, 2, 1)
    assert values["NATO"] == (3, 3, 1)
    assert values["12"] == (5, 3, 1)
    assert values["”"] == (6, 4, 1)
    assert values["He"] == (2, 1, 2)
    assert values["The"] == (2, 1, 3)
    assert values["McKay"] == (4, 1, 1)
    assert [
        article[s:e]
        for s, e, p in zip(stretch.starts, stretch.ends, stretch.begins_paragraph, strict=True)
        if p
    ] == ["Wood", "The"]


@pytest.mark.parametrize("article", ODD_TEXTS)
def test_words_stand_where_their_offsets_say(article, tiny_base):
    tokenizer = load_tokenizer(find_base(str(tiny_base)))
    reach = 0
    for stretch in read_stretches(Page(article), tokenizer):
        assert len(stretch.ids) == len(stretch.features) >= len(stretch.first)
        for start, end in zip(stretch.starts, stretch.ends, strict=True):
            assert reach <= start <= end <= len(article)
            reach = end


def test_a_long_article_comes_in_bounded_stretches(tiny_base):
    line = "The minister said that talks will open on Monday. " * 19
    article = "\n\n".join(f"{line}The table is {i} for them on Monday." for i in range(80))
    tokenizer = load_tokenizer(find_base(str(tiny_base)))
    stretches = list(read_stretches(Page(article), tokenizer))
    assert len(stretches) > 1
    assert sum(len(s.first) for s in stretches) == 80 * (19 * 10 + 9)


# --- decoding ---------------------------------------------------------------------------------


def brute_force(logits, breaks):
    legal = []
    for tags in itertools.product(range(7), repeat=len(logits)):
        before = 0
        for tag, cut in zip(tags, breaks, strict=True):
            if tag in (2, 4, 6) and (cut or before not in (tag - 1, tag)):
                break
            before = tag
        else:
            legal.append((sum(logits[i][t] for i, t in enumerate(tags)), tags))
    return list(max(legal)[1])


@pytest.mark.parametrize("seed", range(6))
def test_decoding_finds_the_best_legal_sequence(seed):
    generator = np.random.default_rng(seed)
    logits = generator.normal(size=(4, 7)).astype(np.float32)
    breaks = np.array([True, False, seed % 2 == 1, False])
    assert best_tags(logits, breaks) == brute_force(logits.tolist(), breaks.tolist())


def test_decoded_sequences_are_legal():
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(500, 7)).astype(np.float32)
    breaks = generator.random(500) < 0.05
    tags = best_tags(logits, breaks)
    for before, tag, cut in zip([0, *tags], tags, breaks, strict=False):
        assert tag not in (2, 4, 6) or (not cut and before in (tag - 1, tag))
    assert best_tags(logits[:0], breaks[:0]) == []


def test_spans_are_runs_of_one_role():
    assert spans_of([5, 6, 3, 0, 1, 2, 2, 1]) == [
        TagSpan("source", 0, 2),
        TagSpan("cue", 2, 3),
        TagSpan("content", 4, 7),
        TagSpan("content", 7, 8),
    ]


def test_distance_buckets_tell_direction_and_size():
    middle = [TagSpan("cue", 10, 12)]
    others = [TagSpan("source", 12, 13), TagSpan("source", 8, 10), TagSpan("source", 300, 301)]
    after, before, far = distance_buckets(middle, others)[0].tolist()
    assert len({after, before, far}) == 3
    assert far == 2 * (len(DISTANCES) + 1) - 1
    assert decoding.distance_buckets(np.array([[10, 12]]), np.array([[12, 13]]))[0, 0] == after


def test_links_without_cues_or_sources_are_none():
    heads = {name.removeprefix("heads."): array for name, array in random_heads().items()}
    states = np.zeros((5, HIDDEN), dtype=np.float32)
    [link] = link_spans([TagSpan("content", 0, 3)], states, heads)
    assert (link.cue, link.source) == (None, None)
    assert link_spans([], states, heads) == []


def test_links_take_the_nearest_where_only_distance_counts():
    heads = {name.removeprefix("heads."): 0 * array for name, array in random_heads().items()}
    heads["content_distance.weight"][:, 0] = [*range(0, -9, -1), *range(0, -9, -1)]
    heads["cue_distance.weight"] = heads["content_distance.weight"]
    heads["no_source.bias"] = np.array([-50.0], dtype=np.float32)
    spans = [
        TagSpan("source", 0, 1),
        TagSpan("cue", 1, 2),
        TagSpan("content", 3, 9),
        TagSpan("source", 40, 41),
        TagSpan("cue", 41, 42),
        TagSpan("content", 42, 50),
    ]
    links = link_spans(spans, np.zeros((60, HIDDEN), dtype=np.float32), heads)
    assert [(link.cue, link.source) for link in links] == [
        (spans[1], spans[0]),
        (spans[4], spans[3]),
    ]
    assert all(0 < link.source_probability <= 1 for link in links)


# --- marks and rules --------------------------------------------------------------------------


def scores_of(article, tagged, probability=0.9):
    """Word scores in which the words of some substrings are content."""
    import re

    words = [m.span() for m in re.finditer(r"\w+", article)]
    ranges = [(article.index(part), article.index(part) + len(part)) for part in tagged]
    inside = np.array([any(a <= s < b for a, b in ranges) for s, _ in words])
    starts, ends = (np.array(column) for column in zip(*words, strict=True))
    content = np.where(inside, probability, 1 - probability).astype(np.float32)
    return WordScores(starts, ends, content, inside)


def span_of(article, part):
    if part is None:
        return None
    return article.index(part), article.index(part) + len(part)


def piece(article, content, cue=None, source=None):
    content, cue, source = (span_of(article, part) for part in (content, cue, source))
    return Piece(content, cue, source, True, 0.8)


@pytest.mark.parametrize(
    ("tagged", "expected"),
    [
        ("are ready to talk", "“We are ready to talk,”"),
        ("We are ready to talk,” Wood", "“We are ready to talk,” Wood"),
        ("talk", None),
        ("talk,” Wood said", " Wood said"),
    ],
)
def test_marks_decide_the_edges_of_direct_speech(tagged, expected):
    article = "“We are ready to talk,” Wood said on Monday."
    page = Page(article)
    found = snap_to_marks(page, [piece(article, tagged)], scores_of(article, [tagged]), 0.5)
    assert [article[slice(*one.content)] for one in found] == ([expected] if expected else [])


def test_pieces_of_one_quotation_become_one():
    article = "“We are ready to talk and to sign,” Wood said."
    parts = ["We are ready to talk", "and to sign"]
    pieces = [piece(article, part, "said", "Wood") for part in parts]
    found = snap_to_marks(Page(article), pieces, scores_of(article, parts), 0.5)
    assert [article[slice(*one.content)] for one in found] == [
        "“We are ready to talk and to sign,”"
    ]


def test_interrupted_sentence_is_one_quote_and_a_further_sentence_another():
    article = "“We talk,” Wood said, “and sign.” “They left us no choice.”"
    parts = ["“We talk,”", "“and sign.”", "“They left us no choice.”"]
    joined = join_pieces(Page(article), [piece(article, part, "said", "Wood") for part in parts])
    contents = [[article[a:b] for a, b in one.content] for one in joined]
    assert contents == [["“We talk,”", "“and sign.”"], ["“They left us no choice.”"]]
    assert [one.cue is not None for one in joined] == [True, False]
    assert [article[slice(*one.source)] for one in joined] == ["Wood", "Wood"]


def test_quote_over_two_paragraphs_goes_on():
    article = "Wood said: “We will talk with them.\n\n“We will sign on Monday.”"
    parts = ["“We will talk with them.", "“We will sign on Monday.”"]
    joined = join_pieces(Page(article), [piece(article, part, "said", "Wood") for part in parts])
    assert [one.continues for one in joined] == [False, True]
    [quote] = assemble(Page(article), joined)
    assert len(quote.spans) == 2


def test_quote_goes_on_only_from_one_that_was_left_open():
    article = (
        "“We left,” Hill said.\n\n“We will talk with them, Wood said.\n\n“We will sign on Monday.”"
    )
    first = Attribution((span_of(article, "“We left,”"),), None, span_of(article, "Hill"))
    # The quote between them was left out since.
    later = Attribution(
        (span_of(article, "“We will sign on Monday.”"),),
        None,
        span_of(article, "Wood"),
        continues=True,
    )
    quotes = assemble(Page(article), [first, later])
    assert [quote.speaker.name for quote in quotes] == ["Hill", "Wood"]


def test_quote_may_go_on_within_the_next_paragraph():
    article = "Wood said: “We will talk with them.\n\n– “We will sign on Monday.”"
    parts = ["“We will talk with them.", "“We will sign on Monday.”"]
    joined = join_pieces(Page(article), [piece(article, part, "said", "Wood") for part in parts])
    [quote] = assemble(Page(article), joined)
    assert len(quote.spans) == 2


@pytest.mark.parametrize(("probability", "kept"), [(0.9, True), (0.05, False)])
def test_a_quote_that_only_the_rules_found_stays_unless_the_tagger_says_no(probability, kept):
    article = "Wood said that talks will open on Monday."
    content = (article.index("that"), article.index("."))
    rule = Attribution((content,), (5, 9), (0, 4))
    scores = scores_of(article, ["that talks will open on Monday"], probability)
    assert combine(Page(article), [], scores, [rule], Decision()) == ([rule] if kept else [])


def test_rules_name_the_speaker_that_the_tagger_misses():
    article = "Wood said that talks will open on Monday."
    mine = piece(article, "talks will open on Monday")
    rule = Attribution(((10, 40),), (5, 9), (0, 4))
    scores = scores_of(article, ["talks will open on Monday"])
    [found] = combine(Page(article), [mine], scores, [rule], Decision())
    assert (found.source, found.cue) == ((0, 4), (5, 9))


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("said Thursday morning", True),
        ("according to", True),
        (":", True),
        ("accused", True),
        ("hopes", False),
        ("has believed", False),
        ("in", False),
        ("", False),
    ],
)
def test_cues_of_speech_are_told_from_belief(cue, expected):
    assert is_speech(cue) is expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [("“We talk.”", True), ("We talk", True), ("that “We talk", False), ("Wood said", False)],
)
def test_quoted_means_every_word_between_marks(content, expected):
    article = "Wood said that “We talk.”"
    start = article.index(content)
    assert is_quoted(Page(article), [(start, start + len(content))]) is expected


# --- the whole --------------------------------------------------------------------------------


@pytest.mark.parametrize("article", ODD_TEXTS)
def test_attributions_of_odd_text_lie_within_it_and_never_overlap(article, tagger):
    check_attributions(article, tagger)


@given(st.text(alphabet=st.sampled_from("ab said.,“”\"'\n«»:éİß\u0301\ud800 "), max_size=300))
@settings(max_examples=60, deadline=None)
def test_attributions_of_any_text_lie_within_it_and_never_overlap(article):
    check_attributions(article, _any_tagger())


_TAGGERS = []


@pytest.fixture(autouse=True, scope="module")
def _share(tagger):
    _TAGGERS.append(tagger)


def _any_tagger():
    return _TAGGERS[0]


def check_attributions(article, tagger):
    page = Page(article)
    found = tagger.attributions(page)
    spans = sorted(span for one in found for span in one.content)
    for start, end in spans:
        assert 0 <= start < end <= len(article)
    tagged = sorted(one.content for one in found)
    assert tagged == sorted(tagged, key=lambda content: content[0])
    quotes = assemble(page, found)
    reach = 0
    for quote in quotes:
        for start, end in quote.spans:
            assert reach <= start < end <= len(article)
            reach = end


def test_windows_change_nothing_where_one_holds_all(tiny_base):
    article = "The minister said that talks will open."
    base = find_base(str(tiny_base))
    wide = QuoteTagger(base, random_heads(), window=60, stride=58)
    narrow = QuoteTagger(base, random_heads(), window=60, stride=20)
    for a, b in zip(wide.read(Page(article)), narrow.read(Page(article)), strict=True):
        np.testing.assert_allclose(a.logits, b.logits, atol=1e-5)


def test_saved_tagger_loads_and_finds_the_same(tagger, tmp_path):
    tagger.save_pretrained(tmp_path / "a")
    once = QuoteTagger.from_pretrained(tmp_path / "a")
    once.save_pretrained(tmp_path / "b")
    again = QuoteTagger.from_pretrained(str(tmp_path / "b"))
    assert (tmp_path / "a" / "model.safetensors").read_bytes() == (
        tmp_path / "b" / "model.safetensors"
    ).read_bytes()
    article = "The minister said: “We will sign the deal.” They reject talks."
    assert once.attributions(Page(article)) == again.attributions(Page(article))
    assert (again.window, again.stride, again.decision) == (24, 16, tagger.decision)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda config: config.pop("window"), "not a valid tagger configuration"),
        (lambda config: config.update(kind="stance"), "describes 'stance'"),
        (lambda config: config.update(format_version=9), "format 9"),
        (lambda config: config.update(weights_sha256="0" * 64), "is damaged"),
        (lambda config: config["decision"].update(unknown=1.0), "not a valid tagger"),
        (lambda config: config.update(window=1000), "window must be within 4..64, not 1000"),
    ],
)
def test_damaged_directory_is_named(damage, message, tagger, tmp_path):
    tagger.save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text("utf-8"))
    damage(config)
    path.write_text(json.dumps(config), "utf-8")
    with pytest.raises(ValueError, match=message):
        QuoteTagger.from_pretrained(tmp_path)


def test_many_threads_load_one_tagger_and_one_engine(tagger, tmp_path, monkeypatch):
    tagger.save_pretrained(tmp_path)
    monkeypatch.setattr(stance.quotes, "_RELEASED", tmp_path)
    stance.quotes._released.cache_clear()
    together = threading.Barrier(6)

    def load(_):
        together.wait()
        found = stance.quotes.released_tagger()
        return found, found._engine

    with ThreadPoolExecutor(6) as pool:
        pairs = list(pool.map(load, range(6)))
    stance.quotes._released.cache_clear()
    assert all(one is pairs[0][0] for one, _ in pairs)
    assert all(engine is pairs[0][1] for _, engine in pairs)


def test_missing_directory_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"has no config\.json"):
        QuoteTagger.from_pretrained(tmp_path / "none")


def test_heads_of_wrong_shape_are_rejected(tiny_base):
    heads = random_heads()
    heads["heads.tags.weight"] = heads["heads.tags.weight"][:5]
    with pytest.raises(ValueError, match=r"tags\.weight must have shape"):
        QuoteTagger(find_base(str(tiny_base)), heads, window=24, stride=16)
    del heads["heads.tags.weight"]
    with pytest.raises(ValueError, match="lack the heads"):
        QuoteTagger(find_base(str(tiny_base)), heads, window=24, stride=16)


def test_training_network_and_inference_agree(tiny_base):
    import torch

    from stance.model.encoder import build_encoder
    from stance.model.tag_network import TagNetwork

    base = find_base(str(tiny_base))
    heads = random_heads()
    network = TagNetwork(build_encoder(base), FEATURE_SIZES).eval()
    network.load_state_dict(
        {**network.state_dict(), **{n: torch.from_numpy(a) for n, a in heads.items()}}
    )
    tagger = QuoteTagger(base, heads, window=60, stride=58)
    [read] = tagger.read(Page("Wood said: “We will sign.”"))
    tokenizer = load_tokenizer(base)
    begin, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    features = np.zeros((1, len(read.stretch.ids) + 2, 3), dtype=np.int64)
    features[0, 1:-1] = read.stretch.features
    with torch.inference_mode():
        states = network.states(
            torch.tensor([[begin, *read.stretch.ids.tolist(), end]]),
            torch.from_numpy(features),
            None,
        )
        logits = network.tag_logits(states)[0, 1:-1].numpy()[read.stretch.first]
    # An engine may compute in bf16.
    np.testing.assert_allclose(read.logits, logits, atol=0.3)


def attribution(article, content, cue=None, source=None):
    def span(part):
        return None if part is None else (article.index(part), article.index(part) + len(part))

    return Attribution((span(content),), span(cue), span(source))


@pytest.mark.parametrize(
    ("article", "content", "cue", "source"),
    [
        ("Costa did not say when they would meet.", "when they would meet", "did not say", "Costa"),
        ("Asked about the mines, he left.", "the mines", "Asked about", None),
        ("If Oslo says that it is safe, they go.", "it is safe", "says", "Oslo"),
        ("Nobody asked about the ice.", "the ice", "asked about", "Nobody"),
        ("Oslo dashed hopes of a deal.", "a deal", "dashed hopes of", "Oslo"),
        ("Oslo discussed the ice on Monday, saying it melts.", "the ice", "discussed", "Oslo"),
    ],
)
def test_what_nobody_said_is_no_report(article, content, cue, source):
    assert reports_nothing(Page(article), attribution(article, content, cue, source))


@pytest.mark.parametrize(
    ("article", "content", "cue", "source"),
    [
        ("Costa said when they would meet.", "when they would meet", "said", "Costa"),
        ("Oslo does not believe it is safe.", "it is safe", "does not believe", "Oslo"),
        ("Oslo discussed the ice on Monday.", "the ice", "discussed", "Oslo"),
    ],
)
def test_what_somebody_said_is_a_report(article, content, cue, source):
    assert not reports_nothing(Page(article), attribution(article, content, cue, source))


@pytest.mark.parametrize(
    ("article", "content", "cue", "source", "expected"),
    [
        ("Oslo is reluctant about the plan.", "the plan", "is reluctant about", "Oslo", True),
        ("The film was shown.", "The film", "was shown", None, True),
        ("Oslo is here, pushing for a text that ends it.", "a text", "pushing for", "Oslo", True),
        ("Oslo is hoping for a summit.", "a summit", "is hoping for", "Oslo", False),
        ("Oslo is sure the ice is thin.", "the ice is thin", "is sure", "Oslo", False),
        ("Oslo rejected the plan.", "the plan", "rejected", "Oslo", False),
    ],
)
def test_a_state_about_a_thing_is_told_from_a_report(article, content, cue, source, expected):
    assert is_state(Page(article), attribution(article, content, cue, source)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("“Song of the Strait”", True), ("“We shall See”", False), ("“no”", False)],
)
def test_title_case_shows_a_title(text, expected):
    assert is_title(Page(text), [(0, len(text))]) is expected


def test_many_articles_are_split_as_each_alone(tagger):
    articles = [*ODD_TEXTS, "“We agree,” Ana Costa said. She said that talks go on."] * 2
    together = split_all(articles, tagger=tagger)
    assert [len(quotes) for quotes in together] == [
        len(split(article, tagger=tagger)) for article in articles
    ]


def test_edges_of_the_rules_stand_where_the_tagger_doubts():
    article = "Costa said that the ice is thin on Monday"
    rule = attribution(article, "the ice is thin on Monday", "said", "Costa")
    mine = piece(article, "the ice is thin", "said", "Costa")
    unsure = scores_of(article, ["the ice is thin"], probability=0.6)
    sure = scores_of(article, ["the ice is thin"], probability=0.99)
    [kept] = combine(Page(article), [mine], unsure, [rule], Decision())
    assert kept.content == rule.content
    [cut] = combine(Page(article), [mine], sure, [rule], Decision())
    assert cut.content == (mine.content,)


def test_that_before_the_content_is_left_out():
    article = "Costa said that the ice is thin"
    mine = piece(article, "that the ice is thin", "said", "Costa")
    scores = scores_of(article, ["that the ice is thin"], probability=0.99)
    [found] = combine(Page(article), [mine], scores, [], Decision())
    assert article[slice(*found.content[0])] == "the ice is thin"
