"""The classification networks of TransNAS-Bench-101.

Source: Duan et al., *TransNAS-Bench-101*, CVPR 2021; code at github.com/yawen-d/TransNASBench.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.graph import Network, start_network
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.spaces.transnas import (
    EDGES,
    NUM_NODES,
    OPERATIONS,
    TransNASMacroSpace,
    TransNASMicroSpace,
)

MICRO_MODULES = "41414"
"""The skeleton of all micro networks."""

AddCell = Callable[[Network, int, int, int], int]
"""Appends a cell: of the network, what it reads, its channels and its stride."""


def transnas_micro_network(
    space: TransNASMicroSpace, architecture: object, skeleton: Skeleton
) -> Network:
    """Five modules of two cells from 64 channels; three double the channels and halve the size."""
    skeleton.without_heads(space.name)
    names = [OPERATIONS[choice] for choice in space.vector(space.read(architecture))]

    def cell(network: Network, source: int, channels: int, stride: int) -> int:
        return add_cell(network, source, names, channels, stride)

    return _network(MICRO_MODULES, cell, skeleton)


def transnas_macro_network(
    space: TransNASMacroSpace, architecture: object, skeleton: Skeleton
) -> Network:
    """Four to six modules of two residual blocks from 64 channels."""
    skeleton.without_heads(space.name)
    modules = space.format(space.read(architecture)).split("-")[1]
    return _network(modules, add_residual_block, skeleton)


def _network(modules: str, cell: AddCell, skeleton: Skeleton) -> Network:
    """Two strided convolutions and the modules: 2 and 4 double the channels, 3 and 4 halve."""
    channels = skeleton.channels or 64
    if channels < 2:  # the stem has half of them, and so has each half of a reduction
        raise SuiteError(
            f"A network of TransNAS-Bench-101 cannot work with channels={channels}: give 2 or more."
        )
    halvings = 2 + sum(module in "34" for module in modules)
    network, x = start_network(skeleton.image, skeleton.num_classes, halvings)
    x = network.conv_norm(x, channels // 2, 3, stride=2)
    x = network.end_block(network.relu_conv_norm(x, channels, 3, stride=2))
    for module in modules:
        channels *= 2 if module in "24" else 1
        for number in range(skeleton.cells or 2):
            x = cell(network, x, channels, 2 if module in "34" and not number else 1)
            network.end_block(x)
    network.classify(x)
    return network


def add_cell(
    network: Network, source: int, names: Sequence[str], channels: int, stride: int
) -> int:
    """Append a cell whose edges from the input take the stride and change the channels."""
    nodes: list[int | None] = [source] + [None] * (NUM_NODES - 1)
    for (start, end), name in zip(EDGES, names, strict=True):
        read = nodes[start]
        if read is None or name == "none":
            continue
        step = 1 if start else stride
        if name != "skip_connect":
            kernel = {"conv_1x1": 1, "conv_3x3": 3}[name]
            message = network.relu_conv_norm(read, channels, kernel, step)
        elif step == 1 and network.width(read) == channels:
            message = read
        else:
            message = network.factorized_reduction(read, channels, step)
        present = nodes[end]
        nodes[end] = message if present is None else network.add("add", present, message)
    output = nodes[-1]
    if output is None:
        size = network.layers[source].size // stride
        return network.add("zero", source, channels=channels, size=size)
    return output


def add_residual_block(network: Network, source: int, channels: int, stride: int) -> int:
    """Append a residual block of two 3x3 convolutions (``ResNetBasicblock``)."""
    x = network.relu_conv_norm(source, channels, 3, stride)
    x = network.relu_conv_norm(x, channels, 3)
    if stride > 1 or network.width(source) != channels:
        pixels = source if stride == 1 else network.add("sample", source, stride=stride)
        source = network.conv_norm(pixels, channels, 1)
    return network.add("add", source, x)
