"""``nasbench predict``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nasbench_suite.commands.options import Seeds
from reports.commands.options import Format, print_rows

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.benchmarks import Benchmark
    from nasbench_suite.prediction import Board


def predict(
    benchmark: Annotated[
        str, typer.Option(help="Names of benchmarks, or files; several as name,name.")
    ] = "digits",
    predictors: Annotated[
        str,
        typer.Option(
            help="Such as gp[encoding=path],random-forest; `nasbench list predictors` names them. "
            "Empty for proxies alone."
        ),
    ] = "gp,random-forest,weisfeiler-lehman",
    sizes: Annotated[str, typer.Option(help="Numbers of trained architectures.")] = "10,50,200",
    seeds: Seeds = "0-9",
    dataset: Annotated[
        str | None, typer.Option(help="Data sets; several as name,name. By default all.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="What is predicted; by default the final accuracy.")
    ] = None,
    learnt: Annotated[
        str | None, typer.Option(help="What predictors learn from; by default what is predicted.")
    ] = None,
    scores: Annotated[
        str | None,
        typer.Option(
            help="Scores of zero-cost proxies to judge beside: a file of `nasbench proxies "
            "compute`, or a benchmark whose metrics are proxies."
        ),
    ] = None,
    with_proxies: Annotated[
        bool, typer.Option("--with-proxies", help="Predictors learn from the scores as well.")
    ] = False,
    tested: Annotated[
        int, typer.Option(help="Architectures tested by each seed; 0 for all that are left.")
    ] = 1000,
    measure: Annotated[
        str,
        typer.Option(
            help="kendall, sparse_kendall, spearman, precision_10, precision_50, regret_1, "
            "regret_10."
        ),
    ] = "kendall",
    region: Annotated[
        str, typer.Option(help="all architectures tested, or the top tenth of them.")
    ] = "all",
    journal: Annotated[
        Path | None,
        typer.Option(help="Folder that keeps what is done; the same command goes on with it."),
    ] = None,
    jobs: Annotated[int, typer.Option(help="Processes; -1 for all cores.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV file with every entry.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw curves against the number trained here.")
    ] = None,
    heat_map: Annotated[Path | None, typer.Option(help="Draw proxies by data set here.")] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TERMINAL,
) -> None:
    """Judge predictors and zero-cost proxies: rank correlation, precision and regret, by size."""
    from nasbench_suite.benchmarks import load_benchmark
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import write_text
    from nasbench_suite.parsing import parse_methods, parse_numbers, parse_seeds, split_names
    from nasbench_suite.prediction import check_shown, make_board
    from nasbench_suite.prediction.scores import read_scores
    from reports.figures.prediction import write_curves, write_heat_map
    from reports.figures.style import check_figure_path
    from reports.tables import rendering as tables
    from reports.tables.prediction import prediction_sheet

    check_shown(measure, region)  # before anything is computed
    for path in filter(None, (figure, heat_map)):
        check_figure_path(path)
    if journal is not None and not journal.is_dir():
        raise SuiteError(f"There is no folder {str(journal)!r} for the journals: make it first.")
    made: dict[str, Board] = {}
    for name in split_names(benchmark):
        table = load_benchmark(name)
        found = read_scores(scores, table.space) if scores else {}
        for chosen in _datasets(table, dataset, metric):
            board = make_board(
                table,
                metric=metric,
                learnt=learnt,
                dataset=chosen,
                predictors=parse_methods(predictors) if predictors.strip() else (),
                sizes=parse_numbers(sizes),
                seeds=parse_seeds(seeds),
                tested=tested,
                scores=found,
                with_proxies=with_proxies,
            )
            made[f"{table.name}, {board.metric}"] = board
    check_shown(measure, region, [board.benchmark.metric(board.metric) for board in made.values()])
    boards = _judged(made, journal, jobs)
    rows = _joined(boards)
    if output is not None:
        write_text(output, tables.to_csv(rows))
    if figure is not None:
        write_curves(boards, measure, region, figure)
    if heat_map is not None:
        write_heat_map(boards, measure, region, heat_map)
    print_rows(rows, form, lambda: prediction_sheet(boards, measure, region))


def _judged(made: Mapping[str, Board], journal: Path | None, jobs: int) -> dict[str, pd.DataFrame]:
    """The rows of each board, by its title."""
    from nasbench_suite.commands.data import progress_bar
    from nasbench_suite.prediction import run_board

    boards = {}
    for title, board in made.items():
        path = None if journal is None else journal / f"{title.replace(', ', '-')}.jsonl"
        with progress_bar(title) as advance:
            boards[title] = run_board(board, path, jobs, advance)
    return boards


def _datasets(table: Benchmark, named: str | None, metric: str | None) -> list[str | None]:
    """The data sets to judge on; one that does not matter where the metric is named."""
    from nasbench_suite.errors import SuiteError, choose_from
    from nasbench_suite.parsing import split_names

    if metric is not None:
        return [None]
    if named is None:
        return list(table.datasets)
    for one in split_names(named):
        if one not in table.datasets:
            raise SuiteError(
                choose_from(f"data set of benchmark {table.name!r}", one, table.datasets)
            )
    return list(split_names(named))


def _joined(boards: dict[str, pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    parts = [rows.assign(board=title) for title, rows in boards.items()]
    joined = pd.concat(parts, ignore_index=True)
    return joined[["board", *(name for name in joined if name != "board")]]
