"""Which architecture each row of a table is of, held against the figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.encodings import (
    Integers,
    check_encoding,
    find_encoding,
    numberings,
    vector_encodings,
)
from nasbench_suite.benchmarks.importing.cells import (
    Numbers,
    cells_of,
    is_string_of,
    no_architecture,
    numbers_of,
    read_string,
)
from nasbench_suite.benchmarks.plausibility import (
    Reading,
    compare_readings,
    describe,
    doubt,
    fits_better,
    fitting,
)
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteSpace

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Rows:
    """The architectures of a table.

    Attributes:
        indices: architecture of each row, shape (n,).
        hints: what was decided, and how to say otherwise.
        warnings: what speaks against the architectures.
    """

    indices: NDArray[np.int64]
    hints: Sequence[str] = ()
    warnings: Sequence[str] = ()


def read_architectures(
    path: Path,
    frame: pd.DataFrame,
    column: str | None,
    space: FiniteSpace,
    figures: Mapping[str, tuple[str, Numbers]],
    *,
    encoding: str | None = None,
    force: bool = False,
) -> Rows:
    """The architecture of each row, held against the figures.

    Args:
        path: the file, for messages.
        frame: its table.
        column: of architectures; None if rows stand in order.
        space: their space.
        figures: quantity and values of each metric.
        encoding: how numbers or vectors are meant; see ``encodings``.
        force: take the encoding, or the publisher's order, though the figures fit another.

    Raises:
        SuiteError: a cell is no architecture, or the figures fit another order and not this one.
    """
    written = _written(frame, column, space)
    if written is None:
        rows = _rows_of_strings(path, frame[str(column)], space)
        hints = alters_nothing(path, space, encoding)
        return Rows(rows, hints, _warnings(path, space, rows, figures, column))
    vectors = written.ndim == 2
    if encoding is not None:
        rows = find_encoding(space, encoding, vectors=vectors).decode(space, written)
        if (rows < 0).any():
            at = int((rows < 0).argmax())
            raise SuiteError(
                f"{path}, row {at}: {written[at].tolist()} is no architecture of space "
                f"{space.name!r} in encoding {encoding!r}."
            )
        return Rows(rows, warnings=_warnings(path, space, rows, figures, column))
    if not vectors and not _warnings(path, space, written, figures, column):
        return Rows(written)  # the usual case, without a look at what else they could mean
    known = vector_encodings(space) if vectors else numberings(space)
    readings = compare_readings(space, known, written, figures)
    if not readings:
        raise SuiteError(
            f"{path} has vectors such as {written[0].tolist()}, which are none of space "
            f"{space.name!r}: write its strings."
        )
    if len(readings) == 1:
        rows = readings[0].indices
        return Rows(rows, warnings=_warnings(path, space, rows, figures, column))
    return _chosen(path, space, column, readings, vectors=vectors, force=force)


def names_by_strings(frame: pd.DataFrame, column: str, space: FiniteSpace) -> bool:
    """Whether architectures are written as strings, and not as numbers or vectors."""
    return _written(frame, column, space) is None


def alters_nothing(path: Path, space: FiniteSpace, encoding: str | None) -> list[str]:
    """What is said of an encoding where architectures are named by strings.

    Raises:
        SuiteError: the space has no such encoding.
    """
    if encoding is None:
        return []
    check_encoding(space, encoding)
    return [
        f"{path.name} names architectures by strings, which mean the same in every encoding: "
        f"--encoding {encoding} alters nothing there."
    ]


def _chosen(
    path: Path,
    space: FiniteSpace,
    column: str | None,
    readings: Sequence[Reading],
    *,
    vectors: bool,
    force: bool,
) -> Rows:
    """The reading that is meant, and what the user should be told."""
    own, fit = readings[0], fitting(readings)
    what = f"column {column}" if column else "rows in order"
    if vectors and len(fit) == 1 < len(readings) and not force:
        name, summary = fit[0].encoding.name, fit[0].encoding.summary
        decided = (
            f"{path.name}: the vectors of {what} are read in encoding {name!r} ({summary}), which "
            f"the figures fit best; say another with --encoding."
        )
        return Rows(fit[0].indices, hints=[decided])
    if fit and own not in fit and not force:
        against = (
            describe(*next(iter(own.implausible.items())))
            if own.implausible
            else "another order fits them clearly better"
        )
        names = " or ".join(f"{one.encoding.name!r} ({one.encoding.summary})" for one in fit)
        raise SuiteError(
            f"{path} has its figures beside other architectures than they belong to, as {against}: "
            f"they fit encoding {names}: say it with --encoding {fit[0].encoding.name}"
            f"{', or whichever it is' if fit[1:] else ''}, or import them as they are with --force."
        )
    clauses = [describe(name, judged) for name, judged in own.implausible.items()][:1]
    if fit and own not in fit and not clauses:
        clauses.append(fits_better("all together", fit[0].encoding))
    warnings = [_against(path, what, clause) for clause in clauses]
    if vectors and len(readings) > 1 and not (len(fit) == 1 and fit[0] is own):
        names = ", ".join(repr(reading.encoding.name) for reading in fit or readings)
        warnings.append(
            f"{path.name}: the vectors of {what} can be meant in several encodings ({names}), and "
            f"the figures do not tell which; they are read in {own.encoding.name!r}: say which it "
            f"is with --encoding."
        )
    return Rows(own.indices, warnings=warnings)


def _warnings(
    path: Path,
    space: FiniteSpace,
    rows: NDArray[np.int64],
    figures: Mapping[str, tuple[str, Numbers]],
    column: str | None,
) -> list[str]:
    """A warning where the figures speak against the architectures they stand beside."""
    clause = doubt(space, rows, figures)
    what = f"column {column}" if column else "rows in order"
    return [] if clause is None else [_against(path, what, clause)]


def _against(path: Path, what: str, clause: str) -> str:
    return (
        f"Warning: {path.name} may have its figures beside other architectures than they belong "
        f"to ({what}): {clause}."
    )


def _written(frame: pd.DataFrame, column: str | None, space: FiniteSpace) -> Integers | None:
    """Architectures as numbers of shape (n,) or vectors (n, decisions); None if as strings.

    Vectors are tuples, lists, arrays, or text such as ``(4, 0, 3)``.
    """
    if column is None:
        return np.arange(len(frame))
    cells = frame[column].tolist()
    first = cells[0]
    if isinstance(first, str) and first.lstrip().startswith(("(", "[")):
        numbers = [re.findall(r"-?\d+", str(cell)) for cell in cells]
        alike = len({len(one) for one in numbers}) == 1 and len(numbers[0]) > 1
        return np.array(numbers, dtype=np.int64) if alike else None
    if isinstance(first, tuple | list | np.ndarray):
        try:
            array = np.array([list(cell) for cell in cells])
        except (TypeError, ValueError):
            return None
        if array.ndim != 2 or array.dtype.kind not in "iuf" or (array % 1 != 0).any():
            return None
        return array.astype(np.int64)
    figures = None if is_string_of(space, first) else numbers_of(frame[column])
    if figures is None or not np.isin(figures, np.arange(space.size)).all():
        return None
    return figures.astype(np.int64)


def _rows_of_strings(path: Path, column: pd.Series[Any], space: FiniteSpace) -> NDArray[np.int64]:
    """The architecture index of each row, from strings or indices."""
    cells = cells_of(column, space)
    indices = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        try:
            indices[row] = read_string(space, cell) if isinstance(cell, str) else space.index(cell)
        except SuiteError as error:
            raise no_architecture(path, row, cell, space, error) from None
    return indices
