"""Aggregates, intervals, ranks and curves against scipy, NumPy and brute force."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from nasbench_suite import leaderboard
from nasbench_suite.analysis import anytime_curves, figures_at
from nasbench_suite.analysis.leaderboard import overall_leaderboard
from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.noise import noise_floor
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.rows import TaskRow
from nasbench_suite.runner import Trial, run
from nasbench_suite.statistics import (
    aggregate,
    aggregates,
    interquartile_mean,
    mean_ranks,
    ranks,
    regret,
    stratified_bootstrap,
)
from nasbench_suite.statistics.aggregates import conditional_value_at_risk
from nasbench_suite.statistics.estimates import difference
from nasbench_suite.statistics.sample import make_sample
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session, make_task
from search_methods.random_search import RandomSearch

STATISTICS = {"mean": np.mean, "median": np.median, "iqm": lambda x: stats.trim_mean(x, 0.25)}
each_statistic = pytest.mark.parametrize("statistic", STATISTICS)


@each_statistic
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 101])
def test_aggregates_are_scipys_and_numpys(statistic: str, count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    assert aggregate(values, statistic) == pytest.approx(STATISTICS[statistic](values))


def test_aggregates_along_an_axis_keep_nan_to_itself() -> None:
    values = np.random.default_rng(0).normal(size=(9, 3))
    values[4, 1] = np.nan
    found = interquartile_mean(values, axis=0)
    assert_allclose(found[[0, 2]], stats.trim_mean(values[:, [0, 2]], 0.25, axis=0))
    assert np.isnan(found[1])


def test_aggregates_refuse_nothing_and_the_unknown() -> None:
    with pytest.raises(SuiteError, match="no values"):
        interquartile_mean([])
    with pytest.raises(SuiteError, match="iqm"):
        aggregate([1.0], "iqr")  # type: ignore[arg-type]


@each_statistic
def test_bootstrap_of_few_values_is_that_of_all_resamples(statistic: str) -> None:
    """With five values there are 3,125 equally likely resamples: the exact distribution."""
    values = np.array([0.0, 1.0, 4.0, 9.0, 16.0])
    exact = [STATISTICS[statistic](list(draw)) for draw in itertools.product(values, repeat=5)]
    low, high = stratified_bootstrap([values], statistic, confidence=0.8, resamples=200_000)
    assert_allclose([low, high], np.quantile(exact, [0.1, 0.9]), atol=0.15)


@each_statistic
def test_bootstrap_agrees_with_scipy(statistic: str) -> None:
    values = np.random.default_rng(3).gamma(2.0, size=60)
    peer = stats.bootstrap(
        (values,),
        STATISTICS[statistic],
        vectorized=False,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    ours = stratified_bootstrap([values], statistic, resamples=20_000)
    assert_allclose(ours, (peer.low, peer.high), atol=0.02 * values.std())


def test_bootstrap_resamples_within_strata() -> None:
    """Constant strata leave nothing to vary; the plain bootstrap of the same values does vary."""
    strata = [np.zeros(5), np.full(5, 10.0)]
    assert stratified_bootstrap(strata, "mean") == (5.0, 5.0)
    low, high = stratified_bootstrap([np.concatenate(strata)], "mean")
    assert low < 5 < high


def test_bootstrap_of_several_columns_is_that_of_each() -> None:
    rng = np.random.default_rng(0)
    strata = [rng.normal(size=(6, 2)), rng.normal(size=(9, 2))]
    low, high = stratified_bootstrap(strata, seed=5)
    for column in range(2):
        alone = stratified_bootstrap([stratum[:, column] for stratum in strata], seed=5)
        assert_allclose((low[column], high[column]), alone)


def test_bootstrap_covers_what_it_promises() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(40, 600))  # a column a data set, true mean 0
    low, high = stratified_bootstrap([samples], "mean", confidence=0.9, resamples=500)
    covered = np.mean((low <= 0) & (high >= 0))
    assert 0.85 < covered < 0.93  # percentile intervals of 40 values fall short by a little


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"strata": []}, "at least one value"),
        ({"strata": [[]]}, "at least one value"),
        ({"strata": [[1.0]], "confidence": 1.0}, "impossible"),
        ({"strata": [[1.0]], "resamples": 0}, "too few"),
    ],
)
def test_bootstrap_refuses(arguments: dict, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        stratified_bootstrap(**arguments)


def test_ranks_share_ties_and_leave_nan_out() -> None:
    assert_array_equal(ranks([90.0, 95.0, 90.0, 80.0]), [2.5, 1.0, 2.5, 4.0])
    assert_array_equal(ranks([1.0, 2.0, 0.0], "minimize"), [2.0, 3.0, 1.0])
    assert_array_equal(ranks([1.0, np.nan, 3.0]), [2.0, np.nan, 1.0])


def test_mean_ranks_are_friedmans() -> None:
    """Friedman's statistic from our mean ranks is scipy's."""
    values = np.random.default_rng(0).normal(size=(12, 4))
    found = mean_ranks(values)
    blocks, methods = values.shape
    spread = ((found - (methods + 1) / 2) ** 2).sum()
    statistic = 12 * blocks / (methods * (methods + 1)) * spread
    assert statistic == pytest.approx(stats.friedmanchisquare(*values.T).statistic)
    values[0, 0] = np.nan
    assert_allclose(mean_ranks(values), mean_ranks(values[1:]))


def test_regret() -> None:
    assert_allclose(regret([93.0, 94.37], 94.37), [1.37, 0.0])
    assert_allclose(regret([3.0], 2.0, "minimize"), [1.0])
    with pytest.raises(SuiteError, match="direction"):
        regret([1.0], 1.0, "upwards")


@given(st.data())
def test_figures_at_is_the_step_function(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    trials, spent, figures = [], [], []
    for trial in range(count):
        times = sorted(data.draw(st.lists(st.integers(1, 12), max_size=6)))
        trials += [trial] * len(times)
        spent += times
        figures += list(np.random.default_rng(len(spent)).normal(size=len(times)))
    budgets = sorted(data.draw(st.lists(st.integers(0, 14), min_size=1, max_size=6, unique=True)))
    found = figures_at(trials, spent, figures, budgets, count)
    for trial, (column, budget) in itertools.product(range(count), enumerate(budgets)):
        changes = [
            figure
            for one, when, figure in zip(trials, spent, figures, strict=True)
            if one == trial and when <= budget
        ]
        expected = changes[-1] if changes else np.nan
        assert_array_equal(found[trial, column], expected)


# -- the leaderboard -------------------------------------------------------------------------------


@dataclass
class Fixed(Method):
    """Goes through the architectures from ``first`` on."""

    first: int = 0

    def step(self, session: Session) -> None:
        session.evaluate(self.first + int(session.evaluations) + 100 * session.rng.integers(5))


@dataclass
class Fails(Method):
    """Raises at about half the seeds."""

    def start(self, session: Session) -> None:
        if session.rng.integers(2):
            raise RuntimeError("no luck")

    def step(self, session: Session) -> None:
        session.evaluate(7)


@pytest.fixture(scope="module")
def toy_store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("results") / "toy.sqlite"
    methods = [("fixed-0", Fixed(0)), ("fixed-9000", Fixed(9_000)), ("fails", Fails())]
    for evaluations in (10, 30):
        run(toy, methods, seeds=range(12), evaluations=evaluations, store=store)
    return store


def test_the_leaderboard_is_what_the_trials_say(toy: Benchmark, toy_store: Path) -> None:
    board = leaderboard(toy_store)
    assert board["task"].nunique() == 2
    with ResultStore(toy_store, read_only=True) as store:
        trials = store.trials()
    optimum = make_task(toy).optimum
    assert optimum is not None
    for row in board.to_dict("records"):
        mine = trials[(trials["task_key"] == row["task_key"])]
        mine = mine[mine["method_key"] == row["method_key"]]
        # The table is not at hand, so a failure counts as the worst that any trial reached.
        reached = trials.loc[trials["task_key"] == row["task_key"], "report"].min()
        figures = mine["report"].fillna(reached).to_numpy(float)
        assert row["seeds"] == 12
        assert row["failed"] == (mine["status"] == "failed").sum()
        assert row["mean"] == pytest.approx(figures.mean())
        if len(figures) > 1:
            assert row["std"] == pytest.approx(figures.std(ddof=1), abs=1e-5)
        assert row["median"] == pytest.approx(np.median(figures))
        assert row["iqm"] == pytest.approx(stats.trim_mean(figures, 0.25))
        assert row["low"] <= row["iqm"] <= row["high"]
        assert row["optimum"] == optimum
        assert row["regret"] == pytest.approx(optimum - figures.mean(), abs=1e-5)
        assert np.isnan(row["signal_regret"])
        assert row["cvar"] == pytest.approx(conditional_value_at_risk(figures, 0.2))
        assert row["noise_floor"] == pytest.approx(noise_floor(toy, "toy_test_9").floor)
    for _, task in board.groupby("task_key"):
        assert (np.diff(task["iqm"]) <= 0).all()
        assert_array_equal(task["rank"], stats.rankdata(-task["iqm"]))


def test_signal_regret_is_of_what_each_search_saw(
    toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By brute force, fold by fold, at the end and at a cut."""
    store, task = tmp_path / "r.sqlite", make_task(toy, evaluations=20)
    monkeypatch.setattr("nasbench_suite.analysis.samples.find_table", lambda row: toy)
    monkeypatch.setattr("nasbench_suite.analysis.samples._noise", lambda *_: None)
    assert task.crossfit is not None
    run(toy, "random", seeds=range(4), evaluations=20, store=store)
    regrets: dict[int, list[float]] = {20: [], 5: []}
    best = set()
    for seed in range(4):
        trial = Trial(task, RandomSearch(), seed)
        trial.advance()
        seen = task.for_seed(seed).table.values(task.objectives[0].signal)
        best.add(np.nanmax(seen))
        for cut, found in regrets.items():
            record = trial.result().record.architectures[:cut]
            found.append(np.nanmax(seen) - seen[record].max())
    assert len(best) == task.crossfit.folds > 1
    assert min(regrets[5]) > 0
    for cut, found in regrets.items():
        (row,) = leaderboard(store, evaluations=cut).to_dict("records")
        assert row["signal_regret"] == pytest.approx(np.mean(found))


def test_marks_are_what_the_tests_say(toy_store: Path) -> None:
    board = leaderboard(toy_store)
    with ResultStore(toy_store, read_only=True) as store:
        trials = store.trials()
    for key, task in board.groupby("task_key"):
        worst = trials.loc[trials["task_key"] == key, "report"].min()
        mine = trials[trials["task_key"] == key].set_index("method_key")["report"].fillna(worst)
        best = task.iloc[0]
        assert best["best"]
        assert not best["worse"]
        assert not best["equivalent"]
        for row in task.iloc[1:].to_dict("records"):
            gap = difference(
                *(
                    make_sample(mine[key].to_numpy())
                    for key in (best["method_key"], row["method_key"])
                )
            )
            low, high = gap.interval(0.9)
            floor = row["noise_floor"]
            assert row["equivalent"] == (-floor < low and high < floor)
            width = stats.norm.isf(gap.p / 2) * 2**0.5
            expected = stats.studentized_range.sf(width, 3, np.inf)
            assert row["p"] == pytest.approx(expected, rel=1e-3)
            assert row["worse"] == (row["p"] < 0.05)
        near = task["optimum"] - task["low"] < task["noise_floor"]
        assert_array_equal(task["at_optimum"], near)


def test_a_cut_looks_at_the_searches_earlier(toy_store: Path) -> None:
    """Ten evaluations into a search of thirty: the same seeds, so the figures of the shorter."""
    board = leaderboard(toy_store, evaluations=10)
    columns = ["method", "seeds", "mean", "iqm", "regret", "rank", "mean_rank"]
    short, long = (task[columns].reset_index(drop=True) for _, task in board.groupby("task"))
    healthy = short["method"].str.startswith("fixed")
    assert healthy.sum() == 2
    pd.testing.assert_frame_equal(
        short.loc[healthy, ["method", "mean", "iqm", "regret"]],
        long.loc[healthy, ["method", "mean", "iqm", "regret"]],
    )
    with pytest.raises(SuiteError, match="No task ran for 31 evaluations"):
        leaderboard(toy_store, evaluations=31)
    with pytest.raises(SuiteError, match="impossible"):
        leaderboard(toy_store, evaluations=-1)


def test_curves_end_at_the_leaderboard(toy_store: Path) -> None:
    board = leaderboard(toy_store).set_index(["task", "method"])
    curves = anytime_curves(toy_store)
    for (task, method), curve in curves.groupby(["task", "method"]):
        row = board.loc[(task, method)]
        last = curve.iloc[-1]
        assert last["regret"] == pytest.approx(row["optimum"] - row["iqm"], abs=1e-5)
        assert last["low"] <= last["regret"] <= last["high"]


def test_the_overall_board_scores_all_tasks(toy_store: Path) -> None:
    board = leaderboard(toy_store)
    overall = overall_leaderboard(toy_store).set_index("method")
    assert set(overall["tasks"]) == {2}
    with ResultStore(toy_store, read_only=True) as store:
        trials = store.trials()
    optimum = board["optimum"].iloc[0]
    keys = board["task_key"].unique()
    worst = {key: board.loc[board["task_key"] == key, "regret"].max() for key in keys}
    trials["report"] = trials["report"].fillna(
        trials.groupby("task_key")["report"].transform("min")
    )
    assert set(overall["anchor"]) == {"the worst method's mean"}  # the table is not at hand
    for method, row in overall.iterrows():
        key = board.loc[board["method"] == method, "method_key"].iloc[0]
        mine = trials[trials["method_key"] == key]
        scores = 1 - (optimum - mine["report"]) / mine["task_key"].map(worst)
        by_task = scores.groupby(mine["task_key"]).apply(lambda part: stats.trim_mean(part, 0.25))
        assert row["score"] == pytest.approx(by_task.mean(), abs=1e-6)
        assert row["low"] <= row["score"] <= row["high"]


def test_results_that_are_none_are_told(tmp_path: Path, toy_store: Path) -> None:
    with pytest.raises(SuiteError):
        leaderboard(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()
    (tmp_path / "text.sqlite").write_text("no database")
    with pytest.raises(SuiteError):
        leaderboard(tmp_path / "text.sqlite")
    with pytest.raises(SuiteError, match="toy"):
        leaderboard(toy_store, benchmark="toi")
    whole = toy_store.read_bytes()
    (tmp_path / "cut.sqlite").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SuiteError):
        leaderboard(tmp_path / "cut.sqlite")


def test_text_that_is_none_is_damage(tmp_path: Path, toy_store: Path) -> None:
    whole = toy_store.read_bytes()
    (tmp_path / "schema.sqlite").write_bytes(whole.replace(b"CREATE TABLE", b"CRE\xbfTE TABLE"))
    (tmp_path / "config.sqlite").write_bytes(whole.replace(b'{"', b"{_"))
    for name in "schema.sqlite", "config.sqlite":
        with pytest.raises(SuiteError, match="damaged or no results file"):
            leaderboard(tmp_path / name)


# -- on the real figures ---------------------------------------------------------------------------


def test_methods_come_in_the_order_known_from_the_literature(
    shared_data: Path, tmp_path: Path
) -> None:
    """Search on 12-epoch validation, report 200-epoch test: evolution beats random search."""
    from nasbench_suite.benchmarks.importing import import_table
    from nasbench_suite.spaces import load_space

    table = shared_data / "nasbench201" / "accuracy.parquet"
    benchmark = import_table(table, "nb201", load_space("nats-tss")).benchmark
    write_benchmark(benchmark, tmp_path / "nb201.parquet")
    benchmark = load_benchmark(tmp_path / "nb201.parquet")
    task = make_task(benchmark, "cifar10")
    assert [(o.signal, o.judged_by) for o in task.objectives] == [
        ("cifar10_valid_12", "cifar10_test_200")
    ]
    run(
        benchmark,
        "random,regularized-evolution",
        dataset="cifar10",
        seeds=range(60),
        evaluations=300,
        store=tmp_path / "r.sqlite",
    )
    board = leaderboard(tmp_path / "r.sqlite").set_index("method")
    assert board["optimum"].iloc[0] == pytest.approx(94.3733, abs=1e-4)
    evolution, random = board.loc["regularized-evolution"], board.loc["random"]
    assert evolution["low"] > random["high"]


@pytest.mark.parametrize("statistic", ["mean", "iqm"])
def test_of_many_values_the_interval_is_the_one_the_bootstrap_tends_to(
    statistic: aggregates.Statistic, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    strata = [rng.gamma(2.0, 1.0 + task / 5, size=(600, 3)) + task for task in range(12)]
    slow = aggregates.stratified_bootstrap(strata, statistic, resamples=4000)
    monkeypatch.setattr(aggregates, "_LARGE", 7000)
    fast = aggregates.stratified_bootstrap(strata, statistic)
    width = slow[1] - slow[0]
    for ours, theirs in zip(fast, slow, strict=True):
        assert ours == pytest.approx(theirs, abs=0.06 * width.min())
    shuffled = [np.random.default_rng(1).permutation(np.concatenate(strata))]
    low, high = aggregates.stratified_bootstrap(shuffled, statistic)
    assert (high - low > 1.2 * width).all()  # without strata, tasks differ as runs do
    assert aggregates.stratified_bootstrap([strata[0][:, 0]] * 12, statistic)[0].shape == ()


def test_a_board_does_not_look_for_a_table_again_for_each_method(
    toy_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def find(task: TaskRow) -> None:
        looked.append(task.key)

    monkeypatch.setattr("nasbench_suite.analysis.samples.find_table", find)
    board = leaderboard(toy_store)
    methods = board["method"].nunique()
    # Once for its noise, and once for what a failure counts as.
    assert max(looked.count(key) for key in board["task_key"]) <= 2 < methods
