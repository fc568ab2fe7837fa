"""Names that were changed: the old ones work for one version more, and warn."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

REMOVED_IN = "0.3"


def warn_renamed(old: str, new: str, level: int = 3) -> None:
    """Warn that a name was changed.

    Args:
        old: as it was, such as ``nasbench_suite.metrics``.
        new: as it is.
        level: whose line the warning names: 2 of the caller, 3 of the caller's caller.
    """
    warnings.warn(
        f"{old} is now {new}; the old name is removed in version {REMOVED_IN}.",
        DeprecationWarning,
        stacklevel=level,
    )


def moved(module: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], Any]]:
    """What a module needs whose contents stand elsewhere now.

    Args:
        module: the old module.
        homes: the module in which each of its public names stands.

    Returns:
        Its ``__getattr__``, which warns and gives what is asked for, and its ``__dir__``.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 (Python's own name)
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warn_renamed(f"{module}.{name}", f"{homes[name]}.{name}")
        return getattr(import_module(homes[name]), name)

    return __getattr__, lambda: sorted(homes)
