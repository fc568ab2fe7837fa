"""Methods by name and settings: making, labelling and describing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.tasks.method import Method
from nasbench_suite.tasks.task import config_hash


def method_class(name: str) -> type[Method]:
    """The class registered under that name.

    Raises:
        SuiteError: there is none, or it cannot be imported, or it is no ``Method``.
    """
    return registry.load_class("methods", name, Method)


def make_method(name: str, settings: Mapping[str, Any] | None = None) -> Method:
    """A method with hyper-parameters set; strings are converted to the declared types.

    Raises:
        SuiteError: unknown method, unknown hyper-parameter, or a value it does not take.
    """
    from pydantic import TypeAdapter, ValidationError

    kind = method_class(name)
    known = [item.name for item in fields(kind) if item.init]
    settings = dict(settings or {})
    for key in settings:
        if key not in known:
            raise SuiteError(choose_from(f"hyper-parameter of method {name!r}", key, known))
    try:
        method: Method = TypeAdapter(kind).validate_python(settings)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"{part}: " for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise SuiteError(f"Method {name!r} does not take this: {where}{message}.") from None
    return method


def method_label(name: str, method: Method) -> str:
    """The name, with the hyper-parameters that differ from their defaults in brackets."""
    required = {item.name for item in fields(method) if item.default is item.default_factory}
    defaults = type(method)(**{key: method.config[key] for key in required}).config
    changed = [
        f"{key}={value}"
        for key, value in method.config.items()
        if key in required or value != defaults[key]
    ]
    return f"{name}[{','.join(changed)}]" if changed else name


def method_key(name: str, method: Method) -> str:
    """A hash of the name, the class and every hyper-parameter."""
    kind = type(method)
    identity = f"{kind.__module__}:{kind.__qualname__}"
    return config_hash({"name": name, "class": identity, "config": method.config})


def describe_methods() -> list[dict[str, Any]]:
    """What is installed: name, summary, default hyper-parameters and distribution of each.

    A method that cannot be imported is listed with the reason as its summary.
    """
    described = []
    for listed in registry.describe("methods"):
        settings = {}
        if not listed.fault:
            settings = {
                item.name: None if item.default is MISSING else item.default
                for item in fields(method_class(listed.name))
                if item.init
            }
        described.append(
            {
                "name": listed.name,
                "summary": listed.fault or listed.summary,
                "settings": settings,
                "distribution": listed.distribution,
            }
        )
    return described
