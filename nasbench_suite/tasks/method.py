"""What a method is: hyper-parameters, a start, and a step that may be repeated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from nasbench_suite.tasks.session import Session


@dataclass
class Method(ABC):
    """A search method: a dataclass of hyper-parameters with ``start`` and ``step``.

    The harness calls ``start`` once and then ``step`` until the budget is spent or the method
    has ``finished``, so a search can be stopped after any step and continued. A method sees
    its session alone and takes all its randomness from ``session.rng``.

    A new method is one file::

        @dataclass
        class RandomSearch(Method):
            \"\"\"Draw architectures uniformly.\"\"\"

            def step(self, session: Session) -> None:
                session.evaluate(session.space.sample(session.rng))

    and one line under the entry point group ``nasbench_suite.methods``.

    Attributes:
        multi_objective: whether the method handles several objectives.
    """

    multi_objective: ClassVar[bool] = False

    def start(self, session: Session) -> None:  # noqa: B027 (optional)
        """Prepare a search; called once, before the first step."""

    @abstractmethod
    def step(self, session: Session) -> None:
        """Do one unit of work: usually one evaluation, or one generation."""

    @property
    def finished(self) -> bool:
        """Whether the method has ended of itself; by default the budget ends it."""
        return False

    def checkpoint(self) -> bytes | None:
        """The state after a step, from which ``restore`` goes on with identical results.

        A method that computes for long should give one, so that a killed search need not begin
        anew. None, the default, means that it begins anew. It must not be a pickle, which could
        run code when it is read.
        """
        return None

    def restore(self, state: bytes) -> None:
        """Take up the state that ``checkpoint`` gave; called after ``start``."""
        raise NotImplementedError(f"{type(self).__name__} gives checkpoints but reads none.")

    @property
    def config(self) -> dict[str, Any]:
        """The hyper-parameters, as JSON-able values."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.init}


__all__ = ["Method", "Session"]
