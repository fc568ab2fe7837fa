"""Tables for papers compile as they are, with pdfTeX, and are no wider than the page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import Command

from nasbench_suite import registry, run
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.tasks.methods import method_class
from reports.tables.latex import latex_table, latex_text
from search_methods.random_search import RandomSearch

MARKS = (
    "Λ-DARTS, β-DARTS, λmax, τ inherited, ≤ ≥ \N{MULTIPLICATION SIGN} · → √ ∞ ² µ ± ≈ ✓ † "
    "\N{MINUS SIGN} \N{GREEK SMALL LETTER OMICRON}"
)
PAGE = r"""\documentclass{article}
\usepackage{booktabs,graphicx}
\begin{document}
%s
\end{document}
"""


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("latex") / "r.sqlite"
    settings = {"seeds": range(4), "evaluations": 20, "store": path}
    run(toy, [("100 % {ours}_$x^2 ~ #1 & \\", RandomSearch()), "tpe", "local-search"], **settings)
    run(toy, "random,nsga2[population_size=4]", objectives=["toy_train_time_9"], **settings)
    return path


def test_what_pdftex_does_not_know_is_spelled_out() -> None:
    assert latex_text("Λ-DARTS, λ ≤ 2") == r"$\Lambda$-DARTS, $\lambda$ $\le$ 2"
    assert latex_text("\N{GREEK SMALL LETTER OMICRON}") == "o"
    for name in registry.entries("methods"):
        assert latex_text(method_class(name).title).isascii(), name


def test_a_wide_table_is_fitted_and_a_narrow_one_left_alone() -> None:
    lines = latex_table("c", "lr", ["a", "b"], [["x", "1"]])
    begin = lines.index(r"\begin{tabular}{lr}")
    assert lines[begin - 1].startswith(
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}"
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_every_table_compiles_within_the_page(
    nasbench: Command, store: Path, tmp_path: Path
) -> None:
    parts = [r"\begin{table}" + latex_text(MARKS) + r"\end{table}"]
    for command in ("leaderboard", "table", "compare", "robustness", "fronts"):
        ended = nasbench(command, "--format", "latex", "--store", store)
        assert ended.code == 0, ended.err
        parts.append(ended.out)
    (tmp_path / "page.tex").write_text(PAGE % "\n".join(parts), encoding="utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1500:]
    log = (tmp_path / "page.log").read_text("utf-8", errors="replace")
    wide = [float(points) for points in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log)]
    assert max(wide, default=0.0) < 40.0, wide  # of lines of text; tables were 240 and more
