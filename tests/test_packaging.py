"""The built wheel: what is in it, and that an installation of it works away from the repository."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "stance", "training", "evaluation")
HAS_WEIGHTS = (REPOSITORY / "stance" / "weights" / "config.json").is_file()


def run(*words, cwd, path=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PIP_")}
    environment.pop("PYTHONPATH", None)
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy so that no build folder is left in the repository."""
    pytest.importorskip("setuptools")
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info", "reports", "runs")
    for name in SOURCES:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, source / name, ignore=skip)
        else:
            shutil.copy(REPOSITORY / name, source / name)
    build = "import sys, setuptools.build_meta as b; print(b.build_wheel(sys.argv[1]))"
    ended = run("-c", build, folder, cwd=source)
    assert ended.returncode == 0, ended.stderr[-2000:]
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that the wheel is installed into, without its dependencies."""
    target = tmp_path_factory.mktemp("installed")
    ended = run(
        *("-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "--quiet"),
        *("--disable-pip-version-check", "--target", target, wheel),
        cwd=target,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    return target


def names_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    "name",
    [
        "stance/__init__.py",
        "stance/py.typed",
        "stance/cli.py",
        "stance/templates/page.html.jinja",
        "stance/templates/page.css",
        "stance/quotes/__init__.py",
        "stance/model/__init__.py",
        "stance/weights/__init__.py",
        "stance/training/train_stance.py",
        "stance/training/configs/default.toml",
        "stance/evaluation/evaluate.py",
    ],
)
def test_wheel_holds(wheel, name):
    assert name in names_in(wheel)


def test_wheel_holds_every_module_template_and_setting(wheel):
    names = set(names_in(wheel))
    for folder, package in [("stance", "stance"), ("training", "stance/training")]:
        for file in (REPOSITORY / folder).rglob("*"):
            if file.suffix in {".py", ".toml", ".jinja", ".css"}:
                assert f"{package}/{file.relative_to(REPOSITORY / folder).as_posix()}" in names
    for file in (REPOSITORY / "evaluation").glob("*.py"):
        assert f"stance/evaluation/{file.name}" in names
    for file in (REPOSITORY / "evaluation" / "templates").glob("*"):
        assert f"stance/evaluation/templates/{file.name}" in names


@pytest.mark.weights
def test_wheel_holds_the_weights_and_their_card(wheel):
    names = set(names_in(wheel))
    for name in ("config.json", "model.safetensors", "README.md"):
        assert f"stance/weights/{name}" in names


def test_wheel_puts_nothing_else_at_the_top(wheel):
    top = {name.split("/")[0] for name in names_in(wheel)}
    assert {name for name in top if not name.endswith(".dist-info")} == {"stance"}


def test_wheel_carries_the_licence_and_the_command(wheel):
    names = names_in(wheel)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    (entry,) = [name for name in names if name.endswith("entry_points.txt")]
    with zipfile.ZipFile(wheel) as archive:
        assert "stance = stance.cli:main" in archive.read(entry).decode()


def test_installed_package_splits_a_sentence(installed, tmp_path):
    (tmp_path / "a.txt").write_text("“We will talk,” Ana Kovač said.\n", encoding="utf-8")
    ended = run("-m", "stance", "split", "a.txt", "-f", "csv", cwd=tmp_path, path=installed)
    assert ended.returncode == 0, ended.stderr
    assert "We will talk" in ended.stdout
    page = run("-m", "stance", "split", "a.txt", "-o", "a.html", cwd=tmp_path, path=installed)
    assert page.returncode == 0, page.stderr
    assert "We will talk" in (tmp_path / "a.html").read_text("utf-8")


def test_installed_package_is_the_one_that_runs(installed, tmp_path):
    ended = run("-c", "import stance; print(stance.__file__)", cwd=tmp_path, path=installed)
    assert Path(ended.stdout.strip()).is_relative_to(installed)


@pytest.mark.weights
@pytest.mark.skipif(not HAS_WEIGHTS, reason="stance/weights holds no weights yet")
def test_installed_package_classifies_a_sentence(installed, tmp_path):
    words = ("-m", "stance", "classify", "The offer is unacceptable.", "-f", "csv")
    ended = run(*words, cwd=tmp_path, path=installed)
    assert ended.returncode == 0, ended.stderr
    assert "dismissive" in ended.stdout


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_installed_package_says_where_the_data_are(installed, tmp_path, command):
    assert run("-m", "stance", command, "--help", cwd=tmp_path, path=installed).returncode == 0
    ended = run("-m", "stance", command, "--output", "x", cwd=tmp_path, path=installed)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert "Clone its repository" in ended.stderr


@pytest.mark.parametrize(
    ("system", "machine", "expected"),
    [
        ("linux", "x86_64", True),
        ("linux", "aarch64", True),
        ("darwin", "arm64", True),
        ("win32", "AMD64", True),
        ("win32", "ARM64", False),
        ("linux", "ppc64le", False),
        ("linux", "riscv64", False),
    ],
)
def test_openvino_is_required_only_where_there_are_wheels_of_it(system, machine, expected):
    requirements = pytest.importorskip("packaging.requirements")
    (line,) = [
        line.strip().rstrip(",").strip('"')
        for line in (REPOSITORY / "pyproject.toml").read_text("utf-8").splitlines()
        if line.strip().startswith('"openvino')
    ]
    marker = requirements.Requirement(line).marker
    environment = {"sys_platform": system, "platform_machine": machine}
    assert marker.evaluate(environment) == expected
