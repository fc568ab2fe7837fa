"""The DARTS cell space and its subspaces S1 to S4: layouts, supernet, genotypes.

Liu, Simonyan and Yang, *DARTS*, ICLR 2019 (code: quark0/darts, cnn/model_search.py), and Zela et
al., *Understanding and Robustifying DARTS*, ICLR 2020 (code: automl/RobustDARTS, src/spaces.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.errors import SuiteError, choose_from
from search_methods.supernet.cell import CellLayout, Mix, MixedCell
from search_methods.supernet.data import SearchData
from search_methods.supernet.network import CellOptions, ConvNorm, Supernet
from search_methods.supernet.operations import FactorizedReduction, normalise
from search_methods.supernet.search import Family

INPUTS, STEPS, KEPT = 2, 4, 2
EDGES = tuple((s, t) for t in range(INPUTS, INPUTS + STEPS) for s in range(t))

_DARTS = (
    *("none", "max_pool_3x3", "avg_pool_3x3", "skip_connect"),
    *("sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"),
)
_SHORT = {
    "skip": "skip_connect",
    "max": "max_pool_3x3",
    "avg": "avg_pool_3x3",
    "sep3": "sep_conv_3x3",
    "dil3": "dil_conv_3x3",
    "dil5": "dil_conv_5x5",
}
_S1_NORMAL = (
    "skip dil3, skip dil5, skip dil5, skip sep3, skip dil3, max skip, skip sep3, skip sep3, "
    "skip dil3, skip sep3, max skip, skip dil3, dil3 dil5, dil3 dil5"
)
_S1_REDUCE = (
    "max avg, max dil3, max avg, max avg, skip dil5, max avg, max sep3, skip dil3, skip dil5, "
    "max avg, max avg, skip dil5, skip dil5, skip dil5"
)


def _spelled(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(_SHORT[word] for word in edge.split()) for edge in text.split(", "))


def _everywhere(*names: str) -> tuple[tuple[str, ...], ...]:
    return (names,) * len(EDGES)


# Candidates of every edge, of the normal and of the reduction cell.
SPACES = {
    "darts": (_everywhere(*_DARTS),) * 2,
    "s1": (_spelled(_S1_NORMAL), _spelled(_S1_REDUCE)),
    "s2": (_everywhere("skip_connect", "sep_conv_3x3"),) * 2,
    "s3": (_everywhere("none", "skip_connect", "sep_conv_3x3"),) * 2,
    "s4": (_everywhere("noise", "sep_conv_3x3"),) * 2,
}


def darts_layouts(space: str) -> tuple[CellLayout, CellLayout]:
    """Layouts of the normal and of the reduction cell.

    Raises:
        SuiteError: there is no such space.
    """
    if space not in SPACES:
        raise SuiteError(choose_from("DARTS space", space, list(SPACES)))
    normal, reduction = (
        CellLayout(INPUTS, INPUTS + STEPS, _as_computed(candidates), kept=KEPT)
        for candidates in SPACES[space]
    )
    return normal, reduction


def _as_computed(candidates: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Pooling ends in batch normalisation in this space."""
    return tuple(
        tuple(f"{name}_norm" if "pool" in name else name for name in names) for names in candidates
    )


class DartsCell(nn.Module):
    """A mixed cell that reads two earlier cells and joins its nodes."""

    def __init__(
        self,
        layout: CellLayout,
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
            FactorizedReduction(first, channels) if after_reduction else Entry(first, channels)
        )
        self.second = Entry(second, channels)
        self.cell = MixedCell(
            layout,
            channels,
            stride=2 if reduces else 1,
            normalised_nodes=options.nodes(layout),
            share=options.share,
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
        space: see ``SPACES``.
        channels: of the first cells' nodes; doubled by each reduction.
        cells: number of cells.
        stem: how many times ``channels`` the stem puts out: 3 in DARTS, 1 in VS-DARTS's code.
    """

    def __init__(
        self,
        data: SearchData,
        options: CellOptions,
        *,
        space: str = "darts",
        channels: int = 16,
        cells: int = 8,
        stem: int = 3,
    ) -> None:
        super().__init__()
        self.layouts = darts_layouts(space)
        self.stem = ConvNorm(data.channels, stem * channels, 3)
        self.reductions = (cells // 3, 2 * cells // 3)
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


def darts_family(space: str, *, channels: int = 16, cells: int = 8, stem: int = 3) -> Family:
    """What makes supernets of a DARTS space, for ``DifferentiableSearch.prepare``.

    Raises:
        SuiteError: there is no such space.
    """
    darts_layouts(space)
    return partial(DartsSupernet, space=space, channels=channels, cells=cells, stem=stem)


# -- genotypes -------------------------------------------------------------------------------------


def format_genotype(choices: Sequence[Sequence[int]], layouts: Sequence[CellLayout]) -> str:
    """A derived pair of cells as text, such as ``sep_conv_3x3~0|skip_connect~1|... / ...``.

    Args:
        choices: of the normal and the reduction cell, as ``discretise`` gives them.
        layouts: theirs.
    """
    cells = []
    for choice, layout in zip(choices, layouts, strict=True):
        edges = zip(choice, layout.edges, layout.candidates, strict=True)
        cells.append(
            "|".join(
                f"{names[place].removesuffix('_norm')}~{source}"
                for place, (source, _), names in edges
                if place >= 0
            )
        )
    return " / ".join(cells)


def parse_genotype(text: str, layouts: Sequence[CellLayout]) -> list[list[int]]:
    """What ``format_genotype`` wrote, as choices; edges of a node may come in either order.

    Raises:
        SuiteError: it is not of that form, or names an operation that an edge does not have.
    """
    cells = text.split("/")
    if len(cells) != len(layouts):
        raise SuiteError(
            f"Genotype {text!r} has {len(cells)} cells, not {len(layouts)}: split by /."
        )
    found = []
    for cell, layout in zip(cells, layouts, strict=True):
        parts = cell.strip().split("|")
        if len(parts) != KEPT * (layout.nodes - layout.inputs):
            raise SuiteError(f"Genotype {cell.strip()!r} has {len(parts)} edges, not two a node.")
        choice = [-1] * len(layout.edges)
        for number, part in enumerate(parts):
            match = re.fullmatch(r"(\w+)~(\d+)", part)
            edge = (int(match[2]), layout.inputs + number // KEPT) if match else None
            if match is None or edge not in layout.edges:
                raise SuiteError(f"Genotype edge {part!r} is not of the form operation~node.")
            place = layout.edges.index(edge)
            names = [name.removesuffix("_norm") for name in layout.candidates[place]]
            if match[1] not in names:
                raise SuiteError(choose_from(f"operation on edge {edge}", match[1], names))
            choice[place] = names.index(match[1])
        found.append(choice)
    return found
