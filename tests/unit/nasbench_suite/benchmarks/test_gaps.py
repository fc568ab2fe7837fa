"""Architectures without a figure: in the table, in its file, in searches, in what they return."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from nasbench_suite import registry
from nasbench_suite.benchmarks import Metric, load_benchmark, make_benchmark
from nasbench_suite.benchmarks.library import describe_benchmark, verify_benchmark
from nasbench_suite.benchmarks.noise import noise_floor
from nasbench_suite.benchmarks.table import REASONS
from nasbench_suite.benchmarks.table_file import read_benchmark, read_metadata, write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.rows import task_row
from nasbench_suite.runner import Trial
from nasbench_suite.spaces import PoolSpace, load_finite_space
from nasbench_suite.tasks import Session, make_task
from nasbench_suite.tasks.methods import make_method
from search_methods.gaps import filled
from search_methods.random_search import RandomSearch

SPACE = load_finite_space("nats-tss")
VALID, TEST, COST, TIME = "made_valid_12", "made_test_12", "phone_ms", "made_train_time_12"


def table(share=0.3, **missing):
    """A made table in which a share of the figures of the signal are not available."""
    rng = np.random.default_rng(5)
    worth = rng.normal(size=(6, 5))
    quality = 80 + worth[np.arange(6), SPACE.all_vectors].sum(axis=1)
    cost = 5 + rng.random((6, 5))[np.arange(6), SPACE.all_vectors].sum(axis=1)
    metrics = [
        Metric(VALID, dataset="made", split="valid", epochs=12, seeds=(1, 2)),
        Metric(TEST, dataset="made", split="test", epochs=12),
        Metric(COST, "latency", "ms", "minimize"),
        Metric(TIME, "training_time", "s", "minimize", "made", epochs=12),
    ]
    columns = {
        f"{VALID}@1": quality + rng.normal(scale=0.2, size=SPACE.size),
        f"{VALID}@2": quality + rng.normal(scale=0.2, size=SPACE.size),
        TEST: quality + rng.normal(scale=0.2, size=SPACE.size),
        COST: cost,
        TIME: rng.uniform(1, 2, SPACE.size),
    }
    if share and not missing:
        reason = rng.integers(1, len(REASONS), SPACE.size)
        missing = {VALID: np.where(rng.random(SPACE.size) < share, reason, 0)}
    return make_benchmark("gaps", SPACE, metrics, columns, missing=missing)


@pytest.fixture(scope="module")
def gaps():
    return table()


# -- the table and its file -----------------------------------------------------------------------


def test_figures_that_are_not_available_are_nan_with_a_reason(gaps):
    codes = gaps.reasons(VALID)
    assert gaps.reasons(TEST) is None
    assert_array_equal(np.isnan(gaps.values(VALID)), codes > 0)
    assert np.isnan(gaps.seed_values(VALID)[codes > 0]).all()
    assert sum(gaps.missing(VALID).values()) == (codes > 0).sum() > 4_000
    assert gaps.missing(VALID)["training failed"] == (codes == 3).sum()
    assert np.isnan(gaps.query(int(np.argmax(codes > 0)), VALID))
    assert gaps.values(VALID)[gaps.best(VALID)] == np.nanmax(gaps.values(VALID))
    noise = noise_floor(gaps, VALID)
    assert noise is not None
    assert np.isfinite([noise.floor, noise.sd, noise.max_range]).all()
    assert np.isfinite(noise_floor(gaps, VALID, "seeds").floor)


def test_a_figure_needs_to_be_finite_or_a_reason():
    figures = np.arange(SPACE.size, dtype=float)
    figures[7] = np.nan
    metric = [Metric("x")]
    codes = np.zeros(SPACE.size, dtype=int)
    with pytest.raises(SuiteError, match=r"architecture 7 .* or a reason why it has none"):
        make_benchmark("t", SPACE, metric, {"x": figures})
    with pytest.raises(SuiteError, match=r"architecture 7 .* or a reason why it has none"):
        make_benchmark("t", SPACE, metric, {"x": figures}, missing={"x": codes})
    codes[7] = 2
    made = make_benchmark("t", SPACE, metric, {"x": figures}, missing={"x": codes})
    assert made.missing("x") == {"rejected by the compiler": 1}
    for wrong, sentence in (
        ({"y": codes}, "Unknown metric with gaps 'y'"),
        ({"x": codes[:5]}, "give a whole number for each"),
        ({"x": codes + 4}, "they are positions in available"),
        ({"x": codes * 0 + 1}, "not available of any architecture"),
    ):
        with pytest.raises(SuiteError, match=sentence):
            make_benchmark("t", SPACE, metric, {"x": figures}, missing=wrong)


def test_the_file_keeps_gaps_and_their_checksum(gaps, tmp_path):
    path, full = tmp_path / "gaps.parquet", tmp_path / "full.parquet"
    write_benchmark(gaps, path)
    write_benchmark(table(share=0), full)
    assert read_metadata(path)["format"] == 2
    assert read_metadata(full)["format"] == 1  # as ever: earlier versions read it
    again = read_benchmark(path)
    assert_array_equal(again.reasons(VALID), gaps.reasons(VALID))
    assert_array_equal(again.values(VALID), gaps.values(VALID))
    assert again.compute_checksum() == again.checksum == gaps.checksum
    assert verify_benchmark(path).faults == []
    assert path.stat().st_size < full.stat().st_size  # a reason costs less than a figure
    described = {m["name"]: m["missing"] for m in describe_benchmark(again)["metrics"]}
    assert described == {VALID: gaps.missing(VALID), TEST: {}, COST: {}, TIME: {}}
    other = gaps.reasons(VALID).copy()
    other[other == 1] = 2
    assert table(**{VALID: other}).checksum != gaps.checksum


def test_a_table_without_gaps_keeps_its_checksum():
    digits = load_benchmark("digits")
    assert digits.compute_checksum() == digits.checksum


def test_a_gap_without_its_reason_is_a_fault_of_the_file(gaps, tmp_path):
    path = tmp_path / "broken.parquet"
    columns = {name: values for name, values in gaps.columns.items() if "@missing" not in name}
    vars(gaps).pop("checksum", None)
    write_benchmark(replace(gaps, columns=columns), path)
    assert any("not finite" in fault for fault in verify_benchmark(path).faults)


# -- partial tables -------------------------------------------------------------------------------


def test_a_partial_table_is_a_pool_of_its_rows(gaps, tmp_path):
    chosen = np.random.default_rng(1).choice(SPACE.size, 900, replace=False)
    part = gaps.restricted(chosen)
    path = tmp_path / "part.parquet"
    write_benchmark(part, path)
    again = read_benchmark(path)
    assert isinstance(again.space, PoolSpace)
    assert again.space.name == "nats-tss[900]"
    assert again.space.strings == tuple(SPACE.string(int(index)) for index in chosen)
    assert again.compute_checksum() == again.checksum == part.checksum
    assert verify_benchmark(path).faults == []
    for metric in (VALID, TEST, COST):
        assert_array_equal(again.values(metric), gaps.values(metric)[chosen])
    assert_array_equal(again.reasons(VALID), gaps.reasons(VALID)[chosen])
    assert again.query(SPACE.string(int(chosen[3])), COST) == gaps.values(COST)[chosen[3]]
    assert gaps.restricted(chosen[::-1]).checksum != part.checksum
    trial = Trial(make_task(again, evaluations=30), RandomSearch(), 0)
    trial.advance()
    assert trial.result().record.architectures.max() < 900


# -- searches -------------------------------------------------------------------------------------


def test_a_session_answers_minus_infinity_and_charges(gaps):
    session = Session(make_task(gaps, evaluations=10, objectives=[COST]), 0)
    gone = int(np.argmax(gaps.reasons(VALID) > 0))
    there = int(np.argmax(gaps.reasons(VALID) == 0))
    assert session.evaluate(gone) == -np.inf
    assert_array_equal(session.evaluate_all(gone), [-np.inf, -np.inf])
    assert session.evaluate_all(there)[1] == -gaps.values(COST)[there]
    record = session.record()
    assert_array_equal(np.isnan(record.signals).all(axis=1), [True, True, False])
    assert_array_equal(record.evaluations, [1, 2, 3])
    assert (record.seconds > 0).all()


def test_a_training_without_a_time_is_charged_the_mean():
    codes = np.zeros(SPACE.size, dtype=int)
    codes[5] = 3
    made = table(**{TIME: codes})
    session = Session(make_task(made, simulated_seconds=100), 0)
    session.evaluate(5)
    assert session.seconds == np.nanmean(made.values(TIME))


def test_optimum_and_front_are_of_what_is_available(gaps):
    codes = gaps.reasons(VALID).copy()
    codes[gaps.best(TEST)] = 2
    gaps = table(**{VALID: codes})
    task = make_task(gaps, evaluations=10)
    assert task.optimum == gaps.values(TEST)[codes == 0].max() < gaps.values(TEST).max()
    both = make_task(gaps, evaluations=10, objectives=[COST])
    assert codes[both.measure.front].sum() == 0
    chosen = np.flatnonzero(codes == 0)
    complete = make_task(gaps.restricted(chosen), evaluations=10, objectives=[COST])
    assert_array_equal(both.measure.front_losses, complete.measure.front_losses)
    assert both.measure.volume == complete.measure.volume
    assert task_row(both).measure["front"] == task_row(complete).measure["front"]


def test_nothing_without_figures_is_returned(gaps):
    task = make_task(gaps, evaluations=3)
    gone = np.flatnonzero(gaps.reasons(VALID))[:3].tolist()

    class Unlucky(RandomSearch):
        def step(self, session):
            session.evaluate(gone[session.trainings % 3])

    trial = Trial(task, Unlucky(), 0)
    with pytest.raises(SuiteError, match="No architecture that was evaluated, of 3, has figures"):
        _ = trial.advance(), trial.result()

    class Persuaded(RandomSearch):
        def step(self, session):
            session.evaluate(int(np.argmax(gaps.reasons(VALID) == 0)))
            session.recommend(gone[0])

    trial = Trial(task, Persuaded(), 0)
    trial.advance()
    assert np.isfinite(trial.result().incumbents.reports).all()


BLACK_BOX = [
    *("random", "local-search", "regularized-evolution", "reinforce", "bananas", "tpe"),
    *("successive-halving", "hyperband", "exhaustive-predictor", "graph-vae"),
]
MULTI_OBJECTIVE = [
    *("random", "nsga2", "sms-emoa", "mo-regularized-evolution", "pareto-local-search"),
    *("parego", "exhaustive-predictor", "graph-vae"),
]
QUICK = {
    "bananas": {"epochs": 3},
    "regularized-evolution": {"population_size": 10, "sample_size": 3},
    "parego": {"num_initial": 20},
}


def test_every_method_without_a_network_of_its_own_is_tested():
    assert {*BLACK_BOX, *MULTI_OBJECTIVE} <= set(registry.entries("methods"))


@pytest.mark.parametrize("share", ["most", "some"])
@pytest.mark.parametrize(
    ("name", "also"),
    [*((name, []) for name in BLACK_BOX), *((name, [COST]) for name in MULTI_OBJECTIVE)],
)
def test_methods_survive_gaps(gaps, name, also, share):
    benchmark = gaps
    if share == "most":  # so that the first evaluations have no figure, for every seed
        codes = np.where(np.random.default_rng(0).random(SPACE.size) < 0.9, 3, 0)
        benchmark = table(**{VALID: codes})
    task = make_task(benchmark, evaluations=60, objectives=also)
    trial = Trial(task, make_method(name, QUICK.get(name, {})), 0)
    trial.advance()
    result = trial.result()
    missing = np.isnan(result.record.signals).any(axis=1)
    codes = benchmark.reasons(VALID)
    assert_array_equal(missing, codes[result.record.architectures] > 0)
    assert 0 < missing.sum() < len(missing)
    assert np.isfinite(result.incumbents.reports).all()
    kept = result.incumbents.architectures if not also else result.front.architectures
    assert codes[kept].sum() == 0


def test_what_is_not_available_is_as_bad_as_the_worst():
    losses = np.array([[1.0, 5.0], [np.inf, np.inf], [3.0, 2.0]])
    assert_array_equal(filled(losses), [[1, 5], [3, 5], [3, 2]])
    assert filled(losses[:1]) is not losses
    assert_array_equal(filled(losses[:1]), losses[:1])
    assert_array_equal(filled(np.array([np.inf, 2.0])), [2, 2])
    assert_array_equal(filled(np.full((2, 2), np.inf)), np.zeros((2, 2)))
