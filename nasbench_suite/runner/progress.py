"""How far a run is: one bar for all of it, with the time that is left."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING, Self

from nasbench_suite.parsing import counted

if TYPE_CHECKING:
    from rich.console import Console

    from nasbench_suite.runner.messages import Plan, TrialDone


class Bar:
    """A bar over all trials of a run, and what a trial of each method took.

    The time left is that of the trials left, by what trials of the same method on the same task
    have taken so far; of those that none has finished yet, by the mean of all. A hundred quick
    trials before ten slow ones are so no promise of a quick end.

    Args:
        console: where to draw; by default on standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        from importlib.util import find_spec

        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        # A notebook without ipywidgets has no bar that moves; it is told the end, and no warning.
        notebook = None if find_spec("ipywidgets") else False
        self._console = console or Console(stderr=True, markup=False, force_jupyter=notebook)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            console=self._console,
        )
        self._left: dict[tuple[str, str], int] = {}
        self._taken: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self._expected = self._planned = 0
        self._begin = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress.tasks:
            self._progress.stop()

    def expect(self, trials: int) -> None:
        """Say how many trials there are in all, where they come in several plans."""
        self._expected = trials

    def plan(self, plan: Plan) -> None:
        """Take note of what is to be run, or of what is to be run next."""
        self._planned += sum(todo + finished for todo, finished in plan.values())
        for key, (todo, _) in plan.items():
            self._left[key] = self._left.get(key, 0) + todo
        finished = sum(finished for _, finished in plan.values())
        total = max(self._expected, self._planned)
        if not self._progress.tasks:
            self._progress.add_task("trials", total=total, left="")
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], advance=finished, total=total)

    def advance(self, trial: TrialDone) -> None:
        """One trial more is done."""
        key = trial.task, trial.method
        self._left[key] -= 1
        self._taken[key].append(trial.wall_seconds)
        self._progress.update(
            self._progress.task_ids[0],
            advance=1,
            description=trial.method,
            left=f"{duration(self.seconds_left)} left",
        )

    @property
    def seconds_left(self) -> float:
        """Seconds until the end, as far as anybody can tell."""
        done = [seconds for taken in self._taken.values() for seconds in taken]
        if not done:
            return float("nan")
        mean = sum(done) / len(done)
        work = max(self._expected - self._planned, 0) * mean
        work += sum(
            count * (sum(self._taken[key]) / len(self._taken[key]) if self._taken[key] else mean)
            for key, count in self._left.items()
        )
        # Several processes, starting and writing: a second of trials may take more or less.
        pace = (time.monotonic() - self._begin) / (sum(done) or 1.0)
        return work * pace

    def told(self) -> list[str]:
        """What a trial of each method took, one line a method."""
        of_method: defaultdict[str, list[float]] = defaultdict(list)
        for (_, method), taken in self._taken.items():
            of_method[method] += taken
        return [
            f"{method}: {counted(len(taken), 'trial')}, {duration(sum(taken) / len(taken))} each"
            for method, taken in of_method.items()
            if taken
        ]


def duration(seconds: float) -> str:
    """A time in the units that one would say it in.

    >>> duration(0.0012), duration(0.5), duration(75), duration(7300)
    ('1.2 ms', '0.5 s', '1 min 15 s', '2 h 01 min')
    """
    if seconds != seconds:
        return "unknown time"
    if 0 < seconds < 0.1:
        return f"{1000 * seconds:.2g} ms"
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


__all__ = ["Bar", "duration"]
