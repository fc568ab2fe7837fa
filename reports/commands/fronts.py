"""``nasbench fronts``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from reports.commands.options import (
    DEFAULT_STORE,
    Chosen,
    File,
    Form,
    Format,
    LabelsFile,
    OneBenchmark,
    OneDataset,
    Order,
    Store,
    print_rows,
    read,
)


def fronts(
    file: File = None,
    store: Store = DEFAULT_STORE,
    form: Form = Format.TERMINAL,
    benchmark: OneBenchmark = None,
    dataset: OneDataset = None,
    methods: Chosen = None,
    order: Order = None,
    labels: LabelsFile = None,
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
    chosen = partial(
        read,
        file or store,
        benchmark=benchmark,
        dataset=dataset,
        methods=methods,
        order=order,
        labels=labels,
    )
    results = chosen(form=form)
    rows = in_order(results_indicators(results), results)
    if figure is not None:
        write_paper_figure(chosen(), "attainment", figure, venue="screen")
        typer.echo(f"The median attainment surfaces are in {figure}.", err=True)
    print_rows(rows, form, lambda: fronts_sheet(results, rows), results)
