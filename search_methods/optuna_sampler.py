"""Any sampler of optuna as a method."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import signature
from typing import Any, ClassVar

from nasbench_suite.errors import SuiteError, choose_from, need_package
from nasbench_suite.spaces.exchange import architecture_of, optuna_distributions
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task

_BEGINNINGS = ("n_startup_trials", "population_size")  # parameters of optuna's samplers


@dataclass
class OptunaSampler(Method):
    """Let a sampler of optuna propose, by its ask-and-tell interface.

    Akiba, Sano, Yanase, Ohta and Koyama, *Optuna: A Next-generation Hyperparameter Optimization
    Framework*, KDD 2019. Each decision is a categorical parameter. A sampler that knows nothing of
    categorical parameters, such as ``CmaEsSampler``, draws them at random.

    Attributes:
        sampler: name of a class in ``optuna.samplers``.
        settings: what it is made with, but for its seed, which is the trial's.
    """

    title: ClassVar[str] = "optuna"
    approach: ClassVar[str] = "predictor"
    multi_objective: ClassVar[bool] = True
    needs_parameters: ClassVar[bool] = True
    packages: ClassVar[tuple[str, ...]] = ("optuna",)
    draws_first: ClassVar[bool] = False

    sampler: str = "TPESampler"
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        need_package("Method 'optuna'", "optuna", "optuna")
        from optuna import samplers

        known = [name for name in samplers.__all__ if name.endswith("Sampler")]
        if self.sampler not in known:
            raise SuiteError(choose_from("sampler of optuna", self.sampler, known))

    def beginning(self, task: Task) -> tuple[float, str]:
        """What the sampler's own signature says, as it is set."""
        from optuna import samplers

        known = signature(getattr(samplers, self.sampler)).parameters
        for name in _BEGINNINGS:
            if name in known:
                return int(self.settings.get(name, known[name].default)), name
        return 0, ""

    def start(self, session: Session) -> None:
        """Open an empty study in memory."""
        import optuna

        make = getattr(optuna.samplers, self.sampler)
        with quiet():
            try:
                sampler = make(seed=int(session.rng.integers(2**32)), **self.settings)
            except TypeError as error:
                raise SuiteError(
                    f"{self.sampler} of optuna cannot be made with these settings and a seed: "
                    f"{error}."
                ) from error
            self.study = optuna.create_study(
                directions=["maximize"] * session.objectives, sampler=sampler
            )
        self.distributions = optuna_distributions(session.space)

    def step(self, session: Session) -> None:
        """Ask for an architecture and tell its scores."""
        with quiet():
            trial = self.study.ask(self.distributions)  # type: ignore[arg-type]
            architecture = architecture_of(session.space, trial.params)
            self.study.tell(trial, session.evaluate_all(architecture).tolist())


@contextmanager
def quiet() -> Iterator[None]:
    """Keep optuna from announcing studies and the like; leave its logging as it was."""
    from optuna import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(level)
