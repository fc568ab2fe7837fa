"""Candidate operations, each computed at once for all edges that leave one node.

In a supernet every edge out of a node reads the same tensor through the same candidates. An
operation here therefore serves several edges: their convolutions are one convolution with more
output channels, a pooling without parameters is done once, and the weight of the operation in the
mixture is the scale of the batch normalisation that it ends in. What comes out is what one module
an edge and operation would give (``test_supernet.py`` compares them), in half the time.

Candidates of NAS-Bench-201: Dong and Yang, ICLR 2020, section 2.1. Candidates of the DARTS space:
Liu, Simonyan and Yang, *DARTS*, ICLR 2019, section 3.1 and their code. In the supernet no batch
normalisation has parameters (there) and all use the statistics of the batch (NAS-Bench-201,
section 4), so that none depends on which architectures were active before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def normalise(x: Tensor, scale: Tensor | None = None, epsilon: float = 1e-5) -> Tensor:
    """Batch normalisation by the statistics of the batch, without parameters.

    Args:
        x: shape (batch, channels, height, width).
        scale: what the normalised channels are multiplied by, shape (channels,).
        epsilon: what is added to the variance.
    """
    return F.batch_norm(x, None, None, scale, None, training=True, eps=epsilon)


class Shared(nn.Module):
    """An operation without weights of its own: it puts the same on every edge of its node."""

    def forward(self, x: Tensor) -> Tensor:
        """The output, not yet weighted; (batch, channels, height, width)."""
        raise NotImplementedError


class Operation(nn.Module):
    """An operation with weights of its own on each of several edges that leave the same node.

    Attributes:
        rectifies: whether it reads its node through a ReLU, which operations of a node share.
    """

    rectifies = False

    def forward(self, x: Tensor, weights: Tensor, edges: Sequence[int]) -> Tensor:
        """The weighted outputs of the operation.

        Args:
            x: the node, after a ReLU if ``rectifies``; (batch, channels, height, width).
            weights: a weight for each of ``edges``.
            edges: which of its edges to compute, as places in their order; ascending.

        Returns:
            Shape (batch, edges, channels, height, width).
        """
        raise NotImplementedError


class Identity(Shared):
    """The skip connection."""

    def forward(self, x: Tensor) -> Tensor:
        """``x`` itself."""
        return x


class Reduction(Operation):
    """The skip connection of a reduction cell: a factorized reduction on each edge (DARTS)."""

    def __init__(self, channels: int, edges: int, *, relu_last: bool = False) -> None:
        super().__init__()
        self.reductions = nn.ModuleList(
            FactorizedReduction(channels, channels, relu_last=relu_last) for _ in range(edges)
        )

    def forward(self, x: Tensor, weights: Tensor, edges: Sequence[int]) -> Tensor:
        """See ``Operation``."""
        rows = zip(weights, edges, strict=True)
        return torch.stack([weight * self.reductions[edge](x) for weight, edge in rows], dim=1)


def skip(channels: int, edges: int, stride: int, *, relu_last: bool = False) -> Shared | Operation:
    """The skip connection."""
    return Identity() if stride == 1 else Reduction(channels, edges, relu_last=relu_last)


class FactorizedReduction(nn.Module):
    """Halve height and width by two strided 1x1 convolutions, a pixel apart (DARTS).

    The stride is taken before the convolution, which reads one pixel in four: the same sums. The
    backward pass of a strided 1x1 convolution of fewer than four channels writes beyond its
    memory on processors with AVX2 (oneDNN 3.12 of torch 2.13), and kills the process.

    Args:
        channels_in: of the input.
        channels_out: of the output.
        relu_last: convolutions, batch normalisation with ε = 1e-3, ReLU, as in VS-DARTS's code
            (operations.py); otherwise ReLU, convolutions, batch normalisation, as in DARTS's.
    """

    def __init__(self, channels_in: int, channels_out: int, *, relu_last: bool = False) -> None:
        super().__init__()
        self.relu_last = relu_last
        half = channels_out // 2
        self.even = nn.Conv2d(channels_in, half, 1, bias=False)
        self.odd = nn.Conv2d(channels_in, channels_out - half, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels in, height, width) to (batch, channels out, height/2, width/2)."""
        x = x if self.relu_last else F.relu(x)
        out = torch.cat([self.even(one_in_four(x)), self.odd(one_in_four(x, 1))], dim=1)
        return F.relu(normalise(out, epsilon=1e-3)) if self.relu_last else normalise(out)


class Pool(Shared):
    """3x3 average or maximum pooling, optionally with batch normalisation behind it (DARTS)."""

    def __init__(
        self, channels: int, edges: int, stride: int, *, kind: str, normalised: bool
    ) -> None:
        super().__init__()
        self.kind, self.stride, self.normalised = kind, stride, normalised

    def forward(self, x: Tensor) -> Tensor:
        """See ``Shared``."""
        if self.kind == "max":
            pooled = F.max_pool2d(x, 3, self.stride, 1)
        else:
            pooled = F.avg_pool2d(x, 3, self.stride, 1, count_include_pad=False)
        return normalise(pooled) if self.normalised else pooled


class Convolution(Operation):
    """ReLU, convolution, batch normalisation."""

    rectifies = True

    def __init__(self, channels: int, edges: int, stride: int, *, kernel: int) -> None:
        super().__init__()
        self.stride, self.padding = stride, kernel // 2
        self.convolutions = nn.ModuleList(
            nn.Conv2d(channels, channels, kernel, bias=False) for _ in range(edges)
        )

    def forward(self, x: Tensor, weights: Tensor, edges: Sequence[int]) -> Tensor:
        """See ``Operation``."""
        kernel = stacked(self.convolutions, edges)
        out = F.conv2d(x, kernel, stride=self.stride, padding=self.padding)
        return split_edges(normalise(out, weights.repeat_interleave(x.shape[1])), len(edges))


class Separable(Operation):
    """ReLU, depthwise and pointwise convolution, batch normalisation; once or twice.

    Twice it is DARTS's separable convolution; once and dilated its dilated convolution.
    """

    rectifies = True

    def __init__(
        self, channels: int, edges: int, stride: int, *, kernel: int, dilation: int = 1, times: int
    ) -> None:
        super().__init__()
        self.strides = (stride, 1)[:times]
        self.dilation, self.padding = dilation, dilation * (kernel // 2)
        count = range(edges)
        self.depthwise = nn.ModuleList(
            nn.ModuleList(
                nn.Conv2d(channels, channels, kernel, groups=channels, bias=False) for _ in count
            )
            for _ in range(times)
        )
        self.pointwise = nn.ModuleList(
            nn.ModuleList(nn.Conv2d(channels, channels, 1, bias=False) for _ in count)
            for _ in range(times)
        )

    def forward(self, x: Tensor, weights: Tensor, edges: Sequence[int]) -> Tensor:
        """See ``Operation``."""
        channels, count = x.shape[1], len(edges)
        out = torch.cat([x] * count, dim=1)  # repeat() would give up channels-last
        stages = zip(self.strides, self.depthwise, self.pointwise, strict=True)
        for number, (stride, depthwise, pointwise) in enumerate(stages):
            out = F.conv2d(
                F.relu(out) if number else out,
                stacked(depthwise, edges),
                stride=stride,
                padding=self.padding,
                dilation=self.dilation,
                groups=count * channels,
            )
            out = F.conv2d(out, stacked(pointwise, edges), groups=count)
            last = number == len(self.strides) - 1
            out = normalise(out, weights.repeat_interleave(channels) if last else None)
        return split_edges(out, count)


class Noise(Operation):
    """Gaussian noise in place of the input: the trap of subspace S4 (Zela et al., ICLR 2020)."""

    def __init__(self, channels: int, edges: int, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor, weights: Tensor, edges: Sequence[int]) -> Tensor:
        """See ``Operation``."""
        shape = x[:, :, :: self.stride, :: self.stride].shape
        noise = torch.randn((shape[0], len(edges), *shape[1:]), device=x.device, dtype=x.dtype)
        return noise * weights.view(1, -1, 1, 1, 1)


def one_in_four(x: Tensor, offset: int = 0) -> Tensor:
    """One pixel of each 2x2, the first or (``offset`` 1) the last, shape (b, c, h/2, w/2).

    Sliced with the channels last, so that the gradient, too, is as the kernels want it.
    """
    return x.permute(0, 2, 3, 1)[:, offset::2, offset::2].permute(0, 3, 1, 2)


def stacked(convolutions: nn.Module, edges: Sequence[int]) -> Tensor:
    """The kernels of the chosen edges as one, by output channel."""
    return torch.cat([convolutions[edge].weight for edge in edges])  # type: ignore[index]


def split_edges(x: Tensor, edges: int) -> Tensor:
    """(batch, edges * channels, height, width) to (batch, edges, channels, height, width)."""
    return x.view(len(x), edges, -1, *x.shape[2:])


OPERATIONS: dict[str, Callable[..., Shared | Operation]] = {
    # NAS-Bench-201
    "skip_connect": skip,
    "nor_conv_1x1": partial(Convolution, kernel=1),
    "nor_conv_3x3": partial(Convolution, kernel=3),
    "avg_pool_3x3": partial(Pool, kind="avg", normalised=False),
    # our option for VS-DARTS: the same, with unit variance like the convolutions
    "avg_pool_3x3_norm": partial(Pool, kind="avg", normalised=True),
    # VS-DARTS's, which differs where it halves the size
    "skip_connect_relu_last": partial(skip, relu_last=True),
    # DARTS
    "max_pool_3x3_norm": partial(Pool, kind="max", normalised=True),
    "sep_conv_3x3": partial(Separable, kernel=3, times=2),
    "sep_conv_5x5": partial(Separable, kernel=5, times=2),
    "dil_conv_3x3": partial(Separable, kernel=3, dilation=2, times=1),
    "dil_conv_5x5": partial(Separable, kernel=5, dilation=2, times=1),
    "noise": Noise,
}
