"""Scores of zero-cost proxies as a board takes them, from a file or a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.library import load_benchmark
from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.files.frames import read_frame
from nasbench_suite.spaces import FiniteSpace, PoolSpace

Array = NDArray[np.float64]

_NO_NUMBERS = (TypeError, ValueError, ArithmeticError)
_PROXIES = ("proxy", "flops", "parameters")  # a larger network is thought better, costs or not


def read_scores(source: str | Path, space: FiniteSpace) -> dict[str, Array]:
    """Scores by the name of the proxy.

    Args:
        source: a Parquet file with a column ``arch_str`` and a column of scores a proxy, as
            `nasbench proxies compute` writes it (its columns of seconds are left out); or a
            benchmark whose metrics are scores, by its name or file.
        space: whose architectures are asked for.

    Returns:
        Shape (space.size,) each, larger predicts better; NaN where an architecture has none.

    Raises:
        SuiteError: there is nothing to read, or no architecture of the space in it.
    """
    path = Path(source)
    if path.suffix == ".parquet" and path.exists():
        frame = read_frame(path).frame
        if "arch_str" in frame:
            strings = frame.pop("arch_str").tolist()
            wanted = [name for name in frame if not str(name).endswith("_seconds")]
            with refused(f"{source} has a column that is no scores ({{reason}}).", *_NO_NUMBERS):
                columns = {str(name): frame[name].to_numpy(dtype=np.float64) for name in wanted}
            return _placed(space, strings, columns, str(source))
    table = load_benchmark(str(source))
    found = {
        name: table.values(name)
        for name, metric in table.metrics.items()
        if metric.quantity in _PROXIES
    }
    return _placed(space, list(table.space.all_strings), found, str(source))


def read_seconds(source: str | Path) -> dict[str, float]:
    """The median seconds of a score by the name of the proxy, where the source says them.

    Args:
        source: as ``read_scores`` takes it.
    """
    path = Path(source)
    if path.suffix != ".parquet" or not path.exists():
        return {}
    frame = read_frame(path).frame
    with refused(f"{source} has a column that is no seconds ({{reason}}).", *_NO_NUMBERS):
        return {
            str(name).removesuffix("_seconds"): float(frame[name].median())
            for name in frame
            if str(name).endswith("_seconds")
        }


def _placed(
    space: FiniteSpace, strings: list[str], columns: Mapping[str, Array], source: str
) -> dict[str, Array]:
    places = {}
    for row, string in enumerate(strings):
        try:
            places[row] = space.index(string)
        except SuiteError as error:
            if not isinstance(space, PoolSpace):
                raise SuiteError(
                    f"{source} has scores of another space than {space.name!r}: its row "
                    f"{row} is no architecture there ({error})"
                ) from None
    if not places or not columns:
        raise SuiteError(f"{source} has no scores of architectures of space {space.name!r}.")
    rows, indices = np.array(list(places)), np.array(list(places.values()))
    found = {}
    for name, values in columns.items():
        placed = np.full(space.size, np.nan)
        placed[indices] = values[rows]
        found[name] = placed
    return found
