"""Search spaces: finite products of choices, in their publishers' order.

A further space is one new file with a subclass of ``SearchSpace``, and one line under the entry
point group ``nasbench_suite.spaces``.
"""

from __future__ import annotations

from functools import cache

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.base import Architecture, SearchSpace


def list_spaces() -> list[str]:
    """The names of all spaces that ``load_space`` knows, sorted."""
    return list(registry.entries("spaces"))


@cache
def load_space(name: str) -> SearchSpace:
    """The search space of that name or alias; the same immutable object at every call.

    Raises:
        SuiteError: no space has that name, or it cannot be imported.
    """
    return _made(registry.find("spaces", name).name)


@cache
def _made(name: str) -> SearchSpace:
    space = registry.load_class("spaces", name, SearchSpace)()
    if space.name != name:
        raise SuiteError(
            f"The search space registered as {name!r} calls itself {space.name!r}: give both one "
            f"name."
        )
    return space


__all__ = ["Architecture", "SearchSpace", "list_spaces", "load_space"]
