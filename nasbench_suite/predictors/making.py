"""Predictors by name and settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, choose_from, need_package
from nasbench_suite.predictors.predictor import Predictor


def make_predictor(name: str, settings: Mapping[str, Any] | None = None) -> Predictor:
    """A predictor with hyper-parameters set; strings are converted to the declared types.

    Raises:
        SuiteError: there is no such predictor or hyper-parameter, a value it does not take, or a
            package that it needs is not installed.
    """
    from pydantic import TypeAdapter, ValidationError

    kind = registry.load_class("predictors", name, Predictor)
    known = [item.name for item in fields(kind) if item.init]
    for key in settings or {}:
        if key not in known:
            raise SuiteError(choose_from(f"hyper-parameter of predictor {name!r}", key, known))
    if kind.needs_package:
        need_package(f"Predictor {name!r}", *kind.needs_package)
    try:
        made: Predictor = TypeAdapter(kind).validate_python(dict(settings or {}))
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise SuiteError(f"Predictor {name!r} does not take this: {where}{message}.") from None
    return made


def predictor_label(name: str, settings: Mapping[str, Any] | None = None) -> str:
    """The name, with the settings given in brackets."""
    given = ",".join(f"{key}={value}" for key, value in (settings or {}).items())
    return f"{name}[{given}]" if given else name
