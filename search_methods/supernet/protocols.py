"""Published protocols of differentiable search by name: what a paper's code sets.

A protocol sets hyper-parameters of a method by the method's name, and whatever is set beside it
goes before. Every figure is that of the authors' own configuration, which ``test_protocols.py``
compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nasbench_suite.errors import SuiteError, choose_from


@dataclass(frozen=True)
class Protocol:
    """The settings of one published code.

    Attributes:
        source: the repository, and the files that hold the figures.
        settings: hyper-parameters of all its methods.
        methods: further or other ones of single methods, by name.
    """

    source: str
    settings: Mapping[str, Any]
    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_DARTS: Mapping[str, Any] = {
    "epochs": 50,
    "batch_size": 64,
    "learning_rate": 0.025,
    "learning_rate_min": 0.001,
    "momentum": 0.9,
    "weight_decay": 3e-4,
    "clip": 5.0,
    "architecture_learning_rate": 3e-4,
    "architecture_weight_decay": 1e-3,
    "width": 16,
    "cells": 8,
    "nesterov": False,
    "weights_first": False,
}
_AUTODL: Mapping[str, Any] = {
    **_DARTS,
    "weight_decay": 5e-4,
    "cells": 5,
    "nesterov": True,
    "weights_first": True,
}
_UNCLIPPED = 1e30

PROTOCOLS: Mapping[str, Protocol] = {
    "darts": Protocol(
        "quark0/darts: cnn/train_search.py. Of the DARTS space; of the first order unless order=2",
        _DARTS,
    ),
    "vs-darts": Protocol(
        "genesis1104/VS-DARTS: train_search.py. Of the DARTS space; without LARC, which is behind "
        "a flag there: local_rate=True for the cell found with it",
        {**_DARTS, "batch_size": 96, "weight_decay": 5e-3},
        {"vs-darts": {"local_rate": False}},
    ),
    "nas-bench-201": Protocol(
        "D-X-Y/AutoDL-Projects: exps/NAS-Bench-201-algos and configs/nas-benchmark/algos. For "
        "cifar100 and imagenet16_120 it trains the architecture on half of the test images: "
        "architecture_images=test",
        _AUTODL,
        {
            "gdas": {"epochs": 250},
            "setn": {"epochs": 250, "clip": _UNCLIPPED},
            "rsps": {"epochs": 250},
            "enas": {
                "epochs": 250,
                "batch_size": 128,
                "learning_rate": 0.05,
                "learning_rate_min": 5e-4,
                "weight_decay": 2.5e-4,
                "rate_period": 10,
                "architecture_learning_rate": 1e-3,
            },
        },
    ),
    "nats": Protocol(
        "D-X-Y/AutoDL-Projects: exps/NATS-algos/search-cell.py and "
        "configs/nas-benchmark/algos/weight-sharing.config; without clipping. For cifar100 and "
        "imagenet16_120 see nas-bench-201",
        {**_AUTODL, "epochs": 100, "clip": _UNCLIPPED},
        {"enas": {"architecture_learning_rate": 1e-3}},
    ),
    "drnas": Protocol(
        "xiangning-chen/DrNAS: 201-space/train_search.py; the same in SmoothDARTS, DARTS-PT and "
        "Beta-DARTS: nasbench201/train_search.py",
        {**_DARTS, "epochs": 100, "cells": 5},
        {"snas": {"joint": False, "temperature": 10.0, "temperature_min": 1.0}},
    ),
    "fair-darts": Protocol(
        "xiaomi-automl/FairDARTS: fairdarts/train_search.py. Of the DARTS space",
        {
            **_DARTS,
            "batch_size": 128,
            "learning_rate": 0.005,
            "architecture_learning_rate": 3e-3,
        },
    ),
    "gm-nas": Protocol(
        "skhu101/GM-NAS: WS-GM/exp_scripts/ws-so-darts-201.sh as its README calls it, and "
        "WS-GM/nasbench201/train_search.py",
        {
            **_DARTS,
            "epochs": 60,
            "batch_size": 48,
            "weight_decay": 5e-4,
            "cells": 5,
            "nesterov": True,
        },
    ),
}


def protocol_settings(protocol: str, method: str) -> Mapping[str, Any]:
    """What a protocol sets for the method of that name; nothing without a protocol.

    Raises:
        SuiteError: there is no such protocol.
    """
    if not protocol:
        return {}
    if protocol not in PROTOCOLS:
        raise SuiteError(choose_from("protocol", protocol, list(PROTOCOLS)))
    found = PROTOCOLS[protocol]
    return {**found.settings, **found.methods.get(method, {})}


__all__ = ["PROTOCOLS", "Protocol", "protocol_settings"]
