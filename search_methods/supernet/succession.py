"""Several searches one after the other, as one method."""

from __future__ import annotations

from typing import Any

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks import Session
from search_methods.supernet.search import DifferentiableSearch


class Succession(DifferentiableSearch):
    """Searches that differ in one thing, each with a supernet of its own.

    What each derives is evaluated. A method says how many there are, and sets in ``vary`` what the
    next one differs in. It names this class behind any other that it extends.
    """

    done: int  # how many searches are over

    @property
    def total(self) -> int:
        """How many searches there are."""
        raise NotImplementedError

    def vary(self) -> None:
        """Set what search number ``done`` differs in."""
        raise NotImplementedError

    def varied(self) -> dict[str, float]:
        """What is logged of it when the search is over."""
        return {}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.selection != "strength":
            raise SuiteError(f"{self.title} selects by strength: leave selection as it is.")

    def start(self, session: Session) -> None:
        """Begin with the first search."""
        self.done = 0
        self.vary()
        super().start(session)

    def step(self, session: Session) -> None:
        """An epoch; after the last, evaluate what is derived and take up the next search."""
        with self.randomness():
            losses = self.train_epoch()
        self.epoch += 1
        step = self.done * self.epochs + self.epoch
        session.log(step, **losses)
        if self.epoch < self.epochs:
            return
        session.evaluate(self.derive())
        session.log(step, **self.varied())
        self.done += 1
        if not self.finished:
            self.vary()
            self.prepare(self.images, session.rng, self.family)

    @property
    def finished(self) -> bool:
        """Whether all searches are over."""
        return self.done >= self.total

    def state(self) -> dict[str, Any]:
        """The current search, and how many there were before."""
        return {**super().state(), "done": self.done}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        self.done = int(state["done"])
        if not self.finished:
            self.vary()
        super().load_state(state)
