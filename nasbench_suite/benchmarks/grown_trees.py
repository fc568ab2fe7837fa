"""Ensembles of regression trees that others grew: XGBoost's and LightGBM's files read as arrays.

Neither library is needed. Layouts: dmlc/xgboost, src/learner.cc, src/gbm/gbtree_model.h and
include/xgboost/tree_model.h of versions 1.0 to 1.2 (one block of bytes), doc/model.schema of later
ones (JSON); microsoft/LightGBM, src/boosting/gbdt_model_text.cpp and src/io/tree.cpp (text).
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.benchmarks.models import Model
from nasbench_suite.errors import SuiteError


@dataclass(frozen=True)
class GrownTrees(Model):
    """Trees of any shape, node after node, level by level: what is below comes later.

    Nodes ask few different questions, so that each is answered once for an architecture.

    Attributes:
        feature: the feature of each question, shape (questions,).
        threshold: whether the feature is larger than this is asked; shape (questions,).
        question: what a node asks, -1 of a leaf; shape (nodes,).
        below: the first node below, for no; that for yes comes after it. A leaf names itself.
        value: what a leaf adds, shape (nodes,). Members add their leaves one after the other in
            this precision, as the library does that grew them.
        roots: where each tree begins, all trees of a member together, shape (trees,).
        trees: how many trees each member has, shape (members,).
        start: what each member begins with, shape (members,).
    """

    feature: NDArray[np.int32]
    threshold: NDArray[np.floating[Any]]
    question: NDArray[np.int32]
    below: NDArray[np.int32]
    value: NDArray[np.floating[Any]]
    roots: NDArray[np.int64]
    trees: NDArray[np.int64]
    start: NDArray[np.float64]

    @property
    def members(self) -> int:
        """See ``Model``."""
        return len(self.start)

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """See ``Model``."""
        rows = features.astype(self.threshold.dtype)
        return np.array([self._predict_one(row) for row in rows]).reshape(-1, self.members)

    def _predict_one(self, features: NDArray[Any]) -> NDArray[np.float64]:
        leaves = self.value[self._leaves(features)]
        ends = np.cumsum(self.trees)
        return np.array(
            [
                np.cumsum(np.append(leaves.dtype.type(start), leaves[end - count : end]))[-1]
                for start, count, end in zip(self.start, self.trees, ends, strict=True)
            ],
            dtype=np.float64,
        )

    def _leaves(self, features: NDArray[Any]) -> NDArray[np.int64]:
        """The leaf of every tree."""
        bits, steps = self._steps
        mask = (1 << bits) - 1
        answers = np.zeros(len(self.feature) + 1, dtype=np.int64)  # of no question: stay
        answers[1:] = features[self.feature] > self.threshold
        at = self.roots.astype(np.int64)
        step = steps.take(at)
        moving = np.flatnonzero(step & mask)
        step = step.take(moving)
        while moving.size:
            here = (step >> bits) + answers.take(step & mask)
            at[moving] = here
            step = steps.take(here)
            goes_on = (step & mask) != 0
            moving, step = moving.compress(goes_on), step.compress(goes_on)
        return at

    @cached_property
    def _steps(self) -> tuple[int, NDArray[np.int64]]:
        """Of every node what is below and, in the last bits, its question from 1; how many bits."""
        bits = len(self.feature).bit_length()
        return bits, self.below.astype(np.int64) << bits | (self.question.astype(np.int64) + 1)

    @property
    def _numbers(self) -> tuple[NDArray[Any], ...]:
        return self.feature, self.question, self.below, self.roots, self.trees

    def sound(self, features: int) -> bool:
        """See ``Model``."""
        nodes, questions = len(self.below), len(self.feature)
        inner = self.question >= 0
        return (
            all(array.ndim == 1 for array in self.arrays().values())
            and len(self.question) == len(self.value) == nodes
            and len(self.threshold) == questions
            and {array.dtype for array in (self.threshold, self.value)}
            <= {np.dtype(np.float32), np.dtype(np.float64)}
            and {array.dtype.kind for array in self._numbers} == {"i"}
            and -1 <= self.question.min(initial=-1) <= self.question.max(initial=-1) < questions
            and bool((self.below[inner] > np.flatnonzero(inner)).all())
            and bool((self.below[inner] < nodes - 1).all())
            and bool((self.below[~inner] == np.flatnonzero(~inner)).all())
            and 0 <= self.feature.min(initial=0) <= self.feature.max(initial=0) < features
            and 0 <= self.roots.min(initial=0) <= self.roots.max(initial=0) < nodes
            and bool((self.trees >= 0).all())
            and self.trees.sum() == len(self.roots)
            and len(self.trees) == len(self.start) > 0
            and bool(np.isfinite(self.value).all() and np.isfinite(self.start).all())
        )


@dataclass(frozen=True)
class Grown:
    """One member as its library wrote it, its trees one after the other.

    Attributes:
        trees: of each tree feature, threshold, left, right and value of every node; a leaf has -1
            on its left. To the left where the feature is at most the threshold.
        start: what the sum of leaves begins with.
        features: how many features it was grown on.
        names: what they are called, where that is said.
    """

    trees: Sequence[tuple[NDArray[Any], ...]]
    start: float
    features: int
    names: Sequence[str] = ()


def together(members: Sequence[Grown]) -> GrownTrees:
    """The members as one model; trees are laid out level by level, without nodes nothing leads to.

    Raises:
        ValueError: some tree is none; or IndexError.
    """
    parts: list[tuple[NDArray[Any], ...]] = []
    roots, first = [], 0
    for member in members:
        for tree in member.trees:
            laid = _level_by_level(*tree)
            roots.append(first)
            parts.append((laid[0], laid[1], laid[2] + first, laid[3]))
            first += len(laid[0])
    feature, threshold, below, value = (np.concatenate(part) for part in zip(*parts, strict=True))
    inner = below != np.arange(len(below))
    thresholds, number = np.unique(threshold[inner], return_inverse=True)
    asked, which = np.unique(
        feature[inner].astype(np.int64) * len(thresholds) + number, return_inverse=True
    )
    question = np.full(len(below), -1, dtype=np.int32)
    question[inner] = which
    count = max(len(thresholds), 1)
    return GrownTrees(
        (asked // count).astype(np.int32),
        thresholds[asked % count],
        question,
        below.astype(np.int32),
        value,
        np.array(roots, dtype=np.int64),
        np.array([len(member.trees) for member in members], dtype=np.int64),
        np.array([member.start for member in members], dtype=np.float64),
    )


def _level_by_level(
    feature: NDArray[Any],
    threshold: NDArray[Any],
    left: NDArray[Any],
    right: NDArray[Any],
    value: NDArray[Any],
) -> tuple[NDArray[Any], ...]:
    """Feature, threshold, first node below and value of the nodes that the root leads to."""
    level, levels, belows, count = np.zeros(1, dtype=np.int64), [], [], 0
    while level.size:
        count += level.size
        if count > len(left) or level.min() < 0:
            raise ValueError("a tree whose nodes lead in a circle")
        inner = left[level] >= 0
        itself = np.arange(count - level.size, count)
        belows.append(np.where(inner, count + 2 * np.cumsum(inner) - 2, itself))
        levels.append(level)
        level = np.stack([left[level[inner]], right[level[inner]]], axis=1).reshape(-1)
    order, below = np.concatenate(levels), np.concatenate(belows)
    leaf = below == np.arange(count)
    return (
        feature[order],
        threshold[order],
        below,
        np.where(leaf, value[order], 0).astype(value.dtype),
    )


# -- XGBoost ---------------------------------------------------------------------------------------

_NODE = np.dtype(
    [("parent", "<i4"), ("left", "<i4"), ("right", "<i4"), ("index", "<u4"), ("x", "<f4")]
)
_STATISTICS = 16  # bytes a node that only growing needs
_OFFSET = b"CONFIG-offset:"


def read_xgboost(content: bytes, path: Path) -> Grown:
    """What a pickled ``Booster`` holds: bytes of XGBoost 1.0 to 1.2, or JSON of later ones.

    Args:
        content: the bytes.
        path: where they were read, to be told.

    Raises:
        SuiteError: it is no model of trees for a regression by squared errors.
        ValueError: it is damaged; or KeyError, IndexError, struct.error.
    """
    if content.startswith(b"{") and not content.startswith(b'{"'):
        raise SuiteError(f"{path} is in XGBoost's UBJSON, which is not read: save it as JSON.")
    if content.startswith(b"{"):
        return _read_json(json.loads(content), path)
    if content.startswith(_OFFSET):
        content = content[len(_OFFSET) + 8 :]  # behind the trees stands a configuration
    stream = io.BytesIO(content.removeprefix(b"binf"))
    start, features, classes = struct.unpack("<fIi", _taken(stream, 12))
    _taken(stream, 136 - 12)
    _check_kind(_text(stream), _text(stream), classes, path)
    (count,) = struct.unpack("<i", _taken(stream, 4))
    _taken(stream, 160 - 4)
    return Grown([_read_tree(stream) for _ in range(count)], start, features)


def _check_kind(objective: str, booster: str, classes: int, path: Path) -> None:
    if objective not in ("reg:squarederror", "reg:linear") or booster != "gbtree" or classes > 1:
        raise SuiteError(
            f"{path} is an XGBoost model of {booster[:40]!r} for {objective[:40]!r}, and read is "
            f"only a regression by squared errors with trees."
        )


def _taken(stream: io.BytesIO, size: int) -> bytes:
    found = stream.read(size) if size >= 0 else b""
    if len(found) != size:
        raise ValueError("cut short")
    return found


def _text(stream: io.BytesIO) -> str:
    (length,) = struct.unpack("<Q", _taken(stream, 8))
    return _taken(stream, length if length < 1000 else -1).decode("ascii")


def _read_tree(stream: io.BytesIO) -> tuple[NDArray[Any], ...]:
    _, count, *_ = struct.unpack("<37i", _taken(stream, 148))
    nodes = np.frombuffer(_taken(stream, count * _NODE.itemsize), _NODE)
    _taken(stream, count * _STATISTICS)
    feature = (nodes["index"] & 0x7FFFFFFF).astype(np.int32)  # the first bit is for missing values
    return _tree(feature, nodes["x"], nodes["left"], nodes["right"])


def _read_json(said: Any, path: Path) -> Grown:
    learner = said["Model"]["learner"] if "Model" in said else said["learner"]
    facts, booster = learner["learner_model_param"], learner["gradient_booster"]
    _check_kind(learner["objective"]["name"], booster["name"], int(facts["num_class"]), path)
    trees = [
        _tree(
            *(
                tree[k]
                for k in ("split_indices", "split_conditions", "left_children", "right_children")
            )
        )
        for tree in booster["model"]["trees"]
    ]
    return Grown(trees, float(np.float32(facts["base_score"])), int(facts["num_feature"]))


def _tree(
    feature: ArrayLike, x: ArrayLike, left: ArrayLike, right: ArrayLike
) -> tuple[NDArray[Any], ...]:
    """XGBoost goes left below its threshold: at most the next smaller number is the same."""
    x = np.asarray(x, dtype=np.float32)
    smaller = np.nextafter(x, np.float32(-np.inf))
    return np.asarray(feature), smaller, np.asarray(left), np.asarray(right), x


# -- LightGBM --------------------------------------------------------------------------------------

_CATEGORICAL, _ZERO_MISSING = 1, 1 << 2


def read_lightgbm(text: str, path: Path, iterations: int = 0) -> Grown:
    """The text of ``Booster.model_to_string`` of LightGBM 2 to 4.

    Args:
        text: the model.
        path: where it was read, to be told.
        iterations: how many trees are used, as the booster's ``best_iteration``; 0 for all.

    Raises:
        SuiteError: it is no model of numeric splits for a regression by squared errors.
        ValueError: it is damaged; or KeyError.
    """
    trees, end, _ = text.partition("\nend of trees")
    if not text.startswith("tree\n") or not end:
        raise ValueError("cut short")
    head, *parts = trees.split("\nTree=")
    said = _lines(head)
    objective = said.get("objective", "")
    if (
        objective != "regression"
        or said["num_tree_per_iteration"] != "1"
        or "average_output" in said
    ):
        raise SuiteError(
            f"{path} is a LightGBM model for {objective[:40]!r}, and read is only a regression by "
            f"squared errors with boosted trees."
        )
    if "tree_sizes" in said and len(said["tree_sizes"].split()) != len(parts):
        raise ValueError("trees are missing")
    grown = [_read_section(_lines(part), path) for part in parts][: iterations or None]
    names = said.get("feature_names", "").split()
    return Grown(grown, 0.0, int(said["max_feature_idx"]) + 1, names)


def _lines(text: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in text.split("\n") if line)


def _read_section(said: Mapping[str, str], path: Path) -> tuple[NDArray[Any], ...]:
    leaves = int(said["num_leaves"])
    value = np.array(said["leaf_value"].split(), dtype=np.float64)
    if len(value) != leaves:
        raise ValueError("leaves are missing")
    inner = leaves - 1

    def numbers(name: str, kind: type) -> NDArray[Any]:
        found: NDArray[Any] = np.array(said[name].split() if inner else [], dtype=kind)
        if len(found) != inner:
            raise ValueError("nodes are missing")
        return found

    kinds = numbers("decision_type", np.int64)
    if (kinds & _CATEGORICAL).any() or (kinds & 0b1100 == _ZERO_MISSING).any():
        raise SuiteError(f"{path} splits by category or takes zeros as missing, which is not read.")
    left, right = (numbers(f"{side}_child", np.int64) for side in ("left", "right"))
    none = np.zeros(leaves)
    return (
        np.append(numbers("split_feature", np.int64), none),
        np.append(numbers("threshold", np.float64), none),
        *(
            np.append(np.where(side < 0, inner + ~side, side), none - 1).astype(int)
            for side in (left, right)
        ),
        np.append(np.zeros(inner), value),
    )
