"""Cells of tables that other programs open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasbench_suite.errors import printable

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def guard_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with text that nothing runs: in a spreadsheet, in a terminal that shows the file.

    An apostrophe stands before what a spreadsheet would run as a formula, and what hides or steers
    is escaped, see ``errors.printable``.
    """
    guarded = frame.rename(columns=_guarded)
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if column.dtype == object or str(column.dtype).startswith("str"):
            guarded.isetitem(position, column.map(_guarded, na_action="ignore").array)
    return guarded


def _guarded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    shown = printable(value, len(value))
    return f"'{shown}" if value.startswith(_FORMULA) else shown
