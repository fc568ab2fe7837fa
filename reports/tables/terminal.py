"""Tables of text for a terminal: every cell whole, whatever the width.

Every column has the width of its longest cell. Columns that do not fit stand in a further block
below, which repeats what names the rows; names that leave no room beside them stand on a line of
their own, above their figures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reports.tables.rendering import LEFT_ALIGNED, Sheet, Table
from reports.tables.text import AT_OPTIMUM, EQUIVALENT

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

_NAMES = ("method", "against")  # columns that name a row
_GAP = "  "
_BEST = ">"  # before what is bold, where nothing can be
_BOLD = re.compile(r"\b[Bb]old(?=:| where)")  # as legends and notes say what it means
_PLAIN = str.maketrans({EQUIVALENT: "~", AT_OPTIMUM: "*", "†": "+", "±": "+", "λ": "l", "τ": "t"})


def to_terminal(
    sheet: Sheet, encoding: str = "utf-8", width: int = 100, bold: bool = True
) -> list[RenderableType]:
    """For ``rich``; names are never read as its markup.

    Args:
        sheet: the tables.
        encoding: of the terminal; where it is not a Unicode one, marks are plain characters.
        width: of the terminal, in columns.
        bold: whether it shows type in bold; where it does not, as in a file, a mark stands before
            those rows.
    """
    from rich.text import Text

    readable = encoding.lower().startswith("utf")

    def text(content: str, style: str = "") -> Text:
        return Text(content if readable else content.translate(_PLAIN), style)

    def said(line: str) -> str:
        return line if bold else _BOLD.sub(_BEST, line)

    parts: list[RenderableType] = []
    for table in sheet.tables:
        parts += [text(table.title, "bold"), text(table.subtitle, "dim")]
        before = _GAP if any(table.best) and not bold else ""
        room = width - len(before)
        for block in _blocks(table, room):
            parts += [text("")]
            for line, style in _lines(table, block, room, "─" if readable else "-"):
                mark = _BEST if style == "bold" else ""
                whole = text(f"{mark:{len(before)}}{line}" if before else line, style)
                whole.no_wrap, whole.overflow = True, "ignore"
                parts.append(whole)
        parts.append(text(""))
        parts += [text(said(note), "yellow") for note in table.notes]
        if table.notes:
            parts.append(text(""))
    return [*parts, *(text(said(line), "dim") for line in sheet.legend)]


def _blocks(table: Table, width: int) -> list[list[int]]:
    """The numbers of the columns in each block, those that name the rows left out."""
    names = _name_columns(table)
    widths = _widths(table)
    taken = sum(widths[column] + len(_GAP) for column in names)
    units: list[list[int]] = []  # a column and the marks on its right, which stay beside it
    for column in range(len(table.columns)):
        if column in names:
            continue
        if table.columns[column] == "" and units:
            units[-1].append(column)
        else:
            units.append([column])
    if _names_alone(table, width):
        taken = len(_GAP)
    blocks: list[list[int]] = [[]]
    room = width - taken
    for unit in units:
        needed = sum(widths[column] + len(_GAP) for column in unit)
        if blocks[-1] and needed - len(_GAP) > room:
            blocks.append([])
            room = width - taken
        blocks[-1] += unit
        room -= needed
    return blocks


def _lines(table: Table, block: Sequence[int], width: int, rule: str) -> Iterator[tuple[str, str]]:
    """The lines of a block with their styles."""
    names = _name_columns(table)
    widths = _widths(table)
    alone = _names_alone(table, width)
    shown = [*([] if alone else names), *block]

    def line(cells: Sequence[str]) -> str:
        parts = [_aligned(cells[c], widths[c], table.columns[c]) for c in shown]
        return (_GAP.join(parts) if not alone else _GAP + _GAP.join(parts)).rstrip()

    if alone:
        yield _GAP.join(table.columns[c] for c in names), ""
    above, below = zip(*map(_heading, _columns_cells(table)), strict=True)
    if any(above[c] for c in shown):
        yield line(above), ""
    yield line(below), ""
    yield (_GAP if alone else "") + _GAP.join(rule * widths[c] for c in shown), "dim"
    for cells, best in zip(table.rows, table.best, strict=True):
        if alone:
            yield _GAP.join(cells[c] for c in names), "bold" if best else ""
        yield line(cells), "bold" if best else ""


def _name_columns(table: Table) -> list[int]:
    """The columns that name a row: all up to the last name, or the first alone."""
    named = [number for number, name in enumerate(table.columns) if name in _NAMES]
    return list(range(named[-1] + 1)) if named else [0]


def _names_alone(table: Table, width: int) -> bool:
    """Whether names leave no room for the widest column beside them."""
    names, widths = _name_columns(table), _widths(table)
    others = [w for number, w in enumerate(widths) if number not in names]
    taken = sum(widths[number] + len(_GAP) for number in names)
    return taken + max(others, default=0) > width


def _columns_cells(table: Table) -> list[list[str]]:
    return [
        [name, *(row[number] for row in table.rows)] for number, name in enumerate(table.columns)
    ]


def _widths(table: Table) -> list[int]:
    from rich.cells import cell_len

    return [max(map(cell_len, [*_heading(cells), *cells[1:]])) for cells in _columns_cells(table)]


def _heading(cells: Sequence[str]) -> tuple[str, str]:
    """A heading on two lines: two where it is of several words and wider than what is below."""
    from rich.cells import cell_len

    name, *below = cells
    if " " in name and cell_len(name) > max(map(cell_len, below), default=0):
        first, _, last = name.rpartition(" ")
        return first, last
    return "", name


def _aligned(cell: str, width: int, column: str) -> str:
    from rich.cells import cell_len

    space = " " * (width - cell_len(cell))
    return cell + space if column in LEFT_ALIGNED else space + cell


__all__ = ["to_terminal"]
