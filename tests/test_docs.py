"""The examples of the README and of the docstrings are run.

Convention for README.md: every ```python block is run, in order, in one namespace (names of an
earlier block stay). Where the next block after it is a ```text block, with no other fence between,
what the python block printed must equal it, blank space at line ends aside. A python block whose
fence line says ```python no-run is only compiled. Docstring examples are doctests: the output
stands beneath the ``>>>`` lines.
"""

import contextlib
import doctest
import importlib
import io
import pkgutil
import re
from pathlib import Path

import pytest

import stance

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


def blocks(text):
    """Returns ``(language, rest of the fence line, code)`` of every fenced block."""
    return [match.groups() for match in BLOCK.finditer(text)]


def tidy(text):
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def run_blocks(text):
    """Runs the python blocks of a text; returns those printed and expected, where any is.

    Raises:
        Whatever an example raises.
    """
    namespace = {"__name__": "readme"}
    results = []
    found = blocks(text)
    for position, (language, rest, code) in enumerate(found):
        if language != "python":
            continue
        program = compile(code, f"README example {position + 1}", "exec")
        if "no-run" in rest:
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(program, namespace)
        if position + 1 < len(found) and found[position + 1][0] == "text":
            results.append((tidy(printed.getvalue()), tidy(found[position + 1][2])))
    return results


def test_blocks_are_found_run_in_order_and_paired_with_their_output():
    fence = "`" * 3
    text = (
        f"{fence}python\na = 2\n{fence}\nthen\n{fence}python\nprint(a + 1)\n{fence}\n"
        f"which prints\n\n{fence}text\n3  \n{fence}\n{fence}python no-run\nboom()\n{fence}\n"
        f"{fence}bash\nls\n{fence}\n{fence}text\nunrelated\n{fence}\n"
    )
    assert run_blocks(text) == [("3", "3")]
    with pytest.raises(NameError):
        run_blocks(text.replace(" no-run", ""))


@pytest.mark.weights
def test_readme_examples_print_what_the_readme_shows(tmp_path, monkeypatch):
    text = README.read_text("utf-8")
    if not text.strip():
        pytest.skip("README.md is empty")
    assert any(language == "python" for language, _, _ in blocks(text)), "no example in README.md"
    # Examples may name the seed articles by a path relative to the repository.
    monkeypatch.chdir(README.parent)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    for printed, expected in run_blocks(text):
        assert printed == expected


# Training and evaluation stand elsewhere in the repository and have tests of their own.
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(stance.__path__, "stance.")
    if not module.name.startswith(("stance.training", "stance.evaluation", "stance.__main__"))
)


@pytest.mark.weights
@pytest.mark.parametrize("name", ["stance", *MODULES])
def test_docstring_examples(name):
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0
