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
from nasbench_suite.prediction.scores import read_scores, read_seconds
from nasbench_suite.proxies import Proxy, assemble, make_batch, score
from nasbench_suite.spaces import FiniteSpace, PoolSpace, SearchSpace
from nasbench_suite.tasks.method import Method, Session
from nasbench_suite.tasks.task import Task

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
        """Also proxies that cannot be computed there, or that the table of scores lacks."""
        super().refuse(task)
        _check_proxies(task, self.proxies, self.scores)

    def score(self, session: Session) -> Scored:
        """Score candidates, at the expense of the budget's seconds.

        Raises:
            SuiteError: no proxy, or one that the table lacks; all of a space that cannot be listed.
            BudgetSpent: the seconds do not suffice.
        """
        names = _names(self.proxies)
        if not names:
            raise SuiteError(
                "No proxy is named to score architectures by: give one, such as synflow."
            )
        chosen = _candidates(session, self.candidates)
        if self.scores:
            if not isinstance(session.space, FiniteSpace):
                raise SuiteError(
                    "A table of scores is of a space that can be listed: compute them."
                )
            columns, costs = _table(self.scores, session.space)
            wanted = [columns[_column(name, columns, self.scores)] for name in names]
            rows = np.asarray(chosen, dtype=np.int64)
            known = ~np.any(np.isnan(np.array(wanted)), axis=0)
            rows = rows[known[rows]]  # what has no score is never chosen
            chosen = rows.tolist()
            values = [column[rows] for column in wanted]
            each = add_up(costs.get(name, self.seconds_each) for name in names)
            seconds = each * len(rows)
        else:
            values = _compute(session, names, chosen, self.images)
            seconds = self.seconds_each * len(names) * len(chosen)
        if not chosen:
            raise SuiteError(
                f"No candidate has scores of {self.proxies}: draw more, or compute them."
            )
        session.charge(seconds)
        return Scored(chosen, np.array(values))

    def rank(self, session: Session) -> list[Any]:
        """Candidates as ``score`` has them, assembled by ranks, the best first."""
        scored = self.score(session)
        best_first = np.argsort(-assemble(list(scored.values)), kind="stable")
        return [scored.architectures[place] for place in best_first.tolist()]


def _check_proxies(task: Task, proxies: str, scores: str) -> None:
    """Refuse, before anything runs, what cannot be scored on a task.

    Raises:
        SuiteError: an unknown proxy, or a package, table or network that it needs is missing.
    """
    space = task.benchmark.space
    if scores:
        if isinstance(space, FiniteSpace):
            columns = read_scores(scores, space)
            for name in _names(proxies):
                _column(name, columns, scores)
        return
    find_builder(space.base if isinstance(space, PoolSpace) else space)
    for name in _names(proxies):
        for package in registry.load_object("proxies", name, Proxy).packages:
            need_package(f"Proxy {name!r}", package, package)


def _names(proxies: str) -> list[str]:
    return [name.strip() for name in proxies.split("+") if name.strip()]


def _candidates(session: Session, candidates: int) -> list[Any]:
    space = session.space
    if candidates == 0:
        if not isinstance(space, FiniteSpace):
            raise SuiteError(
                f"Space {space.name!r} is too large to score all of it: give a number of "
                f"candidates."
            )
        return list(range(space.size))
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
