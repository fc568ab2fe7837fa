"""What a trial left, held against its task by the process that stores it.

A trial ran beside code of anybody's, which may have altered what it found there: arrays, classes,
the session itself. So nothing that a worker says is stored before it was held against the task of
this process, where no method runs, and what a search is judged by is found anew.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import TrialResult, diagnostics_fault
from nasbench_suite.runner.jobs import Failure, Outcome
from nasbench_suite.tasks import Task
from nasbench_suite.tasks.auditing import ROUNDING, audit


def settle(task: Task, seed: int, result: TrialResult) -> Outcome:
    """The result as it is to be stored, or a failure that says what of it cannot be so.

    Of an open benchmark, which might train again to answer, costs and budget are held against the
    task, and figures are the worker's word.
    """
    fault = diagnostics_fault(result.diagnostics)
    if fault is not None:
        return Failure(f"What it told of itself cannot be kept: {fault}", "", result.wall_seconds)
    if isinstance(task.benchmark, OpenBenchmark):
        what = _open_fault(task, result)
        judged: TrialResult | None = result
    else:
        try:
            found, judged = audit(task, result.record, seed)
        except SuiteError as error:
            return Failure(f"What it left is no record: {error}", "", result.wall_seconds)
        what = found[0].what if found else None
    if what is not None or judged is None:
        return Failure(
            f"What it left cannot be so, as if the method had altered what it was given: {what}",
            "",
            result.wall_seconds,
        )
    return replace(judged, wall_seconds=result.wall_seconds, diagnostics=result.diagnostics)


def _open_fault(task: Task, result: TrialResult) -> str | None:
    record, strings = result.record, result.record.strings or ()
    count = len(record.architectures)
    places = [*record.architectures.tolist(), *record.recommended.tolist()]
    if not len(record.epochs) == len(record.signals) == len(record.recommended) == count > 0:
        return "its lists are of different lengths."
    if min(places) < -1 or max(places) >= len(strings) or record.architectures.min() < 0:
        return "an architecture is none that it asked for."
    if {*np.unique(record.epochs).tolist()} - {0, *task.fidelities}:
        return "it evaluates at other epochs than there are."
    spent = float((record.epochs / task.fidelities[-1]).sum())
    limit = task.budget.evaluations
    if limit is not None and spent > limit + ROUNDING * max(1.0, limit):
        return f"it spent {spent:.10g} of {limit:.10g} evaluations."
    return None
