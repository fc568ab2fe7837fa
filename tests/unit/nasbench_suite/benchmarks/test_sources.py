"""Where figures are to be had."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from nasbench_suite.benchmarks.library import find_sources
from nasbench_suite.benchmarks.sources import SOURCES, find_source
from nasbench_suite.commands.data import app
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import list_spaces


def test_a_source_is_found_however_it_is_written() -> None:
    for name in ("nas-bench-201", "NAS-Bench-201", "nasbench201", "nas_bench_201"):
        assert find_source(name).files[0] == "NAS-Bench-201-v1_1-096897.pth"
    with pytest.raises(SuiteError, match="did you mean 'nas-bench-201'"):
        find_source("nas-bench-20")


def test_all_are_printed_with_what_is_not_known() -> None:
    printed = CliRunner().invoke(app, ["where"]).output
    assert all(source.page in printed for source in SOURCES.values())
    assert "checksums  not published" in CliRunner().invoke(app, ["where", "help"]).output


@pytest.mark.parametrize(
    ("name", "pages"),
    [
        ("NATS-Bench", ["nats-bench"]),
        ("nats-sss", ["nats-bench"]),
        ("TSS", ["nats-bench", "nas-bench-201", "hw-nas-bench", "help", "arch2vec"]),
        ("mnasnet", ["accel-nasbench"]),
        ("transnas101-micro", ["transnas-bench-101"]),
        ("TransNAS-Bench-101-Micro", ["transnas-bench-101"]),
        ("darts", ["nas-bench-301"]),
        ("darts-s1", []),
        ("digits", ["nats-bench", "nas-bench-201", "hw-nas-bench", "help", "arch2vec"]),
    ],
)
def test_a_space_or_a_table_is_found_with_all_that_is_published(
    name: str, pages: list[str]
) -> None:
    assert [source.name for source in find_sources(name)] == pages
    printed = CliRunner().invoke(app, ["where", name])
    assert printed.exit_code == 0
    assert all(SOURCES[page].page in printed.output for page in pages)
    assert pages or "no published figures are known" in printed.output


def test_spaces_of_sources_are_spaces() -> None:
    assert {space for one in SOURCES.values() for space in one.spaces} <= set(list_spaces())


def test_what_is_known_by_no_name_is_answered_by_the_likely() -> None:
    for name, likely in (("mnasnett", "'mnasnet'"), ("nasbench20", "'nas-bench-201'")):
        with pytest.raises(SuiteError, match=f"did you mean .*{likely}"):
            find_sources(name)
