"""SMS-EMOA: evolution by contributions to the hypervolume, by pymoo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, need_package
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task
from search_methods.gaps import filled


@dataclass
class SMSEMOA(Method):
    """Breed one child; of the worst front, what contributes least hypervolume dies.

    Beume, Naujoks and Emmerich, *SMS-EMOA: multiobjective selection based on dominated
    hypervolume*, European Journal of Operational Research 2007, in pymoo's implementation
    (``SMSEMOA``), driven by its ask-and-tell interface, with one child a generation as in the
    paper. The operators are for categories: uniform crossover with probability 0.9, and each
    decision mutated with probability 1 / (number of decisions) to another of its options. pymoo
    drops a child that is equal to a member of the population.

    Needs pymoo: ``pip install 'nasbench-suite[multiobjective]'``.

    Attributes:
        population_size: number of architectures alive; pymoo's is 100, for larger budgets than
            a task gives.
    """

    title: ClassVar[str] = "SMS-EMOA"
    approach: ClassVar[str] = "Pareto"
    packages: ClassVar[tuple[str, ...]] = ("pymoo",)

    multi_objective: ClassVar[bool] = True
    needs_choices: ClassVar[bool] = True
    begins_with: ClassVar[str] = "population_size"

    population_size: int = 20

    def __post_init__(self) -> None:
        if self.population_size < 2:
            raise SuiteError(
                f"A population of {self.population_size} cannot breed: "
                f"choose a population_size of at least 2."
            )

    def refuse(self, task: Task) -> None:
        """Also with one objective, and where pymoo is not installed."""
        super().refuse(task)
        if len(task.objectives) < 2:
            raise SuiteError(
                f"SMS-EMOA selects by the hypervolume of two objectives or more, and task "
                f"{task.name!r} has one: name another with --objectives, or choose nsga2."
            )
        need_package("Method 'sms-emoa'", "pymoo", "multiobjective")

    def start(self, session: Session) -> None:
        """Set up pymoo's algorithm."""
        from pymoo.algorithms.moo import sms
        from pymoo.core.mutation import Mutation
        from pymoo.core.problem import Problem
        from pymoo.core.sampling import Sampling
        from pymoo.core.termination import NoTermination
        from pymoo.operators.crossover.ux import UX

        space, rng = session.space, session.rng
        options = np.array(space.choices)

        class Draw(Sampling):  # type: ignore[misc]
            def _do(self, _problem: Any, count: int, *_: Any, **__: Any) -> Any:
                return space.vectors([space.sample(rng) for _ in range(count)])

        class ChangeDecisions(Mutation):  # type: ignore[misc]
            def _do(self, _problem: Any, vectors: Any, *_: Any, **__: Any) -> Any:
                changes = rng.random(vectors.shape) < 1 / len(options)
                steps = 1 + np.floor(rng.random(vectors.shape) * (options - 1)).astype(int)
                return np.where(changes, (vectors + steps) % options, vectors)

        self.losses: list[NDArray[np.float64]] = []
        self.problem = Problem(
            n_var=len(options), n_obj=session.objectives, xl=0, xu=options - 1, vtype=int
        )
        self.algorithm = sms.SMSEMOA(
            pop_size=self.population_size,
            n_offsprings=1,
            sampling=Draw(),
            crossover=UX(prob=0.9),
            mutation=ChangeDecisions(),
        )
        self.algorithm.setup(
            self.problem, termination=NoTermination(), seed=int(rng.integers(2**31)), verbose=False
        )

    def step(self, session: Session) -> None:
        """Ask for the first population, then for one child, and tell their losses."""
        children = self.algorithm.ask()
        told = [
            -session.evaluate_all(session.space.closest(child.X.astype(np.int64)))
            for child in children
        ]
        self.losses += told
        losses = filled(np.array(self.losses))[-len(told) :]
        for child, loss in zip(children, losses, strict=True):
            child.set("F", loss)
            child.evaluated.add("F")
        self.algorithm.tell(infills=children)
