"""The tree-structured Parzen estimator, by optuna."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks.method import Method, Session


@dataclass
class TPE(Method):
    """Take the choices that are likely among the good architectures and rare among the others.

    Bergstra, Bardenet, Bengio and Kegl, *Algorithms for hyper-parameter optimization*, NeurIPS
    2011, in optuna's implementation (``TPESampler``), driven by its ask-and-tell interface. Each
    decision is a categorical parameter with an estimator of its own, as in the paper. The
    defaults are optuna's; the number of candidates is also the paper's, the share of good
    architectures optuna's 10 % (the paper: 15 %). NATS-Bench compares no TPE alone; its BOHB
    uses one with 4 candidates.

    Attributes:
        num_initial: number of random architectures before the estimators are used.
        num_candidates: number of draws, of which the one of highest expected improvement is
            taken.
    """

    title: ClassVar[str] = "TPE"
    approach: ClassVar[str] = "predictor"

    needs_choices: ClassVar[bool] = True

    num_initial: int = 10
    num_candidates: int = 24

    def __post_init__(self) -> None:
        for name in ("num_initial", "num_candidates"):
            if getattr(self, name) < 1:
                raise SuiteError(
                    f"TPE cannot work with a {name} of {getattr(self, name)}: choose at least 1."
                )

    def start(self, session: Session) -> None:
        """Open an empty study in memory."""
        import optuna

        sampler = optuna.samplers.TPESampler(
            n_startup_trials=self.num_initial,
            n_ei_candidates=self.num_candidates,
            multivariate=False,
            seed=int(session.rng.integers(2**32)),
        )
        with _quiet():
            self.study = optuna.create_study(direction="maximize", sampler=sampler)
        self.distributions: dict[str, optuna.distributions.BaseDistribution] = {
            f"decision_{position}": optuna.distributions.CategoricalDistribution(range(options))
            for position, options in enumerate(session.space.choices)
        }

    def step(self, session: Session) -> None:
        """Ask for an architecture and tell its score."""
        trial = self.study.ask(self.distributions)
        architecture = [trial.params[name] for name in self.distributions]
        self.study.tell(trial, session.evaluate(session.space.closest(architecture)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep optuna from announcing a new study, and leave its logging as it was."""
    from optuna import logging

    level = logging.get_verbosity()
    logging.set_verbosity(logging.WARNING)
    try:
        yield
    finally:
        logging.set_verbosity(level)
