"""What is kept of a task, a method, an environment and a trial, in results files and submissions.

See ``store.schema.SCHEMA`` for what the fields mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from nasbench_suite.benchmarks.noise import noise_floor
from nasbench_suite.benchmarks.table import Benchmark

if TYPE_CHECKING:
    from nasbench_suite.events import Record
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
    optimum: float | None
    noise_floor: float | None
    config: dict[str, Any]
    measure: dict[str, Any] | None = None

    @property
    def crossfitted(self) -> bool:
        """Whether a search is judged by other trainings than it saw, and so is the optimum."""
        return bool(self.config.get("crossfit"))

    @property
    def bounds(self) -> tuple[float, float]:
        """The least and the greatest that a reported figure can be, as far as that is known.

        None is beyond the best of the whole table, or the true front, unless it is cross-fitted,
        and no hypervolume is below 0.
        """
        low, high = (0.0, 100.0) if self.unit == "%" else (-math.inf, math.inf)
        if self.measure is not None:
            low = 0.0
        if self.optimum is None or self.crossfitted:
            return low, high
        if self.direction == "maximize":
            return low, min(high, self.optimum)
        return max(low, self.optimum), high

    @property
    def width(self) -> float:
        """The most that two reported figures can differ by, as far as that is known."""
        low, high = self.bounds
        return high - low


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


class CodeRow(Row):
    """The code of a method: what ran when a trial did.

    Attributes:
        key: hash of the other fields.
        source: hash of the method's source, see ``runner.code``; None if there is none to read.
        distribution: what it was installed from, if it was.
        version: of that distribution.
        git_revision: of the folder it lies in, with ``-dirty`` if files differ from it.
    """

    key: str
    source: str | None = None
    distribution: str | None = None
    version: str | None = None
    git_revision: str | None = None

    @property
    def identity(self) -> str:
        """What tells it from other code: its source, or else its version."""
        return self.source or f"{self.distribution} {self.version}"

    @property
    def title(self) -> str:
        """It in a few words."""
        version = f"{self.distribution} {self.version}, " if self.version else ""
        revision = f"revision {self.git_revision[:10]}, " if self.git_revision else ""
        return f"{version}{revision}source {(self.source or 'unknown')[:8]}"


class TrialRow(Row):
    """A finished trial: what was evaluated, what the method was told, and what it came to.

    Attributes:
        task: key of its task.
        method: key of its method.
        seed: its seed.
        environment: key of where it ran.
        wall_seconds: what it took.
        architectures: indices in order, evaluated or recommended.
        epochs: epochs of each; 0 for a recommendation without an evaluation.
        signals: what the method was told, objectives within entries; null where nothing.
        recommended: what it would have returned after each, or -1.
        strings: on an open benchmark the architectures that indices are places among.
        reports: what it was judged by whenever that changed; in a submission, the claims.
    """

    task: str
    method: str
    seed: int
    environment: str
    wall_seconds: float
    architectures: list[int]
    epochs: list[int]
    signals: list[list[float | None]]
    recommended: list[int]
    strings: list[str] | None = None
    reports: list[float]

    @classmethod
    def of(cls, record: Record, reports: Sequence[float], **identity: Any) -> Self:
        """The row of a trial with that record and those reports; ``identity`` is the rest."""
        return cls(
            architectures=record.architectures.tolist(),
            epochs=record.epochs.tolist(),
            signals=[
                [None if math.isnan(signal) else signal for signal in signals]
                for signals in record.signals.tolist()
            ],
            recommended=record.recommended.tolist(),
            strings=None if record.strings is None else list(record.strings),
            reports=list(reports),
            **identity,
        )


def task_row(task: Task) -> TaskRow:
    """What the store keeps of a task."""
    return TaskRow(
        key=task.key,
        name=task.name,
        benchmark=task.benchmark.name,
        space=task.benchmark.space.name,
        dataset=task.dataset,
        optimum=task.optimum,
        config=task.config,
        **(_front_facts(task) if len(task.objectives) > 1 else _figure_facts(task)),
    )


def _figure_facts(task: Task) -> dict[str, Any]:
    """What a task of one objective is judged by."""
    objective = task.objectives[0]
    metric = task.benchmark.metric(objective.judged_by)
    table = task.benchmark if isinstance(task.benchmark, Benchmark) else None
    noise = None if table is None else noise_floor(table, objective.judged_by)
    return {
        "signal_metric": objective.signal,
        "report_metric": objective.judged_by,
        "unit": metric.unit,
        "direction": metric.direction,
        "noise_floor": None if noise is None else noise.floor,
    }


def _front_facts(task: Task) -> dict[str, Any]:
    """What a task of several objectives is judged by: one figure, the normalised hypervolume."""
    measure = task.measure
    metrics = [task.benchmark.metric(objective.judged_by) for objective in task.objectives]
    signs = [task.orientation(metric.name) for metric in metrics]
    bounds = measure.low[1:] + measure.bounds * (measure.high - measure.low)[1:]
    return {
        "signal_metric": ", ".join(objective.signal for objective in task.objectives),
        "report_metric": f"normalised hypervolume of {', '.join(one.name for one in metrics)}",
        "unit": "",
        "direction": "maximize",
        "noise_floor": None,
        "measure": {
            "objectives": [
                {
                    "name": metric.name,
                    "unit": metric.unit,
                    "direction": metric.direction,
                    "provenance": metric.provenance,
                    "device": metric.device,
                    **({"conditions": metric.conditions} if metric.conditions else {}),
                    **({"dataset": other} if (other := task.other_data(metric)) else {}),
                    # Of the whole table, best first; between them a loss is 0 to 1.
                    "range": [-sign * low, -sign * high],
                }
                for metric, sign, low, high in zip(
                    metrics, signs, measure.low.tolist(), measure.high.tolist(), strict=True
                )
            ],
            "front": np.unique(task.sampled.reported(measure.front), axis=0).tolist(),
            # Of how many architectures scale and front are, where not of the whole table.
            **({} if task.sampled is task else {"sampled": len(measure.losses)}),
            "bounds": (bounds * -np.array(signs[1:])).tolist(),
            "disconnected": int((~measure.eligible).sum()),
        },
    }


def method_row(name: str, method: Method) -> MethodRow:
    """What is kept of a method that is known by that name."""
    from nasbench_suite.tasks.methods import method_key, method_label

    return MethodRow(
        key=method_key(name, method),
        label=method_label(name, method),
        name=name,
        config=method.config,
    )
