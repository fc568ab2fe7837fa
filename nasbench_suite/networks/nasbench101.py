"""The networks of NAS-Bench-101.

Source: Ying et al., *NAS-Bench-101*, ICML 2019, section 2.3, and their code
(google-research/nasbench, lib/model_builder.py).
"""

from __future__ import annotations

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.graph import Network, start_network
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.spaces.nasbench101 import (
    MAX_VERTICES,
    OPERATIONS,
    Module,
    NASBench101Space,
    edges_of,
    prune,
)

STACKS = 3


def nasbench101_network(
    space: NASBench101Space, architecture: object, skeleton: Skeleton
) -> Network:
    """A stem of 128 channels, and three stacks of three modules; the later two halve and double."""
    skeleton.without_heads(space.name)
    module = prune(space.read(architecture))
    assert module is not None, "the space reads modules that have a path"
    channels = skeleton.channels or 128
    if channels < MAX_VERTICES - 2:
        raise SuiteError(
            f"The output of a module shares its channels among up to {MAX_VERTICES - 2} vertices, "
            f"and {channels} are too few: give {MAX_VERTICES - 2} or more."
        )
    network, x = start_network(skeleton.image, skeleton.num_classes, STACKS - 1)
    x = network.end_block(network.conv_norm_relu(x, channels, 3))
    for stack in range(STACKS):
        if stack:
            x = network.add("max_pool", x, kernel=2, stride=2)
            channels *= 2
        for _ in range(skeleton.cells or 3):
            x = network.end_block(add_module(network, x, module, channels))
    network.classify(x)
    return network


def vertex_channels(module: Module, channels: int) -> list[int]:
    """The channels of every vertex, with 0 at the input (``compute_vertex_channels``).

    Vertices that the output reads share its channels, the first of them what does not divide;
    the others have as many as the widest vertex that reads them.
    """
    last = module.vertices - 1
    edges = edges_of(module)
    read = [source for source, target in edges if target == last and source > 0]
    found = [0] * last + [channels]
    for place, vertex in enumerate(read):
        found[vertex] = channels // len(read) + (place < channels % len(read))
    for vertex in range(last - 1, 0, -1):
        if vertex not in read:
            found[vertex] = max(found[target] for source, target in edges if source == vertex)
    return found


def add_module(network: Network, source: int, module: Module, channels: int) -> int:
    """Append a pruned module.

    A vertex sums what it reads, of which the module's input goes through a 1x1 convolution and
    others lose their last channel where they have one more. The output joins the channels of what
    it reads, and adds the input.
    """
    widths = vertex_channels(module, channels)
    last = module.vertices - 1
    values = [source]
    for vertex in range(1, last + 1):
        sources = [start for start, end in edges_of(module) if end == vertex]
        width = widths[vertex]
        inner = [start for start in sources if start > 0]
        if vertex == last:
            read = [network.concat(*(values[start] for start in inner))] if inner else []
        else:
            read = [_narrowed(network, values[start], width) for start in inner]
        if 0 in sources:
            read.append(network.conv_norm_relu(source, width, 1))
        x = network.sum(*read)
        if vertex < last:
            x = _operation(network, x, OPERATIONS[module.operations[vertex - 1]], width)
        values.append(x)
    return values[-1]


def _narrowed(network: Network, number: int, width: int) -> int:
    same = network.width(number) == width
    return number if same else network.add("take", number, channels=width)


def _operation(network: Network, source: int, name: str, width: int) -> int:
    if name == "maxpool3x3":
        return network.add("max_pool", source, kernel=3)
    return network.conv_norm_relu(source, width, 3 if name == "conv3x3-bn-relu" else 1)
