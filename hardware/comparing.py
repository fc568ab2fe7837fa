"""What tables of costs say of each other: rank correlations, noise, proxies, repeatability."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hardware.networks import SETTINGS, count_all
from hardware.predictors import additive_from_operations
from hardware.tables import CostTable
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.topology import TopologySpace, live_edges
from nasbench_suite.statistics.correlation import spearman

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.spaces import FiniteSpace

_SAME = ("setting", "batch", "threads", "precision")  # for two measurements to be compared

Floats = NDArray[np.float64]


def join_tables(
    tables: Sequence[CostTable],
) -> tuple[FiniteSpace, NDArray[np.int64], dict[str, Floats]]:
    """The costs of the architectures of which all tables have every figure.

    Returns:
        The space, the architectures, and the columns, numbered where two have one name.

    Raises:
        SuiteError: no table, tables of different spaces, or fewer than three common architectures.
    """
    if not tables:
        raise SuiteError("There is no table to compare: name at least one.")
    space = tables[0].space
    for table in tables[1:]:
        if table.space.name != space.name:
            raise SuiteError(
                f"Tables of spaces {space.name!r} and {table.space.name!r} cannot be compared."
            )
    common = tables[0].indices
    for table in tables[1:]:
        common = np.intersect1d(common, table.indices)
    columns: dict[str, Floats] = {}
    for table in tables:
        rows = np.searchsorted(table.indices, common)
        for name, values in table.costs.items():
            unique, number = name, 2
            while unique in columns:
                unique, number = f"{name} ({number})", number + 1
            columns[unique] = values[rows]
    there = np.all([np.isfinite(values) for values in columns.values()], axis=0)
    if there.sum() < 3:
        raise SuiteError(
            f"The tables have {there.sum()} architectures in common: at least 3 are needed."
        )
    return space, common[there], {name: values[there] for name, values in columns.items()}


def rank_correlations(columns: dict[str, Floats]) -> pd.DataFrame:
    """Spearman's rank correlation between all columns, by name and name."""
    import pandas as pd

    names = list(columns)
    values = [[spearman(columns[one], columns[other]) for other in names] for one in names]
    return pd.DataFrame(values, index=names, columns=names)


def proxies(
    space: FiniteSpace, indices: NDArray[np.int64], columns: dict[str, Floats], setting: str
) -> pd.DataFrame:
    """How well what needs no device predicts each column, by Spearman's rank correlation.

    - ``flops`` and ``parameters``, of the networks as they are written in a setting;
    - ``operations``: the sum over edges of the cost of each operation there, from the 25 cells with
      one operation or none; NaN where the table lacks any of them.

    Args:
        space: the space.
        indices: architecture of each row.
        columns: figures by name.
        setting: the skeleton that is counted; see ``networks.SETTINGS``.

    Returns:
        One row a column.
    """
    import pandas as pd

    parameters, flops = count_all(space, setting)
    rows = {}
    for name, values in columns.items():
        found = {
            "flops": spearman(flops[indices], values),
            "parameters": spearman(parameters[indices], values),
            "operations": float("nan"),
        }
        if isinstance(space, TopologySpace):
            predicted = additive_from_operations(space, indices, values)
            if predicted is not None:
                found["operations"] = spearman(predicted, values)
        rows[name] = found
    return pd.DataFrame.from_dict(rows, orient="index")


def twin_spread(space: FiniteSpace, indices: NDArray[np.int64], values: Floats) -> float:
    """Median over isomorphism classes of largest less smallest cost, over the class's median.

    0 where all twins share one figure; NaN without a class of two members or more.
    """
    labels = space.classes[indices]
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    groups = [
        values[order[start : start + size]]
        for start, size in zip(starts, sizes, strict=True)
        if size > 1
    ]
    if not groups:
        return float("nan")
    return float(np.median([np.ptp(group) / np.median(group) for group in groups]))


def removal_savings(tables: Sequence[CostTable]) -> dict[tuple[str, str], tuple[float, float, int]]:
    """What removing dead branches saves, of each pair of tables measured without and with them.

    Returns:
        By columns (pruned, as written) of one quantity and unit, from one runtime and setting: the
        median and the 95 % quantile of the share saved, over the common architectures that have
        dead branches, and how many these are.
    """
    found = {}
    for pruned in tables:
        for written in tables:
            flags = [dict(t.about.get("protocol", {})).get("pruned") for t in (pruned, written)]
            if flags != [True, False] or _kind(pruned) != _kind(written):
                continue
            common = np.intersect1d(pruned.indices, written.indices)
            dead = common[_has_dead(pruned.space)[common]]
            if not len(dead):
                continue
            for one, values in pruned.costs.items():
                for other, full in written.costs.items():
                    if pruned.facts[one]["quantity"] == written.facts[other]["quantity"]:
                        saved = 1 - (
                            values[np.searchsorted(pruned.indices, dead)]
                            / full[np.searchsorted(written.indices, dead)]
                        )
                        middle, most = np.quantile(saved, [0.5, 0.95]).tolist()
                        found[one, other] = (middle, most, len(dead))
    return found


def repetitions(tables: Sequence[CostTable]) -> dict[tuple[int, int], tuple[float, float, float]]:
    """How well tables repeat each other that measured the same way on one machine.

    Returns:
        By the places of two tables: ``repeatability`` over their common architectures, with the
        larger of their noise floors, and that floor in ms.
    """

    def how(table: CostTable) -> tuple[object, ...]:
        device = dict(table.about.get("device", {}))
        device.pop("started", None)
        pruned = dict(table.about.get("protocol", {})).get("pruned")
        return (*_kind(table), pruned, json.dumps(device, sort_keys=True))

    found = {}
    for (i, one), (j, other) in combinations(enumerate(tables), 2):
        floors = [table.about.get("noise_floor_ms") for table in (one, other)]
        common = np.intersect1d(one.indices, other.indices)
        if None in floors or how(one) != how(other) or len(common) < 3:
            continue
        first, second = (
            next(iter(table.costs.values()))[np.searchsorted(table.indices, common)]
            for table in (one, other)
        )
        floor = float(max(floors))  # type: ignore[type-var, arg-type]  # neither is None
        found[i, j] = (*repeatability(first, second, floor), floor)
    return found


def _kind(table: CostTable) -> tuple[object, ...]:
    """What two measurements must share to be compared: all but machine and dead branches."""
    protocol = dict(table.about.get("protocol", {}))
    runtime = dict(table.about.get("device", {})).get("runtime")
    return (table.space.name, runtime, *(protocol.get(name) for name in _SAME))


def _has_dead(space: FiniteSpace) -> NDArray[np.bool_]:
    """Which architectures have an operation that no path from input to output uses."""
    if not isinstance(space, TopologySpace):
        return np.zeros(space.size, dtype=np.bool_)
    vectors = space.all_vectors.tolist()
    return np.array([live_edges(vector) != vector for vector in vectors])


def repeatability(one: ArrayLike, other: ArrayLike, floor: float) -> tuple[float, float]:
    """Rank correlation of two measurements of the same architectures.

    Args:
        one: latencies, shape (n,).
        other: latencies of the same architectures, shape (n,).
        floor: noise floor; what differs by less cannot be told apart.

    Returns:
        Spearman's correlation over all, and over architectures any two of which differ in ``one``
        by more than the floor: taken from the smallest latency on, each next one that is more
        than the floor above the last.
    """
    first, second = (np.asarray(values, dtype=np.float64) for values in (one, other))
    kept: list[int] = []
    for row in np.argsort(first, kind="stable").tolist():
        if not kept or first[row] - first[kept[-1]] > floor:
            kept.append(row)
    return spearman(first, second), spearman(first[kept], second[kept])


def setting_of(table: CostTable) -> str:
    """The setting a table was made in, where it says so; else ``cifar100``."""
    said = str(dict(table.about.get("protocol", {})).get("setting", ""))
    return said if said in SETTINGS else "cifar100"
