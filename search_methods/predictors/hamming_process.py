"""A Gaussian process on the number of decisions in which architectures differ."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples, Prediction, Predictor
from search_methods.predictors.profile_process import ProfileProcess

Array = NDArray[np.float64]

LENGTHS = np.geomspace(0.5, 16.0, 8)  # in changed decisions
NOISES = (1e-3, 1e-2, 1e-1)  # of a target of variance 1


@dataclass
class HammingProcess(Predictor):
    """A Gaussian process with the kernel exp(-d / l), d the number of decisions that differ.

    The kernel is positive definite as a product of one factor a decision. The length l and the
    noise are those of largest likelihood on a grid, the scale and the mean those of largest
    likelihood given these. ParEGO learns its scalarizations by it.
    """

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Choose length and noise."""
        self.vectors = _vectors(known)
        among = differing(self.vectors, self.vectors)
        lengths, noises = np.array(list(product(LENGTHS, NOISES))).T
        # Distances are few whole numbers, so each kernel value is computed once.
        decays = np.exp(-np.arange(self.vectors.shape[1] + 1) / lengths[:, None])
        kernels = decays[:, among] + noises[:, None, None] * np.eye(len(values))
        self.process = ProfileProcess.likeliest(kernels, values)
        self.decay = decays[self.process.chosen]

    def predict(self, asked: Examples) -> Prediction:
        """The posterior without noise."""
        cross = self.decay[differing(_vectors(asked), self.vectors)]
        return Prediction(*self.process.predict(cross))


def _vectors(examples: Examples) -> NDArray[np.integer]:
    if not examples.space.choices:
        raise SuiteError(
            f"The Hamming process counts decisions that differ, and architectures of space "
            f"{examples.space.name!r} are no vectors of choices: choose another predictor."
        )
    return examples.space.vectors(examples.architectures)


def differing(ones: NDArray[np.integer], others: NDArray[np.integer]) -> NDArray[np.int64]:
    """In how many decisions vectors of choices differ, shape (ones, others)."""
    counts = np.zeros((len(ones), len(others)), dtype=np.int64)
    for column, other in zip(ones.T, others.T, strict=True):
        counts += column[:, None] != other
    return counts
