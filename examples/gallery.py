"""Draw every figure of the registry on real tables, in the size that a paper prints it in.

    python examples/gallery.py                     # from the submissions in board/
    python examples/gallery.py --only profile,anytime --stores kept/

The tables of the board must be at hand (``import_real_tables.py``), since submissions are verified
before they are drawn. What supernets log comes from searches on the embedded digits, which take
minutes. In ``gallery/`` it writes a page, each figure as PNG (in a column of NeurIPS, light and
dark, and in one of ICML), and the table behind it, which the tests draw again.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from nasbench_suite import registry, run
from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.submissions import merge_submissions
from reports.figures.gallery import choose_figure, write_paper_figure
from reports.figures.style import figure_width

PAGE = Path(__file__).with_name("gallery")
BOARD = Path(__file__).resolve().parents[1] / "board"
PIXELS = 96  # of a page, an inch
SUPERNETS = ",".join(
    f"{name}[epochs=20,eigenvalue_every=5]" for name in ("darts", "vs-darts", "fair-darts")
)
LOGGED = ("eigenvalue", "entropy", "discretisation-gap", "node-variance", "edge-variance")


@dataclass(frozen=True)
class Source:
    """Where a figure's results are.

    Attributes:
        file: name of the submission, or ``supernets``.
        benchmark: the one drawn.
        task: the one drawn, for figures of one task, by what tells it apart.
    """

    file: str
    benchmark: str
    task: str | None = None


EVALUATED = Source("board", "nas201", "cifar100")
TIMED = Source(
    "nas-bench-201",
    "nas201",
    "NAS-Bench-201, CIFAR-10, 12,000 seconds, test accuracy after 200 epochs",
)
SOURCES = {
    "anytime": EVALUATED,
    "anytime-simultaneous": EVALUATED,
    "anytime-seconds": TIMED,
    "anytime-seconds-simultaneous": TIMED,
    "critical-difference": Source("board", "nas201"),
    "improvement": Source("board", "nas201"),
    "profile": Source("board", "nas201"),
    "distribution": Source("board", "nas201", "cifar100"),
    "attainment": Source("fronts", "nas201-latency", "pixel3"),
    "derived": Source("supernets-cifar10", "nas201"),
    **dict.fromkeys(LOGGED, Source("supernets", "digits")),
}


def fill(stores: Path) -> None:
    """Merge the submissions and search with supernets, where that is not done yet."""
    stores.mkdir(parents=True, exist_ok=True)
    for submission in BOARD.glob("*.nasbench.json.*"):
        store = stores / f"{submission.name.partition('.')[0]}.sqlite"
        if not store.exists():
            with tempfile.TemporaryDirectory() as alone:
                shutil.copy(submission, alone)
                merge_submissions(alone, store)
    supernets = stores / "supernets.sqlite"
    run(load_benchmark("digits"), SUPERNETS, seeds=range(5), store=supernets, progress=True)


def read(source: Source, stores: Path) -> Results:
    """The results that a figure is drawn from."""
    return read_results(stores / f"{source.file}.sqlite", benchmark=source.benchmark)


def draw(name: str, stores: Path) -> str:
    """Write a figure in its three looks and the table behind it.

    Returns:
        Its part of the page.
    """
    source, figure = SOURCES[name], choose_figure(name)
    results, task = read(source, stores), source.task
    pictures = []
    for venue, dark in (("neurips", False), ("neurips", True), ("icml", False)):
        file = f"{name}-{venue}{'-dark' * dark}.png"
        frame = write_paper_figure(results, name, PAGE / file, task=task, venue=venue, dark=dark)
        Image.open(PAGE / file).convert("RGB").quantize(128).save(PAGE / file, optimize=True)
        width = round(PIXELS * figure_width(venue))
        pictures.append(f'<img src="{file}" width="{width}" alt="{figure.title}, {venue}">')
    frame.to_parquet(PAGE / f"{name}.parquet", index=False)
    return "\n\n".join([f"## {figure.title}", f"`{name}`: {figure.summary}", *pictures])


def main() -> None:
    """Draw, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", help="names of figures, parted by commas; the page is left")
    parser.add_argument("--stores", type=Path, help="folder of the results files, kept")
    given = parser.parse_args()
    missing = set(registry.entries("figures")) - SOURCES.keys()
    if missing:
        parser.error(f"Say in SOURCES what to draw {', '.join(sorted(missing))} from.")
    PAGE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        stores = given.stores or Path(scratch)
        fill(stores)
        chosen = given.only.split(",") if given.only else list(SOURCES)
        parts = [draw(name, stores) for name in chosen]
    if not given.only:
        (PAGE / "README.md").write_text("\n\n".join([HEAD, *parts]) + "\n", encoding="utf-8")


HEAD = """# Every figure

Each figure of `nasbench figure` on real tables, in the size that it has in a column of NeurIPS
(light, dark) and of ICML. `python examples/gallery.py` draws this page; the tables behind the
figures lie beside them, and `tests/unit/reports/test_gallery.py` draws them again."""

if __name__ == "__main__":
    main()
