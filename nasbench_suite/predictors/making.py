"""Predictors by name and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
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
    """The name, with the settings that are not the defaults in brackets.

    The same predictor has the same label, however its settings were ordered or spelled.

    Raises:
        SuiteError: as ``make_predictor``.
    """
    made = make_predictor(name, settings)
    given = [item for item in fields(made) if item.name in (settings or {})]
    told = {item.name: str(getattr(made, item.name)) for item in given}
    changed = [f"{one.name}={told[one.name]}" for one in given if told[one.name] != _default(one)]
    return f"{name}[{','.join(changed)}]" if changed else name


def _default(item: Field[Any]) -> str:
    return str(item.default if item.default_factory is MISSING else item.default_factory())
