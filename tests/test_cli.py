"""The command line: what it prints where, its exit codes, and no traceback for a user's mistake."""

import csv
import io
import json
import os
import subprocess
import sys

import pytest

import stance
import stance.commands
import stance.quotes
from stance.cli import main
from stance.labels import SYMBOLS
from stance.render import count_categories

ARTICLE = (
    "The envoy arrived on Monday.\n"
    "“We are ready to talk,” Minister Ana Kovač said on Friday.\n"
    "“They will never have our gas,” said Petar Ilić of the opposition.\n"
)
TEXTS = ["We are ready to talk", "They will never have our gas"]


@pytest.fixture
def article(tmp_path):
    file = tmp_path / "border.txt"
    file.write_text(ARTICLE, encoding="utf-8", newline="")
    return file


@pytest.fixture(scope="session")
def model(tmp_path_factory, tiny_classifier):
    """A folder with a tiny trained model, so that labelling needs no released weights."""
    folder = tmp_path_factory.mktemp("model") / "tiny"
    tiny_classifier.save_pretrained(folder)
    return folder


@pytest.fixture
def run(capsys, monkeypatch):
    """Runs the command in this process; gives exit code, standard output, standard error."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*words, stdin=None):
        if stdin is not None:
            data = stdin if isinstance(stdin, bytes) else stdin.encode()
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code or 0
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


def spawn(*words, **options):
    """Runs the command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "stance", *map(str, words)],
        capture_output=True,
        timeout=120,
        check=False,
        **options,
    )


# --- help ---


@pytest.mark.parametrize(
    "words", [["--help"], ["split", "-h"], ["classify", "-h"], ["analyze", "-h"]]
)
def test_help_shows_examples(run, words):
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert "examples:" in out
    assert max(map(len, out.splitlines())) <= 110


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_train_and_evaluate_answer_help_themselves(run, command):
    code, out, _ = run(command, "--help")
    assert code == 0
    assert out.startswith(f"usage: stance {command}")


def test_version(run):
    assert run("--version") == (0, f"stance {stance.__version__}\n", "")


def test_no_command_shows_the_help_and_fails(run):
    code, out, err = run()
    assert (code, out) == (2, "")
    assert "examples:" in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["frobnicate"], "invalid choice: 'frobnicate'"),
        (["split", "--format", "xml"], "invalid choice: 'xml'"),
        (["split", "--encoding", "utf-9"], "unknown text encoding 'utf-9'"),
        (["split", "--model", "m"], "unrecognized arguments: --model"),
        (["classify", ""], "TEXT is empty"),
        (["classify", " \n"], "TEXT is empty"),
        (["classify", "\udcff"], "not text in this terminal's encoding"),
        (["classify", "a", "--context", "\udcff"], "--context is not text"),
        (["classify", "a", "--file", "b"], "either TEXT or --file"),
        (["classify", "a", "--jsonl"], "--jsonl is for"),
        (["classify", "a", "-"], "- is standard input: give it alone"),
        (["classify", "--file", "none.txt"], "none.txt: no such file"),
        (["classify", "a", "--model", "no/such/model"], "--model no/such/model: no such folder"),
        (["classify", "a", "--output", "no/such/folder/x.csv"], "no folder no/such/folder"),
        (["classify", "a", "--output", "."], "--output .: is a folder"),
        (["split", "none\x1b.txt"], r"none\x1b.txt: no such file"),
    ],
)
def test_wrong_argument_is_named_and_exits_2(run, tmp_path, monkeypatch, words, reason):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert reason in err


# --- split ---


def test_split_writes_the_quotes_with_offsets_into_the_file(run, article):
    code, out, err = run("split", article, "--format", "jsonl")
    assert (code, err) == (0, "")
    quotes = [json.loads(line) for line in out.splitlines()]
    assert [quote["speaker"]["name"] for quote in quotes] == ["Ana Kovač", "Petar Ilić"]
    assert all(ARTICLE[q["start"] : q["end"]] == q["text"] for q in quotes)
    assert {quote["file"] for quote in quotes} == {str(article)}


@pytest.mark.parametrize("words", [[], ["-"]])
def test_standard_input_is_read_without_or_with_a_hyphen(run, words):
    code, out, _ = run("split", *words, "--format", "json", stdin=ARTICLE)
    assert code == 0
    (document,) = json.loads(out)
    assert (document["file"], document["article"]) == ("standard input", ARTICLE)
    assert len(document["quotes"]) == 2


def test_line_ends_are_kept_so_that_offsets_fit_the_file(run, tmp_path):
    file = tmp_path / "dos.txt"
    file.write_bytes(b"\xef\xbb\xbf" + ARTICLE.replace("\n", "\r\n").encode())
    _, out, _ = run("split", file, "--format", "json")
    (document,) = json.loads(out)
    text = file.read_bytes().decode("utf-8-sig")
    assert document["article"] == text
    assert [text[q["start"] : q["end"]] for q in document["quotes"]] == [
        q["text"] for q in document["quotes"]
    ]
    assert len(document["quotes"]) == 2


def test_encoding_option_reads_other_files(run, tmp_path):
    file = tmp_path / "old.txt"
    file.write_bytes(ARTICLE.replace("č", "c").replace("ć", "c").encode("cp1252"))
    code, out, err = run("split", file, "--format", "csv")
    assert (code, out) == (2, "")
    assert "not utf-8 text (byte 0x93 at offset 29)" in err
    code, out, _ = run("split", file, "--format", "csv", "--encoding", "cp1252")
    assert code == 0
    assert [row["speaker"] for row in csv.DictReader(io.StringIO(out))] == [
        "Ana Kovac",
        "Petar Ilic",
    ]


def test_one_bad_file_among_several_does_not_stop_the_others(run, article, tmp_path):
    binary = tmp_path / "photo.txt"
    binary.write_bytes(b"\x89PNG\0")
    words = [
        "split",
        binary,
        article,
        tmp_path / "none.txt",
        tmp_path,
        article,
        "--format",
        "jsonl",
    ]
    code, out, err = run(*words)
    assert code == 2
    assert len(out.splitlines()) == 4
    reasons = ["binary data", "no such file", "is a folder"]
    assert all(word in line for word, line in zip(reasons, err.splitlines(), strict=True))


@pytest.mark.parametrize(
    ("content", "note"),
    [("", "no text in"), (" \n\n", "no text in"), ("It rained.", "no quotes found in")],
)
def test_empty_input_is_a_note_and_no_error(run, tmp_path, content, note):
    file = tmp_path / "a.txt"
    file.write_text(content, newline="")
    code, out, err = run("split", file, "--format", "json")
    assert code == 0
    assert json.loads(out) == [{"file": str(file), "article": content, "quotes": []}]
    assert err == f"stance: note: {note} {file}\n"
    assert run("split", file, "--format", "json", "--quiet") == (0, out, "")
    assert run("split", file, "--format", "jsonl", "-q") == (0, "", "")


# --- output ---


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a.json", "[\n"),
        ("a.jsonl", '{"file"'),
        ("a.CSV", "file,start"),
        ("a.html", "<!doctype html>"),
        ("a.txt", "border.txt  2 quotes"),
    ],
)
def test_format_follows_the_ending_of_output(run, article, tmp_path, monkeypatch, name, start):
    monkeypatch.chdir(tmp_path)
    assert run("split", "border.txt", "--output", name) == (0, "", "")
    assert (tmp_path / name).read_text("utf-8").startswith(start)


def test_format_option_beats_the_ending(run, article, tmp_path):
    run("split", article, "--output", tmp_path / "a.html", "--format", "csv")
    assert (tmp_path / "a.html").read_bytes().startswith(b"file,start,end,kind")


def test_output_to_a_hyphen_is_standard_output(run, article, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ("split", article, "--no-tagger", "--format", "json")
    assert run(*options, "--output", "-") == run(*options)
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("words", [["split", "a.txt"], ["classify", "No."], ["explain", "No."]])
def test_closed_standard_output_is_an_error_without_traceback(run, monkeypatch, words):
    monkeypatch.setattr(sys, "stdout", None)
    code, _, err = run(*words, "--format", "json")
    assert code == 2
    assert "standard output: is closed" in err


def test_input_is_never_overwritten(run, article):
    code, _, err = run("split", article, "--output", article)
    assert code == 2
    assert "would overwrite the input" in err
    assert article.read_text("utf-8") == ARTICLE


def test_older_result_stays_when_no_input_can_be_read(run, tmp_path):
    output = tmp_path / "a.csv"
    output.write_text("old")
    code, _, _ = run("split", tmp_path / "none.txt", "--output", output)
    assert code == 2
    assert output.read_text() == "old"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("to", ["--output", "stdout"])
def test_full_disk_is_an_error_without_traceback(article, to):
    if to == "--output":
        ended = spawn("split", article, "--output", "/dev/full")
    else:
        with open("/dev/full", "w") as full:
            ended = subprocess.run(
                [sys.executable, "-m", "stance", "split", article],
                stdout=full,
                stderr=subprocess.PIPE,
                timeout=60,
                check=False,
            )
    assert ended.returncode == 1
    assert b"cannot be written (No space left on device)" in ended.stderr
    assert b"Traceback" not in ended.stderr
    assert b"Exception ignored" not in ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv", "html"])
def test_reader_that_goes_away_ends_the_command_quietly(article, form):
    words = [sys.executable, "-m", "stance", "split", *[str(article)] * 400, "--format", form]
    # Python's unbuffered streams do not notice a write that was cut short.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, env=environment) as process:
        process.stdout.read(10)
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(60) == 141
    assert errors == b""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_interrupt_ends_the_command_quietly():
    import signal
    import time

    # A test run in the background ignores SIGINT, and its children would inherit that.
    starter = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    starter += "os.execv(sys.executable, [sys.executable, '-m', 'stance', 'split'])"
    words = [sys.executable, "-c", starter]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(3)  # it waits for standard input by then
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert errors == b""


def test_files_made_in_another_locale_are_utf_8(article):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C", "COLUMNS": "80"}
    ended = spawn("split", article, "--format", "csv", env=environment)
    assert "Ana Kovač" in ended.stdout.decode("utf-8")
    table = spawn("split", article, env=environment)
    assert table.returncode == 0
    assert b"Ana Kova?" in table.stdout


# --- classify and analyze ---


def test_classify_labels_each_text(run, model):
    code, out, err = run("classify", *TEXTS, "--model", model, "--format", "json")
    assert (code, err) == (0, "")
    found = json.loads(out)
    assert [p["text"] for p in found] == TEXTS
    assert [p["stance"] for p in found] == ["conciliatory", "dismissive"]
    assert all(p["quote"] is None for p in found)


def test_classify_reads_lines_and_json_lines(run, model, tmp_path):
    lines = tmp_path / "q.txt"
    lines.write_text("\n".join(TEXTS) + "\n\n")
    objects = tmp_path / "q.jsonl"
    objects.write_text("\n".join(json.dumps({"text": text}) for text in TEXTS))
    options = ("--model", model, "--format", "csv")
    results = [
        run("classify", "--file", lines, *options),
        run("classify", "--file", objects, *options),
        run("classify", *options, stdin=lines.read_text()),
        run("classify", "-", "--jsonl", *options, stdin=objects.read_text()),
    ]
    assert [code for code, _, _ in results] == [0, 0, 0, 0]
    tables = [list(csv.DictReader(io.StringIO(out))) for _, out, _ in results]
    assert [[row["text"] for row in table] for table in tables] == [TEXTS] * 4
    assert len({tuple(row["stance_dismissive"] for row in table) for table in tables}) == 1
    files = [table[0]["file"] for table in tables]
    assert files == [str(lines), str(objects), "standard input", "standard input"]


def test_context_option_is_for_quotes_without_their_own(run, model, tmp_path):
    context = "The talks are on Monday, “ready to sign” was the word."
    file = tmp_path / "q.jsonl"
    rows = [{"text": "ready to sign"}, {"text": "ready to sign", "context": "They blame them."}]
    file.write_text("\n".join(map(json.dumps, rows)))
    options = ("--model", model, "--format", "json")
    _, with_option, _ = run("classify", "--file", file, "--context", context, *options)
    _, without, _ = run("classify", "--file", file, *options)
    _, by_text, _ = run("classify", "ready to sign", "--context", context, *options)
    first, second = json.loads(with_option)
    bare, own = json.loads(without)
    assert second["stance_probabilities"] == pytest.approx(own["stance_probabilities"], abs=1e-5)
    assert first["stance_probabilities"] != pytest.approx(bare["stance_probabilities"], abs=1e-5)
    assert first["stance_probabilities"] == pytest.approx(
        json.loads(by_text)[0]["stance_probabilities"], abs=1e-5
    )


def test_file_name_given_as_text_is_not_labelled(run, model, article):
    code, out, err = run("classify", article, "--model", model)
    assert (code, out) == (2, "")
    assert "is a file" in err
    assert "--file" in err


def test_no_quotes_to_classify_is_a_note(run, model):
    code, out, err = run("classify", "--model", model, "--format", "json", stdin="\n\n")
    assert (code, json.loads(out)) == (0, [])
    assert err == "stance: note: no quotes in standard input\n"


def test_quote_of_invisible_characters_is_an_error_without_traceback(run, model):
    code, _, err = run("classify", "fine", "\u200b", "--model", model)
    assert code == 2
    assert "TEXT has no visible character" in err


def test_pipe_from_split_to_classify_gives_what_analyze_gives(run, model, tmp_path, monkeypatch):
    # Few words would be computed by another engine.
    monkeypatch.setattr(stance.commands, "_FEW_CHARACTERS", 0)
    file = tmp_path / "table.txt"
    file.write_text("“We are ready,” the minister said, “to talk and sign.”\n", "utf-8")
    _, lines, _ = run("split", file, "--no-tagger", "--format", "jsonl")
    options = ("--model", model, "--format", "jsonl")
    _, piped, _ = run("classify", "--jsonl", *options, stdin=lines)
    _, direct, _ = run("analyze", file, "--no-tagger", *options)
    one, other = json.loads(piped), json.loads(direct)
    assert len(other["quote"]["spans"]) == 2
    assert one["quote"] is None
    for name in ("stance_probabilities", "sentiment_probabilities"):
        assert one[name] == pytest.approx(other[name], abs=1e-6)


# The tiny model was not trained on contexts, so what it makes of them is asked of itself.
def test_speech_only_and_no_tagger_leave_hopes_out(run, tmp_path):
    file = tmp_path / "hopes.txt"
    file.write_text("Oslo hopes that talks go on. “We agree,” Ana Costa said.", "utf-8")
    found = [
        [
            json.loads(line)["text"]
            for line in run(*words, "--format", "jsonl", file)[1].splitlines()
        ]
        for words in (["split", "--no-tagger"], ["split", "--no-tagger", "--speech-only"])
    ]
    assert found == [["talks go on", "We agree"], ["We agree"]]


def test_analyze_splits_and_labels(run, model, article, tiny_classifier):
    code, out, err = run("analyze", article, "--model", model, "--format", "json")
    assert (code, err) == (0, "")
    (document,) = json.loads(out)
    found = [(p["quote"]["speaker"]["name"], p["stance"]) for p in document["quotes"]]
    stances = [prediction.stance for prediction in tiny_classifier.analyze(ARTICLE)]
    assert found == list(zip(["Ana Kovač", "Petar Ilić"], stances, strict=True))


def test_analyze_shows_a_table_by_default(run, model, article, tiny_classifier):
    code, out, _ = run("analyze", article, "--model", model)
    assert code == 0
    for stance_found, count in count_categories(tiny_classifier.analyze(ARTICLE)):
        assert f"{SYMBOLS[stance_found]} {stance_found}" in out
        assert f"{SYMBOLS[stance_found]} {count} {stance_found}" in out


def test_broken_model_is_named_and_exits_2(run, article, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    code, out, err = run("analyze", article, "--model", folder)
    assert (code, out) == (2, "")
    assert str(folder) in err
    (folder / "config.json").write_text("{")
    (folder / "model.safetensors").write_bytes(b"x")
    code, out, err = run("analyze", article, "--model", folder)
    assert (code, out) == (2, "")
    assert str(folder) in err


@pytest.mark.parametrize("command", ["split", "analyze"])
def test_broken_tagger_is_an_error_that_names_the_way_without(
    run, article, model, tmp_path, monkeypatch, command
):
    (tmp_path / "config.json").write_text("{")
    (tmp_path / "model.safetensors").write_bytes(b"x")
    monkeypatch.setattr(stance.quotes, "_RELEASED", tmp_path)
    stance.quotes._released.cache_clear()
    code, out, err = run(command, article, *(["--model", model] if command == "analyze" else []))
    assert (code, out) == (2, "")
    assert str(tmp_path) in err
    assert "--no-tagger" in err


@pytest.mark.weights
def test_released_weights_are_used_without_a_model_option(run):
    code, out, err = run("classify", "The offer is unacceptable.", "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)[0]["stance"] == "dismissive"


# --- train and evaluate ---


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_missing_program_says_how_to_install_it(run, monkeypatch, command):
    package = {"train": "training", "evaluate": "evaluation"}[command]
    for name in [name for name in sys.modules if name.startswith(f"stance.{package}")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, f"stance.{package}", None)
    code, out, err = run(command)
    assert (code, out) == (2, "")
    assert f"`stance {command}` is not in this installation" in err
    assert "pip install -e ." in err


def test_missing_library_is_named_with_its_install_line(run, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("stance.evaluation")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "numpy", None)
    code, _, err = run("evaluate")
    assert code == 2
    assert "numpy" in err


def test_a_stance_below_the_least_confidence_is_undecided_in_every_format(run, model):
    words = ("classify", "They will never have our gas", "--model", model, "--min-confidence", "1")
    code, out, _ = run(*words)
    assert code == 0
    assert "? undecided" in out
    assert "? 1 undecided" in out
    found = json.loads(run(*words, "--format", "json")[1])[0]
    assert found["stance"] is None
    assert found["stance_probabilities"]["dismissive"] == found["confidence"]
    row = next(csv.DictReader(io.StringIO(run(*words, "--format", "csv")[1])))
    assert row["stance"] == "undecided"
    assert "undecided" in run(*words, "--format", "html")[1]


def test_analyze_takes_a_least_confidence(run, model, article):
    code, out, _ = run("analyze", article, "--model", model, "--min-confidence", "1.0")
    assert code == 0
    assert "? 2 undecided" in out


@pytest.mark.parametrize("value", ["1.5", "-1", "nan", "much", ""])
def test_a_least_confidence_that_is_no_fraction_is_refused(run, value):
    code, out, err = run("classify", "we sign", f"--min-confidence={value}")
    assert (code, out) == (2, "")
    assert f"must be a number from 0 to 1, not '{value}'" in err


def test_explain_shows_the_words_and_what_they_weigh(run, model, tmp_path):
    words = ("explain", "They will never have our gas", "--model", model)
    code, out, err = run(*words)
    assert (code, err) == (0, "")
    assert "✕ dismissive" in out
    assert "They will never have our gas" in out
    assert "percentage points" in out
    found = json.loads(run(*words, "--format", "json", "--label", "neutral")[1])
    assert found["label"] == "neutral"
    assert [word["text"] for word in found["words"]] == "They will never have our gas".split()
    page = tmp_path / "why.html"
    assert run(*words, "--output", page)[0] == 0
    assert page.read_text("utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((" ",), "TEXT is empty"),
        (("we sign", "--label", "hostile"), "unknown label 'hostile'"),
        (("we sign", "--task", "mood"), "unknown task 'mood'"),
        (("we sign", "--output", "why.csv"), "explain writes table, json, html, not csv"),
        (("\u200b",), "no visible character"),
    ],
)
def test_explain_names_what_is_wrong(run, model, words, message):
    code, out, err = run("explain", *words, "--model", model)
    assert (code, out) == (2, "")
    assert message in err
