"""Published formats that ``nasbench data import`` reads, besides tables in Parquet or CSV.

A further format is one file with a subclass of ``BenchmarkFormat``, and one line under the entry
point group ``nasbench_suite.formats``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from nasbench_suite import registry
from nasbench_suite.benchmarks.surrogate import Surrogate
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError

Progress = Callable[[int, int], None]
"""Called with the number of architectures done and of all of them."""


class BenchmarkFormat(ABC):
    """A format in which somebody published a benchmark.

    Attributes:
        installed: whether the figures come with a Python package rather than as a file: then
            ``nasbench data import NAME``, with the format's name, reads them.
        surrogate: whether models are read, which answer for the whole space, and no table.
    """

    installed: ClassVar[bool] = False
    surrogate: ClassVar[bool] = False

    @abstractmethod
    def recognise(self, source: Path) -> str | None:
        """The name for the benchmark in a file or folder; None where it is not of this format.

        No more than the beginning is read. Nothing is raised for what cannot be read: what ails
        it is said by ``read``. A damaged file may be told by its published name.
        """

    @abstractmethod
    def read(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark | Surrogate:
        """The benchmark in a file or folder, or that of the installed package.

        Args:
            source: the file or folder; the name of the format where ``installed``.
            space: the search space wanted, where one source holds several.
            progress: called while it is read.

        Raises:
            SuiteError: it is missing, damaged, incomplete, or asks for code to be run.
        """

    def read_partial(
        self, source: Path, *, space: str | None = None, progress: Progress | None = None
    ) -> Benchmark | Surrogate:
        """As ``read``, of an excerpt: the table has the architectures that are there.

        Raises:
            SuiteError: as ``read``; or this format is read whole or not at all.
        """
        raise SuiteError(f"{source} is read whole or not at all: import it without --partial.")


def find_format(source: Path) -> tuple[str, BenchmarkFormat, str] | None:
    """The format of a file, a folder, or what an installed package brings.

    Returns:
        The format's name, the format, and the name for the benchmark; None where no format
        recognises the source. One that cannot be imported or asked is passed over, unless it is
        named.

    Raises:
        SuiteError: two formats recognise it.
    """
    if not source.exists() and str(source) in registry.entries("formats"):
        known = registry.load_object("formats", str(source), BenchmarkFormat)
        return (str(source), known, str(source)) if known.installed else None
    found = []
    for name in registry.entries("formats"):
        try:
            known = registry.load_object("formats", name, BenchmarkFormat)
        except SuiteError:
            continue
        try:
            benchmark = known.recognise(source)
        except (SuiteError, OSError):
            raise
        except Exception:  # somebody's format spoils no other
            continue
        if benchmark is not None:
            found.append((name, known, benchmark))
    if len(found) > 1:
        names = ", ".join(name for name, _, _ in found)
        raise SuiteError(f"{source} is of several formats ({names}): say which with --format.")
    return found[0] if found else None
