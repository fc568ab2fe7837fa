"""What figures of other data sets and devices say before anything is evaluated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import listed
from nasbench_suite.statistics.pareto import nondominated
from nasbench_suite.tasks.method import Session
from nasbench_suite.tasks.task import Task
from search_methods.warm_starting import Warmed

Array = NDArray[np.float64]

Source = Literal["all", "accuracy", "cost", "none"]


def check_source(transfer: str) -> None:
    """Raise unless this names what is used of the figures known beforehand."""
    if transfer not in ("all", "accuracy", "cost", "none"):
        raise SuiteError(
            f"Unknown transfer {transfer!r}: choose 'all', 'accuracy', 'cost' or 'none'."
        )


def known_figures(session: Session, transfer: Source) -> tuple[Array | None, Array | None]:
    """Accuracies and costs known beforehand, each column of mean 0 and variance 1, if any.

    Args:
        session: of a warm task.
        transfer: what of it is used.

    Returns:
        Each of shape (size, columns), larger is better; costs as logarithms, and none of them
        where there is one objective.
    """
    found: dict[bool, list[Array]] = {True: [], False: []}
    for one in session.known:
        is_cost = one.quantity in ("latency", "energy")
        if transfer in ("all", "cost" if is_cost else "accuracy"):
            found[is_cost].append(_standard(-np.log(-one.figures) if is_cost else one.figures))
    accuracies, costs = (np.stack(c, axis=1) if c else None for c in (found[False], found[True]))
    return accuracies, costs if session.objectives > 1 else None


def best_elsewhere(
    accuracies: Array | None, costs: Array | None, allowed: NDArray[np.int64], count: int
) -> list[int]:
    """Evenly spaced architectures of the front by mean accuracy and mean cost elsewhere.

    Args:
        accuracies: as ``known_figures`` gives them.
        costs: likewise.
        allowed: architectures to choose from.
        count: how many; fewer where the front has fewer, and none where nothing is known.
    """
    known = [part.mean(axis=1) for part in (accuracies, costs) if part is not None]
    if not known or count < 1:
        return []
    means = np.stack(known, axis=1)
    front = allowed[nondominated(-means[allowed])]
    if len(known) == 1:  # no front: the best ones
        front = allowed[np.argsort(-means[allowed, 0], kind="stable")[:count]]
    front = front[np.argsort(means[front, -1], kind="stable")]
    places = np.linspace(0, len(front) - 1, count).round().astype(int)
    return list(dict.fromkeys(front[places].tolist()))


def _standard(figures: Array) -> Array:
    """Of mean 0 and variance 1; what is missing is as bad as the worst."""
    finite = np.isfinite(figures)
    figures = np.where(finite, figures, figures[finite].min(initial=np.inf))
    return np.asarray((figures - figures.mean()) / (figures.std() or 1.0))


@dataclass
class TransferStart(Warmed):
    """Another method, which begins with what is best on other data sets and devices.

    Its first architectures are those that the graph-VAE search begins a warm task with: evenly
    spaced ones of the front by mean accuracy and mean cost elsewhere, or the best by the one that
    is known. So other methods can be compared with it when both know the same beforehand. Ours; to
    begin a search with what was best before is as old as Feurer, Springenberg and Hutter,
    *Initializing Bayesian hyperparameter optimization via meta-learning*, AAAI 2015.

    Attributes:
        method: name of the method, with its default hyper-parameters.
        num_warm: how many of its first architectures are chosen so.
        transfer: what is used of the figures that a warm task lets a search know beforehand:
            ``accuracy`` of other data sets, ``cost`` of other devices, ``all`` or ``none``.
    """

    title: ClassVar[str] = "Transfer start"
    approach: ClassVar[str] = "transfer"

    multi_objective: ClassVar[bool] = True

    method: str = "nsga2"
    transfer: Source = "all"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_source(self.transfer)

    def hints(self, task: Task) -> Sequence[str]:
        """On a cold task it is the method alone."""
        inner = super().hints(task)
        if task.transfer:
            return inner
        return [
            f"nothing is known beforehand on this task, so it is {self.method!r} alone: say what "
            f"is known with --transfer",
            *inner,
        ]

    def warms(self, task: Task) -> bool:
        """Not on a cold task."""
        return super().warms(task) and bool(task.transfer)

    def choose(self, session: Session) -> list[Any]:
        """See ``best_elsewhere``; no architecture that computes nothing is among them."""
        if not session.known:
            return []
        allowed = np.flatnonzero(listed(session.space).connected)
        return best_elsewhere(*known_figures(session, self.transfer), allowed, self.num_warm)
