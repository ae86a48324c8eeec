"""The page of results holds every way and every figure that was measured."""

import importlib
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TIMING = {"seconds": 2.0, "fastest": 1.5, "per_second": 50.0, "ratio": 6.25}
RUN = {"seconds": 0.5, "cpu_seconds": 0.4, "peak_mb": 110.0, "ratio": 9.5, "memory_ratio": 0.25}
RESULTS = {
    "quick": True,
    "machine": {
        "processor": "Some CPU",
        "cores": 2,
        "threads": 1,
        "load_average": [0.1, 0.2, 0.3],
        "flags": ["avx2"],
        "versions": {"numpy": "2.0", "torch": None},
        "measured": "2026-01-01T00:00:00+00:00",
    },
    "notes": {"stance": "both tasks"},
    "classify_many": {"stance": TIMING, "VADER": TIMING},
    "classify_one": {"stance": TIMING},
    "engines": {
        "bf16_matmul_gflops": 900.0,
        "compared_rows": 716,
        "ways": {
            "numpy": {
                **TIMING,
                "ceiling_fraction": 0.125,
                "agreement_stance": 1.0,
                "agreement_sentiment": 0.996,
            }
        },
    },
    "articles": {"mean_characters": 4321.0, "ways": {"stance.split": TIMING}},
    "growth": {
        "classify": {
            "points": [{"size": 1000, "seconds": 1.25}],
            "exponent": None,
            "left_out": [100000],
        }
    },
    "processes": {"quotes": 200, "start": {"import stance": RUN}, "work": {"stance": RUN}},
}


@pytest.fixture
def page(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.report").to_markdown(RESULTS)


@pytest.mark.parametrize(
    "line",
    [
        "| stance | 50.0 | 6.25 | both tasks |",
        "| VADER | 50.0 | 6.25 |  |",
        "| numpy | 50 | 6.25 | 12.5% | 100.00% | 99.60% |",
        "| classify | 1,000: 1.25 s | – | 100,000 |",
        "| import stance | 0.50 | 0.40 | 9.5 | 110 | 0.25 |",
        "900 GFLOP/s",
        "quick run; Some CPU, 2 cores, 1 threads",
        "numpy 2.0;",
    ],
)
def test_every_figure_stands_on_the_page(page, line):
    assert line in page


def test_rows_are_as_wide_as_their_headers(page):
    for block in page.split("\n\n"):
        widths = {line.count("|") for line in block.split("\n") if line.startswith("|")}
        assert len(widths) <= 1


@pytest.mark.skipif(sys.platform == "win32", reason="reads /proc or uname")
def test_facts_of_this_machine_are_json_ready(monkeypatch):
    import json

    monkeypatch.syspath_prepend(str(ROOT))
    facts = importlib.import_module("benchmarks.facts").machine_facts()
    assert facts["cores"] >= 1
    assert facts["versions"]["numpy"]
    assert json.loads(json.dumps(facts)) == facts
