"""Options that commands share, each spelled once, and what is chosen of a results file by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from nasbench_suite.commands.completion import complete, complete_tasks

if TYPE_CHECKING:
    from nasbench_suite.analysis.results import Results

DEFAULT_STORE = Path("results.sqlite")

Store = Annotated[Path, typer.Option("--store", help="Results file, made by `nasbench run`.")]
Seeds = Annotated[
    str,
    typer.Option(
        "--seeds",
        help="The seeds themselves, as 0-4 or 0,2,5-9: 4 is seed 4 alone, 0-3 are four. (In "
        "Python, seeds=4 are four.)",
    ),
]
OneBenchmark = Annotated[str | None, typer.Option("--benchmark", help="This benchmark alone.")]
OneDataset = Annotated[str | None, typer.Option("--dataset", help="This data set alone.")]
OneTask = Annotated[
    str | None,
    typer.Option(
        "--task",
        help="One task alone, by what tells it from the others, such as `cifar10`.",
        autocompletion=complete_tasks,
    ),
]
Chosen = Annotated[
    str | None,
    typer.Option(
        "--methods",
        help="These methods alone, as name,name; by default all.",
        autocompletion=complete("methods"),
    ),
]


@dataclass(frozen=True)
class Tasks:
    """Which tasks of a results file a command is about; a field is an option, see ``choosing``."""

    benchmark: OneBenchmark = None
    dataset: OneDataset = None
    task: OneTask = None


@dataclass(frozen=True)
class Trials(Tasks):
    """Which trials of a results file a command is about, under identifiers."""

    methods: Chosen = None

    def read(self, path: Path) -> Results:
        """What is chosen of a results file.

        Raises:
            SuiteError: it cannot be read, or has no trial of what is chosen.
        """
        from nasbench_suite.analysis import results as reading
        from nasbench_suite.parsing import given_names

        found = reading.read_results(path, benchmark=self.benchmark, dataset=self.dataset)
        if self.task is not None:
            found = reading.one_task(found, reading.choose_task(found, self.task))
        if self.methods is not None:
            wanted = given_names(self.methods) or []
            meant = (reading.meant_methods(name, found.methods, {}) for name in wanted)
            found = reading.only(found, [label for labels in meant for label in labels])
        return reading.need_trials(found)


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the fields of its parameter ``chosen`` as options, where that stands.

    So that commands that read results can be told by the same options which of them are meant.

    Args:
        command: with a parameter ``chosen``, which is a dataclass of options.
    """
    hints = get_type_hints(command, include_extras=True)
    chosen = hints["chosen"]
    options = get_type_hints(chosen, include_extras=True)
    given_by_name = Parameter.KEYWORD_ONLY
    parameters: list[Parameter] = []
    for one in signature(command).parameters.values():
        if one.name == "chosen":
            parameters += [
                Parameter(
                    field.name,
                    given_by_name,
                    default=field.default,
                    annotation=options[field.name],
                )
                for field in fields(chosen)
            ]
        else:
            parameters.append(one.replace(kind=given_by_name, annotation=hints[one.name]))

    @wraps(command)
    def with_options(**given: Any) -> None:
        values = {field.name: given.pop(field.name) for field in fields(chosen)}
        command(**given, chosen=chosen(**values))

    with_options.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in parameters}
    return with_options
