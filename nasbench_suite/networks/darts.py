"""The network that a pair of DARTS cells is evaluated in.

Source: Liu, Simonyan and Yang, *DARTS*, ICLR 2019, section 3.1 and their code (quark0/darts,
cnn/model.py); ``noise`` of subspace S4: Zela et al., *Understanding and Robustifying DARTS*,
ICLR 2020 (automl/RobustDARTS).
"""

from __future__ import annotations

from dataclasses import dataclass

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.graph import Kind, Network, start_network
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.spaces.darts import INPUTS, STEPS, DartsSpace, reductions

STEM = 3
"""How many times the cells' channels the stem puts out."""
AUXILIARY_SIZE = 8
"""Side of the maps that the auxiliary head reads, images of 32x32 behind two reductions."""


@dataclass(frozen=True)
class Separable:
    """A depthwise and a pointwise convolution behind a rectifier, once or twice.

    Attributes:
        kernel: side of the depthwise convolution's window.
        dilation: of the window.
        times: how often; a stride is taken the first time.
    """

    kernel: int
    dilation: int = 1
    times: int = 1


CONVOLUTIONS = {
    "sep_conv_3x3": Separable(3, times=2),
    "sep_conv_5x5": Separable(5, times=2),
    "dil_conv_3x3": Separable(3, dilation=2),
    "dil_conv_5x5": Separable(5, dilation=2),
}


def darts_network(space: DartsSpace, architecture: object, skeleton: Skeleton) -> Network:
    """A stem and 20 cells of 36 channels, of which two, at a third and two thirds, reduce."""
    channels, cells = skeleton.channels or 36, skeleton.cells or 20
    network, x = start_network(skeleton.image, skeleton.num_classes, 2)
    before = last = network.conv_norm(x, STEM * channels, 3)
    genotype = space.genotype(space.read(architecture))
    auxiliary = None
    after_reduction = False
    for number in range(cells):
        reduces = number in reductions(cells)
        channels *= 2 if reduces else 1
        builder = _Cell(network, channels, reduces, skeleton.drop_path)
        cell = builder.add(genotype[int(reduces)], before, last, after_reduction=after_reduction)
        before, last, after_reduction = last, cell, reduces
        if number == 2 * cells // 3:
            auxiliary = cell
    network.classify(last)
    if skeleton.auxiliary:
        assert auxiliary is not None
        _add_auxiliary_head(network, auxiliary)
    return network


@dataclass(frozen=True)
class _Cell:
    """How one cell is appended to a network."""

    network: Network
    channels: int
    reduces: bool
    drop_path: bool

    def add(
        self,
        edges: tuple[tuple[str, int], ...],
        before: int,
        last: int,
        *,
        after_reduction: bool,
    ) -> int:
        """Append the cell that reads two earlier ones, with two edges a node."""
        network, channels = self.network, self.channels
        if after_reduction:
            nodes = [network.factorized_reduction(before, channels)]
        else:
            nodes = [network.relu_conv_norm(before, channels, 1)]
        nodes.append(network.relu_conv_norm(last, channels, 1))
        for step in range(STEPS):
            two = edges[2 * step : 2 * step + 2]
            nodes.append(network.sum(*(self.edge(name, nodes[s], s < INPUTS) for name, s in two)))
        return network.concat(*nodes[INPUTS:])

    def edge(self, name: str, source: int, from_input: bool) -> int:
        """Append an operation."""
        network = self.network
        stride = 2 if self.reduces and from_input else 1
        if name == "skip_connect" and stride == 1:
            return source
        if name == "skip_connect":
            x = network.factorized_reduction(source, self.channels)
        elif name in ("avg_pool_3x3", "max_pool_3x3"):
            kind: Kind = "pool" if name == "avg_pool_3x3" else "max_pool"
            x = network.add(kind, source, kernel=3, stride=stride)
        elif name == "noise":
            pixels = source if stride == 1 else network.add("sample", source, stride=stride)
            x = network.add("noise", pixels)
        else:
            x = self.separable(CONVOLUTIONS[name], source, stride)
        return network.add("drop_path", x) if self.drop_path else x

    def separable(self, convolution: Separable, source: int, stride: int) -> int:
        """Append a separable convolution."""
        network, x = self.network, source
        for time in range(convolution.times):
            x = network.add(
                "conv",
                network.add("relu", x),
                kernel=convolution.kernel,
                stride=1 if time else stride,
                dilation=convolution.dilation,
                groups=self.channels,
            )
            x = network.conv_norm(x, self.channels, 1)
        return x


def _add_auxiliary_head(network: Network, source: int) -> None:
    """Append the head for 8x8 maps behind the cell at two thirds (DARTS's ``AuxiliaryHeadCIFAR``).

    Raises:
        SuiteError: the maps have another size.
    """
    size = network.layers[source].size
    if size != AUXILIARY_SIZE:
        raise SuiteError(
            f"The auxiliary head reads maps of {AUXILIARY_SIZE}x{AUXILIARY_SIZE} and not of "
            f"{size}x{size}: give images of 32x32, or leave it out."
        )
    x = network.add("pool", network.add("relu", source), size=2, kernel=5, stride=3, padded=False)
    x = network.conv_norm_relu(x, 128, 1)
    x = network.add("conv", x, channels=768, size=1, kernel=2, padded=False)
    x = network.add("relu", network.add("norm", x))
    network.auxiliary = network.add("linear", x, channels=network.classes)
