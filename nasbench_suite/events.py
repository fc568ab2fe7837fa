"""What searches leave: every evaluation, what they told of themselves, and what they returned.

Events are arrays and nothing else. A session writes records and diagnostics, ``tasks.judging``
makes incumbents and fronts of them, and the store keeps them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Record:
    """Everything that happened in a search, one entry an evaluation or recommendation, in order.

    Attributes:
        architectures: index evaluated, int32 of shape (n,).
        epochs: epochs it was evaluated at, int32 of shape (n,).
        signals: what the method was told, in the metrics' own units and directions,
            float64 of shape (n, objectives).
        evaluations: budget spent after it, in full evaluations, shape (n,).
        seconds: simulated training seconds spent after it, shape (n,); zeros if unknown.
        recommended: index the method would return after it, or -1 where it did not say,
            int32 of shape (n,).
        strings: on an open benchmark, which has no indices, the strings of the distinct
            architectures in the order in which they came; indices are places among them.
    """

    architectures: NDArray[np.int32]
    epochs: NDArray[np.int32]
    signals: NDArray[np.float64]
    evaluations: NDArray[np.float64]
    seconds: NDArray[np.float64]
    recommended: NDArray[np.int32]
    strings: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"<Record: {len(self.architectures):,} entries>"

    @property
    def unavailable(self) -> int:
        """How many evaluations had no figure."""
        gone = np.isnan(self.signals).any(axis=1) & (self.epochs > 0)
        return int(gone.sum())


MOST_STEPS = 1 << 53  # a step, or a seed, beyond this is none that anybody counted to
MOST_LETTERS = 200  # of a diagnostic's name
MOST_NUMBERS = 1 << 22  # that one search may log


@dataclass(frozen=True)
class Diagnostic:
    """Something a method told of itself as it went.

    Attributes:
        step: the method's own count, such as its epoch.
        name: what it is.
        value: float64, of any shape.
    """

    step: int
    name: str
    value: NDArray[np.float64]


@dataclass(frozen=True)
class Incumbents:
    """When what a search would return changed, one entry a change.

    With several objectives a search returns a front. An entry is then a change of its members,
    and what it is judged by is the front's normalised hypervolume (see ``ParetoMeasure``).

    Attributes:
        trainings: number of the evaluation after which it changed, from 1, shape (n,).
        evaluations: budget spent then, in full evaluations, shape (n,).
        seconds: simulated seconds spent then, shape (n,).
        architectures: its index, shape (n,); of a front, that of the member which entered.
        signals: its signal of the first objective, in the metric's own unit, shape (n,).
        reports: what it is judged by, shape (n,).
    """

    trainings: NDArray[np.int64]
    evaluations: NDArray[np.float64]
    seconds: NDArray[np.float64]
    architectures: NDArray[np.int64]
    signals: NDArray[np.float64]
    reports: NDArray[np.float64]


@dataclass(frozen=True)
class Front:
    """What a search for several objectives returns in the end.

    Attributes:
        architectures: its members, ascending, each once, shape (n,).
        reports: their reported figures, in the metrics' own units, shape (n, objectives).
        indicators: what it is judged by; see ``ParetoMeasure.indicators``.
    """

    architectures: NDArray[np.int64]
    reports: NDArray[np.float64]
    indicators: Mapping[str, float]


@dataclass(frozen=True)
class TrialResult:
    """What a finished trial leaves: the record, the incumbents, and the time it took.

    With several objectives it also leaves its front, and with a method that tells of itself what
    it told.
    """

    record: Record
    incumbents: Incumbents
    wall_seconds: float
    front: Front | None = None
    diagnostics: Sequence[Diagnostic] = ()

    def __repr__(self) -> str:
        reports = self.incumbents.reports
        reached = f"{reports[-1]:.4g} at the end" if len(reports) else "nothing returned"
        return f"<TrialResult: {len(self.record.architectures):,} entries, {reached}>"


def diagnostic_fault(step: object, name: str) -> str | None:
    """Why something cannot be logged at that step under that name, if it cannot."""
    whole = isinstance(step, int | np.integer) and not isinstance(step, bool)
    if not whole or abs(int(step)) > MOST_STEPS:  # type: ignore[call-overload]
        return f"its step is no whole number below {MOST_STEPS:,}."
    if not 0 < len(name) <= MOST_LETTERS or not name.isprintable():
        return f"{ascii(name)[:40]} is no name: give 1 to {MOST_LETTERS} printable characters."
    return None


def diagnostics_fault(diagnostics: Sequence[Diagnostic]) -> str | None:
    """Why what a method told of itself cannot be kept, if it cannot."""
    for entry in diagnostics:
        fault = diagnostic_fault(entry.step, entry.name)
        if fault is not None:
            return fault
    numbers = sum(entry.value.size for entry in diagnostics)
    if numbers > MOST_NUMBERS:
        return f"it logged {numbers:,} numbers, and {MOST_NUMBERS:,} can be kept: log fewer."
    return None
