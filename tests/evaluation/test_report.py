import json
import re

import pytest
from evaluation_fakes import QUOTES, Oracle, build_root, record, write_rows

from stance.evaluation import plots, report, report_text
from stance.evaluation.runner import Options, run
from stance.evaluation.schema import SCHEMA_VERSION, undefined

ATTACK = "</script><script>alert('x')</script><img src=x onerror=alert(1)>&amp;\u2028"


@pytest.fixture(scope="module")
def results_and_samples(tmp_path_factory):
    root = build_root(tmp_path_factory.mktemp("repository"))
    rows = [record(i) for i in range(12)]
    rows[0] |= {"text": f"{QUOTES[0][0]} {ATTACK}", "tags": [ATTACK[:40], "`a|b`"]}
    rows[1] |= {"register": "<b>wire</b>", "context": ATTACK, "id": "<i>id</i>"}
    rows[2] |= {"text": "half a pair: \ud83d"}
    write_rows(root / "data" / "authored" / "test.jsonl", rows)
    (root / "training").mkdir()
    (root / "training" / "learning_curve.json").write_text(
        json.dumps(
            {
                "about": "<i>made</i> for a test",
                "metric": "stance macro-F1",
                "points": [
                    {"series": "real", "rows": 500, "value": 0.5, "low": 0.45, "high": 0.55},
                    {"series": "real", "rows": 4000, "value": 0.66},
                    {"series": "authored", "rows": 500, "value": 0.4},
                ],
            }
        ),
        "utf-8",
    )
    agreed = (
        {"stance": "dismissive", "sentiment": "negative"},
        {
            "stance": "neutral",
            "sentiment": "neutral",
        },
    )
    write_rows(
        root / "data" / "agreement.jsonl",
        [{"set": "test", "first": part, "second": part} for part in agreed],
    )
    return run(Oracle(), Options(root=root, repeats=30, command="stance evaluate <x>"))


def test_four_files_are_written_and_json_is_strict(results_and_samples, tmp_path):
    results, samples = results_and_samples
    paths = report.write(results, samples, tmp_path / "new" / "out")
    assert [path.name for path in paths] == [
        "results.json",
        "samples.jsonl",
        "report.md",
        "report.html",
    ]

    def refuse(name):
        raise AssertionError(f"{name} is no JSON")

    loaded = json.loads(paths[0].read_text("utf-8"), parse_constant=refuse)
    assert loaded["schema_version"] == SCHEMA_VERSION
    assert loaded["suites"][0]["systems"][0]["heads"]["stance"]["n"] == 12
    lines = paths[1].read_text("utf-8").splitlines()
    assert len(lines) == len(samples)
    assert json.loads(lines[0])["text"].endswith(ATTACK)


def test_page_runs_no_text_of_a_quote(results_and_samples):
    page = report.to_html(*results_and_samples)
    assert len(re.findall(r"<script", page)) == 3  # two data blocks and our own
    assert "<img" not in page
    assert "<b>wire" not in page
    assert "<i>id" not in page
    assert "<i>made" not in page
    data = re.search(r'id="samples-data">(.*?)</script>', page, re.DOTALL)[1]
    assert json.loads(data)[0]["t"].endswith(ATTACK)


def test_page_loads_nothing_and_allows_only_its_own_script(results_and_samples):
    page = report.to_html(*results_and_samples)
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "@import" not in page
    assert "url(" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[\w+/=]+'", policy.replace("&#39;", "'"))


def test_every_figure_has_a_text_and_every_id_is_unique(results_and_samples):
    page = report.to_html(*results_and_samples)
    figures = re.findall(r'<svg [^>]*role="img" aria-labelledby="([^"]+)">\s*<title id="\1">', page)
    assert len(figures) == page.count("<svg")
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for target in re.findall(r'href="#([^"]+)"', page):
        assert target in ids


def test_markdown_tables_have_equal_columns_and_no_markup_of_the_data(results_and_samples):
    text = report.to_markdown(results_and_samples[0])
    assert "<b>" not in text
    blocks = [block.split("\n") for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)]
    assert len(blocks) >= 4
    for block in blocks:
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block if line}
        assert len(widths) == 1, block


def test_headline_names_figure_interval_and_best_baseline(results_and_samples):
    sentence = report.headline(results_and_samples[0])[0]
    assert sentence.startswith("Authored quotes, held out (12 quotes): stance macro-F1 ")
    assert "best baseline: " in sentence


def test_markdown_cell_escapes_each_sign_once():
    assert report_text.cell_text("p <0.001 & a_b\n# x") == r"p &#60;0.001 &#38; a\_b \# x"


def test_undefined_figure_is_named_so_with_its_reason():
    notes = report_text.Notes()
    assert report_text.metric_text("accuracy", undefined("no row"), notes) == "undef. [a]"
    assert report_text.metric_text("mcc", undefined("no row"), notes) == "undef. [a]"
    assert list(notes.items()) == [("a", "no row")]
    figure = plots.forest([plots.Mark("x", "", "model", undefined("no row"))], title="t")
    assert (figure["rows"][0]["x"], figure["rows"][0]["shown"]) == (None, "undef.")


@pytest.mark.parametrize(("index", "letters"), [(0, "a"), (25, "z"), (26, "aa"), (27, "ab")])
def test_notes_go_on_after_z(index, letters):
    notes = report_text.Notes()
    assert [notes.letter(str(number)) for number in range(28)][index] == letters


def test_confusion_shades_are_shares_of_their_row():
    import numpy as np

    from stance.evaluation.bootstrap import draw
    from stance.evaluation.metrics import HeadData, measure

    data = HeadData(("a", "b"), np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1]), None)
    figure = plots.confusion_figure(
        measure(data, draw(4, groups=None, repeats=0, seed=0)).report, "stance"
    )
    assert [cell["percent"] for cell in figure["cells"]] == ["75%", "25%", "", ""]
    assert [cell["count"] for cell in figure["cells"]] == [3, 1, 0, 0]
