"""The converter, on an article of our own in PolNeAR's format."""

import json

import pytest

from stance.training.polnear import main
from stance.training.quote_data import read_articles

TEXT = (
    "Envoy hopes for talks\n\n“We are ready,” Mara Holt said in Geneva, “to sign.”\n\n"
    "Holt believes the “freeze” will hold.\n\nFollow us online.\n"
)


def lines():
    def span(role, *parts):
        ranges = ";".join(f"{TEXT.index(p)} {TEXT.index(p) + len(p)}" for p in parts)
        return f"{role} {ranges}\t{' '.join(parts)}"

    return [
        "T1\t" + span("Source", "Mara Holt"),
        "T2\t" + span("Cue", "said in Geneva"),
        "T3\t" + span("Content", "“We are ready,”", "“to sign.”"),
        "T4\t" + span("Attribution", "said in Geneva"),
        "E1\tAttribution:T4 Content:T3 Cue:T2 Source:T1",
        "T5\t" + span("Cue", "believes"),
        "T6\t" + span("Content", "the “freeze” will hold"),
        "T7\t" + span("Attribution-no-source", "believes"),
        "E2\tAttribution-no-source:T7 Content:T6 Cue:T5",
        "T8\t" + span("Discard", "Follow us online."),
        "#1\tAnnotatorNotes T8\tfooter",
        "",
    ]


def write(folder, annotations):
    (folder / "text").mkdir(parents=True)
    (folder / "attributions").mkdir()
    (folder / "text" / "paper_2020-01-02_envoy.txt").write_text(TEXT, "utf-8", newline="")
    for annotator, content in annotations.items():
        path = folder / "attributions" / f"paper_2020-01-02_envoy_{annotator}.ann"
        path.write_text("\n".join(content), "utf-8", newline="")


def test_article_is_converted_with_every_role(tmp_path):
    write(tmp_path / "train", {"4b22": lines()[:5], "5fec": lines()})
    output = tmp_path / "out.jsonl"
    assert main([str(tmp_path / "train"), str(output)]) == 0
    [row] = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert (row["id"], row["publisher"]) == ("polnear/train/paper_2020-01-02_envoy", "paper")
    assert row["annotator"] == "5fec"
    assert [TEXT[a:b] for a, b in row["discard"]] == ["Follow us online."]
    first, second = row["quotes"]
    assert [TEXT[a:b] for a, b in first["content"]] == ["“We are ready,”", "“to sign.”"]
    assert (first["kind"], first["speech_cue"], first["source_text"]) == (
        "direct",
        True,
        "Mara Holt",
    )
    assert (second["kind"], second["speech_cue"], second["source"]) == ("mixed", False, [])
    [article] = read_articles(output)
    assert [quote.kind for quote in article.quotes] == ["direct", "mixed"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: ["T1\tCue 5 9999\tx", *rows[1:]], "lies outside the text"),
        (lambda rows: ["T1\tCue a b\tx", *rows[1:]], "line 1"),
        (lambda rows: [*rows[:2], *rows[3:]], "'T3' is nowhere"),
        (lambda rows: ["what is this"], "unknown line"),
    ],
)
def test_damaged_annotation_is_named(change, message, tmp_path, capsys):
    write(tmp_path / "train", {"4b22": change(lines())})
    assert main([str(tmp_path / "train"), str(tmp_path / "out.jsonl")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "envoy_4b22.ann" in error


def test_folder_without_annotations_is_named(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "out.jsonl")]) == 2
    assert "holds no attributions" in capsys.readouterr().err


def test_annotation_without_text_is_named(tmp_path, capsys):
    write(tmp_path / "train", {"4b22": lines()})
    (tmp_path / "train" / "text" / "paper_2020-01-02_envoy.txt").unlink()
    assert main([str(tmp_path / "train"), str(tmp_path / "out.jsonl")]) == 2
    assert "is missing" in capsys.readouterr().err
