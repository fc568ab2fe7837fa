"""``nasbench supernet``: what differentiable methods are examined with beside a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer(help="Supernets: variance drift of mixtures, and trainings of DARTS cells.")

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
    from nasbench_suite.commands.printing import print_frame

    print_frame(frame)
