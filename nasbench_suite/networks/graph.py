"""A network as a plain list of layers, which needs no torch.

What is trained, exported, counted and measured of an architecture is made from one such list, so
that all speak of the same network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from nasbench_suite.errors import SuiteError

Kind = Literal[
    "input",
    "conv",
    "norm",
    "relu",
    "pool",
    "max_pool",
    "sample",
    "take",
    "add",
    "concat",
    "zero",
    "noise",
    "drop_path",
    "global_pool",
    "linear",
]
Width = Any
"""A number of channels: an ``int``, or an array of them, to count many networks at once."""
Image = tuple[int, int, int]
"""Channels, height and width of an image."""


@dataclass(frozen=True)
class Layer:
    """One layer; its number is its place in the network.

    Attributes:
        kind: what it does. ``conv`` has no bias; ``pool`` is an average that does not count its
            padding; ``sample`` keeps one pixel of ``stride`` x ``stride``, from ``offset`` on,
            behind zeros where the image ends; ``take`` keeps the first channels; ``zero`` is zero
            whatever it reads, ``noise`` drawn from the standard normal distribution; ``drop_path``
            loses the whole of an image at random, in training; ``linear`` has a bias and flattens.
        inputs: numbers of the layers it reads.
        channels: channels of its output.
        size: height and width of its output; 1 after the global pooling.
        kernel: side of a convolution's or pooling's window.
        stride: its stride.
        dilation: distance between the pixels that a convolution's window reads.
        groups: a convolution's groups of channels.
        offset: the first pixel of a ``sample``.
        padded: whether windows reach beyond the border, so that at stride 1 the size stays.
    """

    kind: Kind
    inputs: tuple[int, ...]
    channels: Width
    size: int
    kernel: int = 1
    stride: int = 1
    dilation: int = 1
    groups: Width = 1
    offset: int = 0
    padded: bool = True

    @property
    def padding(self) -> int:
        """How far windows reach beyond the border; nowhere where they do not overlap."""
        if not self.padded or (self.kernel == self.stride and self.dilation == 1):
            return 0
        return self.dilation * (self.kernel // 2)


@dataclass
class Network:
    """A network under construction, then finished: layers in the order they are computed.

    Attributes:
        image: channels, height and width of what the first layer takes.
        classes: number of class scores that the output has.
        layers: its layers.
        output: number of the layer that puts out the class scores; None until it is added.
        auxiliary: number of the layer that puts out the auxiliary head's scores, or None. The
            layers of the head come after ``output`` and are needed in training alone.
        blocks: numbers of the layers that put out the stem, each reduction and each cell, in
            order, where whoever makes the network says so by ``end_block``.
    """

    image: Image
    classes: int
    layers: list[Layer] = field(default_factory=list)
    output: int | None = None
    auxiliary: int | None = None
    blocks: list[int] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        *inputs: int,
        channels: Width = None,
        size: int | None = None,
        **rest: Any,
    ) -> int:
        """Append a layer and return its number; it keeps its input's shape where none is said.

        Args:
            kind: see ``Layer``.
            inputs: numbers of the layers it reads.
            channels: of its output.
            size: of its output.
            rest: further attributes of ``Layer``.
        """
        source = self.layers[inputs[0]] if inputs else None
        channels = channels if channels is not None or source is None else source.channels
        if size is None:
            assert source is not None, "an input layer has a size"
            size = -(-source.size // rest.get("stride", 1))
        self.layers.append(Layer(kind, inputs, channels, size, **rest))
        return len(self.layers) - 1

    def start(self) -> int:
        """Append the input, the first layer."""
        colours, size, _ = self.image
        return self.add("input", channels=colours, size=size)

    def end_block(self, number: int) -> int:
        """Say that a layer puts out the stem, a reduction or a cell; returns its number."""
        self.blocks.append(number)
        return number

    def conv_norm(
        self, source: int, channels: Width, kernel: int, stride: int = 1, **rest: Any
    ) -> int:
        """A bias-free convolution and a batch normalisation."""
        convolution = self.add(
            "conv", source, channels=channels, kernel=kernel, stride=stride, **rest
        )
        return self.add("norm", convolution)

    def relu_conv_norm(self, source: int, channels: Width, kernel: int, stride: int = 1) -> int:
        """A rectifier, a convolution and a batch normalisation."""
        return self.conv_norm(self.add("relu", source), channels, kernel, stride)

    def conv_norm_relu(self, source: int, channels: Width, kernel: int, stride: int = 1) -> int:
        """A convolution, a batch normalisation and a rectifier."""
        return self.add("relu", self.conv_norm(source, channels, kernel, stride))

    def factorized_reduction(self, source: int, channels: int, stride: int = 2) -> int:
        """Half the size by two strided 1x1 convolutions, a pixel apart, behind a rectifier (DARTS).

        The stride is taken before the convolution, which reads one pixel in four: the same sums.
        The backward pass of a strided 1x1 convolution of fewer than four channels writes beyond
        its memory on processors with AVX2 (oneDNN 3.12 of torch 2.13), and kills the process.
        """
        rectified = self.add("relu", source)
        halves = []
        for offset, width in enumerate((channels // 2, channels - channels // 2)):
            pixels = self.add("sample", rectified, stride=stride, offset=offset)
            halves.append(self.add("conv", pixels, channels=width))
        return self.add("norm", self.concat(*halves))

    def concat(self, *inputs: int) -> int:
        """The channels of several layers one after the other; a single one as it is."""
        if len(inputs) == 1:
            return inputs[0]
        return self.add("concat", *inputs, channels=sum(self.layers[n].channels for n in inputs))

    def sum(self, *inputs: int) -> int:
        """The sum of layers of one shape, from left to right; a single one as it is."""
        total, *others = inputs
        for other in others:
            total = self.add("add", total, other)
        return total

    def classify(self, source: int) -> int:
        """Global average pooling and the linear classifier: the output."""
        pooled = self.add("global_pool", source, size=1)
        self.output = self.add("linear", pooled, channels=self.classes)
        return self.output

    def width(self, number: int) -> Width:
        """Channels of a layer."""
        return self.layers[number].channels

    @property
    def computed(self) -> list[Layer]:
        """The layers up to the output, without an auxiliary head."""
        return self.layers if self.output is None else self.layers[: self.output + 1]


def start_network(image: Image, classes: int, halvings: int) -> tuple[Network, int]:
    """An empty network, and the number of its input.

    Args:
        image: channels, height and width of an image.
        classes: number of classes.
        halvings: how often the network halves height and width.

    Raises:
        SuiteError: it cannot be built for such images or so few classes.
    """
    colours, height, width = image
    if height != width or min(colours, height) < 1 or height % 2**halvings:
        raise SuiteError(
            f"The network halves square images {halvings} times and cannot read {colours} x "
            f"{height} x {width}: give a data set with images of a side that {2**halvings} "
            f"divides."
        )
    if classes < 2:
        raise SuiteError(f"A classifier needs 2 classes or more, not {classes}.")
    network = Network(image, classes)
    return network, network.start()


def count_network(network: Network) -> tuple[Any, Any]:
    """Parameters and FLOPs of a network, as NATS-Bench counts them; no auxiliary head's.

    FLOPs are multiply-adds of convolutions and of the classifier with its bias, one image; sums,
    poolings, normalisations and rectifiers count nothing (AutoDL-Projects, ``flop_benchmark``).
    """
    parameters, flops = 0, 0
    for layer in network.computed:
        if layer.kind == "norm":
            parameters = parameters + 2 * layer.channels
        elif layer.kind in ("conv", "linear"):
            source = network.layers[layer.inputs[0]]
            reads = source.channels * (source.size**2 if layer.kind == "linear" else 1)
            weights = layer.kernel**2 * reads * layer.channels // layer.groups
            if layer.kind == "linear":
                weights = weights + layer.channels
            parameters = parameters + weights
            flops = flops + weights * layer.size**2
    return parameters, flops
