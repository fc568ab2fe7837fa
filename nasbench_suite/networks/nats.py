"""The networks of NATS-Bench's two spaces, and the small one of the embedded benchmark.

Sources: Dong and Yang, *NAS-Bench-201*, ICLR 2020, section 2.1; Dong, Liu, Musial and Gabrys,
*NATS-Bench*, TPAMI 2021; their code, AutoDL-Projects (``TinyNetwork``, ``InferTinyCellNet``).
"""

from __future__ import annotations

from collections.abc import Sequence

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.graph import Image, Network, Width, start_network
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.spaces.size import CHANNELS, SizeSpace
from nasbench_suite.spaces.topology import EDGES, NUM_NODES, OPERATIONS, TopologySpace, live_edges

# The cell of all networks in the size space (AutoDL-Projects, exps/NATS-Bench/main-sss.py).
SIZE_CELL = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+"
    "|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"
)
STAGES = 3
DIGITS_CHANNELS = (16, 32)
"""Of the two stages of the embedded benchmark's network."""
DIGITS_NORM_MOMENTUM = 0.2
"""Of its batch normalisations. An epoch is 13 steps: at the usual 0.1 the running statistics of the
first epochs would still be those of the initialisation, and the learning curve would measure that
lag."""

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


def topology_network(space: TopologySpace, architecture: object, skeleton: Skeleton) -> Network:
    """Three stages of five cells from 16 channels, the channels doubled by each reduction."""
    skeleton.without_heads(space.name)
    width = skeleton.channels or 16
    widths = [width, 2 * width, 2 * width, 4 * width, 4 * width]
    vector = space.vector(space.read(architecture))
    return nats_network(vector, widths, skeleton, cells=skeleton.cells or 5)


def size_network(space: SizeSpace, architecture: object, skeleton: Skeleton) -> Network:
    """Three stages of one cell, ``SIZE_CELL``, with the widths that the architecture says."""
    skeleton.without_heads(space.name)
    if skeleton.channels is not None:
        raise SuiteError(
            f"An architecture of space {space.name!r} says its channels itself: leave them out."
        )
    widths = [CHANNELS[choice] for choice in space.vector(space.read(architecture))]
    return widths_network(widths, skeleton)


def widths_network(widths: Sequence[Width], skeleton: Skeleton) -> Network:
    """The network of five widths of the size space, each a number or an array of numbers.

    They are, in the order of the string: the stem and first stage, the first reduction, the
    second stage, the second reduction, the third stage (AutoDL-Projects, ``InferTinyCellNet``).
    """
    return nats_network(
        TopologySpace().parse(SIZE_CELL), widths, skeleton, cells=skeleton.cells or 1
    )


def nats_network(
    operations: Sequence[int], widths: Sequence[Width], skeleton: Skeleton, cells: int
) -> Network:
    """NAS-Bench-201's skeleton: three stages of cells, with residual reductions between."""
    pruned = skeleton.pruned
    if pruned:
        operations = live_edges(operations)
    network, x = start_network(skeleton.image, skeleton.num_classes, STAGES - 1)
    x = network.end_block(network.conv_norm(x, widths[0], 3))
    for stage in range(STAGES):
        if stage:
            x = network.end_block(_reduction(network, x, widths[2 * stage - 1]))
        width = widths[2 * stage]
        for number in range(cells):
            # Widths that are arrays may differ: their first cell then fits no bare skip.
            before = network.width(x)
            same = bool(number) or (isinstance(before, int) and before == width) or stage == 0
            x = add_cell(network, x, operations, width, pruned=pruned, same=same)
            network.end_block(x)
    network.classify(network.add("relu", network.add("norm", x)))
    return network


def _reduction(network: Network, source: int, channels: Width) -> int:
    """A residual block that halves height and width."""
    x = network.relu_conv_norm(source, channels, 3, stride=2)
    x = network.relu_conv_norm(x, channels, 3)
    shortcut = network.add("pool", source, kernel=2, stride=2)
    shortcut = network.add("conv", shortcut, channels=channels)
    return network.add("add", shortcut, x)


def digits_network(
    operations: Sequence[int],
    *,
    pruned: bool = True,
    image: Image = (1, 8, 8),
    num_classes: int = 10,
) -> Network:
    """The network in which the embedded benchmark trains every cell.

    The skeleton is NAS-Bench-201's, shrunk to 8x8 digits: a 3x3 stem of 16 channels, the cell,
    a 2x2 average pooling with a 1x1 convolution to 32 channels, the cell again, global average
    pooling and a linear classifier. NAS-Bench-201's residual 3x3 reduction blocks are left out on
    purpose: at this size they learn the task alone and drown what the cell contributes.

    Args:
        operations: of the six edges, positions in ``OPERATIONS``.
        pruned: leave out what cannot matter; so the table was made.
        image: channels, height and width of an image.
        num_classes: number of classes.
    """
    if pruned:
        operations = live_edges(operations)
    narrow, wide = DIGITS_CHANNELS
    network, x = start_network(image, num_classes, 1)
    x = network.conv_norm(x, narrow, 3)
    x = add_cell(network, x, operations, narrow, pruned=pruned)
    x = network.add("pool", x, kernel=2, stride=2)
    x = network.conv_norm(x, wide, 1)
    x = add_cell(network, x, operations, wide, pruned=pruned)
    network.classify(network.add("relu", network.add("norm", x)))
    return network


def add_cell(
    network: Network,
    source: int,
    operations: Sequence[int],
    channels: Width,
    *,
    pruned: bool,
    same: bool = True,
) -> int:
    """Append NAS-Bench-201's cell: a convolution is ReLU, convolution, batch normalisation.

    Args:
        network: where to.
        source: what its first node reads.
        operations: of its edges.
        channels: of its nodes.
        pruned: leave edges of ``none`` out, and rectify a node once for all that read it.
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
                rectified[read] = network.add("relu", read)
            message = network.conv_norm(rectified[read], channels, _KERNELS[name])
        elif name == "avg_pool_3x3":
            message = network.add("pool", read, kernel=3)
        elif name == "none":
            message = network.add("zero", read)
        elif fits:
            message = read
        else:  # a skip that has to change the number of channels
            message = network.conv_norm(read, channels, 1)
        present = nodes[end]
        nodes[end] = message if present is None else network.add("add", present, message)
    output = nodes[-1]
    return network.add("zero", source) if output is None else output
