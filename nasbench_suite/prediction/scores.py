"""Scores of zero-cost proxies as a board takes them, from a file or a benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.importing.reading import in_brackets, read_figures
from nasbench_suite.benchmarks.library import known_benchmarks, load_benchmark
from nasbench_suite.benchmarks.table_file import is_benchmark_file
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import read_frame
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace, PoolSpace

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

_ARCHITECTURES = "arch_str"
_SECONDS = "_seconds"
_INDEX = "__index_level_"  # begins the column of rows that pandas writes of its own accord
_TABLES = (".parquet", ".csv")
_PROXIES = ("proxy", "flops", "parameters")  # a larger network is thought better, costs or not


def read_scores(source: str | Path, space: FiniteSpace) -> dict[str, Array]:
    """Scores by the name of the proxy.

    Args:
        source: a Parquet or CSV file with a column ``arch_str`` and a column of scores a proxy, as
            `nasbench proxies compute` writes it (its columns of seconds are left out); or a
            benchmark whose metrics are scores, by its name or file.
        space: whose architectures are asked for.

    Returns:
        Shape (space.size,) each, larger predicts better; NaN where an architecture has none.

    Raises:
        SuiteError: there is nothing to read, or no architecture of the space in it; a column is no
            scores, or two rows contradict each other.
    """
    frame = _frame(source)
    if frame is None:
        table = load_benchmark(str(source))
        found = {
            name: table.values(name)
            for name, metric in table.metrics.items()
            if metric.quantity in _PROXIES
        }
        return _placed(space, list(table.space.all_strings), found, str(source))
    strings = frame[_ARCHITECTURES].tolist()
    wanted = [
        name for name in frame.columns if name != _ARCHITECTURES and not name.endswith(_SECONDS)
    ]
    return _placed(space, strings, _numbers(frame[wanted], source, "scores"), str(source))


def read_seconds(source: str | Path) -> dict[str, float]:
    """The median seconds of a score by the name of the proxy, where the source says them.

    Args:
        source: as ``read_scores`` takes it.
    """
    frame = _frame(source)
    if frame is None:
        return {}
    timed = frame[[name for name in frame.columns if name.endswith(_SECONDS)]]
    return {
        name.removesuffix(_SECONDS): float(np.median(seconds[~np.isnan(seconds)]))
        for name, seconds in _numbers(timed, source, "seconds").items()
        if not np.isnan(seconds).all()
    }


def check_scores(name: str, values: Array) -> None:
    """Refuse scores of which one is better than all others whatever they are.

    Args:
        name: of the proxy, and where it stands.
        values: minus infinity for what is known to compute nothing, NaN for what has none.

    Raises:
        SuiteError: one is plus infinity.
    """
    infinite = int((values == np.inf).sum())
    if infinite:
        raise SuiteError(
            f"{name} has {counted(infinite, 'score')} of plus infinity: leave such cells empty, "
            f"and their architectures are left out."
        )


def _frame(source: str | Path) -> pd.DataFrame | None:
    """The table of scores in a file; None where the source is a benchmark."""
    path = Path(source)
    if str(source) in known_benchmarks() or is_benchmark_file(path):
        return None
    if not path.exists() and path.suffix.lower() not in _TABLES:
        return None  # a name, that of no benchmark
    frame = read_frame(path).frame
    frame = frame[[name for name in frame.columns if not name.startswith(_INDEX)]]
    if _ARCHITECTURES not in frame:
        raise SuiteError(
            f"{source} has no column {_ARCHITECTURES} of architectures beside its scores (it has "
            f"{', '.join(frame.columns[:5])}): name the column of architectures so."
        )
    return frame


def _numbers(frame: pd.DataFrame, source: str | Path, kind: str) -> dict[str, Array]:
    figures, left_out = read_figures(frame, None)
    if left_out:
        raise SuiteError(
            f"{source} has a column that is no {kind}{in_brackets(left_out)}: leave it out."
        )
    return figures


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
        check_scores(f"Column {name!r} of {source}", values[rows])
        placed = np.full(space.size, np.nan)
        placed[indices] = values[rows]
        differs = ~np.isclose(placed[indices], values[rows], rtol=0, atol=0, equal_nan=True)
        if differs.any():
            raise SuiteError(
                f"{source} has two rows of {strings[rows[differs][0]]!r} with different scores "
                f"of {name!r}: leave one of them."
            )
        found[name] = placed
    return found
