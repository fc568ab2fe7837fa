"""A task: what a search is given, what it is charged, and what it is judged by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.crossfit import (
    CrossFit,
    chosen_by,
    crossfit_optimum,
    fold_of,
    plan_crossfit,
)
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.benchmarks.table import Benchmark, Described
from nasbench_suite.deprecated import renamed_arguments, warn_renamed
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.parsing import html_table
from nasbench_suite.tasks.transfer import Known, find_known

if TYPE_CHECKING:
    from nasbench_suite.statistics.pareto import ParetoMeasure

DEFAULT_EVALUATIONS = 200.0
_MOST_WORKERS = 10_000
_MOST_EVALUATIONS = 1_000_000_000  # what no search ends with

Answers = Literal["mean", "sample"]


@dataclass(frozen=True)
class Objective:
    """One thing to optimise.

    Attributes:
        signal: metric that the method sees.
        judged_by: metric that the architecture found is judged by, after the search.
    """

    signal: str
    judged_by: str

    @property
    def report(self) -> str:
        """The old name of ``judged_by``."""
        warn_renamed("Objective.report", "Objective.judged_by")
        return self.judged_by


@dataclass(frozen=True)
class Budget:
    """What a search may spend; whichever runs out first ends it.

    Attributes:
        evaluations: number of evaluations at the full number of epochs; one at fewer epochs
            costs that fraction.
        seconds: simulated seconds of training, from the benchmark's ``training_time`` metrics.
    """

    evaluations: float | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("evaluations", self.evaluations), ("seconds", self.seconds)):
            if value is not None and not (isinstance(value, Real) and 0 < value < np.inf):
                raise SuiteError(f"A budget of {value} {name} is impossible: give a number > 0.")
            if value is not None:  # 12 and 12.0 are one budget, and make one task
                object.__setattr__(self, name, float(value))
        if self.evaluations is None and self.seconds is None:
            raise SuiteError("A budget needs a number of evaluations, of seconds, or both.")

    def __str__(self) -> str:
        limits = (("evaluations", self.evaluations), ("seconds", self.seconds))
        return " or ".join(f"{limit:,.10g} {unit}" for unit, limit in limits if limit is not None)


@dataclass(frozen=True, repr=False)
class Task:
    """A benchmark, a data set, objectives, a budget and what a method may see.

    Build one with ``make_task``, which fills in what the table implies and checks the rest.

    Attributes:
        benchmark: the table that answers, or an open benchmark.
        dataset: the data set searched on.
        objectives: one or several; the first is the accuracy.
        budget: what the search may spend.
        answers: ``mean`` answers every query by the mean over the training seeds; ``sample`` by
            one of them, drawn anew at each query, as a real training would.
        fidelities: epochs at which the first signal may be read, ascending; the last is full.
        fidelity_signals: the metric behind each of them, in the same order.
        cost_metrics: the ``training_time`` metric of each fidelity; empty if there is none.
        crossfit: how trainings are divided between the first objective's signal and report, so
            that no search is judged by the training that it chose by; None if they are not.
        chosen: of the task of one fold, the table by which what is best was chosen.
        sample: of the task on what a search on an open benchmark asked for, the measure of the
            random architectures that set the scale.
        transfer: figures of other data sets and devices that a method may see beforehand; with
            any the task is warm.
        continued: whether training an architecture for more epochs goes on with its last training,
            and is charged the difference.
        workers: how many trainings run at a time; simulated seconds are then those of the clock.
    """

    benchmark: Benchmark | OpenBenchmark
    dataset: str | None
    objectives: tuple[Objective, ...]
    budget: Budget
    answers: Answers = "mean"
    fidelities: tuple[int, ...] = ()
    fidelity_signals: tuple[str, ...] = ()
    cost_metrics: tuple[str, ...] = ()
    crossfit: CrossFit | None = None
    transfer: tuple[Known, ...] = ()
    chosen: Benchmark | None = None
    sample: ParetoMeasure | None = None
    continued: bool = False
    workers: int = 1

    @property
    def noise(self) -> Answers:
        """The old name of ``answers``."""
        warn_renamed("Task.noise", "Task.answers")
        return self.answers

    def for_seed(self, seed: int) -> Task:
        """The task as the search with that seed sees it and is judged on it.

        Where trainings are divided it is that of the seed's fold; otherwise the task itself.
        """
        return self if self.crossfit is None else self._folds[seed % self.crossfit.folds]

    @cached_property
    def _folds(self) -> list[Task]:
        plan = self.crossfit
        assert plan is not None
        return [
            replace(
                self,
                benchmark=fold_of(self.table, plan, fold, self.fidelity_signals),
                crossfit=None,
                chosen=chosen_by(self.table, plan, fold),
            )
            for fold in range(plan.folds)
        ]

    @property
    def table(self) -> Benchmark:
        """The benchmark, where it is a table.

        Raises:
            SuiteError: it is open.
        """
        if not isinstance(self.benchmark, Benchmark):
            raise SuiteError(
                f"Benchmark {self.benchmark.name!r} answers any architecture of space "
                f"{self.benchmark.space.name!r}, and what is asked needs a table of all of them."
            )
        return self.benchmark

    def on(self, strings: Sequence[str], trained: Sequence[int] | None = None) -> Task:
        """The task of an open benchmark on a table of some architectures, which judges a search.

        Args:
            strings: of the architectures.
            trained: the epochs to which the search trained each, see ``OpenBenchmark.pool``.

        Raises:
            SuiteError: the benchmark is none, or one of ``strings`` is no architecture.
        """
        if not isinstance(self.benchmark, OpenBenchmark):
            raise SuiteError(f"The record of a search on task {self.name!r} belongs to another.")
        sample = self.measure if len(self.objectives) > 1 else None
        table = self.benchmark.pool(strings, self._judged_by, trained)
        return replace(self, benchmark=table, sample=sample)

    @property
    def _judged_by(self) -> list[str]:
        objectives = [name for o in self.objectives for name in (o.signal, o.judged_by)]
        return [*objectives, *self.fidelity_signals, *self.cost_metrics]

    @cached_property
    def sampled(self) -> Task:
        """The task on random architectures alone, for what needs a table; itself on a table."""
        if not isinstance(self.benchmark, OpenBenchmark):
            return self
        return replace(self, benchmark=self.benchmark.sample(self._judged_by))

    @property
    def name(self) -> str:
        """A readable name: benchmark, data set, objectives beyond the first, and if it is warm."""
        parts = [self.benchmark.name, self.dataset or "", *(o.signal for o in self.objectives[1:])]
        parts += ["warm"] if self.transfer else []
        return "/".join(part for part in parts if part)

    @cached_property
    def config(self) -> dict[str, Any]:
        """All that decides the outcome of a search on this task, as JSON-able values."""
        return {
            "benchmark": self.benchmark.name,
            "checksum": self.benchmark.checksum,
            "dataset": self.dataset,
            "objectives": [[o.signal, o.judged_by] for o in self.objectives],
            "evaluations": self.budget.evaluations,
            "seconds": self.budget.seconds,
            "noise": self.answers,  # as the keys of earlier results have it
            "fidelities": list(self.fidelities),
            # Named only where it is so: the keys of results without it stay what they were.
            **({} if self.crossfit is None else {"crossfit": True}),
            **({"transfer": [one.config for one in self.transfer]} if self.transfer else {}),
            **({"continued": True} if self.continued else {}),
            **({} if self.workers == 1 else {"workers": self.workers}),
        }

    @property
    def key(self) -> str:
        """A hash of ``config``: equal keys mean the same task on the same figures."""
        return config_hash(self.config)

    @cached_property
    def affordable(self) -> float:
        """How many full evaluations the budget covers.

        Where it counts seconds, so many trainings of the table's mean time; infinite where their
        time is not known beforehand.
        """
        counted = np.inf if self.budget.evaluations is None else self.budget.evaluations
        if self.budget.seconds is None or not isinstance(self.benchmark, Benchmark):
            return counted
        mean = float(np.nanmean(training_seconds(self.benchmark, self.cost_metrics[-1])))
        return min(counted, self.workers * self.budget.seconds / mean) if mean > 0 else counted

    @property
    def hints(self) -> list[str]:
        """A sentence for each objective that was measured on other data than is searched on.

        A latency on 32 x 32 images ranks architectures otherwise than one on 16 x 16. Of a cost
        that does not say its data set, a name of one in its own name counts. And one where signal
        and report cannot be of different trainings everywhere.
        """
        return [*self._single_trainings(), *self._other_data(), *self._beyond_all()]

    def _beyond_all(self) -> list[str]:
        """Budgets beyond what there is to evaluate: a slip in a number runs for days."""
        evaluations = self.budget.evaluations or 0.0
        finite = isinstance(self.benchmark, Benchmark)
        there = self.table.space.size if finite else _MOST_EVALUATIONS
        if evaluations <= there:
            return []
        number = f"{evaluations:,.10g} evaluations"
        if finite:
            return [
                f"the budget of {number} is more than the {there:,} architectures that there are"
            ]
        return [f"no search ends that spends a budget of {number}: give a smaller one"]

    def _single_trainings(self) -> list[str]:
        if self.crossfit is None or not self.crossfit.single:
            return []
        share = 100 * self.crossfit.single / self.table.space.size
        return [
            f"signal and report are of different trainings, but for {share:.0f} % of the "
            f"architectures, which were trained once: there a search may win by a lucky training."
        ]

    def _other_data(self) -> list[str]:
        metrics = [self.benchmark.metric(one.judged_by) for one in self.objectives[1:]]
        return [
            f"{metric.name} is the {metric.quantity} on {of}, and the search is on {self.dataset}: "
            f"choose that of {self.dataset} if there is one."
            for metric in metrics
            if (of := self.other_data(metric))
        ]

    def other_data(self, metric: Metric) -> str:
        """The data set that a metric is of, by what is said or by its name, if it is another.

        Empty where it is the task's, or where nothing tells.
        """
        if self.dataset is None:
            return ""
        metrics = self.benchmark.metrics.values()
        known = {_plain_name(one.dataset) for one in metrics if one.dataset}
        of = {name for name in known if f"_{name}_" in f"_{_plain_name(metric.name)}_"}
        if metric.dataset:
            of = {_plain_name(metric.dataset)}
        return "" if _plain_name(self.dataset) in of else " or ".join(sorted(of))

    def orientation(self, metric: str) -> float:
        """+1 where larger is better, -1 where smaller is."""
        return 1.0 if self.benchmark.metric(metric).direction == "maximize" else -1.0

    def reported(self, indices: Sequence[int] | NDArray[np.integer]) -> NDArray[np.float64]:
        """What architectures are judged by, shape (n, objectives), in the metrics' own units."""
        return np.stack(
            [self.table.query_batch(np.asarray(indices), o.judged_by) for o in self.objectives],
            axis=-1,
        )

    @cached_property
    def measure(self) -> ParetoMeasure:
        """What a search for several objectives is judged by.

        On an open benchmark nobody knows the true front: that of a sample stands in for it. Where
        trainings are divided it is that of the first fold, and each search is judged by that
        of its own: see ``for_seed``. The true front is then that of the architectures which are
        on the front by the other trainings.

        Raises:
            SuiteError: the task has one objective, or there is no front to measure.
        """
        if isinstance(self.benchmark, OpenBenchmark):
            return self.sampled.measure
        if self.crossfit is not None:
            return self._folds[0].measure
        measure = self._measure_by(self.table)
        if self.chosen is None:
            return measure
        return replace(measure, candidates=self._measure_by(self.chosen).front)

    def _measure_by(self, table: Benchmark) -> ParetoMeasure:
        from nasbench_suite.statistics.pareto import make_measure

        space = table.space
        figures = np.stack([table.values(o.judged_by) for o in self.objectives], axis=-1)
        directions = [self.benchmark.metric(o.judged_by).direction for o in self.objectives]
        eligible = space.connected
        if self.available is not None:
            if not (eligible & self.available).any():
                raise SuiteError(
                    f"No architecture has figures of all objectives of task {self.name!r}: "
                    f"choose others."
                )
            # What is not available enters no front and changes no scale: any figure that is there
            # stands in for it.
            present = figures[int(self.available.argmax())]
            figures = np.where(self.available[:, None], figures, present)
            eligible = eligible & self.available
        return make_measure(figures, directions, eligible, self.sample)

    @cached_property
    def available(self) -> NDArray[np.bool_] | None:
        """Which architectures have every signal, after few epochs too, and report; None if all.

        The others are charged when asked and answer that they are not available: an architecture
        without the figure that it would be judged by is no result of a search.
        """
        if not isinstance(self.benchmark, Benchmark):
            return None
        found: NDArray[np.bool_] | None = None
        judged = {name for o in self.objectives for name in (o.signal, o.judged_by)}
        for metric in sorted(judged.union(self.fidelity_signals)):
            codes = self.benchmark.reasons(metric)
            if codes is not None:
                found = codes == 0 if found is None else found & (codes == 0)
        return found

    def __repr__(self) -> str:
        objectives = ", ".join(f"{o.signal} -> {o.judged_by}" for o in self.objectives)
        return f"<Task {self.name!r}: {objectives}, {self.budget}>"

    def _repr_html_(self) -> str:
        rows = {
            "benchmark": self.benchmark.name,
            "data set": self.dataset or "-",
            "methods see": ", ".join(o.signal for o in self.objectives),
            "judged by": ", ".join(o.judged_by for o in self.objectives),
            "budget": str(self.budget),
            "key": self.key,
        }
        return html_table(f"Task {self.name}", rows)

    def __getstate__(self) -> dict[str, Any]:
        # What was cached stays behind: a worker process computes it anew in milliseconds.
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @property
    def optimum(self) -> float | None:
        """The best figure in the whole space that a search may be judged by; None if unknown.

        Of one objective the best reported figure, or, where trainings are divided, what the best
        reaches in a training that it was not chosen by (see ``crossfit_optimum``), which a lucky
        search may exceed; of several 1, the normalised hypervolume of the true front.
        """
        if isinstance(self.benchmark, OpenBenchmark):
            return None
        if len(self.objectives) > 1:
            return 1.0
        judged_by = self.objectives[0].judged_by
        sign = self.orientation(judged_by)
        figures = sign * self.benchmark.values(judged_by)
        if self.available is not None:
            figures = figures[self.available]
            if not len(figures):
                raise SuiteError(
                    f"No architecture has both a signal and a report of task {self.name!r}: "
                    f"choose others with --signal and --judged-by."
                )
        if self.crossfit is not None:
            return crossfit_optimum(self.table, judged_by, self.available)
        return float(sign * figures.max())


def _plain_name(dataset: str) -> str:
    """A data set's name as all spellings of it have it; cifar10-valid is a part of cifar10."""
    return dataset.lower().replace("-", "_").removesuffix("_valid")


def training_seconds(benchmark: Benchmark, metric: str) -> NDArray[np.float64]:
    """The simulated seconds of each training, shape (space.size,).

    A training without a figure fails at a time that nobody knows: it is charged the mean of those
    that there are.
    """
    seconds = benchmark.values(metric)
    if benchmark.reasons(metric) is None:
        return seconds
    return np.where(np.isnan(seconds), np.nanmean(seconds), seconds)


def config_hash(config: dict[str, Any]) -> str:
    """A short hash of JSON-able values, the same wherever and whenever it is computed."""
    canonical = json.dumps(config, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


@renamed_arguments(
    seconds="simulated_seconds", report="judged_by", also="objectives", noise="answers"
)
def make_task(
    benchmark: Benchmark | OpenBenchmark,
    dataset: str | None = None,
    *,
    evaluations: float | None = None,
    simulated_seconds: float | None = None,
    signal: str | None = None,
    judged_by: str | None = None,
    objectives: Sequence[str | Objective] = (),
    answers: Answers = "mean",
    crossfit: bool | None = None,
    transfer: Sequence[str] = (),
    continued: bool = False,
    workers: int = 1,
) -> Task:
    """A task on a benchmark, with the table's own defaults.

    Args:
        benchmark: the table or open benchmark.
        dataset: the data set; may be left out if the table has one alone.
        evaluations: budget of full evaluations; 200 if no budget is given at all.
        simulated_seconds: budget of training seconds as the benchmark has them; nobody waits.
        signal: metric the method sees; by default the data set's validation accuracy at the
            most epochs there are.
        judged_by: metric the result is judged by; by default its test accuracy at the most epochs.
        objectives: further ones beside that (multi-objective search), each a metric that is both
            seen and judged by, such as a latency, or an ``Objective``.
        answers: ``mean`` or ``sample``, see ``Task``.
        crossfit: whether the search is judged by other trainings than answer it; by default
            wherever both were measured with the same two seeds or more.
        transfer: what a method may see beforehand, by name; see ``transfer.find_known``.
        continued: see ``Task``.
        workers: see ``Task``.

    Raises:
        SuiteError: the table lacks what the task needs, or a test metric is to be searched on.
    """
    if answers not in get_args(Answers):
        raise SuiteError(choose_from("way of answering", answers, list(get_args(Answers))))
    dataset = _choose_dataset(benchmark, dataset, signal)
    first = Objective(
        signal or _latest(benchmark, dataset, "valid"),
        judged_by or _latest(benchmark, dataset, "test"),
    )
    searched = [first, *(o if isinstance(o, Objective) else Objective(o, o) for o in objectives)]
    _check_objectives(benchmark, searched)
    seen = benchmark.metric(first.signal)
    family = _fidelity_family(benchmark, seen)
    cost_metrics = _cost_metrics(benchmark, seen, family)
    if simulated_seconds is not None and not cost_metrics:
        raise SuiteError(
            f"Benchmark {benchmark.name!r} has no training times for {first.signal!r}: "
            f"give the budget in evaluations."
        )
    if evaluations is None and simulated_seconds is None:
        evaluations = DEFAULT_EVALUATIONS
    _check_workers(benchmark, workers, bool(cost_metrics), len(searched))
    if continued and answers == "sample":
        raise SuiteError(
            "A training that goes on has one seed, and answers by `sample` draw one every time: "
            "leave out one of continued and answers."
        )
    return Task(
        benchmark,
        dataset,
        tuple(searched),
        Budget(evaluations, simulated_seconds),
        answers,
        fidelities=tuple(metric.epochs or 1 for metric in family),
        fidelity_signals=tuple(metric.name for metric in family),
        cost_metrics=cost_metrics,
        crossfit=_divided(benchmark, first, crossfit),
        transfer=_known(benchmark, dataset, searched, transfer),
        continued=continued,
        workers=workers,
    )


def _check_objectives(
    benchmark: Benchmark | OpenBenchmark, objectives: Sequence[Objective]
) -> None:
    """Refuse metrics that are not there, or not to be searched on, and fronts without a scale."""
    for objective in objectives:
        if benchmark.metric(objective.signal).split == "test":
            raise SuiteError(
                f"{objective.signal!r} is a test metric, which a search must not see: "
                f"choose a validation metric as the signal."
            )
        benchmark.metric(objective.judged_by)
    if len(objectives) > 1 and isinstance(benchmark, OpenBenchmark) and not benchmark.sample_size:
        raise SuiteError(
            f"A search for several objectives is judged beside the front of a table or of a "
            f"thousand random architectures, and {benchmark.name!r} trains each that it is asked "
            f"for: leave --objectives out, or search a table or a surrogate."
        )


def _divided(
    benchmark: Benchmark | OpenBenchmark, first: Objective, wanted: bool | None
) -> CrossFit | None:
    """How trainings are divided between signal and report, where they can be and are to be."""
    plan = None
    if wanted is not False and isinstance(benchmark, Benchmark):
        plan = plan_crossfit(benchmark, first.signal, first.judged_by)
    if wanted and plan is None:
        raise SuiteError(
            f"Signal {first.signal!r} and {first.judged_by!r}, which it is judged by, have not two "
            f"training seeds in common, so their trainings cannot be divided: leave --crossfit out."
        )
    return plan


def _known(
    benchmark: Benchmark | OpenBenchmark,
    dataset: str | None,
    objectives: Sequence[Objective],
    names: Sequence[str],
) -> tuple[Known, ...]:
    if not names:
        return ()
    if isinstance(benchmark, OpenBenchmark):
        raise SuiteError(
            f"Benchmark {benchmark.name!r} answers any architecture, and what is transferred is a "
            f"table of all of them: search a table, or leave --transfer out."
        )
    target = list(dict.fromkeys(name for o in objectives for name in (o.signal, o.judged_by)))
    return find_known(benchmark, dataset, target, names)


def _check_workers(benchmark: Described, workers: int, has_times: bool, objectives: int) -> None:
    if workers < 1:
        raise SuiteError(f"{workers} workers train nothing: give 1 or more.")
    if workers > _MOST_WORKERS:
        raise SuiteError(
            f"{workers} workers are more than any search has: give {_MOST_WORKERS:,} or fewer."
        )
    if workers > 1 and not has_times:
        raise SuiteError(
            f"Simulated workers need training times, and benchmark {benchmark.name!r} has none for "
            f"this signal: leave workers out."
        )
    if workers > 1 and objectives > 1:
        raise SuiteError("Simulated workers search for one objective: leave workers or also out.")


def _choose_dataset(benchmark: Described, dataset: str | None, signal: str | None) -> str | None:
    if dataset is None and signal is not None:
        return benchmark.metric(signal).dataset
    searchable = list(
        dict.fromkeys(
            metric.dataset
            for metric in benchmark.metrics.values()
            if metric.dataset and metric.quantity == "accuracy"
        )
    )
    if dataset is None:
        if len(searchable) == 1:
            return searchable[0]
        raise SuiteError(
            f"Benchmark {benchmark.name!r} has {len(searchable)} data sets: "
            f"choose one of {', '.join(searchable)} with --dataset."
            if searchable
            else f"Benchmark {benchmark.name!r} has no accuracies: name what is seen with --signal "
            f"and what it is judged by with --judged-by."
        )
    if dataset not in benchmark.datasets:
        raise SuiteError(
            choose_from(f"data set of benchmark {benchmark.name!r}", dataset, benchmark.datasets)
        )
    return dataset


def _latest(benchmark: Described, dataset: str | None, split: str) -> str:
    """The accuracy of that split at the most epochs."""
    candidates = [
        metric
        for metric in benchmark.metrics.values()
        if (metric.dataset, metric.split, metric.quantity) == (dataset, split, "accuracy")
    ]
    if not candidates:
        option = {"valid": "--signal", "test": "--judged-by"}[split]
        raise SuiteError(
            f"Benchmark {benchmark.name!r} has no {split} accuracy of {dataset!r}: "
            f"name a metric with {option}."
        )
    return max(candidates, key=lambda metric: metric.epochs or 0).name


def _fidelity_family(benchmark: Described, signal: Metric) -> list[Metric]:
    """The signal and the same figure after fewer epochs, by epochs ascending."""
    kind = (signal.dataset, signal.split, signal.quantity)
    family = [
        metric
        for metric in benchmark.metrics.values()
        if (metric.dataset, metric.split, metric.quantity) == kind
        and metric.epochs is not None
        and signal.epochs is not None
        and metric.epochs < signal.epochs
    ]
    return [*sorted(family, key=lambda metric: metric.epochs or 0), signal]


def _cost_metrics(
    benchmark: Described, signal: Metric, family: Sequence[Metric]
) -> tuple[str, ...]:
    """The training-time metric of each fidelity, or nothing if any is missing."""
    times = {
        (metric.dataset, metric.epochs): metric.name
        for metric in benchmark.metrics.values()
        if metric.quantity == "training_time"
    }
    wanted = [times.get((signal.dataset, metric.epochs)) for metric in family]
    return tuple(name for name in wanted if name) if all(wanted) else ()


__all__ = ["Budget", "Objective", "Task", "config_hash", "make_task"]
