"""``nasbench fronts``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nasbench_suite.commands.options import DEFAULT_STORE, Store, choosing
from reports.commands.options import (
    File,
    Form,
    Format,
    Selection,
    print_rows,
    results_file,
    tell_same,
)


@choosing
def fronts(
    file: File = None,
    store: Store = DEFAULT_STORE,
    form: Form = Format.TERMINAL,
    *,
    chosen: Selection,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw median attainment surfaces here (.pdf, .png or .svg)."),
    ] = None,
) -> None:
    """Compare Pareto fronts: hypervolume, IGD+, epsilon, R2, coverage, constrained regret."""
    from nasbench_suite.analysis.fronts import results_indicators
    from reports.figures.gallery import write_paper_figure
    from reports.figures.style import check_figure_path
    from reports.labels import in_order
    from reports.tables.fronts import fronts_sheet

    if figure is not None:
        check_figure_path(figure)
    path = results_file(file, store)
    results = chosen.read(path, form)
    tell_same(results)
    rows = in_order(results_indicators(results), results)
    if figure is not None:
        write_paper_figure(chosen.read(path), "attainment", figure, venue="screen")
        typer.echo(f"The median attainment surfaces are in {figure}.", err=True)
    print_rows(rows, form, lambda: fronts_sheet(results, rows), results)
