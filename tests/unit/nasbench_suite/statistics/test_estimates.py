"""Interquartile means, their intervals and tests, against scipy and by calibration."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from nasbench_suite.errors import SuiteError
from nasbench_suite.statistics import estimates as module
from nasbench_suite.statistics.estimates import (
    Estimate,
    difference,
    estimate,
    estimates,
    family_interval,
    family_p,
    family_quantile,
    few_distinct,
    interval_ends,
    level_of_pair,
    noise_error,
    pair_freedom,
    range_tail,
    told_apart,
    trimmed_means,
)
from nasbench_suite.statistics.planning import (
    detectable_difference,
    drawn_difference,
    drawn_seeds,
    seeds_needed,
)
from nasbench_suite.statistics.sample import make_sample, round_figures
from nasbench_suite.statistics.significance import performance_profile, probability_of_improvement


@pytest.mark.parametrize("sizes", [(20, 20), (23, 41), (150, 300)])
def test_with_many_seeds_the_difference_is_yuens_but_for_a_hundredth(
    sizes: tuple[int, int],
) -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=sizes[0]), rng.normal(0.5, 2.0, size=sizes[1])
    found = difference(make_sample(one), make_sample(other))
    peer = stats.ttest_ind(one, other, equal_var=False, trim=0.25)
    assert found.value / found.error == pytest.approx(peer.statistic, rel=0.015)
    assert 0.7 * peer.df < found.freedom < peer.df


@pytest.mark.parametrize("seeds", [2, 5, 7])
def test_with_few_seeds_the_error_is_that_of_all_figures(seeds: int) -> None:
    figures = np.random.default_rng(1).normal(size=seeds)
    mean, error, freedom = trimmed_means(figures)
    assert mean == pytest.approx(stats.trim_mean(figures, 0.25))
    drawn = stats.trim_mean(np.random.default_rng(2).normal(size=(seeds, 100_000)), 0.25).std()
    assert error == pytest.approx(figures.std(ddof=1) * drawn, rel=0.02)
    assert freedom == pytest.approx(seeds - 1, rel=0.04)


@pytest.mark.parametrize("methods", [3, 10, 45])
def test_the_range_is_scipys(methods: int) -> None:
    for width in (1.0, 3.5, 6.0):
        peer = stats.studentized_range.sf(width, methods, np.inf)
        assert range_tail(width, methods) == pytest.approx(peer, rel=1e-3)
    level = 2 * stats.norm.sf(stats.studentized_range.isf(0.05, methods, np.inf) / 2**0.5)
    assert family_quantile(methods, 8.0) == pytest.approx(stats.t.isf(level / 2, 8), rel=1e-3)
    assert family_quantile(2, 8.0) == pytest.approx(stats.t.isf(0.025, 8))


def test_test_and_interval_of_all_pairs_agree() -> None:
    gap = Estimate(1.0, 0.3, 7.5)
    for methods in (2, 3, 12):
        p = family_p(gap, methods)
        low, _ = family_interval(gap, methods, 1.0 - p)
        assert low == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize(
    ("seeds", "others"),
    [(3, 3), (5, 5), (10, 10), (16, 16), (20, 20), (20, 10), (20, 5), (10, 3)],
)
def test_the_level_of_all_pairs_of_ten_methods_is_as_stated(seeds: int, others: int) -> None:
    """By the studentised range, 0.19 of boards of 5 seeds were called different at 0.05.

    And by Welch's approximation as it is, 0.08 of 3 seeds and 0.10 of 10 and 3 seeds.
    """
    boards = 3000
    rng = np.random.default_rng(4)
    parts = [trimmed_means(rng.normal(size=((seeds, others)[m % 2], boards))) for m in range(10)]
    means, errors, freedoms = (np.stack(part) for part in zip(*parts, strict=True))
    false = np.zeros(boards, dtype=bool)
    for one, other in itertools.combinations(range(10), 2):
        variances = np.square(errors[[one, other]])
        counts = ((seeds, others)[one % 2], (seeds, others)[other % 2])
        freedom = pair_freedom(variances, freedoms[[one, other]], counts)
        gaps = np.abs(means[one] - means[other]) / np.sqrt(variances.sum(axis=0))
        false |= 2 * stats.t.sf(gaps, freedom) < level_of_pair(10)
    assert 0.035 < false.mean() < 0.062


@pytest.mark.parametrize("methods", [2, 10])
@pytest.mark.parametrize("seeds", [5, 10, 20])
def test_the_power_is_what_seeds_promises(methods: int, seeds: int) -> None:
    rng = np.random.default_rng(5)
    shown = detectable_difference(1.0, seeds, methods=methods)
    one, other = (trimmed_means(rng.normal(size=(seeds, 2000))) for _ in range(2))
    variances = np.square([one[1], other[1]])
    freedom = pair_freedom(variances, np.stack([one[2], other[2]]), (seeds, seeds))
    gaps = (one[0] - other[0] + shown) / np.sqrt(variances.sum(axis=0))
    seen = 2 * stats.t.sf(gaps, freedom) < level_of_pair(methods)
    assert seen.mean() == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("kind", ["collapse", "flat", "four values"])
@pytest.mark.parametrize("methods", [2, 5])
def test_the_power_is_what_seeds_promises_of_a_pilot(kind: str, methods: int) -> None:
    """Of figures that are not Gaussian the standard deviation promises 0.6 or 1.0 for 0.8."""
    rng = np.random.default_rng(6)
    pilot = {
        "collapse": np.where(rng.random(20_000) < 0.05, 10.0, rng.normal(94.0, 0.3, 20_000)),
        "flat": rng.uniform(90.0, 94.0, 20_000),
        "four values": rng.choice([94.37, 94.2, 94.0, 93.1], 20_000, p=[0.5, 0.2, 0.2, 0.1]),
    }[kind]
    seeds = {"collapse": 5, "flat": 20, "four values": 10}[kind]
    one, other = rng.choice(pilot, (2, seeds, 600))

    def power(shown: float) -> float:
        return float(told_apart(one + shown, other, level_of_pair(methods)).mean())

    assert power(drawn_difference(pilot, seeds, methods=methods)) == pytest.approx(0.8, abs=0.05)
    if kind != "four values":
        gaussian = detectable_difference(float(pilot.std()), seeds, methods=methods)
        assert abs(power(gaussian) - 0.8) > 0.08


def test_boards_at_once_are_decided_as_one_by_one() -> None:
    rng = np.random.default_rng(7)
    for values in (None, [94.37, 94.0], [94.37, 94.2, 94.0, 93.1]):
        one, other = (
            rng.normal(0.0, 1.0, (2, 8, 60)) if values is None else rng.choice(values, (2, 8, 60))
        )
        one = one + 0.3
        gaps = [
            difference(make_sample(a), make_sample(b)) for a, b in zip(one.T, other.T, strict=True)
        ]
        expected = [gap.value > 0 and gap.p < 0.05 for gap in gaps]
        assert told_apart(one, other, 0.05).tolist() == expected


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (lambda: seeds_needed(1.0, 1e9), "more than 1,000,000 seeds"),
        (lambda: seeds_needed(1e-300, 1.0), "more than 1,000,000 seeds"),
        (lambda: detectable_difference(1.0, 10**9), "give 1,000,000 or fewer"),
        (lambda: drawn_difference(np.arange(20.0), 10**9), "give 4,096 or fewer"),
        (lambda: detectable_difference(1.0, 10, alpha=1e-300), "choose a larger level"),
        (lambda: seeds_needed(1.0, 1.0, alpha=1e-300), "choose a larger level"),
    ],
)
def test_what_no_search_will_have_is_not_planned(plan: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        plan()


def test_a_pilot_that_tells_nothing_is_refused() -> None:
    with pytest.raises(SuiteError, match="do not differ"):
        drawn_difference(np.full(20, 94.37), 10)
    with pytest.raises(SuiteError, match="more than 4,096 seeds"):
        drawn_seeds(1e-4, np.arange(20.0))
    # Of five seeds no exchange of labels is rare enough for ten methods.
    assert drawn_difference(np.repeat([94.37, 94.0], 10), 3, methods=10) == np.inf


def test_seeds_of_others_change_nothing_and_tasks_weigh_the_same() -> None:
    few, many = make_sample(np.zeros(10), task="a"), make_sample(np.ones(200), task="b")
    assert estimate([few, many]).value == 0.5
    with pytest.raises(SuiteError, match="same tasks"):
        difference([few], [many])


def test_one_seed_has_a_figure_and_no_error() -> None:
    found = difference(make_sample([2.0]), make_sample([1.0, 1.5]))
    assert found.value == 0.75
    assert np.isnan([found.p, found.equivalence_p(9.0), *found.interval()]).all()


def test_methods_without_spread_differ_surely_only_with_many_seeds() -> None:
    two = difference(make_sample([1.0, 1.0]), make_sample([2.0, 2.0]))
    assert two.p == pytest.approx(1 / 3, abs=0.03)  # 2 of 6 ways to share out the labels
    assert difference(make_sample(np.ones(9)), make_sample(np.full(9, 2.0))).p < 0.001
    assert difference(make_sample(np.ones(9)), make_sample(np.ones(9))).p == 1.0


@pytest.mark.parametrize(("won", "lost"), [(8, 2), (9, 3), (6, 4)])
def test_figures_of_two_values_are_compared_as_fisher_did(won: int, lost: int) -> None:
    """By variances within the methods, 8 of 10 against 2 of 10 had p = 0.0005."""
    one, other = (np.repeat([1.0, 0.0], [share, 10 - share]) for share in (won, lost))
    found = difference(make_sample(one), make_sample(other))
    peer = stats.fisher_exact([[won, 10 - won], [lost, 10 - lost]]).pvalue
    assert found.p == pytest.approx(peer, rel=1e-9)
    low, high = found.interval(1.0 - found.p)
    assert min(abs(low), abs(high)) == pytest.approx(0.0, abs=1e-6)


def test_exchanges_that_are_counted_are_those_that_would_be_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(6)
    for _ in range(5):
        one, other = (make_sample(rng.choice([1.0, 2.0, 4.0, 7.0], 9)) for _ in range(2))
        counted = difference(one, other).p
        with monkeypatch.context() as drawing:
            drawing.setattr(module, "_MOST_COUNTED", 0)
            drawing.setattr(module, "_EXCHANGES", (20_000,))
            assert difference(one, other).p == pytest.approx(counted, abs=0.01)


def test_a_difference_that_any_exchange_exceeds_has_an_interval() -> None:
    one, other = np.repeat([1.0, 0.0], [2, 3]), np.repeat([1.0, 0.0], [3, 2])
    found = difference(make_sample(one), make_sample(other))
    assert found.value != 0
    assert found.p > 0.99
    assert np.isfinite(found.interval()).all()


def test_many_distinct_figures_are_not_exchanged() -> None:
    """The rule looks at the figures of both together, whichever label they have."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=10), rng.normal(size=10)
    mixed = rng.permutation(np.concatenate([one, other]))
    assert not few_distinct(one, other)
    assert not few_distinct(mixed[:10], mixed[10:])
    mixed = mixed.round()
    assert few_distinct(mixed[:10], mixed[10:])
    assert not few_distinct(np.repeat(mixed, 5), np.repeat(mixed, 5))  # 100 seeds each


@pytest.mark.parametrize(("above", "seeds"), [(6, 8), (3, 10), (4, 7)])
def test_an_interval_of_two_values_holds_what_their_shares_say(above: int, seeds: int) -> None:
    """By variances alone, 6 of 8 at the upper figure exclude that half of all are."""
    figures = np.repeat([0.0, 1.0], [seeds - above, above])
    low, high = interval_ends(*estimates(figures))
    peer = stats.beta(above + 0.5, seeds - above + 0.5).ppf([0.025, 0.975])
    least, greatest = np.clip(2 * peer - 0.5, 0.0, 1.0)
    assert low <= least + 1e-9
    assert high >= greatest - 1e-9


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.6, 0.4), (0.4, 0.3, 0.3)])
@pytest.mark.parametrize("seeds", [5, 8, 10, 20])
def test_intervals_cover_few_values_wherever_seeds_differ(
    shares: tuple[float, ...], seeds: int
) -> None:
    """By variances alone, 0.71 of 8 seeds and 0.89 of 10 with two values, half each."""
    rng = np.random.default_rng(3)
    figures = rng.choice(len(shares), (seeds, 4000), p=shares).astype(float)
    above = np.cumsum(shares[::-1])[-2::-1]
    center = np.clip(2 * above - 0.5, 0.0, 1.0).sum()
    low, high = interval_ends(*estimates(figures))
    covered = (low <= center + 1e-9) & (center <= high + 1e-9)
    assert covered[np.ptp(figures, axis=0) > 0].mean() > 0.92


def test_no_interval_goes_beyond_what_a_figure_can_be() -> None:
    mean, error, freedom = estimates([99.0, 99.9, 98.0])
    assert interval_ends(mean, error, freedom)[1] > 100.0
    low, high = interval_ends(mean, error, freedom, bounds=(0.0, 100.0))
    assert high == 100.0
    assert low == interval_ends(mean, error, freedom)[0]
    gap = Estimate(0.5, 0.4, 2.0)
    assert gap.interval()[1] > 1.0
    assert family_interval(gap, 3, bounds=(-1.0, 1.0)) == (-1.0, 1.0)


def test_every_interval_holds_its_estimate() -> None:
    """The mean of equal figures may be their optimum's neighbour: 0.1 + 0.1 + 0.1 is not 0.3."""
    beyond = 0
    for best in np.random.default_rng(8).uniform(0.0, 100.0, 200).tolist():
        found = estimate(make_sample(np.full(3, best)))
        low, high = found.interval(bounds=(0.0, best))
        assert low <= found.value <= high
        beyond += found.value > best
    assert beyond


@pytest.mark.parametrize("counts", [(5, 5, 5), (20, 20, 5), (20, 20, 20)])
def test_the_mean_over_tasks_is_covered_as_stated(counts: tuple[int, ...]) -> None:
    """It was 0.86 to 0.91 even with 20 seeds."""
    rng = np.random.default_rng(9)
    held = []
    for _ in range(2000):
        scales = zip(counts, (0.1, 0.3, 0.2), strict=True)
        tasks = [make_sample(rng.normal(0, sd, n), task=f"{sd}") for n, sd in scales]
        low, high = estimate(tasks).interval()
        held.append(low <= 0.0 <= high)
    assert np.mean(held) > 0.93


def test_twenty_equal_methods_are_called_different_as_often_as_stated() -> None:
    """The best of 20 against each other one was called better in 0.17 to 0.21 of boards."""
    rng = np.random.default_rng(10)
    drawn = rng.normal(size=(10, 20, 2000))
    means, errors, freedoms = trimmed_means(drawn)
    best, boards = means.argmax(axis=0), np.arange(2000)
    variances = np.square(np.stack([np.broadcast_to(errors[best, boards], errors.shape), errors]))
    freedom = pair_freedom(variances, np.stack([freedoms, freedoms]), (10, 10))
    gaps = (means[best, boards] - means) / np.sqrt(variances.sum(axis=0))
    false = (2 * stats.t.sf(gaps, freedom) < level_of_pair(20)).any(axis=0)
    assert 0.02 < false.mean() < 0.06


def test_noise_averages_over_returned_classes_and_not_over_seeds() -> None:
    figures, spreads = np.zeros(16), np.full(16, 0.8)
    assert noise_error(make_sample(figures), [spreads]) == pytest.approx(0.2)
    same = make_sample(figures, classes=[7] * 16)
    assert noise_error(same, [spreads]) == pytest.approx(0.8)
    assert noise_error(same, [spreads], same, [spreads]) == 0.0


def test_samples_are_checked() -> None:
    for arguments, sentence in (
        ({"figures": []}, "no figure"),
        ({"figures": [np.nan]}, "not finite"),
        ({"figures": [1.0, 2.0], "seeds": [3, 3]}, "one seed"),
    ):
        with pytest.raises(SuiteError, match=sentence):
            make_sample(**arguments)


def test_figures_that_differ_by_rounding_are_equal() -> None:
    one, other = round_figures([94.37, np.nextafter(94.37, 95)], 94.5)
    assert one == other


def test_runs_without_figures_are_refused() -> None:
    with pytest.raises(SuiteError, match="no figure"):
        probability_of_improvement([[np.nan]], [[1.0]])
    with pytest.raises(SuiteError, match="no figure"):
        performance_profile([[np.nan]], [0.5])


# -- calibration, in short; the whole is tests/benchmarks/calibration.py ---------------------------

REPETITIONS = 400


@pytest.mark.parametrize("kind", ["gaussian", "skewed", "collapse"])
def test_level_and_coverage_hold_what_they_state(kind: str) -> None:
    rng = np.random.default_rng(1)
    pool = {
        "gaussian": rng.normal(size=20_000),
        "skewed": -rng.exponential(size=20_000),
        "collapse": np.where(rng.random(20_000) < 0.05, -80.0, rng.normal(size=20_000)),
    }[kind]
    center = stats.trim_mean(pool, 0.25)
    false, error = 0, 2.6 * (0.05 * 0.95 / REPETITIONS) ** 0.5
    for _ in range(REPETITIONS):
        board = [make_sample(rng.choice(pool, 10)) for _ in range(5)]
        values = [estimate(sample).value for sample in board]
        gap = difference(board[int(np.argmax(values))], board[int(np.argmin(values))])
        false += family_p(gap, 5) < 0.05
    assert false / REPETITIONS < 0.05 + error
    for seeds in (5, 10, 20):
        low, high = interval_ends(*estimates(rng.choice(pool, (seeds, 4000))))
        assert np.mean((low <= center) & (center <= high)) > 0.93
