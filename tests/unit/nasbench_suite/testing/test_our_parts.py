"""Every registered part fulfils its contract."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType

import pytest

from nasbench_suite import registry
from nasbench_suite.analysis.generative import GenerativeModel
from nasbench_suite.tasks.methods import method_class
from nasbench_suite.testing import (
    ExecutorContract,
    GenerativeContract,
    MethodContract,
    ProxyContract,
    SpaceContract,
)
from search_methods.graph_vae.checkpoint import embedded_checkpoint, load_model

METHODS = tuple(registry.entries("methods"))
# One epoch of a narrow supernet: what it finds is another matter.
QUICK = MappingProxyType({"epochs": 1, "batch_size": 256, "width": 4, "cells": 1})


def is_supernet(name: str) -> bool:
    return "architecture_learning_rate" in {item.name for item in fields(method_class(name))}


class TestMethods(MethodContract):
    names = tuple(name for name in METHODS if not is_supernet(name))


@pytest.mark.slow
class TestSupernets(MethodContract):
    names = tuple(name for name in METHODS if is_supernet(name))
    settings = MappingProxyType(dict.fromkeys(names, QUICK))
    variations = 2


class TestSpaces(SpaceContract):
    names = tuple(registry.entries("spaces"))
    pruning = ("nasbench101",)


class TestProxies(ProxyContract):
    names = tuple(registry.entries("proxies"))


class TestExecutors(ExecutorContract):
    names = ("local",)  # ray starts a cluster: see runner/test_ray_cluster.py


class TestGraphVae(GenerativeContract):
    names = ("graph-vae",)

    def model(self, name: str) -> GenerativeModel:
        model, _ = load_model(str(embedded_checkpoint(self.space)), self.space)
        return model
