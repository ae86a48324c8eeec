"""The quote figures, on cases small enough to count by hand."""

import json

import pytest

from stance.evaluation import quotes as quote_evaluation
from stance.evaluation.labelled import Setting, Subject
from stance.evaluation.quote_articles import (
    Article,
    Attributed,
    from_split,
    read_articles,
    read_single_quotes,
)
from stance.evaluation.quote_figures import FIGURES
from stance.evaluation.quote_geometry import (
    intersect,
    jaccard,
    merge,
    pieces,
    quoted_regions,
    words,
)
from stance.evaluation.quote_names import head, is_pronoun, names_fit
from stance.evaluation.quote_score import match, score
from stance.evaluation.rows import DataError
from stance.evaluation.runner import find_root
from stance.types import Cue, Quote, Speaker


def marked(text, regions):
    return [text[start:end] for start, end in regions]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He said “yes” and “no”.", ["“yes”", "“no”"]),
        ('He said "yes".', ['"yes"']),
        ("It is 6'3\" tall and 7'1\" wide.", []),  # inches open nothing
        ("“Open to the end.\nNext line.", ["“Open to the end."]),
        ("“Mixed\" and 'more' here", ['“Mixed"', "'more'"]),
        ('"He “nested” it"', ['"He “nested” it"']),
        ("”Swedish” marks", ["”Swedish”"]),
        ("«A» and „B”", ["«A»", "„B”"]),
        ("the ministers' plans weren't", []),
        ("‘Single’ and “it’s double”", ["‘Single’", "“it’s double”"]),
        ("“", []),
    ],
)
def test_regions_between_marks(text, expected):
    assert marked(text, quoted_regions(text)) == expected


def test_pieces_are_cut_at_lines_and_trimmed_at_edges():
    text = '“One two,\nthree.” – "'
    assert marked(text, pieces(text, [(0, len(text))])) == ["One two", "three"]


def test_words_keep_apostrophes_and_dots_inside():
    text = "the U.S. isn't it"
    assert len(words(text, [(0, len(text))])) == 4


def test_spans_are_merged_and_intersected():
    assert merge([(5, 9), (1, 3), (2, 4), (7, 7)]) == [(1, 4), (5, 9)]
    assert merge([(1, 3), (3, 5)]) == [(1, 3), (3, 5)]  # neighbours stay two
    assert intersect([(0, 4), (6, 9)], [(2, 7)]) == [(2, 4), (6, 7)]


def test_jaccard_of_nothing_is_zero():
    assert jaccard(frozenset(), frozenset()) == 0
    assert jaccard(frozenset({1, 2, 3}), frozenset({2, 3, 4})) == 0.5


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        ([{1, 2}], [{1, 2}], {0: 0}),
        ([{1, 2, 3, 4}], [{1, 2}], {0: 0}),  # just half
        ([{1, 2, 3, 4, 5}], [{1, 2}], {}),
        ([{1, 2, 3}, {1, 2}], [{1, 2}], {1: 0}),  # the better one wins
        ([{1}], [], {}),
        ([set()], [{1}], {}),
    ],
)
def test_contents_are_matched_one_to_one_best_first(gold, found, expected):
    assert match([frozenset(g) for g in gold], [frozenset(f) for f in found]) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Gov. Ann Lee (R)", "lee"),
        ("Ann Lee, the envoy", "lee"),
        ("a spokesman for the army", "spokesman"),
        ("the ministry", "ministry"),
        ("Lee's", "lee"),
        ("", ""),
        ("the", ""),
    ],
)
def test_head_of_a_name(name, expected):
    assert head(name) == expected


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Lee", "Foreign Minister Ann Lee", True),
        ("Ann Lee", "Lee, the envoy", True),
        ("Ann Lee", "Bob Ray", False),
        ("", "", False),
        ("the", "of", False),
    ],
)
def test_names_fit_by_their_heads(first, second, expected):
    assert names_fit(first, second) is expected


def test_pronouns():
    assert is_pronoun(" She ")
    assert not is_pronoun("Sheila")


TEXT = "“We agree,” Ann Lee said. Bob Ray said the talks had failed. “Yes,” she added."


def at(part):
    start = TEXT.index(part)
    return (start, start + len(part))


def gold_quotes():
    return (
        Attributed("direct", (at("We agree"),), (at("Ann Lee"),), "Ann Lee", ("Ann Lee",), True),
        Attributed(
            "indirect",
            (at("the talks had failed"),),
            (at("Bob Ray"),),
            "Bob Ray",
            ("Bob Ray",),
            True,
            True,
        ),
        Attributed("direct", (at("Yes"),), (at("she"),), "she", ("Ann Lee",), True),
    )


GOLD = [Article("a", TEXT, gold_quotes())]


def test_everything_right_scores_one():
    found = [
        Attributed("direct", (at("We agree,"),), (at("Ann Lee"),), "Ann Lee", ("Ann Lee",)),
        Attributed("indirect", (at("the talks had failed"),), (), "", ("bob ray",)),
        Attributed("direct", (at("Yes,"),), (at("she"),), "she", ("Ann Lee",)),
    ]
    scores = score(GOLD, {"a": found}, repeats=0)
    for key in ("direct_exact_f1", "any_found_f1", "speaker_end_to_end", "pronouns_resolved"):
        assert scores.metrics[key]["value"] == 1, key
    assert scores.metrics["articles_right"]["value"] == 1
    assert [pair.wrong for pair in scores.pairs] == [(), (), ()]
    assert scores.metrics["recall_mixed"]["value"] is None
    assert scores.metrics["recall_mixed"]["reason"]


def test_figures_by_hand():
    found = [
        # whole paragraph taken: 4 words of 2 gold ones, so its edges are wrong and it is no piece
        Attributed("direct", (at("We agree,” Ann Lee"),), (), "", ("Lee",)),
        # half of the words, kind wrong, speaker wrong
        Attributed("mixed", (at("the talks"),), (at("Ann Lee"),), "Ann Lee", ("Ann Lee",)),
        # nothing for "Yes"; an extra one
        Attributed("indirect", (at("added"),), (), "", ()),
    ]
    scores = score(GOLD, {"a": found}, repeats=0)
    assert scores.counts["direct_exact"] == (0, 1, 2)
    assert scores.counts["direct_words"] == (2, 4, 3)  # We agree / We agree Ann Lee / We agree Yes
    assert scores.counts["quoted_exact"] == (0, 1, 2)  # "the talks" is mixed but has no marks
    assert scores.counts["reported_words"] == (2, 3, 4)
    assert scores.counts["reported_found"] == (1, 2, 1)
    assert scores.counts["any_found"] == (2, 3, 3)
    assert scores.metrics["any_found_f1"]["value"] == pytest.approx(2 / 3)
    assert scores.metrics["direct_words_precision"]["value"] == pytest.approx(2 / 4)
    assert scores.metrics["direct_words_recall"]["value"] == pytest.approx(2 / 3)
    assert scores.metrics["direct_words_f1"]["value"] == pytest.approx(4 / 7)
    assert scores.counts["recall_direct"] == (1, 2)
    assert scores.counts["recall_indirect"] == (1, 1)
    assert scores.counts["recall_speech"] == (1, 1)
    assert scores.counts["speaker_end_to_end"] == (1, 2)  # "Lee" fits Ann Lee; "Yes" is missed
    assert scores.counts["speaker_matched"] == (1, 1)
    assert scores.counts["speaker_surface"] == (0, 1)
    assert scores.counts["pronouns_resolved"] == (0, 1)
    assert scores.counts["name_right"] == (0, 2)  # "Lee" is not the whole name
    assert scores.counts["articles_right"] == (0, 1)
    assert [pair.wrong for pair in scores.pairs] == [
        ("edges", "speaker"),
        ("edges", "kind", "speaker"),
        ("missed",),
        ("extra",),
    ]


def test_furniture_is_not_held_against_the_system():
    article = Article("a", TEXT, (), (at(TEXT),))
    found = [Attributed("direct", (at("We agree"),))]
    assert score([article], {"a": found}, repeats=0).counts["any_found"] == (0, 0, 0)


def test_pronoun_without_a_mention_counts_as_the_same_pronoun():
    found = [Attributed("direct", (at("Yes"),), (), "", ("she",))]
    scores = score(GOLD, {"a": found}, repeats=0)
    assert scores.counts["speaker_matched"] == (1, 1)
    assert scores.counts["pronouns_resolved"] == (0, 1)


def test_nobody_is_the_right_speaker_where_the_gold_says_so():
    nameless = Attributed("direct", (at("Yes"),), (), "", ("", "Q"), True)
    article = Article("a", TEXT, (nameless,))
    for names in ((), ("Q",)):
        found = [Attributed("direct", (at("Yes"),), (), "", names)]
        assert score([article], {"a": found}, repeats=0).counts["name_right"] == (1, 1)
    found = [Attributed("direct", (at("Yes"),), (), "", ("Ann Lee",))]
    assert score([article], {"a": found}, repeats=0).counts["name_right"] == (0, 1)


def test_intervals_are_over_articles_and_need_enough_of_them():
    right = [Attributed("direct", (at("We agree"),))]
    many = [Article(f"a{i}", TEXT, gold_quotes()[:1]) for i in range(10)]
    found = {article.id: right for article in many[:5]}
    first = score(many, found, repeats=200, seed=3)
    value = first.metrics["any_found_recall"]
    assert value["value"] == 0.5
    assert value["low"] < 0.5 < value["high"]
    assert first.metrics == score(many, found, repeats=200, seed=3).metrics
    few = score(many[:3], {}, repeats=200)
    assert few.metrics["any_found_recall"]["low"] is None
    assert "only 3 articles" in few.metrics["any_found_recall"]["interval_reason"]


def test_every_figure_has_a_heading_and_a_meaning():
    assert set(score(GOLD, {}, repeats=0).metrics) == set(FIGURES)
    assert all(title and meaning for title, meaning in FIGURES.values())


def test_unknown_article_and_no_article_are_refused():
    with pytest.raises(ValueError, match="'b'"):
        score(GOLD, {"b": []}, repeats=0)
    with pytest.raises(ValueError, match="no articles"):
        score([], {}, repeats=0)


def test_split_quotes_become_attributed_ones():
    quote = Quote(
        "Yes", 3, 6, ((3, 6),), "direct", Speaker("Ann Lee", "she", 8, 11), Cue("s", 1, 2)
    )
    expected = Attributed("direct", ((3, 6),), ((8, 11),), "she", ("Ann Lee",))
    assert from_split([quote]) == [expected]
    assert from_split([Quote("Yes", 3, 6, ((3, 6),), "direct")])[0].names == ()


def write(path, *records):
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def article_record(**more):
    quote = {
        "kind": "direct",
        "spans": [list(at("Yes"))],
        "speaker": "Ann Lee",
        "speaker_also": ["Lee"],
        "mention": list(at("she")),
        "cue": "added",
    }
    return {"id": "a", "text": TEXT, "quotes": [quote | more]}


def test_authored_and_polnear_forms_are_read(tmp_path):
    [article] = read_articles(write(tmp_path / "a.jsonl", article_record()), is_ours=True).articles
    [quote] = article.quotes
    assert quote.names == ("Ann Lee", "Lee")
    assert (quote.mention, quote.is_named) == ("she", True)
    polnear = {
        "kind": "indirect",
        "content": [list(at("the talks had failed"))],
        "source": [list(at("Bob Ray"))],
        "source_aliases": ["Robert Ray"],
        "speech_cue": True,
    }
    record = {"id": "p", "text": TEXT, "quotes": [polnear], "discard": [[0, 3]]}
    [article] = read_articles(write(tmp_path / "p.jsonl", record), is_ours=False).articles
    assert article.discard == ((0, 3),)
    [quote] = article.quotes
    assert (quote.mention, quote.names, quote.is_named) == ("Bob Ray", ("Robert Ray",), False)
    assert quote.has_speech_cue


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (article_record(kind="loud"), "'loud'"),
        (article_record(spans=[[5, 999]]), "999"),
        (article_record(spans=[[5, 5]]), "5"),
        (article_record(spans="x"), "'x'"),
        (article_record(spans=[]), "no content"),
        (article_record(speaker_also=3), "'speaker_also' must be a list of names, not 3"),
        (article_record(speaker_also=["Ana", 3]), "'speaker_also' must be a list of names"),
        ({"id": "a", "text": TEXT}, "quotes"),
        ({"id": 3, "text": TEXT, "quotes": []}, "'id'"),
        ({"id": "a", "text": TEXT, "quotes": ["x"]}, "object"),
    ],
)
def test_bad_articles_name_file_line_and_value(tmp_path, record, told):
    path = write(tmp_path / "bad.jsonl", record)
    with pytest.raises(DataError) as error:
        read_articles(path, is_ours=True)
    assert "bad.jsonl, line 1" in str(error.value)
    assert told in str(error.value)


def test_missing_empty_or_doubled_articles_are_refused(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_articles(tmp_path / "none.jsonl", is_ours=True)
    with pytest.raises(DataError, match=r"empty\.jsonl:1: no article"):
        read_articles(write(tmp_path / "empty.jsonl"), is_ours=True)
    twice = write(tmp_path / "two.jsonl", article_record(), article_record())
    with pytest.raises(DataError, match="twice"):
        read_articles(twice, is_ours=True)


def test_seeds_are_read_with_every_quote():
    root = find_root()
    seeds = read_single_quotes(root / "data/seeds_gold.jsonl", root / "seeds")
    assert [len(article.quotes) for article in seeds.articles] == [11, 13]
    assert all(quote.source for article in seeds.articles for quote in article.quotes)


SUBJECT = Subject(
    "quotes", "Quotes", "quotes", quote_evaluation.ABOUT, quote_evaluation.PRIMARY, None
)


def test_suite_gives_an_outcome_a_file_and_hides_texts_that_are_not_ours(tmp_path):
    path = write(tmp_path / "private.jsonl", article_record())
    setting = Setting(model=None, root=find_root(), repeats=20)
    outcomes = quote_evaluation.quotes_suite(setting, SUBJECT, [path])
    assert [outcome.report["key"] for outcome in outcomes] == [
        "quotes:authored",
        "quotes:seeds",
        "quotes:private.jsonl",
    ]
    for outcome in outcomes:
        report = outcome.report
        assert report["systems"][0]["metrics"][report["primary_metric"]]["value"] >= 0.5
        assert len(outcome.samples) >= report["rows"]
    assert all(sample["text"] for sample in outcomes[0].samples)
    hidden = json.dumps(outcomes[2].samples, ensure_ascii=False)
    assert "Ann Lee" not in hidden
    assert "agree" not in hidden
    quote_evaluation.check_quotes(find_root(), [path])


def test_command_prints_the_table_and_errors(tmp_path, capsys):
    path = write(tmp_path / "a.jsonl", article_record())
    arguments = ["--articles", str(path), "--no-tagger", "--bootstrap", "0", "--errors", "2"]
    assert quote_evaluation.main(arguments) == 0
    out = capsys.readouterr().out
    assert "Direct, exact" in out
    assert "extra in a" in out  # the article's other quotes are not in this gold
    assert quote_evaluation.main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"]["any_found"][2] == 1


def test_command_tells_a_mistake_without_a_traceback(tmp_path, capsys):
    assert quote_evaluation.main(["--articles", str(tmp_path / "none.jsonl")]) == 2
    assert "no such file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        quote_evaluation.main(["--errors", "-1"])
    assert "-1" in capsys.readouterr().err
