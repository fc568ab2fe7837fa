"""BANANAS: Bayesian optimization with a neural predictor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_counts
from nasbench_suite.predictors import Examples
from nasbench_suite.tasks.method import Method, Session, later
from search_methods.gaps import filled
from search_methods.initial_designs import check_design, diverse
from search_methods.predictors.deep_ensemble import DeepEnsemble
from search_methods.predictors.encoding import check_longest_path


@dataclass
class Bananas(Method):
    """Evaluate the mutants of the best that an ensemble of networks, sampled, thinks best.

    White, Neiswanger and Savani, *BANANAS: Bayesian optimization with neural architectures for
    neural architecture search*, AAAI 2021, Algorithm 1: path encoding, an ensemble of
    feedforward networks, independent Thompson sampling (ITS), and mutation to optimize it. The
    defaults are those of the authors' code (``naszilla``); NATS-Bench has no BANANAS.

    Where this deviates: the networks learn scores brought to mean 0 and variance 1, since a
    signal may have any unit, and a mutation changes one decision (the authors' code: each with
    probability 1/4).

    Attributes:
        num_initial: number of random architectures at the beginning.
        batch_size: number of architectures evaluated between two trainings of the ensemble.
        num_candidates: number of new mutants among which ITS chooses.
        num_networks: number of networks in the ensemble.
        num_layers: hidden layers of each.
        layer_width: units of each hidden layer.
        epochs: epochs of training, with Adam on the absolute error, in batches of 32.
        learning_rate: step size of Adam.
        encoding: ``path`` (see ``encode_paths``), ``one-hot``, or ``auto``: paths where the
            space has cells, one-hot elsewhere.
        longest_path: number of edges of the longest paths encoded in NAS-Bench-201's cells, from 1
            to 3; the authors truncate the encoding of these after two.
        initial: ``random`` architectures at the beginning, as the authors have it, or ``diverse``
            ones (see ``initial_designs``).
    """

    title: ClassVar[str] = "BANANAS"
    approach: ClassVar[str] = "predictor"

    needs_features: ClassVar[bool] = True
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 10
    batch_size: int = 10
    num_candidates: int = 100
    num_networks: int = 5
    num_layers: int = 10
    layer_width: int = 20
    epochs: int = 150
    learning_rate: float = 0.01
    encoding: Literal["auto", "path", "one-hot"] = "auto"
    longest_path: int = 2
    initial: str = later("random")

    def __post_init__(self) -> None:
        check_counts(
            "BANANAS",
            self,
            "num_initial batch_size num_candidates num_networks num_layers layer_width epochs",
        )
        if not 0 < self.learning_rate < np.inf:
            raise SuiteError(
                f"A learning rate of {self.learning_rate} teaches nothing: "
                f"choose a learning_rate above 0."
            )
        if self.encoding not in ("auto", "path", "one-hot"):
            raise SuiteError(
                f"Unknown encoding {self.encoding!r}: choose 'auto', 'path' or 'one-hot'."
            )
        check_longest_path(self.longest_path)
        check_design(self.initial)

    def start(self, session: Session) -> None:
        """Begin with nothing evaluated, and choose the encoding.

        Raises:
            SuiteError: paths are to be encoded in a space that has none.
        """
        self.scores: dict[Any, float] = {}
        self.size = session.space.size
        cells = "path" in session.space.encodings
        if self.encoding == "path" and not cells:
            raise SuiteError(
                f"Space {session.space.name!r} has no cells with paths to encode: "
                f"choose the encoding 'one-hot' or 'auto'."
            )
        self.ensemble = DeepEnsemble(
            *(self.num_networks, self.num_layers, self.layer_width),
            *(self.epochs, self.learning_rate),
            encoding=self.encoding,
            longest_path=self.longest_path,
        )

    @property
    def finished(self) -> bool:
        """Whether every architecture of the space has been evaluated."""
        return len(self.scores) == self.size

    def step(self, session: Session) -> None:
        """Evaluate the first random architectures, or one batch that the ensemble chose."""
        if not self.scores:
            chosen = self._first(session)
        else:
            candidates = self._mutants_of_the_best(session)
            predictions = self._predict(session, candidates)
            sampled = session.rng.normal(predictions.mean(axis=0), predictions.std(axis=0))
            best_first = np.argsort(-sampled, kind="stable")
            chosen = [candidates[position] for position in best_first[: self.batch_size]]
        for architecture in chosen:
            self.scores[architecture] = session.evaluate(architecture)

    def _first(self, session: Session) -> list[Any]:
        if self.initial == "diverse":
            return diverse(session.space, self.num_initial, session.rng)
        return [session.space.sample(session.rng) for _ in range(self.num_initial)]

    def _mutants_of_the_best(self, session: Session) -> list[Any]:
        """New mutants of the best architecture, then of the next best, until there are enough."""
        mutants: dict[Any, None] = {}  # a set that keeps its order
        for parent in sorted(self.scores, key=self.scores.__getitem__, reverse=True):
            for _ in range(self.num_candidates):
                mutant = session.space.mutate(parent, session.rng)
                if mutant not in self.scores:
                    mutants[mutant] = None
                if len(mutants) == self.num_candidates:
                    return list(mutants)
        return list(mutants)

    def _predict(self, session: Session, candidates: list[Any]) -> NDArray[np.float64]:
        """What each network predicts of each candidate, shape (networks, candidates)."""
        from threadpoolctl import threadpool_limits

        scores = -filled(-np.array(list(self.scores.values())))
        # One thread: another number could add in another order and change the last bits.
        with threadpool_limits(1):
            self.ensemble.fit(Examples(session.space, list(self.scores)), scores, session.rng)
            return self.ensemble.members(Examples(session.space, candidates))
