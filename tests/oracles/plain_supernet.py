"""The supernet of the digits network without any trick: one module an edge and operation.

What ``search_methods.supernet`` computes faster is compared with this, in value and in time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.spaces.topology import EDGES
from search_methods.supernet.network import DigitsSupernet


def norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, affine=False, track_running_stats=False)


def convolution(channels: int, kernel: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, norm(channels))


class Zero(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 0.0


class MixedEdge(nn.Module):
    """The candidates in the order of the space, each weighted and summed."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.candidates = nn.ModuleList(
            [
                Zero(),
                nn.Identity(),
                convolution(channels, 1),
                convolution(channels, 3),
                nn.AvgPool2d(3, 1, 1, count_include_pad=False),
            ]
        )

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        return sum(w * candidate(x) for w, candidate in zip(weights, self.candidates, strict=True))


class PlainCell(nn.Module):
    def __init__(self, channels: int, normalised: bool) -> None:
        super().__init__()
        self.edges = nn.ModuleList(MixedEdge(channels) for _ in EDGES)
        self.norm = norm(channels) if normalised else nn.Identity()

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        nodes = [x]
        for target in range(1, 4):
            total = sum(
                self.edges[number](nodes[source], weights[number])
                for number, (source, end) in enumerate(EDGES)
                if end == target
            )
            nodes.append(self.norm(total))
        return nodes[-1]


class PlainSupernet(nn.Module):
    """The same net as a ``DigitsSupernet``, with its weights."""

    def __init__(self, source: DigitsSupernet, normalised: bool = False) -> None:
        super().__init__()
        self.stem, self.reduction = source.stem, source.reduction
        self.norm, self.classifier = source.norm, source.classifier
        self.cells = nn.ModuleList(PlainCell(channels, normalised) for channels in (16, 32))
        self.convolutions: list[tuple[nn.Conv2d, nn.Conv2d]] = []  # source's and ours
        for cell, plain in zip((source.first_cell, source.second_cell), self.cells, strict=True):
            for mixed in cell.mixed:
                for name, place in (("nor_conv_1x1", 2), ("nor_conv_3x3", 3)):
                    kernels = mixed.operations[name].convolutions
                    for edge, conv in zip(mixed.edges, kernels, strict=True):
                        ours = plain.edges[edge].candidates[place][1]
                        ours.load_state_dict(conv.state_dict())
                        self.convolutions.append((conv, ours))

    def forward(self, images: Tensor, weights: Tensor) -> Tensor:
        x = self.cells[0](self.stem(images), weights)
        x = self.cells[1](self.reduction(F.avg_pool2d(x, 2)), weights)
        x = F.relu(self.norm(x))
        return self.classifier(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))
