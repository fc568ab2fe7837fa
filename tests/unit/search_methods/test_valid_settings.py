"""Every value that a method takes of a hyper-parameter is one that it can search with.

Of the methods without a supernet each value is searched with; of all methods impossible values are
refused before anything is run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from threadpoolctl import threadpool_limits

from nasbench_suite import registry
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


MEANT = {  # settings whose 0 says something
    *("eigenvalue_every", "inherited", "rate_period", "generations", "first"),
    *("num_initial", "num_warm"),
}
ALL_CANDIDATES = {"warm-start", "zero-cost", "zero-cost-gp"}  # by candidates=0


def own_methods() -> list[str]:
    entries = registry.entries("methods")
    return [name for name, entry in entries.items() if entry.distribution == "nasbench-suite"]


@pytest.mark.parametrize("name", own_methods())
def test_numbers_that_are_impossible_are_refused(name: str) -> None:
    pytest.importorskip("torch")
    known = make_method(name).config
    for setting, default in known.items():
        if isinstance(default, bool) or not isinstance(default, int | float):
            continue
        impossible: tuple[float, ...] = (-1.0, math.nan, math.inf)
        if isinstance(default, int):
            meant = setting in MEANT or (setting == "candidates" and name in ALL_CANDIDATES)
            impossible = (-1,) if meant else (-1, 0)
        for value in impossible:
            told = rf"{setting}|{value} |a split at least|{setting[:8]}|at least 1 search"
            with pytest.raises(SuiteError, match=told):
                make_method(name, {setting: value})


@pytest.mark.parametrize(
    "settings",
    [
        "momentum=1",
        "drop_path=1",
        "selection=strenght",
        "architecture_images=all",
        "cuda_graphs=True",
    ],
)
def test_settings_that_no_supernet_has_are_refused(settings: str) -> None:
    pytest.importorskip("torch")
    setting, _, value = settings.partition("=")
    with pytest.raises(SuiteError, match=setting):
        make_method("vs-darts", {setting: value})
