"""From files to tables that have a row an architecture, and from these to columns of numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_suite.benchmarks.columns import COSTS_KEY, MetadataFile
from nasbench_suite.benchmarks.importing.cells import Numbers, is_string_of, numbers_of
from nasbench_suite.benchmarks.importing.samples import within
from nasbench_suite.benchmarks.structures import hw_nas_bench_facts, spelled
from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.files.frames import ARCHITECTURE, FrameFile, read_frame
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import PoolSpace, SearchSpace

if TYPE_CHECKING:
    import pandas as pd

HELP_SUFFIX = ".pt"


def tables_in(path: Path) -> list[Path]:
    """The files meant by a path: of a folder of HELP's its ``device.pt``, a device each."""
    return sorted(path.glob(f"*{HELP_SUFFIX}")) or [path]


def read_spelled(
    path: Path, space: SearchSpace, encoding: str | None = None, *, force: bool = False
) -> FrameFile:
    """The table in a file, with architectures that it keeps as structures written as strings.

    For the pool of a partial table its rows that are in the pool, as strings; numbers and vectors
    are read in the encoding.

    Raises:
        SuiteError: see ``read_frame``, ``spelled`` and ``within``.
    """
    file = read_frame(path)
    base = space.base if isinstance(space, PoolSpace) else space
    frame, notes = spelled(*_upright(path, file.frame, base))
    spelt = replace(file, frame=frame, notes=[*file.notes, *notes])
    if not isinstance(space, PoolSpace):
        return spelt
    return within(path, spelt, space, encoding, force=force)


def _upright(
    path: Path, frame: pd.DataFrame, space: SearchSpace
) -> tuple[pd.DataFrame, SearchSpace]:
    """A table with a row an architecture, also where it has a column an architecture."""
    if len(frame) >= frame.shape[1] or not is_string_of(space, frame.columns[-1]):
        return frame, space
    names = [name for name in frame.columns if not is_string_of(space, name)]
    if len(names) > 1:
        raise SuiteError(
            f"{path} has a column for each architecture and {len(names)} others "
            f"({', '.join(names[:3])}): leave one, with the names of the figures."
        )
    labelled = frame.set_index(names[0]) if names else frame
    turned = labelled.T.rename_axis(ARCHITECTURE).rename(columns=str).reset_index()
    return turned.rename_axis(columns=None), space


def described_costs(path: Path, file: FrameFile) -> MetadataFile:
    """What a table of costs of ours says of its columns, and what is known of HW-NAS-Bench's.

    Empty for any other table.

    Raises:
        SuiteError: what it says is damaged.
    """
    if COSTS_KEY not in file.metadata:
        return MetadataFile.model_validate({"metrics": hw_nas_bench_facts(file.frame.columns)})
    with refused(f"{path} has damaged metadata ({{reason}}): get it again.", ValueError, TypeError):
        said = json.loads(file.metadata[COSTS_KEY])
        kept = {"metrics": said.get("metrics", {}), "about": said.get("about") or {}}
        return MetadataFile.model_validate(kept)


def read_figures(
    frame: pd.DataFrame, architectures: str | None
) -> tuple[dict[str, Numbers], dict[str, str]]:
    """The columns of numbers, and why the others are left out."""
    figures: dict[str, Numbers] = {}
    left_out: dict[str, str] = {}
    for column in frame.columns.drop([architectures] if architectures else []):
        numbers = numbers_of(frame[column])
        if numbers is None:
            left_out[column] = "no numbers" + _first_texts(frame[column])
        else:
            figures[column] = numbers
    return figures, left_out


def _first_texts(column: pd.Series[Any]) -> str:
    """What is no number in a column, for a sentence: a cell, or words that stand for no figure."""
    import pandas as pd

    if not pd.api.types.is_string_dtype(column) and not pd.api.types.is_object_dtype(column):
        return ""
    wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
    if not wrong.any():
        return ""
    said = f", such as {str(column[wrong].iloc[0])[:40]!r}"
    if 2 * wrong.sum() < len(column):
        said += (
            f", in {counted(int(wrong.sum()), 'cell')}; where there is no figure leave them empty "
            f"and say why with --missing"
        )
    elif any(letter.isdigit() for letter in said):
        said += "; write plain ones, with a decimal point and without marks at thousands"
    return said


def in_brackets(left_out: Mapping[str, str]) -> str:
    """The first columns that were left out and why, for a sentence; nothing if there are none."""
    why = "; ".join(f"{column}: {reason}" for column, reason in list(left_out.items())[:3])
    return f" ({why})" if why else ""
