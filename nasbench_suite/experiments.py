"""What a session in Python works with: run methods, and look at what came of it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_suite import registry
from nasbench_suite.analysis.comparison import Comparison, compare
from nasbench_suite.analysis.curves import results_curves
from nasbench_suite.analysis.evaluations import results_evaluations
from nasbench_suite.analysis.leaderboard import results_leaderboard
from nasbench_suite.analysis.results import Results, choose_task, one_task, read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.deprecated import RUN_ARGUMENTS, renamed_arguments
from nasbench_suite.errors import warn
from nasbench_suite.parsing import Seeds, counted
from nasbench_suite.runner import RunSummary
from nasbench_suite.runner import run as run_trials
from nasbench_suite.runner.runs import Methods

if TYPE_CHECKING:
    import pandas as pd


class Experiment:
    """What is in a results file, and what the call of ``run`` that returned it did.

    Attributes:
        path: the results file.
        summary: what the run did: ``finished``, ``skipped``, ``failures``, ``hints``.
    """

    def __init__(self, path: str | Path, summary: RunSummary | None = None) -> None:
        self.path = Path(path)
        self.summary = summary or RunSummary()

    @property
    def finished(self) -> int:
        """Trials finished in this run."""
        return self.summary.finished

    @property
    def skipped(self) -> int:
        """Trials that an earlier run had finished already."""
        return self.summary.skipped

    @property
    def failures(self) -> list[Any]:
        """The trials that failed in this run."""
        return list(self.summary.failures)

    @property
    def hints(self) -> list[str]:
        """Where a method cannot do on a task what its name says."""
        return list(self.summary.hints)

    @cached_property
    def results(self) -> Results:
        """Tasks and trials of the whole file, read once."""
        return read_results(self.path)

    @property
    def trials(self) -> pd.DataFrame:
        """All trials of the file, one a row; see ``ResultStore.trials``."""
        from nasbench_suite.analysis.shown import shown

        main = "method dataset seed status evaluations seconds architecture signal report"
        return shown(self.results.trials, main)

    def leaderboard(self, **settings: Any) -> pd.DataFrame:
        """What each method reached; see ``nasbench_suite.leaderboard``."""
        return results_leaderboard(self.results, **settings)

    def compare(self, **settings: Any) -> list[Comparison]:
        """Which methods differ, and how sure that is; see ``nasbench_suite.compare``."""
        return compare(self.path, **settings)

    def curves(self, **settings: Any) -> pd.DataFrame:
        """Anytime curves; see ``nasbench_suite.analysis.anytime_curves``."""
        return results_curves(self.results, **settings)

    def evaluations(self) -> pd.DataFrame:
        """Every evaluation of every trial; see ``analysis.evaluations.results_evaluations``."""
        return results_evaluations(self.results)

    def plot(self, figure: str = "anytime", *, task: str | None = None, ax: Any = None) -> Any:
        """Draw a figure of ``nasbench figure``.

        Args:
            figure: its name.
            task: one task alone, by its name or what tells it from the others, such as
                ``cifar10``; needed for a figure of one task if there are several.
            ax: axes of matplotlib to draw on; by default those of a new figure, which has a title
                and notes as that of the command.

        Returns:
            The axes.

        Raises:
            SuiteError: no such figure or task, or the results have nothing of it.
        """
        chosen = registry.find("figures", figure).load()
        results = self.results
        if task is not None or not chosen.across:
            results = one_task(results, choose_task(results, task))
        return chosen.plot(results, ax)

    def __repr__(self) -> str:
        done = f"{counted(self.finished, 'trial')} finished"
        if self.skipped:
            done += f", {self.skipped:,} there before"
        if self.summary.failures:
            done += f", {len(self.summary.failures):,} failed"
        return f"<Experiment {str(self.path)!r}: {done}>"

    def _repr_html_(self) -> str:
        from html import escape

        board: Any = self.leaderboard()
        return f"<p>{escape(repr(self))}</p>{board._repr_html_()}"


@renamed_arguments(**RUN_ARGUMENTS)
def run(
    benchmark: str | Path | Benchmark | OpenBenchmark = "digits",
    methods: Methods = "random",
    *,
    seeds: Seeds = 5,
    store: str | Path = "results.sqlite",
    **settings: Any,
) -> Experiment:
    """Run methods on a benchmark, and return what can be looked at.

    Trials that the results file already holds are not repeated, so an interrupted call, made again,
    goes on where it stopped.

    Args:
        benchmark: a benchmark, its name, or the path of its file; ``kind:what`` asks for an open
            benchmark, such as ``live:digits``.
        methods: names with optional settings, as one string
            (``"random,regularized-evolution[population_size=50]"``), or a sequence of names,
            of subclasses of ``Method``, of methods with their hyper-parameters, and of pairs of a
            name and a method.
        seeds: a trial is run with each; a number stands for so many, from 0, and text such as
            ``"0-19"`` for those that it names.
        store: the results file; made if absent.
        settings: ``dataset``, ``evaluations``, ``simulated_seconds``, ``signal``, ``judged_by``,
            ``objectives``, ``each_objective``, ``answers``, ``jobs``, ``progress=True``,
            ``on_evaluation`` and whatever else ``nasbench_suite.runner.run`` takes. What hints
            say, such as that a population is not below the budget, is warned of before anything
            runs, unless ``on_hint`` is given.

    Returns:
        The experiment, with ``leaderboard()``, ``compare()``, ``curves()``, ``evaluations()``,
        ``plot()`` and ``trials`` of the whole file. A trial that raised, passed a limit or lost its
        process is recorded as failed, and the others go on.

    Raises:
        SuiteError: bad input, found before anything is run.
        KeyboardInterrupt: interrupted; every finished trial is kept.
    """
    settings = {"on_hint": _warn, **settings}
    return Experiment(store, run_trials(benchmark, methods, seeds=seeds, store=store, **settings))


def _warn(hint: str) -> None:
    warn(f"{hint.removesuffix('.')}.")


__all__ = ["Experiment", "run"]
