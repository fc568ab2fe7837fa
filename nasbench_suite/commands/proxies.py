"""``nasbench proxies``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nasbench_suite.proxies.computation import Computation

app = typer.Typer(help="Zero-cost proxies: scores of architectures that were not trained.")


@app.command("compute")
def compute_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")],
    proxies: Annotated[
        str,
        typer.Option(
            help="Names; `nasbench list proxies` has them. By default all that the space has."
        ),
    ] = "",
    space: Annotated[str, typer.Option(help="Name of the search space.")] = "nats-tss",
    architectures: Annotated[
        str,
        typer.Option(
            help="all; classes, one of each isomorphism class; a number of random ones; or a table "
            "with a column arch_str."
        ),
    ] = "all",
    dataset: Annotated[str, typer.Option(help="Images; `nasbench list datasets`.")] = "digits",
    batch_size: Annotated[int, typer.Option(help="Number of images.")] = 64,
    channels: Annotated[
        int | None, typer.Option(help="Of the first cells; by default the published number.")
    ] = None,
    cells: Annotated[
        int | None, typer.Option(help="Of the network, or of each stage; by default as published.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of images, initial weights and draws.")] = 0,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    jobs: Annotated[
        int, typer.Option(help="Processes, each with one thread; -1 for all cores.")
    ] = 1,
    journal: Annotated[
        Path | None,
        typer.Option(help="File of finished architectures; by default beside the output."),
    ] = None,
) -> None:
    """Score architectures; the same command again goes on where it stopped."""
    from nasbench_suite.commands.data import progress_bar
    from nasbench_suite.files.atomic import need_several
    from nasbench_suite.parsing import counted
    from nasbench_suite.proxies.choosing import choose_architectures
    from nasbench_suite.proxies.computation import Computation
    from nasbench_suite.proxies.computing import compute
    from nasbench_suite.proxies.packing import need_table, write_scores

    need_table(output)
    kept = journal or output.with_suffix(".jsonl")
    need_several(the_table=output, the_journal=kept, the_table_of_architectures=Path(architectures))
    names = _names(proxies)
    computation = Computation(space, names, dataset, batch_size, channels, cells, seed, device)
    chosen = choose_architectures(space, architectures, seed)
    if not proxies:
        computation = _defined(computation, chosen[0])
    with progress_bar("scoring") as advance:
        for done, total in compute(computation, chosen, kept, jobs):
            advance(done, total)
    count = write_scores(kept, output, chosen)
    typer.echo(
        f"{output}: {counted(count, 'architecture')}, {', '.join(computation.proxies)}; judge them "
        f"by `nasbench predict --scores {output}`."
    )


def _names(proxies: str) -> tuple[str, ...]:
    """The proxies in a list, each once; all where there is no list."""
    from nasbench_suite import registry
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.parsing import split_names

    names = tuple(dict.fromkeys(split_names(proxies)))
    if proxies and not names:
        raise SuiteError(f"{proxies!r} names no proxy: leave --proxies out for all.")
    return names or tuple(registry.entries("proxies"))


def _defined(computation: Computation, architecture: str) -> Computation:
    """The computation without proxies that are not defined there, which are told."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.proxies.checking import undefined

    left_out: dict[str, list[str]] = {}
    for name, why in undefined(computation, architecture).items():
        left_out.setdefault(why, []).append(name)
    for why, names in left_out.items():
        typer.echo(f"Left out {', '.join(names)}: {why}", err=True)
    missing = {name for names in left_out.values() for name in names}
    proxies = tuple(name for name in computation.proxies if name not in missing)
    if not proxies:
        raise SuiteError("No proxy is defined there: choose another space.")
    return replace(computation, proxies=proxies)


@app.command("pack")
def pack_command(
    journal: Annotated[Path, typer.Argument(help="File of finished architectures.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")],
) -> None:
    """Write what is finished of a computation that goes on, which is a random sample of it."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import need_several
    from nasbench_suite.parsing import counted
    from nasbench_suite.proxies.packing import need_table, write_scores

    need_table(output)
    need_several(the_table=output, the_journal=journal)
    if not journal.is_file():
        raise SuiteError(f"There is no journal {journal}: give the one that `compute` keeps.")
    typer.echo(f"{output}: {counted(write_scores(journal, output), 'architecture')}.")
