"""A list of layers as a torch module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.networks.graph import Layer, Network


class LayersModule(nn.Module):
    """A network that computes its layers one after the other, each a module of its own.

    In training a network with an auxiliary head returns both heads' scores, and otherwise class
    scores alone. Weights are drawn as torch draws them by default, in the order of the layers.

    Args:
        network: its layers.
        norm_momentum: share of the batch's statistics in the running ones.
        drop_path: probability with which ``drop_path`` layers lose an image, in training.
    """

    def __init__(
        self, network: Network, *, norm_momentum: float = 0.1, drop_path: float = 0.0
    ) -> None:
        super().__init__()
        self.network = network
        self.layers = nn.ModuleList(
            make_layer(network, layer, norm_momentum) for layer in network.layers
        )
        self._last_readers = _last_readers(network)
        self.drop_path = drop_path

    @property
    def drop_path(self) -> float:
        """Probability with which paths are dropped in training; schedules set it."""
        return self._drop_path

    @drop_path.setter
    def drop_path(self, probability: float) -> None:
        self._drop_path = probability
        for layer in self.layers:
            if isinstance(layer, DropPath):
                layer.probability = probability

    def forward(self, images: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Class scores of shape (batch, classes); in training maybe with the auxiliary head's.

        Args:
            images: shape (batch, channels, height, width).
        """
        network = self.network
        with_auxiliary = self.training and network.auxiliary is not None
        end = len(network.layers) if with_auxiliary else len(network.computed)
        values: dict[int, Tensor] = {0: images}
        for number in range(1, end):
            layer = network.layers[number]
            values[number] = self.layers[number](*(values[source] for source in layer.inputs))
            for done in self._last_readers.get(number, ()):
                del values[done]
        output = end - 1 if network.output is None else network.output
        if with_auxiliary:
            assert network.auxiliary is not None
            return values[output], values[network.auxiliary]
        return values[output]


def _last_readers(network: Network) -> dict[int, list[int]]:
    """For a layer the layers that none behind it reads: their values can go then."""
    last: dict[int, int] = {}
    for number, layer in enumerate(network.layers):
        last.update(dict.fromkeys(layer.inputs, number))
    found: dict[int, list[int]] = {}
    for source, reader in last.items():
        found.setdefault(reader, []).append(source)
    return found


def make_layer(network: Network, layer: Layer, norm_momentum: float = 0.1) -> nn.Module:
    """The module of one layer; it takes the values of the layers that it reads."""
    if layer.kind == "input":
        return nn.Identity()
    source = network.layers[layer.inputs[0]]
    make: dict[str, Callable[[], nn.Module]] = {
        "conv": lambda: nn.Conv2d(
            source.channels,
            layer.channels,
            layer.kernel,
            layer.stride,
            layer.padding,
            layer.dilation,
            layer.groups,
            bias=False,
        ),
        "norm": lambda: nn.BatchNorm2d(layer.channels, momentum=norm_momentum),
        "relu": nn.ReLU,
        "pool": lambda: AveragePool(
            layer.kernel, layer.stride, layer.padding, count_include_pad=False
        ),
        "max_pool": lambda: nn.MaxPool2d(layer.kernel, layer.stride, layer.padding),
        "sample": lambda: Sample(layer.stride, layer.offset, padded=bool(source.size % 2)),
        "take": lambda: Take(layer.channels),
        "add": Add,
        "concat": Concat,
        "zero": lambda: Zero(
            None if (layer.channels, layer.size) == (source.channels, source.size) else layer
        ),
        "noise": Noise,
        "drop_path": DropPath,
        "global_pool": lambda: GlobalPool(source.size),
        "linear": lambda: Classifier(source.channels * source.size**2, layer.channels),
    }
    return make[layer.kind]()


class Sample(nn.Module):
    """One pixel of ``stride`` x ``stride``, from ``offset`` on."""

    def __init__(self, stride: int, offset: int, *, padded: bool) -> None:
        super().__init__()
        self.stride, self.offset, self.padded = stride, offset, padded

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width), smaller by the stride and rounded up."""
        if self.padded and self.offset:
            x = F.pad(x, (0, self.offset, 0, self.offset))
        return x[:, :, self.offset :: self.stride, self.offset :: self.stride]


class Take(nn.Module):
    """The first channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width), with fewer channels."""
        return x[:, : self.channels]


class Add(nn.Module):
    """The sum of two."""

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        """Of the same shape."""
        return x + other


class Concat(nn.Module):
    """Channels one after the other."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """(batch, channels of all, height, width)."""
        return torch.cat(inputs, dim=1)


class Zero(nn.Module):
    """Zero times what it reads; where the shape changes, zeros of that of ``layer``."""

    def __init__(self, layer: Layer | None = None) -> None:
        super().__init__()
        self.shape = None if layer is None else (layer.channels, layer.size, layer.size)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width)."""
        return x * 0.0 if self.shape is None else x.new_zeros((len(x), *self.shape))


class Noise(nn.Module):
    """Standard normal noise in the shape of what it reads."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width)."""
        return torch.randn_like(x)


class DropPath(nn.Module):
    """Lose the whole of an image at random, in training, and scale what stays (DARTS's code)."""

    def __init__(self, probability: float = 0.0) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """Of the same shape."""
        if not self.training or self.probability == 0:
            return x
        kept = 1 - self.probability
        return x / kept * torch.bernoulli(x.new_full((len(x), 1, 1, 1), kept))


class AveragePool(nn.AvgPool2d):
    """Average pooling; on a processor always channels-last, which is equal and faster fourfold."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width), in the layout of what it reads."""
        if x.is_cuda or x.is_contiguous(memory_format=torch.channels_last):
            return super().forward(x)
        pooled = super().forward(_laid_out(x, torch.channels_last, torch.contiguous_format))
        return _laid_out(pooled, torch.contiguous_format, torch.channels_last)


def _laid_out(x: Tensor, layout: torch.memory_format, of_gradient: torch.memory_format) -> Tensor:
    """The same values in a layout, and their gradient in the other."""
    laid: Tensor = _LaidOut.apply(x, layout, of_gradient)  # type: ignore[no-untyped-call]
    return laid


class _LaidOut(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any, x: Tensor, layout: torch.memory_format, of_gradient: torch.memory_format
    ) -> Tensor:
        context.of_gradient = of_gradient
        return x.contiguous(memory_format=layout)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient.contiguous(memory_format=context.of_gradient), None, None


class GlobalPool(nn.Module):
    """The average over all pixels."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, 1, 1)."""
        # avg_pool2d and not mean(): its gradient stays channels-last, which the kernels want.
        return F.avg_pool2d(x, self.size)


class Classifier(nn.Linear):
    """A linear layer that flattens what it reads."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, features) of (batch, channels, height, width)."""
        return super().forward(x.flatten(1))
