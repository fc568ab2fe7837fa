"""A Gaussian process on zero-cost scores: a few trainings say what the proxies are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts
from nasbench_suite.spaces import FiniteSpace
from nasbench_suite.tasks.method import Session
from search_methods.graph_vae_search import expected_improvement
from search_methods.predictors.gaussian_process import CandidateProcess
from search_methods.ranking import Scored, Scoring

Array = NDArray[np.float64]


@dataclass
class ZeroCostProcess(Scoring):
    """Evaluate what is expected to improve most, by a Gaussian process on proxies' scores.

    No proxy is right by itself, and which are depends on the data set. So the proxies are no
    ranking, but the features of a model that learns from the trainings::

        score the candidates by each proxy, and bring each proxy's ranks to normal scores
        evaluate a few candidates at random
        repeat
            fit the process to the scores and accuracies of what was evaluated
            evaluate the candidate of most expected improvement

    Scores as features of a model: White, Zela, Ru, Liu and Hutter, *How powerful are performance
    predictors in neural architecture search?*, NeurIPS 2021 (OMNI); in a search, with BANANAS and
    boosted trees: Krishnakumar et al., *NAS-Bench-Suite-Zero*, NeurIPS 2022, section 5. The
    process in their place, and scores as its only features, are ours.

    Attributes:
        proxies: names, as ``nwot+synflow``, each a feature.
        scores: a table of scores, by its file or the name of a benchmark of them; empty to compute
            them on the networks.
        candidates: how many architectures are drawn and scored, 0 for all of the space; of those
            that compute the same the first alone counts.
        images: the data set that proxies are computed on, where they are computed.
        seconds_each: simulated seconds that a score costs, where a table does not say.
        num_initial: random candidates at the beginning.
        refit_every: evaluations between two choices of the process's hyper-parameters.
    """

    title: ClassVar[str] = "Zero-cost Gaussian process"
    begins_with: ClassVar[str] = "num_initial"

    proxies: str = "synflow+nwot+snip+zen+flops+params"
    num_initial: int = 5
    refit_every: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts("The zero-cost process", self, "num_initial refit_every")

    def start(self, session: Session) -> None:
        """Score the candidates."""
        scored = _distinct(session, self.score(session))
        self.architectures = scored.architectures
        self.process = CandidateProcess(normal_scores(scored.values).T)
        self.unseen = np.ones(len(self.architectures), dtype=np.bool_)
        self.places: list[int] = []
        self.values: list[float] = []

    @property
    def finished(self) -> bool:
        """Whether every candidate has been evaluated."""
        return not self.unseen.any()

    def step(self, session: Session) -> None:
        """Evaluate one candidate: at random at first, then the most promising."""
        if len(self.values) < self.num_initial:
            place = int(session.rng.choice(np.flatnonzero(self.unseen)))
        else:
            if not self.process.seen or len(self.values) % self.refit_every == 0:
                self.process.fit(self.places, np.array(self.values))
            gains = expected_improvement(*self.process.predict(), max(self.values))
            place = int(np.where(self.unseen, gains, -np.inf).argmax())
        self.unseen[place] = False
        value = session.evaluate(self.architectures[place])
        if not np.isfinite(value):  # there is nothing to learn from
            return
        self.places.append(place)
        self.values.append(value)
        if self.process.seen:
            self.process.observe(place, value)


def normal_scores(values: Array) -> Array:
    """Ranks of each row, brought to the quantiles of a normal distribution; equals share one.

    Proxies spread over orders of magnitude, and an order is all that they are for (van der
    Waerden's scores). What is not finite is a rank as well, the lowest.

    Args:
        values: shape (rows, n).

    Returns:
        The same shape.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    ranks = rankdata(np.nan_to_num(values, nan=-np.inf, posinf=np.inf, neginf=-np.inf), axis=1)
    found: Array = ndtri(ranks / (values.shape[1] + 1))
    return found


def _distinct(session: Session, scored: Scored) -> Scored:
    """Of candidates that compute the same, the first."""
    space, rows = session.space, scored.architectures
    if not isinstance(space, FiniteSpace):
        return scored
    _, first = np.unique(space.classes[np.array(rows)], return_index=True)
    kept: list[int] = np.sort(first).tolist()
    chosen: list[Any] = [rows[place] for place in kept]
    return Scored(chosen, scored.values[:, kept])
