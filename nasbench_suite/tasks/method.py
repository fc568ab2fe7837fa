"""What a method is: hyper-parameters, a start, and a step that may be repeated."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteSpace
from nasbench_suite.tasks.session import Session
from nasbench_suite.tasks.task import Task

_LATER = "later"


def later(default: Any) -> Any:
    """The default of a hyper-parameter that a method got after results of it were stored.

    At this value the method does what it did before, so that the value has no part in the key by
    which finished trials are found again.
    """
    return field(default=default, metadata={_LATER: True})


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
        title: the name that tables and figures show, such as ``NSGA-II``; by default the one it is
            registered under. A subclass does not inherit it.
        approach: what kind of method it is, in a word or two, such as ``black box``.
        packages: what it imports beyond the core dependencies.
        multi_objective: whether the method handles several objectives.
        lists_space: whether it goes through all architectures, so that it needs a ``FiniteSpace``.
        needs_parameters: whether it sets ``SearchSpace.parameters`` one by one, which
            ``SearchSpace.closest`` reads.
        needs_choices: whether it decides choice by choice, so that it needs a space with
            ``choices``; the architectures of a partial table are found by ``SearchSpace.closest``.
        needs_features: whether it learns from ``SearchSpace.features``.
        draws_first: whether the first that it evaluates are drawn by ``session.space.sample`` at
            that very time, so that others can be put in their place; see ``Warmed``.
        begins_with: the hyper-parameter, if there is one, that says how many evaluations come
            before the first that the method chooses by what it was told; see ``beginning``.
    """

    title: ClassVar[str] = ""
    approach: ClassVar[str] = ""
    packages: ClassVar[tuple[str, ...]] = ()
    multi_objective: ClassVar[bool] = False
    lists_space: ClassVar[bool] = False
    needs_parameters: ClassVar[bool] = False
    needs_choices: ClassVar[bool] = False
    needs_features: ClassVar[bool] = False
    draws_first: ClassVar[bool] = True
    begins_with: ClassVar[str] = ""

    def start(self, session: Session) -> None:  # noqa: B027 (optional)
        """Prepare a search; called once, before the first step."""

    @abstractmethod
    def step(self, session: Session) -> None:
        """Do one unit of work: usually one evaluation, or one generation."""

    def refuse(self, task: Task) -> None:
        """Raise a SuiteError if the method cannot search on a task at all; called before any run.

        Whoever overrides it calls it as well.
        """
        name, space = type(self).__name__, task.benchmark.space
        if len(task.objectives) > 1 and not self.multi_objective:
            raise SuiteError(
                f"{name} searches one objective, but task {task.name!r} has "
                f"{len(task.objectives)}: choose a multi-objective method."
            )
        if self.lists_space and not isinstance(space, FiniteSpace):
            raise SuiteError(
                f"{name} goes through all architectures of its space, and {space.name!r} is too "
                f"large to list: choose another method, or search a partial table of it."
            )
        if (self.needs_choices and not space.choices) or (
            self.needs_parameters and not space.parameters
        ):
            raise SuiteError(
                f"{name} decides choice by choice, and architectures of space {space.name!r} are "
                f"no vectors of choices: choose another method, such as regularized-evolution."
            )
        if self.needs_features and not space.encodings:
            raise SuiteError(
                f"{name} learns from features, and architectures of space {space.name!r} have "
                f"none: choose another method, such as regularized-evolution."
            )

    def hints(self, task: Task) -> Sequence[str]:
        """What a user should know of this method on this task, one sentence each.

        For a method, or a setting, that cannot do there what its name says: by default one whose
        beginning takes the whole budget. Whoever overrides it for a method with a beginning adds
        to these.
        """
        (first, setting), budget = self.beginning(task), task.affordable
        if not first or first < budget:
            return ()
        in_evaluations = task.budget.evaluations == budget
        covers = f"is {task.budget}" if in_evaluations else f"covers about {budget:,.0f}"
        takes = f"{first:g} evaluation{'' if first == 1 else 's'}"
        return (
            f"its beginning takes {takes} and the budget {covers}, so all that it "
            f"evaluates is drawn before it learns anything: choose a smaller {setting} or a larger "
            f"budget",
        )

    def beginning(self, task: Task) -> tuple[float, str]:
        """How many evaluations come before what a search was told decides the next.

        Returns:
            Their number, full evaluations as the budget counts them, 0 where the first already
            counts or nobody knows; and the setting that says so.
        """
        return float(getattr(self, self.begins_with, 0)), self.begins_with

    @classmethod
    def implied(cls, name: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        """What settings by name, such as a published protocol, imply for further ones.

        Args:
            name: by which the method is registered.
            settings: as they were written; they go before what they imply.
        """
        return {}

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
    def identity(self) -> dict[str, Any]:
        """The hyper-parameters that tell the method's results from others', see ``later``."""
        unchanged = {
            item.name
            for item in fields(self)
            if item.metadata.get(_LATER) and getattr(self, item.name) == item.default
        }
        return {name: value for name, value in self.config.items() if name not in unchanged}

    @property
    def config(self) -> dict[str, Any]:
        """The hyper-parameters, as JSON-able values."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.init}


__all__ = ["Method", "Session", "later"]
