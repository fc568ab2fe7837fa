"""What must be so of a search, whoever ran it: held against its task alone, running nothing.

A run holds every trial against it before it is stored, and ``nasbench submit verify`` every trial
of a submission: there is one list of what must be so, and it is here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, and_more
from nasbench_suite.events import Record, TrialResult
from nasbench_suite.parsing import counted
from nasbench_suite.tasks.judging import judge, judged_on
from nasbench_suite.tasks.task import Task, training_seconds

Kind = Literal["record", "budget", "forged", "test leakage"]

ROUNDING = 1e-9  # fractions of evaluations must add up to the budget in spite of rounding
_MANY = 3  # entries of a trial named one by one


@dataclass(frozen=True)
class Violation:
    """Something that cannot be so.

    Attributes:
        kind: what sort of thing.
        what: what is claimed and what is so, in one sentence.
    """

    kind: Kind
    what: str


def audit(task: Task, record: Record, seed: int) -> tuple[list[Violation], TrialResult | None]:
    """Hold a search's record against its task, and judge it anew.

    Its costs must be those of its evaluations and within the budget, its signals those of the
    table, and its regret not negative where it is drawn from the best of the table.

    Args:
        task: the task, whole.
        record: what is said to have happened; what it says of costs is not read.
        seed: of the search, which decides its fold where trainings are divided.

    Returns:
        What cannot be so, and what the search comes to by its architectures and recommendations;
        None if that cannot be told.

    Raises:
        SuiteError: the record belongs to a search on an open benchmark, and the task does not.
    """
    whole, task = task, task.for_seed(seed)
    fault = shape_fault(task, record)
    if fault is not None:
        return [Violation("record", fault)], None
    asked = task if record.strings is None else judged_on(task, record)
    evaluations, seconds = costs(asked, record.architectures, record.epochs)
    if task.workers > 1:  # when each of them began cannot be told from a record
        seconds = record.seconds
    found = [
        *_budget_violations(task, evaluations, seconds),
        *_signal_violations(asked, whole, record),
    ]
    kept = Record(
        record.architectures,
        record.epochs,
        record.signals,
        evaluations,
        seconds,
        record.recommended,
        record.strings,
    )
    try:
        result = judge(task, kept, 0.0)
    except SuiteError as error:
        return [*found, Violation("record", str(error))], None
    found += _regret_violations(task, result)
    return found, result


def shape_fault(task: Task, record: Record) -> str | None:
    """Why arrays are no record of a search on a task, if they are none."""
    count = len(record.architectures)
    size = task.table.space.size if record.strings is None else len(record.strings)
    if not count:
        return "it evaluated nothing."
    if not len(record.epochs) == len(record.recommended) == len(record.signals) == count:
        return "its lists are of different lengths."
    if record.signals.shape != (count, len(task.objectives)):
        return f"it has other than {len(task.objectives)} signals an evaluation."
    if record.architectures.min() < 0 or record.architectures.max() >= size:
        return f"an architecture is outside the {size} of the space."
    if record.recommended.min() < -1 or record.recommended.max() >= size:
        return f"a recommendation is outside the {size} of the space."
    unknown = {*np.unique(record.epochs).tolist()} - {0, *task.fidelities}
    if unknown:
        return f"it evaluates after {counted(min(unknown), 'epoch')}, where there is no signal."
    if ((record.epochs == 0) & (record.recommended < 0)).any():
        return "an entry is neither evaluated nor recommended."
    return None


def costs(
    task: Task, architectures: NDArray[np.int32], epochs: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Full evaluations and simulated seconds spent after each entry, as a session adds them."""
    if task.continued:
        return _continued_costs(task, architectures, epochs)
    fractions = np.cumsum(epochs / task.fidelities[-1])
    spent = np.zeros(len(epochs))
    for metric, at in zip(task.cost_metrics, task.fidelities, strict=False):
        if not (epochs == at).any():
            continue
        seconds = training_seconds(task.table, metric)[architectures]
        spent += np.where(epochs == at, seconds, 0.0)
    return fractions, np.cumsum(spent)


def _continued_costs(
    task: Task, architectures: NDArray[np.int32], epochs: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same where trainings go on: what went before is not charged again."""
    at = {0: 0.0} | {each: each / task.fidelities[-1] for each in task.fidelities}
    times = {
        each: training_seconds(task.table, metric)
        for each, metric in zip(task.fidelities, task.cost_metrics, strict=False)
        if (epochs == each).any()
    }
    fractions, seconds = np.zeros(len(epochs)), np.zeros(len(epochs))
    trained: dict[int, int] = {}
    for place, (index, after) in enumerate(
        zip(architectures.tolist(), epochs.tolist(), strict=True)
    ):
        if not after:  # a recommendation
            continue
        before = trained.get(index, 0)
        before = before if before < after else 0
        trained[index] = after
        fractions[place] = at[after] - at[before]
        if times:
            seconds[place] = times[after][index] - (times[before][index] if before else 0.0)
    return np.cumsum(fractions), np.cumsum(seconds)


def _budget_violations(
    task: Task, evaluations: NDArray[np.float64], seconds: NDArray[np.float64]
) -> Iterator[Violation]:
    spent = {"evaluations": float(evaluations[-1]), "seconds": float(seconds[-1])}
    for unit, limit in (("evaluations", task.budget.evaluations), ("seconds", task.budget.seconds)):
        if limit is not None and spent[unit] > limit + ROUNDING * max(1.0, limit):
            yield Violation("budget", f"it spent {spent[unit]:.10g} of {limit:.10g} {unit}.")


def _signal_violations(task: Task, whole: Task, record: Record) -> Iterator[Violation]:
    """Signals that are not the table's, and whether they are its test figures.

    Args:
        task: as the search was to see it.
        whole: the task before its trainings were divided, whose test figures leak as well.
        record: of the search.
    """
    architectures, epochs = record.architectures, record.epochs
    wrong = np.zeros(len(epochs), dtype=bool)
    leaked = np.zeros(len(epochs), dtype=bool)
    test_metrics = [m.name for m in task.benchmark.metrics.values() if m.split == "test"]
    for place, objective in enumerate(task.objectives):
        told = record.signals[:, place]
        wrong |= (epochs == 0) & ~np.isnan(told)
        for at, metric in zip(task.fidelities, task.fidelity_signals, strict=True):
            name = metric if place == 0 else objective.signal
            chosen = epochs == at
            bad = chosen & ~_answers(task, name, architectures, told, record.strings is not None)
            wrong |= bad
            if bad.any() and place == 0:
                for test in test_metrics:
                    leaked |= bad & (task.table.values(test)[architectures] == told)
                    if whole is not task and record.strings is None:
                        leaked |= bad & (whole.table.values(test)[architectures] == told)
    if leaked.any() and leaked.sum() >= wrong.sum() / 2:
        yield Violation("test leakage", f"{int(leaked.sum())} of its signals are test figures.")
    elif wrong.any():
        places = np.flatnonzero(wrong)
        named = ", ".join(f"{place + 1}" for place in places[:_MANY].tolist())
        more = and_more(len(places) - _MANY)
        yield Violation("forged", f"the table gives other signals at evaluation {named}{more}.")


def _answers(
    task: Task,
    metric: str,
    architectures: NDArray[np.int32],
    told: NDArray[np.float64],
    open_benchmark: bool,
) -> NDArray[np.bool_]:
    """Whether the table could have answered so: by the mean, or by any of the seeds."""
    if task.answers == "mean" or not task.benchmark.metric(metric).seeds:
        answers = task.table.values(metric)[architectures] == told
    else:
        answers = (task.table.seed_values(metric)[architectures] == told[:, None]).any(axis=1)
    if open_benchmark:  # which tells what it has, whatever else an architecture lacks
        answers |= np.isnan(task.table.values(metric)[architectures]) & np.isnan(told)
    elif task.available is not None:
        answers = np.where(task.available[architectures], answers, np.isnan(told))
    return np.asarray(answers)


def _regret_violations(task: Task, result: TrialResult) -> Iterator[Violation]:
    """A figure better than the best there is; where trainings are divided a lucky one may be."""
    if len(task.objectives) > 1 or task.chosen is not None or task.optimum is None:
        return
    sign = task.orientation(task.objectives[0].judged_by)
    best = float((sign * result.incumbents.reports).max())
    if best > sign * task.optimum:
        yield Violation(
            "forged", f"it reached {sign * best:.10g}, and {task.optimum:.10g} is best."
        )
