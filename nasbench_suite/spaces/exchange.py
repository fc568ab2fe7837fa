"""Spaces as other tuners have them: ConfigSpace's (SMAC, DEHB) and optuna's distributions.

Both have one categorical parameter a decision, named ``decision_0`` and so on, with the numbers of
its options; ``architecture_of`` makes an architecture of what such a tuner proposes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nasbench_suite.errors import SuiteError, need_package
from nasbench_suite.spaces.base import SearchSpace

if TYPE_CHECKING:
    from ConfigSpace import ConfigurationSpace
    from optuna.distributions import CategoricalDistribution

_PREFIX = "decision_"


def config_space(space: SearchSpace, seed: int | None = None) -> ConfigurationSpace:
    """The space for SMAC, DEHB and whatever else takes a ``ConfigurationSpace``.

    Args:
        space: one with ``parameters``.
        seed: of what is drawn from it.

    Raises:
        SuiteError: the space has no parameters, or ConfigSpace is not installed.
    """
    need_package("A ConfigurationSpace", "ConfigSpace", "configspace")
    from ConfigSpace import Categorical, ConfigurationSpace

    made = ConfigurationSpace(name=space.name, seed=seed)
    made.add(
        [
            Categorical(f"{_PREFIX}{place}", list(range(options)))
            for place, options in enumerate(_parameters(space))
        ]
    )
    return made


def optuna_distributions(space: SearchSpace) -> dict[str, CategoricalDistribution]:
    """The space as ``Study.ask`` of optuna takes it.

    Raises:
        SuiteError: the space has no parameters, or optuna is not installed.
    """
    need_package("A space for optuna", "optuna", "optuna")
    from optuna.distributions import CategoricalDistribution

    return {
        f"{_PREFIX}{place}": CategoricalDistribution(range(options))
        for place, options in enumerate(_parameters(space))
    }


def architecture_of(space: SearchSpace, parameters: Mapping[str, Any]) -> Any:
    """The architecture with these parameters, or the nearest where a table has none with them.

    Args:
        space: the one that the parameters are of.
        parameters: as a tuner proposes them: a configuration, or the parameters of a trial.

    Raises:
        SuiteError: the space has no parameters, or a parameter is missing.
    """
    names = [f"{_PREFIX}{place}" for place in range(len(_parameters(space)))]
    missing = [name for name in names if name not in parameters]
    if missing:
        raise SuiteError(f"A configuration of space {space.name!r} needs {', '.join(missing)}.")
    return space.closest([int(parameters[name]) for name in names])


def _parameters(space: SearchSpace) -> tuple[int, ...]:
    if not space.parameters:
        raise SuiteError(
            f"Architectures of space {space.name!r} are no vectors of choices, which other tuners "
            f"need: choose another space."
        )
    return space.parameters


__all__ = ["architecture_of", "config_space", "optuna_distributions"]
