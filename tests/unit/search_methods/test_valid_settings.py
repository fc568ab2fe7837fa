"""Every value that a method takes of a hyper-parameter is one that it can search with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from threadpoolctl import threadpool_limits

from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method, method_class

METHODS = (
    *("random", "local-search", "regularized-evolution", "reinforce", "bananas", "tpe"),
    *("successive-halving", "hyperband", "nsga2", "sms-emoa", "mo-regularized-evolution"),
    *("pareto-local-search", "parego", "exhaustive-predictor", "graph-vae"),
)
QUICK: dict[str, dict[str, Any]] = {
    "bananas": {"epochs": 3, "num_networks": 2, "num_layers": 2},
    "exhaustive-predictor": {"num_trees": 5},
    "graph-vae": {"num_initial": 5},
}
EVALUATIONS = 30


def values(kind: Any) -> tuple[Any, ...]:
    """Some values of a hyper-parameter's type, small ones and ones above the budget."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    if kind is bool:
        return (False, True)
    if kind is int:
        return (1, 2, 5, 40)
    return (0.0, 0.05, 3.0) if kind is float else ()


def variants(name: str) -> Iterator[dict[str, Any]]:
    """The default, then every hyper-parameter by itself; values that are refused are left out."""
    kind = method_class(name)
    hints = get_type_hints(kind)
    yield {}
    for item in fields(kind):
        for value in values(hints[item.name]) if item.init else ():
            settings = {**QUICK.get(name, {}), item.name: value}
            try:
                make_method(name, settings)
            except SuiteError:
                continue
            yield settings


@pytest.mark.parametrize("name", METHODS)
def test_every_valid_setting_searches(name: str) -> None:
    if name == "sms-emoa":
        pytest.importorskip("pymoo")
    digits = load_benchmark("digits")
    objectives: list[list[str]] = [["onnxruntime_ms"]] if name == "sms-emoa" else [[]]
    if method_class(name).multi_objective and name != "sms-emoa":
        objectives.append(["onnxruntime_ms"])
    for number, settings in enumerate(variants(name)):
        also = objectives[number % len(objectives)]
        trial = Trial(
            make_task(digits, evaluations=EVALUATIONS, objectives=also),
            make_method(name, settings),
            0,
        )
        with threadpool_limits(1):  # small matrices: more threads only wait for each other
            trial.advance()
        record = trial.result().record
        assert 0 < record.evaluations[-1] <= EVALUATIONS, settings
