"""Latency from few measurements: additive, gradient boosting, and a Gaussian process.

All learn log latencies from the operations of a cell, so that errors are relative. They are small
on purpose: BRP-NAS (Dudziak et al., NeurIPS 2020) trains a graph network on 900 latencies of a
device, HELP (Lee et al., NeurIPS 2021) a meta-learned one on other devices and 10 of the new one;
what these reach without other devices is what such predictors have to beat.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples, Prediction, Predictor, make_predictor
from nasbench_suite.predictors.predictor import undeviating
from nasbench_suite.seeding import stream
from nasbench_suite.spaces import FiniteSpace, listed
from nasbench_suite.spaces.topology import TopologySpace, live_edges
from nasbench_suite.statistics.correlation import spearman

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
SIZES = (10, 25, 50, 100, 200, 400, 900)

_RIDGE = 1.0
_COUNTS_WEIGH = 4.0
_TUNED = 200  # a Gaussian process is tuned on no more measurements than these


def encode_costs(space: FiniteSpace) -> Floats:
    """Features of every architecture, shape (space.size, features).

    One-hot decisions as they are written; of cells also those of the live edges, since a runtime
    may remove dead branches, and how often each operation occurs. The counts weigh more, so that
    a few measurements teach what an operation costs anywhere before what it costs on each edge.
    """
    vectors = [space.all_vectors]
    if isinstance(space, TopologySpace):
        vectors.append(np.array([live_edges(v) for v in space.all_vectors.tolist()]))
    hot = [
        one[:, [position]] == np.arange(options)
        for one in vectors
        for position, options in enumerate(space.choices)
    ]
    parts: list[NDArray[Any]] = [np.concatenate(hot, axis=1)]
    if isinstance(space, TopologySpace):
        for one in vectors:
            counts = (one[:, :, None] == np.arange(space.choices[0])).sum(axis=1)
            parts.append(_COUNTS_WEIGH * counts)
    return np.concatenate(parts, axis=1).astype(np.float64)


@dataclass
class LatencyPredictor(Predictor):
    """What the predictors of costs share: they read ``encode_costs``, and give no deviations."""

    def fit(self, known: Examples, values: Floats, rng: np.random.Generator) -> None:
        """See ``Predictor.fit``.

        Raises:
            SuiteError: also for figures that are not above 0, which no costs are.
        """
        if (np.asarray(values) <= 0).any():
            raise SuiteError(
                f"{type(self).__name__} learns logarithms or shares of costs, so figures must be "
                f"above 0: choose another predictor."
            )
        super().fit(known, values, rng)

    def learn(self, known: Examples, values: Floats, rng: np.random.Generator) -> None:
        """See ``Predictor``."""
        self.learn_features(_describe(known), values)

    def predict(self, asked: Examples) -> Prediction:
        """See ``Predictor``."""
        return undeviating(self.predict_features(_describe(asked)))

    @abstractmethod
    def learn_features(self, features: Floats, latencies: Floats) -> None:
        """Learn from features (n, d) and latencies above 0, (n,)."""

    @abstractmethod
    def predict_features(self, features: Floats) -> Floats:
        """Latencies of architectures with these features, shape (n,)."""


def _describe(examples: Examples) -> Floats:
    def make() -> Floats:
        space = listed(examples.space)
        rows: Floats = encode_costs(space)[np.asarray(examples.architectures)]
        return rows

    return examples.described("costs", make)


@dataclass
class AdditivePredictor(LatencyPredictor):
    """A sum over edges of the cost of each operation there, by ridge regression on latencies.

    The only one that learns latencies themselves: costs add up, their logarithms do not.
    """

    def learn_features(self, features: Floats, latencies: Floats) -> None:
        """See ``LatencyPredictor``."""
        from sklearn.linear_model import Ridge

        self.scale = float(np.median(latencies))
        self.model = Ridge(_RIDGE).fit(features, latencies / self.scale)

    def predict_features(self, features: Floats) -> Floats:
        """See ``LatencyPredictor``."""
        return np.asarray(self.model.predict(features) * self.scale, dtype=np.float64)


@dataclass
class BoostedPredictor(LatencyPredictor):
    """Gradient-boosted regression trees."""

    fewest: ClassVar[int] = 2  # each tree learns from 80 % of them, rounded down

    def learn_features(self, features: Floats, latencies: Floats) -> None:
        """See ``LatencyPredictor``."""
        from sklearn.ensemble import GradientBoostingRegressor

        self.model = GradientBoostingRegressor(
            n_estimators=300, learning_rate=0.05, max_depth=4, subsample=0.8, random_state=0
        ).fit(features, np.log(latencies))

    def predict_features(self, features: Floats) -> Floats:
        """See ``LatencyPredictor``."""
        return np.asarray(np.exp(self.model.predict(features)), dtype=np.float64)


@dataclass
class GaussianPredictor(LatencyPredictor):
    """A Gaussian process with a linear and a squared-exponential part, and noise."""

    def learn_features(self, features: Floats, latencies: Floats) -> None:
        """See ``LatencyPredictor``."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel

        kernel = (
            ConstantKernel(0.1, (1e-4, 1e2)) * DotProduct(1.0, (1e-2, 1e2))
            + ConstantKernel(1.0, (1e-3, 1e3)) * RBF(5.0, (1.0, 1e2))
            + WhiteKernel(1e-2, (1e-5, 1.0))
        )
        targets = np.log(latencies)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            tuned = GaussianProcessRegressor(kernel, normalize_y=True).fit(
                features[:_TUNED], targets[:_TUNED]
            )
        self.model = tuned
        if len(targets) > _TUNED:
            self.model = GaussianProcessRegressor(
                tuned.kernel_, optimizer=None, normalize_y=True
            ).fit(features, targets)

    def predict_features(self, features: Floats) -> Floats:
        """See ``LatencyPredictor``."""
        return np.asarray(np.exp(self.model.predict(features)), dtype=np.float64)


def learning_curves(
    space: FiniteSpace,
    indices: NDArray[np.int64],
    columns: Mapping[str, Floats],
    *,
    predictors: Sequence[str] = ("additive", "boosting", "gaussian-process"),
    sizes: Iterable[int] = SIZES,
    repeats: int = 3,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Rank correlation of predictions against the number of measured architectures.

    Each repetition draws its architectures at random, the same for all predictors and devices;
    what was not drawn is predicted.

    Args:
        space: the space.
        indices: architecture of each row.
        columns: latencies (or energies) by device, above 0.
        predictors: names; `nasbench list predictors` lists them.
        sizes: numbers of measured architectures.
        repeats: draws of each size.
        seed: of the draws.
        progress: called with the fits done and all of them.

    Returns:
        One row a device, predictor, size and repetition: ``device``, ``predictor``,
        ``measured``, ``repeat``, ``spearman``, and ``within_10``, the share of predictions within
        10 % of the figure (BRP-NAS's measure).

    Raises:
        SuiteError: unknown predictor, a size that leaves nothing to predict, or no draw.
    """
    import pandas as pd

    check_repeats(repeats)
    sizes = list(sizes)
    made = {name: make_predictor(name) for name in predictors}
    for size in sizes:
        if not 2 <= size <= len(indices) - 3:
            raise SuiteError(
                f"{size} measured of {len(indices)} architectures are too few or leave too little "
                f"to predict: choose from 2 to {len(indices) - 3}."
            )
    everything = Examples(space, np.asarray(indices))
    _describe(everything)  # once, for all parts taken later
    rows: list[dict[str, Any]] = []
    total = len(columns) * len(predictors) * len(sizes) * repeats
    for size in sizes:
        for repeat in range(repeats):
            order = stream(seed, size, repeat).permutation(len(indices))
            drawn, rest = order[:size], order[size:]
            for device, values in columns.items():
                for name, predictor in made.items():
                    rng = stream(seed, size, repeat, name)
                    predictor.fit(everything.take(drawn), values[drawn], rng)
                    predicted = predictor.predict(everything.take(rest)).mean
                    truth = values[rest]
                    rows.append(
                        {
                            "device": device,
                            "predictor": name,
                            "measured": size,
                            "repeat": repeat,
                            "spearman": spearman(predicted, truth),
                            "within_10": float(np.mean(np.abs(predicted / truth - 1) <= 0.1)),
                        }
                    )
                    if progress is not None:
                        progress(len(rows), total)
    return pd.DataFrame(rows)


def check_repeats(repeats: int) -> None:
    """Refuse a number of draws that says nothing."""
    if repeats < 1:
        raise SuiteError(f"{repeats} draws of each size predict nothing: give 1 or more.")


def additive_from_operations(
    space: FiniteSpace, indices: NDArray[np.int64], values: Floats
) -> Floats | None:
    """Costs as sums over edges, from the empty cell and the cells with one operation.

    Args:
        space: a space of which option 0 of each decision is no operation.
        indices: architecture of each row.
        values: its cost.

    Returns:
        The predicted cost of each row; None where the rows lack any of these cells.
    """
    rows = {int(index): row for row, index in enumerate(indices)}
    empty = (0,) * len(space.choices)
    predicted = np.full(len(indices), 0.0)
    if space.index(empty) not in rows:
        return None
    base = values[rows[space.index(empty)]]
    predicted += base
    vectors = space.all_vectors[indices].astype(np.int64)
    for position, options in enumerate(space.choices):
        extra = np.zeros(options)
        for option in range(1, options):
            alone = space.index((*empty[:position], option, *empty[position + 1 :]))
            if alone not in rows:
                return None
            extra[option] = values[rows[alone]] - base
        predicted += extra[vectors[:, position]]
    return predicted
