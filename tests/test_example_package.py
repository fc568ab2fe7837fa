"""A package with a part of each kind, installed by entry points alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_tutorial import environment, nasbench

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(__file__).with_name("third_party") / "nasbench-example"
PARTS = {
    "methods": "coordinate-descent",
    "spaces": "layers",
    "formats": "layers-text",
    "proxies": "widths",
    "predictors": "nearest",
    "figures": "spread",
    "panels": "failures",
    "runtimes": "one-by-one",
    "executors": "backwards",
    "commands": "hello",
}

LISTING = """
import json, sys
from nasbench_suite.registry import describe
parts = json.loads(sys.argv[1])
listed = {kind: {part.name: part for part in describe(kind)} for kind in parts}
found = [(kind, name, listed[kind][name]) for kind, name in parts.items()]
print(json.dumps([(kind, name, part.distribution, part.fault) for kind, name, part in found]))
"""


# Rows of docs/extending.md, and the file and the name of the part that each was counted by.
ADDITIONS = {
    "method": ("method.py", "coordinate-descent"),
    "search space": ("space.py", "layers"),
    "table format": ("table.py", "layers-text"),
    "figure": ("figure.py", "spread"),
    "runtime": ("runtime.py", "one-by-one"),
    "proxy": ("proxy.py", "widths"),
}


def test_what_an_addition_takes_is_as_the_documentation_says() -> None:
    page = (ROOT / "docs" / "extending.md").read_text()
    rows = {
        cells[0]: cells
        for cells in re.findall(r"^\| ([\w ]+).*? \| (.+?) \| (\d+) \| (.+) \|$", page, re.M)
    }
    project = (PACKAGE / "pyproject.toml").read_text()
    for what, (file, name) in ADDITIONS.items():
        _, files, lines, edits = rows[what]
        assert files.count(".py") == 1, what
        source = PACKAGE / "nasbench_example" / file
        assert int(lines) == len(source.read_text().splitlines()), what
        assert edits == "1 line of `pyproject.toml`"
        module = f"nasbench_example.{source.stem}:"
        assert [line for line in project.splitlines() if module in line] == [
            line for line in project.splitlines() if line.startswith(f"{name} = ")
        ], what


# The two edits of a column of the leaderboard: the file, the line before, and the line.
COLUMN = (
    (
        "nasbench_suite/analysis/leaderboard.py",
        '        median=("figure", "median"),\n',
        '        least=("figure", "min"),\n',
    ),
    ("reports/tables/rendering.py", "AFTER = (\n", '    Shown("least", "lowest", "task"),\n'),
)


def test_a_column_of_the_leaderboard_is_two_lines(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "extending.md").read_text()
    told = re.search(
        r"^\| column of the leaderboard.*\| none \| 0 \| (\d) lines: (.*) \|$", page, re.M
    )
    assert told is not None
    assert int(told[1]) == len(COLUMN)
    for package in ("nasbench_suite", "search_methods", "hardware", "reports"):
        shutil.copytree(ROOT / package, tmp_path / package)
    for file, before, line in COLUMN:
        assert f"`{file}`" in told[2]
        text = (tmp_path / file).read_text()
        assert text.count(before) == 1, file
        (tmp_path / file).write_text(text.replace(before, before + line))
    settings = environment(tmp_path)

    def call(*arguments: str) -> str:
        answer = nasbench(*arguments, cwd=tmp_path, env=settings)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    call("run", "--methods", "random", "--seeds", "0-2", "--evaluations", "5", "--quiet")
    for form in ("terminal", "markdown", "latex"):
        assert "lowest" in call("leaderboard", "--format", form), form
    assert "least," in call("leaderboard", "--format", "csv").splitlines()[0]
    call("report", "--output", "report.html")
    assert "lowest" in (tmp_path / "report.html").read_text()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("example")
    source = shutil.copytree(PACKAGE, folder / "source")
    settings = {**environment(folder / "site"), "NASBENCH_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "pip", "install", "--quiet", str(source)]
    subprocess.run(command, env=settings, check=True)
    return settings


def test_every_part_is_listed_and_used(installed: dict[str, str], tmp_path: Path) -> None:
    def call(*arguments: str) -> str:
        answer = nasbench(*arguments, cwd=tmp_path, env=installed)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    program = [sys.executable, "-c", LISTING, json.dumps(PARTS)]  # one process for all kinds
    answer = subprocess.run(program, cwd=tmp_path, env=installed, capture_output=True, text=True)
    for kind, name, distribution, fault in json.loads(answer.stdout):
        assert (kind, distribution, fault) == (kind, "nasbench-example", ""), name
    assert "widths" in call("list", "proxies")
    widths = [(a, b, c, d) for a in W for b in W for c in W for d in W]
    lines = [f"{'-'.join(map(str, w))} {50 + n / 10} {60 + n / 9}" for n, w in enumerate(widths)]
    (tmp_path / "layers.txt").write_text("\n".join(["layers 1.0", *lines]) + "\n")
    call("data", "import", "layers.txt")
    methods = ("--methods", "coordinate-descent,random", "--seeds", "0-2", "--evaluations", "20")
    call("run", "--benchmark", "layers", *methods, "--executor", "backwards", "--quiet")
    call("figure", "spread", "-o", "spread.svg")
    call("report", "--output", "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "Trials that stumbled" in page
    assert "nasbench figure spread" in page
    assert call("hello") == "Hello, reader.\n"


W = (8, 16, 32, 64)


def test_the_contracts_hold_for_it(installed: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="two of its parts need the extra 'torch'")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    suite = shutil.copy(PACKAGE / "contracts.py", tmp_path / "test_contracts.py")
    answer = subprocess.run(
        [*command, str(suite)], cwd=tmp_path, env=installed, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stdout
