"""Search spaces, listed or not, by name.

A further space is one new file with a subclass of ``FiniteProductSpace``, ``FiniteSpace``,
``ProductSpace`` or ``SearchSpace``, and one line under the entry point group
``nasbench_suite.spaces``.
"""

from __future__ import annotations

from functools import cache

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.sources import place_of
from nasbench_suite.spaces.base import Architecture, ProductSpace, SearchSpace
from nasbench_suite.spaces.finite import FiniteProductSpace, FiniteSpace, listed
from nasbench_suite.spaces.pool import PoolSpace


def list_spaces() -> list[str]:
    """The names of all spaces that ``load_space`` knows, sorted."""
    return list(registry.entries("spaces"))


@cache
def load_space(name: str) -> SearchSpace:
    """The search space of that name or alias; the same immutable object at every call.

    Raises:
        SuiteError: no space has that name, or it cannot be imported or made.
    """
    return _made(registry.find("spaces", name).name)


def find_space(space: SearchSpace | str) -> SearchSpace:
    """A space that is given itself or by its name.

    Raises:
        SuiteError: see ``load_space``.
    """
    return load_space(space) if isinstance(space, str) else space


def load_finite_space(name: str) -> FiniteSpace:
    """As ``load_space``, for what needs a space that can be listed.

    Raises:
        SuiteError: no space has that name, or it cannot be listed.
    """
    return listed(load_space(name))


@cache
def _made(name: str) -> SearchSpace:
    kind = registry.load_class("spaces", name, SearchSpace)
    advice = f"Search space {name!r} ({place_of(kind)}) cannot be made"
    mend = "mend the class"
    if kind.choices and not issubclass(kind, (ProductSpace, FiniteSpace)):
        mend += (
            ", or derive it from FiniteProductSpace, or ProductSpace if its architectures are too "
            "many to list, which do the rest for vectors of choices"
        )
    with refused(f"{advice} ({{reason}}): {mend}.", Exception):
        space = kind()
    if space.name != name:
        raise SuiteError(
            f"The search space registered as {name!r} calls itself {space.name!r}: give both one "
            f"name."
        )
    return space


__all__ = [
    "Architecture",
    "FiniteProductSpace",
    "FiniteSpace",
    "PoolSpace",
    "ProductSpace",
    "SearchSpace",
    "find_space",
    "list_spaces",
    "listed",
    "load_finite_space",
    "load_space",
]
