"""Tables of a part of a space: the pool of what is there, and what of a file is in a pool."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.benchmarks.columns import infer_facts
from nasbench_suite.benchmarks.importing.architecture_column import (
    ARCHITECTURE_COLUMNS,
    find_architecture_column,
)
from nasbench_suite.benchmarks.importing.architectures import (
    alters_nothing,
    names_by_strings,
    read_architectures,
)
from nasbench_suite.benchmarks.importing.cells import (
    Numbers,
    cells_of,
    no_architecture,
    numbers_of,
    read_string,
)
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import FrameFile
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace, PoolSpace, SearchSpace

if TYPE_CHECKING:
    import pandas as pd


def listed_part(
    path: Path,
    file: FrameFile,
    space: SearchSpace,
    arch_column: str | None,
    *,
    partial: bool,
    encoding: str | None = None,
    force: bool = False,
) -> tuple[FrameFile, FiniteSpace, str | None]:
    """A table, the space that it has a row for each of, and its column of architectures.

    Of a sample, and of a space too large to list, that is the pool of what is there, in the order
    of its rows, and the table has its architectures as their space writes them.
    """
    if isinstance(space, FiniteSpace) and not partial:
        return file, space, arch_column
    column = find_architecture_column(path, file.frame, space, arch_column, in_index_order=False)
    assert column is not None
    keys, strings, notes = _keys_and_strings(path, file.frame, column, space, encoding, force)
    found: dict[Hashable, str] = {}
    for key, string in zip(keys, strings, strict=True):
        found.setdefault(key, string)
    written = file.frame.assign(**{column: [found[key] for key in keys]})
    kept = list(found) if space.one_row_a_class else None
    pool = PoolSpace(space, list(found.values()), kept)
    return replace(file, frame=written, notes=[*file.notes, *notes]), pool, column


def within(
    path: Path,
    file: FrameFile,
    pool: PoolSpace,
    encoding: str | None = None,
    *,
    force: bool = False,
) -> FrameFile:
    """A table of the pool's whole space, or of any part of it, without what is not in the pool.

    Numbers and vectors are those of the whole space, in an encoding of it; a row of the pool has no
    number that others know.

    Raises:
        SuiteError: it has no architecture of the pool, or something else than architectures.
    """
    column = find_architecture_column(path, file.frame, pool.base, None, in_index_order=False)
    assert column is not None
    keys, strings, told = _keys_and_strings(path, file.frame, column, pool.base, encoding, force)
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
    notes = [*file.notes, *told]
    if not inside.all():
        notes.append(
            f"{path.name} has {counted(int((~inside).sum()), 'row')} of architectures that are not "
            f"in the benchmark: left out."
        )
    return replace(file, frame=frame.reset_index(drop=True), notes=notes)


def _keys_and_strings(
    path: Path,
    frame: pd.DataFrame,
    column: str,
    space: SearchSpace,
    encoding: str | None,
    force: bool,
) -> tuple[list[Hashable], list[str], list[str]]:
    """What tells the architecture of each row from others, how the space writes it, and hints."""
    told: list[str] = []
    if isinstance(space, FiniteSpace):
        if not names_by_strings(frame, column, space):
            judged = _as_they_are_named(frame, column)
            rows = read_architectures(
                path, frame, column, space, judged, encoding=encoding, force=force
            )
            indices = rows.indices.tolist()
            keys: list[Hashable] = [space.row_key(index) for index in indices]
            return keys, [space.string(index) for index in indices], [*rows.hints, *rows.warnings]
        told = alters_nothing(path, space, encoding)
    elif encoding is not None:
        raise SuiteError(
            f"Space {space.name!r} writes its architectures in one way alone: leave --encoding out."
        )
    cells = cells_of(frame[column], space)
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
    return keys, strings, told


def _as_they_are_named(frame: pd.DataFrame, column: str) -> dict[str, tuple[str, Numbers]]:
    """Quantity and figures of the columns whose names say what they are."""
    figures: dict[str, tuple[str, Numbers]] = {}
    for name in frame.columns.drop(column):
        quantity, numbers = infer_facts(name).get("quantity"), numbers_of(frame[name])
        if quantity is not None and numbers is not None:
            figures[name] = quantity, numbers
    return figures
