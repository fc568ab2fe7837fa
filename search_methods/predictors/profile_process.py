"""A Gaussian process whose kernel is the likeliest of a few, and what two predictors make of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ProfileProcess:
    """The posterior under the kernel of largest likelihood; its scale and mean are profiled out.

    Attributes:
        chosen: position of the kernel among those given.
        mean: of the prior.
        scale: by which the kernel is multiplied.
        lower: Cholesky factor of the kernel among the observations, their noise included.
        residuals: ``lower``'s inverse times the observations less the mean.
    """

    chosen: int
    mean: float
    scale: float
    lower: Array
    residuals: Array

    @classmethod
    def likeliest(cls, kernels: Array, targets: Array) -> ProfileProcess:
        """Choose a kernel.

        Args:
            kernels: covariances among n observations with their noise, shape (kernels, n, n).
            targets: the observations, shape (n,).
        """
        n = len(targets)
        lowers = np.linalg.cholesky(kernels)
        # Both sides of every kernel's equations at once: L^-1 [1, targets], L the lower factor.
        sides = np.column_stack([np.ones(n), targets])
        solved = np.linalg.solve(lowers, np.tile(sides, (len(kernels), 1, 1)))
        ones, values = np.moveaxis(solved, 2, 0)
        means = (ones * values).sum(axis=1) / (ones**2).sum(axis=1)
        residuals = values - means[:, None] * ones
        scales = (residuals**2).sum(axis=1) / n
        determinants = np.log(np.diagonal(lowers, axis1=1, axis2=2)).sum(axis=1)
        best = int((n * np.log(np.maximum(scales, 1e-300)) + 2.0 * determinants).argmin())
        return cls(best, means[best], scales[best], lowers[best], residuals[best])

    def predict(self, cross: Array) -> tuple[Array, Array]:
        """Mean and standard deviation, shape (m,).

        Args:
            cross: covariances of m points, each of variance 1, with the observations, shape (m, n).
        """
        from scipy.linalg import solve_triangular

        reached = solve_triangular(self.lower, cross.T, lower=True)
        mean = self.mean + self.residuals @ reached
        unexplained = np.maximum(1.0 - (reached**2).sum(axis=0), 0.0)
        return mean, np.sqrt(self.scale * unexplained)
