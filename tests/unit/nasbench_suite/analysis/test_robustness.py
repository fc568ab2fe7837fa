"""Robustness statistics, against brute force, scipy and figures worked out by hand."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from conftest import Command
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from nasbench_suite import run
from nasbench_suite.analysis.results import read_results
from nasbench_suite.analysis.robustness import (
    conditional_value_at_risk,
    derived_curves,
    diagnostic_curves,
    rank_correlation,
    robustness,
    sensitivity,
    strength_correlation,
)
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session

mpl.use("agg")

EPOCHS = 4


@dataclass
class Teller(Method):
    """A method that recommends, logs, and returns a bad cell with one seed of four."""

    rate: float = 1.0
    bad: int = 0

    def start(self, session: Session) -> None:
        self.epoch = 0

    def step(self, session: Session) -> None:
        self.epoch += 1
        noise = session.rng.normal(size=30)
        session.log(
            self.epoch,
            entropy=1 / self.epoch + session.seed,
            alpha=self.rate * noise,
            discretisation_gap=self.rate,
            node_variance=np.full((2, 3), self.epoch) * np.array([1.0, 2.0, 3.0]),
        )
        if self.epoch == EPOCHS:
            indices = session.rng.choice(session.space.size, 50, replace=False)
            session.log(self.epoch, inherited_index=indices, inherited_accuracy=indices % 97)
        session.recommend(self.bad if session.seed % 4 == 0 else 100 + session.seed)

    @property
    def finished(self) -> bool:
        return self.epoch >= EPOCHS


@dataclass
class Random(Method):
    """Draws architectures uniformly."""

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))


@pytest.fixture(scope="module")
def store(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "r.sqlite"
    methods = [
        ("teller", Teller()),
        ("teller", Teller(rate=2.0)),
        ("random", Random()),
    ]
    run(toy, methods, seeds=range(12), evaluations=15, store=path)
    return path


# -- the tail --------------------------------------------------------------------------------------


@given(st.lists(st.floats(-100, 100), min_size=1, max_size=30), st.floats(0.01, 1))
def test_cvar_is_the_integral_of_the_quantiles_below(values: list[float], tail: float) -> None:
    ordered = np.sort(values)
    fine = (np.arange(20_000) + 0.5) / 20_000 * tail
    quantiles = ordered[np.minimum((fine * len(ordered)).astype(int), len(ordered) - 1)]
    scale = np.ptp(ordered) if len(ordered) > 1 else 1.0
    assert conditional_value_at_risk(values, tail) == pytest.approx(
        quantiles.mean(), abs=1e-3 * scale + 1e-9
    )


def test_cvar_at_its_ends() -> None:
    values = [4.0, 1.0, 3.0, 2.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    assert conditional_value_at_risk(values, 1.0) == pytest.approx(5.5)
    assert conditional_value_at_risk(values, 0.1) == 1.0
    assert conditional_value_at_risk(values, 0.2) == 1.5
    assert conditional_value_at_risk(values, 0.25) == pytest.approx((1 + 2 + 0.5 * 3) / 2.5)
    assert conditional_value_at_risk(values, 0.2, "minimize") == 9.5
    for tail in (0.0, 1.1, float("nan")):
        with pytest.raises(SuiteError, match="tail"):
            conditional_value_at_risk(values, tail)
    with pytest.raises(SuiteError, match="no values"):
        conditional_value_at_risk([])


# -- the table -------------------------------------------------------------------------------------


def test_figures_are_those_of_the_trials(toy: Benchmark, store: Path) -> None:
    rows = robustness(store, table=toy).set_index("method")
    with ResultStore(store, read_only=True) as opened:
        trials = opened.trials()
    limit = np.median(toy.values("toy_test_9"))
    for method, group in trials.groupby("method"):
        reports = group["report"].to_numpy(float)
        row = rows.loc[method]
        assert row["seeds"] == 12
        assert row["mean"] == pytest.approx(reports.mean())
        assert row["std"] == pytest.approx(reports.std(ddof=1))
        assert row["worst"] == pytest.approx(reports.min())
        assert row["cvar"] == pytest.approx(conditional_value_at_risk(reports, 0.2))
        assert row["iqm"] == pytest.approx(stats.trim_mean(reports, 0.25))
        assert row["low"] <= row["iqm"] <= row["high"]
        assert row["threshold"] == limit
        assert row["collapse"] == np.mean(reports < limit)
        cells = toy.space.all_vectors[group["architecture"].astype(int)]
        assert row["skip"] == pytest.approx(np.mean(cells == 1))
        assert row["none"] == pytest.approx(np.mean(cells == 0))
    assert (np.diff(rows["iqm"]) <= 0).all()


def test_a_threshold_may_be_given_or_is_that_of_the_space(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    run(toy, [("teller", Teller())], seeds=range(4), store=path)
    (row,) = robustness(path, table=toy).to_dict("records")
    assert row["threshold"] == np.median(toy.values("toy_test_9"))
    (row,) = robustness(path, table=toy, threshold=1e9).to_dict("records")
    assert row["collapse"] == 1
    (row,) = robustness(path).to_dict("records")  # a benchmark that is not at hand
    assert np.isnan(row["threshold"])
    assert np.isnan(row["strength_tau"])
    assert np.isnan(row["collapse"])
    assert row["entropy"] == pytest.approx(1 / EPOCHS + 1.5)


def test_what_was_logged_is_of_the_last_epoch(toy: Benchmark, store: Path) -> None:
    rows = robustness(store, table=toy).set_index("method")
    tellers = rows.loc[rows.index.str.startswith("teller")]
    assert_allclose(tellers["entropy"], 1 / EPOCHS + 5.5)
    assert sorted(tellers["discretisation_gap"]) == [1.0, 2.0]
    assert rows.loc["random", ["entropy", "strength_tau", "inherited_tau"]].isna().all()
    worth = toy.values("toy_test_9")
    with ResultStore(store, read_only=True) as opened:
        logged = opened.diagnostics()
    trials = tellers_trials(store, "teller")
    last = logged[(logged["step"] == EPOCHS) & logged["trial"].isin(trials)]
    taus = [
        stats.kendalltau(accuracies, worth[indices.astype(int)]).statistic
        for indices, accuracies in zip(
            last.loc[last["name"] == "inherited_index", "value"],
            last.loc[last["name"] == "inherited_accuracy", "value"],
            strict=True,
        )
    ]
    assert rows.loc["teller", "inherited_tau"] == pytest.approx(np.mean(taus))
    strengths = [
        strength_correlation(toy, worth, alpha)[0]
        for alpha in last.loc[last["name"] == "alpha", "value"]
    ]
    assert rows.loc["teller", "strength_tau"] == pytest.approx(np.mean(strengths))


def tellers_trials(store: Path, method: str) -> list[int]:
    trials = read_results(store).trials
    return trials.loc[trials["method"] == method, "trial"].tolist()


def test_strengths_are_ranked_against_what_operations_are_worth(toy: Benchmark) -> None:
    worth = toy.values("toy_test_9")
    vectors = toy.space.all_vectors
    means = np.array([[worth[vectors[:, e] == o].mean() for o in range(5)] for e in range(6)])
    assert strength_correlation(toy, worth, means) == pytest.approx((1.0, 1.0))
    assert strength_correlation(toy, worth, -means.ravel()) == pytest.approx((-1.0, -1.0))
    swapped = means.copy()
    order = np.argsort(means[0])
    swapped[0, order[[0, 1]]] = swapped[0, order[[1, 0]]]  # one pair of ten on one edge of six
    tau, rho = strength_correlation(toy, worth, swapped)
    assert tau == pytest.approx(1 - 0.2 / 6)
    assert rho == pytest.approx(1 - 0.1 / 6)


def test_a_constant_side_has_no_correlation() -> None:
    assert np.isnan(rank_correlation([1.0, 1.0, 1.0], [1.0, 2.0, 3.0])).all()
    assert rank_correlation([1.0, 2.0], [3.0, 4.0]) == pytest.approx((1.0, 1.0))


def test_curves_of_diagnostics_have_quartiles_over_seeds(store: Path) -> None:
    results = read_results(store)
    curves = diagnostic_curves(results, "entropy")
    one = curves[curves["method"] == "teller"].set_index("step")
    assert list(one.index) == list(range(1, EPOCHS + 1))
    assert_allclose(one["median"], 1 / one.index.to_numpy() + 5.5)
    assert_allclose(one["low"], 1 / one.index.to_numpy() + np.quantile(range(12), 0.25))
    assert_allclose(one["high"], 1 / one.index.to_numpy() + np.quantile(range(12), 0.75))
    assert set(one["seeds"]) == {12}
    nodes = diagnostic_curves(results, "node_variance")
    assert nodes["median"].iloc[:EPOCHS].tolist() == [2.0, 4.0, 6.0, 8.0]
    last = diagnostic_curves(results, "node_variance", place=(1, 2))
    assert last["median"].iloc[:EPOCHS].tolist() == [3.0, 6.0, 9.0, 12.0]
    with pytest.raises(SuiteError, match="no entry"):
        diagnostic_curves(results, "node_variance", place=7)
    assert not len(diagnostic_curves(results, "nothing"))


@dataclass
class Changing(Teller):
    """A supernet that derives one cell for an epoch, and another one from then on."""

    def step(self, session: Session) -> None:
        self.epoch += 1
        session.recommend(session.seed if self.epoch == 1 else 100 + session.seed)


def test_curves_of_derived_cells_hold_until_another_is_derived(
    toy: Benchmark, tmp_path: Path
) -> None:
    path = tmp_path / "r.sqlite"
    methods = [("changing", Changing()), ("random", Random())]
    run(toy, methods, seeds=range(5), store=path, crossfit=False)
    results = read_results(path)
    curve = derived_curves(results).set_index("step")
    assert set(curve["method"]) == {"changing"}  # who evaluates derives nothing on the way
    (task,) = results.tasks.values()
    worth = toy.values(task.report_metric)
    assert list(curve.index) == list(range(1, EPOCHS + 1))
    for step, first in enumerate((0, 100, 100, 100), start=1):
        expected = np.quantile(worth[first : first + 5], [0.25, 0.5, 0.75])
        assert_allclose(curve.loc[step, ["low", "median", "high"]].to_numpy(float), expected)
    assert set(curve["seeds"]) == {5}


def test_who_evaluates_derives_nothing(toy: Benchmark, tmp_path: Path) -> None:
    run(toy, [("random", Random())], seeds=range(2), store=tmp_path / "r.sqlite")
    assert derived_curves(read_results(tmp_path / "r.sqlite")).empty


def test_sensitivity_holds_all_else_equal(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    methods = [("teller", Teller(rate=rate, bad=bad)) for rate, bad in product((1.0, 3.0), (0, 1))]
    methods.append(("teller", Teller(rate=9.0, bad=2)))
    run(toy, methods, seeds=range(8), store=path)
    rows = sensitivity(path, "teller", "rate")
    assert list(zip(rows["others"], rows["value"], strict=True)) == [
        ("bad=0", 1.0),
        ("bad=0", 3.0),
        ("bad=1", 1.0),
        ("bad=1", 3.0),
    ]
    assert (rows["seeds"] == 8).all()
    assert (rows["worst"] <= rows["cvar"]).all()
    with pytest.raises(SuiteError, match="no finished trial of method 'teler'"):
        sensitivity(path, "teler", "rate")
    with pytest.raises(SuiteError, match="no hyper-parameter 'rat'"):
        sensitivity(path, "teller", "rat")
    alone = tmp_path / "alone.sqlite"
    run(toy, methods[:1], seeds=range(2), store=alone)
    with pytest.raises(SuiteError, match="one value of 'rate'"):
        sensitivity(alone, "teller", "rate")


# -- printed and drawn -----------------------------------------------------------------------------


def test_it_is_printed_in_every_format(store: Path, nasbench: Command) -> None:
    printed = {}
    for form in ("terminal", "markdown", "latex", "csv", "json"):
        code, printed[form], errors = nasbench("robustness", "--store", store, "--format", form)
        assert code == 0, errors
    read = pd.read_csv(io.StringIO(printed["csv"]))
    expected = robustness(store)
    assert read["worst"].tolist() == pytest.approx(expected["worst"].tolist())
    assert [row["method"] for row in json.loads(printed["json"])] == expected["method"].tolist()
    for form in ("terminal", "markdown", "latex"):
        assert "CVaR" in printed[form]
    code, text, _ = nasbench("sensitivity", "teller", "rate", "--store", store, "--format", "csv")
    assert code == 0
    assert pd.read_csv(io.StringIO(text))["value"].tolist() == [1.0, 2.0]
    code, _, errors = nasbench("sensitivity", "random", "rate", "--store", store)
    assert code == 2
    assert len(errors.splitlines()) == 1


def test_diagnostics_are_drawn(store: Path, tmp_path: Path, nasbench: Command) -> None:
    for name in ("derived", "entropy", "discretisation-gap", "node-variance"):
        path = tmp_path / f"{name}.svg"
        code, _, errors = nasbench("figure", name, "--store", store, "--output", path)
        assert code == 0, errors
        assert path.read_text().startswith("<?xml")
    code, _, errors = nasbench("figure", "eigenvalue", "--store", store, "-o", tmp_path / "e.pdf")
    assert code == 2
    assert "eigenvalue_every" in errors
