import pytest

from stance.evaluation.faithfulness import main


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ":1: no rows in this file"),
        ("[1]", ":1: a row must be an object, not list"),
        ('{"text": "fine"}\n{"text": null}', ":2: 'text' must be text that is not blank, not None"),
        ("{", ":1: not JSON"),
        (None, "no such file"),
    ],
)
def test_bad_file_exits_2_with_one_line(tmp_path, capsys, content, message):
    path = tmp_path / "quotes.jsonl"
    if content is not None:
        path.write_text(content, "utf-8")
    assert main(["--quotes", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value", "least"), [("--most", "0", 1), ("--most", "-3", 1), ("--seed", "-1", 0)]
)
def test_number_out_of_range_is_named(tmp_path, capsys, option, value, least):
    with pytest.raises(SystemExit):
        main(["--quotes", str(tmp_path / "quotes.jsonl"), option, value])
    assert f"{option} must be {least} or more, not {value}" in capsys.readouterr().err
