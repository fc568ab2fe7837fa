"""What can be seen of a search from inside: activation variances, and the curvature in α."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search_methods.supernet.cell import cells_of
from search_methods.supernet.hooks import forward_hooks

_LANCZOS_VECTORS = 8


@dataclass
class Variances:
    """Activation variances of every cell that a forward pass went through, in its order.

    A variance is over batch and space, averaged over channels.

    Attributes:
        edges: for each cell the variance that every edge carries, in the order of the layout's
            edges; 0 for an edge that carries nothing.
        nodes: for each cell the variance of every node behind the inputs.
    """

    edges: list[list[float]] = field(default_factory=list)
    nodes: list[list[float]] = field(default_factory=list)

    def edge_values(self) -> NDArray[np.float64]:
        """Shape (cells, edges)."""
        return np.array(self.edges, dtype=np.float64)

    def node_values(self) -> NDArray[np.float64]:
        """Shape (cells, nodes behind the inputs)."""
        return np.array(self.nodes, dtype=np.float64)


def variance(x: Tensor | None) -> float:
    """Over batch and space, averaged over channels; 0 for nothing."""
    return 0.0 if x is None else float(x.detach().float().var((0, 2, 3), correction=0).mean())


@contextmanager
def record_variances(network: nn.Module) -> Iterator[Variances]:
    """Record activation variances of all forward passes inside, by hooks."""
    found = Variances()
    hooks: list[tuple[nn.Module, Callable[..., None]]] = []
    for cell in cells_of(network):
        edges, nodes = [0.0] * len(cell.layout.edges), [0.0] * len(cell.nodes)
        found.edges.append(edges)
        found.nodes.append(nodes)
        for source, mixed in enumerate(cell.mixed):
            places = [e for e, (start, _) in enumerate(cell.layout.edges) if start == source]
            hooks.append((mixed, partial(_note_variances, edges, places)))
        hooks += [
            (node, partial(_note_variance, nodes, place)) for place, node in enumerate(cell.nodes)
        ]
    with forward_hooks(hooks):
        yield found


def _note_variances(
    noted: list[float], places: Sequence[int], _: nn.Module, __: Any, carried: list[Tensor | None]
) -> None:
    """Keep the variance of what each edge from a node carries, at the place of the edge."""
    for place, message in zip(places, carried, strict=True):
        noted[place] = variance(message)


def _note_variance(noted: list[float], place: int, _: nn.Module, __: Any, node: Tensor) -> None:
    """Keep the variance of a node at its place."""
    noted[place] = variance(node)


def hessian_product(loss: Tensor, parameters: Sequence[Tensor]) -> Callable[[Tensor], Tensor]:
    """The function v -> H v, with H the Hessian of ``loss`` in all ``parameters`` together."""
    gradients = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
    flat = torch.cat([gradient.flatten() for gradient in gradients])

    def product(vector: Tensor) -> Tensor:
        products = torch.autograd.grad(
            flat @ vector, parameters, retain_graph=True, materialize_grads=True
        )
        return torch.cat([part.flatten() for part in products]).detach()

    return product


def dominant_eigenvalue(
    loss: Callable[[], Tensor], parameters: Sequence[Tensor], tolerance: float = 1e-3
) -> float:
    """The largest eigenvalue of the Hessian of ``loss`` in ``parameters``.

    By implicitly restarted Lanczos iteration (ARPACK) on Hessian-vector products, so the Hessian
    is never formed. Zela et al., *Understanding and Robustifying Differentiable Architecture
    Search*, ICLR 2020, section 4, follow it over a search as a sign of sharp minima.

    Args:
        loss: computes it anew, differentiable twice.
        parameters: in which to differentiate.
        tolerance: relative accuracy.
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    value = loss()
    product = hessian_product(value, parameters)
    size = sum(parameter.numel() for parameter in parameters)

    def multiply(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        torch_vector = torch.as_tensor(vector.ravel(), dtype=value.dtype, device=value.device)
        return product(torch_vector).double().numpy(force=True)

    operator = LinearOperator((size, size), matvec=multiply, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=size)
    (eigenvalue,) = eigsh(
        operator,
        k=1,
        which="LA",
        v0=start,
        ncv=min(size, _LANCZOS_VECTORS),
        tol=tolerance,
        return_eigenvectors=False,
    )
    return float(eigenvalue)
