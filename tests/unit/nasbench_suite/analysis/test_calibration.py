"""A short form of the calibration suite: every command decides alike, and at its stated level.

The whole is ``python tests/benchmarks/calibration.py``, whose table stands in docs/metrics.md.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import calibration
import numpy as np
import pytest

from nasbench_suite.analysis.leaderboard import Boards


@pytest.mark.parametrize(("pool", "shift"), [(0, 2.0), (4, 0.0)])
def test_every_command_decides_by_the_same_test(pool: int, shift: float) -> None:
    """Of Gaussian figures that differ, and of equals of two values, with one seed of a method."""
    rng = np.random.default_rng(0)
    figures = calibration.made_pools(rng)[pool].figures
    samples = [
        rng.choice(figures, n) - shift * float(figures.std()) * (m == 1)
        for m, n in enumerate((10, 7, 1))
    ]
    truth = float(figures.mean())
    assert not calibration.disagreements(samples, truth)
    assert bool(calibration.decide(samples, truth).all) == bool(shift)


def test_levels_coverage_and_power_are_as_stated() -> None:
    """Over all made distributions together, with ten seeds and three methods."""
    rng = np.random.default_rng(1)
    found = [calibration.calibrate(p, 3, (10,), 100, rng) for p in calibration.made_pools(rng)]
    for name in ("best", "all", "named"):
        assert np.mean([getattr(each, name) for each in found]) < 0.07, name
    assert min(each.means for each in found) > 0.92
    assert np.mean([each.differences for each in found]) > 0.93
    assert found[0].power == pytest.approx(0.8, abs=0.07)  # Gaussian, as it is promised for
    assert np.mean([each.equal for each in found]) < 0.07


def test_what_decides_otherwise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from reports.tables import paper

    samples = [np.linspace(90.0, 91.0, 10) - shift for shift in (0.0, 1.5)]
    made = paper.results_boards

    def even(*results: Any, **cut: Any) -> Boards:
        boards = made(*results, **cut)
        return replace(boards, rows=boards.rows.assign(worse=False))

    monkeypatch.setattr(paper, "results_boards", even)
    assert calibration.disagreements(samples, 90.5) == ["table"]
