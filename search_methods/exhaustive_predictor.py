"""The exhaustive predictor: a forest grown on what was evaluated, asked about the whole space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts
from nasbench_suite.predictors import Examples
from nasbench_suite.spaces import listed
from nasbench_suite.statistics.pareto import nondominated
from nasbench_suite.tasks.method import Method, Session
from search_methods.initial_designs import Design, check_design, diverse
from search_methods.predictors.trees import ExtraTrees

Array = NDArray[np.float64]


@dataclass
class ExhaustivePredictor(Method):
    """Draw what every architecture may be worth; evaluate one that would then be optimal.

    These spaces are small enough to predict all of them, so nothing needs to be searched: after
    every few evaluations an ensemble of extremely randomised trees (Geurts, Ernst and Wehenkel,
    *Extremely randomized trees*, Machine Learning 2006) learns each objective from one-hot
    decisions. A few of its trees, drawn at random, stand for a function that the data allow
    (Thompson sampling); of that function's Pareto front over the whole space, an architecture
    drawn at random is evaluated. What was evaluated counts there at what was seen, and what
    computes the same function as it is passed over until nothing else is left. Of costs, which are
    above 0, the trees learn logarithms.

    The combination is ours: a baseline that is simple and hard to beat, without which a win of a
    learned search says little.

    Attributes:
        num_initial: number of architectures at the beginning.
        initial: which these are: ``diverse`` ones, each the farthest from those before (see
            ``initial_designs``), or ``random`` ones.
        batch_size: number of architectures evaluated between two trainings.
        num_trees: trees of each objective's ensemble.
        sampled_trees: a drawn function is the mean of so many trees, drawn with replacement: few
            of them explore more.
    """

    title: ClassVar[str] = "Exhaustive predictor"
    approach: ClassVar[str] = "predictor"

    multi_objective: ClassVar[bool] = True
    lists_space: ClassVar[bool] = True
    draws_first: ClassVar[bool] = False
    needs_choices: ClassVar[bool] = True
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 10
    initial: Design = "diverse"
    batch_size: int = 5
    num_trees: int = 30
    sampled_trees: int = 5

    def __post_init__(self) -> None:
        check_counts(
            "The exhaustive predictor",
            self,
            "num_initial batch_size num_trees sampled_trees",
        )
        check_design(self.initial)

    def start(self, session: Session) -> None:
        """Begin with nothing evaluated, and encode every architecture of the space."""
        space = listed(session.space)
        self.losses: dict[int, Array] = {}
        self.unseen = np.ones(space.size, dtype=np.bool_)
        self.classes = space.classes
        self.seen_classes = np.zeros(self.classes.max() + 1, dtype=np.bool_)
        self.first = self._first_queries(session)
        self.everything = Examples(space, np.arange(space.size))
        self.everything.features("one-hot")  # once, for all parts taken later

    @property
    def finished(self) -> bool:
        """Whether every architecture of the space has been evaluated."""
        return not self.unseen.any()

    def step(self, session: Session) -> None:
        """Evaluate the first architectures, or a batch that the ensembles chose."""
        if self.first:
            self._evaluate(session, self.first.pop(0))
            return
        if not self.losses:  # no figure was available
            self._evaluate(session, int(session.rng.choice(np.flatnonzero(self.unseen))))
            return
        predictions = self._predict(session)
        for _ in range(self.batch_size):
            if not self.finished:
                self._evaluate(session, self._possibly_best(session, predictions))

    def _evaluate(self, session: Session, architecture: int) -> None:
        losses = -session.evaluate_all(architecture)
        self.unseen[architecture] = False
        self.seen_classes[self.classes[architecture]] = True
        if np.isfinite(losses).all():  # else there is nothing to learn from
            self.losses[architecture] = losses

    def _first_queries(self, session: Session) -> list[int]:
        if self.initial == "diverse":
            return diverse(session.space, self.num_initial, session.rng)
        drawn = session.rng.permutation(len(self.unseen))[: self.num_initial]
        return [int(architecture) for architecture in drawn]

    def _predict(self, session: Session) -> list[Array]:
        """What each tree predicts of every architecture, for each objective (trees, size)."""
        known = self.everything.take(list(self.losses))
        predictions = []
        for losses in self._targets().T:
            forest = ExtraTrees(self.num_trees, encoding="one-hot")
            forest.fit(known, losses, session.rng)
            predictions.append(forest.members(self.everything))
        return predictions

    def _targets(self) -> Array:
        """What was seen, as the trees learn it, shape (n, objectives)."""
        losses = np.array(list(self.losses.values()))
        costs = (losses > 0).all(axis=0)
        return np.where(costs, np.log(losses, where=costs, out=np.zeros_like(losses)), losses)

    def _possibly_best(self, session: Session, predictions: list[Array]) -> int:
        rng = session.rng
        drawn = rng.integers(self.num_trees, size=(len(predictions), self.sampled_trees))
        sampled = np.stack(
            [trees[some].mean(axis=0) for trees, some in zip(predictions, drawn, strict=True)],
            axis=1,
        )
        sampled[list(self.losses)] = self._targets()
        fresh = self.unseen & ~self.seen_classes[self.classes]
        if not fresh.any():
            fresh = self.unseen
        best = np.flatnonzero(nondominated(sampled) & fresh)
        if not len(best):  # nothing is expected to be better than what was seen
            left = np.flatnonzero(fresh)
            best = left[nondominated(sampled[left])]
        return int(best[rng.integers(len(best))])
