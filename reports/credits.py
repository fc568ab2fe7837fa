"""What the tables behind a results file say of themselves: paper, licence, names to show."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import ValidationError

from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.columns import Names
from nasbench_suite.errors import SuiteError
from nasbench_suite.lookalikes import shown_name
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


def table_names(tasks: Iterable[TaskRow]) -> Names:
    """What the tables at hand call their parts; what two of them call differently is left out.

    A metric has a name of a table only where each benchmark that is judged by one of that
    identifier gives it that name.

    Args:
        tasks: of a results file.
    """
    named = {task.benchmark: task for task in tasks}
    said = {name: _names(task) for name, task in named.items()}
    kept: dict[str, dict[str, str]] = {}
    for kind in Names.model_fields:
        of_kind = [(getattr(names, kind), named[name]) for name, names in said.items()]
        found = {key: name for names, _ in of_kind for key, name in names.items()}
        kept[kind] = {
            key: shown_name(name)
            for key, name in found.items()
            if all(
                names.get(key, name) == name and (key in names or key not in _judged_by(task))
                for names, task in of_kind
            )
        }
    return Names(**kept)


def _names(task: TaskRow) -> Names:
    table = table_at_hand(task)
    try:
        return Names.model_validate(table.about.get("names", {})) if table else Names()
    except ValidationError:  # a file that somebody else wrote
        return Names()


def _judged_by(task: TaskRow) -> list[str]:
    if task.measure is None:
        return [task.report_metric]
    return [said["name"] for said in task.measure["objectives"]]
