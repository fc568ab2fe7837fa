"""``nasbench robustness`` and ``nasbench sensitivity``."""

from __future__ import annotations

from typing import Annotated

import typer

from nasbench_suite.commands.options import DEFAULT_STORE, Store, choosing
from reports.commands.options import (
    File,
    Form,
    Format,
    Selection,
    ShownTasks,
    print_rows,
    results_file,
    tell_same,
)

_Tail = Annotated[float, typer.Option(help="Share of the seeds that the CVaR averages.")]
_Confidence = Annotated[float, typer.Option(help="Of the bootstrap intervals.")]


@choosing
def robustness(
    file: File = None,
    store: Store = DEFAULT_STORE,
    form: Form = Format.TERMINAL,
    *,
    chosen: Selection,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Collapsed is what ends worse; by default the median of the space, or of random "
            "search on a task of several objectives or without its table."
        ),
    ] = None,
    tail: _Tail = 0.2,
    confidence: _Confidence = 0.95,
) -> None:
    """Show spread, worst case, tail and collapse over seeds, and what the search logged inside."""
    from nasbench_suite.analysis.robustness import results_robustness
    from reports.labels import in_order
    from reports.tables.robustness import robustness_sheet

    results = chosen.read(results_file(file, store), form)
    tell_same(results)
    rows = results_robustness(results, threshold=threshold, tail=tail, confidence=confidence)
    rows = in_order(rows, results)
    print_rows(
        rows, form, lambda: robustness_sheet(rows, confidence=confidence, tail=tail), results
    )


@choosing
def sensitivity(
    method: Annotated[str, typer.Argument(help="Name of a method.")],
    parameter: Annotated[str, typer.Argument(help="One of its hyper-parameters.")],
    store: Store = DEFAULT_STORE,
    form: Form = Format.TERMINAL,
    *,
    chosen: ShownTasks,
    tail: _Tail = 0.2,
    confidence: _Confidence = 0.95,
) -> None:
    """Show how a method's results depend on one hyper-parameter, all else equal."""
    from nasbench_suite.analysis.results import only
    from nasbench_suite.analysis.robustness import results_sensitivity
    from reports.tables.robustness import sensitivity_sheet

    results = chosen.read(store, form)
    named = [results.named.get(row.key) for row in results.store.methods() if row.name == method]
    tell_same(only(results, [*filter(None, named)]))
    rows = results_sensitivity(results, method, parameter, tail=tail, confidence=confidence)
    print_rows(
        rows,
        form,
        lambda: sensitivity_sheet(rows, method, parameter, confidence=confidence, tail=tail),
    )
