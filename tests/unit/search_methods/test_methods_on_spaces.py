"""Every black-box method on every space, sampled and whole; every supernet on every space of cells.

A method searches, or is refused before anything is asked: there is nothing between.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np
import pytest

from nasbench_suite import registry
from nasbench_suite.benchmarks import Benchmark, Metric
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import Trial
from nasbench_suite.runner.larger_budgets import goes_on
from nasbench_suite.spaces import load_space
from nasbench_suite.tasks import Task, make_task
from nasbench_suite.tasks.methods import make_method
from nasbench_suite.testing import Computed

VALID, TEST, COST = "made_valid_9", "made_test_9", "cost"
EVALUATIONS, MEMBERS = 10, 40
SMALL = {
    "population_size": 5,
    "sample_size": 2,
    "num_initial": 5,
    "batch_size": 4,
    "num_candidates": 6,
    "epochs": 20,
    "num_networks": 1,
    "num_layers": 2,
    "configurations": 4,
}
LEFT_OUT = {
    "graph-vae": "needs a trained embedding",
    "exhaustive-predictor": "trains for long",
    "latent-search": "trains an auto-encoder: see test_latent_search.py",
    **dict.fromkeys(
        ("zero-cost", "warm-start", "zero-cost-gp"), "score networks: see test_zero_cost.py"
    ),
}


def on_space(name: str) -> Computed:
    """Figures by the hash of an architecture's string, for any space."""
    space = load_space(name)
    metrics = [
        Metric(VALID, dataset="made", split="valid", epochs=9),
        Metric(TEST, dataset="made", split="test", epochs=9),
        Metric("made_valid_1", dataset="made", split="valid", epochs=1),
        Metric(COST, "latency", "ms", "minimize"),
    ]
    return Computed(
        f"made-{name}", space, metrics, lambda one, metric: made(space.string(one), metric)
    )


def made(string: str, metric: str) -> float:
    digest = hashlib.sha256(f"{string} {metric[:6]}".encode()).digest()
    return 50 + 50 * int.from_bytes(digest[:4], "little") / 2**32


# A space of each kind; the others take as long again each and are left to -m slow.
KINDS = {"nats-tss", "nasbench101", "darts", "mnasnet", "nasbench-graph-proteins"}


@cache
def table(space: str) -> Benchmark:
    """Some architectures of a space, as a partial table."""
    whole, rng = on_space(space), np.random.default_rng(0)
    drawn: dict[object, str] = {}
    while len(drawn) < MEMBERS:
        architecture = whole.space.sample(rng)
        drawn.setdefault(whole.space.canonical(architecture), whole.space.string(architecture))
    return whole.pool(list(drawn.values()), list(whole.metrics))


def black_box() -> list[str]:
    entries = registry.entries("methods")
    return [
        name
        for name, entry in sorted(entries.items())
        if entry.distribution == "nasbench-suite"
        and "architecture_learning_rate" not in make_method(name).config  # none with a supernet
        and name not in LEFT_OUT
    ]


def own_spaces() -> list[Any]:
    entries = registry.entries("spaces")
    own = sorted(name for name, entry in entries.items() if entry.distribution == "nasbench-suite")
    slow = pytest.mark.slow
    return [name if name in KINDS else pytest.param(name, marks=slow) for name in own]


def small(name: str):
    known = make_method(name).config
    return make_method(name, {key: value for key, value in SMALL.items() if key in known})


def searched(task: Task, name: str) -> str:
    """What came of a search: its evaluations, or why it was refused before any."""
    try:
        trial = Trial(task, small(name), 0)
    except SuiteError as refusal:
        return str(refusal)
    trial.advance()
    result = trial.result()
    spent = result.record.evaluations[-1]
    assert 0 < spent <= EVALUATIONS + 1e-9
    assert (result.record.signals > 0).all()
    return ""


@pytest.mark.parametrize("space", own_spaces())
def test_every_method_searches_a_sample_of_every_space(space):
    benchmark = table(space)
    one = make_task(benchmark, evaluations=EVALUATIONS)
    two = make_task(benchmark, evaluations=EVALUATIONS, objectives=[COST])
    refused = {}
    for name in black_box():
        several = small(name).multi_objective
        answer = searched(two if several else one, name)
        if answer:
            refused[name] = answer
        if not several:
            assert "multi-objective" in searched(two, name)
    without = set() if benchmark.space.choices else {"parego", "sms-emoa"}
    without |= set() if benchmark.space.parameters else {"tpe", "reinforce", "optuna"}
    assert refused.keys() == without
    assert all("choice" in why for why in refused.values())


@pytest.mark.parametrize("space", own_spaces())
def test_every_method_searches_the_whole_of_every_space_or_is_refused(space):
    for name in black_box():
        benchmark = on_space(space)
        also = [COST] if small(name).multi_objective else []
        task = make_task(benchmark, evaluations=EVALUATIONS, objectives=also)
        answer = searched(task, name)
        if answer:
            assert benchmark.asked == 0, f"{name} was refused on {space}, but not before it asked"
            listing = name in ("parego", "pareto-local-search") and "list" in answer
            assert listing or "choice by choice" in answer, f"{name} on {space}: {answer}"
        else:
            assert benchmark.asked > 0


def test_every_method_goes_on_where_it_would_have_ended_with_less():
    """None of ours plans by its budget, so a larger one pays for what is new alone."""
    for name in black_box():
        also = [COST] if small(name).multi_objective else []
        records = []
        for evaluations in (EVALUATIONS, EVALUATIONS + 7):
            task = make_task(table("nats-tss"), evaluations=evaluations, objectives=also)
            trial = Trial(task, small(name), 0)
            trial.advance()
            records.append(trial.result().record)
        assert goes_on(*records), name


SEARCH = {
    "data": "digits",
    "width": 4,
    "cells": 3,
    "batch_size": 200,
    "epochs": 2,
    "architecture_learning_rate": 0.01,
    "eigenvalue_every": 1,
    "interval": 1,
    "interim": 2,
    "orders": 1,
    "rounds": 2,
    "population": 4,
    "generations": 2,
    "candidates": 3,
    "first": 1,
    "splits": 1,
    "split_share": 0.5,
}
AS_DARTS = {
    "darts-es": "DARTS until its stop, which two epochs do not reach",
    "darts-ada": "DARTS until its regularisation is raised",
}


def supernets() -> list[str]:
    apart = (*black_box(), *LEFT_OUT, "latency-sweep")  # which needs latencies of the space
    known = (name for name in registry.entries("methods") if name not in apart)
    return [name for name in sorted(known) if make_method(name).approach == "differentiable"]


def trajectory(space: str, name: str) -> Any:
    """What a search in a DARTS space derived and what became of its α, or why it was refused."""
    pytest.importorskip("torch")
    known = make_method(name).config
    method = make_method(name, {key: value for key, value in SEARCH.items() if key in known})
    task = make_task(on_space(space))
    try:
        method.refuse(task)
    except SuiteError as refusal:
        return str(refusal)
    trial = Trial(task, method, 0)
    trial.advance()
    result = trial.result()
    record = result.record
    assert record.strings is not None
    derived = load_space(space).read(record.strings[record.recommended[-1]])
    return derived, [d.value.tolist() for d in result.diagnostics if d.name == "alpha"]


@pytest.mark.slow
@pytest.mark.parametrize("space", ["darts", "darts-s1", "darts-s2", "darts-s3", "darts-s4"])
def test_every_method_with_a_supernet_searches_every_space_of_cells(space: str) -> None:
    found = {name: trajectory(space, name) for name in supernets()}
    assert len(found) >= 20  # all that relax, but for the sweep
    assert sum(isinstance(said, str) for said in found.values()) <= 8
    check_trajectories(found)


def test_what_differs_from_darts_does_so_in_a_space_of_cells() -> None:
    check_trajectories(
        {name: trajectory("darts-s4", name) for name in ("darts", "darts-minus", "setn")}
    )


def test_methods_without_a_space_of_cells_say_so_before_a_run() -> None:
    pytest.importorskip("torch")
    task, refused = make_task(on_space("darts")), {}
    for name in registry.entries("methods"):
        known = make_method(name).config
        if "architecture_learning_rate" not in known or name == "latency-sweep":
            continue
        try:
            make_method(name, {"data": "digits"}).refuse(task)
        except SuiteError as refusal:
            refused[name] = str(refusal)
    assert all(why.endswith("it has no DARTS space.") for why in refused.values()), refused
    assert refused.keys() == {
        *("darts-pt", "enas", "gm-nas", "is-darts", "lambda-darts", "setn", "zero-cost-pt"),
    }


def check_trajectories(found: dict[str, Any]) -> None:
    refused = {name: said for name, said in found.items() if isinstance(said, str)}
    assert all("has no DARTS space" in said for said in refused.values()), refused
    alphas = {name: said[1] for name, said in found.items() if name not in refused and said[1]}
    same = {name for name, alpha in alphas.items() if alpha == alphas["darts"]}
    assert same - {"darts"} <= AS_DARTS.keys()
