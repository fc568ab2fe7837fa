"""``nasbench hardware``: measure, count, import and compare what architectures cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas as pd

    from hardware.tables import CostTable

app = typer.Typer(help="Latency, energy and size of architectures: measure, count, compare.")

_Space = Annotated[str, typer.Option("--space", help="Name of the search space.")]
_Setting = Annotated[
    str, typer.Option("--setting", help="Skeleton: digits, cifar10, cifar100, imagenet16_120.")
]
_Pruned = Annotated[bool, typer.Option("--pruned", help="Leave out the cell's dead branches.")]
_Missing = Annotated[
    str | None,
    typer.Option(
        help="Why an empty cell, a row that is not there, or a -1 stands for no figure: 'not "
        "measured', 'rejected by the compiler', 'training failed', or 'excluded by its publisher'."
    ),
]
_Output = Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")]


@app.command("measure")
def measure_command(
    output: _Output,
    journal: Annotated[
        Path | None,
        typer.Option(help="File of finished visits; by default beside the output. It is kept."),
    ] = None,
    space: _Space = "nats-tss",
    setting: _Setting = "digits",
    architectures: Annotated[
        str,
        typer.Option(
            help="all; live (one of each network without dead branches); operations (25 cells, "
            "for those that cannot measure all); a number of random ones; or indices, as 3,17,200."
        ),
    ] = "all",
    runtime: Annotated[
        str,
        typer.Option(help="What runs the networks; `nasbench list runtimes` names them."),
    ] = "onnxruntime",
    pruned: _Pruned = False,
    name: Annotated[
        str | None, typer.Option(help="Name of the device; by default the runtime's.")
    ] = None,
    batch: Annotated[int, typer.Option(help="Images in a batch.")] = 1,
    threads: Annotated[int, typer.Option(help="Threads of the runtime.")] = 1,
    precision: Annotated[str, typer.Option(help="float32 or float16.")] = "float32",
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    cores: Annotated[str | None, typer.Option(help="Processor cores to stay on, as 0,1.")] = None,
    rounds: Annotated[int, typer.Option(help="Visits to each architecture.")] = 5,
    warmup: Annotated[int, typer.Option(help="Untimed runs at each visit.")] = 5,
    repeats: Annotated[int, typer.Option(help="Timed runs at each visit.")] = 20,
    seed: Annotated[int, typer.Option(help="Of the order, and of a random choice.")] = 0,
) -> None:
    """Measure latencies on this machine; the same command again goes on where it stopped."""
    from hardware.measuring import Plan, choose_architectures, measure, read_measured
    from hardware.runtimes import RunOptions
    from hardware.tables import export_metadata, measured_table, write_table
    from nasbench_suite.commands.data import progress_bar
    from nasbench_suite.files.atomic import need_folder, need_place, need_several
    from nasbench_suite.parsing import counted, parse_numbers
    from nasbench_suite.spaces import load_finite_space

    need_folder(output)
    plan = Plan(
        space,
        setting,
        choose_architectures(load_finite_space(space), architectures, seed),
        runtime,
        RunOptions(batch, threads, precision, device),  # type: ignore[arg-type]  # checked there
        pruned=pruned,
        rounds=rounds,
        warmup=warmup,
        repeats=repeats,
        seed=seed,
    )
    need_place(output)
    journal, metadata = journal or output.with_suffix(".jsonl"), output.with_suffix(".json")
    need_several(the_table=output, the_journal=journal, its_description=metadata)
    steps = measure(plan, journal, parse_numbers(cores) if cores else None)
    begun = next(steps)  # what cannot be measured is refused before a bar is shown
    with progress_bar("measuring") as advance:
        advance(*begun)
        for done, total in steps:
            advance(done, total)
    measured = read_measured(journal)
    table = measured_table(measured, name)
    write_table(table, output)
    export_metadata(table, metadata)
    count = counted(len(table.indices), "architecture")
    typer.echo(
        f"{output}: {count}, median {_median(measured.latency)} ms, "
        f"noise floor {measured.noise_floor:.4g} ms, drift of the reference "
        f"{100 * measured.drift:.1f} %, {100 * measured.disturbed:.1f} % of the visits disturbed."
    )
    if len(table.indices) == table.space.size:
        typer.echo(
            f"Add it to a benchmark with `nasbench data import TABLE --name NAME --space {space} "
            f"--latency {output} --metadata {metadata}`."
        )


@app.command("count")
def count_command(
    output: _Output,
    space: _Space = "nats-tss",
    setting: _Setting = "cifar10",
    pruned: _Pruned = False,
) -> None:
    """Count FLOPs and parameters of every architecture, as NATS-Bench does."""
    from hardware.tables import counted_table, write_table
    from nasbench_suite.spaces import load_finite_space

    table = counted_table(load_finite_space(space), setting, pruned=pruned)
    write_table(table, output)
    for column, values in table.columns.items():
        typer.echo(f"{column}: {values.min():,.0f} to {values.max():,.0f}")


@app.command("import")
def import_command(
    source: Annotated[
        Path,
        typer.Argument(
            help="HW-NAS-Bench's pickle, a device.pt of HELP's or a folder of them, or a CSV or "
            "Parquet table with a column arch_str or arch_index."
        ),
    ],
    output: _Output,
    dataset: Annotated[
        str, typer.Option(help="Part of HW-NAS-Bench: cifar10, cifar100 or ImageNet16-120.")
    ] = "cifar100",
    space: _Space = "nats-tss",
    unit: Annotated[str, typer.Option(help="Unit of the latencies in a device.pt.")] = "ms",
    encoding: Annotated[
        str | None,
        typer.Option(help="How numbers or vectors of architectures are meant, such as naslib."),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Import figures that fit another order of architectures."),
    ] = False,
    missing: _Missing = None,
) -> None:
    """Turn other people's tables of costs into ours, running no code that may be in them."""
    from hardware.tables import (
        export_metadata,
        import_help,
        import_hw_nas_bench,
        is_hw_nas_bench,
        read_table,
        write_table,
    )
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import need_place, need_several
    from nasbench_suite.parsing import counted

    need_place(output)
    if not source.exists():
        raise SuiteError(f"There is no file {source}.")
    metadata = output.with_suffix(".json")
    need_several(what_is_imported=source, the_table=output, its_description=metadata)
    if source.is_dir() or source.suffix == ".pt":
        table = import_help(
            source, space, unit=unit, encoding=encoding, force=force, missing=missing
        )
    elif is_hw_nas_bench(source):
        table = import_hw_nas_bench(source, dataset)
    else:
        table = read_table(source, space, encoding=encoding, force=force, missing=missing)
    for hint in table.hints:
        typer.echo(hint, err=True)
    write_table(table, output)
    export_metadata(table, metadata)
    count = counted(len(table.indices), "architecture")
    typer.echo(f"{output}: {count}, {', '.join(table.costs)}.")


@app.command("add")
def add_command(
    benchmark: Annotated[str, typer.Argument(help="Name or file of a benchmark.")],
    tables: Annotated[list[Path], typer.Argument(help="Tables of costs.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Benchmark file to write.")],
    missing: _Missing = None,
) -> None:
    """Add tables of costs to a benchmark, as a new benchmark file."""
    from hardware.tables import add_costs, read_table
    from nasbench_suite.benchmarks import load_benchmark
    from nasbench_suite.benchmarks.table_file import write_benchmark
    from nasbench_suite.files.atomic import need_folder
    from nasbench_suite.parsing import counted

    loaded = load_benchmark(benchmark)
    need_folder(output)
    read = [read_table(path, loaded.space, missing=missing) for path in tables]
    for hint in (hint for table in read for hint in table.hints):
        typer.echo(hint, err=True)
    made = add_costs(loaded, read)
    write_benchmark(made, output)
    new = [name for name in made.metrics if name not in loaded.metrics]
    typer.echo(f"{output}: {counted(len(made.metrics), 'metric')}, new {', '.join(new) or 'none'}.")


@app.command("compare")
def compare_command(
    tables: Annotated[list[Path], typer.Argument(help="Tables of costs of one space.")],
    space: _Space = "nats-tss",
    setting: Annotated[
        str | None, typer.Option(help="Skeleton whose FLOPs are a proxy; by default the table's.")
    ] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Draw the rank correlations here (.pdf, .png or .svg).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Rank correlations between devices, and how well FLOPs and the like predict each."""
    import json

    from hardware.comparing import (
        join_tables,
        proxies,
        rank_correlations,
        removal_savings,
        repetitions,
        setting_of,
        twin_spread,
    )
    from hardware.tables import read_table
    from nasbench_suite.commands.printing import print_lines
    from nasbench_suite.errors import SuiteError

    if figure is not None and figure.suffix not in (".pdf", ".png", ".svg"):
        raise SuiteError(f"Cannot draw into {str(figure)!r}: end its name in .pdf, .png or .svg.")
    read = [read_table(path, space) for path in tables]
    where, indices, columns = join_tables(read)
    correlations = rank_correlations(columns)
    predicted = proxies(where, indices, columns, setting or setting_of(read[0]))
    said = _said(read, list(columns))
    predicted["twins"] = [twin_spread(where, indices, values) for values in columns.values()]
    if figure is not None:
        _draw(correlations, figure)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "architectures": len(indices),
                    "rank_correlations": _plain(correlations),
                    "proxies": _plain(predicted),
                    "devices": said,
                },
                indent=2,
            )
        )
        return
    _print(correlations, predicted, said, len(indices))
    for (one, other), (everything, apart, floor) in repetitions(read).items():
        print_lines(
            f"{tables[one]} and {tables[other]} repeat one measurement: rank correlation "
            f"{everything:.4f}, and {apart:.4f} on architectures that differ by more than the "
            f"noise floor, {floor:.3g} ms."
        )
    for (pruned, written), (middle, most, count) in removal_savings(read).items():
        print_lines(
            f"Removing dead branches ({pruned} against {written}) saves {100 * middle:.1f} % at "
            f"the median and {100 * most:.1f} % at the 95 % quantile of the {count} architectures "
            f"that have any."
        )


@app.command("predict")
def predict_command(
    tables: Annotated[
        list[Path], typer.Argument(help="Tables of costs of one space, or names of benchmarks.")
    ],
    space: _Space = "nats-tss",
    predictors: Annotated[
        str, typer.Option(help="additive, boosting, gaussian-process; several as name,name.")
    ] = "additive,boosting,gaussian-process",
    sizes: Annotated[
        str, typer.Option(help="Numbers of measured architectures.")
    ] = "10,25,50,100,200,400,900",
    repeats: Annotated[int, typer.Option(help="Random draws of each size.")] = 3,
    transfer: Annotated[
        bool, typer.Option("--transfer", help="Learn from the tables of other devices as well.")
    ] = False,
    targets: Annotated[
        str | None, typer.Option(help="With --transfer: devices to predict; by default each.")
    ] = None,
    sources: Annotated[
        str | None, typer.Option(help="With --transfer: devices to predict from.")
    ] = None,
    siblings: Annotated[
        bool, typer.Option(help="With --transfer: a device at another batch size may be a source.")
    ] = False,
    source_rows: Annotated[
        int | None, typer.Option(help="With --transfer: architectures measured on the sources.")
    ] = None,
    choose: Annotated[
        str, typer.Option(help="With --transfer: what is measured: random, diverse or spread.")
    ] = "random",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="CSV file with every draw.")
    ] = None,
) -> None:
    """Rank correlation of predicted latencies against the number of measured architectures."""
    from hardware.comparing import join_tables
    from hardware.predictors import learning_curves
    from hardware.tables import costs_of, read_table
    from nasbench_suite.benchmarks import load_benchmark
    from nasbench_suite.commands.data import progress_bar
    from nasbench_suite.commands.printing import print_frame, print_lines
    from nasbench_suite.files.atomic import write_text
    from nasbench_suite.parsing import given_names, parse_numbers

    read = [
        read_table(path, space) if path.is_file() else costs_of(load_benchmark(str(path)))
        for path in tables
    ]
    where, indices, columns = join_tables(read)
    if transfer:
        from hardware.transfer import summarise, transfer_curves

        with progress_bar("learning") as advance:
            draws = transfer_curves(
                where,
                indices,
                columns,
                targets=given_names(targets) or (),
                sources=given_names(sources) or (),
                siblings=siblings,
                source_rows=source_rows,
                choices=given_names(choose) or (),
                sizes=parse_numbers(sizes),
                repeats=repeats,
                progress=advance,
            )
        if output is not None:
            write_text(output, draws.to_csv(index=False))
        print_lines("Spearman's rank correlation on what was not measured: mean and worst device")
        print_frame(summarise(draws))
        return
    with progress_bar("learning") as advance:
        curves = learning_curves(
            where,
            indices,
            columns,
            predictors=given_names(predictors) or (),
            sizes=parse_numbers(sizes),
            repeats=repeats,
            progress=advance,
        )
    if output is not None:
        write_text(output, curves.to_csv(index=False))
    shown = curves.pivot_table(
        index=["device", "predictor"], columns="measured", values="spearman", sort=False
    )
    print_lines("Spearman's rank correlation on what was not measured, mean over draws")
    print_frame(shown)


@app.command("fill")
def fill_command(
    table: Annotated[Path, typer.Argument(help="Table of costs of some architectures.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Table to write.")],
    space: _Space = "nats-tss",
    predictor: Annotated[
        str, typer.Option(help="What predicts; see `nasbench list predictors`.")
    ] = "additive",
    missing: _Missing = None,
) -> None:
    """Predict what was not measured, mark the columns as modelled, and say how well it is done."""
    from hardware.filling import fill_table
    from hardware.tables import export_metadata, read_table, write_table
    from nasbench_suite.files.atomic import need_place, need_several
    from nasbench_suite.parsing import counted

    need_place(output)
    metadata = output.with_suffix(".json")
    need_several(what_was_measured=table, the_table=output, its_description=metadata)
    filled, errors = fill_table(read_table(table, space, missing=missing), predictor)
    write_table(filled, output)
    export_metadata(filled, metadata)
    count = counted(len(filled.indices), "architecture")
    typer.echo(f"{output}: {count}, {', '.join(filled.costs)}.")
    for name, error in errors.items():
        typer.echo(
            f"{name}: {error.measured:,} measured, the others modelled by {predictor}; by "
            f"cross-validation rank correlation {error.spearman:.3f}, median error "
            f"{100 * error.median:.2g} %, 95 % quantile {100 * error.most:.2g} %."
        )


def _median(values: Any) -> str:
    import numpy as np

    return f"{float(np.median(values)):.4g}"


def _said(tables: list[CostTable], columns: list[str]) -> dict[str, dict[str, Any]]:
    """Provenance and noise floor of each joined column, which stand in the tables' order."""
    sources = [(table, name) for table in tables for name in table.costs]
    return {
        column: {
            "provenance": table.provenance(name),
            "noise_floor_ms": table.about.get("noise_floor_ms"),
        }
        for column, (table, name) in zip(columns, sources, strict=True)
    }


def _plain(frame: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """A frame as JSON-able values; what is undefined is null."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("index")
    return {
        str(name): {str(column): value for column, value in row.items()}
        for name, row in rows.items()
    }


def _print(
    correlations: pd.DataFrame, predicted: pd.DataFrame, said: dict[str, Any], rows: int
) -> None:
    from nasbench_suite.commands.printing import print_lines, print_table

    lines = []
    for name in correlations.index:
        others = correlations.loc[name].drop(name)
        ends = ("-", "-")
        if len(others.dropna()):
            pair = others.idxmax(), others.idxmin()
            ends = tuple(f"{other} {others[other]:.3f}" for other in pair)  # type: ignore[assignment]
        floor = said.get(name, {}).get("noise_floor_ms")
        row = predicted.loc[name]
        lines.append(
            (
                str(name),
                said.get(name, {}).get("provenance", "unknown"),
                "-" if floor is None else f"{floor:.3g} ms",
                *(f"{row[k]:.3f}" if row[k] == row[k] else "-" for k in headings_of(row)),
                f"{100 * row['twins']:.1f} %" if row["twins"] == row["twins"] else "-",
                *ends,
            )
        )
    heads = ("column", "provenance", "noise floor", "FLOPs", "parameters", "operations")
    print_table((*heads, "twins", "nearest other", "farthest other"), lines)
    print_lines(
        f"{rows:,} architectures. FLOPs, parameters, operations (a table of single operations), "
        f"others: Spearman's rank correlation. Twins: median range of costs within an isomorphism "
        f"class."
    )


def headings_of(row: pd.Series[float]) -> list[str]:
    """The proxies of a row, without what is no proxy."""
    return [str(name) for name in row.index if name != "twins"]


def _draw(correlations: pd.DataFrame, path: Path) -> None:
    """A heat map of rank correlations, alike devices beside each other."""
    import matplotlib as mpl
    import numpy as np

    mpl.use("agg")
    import matplotlib.pyplot as plt
    import seaborn as sns
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    from nasbench_suite.files.atomic import replacing

    order = np.arange(len(correlations))
    if len(order) > 2:
        distances = 1 - np.nan_to_num(correlations.to_numpy())
        np.fill_diagonal(distances, 0)
        order = leaves_list(linkage(squareform(distances, checks=False), "average"))
    ordered = correlations.iloc[order, order]
    side = 2 + 0.35 * len(order)
    figure, axes = plt.subplots(figsize=(side + 1, side))
    sns.heatmap(
        ordered,
        ax=axes,
        vmin=float(np.nanmin(ordered)),
        vmax=1,
        cmap="viridis",
        square=True,
        annot=len(order) <= 12,
        fmt=".2f",
        cbar_kws={"label": "Spearman's rank correlation"},
    )
    with replacing(path) as partial:
        figure.savefig(partial, format=path.suffix[1:], bbox_inches="tight", dpi=200)
    plt.close(figure)
