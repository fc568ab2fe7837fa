"""Search spaces: finite products of choices, in their publishers' order.

A further space is one new file with a subclass of ``SearchSpace``, named in ``_SPACES``.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces.base import Architecture, SearchSpace

_SPACES = {
    "nats-tss": "nasbench_suite.spaces.topology:TopologySpace",
    "nats-sss": "nasbench_suite.spaces.size:SizeSpace",
    "nasbench-macro": "nasbench_suite.spaces.macro:MacroSpace",
}


def list_spaces() -> list[str]:
    """The names ``load_space`` knows."""
    return list(_SPACES)


@cache
def load_space(name: str) -> SearchSpace:
    """The search space of that name; the same immutable object at every call.

    Raises:
        SuiteError: no space has that name.
    """
    if name not in _SPACES:
        raise SuiteError(choose_from("search space", name, list_spaces()))
    module, attribute = _SPACES[name].split(":")
    space: SearchSpace = getattr(import_module(module), attribute)()
    return space


__all__ = ["Architecture", "SearchSpace", "list_spaces", "load_space"]
