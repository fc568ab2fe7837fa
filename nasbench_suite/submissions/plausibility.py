"""What makes a submission doubtful though every figure in it is the table's.

A search that never took place can be made up of evaluations that the table confirms. What shows in
its trials alone is told here: seeds chosen among many, one trial copied to others, evaluations that
know the table. Whether the search took place is seen by running it again, and by nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy.stats import binomtest

from nasbench_suite.events import TrialResult
from nasbench_suite.parsing import counted
from nasbench_suite.rows import TrialRow
from nasbench_suite.tasks import Task

Group = tuple[str, str]  # keys of a task and a method

_NAMED = 5  # gaps named one by one
_TELLING = 5  # different architectures that two searches do not draw alike by chance
_BEST = 0.01  # the share of the table that a search which knows nothing begins in, by chance
_LEVEL = 1e-6


def seed_gaps(trials: Sequence[TrialRow]) -> Iterator[tuple[Group, str]]:
    """Methods whose seeds are not 0 to n-1, all of them: some may have been left out."""
    seeds: dict[Group, set[int]] = defaultdict(set)
    for trial in trials:
        seeds[trial.task, trial.method].add(trial.seed)
    for group, found in seeds.items():
        count, last = len(found), max(found)
        if last == count - 1:
            continue
        gaps = []
        expected = 0
        for seed in sorted(found):
            if seed > expected:
                gaps.append(f"{expected}-{seed - 1}" if seed - 1 > expected else str(expected))
            expected = seed + 1
        more = f" and {len(gaps) - _NAMED} more gaps" if len(gaps) > _NAMED else ""
        yield (
            group,
            f"it has {counted(count, 'seed')} up to {last} and lacks "
            f"{', '.join(gaps[:_NAMED])}{more}: submit all of 0 to n-1, so that none can be left "
            f"out.",
        )


def copies(trials: Sequence[TrialRow]) -> Iterator[tuple[int, int]]:
    """Pairs of places of trials on one task that evaluate the same in the same order.

    Of each trial that is there again the first place, and one other: under another seed, or
    another method.
    """
    first: dict[tuple[object, ...], int] = {}
    for place, trial in enumerate(trials):
        if len(set(trial.architectures)) < _TELLING:
            continue
        content = (
            trial.task,
            tuple(trial.architectures),
            tuple(trial.epochs),
            None if trial.strings is None else tuple(trial.strings),
        )
        known = first.setdefault(content, place)
        if known != place:
            yield known, place


def foresight(
    trials: Sequence[TrialRow], tasks: Mapping[str, Task], results: Mapping[int, TrialResult]
) -> Iterator[tuple[Group, str]]:
    """Methods that begin among the best of the table more often than chance allows.

    What a search evaluates first it has chosen without a single signal; by chance one in a hundred
    is among the best hundredth.
    """
    lucky: dict[Group, list[bool]] = defaultdict(list)
    for place, result in results.items():
        trial = trials[place]
        task = tasks[trial.task]
        if len(task.objectives) > 1 or result.record.strings is not None:
            continue
        judged_by = task.objectives[0].judged_by
        figures = task.orientation(judged_by) * task.table.values(judged_by)
        known = figures[~np.isnan(figures)]
        bar = np.quantile(known, 1 - _BEST)
        mine = figures[int(result.record.architectures[0])]
        lucky[trial.task, trial.method].append(bool(mine >= bar))
    for group, found in lucky.items():
        chance = binomtest(sum(found), len(found), _BEST, alternative="greater").pvalue
        if chance < _LEVEL:
            yield (
                group,
                f"{sum(found)} of {len(found)} searches begin among the best 1 % of the table, "
                f"before any signal: have it run again, or say where it knows the table from.",
            )
