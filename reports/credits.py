"""Whose figures are shown: the paper and the licence of the tables behind a results file."""

from __future__ import annotations

from collections.abc import Iterable

from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.rows import TaskRow


def table_at_hand(task: TaskRow) -> Benchmark | None:
    """The table of a task, if the one at hand by its name is the same."""
    try:
        table = load_benchmark(task.benchmark)
    except SuiteError:
        return None
    same = isinstance(table, Benchmark) and table.checksum == task.config.get("checksum")
    return table if same else None


def credit_lines(tasks: Iterable[TaskRow]) -> list[str]:
    """A sentence for every table that is at hand and says whose figures it holds.

    Args:
        tasks: of a results file.
    """
    named = {task.benchmark: task for task in tasks}
    sentences = []
    for name, task in named.items():
        table = table_at_hand(task)
        paper = str(table.about.get("paper", "")) if table else ""
        if table and paper:
            licence = str(table.about.get("licence", ""))
            terms = f"; licence: {licence}" if licence else ""
            sentences.append(f"Figures of {name}: {paper}{terms}.")
    return sentences
