"""The contract of a published format of benchmarks."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasbench_suite import registry
from nasbench_suite.benchmarks.formats import BenchmarkFormat
from nasbench_suite.benchmarks.library import import_benchmark, verify_benchmark
from nasbench_suite.benchmarks.surrogate import Surrogate
from nasbench_suite.benchmarks.surrogates import load_any
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.testing.base import Contract

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class FormatContract(Contract):
    """What ``nasbench data import`` relies on in every format; ``source`` is to be overridden.

    Attributes:
        names: of the formats.
    """

    def source(self, name: str, folder: Path) -> Path:
        """A sound file or folder of the format, made in a folder or standing anywhere.

        The name itself, for a format that reads what an installed package brings.
        """
        raise NotImplementedError(f"{type(self).__name__}.source gives no {name} to read.")

    def format(self, name: str) -> BenchmarkFormat:
        """The format, made anew."""
        return registry.load_object("formats", name, BenchmarkFormat)

    def test_it_knows_its_own_and_no_other(self, name: str, tmp_path: Path) -> None:
        """And says nothing of what it cannot read."""
        known = self.format(name)
        assert type(known).__doc__, "it has no docstring"
        source = self.source(name, tmp_path)
        if not known.installed:
            found = known.recognise(source)
            assert found is not None, "it does not recognise its own source"
            assert _NAME.fullmatch(found), f"{found!r} cannot name a benchmark"
        others = tmp_path / "others"
        others.mkdir()
        (others / "empty.bin").write_bytes(b"")
        (others / "noise.bin").write_bytes(np.random.default_rng(0).bytes(4096))
        (others / "table.csv").write_text("arch_str,x_test_1\na,1.0\n")
        for other in (*sorted(others.iterdir()), others, tmp_path / "nowhere"):
            assert known.recognise(other) is None, f"it takes {other.name} for its own"

    def test_what_is_imported_is_sound(
        self, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is read twice the same, written, verified and loaded again."""
        monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
        source = self.source(name, tmp_path)
        steps: list[tuple[int, int]] = []
        imported = import_benchmark(
            source, "contract", form=name, progress=lambda *step: steps.append(step)
        ).benchmark
        assert load_any("contract").checksum == imported.checksum
        again = self.format(name).read(source)
        assert isinstance(again, Surrogate) == self.format(name).surrogate
        if isinstance(again, Surrogate):
            assert again.checksum == imported.checksum, "reading twice gives different models"
        else:
            assert isinstance(imported, Benchmark)
            assert verify_benchmark("contract").faults == []
            assert {column: again.columns[column].tobytes() for column in again.columns} == {
                column: imported.columns[column].tobytes() for column in again.columns
            }, "reading twice gives different figures"
        assert all(0 <= done <= total for done, total in steps)
        if not self.format(name).installed:
            named = import_benchmark(source, form=name).benchmark.name
            assert load_any(named).name == named, "it is found by another name than its own"

    def test_a_damaged_file_is_told(self, name: str, tmp_path: Path) -> None:
        """Half of it, or a pickle that would run code: one sentence, and no code is run."""
        source = self.source(name, tmp_path)
        if not source.is_file():
            pytest.skip("what is read is not one file")
        content = source.read_bytes()
        damaged = tmp_path / "damaged" / source.name
        damaged.parent.mkdir()
        for broken in (content[: len(content) // 2], b"", pickle.dumps(_Runs())):
            damaged.write_bytes(broken)
            with pytest.raises(SuiteError):
                self.format(name).read(damaged)
        assert not _Runs.ran, "code in the file was run"


class _Runs:
    """What runs code where it is unpickled carelessly."""

    ran = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _run, ()


def _run() -> None:
    _Runs.ran = True
