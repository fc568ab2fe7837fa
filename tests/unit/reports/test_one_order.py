"""Methods stand in one order, and have one rank, whichever command shows them and in which form."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest import Command

from nasbench_suite import load_benchmark, run
from nasbench_suite.analysis.leaderboard import Boards, results_boards
from nasbench_suite.analysis.results import read_results
from nasbench_suite.analysis.samples import ranked
from reports.tables.paper import paper_table

SHOWN = {"random": "Zufall", "regularized-evolution": "Evolution", "local-search": "Climber"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evolution within its first population is random search, so that these two are equal."""
    path = tmp_path_factory.mktemp("order") / "r.sqlite"
    for metric in ("digits_test_1", "digits_test_8"):
        run(
            load_benchmark("digits"),
            ",".join(SHOWN),
            seeds=range(4),
            evaluations=25,
            judged_by=metric,
            store=path,
        )
    lines = [f'{name} = "{shown}"' for name, shown in SHOWN.items()]
    path.with_name("l.toml").write_text("\n".join(["[methods]", *lines]))
    return path


def _order(text: str, names: list[str]) -> list[str]:
    return sorted(names, key=text.index)


def test_a_figure_that_is_an_order_says_that_no_other_can_be_asked_for(
    nasbench: Command, store: Path
) -> None:
    chosen = ("--store", store, "--order", "local-search")
    for name, said in (("critical-difference", True), ("improvement", True), ("profile", False)):
        ended = nasbench("figure", name, *chosen, "-o", store.with_name(f"{name}.png"))
        assert ended.code == 0
        assert ("so --order changes nothing" in ended.err) is said, name


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("compare --resamples 0", "0 resamples are too few"),
        ("compare --resamples 1000000000", "too many: choose 1,000,000 or fewer"),
        ("compare --rope -1", "equivalence of -1.0 is impossible"),
        ("compare --rope inf", "equivalence of inf is impossible"),
        ("robustness --threshold nan", "A threshold of nan is impossible"),
    ],
)
def test_what_no_statistic_can_be_made_of_is_told(
    nasbench: Command, store: Path, words: str, why: str
) -> None:
    command, *rest = words.split()
    ended = nasbench(command, store, *rest)
    assert ended.code == 2
    assert why in ended.err
    assert not ended.out


def test_a_table_tests_its_methods_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Boards] = []

    def counted(*results: Any, **cut: Any) -> Boards:
        made.append(results_boards(*results, **cut))
        return made[-1]

    for name, module in list(sys.modules.items()):
        if name.startswith(("nasbench_suite", "reports")) and hasattr(module, "results_boards"):
            monkeypatch.setattr(module, "results_boards", counted)
    table = paper_table(read_results(store))
    assert len(made) == 1
    assert table.methods == tuple(made[0].overall["method"])


def test_a_table_says_once_what_its_tasks_have_in_common(store: Path) -> None:
    """Of tasks that differ by what they are judged by, as on a benchmark with further figures."""
    table = paper_table(read_results(store))
    assert table.tasks == ("test accuracy after 1 epoch", "test accuracy after 8 epochs")
    assert ", on Digits (NAS-Bench-201 cells), after 25 evaluations" in table.caption


def test_the_mean_rank_over_tasks_is_what_is_said_of_it(nasbench: Command, store: Path) -> None:
    boards = results_boards(read_results(store))
    ranked_by_iqm = boards.rows.pivot(index="method", columns="task_key", values="iqm").rank(
        ascending=False
    )
    overall = boards.overall.set_index("method")["mean_rank"]
    assert overall.to_dict() == ranked_by_iqm.mean(axis=1).to_dict()
    said = " ".join(nasbench("leaderboard", store).out.split())
    assert "mean over tasks; mean rank here: by IQM, over tasks" in said


def test_equals_stand_in_one_order_in_every_table(nasbench: Command, store: Path) -> None:
    labels = ("--labels", store.with_name("l.toml"))
    board = pd.read_csv(io.StringIO(nasbench("leaderboard", store, "--format", "csv").out))
    for task, rows in board.groupby("task"):
        wanted = [SHOWN[method] for method in rows["method"]]
        assert rows["rank"].duplicated().any()
        chosen = (store, "--task", task)
        for command in ("leaderboard", "robustness", "compare"):
            said = nasbench(command, *chosen, *labels).out
            assert _order(said, wanted) == wanted, command
        said = nasbench("table", *chosen, *labels, "--format", "markdown").out
        assert _order(said, wanted) == wanted
        robust = pd.read_csv(io.StringIO(nasbench("robustness", *chosen, "--format", "csv").out))
        assert robust["method"].tolist() == rows["method"].tolist()
        assert robust["rank"].tolist() == rows["rank"].tolist()
        ranks = [f"{rank:g}" for rank in rows["rank"]]
        lines = nasbench("leaderboard", *chosen, *labels).out.splitlines()
        words = [line.removeprefix(">").split()[:2] for line in lines]
        shown = [pair for pair in words if len(pair) == 2 and pair[1] in wanted]
        assert shown[: len(ranks)] == [list(pair) for pair in zip(ranks, wanted, strict=True)]


def test_all_tasks_together_have_the_order_of_the_paper(nasbench: Command, store: Path) -> None:
    content = json.loads(nasbench("leaderboard", store, "--format", "json").out)
    overall = [row["method"] for row in content["overall"]]
    table = nasbench("table", store, "--format", "markdown", "--labels", store.with_name("l.toml"))
    rows = [line.split("|")[1].strip() for line in table.out.splitlines() if line[:1] == "|"][2:]
    assert rows == [SHOWN[method] for method in overall]
    assert [row["rank"] for row in content["overall"]] == [1.5, 1.5, 3.0]


def test_rows_without_a_figure_come_last() -> None:
    rows = [{"method": "a"}, {"method": "b", "iqm": 1.0}, {"method": "c", "iqm": 1.0 + 1e-12}]
    places = {"c": 0, "b": 1, "a": 2}
    found = ranked(rows, "iqm", places, scale=1.0)
    assert [row["method"] for row in found] == ["c", "b", "a"]
    assert [row["rank"] for row in found[:2]] == [1.5, 1.5]
    assert np.isnan(found[2]["rank"])
