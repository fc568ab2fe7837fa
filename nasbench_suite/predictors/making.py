"""Predictors by name and settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nasbench_suite import registry
from nasbench_suite.errors import need_package
from nasbench_suite.parsing import check_settings, configure
from nasbench_suite.predictors.predictor import Predictor


def make_predictor(name: str, settings: Mapping[str, Any] | None = None) -> Predictor:
    """A predictor with hyper-parameters set; strings are converted to the declared types.

    Raises:
        SuiteError: there is no such predictor or hyper-parameter, a value it does not take, or a
            package that it needs is not installed.
    """
    kind = registry.load_class("predictors", name, Predictor)
    what = f"predictor {name!r}"
    check_settings(kind, what, settings or {})
    if kind.needs_package:
        need_package(f"Predictor {name!r}", *kind.needs_package)
    return configure(kind, what, settings or {})


def predictor_label(name: str, settings: Mapping[str, Any] | None = None) -> str:
    """The name, with the settings given in brackets."""
    given = ",".join(f"{key}={value}" for key, value in (settings or {}).items())
    return f"{name}[{given}]" if given else name
