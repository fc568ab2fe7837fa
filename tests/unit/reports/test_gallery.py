"""Every figure of the gallery, drawn again from the table that lies beside it.

What is held fast is the data drawn and the words, not pixels: fonts and versions of matplotlib may
set them a little differently. ``python tests/unit/reports/test_gallery.py`` prints the hashes.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

from reports.figures.gallery import list_figures, make_figure
from reports.figures.methods import method_styles
from reports.figures.style import DARK, LIGHT, WIDTHS, paper_style

GALLERY = Path(__file__).resolve().parents[3] / "examples" / "gallery"
DRAWN = {
    "anytime": "cb0d38967bdcc968",
    "anytime-seconds": "d9b01749198d48e4",
    "anytime-seconds-simultaneous": "bdf64e38cf06e98a",
    "anytime-simultaneous": "5ebecb77e7c65005",
    "attainment": "7805894dd5900f78",
    "critical-difference": "8176c0e66640fd95",
    "derived": "005abf2a7b9066a9",
    "discretisation-gap": "c011f8d28a80bc63",
    "distribution": "cbe0d43a532843cd",
    "edge-variance": "9d760ddf5a7f0b74",
    "eigenvalue": "56fc42bbebe654d1",
    "entropy": "86ed3fff752e2b9a",
    "improvement": "96519573cd815220",
    "node-variance": "1a9e44d0f273a533",
    "profile": "d455219ff4d46e99",
}


def table(name: str) -> pd.DataFrame:
    return pd.read_parquet(GALLERY / f"{name}.parquet")


def drawing(name: str, venue: str = "neurips", *, dark: bool = False) -> Figure:
    with paper_style(venue, dark=dark):
        figure = make_figure(name, table(name), venue=venue)
        FigureCanvasAgg(figure)
        figure.set_dpi(300)  # as it is saved
        for _ in range(2):  # ticks and layout settle on each other
            figure.draw_without_rendering()
    return figure


def drawn(figure: Figure) -> list[str]:
    """Lines, areas and words of a figure, in the order in which they were drawn."""
    (ax,) = figure.axes
    found = [_said(figures) for figures in (ax.get_xlim(), ax.get_ylim())]
    for line in ax.get_lines():
        found.append(f"line {_hex(line.get_color())} {_said(line.get_xydata())}")
    for area in ax.collections:
        shape = [path.vertices for path in area.get_paths()] + [np.asarray(area.get_offsets())]
        colours = [_hex(colour) for colour in area.get_facecolor()]
        found.append(f"area {colours[:1]} {' '.join(map(_said, shape))}")
    words = [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]  # type: ignore[attr-defined]
    legend = ax.get_legend()
    words += legend.get_texts() if legend is not None else []
    return [*found, *(text.get_text() for text in words), figure.get_supxlabel()]


def _hex(colour: Any) -> str:
    return to_hex(colour)


def _said(figures: Any) -> str:
    """Numbers to five digits, so that the last bits do not count."""
    flat = np.asarray(figures, dtype=float).ravel() + 0.0
    return " ".join(f"{value:.5g}" for value in flat)


def digest(name: str) -> str:
    return hashlib.sha256("\n".join(drawn(drawing(name))).encode()).hexdigest()[:16]


@pytest.mark.parametrize("name", list_figures())
def test_a_figure_shows_what_it_showed(name: str) -> None:
    assert digest(name) == DRAWN[name]


@pytest.mark.parametrize("name", list_figures())
def test_no_word_is_cut_or_covers_another_in_a_narrow_column(name: str) -> None:
    figure = drawing(name, "icml")
    (ax,) = figure.axes
    width, height = figure.bbox.size
    edges = [ax.xaxis.label, ax.yaxis.label, ax._left_title]  # type: ignore[attr-defined]
    edges += [figure._supxlabel] if figure.get_supxlabel() else []  # type: ignore[attr-defined]
    shown = [text for text in [*edges, *ax.texts] if text.get_text() and text.get_visible()]
    legend = ax.get_legend()
    boxes = {text.get_text(): text.get_window_extent() for text in shown}
    if legend is not None:
        boxes["the legend"] = legend.get_window_extent()
    for words, box in boxes.items():
        assert -1 < box.x0 < box.x1 < width + 1, words
        assert -1 < box.y0 < box.y1 < height + 1, words
    named = list(boxes.items())
    for number, (words, box) in enumerate(named):
        for other, beside in named[:number]:
            overlap = min(box.x1, beside.x1) - max(box.x0, beside.x0) > 1
            assert not (overlap and min(box.y1, beside.y1) - max(box.y0, beside.y0) > 1), (
                words,
                other,
            )


def contrast(first: str, second: str) -> float:
    """Of two colours, as WCAG 2 defines it: from 1 to 21."""

    def luminance(colour: Any) -> float:
        parts = np.array(to_rgb(colour))
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("dark", [False, True])
def test_every_colour_is_seen_on_its_ground(dark: bool) -> None:
    inks = DARK if dark else LIGHT
    assert contrast(inks.text, inks.ground) > 7
    assert contrast(inks.muted, inks.ground) > 4.5
    with paper_style(dark=dark):
        styles = method_styles([f"m{number}" for number in range(8)])
    for style in styles.values():
        assert contrast(style["color"], inks.ground) > (3 if dark else 2.5)


@pytest.mark.parametrize("name", ["anytime", "critical-difference", "improvement", "distribution"])
def test_a_dark_figure_has_no_ink_of_a_light_one(name: str) -> None:
    light = {LIGHT.text, LIGHT.muted, LIGHT.band, "#000000"}
    figure = drawing(name, dark=True)
    assert to_hex(figure.get_facecolor()) == DARK.ground
    (ax,) = figure.axes
    used = {_hex(line.get_color()) for line in ax.get_lines()}
    used |= {_hex(text.get_color()) for text in ax.texts}
    used |= {_hex(colour) for area in ax.collections for colour in area.get_edgecolor()}
    assert not used & light


def test_the_page_shows_every_figure_in_its_size() -> None:
    page = (GALLERY / "README.md").read_text()
    for name in list_figures():
        for file, venue in ((f"{name}-neurips", "neurips"), (f"{name}-icml", "icml")):
            assert f'"{file}.png" width="{round(96 * WIDTHS[venue]["column"])}"' in page
            assert (GALLERY / f"{file}.png").exists()
        assert (GALLERY / f"{name}-neurips-dark.png").exists()


if __name__ == "__main__":
    print("".join(f'    "{name}": "{digest(name)}",\n' for name in list_figures()), end="")
