"""The tree-structured Parzen estimator on categorical choices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts
from nasbench_suite.spaces import SearchSpace
from nasbench_suite.tasks.method import Method, Session

_GOOD_SHARE, _MOST_GOOD = 0.1, 25
_FULL_WEIGHT = 25  # so many of the newest observations count in full, older ones less


@dataclass
class TPE(Method):
    """Take the choices that are likely among the good architectures and rare among the others.

    Bergstra, Bardenet, Bengio and Kegl, *Algorithms for hyper-parameter optimization*, NeurIPS
    2011. Each decision is a categorical parameter with an estimator of its own, as in the paper.
    What the paper leaves open is as in optuna's ``TPESampler`` (Akiba, Sano, Yanase, Ohta and
    Koyama, KDD 2019): a search draws what optuna's draws from the same seed, in about a tenth of
    the time (``tests/benchmarks/test_speed.py``). The defaults are optuna's; the number of
    candidates is also the paper's, the share of good architectures optuna's 10 % and at most 25
    (the paper: 15 %). NATS-Bench compares no TPE alone; its BOHB uses one with 4 candidates.

    Attributes:
        num_initial: number of random architectures before the estimators are used.
        num_candidates: number of draws, of which the one of highest expected improvement is
            taken.
    """

    title: ClassVar[str] = "TPE"
    approach: ClassVar[str] = "predictor"

    needs_parameters: ClassVar[bool] = True
    draws_first: ClassVar[bool] = False
    begins_with: ClassVar[str] = "num_initial"

    num_initial: int = 10
    num_candidates: int = 24

    def __post_init__(self) -> None:
        check_counts("TPE", self, "num_initial num_candidates")

    def start(self, session: Session) -> None:
        """Begin with no observation; random architectures and candidates have a stream each."""
        seed = int(session.rng.integers(2**32))
        self.initial_rng = np.random.RandomState(seed)
        self.rng = np.random.RandomState(seed)
        self.vectors: list[list[int]] = []
        self.scores: list[float] = []

    def step(self, session: Session) -> None:
        """Choose option by option, evaluate, and remember the score."""
        choices = session.space.parameters
        if len(self.scores) < self.num_initial:
            vector = [self._draw(options) for options in choices]
        else:
            vector = self._suggest(choices)
        score = session.evaluate(session.space.closest(vector))
        self.vectors.append(vector)
        self.scores.append(score)

    def take(self, space: SearchSpace, architecture: Any, score: float) -> None:
        """Learn of an architecture that somebody else chose; it counts among the first.

        Raises:
            SuiteError: architectures of the space are no vectors of choices.
        """
        self.vectors.append(list(space.vector(architecture)))
        self.scores.append(score)

    def _draw(self, options: int) -> int:
        return int(self.initial_rng.random_sample(options).argmax()) if options > 1 else 0

    def _suggest(self, choices: tuple[int, ...]) -> list[int]:
        """For each decision the candidate with the highest ratio of the two densities."""
        seen = np.array(self.vectors)
        good, rest = self._split()
        of_good, of_rest = _weights(len(good)), _weights(len(rest))
        vector = []
        for decision, options in enumerate(choices):
            if options == 1:
                vector.append(0)
                continue
            likely = CategoricalParzen(seen[good, decision], of_good, options)
            unlikely = CategoricalParzen(seen[rest, decision], of_rest, options)
            candidates = likely.sample(self.rng, self.num_candidates)
            improvement = likely.log_density - unlikely.log_density
            vector.append(int(candidates[improvement[candidates].argmax()]))
        return vector

    def _split(self) -> tuple[list[int], list[int]]:
        """The observations with the best scores and the others, both from old to new."""
        best_first = sorted(range(len(self.scores)), key=self.scores.__getitem__, reverse=True)
        good = min(math.ceil(_GOOD_SHARE * len(self.scores)), _MOST_GOOD)
        return sorted(best_first[:good]), sorted(best_first[good:])


class CategoricalParzen:
    """A mixture of a kernel on each observed option and a uniform prior.

    Args:
        observed: options observed, from old to new, shape (n,).
        weights: of the kernels, that of the prior last.
        options: number of options.
    """

    def __init__(self, observed: NDArray[np.integer], weights: Weights, options: int) -> None:
        self._kernels, self._weights = _kernels(len(weights.share), options), weights
        self._kernel = np.empty(len(observed) + 1, dtype=np.int64)
        self._kernel[:-1] = observed
        self._kernel[-1] = options  # the prior's stands after the options'
        # Rows in one piece, as the order of a sum decides its last bit.
        joint = self._kernels.logarithm.take(self._kernel, axis=1)
        joint += weights.logarithm
        largest = joint.max(axis=1)
        joint -= largest[:, None]
        self.log_density = np.log(np.exp(joint, out=joint).sum(axis=1)) + largest
        """The logarithm of each option's probability, shape (options,)."""

    def sample(self, rng: np.random.RandomState, size: int) -> NDArray[np.int64]:
        """Options drawn from the mixture, shape (size,)."""
        # As rng.choice(len(share), p=share, size=size) draws, which checks the shares every time.
        drawn = self._weights.cumulative.searchsorted(rng.random_sample(size), side="right")
        cumulative = self._kernels.cumulative[self._kernel[drawn]]
        below: NDArray[np.bool_] = cumulative < rng.random_sample(size)[:, None]
        return np.asarray(below.sum(axis=1), dtype=np.int64)


class Kernels(NamedTuple):
    """The kernel on each option and, last, the prior.

    Attributes:
        logarithm: of each option's probability under each kernel, shape (options, options + 1).
        cumulative: running sums of the probabilities, shape (options + 1, options).
    """

    logarithm: NDArray[np.float64]
    cumulative: NDArray[np.float64]


class Weights(NamedTuple):
    """What observations from old to new, and last the prior, count: shares, logarithms, sums."""

    share: NDArray[np.float64]
    logarithm: NDArray[np.float64]
    cumulative: NDArray[np.float64]


@cache
def _kernels(count: int, options: int) -> Kernels:
    """The kernels of so many options in a mixture of ``count``.

    The prior counts as one observation, whose share of each of ``count`` kernels smooths it.
    """
    kernels = np.full((options + 1, options), 1.0 / count)
    kernels[np.arange(options), np.arange(options)] += 1
    kernels /= kernels.sum(axis=1, keepdims=True)
    cumulative = kernels.cumsum(axis=1)
    cumulative[:, -1] = 1.0
    return Kernels(np.ascontiguousarray(np.log(kernels).T), cumulative)


@cache
def _weights(observations: int) -> Weights:
    """Of so many observations and the prior."""
    ramp = max(observations - _FULL_WEIGHT, 0)
    rising = np.linspace(1.0 / observations, 1.0, num=ramp) if ramp else np.empty(0)
    weights = np.concatenate([rising, np.ones(observations - ramp + 1)])
    share = np.asarray(weights / weights.sum(), dtype=np.float64)
    cumulative = share.cumsum()
    return Weights(share, np.log(share), cumulative / cumulative[-1])
