"""How methods look: one colour, marker and dash each, in every figure of a results file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

MOST_CURVES = 14  # more on one axes cover each other; the best are drawn, and the note says so
_LONG_NAME = 26  # characters; longer names in a legend would cover the curves
_LINE = 40  # characters of an axis label on one line
_COLOURS = 8
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
    import seaborn as sns

    numbers = method_numbers(methods, frame)
    palette = sns.color_palette("colorblind", _COLOURS)
    return {
        method: {
            "color": palette[number % _COLOURS],
            "linestyle": _DASHES[(number + number // _COLOURS) % len(_DASHES)],
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


def belongs(artist: Artist, ax: Axes, number: int) -> Artist:
    """Name an artist after its method, so that the report can hide it: ``mNUMBER.COUNT``."""
    named = ax.findobj(lambda other: str(other.get_gid() or "").startswith("m"))
    artist.set_gid(f"m{number}.{len(named)}")
    return artist


def add_legend(ax: Axes, names: Sequence[str], frame: pd.DataFrame | None = None) -> None:
    """A legend below the axes, where it covers nothing; in columns as they fit."""
    handles, labels = ax.get_legend_handles_labels()
    if not handles:
        return
    figure = ax.get_figure()
    if figure is not None and figure.axes[0] is not ax:
        return  # one legend for all panels, which is the first one's
    width = ax.figure.get_figure(root=True).get_size_inches()[0]
    columns = legend_columns(labels, width)
    legend = ax.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.17),
        ncols=columns,
        frameon=False,
        fontsize="small",
        handlelength=2.6,
    )
    numbers = method_numbers(names, frame)
    for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True):
        if text.get_text() in numbers:
            for part in (text, handle):
                if part is not None:
                    belongs(part, ax, numbers[text.get_text()])


def legend_columns(names: Sequence[str], inches: float) -> int:
    """How many columns of names fit into so many inches."""
    longest = max(map(len, names), default=1)
    return max(1, min(len(names), int(inches / (0.55 + 0.062 * longest))))


def legend_height(names: Sequence[str], inches: float) -> float:
    """Inches that ``add_legend`` takes below the axes."""
    rows = -(-len(names) // legend_columns(names, inches))
    return 0.16 * rows + 0.05


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
            color="0.35",
        )


def plain_numbers(ax: Axes, axis: str = "y") -> None:
    """No offsets beside an axis and no powers on it: each tick has its own number in full."""
    from matplotlib.ticker import ScalarFormatter

    for name in axis:
        chosen = ax.yaxis if name == "y" else ax.xaxis
        if isinstance(chosen.get_major_formatter(), ScalarFormatter):
            ax.ticklabel_format(axis=name, useOffset=False, style="plain")  # type: ignore[arg-type]


def regret_label(frame: pd.DataFrame, unit: str, before: str = "") -> str:
    """The label of an axis of regrets: of which metric, in which unit."""
    metric = frame.attrs.get("metric", "")
    text = f"{before}regret{f' of {metric}' if metric else ''}" + (f" ({unit})" if unit else "")
    return fill(text, _LINE)  # the height of a panel is a line's length


__all__ = [
    "MOST_CURVES",
    "add_legend",
    "add_note",
    "belongs",
    "best_few",
    "legend_height",
    "method_numbers",
    "method_styles",
    "plain_numbers",
    "regret_label",
    "spaced_markers",
]
