"""Rows of text on a terminal, every one whole."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import typer

from nasbench_suite.errors import printable

if TYPE_CHECKING:
    import pandas as pd

MARK = "!"  # beside the name of what cannot be used here
_GAP = "  "
_PIPED = 200  # columns, where the output is no terminal and has no width
_LEAST = 24  # columns of the last cell that are still pleasant to read
_NUMBER = re.compile(r"[-+~≈]?\d|-?$|unknown$")  # how cells begin that stand at the right


def print_rows(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings, each column as wide as its longest cell.

    The last column takes what is left and goes on below itself; where next to nothing is left it
    stands under its row.
    """
    width = terminal_width()
    widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)][:-1]
    taken = sum(widths) + len(_GAP) * len(widths)
    beside = width - taken >= _LEAST
    indent = " " * (taken if beside else 2 * len(_GAP))

    def line(cells: Sequence[str]) -> str:
        before = _GAP.join(cell.ljust(n) for cell, n in zip(cells, widths, strict=False))
        last = _wrapped(cells[-1], max(width - len(indent), 1))
        if beside:
            return (before + _GAP + f"\n{indent}".join(last)).rstrip()
        return "\n".join([before.rstrip(), *(indent + part for part in last)])

    typer.echo(line(heads))
    typer.echo("-" * min(width, max(len(part) for part in line(heads).splitlines())))
    for cells in rows:
        typer.echo(line(cells))


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, names: int = 1) -> None:
    """Print a table under headings, no cell cut, whatever the width of the terminal.

    Columns that do not fit stand in a further block below, which begins with the names of the rows
    again. A cell wider than the room beside the names goes on below itself, broken at spaces alone.
    Columns of numbers are aligned at the right.

    Args:
        heads: of the columns.
        rows: a cell a column.
        names: how many columns, from the first, name a row.
    """
    typer.echo(table_text(heads, rows, names=names))


def print_frame(frame: pd.DataFrame) -> None:
    """Print a frame as ``print_table``: its index, where it has a name, and figures to 3 digits."""
    names = len([name for name in frame.index.names if name is not None])
    whole = frame.reset_index() if names else frame
    heads = [" ".join(map(str, c)).strip() if isinstance(c, tuple) else str(c) for c in whole]
    rows = [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
        for row in whole.itertuples(index=False)
    ]
    print_table(heads, rows, names=max(names, 1))


def table_text(heads: Sequence[str], rows: Sequence[Sequence[str]], *, names: int = 1) -> str:
    """What ``print_table`` prints, to stand among other lines."""
    return "\n".join(table_lines(heads, rows, terminal_width(), names))


def table_lines(
    heads: Sequence[str], rows: Sequence[Sequence[str]], width: int, names: int = 1
) -> Iterator[str]:
    """The lines of ``print_table`` on a terminal of so many columns."""
    columns = [[printable(str(cell)) for cell in cells] for cells in zip(heads, *rows, strict=True)]
    taken = sum(max(map(len, cells)) + len(_GAP) for cells in columns[:names])
    room = max(width - taken, _LEAST)
    broken = [[[cell] for cell in cells] for cells in columns[:names]]
    broken += [[_wrapped(cell, room) for cell in cells] for cells in columns[names:]]
    widths = [max(len(part) for cell in cells for part in cell) for cells in broken]
    right = [all(map(_NUMBER.match, cells[1:])) and len(cells) > 1 for cells in columns]
    blocks: list[list[int]] = [[]]
    left = room
    for number in range(names, len(columns)):
        if blocks[-1] and widths[number] > left:
            blocks.append([])
            left = room
        blocks[-1].append(number)
        left -= widths[number] + len(_GAP)
    for place, block in enumerate(blocks):
        if place:
            yield ""
        shown = [*range(names), *block]
        for row in range(len(columns[0])):
            cells = [broken[number][row] for number in shown]
            for depth in range(max(map(len, cells))):
                parts = [cell[depth] if depth < len(cell) else "" for cell in cells]
                yield _GAP.join(
                    part.rjust(widths[number]) if right[number] else part.ljust(widths[number])
                    for part, number in zip(parts, shown, strict=True)
                ).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    """Text in lines of so many characters, no word broken."""
    import textwrap

    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


def print_lacks(lacks: Sequence[str]) -> None:
    """Say once of each reason why rows are marked; ``MARK`` stands beside the names of those."""
    for lack in dict.fromkeys(filter(None, lacks)):
        print_lines(f"{MARK} {lack}")


def print_lines(*parts: str) -> None:
    """Print sentences, broken at spaces where a terminal ends, and tables as they are."""
    import sys

    width = terminal_width() if sys.stdout.isatty() else None
    for part in (printable(part, len(part)) for part in parts):
        if width is None or len(part) <= width or "\n" in part:
            typer.echo(part)
        else:
            typer.echo("\n".join(_wrapped(part, width)))


def file_size(count: int) -> str:
    """A number of bytes as people read it.

    >>> file_size(38_217), file_size(1_530_000), file_size(12)
    ('38 kB', '1.5 MB', '12 bytes')
    """
    if count < 1000:
        return f"{count} bytes"
    return f"{count / 1e3:,.0f} kB" if count < 1e6 else f"{count / 1e6:,.1f} MB"


def terminal_width() -> int:
    """Columns of the terminal, or many where the output is none."""
    import os
    import shutil
    import sys

    terminal = sys.stdout.isatty() or "COLUMNS" in os.environ
    return shutil.get_terminal_size().columns if terminal else _PIPED
