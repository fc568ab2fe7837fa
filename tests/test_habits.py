"""What stands beside the code and could rot: citation, links, promises that name their tests."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "examples" / "README.md"]
_OPTIONS = {"test_images"}  # of a training, named as tests are
TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)\(", path.read_text(), flags=re.MULTILINE)
}


def sources() -> Iterator[Path]:
    """Every module of the four packages."""
    for package in ("nasbench_suite", "search_methods", "hardware", "reports"):
        yield from (ROOT / package).rglob("*.py")


def test_the_citation_is_of_this_version() -> None:
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert citation["title"] == PROJECT["name"]
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["repository-code"] == PROJECT["urls"]["Repository"]
    assert citation["message"]
    assert citation["authors"]


def test_the_changes_have_this_version() -> None:
    assert f"\n## {PROJECT['version']}\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page", [*PAGES, *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_tests_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    assert set(re.findall(r"`(test_\w+)`", text)) - _OPTIONS <= TESTS
    for path in re.findall(r"`(?:python )?((?:tests|\.ci)/[\w./-]+)", text):
        assert (ROOT / path).exists(), path


def test_every_target_of_the_makefile_is_described() -> None:
    text = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", text, flags=re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, flags=re.MULTILINE)
    assert set(phony.split()) == targets
    described = (ROOT / "CONTRIBUTING.md").read_text()
    assert all(f"`{target}`" in described for target in targets)


def test_workflows_and_forms_can_be_read() -> None:
    yaml = pytest.importorskip("yaml")
    files = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml"]
    assert len(files) >= 5
    read = {path.name: yaml.safe_load(path.read_text()) for path in files}
    versions = read["ci.yml"]["jobs"]["tests"]["strategy"]["matrix"]["python"]
    assert f">={versions[0]}" == PROJECT["requires-python"]
    for step in (step for job in read["ci.yml"]["jobs"].values() for step in job["steps"]):
        for script in re.findall(r"(?:\.ci|tests)/[\w/.]+", step.get("run", "")):
            assert (ROOT / script).exists(), script


def test_every_python_that_is_tested_is_promised() -> None:
    text = (ROOT / "docs" / "compatibility.md").read_text()
    assert "Python 3.11, 3.12 and 3.13" in text
    assert "3.11 3.12 3.13" in (ROOT / ".ci" / "pythons").read_text()


def test_no_console_reads_markup_in_what_it_prints() -> None:
    """Rich takes [torch] for a style and eats it, in advice, names of methods and paths alike."""
    for path in sources():
        for arguments in re.findall(r"\bConsole\(([^()]*)\)", path.read_text()):
            assert "markup=False" in arguments, path


def test_no_archive_of_arrays_has_one_that_is_called_allow_pickle() -> None:
    """NumPy before 2.1 writes what ``savez`` is told of pickles as an array of that name."""
    for path in sources():
        for call in re.findall(r"\bsavez\w*\([^)]*", path.read_text()):
            assert "allow_pickle" not in call, path
