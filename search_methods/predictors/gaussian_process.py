"""Gaussian processes on features: a predictor, and one that is kept up to date query by query.

Where every candidate is known in advance, the posterior of all of them can be carried along: a
further observation costs one row of a triangular solve, linear in candidates and observations,
and only new hyper-parameters need the whole of it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import Standard

Array = NDArray[np.float64]

_PRIOR_MEAN = np.log([0.5, 1.0, 1.0, 0.1])  # deviations of linear part, Matérn part; length; noise
_PRIOR_DEVIATION = np.array([1.0, 1.0, 0.7, 1.0])
_JITTER = 1e-6
_ITERATIONS = 15  # from the last hyper-parameters on


@dataclass
class CandidateProcess:
    """A Gaussian process with a linear and a Matérn 5/2 part, on standardised targets.

    ``k(x, x') = a² x·x' + b² M(|x − x'| / ℓ)``, and noise of deviation σ. The four are those of
    highest posterior density under log-normal priors, found by L-BFGS with exact gradients
    (Rasmussen and Williams, *Gaussian processes for machine learning*, 2006, sections 4.2 and
    5.4). The linear part carries what adds up over a cell, such as a latency; the other the rest.

    Attributes:
        features: of all candidates, shape (candidates, dimensions); they are centred and scaled
            so that two candidates are at a mean squared distance of 2.
        beforehand: what is known of the candidates before any is observed, shape (candidates, d),
            centred; the linear part has these features as well.
    """

    features: Array
    log_scales: Array = field(default_factory=lambda: _PRIOR_MEAN.copy())
    beforehand: Array | None = None

    def __post_init__(self) -> None:
        features = np.asarray(self.features, dtype=np.float64)
        features = features - features.mean(axis=0)
        self.features = features / (np.sqrt((features**2).sum(axis=1).mean()) or 1.0)
        self.squares = (self.features**2).sum(axis=1)
        self.linear_squares = self.squares
        if self.beforehand is not None:
            self.linear_squares = self.squares + (self.beforehand**2).sum(axis=1)
        self.seen: list[int] = []

    def fit(self, seen: list[int], values: Array, optimise: bool = True) -> None:
        """Take observations, and choose the hyper-parameters anew unless told not to.

        Args:
            seen: candidates observed, n positions.
            values: what was observed, shape (n,).
            optimise: whether to choose hyper-parameters.
        """
        from scipy.linalg.blas import dtrsm

        self.seen = list(seen)
        self.centre, self.spread = float(values.mean()), float(values.std()) or 1.0
        targets = (values - self.centre) / self.spread
        points = self.features[self.seen]
        if optimise and len(self.seen) > 2:
            known = None if self.beforehand is None else self.beforehand[self.seen]
            self.log_scales = _most_probable(points, targets, self.log_scales, known)
        linear, matern, _, noise = np.exp(2 * self.log_scales)
        kernel = self._kernel(self.seen)
        own = kernel[:, self.seen]
        factor = np.linalg.cholesky(own + (noise + _JITTER) * np.eye(len(self.seen)))
        # Solved in place, from the right: the transpose of the kernel is as BLAS keeps a matrix.
        rows = dtrsm(1.0, factor, kernel.T, side=1, lower=1, trans_a=1, overwrite_b=1).T
        whitened = np.linalg.solve(factor, targets)
        self._mean = whitened @ rows
        self._variance = linear * self.linear_squares + matern - np.einsum("ij,ij->j", rows, rows)
        self._rows = rows

    def observe(self, candidate: int, value: float) -> None:
        """Take one further observation, with the hyper-parameters as they are."""
        known = len(self.seen)
        noise = float(np.exp(2 * self.log_scales[3]))
        before = self._rows[:known]
        row = self._kernel([candidate])[0] - before[:, candidate] @ before
        scale = float(np.sqrt(max(row[candidate] + noise + _JITTER, _JITTER)))
        row /= scale
        error = ((value - self.centre) / self.spread - self._mean[candidate]) / scale
        self._mean += error * row
        self._variance -= row**2
        if known == len(self._rows):  # room for some more, written in place
            room = np.empty((known // 8 + 8, len(self.features)))
            self._rows = np.concatenate([self._rows, room])
        self._rows[known] = row
        self.seen.append(candidate)

    def predict(self) -> tuple[Array, Array]:
        """Means and deviations of the noise-free values of all candidates, in their own unit."""
        deviation = np.sqrt(np.maximum(self._variance, _JITTER))
        return self.centre + self.spread * self._mean, self.spread * deviation

    def _kernel(self, rows: list[int]) -> Array:
        """Prior covariances of some candidates with all, shape (rows, candidates)."""
        squares = self.squares[rows], self.squares
        kernel = _covariances(self.features[rows], self.features, *squares, self.log_scales)
        if self.beforehand is not None:
            linear = np.exp(2 * self.log_scales[0])
            kernel += linear * (self.beforehand[rows] @ self.beforehand.T)
        return kernel


@dataclass
class GaussianProcess(Predictor):
    """A Gaussian process with a linear and a Matérn 5/2 part, on features of architectures.

    The kernel and the choice of its hyper-parameters are those of ``CandidateProcess``, for
    architectures that need not be known in advance: features are centred and scaled by those that
    it learns from. Encodings: White, Neiswanger, Nolen and Savani, *A study on encodings for neural
    architecture search*, NeurIPS 2020.

    Attributes:
        encoding: ``one-hot``, ``path`` or ``adjacency``, as far as the space has it; ``auto`` for
            the first that it has.
    """

    encoding: Literal["auto", "one-hot", "path", "adjacency"] = "auto"

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Choose the hyper-parameters, and solve for the weights of the observations."""
        features = self.describe(known)
        self.middle = features.mean(axis=0)
        centred = features - self.middle
        self.length = float(np.sqrt((centred**2).sum(axis=1).mean())) or 1.0
        self.points = centred / self.length
        self.standard = Standard.of(values)
        targets = self.standard.scale(values)
        self.log_scales = _PRIOR_MEAN.copy()
        if len(values) > 2:
            self.log_scales = _most_probable(self.points, targets, self.log_scales)
        self.squares = (self.points**2).sum(axis=1)
        kernel = _covariances(self.points, self.points, self.squares, self.squares, self.log_scales)
        noise = float(np.exp(2 * self.log_scales[3]))
        self.factor = np.linalg.cholesky(kernel + (noise + _JITTER) * np.eye(len(values)))
        self.whitened = _solve_lower(self.factor, targets)

    def predict(self, asked: Examples) -> Prediction:
        """The posterior without noise."""
        points = (self.describe(asked) - self.middle) / self.length
        squares = (points**2).sum(axis=1)
        cross = _covariances(self.points, points, self.squares, squares, self.log_scales)
        rows = _solve_lower(self.factor, cross)
        linear, matern = np.exp(2 * self.log_scales[:2])
        variance = linear * squares + matern - (rows**2).sum(axis=0)
        return self.standard.unscale(self.whitened @ rows, np.sqrt(np.maximum(variance, _JITTER)))

    def describe(self, examples: Examples) -> Array:
        """The features of architectures, shape (n, d)."""
        return examples.features(self.encoding)


def _solve_lower(factor: NDArray[np.floating], right: Array) -> Array:
    from scipy.linalg import solve_triangular

    solved: Array = solve_triangular(factor, right, lower=True)
    return solved


def _covariances(
    points: Array, others: Array, squares: Array, other_squares: Array, log_scales: Array
) -> Array:
    """Prior covariances, shape (points, others), of features with these squared norms."""
    linear, matern, length, _ = np.exp(log_scales * [2, 2, 1, 2])
    kernel: Array = points @ others.T
    for products, square in zip(kernel, squares, strict=True):  # within the cache
        scaled = np.maximum(square + other_squares - 2 * products, 0.0)
        np.sqrt(scaled, out=scaled)
        scaled *= np.sqrt(5) / length
        smooth = scaled * (1 / 3)
        smooth += 1
        smooth *= scaled
        smooth += 1
        np.negative(scaled, out=scaled)
        np.exp(scaled, out=scaled)
        smooth *= scaled
        smooth *= matern
        products *= linear
        products += smooth
    return kernel


def _most_probable(
    points: Array, targets: Array, start: Array, beforehand: Array | None = None
) -> Array:
    """The logarithms of a, b, ℓ and σ of highest posterior density near ``start``."""
    from scipy.optimize import minimize

    products = points @ points.T
    squares = np.diag(products)
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * products, 0.0))
    if beforehand is not None:
        products = products + beforehand @ beforehand.T
    found = minimize(
        _negative_log_posterior,
        start,
        args=(products, distances, targets),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-6, 3), (-6, 3), (-3, 3), (-5, 1)],
        options={"maxiter": _ITERATIONS},
    )
    return np.asarray(found.x, dtype=np.float64)


def _negative_log_posterior(
    log_scales: Array, products: Array, distances: Array, targets: Array
) -> tuple[float, Array]:
    """And its gradient with respect to the logarithms of a, b, ℓ and σ."""
    from scipy.linalg.lapack import dpotrf, dpotri

    linear, matern, length, noise = np.exp(log_scales * [2, 2, 1, 2])
    scaled = distances * (np.sqrt(5) / length)
    decay = np.exp(-scaled)
    smooth = matern * (1 + scaled + scaled**2 / 3) * decay
    kernel = linear * products + smooth
    kernel[np.diag_indices_from(kernel)] += noise + _JITTER
    factor, _ = dpotrf(kernel, lower=1, clean=1)
    inverse, _ = dpotri(factor, lower=1)
    inverse += np.tril(inverse, -1).T
    weights = inverse @ targets
    away = (log_scales - _PRIOR_MEAN) / _PRIOR_DEVIATION
    value = 0.5 * targets @ weights + np.log(np.diag(factor)).sum() + 0.5 * away @ away
    outer = inverse - np.outer(weights, weights)
    slope = matern * scaled**2 * (1 + scaled) / 3 * decay  # derivative by log ℓ
    gradient = [
        0.5 * np.sum(outer * (2 * linear * products)),
        0.5 * np.sum(outer * (2 * smooth)),
        0.5 * np.sum(outer * slope),
        0.5 * np.trace(outer) * 2 * noise,
    ]
    return float(value), np.array(gradient) + away / _PRIOR_DEVIATION
