"""``nasbench robustness`` and ``nasbench sensitivity``."""

from __future__ import annotations

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

_Tail = Annotated[float, typer.Option(help="Share of the seeds that the CVaR averages.")]
_Confidence = Annotated[float, typer.Option(help="Of the bootstrap intervals.")]


def robustness(
    file: File = None,
    store: Store = DEFAULT_STORE,
    form: Form = Format.TERMINAL,
    benchmark: OneBenchmark = None,
    dataset: OneDataset = None,
    methods: Chosen = None,
    order: Order = None,
    labels: LabelsFile = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Collapsed is what ends worse; by default the median of the space."),
    ] = None,
    tail: _Tail = 0.2,
    confidence: _Confidence = 0.95,
) -> None:
    """Show spread, worst case, tail and collapse over seeds, and what the search logged inside."""
    from nasbench_suite.analysis.robustness import results_robustness
    from reports.labels import in_order
    from reports.tables.robustness import robustness_sheet

    results = read(
        file or store,
        form=form,
        benchmark=benchmark,
        dataset=dataset,
        methods=methods,
        order=order,
        labels=labels,
    )
    rows = results_robustness(results, threshold=threshold, tail=tail, confidence=confidence)
    rows = in_order(rows, results)
    print_rows(
        rows, form, lambda: robustness_sheet(rows, confidence=confidence, tail=tail), results
    )


def sensitivity(
    method: Annotated[str, typer.Argument(help="Name of a method.")],
    parameter: Annotated[str, typer.Argument(help="One of its hyper-parameters.")],
    store: Store = DEFAULT_STORE,
    form: Form = Format.TERMINAL,
    benchmark: OneBenchmark = None,
    dataset: OneDataset = None,
    tail: _Tail = 0.2,
    confidence: _Confidence = 0.95,
) -> None:
    """Show how a method's results depend on one hyper-parameter, all else equal."""
    from nasbench_suite.analysis.robustness import sensitivity as make_rows
    from reports.tables.robustness import sensitivity_sheet

    rows = make_rows(
        store,
        method,
        parameter,
        benchmark=benchmark,
        dataset=dataset,
        tail=tail,
        confidence=confidence,
    )
    print_rows(rows, form, lambda: sensitivity_sheet(rows, method, parameter))
