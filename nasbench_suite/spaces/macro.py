"""NAS-Bench-Macro: eight layers in a row, each one of three blocks.

Source: Su, Huang, Li, You, Wang, Qian, Zhang and Xu, *Prioritized Architecture Sampling with
Monto-Carlo Tree Search*, CVPR 2021; figures and code at github.com/xiusu/NAS-Bench-Macro.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.base import Architecture
from nasbench_suite.spaces.finite import FiniteProductSpace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Inverted bottlenecks: MB3 K3 has expansion 3 and kernel 3, MB6 K5 expansion 6 and kernel 5.
BLOCKS = ("identity", "MB3 K3", "MB6 K5")
STAGES = (2, 3, 3)
"""Layers in each stage; a stage begins by halving the resolution and doubling the channels."""

_IDENTITY = "0"
_BOUNDS = tuple(pairwise(accumulate(STAGES, initial=0)))
_STRING = re.compile(rf"[0-{len(BLOCKS) - 1}]{{{sum(STAGES)}}}")


class MacroSpace(FiniteProductSpace):
    """NAS-Bench-Macro's space: 6,561 networks of eight layers, 3,969 of them different.

    A vector holds the block (position in ``BLOCKS``) of each layer. The authors' file is a
    dictionary without a meaningful order, so indices are lexicographic: an architecture's
    string, read in base three, is its index.

    >>> space = MacroSpace()
    >>> space.string(5)
    '00000012'
    >>> space.canonical("01201020"), space.canonical("01210002")
    ('01/21/02', '01/21/02')
    """

    name = "nasbench-macro"
    aliases = ("macro",)
    choices = (len(BLOCKS),) * sum(STAGES)

    def format(self, vector: Sequence[int]) -> str:
        """NAS-Bench-Macro's string: eight digits, one a layer."""
        return "".join(map(str, vector))

    def parse(self, string: str) -> tuple[int, ...]:
        """The blocks written in ``string``; see ``SearchSpace.parse``."""
        if not isinstance(string, str) or not _STRING.fullmatch(string):
            raise SuiteError(
                f"Malformed network {string!r}: write {len(self.choices)} digits, one a layer: "
                f"{', '.join(f'{digit} {block}' for digit, block in enumerate(BLOCKS))}."
            )
        return tuple(map(int, string))

    def canonical_key(self, vector: tuple[int, ...]) -> Hashable:
        """The layers of each stage without identities.

        The first layer of a stage stays whatever it is: where resolution and channels change,
        an identity is a 1x1 convolution of stride 2 (``train/model.py`` of the authors).
        """
        string = self.format(vector)
        return "/".join(
            string[first] + string[first + 1 : end].replace(_IDENTITY, "") for first, end in _BOUNDS
        )

    def dot(self, architecture: Architecture) -> str:
        """The network as a Graphviz DOT graph, a chain of blocks."""
        from nasbench_suite.spaces.drawing import dot_chain

        return dot_chain(["in", *self._blocks(architecture), "out"])

    def draw(self, architecture: Architecture, ax: Axes | None = None) -> Axes:
        """Draw the layers as a row of blocks, stage by stage."""
        from nasbench_suite.spaces.drawing import draw_blocks

        vector = self.vector(architecture)
        return draw_blocks(BLOCKS, [vector[first:end] for first, end in _BOUNDS], ax)

    def _blocks(self, architecture: Architecture) -> list[str]:
        return [BLOCKS[choice] for choice in self.vector(architecture)]
