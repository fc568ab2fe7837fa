"""The settings in which networks are counted and measured.

The networks are those of ``nasbench_suite.networks``. A *setting* is the input, and the skeleton
around the cells: ``cifar10``, ``cifar100`` and ``imagenet16_120`` have the skeleton of the space's
publication, and with NATS-Bench's spaces (Dong et al., TPAMI 2021) are its own; ``digits`` with the
topology space is the embedded benchmark's network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.networks import Network, Skeleton, count_network, describe_network
from nasbench_suite.networks.nats import digits_network, widths_network
from nasbench_suite.spaces import Architecture, FiniteSpace, SearchSpace
from nasbench_suite.spaces.size import CHANNELS, SizeSpace
from nasbench_suite.spaces.topology import EDGES, OPERATIONS, TopologySpace, live_edges


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

    def skeleton(self, pruned: bool) -> Skeleton:
        """The same for the networks of a space."""
        return Skeleton(self.image, self.classes, pruned=pruned)


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("digits", (1, 8, 8), 10),
        Setting("cifar10", (3, 32, 32), 10),
        Setting("cifar100", (3, 32, 32), 100),
        Setting("imagenet16_120", (3, 16, 16), 120),
    )
}


def setting_network(
    space: SearchSpace, architecture: Architecture, setting: str, *, pruned: bool = False
) -> Network:
    """The network of an architecture in a setting.

    Args:
        space: one whose networks are known; see ``nasbench_suite.networks``.
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
    return describe_network(space, architecture, find_setting(setting).skeleton(pruned))


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
    if chosen.name == "digits":
        return digits_network(operations, pruned=pruned)
    return describe_network(TopologySpace(), tuple(operations), chosen.skeleton(pruned))


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


def count_all(
    space: FiniteSpace, setting: str, *, pruned: bool = False
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Parameters and FLOPs of every architecture, each of shape (space.size,).

    Args:
        space: one whose networks are known.
        setting: name of a setting.
        pruned: without dead branches; NATS-Bench counts networks as they are written.

    Raises:
        SuiteError: as ``setting_network``.
    """
    if isinstance(space, SizeSpace):
        widths = np.array(CHANNELS, dtype=np.int64)[space.all_vectors].T
        same = widths[1] == widths[2], widths[3] == widths[4]
        skeleton = find_setting(setting).skeleton(pruned)
        parameters, flops = count_network(widths_network(list(widths), skeleton))
        # Counted above with a convolution on the skip into a stage, which equal widths save.
        size = find_setting(setting).image[1]
        for stage, equal in enumerate(same, start=1):
            width = widths[2 * stage]
            saved = np.where(equal, width * width, 0)
            parameters = parameters - saved - np.where(equal, 2 * width, 0)
            flops = flops - saved * (size >> stage) ** 2
        return parameters, flops
    if not isinstance(space, TopologySpace):
        counted = [
            count_network(setting_network(space, index, setting, pruned=pruned))
            for index in range(space.size)
        ]
        one, other = np.array(counted, dtype=np.int64).T
        return one, other
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
