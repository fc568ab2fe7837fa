"""What stands in the cells of a column: architectures of a space, or numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteSpace, SearchSpace, list_spaces, load_space

if TYPE_CHECKING:
    import pandas as pd

_VECTOR = re.compile(r"\(\d+(,\d+)*,?\)|\[\d+(,\d+)*\]")
Numbers = NDArray[np.float64]


def numbers_of(column: pd.Series[Any]) -> Numbers | None:
    """A column as numbers, NaN where a cell is empty; None if it holds anything else."""
    import pandas as pd

    kind = pd.api.types
    if kind.is_string_dtype(column) or kind.is_object_dtype(column):
        try:
            read = pd.to_numeric(column)
        except (ValueError, TypeError, OverflowError):
            return None
        if read.dtype.kind == "f":
            # Pandas before 3 errs in the last bit of text.
            exact = [
                float(cell) if isinstance(cell, str) and number == number else number
                for cell, number in zip(column, read, strict=True)
            ]
            read = pd.Series(exact, dtype=np.float64)
        column = read
    if not kind.is_numeric_dtype(column) or kind.is_bool_dtype(column):
        return None
    if kind.is_complex_dtype(column):
        return None
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def cells_of(column: pd.Series[Any], space: SearchSpace) -> list[Any]:
    """The cells of a column of architectures; numbers, in a listed space, as integers."""
    cells = column.tolist()
    listed = isinstance(space, FiniteSpace) and not is_string_of(space, cells[0])
    if listed and (known := numbers_of(column)) is not None:
        return [int(number) if number.is_integer() else number for number in known.tolist()]
    return cells


def is_string_of(space: SearchSpace, cell: object) -> bool:
    """Whether a cell is text that names an architecture of the space."""
    try:
        if not isinstance(cell, str):
            return False
        return space.is_hash(cell) or read_string(space, cell) is not None
    except SuiteError:
        return False


def read_string(space: SearchSpace, cell: str) -> Any:
    """The architecture in a cell, as it stands or else without blanks, which some tables add.

    Also a vector written as text, such as ``(4, 0, 3)``.
    """
    try:
        return space.read(cell)
    except SuiteError as error:
        bare = "".join(cell.split())
        if not _VECTOR.fullmatch(bare) and bare == cell:
            raise
        try:
            vector = _VECTOR.fullmatch(bare) and space.choices
            return space.read(tuple(map(int, re.findall(r"\d+", bare))) if vector else bare)
        except SuiteError:
            raise error from None  # what is wrong with the cell as it stands


def _is_string_of_space(name: str, cell: object) -> bool:
    """As ``is_string_of``; of a space that cannot be made, which is another package's fault, no."""
    try:
        return is_string_of(load_space(name), cell)
    except SuiteError:
        return False


def no_architecture(
    path: Path, row: int, cell: object, space: SearchSpace, error: SuiteError
) -> SuiteError:
    """What is wrong with a cell, with the space that it is of where that is another."""
    others = [name for name in list_spaces() if name != space.name] if row == 0 else []
    fits = [name for name in others if _is_string_of_space(name, cell)]
    if not fits:
        from_one = isinstance(cell, int) and cell == getattr(space, "size", None)
        mend = " If the column counts from 1, subtract 1." if from_one else ""
        return SuiteError(f"{path}, row {row}: {error}{mend}")
    return SuiteError(
        f"{path} has architectures of space {fits[0]!r}, not of {space.name!r}, such as "
        f"{str(cell)[:80]!r}: say --space {fits[0]}{' (or ' if fits[1:] else ''}"
        f"{', '.join(fits[1:3])}{')' if fits[1:] else ''}."
    )
