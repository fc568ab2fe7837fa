"""A search that others drive: ask what to evaluate, tell what it is worth."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner.runs import MethodSpecification, make_methods
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import SearchSpace, find_space
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import method_label


class Search:
    """A method that proposes architectures, for figures that come from elsewhere.

    A method calls ``session.evaluate`` and waits for the answer; here it runs in a thread of its
    own that is let go on between ``ask`` and ``tell`` alone, so that a search is as reproducible as
    any other::

        search = Search("local-search", space="nats-tss", evaluations=50, seed=0)
        while (architecture := search.ask()) is not None:
            search.tell(train(architecture))
        print(search.best)

    An architecture that the method asks for again is answered by what was told before, at the
    budget's expense. A method that cannot do with this budget what its name says is warned of,
    see ``Method.hints``.

    Args:
        method: as ``run`` takes one.
        space: the space, or its name.
        evaluations: the budget.
        seed: of the search.
        maximize: whether larger figures are better.

    Raises:
        SuiteError: unknown method or space, or a method that cannot search there.
    """

    def __init__(
        self,
        method: MethodSpecification = "local-search",
        space: str | SearchSpace = "nats-tss",
        *,
        evaluations: float = 100,
        seed: int = 0,
        maximize: bool = True,
    ) -> None:
        ((name, made),) = make_methods([method])
        self._told: dict[str, float] = {}
        self._questions: SimpleQueue[str | None] = SimpleQueue()
        self._answers: SimpleQueue[float] = SimpleQueue()
        self._maximize = maximize
        self._asked: str | None = None
        self._error: BaseException | None = None
        found = find_space(space)
        task = make_task(_Asking(self, found, maximize), evaluations=evaluations)
        self._trial = Trial(task, made, seed)
        for hint in made.hints(task):
            warnings.warn(f"{method_label(name, made)}: {hint}.", stacklevel=2)
        # A thread that is left waiting ends with the program.
        self._thread = threading.Thread(target=self._advance, daemon=True)

    def _advance(self) -> None:
        try:
            self._trial.advance()
        except BaseException as error:  # raised where the search is driven
            self._error = error
        self._questions.put(None)

    def _answer(self, architecture: str) -> float:
        if architecture not in self._told:
            self._questions.put(architecture)
            self._answers.get()  # ``tell`` noted it
        return self._told[architecture]

    def ask(self) -> str | None:
        """The string of the architecture to evaluate next; None once the search has ended.

        Asked again before it was told, it is the same one.

        Raises:
            Exception: what the method raised.
        """
        if self._asked is None:
            if self._thread.ident is None:
                self._thread.start()
            elif not self._thread.is_alive() and self._questions.empty():
                return None
            self._asked = self._questions.get()
            if self._error is not None:
                raise self._error
        return self._asked

    def tell(self, figure: float) -> None:
        """What the architecture that was asked for is worth; not a number where it has no figure.

        Raises:
            SuiteError: none was asked for.
        """
        if self._asked is None:
            raise SuiteError("There is nothing to tell: ask for an architecture first.")
        self._told[self._asked] = float(figure)  # here, so that it counts when this returns
        self._asked = None
        self._answers.put(float(figure))

    @property
    def told(self) -> Mapping[str, float]:
        """What was told so far, by architecture, in order."""
        return dict(self._told)

    @property
    def best(self) -> str:
        """The best architecture so far, the earliest of equals.

        Raises:
            SuiteError: nothing was told yet.
        """
        figures = {name: figure for name, figure in self._told.items() if not np.isnan(figure)}
        if not figures:
            raise SuiteError("Nothing was told yet, so there is no best architecture.")
        return (max if self._maximize else min)(figures, key=lambda name: figures[name])

    def __repr__(self) -> str:
        name, told = type(self._trial.method).__name__, len(self._told)
        return f"<Search: {name}, {told} told, seed {self._trial.session.seed}>"


class _Asking(OpenBenchmark):
    """A benchmark that asks whoever drives the search."""

    def __init__(self, search: Search, space: SearchSpace, maximize: bool) -> None:
        self._search = search
        self.name = "told"
        self.space = space
        # A loss is handed on with its sign turned, so that the one metric is an accuracy.
        self.metrics = {
            "told": Metric("told", "accuracy", "", "maximize", "told", "valid"),
            "told_after": Metric("told_after", "accuracy", "", "maximize", "told", "test"),
        }
        self._sign = 1.0 if maximize else -1.0
        self.about: Mapping[str, Any] = {}

    def figures(
        self, architectures: Sequence[Any], metric: str, seed: int | None = None
    ) -> NDArray[np.float64]:
        told = [self._search._answer(self.space.string(a)) for a in architectures]
        return self._sign * np.array(told)

    @property
    def checksum(self) -> str:
        return "told"


__all__ = ["Search"]
