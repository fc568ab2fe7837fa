"""The examples and the notebook run, and say what they are there to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SAYS = {
    "compare_two_methods": "so many seeds show a difference of",
    "import_a_table": "phone_ms: latency in ms, minimize",
    "method_of_ones_own": "climber[patience=5]",
    "other_tuners": "smac",
    "pareto_search": "what nsga2 returns with seed 0:",
    "regression_gate": "not passed",
    "supernet_tables": "2: vs-darts[",
}


# What asks for published figures, which need not be at hand.
WITH_DATA = {"import_real_tables", "gallery"}


# What the core does not bring. No extra brings DEHB, which asks for NumPy before 2.0.
PACKAGES = {"other_tuners": ("smac", "dehb"), "supernet_tables": ("torch",)}
STRICT = ("-W", "error::UserWarning")  # as of a method whose beginning takes the whole budget


def test_every_example_is_known() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == SAYS.keys() | WITH_DATA


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    for package in PACKAGES.get(name, ()):
        pytest.importorskip(package)
    answer = subprocess.run(
        [sys.executable, *(() if name == "other_tuners" else STRICT), EXAMPLES / f"{name}.py"],
        cwd=tmp_path,
        env={**os.environ, "NASBENCH_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert SAYS[name] in answer.stdout
    assert f"({name}.py)" in (EXAMPLES / "README.md").read_text()


def test_the_notebook_runs(tmp_path: Path) -> None:
    """All its cells, in order, in one namespace; what a cell ends with is shown as there."""
    cells = json.loads((EXAMPLES / "session.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 8
    program = tmp_path / "cells.json"
    program.write_text(json.dumps(code))
    answer = subprocess.run(
        [sys.executable, *STRICT, "-c", NOTEBOOK, program],
        cwd=tmp_path,
        env={**os.environ, "MPLBACKEND": "agg", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    for shown in ("Benchmark digits", "regularized-evolution", "climber[patience=5]", "optuna"):
        assert shown in answer.stdout
    assert "(session.ipynb)" in (EXAMPLES / "README.md").read_text()


NOTEBOOK = """
import ast, json, sys
names = {"__name__": "notebook"}
sys.modules["notebook"] = type(sys)("notebook")
sys.modules["notebook"].__dict__.update(names)
names = sys.modules["notebook"].__dict__
for text in json.load(open(sys.argv[1])):
    tree = ast.parse(text)
    last = tree.body[-1]
    quiet = text.rstrip().endswith(";")
    if isinstance(last, ast.Expr) and not quiet:
        tree.body.pop()
    exec(compile(tree, "cell", "exec"), names)
    if isinstance(last, ast.Expr) and not quiet:
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        print(getattr(value, "_repr_html_", value.__repr__)())
"""
