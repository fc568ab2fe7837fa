"""How good a generative model of architectures is: anybody's, as long as it encodes and decodes.

The field's figures (Zhang et al., *D-VAE: a variational autoencoder for directed acyclic graphs*,
NeurIPS 2019; Yan et al., *Does unsupervised architecture representation learning help neural
architecture search?* (arch2vec), NeurIPS 2020; Lukasik et al., *Smooth variational graph
embeddings for efficient neural architecture search* (SVGe), IJCNN 2021), each by string and by
computation graph: isomorphic twins are different strings, so a model can be right about the graph
and wrong about the string, and a split by string leaks twins of what is held out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.seeding import sequence

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ACTIVE_VARIANCE = 0.01  # Burda et al., Importance weighted autoencoders, ICLR 2016, section 5.2
_BATCH = 8192  # latents decoded at a time


@runtime_checkable
class GenerativeModel(Protocol):
    """What a model must offer to be scored here. No more is asked, of no library.

    Cells are vectors of choices, integers of shape (n, choices). What a decoder emits may be
    anything of length n that the space reads (vectors, strings, indices); what the space does
    not read counts as an invalid cell, and so does a row with an entry of -1.
    """

    def encode(self, cells: NDArray[np.integer]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Means and log variances of the posteriors, each of shape (n, latent dimensions)."""

    def decode(self, latents: NDArray[Any], rng: np.random.Generator | None = None) -> Any:
        """One cell a latent: the most likely one, or one drawn with ``rng``."""

    def sample(self, count: int, rng: np.random.Generator) -> Any:
        """``count`` cells: latents from the prior, decoded."""


class CellSpace(Protocol):
    """What is asked of a space; every ``SearchSpace`` has it."""

    def vector(self, architecture: Any) -> tuple[int, ...]:
        """The choices of an architecture; a SuiteError if it is outside the space."""

    def canonical(self, architecture: Any) -> Hashable:
        """A key that is equal for isomorphic architectures."""


# -- the split ---------------------------------------------------------------------------------


def split_by_class(
    classes: ArrayLike, held_out: float = 0.1, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split architectures so that isomorphic twins stay together.

    Args:
        classes: class of every architecture, shape (n,), such as ``space.classes``.
        held_out: share of the classes to hold out; rounded up to at least one class.
        seed: of the choice of classes.

    Returns:
        Positions to train on, and positions held out, each ascending.

    Raises:
        SuiteError: the share leaves nothing on one side.
    """
    labels = np.asarray(classes)
    unique = np.unique(labels)
    count = max(1, round(held_out * len(unique))) if 0.0 < held_out < 1.0 else len(unique)
    if count >= len(unique):
        raise SuiteError(
            f"A share of {held_out} of {len(unique)} classes cannot be held out: choose one "
            f"between 0 and 1 that leaves classes to train on."
        )
    chosen = np.random.default_rng(seed).choice(unique, count, replace=False)
    outside = np.isin(labels, chosen)
    return np.flatnonzero(~outside), np.flatnonzero(outside)


# -- reading what a model emits ------------------------------------------------------------------


class CellReader:
    """Reads what models emit, and numbers the graphs, for one space.

    Args:
        space: the space that says what is valid and which cells are isomorphic.
        groups: the choices of each node, as positions; by default a node for each choice. In
            the topology space, the edges into each node.
    """

    def __init__(self, space: CellSpace, groups: Sequence[Sequence[int]] | None = None) -> None:
        self.space = space
        self.groups = default_groups(space) if groups is None else groups
        self._vectors: dict[Any, tuple[int, ...] | None] = {}
        self._labels: dict[tuple[int, ...], int] = {}
        self._numbers: dict[Hashable, int] = {}

    def read(self, decoded: Any, choices: int, count: int) -> Ints:
        """Vectors of shape (count, choices), all -1 where the space does not read a cell.

        Raises:
            SuiteError: there are more or fewer than ``count``.
        """
        if len(decoded) != count:
            raise SuiteError(f"The model gave {len(decoded)} cells where {count} were asked for.")
        cells = np.full((count, choices), -1, dtype=np.int64)
        if isinstance(decoded, np.ndarray) and decoded.ndim == 2:
            if decoded.dtype.kind not in "iu":
                raise SuiteError(
                    f"The model gave cells of {decoded.dtype}: a vector of choices has integers."
                )
            rows, inverse = np.unique(decoded, axis=0, return_inverse=True)
            known = [self._vector(tuple(row), choices) for row in rows.tolist()]
            fill = [(-1,) * choices if vector is None else vector for vector in known]
            return np.array(fill, dtype=np.int64).reshape(-1, choices)[inverse.ravel()]
        for position, item in enumerate(decoded):
            key = tuple(item) if isinstance(item, (list, np.ndarray)) else item
            vector = self._vector(key, choices)
            if vector is not None:
                cells[position] = vector
        return cells

    def labels(self, cells: NDArray[np.integer]) -> Ints:
        """The number of each cell's graph, equal for isomorphic cells; -1 for an invalid one."""
        rows, inverse = np.unique(np.asarray(cells), axis=0, return_inverse=True)
        labels = [self._label(tuple(row)) for row in rows.tolist()]
        return np.array(labels, dtype=np.int64)[inverse.ravel()]

    def _vector(self, item: Any, choices: int) -> tuple[int, ...] | None:
        try:
            hash(item)
        except TypeError:
            return self._parse(item, choices)
        if item not in self._vectors:
            self._vectors[item] = self._parse(item, choices)
        return self._vectors[item]

    def _parse(self, item: Any, choices: int) -> tuple[int, ...] | None:
        if item is None or (isinstance(item, tuple) and -1 in item):
            return None
        try:
            vector = tuple(self.space.vector(item))
        except SuiteError:
            return None
        return vector if len(vector) == choices else None

    def _label(self, vector: tuple[int, ...]) -> int:
        if -1 in vector:
            return -1
        if vector not in self._labels:
            key = self.space.canonical(vector)
            self._labels[vector] = self._numbers.setdefault(key, len(self._numbers))
        return self._labels[vector]


def default_groups(space: CellSpace) -> list[list[int]]:
    """The choices that belong to one node: edges by their target in the topology space.

    In other spaces each choice is a node of its own.
    """
    from nasbench_suite.spaces.topology import EDGES, NUM_NODES, TopologySpace

    if isinstance(space, TopologySpace):
        return [
            [edge for edge, (_, target) in enumerate(EDGES) if target == node]
            for node in range(1, NUM_NODES)
        ]
    choices = getattr(space, "choices", None)
    return [[position] for position in range(len(choices))] if choices is not None else []


# -- reconstruction ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reconstruction:
    """Shares, from 0 to 1, over cells (and over draws, where posteriors are sampled).

    Attributes:
        string: decoded exactly.
        graph: decoded to the same computation graph.
        edge: choices that are right; none of an invalid cell's is.
        node: nodes all of whose incoming edges are right.
        valid: decoded to a cell of the space.
    """

    string: float
    graph: float
    edge: float
    node: float
    valid: float


def reconstruction(
    model: GenerativeModel,
    reader: CellReader,
    cells: NDArray[np.integer],
    *,
    encodings: int = 0,
    decodings: int = 1,
    rng: np.random.Generator | None = None,
) -> Reconstruction:
    """Encode cells and decode them again.

    Args:
        model: the model.
        reader: of the space.
        cells: shape (n, choices).
        encodings: latents drawn from each posterior; 0 is greedy: the mean alone, decoded to the
            most likely cell. D-VAE's protocol is 10 encodings with 10 decodings each.
        decodings: cells drawn for each latent.
        rng: where the draws come from; needed unless greedy.

    Raises:
        SuiteError: no cells, or draws without a generator.
    """
    vectors = np.asarray(cells, dtype=np.int64)
    if not len(vectors):
        raise SuiteError("The reconstruction of no cells at all is undefined: give at least one.")
    mean, deviation = _posterior(model, vectors)
    truth = reader.labels(vectors)
    choices = vectors.shape[1]
    if not encodings:
        found = _decode(model, reader, mean, choices, None)
        return _compare(reader, [(vectors, truth, found)])
    if rng is None:
        raise SuiteError("Sampled reconstruction draws at random: give it a generator.")
    draws: list[tuple[Ints, Ints, Ints]] = []
    for _ in range(encodings):
        latents = mean + deviation * rng.standard_normal(mean.shape)
        for _ in range(decodings):
            draws.append((vectors, truth, _decode(model, reader, latents, choices, rng)))
    return _compare(reader, draws)


def _posterior(model: GenerativeModel, cells: Ints) -> tuple[Floats, Floats]:
    """Means and standard deviations, shape (n, latent dimensions)."""
    mean, log_variance = (np.asarray(part, dtype=np.float64) for part in model.encode(cells))
    if mean.shape != log_variance.shape or mean.ndim != 2 or len(mean) != len(cells):
        raise SuiteError(
            f"The model gave means of shape {mean.shape} and log variances of shape "
            f"{log_variance.shape} for {len(cells)} cells: both must be (cells, dimensions)."
        )
    if not (np.isfinite(mean).all() and np.isfinite(log_variance).all()):
        raise SuiteError(
            "The model encodes cells to figures that are not finite: it has diverged; train it "
            "again with a lower learning rate."
        )
    return mean, np.exp(0.5 * log_variance)


def _decode(
    model: GenerativeModel,
    reader: CellReader,
    latents: Floats,
    choices: int,
    rng: np.random.Generator | None,
) -> Ints:
    parts = [
        reader.read(model.decode(part, rng), choices, len(part))
        for part in np.split(latents, range(_BATCH, len(latents), _BATCH))
    ]
    return np.concatenate(parts)


def _compare(reader: CellReader, draws: Sequence[tuple[Ints, Ints, Ints]]) -> Reconstruction:
    shares = []
    groups = reader.groups or [[position] for position in range(draws[0][0].shape[1])]
    for cells, truth, found in draws:
        right = found == cells
        nodes = np.stack([right[:, list(group)].all(axis=1) for group in groups], axis=1)
        shares.append(
            (
                right.all(axis=1).mean(),
                (reader.labels(found) == truth).mean(),
                right.mean(),
                nodes.mean(),
                (found >= 0).all(axis=1).mean(),
            )
        )
    return Reconstruction(*(float(share) for share in np.mean(shares, axis=0)))


# -- generation ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Generation:
    """Shares, from 0 to 1, of cells drawn from the prior.

    Attributes:
        valid: cells of the space, among all that were drawn.
        unique_strings: distinct strings, among the valid (D-VAE's and arch2vec's convention).
        unique_graphs: distinct computation graphs, among the valid.
        novel_strings: not in the training set, among the valid.
        novel_graphs: whose graph is not in the training set, among the valid.
        expected_unique_strings: what ``unique_strings`` would be if as many were drawn uniformly
            from the whole space: no model of a small space can be fully unique. NaN if unknown.
    """

    valid: float
    unique_strings: float
    unique_graphs: float
    novel_strings: float
    novel_graphs: float
    expected_unique_strings: float = float("nan")


def generation(
    model: GenerativeModel,
    reader: CellReader,
    training: NDArray[np.integer],
    count: int = 10_000,
    *,
    rng: np.random.Generator,
) -> Generation:
    """Draw cells from the prior.

    Args:
        model: the model.
        reader: of the space.
        training: cells it was trained on, shape (n, choices).
        count: number of draws; uniqueness depends on it.
        rng: where the draws come from.
    """
    training = np.asarray(training, dtype=np.int64)
    cells = reader.read(model.sample(count, rng), training.shape[1], count)
    valid = cells[(cells >= 0).all(axis=1)]
    size = getattr(reader.space, "size", None)
    number = len(valid)
    expected = float("nan")
    if size and number:
        expected = float(size * -np.expm1(number * np.log1p(-1 / size)) / number)
    if not number:
        nothing = float("nan")
        return Generation(0.0, nothing, nothing, nothing, nothing, expected)
    labels, known = reader.labels(valid), np.unique(reader.labels(training))
    seen = {tuple(row) for row in training.tolist()}
    rows, counts = np.unique(valid, axis=0, return_counts=True)
    new = np.array([tuple(row) not in seen for row in rows.tolist()])
    return Generation(
        valid=number / count,
        unique_strings=len(rows) / number,
        unique_graphs=len(np.unique(labels)) / number,
        novel_strings=float(counts[new].sum() / number),
        novel_graphs=float(1 - np.isin(labels, known).mean()),
        expected_unique_strings=expected,
    )


# -- use of the latent space ---------------------------------------------------------------------


@dataclass(frozen=True)
class LatentUse:
    """How much a model says through its latent space.

    Attributes:
        kl: mean divergence of the posteriors from N(0, I), in nats a cell.
        kl_by_unit: the same for each latent dimension, shape (dimensions,).
        active_units: dimensions whose posterior mean varies over the cells by more than
            ``ACTIVE_VARIANCE`` (Burda et al., ICLR 2016).
        dimensions: all of them.
    """

    kl: float
    kl_by_unit: Floats
    active_units: int
    dimensions: int


def latent_use(model: GenerativeModel, cells: NDArray[np.integer]) -> LatentUse:
    """Divergence from the prior, and active units, over ``cells`` of shape (n, choices)."""
    mean, deviation = _posterior(model, np.asarray(cells, dtype=np.int64))
    variance = deviation**2
    by_unit = 0.5 * (mean**2 + variance - 1.0 - np.log(variance)).mean(axis=0)
    active = int((mean.var(axis=0) > ACTIVE_VARIANCE).sum())
    return LatentUse(float(by_unit.sum()), by_unit, active, mean.shape[1])


# -- smoothness ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Smoothness:
    """What happens along paths through the latent space, means over paths.

    Attributes:
        edit_distance: choices that differ from one step to the next.
        largest_edit: the most that differ between two neighbouring steps of a path.
        excess_edits: edits along the whole path over those needed between its ends, from 1 (no
            detour) up; over the paths whose ends differ.
        distinct: distinct cells on a path.
        valid: share of the steps that decode to a cell.
        value_change: mean absolute change of the value from one step to the next, over the mean
            absolute difference of two random cells' values: 1 means no smoothness at all. NaN
            without values.
    """

    edit_distance: float
    largest_edit: float
    excess_edits: float
    distinct: float
    valid: float
    value_change: float


Path = Literal["line", "great-circle"]


def smoothness(
    model: GenerativeModel,
    reader: CellReader,
    cells: NDArray[np.integer],
    *,
    rng: np.random.Generator,
    path: Path = "line",
    values: dict[tuple[int, ...], float] | None = None,
    paths: int = 50,
    steps: int = 40,
) -> Smoothness:
    """Walk through the latent space and decode greedily at every step.

    A line runs between the posterior means of two random cells; a great circle goes once around
    the origin through a random cell, in a random plane, as in D-VAE's appendix.

    Args:
        model: the model.
        reader: of the space.
        cells: cells to begin from, shape (n, choices).
        rng: chooses cells and planes.
        path: kind of path.
        values: a figure of each cell, such as its accuracy; cells without one are skipped.
        paths: number of paths.
        steps: decodings a path.
    """
    vectors = np.asarray(cells, dtype=np.int64)
    if path not in get_args(Path):
        raise SuiteError(choose_from("path", path, list(get_args(Path))))
    if steps < 2 or paths < 1 or len(vectors) < 2:
        raise SuiteError("Smoothness needs 2 cells, a path and 2 steps on it at the least.")
    rows = []
    for latents in _paths(model, vectors, path, paths, steps, rng):
        found = _decode(model, reader, latents, vectors.shape[1], None)
        rows.append(_walk(found, values))
    table = np.array(rows)
    spread = float("nan")
    if values:
        figures = np.array(list(values.values()))
        pairs = rng.integers(len(figures), size=(2, 10_000))
        spread = float(np.abs(figures[pairs[0]] - figures[pairs[1]]).mean())
    means = [
        float(np.nanmean(column)) if not np.isnan(column).all() else float("nan")
        for column in table.T
    ]
    edits, largest, excess, distinct, valid, change = means
    return Smoothness(edits, largest, excess, distinct, valid, change / spread)


def _paths(
    model: GenerativeModel, cells: Ints, path: str, paths: int, steps: int, rng: np.random.Generator
) -> Iterator[Floats]:
    for _ in range(paths):
        pair = cells[rng.choice(len(cells), 2, replace=False)]
        (first, second), _ = _posterior(model, pair)
        if path == "line":
            yield first + np.linspace(0, 1, steps)[:, None] * (second - first)
        else:
            radius = np.linalg.norm(first) or 1.0
            across = rng.standard_normal(first.shape)
            across -= across @ first / radius**2 * first
            across *= radius / (np.linalg.norm(across) or 1.0)
            angle = np.linspace(0, 2 * np.pi, steps)[:, None]
            yield np.cos(angle) * first + np.sin(angle) * across


def _walk(found: Ints, values: dict[tuple[int, ...], float] | None) -> tuple[float, ...]:
    valid = (found >= 0).all(axis=1)
    kept = found[valid]
    if len(kept) < 2:
        return (*[float("nan")] * 3, float(len(kept)), float(valid.mean()), float("nan"))
    edits = (kept[1:] != kept[:-1]).sum(axis=1)
    between = int((kept[0] != kept[-1]).sum())
    figures = np.array([(values or {}).get(tuple(row), np.nan) for row in kept.tolist()])
    figures = figures[~np.isnan(figures)]
    return (
        float(edits.mean()),
        float(edits.max()),
        float(edits.sum() / between) if between else float("nan"),
        float(len(np.unique(kept, axis=0))),
        float(valid.mean()),
        float(np.abs(np.diff(figures)).mean()) if len(figures) > 1 else float("nan"),
    )


# -- prediction ----------------------------------------------------------------------------------

Predictor = Literal["gp", "linear"]


def prediction_curve(
    latents: ArrayLike,
    values: ArrayLike,
    train_sizes: Sequence[int] = (25, 50, 100, 200, 400),
    *,
    rng: np.random.Generator,
    predictor: Predictor = "gp",
    classes: ArrayLike | None = None,
    repeats: int = 5,
    test_size: int = 2000,
) -> pd.DataFrame:
    """How well few labelled architectures predict the others' figures from the latent space.

    Args:
        latents: one row an architecture, such as posterior means or a one-hot code to compare
            with, shape (n, features); they are brought to mean 0 and variance 1.
        values: the figure to predict, shape (n,).
        train_sizes: numbers of labelled architectures.
        rng: chooses them.
        predictor: a Gaussian process (Matérn 5/2 kernel with one length and noise, by marginal
            likelihood), or a linear probe (ridge regression, by cross-validation).
        classes: graph of each architecture, shape (n,): no twin of a labelled one is tested on.
        repeats: draws of each size.
        test_size: at most so many others are predicted.

    Returns:
        A row a draw: ``train_size``, ``repeat``, ``rmse`` (unit of the values), ``pearson``,
        ``kendall``.

    Raises:
        SuiteError: an unknown predictor, or fewer architectures than a size asks for.
    """
    import pandas as pd

    features = np.asarray(latents, dtype=np.float64)
    figures = np.asarray(values, dtype=np.float64)
    labels = np.arange(len(figures)) if classes is None else np.asarray(classes)
    if predictor not in get_args(Predictor):
        raise SuiteError(choose_from("predictor", predictor, list(get_args(Predictor))))
    if min(train_sizes) < 3 or max(train_sizes) >= len(figures) - 1:
        raise SuiteError(
            f"Training sizes {list(train_sizes)} do not fit {len(figures)} architectures: choose "
            f"sizes from 3 up that leave some to test on."
        )
    features = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-12)
    rows = []
    for size in train_sizes:
        for repeat in range(repeats):
            order = rng.permutation(len(figures))
            train = order[:size]
            test = order[size:][~np.isin(labels[order[size:]], labels[train])][:test_size]
            guess = _fit(predictor, features[train], figures[train]).predict(features[test])
            rows.append((size, repeat, *_agreement(guess, figures[test])))
    return pd.DataFrame(rows, columns=["train_size", "repeat", "rmse", "pearson", "kendall"])


def _fit(predictor: str, features: Floats, values: Floats) -> Any:
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
    from sklearn.linear_model import RidgeCV

    if predictor == "linear":
        return RidgeCV(alphas=np.logspace(-3, 4, 15)).fit(features, values)
    length = float(np.sqrt(2 * features.shape[1]))  # the distance of two independent rows
    kernel = ConstantKernel(1.0, (1e-2, 1e3)) * Matern(length, (length / 30, length * 30), nu=2.5)
    kernel += WhiteKernel(0.1, (1e-6, 1e1))
    model = GaussianProcessRegressor(kernel, normalize_y=True)
    import warnings

    with warnings.catch_warnings():  # that a noise or a length ends at its bound is no fault
        warnings.simplefilter("ignore")
        return model.fit(features, values)


def _agreement(guess: Floats, truth: Floats) -> tuple[float, float, float]:
    from scipy.stats import kendalltau

    rmse = float(np.sqrt(np.mean((guess - truth) ** 2)))
    if np.ptp(guess) == 0 or np.ptp(truth) == 0:  # a constant guess correlates with nothing
        return rmse, 0.0, 0.0
    return rmse, float(np.corrcoef(guess, truth)[0, 1]), float(kendalltau(guess, truth).statistic)


# -- all of it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class GenerativeScore:
    """The figures of one model on one split; see the classes for what each means."""

    greedy: Reconstruction
    sampled: Reconstruction
    generation: Generation
    latent: LatentUse


def score_model(
    model: GenerativeModel,
    space: CellSpace,
    training: NDArray[np.integer],
    held_out: NDArray[np.integer],
    *,
    seed: int = 0,
    encodings: int = 10,
    decodings: int = 10,
    samples: int = 10_000,
) -> GenerativeScore:
    """Reconstruction of what was held out, generation from the prior, and use of the latent.

    Args:
        model: any model with ``encode``, ``decode`` and ``sample``.
        space: its search space.
        training: cells it was trained on, shape (n, choices).
        held_out: cells it has not seen, shape (m, choices).
        seed: of all draws.
        encodings: see ``reconstruction``.
        decodings: see ``reconstruction``.
        samples: number of draws from the prior.

    Raises:
        SuiteError: the model lacks a method, gives shapes that do not fit, or has diverged.
    """
    if not isinstance(model, GenerativeModel):
        raise SuiteError(
            f"{type(model).__name__} cannot be scored: it needs encode, decode and sample."
        )
    reader = CellReader(space)
    streams = [np.random.default_rng(stream) for stream in sequence(seed).spawn(2)]
    return GenerativeScore(
        greedy=reconstruction(model, reader, held_out),
        sampled=reconstruction(
            model, reader, held_out, encodings=encodings, decodings=decodings, rng=streams[0]
        ),
        generation=generation(model, reader, training, samples, rng=streams[1]),
        latent=latent_use(model, held_out),
    )
