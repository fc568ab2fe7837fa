"""Every command answers whatever a results file holds, and no figure depends on what it should not.

Files are made of figures as they are given, so that what is right is known beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import ENVIRONMENT, made_search, made_task

from nasbench_suite.analysis.comparison import compare
from nasbench_suite.analysis.leaderboard import leaderboard, overall_leaderboard
from nasbench_suite.analysis.results import read_results
from nasbench_suite.analysis.robustness import robustness
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Incumbents, Record, TrialResult
from nasbench_suite.rows import MethodRow
from nasbench_suite.statistics.significance import wilcoxon
from nasbench_suite.store import ResultStore
from reports.figures.comparison import critical_difference_data
from reports.tables.paper import paper_table

Board = Mapping[str, Mapping[int, float | None]]
"""Figures by method and seed; None where the trial failed."""


def written(path: Path, boards: Sequence[Board], floor: float | None = 0.5) -> Path:
    """A results file with a task a board."""
    with ResultStore(path) as store:
        where = store.add_environment(ENVIRONMENT)
        for place, board in enumerate(boards):
            task = store.add_task(
                made_task(
                    key=f"task{place}",
                    name=f"made/{place}",
                    dataset=f"d{place}",
                    noise_floor=floor,
                    config={"evaluations": 1.0, "seconds": None, "benchmark": "made"},
                )
            )
            for name, figures in board.items():
                method = store.add_method(MethodRow(key=name, label=name, name=name, config={}))
                for seed, figure in figures.items():
                    if figure is None:
                        store.add_failure(task, method, where, seed, "a slip", 0.0)
                    else:
                        store.add_trial(task, method, where, seed, made_search(figure))
    return path


def drawn(mean: float, seeds: Sequence[int], *, sd: float = 0.5, stream: int = 0) -> dict:
    rng = np.random.default_rng([stream, len(seeds)])
    return dict(zip(seeds, rng.normal(mean, sd, len(seeds)).tolist(), strict=True))


TEN = range(10)
FILES: dict[str, list[Board]] = {
    "one seed": [{"a": {0: 90.0}, "b": {0: 91.0}}],
    "one seed of one method": [{"a": drawn(90, TEN), "b": {3: 91.0}}],
    "disjoint seeds": [{"a": drawn(90, range(5)), "b": drawn(91, range(5, 10))}],
    "unequal seeds": [{"a": drawn(90, TEN), "b": drawn(91, range(3)), "c": drawn(91, range(2))}],
    "a failed trial": [{"a": {**drawn(90, range(9)), 9: None}, "b": drawn(91, TEN)}],
    "nothing but failures of one": [{"a": dict.fromkeys(range(3)), "b": drawn(91, range(3))}],
    "one method": [{"a": drawn(90, TEN)}],
    "all equal": [{name: dict.fromkeys(TEN, 90.0) for name in "abc"}],
    "two tasks, one of them of one seed": [
        {"a": drawn(90, TEN), "b": drawn(91, TEN)},
        {"a": {0: 40.0}, "b": {0: 41.0}},
    ],
    "a method that lacks a task": [
        {"a": drawn(90, TEN), "b": drawn(91, TEN)},
        {"a": drawn(40, TEN)},
    ],
}
COMMANDS = (
    *("leaderboard", "compare", "compare --against best", "compare --against a"),
    *("compare --over tasks", "table", "robustness", "check --save --baseline b.json"),
)
DRAWN = (
    *("figure anytime", "figure critical-difference", "figure profile"),
    "report --output r.html",
)


@pytest.mark.parametrize("content", list(FILES))
def test_every_command_answers(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a result, or with one sentence on what is missing; never with a traceback."""
    store = written(tmp_path / "r.sqlite", FILES[content])
    monkeypatch.chdir(tmp_path)
    answered = 0
    for command in (*COMMANDS, *(DRAWN if content in ("one seed", "a failed trial") else ())):
        words = command.split()
        at = 2 if words[0] == "figure" else 1
        refusal = refused([*words[:at], "--store", str(store), *words[at:]])
        assert refusal is None or refusal.endswith((".", ")")), command
        assert refusal is None or words[0] not in ("leaderboard", "table", "report"), refusal
        answered += refusal is None
    assert answered >= 4


def refused(words: Sequence[str]) -> str | None:
    """The sentence of a command that does not answer."""
    try:
        build_app()(list(words), standalone_mode=False)
    except SuiteError as error:
        return str(error)
    return None


# -- what a figure must not depend on --------------------------------------------------------------


def test_a_third_method_with_few_seeds_changes_nothing_between_the_others(tmp_path: Path) -> None:
    two = {"a": drawn(90, range(50)), "b": drawn(91, range(50), stream=1)}
    three = {**two, "c": drawn(90, range(2), stream=2)}
    rows = []
    for name, board in (("two", two), ("three", three)):
        (found,) = compare(written(tmp_path / name, [board]), methods=None)
        pairs = found.pairs.set_index(["first", "second"])
        rows.append(pairs.loc[("b", "a"), ["difference", "p", "blocks", "better"]])
    assert rows[0].equals(rows[1])
    assert rows[0]["p"] < 1e-9


def test_the_number_of_seeds_of_a_task_does_not_change_who_is_better(tmp_path: Path) -> None:
    """Two methods of equal distributions on two tasks, with 200 and 10 seeds or 10 and 200."""
    scores = []
    for place, counts in enumerate(((200, 10), (10, 200))):
        boards = []
        for mean, count in zip((60.0, 95.0), counts, strict=True):
            spread = np.linspace(-1.0, 1.0, count)
            boards.append(
                {
                    "a": dict(enumerate((mean + spread).tolist())),
                    "b": dict(enumerate((mean + 0.2 * (mean < 80) + spread).tolist())),
                }
            )
        board = overall_leaderboard(written(tmp_path / f"{place}", boards))
        scores.append(board.set_index("method")["score"])
    assert scores[0]["b"] > scores[0]["a"]
    assert scores[0].to_dict() == pytest.approx(scores[1].to_dict(), abs=0.005)


def test_over_tasks_differences_are_not_between_data_sets(tmp_path: Path) -> None:
    """Data sets fifty points apart, on each of which one method is a floor better."""
    boards = [
        {"a": drawn(mean, TEN, sd=0.01), "b": drawn(mean + 0.5, TEN, sd=0.01, stream=1)}
        for mean in (40.0, 65.0, 90.0)
    ]
    (found,) = compare(written(tmp_path / "r", boards), over="tasks")
    (row,) = found.pairs.to_dict("records")
    assert row["first"] == "b"
    assert row["improvement"] == 1.0
    assert row["difference"] == pytest.approx(1.0, abs=0.05)
    assert found.detectable < 5


def test_a_margin_of_zero_is_refused(tmp_path: Path) -> None:
    store = written(tmp_path / "r.sqlite", [{"a": drawn(90, TEN)}])
    baseline = ["--store", str(store), "--baseline", str(tmp_path / "b.json")]
    build_app()(["check", "--save", *baseline], standalone_mode=False)
    with pytest.raises(SuiteError, match="margin of 0"):
        build_app()(["check", *baseline, "--margin", "0"], standalone_mode=False)


def test_p_of_a_signed_rank_test_falls_with_every_block() -> None:
    found = [float(wilcoxon(np.arange(1.0, n + 1.0))) for n in range(5, 25)]
    assert (np.diff(found) < 0).all()
    assert found[14 - 5] == pytest.approx(2 / 2**14)


def test_equal_figures_rank_alike_wherever_they_are_ranked(tmp_path: Path) -> None:
    """What differs in the last bit alone is equal, on the board, in compare and in the figure."""
    rng = np.random.default_rng(0)
    figures = rng.uniform(90, 94, 12)
    board = {
        "a": dict(enumerate(figures.tolist())),
        "b": dict(enumerate(np.nextafter(figures, 100.0).tolist())),
        "c": dict(enumerate((figures - rng.choice([0.0, 1.0], 12)).tolist())),
    }
    store = written(tmp_path / "r", [board])
    (found,) = compare(store)
    assert found.friedman is not None
    compared = dict(zip(found.methods, found.friedman.mean_ranks.tolist(), strict=True))
    frame = critical_difference_data(read_results(store))
    drawn_ranks = dict(zip(frame["method"], frame["mean_rank"], strict=True))
    rows = leaderboard(store).set_index("method")
    assert compared == pytest.approx(drawn_ranks)
    assert compared == pytest.approx(rows["mean_rank"].to_dict())
    assert compared["a"] == compared["b"]
    assert rows.loc["a", "rank"] == rows.loc["b", "rank"] == 1.5


def test_a_table_says_whose_seeds_are_other(tmp_path: Path) -> None:
    board = {"a": drawn(90, TEN), "b": drawn(91, TEN), "c": drawn(91, range(2))}
    caption = paper_table(read_results(written(tmp_path / "r", [board]))).caption
    assert "over 10 seeds, of c (2)" in caption


def test_failures_keep_a_method_from_the_first_place(tmp_path: Path) -> None:
    """The better half of the time, and no result at all in the other half."""
    half = {seed: None if seed % 2 else 90.2 for seed in TEN}
    rows = leaderboard(written(tmp_path / "r", [{"a": drawn(90, TEN), "b": half}]))
    assert list(rows["method"]) == ["a", "b"]
    assert rows.set_index("method").loc["b", "failed"] == 5


def test_compare_prints_json_without_what_is_no_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = written(tmp_path / "r.sqlite", FILES["one seed"])
    words = ["compare", "--store", str(store), "--format", "json"]
    build_app()(words, standalone_mode=False)
    printed = capsys.readouterr().out
    assert "NaN" not in printed
    (pair,) = json.loads(printed)[0]["pairs"]
    assert pair["difference"] == pytest.approx(1.0)
    assert pair["p"] is None


def test_adding_a_bad_method_changes_nobodys_score(tmp_path: Path) -> None:
    boards = [{"a": drawn(90, TEN), "b": drawn(91, TEN, stream=1)} for _ in range(2)]
    before = leaderboard(written(tmp_path / "r", boards))
    worse = [{**board, "c": drawn(20, TEN, stream=2)} for board in boards]
    after = leaderboard(written(tmp_path / "s", worse))
    columns = ["method", "iqm", "low", "high", "regret", "cvar"]
    kept = after[after["method"] != "c"].reset_index(drop=True)
    pd.testing.assert_frame_equal(before[columns], kept[columns])


def test_ranks_that_may_be_are_what_the_pairs_leave_open(tmp_path: Path) -> None:
    board = {
        "a": drawn(90, TEN, stream=1),
        "b": drawn(90.1, TEN, stream=2),
        "c": drawn(95, TEN, stream=3),
    }
    store = written(tmp_path / "r", [board])
    (found,) = compare(store)
    assert dict(zip(found.methods, found.ranks, strict=True)) == {
        "c": (1, 1),
        "a": (2, 3),
        "b": (2, 3),
    }
    (named,) = compare(store, against="a")
    assert named.ranks == ()


def test_over_tasks_seeds_within_tasks_count(tmp_path: Path) -> None:
    def boards(sd: float) -> list[Board]:
        return [
            {"a": drawn(90, TEN, sd=sd, stream=task), "b": drawn(91, TEN, sd=sd, stream=9 - task)}
            for task in range(4)
        ]

    better = []
    for sd in (0.1, 3.0):
        (found,) = compare(written(tmp_path / f"{sd}", boards(sd)), over="tasks")
        better.append(found.pairs["better"].iloc[0])
    assert better[0] > 0.95 > better[1]


def test_a_search_that_falls_below_the_threshold_has_declined(tmp_path: Path) -> None:
    def fallen(ended: float) -> TrialResult:
        way, one = np.array([95.0, ended]), np.ones(2)
        whole = np.ones(2, dtype=np.int32)
        record = Record(0 * whole, whole, way[:, None], one.cumsum(), one, -whole)
        at = np.array([1, 2])
        incumbents = Incumbents(at, one.cumsum(), one, np.zeros(2, np.int64), way, way)
        return TrialResult(record, incumbents, 0.0)

    store = written(tmp_path / "r", [{"a": {0: 94.0}}])
    with ResultStore(store) as opened:
        method = opened.add_method(MethodRow(key="a", label="a", name="a", config={}))
        for seed, ended in ((1, 94.0), (2, 20.0), (3, 96.0)):
            opened.add_trial(1, method, 1, seed, fallen(ended))
    (row,) = robustness(store, threshold=50.0).to_dict("records")
    assert row["collapse"] == row["declined"] == 0.25
    assert row["decline"] == pytest.approx((0 + 1 + 75 + 0) / 4)
