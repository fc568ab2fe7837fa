"""Every registered part fulfils its contract."""

from __future__ import annotations

from dataclasses import fields
from importlib.util import find_spec
from typing import Any, ClassVar

from nasbench_suite import registry
from nasbench_suite.analysis.generative import GenerativeModel
from nasbench_suite.predictors import Predictor
from nasbench_suite.proxies import make_batch
from nasbench_suite.tasks.methods import method_class
from nasbench_suite.testing import (
    ExecutorContract,
    GenerativeContract,
    MethodContract,
    PredictorContract,
    ProxyContract,
    SpaceContract,
)
from search_methods.graph_vae.checkpoint import embedded_checkpoint, load_model

METHODS = tuple(registry.entries("methods"))


def is_supernet(name: str) -> bool:
    """Trained for minutes: tests/unit/search_methods/test_differentiable_methods.py has these."""
    return "architecture_learning_rate" in {item.name for item in fields(method_class(name))}


class TestMethods(MethodContract):
    names = tuple(name for name in METHODS if not is_supernet(name))
    settings: ClassVar[dict[str, dict[str, Any]]] = {
        **{
            name: {"proxies": "params", "candidates": 30}
            for name in ("zero-cost", "warm-start", "zero-cost-gp")
        },
        "latent-search": {"samples": 300, "epochs": 2, "num_children": 20, "generations": 2},
    }


class TestSpaces(SpaceContract):
    names = tuple(registry.entries("spaces"))
    pruning = ("nasbench101",)


class TestProxies(ProxyContract):
    names = tuple(registry.entries("proxies"))
    samples = 2
    settings: ClassVar[dict[str, Any]] = {
        "batch": make_batch("digits", 8),
        "channels": 2,
        "cells": 1,
    }


def is_at_hand(name: str) -> bool:
    """Whether what a predictor needs beyond the core dependencies is installed."""
    needed = registry.load_class("predictors", name, Predictor).needs_package
    return not needed or find_spec(needed[0]) is not None


class TestPredictors(PredictorContract):
    names = tuple(name for name in registry.entries("predictors") if is_at_hand(name))
    settings: ClassVar[dict[str, dict[str, float]]] = {
        "gcn": {"epochs": 60, "width": 32, "learning_rate": 0.01},
        "gcn-ranker": {"epochs": 60, "width": 32, "learning_rate": 0.01},
        "deep-ensemble": {"epochs": 60},
        "mlp": {"epochs": 60},
        "xgboost": {"rounds": 50},
        "lightgbm": {"rounds": 100},
        "ngboost": {"rounds": 60},
        "random-forest": {"num_trees": 40},
        "extra-trees": {"num_trees": 30},
    }


class TestExecutors(ExecutorContract):
    names = ("local",)  # ray starts a cluster: see runner/test_ray_cluster.py


class TestGraphVae(GenerativeContract):
    names = ("graph-vae",)

    def model(self, name: str) -> GenerativeModel:
        model, _ = load_model(str(embedded_checkpoint(self.space)), self.space)
        return model
