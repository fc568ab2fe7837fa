"""What a method sees of a task: a space, a random generator, a budget and a validation signal.

The harness charges the budget and keeps the record here. A session holds no test figure: what
an architecture is judged by is looked up after the search has ended.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.adding import add_up
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Diagnostic, Record, diagnostic_fault
from nasbench_suite.parsing import counted
from nasbench_suite.seeding import sequence
from nasbench_suite.spaces import Architecture, SearchSpace
from nasbench_suite.tasks.task import Budget, Task, training_seconds
from nasbench_suite.tasks.transfer import KnownFigures, figures_of

_ROUNDING = 1e-9  # fractions of evaluations must add up to the budget in spite of rounding


_Table = Callable[[int, np.random.Generator], float]


class BudgetSpent(Exception):  # noqa: N818 (an end, not an error)
    """Raised by ``evaluate`` when the budget does not cover it: the search is over."""


@dataclass(frozen=True)
class Finished:
    """An evaluation that a simulated worker finished.

    Attributes:
        architecture: as it was given.
        epochs: of the training.
        signal: as ``Session.evaluate`` returns it.
    """

    architecture: Any
    epochs: int
    signal: float


@dataclass(frozen=True, order=True)
class _Running:
    """A training on a simulated worker, ordered by when it ends, then by when it began."""

    end: float
    number: int
    index: int = field(compare=False)
    epochs: int = field(compare=False)
    fraction: float = field(compare=False)
    signals: tuple[float, ...] = field(compare=False)
    architecture: Any = field(compare=False)


_SAVED = ("end", "number", "index", "epochs", "fraction", "signals")


class Session:
    """One search on one task with one seed, as its method sees it.

    Attributes:
        space: the search space.
        rng: the generator from which all randomness of the method comes.
        budget: what may be spent.
        fidelities: epochs that ``evaluate`` may be asked for, ascending; the last is full.
        objectives: number of objectives.
        orientations: of each objective, +1 where larger is better and -1 where smaller is: what
            ``evaluate_all`` multiplies the metrics' own figures by.
        dataset: the data set's name, for methods that train on it themselves.
        known: what the task lets a search know beforehand, of other data sets and devices; nothing
            on a cold task.
        seed: the seed of this trial.
        evaluations: full evaluations spent so far.
        seconds: simulated training seconds spent so far.
        workers: trainings that run at a time.
        exhausted: whether an evaluation was refused because the budget did not cover it.
        diagnostics: what the method has logged so far.
    """

    def __init__(self, task: Task, seed: int) -> None:
        task = task.for_seed(seed)
        # Two streams: what a method draws must not depend on the noise of its evaluations.
        method_stream, noise_stream = sequence(seed).spawn(2)
        self.space: SearchSpace = task.benchmark.space
        self.rng = np.random.default_rng(method_stream)
        self.seed = seed
        self.budget: Budget = task.budget
        self.fidelities: tuple[int, ...] = task.fidelities
        self.objectives = len(task.objectives)
        self.orientations = tuple(task.orientation(o.signal) for o in task.objectives)
        self.dataset = task.dataset
        self.known: tuple[KnownFigures, ...] = tuple([figures_of(one) for one in task.transfer])
        self.evaluations = 0.0
        self.seconds = 0.0
        self.exhausted = False
        self.diagnostics: list[Diagnostic] = []
        self._noise_rng = np.random.default_rng(noise_stream)
        self._limit = task.budget.evaluations or np.inf
        self._limit_seconds = task.budget.seconds or np.inf
        self._asked: _Asked | None = None
        if isinstance(task.benchmark, OpenBenchmark):
            self._asked = _Asked(task.benchmark)
        # Where an architecture stands in the record: its index, or its place among those asked for.
        self._place: Callable[[Architecture], int] = (
            self._asked.place if self._asked else task.table.space.index
        )
        self._tables = _signal_tables(task, self._asked)
        self._available = None if task.available is None else task.available.tolist()
        self._nothing = (float("nan"),) * self.objectives
        self._fractions = {epochs: epochs / self.fidelities[-1] for epochs in self.fidelities}
        times = (_times(task, metric, self._asked) for metric in task.cost_metrics)
        self._times = dict(zip(task.fidelities, times, strict=False))
        self._architectures: list[int] = []
        self._epochs: list[int] = []
        self._signals: list[tuple[float, ...]] = []
        self._spent: list[float] = []
        self._spent_seconds: list[float] = []
        self._recommended: list[int] = []
        self.workers = task.workers
        self._continued = task.continued
        self._trained: dict[int, int] = {}  # epochs of the last training of each architecture
        self._running: list[_Running] = []  # a heap
        self._begun = 0

    def evaluate(self, architecture: Architecture, epochs: int | None = None) -> float:
        """Train an architecture, at the budget's expense, and see its validation signal.

        Each call is charged in full, a repeated one too: ``epochs`` as a fraction of the full
        number, and the simulated seconds of that training.

        Args:
            architecture: string, index or vector.
            epochs: one of ``fidelities``; the full number if left out.

        Returns:
            The signal of the first objective, turned so that larger is better; minus infinity
            where the architecture has no figure, because its training failed, say. That is
            charged as any other, and the record has NaN.

        Raises:
            BudgetSpent: what is left does not cover this evaluation; let it pass, the harness
                ends the search on it.
            SuiteError: the architecture is outside the space, or not at these epochs.
        """
        if self.workers > 1:
            (signal,) = self.evaluate_batch([architecture], epochs)
            return signal
        signal = self._evaluate(architecture, epochs)[0] * self.orientations[0]
        return signal if signal == signal else -np.inf  # NaN alone differs from itself

    def evaluate_batch(
        self, architectures: Sequence[Architecture], epochs: int | None = None
    ) -> list[float]:
        """As ``evaluate`` for several, on all workers at a time; it returns when all have ended.

        With one worker that is one after the other.
        """
        if self.workers == 1:
            return [self.evaluate(architecture, epochs) for architecture in architectures]
        places: dict[int, int] = {}
        signals = [0.0] * len(architectures)
        todo = list(enumerate(architectures))[::-1]
        while todo or places:
            if todo and self.free_workers:
                place, architecture = todo.pop()
                places[self.begin(architecture, epochs)] = place
                continue
            number, finished = self._collect()
            signals[places.pop(number)] = finished.signal
        return signals

    @property
    def free_workers(self) -> int:
        """How many trainings may begin now."""
        return self.workers - len(self._running)

    def begin(self, architecture: Architecture, epochs: int | None = None) -> int:
        """Begin an evaluation on a free worker, at the budget's expense; ``collect`` gives it.

        Simulated time stands still. A training that would end after the budget of seconds does not
        begin.

        Returns:
            Its number in this search.

        Raises:
            BudgetSpent: what is left does not cover it; what runs has been recorded then.
            SuiteError: no worker is free, or as ``evaluate``.
        """
        if not self.free_workers:
            raise SuiteError(f"All {self.workers} workers are busy: collect an evaluation first.")
        index, epochs, tables = self._question(architecture, epochs)
        before = self._epochs_before(index, epochs) if self._continued else 0
        fraction = self._fraction(epochs, before)
        charged = self.evaluations + add_up(running.fraction for running in self._running)
        covered = charged + fraction <= self._limit + _ROUNDING
        # Only then, as an open benchmark trains to know it.
        end = self.seconds + self._seconds_of(index, epochs, before) if covered else np.inf
        if not covered or end > self._limit_seconds:
            while self._running:
                self._collect()
            self._end(index)
        self._trained[index] = epochs
        signals = self._answers(index, tables)
        self._begun += 1
        running = _Running(end, self._begun, index, epochs, fraction, signals, architecture)
        heapq.heappush(self._running, running)
        return self._begun

    def collect(self) -> Finished:
        """The evaluation that ends next; simulated time goes on to its end.

        Raises:
            SuiteError: none runs.
        """
        return self._collect()[1]

    def _collect(self) -> tuple[int, Finished]:
        if not self._running:
            raise SuiteError("No evaluation runs: begin one first.")
        running = heapq.heappop(self._running)
        self.seconds = running.end
        self.evaluations += running.fraction
        self._note(running.index, running.epochs, running.signals)
        signal = running.signals[0] * self.orientations[0]
        signal = signal if signal == signal else -np.inf
        return running.number, Finished(running.architecture, running.epochs, signal)

    def evaluate_all(
        self, architecture: Architecture, epochs: int | None = None
    ) -> NDArray[np.float64]:
        """As ``evaluate``, with the signals of all objectives, shape (objectives,).

        All are turned so that larger is better; all are minus infinity where any of them is not
        available.
        """
        signals = np.array(self._evaluate(architecture, epochs)) * self.orientations
        return np.where(np.isnan(signals), -np.inf, signals)

    def charge(self, seconds: float) -> None:
        """Spend simulated seconds on something that is no training, such as a zero-cost proxy.

        Raises:
            BudgetSpent: what is left does not cover them.
            SuiteError: fewer than no seconds.
        """
        if not 0 <= seconds < np.inf:
            raise SuiteError(f"{seconds} seconds cannot be spent: give 0 or more.")
        if self.seconds + seconds > self._limit_seconds:
            self.exhausted = True
            raise BudgetSpent
        self.seconds += seconds

    def recommend(self, architecture: Architecture) -> None:
        """Say which architecture the method would return now.

        A method that never says so returns the best it has evaluated at the most epochs. One
        that searches without evaluating, such as a differentiable one, says so after each epoch
        of its own; that costs nothing here and is recorded at 0 epochs without a signal.
        """
        index = self._place(architecture)
        if not self._recommended or self._recommended[-1] >= 0:
            self._note(index, 0, self._nothing)
        self._recommended[-1] = index

    def log(self, step: int, **values: ArrayLike) -> None:
        """Note figures about the search itself: losses, entropies, variances.

        They are kept with the trial, for diagnosis; nothing is judged by them. Not a number is
        a value like any other here.

        Args:
            step: the method's own count, such as its epoch; a name logged twice at one step
                keeps the later value.
            values: numbers or arrays of numbers, by name.

        Raises:
            SuiteError: the step is no whole number, or the name none that can be shown.
        """
        for name, value in values.items():
            fault = diagnostic_fault(step, name)
            if fault is not None:
                raise SuiteError(f"A figure cannot be logged: {fault}")
            figure = np.array(value, dtype=np.float64)
            self.diagnostics.append(Diagnostic(int(step), name, figure))

    def __repr__(self) -> str:
        spent = f"{self.evaluations:g} evaluations spent of {self.budget}"
        return f"<Session on {self.space.name!r}, seed {self.seed}: {spent}>"

    @property
    def remaining(self) -> float:
        """The share of the budget that is left, from 1 down to 0."""
        return 1.0 - max(self.evaluations / self._limit, self.seconds / self._limit_seconds)

    @property
    def trainings(self) -> int:
        """Number of entries in the record so far: evaluations, at whatever epochs."""
        return len(self._architectures)

    def record(self) -> Record:
        """Everything that has happened so far."""
        return Record(
            np.array(self._architectures, dtype=np.int32),
            np.array(self._epochs, dtype=np.int32),
            np.array(self._signals, dtype=np.float64).reshape(-1, self.objectives),
            np.array(self._spent, dtype=np.float64),
            np.array(self._spent_seconds, dtype=np.float64),
            np.array(self._recommended, dtype=np.int32),
            None if self._asked is None else tuple(self._asked.strings),
        )

    def _evaluate(self, architecture: Architecture, epochs: int | None) -> tuple[float, ...]:
        index, epochs, tables = self._question(architecture, epochs)
        before = self._epochs_before(index, epochs) if self._continued else 0
        evaluations = self.evaluations + self._fraction(epochs, before)
        if evaluations > self._limit + _ROUNDING:  # before anything is asked, or trained even
            self._end(index)
        seconds = self.seconds + self._seconds_of(index, epochs, before)
        if seconds > self._limit_seconds:
            self._end(index)
        signals = self._answers(index, tables)
        self.evaluations, self.seconds = evaluations, seconds
        if self._continued:
            self._trained[index] = epochs
        self._note(index, epochs, signals)
        return signals

    def _question(
        self, architecture: Architecture, epochs: int | None
    ) -> tuple[int, int, list[_Table]]:
        """Where an architecture stands, after how many epochs it is asked for, and who answers."""
        epochs = self.fidelities[-1] if epochs is None else epochs
        index = self._place(architecture)
        try:
            return index, epochs, self._tables[epochs]
        except KeyError:
            raise SuiteError(
                f"There is no signal after {counted(epochs, 'epoch')}: "
                f"choose from {', '.join(map(str, self.fidelities))}."
            ) from None

    def _epochs_before(self, index: int, epochs: int) -> int:
        """The epochs of the training that this one goes on with; 0 if it is a new one."""
        before = self._trained.get(index, 0)
        return before if before < epochs else 0

    def _fraction(self, epochs: int, before: int) -> float:
        """What is charged of one evaluation."""
        whole = self._fractions[epochs]
        return whole - self._fractions[before] if before else whole

    def _seconds_of(self, index: int, epochs: int, before: int) -> float:
        """The simulated seconds that are charged; none where the table has no training times.

        Evaluations on several workers then end in the order they were begun.
        """
        if not self._times:
            return 0.0
        whole = self._times[epochs](index)
        return whole - self._times[before](index) if before else whole

    def _answers(self, index: int, tables: list[_Table]) -> tuple[float, ...]:
        if self._available is None:
            return tuple([table(index, self._noise_rng) for table in tables])
        return self._signals_if_available(index, tables)

    def _end(self, index: int) -> NoReturn:
        """The budget does not cover an evaluation; on an open benchmark it leaves no trace."""
        if self._asked is not None and index not in {*self._architectures, *self._recommended}:
            self._asked.forget(index)
        self.exhausted = True
        raise BudgetSpent

    def _signals_if_available(self, index: int, tables: list[_Table]) -> tuple[float, ...]:
        assert self._available is not None
        if not self._available[index]:
            return self._nothing
        return tuple([table(index, self._noise_rng) for table in tables])

    def _note(self, index: int, epochs: int, signals: tuple[float, ...]) -> None:
        self._architectures.append(index)
        self._epochs.append(epochs)
        self._signals.append(signals)
        self._spent.append(self.evaluations)
        self._spent_seconds.append(self.seconds)
        self._recommended.append(-1)

    def _at(self, index: int) -> Any:
        """The architecture that stands there in the record."""
        return index if self._asked is None else self._asked.values[index]

    def state(self) -> dict[str, Any]:
        """All that ``restore`` needs to go on from here: arrays, and JSON-able values."""
        return {
            **vars(self.record()),
            "spent": [self.evaluations, self.seconds],
            "exhausted": self.exhausted,
            "rng": self.rng.bit_generator.state,
            "noise_rng": self._noise_rng.bit_generator.state,
            "trained": list(self._trained.items()),
            "running": [[getattr(r, name) for name in _SAVED] for r in self._running],
            "begun": self._begun,
            "logged": [[entry.step, entry.name] for entry in self.diagnostics],
            **{f"logged_{n}": entry.value for n, entry in enumerate(self.diagnostics)},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take up the state that ``state`` gave, in a new session of the same task and seed."""
        if self._asked is not None:
            for string in state["strings"]:
                self._asked.place(string)
        self._architectures = state["architectures"].tolist()
        self._epochs = state["epochs"].tolist()
        self._signals = [tuple(row) for row in state["signals"].tolist()]
        self._spent = state["evaluations"].tolist()
        self._spent_seconds = state["seconds"].tolist()
        self._recommended = state["recommended"].tolist()
        self.evaluations, self.seconds = state["spent"]
        self.exhausted = state["exhausted"]
        self._trained = dict(state.get("trained", []))
        self._begun = state.get("begun", 0)
        self._running = [
            _Running(end, number, index, epochs, fraction, tuple(signals), self._at(index))
            for end, number, index, epochs, fraction, signals in state.get("running", [])
        ]
        self.rng.bit_generator.state = state["rng"]
        self._noise_rng.bit_generator.state = state["noise_rng"]
        self.diagnostics = [
            Diagnostic(step, name, state[f"logged_{n}"])
            for n, (step, name) in enumerate(state["logged"])
        ]


class _Asked:
    """The architectures that a search on an open benchmark has asked for, in order."""

    def __init__(self, benchmark: OpenBenchmark) -> None:
        self.benchmark = benchmark
        self.values: list[Any] = []
        self.strings: list[str] = []
        self._places: dict[Any, int] = {}
        self._key = benchmark.space.row_key  # of NAS-Bench-101's modules: the graph hash
        self._figures: dict[tuple[Any, str, int | None], float] = {}

    def place(self, architecture: Architecture) -> int:
        """The place of an architecture given in any form, a new one for a new architecture."""
        value = self.benchmark.space.read(architecture)
        place = self._places.setdefault(self._key(value), len(self.values))
        if place == len(self.values):
            self.values.append(value)
            self.strings.append(self.benchmark.space.string(value))
        return place

    def forget(self, place: int) -> None:
        """Take back the newest place."""
        del self._places[self._key(self.values[place])], self.values[place], self.strings[place]

    def figure(self, place: int, metric: str, seed: int | None = None) -> float:
        """What the benchmark answers, asked once."""
        key = self.values[place], metric, seed  # a place that was taken back is given anew
        if key not in self._figures:
            (figure,) = self.benchmark.figures([self.values[place]], metric, seed).tolist()
            self._figures[key] = figure
        return self._figures[key]


def _times(task: Task, metric: str, asked: _Asked | None) -> Callable[[int], float]:
    """The simulated seconds of the training of each architecture."""
    if asked is not None:
        return lambda place: asked.figure(place, metric)
    return training_seconds(task.table, metric).item


def _signal_tables(task: Task, asked: _Asked | None) -> dict[int, list[_Table]]:
    """For each fidelity, what answers a query of each objective."""
    others = [_table(task, objective.signal, asked) for objective in task.objectives[1:]]
    return {
        epochs: [_table(task, signal, asked), *others]
        for epochs, signal in zip(task.fidelities, task.fidelity_signals, strict=True)
    }


def _table(task: Task, metric: str, asked: _Asked | None) -> _Table:
    names = task.benchmark.metric(metric).seeds if task.answers == "sample" else ()
    if asked is not None:
        if not names:
            return lambda place, _: asked.figure(place, metric)
        return lambda place, rng: asked.figure(place, metric, int(rng.choice(names)))
    if not names:
        means = task.table.value_list(metric)
        return lambda index, _: means[index]
    seeds = task.table.seed_values(metric)

    def sample(index: int, rng: np.random.Generator) -> float:
        trained = seeds[index][~np.isnan(seeds[index])]
        return float(rng.choice(trained)) if len(trained) else float("nan")

    return sample
