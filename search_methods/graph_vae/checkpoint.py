"""Checkpoints of trained models: NumPy arrays and a JSON header, and nothing that could run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.errors import SuiteError, choose_from, reason
from nasbench_suite.files import unpacking
from nasbench_suite.files.atomic import replacing
from nasbench_suite.seeding import check_seed

if TYPE_CHECKING:
    from search_methods.graph_vae.base import CellVAE

FORMAT = "nasbench-suite cell VAE"
VERSION = 1

MODELS = ("graph-vae", "sequence-vae", "d-vae", "arch2vec")


@dataclass(frozen=True)
class Training:
    """How a checkpoint came to be.

    Attributes:
        seed: of weights, order and noise.
        recipe: as JSON-able values.
        held_out: share of the classes that was held out, 0 if none.
        split_seed: which they were.
        seconds: processor time of training.
        epochs: passes made.
    """

    seed: int
    recipe: dict[str, Any]
    held_out: float
    split_seed: int
    seconds: float
    epochs: int


def embedded_checkpoint(space: str) -> Path:
    """The checkpoint that comes with the package: a graph VAE of all cells of a space.

    Raises:
        SuiteError: there is none for the space.
    """
    path = Path(str(files("search_methods.graph_vae") / f"{space}.npz"))
    if not path.is_file():
        from search_methods.graph_vae.grammar import GRAMMARS

        none = f"No graph VAE of space {space!r} comes with the package"
        if space not in GRAMMARS:
            raise SuiteError(f"{none}, and none can be trained: do without its latent.")
        raise SuiteError(
            f"{none}: train one with `nasbench vae train --space {space}` and name its file."
        )
    return path


def make_model(name: str, grammar: str, config: dict[str, Any], seed: int = 0) -> CellVAE:
    """An untrained model.

    Raises:
        SuiteError: torch is not installed, there is no such model, space or setting, or an
            impossible seed.
    """
    torch = import_torch()
    check_seed(seed)
    from search_methods.graph_vae.grammar import find_grammar

    if name not in MODELS:
        raise SuiteError(choose_from("model", name, list(MODELS)))
    from search_methods.graph_vae import arch2vec, dvae, model, sequence_vae

    kinds: dict[str, type[CellVAE]] = {
        kind.name: kind
        for kind in (model.GraphVAE, sequence_vae.SequenceVAE, dvae.DVAE, arch2vec.Arch2Vec)
    }
    with torch.random.fork_rng(devices=[]):  # the caller's generator stays where it was
        torch.manual_seed(seed)
        try:
            return kinds[name](find_grammar(grammar), **config)
        except TypeError as error:
            raise SuiteError(f"Model {name!r} has no such setting: {error}.") from None


def import_torch() -> Any:
    """torch, or one sentence on how to get it."""
    try:
        import torch
    except ImportError:
        raise SuiteError(
            "The graph VAE needs PyTorch: install it with `pip install 'nasbench-suite[torch]'`."
        ) from None
    return torch


def save_model(model: CellVAE, training: Training, path: Path) -> None:
    """Write a checkpoint, in one step."""
    header = {
        "format": FORMAT,
        "version": VERSION,
        "model": model.name,
        "grammar": model.grammar.name,
        "operations": list(model.grammar.cell.operations),
        "config": model.config,
        "training": vars(training),
    }
    arrays = {name: value.numpy() for name, value in model.state_dict().items()}
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, __header__=np.array(json.dumps(header)), **arrays)


def load_model(path: str | Path, space: str | None = None) -> tuple[CellVAE, Training]:
    """Read a checkpoint.

    Args:
        path: the file.
        space: the space it is wanted for, if any.

    Raises:
        SuiteError: it is no checkpoint, damaged, of another version or space, was never trained,
            holds weights that are not finite or do not fit its own header, or torch is missing.
    """
    torch = import_torch()
    path = Path(path)
    header, arrays = read_arrays(path)
    if header.get("format") != FORMAT:
        raise SuiteError(
            f"{path} is no checkpoint of a cell VAE: make one with nasbench vae train."
        )
    if header.get("version") != VERSION:
        raise SuiteError(
            f"Checkpoint {path} has version {header.get('version')}, and this is for version "
            f"{VERSION}: train it again."
        )
    try:
        training = Training(**header["training"])
        model = make_model(header["model"], header["grammar"], header["config"])
    except (KeyError, TypeError) as error:
        raise SuiteError(f"The header of checkpoint {path} is incomplete ({error}).") from None
    if space is not None and model.grammar.name != space:
        raise SuiteError(
            f"Checkpoint {path} is for space {model.grammar.name!r}, not for {space!r}: train one "
            f"with `nasbench vae train --space {space}`."
        )
    if header.get("operations") != list(model.grammar.cell.operations):
        raise SuiteError(f"Checkpoint {path} was trained with other operations: train it again.")
    if not training.epochs:
        raise SuiteError(f"Checkpoint {path} was never trained: its weights are random.")
    if not all(np.isfinite(value).all() for value in arrays.values()):
        raise SuiteError(
            f"Checkpoint {path} has weights that are not finite, so its training diverged: train "
            f"it again with a lower learning rate."
        )
    try:
        model.load_state_dict({name: torch.as_tensor(value) for name, value in arrays.items()})
    except RuntimeError as error:
        said = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise SuiteError(f"Checkpoint {path} does not fit its model: {said}") from None
    return model.eval(), training


def read_arrays(
    path: Path, kind: str = "checkpoint", maker: str = "nasbench vae train"
) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """The JSON header of a file of arrays, and the arrays by name.

    Args:
        path: the file.
        kind: what it should be, and
        maker: the command that makes one, as an error says them.

    Raises:
        SuiteError: it is not there, or no such file.
    """
    try:
        arrays = unpacking.read_arrays(path)
        header = json.loads(str(arrays.pop("__header__")))
    except FileNotFoundError:
        raise SuiteError(f"There is no {kind} {path}: make one with {maker}.") from None
    except SuiteError:
        raise
    except Exception as error:  # a damaged archive raises nearly anything
        raise SuiteError(f"{path} is no {kind}, or damaged ({reason(error)}).") from None
    if not isinstance(header, dict):
        raise SuiteError(f"{path} is no {kind}: its header is no JSON object.")
    return header, arrays
