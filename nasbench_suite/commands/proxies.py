"""``nasbench proxies``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Zero-cost proxies: scores of architectures that were not trained.")


@app.command("compute")
def compute_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")],
    proxies: Annotated[
        str, typer.Option(help="Names; `nasbench list proxies` has them. By default all.")
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
    from nasbench_suite import registry
    from nasbench_suite.commands.data import progress_bar
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import need_place, need_several
    from nasbench_suite.parsing import counted, split_names
    from nasbench_suite.proxies.computing import (
        Computation,
        choose_architectures,
        compute,
        write_scores,
    )

    if not output.parent.is_dir():
        raise SuiteError(f"There is no folder {str(output.parent)!r}: create it first.")
    names = split_names(proxies) or list(registry.entries("proxies"))
    computation = Computation(
        space, tuple(names), dataset, batch_size, channels, cells, seed, device
    )
    chosen = choose_architectures(space, architectures, seed)
    need_place(output)
    kept = journal or output.with_suffix(".jsonl")
    need_several(the_table=output, the_journal=kept)
    with progress_bar("scoring") as advance:
        for done, total in compute(computation, chosen, kept, jobs):
            advance(done, total)
    count = write_scores(kept, output)
    typer.echo(
        f"{output}: {counted(count, 'architecture')}, {', '.join(names)}; judge them by "
        f"`nasbench predict --scores {output}`."
    )


@app.command("pack")
def pack_command(
    journal: Annotated[Path, typer.Argument(help="File of finished architectures.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write.")],
) -> None:
    """Write what is finished of a computation that goes on, which is a random sample of it."""
    from nasbench_suite.errors import SuiteError
    from nasbench_suite.files.atomic import need_several
    from nasbench_suite.parsing import counted
    from nasbench_suite.proxies.computing import write_scores

    need_several(the_table=output, the_journal=journal)
    if not journal.is_file():
        raise SuiteError(f"There is no journal {journal}: give the one that `compute` keeps.")
    typer.echo(f"{output}: {counted(write_scores(journal, output), 'architecture')}.")
