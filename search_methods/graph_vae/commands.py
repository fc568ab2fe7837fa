"""``nasbench vae``: train, score, compare and picture auto-encoders of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nasbench_suite.commands.options import Seeds

if TYPE_CHECKING:
    from search_methods.graph_vae.training import EpochDone

app = typer.Typer(help="Auto-encoders of cells: train, score, compare and picture them.")

_Space = Annotated[str, typer.Option(help="Kind of cell: nats-tss or darts-cell.")]
_HeldOut = Annotated[float, typer.Option(help="Share of the computation graphs to hold out.")]
_Split = Annotated[int, typer.Option(help="Seed of the split.")]


class Form(StrEnum):
    """How figures are printed."""

    TERMINAL = "terminal"
    MARKDOWN = "markdown"
    JSON = "json"


@app.command("train")
def train_command(
    output: Annotated[Path, typer.Argument(help="Checkpoint to write (.npz).")],
    model: Annotated[
        str, typer.Option(help="graph-vae, sequence-vae, d-vae or arch2vec.")
    ] = "graph-vae",
    space: _Space = "nats-tss",
    seed: Annotated[int, typer.Option(help="Of weights, order and noise.")] = 0,
    held_out: _HeldOut = 0.0,
    split_seed: _Split = 0,
    epochs: Annotated[int | None, typer.Option(help="Passes over the cells.")] = None,
    beta: Annotated[float | None, typer.Option(help="Weight of the KL divergence.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Of Adam.")] = None,
) -> None:
    """Train a model on the cells of a space, without any accuracy, into a checkpoint."""
    import dataclasses

    from nasbench_suite.files.atomic import need_folder
    from search_methods.graph_vae.checkpoint import import_torch, make_model, save_model
    from search_methods.graph_vae.comparison import default_recipe, split_cells, train_model

    import_torch()
    need_folder(output)
    make_model(model, space, {}, seed)  # what is wrong is said before anything is trained
    usual = default_recipe(model)
    recipe = dataclasses.replace(
        usual,
        epochs=usual.epochs if epochs is None else epochs,
        beta=usual.beta if beta is None else beta,
        learning_rate=usual.learning_rate if learning_rate is None else learning_rate,
    )
    cells = split_cells(space, held_out, split_seed)
    with _bars() as advance:
        trained, training = train_model(
            model,
            space,
            cells.training,
            recipe=recipe,
            seed=seed,
            held_out=held_out,
            split_seed=split_seed,
            progress=lambda epoch: advance(model, seed, epoch),
        )
    save_model(trained, training, output)
    typer.echo(
        f"Trained {model} on {len(cells.training):,} cells in {training.seconds:.0f} s of "
        f"processor time: {output}."
    )


@app.command("embed")
def embed_command(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint of cells that can be listed.")],
) -> None:
    """Write the latents of all cells beside a checkpoint: `graph-vae` then needs no torch."""
    from search_methods.graph_vae.embedding import embed

    typer.echo(f"Embedded: {embed(checkpoint)}.")


@app.command("score")
def score_command(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint with cells held out.")],
    seed: Annotated[int, typer.Option(help="Of all draws.")] = 0,
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TERMINAL,
) -> None:
    """Reconstruction, validity, uniqueness, novelty and use of the latent of a checkpoint."""
    import pandas as pd

    from search_methods.graph_vae.comparison import score_file

    _print(pd.DataFrame([score_file(checkpoint, seed)]), form)


@app.command("compare")
def compare_command(
    folder: Annotated[Path, typer.Argument(help="Where checkpoints and figures are kept.")],
    models: Annotated[
        str, typer.Option(help="Models, as name,name.")
    ] = "graph-vae,sequence-vae,d-vae,arch2vec",
    seeds: Seeds = "0-4",
    space: _Space = "nats-tss",
    held_out: _HeldOut = 0.1,
    split_seed: _Split = 0,
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TERMINAL,
) -> None:
    """Train and score models on one split; killed, the same command goes on."""
    from nasbench_suite.parsing import given_names, parse_seeds
    from search_methods.graph_vae.comparison import compare

    with _bars() as advance:
        rows = compare(
            given_names(models) or (),
            parse_seeds(seeds),
            folder,
            space=space,
            held_out=held_out,
            split_seed=split_seed,
            progress=advance,
        )
    _print(rows, form)


@app.command("plot")
def plot_command(
    folder: Annotated[Path, typer.Argument(help="Folder for the pictures.")],
    benchmark: Annotated[str, typer.Option(help="Name or file of a benchmark.")] = "digits",
    dataset: Annotated[
        str | None, typer.Option(help="Data set; may be left out if there is one alone.")
    ] = None,
    latency: Annotated[
        str | None, typer.Option(help="Metric for the latency; by default the first one.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Checkpoint; by default the one that comes along.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the lines and the search.")] = 0,
) -> None:
    """Draw the latent space, cells along lines in it, and a front that a search finds."""
    from search_methods.graph_vae.pictures import draw_all

    for path in draw_all(folder, benchmark, dataset, latency, checkpoint, seed):
        typer.echo(f"Drew {path}.")


@contextmanager
def _bars() -> Iterator[Callable[[str, int, EpochDone], None]]:
    """A progress bar a model and seed, with its losses, on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} epochs"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[losses]}"),
    )
    bars: dict[tuple[str, int], Any] = {}
    with Progress(*columns, console=Console(stderr=True, markup=False)) as progress:

        def advance(model: str, seed: int, epoch: EpochDone) -> None:
            if (model, seed) not in bars:
                bars[model, seed] = progress.add_task(
                    f"{model}, seed {seed}", total=epoch.epochs, losses=""
                )
            losses = f"reconstruction {epoch.reconstruction:.3f}, KL {epoch.kl:.1f} nats"
            progress.update(bars[model, seed], completed=epoch.epoch, losses=losses)

        yield advance


def _print(rows: Any, form: Form) -> None:
    from search_methods.graph_vae.comparison import summary

    if form is Form.JSON:
        typer.echo(rows.to_json(orient="records", indent=1))
        return
    table = summary(rows).set_index("model").T
    if form is Form.MARKDOWN:
        names = list(table.columns)
        typer.echo("| | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
        for heading, values in zip(table.index, table.to_numpy().tolist(), strict=True):
            typer.echo(f"| {heading} | " + " | ".join(values) + " |")
        return
    from nasbench_suite.commands.printing import print_table

    rows = zip(table.index, table.to_numpy().tolist(), strict=True)
    print_table(("", *table.columns), [(str(heading), *cells) for heading, cells in rows])
