"""The section of a site that has its files: what the page is made of, to be saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import quote

from nasbench_suite.analysis.results import Results
from nasbench_suite.lookalikes import shown_name
from reports.html.panels import PlacedPanel, Section


@dataclass(frozen=True)
class Download:
    """A file that lies beside the page.

    Attributes:
        path: from the page, with slashes.
        size: in bytes.
        said: what is said of it, in a few words.
        doubts: what is strange in it, a sentence each.
    """

    path: str
    size: int
    said: str = ""
    doubts: Sequence[str] = ()

    @property
    def href(self) -> str:
        """The address, relative to the page."""
        return quote(self.path.encode("utf-8", "surrogateescape"))

    @property
    def name(self) -> str:
        """The path as it can be shown."""
        return shown_name(self.path)


def downloads_panel(board: Download, submissions: Sequence[Download]) -> PlacedPanel:
    """The panel of a site's files, and of what makes the page's results file of them."""

    def panel(results: Results) -> Section:
        import jinja2

        template = (files("reports.html") / "page" / "downloads.html.j2").read_text("utf-8")
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        markup = environment.from_string(template).render(
            store=results.path.name, board=_shown(board), submissions=map(_shown, submissions)
        )
        return Section("downloads", "Downloads", markup=markup)

    return PlacedPanel(panel, 0.1, "The files that the page is made of.")


def _shown(file: Download) -> dict[str, object]:
    size = f"{file.size / 1000:,.0f} kB" if file.size >= 1000 else f"{file.size} bytes"
    return {
        "href": file.href,
        "name": file.name,
        "size": size,
        "said": file.said,
        "doubts": [shown_name(doubt) for doubt in file.doubts],
    }


__all__ = ["Download", "downloads_panel"]
