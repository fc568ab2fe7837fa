"""Which column of a table names the architectures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nasbench_suite.benchmarks.columns import is_index
from nasbench_suite.benchmarks.importing.cells import is_string_of, numbers_of
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.frames import ARCHITECTURE
from nasbench_suite.spaces import FiniteSpace, SearchSpace

if TYPE_CHECKING:
    import pandas as pd

# Strings come first: they mean the same whatever order a source numbers its architectures in.
ARCHITECTURE_COLUMNS = (
    *("arch_str", ARCHITECTURE, "arch", "arch_string", "cell"),
    *("arch_index", "architecture_index", "arch_id", "index"),
)
_LOOKED_AT = 20  # rows


def find_architecture_column(
    path: Path, frame: pd.DataFrame, space: SearchSpace, wanted: str | None, in_index_order: bool
) -> str | None:
    """The column with architectures: as said, or by its name, or by its content.

    None if rows stand in index order.

    Raises:
        SuiteError: there is none.
    """
    columns = list(frame.columns)
    if wanted is not None:
        if wanted not in columns:
            raise SuiteError(choose_from(f"column of {path}", wanted, columns))
        return wanted
    if in_index_order:
        if len(frame) != space.size:
            raise SuiteError(
                f"{path} has {len(frame)} rows, but space {space.name!r} has {space.size} "
                f"architectures: rows in index order must be complete."
            )
        return None
    by_name = {column.lower(): column for column in columns}
    for name in ARCHITECTURE_COLUMNS:
        numbered = isinstance(space, FiniteSpace) or not is_index(name)
        if name in by_name and numbered:
            return by_name[name]
    for column in columns:
        if is_string_of(space, frame[column].iloc[0]):
            return column
    size = space.size if isinstance(space, FiniteSpace) else len(frame)
    if frame.shape[1] == 1 and numbers_of(frame[columns[0]]) is not None and len(frame) != size:
        raise SuiteError(
            f"{path} has {len(frame):,} figures and names no architectures, of which space "
            f"{space.name!r} has {size:,}: add a column of them, arch_str."
        )
    raise SuiteError(
        f"{path} has no architecture column among {', '.join(map(repr, columns[:5]))}: name it "
        f"arch_str or arch_index, say which it is with --arch COLUMN, or that rows stand in index "
        f"order with --in-order."
    )


def is_bare(frame: pd.DataFrame, space: SearchSpace) -> bool:
    """Whether a table of costs has figures alone, one for each architecture in order."""
    if not isinstance(space, FiniteSpace) or len(frame) != space.size:
        return False
    named = any(
        name.lower() in ARCHITECTURE_COLUMNS
        or is_index(name)
        or is_string_of(space, frame[name].iloc[0])
        for name in frame.columns
    )
    return not named and all(numbers_of(frame[name]) is not None for name in frame.columns)


def in_order_hint(path: Path) -> str:
    """What is told of a table that ``is_bare``."""
    return f"{path.name} names no architectures: its rows are taken to stand in index order."


def other_names(path: Path, frame: pd.DataFrame, column: str, space: SearchSpace) -> list[str]:
    """A hint where another column names other architectures than the one that is taken."""
    first, space = frame.head(_LOOKED_AT), getattr(space, "base", space)
    for other in frame.columns.drop(column):
        both = first[[column, other]].dropna()
        if len(both) and all(is_string_of(space, cell) for cell in [*both[other], *both[column]]):
            pairs = zip(both[column].tolist(), both[other], strict=True)
            if any(space.read(one) != space.read(two) for one, two in pairs):
                return [
                    f"{path.name}: columns {column} and {other} name different architectures; "
                    f"{column} is taken: say another with --arch."
                ]
    return []
