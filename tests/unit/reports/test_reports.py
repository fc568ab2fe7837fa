"""``nasbench leaderboard``: its five formats, its figures, and what it refuses."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from conftest import Command
from numpy.testing import assert_allclose

from nasbench_suite import leaderboard, run
from nasbench_suite.analysis import anytime_curves as read_curves
from nasbench_suite.analysis.curves import matched_costs
from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks import Method, Session
from reports.figures.anytime import anytime_curves
from reports.figures.gallery import choose_figure
from reports.tables.text import interval, number

mpl.use("agg")


@dataclass
class Uniform(Method):
    """Draws architectures uniformly."""

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))


@dataclass
class Neighbours(Method):
    """Walks to random neighbours."""

    def start(self, session: Session) -> None:
        self.here = 0

    def step(self, session: Session) -> None:
        session.evaluate(self.here)
        self.here = session.space.mutate(self.here, session.rng)


AWKWARD = "50%_of|all*&<b>"  # a name that means something in LaTeX, Markdown and HTML


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "r.sqlite"
    methods = [("uniform", Uniform()), (AWKWARD, Neighbours())]
    for evaluations in (20, 40):
        run(toy, methods, seeds=range(8), evaluations=evaluations, store=path)
    return path


@pytest.fixture(scope="module")
def board(store: Path) -> pd.DataFrame:
    return leaderboard(store)


@pytest.fixture
def printed(nasbench: Command, store: Path) -> Callable[..., str]:
    def call(form: str, *arguments: object) -> str:
        result = nasbench("leaderboard", "--store", store, "--format", form, *arguments)
        assert result.code == 0, result.err
        return result.out

    return call


def test_the_package_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "nasbench_suite", "--version"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("nasbench-suite ")


def test_csv_holds_every_digit(printed: Callable[..., str], board: pd.DataFrame) -> None:
    read = pd.read_csv(io.StringIO(printed("csv")))
    pd.testing.assert_frame_equal(board, read, check_dtype=False, rtol=1e-14)


def test_json_has_the_same_figures_by_task(
    printed: Callable[..., str], board: pd.DataFrame
) -> None:
    content = json.loads(printed("json"))
    assert [task["task"] for task in content["tasks"]] == list(board["task"].unique())
    rows = [method for task in content["tasks"] for method in task["methods"]]
    for name in ("method", "seeds", "mean", "iqm", "low", "high", "regret", "worse"):
        assert [row[name] for row in rows] == board[name].tolist()
    assert {row["method"] for row in content["overall"]} == {"uniform", AWKWARD}


def markdown_tables(text: str) -> list[pd.DataFrame]:
    tables = []
    for block in re.findall(r"(?:^\|.*\|\n)+", text, flags=re.MULTILINE):
        lines = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in block.splitlines()
        ]
        tables.append(pd.DataFrame(lines[2:], columns=lines[0]))
    return tables


def test_markdown_reads_as_tables(printed: Callable[..., str], board: pd.DataFrame) -> None:
    text = printed("markdown")
    tables = markdown_tables(text)
    assert len(tables) == 3  # two tasks, and all of them
    for table, (_, task) in zip(tables, board.groupby("task_key", sort=False), strict=False):
        plain = table.map(lambda cell: re.sub(r"\\(.)", r"\1", cell.strip("*")))
        assert list(plain["method"]) == list(task["method"])
        assert np.allclose(plain["IQM"].astype(float), task["iqm"], atol=0.005)
        assert list(table["IQM"].str.startswith("**")) == list(task["best"])
        assert list(plain[""].str.contains("≈")) == list(task["equivalent"])
        open_ = ~(task["best"] | task["worse"] | task["equivalent"])
        assert list(plain[""].str.contains(r"\?")) == list(open_)
    assert "<b>" not in text.replace(r"\<b\>", "")


def test_latex_is_balanced_and_escaped(printed: Callable[..., str]) -> None:
    text = printed("latex")
    body = re.sub(r"^%.*\n|(?<={)%$", "", text, flags=re.MULTILINE)  # without comments
    assert re.findall(r"\\begin{(\w+)}", body).count("tabular") == 3
    for kind in ("table", "tabular"):
        assert body.count(rf"\begin{{{kind}}}") == body.count(rf"\end{{{kind}}}") == 3
    assert r"50\%\_of\textbar{}all*\&\textless{}b\textgreater{}" in body
    for special in "%&#_":  # what is left unescaped separates columns
        unescaped = len(re.findall(rf"(?<!\\){special}", body))
        assert unescaped == (body.count(" & ") if special == "&" else 0)
    for rows in re.findall(r"\\midrule\n(.*?)\\bottomrule", body, flags=re.DOTALL):
        cells = [len(re.split(r"(?<!\\)&", line)) for line in rows.splitlines()]
        assert len(set(cells)) == 1


def test_the_terminal_shows_every_method(
    printed: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)  # as pytest's own workers set it
    text = printed("terminal")
    assert "noise floor" in text
    assert text.count("uniform") == text.count(AWKWARD) == 3
    assert max(map(len, text.splitlines())) <= 100


def test_budget_cuts_reach_the_table(printed: Callable[..., str], store: Path) -> None:
    shown = pd.read_csv(io.StringIO(printed("csv", "--evaluations", 10)))
    expected = leaderboard(store, evaluations=10)
    assert shown["iqm"].tolist() == pytest.approx(expected["iqm"].tolist())
    assert "after 10 evaluations" in printed("markdown", "--evaluations", 10)


def test_bands_for_whole_curves_are_drawn_when_asked_for(
    nasbench: Command, store: Path, tmp_path: Path
) -> None:
    drawn = []
    for switches in ([], ["--simultaneous"]):
        path = tmp_path / f"{len(switches)}.svg"
        result = nasbench("leaderboard", "--store", store, "--figure", path, *switches)
        assert result.code == 0, result.err
        drawn.append(path.read_bytes())
    assert drawn[0] != drawn[1]
    results = read_results(store)
    points, whole = (
        choose_figure(name).data(results) for name in ("anytime", "anytime-simultaneous")
    )
    widths = [(frame["high"] - frame["low"]).to_numpy() for frame in (points, whole)]
    assert (widths[1] >= widths[0]).all()
    assert (widths[1] > widths[0]).any()


def test_costs_of_equal_quality_are_printed(nasbench: Command, store: Path) -> None:
    call = ["compare", "--store", store, "--cost-to-reach", "uniform"]
    expected = matched_costs(read_curves(store), "uniform")
    printed = pd.read_csv(io.StringIO(nasbench(*call, "--format", "csv").out))
    assert_allclose(printed["budget"], expected["budget"])
    assert len(json.loads(nasbench(*call, "--format", "json").out)) == len(expected)
    text = nasbench(*call).out
    assert "cost to be as good as" in text
    assert "uniform" in text.lower()
    wrong = nasbench("compare", "--store", store, "--cost-to-reach", "unifrom")
    assert (wrong.code, "unifrom" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("suffix", "magic"), [("pdf", b"%PDF-"), ("png", b"\x89PNG"), ("svg", b"<?xml")]
)
def test_figures_are_written_and_equal_for_equal_results(
    nasbench: Command, store: Path, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    for name in ("a", "b"):
        result = nasbench(
            "leaderboard", "--store", store, "--figure", tmp_path / f"{name}.{suffix}"
        )
        assert result.code == 0, result.err
    content = (tmp_path / f"a.{suffix}").read_bytes()
    assert content.startswith(magic)
    assert content == (tmp_path / f"b.{suffix}").read_bytes()


def test_a_drawn_curve_is_the_measured_one(store: Path, board: pd.DataFrame) -> None:
    task = board["task"].iloc[0]
    axes = anytime_curves(store, task=task)
    curves = read_curves(store)
    drawn = {str(line.get_label()): line for line in axes.get_lines()}
    for method, curve in curves[curves["task"] == task].groupby("method"):
        assert np.allclose(drawn[str(method)].get_ydata(), curve["regret"])
        assert np.allclose(drawn[str(method)].get_xdata(), curve["budget"])
    with pytest.raises(SuiteError, match="unifrom"):
        anytime_curves(store, task=task, methods=["unifrom"])
    with pytest.raises(SuiteError, match="task"):
        anytime_curves(store)


REFUSALS: dict[str, tuple[Callable[[Path], list[object]], str]] = {
    "no file": (lambda folder: ["--store", folder / "none.sqlite"], "none.sqlite"),
    "no results file": (lambda folder: ["--store", folder / "text.sqlite"], "text.sqlite"),
    "no such benchmark": (lambda _: ["--benchmark", "toi"], "toi"),
    "another kind of figure": (
        lambda folder: ["--figure", folder / "f.docx"],
        ".pdf, .png or .svg",
    ),
    "no folder": (lambda folder: ["--figure", folder / "none" / "f.pdf"], "make it first"),
    "longer than it ran": (lambda _: ["--evaluations", 41], "41 evaluations"),
    "no confidence": (lambda _: ["--confidence", 2], "onfidence"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_is_told_in_one_sentence(
    nasbench: Command, store: Path, tmp_path: Path, case: str
) -> None:
    make, word = REFUSALS[case]
    (tmp_path / "text.sqlite").write_text("no database")
    arguments = make(tmp_path)
    if "--store" not in arguments:
        arguments = ["--store", store, *arguments]
    result = nasbench("leaderboard", *arguments)
    assert result.code == 2
    assert word in result.err
    assert "Traceback" not in result.err
    assert len(result.err.splitlines()) == 1


@dataclass
class Still(Method):
    """Evaluates one architecture over and over."""

    def step(self, session: Session) -> None:
        session.evaluate(6111)


def test_boards_say_what_few_equal_figures_and_a_crossfitted_optimum_are(
    nasbench: Command, toy: Benchmark, tmp_path: Path
) -> None:
    def shown(seeds: int, crossfit: bool) -> dict[str, str]:
        store, page = tmp_path / f"{seeds}{crossfit}.sqlite", tmp_path / "r.html"
        methods = [("still", Still()), ("uniform", Uniform())]
        run(toy, methods, seeds=seeds, evaluations=5, store=store, crossfit=crossfit)
        assert nasbench("report", "--store", store, "--output", page).code == 0
        return {
            "leaderboard": nasbench("leaderboard", "--store", store, "--format", "markdown").out,
            "table": nasbench("table", "--statistic", "iqm", "--store", store).out,
            "report": page.read_text("utf-8"),
        }

    equal = re.compile("All seeds gave one figure, with fewer than 11 seeds: [Ss]till")
    optimum = "The optimum is judged so too"
    for seeds in (10, 11):
        for name, board in shown(seeds, crossfit=False).items():
            assert len(equal.findall(board)) == int(seeds == 10), name
            assert "ross-fitted" not in board, name
    boards = shown(4, crossfit=True)
    assert re.search(r"optimum 82\.42 \(cross-fitted\)", boards["leaderboard"])
    assert re.search(r"82\.4\d* % \(cross-fitted\)", boards["report"])
    for name, board in boards.items():
        assert board.count("a search is judged by other trainings than it saw.") == 1, name
        assert board.count(optimum) == int(name != "table"), name


@pytest.mark.parametrize("crossfit", [True, False])
def test_fronts_say_why_a_search_may_lie_beyond_the_true_one(
    nasbench: Command, toy: Benchmark, tmp_path: Path, crossfit: bool
) -> None:
    store, further = tmp_path / "r.sqlite", ["toy_train_time_9"]
    run(toy, "random", seeds=2, evaluations=5, store=store, objectives=further, crossfit=crossfit)
    beyond = "what a search found may lie beyond it and its hypervolume exceed 1"
    assert (beyond in nasbench("fronts", store, "--format", "markdown").out) == crossfit
    figure = choose_figure("attainment").plot(store).get_figure(root=True)
    assert figure is not None
    assert (beyond in figure.get_supxlabel().replace("\n", " ")) == crossfit


def test_a_zero_has_no_sign() -> None:
    assert [number(-0.002, 2), number(-0.0), number(-0.01, 2)] == ["0.00", "0", "-0.01"]
    assert interval(-0.004, 0.5, 2) == "[0.00, 0.50]"
