"""What is chosen of a results file is said alike to every command that reads one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import Command

from nasbench_suite import run
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.commands.options import Trials
from reports.commands.options import Selection, ShownTasks

# What writes a results file, or reads one and shows nothing of it.
_OTHERS = {"run", "check", "submit make", "submit merge"}
_SMALLER = {"export": Trials, "sensitivity": ShownTasks}


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def _readers() -> dict[str, Any]:
    from typer.main import get_command

    return {
        name: command
        for name, command in _commands(get_command(build_app()))
        if any("--store" in one.opts for one in command.params) and name not in _OTHERS
    }


def test_every_command_that_reads_results_has_the_same_filters() -> None:
    readers = _readers()
    assert {"leaderboard", "compare", "table", "figure", "fronts", "robustness", "report"} <= {
        *readers
    }
    for name, command in readers.items():
        options = {option for one in command.params for option in one.opts}
        wanted = {f"--{field.name}" for field in fields(_SMALLER.get(name, Selection))}
        assert wanted <= options, name


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three methods on two tasks of two objectives, and evolution of two sizes."""
    path = tmp_path_factory.mktemp("results") / "r.sqlite"
    sizes = "mo-regularized-evolution[population_size=5],mo-regularized-evolution"
    for evaluations in (20, 30):
        run(
            toy,
            f"random,pareto-local-search,{sizes}",
            seeds=range(3),
            evaluations=evaluations,
            objectives=["toy_train_time_9"],
            store=path,
        )
    path.with_name("l.toml").write_text('[methods]\nrandom = "Dice"\n')
    return path


@pytest.mark.parametrize(
    "command",
    [
        *("leaderboard", "compare", "table --format markdown", "fronts", "robustness"),
        *("leaderboard --format csv", "compare --format csv", "fronts --format json"),
    ],
)
def test_one_task_and_some_methods_are_shown_in_the_order_asked_for(
    nasbench: Command, store: Path, command: str
) -> None:
    chosen = ("--task", "30 evaluations", "--methods", "pareto-local-search,random")
    name, *form = command.split()
    ended = nasbench(name, store, *form, *chosen, "--order", "random")
    assert ended.code == 0, ended.err
    assert "20 evaluations" not in ended.out
    assert "30 evaluations" in ended.out
    assert "volution" not in ended.out
    plain = form and form[-1] in ("csv", "json")
    shown = ("random", "pareto-local-search") if plain else ("Random search", "Pareto local search")
    if name == "compare":  # whose pairs have the better one first
        assert all(one in ended.out for one in shown)
    else:
        assert ended.out.index(shown[0]) < ended.out.index(shown[1])
    named = nasbench(name, store, *form, "--labels", store.with_name("l.toml"), "--order", "random")
    assert ("Dice" in named.out) is not bool(plain)


def test_a_file_of_several_tasks_keeps_them_together_in_any_order(
    nasbench: Command, store: Path
) -> None:
    import io

    for command in ("leaderboard", "robustness", "fronts"):
        rows = pd.read_csv(
            io.StringIO(nasbench(command, store, "--format", "csv", "--order", "random").out)
        )
        assert rows["task"].tolist() == sorted(rows["task"]), command
        assert rows.groupby("task")["method"].first().tolist() == ["random"] * 2, command


def test_figures_reports_and_exports_are_of_what_is_chosen(
    nasbench: Command, store: Path, tmp_path: Path
) -> None:
    methods = "random,pareto-local-search"
    chosen = ("--store", store, "--task", "30 evaluations", "--methods", methods)
    drawn = tmp_path / "d.csv"
    made = nasbench("figure", "anytime", "-o", tmp_path / "f.pdf", "--data", drawn, *chosen)
    assert made.code == 0, made.err
    assert set(pd.read_csv(drawn)["method"]) == {"Random search", "Pareto local search"}
    assert nasbench("export", tmp_path / "e.csv", *chosen).code == 0
    rows = pd.read_csv(tmp_path / "e.csv")
    assert set(rows["method"]) == {"random", "pareto-local-search"}
    assert rows["task"].nunique() == 1
    assert nasbench("report", "-o", tmp_path / "r.html", *chosen).code == 0
    page = (tmp_path / "r.html").read_text()
    assert "30 evaluations" in page
    assert "20 evaluations" not in page
    parameter = ("mo-regularized-evolution", "population_size", "--store", store)
    shown = nasbench("sensitivity", *parameter, "--task", "30 evaluations")
    assert "30 evaluations" in shown.out
    assert "20 evaluations" not in shown.out


def test_a_slip_in_a_task_is_told_with_the_nearest(nasbench: Command, store: Path) -> None:
    ended = nasbench("leaderboard", store, "--task", "40 evaluations")
    assert ended.code == 2
    assert "Unknown task '40 evaluations'" in ended.err


def test_two_results_files_at_once_are_refused(nasbench: Command, store: Path) -> None:
    other = store.with_name("other.sqlite")
    for command in ("leaderboard", "compare", "robustness", "table", "report", "fronts"):
        ended = nasbench(command, store, "--store", other)
        assert ended.code == 2, command
        assert f"{store} and --store {other} are two results files: give one" in ended.err
    assert nasbench("leaderboard", store, "--store", store).code == 0


def test_tasks_are_told_apart_in_a_sentence(nasbench: Command, store: Path) -> None:
    told = nasbench("leaderboard", store, "--task", "nothing like it").err
    assert told.count("; ") == told.count(" evaluations; ") > 0
