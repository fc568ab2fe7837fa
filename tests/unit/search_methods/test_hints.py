"""Methods and settings that cannot do on a task what their names say."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields
from functools import cache

import numpy as np
import pytest

from nasbench_suite import Search
from nasbench_suite import run as run_in_python
from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.runner import Trial, run
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks import Method, Task, make_task
from nasbench_suite.tasks.methods import describe_methods, make_method, method_class
from nasbench_suite.testing.toys import toy_benchmark

QUICK = {"population_size": 6, "sample_size": 3, "num_initial": 6, "configurations": 27}
BUDGET = 20
SEARCHERS = ("black box", "predictor", "Pareto", "multi-fidelity")
LEFT_OUT = ("latent-search",)  # trains an auto-encoder for long


@pytest.mark.parametrize(
    ("name", "settings", "evaluations", "hinted"),
    [
        ("regularized-evolution", {}, 100, True),
        ("regularized-evolution", {}, 101, False),
        ("nsga2", {}, 20, True),
        ("nsga2", {}, 21, False),
        ("mo-regularized-evolution", {"population_size": 50}, 50, True),
        ("sms-emoa", {}, 200, False),
        ("tpe", {}, 10, True),
        ("parego", {}, 65, True),  # 11 d - 1
        ("parego", {}, 66, False),
        ("optuna", {}, 10, True),
        ("optuna", {"settings": {"n_startup_trials": 2}}, 10, False),
        ("optuna", {"sampler": "NSGAIISampler"}, 50, True),
        ("optuna", {"sampler": "RandomSampler"}, 5, False),
        ("random", {}, 5, False),
        ("hyperband", {}, 50, False),
        ("successive-halving", {"eta": 1000}, 50, True),
        ("successive-halving", {"configurations": 80}, 10, True),
        ("successive-halving", {"configurations": 80}, 11, False),
        ("hyperband", {"eta": 1000}, 50, True),
    ],
)
def test_what_never_evolves_or_halves_says_so(name, settings, evaluations, hinted):
    task = make_task(load_benchmark("digits"), evaluations=evaluations)
    assert bool(make_method(name, settings).hints(task)) == hinted


@pytest.mark.parametrize(("share", "hinted"), [(0.9, True), (1.1, False)])
def test_seconds_are_counted_by_the_mean_training(share, hinted):
    benchmark = toy_benchmark(load_space("nats-tss"))
    mean = benchmark.values("toy_train_time_9").mean()
    for workers in (1, 2):
        task = make_task(benchmark, simulated_seconds=100 * share * mean / workers, workers=workers)
        hints = make_method("regularized-evolution").hints(task)
        assert bool(hints) == hinted
        assert not hinted or "the budget covers about 90" in hints[0]


@cache
def tasks(objectives: int) -> tuple[Task, Task]:
    """Two tasks that differ in their figures alone."""
    also = ["chip_ms"] if objectives > 1 else []
    one, other = (
        make_task(toy_benchmark(load_space("nats-tss"), seed), evaluations=BUDGET, objectives=also)
        for seed in (0, 1)
    )
    return one, other


def spent_alike(method: Method, seed: int) -> float:
    """What two searches with one seed spend before they differ, as what they are told does."""
    records = []
    for task in tasks(2 if method.multi_objective else 1):
        trial = Trial(task, deepcopy(method), seed)
        trial.advance()
        records.append(trial.session.record())
    asked = [np.stack([record.architectures, record.epochs], axis=1) for record in records]
    length = min(map(len, asked))
    (apart,) = np.nonzero((asked[0][:length] != asked[1][:length]).any(axis=1))
    last = apart[0] - 1 if len(apart) else length - 1
    return float(records[0].evaluations[last])


@pytest.mark.parametrize(
    "name",
    [
        method["name"]
        for method in describe_methods()
        if method["distribution"] == "nasbench-suite"
        and method["family"] in SEARCHERS
        and not method["lack"]
        and method["name"] not in LEFT_OUT
    ],
)
def test_a_beginning_is_as_long_as_a_method_says(name):
    """Until then figures decide nothing, and right after it they do; with no beginning, soon."""
    known = {item.name for item in fields(method_class(name))}
    method = make_method(name, {key: value for key, value in QUICK.items() if key in known})
    first, _ = method.beginning(tasks(2 if method.multi_objective else 1)[0])
    found = min(spent_alike(method, seed) for seed in range(4))
    assert found == pytest.approx(first) if first else found < 6


def test_a_run_tells_its_hints(tmp_path):
    told = []
    summary = run(
        "digits",
        "random,regularized-evolution",
        seeds=[0],
        evaluations=5,
        store=tmp_path / "r.sqlite",
        on_hint=told.append,
    )
    (hint,) = summary.hints
    assert told == [hint]
    assert hint.startswith("regularized-evolution on digits")
    assert "its beginning takes 100 evaluations and the budget is 5 evaluations" in hint


def test_in_python_hints_are_warnings_at_the_line_that_asked(tmp_path):
    with pytest.warns(UserWarning, match="smaller population_size") as told:
        run_in_python(
            "digits",
            "regularized-evolution",
            seeds=2,
            evaluations=5,
            store=tmp_path / "r.sqlite",
        )
    assert [one.filename for one in told] == [__file__]
    with pytest.warns(UserWarning, match="the budget is 30 evaluations") as told:
        Search("regularized-evolution", evaluations=30)
    assert [one.filename for one in told] == [__file__]


def test_a_search_without_further_words_searches(recwarn):
    Search()
    assert not recwarn
