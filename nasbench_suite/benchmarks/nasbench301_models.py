"""NAS-Bench-301's surrogates, from the folders in which its authors published and save them.

Source: Zela, Siems, Zimmer, Lukasik, Keuper and Hutter, *Surrogate NAS Benchmarks*, ICLR 2022;
code: automl/nasbench301 (api.py, surrogate_models/ensemble.py). A member of an ensemble is a folder
with ``surrogate_model.model``, a pickle of a booster or of a graph network's weights, and
``model_config.json``. Pickles are read so that nothing in them can run; trees and networks are
evaluated here, without XGBoost, LightGBM, ConfigSpace or PyTorch.

Accuracies (%) and seconds are what the authors' ``predict`` gives: the members' mean. Their noise
is normal with the members' standard deviation; one member, drawn, has the same mean and deviation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.formats import BenchmarkFormat, Progress
from nasbench_suite.benchmarks.graph_isomorphism import GraphIsomorphism
from nasbench_suite.benchmarks.grown_trees import (
    Grown,
    GrownTrees,
    read_lightgbm,
    read_xgboost,
    together,
)
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.models import Model
from nasbench_suite.benchmarks.sources import SOURCES
from nasbench_suite.benchmarks.surrogate import Surrogate
from nasbench_suite.errors import SuiteError, and_more
from nasbench_suite.files.safe_pickle import explained, load
from nasbench_suite.files.unpacking import need_regular_file
from nasbench_suite.spaces import load_space
from nasbench_suite.spaces.darts import CONFIGURED_EDGES, CONFIGURED_PAIRS

SPACE, ENCODING = "darts", "nasbench301"
_MODEL, _CONFIG = "surrogate_model.model", "model_config.json"
_MOST_SETTINGS = 1 << 20  # bytes; there are some twenty
_FEATURES = 56
_VERSION = re.compile(r"\d+\.\d+")


def _accuracy(name: str) -> Metric:
    return Metric(name, dataset="cifar10", split="valid", epochs=97, provenance="modelled")


_SECONDS = Metric(
    *("cifar10_train_time_97", "training_time", "s", "minimize"),
    dataset="cifar10",
    epochs=97,
    provenance="modelled",
)
# By the names of the authors' models; the first is the one that their example asks.
_METRICS = {
    "xgb": _accuracy("cifar10_valid_97"),
    "gnn_gin": _accuracy("cifar10_valid_97_gin"),
    "lgb": _accuracy("cifar10_valid_97_lgb"),
    "lgb_time": _SECONDS,
    "xgb_time": _SECONDS,
}
_LIBRARIES = {"xgb": "XGBoost", "lgb": "LightGBM", "gnn": "GIN"}


class ModelsFormat(BenchmarkFormat):
    """NAS-Bench-301's surrogates: a folder of its authors' models."""

    surrogate = True

    def recognise(self, source: Path) -> str | None:
        """See ``BenchmarkFormat``."""
        if not source.is_dir():
            return None
        found = any(path.with_name(_CONFIG).is_file() for path in source.rglob(_MODEL))
        return "nas-bench-301" if found else None

    def read(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Surrogate:
        """See ``BenchmarkFormat``; one ensemble or several, as of accuracy and of seconds."""
        if space is not None and load_space(space).name != SPACE:
            raise SuiteError(f"{source} holds surrogates of space {SPACE!r}, not of {space!r}.")
        ensembles = _ensembles(source)
        total = sum(map(len, ensembles.values()))
        metrics: dict[str, Metric] = {}
        models: dict[str, Model] = {}
        done = 0
        for kind, folders in ensembles.items():
            metric = _METRICS[kind]
            if metric.name in models:
                raise SuiteError(
                    f"{source} holds two models of {metric.name}: import one at a time."
                )
            models[metric.name] = _read_ensemble(kind, folders)
            members = models[metric.name].members
            library = _LIBRARIES[kind.partition("_")[0]]
            note = f"{library} of NAS-Bench-301's authors, mean of {members} members"
            metrics[metric.name] = replace(metric, seeds=tuple(range(members)), note=note)
            done += members
            if progress is not None:
                progress(done, total)
        about = {
            "description": "NAS-Bench-301's surrogates of DARTS cells on CIFAR-10",
            **SOURCES["nas-bench-301"].credit,
            "source": f"models in {source.resolve().name}",
        }
        return Surrogate("nas-bench-301", load_space(SPACE), ENCODING, metrics, models, {}, about)


def _ensembles(source: Path) -> dict[str, list[Path]]:
    """The folders of members by the authors' name of their model, in the order of ``_METRICS``.

    Raises:
        SuiteError: there is none, or one is incomplete, of two versions, or not read.
    """
    folders = sorted({path.parent for path in source.rglob(_MODEL)})
    if not folders:
        raise SuiteError(f"{source} holds no {_MODEL}: name a folder with models of NAS-Bench-301.")
    for config in sorted(source.rglob(_CONFIG)):
        if not any(folder.is_relative_to(config.parent) for folder in folders):
            raise SuiteError(f"{config.parent} lacks {_MODEL}: get the folder again.")
    versions = {tuple(_VERSION.findall(str(one.relative_to(source)))) for one in folders}
    if len(versions) > 1:
        named = ", ".join(sorted({number for found in versions for number in found}))
        raise SuiteError(f"{source} holds several versions ({named}): import the folder of one.")
    found: dict[str, list[Path]] = {}
    for folder in folders:
        kind = _config(folder).get("model")
        if not isinstance(kind, str) or kind not in _METRICS:
            raise SuiteError(
                f"{folder} holds a model {str(kind)[:40]!r}, and of NAS-Bench-301's are read "
                f"{', '.join(_METRICS)}."
            )
        found.setdefault(kind, []).append(folder)
    for members in found.values():
        _need_all(members)
    return {kind: found[kind] for kind in _METRICS if kind in found}


def _need_all(folders: Sequence[Path]) -> None:
    """Refuse an ensemble whose folders are numbered and that lacks a number."""
    numbers = [
        int(m[1]) for one in folders if (m := re.fullmatch(r"ensemble_member_(\d{1,4})", one.name))
    ]
    gone = sorted(set(range(max(numbers, default=-1) + 1)) - set(numbers))
    if gone:
        raise SuiteError(
            f"{folders[0].parent} lacks ensemble_member_{gone[0]}{and_more(len(gone) - 1)}: get "
            f"the folder again."
        )


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / _CONFIG
    need_regular_file(path, _MOST_SETTINGS)
    with explained(path):
        said = json.loads(path.read_bytes())
        if not isinstance(said, dict):
            raise ValueError("no settings")
        return said


def _read_ensemble(kind: str, folders: Sequence[Path]) -> Model:
    if kind == "gnn_gin":
        return _read_networks(folders)
    members = [_read_booster(kind, folder) for folder in folders]
    with explained(folders[0].parent):
        trees = together(members)
        if not trees.sound(_FEATURES):
            raise ValueError("its trees are none")
    _check_splits(trees, folders[0].parent)
    return trees


def _read_networks(folders: Sequence[Path]) -> GraphIsomorphism:
    states = []
    for folder in folders:
        held = load(folder / _MODEL)
        if not isinstance(held, dict) or not all(
            isinstance(one, np.ndarray) for one in held.values()
        ):
            raise SuiteError(f"{folder / _MODEL} holds no weights of a network: get it again.")
        states.append(held)
    with explained(folders[0]):
        model = GraphIsomorphism.of(states, _config(folders[0]))
    if not model.sound(_FEATURES):
        raise SuiteError(
            f"{folders[0].parent} holds other weights than NAS-Bench-301's graph networks have: "
            f"get it again."
        )
    return model


def _read_booster(kind: str, folder: Path) -> Grown:
    """One member.

    Raises:
        SuiteError: it is none, damaged, or its features are not those of the configurations.
    """
    path = folder / _MODEL
    if _config(folder).get("param:bananas_enc"):
        raise SuiteError(f"{path} reads the encoding of BANANAS, which is not known here.")
    held = load(path)
    library, wanted = ("XGBoost", bytes) if kind.startswith("xgb") else ("LightGBM", str)
    handle = held.get("handle") if isinstance(held, dict) else None
    if type(handle) is not wanted:
        raise SuiteError(f"{path} holds no booster of {library}: get it again.")
    with explained(path):
        if isinstance(handle, bytes):
            grown = read_xgboost(handle, path)
        else:
            grown = read_lightgbm(handle, path, max(int(held.get("best_iteration", 0)), 0))
        names = held.get("feature_names") or grown.names
        by_number = all(
            re.fullmatch(rf"(f|Column_){place}", name) for place, name in enumerate(names)
        )
    if grown.features != _FEATURES:
        raise SuiteError(
            f"{path} was grown on {grown.features} features, and a configuration of NAS-Bench-301 "
            f"has {_FEATURES}: it is of another space or version."
        )
    if not by_number:
        raise SuiteError(f"{path} names its features, which are read by their order alone.")
    return grown


def _check_splits(trees: GrownTrees, source: Path) -> None:
    """Refuse splits that part no two values of a feature: then the features stand in another order.

    Raises:
        SuiteError: there is one.
    """
    low, high = _ranges()
    asked = (low[trees.feature] <= trees.threshold) & (trees.threshold < high[trees.feature])
    if not asked.all():
        place = int(asked.argmin())
        feature = trees.feature[place]
        raise SuiteError(
            f"{source} splits feature {feature} at {trees.threshold[place]:.4g}, which goes from "
            f"{low[feature]:g} to {high[feature]:g} in a configuration of NAS-Bench-301: its "
            f"features are others or stand in another order."
        )


def _ranges() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Smallest and largest value of every feature that belongs to an architecture."""
    low, high = np.full(_FEATURES, -np.inf), np.full(_FEATURES, np.inf)
    for edges, pairs in zip(CONFIGURED_EDGES, CONFIGURED_PAIRS, strict=True):
        low[list(edges)], high[list(edges)] = -1, 6
        low[list(edges[:2])] = 0  # the first node reads both inputs
        low[list(pairs)], high[list(pairs)] = 0, (2, 5, 9)
    return low, high
