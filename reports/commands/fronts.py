"""``nasbench fronts``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.commands.options import (
    DEFAULT_STORE,
    File,
    Form,
    Format,
    OneBenchmark,
    OneDataset,
    Store,
    print_report,
)


def fronts(
    file: File = None,
    store: Store = DEFAULT_STORE,
    form: Form = Format.TERMINAL,
    benchmark: OneBenchmark = None,
    dataset: OneDataset = None,
    figure: Annotated[
        Path | None,
        typer.Option(help="Draw median attainment surfaces here (.pdf, .png or .svg)."),
    ] = None,
) -> None:
    """Compare Pareto fronts: hypervolume, IGD+, epsilon, R2, coverage, constrained regret."""
    from nasbench_suite.analysis.fronts import results_indicators
    from nasbench_suite.analysis.results import read_results
    from reports.figures.panels import write_panels
    from reports.figures.style import check_figure_path
    from reports.tables import rendering as tables
    from reports.tables.fronts import fronts_report

    if figure is not None:
        check_figure_path(figure)
    results = read_results(file or store, benchmark=benchmark, dataset=dataset)
    rows = results_indicators(results)
    if figure is not None:
        names = [results.names[key] for key in dict.fromkeys(rows["task_key"])]
        write_panels(results, "attainment", names, figure)
        typer.echo(f"The median attainment surfaces are in {figure}.", err=True)
    if form is Format.CSV:
        typer.echo(tables.to_csv(rows), nl=False)
    elif form is Format.JSON:
        typer.echo(tables.records_json(rows), nl=False)
    else:
        print_report(fronts_report(results, rows), form)
