"""Whose figures they are reaches captions and reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasbench_suite import run
from nasbench_suite.benchmarks.library import import_benchmark
from nasbench_suite.benchmarks.sources import find_source
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space
from reports.html.report import write_report
from reports.labels import read_presented
from reports.tables.paper import paper_table


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    space = load_space("nats-tss")
    rng = np.random.default_rng(0)
    figures = rng.uniform(80, 90, space.size)[space.classes]  # the same for isomorphic cells
    frame = {"architecture": space.all_strings, "cifar10_valid_12": figures}
    frame["cifar10_test_12"] = figures - 1
    pd.DataFrame(frame).to_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_paper_and_licence_of_a_table_stand_in_captions_and_reports(
    table: Path, tmp_path: Path
) -> None:
    import_benchmark(table, "of-others", "nats-tss", published="NAS-Bench-201")
    store, page = tmp_path / "r.sqlite", tmp_path / "r.html"
    run("of-others", "random", seeds=2, evaluations=5, store=store)
    source = find_source("nas-bench-201")
    said = f"Figures of of-others: {source.citation}; licence: {source.licence}."
    assert said in paper_table(read_presented(store)).caption
    write_report(store, page, panels=[])
    assert source.citation in page.read_text()
    assert source.licence in page.read_text()


def test_another_table_of_that_name_is_not_credited(table: Path, tmp_path: Path) -> None:
    import_benchmark(table, "of-others", "nats-tss")
    store = tmp_path / "r.sqlite"
    run("of-others", "random", seeds=2, evaluations=5, store=store)
    assert "Figures of" not in paper_table(read_presented(store)).caption
    frame = pd.read_parquet(table)
    frame["cifar10_valid_12"] += 0.5
    frame.to_parquet(table)
    import_benchmark(table, "of-others", "nats-tss", published="nas-bench-201", overwrite=True)
    assert "Figures of" not in paper_table(read_presented(store)).caption


def test_an_unknown_publication_is_refused(table: Path) -> None:
    with pytest.raises(SuiteError, match="published benchmark 'nas-bench-2001'"):
        import_benchmark(table, "of-others", "nats-tss", published="nas-bench-2001")
