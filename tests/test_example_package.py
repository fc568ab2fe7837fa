"""A package with a part of each kind, installed by entry points alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_tutorial import environment, nasbench

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
