"""Experiment files: tasks, methods and seeds that belong together, and named suites of them.

An experiment file is TOML. What stands at its top holds for every run; a run names a benchmark, and
whatever of the rest is its own::

    description = "Three methods on two data sets."
    seeds = "0-99"
    methods = "random,local-search,regularized-evolution"
    evaluations = 100

    [[runs]]
    benchmark = "nas201"
    dataset = ["cifar10", "cifar100"]

Where dear methods have fewer seeds than quick ones, ``methods`` is a table of seeds::

    [methods]
    "0-99" = "random,local-search"
    "0-9" = "bananas"

A suite is such a file under a name that others can cite, registered under
``nasbench_suite.suites`` as the path of the file, or a function that gives it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from nasbench_suite import registry
from nasbench_suite.deprecated import RUN_ARGUMENTS, current_keys
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.toml import read_toml
from nasbench_suite.parsing import first_fault, parse_seeds, split_names

_SHARED = ("methods", "seeds", "evaluations", "simulated_seconds", "answers")


class SuiteRun(BaseModel):
    """One call of ``nasbench_suite.run``: see there for what the fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    benchmark: str
    methods: str
    dataset: str | list[str] | None = None
    space: str | None = None
    seeds: str = "0-4"
    evaluations: float | None = Field(default=None, gt=0)
    simulated_seconds: float | None = Field(default=None, gt=0)
    signal: str | None = None
    judged_by: str | None = None
    objectives: list[str] = []
    each_objective: list[str] = []
    answers: str = "mean"

    @field_validator("objectives", "each_objective", mode="before")
    @classmethod
    def _split(cls, names: Any) -> Any:
        """Names parted by commas, as on the command line, or a list of them."""
        return split_names(names) if isinstance(names, str) else names

    def settings(self) -> dict[str, Any]:
        """The keyword arguments of ``nasbench_suite.run``, but for the store."""
        found = self.model_dump()
        return {**found, "seeds": parse_seeds(self.seeds)}


class Suite(BaseModel):
    """An experiment: what it is for, and its runs.

    Attributes:
        description: what it is for, in a sentence.
        source: the paper whose protocol it follows, if it follows one.
        runs: in order.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str = ""
    source: str = ""
    runs: list[SuiteRun] = Field(min_length=1)


def read_suite(path: str | Path) -> Suite:
    """The experiment in a TOML file.

    Raises:
        SuiteError: it cannot be read, or says something that no run has.
    """
    content = current_keys(read_toml(Path(path), "Experiment file"), RUN_ARGUMENTS, path)
    runs = content.setdefault("runs", [])
    if runs == []:
        raise SuiteError(
            f"Experiment file {path} has no run: say each benchmark under a [[runs]] of its own."
        )
    if isinstance(runs, list) and all(isinstance(one, dict) for one in runs):
        shared = {name: content.pop(name) for name in _SHARED if name in content}
        runs = [current_keys(one, RUN_ARGUMENTS, path) for one in runs]
        content["runs"] = [each for one in runs for each in _by_seeds(_with_shared(one, shared))]
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        if fault["type"] == "extra_forbidden":
            known = list(SuiteRun.model_fields)
            if fault["loc"][0] != "runs":
                known = [*Suite.model_fields, *_SHARED]
            key = choose_from("key", str(fault["loc"][-1]), known)
            raise SuiteError(f"Experiment file {path}: {key}") from None
        raise SuiteError(f"Experiment file {path}: {first_fault(error)}") from None


def load_suite(name: str) -> Suite:
    """The suite of that name.

    Raises:
        SuiteError: there is none, or its file cannot be read.
    """
    entry = registry.find("suites", name)
    found = entry.load()
    path = entry.call() if callable(found) else found
    with entry.blamed("be read"):
        return read_suite(path)


def describe_suite(name: str) -> str:
    """What a suite is for, in its own words.

    Raises:
        SuiteError: as ``load_suite``.
    """
    return load_suite(name).description


def _by_seeds(run: dict[str, Any]) -> list[dict[str, Any]]:
    """A run of methods by seeds as a run of each seeds' methods."""
    methods = run.get("methods")
    if not isinstance(methods, dict):
        return [run]
    return [{**run, "seeds": seeds, "methods": names} for seeds, names in methods.items()]


def _with_shared(run: dict[str, Any], shared: dict[str, Any]) -> dict[str, Any]:
    """A run with what holds for all; a budget of its own takes the place of the shared one."""
    budget = {"evaluations", "simulated_seconds"}
    if budget & run.keys():
        shared = {name: value for name, value in shared.items() if name not in budget}
    return {**shared, **run}


__all__ = ["Suite", "SuiteRun", "describe_suite", "load_suite", "read_suite"]
