"""The size space of NATS-Bench: how many channels each of five layers has.

Source: Dong, Liu, Musial and Gabrys, *NATS-Bench: Benchmarking NAS Algorithms for Architecture
Topology and Size*, TPAMI 2021 (the size search space).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.base import Architecture
from nasbench_suite.spaces.finite import FiniteProductSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CHANNELS = (8, 16, 24, 32, 40, 48, 56, 64)
# What the numbers stand for, in the order of the string.
LAYERS = ("stem, stage 1", "reduction 1", "stage 2", "reduction 2", "stage 3")

_STRING = re.compile(":".join([r"([0-9]{1,9})"] * len(LAYERS)))


class SizeSpace(FiniteProductSpace):
    """NATS-Bench's size space: 32,768 networks of one topology and five widths.

    A vector holds, for each of ``LAYERS``, the position of its width in ``CHANNELS``.

    The index order is lexicographic by width, the last layer fastest: the authors'
    ``exps/NATS-Bench/sss-collect.py`` enumerates it so, and their published file of meta data
    (``NATS-sss-v1_0-50262-simple/meta.pickle.pbz2``, entry ``meta_archs``) lists all 32,768
    strings in this order. Their notebook ``issue-21.ipynb`` shows one of them, index 12.

    >>> space = SizeSpace()
    >>> space.string(12)
    '8:8:8:16:40'
    >>> space.index("64:64:64:64:64")
    32767
    """

    name = "nats-sss"
    aliases = ("nats-bench-sss", "sss", "size")
    choices = (len(CHANNELS),) * len(LAYERS)

    def format(self, vector: Sequence[int]) -> str:
        """NATS-Bench's string, such as ``8:16:24:32:64``."""
        return ":".join([str(CHANNELS[choice]) for choice in vector])

    def parse(self, string: str) -> tuple[int, ...]:
        """The widths written in ``string``; see ``SearchSpace.parse``."""
        match = _STRING.fullmatch(string) if isinstance(string, str) else None
        if match is None:
            raise SuiteError(
                f"Malformed network size {string!r}: write the channels of the {len(LAYERS)} "
                f"layers as c:c:c:c:c with c one of {', '.join(map(str, CHANNELS))}."
            )
        for width in match.groups():
            if width not in _POSITION:
                raise SuiteError(
                    f"{width} channels in network size {string!r} are not in space {self.name!r}: "
                    f"choose from {', '.join(map(str, CHANNELS))}."
                )
        return tuple(_POSITION[width] for width in match.groups())

    def dot(self, architecture: Architecture) -> str:
        """The network as a Graphviz DOT graph, a chain of layers."""
        from nasbench_suite.spaces.drawing import dot_chain

        widths = self._widths(architecture)
        labels = [f"{layer}\\n{width}" for layer, width in zip(LAYERS, widths, strict=True)]
        return dot_chain(["in", *labels, "out"])

    def draw(self, architecture: Architecture, ax: Axes | None = None) -> Axes:
        """Draw the number of channels of each layer as bars."""
        from nasbench_suite.spaces.drawing import draw_widths

        return draw_widths(LAYERS, self._widths(architecture), CHANNELS[-1], ax)

    def _widths(self, architecture: Architecture) -> list[int]:
        return [CHANNELS[choice] for choice in self.vector(architecture)]


_POSITION = {str(width): position for position, width in enumerate(CHANNELS)}
