"""A device measured for a sample is filled by predictions that say what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hardware.commands import app
from hardware.filling import fill_table
from hardware.tables import make_table, read_table, write_table
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_finite_space

TSS = load_finite_space("nats-tss")
COSTS = 5 + np.array([0, 0.1, 1, 2, 0.5])[TSS.all_vectors].sum(axis=1)
SAMPLE = np.random.default_rng(0).choice(TSS.size, 300, replace=False)


def test_measured_figures_stay_and_the_others_are_modelled() -> None:
    noise = np.random.default_rng(1).normal(1, 0.02, len(SAMPLE))
    table = make_table(TSS, SAMPLE, {"phone_ms": COSTS[SAMPLE] * noise})
    filled, errors = fill_table(table)
    assert len(filled.indices) == TSS.size
    figures = filled.columns["phone_ms"]
    assert np.array_equal(figures[SAMPLE], COSTS[SAMPLE] * noise)
    assert filled.provenance("phone_ms") == "modelled"
    assert "300 measured, the others predicted by additive" in filled.facts["phone_ms"]["note"]
    rest = np.setdiff1d(np.arange(TSS.size), SAMPLE)
    actual = np.median(np.abs(figures[rest] / COSTS[rest] - 1))
    # The error stated is that of predictions against noisy figures, a little above the true one.
    assert actual < errors["phone_ms"].median < 0.04
    assert errors["phone_ms"].spearman > 0.97


def test_an_error_is_stated_as_it_is_where_nothing_can_be_predicted() -> None:
    noise = np.random.default_rng(1).uniform(1, 9, len(SAMPLE))
    _, errors = fill_table(make_table(TSS, SAMPLE, {"phone_ms": noise}))
    assert abs(errors["phone_ms"].spearman) < 0.2


def test_what_a_compiler_refused_stays_empty() -> None:
    values = COSTS[SAMPLE].copy()
    values[:7] = -1
    facts = {"phone_ms": {"missing": "rejected by the compiler"}}
    filled, _ = fill_table(make_table(TSS, SAMPLE, {"phone_ms": values}, facts))
    assert set(np.flatnonzero(np.isnan(filled.columns["phone_ms"]))) == set(SAMPLE[:7].tolist())


def test_the_command_and_its_refusals(tmp_path: Path) -> None:
    path, out = tmp_path / "sample.parquet", tmp_path / "all.parquet"
    write_table(make_table(TSS, SAMPLE, {"phone_ms": COSTS[SAMPLE]}), path)
    run = CliRunner().invoke(app, ["fill", str(path), "-o", str(out)], catch_exceptions=False)
    assert "300 measured, the others modelled by additive; by cross-validation" in run.output
    assert read_table(out).provenance("phone_ms") == "modelled"
    with pytest.raises(SuiteError, match="nothing to fill"):
        fill_table(read_table(out))
    few = make_table(TSS, SAMPLE[:10], {"phone_ms": COSTS[SAMPLE[:10]]})
    with pytest.raises(SuiteError, match="measure 20 or more"):
        fill_table(few)
    with pytest.raises(SuiteError, match="did you mean 'additive'"):
        fill_table(read_table(path), "aditive")
