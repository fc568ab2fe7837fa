"""What is kept of a task, a method and an environment: in results files and in submissions alike.

See ``store.schema.SCHEMA`` for what the fields mean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from nasbench_suite.benchmarks.noise import noise_floor

if TYPE_CHECKING:
    from nasbench_suite.tasks import Method, Task


class Row(BaseModel):
    """Fields that cannot be altered, and no others than are named; numbers are finite."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TaskRow(Row):
    """What is kept of a task."""

    key: str
    name: str
    benchmark: str
    space: str
    dataset: str | None
    signal_metric: str
    report_metric: str
    unit: str
    direction: str
    optimum: float
    noise_floor: float | None
    config: dict[str, Any]
    measure: dict[str, Any] | None = None


class MethodRow(Row):
    """What is kept of a method."""

    key: str
    label: str
    name: str
    config: dict[str, Any]


class EnvironmentRow(Row):
    """Where trials ran."""

    key: str
    git_revision: str | None
    packages: dict[str, str]
    platform: str


def task_row(task: Task) -> TaskRow:
    """What the store keeps of a task."""
    if len(task.objectives) > 1:
        return _front_row(task)
    objective = task.objectives[0]
    metric = task.benchmark.metric(objective.report)
    noise = noise_floor(task.benchmark, objective.report)
    return TaskRow(
        key=task.key,
        name=task.name,
        benchmark=task.benchmark.name,
        space=task.benchmark.space.name,
        dataset=task.dataset,
        signal_metric=objective.signal,
        report_metric=objective.report,
        unit=metric.unit,
        direction=metric.direction,
        optimum=task.optimum,
        noise_floor=None if noise is None else noise.floor,
        config=task.config,
    )


def _front_row(task: Task) -> TaskRow:
    """A task of several objectives is judged by one figure, the normalised hypervolume."""
    measure = task.measure
    metrics = [task.benchmark.metric(objective.report) for objective in task.objectives]
    signs = [task.orientation(metric.name) for metric in metrics]
    bounds = measure.low[1:] + measure.bounds * (measure.high - measure.low)[1:]
    return TaskRow(
        key=task.key,
        name=task.name,
        benchmark=task.benchmark.name,
        space=task.benchmark.space.name,
        dataset=task.dataset,
        signal_metric=", ".join(objective.signal for objective in task.objectives),
        report_metric=f"normalised hypervolume of {', '.join(metric.name for metric in metrics)}",
        unit="",
        direction="maximize",
        optimum=task.optimum,
        noise_floor=None,
        config=task.config,
        measure={
            "objectives": [
                {
                    "name": metric.name,
                    "unit": metric.unit,
                    "direction": metric.direction,
                    "provenance": metric.provenance,
                    "device": metric.device,
                    # Of the whole table, best first; between them a loss is 0 to 1.
                    "range": [-sign * low, -sign * high],
                }
                for metric, sign, low, high in zip(
                    metrics, signs, measure.low.tolist(), measure.high.tolist(), strict=True
                )
            ],
            "front": np.unique(task.reported(measure.front), axis=0).tolist(),
            "bounds": (bounds * -np.array(signs[1:])).tolist(),
            "disconnected": int((~measure.eligible).sum()),
        },
    )


def method_row(name: str, method: Method) -> MethodRow:
    """What is kept of a method that is known by that name."""
    from nasbench_suite.tasks.methods import method_key, method_label

    return MethodRow(
        key=method_key(name, method),
        label=method_label(name, method),
        name=name,
        config=method.config,
    )
