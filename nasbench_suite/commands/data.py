"""``nasbench data``: the benchmarks and images at hand, and how further ones come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_suite.commands.printing import file_size, print_lines, table_text
from nasbench_suite.errors import printable

if TYPE_CHECKING:
    from nasbench_suite.benchmarks.open import OpenBenchmark
    from nasbench_suite.benchmarks.surrogate import Surrogate

app = typer.Typer(help="Benchmarks: list, import, inspect, verify and make them.")

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("list")
def list_command(as_json: _Json = False) -> None:
    """List the benchmarks at hand: the embedded one and the imported ones."""
    import json
    from dataclasses import asdict

    from nasbench_suite.benchmarks.library import list_benchmarks
    from nasbench_suite.benchmarks.surrogates import list_surrogates

    found = [*list_benchmarks(), *list_surrogates()]
    if as_json:
        typer.echo(json.dumps([asdict(entry) for entry in found], indent=2, default=str))
        return
    rows = []
    for entry in found:
        if not entry.fault:
            size = f"{entry.rows:,}" if entry.rows else "any"
            counts = str(entry.metrics), size, file_size(entry.size)
            rows.append((entry.name, entry.space, ", ".join(entry.datasets), *counts, entry.source))
    heads = "benchmark", "space", "data sets", "metrics", "rows", "size", "source"
    faults = (f"{entry.name}: {entry.fault}" for entry in found if entry.fault)
    print_lines(table_text(heads, rows), *faults)


@app.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(
            help="Parquet or CSV table, or what was published (file, folder, or name of a format "
            "that an installed package brings)."
        ),
    ],
    name: Annotated[
        str | None, typer.Option(help="Its name from now on; an archive has one of its own.")
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(help="Search space of a table; `nasbench list spaces` names them."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="Published format, if it is not told by the content; `nasbench list formats`.",
        ),
    ] = None,
    latency: Annotated[
        list[Path] | None,
        typer.Option(help="Table of latencies in ms, a column a device; may be repeated."),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="What a metric is, as NAME:key=value,key=value, NAME a column or a pattern such "
            "as *_test_*; keys: quantity, unit, direction, dataset, split, epochs, device, "
            "resolution, batch, runtime, precision, provenance, note, missing, label; may be "
            "repeated."
        ),
    ] = None,
    metadata: Annotated[
        Path | None, typer.Option(help="TOML or JSON file that says the same, and more.")
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option(help="Column with the architecture, if it is not found by itself."),
    ] = None,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="Rows stand in index order, without a column.")
    ] = False,
    encoding: Annotated[
        str | None,
        typer.Option(
            help="How numbers or vectors of architectures are meant, such as naslib or "
            "lexicographic; by default what the figures fit."
        ),
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Import figures that fit another order of architectures."),
    ] = False,
    partial: Annotated[
        bool,
        typer.Option("--partial", help="Take an excerpt or a sample: search among what is there."),
    ] = False,
    missing: Annotated[
        str | None,
        typer.Option(
            help="Why an empty cell, a row that is not there, or a -1 stands for no figure: 'not "
            "measured', 'rejected by the compiler', 'training failed', or 'excluded by its "
            "publisher'."
        ),
    ] = None,
    published: Annotated[
        str | None,
        typer.Option(
            help="Whose figures a table holds, such as nas-bench-201; `nasbench data where` names "
            "them. Paper and licence then stand in captions and reports."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a benchmark of that name.")
    ] = False,
) -> None:
    """Import a table, or convert a published benchmark, such as an archive of NATS-Bench.

    A column named dataset_split_epochs, such as cifar10_valid_12, is an accuracy; one that ends in
    _ms, _mj, _flops or _params is a latency, an energy, or a size; name_seed0 and name@0 are one
    training of the metric name. Columns that are none of these are left out, and named.

    A training seed that --metric names is set aside and becomes a metric of its own: with
    --metric cifar10_test_seed0:split=valid, a table that has test accuracies alone gets a signal
    to search on that does not enter the figure reported.
    """
    from nasbench_suite.benchmarks.columns import parse_fact, unmeasured
    from nasbench_suite.benchmarks.library import import_benchmark
    from nasbench_suite.benchmarks.surrogate import Surrogate
    from nasbench_suite.parsing import counted

    said = [unmeasured(missing)] if missing else []
    with progress_bar(f"reading {file.name}") as advance:
        imported = import_benchmark(
            file,
            name,
            space,
            latency=latency or (),
            metadata=metadata,
            form=form,
            metrics=[*said, *map(parse_fact, metric or [])],
            arch_column=arch,
            in_index_order=in_order,
            encoding=encoding,
            force=force,
            partial=partial,
            overwrite=overwrite,
            published=published,
            progress=advance,
        )
    benchmark = imported.benchmark
    for column, reason in imported.left_out.items():
        typer.echo(printable(f"left out {column}: {reason}"), err=True)
    for hint in (*imported.hints, *imported.warnings):
        typer.echo(printable(hint), err=True)
    number = counted(len(benchmark.metrics), "metric")
    if isinstance(benchmark, Surrogate):
        accuracy = (n for n, one in benchmark.metrics.items() if one.quantity == "accuracy")
        judged = f" --judged-by {first}" if (first := next(accuracy, None)) else ""
        typer.echo(
            f"Imported {benchmark.name!r}: {number} of all of space {benchmark.space.name}: "
            f"`nasbench run --benchmark {benchmark.name}{judged}`."
        )
        return
    typer.echo(
        f"Imported {benchmark.name!r}: {number} of {benchmark.space.size:,} architectures of space "
        f"{benchmark.space.name}."
    )


@app.command("fit-surrogate")
def fit_surrogate_command(
    table: Annotated[str, typer.Argument(help="Name or file of a benchmark with a table.")],
    name: Annotated[str, typer.Option(help="Its name from now on.")],
    metrics: Annotated[
        str | None,
        typer.Option(help="What it shall predict, as name,name; by default all metrics."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the folds and of the trees.")] = 0,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a surrogate of that name.")
    ] = False,
) -> None:
    """Fit boosted trees to a table, which then answer for every architecture of its space.

    What is printed is cross-validated: each figure is predicted by trees that have not seen its
    architecture, nor any that computes the same function.
    """
    from nasbench_suite.benchmarks.surrogates import make_surrogate
    from nasbench_suite.parsing import given_names

    chosen = given_names(metrics)
    surrogate = make_surrogate(table, name, chosen, seed=seed, overwrite=overwrite)
    print_lines(
        _fit_table(surrogate),
        f"Fitted {name!r}, which answers for all of space {surrogate.space.name}: "
        f"`nasbench run --benchmark {name}`.",
        _FIT_LEGEND,
    )


_FIT_LEGEND = (
    "spearman, kendall: rank correlation of predicted and measured figures; error: root of the "
    "mean squared error; spread: standard deviation of the measured figures; noise: median "
    "standard deviation between the members, with one of which --answers sample answers."
)


def _fit_table(surrogate: Surrogate) -> str:
    rows = []
    for metric, fit in surrogate.fits.items():
        ranks = f"{fit.spearman:.3f}", f"{fit.kendall:.3f}"
        sizes = (f"{size:.3g}" for size in (fit.rmse, fit.spread, fit.disagreement))
        unit = surrogate.metrics[metric].unit
        rows.append((metric, f"{fit.architectures:,}", *ranks, *sizes, unit))
    heads = "metric", "measured", "spearman", "kendall", "error", "spread", "noise", "unit"
    return table_text(heads, rows)


@app.command("doctor")
def doctor_command(
    file: Annotated[Path, typer.Argument(help="A table, before it is imported.")],
    space: Annotated[
        str | None, typer.Option(help="Its search space; by default found by its strings.")
    ] = None,
    arch: Annotated[str | None, typer.Option(help="Column with the architecture.")] = None,
    in_order: Annotated[
        bool, typer.Option("--in-order", help="Rows stand in index order.")
    ] = False,
    encoding: Annotated[
        str | None, typer.Option(help="How numbers or vectors of architectures are meant.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="It is an excerpt or a sample of its space.")
    ] = False,
) -> None:
    """Say what a table would become, and what speaks against its figures."""
    from nasbench_suite.benchmarks.doctor import examine

    said = {"arch_column": arch, "in_index_order": in_order, "encoding": encoding}
    told = examine(file, space, **said, partial=partial)
    typer.echo(printable(told, len(told)))


@app.command("where")
def where_command(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A published benchmark, a space, or a benchmark at hand; all if left out."
        ),
    ] = None,
) -> None:
    """Say where published figures are to be had, and what of them is read."""
    from nasbench_suite.benchmarks.library import find_sources
    from nasbench_suite.benchmarks.sources import SOURCES, describe_source

    found = find_sources(name) if name else SOURCES.values()
    print_lines(*map(describe_source, found))
    if not found:
        typer.echo(f"Of {name!r} no published figures are known.")


@app.command("info")
def info_command(
    benchmark: Annotated[str, typer.Argument(help="Name or file of a benchmark.")],
    space: Annotated[
        str | None,
        typer.Option(help="Of a benchmark of several spaces, such as live:digits."),
    ] = None,
    as_json: _Json = False,
) -> None:
    """Describe a benchmark: its metrics, the optimum of each, and the noise floor."""
    import json

    from nasbench_suite.benchmarks import Benchmark
    from nasbench_suite.benchmarks.library import describe_benchmark
    from nasbench_suite.benchmarks.open import describe_open
    from nasbench_suite.benchmarks.surrogate import Surrogate
    from nasbench_suite.benchmarks.surrogates import describe_surrogate, load_any

    found = load_any(benchmark, space)
    if isinstance(found, Surrogate):
        facts, told = describe_surrogate(found), _told_of_surrogate(found)
    elif isinstance(found, Benchmark):
        facts = describe_benchmark(found)
        told = _told_of_table(facts)
    else:
        facts, told = describe_open(found), _told_of_open(found)
    if as_json:
        typer.echo(json.dumps(facts, indent=2, default=str))
    else:
        print_lines(*told)


def _told_of_surrogate(surrogate: Surrogate) -> list[str]:
    return [
        f"{surrogate.name}: a surrogate of space {surrogate.space.name}",
        *_facts(surrogate.about),
        f"checksum: {surrogate.checksum}",
        "",
        *(f"{name}: {metric.note}" for name, metric in surrogate.metrics.items() if metric.note),
        *(("", _fit_table(surrogate), "", _FIT_LEGEND) if surrogate.fits else ()),
    ]


def _told_of_open(benchmark: OpenBenchmark) -> list[str]:
    about = benchmark.about
    return [
        f"{benchmark.name}: {about.get('description', '')}",
        *_facts({key: said for key, said in about.items() if key != "description"}),
        f"checksum: {benchmark.checksum}",
        f"metrics: {', '.join(benchmark.metrics)}",
    ]


def _told_of_table(facts: Mapping[str, Any]) -> list[str]:
    metrics = facts["metrics"]
    return [
        f"{facts['name']}: {facts['architectures']:,} architectures of space {facts['space']}, "
        f"{facts['classes']:,} of them different, {facts['disconnected']:,} without a path from "
        f"input to output",
        *_facts(facts["about"]),
        f"checksum: {facts['checksum']}",
        "",
        _metric_table(metrics),
        *_grouped((metric["note"], metric["name"]) for metric in metrics),
        "",
        _noise_table(metrics),
        *_grouped(
            (metric["no_noise"], metric["name"]) for metric in metrics if "no_noise" in metric
        ),
        "",
        _NOISE_LEGEND,
    ]


_NOISE_LEGEND = (
    "floor: the noise floor, the median difference between two trainings of one function, as "
    "the table reports them; what differs by less is a tie. range, max: median and maximum "
    "over functions of largest less smallest, sd: standard deviation; among isomorphic "
    "architectures (twins), or seeds. resolution: two of the best architectures that differ by "
    "less are not told apart by the table, whatever the number of seeds of a search."
)


def _metric_table(metrics: Sequence[dict[str, Any]]) -> str:
    rows = [
        {
            "metric": metric["name"],
            "quantity": f"{'↑' if metric['direction'] == 'maximize' else '↓'} {metric['quantity']}",
            "unit": metric["unit"],
            "of": _measured_on(metric),
            "min": f"{metric['min']:.5g}",
            "max": f"{metric['max']:.5g}",
            "seeds": ", ".join(map(str, metric["seeds"])),
            "provenance": metric["provenance"].replace("unknown", ""),
            "missing": ", ".join(f"{n:,} {why}" for why, n in metric["missing"].items()),
        }
        for metric in metrics
    ]
    columns = [column for column in rows[0] if any(row[column] for row in rows)]
    return table_text(columns, [[row[column] for column in columns] for row in rows])


def _measured_on(metric: dict[str, Any]) -> str:
    device = metric["device"] if metric["device"] != metric["name"] else None
    epochs = f"{count} epoch{'s' * (count > 1)}" if (count := metric["epochs"]) else None
    parts = [metric["dataset"], metric["split"], epochs, device, metric.get("conditions")]
    return " ".join(filter(None, parts))


def _noise_table(metrics: Sequence[dict[str, Any]]) -> str:
    rows = []
    for metric in metrics:
        if "noise" not in metric:
            continue
        best = f"{metric['optimum']['value']:.4f}", str(metric["optimum"]["index"])
        noise = metric["noise"]
        if noise is None:
            rows.append((metric["name"], *best, "unknown", *[""] * 5))
            continue
        sizes = (f"{noise[key]:.2f}" for key in ("floor", "median_range", "max_range", "sd"))
        found_from = f"{noise['groups']:,} {noise['source']}"
        rows.append((metric["name"], *best, *sizes, f"{metric['resolution']:.2f}", found_from))
    heads = "metric", "optimum", "index", "floor", "range", "max", "sd", "resolution", "from"
    return table_text(heads, rows)


def _facts(about: Mapping[str, Any]) -> Iterator[str]:
    """What is known of a benchmark, a line each; of several things of one name, one a line."""
    for key, said in about.items():
        if isinstance(said, dict) and said and all(isinstance(one, dict) for one in said.values()):
            yield f"{key}:"
            yield from (f"  {name}: {_plainly(one)}" for name, one in said.items())
        else:
            yield f"{key}: {_plainly(said)}"


def _plainly(said: object) -> str:
    """A fact in one line, a figure in four digits; of several together, each with its name."""
    if isinstance(said, list | tuple):
        return ", ".join(map(_plainly, said))
    if isinstance(said, float):
        return f"{said:.4g}" if abs(said) < 1000 else f"{said:.0f}"
    if not isinstance(said, dict):
        return str(said)
    parts = ((key, value) for key, value in said.items() if value is not None)
    return ", ".join(
        f"{key} ({_plainly(value)})" if isinstance(value, dict) else f"{key} {_plainly(value)}"
        for key, value in parts
    )


def _grouped(notes: Iterable[tuple[str, str]]) -> list[str]:
    """One line a note, with the names that share it."""
    from nasbench_suite.errors import and_more

    names: dict[str, list[str]] = {}
    for note, name in notes:
        if note:
            names.setdefault(note, []).append(name)
    return [f"{shared[0]}{and_more(len(shared) - 1)}: {note}" for note, shared in names.items()]


@app.command("verify")
def verify_command(
    benchmark: Annotated[str, typer.Argument(help="Name or file of a benchmark.")],
) -> None:
    """Check that a benchmark's file is complete and as it was written; exit 2 if not."""
    from nasbench_suite.benchmarks.library import verify_benchmark
    from nasbench_suite.errors import SuiteError

    verification = verify_benchmark(benchmark)
    for check, fault in verification.checks.items():
        typer.echo(f"{check:<9} {fault or 'sound'}")
    if verification.faults:
        raise SuiteError(
            f"{verification.path} is damaged ({verification.faults[0]}): get or import it again."
        )
    typer.echo(f"{benchmark} is sound.")


@app.command("images")
def images_command(
    name: Annotated[
        str | None,
        typer.Argument(help="A data set; `nasbench list datasets` names them. Alone: check it."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Argument(
            help="Its folder as torchvision unpacks it, its authors' archive, or a Parquet table "
            "of JPEG or PNG bytes with columns for label and split."
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace what was imported before.")
    ] = False,
) -> None:
    """Import the images of a data set, check those at hand, or list all.

    They are kept uncompressed under $NASBENCH_HOME and mapped into memory when they are used.
    """
    from nasbench_suite.datasets.library import import_images, list_images, verify_images

    if name is None:
        rows = [(known, place or "not imported") for known, place in list_images()]
        print_lines(table_text(("data set", "images"), rows))
        return
    if source is None:
        typer.echo(f"{name} is sound: {verify_images(name)}")
        return
    images = import_images(name, source, overwrite=overwrite)
    counts = ", ".join(f"{len(split):,} {part}" for part, split in images.splits.items())
    typer.echo(
        f"Imported {images.name!r}: {counts} images of {images.resolution}x{images.resolution} "
        f"pixels in {len(images.classes)} classes, checksum {images.checksum()[:16]}."
    )


make_app = typer.Typer(help="Make a benchmark from nothing, by training.")
app.add_typer(make_app, name="make")


@make_app.callback()
def _make() -> None:
    pass


@make_app.command("digits")
def make_digits_command(
    journal: Annotated[
        Path, typer.Option(help="File of finished trainings; the same command again goes on.")
    ],
    output: Annotated[Path, typer.Option(help="The table to write.")] = Path("digits.parquet"),
    seeds: Annotated[
        str | None, typer.Option(help="Training seeds, as 0-1; by default 0,1, and 2-9 of the top.")
    ] = None,
    retrain_top: Annotated[
        int,
        typer.Option(
            help="Train only so many classes, the best by validation of --base, and add them to it."
        ),
    ] = 0,
    base: Annotated[
        str, typer.Option(help="With --retrain-top: the table that further trainings are added to.")
    ] = "digits",
    alone: Annotated[
        bool, typer.Option("--alone", help="With --retrain-top: a table of these classes alone.")
    ] = False,
    jobs: Annotated[int, typer.Option(help="Processes; -1 for all cores.")] = 1,
) -> None:
    """Train the embedded benchmark anew: every cell on scikit-learn's digits (needs torch)."""
    from nasbench_suite.errors import SuiteError, need_package
    from nasbench_suite.files.atomic import need_folder, need_place, need_several
    from nasbench_suite.parsing import counted, parse_seeds

    need_package("Training", "torch", "torch")
    if retrain_top < 0:
        raise SuiteError(f"{retrain_top} classes cannot be trained: give a number from 1.")
    chosen = parse_seeds(seeds or ("2-9" if retrain_top else "0,1"))
    for file in (journal, output):
        need_folder(file)
    need_place(output)
    need_several(the_table=output, the_journal=journal)
    from nasbench_suite.benchmarks.digits.making import best_classes, pack, pack_more, train_all
    from nasbench_suite.benchmarks.library import load_benchmark

    table = load_benchmark(base) if retrain_top else None
    indices = None if table is None else best_classes(table, retrain_top).tolist()
    with progress_bar("training") as advance:
        for finished, total in train_all(journal, chosen, jobs, indices):
            advance(finished, total)
    if table is None:
        benchmark = pack(journal, output)
    else:
        benchmark = pack_more(journal, table, output, alone=alone)
    metrics = counted(len(benchmark.metrics), "metric")
    typer.echo(
        f"{output}: {metrics}; use it with --benchmark {output}, or "
        f"`nasbench data import {output} --name NAME`."
    )


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on standard error, shown from the first call of what it yields."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    progress = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, markup=False),
    )
    bar = progress.add_task(description, total=None)

    def advance(done: int, total: int) -> None:
        progress.start()
        progress.update(bar, completed=done, total=total)

    try:
        yield advance
    finally:
        if progress.live.is_started:  # else it would end a line that nobody began
            progress.stop()
