"""Rows of text on a terminal, every one whole."""

from __future__ import annotations

from collections.abc import Sequence

import typer

_GAP = "  "
_PIPED = 200  # columns, where the output is no terminal and has no width
_LEAST = 24  # columns of the last cell that are still pleasant to read


def print_rows(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings, each column as wide as its longest cell.

    The last column takes what is left and goes on below itself; where next to nothing is left it
    stands under its row.
    """
    import os
    import shutil
    import sys
    import textwrap

    terminal = sys.stdout.isatty() or "COLUMNS" in os.environ
    width = shutil.get_terminal_size().columns if terminal else _PIPED
    widths = [max(map(len, cells)) for cells in zip(heads, *rows, strict=True)][:-1]
    taken = sum(widths) + len(_GAP) * len(widths)
    beside = width - taken >= _LEAST
    indent = " " * (taken if beside else 2 * len(_GAP))

    def line(cells: Sequence[str]) -> str:
        before = _GAP.join(cell.ljust(n) for cell, n in zip(cells, widths, strict=False))
        last = textwrap.wrap(
            cells[-1],
            max(width - len(indent), 1),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
        if beside:
            return (before + _GAP + f"\n{indent}".join(last)).rstrip()
        return "\n".join([before.rstrip(), *(indent + part for part in last)])

    typer.echo(line(heads))
    typer.echo("-" * min(width, max(len(part) for part in line(heads).splitlines())))
    for cells in rows:
        typer.echo(line(cells))
