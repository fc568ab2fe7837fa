"""Pictures of architectures: with matplotlib, and as Graphviz DOT text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's palette, told apart by colour-blind readers; dark enough for print on white.
_INK = "#222222"
_FAINT = "#9a9a9a"
_COLOURS = {
    "nor_conv_3x3": "#0072B2",
    "nor_conv_1x1": "#D55E00",
    "avg_pool_3x3": "#00805E",
    "max_pool_3x3": "#8A5A00",
    "sep_conv_3x3": "#0072B2",
    "sep_conv_5x5": "#B2497F",
    "dil_conv_3x3": "#2F7FA8",
    "dil_conv_5x5": "#D55E00",
    "skip_connect": _INK,
}
_SHORT = {
    "nor_conv_3x3": "conv 3×3",  # noqa: RUF001 (as it is printed)
    "nor_conv_1x1": "conv 1×1",  # noqa: RUF001
    "avg_pool_3x3": "pool 3×3",  # noqa: RUF001
    "max_pool_3x3": "max 3×3",  # noqa: RUF001
    "sep_conv_3x3": "sep 3×3",  # noqa: RUF001
    "sep_conv_5x5": "sep 5×5",  # noqa: RUF001
    "dil_conv_3x3": "dil 3×3",  # noqa: RUF001
    "dil_conv_5x5": "dil 5×5",  # noqa: RUF001
    "skip_connect": "skip",
}
_SPACING = 2.0  # between neighbouring nodes, wide enough for the longest label
_LEVEL = 0.62  # height of the lowest arc, and of each above it
_RADIUS = 0.24


def draw_cell(
    labels: Sequence[str],
    edges: Sequence[tuple[int, int, str, bool]],
    ax: Axes | None = None,
) -> Axes:
    """Draw a cell: nodes on a line, edges to the next node straight, all others as arcs.

    An edge has the same place in every cell of so many nodes, so that cells can be compared.

    Args:
        labels: labels of the nodes, in topological order.
        edges: (source, target, operation, alive); an edge that cannot matter is dashed.
        ax: where to draw; a figure of its own if left out.
    """
    from matplotlib.patches import Circle, FancyArrowPatch

    levels = _arc_levels(len(labels))
    heights = [_LEVEL * levels[source, target] for source, target, *_ in edges]
    used = {0, len(labels) - 1}.union(*(edge[:2] for edge in edges if edge[3]))
    width = (len(labels) - 1) * _SPACING + 2 * _RADIUS
    top, bottom = max([0.0, *heights]) + 0.35, min([0.0, *heights]) - 0.35
    ax = _axes(ax, width * 0.95, (top - bottom) * 0.95)
    circles = []
    for position, label in enumerate(labels):
        x, colour = position * _SPACING, _INK if position in used else _FAINT
        circle = Circle((x, 0), _RADIUS, facecolor="white", edgecolor=colour, linewidth=1.2)
        circles.append(ax.add_patch(circle))
        ax.text(x, 0, label, ha="center", va="center", color=colour, zorder=5)
    for (source, target, operation, alive), height in zip(edges, heights, strict=True):
        colour = _COLOURS.get(operation, _INK) if alive else _FAINT
        reach = (target - source) * _SPACING
        ax.add_patch(
            FancyArrowPatch(
                (source * _SPACING, 0),
                (target * _SPACING, 0),
                # A quadratic curve: it rises to half the height of its control point.
                connectionstyle=f"arc3,rad={-2 * height / reach}",
                patchA=circles[source],
                patchB=circles[target],
                shrinkA=1,
                shrinkB=1,
                arrowstyle="-|>,head_length=0.4,head_width=0.2",
                mutation_scale=12,
                linestyle="solid" if alive else (0, (4, 3)),
                linewidth=1.6 if alive else 1.1,
                color=colour,
            )
        )
        ax.text(
            (source + target) / 2 * _SPACING,
            height,
            _SHORT.get(operation, operation),
            ha="center",
            va="center",
            color=colour,
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            zorder=4,
        )
    ax.set_xlim(-_RADIUS - 0.1, width - _RADIUS + 0.1)
    ax.set_ylim(bottom, top)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def draw_cells(
    cells: Sequence[tuple[str, Sequence[str], Sequence[tuple[int, int, str, bool]]]],
    ax: Axes | None = None,
) -> Axes:
    """Draw several cells one below the other.

    Args:
        cells: title of each, with labels and edges as ``draw_cell`` takes them.
        ax: where to draw; a figure of its own if left out.
    """
    width = max(len(labels) for _, labels, _ in cells) * _SPACING
    ax = _axes(ax, width, 4.2 * len(cells))
    ax.set_axis_off()
    share = 1 / len(cells)
    for number, (title, labels, edges) in enumerate(cells):
        inset = ax.inset_axes((0, 1 - (number + 1) * share, 1, share))
        draw_cell(labels, edges, inset).set_title(title)
    return ax


def draw_widths(
    layers: Sequence[str], widths: Sequence[int], most: int, ax: Axes | None = None
) -> Axes:
    """Draw the number of channels of each layer as bars.

    Args:
        layers: names of the layers.
        widths: channels of each layer.
        most: the most channels a layer may have, shown as an outline.
        ax: where to draw; a figure of its own if left out.
    """
    ax = _axes(ax, 5.2, 2.6)
    positions = range(len(layers))
    ax.bar(positions, [most] * len(layers), 0.62, facecolor="none", edgecolor="#cccccc")
    bars = ax.bar(positions, widths, 0.62, color="#0072B2")
    ax.bar_label(bars, padding=2, color=_INK)
    ax.set_xticks(positions, [layer.replace(" ", "\n", 1) for layer in layers])
    ax.set_ylabel("channels")
    ax.set_ylim(0, most * 1.14)
    ax.set_yticks(range(0, most + 1, most // 4))
    ax.tick_params(axis="x", length=0)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def draw_blocks(
    names: Sequence[str], stages: Sequence[Sequence[int]], ax: Axes | None = None
) -> Axes:
    """Draw a network as a row of blocks, the larger ones taller, grouped in stages.

    Block 0 does nothing, except at the start of a stage; where it does nothing it is dashed.

    Args:
        names: names of the blocks, from the smallest to the largest.
        stages: the blocks (positions in ``names``) of each stage.
        ax: where to draw; a figure of its own if left out.
    """
    from matplotlib.patches import FancyBboxPatch

    fills = ("#ffffff", "#a6cee8", "#0072B2")
    width, gap = 1.0, 0.35
    total = sum(map(len, stages)) * (width + gap) + (len(stages) - 2) * gap
    ax = _axes(ax, total * 0.62, 1.6)
    ax.plot([-gap, total + gap], [0, 0], color=_INK, linewidth=1.2, zorder=0)
    x = 0.0
    for number, stage in enumerate(stages, start=1):
        begin = x
        for place, block in enumerate(stage):
            idle = block == 0 and place > 0
            height = 0.5 + 0.5 * block
            ax.add_patch(
                FancyBboxPatch(
                    (x, -height / 2),
                    width,
                    height,
                    boxstyle="round,pad=0,rounding_size=0.12",
                    facecolor=fills[min(block, len(fills) - 1)],
                    edgecolor=_FAINT if idle else _INK,
                    linestyle=(0, (4, 3)) if idle else "solid",
                    linewidth=1.2,
                )
            )
            ax.text(
                x + width / 2,
                0,
                names[block].replace(" ", "\n"),
                ha="center",
                va="center",
                fontsize="small",
                color="white" if block >= len(fills) - 1 else _FAINT if idle else _INK,
            )
            x += width + gap
        end = x - gap
        ax.plot([begin, end], [-1.0, -1.0], color=_INK, linewidth=1.2)
        ax.text((begin + end) / 2, -1.12, f"stage {number}", ha="center", va="top", color=_INK)
        x += gap
    ax.set_xlim(-gap, total + gap)
    ax.set_ylim(-1.5, 0.85)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def dot_cell(labels: Sequence[str], edges: Sequence[tuple[int, int, str, bool]]) -> str:
    """The cell as a Graphviz DOT graph, operations on the edges; see ``draw_cell``."""
    lines = ["digraph cell {", "  rankdir=LR;", "  node [shape=circle];"]
    lines += [f'  {node} [label="{label}"];' for node, label in enumerate(labels)]
    lines += [
        f'  {source} -> {target} [label="{operation}"];' for source, target, operation, _ in edges
    ]
    return "\n".join([*lines, "}"]) + "\n"


def dot_chain(labels: Sequence[str]) -> str:
    """A Graphviz DOT graph of nodes in a row, each connected to the next."""
    lines = ["digraph network {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f'  {node} [label="{label}"];' for node, label in enumerate(labels)]
    lines += [f"  {node} -> {node + 1};" for node in range(len(labels) - 1)]
    return "\n".join([*lines, "}"]) + "\n"


def _axes(ax: Axes | None, width: float, height: float) -> Axes:
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    _, own = plt.subplots(figsize=(width, height), layout="constrained")
    return own


def _arc_levels(num_nodes: int) -> dict[tuple[int, int], int]:
    """The height of each edge: 0 straight, 1, 2, ... above the line, -1, -2, ... below it.

    Short arcs first, each goes to the side where it needs to rise less, above if it is equal.
    """
    levels: dict[tuple[int, int], int] = {}
    for span in range(1, num_nodes):
        for source in range(num_nodes - span):
            target = source + span
            passed = [0] + [
                level for (left, right), level in levels.items() if left < target > source < right
            ]
            above, below = max(passed) + 1, min(passed) - 1
            levels[source, target] = 0 if span == 1 else above if above <= -below else below
    return levels
