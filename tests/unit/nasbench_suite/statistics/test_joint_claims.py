"""Claims about many things at once, and about further tasks: against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from nasbench_suite.analysis.curves import matched_costs
from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics.estimates import difference, estimates, family_p
from nasbench_suite.statistics.hierarchical import hierarchical_comparison
from nasbench_suite.statistics.pareto import front_hypervolume, log_hypervolume_regret
from nasbench_suite.statistics.sample import make_sample
from nasbench_suite.statistics.simultaneous import rank_sets, simultaneous_band

# -- bands of curves -------------------------------------------------------------------------------


def test_the_whole_curve_lies_within_the_band_as_often_as_stated() -> None:
    """Random walks, whose pointwise intervals all hold at once in far fewer cases."""
    rng = np.random.default_rng(0)
    held, pointwise = 0, 0
    for _ in range(150):
        curves = rng.normal(size=(20, 40)).cumsum(axis=1)
        means, low, high = simultaneous_band(curves)
        held += bool((low <= 0).all() and (high >= 0).all())
        _, errors, freedoms = estimates(curves)
        reach = errors * special.stdtrit(freedoms, 0.975)
        pointwise += bool((np.abs(means) <= reach).all())
    assert 0.9 <= held / 150 <= 0.995
    assert pointwise / 150 < 0.85


def test_a_curve_of_one_point_many_times_has_the_pointwise_band() -> None:
    values = np.repeat(np.random.default_rng(0).normal(size=(200, 1)), 30, axis=1)
    means, low, high = simultaneous_band(values)
    _, errors, freedoms = estimates(values)
    reach = errors * special.stdtrit(freedoms, 0.975)
    assert high - means == pytest.approx(reach, rel=0.05)
    assert means - low == pytest.approx(reach, rel=0.05)


def test_independent_points_are_widened_as_sidak_says() -> None:
    values = np.random.default_rng(0).normal(size=(1000, 10))
    means, _, high = simultaneous_band(values)
    _, errors, _ = estimates(values)
    wanted = stats.norm.ppf(0.5 + 0.95 ** (1 / 10) / 2)
    assert (high - means) / errors == pytest.approx(np.full(10, wanted), rel=0.04)


def test_bands_of_one_run_and_of_runs_without_spread() -> None:
    means, low, high = simultaneous_band([[1.0, 2.0]])
    assert means.tolist() == [1.0, 2.0]
    assert np.isnan([low, high]).all()
    means, low, high = simultaneous_band(np.ones((5, 3)))
    assert low.tolist() == means.tolist() == high.tolist() == [1.0] * 3
    with pytest.raises(SuiteError, match="shape"):
        simultaneous_band([1.0, 2.0])


# -- sets of ranks ---------------------------------------------------------------------------------


def test_sets_of_ranks_are_those_of_all_orders_that_agree_with_the_verdicts() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        worth = rng.permutation(4)
        better = np.triu(np.ones((4, 4), dtype=bool), 1)[np.ix_(worth, worth)]
        better &= (rng.random((4, 4)) < 0.6) & ~better.T
        # What is shown is taken as transitive here, as sums of gaps are.
        for k, i, j in itertools.product(range(4), repeat=3):
            better[i, j] |= better[i, k] and better[k, j]
        agreeing = [
            order
            for order in itertools.permutations(range(4))
            if all(order[i] < order[j] for i, j in np.argwhere(better).tolist())
        ]
        ranks = np.array(agreeing) + 1
        expected = np.stack([ranks.min(axis=0), ranks.max(axis=0)], axis=1)
        assert np.array_equal(rank_sets(better), expected)


def test_sets_of_ranks_hold_all_true_ranks_as_often_as_stated() -> None:
    rng = np.random.default_rng(0)
    true = np.array([0.0, 0.3, 0.6, 3.0])  # ranks 4, 3, 2, 1
    held = 0
    for _ in range(80):
        samples = [make_sample(rng.normal(mean, 1.0, 10)) for mean in true]
        better = np.zeros((4, 4), dtype=bool)
        for i, j in itertools.permutations(range(4), 2):
            gap = difference(samples[i], samples[j])
            better[i, j] = gap.value > 0 and family_p(gap, 4) < 0.05
        sets = rank_sets(better)
        held += all(sets[m, 0] <= 4 - m <= sets[m, 1] for m in range(4))
    assert held / 80 >= 0.9
    with pytest.raises(SuiteError, match="square"):
        rank_sets(np.ones((2, 2), dtype=bool))


# -- hypervolumes that tell apart what comes close -------------------------------------------------


def test_the_front_has_a_scaled_hypervolume_of_one_and_its_ends_count() -> None:
    front = np.array([[0.0, 10.0], [1.0, 4.0], [3.0, 2.0]])
    assert front_hypervolume(front, front) == pytest.approx(1.0)
    # By hand: scaled to (0, 1), (1/3, 1/4), (1, 0) with reference (1.1, 1.1).
    whole = 1.1 * 0.1 + (1.1 - 1 / 3) * 0.75 + 0.1 * 0.25
    for left_out, lost in ((0, 1 / 3 * 0.1), (1, 2 / 3 * 0.75), (2, 0.1 * 0.25)):
        fewer = front_hypervolume(np.delete(front, left_out, axis=0), front)
        assert fewer == pytest.approx(1.0 - lost / whole)
    assert front_hypervolume([[3.5, 11.0]], front) == 0.0
    assert front_hypervolume(np.empty((0, 2)), front) == 0.0
    assert front_hypervolume(front * [2.0, 5.0], front * [2.0, 5.0]) == pytest.approx(1.0)


def test_the_logarithm_tells_apart_what_comes_close() -> None:
    found = log_hypervolume_regret([0.9, 0.99, 0.999, 1.0, 1.2])
    assert found == pytest.approx([-1.0, -2.0, -3.0, -6.0, -6.0])


# -- costs -----------------------------------------------------------------------------------------


def test_costs_are_those_at_which_curves_stay_as_good() -> None:
    curves = pd.DataFrame(
        {
            "task": "t",
            "method": ["a"] * 4 + ["b"] * 4 + ["c"] * 4,
            "budget": [1.0, 2.0, 4.0, 8.0] * 3,
            "regret": [9, 5, 3, 3, 3, 4, 2, 1, 9, 9, 9, 4],
        }
    )
    found = matched_costs(curves, "a").set_index("method")
    assert found["target"].unique().tolist() == [3.0]
    assert found["budget"].tolist() == pytest.approx([4.0, 4.0, np.nan], nan_ok=True)
    assert matched_costs(curves, "c").set_index("method").loc["b", "speedup"] == 8.0
    with pytest.raises(SuiteError, match="curves"):
        matched_costs(curves, "d")


# -- further tasks ---------------------------------------------------------------------------------


def grid_posterior(tasks: list[np.ndarray], rope: float) -> list[float]:
    """The same model by sums over grids of what it has in common, and over each task's mean."""
    means = np.array([task.mean() for task in tasks])
    counts = np.array([len(task) for task in tasks])
    spread = max(task.std(ddof=1) for task in tasks)
    mu = np.linspace(-30, 30, 601) * spread
    # A flat prior of the standard deviation up to far out makes Student's t of n - 2 of a mean.
    likelihoods = []
    for task, mean, count in zip(tasks, means, counts, strict=True):
        sums = np.square(task - mean).sum() + count * np.square(mu - mean)
        likelihoods.append(sums ** (-(count - 1) / 2))
    locations = np.linspace(-4, 4, 41) * spread
    scales = np.geomspace(0.05, 40, 24) * spread
    freedoms = np.geomspace(1.0, 100.0, 5)
    wins, total = np.zeros(3), 0.0
    for freedom in freedoms:
        prior = freedom**2 * np.exp(-0.1 * freedom)  # gamma of shape 2, by log steps
        for scale in scales:
            density = stats.t.pdf((mu - locations[:, None]) / scale, freedom) / scale
            weight = prior * scale  # flat, by log steps
            for likelihood in likelihoods:
                weight = weight * (density @ likelihood)
            below = special.stdtr(freedom, (-rope - locations) / scale)
            above = special.stdtr(freedom, (locations - rope) / scale)
            most = np.argmax([below, 1 - below - above, above], axis=0)
            for place in range(3):
                wins[place] += weight[most == place].sum()
            total += weight.sum()
    return (wins / total).tolist()


@pytest.mark.parametrize(("shift", "rope"), [(0.3, 0.2), (0.0, 1.0)])
def test_the_hierarchical_comparison_is_its_model_summed_over_a_grid(
    shift: float, rope: float
) -> None:
    rng = np.random.default_rng(3)
    tasks = [rng.normal(shift + rng.normal(0, 0.3), 1.0, n) for n in (6, 8, 10, 5)]
    found = hierarchical_comparison(tasks, rope, samples=3000)
    assert [found.worse, found.equal, found.better] == pytest.approx(
        grid_posterior(tasks, rope), abs=0.08
    )


def test_one_task_says_next_to_nothing_of_further_ones() -> None:
    rng = np.random.default_rng(0)
    one = hierarchical_comparison([rng.normal(1.0, 0.1, 50)], 0.1, samples=1500)
    assert one.better < 0.9
    many = hierarchical_comparison([rng.normal(1.0, 0.1, 5) for _ in range(12)], 0.1, samples=1500)
    assert many.better > 0.99


def test_sides_are_turned_round() -> None:
    rng = np.random.default_rng(0)
    tasks = [rng.normal(0.3, 1.0, 8) for _ in range(4)]
    one = hierarchical_comparison(tasks, 0.2, samples=2000)
    other = hierarchical_comparison([-task for task in tasks], 0.2, samples=2000)
    assert one.better == pytest.approx(other.worse, abs=0.05)
    equal = hierarchical_comparison([np.zeros(5), np.zeros(3)], 0.1, samples=1500)
    assert equal.equal > 0.5
    for bad in ([], [[1.0]], [[1.0, np.nan]]):
        with pytest.raises(SuiteError, match="two seeds"):
            hierarchical_comparison(bad)
