"""``nasbench report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_suite.commands.options import DEFAULT_STORE, Store, choosing
from reports.commands.options import File, Selection, results_file, tell_same


@choosing
def report(
    file: File = None,
    store: Store = DEFAULT_STORE,
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML page to write.")] = Path(
        "report.html"
    ),
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    *,
    chosen: Selection,
    generative: Annotated[
        Path | None,
        typer.Option(help="Figures of generative models, from `vae compare --format json`."),
    ] = None,
) -> None:
    """Write one self-contained HTML page: leaderboard, curves, comparisons, provenance."""
    from reports.html.report import write_report

    path = results_file(file, store)
    tell_same(chosen.read(path))
    write_report(path, output, title=title, generative=generative, **chosen.settings())
    typer.echo(output)
