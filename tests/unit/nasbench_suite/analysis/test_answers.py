"""Every command answers whatever a results file holds, and no figure depends on what it should not.

Files are made of figures as they are given, so that what is right is known beforehand.
"""

from __future__ import annotations

import json
import re
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
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Incumbents, Record, TrialResult
from nasbench_suite.rows import MethodRow
from nasbench_suite.runner import run
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


def printed(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command prints, in one line."""
    build_app()(list(words), standalone_mode=False)
    return " ".join(capsys.readouterr().out.split())


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


def test_what_three_tasks_cannot_show_is_not_said_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interval and p over tasks are of one test, which needs six tasks for two methods."""
    boards = [
        {"a": drawn(mean, TEN), "b": drawn(mean + 2.0, TEN, stream=1)}
        for mean in (40.0, 50.0, 60.0, 70.0, 80.0, 90.0)
    ]
    (found,) = compare(written(tmp_path / "six", boards), over="tasks")
    (row,) = found.pairs.to_dict("records")
    assert row["p_adjusted"] == pytest.approx(2 / 2**6)
    assert 0 < row["low"] < row["difference"] < row["high"]
    store = written(tmp_path / "three", boards[:3])
    (few,) = compare(store, over="tasks")
    assert few.pairs[["low", "high"]].isna().all(axis=None)
    assert few.pairs["p_adjusted"].iloc[0] == pytest.approx(2 / 2**3)
    assert np.isnan(few.detectable)
    said = printed(["compare", "--over", "tasks", "--store", str(store)], capsys)
    assert "With 3 tasks and 2 methods no difference, however large, has p below 0.05" in said
    assert "interval over tasks" in said
    assert "power of 0.8" not in said


def test_what_would_show_is_adjusted_as_what_is_tested(tmp_path: Path) -> None:
    """Against a method that was named, p is Holm's over the others; so is what would show."""
    spread = drawn(0.0, TEN)
    board = {
        name: {seed: shift + figure for seed, figure in spread.items()}
        for name, shift in zip("abcd", (90.0, 90.2, 90.4, 90.6), strict=True)
    }
    (of_four,) = compare(written(tmp_path / "four", [board]), against="a")
    two = written(tmp_path / "two", [{name: board[name] for name in "ab"}])
    (of_two,), (strict,) = compare(two), compare(two, alpha=0.05 / 3)
    assert of_four.detectable == pytest.approx(strict.detectable)
    assert of_four.detectable > 1.1 * of_two.detectable


def test_what_any_pair_shows_is_said_beside_what_a_typical_one_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With fewer seeds, or more spread, a method's differences must be larger to be seen."""
    spread = drawn(0.0, TEN)
    board = {
        name: {seed: shift + figure for seed, figure in spread.items()}
        for name, shift in zip("abde", (90.0, 90.1, 90.2, 90.3), strict=True)
    }
    board["c"] = {seed: 90.3 + 2 * figure for seed, figure in list(spread.items())[:5]}
    store = written(tmp_path / "r", [board])
    (found,) = compare(store)
    assert found.detectable_of_all > 1.2 * found.detectable
    told = " ".join(printed(["compare", "--store", str(store)], capsys).split())
    said = f"between a typical pair, {found.detectable_of_all:.2f} points between any, adjusted"
    assert said in told
    (alike,) = compare(written(tmp_path / "two", [{name: board[name] for name in "ab"}]))
    assert alike.detectable_of_all == alike.detectable


def test_seeds_that_all_gave_one_figure_do_not_tell_what_would_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = written(tmp_path / "r", FILES["all equal"])
    (found,) = compare(store)
    assert np.isnan(found.detectable)
    for command in ("leaderboard", "compare", "robustness"):
        assert "width" in printed([command, "--store", str(store)], capsys), command


def test_failures_count_alike_on_the_board_and_in_robustness(tmp_path: Path) -> None:
    boards = [*FILES["a failed trial"], *FILES["nothing but failures of one"]]
    store = written(tmp_path / "r", boards)
    columns = ["task", "method", "seeds", "failed", "mean", "std", "iqm", "low", "high", "cvar"]
    order = ["task", "method"]
    board, spread = (
        rows[columns].sort_values(order, ignore_index=True)
        for rows in (leaderboard(store), robustness(store))
    )
    pd.testing.assert_frame_equal(board, spread)


@pytest.mark.parametrize("figure", [np.inf, -np.inf])
@pytest.mark.parametrize("command", [*COMMANDS, *DRAWN, "compare --cost-to-reach a"])
def test_a_figure_without_end_is_refused_everywhere(
    command: str, figure: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = written(tmp_path / "r.sqlite", [{"a": {0: 90.0, 1: figure}, "b": {0: 91.0, 1: 92.0}}])
    words = [*command.split(), "--store", str(store)]
    said = refused([*words, "--output", "f.pdf"] if words[0] == "figure" else words)
    assert said is not None
    assert "not finite, of a with seed 1" in said or "two of them or more" in said


def test_a_collapse_is_worse_whichever_way_is_better(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "r"
    with ResultStore(store) as opened:
        where = opened.add_environment(ENVIRONMENT)
        task = opened.add_task(made_task(direction="minimize", unit="nats", optimum=0.1))
        for name, figures in {"random": (0.2, 0.4, 0.6), "a": (0.3, 0.5, 0.7)}.items():
            method = opened.add_method(MethodRow(key=name, label=name, name=name, config={}))
            for seed, figure in enumerate(figures):
                opened.add_trial(task, method, where, seed, made_search(figure))
    rows = robustness(store).set_index("method")
    assert rows["collapse"].to_dict() == pytest.approx({"random": 1 / 3, "a": 2 / 3})
    said = printed(["robustness", "--store", str(store)], capsys)
    assert "in nats, collapsed: worse than 0.40, the median of random search" in said
    said = printed(["robustness", "--threshold", "0.5", "--store", str(store)], capsys)
    assert "in nats, collapsed: worse than 0.50, as asked for" in said
    unknown = written(tmp_path / "s", [{"a": drawn(90, TEN)}])
    said = printed(["robustness", "--store", str(unknown)], capsys)
    assert "no table at hand and no random search to tell a collapse by" in said


def test_robustness_shows_as_many_decimals_as_the_leaderboard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a hypervolume: no noise floor is known, and all differences are below a hundredth."""
    figures = {"random": (0.958, 0.959, 0.960), "a": (0.961, 0.963, 0.965)}
    boards = [{name: dict(enumerate(of)) for name, of in figures.items()}]
    store = written(tmp_path / "r", boards, floor=None)
    for command in ("leaderboard", "robustness"):
        said = printed([command, "--store", str(store)], capsys)
        assert "0.9630" in said, command
        assert "0.9590" in said, command
    assert "collapsed: worse than 0.9590, the median of random search" in said
    assert "worse than the figure named above the table" in " ".join(said.split())


def test_a_method_told_apart_from_all_others_has_a_letter_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The best and the worst of four with twenty seeds; between them two share theirs."""
    rng = np.random.default_rng(0)
    figures = {"w": rng.normal(60, 1, 20), "m": rng.normal(80, 1, 20), "b": rng.normal(95, 1, 20)}
    figures["n"] = figures["m"] + np.where(np.arange(20) % 2, 0.5, -0.5)
    boards = [{name: dict(enumerate(of.tolist())) for name, of in figures.items()}]
    store = written(tmp_path / "r", boards)
    said = printed(["compare", "--format", "markdown", "--store", str(store)], capsys)
    ranks = said.replace("*", "").partition("Mean rank:")[0]
    of = dict(re.findall(r"\| (\w) \| \d\.\d\d \| (\w*) ?\|", ranks))
    assert of == {"b": "a", "m": "b", "n": "b", "w": "c"}


def test_a_board_says_that_no_seed_is_common(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = written(tmp_path / "r", FILES["disjoint seeds"])
    said = printed(["leaderboard", "--store", str(store)], capsys)
    assert "Methods have different seeds; mean ranks need some that all have." in said
    assert "0 seeds in common" in printed(["compare", "--store", str(store)], capsys)


def test_too_few_seeds_are_told_with_what_they_lack(tmp_path: Path) -> None:
    """The most that any comparison needs; of rare collapses only where these are looked for."""
    board = {"a": drawn(90, range(3), sd=0.6), "b": drawn(90, range(3), sd=0.9, stream=1)}
    baseline = ["--baseline", str(tmp_path / "b.json"), "--store"]
    refused(["check", "--save", *baseline, str(written(tmp_path / "r", [board]))])
    moved = {name: {s: f + 0.01 for s, f in of.items()} for name, of in board.items()}
    store = str(written(tmp_path / "s", [moved]))
    said = refused(["check", *baseline, store])
    assert said is not None
    assert said.endswith("Run and save 59 seeds, or choose a larger --margin or --rare.")
    mean = refused(["check", *baseline, store, "--rare", "0"])
    assert mean is not None
    assert "2 comparisons have too few seeds" in mean
    assert mean.endswith("or choose a larger --margin.")
    alone = refused(["check", *baseline, store, "--rare", "0", "--methods", "a"])
    assert alone is not None
    assert int(mean.split("save ")[1].split()[0]) > int(alone.split("save ")[1].split()[0])


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
    assert "over 10 seeds (2 of c)" in caption
    boards = [*FILES["two tasks, one of them of one seed"], board]
    caption = paper_table(read_results(written(tmp_path / "s", boards))).caption
    assert "over 10 seeds (1 on d1; 2 of c)" in caption
    boards = [{"a": drawn(90, TEN), "b": drawn(91, TEN)}, {"a": drawn(90, TEN), "b": {0: 91.0}}]
    caption = paper_table(read_results(written(tmp_path / "t", boards))).caption
    assert "over 10 seeds (1 of b on d1)" in caption
    caption = paper_table(read_results(written(tmp_path / "u", FILES["one seed"]))).caption
    assert caption.startswith("Mean of the test over 1 seed")


def test_failures_keep_a_method_from_the_first_place(tmp_path: Path) -> None:
    """The better half of the time, and no result at all in the other half."""
    half = {seed: None if seed % 2 else 90.2 for seed in TEN}
    rows = leaderboard(written(tmp_path / "r", [{"a": drawn(90, TEN), "b": half}]))
    assert list(rows["method"]) == ["a", "b"]
    assert rows.set_index("method").loc["b", "failed"] == 5


HALF: Board = {"a": drawn(90, TEN), "b": {seed: None if seed % 2 else 90.2 for seed in TEN}}
FAILED = "Trials that failed and count as a random architecture or the worst that was reached: "


@pytest.mark.parametrize("boards", [[HALF], [HALF, {"a": drawn(91, TEN), "b": drawn(90, TEN)}]])
@pytest.mark.parametrize(
    "command",
    [
        *("leaderboard --format markdown", "robustness --format markdown"),
        *("compare --format markdown", "compare --over tasks --format latex"),
        "compare --cost-to-reach a --format markdown",
        *("table", "table --format markdown"),
    ],
)
def test_whatever_counts_failures_says_so(
    command: str, boards: list[Board], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "tasks" in command and len(boards) == 1:
        pytest.skip("over tasks there are several")
    store = written(tmp_path / "r", boards)
    name, *words = command.split()
    text = printed([name, "--store", str(store), *words], capsys).replace("\\", "")
    where = " on d0" if name == "table" and len(boards) > 1 else ""
    assert f"{FAILED}b{where} (5)." in text
    sound = written(tmp_path / "s", [{"a": board["a"]} | {"c": board["a"]} for board in boards])
    text = printed([name, "--store", str(sound), *words], capsys)
    assert "failed" not in text


def test_failures_of_all_tasks_are_added_up(tmp_path: Path) -> None:
    """A method that lacks a task is not compared over all, and its failures count no more."""
    store = written(tmp_path / "r", [{**HALF, "c": {0: None}}, HALF])
    assert [one.failed for one in compare(store)] == [{"b": 5, "c": 1}, {"b": 5}, {"b": 10}]
    assert [one.failed for one in compare(store, methods=["a", "b"])][-1] == {"b": 10}


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


def test_a_cross_fitted_hypervolume_may_be_more_than_one(toy: Benchmark, tmp_path: Path) -> None:
    """Its front is of other trainings than those that a search returns figures of."""
    for crossfit in (True, False):
        store = tmp_path / f"{crossfit}.sqlite"
        settings = {"objectives": ["toy_train_time_9"], "evaluations": 5, "crossfit": crossfit}
        run(toy, "random", seeds=1, store=store, **settings)
        (task,) = read_results(store).tasks.values()
        assert task.bounds == (0.0, np.inf if crossfit else 1.0)
