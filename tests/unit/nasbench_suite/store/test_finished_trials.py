"""What is finished is there once and whole, whatever comes after it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Diagnostic, TrialResult
from nasbench_suite.runner import Trial, run
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method


def result(toy: Benchmark, seed: int) -> TrialResult:
    trial = Trial(make_task(toy, evaluations=5), make_method("random"), seed)
    trial.advance()
    return trial.result()


def test_a_finished_trial_is_never_overwritten(toy: Benchmark, tmp_path: Path) -> None:
    """Neither by a failure nor by another result that a second run brings later."""
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=[0], store=store, evaluations=5)
    with ResultStore(store) as results:
        before = results.trials().iloc[0]
        results.add_failure(1, 1, 1, 0, "a slip", 0.1)
        results.add_trial(1, 1, 1, 0, result(toy, 77))
        (after,) = results.trials().to_dict("records")
        assert results.record(after["trial"]).architectures.tolist() == (
            result(toy, 0).record.architectures.tolist()
        )
    assert (after["status"], after["report"]) == ("finished", before["report"])


def test_a_failed_trial_gives_way_to_a_finished_one(toy: Benchmark, tmp_path: Path) -> None:
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=[0], store=store, evaluations=5)
    with ResultStore(store) as results:
        results.add_failure(1, 1, 1, 9, "a slip", 0.1)
        results.add_trial(1, 1, 1, 9, result(toy, 9))
        assert results.trials()["status"].tolist() == ["finished", "finished"]


def test_a_trial_is_written_whole_or_not_at_all(toy: Benchmark, tmp_path: Path) -> None:
    """What goes wrong in the middle of it takes back what was written of it before."""
    store = tmp_path / "r.sqlite"
    run(toy, "random", seeds=[0], store=store, evaluations=5)
    good = result(toy, 1)
    nameless = Diagnostic(0, None, good.record.seconds)  # type: ignore[arg-type]
    with ResultStore(store) as results:
        with pytest.raises(SuiteError):
            results.add_trial(1, 1, 1, 1, replace(good, diagnostics=[nameless]))
        assert results.trials()["seed"].tolist() == [0]
        results.add_trial(1, 1, 1, 1, good)
    connection = sqlite3.connect(store)
    (count,) = connection.execute("SELECT count(DISTINCT trial_id) FROM incumbents").fetchone()
    connection.close()
    assert count == 2
