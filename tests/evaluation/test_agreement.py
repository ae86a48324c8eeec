import pytest
from evaluation_fakes import record, write_rows

from stance.evaluation.agreement import ceilings
from stance.evaluation.rows import DataError, read_rows


def both(stance, sentiment):
    return {"stance": stance, "sentiment": sentiment}


ANSWERS = [
    (both("conditional", "negative"), both("conditional", "negative")),
    (both("dismissive", "negative"), both("dismissive", "neutral")),
    (both("neutral", "neutral"), both("neutral", "neutral")),
    (both("conciliatory", "positive"), both("neutral", "positive")),
]


@pytest.fixture
def rows(tmp_path):
    return read_rows([write_rows(tmp_path / "rows.jsonl", [record(i) for i in range(12)])])


def test_agreement_of_two_annotators_is_counted_by_hand(rows, tmp_path):
    lines = [{"set": "test", "first": a, "second": b} for a, b in ANSWERS]
    lines += [{"set": "contrast", "first": a, "second": a} for a, _ in ANSWERS]
    lines += [{"set": "test", "first": ANSWERS[0][0], "second": None}]
    write_rows(tmp_path / "data" / "agreement.jsonl", lines)
    found = ceilings("authored", rows, tmp_path)
    assert found["stance"]["n"] == 4
    assert found["stance"]["accuracy"] == 0.75
    # Observed 3/4; by chance (1*1 + 1*1 + 1*2 + 1*0) / 16 = 1/4.
    assert found["stance"]["kappa"] == pytest.approx((0.75 - 0.25) / 0.75)
    assert ceilings("contrast", rows, tmp_path)["stance"]["kappa"] == 1.0
    assert ceilings("seeds", rows, tmp_path) == {}


def test_real_quotes_are_known_by_their_hashes(rows, tmp_path):
    labels = [{"sha256": row.sha256} for row in rows.rows[:6]]
    path = write_rows(tmp_path / "data" / "real" / "labels.jsonl", labels)
    assert ceilings("real", rows, tmp_path)["stance"]["kappa"] == 0.92
    write_rows(path, labels[:5])
    assert ceilings("real", rows, tmp_path) == {}


def test_absent_file_gives_no_ceiling_and_a_bad_line_is_named(rows, tmp_path):
    assert ceilings("authored", rows, tmp_path) == {}
    line = {"set": "test", "first": both("angry", "neutral"), "second": both("neutral", "neutral")}
    write_rows(tmp_path / "data" / "agreement.jsonl", [line])
    with pytest.raises(DataError, match=r"agreement\.jsonl:1: unknown stance"):
        ceilings("authored", rows, tmp_path)
