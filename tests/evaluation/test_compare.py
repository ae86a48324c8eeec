import copy
import json
from dataclasses import replace

import pytest
from evaluation_fakes import QUOTES, Oracle, record, write_rows

from stance.evaluation import compare, report
from stance.evaluation.changes import compare as compare_reports
from stance.evaluation.guard import Guarded
from stance.evaluation.runner import Options, run
from stance.evaluation.stored import StoredError, previous_report, read_report, stored_reports

ROWS = 48
GUARD = [Guarded("authored", "stance", "macro_f1", 0.0)]


def text_of(index):
    return f"{QUOTES[index % 12][0]} Again, {index}."


class Numbered(Oracle):
    """Knows the labels of the numbered quotes, wrong on some."""

    def __init__(self, wrong=()):
        super().__init__(wrong=[text_of(index) for index in wrong])
        self.known = {text_of(i): QUOTES[i % 12][1:] for i in range(ROWS)}

    def classify(self, texts, *, context):
        from evaluation_fakes import prediction

        answers = []
        for text in texts:
            stance, sentiment = self.known.get(text, ("neutral", "neutral"))
            if text in self.wrong:
                stance = "neutral" if stance == "dismissive" else "dismissive"
            answers.append(prediction(text, stance, sentiment))
        return answers


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("repository")
    rows = [record(i, id=f"n{i}", text=text_of(i), situation=f"s{i // 2}") for i in range(ROWS)]
    write_rows(root / "data" / "authored" / "test.jsonl", rows)
    for name, wrong in {"good": (), "bad": range(0, ROWS, 2), "near": (3,)}.items():
        options = Options(suites=("authored",), root=root, repeats=200)
        results, samples = run(Numbered(wrong), options)
        results["model"]["sha256"] = name
        report.write(results, samples, root / name)
    guard = {
        "guard_version": 1,
        "figures": [{"suite": "authored", "head": "stance", "metric": "macro_f1", "limit": 0.9}],
    }
    (root / "guard.json").write_text(json.dumps(guard))
    return root


def changes(folder, old, new, **options):
    found = compare_reports(
        read_report(folder / old), read_report(folder / new), GUARD, repeats=300, **options
    )
    return {(change.head, change.metric): change for change in found.changes}, found


def test_large_fall_is_worse_beyond_noise_and_a_guarded_one_is_named(folder):
    found, comparison = changes(folder, "good", "bad")
    change = found["stance", "macro_f1"]
    assert change.verdict == "worse"
    assert change.method == "paired"
    assert change.n == ROWS
    assert change.after - change.before == pytest.approx(change.difference)
    assert found["stance", "accuracy"].difference == pytest.approx(-0.5)
    assert found["stance", "accuracy"].p_value < 0.001
    assert found["sentiment", "accuracy"].verdict == "within noise"
    assert len(comparison.fallen) == 1
    assert "authored: stance macro_f1 fell by" in comparison.fallen[0]


def test_rise_is_better_and_lower_is_better_for_errors(folder):
    found, comparison = changes(folder, "bad", "good")
    assert found["stance", "macro_f1"].verdict == "better"
    brier = found["stance", "brier"]
    assert brier.difference < 0
    assert brier.verdict == "better"
    assert comparison.fallen == []


def test_one_wrong_quote_of_many_is_within_noise(folder):
    found, comparison = changes(folder, "good", "near")
    assert found["stance", "accuracy"].difference == pytest.approx(-1 / ROWS)
    assert found["stance", "accuracy"].p_value == 1.0
    assert found["stance", "accuracy"].verdict == "within noise"
    assert comparison.fallen == []


def test_equal_reports_differ_in_nothing(folder):
    found, comparison = changes(folder, "good", "good")
    assert {change.difference for change in found.values()} == {0.0}
    assert "both reports are of the same weights" in comparison.notes


def test_without_samples_intervals_are_taken_as_independent(folder, tmp_path):
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "results.json").write_bytes(
            (folder / name / "results.json").read_bytes()
        )
    found, comparison = changes(tmp_path, "good", "bad")
    change = found["stance", "accuracy"]
    assert change.method == "unpaired"
    assert change.p_value is None
    assert change.verdict == "worse"
    assert any("no samples beside both" in note for note in comparison.notes)


def test_quotes_that_changed_are_left_out_of_the_pairs(folder, tmp_path):
    lines = (folder / "bad" / "samples.jsonl").read_text("utf-8").splitlines()
    samples = [json.loads(line) for line in lines]
    samples[0]["sha256"] = "0" * 64
    samples[1]["gold"]["stance"] = "conciliatory"
    write_rows(tmp_path / "bad" / "samples.jsonl", samples)
    (tmp_path / "bad" / "results.json").write_bytes((folder / "bad" / "results.json").read_bytes())
    found = compare_reports(read_report(folder / "good"), read_report(tmp_path / "bad"), repeats=50)
    assert {change.n for change in found.changes if change.method == "paired"} == {ROWS - 2}
    assert any(f"on the {ROWS - 2} quotes of both" in note for note in found.notes)


@pytest.mark.parametrize(("name", "code"), [("bad", 1), ("near", 0), ("good", 0)])
def test_exit_code_tells_whether_a_guarded_figure_fell(folder, capsys, name, code):
    guard = str(folder / "guard.json")
    arguments = [str(folder / "good"), str(folder / name / "results.json"), "--guard", guard]
    assert compare.main(arguments) == code
    shown = capsys.readouterr()
    assert "authored: stance macro_f1" in shown.out
    assert ("fallen" in shown.err) == (code == 1)


def test_one_report_is_held_to_the_limits(folder, capsys):
    guard = str(folder / "guard.json")
    assert compare.main([str(folder / "good"), "--guard", guard]) == 0
    assert compare.main([str(folder / "bad"), "--guard", guard]) == 1
    assert "is below its limit 0.9" in capsys.readouterr().err
    arguments = [str(folder / "bad"), str(folder / "bad"), "--guard", guard]
    assert compare.main(arguments) == 0
    assert compare.main([*arguments, "--limits"]) == 1


def test_figure_that_went_missing_has_fallen(folder, tmp_path, capsys):
    results = json.loads((folder / "good" / "results.json").read_text("utf-8"))
    for suite in results["suites"]:
        suite.update(status="skipped", reason="no data")
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results))
    guard = str(folder / "guard.json")
    assert compare.main([str(folder / "good"), str(path), "--guard", guard]) == 1
    assert "has no value in NEW (the suite was skipped: no data)" in capsys.readouterr().err


def test_markdown_table_has_equal_columns_and_json_holds_every_change(folder, capsys):
    arguments = [str(folder / "good"), str(folder / "bad")]
    compare.main([*arguments, "--format", "markdown", "--all"])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    assert len({row.count("|") for row in rows}) == 1
    compare.main([*arguments, "--format", "json"])
    loaded = json.loads(capsys.readouterr().out)
    assert {change["metric"] for change in loaded["changes"]} >= {"accuracy", "f1:conditional"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        ("{", "not JSON"),
        ("[]", "not a results.json of `stance evaluate`"),
        ('{"schema_version": 99}', "schema_version 99 is not known; known: 1, 2"),
        ('{"schema_version": 2}', "a part is missing or malformed: 'model'"),
    ],
)
def test_file_that_is_no_report_exits_2_with_one_line(content, message, tmp_path, capsys):
    path = tmp_path / "results.json"
    if content is not None:
        path.write_text(content)
    assert compare.main([str(path), str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("value", ["high", True, [1], float("nan")])
def test_figure_that_is_no_number_is_refused(folder, tmp_path, value):
    results = json.loads((folder / "good" / "results.json").read_text("utf-8"))
    broken = copy.deepcopy(results)
    broken["suites"][0]["systems"][0]["heads"]["stance"]["metrics"]["accuracy"]["value"] = value
    path = tmp_path / "results.json"
    path.write_text(json.dumps(broken))
    with pytest.raises(StoredError, match="missing or malformed"):
        read_report(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [('{"suite": 1}', ":1: not a sample"), ("{", ":1: not JSON"), ("3", ":1: a row must be")],
)
def test_bad_sample_is_named_by_its_line(folder, tmp_path, line, message):
    (tmp_path / "results.json").write_bytes((folder / "good" / "results.json").read_bytes())
    (tmp_path / "samples.jsonl").write_text(line + "\n")
    with pytest.raises(StoredError, match=message):
        read_report(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probabilities": {"stance": None}}, ":1: the stance probabilities must be fractions"),
        ({"probabilities": {"stance": {"neutral": "x"}}}, ":1: the stance probabilities must be"),
        ({"probabilities": {"stance": {"neutral": 0}}}, ":1: the stance probabilities must be"),
        ({"group": ["a"]}, ":1: 'group' must be text"),
    ],
)
def test_sample_that_cannot_be_measured_is_named_by_its_line(folder, tmp_path, change, message):
    (tmp_path / "results.json").write_bytes((folder / "good" / "results.json").read_bytes())
    first = (folder / "good" / "samples.jsonl").read_text("utf-8").splitlines()[0]
    write_rows(tmp_path / "samples.jsonl", [{**json.loads(first), **change}])
    with pytest.raises(StoredError, match=message):
        read_report(tmp_path)


def test_figure_with_a_name_not_known_is_told_and_not_compared(folder):
    report = read_report(folder / "good")
    results = copy.deepcopy(report.results)
    metrics = results["suites"][0]["systems"][0]["metrics"]
    metrics["of_another_version"] = results["suites"][0]["systems"][0]["heads"]["stance"][
        "metrics"
    ]["accuracy"]
    other = replace(report, results=results)
    found = compare_reports(other, other, repeats=10)
    assert all(change.metric != "of_another_version" for change in found.changes)
    note = "authored: not compared, unknown to this version: of_another_version"
    assert note in found.notes


def test_previous_report_is_the_newest_of_other_weights(folder, tmp_path):
    reports = tmp_path / "evaluation" / "reports"
    for version, name in {"0.9.0": "good", "0.10.0": "bad", "0.2.0": "near"}.items():
        (reports / version).mkdir(parents=True)
        for file in ("results.json", "samples.jsonl"):
            (reports / version / file).write_bytes((folder / name / file).read_bytes())
    assert [path.name for path in stored_reports(tmp_path)] == ["0.10.0", "0.9.0", "0.2.0"]
    assert previous_report(tmp_path, "new").results["model"]["sha256"] == "bad"
    assert previous_report(tmp_path, "bad").results["model"]["sha256"] == "good"
    assert previous_report(tmp_path / "nowhere", None) is None


def test_previous_report_stands_in_the_tables_with_its_difference(folder, tmp_path):
    rows = [record(i, id=f"n{i}", text=text_of(i), situation=f"s{i // 2}") for i in range(ROWS)]
    write_rows(tmp_path / "data" / "authored" / "test.jsonl", rows)
    old = tmp_path / "evaluation" / "reports" / "0.0.1"
    old.mkdir(parents=True)
    for file in ("results.json", "samples.jsonl"):
        (old / file).write_bytes((folder / "bad" / file).read_bytes())
    results, _ = run(Numbered(), Options(suites=("authored",), root=tmp_path, repeats=50))
    suite = results["suites"][0]
    before = next(system for system in suite["systems"] if system["kind"] == "previous")
    assert before["heads"]["stance"]["metrics"]["accuracy"]["value"] == 0.5
    delta = [part for part in suite["differences"] if part["baseline"] == "previous"]
    assert delta[0]["difference"]["value"] == pytest.approx(0.5)
    assert delta[0]["test"] == "McNemar, exact"
    assert delta[0]["p_value"] < 0.001
    page = report.to_html(results, [])
    assert f"Report {results['previous']}" in page
