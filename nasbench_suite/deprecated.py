"""Names that were changed: the old ones work for one version more, and warn."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from nasbench_suite.errors import SuiteError

P = ParamSpec("P")
R = TypeVar("R")

REMOVED_IN = "0.3"

RUN_ARGUMENTS = {
    "seconds": "simulated_seconds",
    "report": "judged_by",
    "also": "objectives",
    "each": "each_objective",
    "noise": "answers",
}
"""New names of arguments of ``run`` by old ones, and of what an experiment file says."""

OPTIONS = {"run": {f"--{old}": f"--{new.replace('_', '-')}" for old, new in RUN_ARGUMENTS.items()}}
"""New names of options by old ones, by command."""

REMOVED_COMMANDS = {
    "supernet subspaces": "search the subspaces of DARTS by `nasbench run --benchmark live:IMAGES "
    "--space darts-s2 --methods ...`, and darts-s1, darts-s3 and darts-s4 likewise",
}
"""What to type instead of commands that are gone."""


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
    """What a module needs whose contents stand elsewhere now, or by other names.

    Args:
        module: the module that is asked.
        homes: the module in which each of its old names stands, or ``module:name`` where its name
            is another now, and ``:name`` in the same module.

    Returns:
        Its ``__getattr__``, which warns and gives what is asked for, and its ``__dir__``.
    """

    def __getattr__(name: str) -> Any:  # noqa: N807 (Python's own name)
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        home, _, new = homes[name].partition(":")
        place = (home or module, new or name)
        warn_renamed(f"{module}.{name}", ".".join(place))
        return getattr(import_module(place[0]), place[1])

    return __getattr__, lambda: sorted(homes)


def renamed(old: str, module: str, name: str) -> Callable[..., Any]:
    """A function by its old name: it warns, and calls the one that stands elsewhere.

    Args:
        old: the name as it was.
        module: where it stands now, imported at the first call.
        name: by which it stands there.
    """

    def call(*arguments: Any, **settings: Any) -> Any:
        warn_renamed(old, f"{module}.{name}")
        return getattr(import_module(module), name)(*arguments, **settings)

    return call


def renamed_arguments(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For a function some of whose keyword arguments were changed: the old ones work, and warn.

    Args:
        names: the new name by the old one.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*arguments: P.args, **settings: P.kwargs) -> R:
            for old in settings.keys() & names.keys():
                if names[old] in settings:
                    raise TypeError(f"{function.__name__}() got {names[old]} twice, as {old} too")
                warn_renamed(f"{function.__name__}({old}=)", f"{names[old]}=")
                settings[names[old]] = settings.pop(old)
            return function(*arguments, **settings)

        return call

    return decorate


def current_keys(
    content: Mapping[str, Any], names: Mapping[str, str], source: object
) -> dict[str, Any]:
    """What a file says, with its keys by their new names; warns whoever uses the file.

    Args:
        content: as it was read.
        names: the new name of a key by the old one.
        source: where it was read.
    """
    for old in content.keys() & names.keys():
        warnings.warn(
            f"{source}: {old!r} is now {names[old]!r}; the old name is removed in version "
            f"{REMOVED_IN}.",
            FutureWarning,
            stacklevel=3,
        )
    return {names.get(key, key): value for key, value in content.items()}


def refuse_removed(arguments: Sequence[str]) -> None:
    """Raise a SuiteError if arguments begin with a command that is gone.

    Args:
        arguments: of ``nasbench``, as they were written.
    """
    for command, instead in REMOVED_COMMANDS.items():
        words = command.split()
        if list(arguments[: len(words)]) == words:
            raise SuiteError(f"There is no `nasbench {command}` any more: {instead}.")


def current_options(options: Mapping[str, str], arguments: Sequence[str]) -> list[str]:
    """A command's arguments with its options by their new names; warns on standard error.

    Args:
        options: the new name of an option by the old one.
        arguments: as they were written.
    """
    found = []
    for argument in arguments:
        name, *value = argument.split("=", 1)
        if name in options:
            told = (
                f"{name} is now {options[name]}; the old name is removed in version {REMOVED_IN}."
            )
            print(f"nasbench: {told}", file=sys.stderr)
            argument = "=".join([options[name], *value])
        found.append(argument)
    return found
