"""The supernet of the DARTS space and of its subspaces S1 to S4.

Liu, Simonyan and Yang, *DARTS*, ICLR 2019 (code: quark0/darts, cnn/model_search.py), and Zela et
al., *Understanding and Robustifying DARTS*, ICLR 2020 (code: automl/RobustDARTS, src/spaces.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space
from nasbench_suite.spaces.cells import Cell
from nasbench_suite.spaces.darts import STEPS, DartsSpace, reductions
from search_methods.supernet.cell import Mix, MixedCell
from search_methods.supernet.data import SearchData
from search_methods.supernet.network import CellOptions, ConvNorm, Family, Supernet
from search_methods.supernet.operations import FactorizedReduction, normalise


def darts_layouts(space: DartsSpace, *, relu_last: bool = False) -> tuple[Cell, Cell]:
    """Layouts of the normal and of the reduction cell: pooling ends in batch normalisation.

    Args:
        space: whose cells.
        relu_last: see ``FactorizedReduction``.
    """

    def named(name: str) -> str:
        if name == "skip_connect" and relu_last:
            return "skip_connect_relu_last"
        return f"{name}_norm" if "pool" in name else name

    normal, reduction = (
        replace(cell, candidates=tuple(tuple(map(named, names)) for names in cell.candidates))
        for cell in space.cells
    )
    return normal, reduction


class DartsCell(nn.Module):
    """A mixed cell that reads two earlier cells and joins its nodes."""

    def __init__(
        self,
        layout: Cell,
        options: CellOptions,
        channels_in: tuple[int, int],
        channels: int,
        *,
        reduces: bool,
        after_reduction: bool,
    ) -> None:
        super().__init__()
        first, second = channels_in
        self.first = (
            FactorizedReduction(first, channels, relu_last=options.relu_last)
            if after_reduction
            else Entry(first, channels)
        )
        self.second = Entry(second, channels)
        self.cell = MixedCell(
            layout,
            channels,
            stride=2 if reduces else 1,
            normalised_nodes=options.nodes(layout),
            share=options.share,
            auxiliary=options.auxiliary,
        )

    def forward(self, before: Tensor, last: Tensor, mix: Mix) -> Tensor:
        """The outputs of two cells to that of this one, of ``STEPS`` times its channels."""
        return torch.cat(self.cell([self.first(before), self.second(last)], mix), dim=1)


class Entry(nn.Module):
    """ReLU, 1x1 convolution, batch normalisation without parameters."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels in, height, width) to (batch, channels out, height, width)."""
        return normalise(self.conv(F.relu(x)))


class DartsSupernet(Supernet):
    """DARTS's search network: a stem and cells, of which two, at a third and two thirds, reduce.

    Args:
        data: what is searched on.
        options: of the cells.
        space: whose cells.
        channels: of the first cells' nodes; doubled by each reduction.
        cells: number of cells.
        stem: how many times ``channels`` the stem puts out: 3 in DARTS, 1 in VS-DARTS's code.
    """

    def __init__(
        self,
        data: SearchData,
        options: CellOptions,
        *,
        space: DartsSpace,
        channels: int = 16,
        cells: int = 8,
        stem: int = 3,
    ) -> None:
        super().__init__()
        self.layouts = darts_layouts(space, relu_last=options.relu_last)
        self.stem = ConvNorm(data.channels, stem * channels, 3)
        self.reductions = reductions(cells)
        self.cells = nn.ModuleList()
        before = last = stem * channels
        for number in range(cells):
            reduces = number in self.reductions
            channels *= 2 if reduces else 1
            self.cells.append(
                DartsCell(
                    self.layouts[int(reduces)],
                    options,
                    (before, last),
                    channels,
                    reduces=reduces,
                    after_reduction=number - 1 in self.reductions,
                )
            )
            before, last = last, STEPS * channels
        self.classifier = nn.Linear(last, data.classes)

    def forward(self, images: Tensor, mixes: Sequence[Mix]) -> Tensor:
        """See ``Supernet``; the mixes are those of the normal and of the reduction cells."""
        before = last = self.stem(images)
        for number, cell in enumerate(self.cells):
            mix = mixes[int(number in self.reductions)]
            before, last = last, cell(before, last, mix)
        scores: Tensor = self.classifier(F.adaptive_avg_pool2d(last, 1).flatten(1))
        return scores


def darts_family(
    space: DartsSpace | str, *, channels: int = 16, cells: int = 8, stem: int = 3
) -> Family:
    """What makes supernets of a DARTS space, for ``DifferentiableSearch.prepare``.

    Raises:
        SuiteError: there is no such space.
    """
    if isinstance(space, str):
        space = find_darts_space(space)
    return partial(DartsSupernet, space=space, channels=channels, cells=cells, stem=stem)


def find_darts_space(name: str) -> DartsSpace:
    """The space of that name: ``darts``, ``darts-s1`` to ``darts-s4``, or ``s1`` to ``s4``.

    Raises:
        SuiteError: there is none, or it is no DARTS space.
    """
    space = load_space(f"darts-{name}" if re.fullmatch(r"s\d", name) else name)
    if not isinstance(space, DartsSpace):
        raise SuiteError(f"{name!r} is no DARTS space: choose darts or darts-s1 to darts-s4.")
    return space
