"""Protocols by name against the authors' own configurations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks.methods import make_method, method_key, method_label

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from search_methods.supernet.protocols import PROTOCOLS  # noqa: E402

# What the files say, by the words they say it in; transcribed from the repositories.
CONFIGURATIONS: dict[str, Any] = json.loads(Path(__file__).with_name("protocols.json").read_text())
WORDS = {
    "LR": "learning_rate",
    "eta_min": "learning_rate_min",
    "decay": "weight_decay",
    "T_max": "rate_period",
    "controller_lr": "architecture_learning_rate",
    "arch_learning_rate": "architecture_learning_rate",
    "arch_weight_decay": "architecture_weight_decay",
    "init_channels": "width",
    "channel": "width",
    "layers": "cells",
    "num_cells": "cells",
    "grad_clip": "clip",
    "tau_max": "temperature",
    "tau_min": "temperature_min",
    "LARC": "local_rate",
}


@pytest.mark.parametrize("number", range(len(CONFIGURATIONS["configurations"])))
def test_a_protocol_sets_what_the_authors_set(number: int) -> None:
    entry = CONFIGURATIONS["configurations"][number]
    method = make_method(entry["method"], {"protocol": entry["protocol"]})
    assert entry["source"].partition(":")[0] in PROTOCOLS[entry["protocol"]].source
    for word, value in entry["values"].items():
        assert method.config[WORDS.get(word, word)] == value, word


def test_every_protocol_is_compared() -> None:
    compared = {entry["protocol"] for entry in CONFIGURATIONS["configurations"]}
    assert compared == set(PROTOCOLS)


def test_what_is_set_goes_before_the_protocol_and_labels_are_short() -> None:
    method = make_method("gdas", {"protocol": "nas-bench-201", "epochs": "50"})
    assert (method.config["epochs"], method.config["nesterov"]) == (50, True)
    assert method_label("gdas", method) == "gdas[epochs=50,protocol=nas-bench-201]"
    with pytest.raises(SuiteError, match="Unknown protocol 'nat': did you mean 'nats'"):
        make_method("gdas", {"protocol": "nat"})


def test_hyper_parameters_of_later_versions_leave_stored_keys_alone() -> None:
    """The key under which trials of ``darts`` stand in results files of earlier versions."""
    assert method_key("darts", make_method("darts")) == "d8f6f54365dc8646"
    changed = make_method("darts", {"nesterov": True})
    assert method_key("darts", changed) != "d8f6f54365dc8646"
