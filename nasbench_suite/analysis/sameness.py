"""Where methods of a board are one method by two names, or a setting has no effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress

import numpy as np

from nasbench_suite.analysis.results import Results
from nasbench_suite.analysis.samples import task_of
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Record
from nasbench_suite.tasks.methods import make_method

_COMPARED = ("trainings", "evaluations", "seconds", "architecture", "report")
_ARRAYS = ("architectures", "epochs", "signals", "evaluations", "recommended")


def identical_methods(results: Results, task_key: str) -> list[list[str]]:
    """Groups of methods whose searches on a task are the same with every seed.

    Two methods are the same if they have the same seeds and, with each, the same evaluations in
    the same order, to the last bit, and the same recommendations.

    Returns:
        Two or more methods each, in the order of the trials; usually none.
    """
    if task_key not in results.alike:
        results.alike[task_key] = _identical(results, task_key)
    return results.alike[task_key]


def _identical(results: Results, task_key: str) -> list[list[str]]:
    trials = results.finished_on(task_key)[["trial", "method", "seed", *_COMPARED]]
    trials = trials.sort_values("seed")
    groups: dict[bytes, list[str]] = {}
    numbers: dict[str, list[int]] = {}
    for method, rows in trials.groupby("method", sort=False):
        # What trials end with is at hand; records are read where all of it agrees.
        ends = rows[["seed", *_COMPARED]].to_numpy(dtype=np.float64).tobytes()
        groups.setdefault(ends, []).append(str(method))
        numbers[str(method)] = rows["trial"].tolist()
    found: list[list[str]] = []
    record = results.store.record
    for alike in groups.values():
        left = alike
        while len(left) > 1:
            first, *others = left
            same = [
                other
                for other in others
                if all(
                    _same(record(one), record(two))
                    for one, two in zip(numbers[first], numbers[other], strict=True)
                )
            ]
            if same:
                found.append([first, *same])
            left = [other for other in others if other not in same]
    return found


def told_same(results: Results, task_key: str) -> Iterator[str]:
    """A sentence for each group of ``identical_methods``."""
    yield from told(identical_methods(results, task_key))


def told(groups: Iterable[Sequence[str]]) -> Iterator[str]:
    """A sentence for each group of methods that are one."""
    for alike in groups:
        names = f"{', '.join(alike[:-1])} and {alike[-1]}"
        yield f"{names} made the same evaluations with every seed: here they are one method."


def _same(one: Record, other: Record) -> bool:
    arrays = ((getattr(one, name), getattr(other, name)) for name in _ARRAYS)
    return one.strings == other.strings and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in arrays
    )


def idle_settings(results: Results, task_key: str, ran: Mapping[str, str]) -> Iterator[str]:
    """A sentence for each method of a task that cannot do there what its name says.

    As ``nasbench run`` says it, see ``Method.hints``; of methods that are installed here, on
    benchmarks that are at hand.

    Args:
        results: with the task.
        task_key: of the task.
        ran: keys by label of the methods that evaluated anything there. Others train a supernet,
            and to ask them would mean importing torch.
    """
    task = task_of(results.tasks[task_key])
    if task is None:
        return
    methods = {method.key: method for method in results.store.methods()}
    for label, key in ran.items():
        with suppress(SuiteError):
            method = make_method(methods[key].name, methods[key].config)
            for hint in method.hints(task):
                yield f"{label}: {hint}."
