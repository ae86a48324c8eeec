import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from evaluation_fakes import QUOTES, Oracle, build_root, prediction, record, write_rows

from stance.evaluation import invariance, report, swap_edits, swap_rules, swaps
from stance.evaluation.rows import DataError, read_rows
from stance.evaluation.runner import Options, run
from stance.evaluation.schema import METRICS, primary

ROOT = Path(__file__).resolve().parents[2]


def swapped(name, text, context="", **options):
    found = swaps.swap(name, text, context, **options)
    return None if found is None else (found.text, found.context)


@pytest.fixture(scope="module")
def authored():
    return read_rows([ROOT / invariance.SOURCE]).rows


# Country


def entry_of(name):
    entries = swap_edits.word_list("countries")["countries"]
    return next(entry for entry in entries if entry["name"] == name)


def test_country_goes_with_its_people_adjective_and_capital():
    text = "Russia waits. Moscow says the Russians and a Russian bank will sign."
    new = swapped("country", text)[0]
    target = entry_of(new.split(" waits")[0])
    article = re.search(r"and (an?) ", new)[1]
    assert new == (
        f"{target['name']} waits. {target['capital']} says the {target['people']} and "
        f"{article} {target['adjective']} bank will sign."
    )


@pytest.mark.parametrize("seed", range(8))
def test_two_countries_become_two_others(seed):
    new = swapped("country", "Kenya thanks Norway, and Norway thanks Kenya.", seed=seed)[0]
    first, second, third, fourth = re.fullmatch(
        r"(.+) thanks (.+), and (.+) thanks (.+)\.", new
    ).groups()
    assert (first, second) == (fourth, third)
    assert len({first, second, "Kenya", "Norway"}) == 4


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("The United States has signed.", "{name} has signed."),
        ("the US and the UK", None),
        ("A US official", "{article} {adjective} official"),
        ("What the French want is peace.", "What the {people} want is peace."),
        ("The French minister left.", "The {adjective} minister left."),
        ("An Albanian ship", "{article} {adjective} ship"),
    ],
)
@pytest.mark.parametrize("seed", range(6))
def test_articles_and_word_forms_follow_the_new_country(text, shape, seed):
    new = swapped("country", text, seed=seed)[0]
    assert not re.search(r"\b(?:US|UK|United|French|Albanian)\b", new)
    if shape is None:
        assert "the " not in new
        return
    shapes = [
        shape.format(**entry, article=article)
        for entry in swap_edits.word_list("countries")["countries"]
        for article in ("A", "An")
    ]
    assert new in shapes
    assert not re.search(r"\ban? (?=[aeiou])|\ban (?=[^aeiou])", new.lower()) or re.search(
        r"\ban [aeiou]|\ba u[gkr]", new.lower()
    )


@pytest.mark.parametrize(
    "text", ["The Vienna Convention applies.", "Latin American boats", "The talks go on."]
)
def test_phrases_that_name_no_country_give_none(text):
    assert swapped("country", text) is None


def test_countries_are_complete_and_their_forms_belong_to_one_country():
    entries = swap_edits.word_list("countries")["countries"]
    assert sum(entry["target"] for entry in entries) >= 60
    forms = Counter()
    for entry in entries:
        assert all(entry[key] for key in ("name", "adjective", "people", "capital", "cities"))
        forms.update({entry["name"], entry["adjective"], entry["people"], entry["capital"]})
        forms.update(set(entry["cities"]) | set(entry.get("aliases", [])))
    assert [form for form, count in forms.items() if count > 1] == []


# Name


def test_name_after_a_title_changes_everywhere_and_the_title_stays():
    text = "Mr Varga's plan is fair."
    new, context = swapped("name", text, f'"{text}" President Ilona Varga said of Mr Varga.')
    surname = re.fullmatch(r"Mr (.+)'s plan is fair\.", new)[1]
    assert surname != "Varga"
    assert context == f'"{new}" President Ilona {surname} said of Mr {surname}.'


@pytest.mark.parametrize(
    ("context", "shape", "gender"),
    [
        ('"We wait," the envoy said.', r'"We wait," the envoy, (.+), said\.', None),
        ("Her minister told us more.", r"Her minister, (.+), told us more\.", "female"),
        ("The spokesman said he hoped.", r"The spokesman, (.+), said he hoped\.", "male"),
        ('"We wait," said the mayor.', r'"We wait," said the mayor, (.+)\.', None),
    ],
)
def test_described_speaker_gets_a_name_of_the_same_gender(context, shape, gender):
    people = {one["name"]: one["gender"] for one in swap_edits.word_list("names")["people"]}
    for seed in range(5):
        text, new = swapped("name", "We wait.", context, seed=seed)
        name = re.fullmatch(shape, new)[1]
        assert text == "We wait."
        assert name in people
        assert gender in (None, people[name])


def test_speaker_described_inside_the_quote_gets_no_name():
    text = "The envoy said no."
    assert swapped("name", text, f'"{text}"') is None
    assert swapped("name", "Mr President, we wait.") is None


# Gender, capitals, marks, spelling


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He sold his boat to her.", "She sold her boat to him."),
        ("I thank her for her work; it is hers.", "I thank him for his work; it is his."),
        ("That is his.", "That is hers."),
        ("THE CHAIRMAN HIMSELF", "THE CHAIRWOMAN HERSELF"),
        ("Mr Osei, Mrs Lund and the King", "Ms Osei, Mr Lund and the Queen"),
        ("Two sons, one daughter", "Two daughters, one son"),
        ("She's gone home.", "He's gone home."),
        ("my brother-in-law", None),
        ("The king tide came.", None),
        ("There the others wait.", None),
    ],
)
def test_gender_words_are_swapped_with_their_capitals(text, expected):
    assert (swapped("gender", text) or [None])[0] == expected


def test_capitals_are_all_large_or_all_small():
    found = {swapped("capitals", "We Wait in Oslo.", row_id=str(at))[0] for at in range(20)}
    assert found == {"WE WAIT IN OSLO.", "we wait in oslo."}
    assert {swapped("capitals", "The US waits.", seed=at)[0] for at in range(20)} == {
        "THE US WAITS."
    }
    assert swapped("capitals", "1, 2, 3") is None


@pytest.mark.parametrize("style", list(swap_rules.QUOTATION_STYLES))
def test_quotation_marks_open_and_close_and_apostrophes_follow(style):
    opening, closing = swap_rules.QUOTATION_STYLES[style]
    source = ("“", "”") if style == "straight" else ('"', '"')
    text = f"It isn't {source[0]}peace{source[1]}."
    context = f"{source[0]}{text}{source[1]} she said."
    found = {
        swapped("quotation", text, context, row_id=str(at)) for at in range(40)
    }  # every style but the present one
    sign = "’" if style in ("curly", "single") else "'"
    new = f"It isn{sign}t {opening}peace{closing}."
    assert (new, f"{opening}{new}{closing} she said.") in found
    assert len(found) == 3
    assert swapped("quotation", "It isn't peace.") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Our Defence programme, eighty per cent", "Our Defense program, eighty percent"),
        ("Mr Abara met Mr. Lund five metres away.", "Mr. Abara met Mr. Lund five meters away."),
        ("The color of honor", "The colour of honour"),
        ("a honour and a color", "a honor and a color"),
        ("They check the story.", None),
    ],
)
def test_spelling_goes_to_american_and_else_to_british(text, expected):
    assert (swapped("spelling", text) or [None])[0] == expected


def test_spelling_list_is_long_and_has_no_word_twice():
    pairs = swap_edits.word_list("spelling")["pairs"]
    assert len(pairs) >= 80
    assert len({pair["british"] for pair in pairs}) == len(pairs)
    assert all(pair["british"] != pair["american"] for pair in pairs)


# Typos


def test_typos_are_one_in_twelve_words_and_never_in_a_stance_word(authored):
    checked = 0
    for row in authored[:300]:
        found = swaps.swap("typos", row.text, row.context, row_id=row.id)
        if found is None:
            continue
        checked += 1
        assert 1 <= len(found.edits) <= len(row.text.split()) // swap_rules.WORDS_PER_TYPO
        for edit in found.edits:
            word = row.text[edit.start : edit.end]
            assert word.isalpha()
            assert word.islower()
            assert word not in swap_rules.STANCE_WORDS
            assert edit.new != word
            assert abs(len(edit.new) - len(word)) <= 1
    assert checked > 100


def test_typos_leave_short_quotes_and_quotes_outside_their_context():
    assert swapped("typos", "We gladly accept the ferry timetable.") is None
    text = "the ministers are going to discuss harbour " * 3
    assert swapped("typos", text.strip(), "Something else entirely.") is None


# All swaps


@pytest.mark.parametrize("name", swaps.SWAPS)
def test_equal_seeds_give_equal_swaps_and_the_quote_stays_in_its_context(name, authored):
    changed = 0
    for row in authored:
        found = swaps.swap(name, row.text, row.context, seed=3, row_id=row.id)
        assert found == swaps.swap(name, row.text, row.context, seed=3, row_id=row.id)
        if found is None:
            continue
        changed += 1
        assert (found.text, found.context) != (row.text, row.context)
        assert bool(found.context) == bool(row.context)
        for before, after in ((row.text, found.text), (row.text[:-1], found.text[:-1])):
            if before and before in row.context and row.text[-1] == found.text[-1]:
                assert after in found.context, row.id
    assert changed >= 40


@pytest.mark.parametrize("name", ["country", "typos"])
def test_another_seed_gives_another_swap(name):
    text = "Kenya will send the ministers to discuss the harbour with our people on Monday, then."
    assert len({swapped(name, text, seed=seed) for seed in range(10)}) > 1


@pytest.mark.parametrize("name", swaps.SWAPS)
@pytest.mark.parametrize("text", ["", " ", "\x00", "“", '"""', "ß İ ŉ", "😀 he’", "\ud800 her"])
def test_no_text_raises(name, text):
    swaps.swap(name, text, "")
    swaps.swap(name, text, text)


def test_unknown_swap_is_named():
    with pytest.raises(ValueError, match="unknown swap 'colour'; known: country, name"):
        swaps.swap("colour", "x", "")


# The committed file


@pytest.fixture(scope="module")
def committed():
    return read_rows([ROOT / invariance.FILE]).rows


def test_committed_rows_are_what_the_code_makes_of_the_lists():
    made = invariance.to_lines(invariance.build())
    assert made == (ROOT / invariance.FILE).read_text("utf-8"), (
        "run: python evaluation/invariance.py"
    )


def test_committed_rows_are_enough_of_each_swap_and_keep_their_labels(committed, authored):
    counts = Counter(row.fields["swap"] for row in committed)
    assert set(counts) == set(swaps.SWAPS)
    assert min(counts.values()) >= 40
    assert len(committed) >= 300
    originals = {row.id: row for row in authored}
    for row in committed:
        original = originals[row.fields["original"]]
        assert row.labels == original.labels
        assert row.fields["original_text"] == original.text
        assert row.fields["original_context"] == original.context


def test_every_dropped_row_was_a_candidate_and_has_a_reason(committed, authored):
    dropped = json.loads((ROOT / invariance.DROPPED).read_text("utf-8"))["dropped"]
    assert all(dropped.values())
    assert not {*dropped} & {row.id for row in committed}
    assert {key.split(":")[0] for key in dropped} <= {*swaps.SWAPS}
    assert {key.split(":")[1] for key in dropped} <= {row.id for row in authored}
    assert len(committed) + len(dropped) == sum(invariance.CANDIDATES.values())


# The suite


class Nervous(Oracle):
    """Answers as the oracle, except that one text gets another stance and another a sentiment."""

    def classify(self, texts, *, context):
        answers = super().classify(texts, context=context)
        for at, text in enumerate(texts):
            if "NERVOUS" in text:
                answers[at] = prediction(text, "dismissive", "negative")
        return answers


def suite_root(folder):
    root = build_root(folder)
    rows = []
    for at, name in enumerate(swaps.SWAPS * 6):
        text = QUOTES[at % 12][0]
        rows.append(
            record(
                at % 12,
                id=f"{name}{at}",
                original=f"t{at % 12}",
                swap=name,
                original_text=text,
                original_context="",
                text="NERVOUS" if name == "gender" and at < 7 else text,
            )
        )
    write_rows(root / invariance.FILE, rows)
    return root


def test_suite_counts_the_rows_whose_answer_moves(tmp_path):
    root = suite_root(tmp_path / "repository")
    results, samples = run(Nervous(), Options(root=root, suites=("invariance",), repeats=50))
    suite = results["suites"][0]
    metrics = suite["systems"][0]["metrics"]
    assert primary(suite, suite["systems"][0])["value"] == pytest.approx(1 / 18)
    assert metrics["stance_moved_gender"]["value"] == pytest.approx(1 / 6)
    assert metrics["sentiment_moved_gender"]["value"] == pytest.approx(1 / 6)
    assert metrics["stance_moved_country"]["value"] == 0
    assert metrics["stance_moved_gender"]["high"] > 1 / 6
    assert set(metrics) <= set(METRICS)
    assert len(samples) == 42
    systems = {system["name"]: system["metrics"] for system in suite["systems"]}
    assert "cannot move" in systems["majority"]["stance_moved_identity"]["reason"]
    assert systems["vader"]["stance_moved_identity"]["value"] is None
    for path in report.write(results, samples, tmp_path / "out"):
        text = path.read_text("utf-8")
        if path.name.startswith("report"):
            assert METRICS["stance_moved_typos"].title in text  # "Stance, typos"
    # The lowest share is the best one.
    assert "best baseline" in report.headline(results)[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"swap": "colour"}, r"invariance\.jsonl:1: unknown swap 'colour'"),
        ({"original_text": None}, r"invariance\.jsonl:1: the field 'original_text' is missing"),
        ({"original_context": 3}, r"invariance\.jsonl:1: 'original_context' must be text, not 3"),
    ],
)
def test_bad_rows_are_named_before_the_run(tmp_path, change, message):
    root = build_root(tmp_path)
    fields = {"original": "a", "original_text": "A.", "original_context": "", "swap": "typos"}
    write_rows(root / invariance.FILE, [record(0, **{**fields, **change})])
    with pytest.raises(DataError, match=message):
        run(Oracle(), Options(root=root, suites=("invariance",), repeats=0))


# The command


def test_command_writes_rows_that_can_be_read_again(tmp_path, capsys):
    text = "If he signs the programme, the tariffs go."
    row = record(0, text=text, condition="If he signs the programme", outcome="the tariffs go")
    path = write_rows(tmp_path / "mine.jsonl", [row, record(1)])
    assert swaps.main([str(path), "--swap", "spelling"]) == 0
    out, err = capsys.readouterr()
    assert "1 of 2 rows changed by spelling" in err
    (tmp_path / "out.jsonl").write_text(out)
    found = read_rows([tmp_path / "out.jsonl"]).rows[0]
    assert found.id == "t0:spelling"
    assert found.text == "If he signs the program, the tariffs go."
    assert found.fields["condition"] == "If he signs the program"
    assert found.fields["outcome"] == "the tariffs go"
    assert found.fields["original"] == "t0"


def test_command_refuses_what_it_cannot_read_without_a_traceback(tmp_path):
    command = [sys.executable, str(ROOT / "evaluation" / "swaps.py"), str(tmp_path / "none.jsonl")]
    found = subprocess.run([*command, "--swap", "name"], capture_output=True, text=True)
    assert found.returncode == 2
    assert "none.jsonl: no such file" in found.stderr
    assert "Traceback" not in found.stderr
    assert swaps.main(["x.jsonl", "--swap", "colour"]) == 2
