"""Models trained and scored on one split, side by side; resumable model by model."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.analysis.generative import (
    CellReader,
    CellSpace,
    generation,
    score_model,
    smoothness,
    split_by_class,
)
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import write_text
from nasbench_suite.seeding import check_seed, stream
from nasbench_suite.spaces import list_spaces, load_finite_space
from nasbench_suite.tasks.task import config_hash
from search_methods.graph_vae.checkpoint import (
    Training,
    import_torch,
    load_model,
    make_model,
    save_model,
)

if TYPE_CHECKING:
    import pandas as pd

    from search_methods.graph_vae.base import CellVAE
    from search_methods.graph_vae.training import EpochDone, Recipe

Progress = Callable[[str, int, "EpochDone"], None]

SHOWN = {  # column: heading and whether it is a share
    "greedy_string": ("greedy", True),
    "greedy_graph": ("greedy, graph", True),
    "sampled_string": ("10x10", True),
    "sampled_graph": ("10x10, graph", True),
    "sampled_edge": ("edges", True),
    "sampled_node": ("nodes", True),
    "valid": ("valid", True),
    "valid_unmasked": ("valid, no mask", True),
    "valid_unmasked_matched": ("same, matched prior", True),
    "unique_strings": ("unique", True),
    "unique_graphs": ("unique graphs", True),
    "novel_strings": ("novel", True),
    "novel_graphs": ("novel graphs", True),
    "kl": ("KL (nats)", False),
    "active_units": ("active", False),
    "line_edits": ("edits a step", False),
    "seconds": ("training (CPU s)", False),
}


@dataclass(frozen=True)
class Cells:
    """The cells of a split.

    Attributes:
        space: says what is valid and what is isomorphic.
        training: shape (n, edges).
        held_out: shape (m, edges); no twin of it is in ``training``.
    """

    space: CellSpace
    training: NDArray[np.int64]
    held_out: NDArray[np.int64]


def split_cells(
    space: str, held_out: float = 0.1, split_seed: int = 0, count: int = 20_000
) -> Cells:
    """The cells to train on and those held out, split by computation graph.

    Args:
        space: a listed search space, of which all cells are taken, or another kind of cell, of
            which ``count`` different ones are drawn.
        held_out: share of the graphs; 0 holds nothing out.
        split_seed: of the choice, and of the draw.
        count: see ``space``.

    Raises:
        SuiteError: there is no such space, or an impossible share or seed.
    """
    check_seed(split_seed)
    if not 0 <= held_out < 1:
        raise SuiteError(
            f"A share of {held_out} of the cells cannot be held out: give one from 0 on and below "
            f"1."
        )
    from search_methods.graph_vae.grammar import find_grammar

    grammar = find_grammar(space)
    where: Any = grammar
    if space in list_spaces():
        where = load_finite_space(space)
        cells, classes = where.all_vectors.astype(np.int64), where.classes
    else:
        cells = np.unique(grammar.sample(count, np.random.default_rng(split_seed)), axis=0)
        classes = CellReader(grammar).labels(cells)
    if not held_out:
        return Cells(where, cells, cells[:0])
    training, outside = split_by_class(classes, held_out, split_seed)
    return Cells(where, cells[training], cells[outside])


def default_recipe(model: str) -> Recipe:
    """How a model is trained unless told otherwise: as in its paper, or as we found best."""
    from search_methods.graph_vae import arch2vec, dvae
    from search_methods.graph_vae.training import Recipe

    return {"arch2vec": arch2vec.RECIPE, "d-vae": dvae.RECIPE}.get(model, Recipe())


def default_config(model: str, space: str) -> dict[str, Any]:
    """A model's settings unless told otherwise; none are its own defaults.

    DARTS cells have so many paths that a latent which must tell them all has no room left for the
    cell: 68 % greedy reconstruction with the structure head, 99.6 % without, and 100 % with twice
    the units.
    """
    if (model, space) == ("graph-vae", "darts-cell"):
        return {"hidden_dim": 128, "structure_weight": 0.0}
    return {}


def train_model(
    name: str,
    space: str,
    cells: NDArray[np.integer],
    *,
    config: dict[str, Any] | None = None,
    recipe: Recipe | None = None,
    seed: int = 0,
    held_out: float = 0.0,
    split_seed: int = 0,
    progress: Callable[[EpochDone], None] | None = None,
) -> tuple[CellVAE, Training]:
    """Make and train a model.

    Raises:
        SuiteError: torch is missing, a name or setting is unknown, or the training diverged.
    """
    config = default_config(name, space) if config is None else config
    model = make_model(name, space, config, seed)
    from search_methods.graph_vae.training import train

    recipe = recipe or default_recipe(name)
    seconds = train(model, cells, recipe, seed=seed, progress=progress)
    return model, Training(seed, recipe.config, held_out, split_seed, seconds, recipe.epochs)


def compare(
    models: Sequence[str],
    seeds: Sequence[int],
    folder: Path,
    *,
    space: str = "nats-tss",
    held_out: float = 0.1,
    split_seed: int = 0,
    configs: dict[str, dict[str, Any]] | None = None,
    recipes: dict[str, Recipe] | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Train and score every model with every seed on one split.

    What was finished is found again in ``folder``: the same call goes on where it stopped.

    Returns:
        One row a model and seed: ``model``, ``seed``, the columns of ``SHOWN`` and more.
    """
    import pandas as pd

    import_torch()  # before anything is written
    if not held_out:
        raise SuiteError("A comparison needs cells held out: choose a share above 0.")
    cells = split_cells(space, held_out, split_seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in seeds:
        for name in models:
            config = (configs or {}).get(name, default_config(name, space))
            recipe = (recipes or {}).get(name) or default_recipe(name)
            what = {
                "model": name,
                "space": space,
                "held_out": held_out,
                "split_seed": split_seed,
                "seed": seed,
                "config": make_model(name, space, config).config,
                "recipe": recipe.config,
            }
            stem = folder / f"{name}-{seed}-{config_hash(what)[:8]}"
            done = stem.with_suffix(".json")
            if not done.is_file():
                model, training = train_model(
                    name,
                    space,
                    cells.training,
                    config=config,
                    recipe=recipe,
                    seed=seed,
                    held_out=held_out,
                    split_seed=split_seed,
                    progress=None if progress is None else _of(progress, name, seed),
                )
                save_model(model, training, stem.with_suffix(".npz"))
                figures = score(model, cells, seed)
                row = {**what, **figures, "seconds": training.seconds}
                write_text(done, json.dumps(row, indent=1))
            rows.append(json.loads(done.read_text()))
    return pd.DataFrame(rows)


def _of(progress: Progress, name: str, seed: int) -> Callable[[EpochDone], None]:
    return lambda epoch: progress(name, seed, epoch)


def score_file(path: Path, seed: int = 0) -> dict[str, Any]:
    """The figures of a checkpoint on the split it was trained with.

    Raises:
        SuiteError: it cannot be read, nothing was held out when it was trained, or an impossible
            seed.
    """
    check_seed(seed)
    model, training = load_model(path)
    if not training.held_out:
        raise SuiteError(
            f"Checkpoint {path} was trained on all cells: nothing was held out to score it on."
        )
    cells = split_cells(model.grammar.name, training.held_out, training.split_seed)
    figures = score(model, cells, seed)
    return {"model": model.name, "seed": training.seed, **figures, "seconds": training.seconds}


def score(model: CellVAE, cells: Cells, seed: int = 0) -> dict[str, float]:
    """All figures of a model, flat; shares from 0 to 1.

    Reconstruction and ``valid`` are under the mask; ``_unmasked`` are without it, ``_matched``
    with the prior fitted to the moments of the training cells' means, as D-VAE and arch2vec
    report theirs. ``_types`` looks at operations alone, as arch2vec's code does.
    """
    from search_methods.graph_vae.arch2vec import Arch2Vec

    found = score_model(model, cells.space, cells.training, cells.held_out, seed=seed)
    figures: dict[str, float] = {
        f"{kind}_{name}": value
        for kind, part in (("greedy", found.greedy), ("sampled", found.sampled))
        for name, value in dataclasses.asdict(part).items()
    }
    figures |= dataclasses.asdict(found.generation)
    figures |= {
        "kl": found.latent.kl,
        "active_units": found.latent.active_units,
        "dimensions": found.latent.dimensions,
    }
    reader = CellReader(cells.space)
    walk = smoothness(model, reader, cells.held_out, rng=stream(seed, "lines"), paths=50, steps=40)
    figures |= {"line_edits": walk.edit_distance, "line_excess": walk.excess_edits}
    model.masked = False
    try:
        for suffix, prior in (("", None), ("_matched", cells.training)):
            model.match_prior(prior)
            drawn = generation(model, reader, cells.training, rng=stream(seed, "unmasked"))
            figures[f"valid_unmasked{suffix}"] = drawn.valid
            figures[f"unique_unmasked{suffix}"] = drawn.unique_strings
            if isinstance(model, Arch2Vec):
                model.check_edges = False
                figures[f"valid_types{suffix}"] = generation(
                    model, reader, cells.training, rng=stream(seed, "unmasked")
                ).valid
                model.check_edges = True
    finally:
        model.masked = True
        model.match_prior(None)
    return figures


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over seeds, as text: a row a model, columns as in ``SHOWN``."""
    import pandas as pd

    lines = []
    for name, group in rows.groupby("model", sort=False):
        line = {"model": name, "seeds": str(len(group))}
        for column, (heading, is_share) in SHOWN.items():
            values = group[column].to_numpy(dtype=float) * (100 if is_share else 1)
            digits = 2 if is_share or column.startswith("line") else 1
            text = f"{values.mean():.{digits}f}"
            line[heading] = f"{text} ± {values.std(ddof=1):.{digits}f}" if len(values) > 1 else text
        lines.append(line)
    return pd.DataFrame(lines)
