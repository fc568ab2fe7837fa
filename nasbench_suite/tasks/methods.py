"""Methods by name and settings: making, labelling and describing them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

from nasbench_suite import registry, sources
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.parsing import check_settings, configure, parse_part
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
    kind = method_class(name)
    settings = dict(settings or {})
    check_settings(kind, f"method {name!r}", settings)
    return configure(kind, f"method {name!r}", {**kind.implied(name, settings), **settings})


def method_label(name: str, method: Method) -> str:
    """The name, with the hyper-parameters that differ from their defaults in brackets."""
    required = {item.name for item in fields(method) if item.default is item.default_factory}
    config = method.config
    defaults = type(method)(**{key: config[key] for key in required}).config
    defaults |= type(method).implied(name, config)
    changed = [
        f"{key}={value}"
        for key, value in config.items()
        if key in required or value != defaults[key]
    ]
    return f"{name}[{','.join(changed)}]" if changed else name


def own_label(text: str) -> str:
    """The label of the method that a name with settings makes; a text that makes none as it is.

    Settings may stand in any order, and defaults among them:

    >>> own_label("regularized-evolution[sample_size=5,population_size=50]")
    'regularized-evolution[population_size=50,sample_size=5]'
    """
    try:
        name, settings = parse_part(text)
        # A name alone is its label already, and its package need not be imported to know that.
        return method_label(name, make_method(name, settings)) if settings else text
    except SuiteError:
        return text


def find_label(kind: str, name: str, known: Sequence[str]) -> str:
    """The one of the labels known that a name is, or that the settings written in it make.

    Args:
        kind: what it should be the name of, as ``choose_from`` takes it.
        name: what was given.
        known: the labels there are.

    Raises:
        SuiteError: it is none of them.
    """
    if name in known:
        return name
    if (label := own_label(name)) in known:
        return label
    raise SuiteError(choose_from(kind, name, known))


def method_key(name: str, method: Method) -> str:
    """A hash of the name, the class and every hyper-parameter but those of ``later``."""
    place = sources.place_of(type(method))
    return config_hash({"name": name, "class": place, "config": method.identity})


def method_name(kind: type[Method]) -> str:
    """The name a class is registered under; else its own, in small letters with hyphens.

    >>> class MyMethod(Method): ...
    >>> method_name(MyMethod)
    'my-method'
    """
    place = sources.place_of(kind)
    for name, entry in registry.entries("methods").items():
        if entry.value == place:
            return name
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+", kind.__name__)
    return "-".join(words).lower()


_NEEDS = {
    "lists_space": "a list",
    "needs_parameters": "parameters",
    "needs_choices": "choices",
    "needs_features": "features",
}


def method_title(name: str) -> str:
    """The name that tables and figures show of a method; that name where it has none of its own.

    It is read from the source where there is one: a table of results needs no torch.
    """
    entry = registry.entries("methods").get(name)
    if entry is None:
        return name
    kind = sources.class_at(entry.value)
    return (sources.text_of(kind, "title") if kind else None) or name


def describe_methods() -> list[dict[str, Any]]:
    """What is installed: a mapping for each method, sorted by name.

    ``name``, ``title``, ``family``, ``needs`` (of a space: that it can be listed, that it has
    choices or features; and packages), ``summary``, ``settings`` (default hyper-parameters),
    ``distribution`` and ``lack``: why it cannot be used, empty where it can. A method that cannot
    be imported has no settings, and the rest as far as its source tells.
    """
    described = []
    for listed in registry.describe("methods"):
        kind: type[Method] | None = None
        if not listed.fault:
            try:
                kind = method_class(listed.name)
            except SuiteError as error:  # it is none
                listed = replace(listed, fault=str(error))
        place = registry.entries("methods")[listed.name].value

        def said(attribute: str, kind: Any = kind, place: str = place) -> Any:
            return getattr(kind, attribute) if kind else sources.attribute_of(place, attribute)

        needs = [what for flag, what in _NEEDS.items() if said(flag)]
        described.append(
            {
                "name": listed.name,
                "title": method_title(listed.name),
                "family": said("approach") or "",
                "needs": [*needs, *(said("packages") or ())],
                "summary": listed.summary,
                "settings": {
                    item.name: None if item.default is MISSING else item.default
                    for item in (fields(kind) if kind else ())
                    if item.init
                },
                "distribution": listed.distribution,
                "lack": listed.lack,
            }
        )
    return described
