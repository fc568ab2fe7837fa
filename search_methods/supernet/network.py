"""Supernets: a skeleton around mixed cells, for the topology space and for the DARTS space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.nats import DIGITS_CHANNELS
from nasbench_suite.spaces.cells import Cell
from nasbench_suite.spaces.topology import CELL, OPERATIONS
from search_methods.supernet.cell import Mix, MixedCell
from search_methods.supernet.data import SearchData

POOL, NORMALISED_POOL = "avg_pool_3x3", "avg_pool_3x3_norm"


@dataclass(frozen=True)
class CellOptions:
    """What methods may change in the cells of a supernet.

    Attributes:
        normalised_nodes: which nodes behind the inputs are under node normalisation (VS-DARTS):
            ``none``, ``inner`` (not the last) or ``all``.
        normalised_pooling: whether average pooling ends in batch normalisation, as in DARTS and
            unlike in NAS-Bench-201.
        share: one of how many channels is mixed (PC-DARTS); 1 for all.
        auxiliary: whether every edge has an auxiliary skip connection (DARTS-).
        relu_last: whether the factorized reductions of a DARTS space end in their ReLU (VS-DARTS).
    """

    normalised_nodes: str = "none"
    normalised_pooling: bool = False
    share: int = 1
    auxiliary: bool = False
    relu_last: bool = False

    def __post_init__(self) -> None:
        if self.normalised_nodes not in ("none", "inner", "all"):
            raise SuiteError(
                f"Nodes cannot be normalised {self.normalised_nodes!r}: choose none, inner or all."
            )

    def nodes(self, layout: Cell) -> Sequence[int]:
        """The nodes of a layout under node normalisation."""
        last = {"none": layout.inputs, "inner": layout.nodes - 1, "all": layout.nodes}
        return range(layout.inputs, last[self.normalised_nodes])


class ConvNorm(nn.Module):
    """A bias-free convolution that keeps the size, then batch normalisation with parameters."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels_in, channels_out, kernel, stride, padding=kernel // 2, bias=False
        )
        self.norm = batch_norm(channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels in, height, width) to (batch, channels out, height, width)."""
        out: Tensor = self.norm(self.conv(x))
        return out


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation by the statistics of the batch, in training and in evaluation."""
    return nn.BatchNorm2d(channels, track_running_stats=False)


class Supernet(nn.Module):
    """A network of mixed cells.

    Attributes:
        layouts: of the kinds of cells that have architecture parameters of their own.
    """

    layouts: tuple[Cell, ...]

    def forward(self, images: Tensor, mixes: Sequence[Mix]) -> Tensor:
        """Class scores of shape (batch, classes).

        Args:
            images: shape (batch, channels, height, width).
            mixes: one for each of ``layouts``.
        """
        raise NotImplementedError


def topology_layout(normalised_pooling: bool = False) -> Cell:
    """The cell of NAS-Bench-201, whose candidates are in the order of the space's vectors."""
    if not normalised_pooling:
        return CELL
    names = tuple(NORMALISED_POOL if name == POOL else name for name in OPERATIONS)
    return replace(CELL, candidates=(names,) * len(CELL.edges))


Family = Callable[[SearchData, CellOptions], Supernet]
"""What makes the supernet of a space for some images."""


class DigitsSupernet(Supernet):
    """The network of the embedded benchmark (``digits_network``) with mixed cells."""

    def __init__(self, data: SearchData, options: CellOptions) -> None:
        super().__init__()
        layout = topology_layout(options.normalised_pooling)
        self.layouts = (layout,)
        narrow, wide = DIGITS_CHANNELS
        nodes, share = options.nodes(layout), options.share
        self.stem = ConvNorm(data.channels, narrow, 3)
        auxiliary = options.auxiliary
        self.first_cell = MixedCell(
            layout, narrow, normalised_nodes=nodes, share=share, auxiliary=auxiliary
        )
        self.reduction = ConvNorm(narrow, wide, 1)
        self.second_cell = MixedCell(
            layout, wide, normalised_nodes=nodes, share=share, auxiliary=auxiliary
        )
        self.norm = batch_norm(wide)
        self.classifier = nn.Linear(wide, data.classes)

    def forward(self, images: Tensor, mixes: Sequence[Mix]) -> Tensor:
        """See ``Supernet``."""
        (mix,) = mixes
        x = self.first_cell([self.stem(images)], mix)[-1]
        x = self.second_cell([self.reduction(F.avg_pool2d(x, 2))], mix)[-1]
        x = F.relu(self.norm(x))
        # avg_pool2d and not mean(): its gradient stays channels-last, which the kernels want.
        scores: Tensor = self.classifier(F.avg_pool2d(x, x.shape[-1]).flatten(1))
        return scores


class ResidualReduction(nn.Module):
    """NAS-Bench-201's residual block between stages: half the size, twice the channels."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels_in, channels_out, 3, stride=2)
        self.second = ConvNorm(channels_out, channels_out, 3)
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels in, height, width) to (batch, channels out, height/2, width/2)."""
        shortcut: Tensor = self.shortcut(F.avg_pool2d(x, 2))
        residual: Tensor = self.second(F.relu(self.first(F.relu(x))))
        return shortcut + residual


class TopologySupernet(Supernet):
    """NAS-Bench-201's search network: three stages of ``cells`` cells from ``width`` channels."""

    def __init__(
        self, data: SearchData, options: CellOptions, *, width: int = 16, cells: int = 5
    ) -> None:
        super().__init__()
        layout = topology_layout(options.normalised_pooling)
        self.layouts = (layout,)
        self.stem = ConvNorm(data.channels, width, 3)
        self.blocks = nn.ModuleList()
        for stage in range(3):
            channels = width * 2**stage
            if stage:
                self.blocks.append(ResidualReduction(channels // 2, channels))
            self.blocks.extend(
                MixedCell(
                    layout,
                    channels,
                    normalised_nodes=options.nodes(layout),
                    share=options.share,
                    auxiliary=options.auxiliary,
                )
                for _ in range(cells)
            )
        self.norm = batch_norm(channels)
        self.classifier = nn.Linear(channels, data.classes)

    def forward(self, images: Tensor, mixes: Sequence[Mix]) -> Tensor:
        """See ``Supernet``."""
        (mix,) = mixes
        x = self.stem(images)
        for block in self.blocks:
            x = block([x], mix)[-1] if isinstance(block, MixedCell) else block(x)
        x = F.relu(self.norm(x))
        scores: Tensor = self.classifier(F.avg_pool2d(x, x.shape[-1]).flatten(1))
        return scores


def make_topology_supernet(
    data: SearchData, options: CellOptions, *, width: int = 16, cells: int = 5
) -> Supernet:
    """The supernet of the topology space for a data set, on its benchmark's own skeleton.

    Args:
        data: what is searched on.
        options: of the cells.
        width: channels of the first stage; the embedded benchmark has its own.
        cells: cells a stage; the embedded benchmark has its own.
    """
    if data.name == "digits":
        return DigitsSupernet(data, options)
    return TopologySupernet(data, options, width=width, cells=cells)


def count_parameters(network: nn.Module) -> int:
    """Number of trained weights."""
    return sum(parameter.numel() for parameter in network.parameters())


def to_device(network: Supernet, device: torch.device) -> Supernet:
    """Move a supernet, in the memory format that its convolutions are fastest in."""
    return network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]
