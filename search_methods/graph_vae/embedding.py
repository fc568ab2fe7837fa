"""The embedding of a whole space as arrays, so that a search needs neither torch nor the model.

Where a space can be listed, all that a search asks of a trained model is the latent of each
architecture. These are kept in half precision beside the checkpoint they were made with, whose
digest they carry: 15,625 cells in less than a megabyte.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import replacing
from nasbench_suite.spaces import load_finite_space
from search_methods.graph_vae.checkpoint import embedded_checkpoint, read_arrays

if TYPE_CHECKING:
    from search_methods.graph_vae.base import CellVAE

Array = NDArray[np.float64]

FORMAT = "nasbench-suite embedding"
VERSION = 1
SUFFIX = ".embedding.npz"


@dataclass(frozen=True)
class Embedding:
    """What a model says of every architecture of a space.

    Attributes:
        latents: posterior means, shape (size, latent dimensions).
        functional: the linear part of them that is about function (``GraphVAE.functional``),
            shape (size, targets of the structure head); no columns for a model without the head.
    """

    latents: Array
    functional: Array


def load_embedding(space: str, model: str = "") -> Embedding:
    """The embedding of a space by a model.

    Read from the arrays where they are at hand; computed from the weights, which needs torch,
    where there is a checkpoint alone.

    Args:
        space: name of the space.
        model: file of arrays, or a checkpoint, whose arrays are looked for beside it; by default
            what comes with the package.

    Raises:
        SuiteError: there is none for the space, it cannot be used, the arrays beside a checkpoint
            were not made with it, or torch is needed and missing.
    """
    return _load(space, model or str(embedded_checkpoint(space)))


@cache
def _load(space: str, model: str) -> Embedding:
    path = Path(model)
    arrays = path if path.name.endswith(SUFFIX) else arrays_beside(path)
    if path != arrays and not arrays.is_file():
        return _computed(space, path)
    header, content = read_arrays(arrays, "embedding", "nasbench vae embed CHECKPOINT")
    _check(header, content, arrays, space)
    if path != arrays and header["checkpoint"] != digest(path):
        raise SuiteError(
            f"The embedding {arrays} was not made with the checkpoint {path} beside it: make it "
            f"anew with `nasbench vae embed {path}`, or delete it."
        )
    latents = content["latents"].astype(np.float64)
    functional = latents @ content["structure_weight"].T + content["structure_bias"]
    for part in (latents, functional):
        part.setflags(write=False)
    return Embedding(latents, functional)


def arrays_beside(checkpoint: Path) -> Path:
    """Where the arrays made with a checkpoint are kept."""
    return checkpoint.with_name(checkpoint.name.removesuffix(".npz") + SUFFIX)


def digest(checkpoint: Path) -> str:
    """SHA-256 of a checkpoint's weights, by name, whatever way they are compressed.

    Raises:
        SuiteError: it cannot be read.
    """
    _, arrays = read_arrays(checkpoint)
    content = hashlib.sha256()
    for name in sorted(arrays):
        content.update(f"{name} {arrays[name].dtype} {arrays[name].shape} ".encode())
        content.update(np.ascontiguousarray(arrays[name]).tobytes())
    return content.hexdigest()


def embed(checkpoint: Path) -> Path:
    """Write the embedding of all architectures by a checkpoint beside it; needs torch.

    Returns:
        The file written.

    Raises:
        SuiteError: the checkpoint cannot be used, its cells cannot be listed, or torch is missing.
    """
    from search_methods.graph_vae.checkpoint import load_model

    model, _ = load_model(checkpoint)
    space = load_finite_space(model.grammar.name)
    latents, weight, bias = _by_model(model, space.all_vectors)
    header = {
        "format": FORMAT,
        "version": VERSION,
        "space": space.name,
        "checkpoint": digest(checkpoint),
    }
    path = arrays_beside(checkpoint)
    with replacing(path) as partial, partial.open("wb") as file:
        np.savez_compressed(
            file,
            __header__=np.array(json.dumps(header)),
            latents=latents.astype(np.float16),
            structure_weight=weight,
            structure_bias=bias,
        )
    return path


def _computed(space: str, checkpoint: Path) -> Embedding:
    """By the weights; rounded as the arrays are, so that a search is the same by either."""
    from search_methods.graph_vae.checkpoint import load_model

    model, _ = load_model(checkpoint, space)
    means, weight, bias = _by_model(model, load_finite_space(space).all_vectors)
    latents = means.astype(np.float16).astype(np.float64)
    return Embedding(latents, latents @ weight.T + bias)


def _by_model(model: CellVAE, cells: NDArray[np.integer]) -> tuple[NDArray[Any], ...]:
    """Means of the posteriors, on one thread, and the structure head: its weight and bias."""
    from search_methods.graph_vae.checkpoint import import_torch
    from search_methods.graph_vae.model import GraphVAE

    torch = import_torch()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # another number could add in another order
    try:
        means, _ = model.encode(cells)
    finally:
        torch.set_num_threads(threads)
    if not isinstance(model, GraphVAE):
        return means, np.zeros((0, means.shape[1]), np.float32), np.zeros(0, np.float32)
    head = model.structure
    return means, head.weight.detach().numpy(), head.bias.detach().numpy()


def _check(header: dict[str, Any], content: dict[str, Any], path: Path, space: str) -> None:
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        raise SuiteError(
            f"{path} is no embedding of version {VERSION}: make one with `nasbench vae embed`."
        )
    if header.get("space") != space:
        raise SuiteError(
            f"Embedding {path} is of space {header.get('space')!r}, not of {space!r}: train a "
            f"model with `nasbench vae train --space {space}`."
        )
    size = load_finite_space(space).size
    shapes = [content[name].shape for name in _PARTS if name in content]
    fits = len(shapes) == len(_PARTS) and [len(shape) for shape in shapes] == [2, 2, 1]
    if not fits or shapes[0] != (size, shapes[1][1]) or shapes[1][0] != shapes[2][0]:
        raise SuiteError(
            f"Embedding {path} does not hold one latent for each of the {size:,} architectures: "
            f"make it anew with `nasbench vae embed`."
        )
    if not all(np.isfinite(content[name]).all() for name in _PARTS):
        raise SuiteError(
            f"Embedding {path} has latents that are not finite: make it anew with "
            f"`nasbench vae embed`."
        )


_PARTS = ("latents", "structure_weight", "structure_bias")
