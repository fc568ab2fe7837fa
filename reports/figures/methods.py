"""How methods look: one colour, marker and dash each, in every figure of a results file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from textwrap import fill, wrap
from typing import TYPE_CHECKING, Any

from reports.figures.style import inks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.transforms import Transform

MOST_CURVES = 14  # more on one axes cover each other; the best are drawn, and the note says so
_LONG_NAME = 26  # characters; longer names are broken between settings
_LINE = 40  # characters of an axis label on one line: the height of a panel
_LEFT = 0.6  # inches that ticks and label of a vertical axis take
# Seaborn's "colorblind" with a magenta in place of its pink, which is not seen on white.
_COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#ee3377", "#949494")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 1.5)), (0, (1.5, 1.5)), (0, (5, 1.5, 1.5, 1.5)))


def method_styles(
    methods: Sequence[str], frame: pd.DataFrame | None = None
) -> dict[str, dict[str, Any]]:
    """A colour, a marker and a dash of each method, from a palette for the colour-blind.

    Eight colours and eleven markers have no divisor in common, so that no two of 88 methods share
    both.

    Args:
        methods: by the names in the frame.
        frame: what is drawn; where ``present`` gave it numbers, a method looks the same in every
            figure of its results file, and otherwise it is counted among ``methods``.
    """
    return numbered_styles(method_numbers(methods, frame))


def numbered_styles(numbers: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """The looks of methods by the numbers that decide them."""
    from matplotlib.colors import to_rgb

    lift = inks().lift
    palette = [tuple(min(1.0, lift * part) for part in to_rgb(colour)) for colour in _COLOURS]
    return {
        method: {
            "color": palette[number % len(_COLOURS)],
            "linestyle": _DASHES[(number + number // len(_COLOURS)) % len(_DASHES)],
            "marker": _MARKERS[number % len(_MARKERS)],
            "markersize": 4.0,
            "markeredgewidth": 0.0,
            "linewidth": 1.4,
        }
        for method, number in numbers.items()
    }


def method_numbers(methods: Sequence[str], frame: pd.DataFrame | None = None) -> dict[str, int]:
    """The number of each method that decides its looks."""
    known: Mapping[str, int] = {} if frame is None else frame.attrs.get("styles", {})
    return {method: known.get(method, place) for place, method in enumerate(methods)}


def spaced_markers(place: int, curves: int) -> tuple[float, float]:
    """Where a curve has its markers, so that those of several do not cover each other."""
    return 0.04 + 0.2 * place / max(curves, 1), 0.2


def draw_band(
    ax: Axes, places: Any, ends: tuple[Any, Any], colour: Any, curves: int, step: Any = None
) -> Artist:
    """The band around one of so many curves.

    Its area hides less where there are many, or nobody would see the curves; so that bands are told
    apart where they overlap, each has edges.

    Args:
        ax: where to draw.
        places: on the horizontal axis, shape (n,).
        ends: lower and upper, shape (n,) each.
        colour: of the curve.
        curves: how many there are.
        step: as of matplotlib's ``fill_between``.
    """
    from matplotlib.colors import to_rgba

    low, high = ends
    return ax.fill_between(
        places,
        low,
        high,
        step=step,
        facecolor=to_rgba(colour, 0.4 / max(curves, 3)),
        edgecolor=to_rgba(colour, 1.8 / max(curves, 4)),
        linewidth=0.5,
    )


def belongs(artist: Artist, ax: Axes, number: int) -> Artist:
    """Name an artist after its method, so that the report can hide it: ``mNUMBER.COUNT``."""
    named = ax.findobj(lambda other: str(other.get_gid() or "").startswith("m"))
    artist.set_gid(f"m{number}.{len(named)}")
    return artist


def add_legend(ax: Axes, names: Sequence[str], frame: pd.DataFrame | None = None) -> None:
    """A legend below the axes, where it covers nothing; in columns as they fit."""
    handles, labels = ax.get_legend_handles_labels()
    others = [other.get_legend() for other in ax.figure.axes if other is not ax]
    told = [{text.get_text() for text in legend.get_texts()} for legend in others if legend]
    shown = legend_names(labels, width_of(ax))
    if not handles or any(names.issuperset(shown) for names in told):
        return  # a legend of all panels that are alike
    columns = legend_columns(labels, width_of(ax))
    legend = ax.legend(
        handles,
        shown,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        bbox_transform=ax.transAxes + _below_labels(ax),
        borderaxespad=0.0,
        ncols=columns,
        frameon=False,
        fontsize="small",
        handlelength=2.6,
    )
    numbers = method_numbers(names, frame)
    for name, *parts in zip(labels, legend.get_texts(), legend.legend_handles, strict=True):
        for part in parts if name in numbers else ():
            if part is not None:
                belongs(part, ax, numbers[name])


def _below_labels(ax: Axes) -> Transform:
    """From the lower end of axes to below their ticks and label, which are of so many points."""
    from matplotlib.transforms import ScaledTranslation

    lines = 1 + ax.get_xlabel().count("\n")
    points = 22 + 1.25 * float(ax.xaxis.label.get_fontsize()) * lines
    return ScaledTranslation(0.0, -points / 72, ax.figure.get_figure(root=True).dpi_scale_trans)


def width_of(ax: Axes) -> float:
    """Inches of its figure that axes have for themselves, with what stands beside them."""
    spec = ax.get_subplotspec()
    share = ax.get_position().width
    if spec is not None:
        share = len(spec.colspan) / spec.get_gridspec().ncols
    return float(share * ax.figure.bbox.width / ax.figure.dpi)


def text_width(text: str, size: str = "medium") -> float:
    """Inches of a line of text in the present style."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(size=size)
    path = TextPath((0, 0), text.replace("$", "S"), prop=font, usetex=False)  # no formula
    return float(path.get_extents().width) / 72


def letters_in(inches: float, text: str, size: str = "medium") -> int:
    """How many letters of a text a line of so many inches holds, and at least a word's."""
    return max(12, int(0.95 * len(text) * inches / max(text_width(text, size), 0.01)))


def legend_columns(names: Sequence[str], inches: float) -> int:
    """How many columns of names fit below axes, each as wide as its longest name.

    Args:
        names: in the order of the legend.
        inches: those of the axes and what stands on their left.
    """
    import numpy as np

    widths = [_beside_name() + 1.05 * text_width(name, "small") for name in names]
    fitting = (
        columns
        for columns in range(len(names), 1, -1)
        if sum(max(part) for part in np.array_split(widths, columns)) <= inches - _LEFT
    )
    return next(fitting, 1)


def legend_names(names: Sequence[str], inches: float) -> list[str]:
    """Names as a legend shows them: in several lines what is wider than the axes.

    Args:
        names: in the order of the legend.
        inches: as of ``legend_columns``.
    """
    room = inches - _LEFT - _beside_name()
    return [
        balanced(name, letters_in(room, name, "small"))
        if 1.05 * text_width(name, "small") > room
        else name
        for name in names
    ]


def _beside_name() -> float:
    """Inches of a legend's line and gaps beside a name."""
    from matplotlib import rcParams

    return 5.4 * 0.833 * float(rcParams["font.size"]) / 72


def legend_height(names: Sequence[str], inches: float) -> float:
    """Inches that ``add_legend`` takes below the axes."""
    import numpy as np

    lines = [1 + name.count("\n") for name in legend_names(names, inches)]
    columns = np.array_split(lines, legend_columns(names, inches))
    return 0.16 * max(int(column.sum()) for column in columns) + 0.05


def best_few(names: Sequence[str], most: int = MOST_CURVES) -> tuple[list[str], str]:
    """The first few of methods sorted best first, and what is to be said of the others."""
    shown = list(names[:most])
    if len(shown) == len(names):
        return shown, ""
    return shown, f"the best {len(shown)} of {len(names)} methods"


def add_note(ax: Axes, text: str) -> None:
    """Say what is not drawn, inside the axes at the top."""
    if text:
        ax.annotate(
            text,
            (1.0, 1.0),
            xycoords="axes fraction",
            xytext=(-2, -2),
            textcoords="offset points",
            ha="right",
            va="top",
            fontsize="small",
            color=inks().muted,
        )


def plain_numbers(ax: Axes, axis: str = "y") -> None:
    """No offsets beside an axis and no powers on it: each tick has its own number in full."""
    from matplotlib.ticker import ScalarFormatter

    for name in axis:
        chosen = ax.yaxis if name == "y" else ax.xaxis
        if isinstance(chosen.get_major_formatter(), ScalarFormatter):
            ax.ticklabel_format(axis=name, useOffset=False, style="plain")  # type: ignore[arg-type]


def wrap_name(name: str, width: int = _LONG_NAME) -> str:
    """A method's name, its hyper-parameters on lines of their own.

    None is broken but those too long for two lines.
    """
    lines = [""]
    parts = re.findall(r"\(?[^\[(,]+[\[,]?\s?", name)
    for part in (piece for whole in parts for piece in _pieces(whole, width)):
        if len(lines[-1]) + len(part) > width and lines[-1]:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.rstrip() for line in lines)


def _pieces(part: str, width: int) -> list[str]:
    """Part of a name, broken where two lines do not hold it."""
    return wrap(part, width, drop_whitespace=False) if len(part) > 2 * width else [part]


def readable(colour: Any) -> tuple[float, ...]:
    """A colour of a method for words, which need more contrast than a line."""
    from matplotlib.colors import to_rgb

    ink = to_rgb(inks().text)
    return tuple(0.75 * part + 0.25 * dark for part, dark in zip(to_rgb(colour), ink, strict=True))


def title_of(ax: Axes, text: str) -> None:
    """A title in as many lines as it takes, from the left end of the axes, over nothing else."""
    letters = letters_in(width_of(ax) - _LEFT, text)
    ax.set_title(balanced(text, letters), fontsize="medium", loc="left")


def balanced(text: str, width: int = _LINE) -> str:
    """Text in lines of at most so many characters, as few and as equal as can be.

    Lines that it has already stay apart.
    """
    if "\n" in text:
        return "\n".join(balanced(line, width) for line in text.split("\n"))
    lines = fill(text, width).count("\n")
    return next(
        broken
        for limit in range(-(-len(text) // (lines + 1)), width + 1)
        if (broken := fill(text, limit)).count("\n") == lines
    )


def plain_decades(axis: Axis) -> None:
    """A logarithmic axis with 0.2, 0.5, 1 beside it rather than powers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(lambda value, _: f"{value:,g}")
    axis.set_minor_formatter(NullFormatter())


def regret_label(frame: pd.DataFrame, unit: str, inches: float | None = None) -> str:
    """The label of an axis of regrets: metric and unit, in lines of so many inches."""
    metric = frame.attrs.get("metric", "")
    text = f"regret{f' of {metric}' if metric else ''}" + (f" ({unit})" if unit else "")
    return balanced(text, _LINE if inches is None else letters_in(inches, text))


__all__ = [
    "MOST_CURVES",
    "add_legend",
    "add_note",
    "balanced",
    "belongs",
    "best_few",
    "draw_band",
    "legend_columns",
    "legend_height",
    "legend_names",
    "letters_in",
    "method_numbers",
    "method_styles",
    "numbered_styles",
    "plain_decades",
    "plain_numbers",
    "readable",
    "regret_label",
    "spaced_markers",
    "text_width",
    "title_of",
    "width_of",
    "wrap_name",
]
