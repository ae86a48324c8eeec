"""Importing the package and asking for help cost milliseconds: nothing heavy is loaded."""

import json
import subprocess
import sys

import pytest

import stance

HEAVY = (
    "torch",
    "transformers",
    "numpy",
    "rich",
    "sklearn",
    "datasets",
    "jinja2",
    "pandas",
    "tqdm",
)

RUN_MAIN = "import stance.cli\ntry: stance.cli.main([{!r}])\nexcept SystemExit: pass"
SCRIPTS = {
    "import": "import stance",
    "command line": "import stance.cli",
    "render": "import stance.render, stance.page, stance.io",
    "help": RUN_MAIN.format("--help"),
    "version": RUN_MAIN.format("--version"),
    "classify help": "import stance.cli\ntry: stance.cli.main(['classify', '-h'])\n"
    "except SystemExit: pass",
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_heavy_is_loaded_for(name):
    code = f"{SCRIPTS[name]}\nimport sys, json\nprint()\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(json.loads(run.stdout.splitlines()[-1]))
    assert "stance" in loaded
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("name", stance.__all__)
def test_public_name_resolves_and_is_listed(name):
    assert getattr(stance, name) is not None
    assert name in dir(stance)


def test_unknown_attribute_is_an_attribute_error_that_names_it():
    with pytest.raises(AttributeError, match="'stance' has no attribute 'clasify'"):
        _ = stance.clasify
