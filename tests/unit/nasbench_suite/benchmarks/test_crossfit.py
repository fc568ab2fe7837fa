"""Signal and report from different trainings: divided right, judged right, and without bias."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nasbench_suite import run
from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.crossfit import crossfit_optimum, fold_of, plan_crossfit
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.table import make_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.rows import task_row
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import load_finite_space
from nasbench_suite.store import ResultStore
from nasbench_suite.submissions import make_submission, verify_submission
from nasbench_suite.tasks import Session, make_task
from nasbench_suite.tasks.methods import make_method

SPACE = load_finite_space("nats-tss")
VALID, TEST = "made_valid_8", "made_test_8"


def table(valid: np.ndarray, test: np.ndarray, also: dict[str, np.ndarray] | None = None):
    """A benchmark of validation and test figures, each of shape (size, seeds)."""
    seeds = tuple(range(10, 10 + valid.shape[1]))
    metrics, columns = [], {}
    for name, split, figures in ((VALID, "valid", valid), (TEST, "test", test)):
        metric = Metric(name, dataset="made", split=split, epochs=8, seeds=seeds)
        metrics.append(metric)
        for place, seed in enumerate(seeds):
            columns[metric.seed_column(seed)] = figures[:, place]
    for name, values in (also or {}).items():
        metrics.append(Metric(name, quantity="latency", unit="ms", direction="minimize"))
        columns[name] = values
    return make_benchmark("made", SPACE, metrics, columns)


def noisy(seeds: int, spread: float, *, seed: int = 0) -> Benchmark:
    """All architectures of equal worth 90: whatever differs is the luck of a training."""
    rng = np.random.default_rng(seed)
    luck = rng.normal(90.0, spread, (SPACE.size, seeds))
    return table(luck, luck + rng.normal(0.0, 0.01, luck.shape))


# -- how trainings are divided ---------------------------------------------------------------------


def test_a_search_never_sees_a_training_that_it_is_judged_by() -> None:
    rng = np.random.default_rng(1)
    figures = rng.normal(size=(SPACE.size, 5))
    figures[rng.random(figures.shape) < 0.3] = np.nan
    figures[(~np.isnan(figures)).sum(axis=1) < 2] = rng.normal(size=5)
    bench = table(figures, figures)  # the figure tells which training it is of
    plan = plan_crossfit(bench, VALID, TEST)
    assert plan is not None
    assert (plan.taken, plan.folds, plan.single) == (1, 2, 0)
    for fold in range(plan.folds):
        part = fold_of(bench, plan, fold)
        seen, judged = part.values(VALID), part.values(TEST)
        for index in range(0, SPACE.size, 97):
            own = figures[index][~np.isnan(figures[index])]
            assert seen[index] == own[fold]
            assert judged[index] == pytest.approx(np.delete(own, fold).mean())


def test_half_of_the_trainings_answer_where_there_are_many() -> None:
    figures = np.arange(SPACE.size * 7, dtype=float).reshape(SPACE.size, 7)
    bench = table(figures, figures)
    plan = plan_crossfit(bench, VALID, TEST)
    assert plan is not None
    assert (plan.taken, plan.folds) == (3, 2)
    part = fold_of(bench, plan, 1)
    assert np.allclose(part.values(VALID), figures[:, 3:6].mean(axis=1))
    assert np.allclose(part.values(TEST), figures[:, [0, 1, 2, 6]].mean(axis=1))
    # A query with the noise of one training draws from those that answer, and from no other.
    assert np.array_equal(part.seed_values(VALID), figures[:, 3:6])
    assert part.metric(TEST).seeds == ()


def test_what_was_trained_once_serves_as_both_and_is_said() -> None:
    figures = np.random.default_rng(0).normal(90, 1, (SPACE.size, 2))
    figures[: SPACE.size // 4, 1] = np.nan
    bench = table(figures, figures)
    task = make_task(bench)
    assert task.crossfit is not None
    assert task.crossfit.single == SPACE.size // 4
    for fold in (0, 1):
        part = task.for_seed(fold).table
        assert part.values(VALID)[0] == part.values(TEST)[0] == figures[0, 0]
    assert any("25 % of the architectures" in hint for hint in task.hints)
    # What nobody can choose by another training is no optimum.
    figures[0, 0] = 200.0
    assert make_task(table(figures, figures)).optimum < 100  # type: ignore[operator]


def test_a_table_with_one_seed_is_left_as_it_is() -> None:
    figures = np.random.default_rng(0).normal(90, 1, (SPACE.size, 1))
    task = make_task(table(figures, figures))
    assert task.crossfit is None
    assert task.for_seed(1) is task
    assert "crossfit" not in task.config
    assert task.optimum == figures.max()
    with pytest.raises(SuiteError, match="not two training seeds in common"):
        make_task(table(figures, figures), crossfit=True)


def test_keys_of_tasks_without_it_are_what_they_were() -> None:
    task = make_task(load_benchmark("digits"), crossfit=False)
    assert set(task.config) == {
        *("benchmark", "checksum", "dataset", "objectives", "evaluations", "seconds", "noise"),
        "fidelities",
    }
    assert make_task(load_benchmark("digits")).config == {**task.config, "crossfit": True}


def test_earlier_epochs_are_of_the_same_training() -> None:
    bench = load_benchmark("digits")
    task = make_task(bench)
    for seed in (0, 1, 2, 3):
        session = Session(task, seed)
        for epochs in session.fidelities:
            column = bench.metric(f"digits_valid_{epochs}").seed_column(seed % 2)
            assert session.evaluate(818, epochs) == bench.columns[column][818]


# -- what it changes -------------------------------------------------------------------------------


def test_picking_lucky_trainings_gains_nothing() -> None:
    bench = noisy(2, 1.0)
    for crossfit, low, high in ((False, 91.0, 93.0), (True, 89.7, 90.3)):
        task = make_task(bench, evaluations=200, crossfit=crossfit)
        reached = []
        for seed in range(60):
            trial = Trial(task, make_method("random", {}), seed)
            trial.advance()
            reached.append(trial.result().incumbents.reports[-1])
        assert low < np.mean(reached) < high


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_the_optimum_is_no_maximum_of_noise(seeds: int) -> None:
    found = [crossfit_optimum(noisy(seeds, 1.0, seed=seed), TEST) for seed in range(20)]
    assert np.mean(found) == pytest.approx(90.0, abs=4 * np.std(found) / 20**0.5)
    assert noisy(seeds, 1.0).values(TEST).max() > 91.3


def test_the_optimum_is_found_where_trainings_suffice_to_tell() -> None:
    rng = np.random.default_rng(0)
    worth = rng.normal(85.0, 1.0, SPACE.size)
    worth[4711] = 95.0
    figures = worth[:, None] + rng.normal(0.0, 0.5, (SPACE.size, 3))
    assert crossfit_optimum(table(figures, figures), TEST) == pytest.approx(95.0, abs=1.0)
    # Of two that are trained more often than the others the better is the best there is.
    more = np.full((SPACE.size, 9), np.nan)
    more[:, :2] = 85.0 + rng.normal(0.0, 1.0, (SPACE.size, 2))
    more[5], more[6] = (worth + rng.normal(0.0, 0.1, 9) for worth in (87.0, 86.0))
    assert crossfit_optimum(table(more, more), TEST) == pytest.approx(87.0, abs=0.2)


def test_smaller_is_better_too() -> None:
    figures = np.random.default_rng(0).normal(1.0, 0.1, (SPACE.size, 2))
    metric = Metric("l", quantity="loss", unit="", direction="minimize", split="test", seeds=(0, 1))
    columns = {metric.seed_column(seed): figures[:, seed] for seed in (0, 1)}
    bench = make_benchmark("made", SPACE, [metric], columns)
    by = [figures[figures[:, own].argmin(), 1 - own] for own in (0, 1)]
    assert crossfit_optimum(bench, "l") == pytest.approx(np.mean(by))


def test_true_fronts_are_chosen_by_other_trainings() -> None:
    rng = np.random.default_rng(0)
    luck = rng.normal(90.0, 1.0, (SPACE.size, 2))
    bench = table(luck, luck, {"cost": rng.uniform(1.0, 2.0, SPACE.size)})
    task = make_task(bench, objectives=["cost"])
    for fold in (0, 1):
        measure = task.for_seed(fold).measure
        front = measure.front
        assert np.abs(task.for_seed(fold).reported(front)[:, 0] - 90.0).max() < 3.5
        by_luck = task.for_seed(1 - fold).measure.losses  # their own reports chose them
        chosen = np.flatnonzero(measure.eligible)
        dominated = [
            (by_luck[chosen] <= by_luck[index]).all(axis=1)
            & (by_luck[chosen] < by_luck[index]).any(axis=1)
            for index in front.tolist()
        ]
        assert not np.any(dominated)
    assert (
        task.measure.volume < make_task(bench, objectives=["cost"], crossfit=False).measure.volume
    )


def test_results_say_so_and_their_submission_is_verified(tmp_path: Path) -> None:
    store = tmp_path / "results.sqlite"
    run(methods="random,hyperband", seeds=range(3), evaluations=10, store=store)
    run(methods="random", seeds=range(3), evaluations=10, store=store, crossfit=False)
    rows = leaderboard(store)
    assert {name.rpartition(", ")[2] for name in rows["task"]} == {
        "cross-fitted",
        "not cross-fitted",
    }
    with ResultStore(store, read_only=True) as results:
        divided = [task.config.get("crossfit") for task in results.tasks().values()]
        assert sorted(map(bool, divided)) == [False, True]
    found = verify_submission(make_submission(store, tmp_path / "mine.nasbench.json.gz"), rerun=4)
    assert not found.faults


def test_the_order_and_number_of_processes_change_nothing(tmp_path: Path) -> None:
    for name, seeds, jobs in (("a", [0, 1, 2, 3], 1), ("b", [3, 2, 1, 0], 2)):
        run(methods="random", seeds=seeds, evaluations=5, store=tmp_path / name, jobs=jobs)
    boards = [leaderboard(tmp_path / name).drop(columns="task") for name in "ab"]
    assert boards[0].equals(boards[1])


def test_the_row_of_a_task_has_the_crossfitted_optimum() -> None:
    task = make_task(load_benchmark("digits"))
    row = task_row(task)
    assert row.optimum == task.optimum
    assert row.optimum < task.table.values("digits_test_8").max()
