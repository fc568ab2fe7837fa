"""``nasbench predict``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_suite.commands.options import Seeds
from reports.commands.options import Format, print_rows

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.benchmarks import Benchmark
    from nasbench_suite.prediction import Board

_LOST = "nothing is kept: with --journal FOLDER what is finished is, and the same command goes on"


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
    from nasbench_suite.files.atomic import write_text
    from nasbench_suite.parsing import parse_numbers
    from nasbench_suite.prediction import check_shown
    from reports.figures.prediction import write_curves, write_heat_map
    from reports.tables import rendering as tables
    from reports.tables.prediction import prediction_sheet

    check_shown(measure, region)
    names = _named(benchmark, "benchmark", "digits")
    _check_files(names, scores, output, figure, heat_map, journal)
    made = _boards(
        names,
        dataset,
        scores,
        metric=metric,
        learnt=learnt,
        predictors=predictors,
        sizes=parse_numbers(sizes) if predictors.strip() else (),
        seeds=seeds,
        tested=tested,
        with_proxies=with_proxies,
    )
    check_shown(measure, region, [board.benchmark.metric(board.metric) for board in made.values()])
    boards = _judged(made, journal, jobs)
    rows = _joined(boards)
    if output is not None:
        write_text(output, tables.to_csv(rows))
    print_rows(rows, form, lambda: prediction_sheet(boards, measure, region))
    if figure is not None:
        write_curves(boards, measure, region, figure)
    if heat_map is not None:
        write_heat_map(boards, measure, region, heat_map)


def _check_files(
    benchmarks: list[str],
    scores: str | None,
    output: Path | None,
    figure: Path | None,
    heat_map: Path | None,
    journal: Path | None,
) -> None:
    """See, before anything is computed, that what will be written can be, and loses nothing."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import need_folder, need_place, need_several
    from reports.figures.style import check_figure_path

    if journal is not None and not journal.is_dir():
        raise SuiteError(f"There is no folder {str(journal)!r} for the journals: make it first.")
    if scores is not None:
        _named(scores, "table of scores", "scores.parquet")
    elif heat_map is not None:
        raise SuiteError("There are no proxies to draw: give their scores by --scores.")
    if output is not None:
        if output.suffix.lower() != ".csv":
            raise SuiteError(f"{output} would be written as CSV: end its name in .csv.")
        need_folder(output)
    drawn = {"the_figure": figure, "the_heat_map": heat_map}
    for path in filter(None, drawn.values()):
        check_figure_path(path)
    written = {what: path for what, path in {"the_table": output, **drawn}.items() if path}
    for path in written.values():
        need_place(path)
    need_several(**written)
    for read in (*benchmarks, *filter(None, [scores])):
        need_several(what_is_read=Path(read), **written)


def _boards(
    names: list[str], dataset: str | None, scores: str | None, **settings: Any
) -> dict[str, Board]:
    """The boards by their titles: one a benchmark and data set."""
    from nasbench_suite.benchmarks import load_benchmark
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.prediction import make_board
    from nasbench_suite.prediction.scores import read_scores

    made: dict[str, Board] = {}
    named: dict[str, str] = {}
    for name in names:
        table = load_benchmark(name)
        other = named.setdefault(table.name, name)
        if other != name:
            raise SuiteError(
                f"{other} and {name} are both called {table.name!r}: judge one at a time, each "
                f"with its own folder of journals."
            )
        found = None if scores is None else read_scores(scores, table.space)
        for chosen in _datasets(table, dataset, settings["metric"]):
            board = make_board(table, dataset=chosen, scores=found, **settings)
            made[f"{table.name}, {board.metric}"] = board
    return made


def _judged(made: Mapping[str, Board], journal: Path | None, jobs: int) -> dict[str, pd.DataFrame]:
    """The rows of each board, by its title."""
    from nasbench_suite.commands.data import progress_bar
    from nasbench_suite.prediction import read_journal, run_board
    from nasbench_suite.spreading import count_jobs

    jobs = count_jobs(jobs)
    paths = {
        title: None if journal is None else journal / f"{title.replace(', ', '-')}.jsonl"
        for title in made
    }
    for title, path in paths.items():  # all of them, before the first is computed
        if path is not None:
            read_journal(made[title], path)
    boards = {}
    try:
        for title, board in made.items():
            with progress_bar(title) as advance:
                boards[title] = run_board(board, paths[title], jobs, advance)
    except KeyboardInterrupt:
        if journal is None:
            raise KeyboardInterrupt(_LOST) from None
        raise
    return boards


def _datasets(table: Benchmark, named: str | None, metric: str | None) -> list[str | None]:
    """The data sets to judge on; that of the metric where it is named."""
    from nasbench_suite.errors import SuiteError, choose_from

    if named is None:
        return [None] if metric is not None else list(table.datasets)
    found = _named(named, "data set", *table.datasets[:1])
    for one in found:
        if one not in table.datasets:
            raise SuiteError(
                choose_from(f"data set of benchmark {table.name!r}", one, table.datasets)
            )
    return list(found)


def _named(text: str, what: str, such_as: str = "") -> list[str]:
    """The names in a list, each once, and at least one."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.parsing import split_names

    names = list(dict.fromkeys(split_names(text)))
    if not names:
        raise SuiteError(f"No {what} is named in {text!r}: name one, such as {such_as}.")
    return names


def _joined(boards: dict[str, pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    parts = [rows.assign(board=title) for title, rows in boards.items()]
    joined = pd.concat(parts, ignore_index=True)
    return joined[["board", *(name for name in joined if name != "board")]]
