"""What proxies say of architectures before any is trained, and what that costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite import registry
from nasbench_suite.adding import add_up
from nasbench_suite.errors import SuiteError, choose_from, need_package
from nasbench_suite.networks import find_builder
from nasbench_suite.prediction.scores import read_scores, read_seconds
from nasbench_suite.proxies import Proxy, assemble, make_batch, score
from nasbench_suite.spaces import FiniteSpace, PoolSpace, SearchSpace
from nasbench_suite.tasks.method import Session
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


def score_candidates(
    session: Session, proxies: str, scores: str, candidates: int, dataset: str, seconds_each: float
) -> Scored:
    """Score candidates by proxies, at the expense of the budget's seconds.

    Args:
        session: of the search.
        proxies: names, as ``synflow`` or ``nwot+synflow``.
        scores: a table of scores (see ``read_scores``); empty to compute them on the networks.
        candidates: how many architectures are drawn and scored; 0 for all of the space.
        dataset: of the images that proxies are computed on, where they are computed.
        seconds_each: what a score costs where a table does not say.

    Raises:
        SuiteError: no proxy, or one that the table lacks; all of a space that cannot be listed.
        BudgetSpent: the seconds do not suffice.
    """
    names = _names(proxies)
    if not names:
        raise SuiteError("No proxy is named to score architectures by: give one, such as synflow.")
    chosen = _candidates(session, candidates)
    if scores:
        if not isinstance(session.space, FiniteSpace):
            raise SuiteError("A table of scores is of a space that can be listed: compute them.")
        columns, costs = _table(scores, session.space)
        wanted = [columns[_column(name, columns, scores)] for name in names]
        rows = np.asarray(chosen, dtype=np.int64)
        known = ~np.any(np.isnan(np.array(wanted)), axis=0)
        rows = rows[known[rows]]  # what has no score is never chosen
        chosen = rows.tolist()
        values = [column[rows] for column in wanted]
        seconds = add_up(costs.get(name, seconds_each) for name in names) * len(rows)
    else:
        values, seconds = _compute(session, names, chosen, dataset, seconds_each)
    if not chosen:
        raise SuiteError(f"No candidate has scores of {proxies}: draw more, or compute them.")
    session.charge(seconds)
    return Scored(chosen, np.array(values))


def rank_by_proxies(
    session: Session, proxies: str, scores: str, candidates: int, dataset: str, seconds_each: float
) -> list[Any]:
    """Candidates as ``score_candidates`` scores them, assembled by ranks, the best first."""
    scored = score_candidates(session, proxies, scores, candidates, dataset, seconds_each)
    best_first = np.argsort(-assemble(list(scored.values)), kind="stable")
    return [scored.architectures[place] for place in best_first.tolist()]


def check_ranking(task: Task, proxies: str, scores: str) -> None:
    """Refuse, before anything runs, what cannot be ranked on a task.

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


@cache
def _table(source: str, space: FiniteSpace) -> tuple[dict[str, Array], dict[str, float]]:
    return read_scores(source, space), read_seconds(source)


def _column(name: str, columns: dict[str, Array], source: str) -> str:
    """The column of a proxy: its name, or its name behind that of a data set."""
    found = [column for column in columns if column == name or column.endswith(f"_{name}")]
    if len(found) != 1:
        raise SuiteError(choose_from(f"proxy in {source}", name, list(columns)))
    return found[0]


def _compute(
    session: Session, names: list[str], chosen: list[Any], dataset: str, seconds_each: float
) -> tuple[list[Array], float]:
    batch = make_batch(dataset)
    based = [_based(session.space, one) for one in chosen]
    values = [
        np.array([score(name, *one, session.seed, batch=batch) for one in based]) for name in names
    ]
    return values, seconds_each * len(names) * len(chosen)


def _based(space: SearchSpace, architecture: Any) -> tuple[SearchSpace, Any]:
    """An architecture and its space, that of the base for a member of a pool."""
    if isinstance(space, PoolSpace):
        return space.base, space.members[architecture]
    return space, architecture
