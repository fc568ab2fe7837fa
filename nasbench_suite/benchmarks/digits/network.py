"""The small network in which the embedded benchmark trains every cell.

The skeleton is NAS-Bench-201's, shrunk to 8x8 digits: a 3x3 stem of 16 channels, the cell,
a 2x2 average pooling with a 1x1 convolution to 32 channels, the cell again, global average
pooling and a linear classifier. NAS-Bench-201's residual 3x3 reduction blocks are left out on
purpose: at this size they learn the task alone and drown what the cell contributes.

The operations are those of NAS-Bench-201 (Dong and Yang, ICLR 2020, section 2.1): a
convolution is ReLU, convolution, batch normalisation; pooling does not count its padding.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.spaces.topology import EDGES, NUM_NODES, OPERATIONS, live_edges

STAGE_CHANNELS = (16, 32)
NUM_CLASSES = 10
# An epoch is 13 steps: at the usual 0.1 the running statistics of the first epochs would still
# be those of the initialisation, and the learning curve would measure that lag.
NORM_MOMENTUM = 0.2


class ConvNorm(nn.Module):
    """A bias-free convolution that keeps height and width, then batch normalisation."""

    def __init__(self, channels_in: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(channels_out, momentum=NORM_MOMENTUM)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels in, height, width) to (batch, channels out, height, width)."""
        out: Tensor = self.norm(self.conv(x))
        return out


class FixedCell(nn.Module):
    """One NAS-Bench-201 cell with its operations fixed and its dead edges left out.

    Args:
        operations: the six operation indices in edge order (see ``EDGES``).
        channels: width of every node; height, width and channels are kept.
    """

    def __init__(self, operations: Sequence[int], channels: int) -> None:
        super().__init__()
        self.live = [
            (source, target, OPERATIONS[operation])
            for (source, target), operation in zip(EDGES, live_edges(operations), strict=True)
            if OPERATIONS[operation] != "none"
        ]
        kernels = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
        self.convolutions = nn.ModuleDict(
            {
                f"{source}{target}": ConvNorm(channels, channels, kernels[name])
                for source, target, name in self.live
                if name in kernels
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, height, width) to the same shape; zeros if disconnected."""
        nodes: list[Tensor | None] = [x] + [None] * (NUM_NODES - 1)
        rectified: dict[int, Tensor] = {}  # one ReLU a node, however many convolutions read it
        for source, target, name in self.live:
            incoming = nodes[source]
            assert incoming is not None, "a live edge starts at a live node"
            if name == "skip_connect":
                message = incoming
            elif name == "avg_pool_3x3":
                message = F.avg_pool2d(incoming, 3, 1, 1, count_include_pad=False)
            else:
                if source not in rectified:
                    rectified[source] = F.relu(incoming)
                message = self.convolutions[f"{source}{target}"](rectified[source])
            present = nodes[target]
            nodes[target] = message if present is None else present + message
        output = nodes[-1]
        return torch.zeros_like(x) if output is None else output


class DigitsNetwork(nn.Module):
    """Stem, cell, reduction, cell, classifier for images of shape (batch, 1, 8, 8)."""

    def __init__(self, operations: Sequence[int]) -> None:
        super().__init__()
        narrow, wide = STAGE_CHANNELS
        self.stem = ConvNorm(1, narrow, 3)
        self.first_cell = FixedCell(operations, narrow)
        self.reduction = ConvNorm(narrow, wide, 1)
        self.second_cell = FixedCell(operations, wide)
        self.norm = nn.BatchNorm2d(wide, momentum=NORM_MOMENTUM)
        self.classifier = nn.Linear(wide, NUM_CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Class scores, shape (batch, 10)."""
        x = self.first_cell(self.stem(images))
        x = self.second_cell(self.reduction(F.avg_pool2d(x, 2)))
        # avg_pool2d and not mean(): its gradient stays channels-last, which the kernels want.
        x = F.avg_pool2d(F.relu(self.norm(x)), 4).flatten(1)
        scores: Tensor = self.classifier(x)
        return scores
