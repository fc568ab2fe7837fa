"""``nasbench export``: trials, evaluations or fronts as a table for other tools."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from nasbench_suite.commands.options import DEFAULT_STORE, Store, Trials, choosing


class What(StrEnum):
    """What a row is."""

    TRIALS = "trials"
    EVALUATIONS = "evaluations"
    FRONTS = "fronts"


@choosing
def export(
    output: Annotated[Path, typer.Argument(help="The file to write, ending in .csv or .parquet.")],
    store: Store = DEFAULT_STORE,
    what: Annotated[
        What,
        typer.Option(
            help="A row a trial; an evaluation of every trial; or a point of its last front, for "
            "each of several objectives."
        ),
    ] = What.TRIALS,
    *,
    chosen: Trials,
) -> None:
    """Write trials, evaluations or fronts as CSV or Parquet.

    Of a trial, architecture is what it returned (its index in the space), signal what the search
    saw of it, and report what it is judged by. A search for several objectives returns a front:
    report is its normalised hypervolume, architecture the last that entered it, and signal that
    one's first objective. Of an evaluation, signal, signal_2 and so on are the objectives in turn.
    """
    from nasbench_suite.analysis.evaluations import results_evaluations
    from nasbench_suite.analysis.fronts import front_points
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import replacing
    from nasbench_suite.files.cells import guard_cells
    from nasbench_suite.parsing import counted

    if output.suffix not in (".csv", ".parquet"):
        raise SuiteError(f"{output} is no table: end its name in .csv or .parquet.")
    results = chosen.read(store)
    if what is What.EVALUATIONS:
        frame = results_evaluations(results)
    elif what is What.FRONTS:
        frame = front_points(results)
    else:
        frame = results.trials.assign(task=results.trials["task_key"].map(results.names))
    with replacing(output) as partial, partial.open("wb") as file:
        if output.suffix == ".csv":
            guard_cells(frame).to_csv(file, index=False, lineterminator="\n")
        else:
            # Indices and strings of open benchmarks may stand in one column: text takes both.
            mixed = [name for name in frame if frame[name].dtype.kind == "O"]
            frame.astype(dict.fromkeys(mixed, "string")).to_parquet(file, index=False)
    rows = "row" if what is What.FRONTS else str(what.value).removesuffix("s")
    typer.echo(f"{output}: {counted(len(frame), rows)}")
