"""The network of an architecture: one list of layers, and the torch module that computes it.

Training, measuring and zero-cost proxies start from ``describe_network``, which needs no torch, or
from ``build_network``, so that all speak of the same network. Networks of a further space are one
function and a line under the entry point group ``nasbench_suite.networks``, by the space's name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, need_package
from nasbench_suite.networks.graph import Image, Layer, Network, count_network
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.spaces import SearchSpace

if TYPE_CHECKING:
    from nasbench_suite.networks.module import LayersModule

Builder = Callable[[Any, Any, Skeleton], Network]
"""Makes the network of an architecture: a function of the space, the architecture in any form that
the space reads, and what surrounds its cells."""


def describe_network(space: SearchSpace, architecture: Any, skeleton: Skeleton) -> Network:
    """The layers of an architecture's network.

    Args:
        space: its space, or one whose architectures are of it, such as a subspace.
        architecture: in any form that the space reads.
        skeleton: what surrounds the cells.

    Raises:
        SuiteError: networks of the space are not known, or not with such a skeleton.
    """
    return find_builder(space)(space, architecture, skeleton)


def find_builder(space: SearchSpace) -> Builder:
    """What makes networks of a space: registered by its name, or by that of a class above it.

    Raises:
        SuiteError: there is none.
    """
    builder = _builder_of_class(type(space))
    if builder is None:
        known = ", ".join(registry.entries("networks"))
        raise SuiteError(f"Networks of space {space.name!r} are not known: choose from {known}.")
    return builder


@cache
def _builder_of_class(space: type[SearchSpace]) -> Builder | None:
    known = registry.entries("networks")
    for above in space.__mro__:
        name = vars(above).get("name")
        if isinstance(name, str) and name in known:
            builder: Builder = known[name].load()
            return builder
    return None


def build_network(
    space: SearchSpace,
    architecture: Any,
    *,
    num_classes: int = 10,
    image: Image = (3, 32, 32),
    channels: int | None = None,
    cells: int | None = None,
    auxiliary: bool = False,
    drop_path: float = 0.0,
    pruned: bool = False,
) -> LayersModule:
    """The network of an architecture as a torch module, its weights drawn by torch's generator.

    In training a network with an auxiliary head returns a pair, the class scores and the head's;
    otherwise class scores alone, shape (batch, classes).

    Args:
        space: its space.
        architecture: in any form that the space reads.
        num_classes: number of classes.
        image: channels, height and width of an image.
        channels: of the first cells; the published number if left out.
        cells: of the network (DARTS) or of each of its stages; the published number if left out.
        auxiliary: with an auxiliary head.
        drop_path: probability with which paths are dropped in training; the module's attribute
            ``drop_path`` changes it, if it was not 0 to begin with.
        pruned: without what cannot matter.

    Raises:
        SuiteError: torch is not installed, networks of the space are not known, or not with these
            images or options.
    """
    need_package("A network", "torch", "torch")
    from nasbench_suite.networks.module import LayersModule

    skeleton = Skeleton(image, num_classes, channels, cells, auxiliary, drop_path > 0, pruned)
    return LayersModule(describe_network(space, architecture, skeleton), drop_path=drop_path)


__all__ = [
    "Builder",
    "Image",
    "Layer",
    "Network",
    "Skeleton",
    "build_network",
    "count_network",
    "describe_network",
    "find_builder",
]
