"""Methods and settings that cannot do on a task what their names say."""

from __future__ import annotations

import pytest

from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.runner import run
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method


@pytest.mark.parametrize(
    ("name", "settings", "evaluations", "hinted"),
    [
        ("regularized-evolution", {}, 100, True),
        ("regularized-evolution", {}, 101, False),
        ("nsga2", {}, 20, True),
        ("nsga2", {}, 21, False),
        ("mo-regularized-evolution", {"population_size": 50}, 50, True),
        ("sms-emoa", {}, 200, False),
        ("random", {}, 5, False),
        ("hyperband", {}, 50, False),
        ("successive-halving", {"eta": 1000}, 50, True),
        ("hyperband", {"eta": 1000}, 50, True),
    ],
)
def test_what_never_evolves_or_halves_says_so(name, settings, evaluations, hinted):
    task = make_task(load_benchmark("digits"), evaluations=evaluations)
    assert bool(make_method(name, settings).hints(task)) == hinted


def test_a_run_tells_its_hints(tmp_path):
    summary = run(
        "digits",
        "random,regularized-evolution",
        seeds=[0],
        evaluations=5,
        store=tmp_path / "r.sqlite",
    )
    (hint,) = summary.hints
    assert hint.startswith("regularized-evolution on digits")
    assert "population_size=100 is not below the budget of 5 evaluations" in hint
