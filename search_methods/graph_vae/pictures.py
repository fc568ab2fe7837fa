"""Pictures of a latent space: where accuracy and latency lie, lines through it, a front found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite import load_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import replacing
from nasbench_suite.parsing import counted
from nasbench_suite.seeding import check_seed
from search_methods.graph_vae.checkpoint import embedded_checkpoint, load_model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from nasbench_suite.benchmarks.table import Benchmark

Floats = NDArray[np.float64]

_LINES = 4
_CELLS = 5  # drawn along a line
_STEPS = 200


def draw_all(
    folder: Path,
    benchmark: str,
    dataset: str | None = None,
    latency: str | None = None,
    checkpoint: Path | None = None,
    seed: int = 0,
) -> list[Path]:
    """Write ``latent.png``, ``lines.png`` and ``front.png`` into a folder.

    Args:
        folder: where to; made if it does not exist.
        benchmark: name or file of a benchmark of cells.
        dataset: whose accuracy; may be left out if there is one alone.
        latency: metric of the second objective; by default the first latency there is.
        checkpoint: of a model; by default the graph VAE that comes with the package.
        seed: of the lines, and of the search for the front.

    Raises:
        SuiteError: the benchmark or the checkpoint cannot be used, it has no latency, or an
            impossible seed.
    """
    from nasbench_suite.tasks import make_task

    check_seed(seed)
    table = load_benchmark(benchmark)
    latencies = [name for name, m in table.metrics.items() if m.quantity == "latency"]
    if latency is None and not latencies:
        raise SuiteError(
            f"Benchmark {table.name!r} has no latency to draw: name a metric with --latency."
        )
    second = latency or latencies[0]
    task = make_task(table, dataset, objectives=[second])
    path = checkpoint or embedded_checkpoint(table.space.name)
    model, _ = load_model(path, table.space.name)
    means = np.asarray(model.encode(table.space.all_vectors)[0], dtype=np.float64)
    functional = getattr(model, "functional", None)
    said = None if functional is None else np.asarray(functional(means))
    judged_by = task.objectives[0].judged_by
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "latent.png": draw_latent(means, said, table, judged_by, second),
        "lines.png": draw_lines(model, means, table, judged_by, seed),
        "front.png": draw_front(task, str(checkpoint or ""), seed),
    }
    written = []
    for name, figure in figures.items():
        with replacing(folder / name) as partial:
            figure.savefig(partial, format="png", dpi=150)
        written.append(folder / name)
    return written


def draw_latent(
    means: Floats, said: Floats | None, table: Benchmark, accuracy: str, latency: str
) -> Figure:
    """The two main directions of the latent, and of its functional part, coloured by figures.

    Args:
        means: latents of all architectures, shape (size, dimensions).
        said: what a structure head says of them, shape (size, anything); None if there is none.
        table: where the figures are.
        accuracy: metric of the left column.
        latency: metric of the right column.
    """
    from matplotlib.figure import Figure

    rows = [("latent", means)] + ([("functional part", said)] if said is not None else [])
    figure = Figure(figsize=(9.0, 4.0 * len(rows)), layout="constrained")
    grid = figure.subplots(len(rows), 2, squeeze=False)
    for (title, features), axes in zip(rows, grid, strict=True):
        plane, share = _main_plane(features)
        for metric, ax in zip((accuracy, latency), axes, strict=True):
            values = table.values(metric)
            low, high = np.quantile(values, [0.1, 0.99])  # the few worst take all the colours
            dots = ax.scatter(*plane.T, c=values, s=2, vmin=low, vmax=high, rasterized=True)
            figure.colorbar(dots, ax=ax, label=f"{metric} ({table.metric(metric).unit})")
            ax.set(title=f"{title}: {share:.0%} of its variance", xticks=[], yticks=[])
            ax.spines[["top", "right", "left", "bottom"]].set_visible(False)
    return figure


def _main_plane(features: Floats) -> tuple[Floats, float]:
    """Coordinates in the two directions of largest variance, and their share of it."""
    centred = features - features.mean(axis=0)
    _, scales, directions = np.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:2].T, float((scales[:2] ** 2).sum() / (scales**2).sum())


def draw_lines(model: Any, means: Floats, table: Benchmark, accuracy: str, seed: int) -> Figure:
    """Cells on straight lines between random pairs, each with its accuracy.

    A row is a line; of the different cells on it, a few at even distances are drawn.
    """
    from matplotlib.figure import Figure

    space, rng = table.space, np.random.default_rng(seed)
    values = table.values(accuracy)
    figure = Figure(figsize=(4.6 * _CELLS, 2.6 * _LINES), layout="constrained")
    grid = figure.subplots(_LINES, _CELLS, squeeze=False)
    connected = np.flatnonzero(space.connected)
    for axes in grid:
        first, last = means[rng.choice(connected, 2, replace=False)]
        steps = first + np.linspace(0, 1, _STEPS)[:, None] * (last - first)
        decoded = model.decode(steps)
        cells = space.indices(decoded[(decoded >= 0).all(axis=1)])
        changes = np.flatnonzero(np.diff(cells, prepend=-1))
        shown = changes[np.unique(np.linspace(0, len(changes) - 1, _CELLS).round().astype(int))]
        for place, ax in zip(shown.tolist(), axes, strict=False):
            index = int(cells[place])
            space.draw(index, ax)
            ax.set_title(f"{place / (_STEPS - 1):.0%}: {values[index]:.2f}", fontsize="medium")
        for ax in axes[len(shown) :]:
            ax.remove()
    return figure


def draw_front(task: Any, model: str, seed: int) -> Figure:
    """The front of one search with the task's budget, against the true one, as reported."""
    from matplotlib.figure import Figure

    from nasbench_suite.runner import Trial
    from search_methods.graph_vae_search import GraphVAESearch

    trial = Trial(task, GraphVAESearch(model=model), seed)
    trial.advance()
    record, measure = trial.result().record, task.measure
    signs = [task.orientation(objective.signal) for objective in task.objectives]
    positions, volumes = measure.anytime(record.architectures, -record.signals * signs)
    members = measure.history(record.architectures, -record.signals * signs)[-1][1]
    everything = task.reported(np.flatnonzero(measure.eligible))
    found = task.reported(record.architectures[members])
    true = task.reported(measure.front)
    names = [objective.judged_by for objective in task.objectives]
    figure = Figure(figsize=(6.5, 4.5), layout="constrained")
    ax = figure.subplots()
    ax.scatter(everything[:, 1], everything[:, 0], s=1, color="0.8", label="all", rasterized=True)
    true, found = true[np.argsort(true[:, 1])], found[np.argsort(found[:, 1])]
    ax.step(true[:, 1], true[:, 0], where="post", color="#222222", linewidth=1.2)
    ax.plot(true[:, 1], true[:, 0], "o", color="#222222", markersize=3, label="true front")
    # Chosen by validation, shown at test: it need not rise from left to right.
    ax.plot(found[:, 1], found[:, 0], "s", color="#D55E00", markersize=4, label="found")
    spread = np.ptp(true[:, 0])
    ax.set_ylim(true[:, 0].min() - 0.3 * spread, true[:, 0].max() + 0.08 * spread)
    ax.set(
        xlabel=f"{names[1]} ({task.benchmark.metric(names[1]).unit})",
        ylabel=f"{names[0]} ({task.benchmark.metric(names[0]).unit})",
        title=f"{task.name}: {counted(len(record.architectures), 'evaluation')}, "
        f"hypervolume {volumes[-1] if len(positions) else 0:.4f}",
    )
    ax.legend(frameon=False, loc="lower right")
    ax.spines[["top", "right"]].set_visible(False)
    return figure
