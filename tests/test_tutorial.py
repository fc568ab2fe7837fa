"""A third party's method, installed by entry point alone; the tutorial, run block by block."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "docs" / "tutorial.md"
PACKAGE = Path(__file__).with_name("third_party") / "nasbench-annealing"


def blocks(text: str) -> Iterator[tuple[str, str]]:
    """Language and content of each fenced block."""
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL):
        yield match[1], match[2]


def environment(site: Path) -> dict[str, str]:
    """Where pip installs into a folder of its own, without the network."""
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(site),
        "PIP_TARGET": str(site),
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads the negation: no isolation
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "OMP_NUM_THREADS": "1",
        "COLUMNS": "100",
    }


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("third")
    source = shutil.copytree(PACKAGE, folder / "source")  # pip leaves build files beside it
    settings = environment(folder / "site")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", source], env=settings, check=True
    )
    return settings


def nasbench(*arguments: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["nasbench", *arguments], cwd=cwd, env=env, capture_output=True, text=True
    )


def test_a_third_partys_method_is_like_ours(installed: dict[str, str], tmp_path: Path) -> None:
    def call(*arguments: str) -> str:
        answer = nasbench(*arguments, cwd=tmp_path, env=installed)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    assert "nasbench-annealing" in call("methods", "list", "--json")
    call("run", "--methods", "annealing,random", "--seeds", "0-3", "--quiet", "--evaluations", "40")
    assert "annealing" in call("leaderboard")
    call("report", "--output", "r.html")
    assert "annealing" in (tmp_path / "r.html").read_text()
    call("check", "--save", "--baseline", "b.json")
    assert "annealing" in call("check", "--baseline", "b.json")
    connection = sqlite3.connect(tmp_path / "results.sqlite")
    (packages,) = connection.execute("SELECT packages FROM environments").fetchone()
    connection.close()
    assert '"nasbench-annealing": "1.0"' in packages


def test_without_the_package_the_method_is_unknown(tmp_path: Path) -> None:
    settings = environment(tmp_path / "nothing")
    answer = nasbench("run", "--methods", "annealing", cwd=tmp_path, env=settings)
    assert answer.returncode == 2
    assert "Unknown method 'annealing'" in answer.stderr


def test_the_package_is_the_tutorials() -> None:
    written = dict(named(TUTORIAL.read_text()))
    for path in ("pyproject.toml", "nasbench_annealing.py"):
        assert written[f"{PACKAGE.name}/{path}"] == (PACKAGE / path).read_text()


def named(text: str) -> Iterator[tuple[str, str]]:
    """Path and content of the blocks whose first line names a file."""
    for _, content in blocks(text):
        first, _, rest = content.partition("\n")
        if match := re.fullmatch(r"# ([\w./-]+\.(?:py|toml))", first):
            yield match[1], rest


def test_every_block_of_the_tutorial_runs(tmp_path: Path) -> None:
    settings = environment(tmp_path / "site")
    printed: list[str] = []
    for language, content in blocks(TUTORIAL.read_text()):
        if language == "text":  # a part of what the block above it prints
            assert content.rstrip("\n") in printed[-1]
        elif language == "sh":
            answer = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", content],
                cwd=tmp_path,
                env=settings,
                capture_output=True,
                text=True,
            )
            assert answer.returncode == 0, content + answer.stdout + answer.stderr
            printed.append("\n".join(line.rstrip() for line in answer.stdout.splitlines()))
        else:
            first, _, rest = content.partition("\n")
            path = tmp_path / first.removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(rest)
    assert (tmp_path / "report.html").exists()
    assert (tmp_path / "ranks.pdf").read_bytes().startswith(b"%PDF")
    assert re.findall(r"^\d (?:failed|passed)", "\n".join(printed), re.MULTILINE) == [
        "1 failed",  # while the slip is there
        "1 passed",
    ]
