"""What a run tells whoever watches it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Plan = Mapping[tuple[str, str], tuple[int, int]]
"""Trials to run and trials already finished, by task name and method label."""


@dataclass(frozen=True)
class TrialDone:
    """Progress: one trial has just been written.

    Attributes:
        task: name of the task.
        method: label of the method.
        seed: the seed.
        failure: why it failed, or None.
        wall_seconds: what it took.
    """

    task: str
    method: str
    seed: int
    failure: str | None
    wall_seconds: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """One evaluation of a trial, as it is told to ``on_evaluation``.

    Attributes:
        task: name of the task.
        method: label of the method.
        seed: the seed of the trial.
        number: of the evaluation in its trial, from 1.
        architecture: what was evaluated: its index, or its string on an open benchmark.
        epochs: epochs that it was evaluated at.
        signals: what the method was told, in the metrics' own units, one an objective.
        evaluations: budget spent after it, in full evaluations.
        seconds: simulated training seconds spent after it.
    """

    task: str
    method: str
    seed: int
    number: int
    architecture: int | str
    epochs: int
    signals: tuple[float, ...]
    evaluations: float
    seconds: float
