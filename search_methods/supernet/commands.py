"""``nasbench supernet``: what differentiable methods are examined with beside a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Supernets: variance drift of mixtures, searches in the DARTS subspaces.")

_Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


@app.command("drift")
def drift(
    draws: Annotated[int, typer.Option(help="Draws of mixtures for each sharpness.")] = 50,
    seed: Annotated[int, typer.Option(help="Of the draws.")] = 0,
    as_csv: _Csv = False,
) -> None:
    """Measure the variance of Σ β o(x) and of Σ √β o(x) as the mixture sharpens."""
    from nasbench_suite.errors import need_package

    need_package("A supernet", "torch", "torch")
    from search_methods.supernet.drift import variance_drift

    _print(variance_drift(draws, seed), as_csv)


@app.command("subspaces")
def subspaces(
    methods: Annotated[str, typer.Option(help="Differentiable methods, as for `nasbench run`.")],
    journal: Annotated[
        Path, typer.Option(help="File of finished searches; the same command again goes on.")
    ],
    spaces: Annotated[str, typer.Option(help="Of darts, s1, s2, s3, s4.")] = "s1,s2,s3,s4",
    seeds: Annotated[str, typer.Option(help="As 0-2 or 0,1.")] = "0-2",
    channels: Annotated[int, typer.Option(help="Channels of the first cells.")] = 8,
    cells: Annotated[int, typer.Option(help="Number of cells.")] = 5,
    train_epochs: Annotated[
        int, typer.Option(help="Epochs of the derived network; 0 to derive alone.")
    ] = 50,
    images: Annotated[
        str, typer.Option(help="Data set, such as cifar10 or cifar10[images=8000].")
    ] = "digits",
    as_csv: _Csv = False,
) -> None:
    """Search the DARTS space or its subspaces, and train what was derived at the same size."""
    from nasbench_suite.errors import SuiteError, need_package

    need_package("A supernet", "torch", "torch")
    from rich.progress import Progress

    from nasbench_suite.parsing import parse_seeds, split_names
    from search_methods.supernet.subspaces import read_journal, search_subspaces

    if not journal.parent.is_dir():
        raise SuiteError(f"There is no folder {str(journal.parent)!r}: create it first.")
    searches = search_subspaces(
        methods,
        split_names(spaces),
        parse_seeds(seeds),
        journal,
        channels=channels,
        cells=cells,
        train_epochs=train_epochs,
        images=images,
    )
    with Progress() as progress:
        bar = progress.add_task("searching", total=None)
        for done, total in searches:
            progress.update(bar, completed=done, total=total)
    import pandas as pd

    frame = pd.DataFrame(read_journal(journal))
    grouped = frame.groupby(["space", "method"], sort=False)["test_accuracy"]
    _print(grouped.agg(["count", "mean", "std", "min", "max"]).reset_index(), as_csv)


@app.command("evaluate")
def evaluate(
    genotype: Annotated[str, typer.Argument(help="A pair of DARTS cells, as they are written.")],
    images: Annotated[str, typer.Option(help="Data set, such as cifar10.")] = "cifar10",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Kept after every epoch; the same command goes on.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the training.")] = 0,
    epochs: Annotated[int, typer.Option(help="Passes over the training images.")] = 600,
    batch_size: Annotated[int, typer.Option(help="Images a step.")] = 96,
    channels: Annotated[int, typer.Option(help="Channels of the first cells.")] = 36,
    cells: Annotated[int, typer.Option(help="Number of cells.")] = 20,
    auxiliary: Annotated[float, typer.Option(help="Weight of the auxiliary head; 0: none.")] = 0.4,
    drop_path: Annotated[float, typer.Option(help="Probability in the last epoch.")] = 0.2,
    cutout: Annotated[int, typer.Option(help="Side of the square cut out; 0: none.")] = 16,
    device: Annotated[str, typer.Option(help="Such as cpu or cuda.")] = "cpu",
) -> None:
    """Train a pair of DARTS cells from scratch by the protocol of DARTS and VS-DARTS."""
    from nasbench_suite.errors import need_package

    need_package("A training", "torch", "torch")
    from search_methods.supernet.evaluation import Evaluation, evaluate_cells

    protocol = Evaluation(
        epochs=epochs,
        batch_size=batch_size,
        channels=channels,
        cells=cells,
        auxiliary=auxiliary,
        drop_path=drop_path,
        cutout=cutout,
        device=device,
    )
    for now in evaluate_cells(genotype, images, protocol, seed=seed, checkpoint=checkpoint):
        typer.echo(
            f"epoch {now.epoch} of {epochs}: training loss {now.train_loss:.4f}, test accuracy "
            f"{now.test_accuracy:.2f} %, {now.parameters:,} parameters"
        )


def _print(frame: pd.DataFrame, as_csv: bool) -> None:
    if as_csv:
        typer.echo(frame.to_csv(index=False, lineterminator="\n"), nl=False)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        table.add_column(str(name), justify="left" if frame[name].dtype == object else "right")
    for row in frame.itertuples(index=False):
        table.add_row(*(f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row))
    Console(markup=False, highlight=False).print(table)
