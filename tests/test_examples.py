"""The examples run, and say what they are there to say."""

from __future__ import annotations

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
    "pareto_search": "what nsga2 returns with seed 0:",
    "regression_gate": "not passed",
}


# What asks for published figures, which need not be at hand.
WITH_DATA = {"import_real_tables"}


def test_every_example_is_known() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == SAYS.keys() | WITH_DATA


@pytest.mark.parametrize("name", sorted(SAYS))
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py"],
        cwd=tmp_path,
        env={**os.environ, "NASBENCH_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    assert SAYS[name] in answer.stdout
    assert f"({name}.py)" in (EXAMPLES / "README.md").read_text()
