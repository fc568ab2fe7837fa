"""Surrogates: models fitted to a part of a space, that answer any architecture.

As NAS-Bench-301 does for DARTS cells (Zela, Siems, Zimmer, Lukasik, Keuper and Hutter, *Surrogate
NAS Benchmarks*, ICLR 2022), a model learns a measured sample of a space and then answers for all
of it. Our own is one ensemble of gradient-boosted regression trees a metric (Friedman, *Greedy
function approximation*, 2001), a member for each fold of a cross-validation: the answer is the
members' mean, and a single member stands for a training seed. How well unseen architectures are
ranked, and by how much they are missed, is measured on the folds left out and kept with the model.
Those that others fitted are read by formats, see ``nasbench301_models``.

A file holds arrays and JSON and nothing else; whatever it says, no code in it can run.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.benchmarks.graph_isomorphism import GraphIsomorphism
from nasbench_suite.benchmarks.grown_trees import GrownTrees
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.models import Model
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.errors import SuiteError, choose_from, refused
from nasbench_suite.files.atomic import write_bytes
from nasbench_suite.files.unpacking import read_arrays
from nasbench_suite.seeding import check_seed
from nasbench_suite.spaces import SearchSpace, load_space

FOLDS = 5
MIN_ARCHITECTURES = 50
"""Fewer tell a model nothing that a cross-validation could confirm."""
_TREES = 300
_DEPTH = 5
_LEARNING_RATE = 0.08
_FORMAT = 1
_DAMAGED = "is truncated, damaged or no surrogate of this suite: get it or fit it again"


@dataclass(frozen=True)
class Fit:
    """How well a surrogate predicts architectures that it was not fitted to.

    Attributes:
        architectures: number it was fitted to.
        spearman: rank correlation of predicted and measured figures.
        kendall: Kendall's tau-b of the same.
        rmse: root of the mean squared error, in the metric's unit.
        spread: standard deviation of the measured figures, what the mean alone would miss by.
        disagreement: median standard deviation between members, the noise that a single member
            answers with.
    """

    architectures: int
    spearman: float
    kendall: float
    rmse: float
    spread: float
    disagreement: float


@dataclass(frozen=True)
class Trees(Model):
    """Regression trees side by side, every one filled up to the same depth.

    Inner nodes stand level by level: those below node ``i`` are ``2 i + 1`` and ``2 i + 2``. Where
    a tree ends earlier, its leaf is repeated below. So a look-up needs no pointers, and whatever a
    file says it ends.

    Attributes:
        feature: which feature an inner node asks, shape (members, trees, 2**depth - 1).
        threshold: to the first node below where the feature is at most this; the same shape.
        value: what each leaf adds, shape (members, trees, 2**depth).
        start: what each member begins with, shape (members,).
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    value: NDArray[np.float64]
    start: NDArray[np.float64]

    @property
    def members(self) -> int:
        """See ``Model``."""
        return len(self.start)

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """See ``Model``."""
        return np.array([self._predict_one(row) for row in features.astype(np.float32)]).reshape(
            -1, self.members
        )

    def _predict_one(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        feature, threshold, value, first, first_leaf, depth = self._flat
        node = first
        local = np.zeros_like(first)
        for _ in range(depth):
            above = features[feature[node]] > threshold[node]
            local = 2 * local + 1 + above
            node = first + local
        leaf = value[first_leaf + local]
        sums: NDArray[np.float64] = leaf.reshape(self.value.shape[:2]).sum(axis=1)
        return self.start + sums

    @cached_property
    def _flat(self) -> tuple[Any, ...]:
        """The arrays in one row, where each tree begins in them, and the depth."""
        members, trees, inner = self.feature.shape
        number = np.arange(members * trees)
        return (
            self.feature.reshape(-1),
            self.threshold.reshape(-1),
            self.value.reshape(-1),
            number * inner,
            number * (inner + 1) - inner,  # a leaf's number goes on from the inner nodes'
            (inner + 1).bit_length() - 1,
        )

    def sound(self, features: int) -> bool:
        """See ``Model``."""
        shape = self.feature.shape
        return (
            len(shape) == 3
            and shape[-1] & (shape[-1] + 1) == 0
            and self.feature.dtype == np.int32
            and 0 <= self.feature.min(initial=0) <= self.feature.max(initial=0) < features
            and self.threshold.shape == shape
            and self.value.shape == (*shape[:2], shape[2] + 1)
            and self.start.shape == shape[:1]
            and bool(np.isfinite(self.value).all() and np.isfinite(self.start).all())
        )


_KINDS: Mapping[str, type[Model]] = {
    "trees": Trees,
    "grown trees": GrownTrees,
    "graph isomorphism": GraphIsomorphism,
}


@dataclass(frozen=True)
class Surrogate(OpenBenchmark):
    """Models of one or more metrics of a space.

    Attributes:
        name: its name.
        space: the space it answers for, whole.
        encoding: which features of an architecture it reads; see ``SearchSpace.features``.
        metrics: what each modelled figure is.
        models: the model of each metric.
        fits: how well each does: cross-validated, or, where others fitted it, on a table at hand.
        about: where the figures come from.
    """

    sample_size: ClassVar[int] = 1_000

    name: str
    space: SearchSpace
    encoding: str
    metrics: Mapping[str, Metric]
    models: Mapping[str, Model]
    fits: Mapping[str, Fit]
    about: Mapping[str, Any]

    def predict(
        self, architectures: Sequence[Any], metric: str, member: int | None = None
    ) -> NDArray[np.float64]:
        """The figures of architectures given in any form, shape (n,).

        Args:
            architectures: as many as wanted.
            metric: a modelled metric.
            member: one member's answer instead of the mean of all.

        Raises:
            SuiteError: unknown metric or member, or an architecture outside the space.
        """
        if metric not in self.models:
            raise SuiteError(
                choose_from(f"metric of surrogate {self.name!r}", metric, list(self.models))
            )
        members = self.models[metric].members
        if member is not None and not 0 <= member < members:
            raise SuiteError(f"Surrogate {self.name!r} has members 0 to {members - 1}.")
        read = [self.space.read(architecture) for architecture in architectures]
        answers = self._answers(read, metric)
        figures: NDArray[np.float64] = (
            answers.mean(axis=1) if member is None else answers[:, member]
        )
        return figures

    def _answers(self, read: Sequence[Any], metric: str) -> NDArray[np.float64]:
        """What every member answers, shape (n, members); each architecture is computed once."""
        known = self._computed.setdefault(metric, {})
        new = [architecture for architecture in dict.fromkeys(read) if architecture not in known]
        if new:
            features = self.space.features(new, self.encoding)
            known.update(zip(new, self.models[metric].predict(features), strict=True))
        members = self.models[metric].members
        return np.array([known[architecture] for architecture in read]).reshape(-1, members)

    @cached_property
    def _computed(self) -> dict[str, dict[Any, NDArray[np.float64]]]:
        return {}

    def __getstate__(self) -> dict[str, Any]:
        # What was cached stays behind: a worker process computes what it is asked.
        return {item.name: getattr(self, item.name) for item in fields(self)}

    def figures(
        self, architectures: Sequence[Any], metric: str, seed: int | None = None
    ) -> NDArray[np.float64]:
        """See ``OpenBenchmark.figures``; a seed is a member."""
        return self.predict(architectures, metric, seed)

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the models and of what they say."""
        digest = hashlib.sha256()
        digest.update(f"{self.space.name}/{self.encoding}".encode())
        for name in sorted(self.models):
            digest.update(json.dumps(self.metrics[name].as_dict(), sort_keys=True).encode())
            for array in self.models[name].arrays().values():
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def fit_surrogate(
    name: str,
    space: SearchSpace,
    architectures: Sequence[Any],
    metrics: Mapping[str, Metric],
    figures: Mapping[str, ArrayLike],
    *,
    seed: int = 0,
    about: Mapping[str, Any] | None = None,
) -> Surrogate:
    """Fit a surrogate to measured architectures.

    Args:
        name: its name.
        space: the whole space that it shall answer for.
        architectures: the measured ones, in any form.
        metrics: what each figure is.
        figures: by metric, shape (n,); NaN where a figure is not available.
        seed: of the folds and of the trees.
        about: where the figures come from.

    Raises:
        SuiteError: the space has no features, too few architectures have a figure, or an impossible
            seed.
    """
    check_seed(seed, digits=8)  # scikit-learn takes 32 bits, and each fold has one of its own
    if not space.encodings:
        raise SuiteError(
            f"Space {space.name!r} has no features that a surrogate could learn from: give it an "
            f"encoding."
        )
    encoding = space.encodings[0]
    read = [space.read(architecture) for architecture in architectures]
    features = space.features(read, encoding)
    groups = _groups([space.canonical(architecture) for architecture in read])
    trees: dict[str, Trees] = {}
    fits: dict[str, Fit] = {}
    described: dict[str, Metric] = {}
    for metric in metrics.values():
        measured = np.asarray(figures[metric.name], dtype=np.float64)
        known = np.isfinite(measured)
        if known.sum() < MIN_ARCHITECTURES or measured[known].std() == 0:
            raise SuiteError(
                f"Metric {metric.name!r} has figures of {int(known.sum())} architectures: a "
                f"surrogate needs at least {MIN_ARCHITECTURES} that differ."
            )
        trees[metric.name], fits[metric.name] = _fit(
            features[known], measured[known], groups[known], seed
        )
        described[metric.name] = _described(metric, fits[metric.name])
    return Surrogate(name, space, encoding, described, trees, fits, dict(about or {}))


def _groups(keys: Sequence[Any]) -> NDArray[np.int64]:
    """A number for each canonical key: twins stay in one fold, or the test would be no test."""
    seen: dict[Any, int] = {}
    return np.array([seen.setdefault(key, len(seen)) for key in keys])


def _fit(
    features: NDArray[np.float64],
    measured: NDArray[np.float64],
    groups: NDArray[np.int64],
    seed: int,
) -> tuple[Trees, Fit]:
    from sklearn.ensemble import GradientBoostingRegressor

    fold_of_group = np.random.default_rng(seed).permutation(groups.max() + 1) % FOLDS
    fold = fold_of_group[groups]
    predicted = np.empty_like(measured)
    members = []
    for left_out in range(FOLDS):
        model = GradientBoostingRegressor(
            n_estimators=_TREES,
            max_depth=_DEPTH,
            learning_rate=_LEARNING_RATE,
            subsample=0.7,
            max_features=0.4,
            min_samples_leaf=3,
            random_state=seed * FOLDS + left_out,
        )
        inside = fold != left_out
        model.fit(features[inside], measured[inside])
        members.append(model)
        predicted[~inside] = model.predict(features[~inside])
    trees = _export(members)
    answers = np.stack([model.predict(features) for model in members], axis=1)
    fit = judge(predicted, measured, answers)
    return trees, fit


def judge(
    predicted: NDArray[np.float64], measured: NDArray[np.float64], answers: NDArray[np.float64]
) -> Fit:
    """How well figures are predicted.

    Args:
        predicted: shape (n,).
        measured: shape (n,).
        answers: what every member answers, shape (n, members).
    """
    from scipy.stats import kendalltau, spearmanr

    return Fit(
        len(measured),
        float(spearmanr(predicted, measured).statistic),
        float(kendalltau(predicted, measured).statistic),
        float(np.sqrt(np.mean((predicted - measured) ** 2))),
        float(measured.std()),
        float(np.median(np.std(answers, axis=1))),
    )


def _export(models: Sequence[Any]) -> Trees:
    """The trees of scikit-learn's models as arrays."""
    parts = [[stage[0].tree_ for stage in model.estimators_] for model in models]
    depth = max(tree.max_depth for member in parts for tree in member)
    shape = (len(parts), len(parts[0]), (1 << depth) - 1)
    feature = np.zeros(shape, dtype=np.int32)
    threshold = np.full(shape, np.inf, dtype=np.float32)
    value = np.empty((*shape[:2], 1 << depth))
    for member, trees in enumerate(parts):
        for number, tree in enumerate(trees):
            nodes = np.zeros(1, dtype=np.int64)  # of the tree, level by level
            first = 0
            for _ in range(depth):
                here = (member, number, slice(first, first + len(nodes)))
                is_leaf = tree.children_left[nodes] < 0
                feature[here] = np.where(is_leaf, 0, tree.feature[nodes])
                threshold[here] = np.where(is_leaf, np.inf, _as_float32(tree.threshold[nodes]))
                first += len(nodes)
                left = np.where(is_leaf, nodes, tree.children_left[nodes])
                right = np.where(is_leaf, nodes, tree.children_right[nodes])
                nodes = np.stack([left, right], axis=1).reshape(-1)
            value[member, number] = models[member].learning_rate * tree.value[nodes, 0, 0]
    start = np.array([float(np.ravel(model.init_.constant_)[0]) for model in models])
    return Trees(feature, threshold, value, start)


def _as_float32(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 that is not above each: features are float32, so nothing changes side."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def _described(metric: Metric, fit: Fit) -> Metric:
    note = (
        f"predicted from {fit.architectures:,} measured: cross-validated Spearman "
        f"{fit.spearman:.3f}, Kendall {fit.kendall:.3f}, error {fit.rmse:.3g} {metric.unit}"
    )
    return replace(
        metric,
        seeds=tuple(range(FOLDS)),
        provenance="modelled",
        note=f"{note.rstrip()}; {metric.note}" if metric.note else note.rstrip(),
    )


# -- files -------------------------------------------------------------------------------------


def write_surrogate(surrogate: Surrogate, path: Path) -> None:
    """Write a surrogate as one file; a file already there is replaced in one step."""
    said = {
        "format": _FORMAT,
        "name": surrogate.name,
        "space": surrogate.space.name,
        "encoding": surrogate.encoding,
        "metrics": [metric.as_dict() for metric in surrogate.metrics.values()],
        "kinds": [_kind(surrogate.models[name]) for name in surrogate.metrics],
        "fits": {name: asdict(fit) for name, fit in surrogate.fits.items()},
        "about": dict(surrogate.about),
        "checksum": surrogate.checksum,
    }
    arrays: dict[str, Any] = {
        f"{position}.{array}": content
        for position, name in enumerate(surrogate.metrics)
        for array, content in surrogate.models[name].arrays().items()
    }
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(said).encode(), dtype=np.uint8)
    np.savez_compressed(buffer, surrogate=text, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, buffer.getvalue())


def _kind(model: Model) -> str:
    return next(name for name, kind in _KINDS.items() if type(model) is kind)


def _of(content: Mapping[str, NDArray[Any]], before: str) -> dict[str, NDArray[Any]]:
    """The arrays whose names begin so, by the rest of their names."""
    return {name.removeprefix(before): content[name] for name in content if name.startswith(before)}


def read_surrogate(path: Path, space: str | None = None) -> Surrogate:
    """Read a surrogate that ``write_surrogate`` wrote.

    Args:
        path: the file.
        space: the space that is wanted, where it matters.

    Raises:
        SuiteError: the file is missing, truncated, damaged or something else, or the surrogate
            is of another space.
    """
    if not path.is_file():
        raise SuiteError(f"There is no surrogate {path}.")
    with refused(f"{path} {_DAMAGED} ({{reason}}).", Exception):  # damage raises nearly anything
        content = read_arrays(path)
        said = json.loads(content["surrogate"].tobytes())
        if said["format"] != _FORMAT:
            raise SuiteError(
                f"{path} has format {said['format']}, this version reads {_FORMAT}: fit the "
                f"surrogate again, or update nasbench-suite."
            )
        metrics = [Metric(**{**entry, "seeds": tuple(entry["seeds"])}) for entry in said["metrics"]]
        kinds = said.get("kinds", ["trees"] * len(metrics))  # earlier files have no others
        models = {
            metric.name: _KINDS[kind].from_arrays(_of(content, f"{position}."))
            for position, (metric, kind) in enumerate(zip(metrics, kinds, strict=True))
        }
        wanted = None if space is None else load_space(space)
        surrogate = Surrogate(
            said["name"],
            load_space(said["space"]),
            said["encoding"],
            {metric.name: metric for metric in metrics},
            models,
            {name: Fit(**fit) for name, fit in said["fits"].items()},
            said["about"],
        )
        if wanted is not None and surrogate.space.name != wanted.name:
            raise SuiteError(
                f"{path} is a surrogate of space {surrogate.space.name!r}, not of "
                f"{wanted.name!r}: give one of that space."
            )
        _check(surrogate, path)
        if surrogate.checksum != said["checksum"]:
            raise SuiteError(f"{path} {_DAMAGED} (its checksum is another).")
    return surrogate


def _check(surrogate: Surrogate, path: Path) -> None:
    """Refuse arrays that are no models, or that ask features which are not there."""
    sample = surrogate.space.sample(np.random.default_rng(0))
    count = surrogate.space.features([sample], surrogate.encoding).shape[1]
    for model in surrogate.models.values():
        if not model.sound(count):
            raise SuiteError(f"{path} {_DAMAGED} (its models are none).")
