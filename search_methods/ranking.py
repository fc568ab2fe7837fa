"""What proxies say of architectures before any is trained, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import file_digest
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite import registry
from nasbench_suite.adding import add_up
from nasbench_suite.benchmarks.library import known_benchmarks
from nasbench_suite.errors import SuiteError, choose_from, need_package, refused
from nasbench_suite.networks import find_builder
from nasbench_suite.parsing import counted
from nasbench_suite.prediction.scores import read_scores, read_seconds
from nasbench_suite.proxies import Proxy, assemble, make_batch, score
from nasbench_suite.spaces import FiniteSpace, PoolSpace, SearchSpace, listed
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.session import BudgetSpent
from nasbench_suite.tasks.task import Budget, Task

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """Architectures and what proxies say of them.

    Attributes:
        architectures: as ``space.sample`` gives them, each with a score by every proxy.
        values: scores by each proxy, shape (proxies, architectures).
    """

    architectures: list[Any]
    values: Array


@dataclass
class Scoring(Method):
    """What methods share that score candidates by proxies.

    Attributes:
        proxies: names, as ``synflow`` or ``nwot+synflow``.
        scores: a table of scores, by its file or the name of a benchmark of them (see
            ``read_scores``); empty to compute them on the networks.
        candidates: how many architectures are drawn and scored; 0 for all of the space.
        images: the data set that proxies are computed on, where they are computed.
        seconds_each: simulated seconds that a score costs, where a table does not say.
    """

    approach: ClassVar[str] = "zero-cost proxies"
    draws_first: ClassVar[bool] = False

    proxies: str = "synflow"
    scores: str = ""
    candidates: int = 100
    images: str = "digits"
    seconds_each: float = 1.0

    def __post_init__(self) -> None:
        if self.candidates < 0:
            raise SuiteError(
                f"{self.candidates} candidates are impossible: give 0 for all, or a number."
            )
        if not 0 <= self.seconds_each < float("inf"):
            raise SuiteError(f"A score cannot cost {self.seconds_each} seconds: give 0 or more.")

    @property
    def identity(self) -> dict[str, Any]:
        """Of scores from a file also what it holds: a file that changes is another one."""
        content = _content(self.scores)
        return {**super().identity, **({"scores_sha256": content} if content else {})}

    def refuse(self, task: Task) -> None:
        """Also what cannot be scored there, or for more seconds alone than the budget has."""
        super().refuse(task)
        names, space = _names(self.proxies), task.benchmark.space
        _check_proxies(names)
        listable = isinstance(space, FiniteSpace)
        if not (self.candidates or listable):
            raise SuiteError(
                f"Space {space.name!r} is too large to score all of it: give a number of "
                f"candidates."
            )
        fewest, costs = self.candidates or listed(space).size, None
        if self.scores:
            if not listable:
                raise SuiteError(
                    "A table of scores is of a space that can be listed: compute them."
                )
            columns, costs = _table(self.scores, listed(space))
            known = int(_scored(self._wanted(names, columns)).sum())
            if not known:
                raise self._unscored()
            unknown = listed(space).size - known
            fewest = max(min(fewest, listed(space).size) - unknown, 0)
        else:
            _rehearse(space, tuple(names), self.images)
        seconds = self._seconds(names, costs, fewest)
        if task.budget.seconds is not None and seconds > task.budget.seconds:
            raise _too_dear(fewest, seconds, task.budget)

    def _wanted(self, names: list[str], columns: dict[str, Array]) -> Array:
        """The table's scores by each proxy, shape (proxies, space.size)."""
        return np.array([columns[_column(name, columns, self.scores)] for name in names])

    def _unscored(self) -> SuiteError:
        return SuiteError(f"No candidate has scores of {self.proxies}: draw more, or compute them.")

    def _seconds(self, names: list[str], costs: dict[str, float] | None, count: int) -> float:
        """What the scores of so many architectures cost, by what a table says, if there is one."""
        if costs is None:
            return self.seconds_each * len(names) * count
        return add_up(costs.get(name, self.seconds_each) for name in names) * count

    def score(self, session: Session) -> Scored:
        """Score candidates, at the expense of the budget's seconds.

        Raises:
            SuiteError: what ``refuse`` says, no candidate that the table has scores of, or seconds
                that do not suffice.
        """
        names, costs = _names(self.proxies), None
        chosen = _candidates(session, self.candidates)
        if self.scores:
            columns, costs = _table(self.scores, listed(session.space))
            scores = self._wanted(names, columns)
            rows = np.asarray(chosen, dtype=np.int64)
            rows = rows[_scored(scores)[rows]]  # others are never chosen
            chosen, values = rows.tolist(), scores[:, rows]
        else:
            values = np.array(_compute(session, names, chosen, self.images))
        if not chosen:
            raise self._unscored()
        seconds = self._seconds(names, costs, len(chosen))
        try:
            session.charge(seconds)
        except BudgetSpent:
            raise _too_dear(len(chosen), seconds, session.budget) from None
        return Scored(chosen, values)

    def rank(self, session: Session) -> list[Any]:
        """Candidates as ``score`` has them, assembled by ranks, the best first."""
        scored = self.score(session)
        best_first = np.argsort(-assemble(list(scored.values)), kind="stable")
        return [scored.architectures[place] for place in best_first.tolist()]


def _scored(values: Array) -> NDArray[np.bool_]:
    """Which architectures have a score by every proxy, of scores (proxies, architectures)."""
    known: NDArray[np.bool_] = np.asarray(~np.isnan(values).any(axis=0))
    return known


def _too_dear(candidates: int, seconds: float, budget: Budget) -> SuiteError:
    return SuiteError(
        f"The scores of {counted(candidates, 'candidate')} take {seconds:,.6g} simulated seconds, "
        f"more than the budget of {budget}: give fewer candidates, or a larger budget."
    )


def _check_proxies(names: list[str]) -> None:
    if not names:
        raise SuiteError("No proxy is named to score architectures by: give one, such as synflow.")


@cache
def _rehearse(space: SearchSpace, names: tuple[str, ...], images: str) -> None:
    """Score one architecture, so that what cannot be scored is refused before any trial.

    Raises:
        SuiteError: an unknown proxy or data set, a package that is missing, or a proxy or a
            network that is not defined there.
    """
    find_builder(space.base if isinstance(space, PoolSpace) else space)
    for name in names:
        for package in registry.load_object("proxies", name, Proxy).packages:
            need_package(f"Proxy {name!r}", package, package)
    batch = make_batch(images)
    one = _based(space, space.sample(np.random.default_rng(0)))
    for name in names:
        where = f"architectures of space {space.name!r} on images of {images!r}"
        with refused(f"Proxy {name!r} cannot score {where} ({{reason}}).", RuntimeError):
            score(name, *one, batch=batch)


def _names(proxies: str) -> list[str]:
    return [name.strip() for name in proxies.split("+") if name.strip()]


def _candidates(session: Session, candidates: int) -> list[Any]:
    space = session.space
    if candidates == 0:
        return list(range(listed(space).size))
    drawn: dict[Any, None] = {}  # a set that keeps its order
    most = space.size if isinstance(space, FiniteSpace) else candidates
    while len(drawn) < min(candidates, most):
        drawn[space.sample(session.rng)] = None
    return list(drawn)


def _content(source: str) -> str:
    """SHA-256 of a file of scores; empty for scores of a benchmark by its name, and for none."""
    if not source or source in known_benchmarks() or not Path(source).is_file():
        return ""
    with (
        refused(f"{source} cannot be read ({{reason}}): give another file.", OSError),
        Path(source).open("rb") as file,
    ):
        return file_digest(file, "sha256").hexdigest()


def _table(source: str, space: FiniteSpace) -> tuple[dict[str, Array], dict[str, float]]:
    return _read(source, space, _content(source))


@cache
def _read(
    source: str, space: FiniteSpace, content: str
) -> tuple[dict[str, Array], dict[str, float]]:
    """Scores and seconds of a table, read again where its content is another."""
    return read_scores(source, space), read_seconds(source)


def _column(name: str, columns: dict[str, Array], source: str) -> str:
    """The column of a proxy: its name, or its name behind that of a data set."""
    found = [column for column in columns if column == name or column.endswith(f"_{name}")]
    if len(found) != 1:
        raise SuiteError(choose_from(f"proxy in {source}", name, list(columns)))
    return found[0]


def _compute(session: Session, names: list[str], chosen: list[Any], dataset: str) -> list[Array]:
    batch = make_batch(dataset)
    based = [_based(session.space, one) for one in chosen]
    return [
        np.array([score(name, *one, session.seed, batch=batch) for one in based]) for name in names
    ]


def _based(space: SearchSpace, architecture: Any) -> tuple[SearchSpace, Any]:
    """An architecture and its space, that of the base for a member of a pool."""
    if isinstance(space, PoolSpace):
        return space.base, space.members[architecture]
    return space, architecture
