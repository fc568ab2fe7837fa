"""Where figures are to be had."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from nasbench_suite.benchmarks.sources import SOURCES, find_source
from nasbench_suite.commands.data import app
from nasbench_suite.errors import SuiteError


def test_a_source_is_found_however_it_is_written() -> None:
    for name in ("nas-bench-201", "NAS-Bench-201", "nasbench201", "nas_bench_201"):
        assert find_source(name).files[0] == "NAS-Bench-201-v1_1-096897.pth"
    with pytest.raises(SuiteError, match="did you mean 'nas-bench-201'"):
        find_source("nas-bench-20")


def test_all_are_printed_with_what_is_not_known() -> None:
    printed = CliRunner().invoke(app, ["where"]).output
    assert all(source.page in printed for source in SOURCES.values())
    assert "checksums  not published" in CliRunner().invoke(app, ["where", "help"]).output
