"""Tables of a part of a space: the pool of what is there, and what of a file is in a pool."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.benchmarks.importing.architecture_column import (
    ARCHITECTURE_COLUMNS,
    find_architecture_column,
)
from nasbench_suite.benchmarks.importing.cells import cells_of, no_architecture, read_string
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import FrameFile
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace, PoolSpace, SearchSpace

if TYPE_CHECKING:
    import pandas as pd


def listed_part(
    path: Path, file: FrameFile, space: SearchSpace, arch_column: str | None, partial: bool
) -> tuple[FrameFile, FiniteSpace, str | None]:
    """A table, the space that it has a row for each of, and its column of architectures.

    Of a sample, and of a space too large to list, that is the pool of what is there.
    """
    if isinstance(space, FiniteSpace) and not partial:
        return file, space, arch_column
    pool, file, column = _pool(path, file, space, arch_column)
    return file, pool, column


def _pool(
    path: Path, file: FrameFile, space: SearchSpace, arch_column: str | None
) -> tuple[PoolSpace, FrameFile, str]:
    """The architectures that a table has in the order of its rows, and the table of their strings.

    Returns:
        The pool, the table with the architectures as their space writes them, and their column.
    """
    column = find_architecture_column(path, file.frame, space, arch_column, in_index_order=False)
    assert column is not None
    keys, strings = _keys_and_strings(path, file.frame[column], space)
    found: dict[Hashable, str] = {}
    for key, string in zip(keys, strings, strict=True):
        found.setdefault(key, string)
    written = file.frame.assign(**{column: [found[key] for key in keys]})
    kept = list(found) if space.one_row_a_class else None
    return PoolSpace(space, list(found.values()), kept), replace(file, frame=written), column


def within(path: Path, file: FrameFile, pool: PoolSpace) -> FrameFile:
    """A table of the pool's whole space, or of any part of it, without what is not in the pool.

    Numbers are those of the whole space; a row of the pool has no number that others know.

    Raises:
        SuiteError: it has no architecture of the pool, or something else than architectures.
    """
    column = find_architecture_column(path, file.frame, pool.base, None, in_index_order=False)
    assert column is not None
    keys, strings = _keys_and_strings(path, file.frame[column], pool.base)
    inside = np.array([key in pool.index_of_key for key in keys])
    if not inside.any():
        raise SuiteError(
            f"{path} has none of the {pool.size:,} architectures of the benchmark, a part of "
            f"space {pool.base.name!r}: give figures of those."
        )
    kept = file.frame.loc[inside]
    others = [name for name in kept.columns if name.lower() in ARCHITECTURE_COLUMNS]
    frame = kept.drop(columns={column, *others})
    frame.insert(0, "arch_str", [s for s, known in zip(strings, inside, strict=True) if known])
    notes = list(file.notes)
    if not inside.all():
        notes.append(
            f"{path.name} has {counted(int((~inside).sum()), 'row')} of architectures that are not "
            f"in the benchmark: left out."
        )
    return replace(file, frame=frame.reset_index(drop=True), notes=notes)


def _keys_and_strings(
    path: Path, column: pd.Series[Any], space: SearchSpace
) -> tuple[list[Hashable], list[str]]:
    """What tells the architecture of each row from others, and how the space writes it."""
    cells = cells_of(column, space)
    by_hash = space.find_hashes({c for c in cells if isinstance(c, str) and space.is_hash(c)})
    keys, strings = [], []
    for row, given in enumerate(cells):
        try:
            if isinstance(given, str) and given in by_hash:
                value = by_hash[given]
            else:
                value = read_string(space, given) if isinstance(given, str) else space.read(given)
            keys.append(space.row_key(value))
        except SuiteError as error:
            raise no_architecture(path, row, given, space, error) from None
        strings.append(space.string(value))
    return keys, strings
