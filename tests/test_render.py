"""The table and the page: complete, readable without colour, and safe with any article."""

import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from result_samples import (
    ARTICLE,
    JOKE,
    LABELLED,
    PREDICTIONS,
    SPLIT,
    make_prediction,
    make_quote,
)

from stance.explanation import Explanation, WordWeight, words_of
from stance.io import Document
from stance.labels import COLOURS, DEFINITIONS, SYMBOLS
from stance.render import count_categories, print_explanation, print_table, to_html, to_table
from stance.types import Analysis, Prediction, Quote

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """The parts of a page that the tests look at; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.ids, self.targets = [], [], [], []
        self.article, self.marked = [], {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags.append((tag, values))
        if tag not in VOID:
            self.open.append((tag, values))
        if "id" in values:
            self.ids.append(values["id"])
        if tag == "a":
            self.targets.append(values["href"].removeprefix("#"))

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        path = [tag for tag, _ in self.open]
        if path[-3:-1] == ["div", "p"] or path[-2:] == ["div", "p"]:
            if path[-1] == "mark":
                label = self.open[-1][1]["title"]
                self.marked.setdefault(label, []).append(data)
            if path[-1] in {"p", "mark"}:
                self.article.append(data)


def table_text(*documents):
    stream = io.StringIO()
    print_table(documents, stream)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch):
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def squeezed(text):
    return re.sub(r"[\s─]+", " ", text)


# --- table ---


def test_table_shows_every_fact_in_words():
    text = table_text(LABELLED)
    for word in [
        "border.txt",
        "2 quotes · 1 speaker",
        "Ana Kovač",
        "Minister",
        "◆ conditional",
        "91%",
        "positive tone",
        "✕ dismissive",
        "66%",
        "negative tone",
        "speaker not named",
        "◆ 1 conditional",
        "✕ 1 dismissive",
    ]:
        assert word in text, word


def test_table_of_split_quotes_shows_kind_and_cue():
    text = table_text(SPLIT)
    for word in ["■ direct", "said", "◧ mixed", "called", "■ 1 direct · ◧ 1 mixed"]:
        assert word in text, word
    assert "tone" not in text


def test_direct_words_stand_in_quotation_marks_and_indirect_ones_do_not():
    text = squeezed(table_text(SPLIT))
    assert "“If they open" in text
    assert "“the plan" not in text


@pytest.mark.parametrize("columns", [40, 60, 80, 200])
def test_table_fits_the_terminal(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    long = make_quote("word " * 80 + "x" * 150, "word word", "x" * 150)
    lines = table_text(LABELLED, Document("n" * 90, "…", (long,))).splitlines()
    assert max(len(line) for line in lines) <= min(columns, 112)


def test_table_keeps_every_character_of_a_word_too_long_for_its_column():
    text = table_text(Document("f", None, (make_prediction("x" * 300),)))
    assert text.count("x") == 300


def test_table_in_a_pipe_has_no_escape_codes():
    assert "\x1b" not in table_text(LABELLED)


def test_no_color_is_obeyed_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = Terminal()
    print_table([LABELLED], coloured)
    assert re.search(r"\x1b\[[0-9;]*36m", coloured.getvalue())  # cyan, for the conditional one
    monkeypatch.setenv("NO_COLOR", "1")
    plain = Terminal()
    print_table([LABELLED], plain)
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", plain.getvalue())


def test_escape_sequences_in_an_article_do_not_reach_the_terminal():
    bad = "a\x1b[2Jb\x07c\x9bd\u202ee\x00f\ud800g"
    text = table_text(Document(bad, None, (make_prediction(bad),)))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800]", text)
    assert "a [2Jb c d e f g" in text


def test_markup_in_an_article_is_shown_as_it_is():
    bad = "[bold red]x[/bold red] :smile: [link=http://e.org]y[/link]"
    assert bad in table_text(Document("f", None, (make_prediction(bad),)))


def test_article_without_text_or_quotes_says_so():
    text = table_text(Document("a.txt", " \n", ()), Document("b.txt", "No one spoke.", ()))
    assert "a.txt  no text" in text
    assert "b.txt  no quotes found · 13 characters" in text
    assert "2 articles · 0 quotes" in text


def test_condition_and_outcome_are_shown():
    prediction = make_prediction("If A, B.", "conditional", condition="A", outcome="B")
    text = table_text(Document(None, None, (prediction,)))
    assert "if: A" in text
    assert "then: B" in text


def test_to_table_is_what_print_table_prints():
    from rich.console import Console

    for results in (LABELLED, [LABELLED, SPLIT]):
        stream = io.StringIO()
        Console(file=stream, width=80).print(to_table(results))
        documents = [results] if isinstance(results, Document) else results
        assert stream.getvalue() == table_text(*documents)


def test_quotes_are_counted_in_label_order_and_own_labels_come_last():
    items = [make_prediction("a", name) for name in ("zeal", "neutral", "conciliatory", "neutral")]
    assert count_categories(items) == [("conciliatory", 1), ("neutral", 2), ("zeal", 1)]


# --- page ---


def test_page_holds_the_whole_article_and_marks_the_spans():
    page = Page(to_html(LABELLED))
    lines = [line for line in re.split(r"\r\n|\n", ARTICLE) if line]
    assert "".join(page.article) == "".join(lines)
    assert page.marked == {
        "Quote 1, Ana Kovač, conditional 91%, positive tone": [
            "If they open the border,",
            "we will lift the blockade.",
        ],
        "Quote 2, speaker not named, dismissive 66%, negative tone": [JOKE.text],
    }


def test_page_names_speaker_role_labels_and_all_probabilities():
    text = to_html(LABELLED)
    for word in ["Ana Kovač", "Minister", "speaker not named", "positive tone", "91%", "66%"]:
        assert word in text, word
    for name, symbol in SYMBOLS.items():
        assert f'<th scope="row">{name}</th>' in text
        assert symbol in text
        assert DEFINITIONS[name] in text
        assert COLOURS[name] in text


def test_links_lead_somewhere_and_ids_are_unique():
    page = Page(to_html([LABELLED, SPLIT, LABELLED, list(PREDICTIONS), Document("e", "", ())]))
    assert len(page.ids) == len(set(page.ids))
    assert set(page.targets) <= set(page.ids)
    assert page.targets


def test_page_loads_nothing_and_runs_nothing():
    page = Page(to_html([LABELLED, SPLIT]))
    tags = {tag for tag, _ in page.tags}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "object", "form", "svg"})
    assert not any(
        name.startswith("on") or name == "src" for _, values in page.tags for name in values
    )
    policy = next(v["content"] for t, v in page.tags if v.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert "http" not in re.sub(r"http-equiv", "", to_html(LABELLED))


ATTACK = "</style></mark><script>alert(1)</script>\"' onclick=x {{ 7*7 }} {% raw %} &lt; <!--"


def test_everything_from_outside_is_escaped():
    article = f"{ATTACK} said {ATTACK}."
    quote = make_quote(article, ATTACK, speaker=ATTACK, role=ATTACK, cue=ATTACK)
    prediction = make_prediction(quote, condition=ATTACK, outcome=ATTACK)
    own = Prediction(ATTACK, ATTACK, ATTACK, {ATTACK: 1.0}, {ATTACK: 1.0}, 1.0)
    text = to_html(
        [Document(ATTACK, article, (prediction,)), Document(ATTACK, article, (quote,)), own],
        title=ATTACK,
    )
    page = Page(text)
    assert "<script" not in text
    assert "49" not in "".join(page.article)
    assert "".join(page.article) == article * 2
    assert {name for _, values in page.tags for name in values} <= {
        *("id", "class", "style", "title", "href", "role", "scope", "lang", "content", "name"),
        *("charset", "http-equiv", "aria-label", "aria-hidden"),
    }
    classes = {word for _, values in page.tags for word in values.get("class", "").split()}
    assert all(re.fullmatch("[a-z]+", word) for word in classes)


def test_quote_over_paragraphs_is_marked_in_each_and_numbered_once():
    article = "He said: “One\r\n\r\n  two\nthree” today."
    start, end = article.index("One"), article.index("” today")
    quote = Quote(article[start:end], start, end, ((start, end),), "direct")
    text = to_html(Document("f", article, (quote,)))
    page = Page(text)
    assert page.marked == {"Quote 1, speaker not named, direct": ["One", "  two", "three"]}
    assert text.count('class="ref') == 1
    assert text.count('<section class="card') == 1


def test_page_of_strings_shows_their_text():
    text = to_html([make_prediction("They won’t."), make_prediction("Yes.", "conciliatory")])
    assert "<blockquote>They won’t.</blockquote>" in text
    assert Page(text).targets == []


def test_labels_of_an_own_model_are_explained_instead_of_ours():
    own = Prediction("Buy!", "bullish", "calm", {"bullish": 1.0}, {"calm": 1.0}, 1.0)
    text = to_html(own)
    assert "bullish" in text
    assert "conciliatory</span>" not in text


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (Document("a", "", ()), "No text."),
        (Document("a", " \n \r\n", ()), "No text."),
        (Document("a", "Nobody spoke.", ()), "No quotes found in this article."),
        (Document(None, None, ()), "No quotes."),
    ],
)
def test_page_without_quotes_says_so(document, words):
    assert words in to_html(document)


@pytest.mark.parametrize(("is_predicted", "stances"), [(None, False), (False, False), (True, True)])
def test_page_without_quotes_shows_stances_only_where_asked_for(is_predicted, stances):
    page = to_html(Document(None, None, ()), is_predicted=is_predicted)
    assert ("Quotes and stances" in page) is stances
    assert ("conciliatory</span>" in page) is stances


def test_half_a_surrogate_pair_does_not_stop_the_page():
    article = "x \ud800 y"
    assert "x ? y" in to_html(Analysis(article, ()))
    to_html(Analysis(article, ())).encode("utf-8")


@given(st.data())
def test_any_article_with_any_spans_is_shown_whole(data):
    article = data.draw(st.text("ab <&\n\r\u2028“”", max_size=60))
    numbers = st.integers(0, len(article))
    quotes = []
    for _ in range(data.draw(st.integers(0, 4))):
        edges = sorted(data.draw(st.lists(numbers, min_size=2, max_size=6)))
        spans = tuple(zip(edges[::2], edges[1::2], strict=False))
        text = " ".join(article[start:end] for start, end in spans)
        quotes.append(Quote(text, spans[0][0], spans[-1][1], spans, "direct"))
    page = Page(text := to_html(Document("f", article, tuple(quotes))))
    lines = [line for line in re.split(r"\r\n|\r|\n", article) if line.strip()]
    assert "".join(page.article) == "".join(lines)
    assert text.count('<section class="card') == len(quotes)
    assert len(page.ids) == len(set(page.ids))


def test_page_of_two_thousand_quotes_is_made_in_time():
    article = "“Yes,” he said. " * 2000
    quotes = []
    for number in range(2000):
        start = number * 16 + 1
        quotes.append(
            Quote(article[start : start + 4], start, start + 4, ((start, start + 4),), "direct")
        )
    assert to_html(Document("f", article, tuple(quotes))).count("<mark") == 2000


def undecided(quote):
    return replace(make_prediction(quote, "dismissive", "negative", 0.41), stance=None)


def test_an_undecided_quote_is_counted_and_shown_with_its_likeliest_stance():
    items = (undecided(JOKE), *PREDICTIONS)
    assert dict(count_categories(items))["undecided"] == 1
    shown = shown_table([Document("border.txt", ARTICLE, items)])
    assert "? undecided" in shown
    assert "dismissive?" in shown
    page = to_html(Document("border.txt", ARTICLE, items))
    assert "perhaps dismissive 41%" in page
    assert "no stance is probable enough" in page
    assert "no stance is probable enough" not in to_html(LABELLED)


def test_control_characters_of_an_explained_quote_do_not_reach_the_terminal():
    text = "never\x1b[31m again"
    words = tuple(WordWeight(text[s:e], s, e, 0.2) for s, e in words_of(text))
    stream = io.StringIO()
    print_explanation(Explanation(text, "stance", "dismissive\x1b", 0.9, words), stream)
    assert "\x1b" not in stream.getvalue()
    assert "+20.0" in stream.getvalue()


class ClosedPipe(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def test_a_closed_pipe_is_left_to_the_caller():
    # rich itself would end the program.
    for show in (
        lambda pipe: print_table([LABELLED], pipe),
        lambda pipe: print_explanation(Explanation("no", "stance", "neutral", 0.9, ()), pipe),
    ):
        with pytest.raises(BrokenPipeError):
            show(ClosedPipe())


def shown_table(documents):
    stream = io.StringIO()
    print_table(documents, stream)
    return stream.getvalue()


def test_a_quote_that_was_read_in_parts_says_so():
    long = replace(PREDICTIONS[1], windows=3)
    assert "mean of 3 parts" in " ".join(shown_table([Document(None, None, (long,))]).split())
    assert "the mean of 3 parts" in to_html(long)
    assert "parts" not in shown_table([LABELLED])
