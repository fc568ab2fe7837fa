"""The cell of a supernet: candidates mixed on every edge, edges summed in every node."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.spaces.cells import NONE, Cell
from search_methods.supernet.operations import OPERATIONS, Operation, normalise, skip


@dataclass(frozen=True)
class Mix:
    """How the candidates of a cell are mixed.

    Attributes:
        operations: the weight of every candidate, shape (edges, candidates).
        edges: a weight of every edge (PC-DARTS), shape (edges,); None for ones.
        active: which candidates to compute at all, shape (edges, candidates); None for all.
            What is not active counts as zero, whatever its weight.
        constants: what is added to every pixel of what an edge carries, shape (edges,); None for
            nothing. It is zero in all that is published, and there for its gradient (GDAS).
        auxiliary: the weight of the auxiliary skip connection on every edge of a cell that has
            one (DARTS-).
    """

    operations: Tensor
    edges: Tensor | None = None
    active: NDArray[np.bool_] | None = None
    constants: Tensor | None = None
    auxiliary: float = 0.0


def single_path(choice: Sequence[int], like: Tensor) -> Mix:
    """The mix in which each edge has one candidate, with weight one, or (-1) nothing."""
    hard = torch.zeros_like(like)
    for edge, candidate in enumerate(choice):
        if candidate >= 0:
            hard[edge, candidate] = 1.0
    return Mix(hard, active=hard.numpy(force=True) > 0)


def discretise(strength: Tensor, layout: Cell, allow_none: bool = True) -> list[int]:
    """The strongest candidate of every edge, the first of equals; -1 where the edge is dropped.

    Where a layout keeps some edges of each node alone, these are the edges whose strongest
    candidate other than ``none`` is strongest (DARTS, section 2.4).

    Args:
        strength: shape (edges, candidates).
        layout: of the cell.
        allow_none: whether ``none`` may be derived, where all edges are kept.
    """
    values = strength.numpy(force=True).astype(np.float64)
    if not allow_none or layout.kept is not None:
        banned = np.array([[name == NONE for name in names] for names in layout.candidates])
        values = np.where(banned, -np.inf, values)
    choice = [int(place) for place in values.argmax(axis=1)]
    if layout.kept is not None:
        targets = np.array([target for _, target in layout.edges])
        for target in range(layout.inputs, layout.nodes):
            edges = np.flatnonzero(targets == target)
            order = np.argsort(-values[edges].max(axis=1), kind="stable")
            for edge in edges[order[layout.kept :]]:
                choice[edge] = -1
    return choice


class Source:
    """What the operations on the edges of one node read: the node, and the node behind a ReLU.

    Args:
        node: shape (batch, channels, height, width).
    """

    def __init__(self, node: Tensor) -> None:
        self.node = node
        self._rectified: Tensor | None = None

    def rectified(self) -> Tensor:
        """The node behind a ReLU, computed once for all operations that rectify."""
        if self._rectified is None:
            self._rectified = F.relu(self.node)
        return self._rectified


class EdgeSums:
    """What each of several edges carries: a sum that begins with nothing (None)."""

    def __init__(self, edges: int) -> None:
        self.carried: list[Tensor | None] = [None] * edges

    def add(self, places: Iterable[int], parts: Iterable[Tensor]) -> None:
        """Add one part to each of the edges at ``places``."""
        for place, part in zip(places, parts, strict=True):
            present = self.carried[place]
            self.carried[place] = part if present is None else present + part


@dataclass(frozen=True)
class Active:
    """Where an operation is to be computed among the edges that leave one node.

    Attributes:
        numbers: of the edges, among those that have the operation.
        places: of the same edges, among all that leave the node.
        candidates: the operation's place among the candidates of each of them.
    """

    numbers: list[int]
    places: list[int]
    candidates: list[int]

    def scales(self, weights: Tensor) -> Tensor:
        """The operation's weight on each of the edges, shape (edges computed,).

        Args:
            weights: of all candidates on all edges that leave the node, (edges, candidates).
        """
        if len(self.places) == len(weights) and len(set(self.candidates)) == 1:
            return weights[:, self.candidates[0]]  # a view, where a look-up would copy
        return weights[self.places, self.candidates]


class MixedOperations(nn.Module):
    """The mixed operations on all edges that leave one node.

    On each edge Σ_o w_o o(x) over its candidates (DARTS, equation 2, where w is softmax(α)).

    Args:
        layout: of the cell.
        source: the node.
        channels: of every node.
        stride: of the edges, 1 or 2.
        share: one of how many channels passes through the operations; the others go by them
            (PC-DARTS, equation 1). 1 for all.
        auxiliary: whether every edge has an auxiliary skip connection (DARTS-), a factorized
            reduction of its own where the stride is 2.
    """

    def __init__(
        self,
        layout: Cell,
        source: int,
        channels: int,
        stride: int = 1,
        share: int = 1,
        *,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        self.edges = [edge for edge, (start, _) in enumerate(layout.edges) if start == source]
        # On the device with the weights, where a list of numbers would be copied in every pass.
        self.register_buffer("_rows", torch.tensor(self.edges), persistent=False)
        self.share, self.stride = share, stride
        self.auxiliary = skip(channels // share, len(self.edges), stride) if auxiliary else None
        self.operations = nn.ModuleDict()
        self._places: dict[str, list[tuple[int, int]]] = {}  # edge among ours, candidate
        for place, edge in enumerate(self.edges):
            for candidate, name in enumerate(layout.candidates[edge]):
                if name != NONE:
                    self._places.setdefault(name, []).append((place, candidate))
        for name, places in self._places.items():
            self.operations[name] = OPERATIONS[name](channels // share, len(places), stride)

    def places(self, name: str) -> Sequence[tuple[int, int]]:
        """Where an operation stands: places among the edges, and among their candidates."""
        return self._places[name]

    def computed(self, name: str, mix: Mix) -> Sequence[int]:
        """Places of the edges on which an operation is computed under a mix."""
        return self._active(name, mix).places

    def forward(self, x: Tensor, mix: Mix) -> list[Tensor | None]:
        """What each edge carries, in order of target; None for nothing.

        Args:
            x: the node, shape (batch, channels, height, width).
            mix: for the whole cell.
        """
        mixed = x[:, : x.shape[1] // self.share]
        carried = self._mix(mixed, mix)
        if mix.constants is not None:
            carried = self._with_constants(mixed, carried, self._ours(mix.constants))
        if self.share > 1:
            carried = self._with_bypass(x, mixed, carried)
        if mix.edges is not None:
            scales = self._ours(mix.edges)
            carried = [
                None if part is None else part * scale
                for part, scale in zip(carried, scales.unbind(), strict=True)
            ]
        return carried

    def _mix(self, mixed: Tensor, mix: Mix) -> list[Tensor | None]:
        """Σ_o w_o o(x) of each edge, x the channels that are mixed."""
        source, sums = Source(mixed), EdgeSums(len(self.edges))
        weights = self._ours(mix.operations)
        everywhere: list[tuple[Tensor, Tensor]] = []  # what every edge has, with its weights
        for name, operation in self.operations.items():
            active = self._active(name, mix)
            if not active.places:
                continue
            scales = active.scales(weights)
            if isinstance(operation, Operation):  # weighs its outputs itself, one for each edge
                reads = source.rectified() if operation.rectifies else mixed
                sums.add(active.places, operation(reads, scales, active.numbers).unbind(1))
                continue
            output = operation(mixed)  # one for all edges, each with its weight of it
            if len(active.places) == len(self.edges):
                everywhere.append((output, scales))
            else:
                sums.add(active.places, (output * scale for scale in scales.unbind()))
        if everywhere:
            outputs, weights_of_outputs = zip(*everywhere, strict=True)
            sums.add(range(len(self.edges)), combine(outputs, weights_of_outputs).unbind())
        if self.auxiliary is not None and mix.auxiliary:
            sums.add(range(len(self.edges)), self._auxiliary(mixed, mix.auxiliary))
        return sums.carried

    def _ours(self, values: Tensor) -> Tensor:
        """What stands at our edges, of values for all edges of the cell."""
        assert isinstance(self._rows, Tensor)
        return values.index_select(0, self._rows)

    def _auxiliary(self, mixed: Tensor, weight: float) -> Sequence[Tensor]:
        """The auxiliary skip connection of each edge."""
        count = len(self.edges)
        if isinstance(self.auxiliary, Operation):
            weights = torch.full((count,), weight, dtype=mixed.dtype, device=mixed.device)
            outputs: Tensor = self.auxiliary(mixed, weights, range(count))
            return outputs.unbind(1)
        return [weight * mixed] * count

    def _with_constants(
        self, mixed: Tensor, carried: Sequence[Tensor | None], constants: Tensor
    ) -> list[Tensor | None]:
        """A constant added to what each edge carries, nothing counted as zeros."""
        zeros = torch.zeros_like(mixed[:, :, :: self.stride, :: self.stride])
        return [
            (zeros if part is None else part) + constant
            for part, constant in zip(carried, constants.unbind(), strict=True)
        ]

    def _active(self, name: str, mix: Mix) -> Active:
        """The edges on which an operation is to be computed."""
        active = Active([], [], [])
        for number, (place, candidate) in enumerate(self._places[name]):
            if mix.active is None or mix.active[self.edges[place], candidate]:
                active.numbers.append(number)
                active.places.append(place)
                active.candidates.append(candidate)
        return active

    def _with_bypass(
        self, x: Tensor, mixed: Tensor, carried: Sequence[Tensor | None]
    ) -> list[Tensor | None]:
        """Join the channels that went by the operations, and shuffle all of them."""
        rest = x[:, mixed.shape[1] :]
        if self.stride == 2:
            rest = F.max_pool2d(rest, 2, 2)
            mixed = mixed[:, :, ::2, ::2]
        parts = (torch.zeros_like(mixed) if part is None else part for part in carried)
        return [F.channel_shuffle(torch.cat([part, rest], dim=1), self.share) for part in parts]


def combine(outputs: Sequence[Tensor], scales: Sequence[Tensor]) -> Tensor:
    """Σ_o w_o y_o for every edge, as one matrix product.

    Args:
        outputs: y_o of each operation, shape (batch, channels, height, width).
        scales: w_o of each operation, shape (edges,).

    Returns:
        Shape (edges, batch, channels, height, width), channels last in memory.
    """
    stacked = torch.stack([output.permute(0, 2, 3, 1) for output in outputs])
    product: Tensor = torch.stack(list(scales), dim=1) @ stacked.flatten(1)
    return product.view(-1, *stacked.shape[1:]).permute(0, 1, 4, 2, 3)


def drop_path(x: Tensor, probability: float) -> Tensor:
    """Each image's part set to zero with a probability, the others scaled to keep the mean.

    Args:
        x: shape (batch, channels, height, width).
        probability: below 1.
    """
    kept = torch.empty(len(x), 1, 1, 1, dtype=x.dtype, device=x.device)
    return x * kept.bernoulli_(1 - probability).div_(1 - probability)


class Node(nn.Module):
    """A node: the sum of what its edges carry (DARTS, equation 1).

    Args:
        normalised: whether the sum goes through batch normalisation without parameters, the
            node normalisation of VS-DARTS.
    """

    def __init__(self, normalised: bool = False) -> None:
        super().__init__()
        self.normalised = normalised

    def forward(self, messages: Sequence[Tensor | None], like: Tensor) -> Tensor:
        """The sum, zeros of the shape of ``like`` if no edge carries anything."""
        present = [message for message in messages if message is not None]
        if not present:
            return torch.zeros_like(like)
        total = present[0]
        for message in present[1:]:
            total = total + message
        return normalise(total) if self.normalised else total


class MixedCell(nn.Module):
    """A cell of a supernet.

    Args:
        layout: nodes, edges and candidates.
        channels: of every node.
        stride: of the edges that leave the inputs: 2 in a reduction cell.
        normalised_nodes: the nodes under node normalisation.
        share: see ``MixedOperations``.
        auxiliary: see ``MixedOperations``.
    """

    drop_path = 0.0  # the probability, in training, that an image loses what an edge carries

    def __init__(
        self,
        layout: Cell,
        channels: int,
        *,
        stride: int = 1,
        normalised_nodes: Sequence[int] = (),
        share: int = 1,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        self.layout, self.stride = layout, stride
        self.mixed = nn.ModuleList(
            MixedOperations(
                layout,
                source,
                channels,
                stride if source < layout.inputs else 1,
                share,
                auxiliary=auxiliary,
            )
            for source in range(layout.nodes - 1)
        )
        self.nodes = nn.ModuleList(
            Node(node in normalised_nodes) for node in range(layout.inputs, layout.nodes)
        )

    def forward(self, inputs: Sequence[Tensor], mix: Mix) -> list[Tensor]:
        """All nodes behind the inputs, each of shape (batch, channels, height, width)."""
        layout = self.layout
        like = inputs[0][:, :, :: self.stride, :: self.stride]
        incoming: list[list[Tensor | None]] = [[] for _ in range(layout.nodes)]
        nodes = list(inputs)
        for source in range(layout.nodes):
            if source >= layout.inputs:
                nodes.append(self.nodes[source - layout.inputs](incoming[source], like))
            if source < layout.nodes - 1:
                carried = self.mixed[source](nodes[source], mix)
                targets = [target for start, target in layout.edges if start == source]
                for target, message in zip(targets, carried, strict=True):
                    if self.drop_path and message is not None:
                        message = drop_path(message, self.drop_path)
                    incoming[target].append(message)
        return nodes[layout.inputs :]


def cells_of(network: nn.Module) -> list[MixedCell]:
    """The mixed cells of a network, in its order."""
    return [module for module in network.modules() if isinstance(module, MixedCell)]
