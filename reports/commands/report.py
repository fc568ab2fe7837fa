"""``nasbench report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    store: Annotated[Path, typer.Option(help="Results file, made by `nasbench run`.")] = Path(
        "results.sqlite"
    ),
    output: Annotated[Path, typer.Option("--output", "-o", help="The HTML page to write.")] = Path(
        "report.html"
    ),
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    benchmark: Annotated[str | None, typer.Option(help="This benchmark alone.")] = None,
    dataset: Annotated[str | None, typer.Option(help="This data set alone.")] = None,
    generative: Annotated[
        Path | None,
        typer.Option(help="Figures of generative models, from `vae compare --format json`."),
    ] = None,
) -> None:
    """Write one self-contained HTML page: leaderboard, curves, comparisons, provenance."""
    from reports.html.report import write_report

    write_report(
        store, output, title=title, benchmark=benchmark, dataset=dataset, generative=generative
    )
    typer.echo(output)
