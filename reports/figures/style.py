"""How figures look in print: column widths, fonts, and colours that the colour-blind can tell."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_suite.errors import SuiteError, and_more, choose_from, warn
from nasbench_suite.files.atomic import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Widths in inches, from the venues' LaTeX classes: neurips.sty (text 5.5 in), icml.sty (columns
# of 3.25 in, text of 6.75 in), IEEEtran (columns of 252 pt, text of 516 pt).
WIDTHS: dict[str, dict[str, float]] = {
    "neurips": {"column": 5.5, "text": 5.5},
    "icml": {"column": 3.25, "text": 6.75},
    "ieee": {"column": 252 / 72.27, "text": 516 / 72.27},
    "screen": {"column": 5.2, "text": 9.0},
}
_POINTS = {"neurips": 8.0, "icml": 8.0, "ieee": 8.0, "screen": 10.0}
METADATA: dict[str, dict[str, Any]] = {  # no dates, so that equal results give equal files
    ".pdf": {"CreationDate": None},
    ".png": {},
    ".svg": {"Date": None},
}


# What matplotlib warns of, once for each letter.
_LACKING = re.compile(r"Glyph (\d+) .* missing from font\(s\) (.+)\.")
_MOST_LETTERS = 10  # that the font lacks are named


@dataclass(frozen=True)
class Inks:
    """Colours of what is no method's.

    Attributes:
        ground: what is drawn on.
        text: words, axes, marks.
        muted: what is said by the way.
        band: an area behind all else.
        lift: factor of the methods' colours.
    """

    ground: str
    text: str
    muted: str
    band: str
    lift: float = 1.0


LIGHT = Inks("#ffffff", "#262626", "#595959", "#ebebeb")
DARK = Inks("#16171a", "#ececf0", "#a6a7ae", "#2b2d33", 1.3)


def inks() -> Inks:
    """The colours of matplotlib's present style: the dark ones where the ground of axes is dark."""
    import matplotlib as mpl
    from matplotlib.colors import to_rgb

    dark = sum(to_rgb(mpl.rcParams["axes.facecolor"])) < 1.5
    return DARK if dark else LIGHT


def figure_width(venue: str, width: str = "column") -> float:
    """Width of a figure in inches.

    Raises:
        SuiteError: unknown venue, or a width that is neither ``column`` nor ``text``.
    """
    if venue not in WIDTHS:
        raise SuiteError(choose_from("venue", venue, list(WIDTHS)))
    if width not in WIDTHS[venue]:
        raise SuiteError(choose_from("width", width, list(WIDTHS[venue])))
    return WIDTHS[venue][width]


@contextmanager
def paper_style(venue: str = "neurips", *, dark: bool = False) -> Iterator[None]:
    """Matplotlib's settings for a venue: font sizes, embedded fonts, colour-blind colours.

    The venues set their papers in Times; STIX, which comes with matplotlib, is of its kind.
    Fonts are embedded as TrueType (type 42), as the venues' checks require, not as type 3.

    Args:
        venue: whose.
        dark: light on dark, for slides and pages.
    """
    import matplotlib as mpl
    import seaborn as sns
    from cycler import cycler

    figure_width(venue)
    size = _POINTS[venue]
    serif = {"font.family": "STIXGeneral", "mathtext.fontset": "stix"} if venue != "screen" else {}
    chosen = DARK if dark else LIGHT
    grounds = ("figure.facecolor", "axes.facecolor")
    words = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
    settings = {
        **sns.axes_style("ticks"),
        **dict.fromkeys(grounds, chosen.ground),
        **dict.fromkeys(words, chosen.text),
        **serif,
        "font.size": size,
        "axes.labelsize": size,
        "axes.titlesize": size,
        "xtick.labelsize": size - 1,
        "ytick.labelsize": size - 1,
        "legend.fontsize": size - 1,
        "axes.linewidth": 0.6,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "lines.linewidth": 1.2,
        "axes.prop_cycle": cycler(color=sns.color_palette("colorblind")),
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "path",  # glyphs as outlines: the same wherever it is opened
        "svg.hashsalt": "nasbench",
        "savefig.dpi": 300,
    }
    with mpl.rc_context(settings):
        yield


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PDF, PNG or SVG, by the end of the name.

    One sentence warns of letters that the font lacks, as they are drawn as boxes.

    Raises:
        SuiteError: another kind of file, a folder that does not exist or cannot be written.
    """
    path = Path(path)
    check_figure_path(path)
    show_as_text(figure)
    kind = path.suffix.lower()
    with warnings.catch_warnings(record=True) as told:
        warnings.filterwarnings("always", _LACKING.pattern)
        with replacing(path) as partial:
            figure.savefig(partial, format=kind.removeprefix("."), metadata=METADATA[kind])
    lacking: dict[str, str] = {}  # fonts by letter
    for one in told:
        if found := _LACKING.match(str(one.message)):
            lacking[chr(int(found[1]))] = found[2]
        else:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    if lacking:
        named = f"{' '.join(list(lacking)[:_MOST_LETTERS])}{and_more(len(lacking) - _MOST_LETTERS)}"
        warn(
            f"{path}: the font {next(iter(lacking.values()))} lacks {named}, drawn as boxes; a "
            f"labels file (--labels) gives names in other letters."
        )


def without_lacking() -> None:
    """Warn of no letter that a font lacks: where text stays text, others are at hand."""
    warnings.filterwarnings("ignore", _LACKING.pattern)


def show_as_text(figure: Figure) -> None:
    """Have names with dollar signs that are no formula drawn as they are."""
    from matplotlib.mathtext import MathTextParser
    from matplotlib.text import Text

    parser = MathTextParser("path")
    for text in figure.findobj(Text):
        lines = text.get_text().split("\n")  # drawn one by one
        try:
            for line in lines if text.get_parse_math() else ():
                if line.count("$") > 1:
                    parser.parse(line)
        except ValueError:
            text.set_parse_math(False)


def check_figure_path(path: Path) -> None:
    """Raise unless ``save_figure`` could write there."""
    if path.suffix.lower() not in METADATA:
        raise SuiteError(f"{path} is no figure file: end its name in .pdf, .png or .svg.")
    if not path.parent.is_dir():
        raise SuiteError(f"There is no folder {path.parent} for the figure: make it first.")
