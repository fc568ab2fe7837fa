"""The networks of NAS-Bench-Macro.

Source: Su et al., *Prioritized Architecture Sampling with Monto-Carlo Tree Search*, CVPR 2021;
code at github.com/xiusu/NAS-Bench-Macro (train/model.py).
"""

from __future__ import annotations

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.graph import Network, start_network
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.spaces.macro import STAGES, MacroSpace

LAST_CHANNELS = 1280
_EXPANSION_AND_KERNEL = {1: (3, 3), 2: (6, 5)}


def macro_network(space: MacroSpace, architecture: object, skeleton: Skeleton) -> Network:
    """A stem of 32 channels and eight blocks; the first of each stage halves and doubles."""
    skeleton.without_heads(space.name)
    if skeleton.cells is not None:
        raise SuiteError(
            f"Networks of space {space.name!r} have one block for each of the architecture's "
            f"layers: leave cells out."
        )
    channels = skeleton.channels or 32
    network, x = start_network(skeleton.image, skeleton.num_classes, len(STAGES))
    x = network.end_block(network.conv_norm_relu(x, channels, 3))
    blocks = iter(space.vector(space.read(architecture)))
    for layers in STAGES:
        channels *= 2
        for number in range(layers):
            x = add_block(network, x, next(blocks), channels, 1 if number else 2)
            network.end_block(x)
    network.classify(network.conv_norm_relu(x, LAST_CHANNELS, 1))
    return network


def add_block(network: Network, source: int, block: int, channels: int, stride: int) -> int:
    """Append an identity, or an inverted bottleneck with a skip where the shape stays."""
    before = network.width(source)
    same = stride == 1 and before == channels
    if block == 0:
        if same:
            return source
        return network.conv_norm(network.add("sample", source, stride=stride), channels, 1)
    expansion, kernel = _EXPANSION_AND_KERNEL[block]
    hidden = expansion * before
    x = network.conv_norm_relu(source, hidden, 1)
    x = network.add("relu", network.conv_norm(x, hidden, kernel, stride, groups=hidden))
    x = network.conv_norm(x, channels, 1)
    return network.add("add", x, source) if same else x
