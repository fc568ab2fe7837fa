"""The networks of architectures as plain lists of layers.

Everything that is counted, built for a runtime or measured starts from one list, so that all
speak of the same network. A *setting* is the skeleton around the cells and the input:
``cifar10``, ``cifar100`` and ``imagenet16_120`` are NATS-Bench's (Dong et al., TPAMI 2021), of
both spaces; ``digits`` is the embedded benchmark's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces import Architecture, FiniteSpace
from nasbench_suite.spaces.size import CHANNELS, SizeSpace
from nasbench_suite.spaces.topology import EDGES, NUM_NODES, OPERATIONS, TopologySpace, live_edges

Kind = Literal["input", "conv", "norm", "relu", "pool", "add", "zero", "global_pool", "linear"]
Width = Any
"""A number of channels: an ``int``, or an array of them, to count many networks at once."""

# The cell of all networks in the size space (AutoDL-Projects, exps/NATS-Bench/main-sss.py).
SIZE_CELL = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
    "|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
_STAGES = 3


@dataclass(frozen=True)
class Setting:
    """What surrounds the cells.

    Attributes:
        name: its name.
        image: channels, height and width of an input.
        classes: number of classes.
    """

    name: str
    image: tuple[int, int, int]
    classes: int


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("digits", (1, 8, 8), 10),
        Setting("cifar10", (3, 32, 32), 10),
        Setting("cifar100", (3, 32, 32), 100),
        Setting("imagenet16_120", (3, 16, 16), 120),
    )
}


@dataclass(frozen=True)
class Layer:
    """One layer; its number is its place in the network.

    Attributes:
        kind: what it does. ``zero`` multiplies by zero; ``pool`` is an average that does not
            count its padding.
        inputs: numbers of the layers it reads.
        channels: channels of its output.
        size: height and width of its output; 1 after the global pooling.
        kernel: side of a convolution's or pooling's window.
        stride: its stride.
    """

    kind: Kind
    inputs: tuple[int, ...]
    channels: Width
    size: int
    kernel: int = 1
    stride: int = 1

    @property
    def padding(self) -> int:
        """What keeps height and width at stride 1; none where windows do not overlap."""
        return 0 if self.kernel == self.stride else self.kernel // 2


@dataclass
class Network:
    """A network under construction, then finished: layers in the order they are computed."""

    setting: Setting
    layers: list[Layer] = field(default_factory=list)

    def add(
        self,
        kind: Kind,
        *inputs: int,
        channels: Width = None,
        size: int | None = None,
        kernel: int = 1,
        stride: int = 1,
    ) -> int:
        """Append a layer and return its number; it keeps its input's shape where none is said."""
        source = self.layers[inputs[0]] if inputs else None
        channels = channels if channels is not None or source is None else source.channels
        if size is None:
            assert source is not None, "an input layer has a size"
            size = source.size // stride
        self.layers.append(Layer(kind, inputs, channels, size, kernel, stride))
        return len(self.layers) - 1

    def conv_norm(self, source: int, channels: Width, kernel: int, stride: int = 1) -> int:
        """A bias-free convolution and a batch normalisation."""
        convolution = self.add("conv", source, channels=channels, kernel=kernel, stride=stride)
        return self.add("norm", convolution)

    def cell(
        self, source: int, operations: Sequence[int], channels: Width, pruned: bool, same: bool
    ) -> int:
        """NAS-Bench-201's cell.

        Args:
            source: what its first node reads.
            operations: of its edges.
            channels: of its nodes.
            pruned: leave out dead edges, and rectify a node once for all that read it.
            same: whether the source has as many channels.
        """
        nodes: list[int | None] = [source] + [None] * (NUM_NODES - 1)
        rectified: dict[int, int] = {}
        for (start, end), operation in zip(EDGES, operations, strict=True):
            name = OPERATIONS[operation]
            read = nodes[start]
            if read is None or (pruned and name == "none"):
                continue
            fits = same or start > 0
            if name in _KERNELS:
                if not pruned or read not in rectified:
                    rectified[read] = self.add("relu", read)
                message = self.conv_norm(rectified[read], channels, _KERNELS[name])
            elif name == "avg_pool_3x3":
                message = self.add("pool", read, kernel=3)
            elif name == "none":
                message = self.add("zero", read)
            elif fits:
                message = read
            else:  # a skip that has to change the number of channels
                message = self.conv_norm(read, channels, 1)
            present = nodes[end]
            nodes[end] = message if present is None else self.add("add", present, message)
        output = nodes[-1]
        return self.add("zero", source) if output is None else output


def build_network(
    space: FiniteSpace, architecture: Architecture, setting: str, *, pruned: bool = False
) -> Network:
    """The network of an architecture.

    Args:
        space: ``nats-tss`` or ``nats-sss``.
        architecture: in any form.
        setting: name of a setting.
        pruned: without the cell's dead branches. Isomorphic architectures compute the same, but
            as they are written they need not cost the same: dead branches are executed unless the
            runtime removes them.

    Raises:
        SuiteError: unknown setting, or a space or setting without such a network.
    """
    if isinstance(space, TopologySpace):
        return cell_network(space.vector(architecture), setting, pruned=pruned)
    if isinstance(space, SizeSpace):
        return size_network([CHANNELS[c] for c in space.vector(architecture)], setting, pruned)
    raise SuiteError(
        f"Networks of space {space.name!r} are not known: choose nats-tss or nats-sss."
    )


def find_setting(name: str) -> Setting:
    """The setting of that name.

    Raises:
        SuiteError: there is none.
    """
    if name not in SETTINGS:
        raise SuiteError(choose_from("setting", name, list(SETTINGS)))
    return SETTINGS[name]


def cell_network(operations: Sequence[int], setting: str, *, pruned: bool = False) -> Network:
    """The network of a cell of the topology space: six operations, in edge order."""
    chosen = find_setting(setting)
    if pruned:
        operations = live_edges(operations)
    if chosen.name == "digits":
        return _digits(operations, chosen, pruned)
    widths = [16, 32, 32, 64, 64]
    return _nats(operations, widths, chosen, cells=5, pruned=pruned)


def size_network(widths: Sequence[Width], setting: str, pruned: bool = False) -> Network:
    """The network of five widths of the size space.

    They are, in the order of the string: the stem and first stage, the first reduction, the
    second stage, the second reduction, the third stage (AutoDL-Projects, ``InferTinyCellNet``).
    """
    chosen = find_setting(setting)
    if chosen.name == "digits":
        raise SuiteError("Setting 'digits' has no networks of the size space: choose cifar10.")
    operations = TopologySpace().parse(SIZE_CELL)
    return _nats(operations, widths, chosen, cells=1, pruned=pruned)


def _nats(
    operations: Sequence[int], widths: Sequence[Width], setting: Setting, cells: int, pruned: bool
) -> Network:
    """NAS-Bench-201's skeleton: three stages of cells, with residual reductions between."""
    network = Network(setting)
    colours, size, _ = setting.image
    x = network.add("input", channels=colours, size=size)
    x = network.conv_norm(x, widths[0], 3)
    for stage in range(_STAGES):
        if stage:
            x = _reduction(network, x, widths[2 * stage - 1])
        width = widths[2 * stage]
        for number in range(cells):
            # Widths that are arrays may differ: their first cell then fits no bare skip.
            before = network.layers[x].channels
            same = bool(number) or (isinstance(before, int) and before == width) or stage == 0
            x = network.cell(x, operations, width, pruned, same)
    x = network.add("relu", network.add("norm", x))
    x = network.add("global_pool", x, size=1)
    network.add("linear", x, channels=setting.classes)
    return network


def _reduction(network: Network, source: int, channels: Width) -> int:
    """A residual block that halves height and width."""
    x = network.conv_norm(network.add("relu", source), channels, 3, stride=2)
    x = network.conv_norm(network.add("relu", x), channels, 3)
    shortcut = network.add("pool", source, kernel=2, stride=2)
    shortcut = network.add("conv", shortcut, channels=channels)
    return network.add("add", shortcut, x)


def _digits(operations: Sequence[int], setting: Setting, pruned: bool) -> Network:
    """The embedded benchmark's skeleton; see ``benchmarks.digits.network``."""
    narrow, wide = 16, 32
    network = Network(setting)
    colours, size, _ = setting.image
    x = network.add("input", channels=colours, size=size)
    x = network.conv_norm(x, narrow, 3)
    x = network.cell(x, operations, narrow, pruned, same=True)
    x = network.add("pool", x, kernel=2, stride=2)
    x = network.conv_norm(x, wide, 1)
    x = network.cell(x, operations, wide, pruned, same=True)
    x = network.add("relu", network.add("norm", x))
    x = network.add("global_pool", x, size=1)
    network.add("linear", x, channels=setting.classes)
    return network


def live_forms(space: FiniteSpace) -> NDArray[np.int64]:
    """Which architectures are one network once dead branches are removed.

    This is not the isomorphism of NAS-Bench-201. Its classes tell cells apart by zeros in their
    sums, which are dead here; and of two isomorphic cells one may compute a part once and share
    it where the other computes it twice: 430 of the 6,466 classes hold networks that differ in
    their number of parameters for that reason.

    Returns:
        For each architecture the lowest index with the same live edges, shape (space.size,).
    """
    if not isinstance(space, TopologySpace):
        return np.arange(space.size)
    first: dict[tuple[int, ...], int] = {}
    return np.array(
        [
            first.setdefault(tuple(live_edges(vector)), index)
            for index, vector in enumerate(space.all_vectors.tolist())
        ]
    )


# -- counting ----------------------------------------------------------------------------------


def count_network(network: Network) -> tuple[Any, Any]:
    """Parameters and FLOPs of a network, as NATS-Bench counts them.

    FLOPs are multiply-adds of convolutions and of the classifier with its bias, one image; sums,
    poolings, normalisations and rectifiers count nothing (AutoDL-Projects, ``flop_benchmark``).
    """
    parameters, flops = 0, 0
    for layer in network.layers:
        if layer.kind == "norm":
            parameters = parameters + 2 * layer.channels
        elif layer.kind in ("conv", "linear"):
            weights = layer.kernel**2 * network.layers[layer.inputs[0]].channels * layer.channels
            if layer.kind == "linear":
                weights = weights + layer.channels
            parameters = parameters + weights
            flops = flops + weights * layer.size**2
    return parameters, flops


def count_all(
    space: FiniteSpace, setting: str, *, pruned: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Parameters and FLOPs of every architecture, each of shape (space.size,).

    Args:
        space: ``nats-tss`` or ``nats-sss``.
        setting: name of a setting.
        pruned: without dead branches; NATS-Bench counts networks as they are written.

    Raises:
        SuiteError: as ``build_network``.
    """
    if isinstance(space, SizeSpace):
        widths = np.array(CHANNELS, dtype=np.int64)[space.all_vectors].T
        same = widths[1] == widths[2], widths[3] == widths[4]
        parameters, flops = count_network(size_network(list(widths), setting, pruned))
        # Counted above with a convolution on the skip into a stage, which equal widths save.
        size = find_setting(setting).image[1]
        for stage, equal in enumerate(same, start=1):
            width = widths[2 * stage]
            saved = np.where(equal, width * width, 0)
            parameters = parameters - saved - np.where(equal, 2 * width, 0)
            flops = flops - saved * (size >> stage) ** 2
        return parameters, flops
    if not isinstance(space, TopologySpace):
        build_network(space, 0, setting)  # raises
    # Both counts are sums over the edges, so each operation on each edge is counted once.
    none = OPERATIONS.index("none")
    vectors = space.all_vectors.astype(np.int64)
    if pruned:
        vectors = np.array([live_edges(vector) for vector in vectors.tolist()])
    empty = np.array(count_network(cell_network([none] * len(EDGES), setting)))
    totals = np.tile(empty, (space.size, 1))
    for edge in range(len(EDGES)):
        alone = [[none] * len(EDGES) for _ in OPERATIONS]
        for operation, cell in enumerate(alone):
            cell[edge] = operation
        extra = np.array([count_network(cell_network(cell, setting)) for cell in alone]) - empty
        totals += extra[vectors[:, edge]]
    return totals[:, 0], totals[:, 1]
