"""Methods that begin with architectures chosen for them: what every warm start shares."""

from __future__ import annotations

import types
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import SearchSpace, listed
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.methods import make_method
from nasbench_suite.tasks.task import Task


@dataclass
class Warmed(Method):
    """Another method, whose first architectures are others than it would draw; all else is its own.

    A method that draws its first architectures from the space is given these in their place. One
    that does not, and has ``take``, is told of them once they are evaluated; see ``TPE.take``.

    Attributes:
        method: name of the method, with its default hyper-parameters.
        num_warm: how many of its first architectures are chosen for it.
    """

    method: str = "regularized-evolution"
    num_warm: int = 10

    def __post_init__(self) -> None:
        if self.num_warm < 0:
            raise SuiteError(f"{self.num_warm} warm architectures are impossible: give 0 or more.")
        self.inner = make_method(self.method)
        if isinstance(self.inner, Warmed):
            raise SuiteError("A warm start of a warm start is none: name another method.")

    def refuse(self, task: Task) -> None:
        """Also a method that does not begin with what it draws, and what it itself refuses."""
        super().refuse(task)
        if self.warms(task) and not (self.inner.draws_first or hasattr(self.inner, "take")):
            raise self._cold()
        self.inner.refuse(task)

    def warms(self, task: Task) -> bool:
        """Whether anything is chosen for the method on a task."""
        return self.num_warm > 0

    def _cold(self) -> SuiteError:
        return SuiteError(
            f"Method {self.method!r} does not draw its first architectures from the space, so it "
            f"cannot begin with others: warm-start another one."
        )

    def hints(self, task: Task) -> Sequence[str]:
        """Those of the method itself."""
        return self.inner.hints(task)

    @abstractmethod
    def choose(self, session: Session) -> list[Any]:
        """Architectures to begin with, best first; the first ``num_warm`` are taken."""

    def start(self, session: Session) -> None:
        """Choose, and start the method on a space that draws the best first."""
        self.queue = self.choose(session)[: self.num_warm][::-1]
        self.chosen = list(self.queue)
        self.drawing = drawing_first(session.space, self.queue)
        with self._warm(session):
            self.inner.start(session)

    @contextmanager
    def _warm(self, session: Session) -> Iterator[None]:
        """Have the space draw what is left of the best first."""
        plain = session.space
        session.space = self.drawing if self.queue else plain
        try:
            yield
        finally:
            session.space = plain

    @property
    def finished(self) -> bool:
        """Whether the method has ended of itself."""
        return self.inner.finished

    def step(self, session: Session) -> None:
        """A step of the method, or an evaluation that it is told of.

        Raises:
            SuiteError: the method does not begin with what it is given.
        """
        take = getattr(self.inner, "take", None)
        if self.queue and take is not None:
            architecture = self.queue.pop()
            take(session.space, architecture, session.evaluate(architecture))
            return
        try:
            with self._warm(session):
                self.inner.step(session)
        finally:  # one step may spend the budget
            if self.chosen and session.trainings:
                if not self._began_warm(session):
                    raise self._cold()
                self.chosen = []  # looked at once

    def _began_warm(self, session: Session) -> bool:
        """Whether the first that was evaluated is one that was drawn in place of another."""
        drawn = self.chosen[len(self.queue) :]
        if not drawn or session.workers > 1:  # the first to end need not be the first begun
            return bool(drawn)
        record, space = session.record(), session.space
        first = int(record.architectures[0])
        if record.strings is not None:
            return record.strings[first] in {space.string(one) for one in drawn}
        return first in {listed(space).index(one) for one in drawn}


def drawing_first(space: SearchSpace, queue: list[Any]) -> SearchSpace:
    """The same space, whose next samples are taken from the end of a queue while it lasts.

    What is drawn from the generator stays as it is: each sample is drawn, and replaced.
    """
    warm = object.__new__(type(space))
    warm.__dict__.update(space.__dict__)

    def sample(_: SearchSpace, rng: np.random.Generator) -> Any:
        drawn = space.sample(rng)
        return queue.pop() if queue else drawn

    warm.sample = types.MethodType(sample, warm)  # type: ignore[method-assign]
    return warm
