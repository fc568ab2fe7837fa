"""Trainings that go on, and simulated workers: what is charged, and what the clock says."""

from __future__ import annotations

import heapq
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from nasbench_suite import run
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.store import ResultStore
from nasbench_suite.submissions.files import make_submission
from nasbench_suite.submissions.verifying import verify_submission
from nasbench_suite.tasks import BudgetSpent, Session, make_task
from nasbench_suite.tasks.methods import make_method


def times(toy: Benchmark, epochs: int) -> np.ndarray:
    return toy.values(f"toy_train_time_{epochs}")


def test_more_epochs_are_charged_the_difference_if_asked_for(toy: Benchmark) -> None:
    session = Session(make_task(toy, simulated_seconds=1e9, continued=True), 0)
    spent, seconds = [], []
    for index, epochs in ((4, 1), (5, 9), (4, 3), (4, 9), (4, 9), (4, 1), (4, 3)):
        session.evaluate(index, epochs)
        spent.append(session.evaluations)
        seconds.append(session.seconds)
    # The fifth is a training anew, and what follows goes on with the last training alone.
    assert_allclose(np.diff(spent, prepend=0), [1 / 9, 1, 2 / 9, 6 / 9, 1, 1 / 9, 2 / 9])
    one, three, nine = (times(toy, epochs)[4] for epochs in (1, 3, 9))
    took = [one, times(toy, 9)[5], three - one, nine - three, nine, one, three - one]
    assert_allclose(np.diff(seconds, prepend=0), took)


def test_tasks_without_either_keep_their_keys(toy: Benchmark) -> None:
    config = make_task(toy).config
    assert not {"continued", "workers"} & config.keys()
    keys = {
        make_task(toy, **more).key
        for more in ({}, {"continued": True}, {"workers": 2}, {"workers": 3})
    }
    assert len(keys) == 4
    assert make_task(toy, continued=False, workers=1).key == make_task(toy).key


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"workers": 0}, "give 1 or more"),
        ({"workers": 10**9}, "give 10,000 or fewer"),
        ({"workers": 2, "objectives": ["toy_valid_3"]}, "one objective"),
        ({"continued": True, "answers": "sample"}, "has one seed"),
    ],
)
def test_what_cannot_be_is_refused(toy: Benchmark, arguments: dict, sentence: str) -> None:
    with pytest.raises(SuiteError, match=sentence):
        make_task(toy, **arguments)


def test_the_clock_is_that_of_the_workers(toy: Benchmark) -> None:
    """Against a simulation of its own: jobs in order, each on the worker that is free first."""
    workers, jobs = 3, [int(i) for i in np.random.default_rng(0).integers(0, 15625, 30)]
    session = Session(make_task(toy, evaluations=30, workers=workers), 0)
    session.evaluate_batch(jobs)
    free = [0.0] * workers
    ends = []
    for job in jobs:
        start = heapq.heappop(free)
        ends.append((start + times(toy, 9)[job], job))
        heapq.heappush(free, ends[-1][0])
    ends.sort()
    record = session.record()
    assert_allclose(record.seconds, [end for end, _ in ends])
    assert record.architectures.tolist() == [job for _, job in ends]
    assert_allclose(record.evaluations, np.arange(1, 31))
    alone = Session(make_task(toy, evaluations=30), 0)
    signals = alone.evaluate_batch(jobs)
    assert signals == Session(make_task(toy, evaluations=30, workers=workers), 0).evaluate_batch(
        jobs
    )
    assert alone.record().architectures.tolist() == jobs
    assert session.seconds < alone.seconds / 2


def test_what_runs_when_the_budget_ends_is_recorded(toy: Benchmark) -> None:
    session = Session(make_task(toy, evaluations=5, workers=4), 0)
    with pytest.raises(BudgetSpent):
        session.evaluate_batch(range(9))
    assert sorted(session.record().architectures.tolist()) == [0, 1, 2, 3, 4]
    assert session.exhausted
    limit = float(np.sort(times(toy, 9)[:4])[2])
    session = Session(make_task(toy, simulated_seconds=limit, workers=4), 0)
    with pytest.raises(BudgetSpent):
        session.evaluate_batch(range(9))
    assert session.record().seconds.max() <= limit


def test_no_more_begin_than_there_are_workers(toy: Benchmark) -> None:
    session = Session(make_task(toy, workers=2), 0)
    with pytest.raises(SuiteError, match="No evaluation runs"):
        session.collect()
    for index in (3, 4):
        session.begin(index, 1)
    with pytest.raises(SuiteError, match="All 2 workers are busy"):
        session.begin(5)
    finished = session.collect()
    assert finished.architecture == min((3, 4), key=lambda index: times(toy, 1)[index])
    assert session.free_workers == 1


def test_a_search_with_workers_goes_on_from_its_checkpoint(toy: Benchmark) -> None:
    task = make_task(toy, evaluations=20, workers=3, continued=True)
    session, whole = Session(task, 0), Session(task, 0)
    for number in range(24):
        if number == 11:
            state = session.state()
            for key, value in state.items():  # as a checkpoint keeps them
                if not isinstance(value, np.ndarray):
                    state[key] = json.loads(json.dumps(value))
            session = Session(task, 0)
            session.restore(state)
        for each in (session, whole):
            while each.free_workers:
                each.begin(int(each.rng.integers(4)), int(each.rng.choice([1, 3, 9])))
            each.collect()
    one, other = session.record(), whole.record()
    assert_array_equal(one.architectures, other.architectures)
    assert_array_equal(one.seconds, other.seconds)
    assert_array_equal(one.evaluations, other.evaluations)


def search(toy: Benchmark, name: str, seed: int = 0, **task):
    trial = Trial(make_task(toy, **task), make_method(name, {"eta": 3}), seed)
    trial.advance()
    return trial


def test_asha_promotes_whatever_is_among_the_best_of_its_rung(toy: Benchmark) -> None:
    """Every entry of a search with one worker, against the rule as the paper says it."""
    record = search(toy, "asha", evaluations=30).session.record()
    rungs: dict[int, list[tuple[float, int]]] = {1: [], 3: [], 9: []}
    promoted: dict[int, list[int]] = {1: [], 3: []}
    counts = {1: 0, 3: 0, 9: 0}
    for index, epochs, signal in zip(
        record.architectures.tolist(),
        record.epochs.tolist(),
        record.signals[:, 0].tolist(),
        strict=True,
    ):
        due = None
        for low, high in ((3, 9), (1, 3)):  # from the highest rung down
            ranked = sorted(rungs[low], reverse=True)[: len(rungs[low]) // 3]
            waiting = [each for _, each in ranked if each not in promoted[low]]
            if waiting and due is None:
                due = (waiting[0], high)
                promoted[low].append(waiting[0])
        assert epochs == 1 if due is None else (index, epochs) == due
        rungs[epochs].append((signal, index))
        counts[epochs] += 1
    assert counts[1] > counts[3] > counts[9] > 3


def test_no_worker_of_asha_waits_and_those_of_successive_halving_do(toy: Benchmark) -> None:
    """The share of the workers' time until the last evaluation that something was trained."""

    def busy(name: str) -> float:
        record = search(toy, name, simulated_seconds=400, workers=8).session.record()
        took = sum(
            times(toy, epochs)[record.architectures[record.epochs == epochs]].sum()
            for epochs in (1, 3, 9)
        )
        return float(took / (8 * record.seconds[-1]))

    assert busy("asha") > 0.9
    assert busy("successive-halving") < busy("asha") - 0.1


def test_claims_of_continued_searches_are_computed_again(toy: Benchmark, tmp_path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "successive-halving,random", seeds=[0, 1], evaluations=9, continued=True, store=store)
    run(toy, "asha", seeds=[0], evaluations=9, workers=2, store=store)
    submission = make_submission(store, tmp_path / "s.nasbench.json.gz")
    faults = verify_submission(submission, load=lambda name: toy).faults
    assert [fault.kind for fault in faults] == ["task"]
    assert "workers are simulated" in faults[0].what
    with ResultStore(store, read_only=True) as results:
        spent = [results.record(int(t)).evaluations[-1] for t in results.trials()["trial"]]
    assert max(spent) <= 9
