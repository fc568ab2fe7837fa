"""Tests and effect sizes against scipy, scikit-posthocs, autorank, baycomp and rliable."""

from __future__ import annotations

import io
import itertools
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from nasbench_suite.analysis.comparison import compare
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import run
from nasbench_suite.statistics import planning
from nasbench_suite.statistics import significance as sig
from nasbench_suite.statistics.estimates import difference as gap
from nasbench_suite.statistics.sample import make_sample
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session
from search_methods.regularized_evolution import RegularizedEvolution


@pytest.fixture
def scores() -> np.ndarray:
    """40 blocks of five methods, the later the better, with ties."""
    rng = np.random.default_rng(0)
    return np.round(rng.normal(size=(40, 5)) + 0.3 * np.arange(5), 1)


# -- many methods ----------------------------------------------------------------------------------


def test_friedman_is_scipys(scores: np.ndarray) -> None:
    found = sig.friedman(scores)
    peer = stats.friedmanchisquare(*scores.T)
    assert found.statistic == pytest.approx(peer.statistic)
    assert found.p == pytest.approx(peer.pvalue)
    assert found.blocks == 40
    assert found.mean_ranks.argmin() == 4


def test_nemenyi_is_scikit_posthocs(scores: np.ndarray) -> None:
    peer = pytest.importorskip("scikit_posthocs").posthoc_nemenyi_friedman(scores)
    assert_allclose(sig.friedman(scores).pairs, peer.to_numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("methods", "quantile"),
    # Demsar (JMLR 2006), table 5a: q at 0.05 for 2 to 10 classifiers.
    list(enumerate([1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164], start=2)),
)
def test_critical_difference_is_demsars(methods: int, quantile: float) -> None:
    found = sig.friedman(np.random.default_rng(1).normal(size=(14, methods)))
    expected = quantile * np.sqrt(methods * (methods + 1) / (6 * 14))
    assert found.critical_difference == pytest.approx(expected, abs=1e-3)


def test_critical_difference_is_autoranks() -> None:
    autorank = pytest.importorskip("autorank")
    frame = pd.DataFrame(np.random.default_rng(2).gamma(1.0, size=(20, 6)))
    peer = autorank.autorank(frame, force_mode="nonparametric", alpha=0.05)
    found = sig.friedman(frame.to_numpy())
    assert found.critical_difference == pytest.approx(peer.cd, abs=1e-3)
    assert_allclose(np.sort(found.mean_ranks), np.sort(peer.rankdf["meanrank"]))


def test_blocks_that_miss_a_method_are_left_out(scores: np.ndarray) -> None:
    holed = np.vstack([scores, np.where(np.arange(5) == 2, np.nan, 0.0)])
    assert sig.friedman(holed).statistic == sig.friedman(scores).statistic


def test_equal_methods_are_not_told_apart() -> None:
    found = sig.friedman(np.ones((9, 3)))
    assert (found.statistic, found.p) == (0.0, 1.0)
    assert found.cliques() == [(0, 1, 2)]
    with pytest.raises(SuiteError, match="two methods and two blocks"):
        sig.friedman(np.ones((1, 3)))


@given(st.lists(st.floats(1, 9), min_size=2, max_size=9), st.floats(0.1, 5.0))
def test_cliques_are_the_maximal_indistinct_runs(ranks: list[float], difference: float) -> None:
    mean_ranks = np.array(ranks)
    empty = np.empty((0, 0))
    found = sig.Friedman(9, 0.0, 1.0, mean_ranks, difference, 0.05, empty).cliques()
    order = np.argsort(mean_ranks, kind="stable").tolist()
    runs = [
        set(order[begin:end])
        for begin, end in itertools.combinations(range(len(order) + 1), 2)
        if end - begin > 1 and mean_ranks[order[end - 1]] <= mean_ranks[order[begin]] + difference
    ]
    maximal = [run for run in runs if not any(run < other for other in runs)]
    assert [set(clique) for clique in found] == maximal


@example([0.11, 0.11, 0.2])  # without steps the second would be rejected before the first
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_the_step_down_procedure(p_values: list[float]) -> None:
    """p is rejected at a level if it and all smaller ones pass Holm's thresholds."""
    adjusted = sig.holm(p_values)
    order = np.argsort(p_values, kind="stable")
    for level in (0.01, 0.05, 0.3):
        rejected: set[int] = set()
        for step, index in enumerate(order):
            if p_values[index] * (len(p_values) - step) > level:
                break
            rejected.add(int(index))
        assert set(np.flatnonzero(adjusted <= level).tolist()) == rejected


def test_holm_leaves_out_what_is_missing() -> None:
    assert_allclose(sig.holm([0.01, np.nan, 0.04]), [0.02, np.nan, 0.04])


# -- two methods -----------------------------------------------------------------------------------


def test_wilcoxon_is_scipys() -> None:
    differences = np.random.default_rng(3).normal(0.2, size=(101, 4)).round(1)
    for column, found in zip(differences.T, sig.wilcoxon(differences), strict=True):
        peer = stats.wilcoxon(column, zero_method="pratt", method="asymptotic")
        assert found == pytest.approx(peer.pvalue)


@pytest.mark.parametrize("blocks", [5, 14, 40])
def test_wilcoxon_of_few_blocks_is_exact(blocks: int) -> None:
    differences = np.random.default_rng(3).normal(0.2, size=(blocks, 4))
    for column, found in zip(differences.T, sig.wilcoxon(differences), strict=True):
        assert found == pytest.approx(stats.wilcoxon(column, method="exact").pvalue)


def test_one_seed_more_does_not_raise_p() -> None:
    found = [float(sig.wilcoxon(np.ones(blocks))) for blocks in range(5, 101)]
    assert_allclose(found, 2.0 ** (1 - np.arange(5, 101)))


@pytest.mark.parametrize("values", [[1, 2, 3, 4, 5], [1, 1, -1, 2, 0, 3], [0.5, -2, 3, 3, 3, 7, 8]])
def test_few_blocks_go_through_all_signs(values: list[float]) -> None:
    ranked = stats.rankdata(np.abs(values)) * (np.array(values) != 0)
    sums = [np.dot(ranked, signs) for signs in itertools.product([-1, 1], repeat=len(values))]
    observed = abs(np.dot(ranked, np.sign(values)))
    exact = np.mean(np.abs(sums) >= observed - 1e-9)
    assert sig.wilcoxon(np.array(values)) == pytest.approx(exact)


@pytest.mark.parametrize("blocks", [6, 7, 12, 30])
def test_the_interval_over_blocks_is_what_wilcoxon_does_not_reject(blocks: int) -> None:
    rng = np.random.default_rng(blocks)
    values = rng.normal(0.5, 1.0, blocks)
    low, high = sig.wilcoxon_interval(values, 0.05)
    near = 1e-9
    inside, outside = [low + near, high - near], [low - near, high + near]
    assert all(float(sig.wilcoxon(values - shift)) >= 0.05 for shift in inside)
    assert all(float(sig.wilcoxon(values - shift)) < 0.05 for shift in outside)
    assert low < values.mean() < high


def test_an_interval_over_blocks_holds_the_mean_and_needs_six_of_them() -> None:
    assert np.isnan(sig.wilcoxon_interval(np.arange(5.0), 0.05)).all()
    low, high = sig.wilcoxon_interval([0.0] * 40 + [1000.0], 0.05)
    assert (low, high) == (0.0, pytest.approx(1000 / 41))


def test_wilcoxon_of_equal_methods_is_one() -> None:
    assert sig.wilcoxon(np.zeros(8)) == 1.0


@pytest.mark.parametrize("rope", [0.0, 0.1, 0.5])
def test_bayesian_signed_rank_is_baycomps(rope: float) -> None:
    baycomp = pytest.importorskip("baycomp")
    rng = np.random.default_rng(4)
    first, second = rng.normal(0.15, 0.5, size=25), rng.normal(0, 0.5, size=25)
    # baycomp names the sides by where the difference of its second to its first argument lies.
    peer = baycomp.SignedRankTest(second, first, rope=rope, random_state=0).probs()
    found = sig.bayesian_signed_rank(first - second, rope)
    assert_allclose([found.worse, found.equal, found.better], peer, atol=0.02)


def test_bayesian_signed_rank_knows_sides() -> None:
    assert sig.bayesian_signed_rank(np.full(30, 1.0), 0.1).better > 0.99
    assert sig.bayesian_signed_rank(np.full(30, -1.0), 0.1).worse > 0.99
    assert sig.bayesian_signed_rank(np.full(30, 0.05), 0.1).equal > 0.99
    with pytest.raises(SuiteError, match="impossible"):
        sig.bayesian_signed_rank([1.0], -1.0)


def test_probability_of_improvement_is_rliables() -> None:
    metrics = pytest.importorskip("rliable.metrics")
    rng = np.random.default_rng(5)
    first = rng.normal(0.4, size=(30, 3)).round(1)
    second = rng.normal(size=(20, 3)).round(1)
    peer = metrics.probability_of_improvement(first, second)
    found, low, high = sig.probability_of_improvement(list(first.T), list(second.T))
    assert found == pytest.approx(peer)
    assert 0 <= low < found < high <= 1


def test_interval_of_improvement_is_that_of_resampled_runs() -> None:
    rng = np.random.default_rng(6)
    first, second = rng.normal(0.5, size=15), rng.normal(size=12)
    draws = [
        (rng.choice(first, 15)[:, None] > rng.choice(second, 12)).mean() for _ in range(20_000)
    ]
    _, low, high = sig.probability_of_improvement([first], [second], resamples=20_000)
    assert_allclose([low, high], np.quantile(draws, [0.025, 0.975]), atol=0.01)


def test_performance_profile_is_rliables_definition() -> None:
    rng = np.random.default_rng(7)
    scores = rng.uniform(size=(50, 4))
    thresholds = np.linspace(0, 1, 11)
    profile, low, high = sig.performance_profile(list(scores.T), thresholds)
    assert_allclose(profile, [(scores > t).mean() for t in thresholds])
    assert (low <= profile).all()
    assert (profile <= high).all()


def test_band_of_a_profile_is_that_of_resampled_runs() -> None:
    rng = np.random.default_rng(9)
    tasks = [rng.uniform(size=12), rng.uniform(size=20)]
    draws = [np.mean([(rng.choice(t, len(t)) > 0.4).mean() for t in tasks]) for _ in range(20_000)]
    _, low, high = sig.performance_profile(tasks, [0.4], resamples=20_000)
    assert_allclose([low[0], high[0]], np.quantile(draws, [0.025, 0.975]), atol=0.01)


def test_tasks_weigh_the_same_in_a_profile_whatever_their_runs() -> None:
    profile, low, high = sig.performance_profile([np.ones(9), np.zeros(3)], [0.5])
    assert profile == low == high == pytest.approx(0.5)


# -- how many seeds --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "seeds"),
    # Cohen (1988), table 2.4.1: two-sided 0.05, power 0.80.
    [(0.2, 393), (0.5, 64), (0.8, 26)],
)
def test_seeds_needed_are_cohens(effect: float, seeds: int) -> None:
    # Cohen's tables round; 393 and 394 are both printed for the first.
    assert planning.seeds_needed(effect, 1.0, statistic="mean") == pytest.approx(seeds, abs=1)


def test_detectable_difference_is_statsmodels() -> None:
    power = pytest.importorskip("statsmodels.stats.power").TTestIndPower()
    for seeds in (3, 10, 500):
        found = planning.detectable_difference(2.0, seeds, statistic="mean", alpha=0.01, power=0.9)
        peer = power.power(found / 2, nobs1=seeds, alpha=0.01)
        assert peer == pytest.approx(0.9, rel=1e-6)


def test_stated_power_is_what_happens() -> None:
    rng = np.random.default_rng(8)
    difference = planning.detectable_difference(1.0, 12, power=0.8)
    figures = rng.normal(difference, size=(12, 800)), rng.normal(size=(12, 800))
    pairs = (map(make_sample, part.T) for part in figures)
    found = [gap(one, other).p < 0.05 for one, other in zip(*pairs, strict=True)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.04)


def test_impossible_levels_are_refused() -> None:
    for call in (
        lambda: planning.detectable_difference(1.0, 1),
        lambda: planning.detectable_difference(1.0, 5, alpha=1.5),
        lambda: planning.detectable_difference(-1.0, 5),
        lambda: planning.seeds_needed(0.0, 1.0),
    ):
        with pytest.raises(SuiteError):
            call()


# -- a results file --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random search, evolution, and random search of one evaluation, on two budgets."""
    path = tmp_path_factory.mktemp("comparison") / "r.sqlite"
    small = RegularizedEvolution(population_size=10, sample_size=5)
    for evaluations in (40, 80):
        methods = ["random", ("evolution", small), ("first", FirstOnly())]
        run(toy, methods, seeds=range(16), store=path, evaluations=evaluations)
    return path


@dataclass
class FirstOnly(Method):
    """One evaluation, and no more."""

    def start(self, session: Session) -> None:
        self.session = session

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))

    @property
    def finished(self) -> bool:
        return self.session.trainings > 0


def test_all_pairs_on_every_task_and_on_all(store: Path) -> None:
    found = compare(store, resamples=200)
    assert [one.task for one in found] == [
        "toy/toy, 40 evaluations",
        "toy/toy, 80 evaluations",
        "all tasks",
    ]
    with ResultStore(store, read_only=True) as results:
        trials = results.trials()
    for one in found[:2]:
        assert one.methods[0].startswith("evolution")
        assert one.methods[-1] == "first"
        assert (one.blocks, one.unit) == (16, "points")
        assert len(one.pairs) == 3
        assert one.friedman is not None
        assert (np.diff(one.friedman.mean_ranks) >= 0).all()
        row = one.pairs.iloc[-1]
        assert (row["second"], row["worse"]) == ("first", pytest.approx(0.0, abs=0.01))
        assert row["p"] <= row["p_adjusted"] < 0.01
        assert row["low"] <= row["difference"] <= row["high"]
    task = trials["task_key"].iloc[0]
    figures = trials[trials["task_key"] == task].pivot(
        index="seed", columns="method", values="report"
    )
    row = found[0].pairs.set_index(["first", "second"]).loc[("random", "first")]
    one, other = figures["random"].to_numpy(), figures["first"].to_numpy()
    assert row["difference"] == pytest.approx(
        stats.trim_mean(one, 0.25) - stats.trim_mean(other, 0.25)
    )
    assert row["p"] == pytest.approx(gap(make_sample(one), make_sample(other)).p, rel=1e-4)
    width = stats.norm.isf(row["p"] / 2) * 2**0.5
    assert row["p_adjusted"] == pytest.approx(
        stats.studentized_range.sf(width, 3, np.inf), rel=1e-3
    )
    assert (found[2].blocks, found[2].unit, found[2].rope) == (32, "noise floors", 1.0)


def test_what_a_comparison_could_detect_is_seen_four_times_in_five(store: Path) -> None:
    """By the error of the pair of median error, at the level of all pairs together."""
    with ResultStore(store, read_only=True) as results:
        trials = results.trials()
    first = compare(store, resamples=50, alpha=0.01)[0]
    task = trials[trials["task_key"] == trials["task_key"].iloc[0]]
    runs = [part["report"].to_numpy() for _, part in task.groupby("method")]
    errors = []
    for one, other in itertools.combinations(runs, 2):
        found = gap(make_sample(one), make_sample(other))
        errors.append((found.error, found.freedom))
    error, freedom = sorted(errors)[len(errors) // 2]
    normal = stats.studentized_range.isf(0.01, len(runs), np.inf) / np.sqrt(2)
    critical = stats.t.isf(stats.norm.sf(normal), freedom)

    def power(shift: float) -> float:
        truth = stats.nct(freedom, shift / error)
        return float(truth.sf(critical) + truth.cdf(-critical))

    assert power(first.detectable) == pytest.approx(0.8, abs=1e-3)


def test_against_the_best_and_over_tasks(store: Path) -> None:
    (one,) = compare(store, over="tasks", against="best", resamples=50)
    assert one.blocks == 2
    assert set(one.pairs["first"]) == {one.methods[0]}
    assert len(one.pairs) == 2
    (only,) = compare(store, methods=["random", "first"], over="tasks", resamples=50)
    assert set(only.methods) == {"random", "first"}


def test_many_methods_are_compared_with_the_best_alone(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nasbench_suite.analysis.comparison._MOST_PAIRED", 2)
    for one in compare(store, resamples=50):
        assert set(one.pairs["first"]) == {one.methods[0]}
        assert len(one.pairs) == 2


def test_minimised_metrics_turn_round(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    run(toy, ["random", ("first", FirstOnly())], seeds=range(9), store=path, evaluations=30)
    (before,) = compare(path, resamples=50)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE tasks SET direction = 'minimize', seal = NULL")
    (after,) = compare(path, resamples=50)
    assert after.methods == before.methods[::-1]
    assert after.pairs["difference"].iloc[0] == pytest.approx(before.pairs["difference"].iloc[0])


def test_tasks_and_methods_that_miss_each_other_do_not_stop_the_rest(
    toy: Benchmark, tmp_path: Path
) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=range(3), store=store, evaluations=10)
    run(toy, "random,local-search", seeds=range(3), store=store, evaluations=20)
    (one,) = compare(store, resamples=50)
    assert one.task == "toy/toy, 20 evaluations"
    apart = tmp_path / "apart.sqlite"
    run(toy, "random", seeds=range(3), store=apart, evaluations=10)
    run(toy, "local-search", seeds=range(5, 8), store=apart, evaluations=10)
    (one,) = compare(apart, resamples=50)
    assert (one.blocks, one.friedman) == (0, None)
    # Seeds need not be shared: each method's own are a sample of it.
    assert one.pairs["p"].notna().all()
    assert one.pairs["better"].isna().all()
    assert one.pairs["improvement"].notna().all()


def test_comparisons_refuse_what_cannot_be_compared(store: Path, toy: Benchmark) -> None:
    with pytest.raises(SuiteError, match="did you mean 'random'"):
        compare(store, methods=["randon", "first"])
    with pytest.raises(SuiteError, match="needs two methods"):
        compare(store, methods=["random"])
    with pytest.raises(SuiteError, match="method to compare with"):
        compare(store, against="nobody")
    alone = store.with_name("alone.sqlite")
    run(toy, ["random", ("first", FirstOnly())], seeds=range(2), store=alone, evaluations=20)
    with pytest.raises(SuiteError, match="two of them"):
        compare(alone, over="tasks")


@pytest.mark.parametrize("form", ["terminal", "markdown", "latex", "csv", "json"])
def test_the_command_prints_every_form(
    store: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    build_app()(["compare", "--store", str(store), "--format", form], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "evolution" in printed
    if form == "json":
        tasks = json.loads(printed)
        assert [len(task["pairs"]) for task in tasks] == [3, 3, 3]
        assert len(tasks[0]["friedman"]["nemenyi_p"]) == 3
    if form == "csv":
        frame = pd.read_csv(io.StringIO(printed))
        assert len(frame) == 9
        assert len(set(printed.splitlines()[0].split(","))) == frame.shape[1]


def test_pairs_say_how_many_seeds_each_has(
    toy: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.sqlite"
    run(toy, ["random", ("first", FirstOnly())], seeds=range(9), store=path, evaluations=30)
    run(toy, "local-search", seeds=range(6), store=path, evaluations=30)
    build_app()(["compare", "--store", str(path)], standalone_mode=False)
    assert "6 to 9 seeds in common, differences" in capsys.readouterr().out
    build_app()(["compare", "--store", str(path), "--format", "csv"], standalone_mode=False)
    rows = pd.read_csv(io.StringIO(capsys.readouterr().out))
    within = rows["first"].eq("local-search") | rows["second"].eq("local-search")
    assert rows["blocks"].tolist() == np.where(within, 6, 9).tolist()


def test_the_command_says_how_many_seeds(capsys: pytest.CaptureFixture[str]) -> None:
    build_app()(["seeds", "--sd", "2", "--difference", "1"], standalone_mode=False)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "78 seeds of each method show a difference of 1 (in the unit of --sd)"
    assert second.startswith(
        "with a power of 0.8: Yuen's test of interquartile means of two methods"
    )
    assert "at a level of 0.05; Gaussian figures with a standard deviation of 2" in second
    with pytest.raises(SuiteError, match="either"):
        build_app()(["seeds", "--sd", "2"], standalone_mode=False)
    with pytest.raises(SuiteError, match="two seeds or more to show, not 1:"):
        build_app()(["seeds", "--sd", "2", "--seeds", "1"], standalone_mode=False)
    with pytest.raises(SuiteError, match="whose figures of --pilot"):
        build_app()(["seeds", "--sd", "2", "--seeds", "5", "--method", "a"], standalone_mode=False)
    with pytest.raises(SuiteError, match="either --sd or --pilot"):
        build_app()(["seeds", "--seeds", "5"], standalone_mode=False)


def test_the_command_says_what_a_pilot_shows(
    toy: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "r.sqlite"
    run(toy, ["random", "local-search"], seeds=range(20), store=path, evaluations=30)
    capsys.readouterr()
    words = ["seeds", "--pilot", str(path), "--seeds", "8"]
    with pytest.raises(SuiteError, match="2 methods: choose local-search, random"):
        build_app()(words, standalone_mode=False)
    build_app()([*words, "--method", "random"], standalone_mode=False)
    with ResultStore(path, read_only=True) as opened:
        trials = opened.trials()
    figures = trials.loc[trials["method"] == "random", "report"].to_numpy(float)
    shown = planning.drawn_difference(figures, 8)
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    assert first == f"a difference of {shown:.4g} points shows with 8 seeds of each method"
    assert second.startswith("with a power of 0.8: Yuen's test")
    assert second.endswith("figures of random on toy/toy, 30 evaluations, 20 seeds")
    assert not said.err
    wanted = shown * 1.01
    asked = ["seeds", "--pilot", str(path), "--method", "random", "--difference", str(wanted)]
    build_app()(asked, standalone_mode=False)
    seeds = int(capsys.readouterr().out.split()[0])
    assert planning.drawn_difference(figures, seeds) <= wanted
    assert planning.drawn_difference(figures, seeds - 1) > wanted
    few = ["seeds", "--pilot", str(tmp_path / "few.sqlite"), *words[3:]]
    run(toy, ["random"], seeds=[0], store=tmp_path / "few.sqlite", evaluations=30)
    with pytest.raises(SuiteError, match="do not differ"):
        build_app()(few, standalone_mode=False)
    assert "1 seed of a pilot tells little" in capsys.readouterr().err
    run(toy, ["random"], seeds=range(19), store=tmp_path / "few.sqlite", evaluations=30)
    capsys.readouterr()
    build_app()(few, standalone_mode=False)
    assert "19 seeds of a pilot tell little" in capsys.readouterr().err
