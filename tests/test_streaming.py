"""Quotes without end, many articles at once, and what a first answer loads."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from itertools import count, islice
from pathlib import Path

import numpy as np
import pytest

import stance
from stance import StanceClassifier

TEST_ROWS = Path(__file__).resolve().parents[1] / "data" / "authored" / "test.jsonl"
NOT_NEEDED = ("torch", "transformers", "sklearn", "datasets", "openvino", "pandas", "tqdm", "rich")


def test_a_stream_gives_what_a_list_gives_in_order(tiny_classifier, eight_quotes):
    texts = eight_quotes[0] * 3
    contexts = [None, f"He said: “{texts[1]}” at the table"] * 12
    streamed = list(tiny_classifier.classify_stream(iter(texts), context=iter(contexts)))
    listed = tiny_classifier.classify(texts, context=contexts)
    assert [(p.text, p.stance, p.sentiment) for p in streamed] == [
        (p.text, p.stance, p.sentiment) for p in listed
    ]
    np.testing.assert_allclose(
        [p.confidence for p in streamed], [p.confidence for p in listed], atol=5e-3
    )


def test_a_stream_without_end_is_read_a_chunk_ahead_and_no_more(tiny_classifier, monkeypatch):
    monkeypatch.setattr("stance.classifier._STREAM_CHUNK", 4)
    read = []

    def endless():
        for number in count():
            read.append(number)
            yield f"we sign {number}"

    found = list(islice(tiny_classifier.classify_stream(endless()), 6))
    assert [p.text for p in found] == [f"we sign {number}" for number in range(6)]
    assert len(read) == 8


def test_an_empty_stream_gives_nothing(tiny_classifier):
    assert list(tiny_classifier.classify_stream([])) == []


def test_a_stream_counts_what_is_labelled_when_asked(tiny_classifier, monkeypatch, capsys):
    monkeypatch.setattr("stance.classifier._STREAM_CHUNK", 2)
    found = list(tiny_classifier.classify_stream(["we sign"] * 5, progress=True))
    assert len(found) == 5
    assert "classify: 5quote" in capsys.readouterr().err
    list(tiny_classifier.classify_stream(["we sign"] * 5))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("quotes", "context", "error", "message"),
    [
        ("we sign", None, TypeError, "iterable of quotes"),
        (None, None, TypeError, "NoneType"),
        (["a", "b", 3], None, TypeError, r"quotes\[2\].*int"),
        (["a", "b", " \n"], None, ValueError, r"quotes\[2\] has no visible"),
        (["a"], "b", TypeError, "one a quote"),
        (["a", "b", "c"], ["x", None], ValueError, r"no context for quotes\[2\]"),
        (["a"], ["x", "y"], ValueError, "1 quotes but more contexts"),
        (["a"], [5], TypeError, r"context\[0\].*int"),
    ],
)
def test_what_is_wrong_with_a_stream_is_named_with_its_place(
    tiny_classifier, monkeypatch, quotes, context, error, message
):
    # Smaller chunks than the position: places count from the beginning of the stream.
    monkeypatch.setattr("stance.classifier._STREAM_CHUNK", 2)
    with pytest.raises(error, match=message):
        list(tiny_classifier.classify_stream(quotes, context=context))


ARTICLES = [
    '"We are ready to talk," the minister said. "They reject the deal," he said.',
    "",
    "Nobody spoke.",
    'The delegation said: "We will sign once the troops leave."',
]


def test_many_articles_give_the_analyses_of_each(tiny_classifier):
    together = tiny_classifier.analyze(iter(ARTICLES))
    assert [analysis.article for analysis in together] == ARTICLES
    for text, analysis in zip(ARTICLES, together, strict=True):
        alone = tiny_classifier.analyze(text)
        assert [p.quote for p in analysis] == [p.quote for p in alone]
        assert [p.stance for p in analysis] == [p.stance for p in alone]
    assert [len(analysis) for analysis in together][1:3] == [0, 0]
    assert sum(map(len, together)) >= 2


def test_no_articles_give_no_analyses(tiny_classifier):
    assert tiny_classifier.analyze([]) == []


@pytest.mark.parametrize("bad", [[3], ["a", None], 3, None, b"bytes", {"a": "b"}])
def test_articles_must_be_strings(tiny_classifier, bad):
    with pytest.raises(TypeError, match="article"):
        tiny_classifier.analyze(bad)


@pytest.fixture
def analyze_files(tiny_classifier, tmp_path, monkeypatch, capsys):
    """Runs `stance analyze` on ``ARTICLES`` and a missing file; gives what it wrote and called."""
    import stance.commands
    from stance.cli import main

    names = []
    for number, text in enumerate([*ARTICLES, *ARTICLES]):
        names.append(str(tmp_path / f"{number}.txt"))
        Path(names[-1]).write_text(text, "utf-8", newline="")
    names.insert(3, str(tmp_path / "missing.txt"))
    sizes = []
    monkeypatch.setattr(stance.commands, "_load_classifier", lambda *_: tiny_classifier)
    real = type(tiny_classifier).classify

    def classify(self, quotes, **options):
        sizes.append(len(quotes))
        return real(self, quotes, **options)

    monkeypatch.setattr(type(tiny_classifier), "classify", classify)

    def call(together):
        sizes.clear()
        monkeypatch.setattr(stance.commands, "_QUOTES_TOGETHER", together)
        code = main(["analyze", *names, "--format", "json"])
        captured = capsys.readouterr()
        return code, json.loads(captured.out), captured.err, list(sizes)

    return call


def test_quotes_of_many_files_are_labelled_together_as_if_alone(analyze_files, tiny_classifier):
    code, documents, errors, sizes = analyze_files(256)
    assert code == 2
    assert "missing.txt: no such file" in errors
    assert "no text in" in errors
    assert [document["article"] for document in documents] == ARTICLES * 2
    # The first file at once, all others together.
    assert len(sizes) == 2
    for text, document in zip(ARTICLES * 2, documents, strict=True):
        alone = tiny_classifier.analyze(text)
        assert [(p["quote"]["start"], p["stance"], p["sentiment"]) for p in document["quotes"]] == [
            (p.quote.start, p.stance, p.sentiment) for p in alone
        ]


def test_files_wait_for_no_more_quotes_than_are_labelled_together(analyze_files):
    code, documents, _, sizes = analyze_files(1)
    with_quotes = [document for document in documents if document["quotes"]]
    assert code == 2
    assert len(documents) == 8
    assert sizes == [len(document["quotes"]) for document in with_quotes]


@pytest.mark.weights
def test_one_quote_from_the_shell_loads_only_what_it_needs():
    code = (
        "import sys, json, stance.cli\n"
        "code = stance.cli.main(['classify', 'We are ready to talk.', '--format', 'json'])\n"
        "print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    exit_code, loaded = json.loads(done.stderr.splitlines()[-1])
    assert exit_code == 0
    assert '"conciliatory"' in done.stdout
    assert set(loaded).isdisjoint(NOT_NEEDED)


@pytest.mark.weights
@pytest.mark.skipif(find_spec("openvino") is None, reason="openvino is not installed")
def test_many_quotes_load_neither_torch_nor_transformers():
    code = (
        "import sys, stance\n"
        "stance.classify(['We are ready to talk.', 'They refuse.'])\n"
        "assert 'openvino' in sys.modules\n"
        "assert not {'torch', 'transformers', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.weights
@pytest.mark.skipif(not TEST_ROWS.is_file(), reason="the corpus is not installed")
def test_the_fast_engine_gives_the_labels_of_fp32():
    lines = TEST_ROWS.read_text("utf-8").splitlines()[::3]
    texts = [json.loads(line)["text"] for line in lines]
    fast = stance.classify(texts)
    exact = StanceClassifier.from_pretrained(engine="numpy").classify(texts)
    for task in ("stance", "sentiment"):
        same = [getattr(a, task) == getattr(b, task) for a, b in zip(fast, exact, strict=True)]
        # Nobody is right about a quote on the fence; of 239 rows one may fall off it.
        assert sum(same) >= len(texts) - 1
        name = f"{task}_probabilities"
        values = [
            [list(getattr(p, name).values()) for p in predictions] for predictions in (fast, exact)
        ]
        np.testing.assert_allclose(values[0], values[1], atol=0.03)


@pytest.mark.weights
@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_long_file_is_labelled_in_parts_that_make_one_result(tmp_path, monkeypatch, form):
    import stance.commands
    from stance.cli import main

    path = tmp_path / "quotes.txt"
    path.write_text("We are ready to talk.\nThey refuse.\nSign, and we sign.\n", "utf-8")
    results = []
    for held in (100, 2):
        monkeypatch.setattr(stance.commands, "_PREDICTIONS_HELD", held)
        output = tmp_path / f"{held}.{form}"
        assert main(["classify", "--file", str(path), "--output", str(output)]) == 0
        text = output.read_text("utf-8")
        results.append(re.sub(r"\b\d\.\d+\b", lambda m: f"{float(m[0]):.4f}", text))
    assert len(results[0].splitlines()) == (3 if form == "jsonl" else 4)
    assert results[0] == results[1]


def test_an_invisible_quote_late_in_a_long_file_writes_nothing(tmp_path, monkeypatch, capsys):
    import stance.commands
    from stance.cli import main

    monkeypatch.setattr(stance.commands, "_PREDICTIONS_HELD", 1)
    path, output = tmp_path / "quotes.txt", tmp_path / "labels.csv"
    path.write_text("We are ready to talk.\nThey refuse.\n\u200b\n", "utf-8")
    assert main(["classify", "--file", str(path), "--output", str(output)]) == 2
    assert f"{path}: line 3 has no visible character" in capsys.readouterr().err
    assert not output.exists()
