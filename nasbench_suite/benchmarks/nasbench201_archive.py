"""The official archive of NAS-Bench-201, converted into a table.

Source: Dong and Yang, *NAS-Bench-201*, ICLR 2020, https://github.com/D-X-Y/NAS-Bench-201. The
archive is ``NAS-Bench-201-v1_1-096897.pth`` (or ``v1_0``), written by ``torch.save``. Its records
are those of NATS-Bench, ``less`` of 12 epochs and ``full`` of 200, so ``nats_archive`` reads them;
torch is not needed. The official API takes means with NumPy, where NATS-Bench's sums in Python:
the last bits differ, and each table agrees with its own API.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from nasbench_suite.benchmarks.formats import BenchmarkFormat, Progress
from nasbench_suite.benchmarks.nats_archive import (
    ArchiveFigures,
    Mean,
    assemble,
    read_file,
    recognise,
)
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError


class NumpyMean(Mean):
    """As ``nas_201_api`` 2.1 does."""

    def __call__(self, values: Sequence[float]) -> float:
        """NumPy's mean."""
        return float(np.mean(values))


class NasBench201Format(BenchmarkFormat):
    """NAS-Bench-201: the file .pth; torch need not be installed."""

    def recognise(self, source: Path) -> str | None:
        """See ``BenchmarkFormat``."""
        name = recognise(source)
        return name if name == "nas-bench-201" else None

    def read(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        """See ``BenchmarkFormat``."""
        return import_nasbench201(source, progress=progress)

    def read_partial(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark:
        """See ``BenchmarkFormat``."""
        return import_nasbench201(source, progress=progress, partial=True)


def import_nasbench201(
    path: Path, *, progress: Callable[[int, int], None] | None = None, partial: bool = False
) -> Benchmark:
    """Convert the archive of NAS-Bench-201 into the benchmark ``nas-bench-201``.

    Args:
        path: the file ``.pth``.
        progress: called with the number of architectures done and of all of them.
        partial: take an excerpt of an archive as well; the table is then of a pool.

    Raises:
        SuiteError: the archive is missing, truncated, incomplete, of another kind, or holds a
            pickle that names a global it has no business with.
    """
    figures = read_nasbench201(path, progress=progress, partial=partial)
    return assemble(
        figures,
        "nas-bench-201",
        {
            "description": f"NAS-Bench-201, {len(figures.indices):,} architectures",
            "paper": "Dong and Yang, NAS-Bench-201, ICLR 2020",
            "url": "https://github.com/D-X-Y/NAS-Bench-201",
        },
    )


def read_nasbench201(
    path: Path, *, progress: Callable[[int, int], None] | None = None, partial: bool = False
) -> ArchiveFigures:
    """The figures in an archive of NAS-Bench-201.

    Args:
        path: the file ``.pth``.
        progress: see ``import_nasbench201``.
        partial: take an excerpt of an archive as well.

    Raises:
        SuiteError: see ``import_nasbench201``.
    """
    path = Path(path)
    if path.is_dir():
        raise SuiteError(
            f"{path} is a folder: give NAS-Bench-201's file NAS-Bench-201-v1_1-096897.pth."
        )
    return read_file(path, NumpyMean(), progress, partial)
