"""Comparing the methods of a results file: all pairs on each task, and on all tasks together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from nasbench_suite.analysis.results import Results, read_results
from nasbench_suite.analysis.sameness import identical_methods
from nasbench_suite.analysis.samples import (
    anchors,
    judged_tasks,
    noise_spreads,
    task_samples,
)
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.parsing import counted
from nasbench_suite.statistics.aggregates import check_resamples
from nasbench_suite.statistics.estimates import (
    Estimate,
    difference,
    estimate,
    family_interval,
    family_p,
    noise_error,
)
from nasbench_suite.statistics.hierarchical import hierarchical_comparison
from nasbench_suite.statistics.planning import detectable_shift
from nasbench_suite.statistics.sample import Sample, paired, round_figures
from nasbench_suite.statistics.significance import (
    RESAMPLES,
    Friedman,
    bayesian_signed_rank,
    check_level,
    check_rope,
    friedman,
    holm,
    probability_of_improvement,
    wilcoxon,
    wilcoxon_interval,
)
from nasbench_suite.statistics.simultaneous import rank_sets
from nasbench_suite.tasks.methods import find_label

if TYPE_CHECKING:
    import pandas as pd

Over = Literal["seeds", "tasks"]
Pair = frozenset[str]
ALL_TASKS = "all tasks"
BEST = "best"
FEW_BLOCKS = 6  # under so many, signed ranks cannot reach p < 0.05
_MOST_PAIRED = 10  # methods of which all pairs are compared unless asked otherwise

PAIR_COLUMNS = (
    *("first", "second", "difference", "low", "high", "noise", "p", "p_adjusted", "p_equivalent"),
    *("blocks", "worse", "equal", "better", "improvement", "improvement_low", "improvement_high"),
    "identical",
)
_MAIN = "first second difference low high p_adjusted p_equivalent"  # what is printed of them
# Of one method by two names nothing is estimated and nothing tested: it is itself.
_IDENTICAL = {
    **dict.fromkeys(("difference", "low", "high", "noise", "worse", "better"), 0.0),
    **dict.fromkeys(("p", "equal"), 1.0),
    "p_equivalent": 0.0,
}


@dataclass(frozen=True)
class Comparison:
    """Methods compared on one task, or on all tasks together.

    Attributes:
        task: name of the task, or ``all tasks``.
        methods: those compared, by interquartile mean (IQM), best first.
        left_out: methods without figures in every task of the comparison.
        over: what a block is: ``seeds`` (a seed of a task) or ``tasks`` (a task).
        blocks: number of blocks that all methods have.
        unit: of differences: the metric's own, or, over several tasks, each task's noise floor
            (its standard deviation within methods where a floor is unknown).
        rope: half the width of the region of practical equivalence, in that unit.
        alpha: level of the tests and one less the coverage of the intervals.
        friedman: Friedman's and Nemenyi's tests over the blocks that all methods have, methods in
            the order of ``methods``; None with fewer than two methods or blocks.
        pairs: one row a pair, the better one ``first``; differences are turned so that a positive
            one means that ``first`` is better.

            - ``difference``: of the IQMs (of several tasks: the mean of theirs), from all figures
              of both; ``low`` and ``high``: its interval over seeds, for all pairs together (over
              tasks see ``significance.wilcoxon_interval``; missing where tasks are too few);
              ``noise``: half the width of its interval by training noise alone;
            - ``p``: Yuen's test that it is zero (over tasks: Wilcoxon's signed-rank test);
              ``p_adjusted``: for all pairs of methods, or, against a method that was named, for
              the pairs with it; ``p_equivalent``: that it is ``rope`` or more;
            - ``blocks`` that both have, and over these ``worse``, ``equal``, ``better``: Bayesian
              signed-rank test (missing with one block); over tasks the hierarchical model of seeds
              within tasks, where both methods share two seeds or more on each;
            - ``improvement`` with its ends: the probability that a run of ``first`` beats one of
              ``second`` on the same task;
            - ``identical``: both made the same evaluations with every seed, so that they are one
              method here (see ``sameness.identical_methods``) and equivalent without a test.
        ranks: first and last rank that each method may have, in the order of ``methods``, all of
            them holding at once (see ``simultaneous.rank_sets``); empty unless all pairs are shown.
        detectable: smallest difference that shows with a power of 0.8, by the median error of the
            pairs and with their adjustment; missing where no error is known, and over tasks.
        detectable_of_all: the same by the largest error, so that every pair shows it.
        failed: how many trials failed, by method, of the methods that have any; they count as on
            the leaderboard.
    """

    task: str
    methods: tuple[str, ...]
    left_out: tuple[str, ...]
    over: Over
    blocks: int
    unit: str
    rope: float
    alpha: float
    friedman: Friedman | None
    pairs: pd.DataFrame
    detectable: float
    detectable_of_all: float = np.nan
    ranks: tuple[tuple[int, int], ...] = ()
    failed: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        methods, pairs = counted(len(self.methods), "method"), counted(len(self.pairs), "pair")
        apart = int((self.pairs["p_adjusted"] < self.alpha).sum())
        return (
            f"<Comparison on {self.task!r}: {methods} over {self.blocks} {self.over}, "
            f"{apart} of {pairs} told apart>"
        )


def compare(
    store: str | Path,
    *,
    methods: Sequence[str] | None = None,
    against: str | None = None,
    over: Over = "seeds",
    benchmark: str | None = None,
    dataset: str | None = None,
    evaluations: float | None = None,
    seconds: float | None = None,
    rope: float | None = None,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """Which methods differ, by how much, and how sure that is.

    Over seeds, each task is compared by itself and then, if there are several, all together; a
    claim then holds for these tasks. Over tasks, a task counts once, by the interquartile mean
    of its seeds, and a claim holds for tasks like these; that needs many of them.

    Args:
        store: a results file.
        methods: which to compare; by default all.
        against: one method that all others are compared with, or ``best`` for the one of best
            interquartile mean; by default all pairs are shown, or, of more than ten methods, all
            others with the best. As the best is found by looking at all, p-values are adjusted
            for all pairs then too.
        over: ``seeds`` or ``tasks``.
        benchmark: only tasks on this benchmark.
        dataset: only tasks on this data set.
        evaluations: look at the searches after this many full evaluations.
        seconds: look at the searches after this many simulated training seconds.
        rope: differences below this are practically nothing; in the metric's unit, or in noise
            floors over several tasks. By default the noise floor, 0 where it is unknown.
        alpha: level of the tests, of all pairs together; intervals cover 1 - alpha.
        resamples: number of bootstrap resamples for the interval of improvement.

    Returns:
        One comparison a task in the order they were first run, then that of all tasks.

    Raises:
        SuiteError: the file cannot be read, there is no such method, there are fewer than two
            methods, or fewer than two tasks to compare over, or an impossible number.
    """
    results = read_results(store, benchmark=benchmark, dataset=dataset)
    return results_comparisons(
        results,
        methods=methods,
        against=against,
        over=over,
        evaluations=evaluations,
        seconds=seconds,
        rope=rope,
        alpha=alpha,
        resamples=resamples,
    )


def results_comparisons(
    results: Results,
    *,
    methods: Sequence[str] | None = None,
    against: str | None = None,
    over: Over = "seeds",
    evaluations: float | None = None,
    seconds: float | None = None,
    rope: float | None = None,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
) -> list[Comparison]:
    """As ``compare``, of results already read."""
    check_level(alpha)
    check_resamples(resamples)
    if rope is not None:
        check_rope(rope)
    if over not in ("seeds", "tasks"):
        raise SuiteError(choose_from("block", over, ["seeds", "tasks"]))
    samples = method_samples(results, evaluations=evaluations, seconds=seconds, methods=methods)
    known = sorted({name for of_task in samples.values() for name in of_task})
    if len(known) < 2:
        raise SuiteError(
            f"A comparison needs two methods, but there is {', '.join(known) or 'none'} alone: "
            f"run another with `nasbench run`, or name more of them."
        )
    if against not in (None, BEST):
        against = find_label("method to compare with", str(against), known)
    if over == "tasks" and len(samples) < 2:
        raise SuiteError("A comparison over tasks needs two of them or more: run another task.")
    same = _same_pairs(results, samples)
    settings = _Settings(known, results.places, against, rope, alpha, resamples)
    everywhere = [m for m in known if all(m in of_task for of_task in samples.values())]
    found = []
    if over == "seeds":
        found = [
            _compare_task(results, key, of_task, same[key], settings)
            for key, of_task in samples.items()
            if len(of_task) > 1  # others may have more
        ]
    if over == "tasks" or (len(samples) > 1 and len(everywhere) > 1) or not found:
        all_over = set.intersection(*same.values())
        found.append(_compare_all(results, samples, everywhere, over, all_over, settings))
    return found


def method_samples(
    results: Results,
    *,
    evaluations: float | None = None,
    seconds: float | None = None,
    methods: Sequence[str] | None = None,
) -> dict[str, dict[str, Sample]]:
    """The sample of each method, by task key and method, turned so that larger is better.

    Failed trials count as ``samples.Anchors.failure`` says.

    Raises:
        SuiteError: there is no such method, no task ran for so long, or no trial has a figure.
    """
    known = sorted({name for of_task in results.taking_part.values() for name in of_task})
    if methods is not None:
        methods = [find_label("method with results", name, known) for name in methods]
    found = {}
    for key, trials in judged_tasks(results, evaluations, seconds):
        samples = task_samples(results, key, trials)
        if chosen := {m: s for m, s in samples.items() if methods is None or m in methods}:
            found[key] = chosen
    if not found:
        raise SuiteError(
            f"{results.path} has no finished trial to compare: see why trials failed in its column "
            f"trials.message, or run more with `nasbench run`."
        )
    return found


def blocks_of(samples: Mapping[str, Sample]) -> pd.DataFrame:
    """The figure of each method at each seed of one task: rows are seeds, columns methods."""
    import pandas as pd

    columns = {m: pd.Series(s.figures, index=s.seeds) for m, s in samples.items()}
    return pd.DataFrame(columns).sort_index()


def common_methods(samples: Mapping[str, Mapping[str, Sample]]) -> list[str]:
    """The methods that have figures on every task, by name."""
    return sorted(set.intersection(*(set(of_task) for of_task in samples.values())))


def best_method(results: Results) -> str:
    """The method of best interquartile mean, of those with figures on every task; as ``compare``.

    Raises:
        SuiteError: no method has.
    """
    samples = method_samples(results)
    methods = common_methods(samples)
    if not methods:
        raise SuiteError("No method has results on every task: run more of them there.")
    scales, _ = _scales(results, samples)
    values = {
        method: float(
            np.mean(
                [
                    estimate(of_task[method]).value / scale
                    for of_task, scale in zip(samples.values(), scales, strict=True)
                ]
            )
        )
        for method in methods
    }
    return _best_first(values, results.places)[0]


# -- parts -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Settings:
    """What was asked for; ``known`` are all methods with figures on any task."""

    known: Sequence[str]
    places: Mapping[str, int]
    against: str | None
    rope: float | None
    alpha: float
    resamples: int


@dataclass(frozen=True)
class _Runs:
    """A method's samples, a task each, the training noise of their figures, and failed trials."""

    samples: Sequence[Sample]
    spreads: Sequence[NDArray[np.float64]]
    failed: int

    def scaled(self, scales: Sequence[float]) -> _Runs:
        """All figures divided by their task's scale."""
        return _Runs(
            [replace(s, figures=s.figures / c) for s, c in zip(self.samples, scales, strict=True)],
            [spread / c for spread, c in zip(self.spreads, scales, strict=True)],
            self.failed,
        )


def _runs(
    results: Results, samples: Mapping[str, Mapping[str, Sample]], methods: Sequence[str]
) -> dict[str, _Runs]:
    models = {key: anchors(results.tasks[key]).noise for key in samples}
    return {
        method: _Runs(
            [of_task[method] for of_task in samples.values()],
            [
                noise_spreads(results.tasks[key], models[key], of_task[method])
                for key, of_task in samples.items()
            ],
            sum(results.failed_on(key).get(method, 0) for key in samples),
        )
        for method in methods
    }


def _compare_task(
    results: Results,
    key: str,
    samples: Mapping[str, Sample],
    same: Collection[Pair],
    settings: _Settings,
) -> Comparison:
    """Compare on one task, in the metric's own unit."""
    task = results.tasks[key]
    unit = "points" if task.unit == "%" else task.unit
    runs = _runs(results, {key: samples}, sorted(samples))
    floor = task.noise_floor or 0.0
    return _compare(results.names[key], runs, "seeds", unit, floor, task.width, same, settings)


def _compare_all(
    results: Results,
    samples: Mapping[str, Mapping[str, Sample]],
    methods: Sequence[str],
    over: Over,
    same: Collection[Pair],
    settings: _Settings,
) -> Comparison:
    """Compare on all tasks together, in noise floors or, where one is unknown, deviations."""
    if len(methods) < 2:
        raise SuiteError(f"Fewer than two methods have results on {ALL_TASKS}: run more of them.")
    scales, by_floor = _scales(results, samples)
    unit = "noise floors" if by_floor else "standard deviations"
    runs = _runs(results, samples, methods)
    scaled = {method: own.scaled(scales) for method, own in runs.items()}
    widths = [results.tasks[key].width for key in samples]
    width = float(np.mean(np.divide(widths, scales)))
    return _compare(ALL_TASKS, scaled, over, unit, float(by_floor), width, same, settings)


def _same_pairs(results: Results, keys: Iterable[str]) -> dict[str, set[Pair]]:
    """The pairs of methods that are one method by two names, by the task's key."""
    return {
        key: {
            frozenset(pair)
            for alike in identical_methods(results, key)
            for pair in combinations(alike, 2)
        }
        for key in keys
    }


def _best_first(values: Mapping[str, float], places: Mapping[str, int]) -> list[str]:
    """Methods by their figures, larger first; equals, as the leaderboard has them."""
    rounded = dict(zip(values, round_figures(list(values.values()), 0.0), strict=True))
    return sorted(values, key=lambda method: (-rounded[method], places[method]))


def _compare(
    name: str,
    runs: Mapping[str, _Runs],
    over: Over,
    unit: str,
    floor: float,
    width: float,
    same: Collection[Pair],
    settings: _Settings,
) -> Comparison:
    """Compare methods that have figures on the same tasks.

    Args:
        name: of what is compared.
        runs: by method.
        over: what a block is.
        unit: of the figures.
        floor: of the noise, in that unit.
        width: none differ by more.
        same: pairs that are one method by two names.
        settings: what was asked for.
    """
    ordered = _best_first(
        {method: estimate(own.samples).value for method, own in runs.items()}, settings.places
    )
    blocks = _blocks(runs, ordered, over)
    rope = floor if settings.rope is None else settings.rope
    family = _family(ordered, over, settings.against)
    rows, gaps = [], []
    for one, other in family.pairs:
        gap, row = _pair(runs[one], runs[other], over, family, rope, width, settings)
        identical = frozenset((one, other)) in same
        if identical:
            row |= _IDENTICAL
        else:
            gaps.append(gap)
        rows.append({"first": one, "second": other, **row, "identical": identical})
    frame = _frame(rows, family.tests)
    level = settings.alpha / family.tests
    typical, of_all = _detectable(() if over == "tasks" else gaps, family.size, level)
    return Comparison(
        task=name,
        methods=tuple(ordered),
        left_out=tuple(m for m in settings.known if m not in runs),
        over=over,
        blocks=len(blocks),
        unit=unit,
        rope=rope,
        alpha=settings.alpha,
        friedman=friedman(blocks, settings.alpha) if len(blocks) > 1 else None,
        pairs=frame,
        detectable=typical,
        detectable_of_all=of_all,
        ranks=_rank_sets(ordered, frame, settings.alpha) if family.all_shown else (),
        failed={method: runs[method].failed for method in ordered if runs[method].failed},
    )


@dataclass(frozen=True)
class _Family:
    """The pairs that are shown, and what their p-values are adjusted for.

    Attributes:
        pairs: better and worse method.
        size: methods of which all pairs were looked at; 2 where the method to compare with was
            named beforehand.
        tests: pairs that are tested each by itself, and then adjusted by Holm.
        all_shown: whether all pairs are shown.
    """

    pairs: Sequence[tuple[str, str]]
    size: int
    tests: int
    all_shown: bool


def _family(ordered: Sequence[str], over: Over, against: str | None) -> _Family:
    """What is compared of methods, best first, with all of them, with the best or with one."""
    if against is None and len(ordered) > _MOST_PAIRED:
        against = BEST
    named = against not in (None, BEST)
    wanted = ordered[0] if against == BEST else against
    pairs = list(combinations(ordered, 2))
    shown = [pair for pair in pairs if wanted is None or wanted in pair]
    tests = 1
    if named or over == "tasks":
        tests = len(shown) if named else len(pairs)
    return _Family(shown, 2 if named else len(ordered), tests, wanted is None)


def _pair(
    one: _Runs,
    other: _Runs,
    over: Over,
    family: _Family,
    rope: float,
    width: float,
    settings: _Settings,
) -> tuple[Estimate, dict[str, float]]:
    """The difference of two methods, and its row; no end lies beyond ``width``."""
    make = _pair_over_tasks if over == "tasks" else _pair_over_seeds
    gap, row = make(one, other, family.size, family.tests, settings.alpha)
    row |= {"low": max(row["low"], -width), "high": min(row["high"], width)}
    row |= _of_blocks(one, other, over, rope)
    row["p_equivalent"] = gap.equivalence_p(rope)
    chance, low, high = probability_of_improvement(
        [sample.figures for sample in one.samples],
        [sample.figures for sample in other.samples],
        confidence=1.0 - settings.alpha,
        resamples=settings.resamples,
    )
    return gap, {**row, "improvement": chance, "improvement_low": low, "improvement_high": high}


def _rank_sets(
    methods: Sequence[str], pairs: pd.DataFrame, alpha: float
) -> tuple[tuple[int, int], ...]:
    """First and last rank that each method may have, by the verdicts on all pairs."""
    place = {method: number for number, method in enumerate(methods)}
    better = np.zeros((len(methods), len(methods)), dtype=np.bool_)
    for row in pairs[pairs["p_adjusted"] < alpha].to_dict("records"):
        one, other = place[row["first"]], place[row["second"]]
        if row["difference"] < 0:
            one, other = other, one
        better[one, other] = row["difference"] != 0
    return tuple((int(first), int(last)) for first, last in rank_sets(better))


def _blocks(runs: Mapping[str, _Runs], methods: Sequence[str], over: Over) -> NDArray[np.float64]:
    """The blocks that all methods have, shape (blocks, methods)."""
    if over == "tasks":
        return np.array(
            [[estimate(sample).value for sample in runs[method].samples] for method in methods]
        ).T
    tasks = range(len(runs[methods[0]].samples))
    parts = [
        blocks_of({method: runs[method].samples[task] for method in methods}).dropna().to_numpy()
        for task in tasks
    ]
    return np.concatenate(parts)


def _pair_over_seeds(
    one: _Runs, other: _Runs, family: int, tests: int, alpha: float
) -> tuple[Estimate, dict[str, float]]:
    """Yuen's test of two methods on these tasks: the difference, and its row."""
    gap = difference(one.samples, other.samples)
    low, high = family_interval(gap, family, 1.0 - alpha / tests)
    noise = noise_error(one.samples, one.spreads, other.samples, other.spreads)
    return gap, {
        "difference": gap.value,
        "low": low,
        "high": high,
        "noise": float(ndtri(1.0 - alpha / 2)) * noise,
        "p": gap.p,
        "p_adjusted": family_p(gap, family) if tests == 1 else np.nan,
    }


def _pair_over_tasks(
    one: _Runs, other: _Runs, _family: int, tests: int, alpha: float
) -> tuple[Estimate, dict[str, float]]:
    """Two methods on tasks like these: the mean of the tasks' differences, and Wilcoxon's test.

    Each pair is tested by itself, and no family of methods as one.
    """
    gaps = np.array(
        [difference(a, b).value for a, b in zip(one.samples, other.samples, strict=True)]
    )
    error = float(gaps.std(ddof=1) / np.sqrt(len(gaps)))
    gap = Estimate(float(gaps.mean()), error, len(gaps) - 1.0)
    low, high = wilcoxon_interval(gaps, alpha / tests)
    return gap, {
        "difference": gap.value,
        "low": low,
        "high": high,
        "p": float(wilcoxon(gaps)),
    }


def _of_blocks(one: _Runs, other: _Runs, over: Over, rope: float) -> dict[str, float]:
    """A Bayesian comparison over the blocks that both methods have."""
    if over == "tasks":
        within = [
            first - second
            for first, second in (
                paired(a, b) for a, b in zip(one.samples, other.samples, strict=True)
            )
        ]
        if min(map(len, within)) > 1:
            found = hierarchical_comparison(within, rope)
            shares = {"worse": found.worse, "equal": found.equal, "better": found.better}
            return {"blocks": len(within), **shares}
        gaps = [difference(a, b).value for a, b in zip(one.samples, other.samples, strict=True)]
    else:
        pairs = [paired(a, b) for a, b in zip(one.samples, other.samples, strict=True)]
        gaps = np.concatenate([first - second for first, second in pairs]).tolist()
    row: dict[str, float] = {"blocks": len(gaps)}
    if len(gaps) > 1:
        posterior = bayesian_signed_rank(gaps, rope)
        row |= {"worse": posterior.worse, "equal": posterior.equal, "better": posterior.better}
    return row


def _frame(rows: Sequence[Mapping[str, Any]], tests: int) -> pd.DataFrame:
    """The pairs as a table; p-values are adjusted for so many ``tests`` unless they are already.

    Where only the pairs with the best are shown, the others were looked at too: each is
    then adjusted as the smallest of all.
    """
    import pandas as pd

    from nasbench_suite.analysis.shown import shown

    frame = pd.DataFrame(rows, columns=list(PAIR_COLUMNS)).astype({"identical": bool})
    numbers = [name for name in PAIR_COLUMNS if name not in ("first", "second", "identical")]
    frame[numbers] = frame[numbers].astype(float)
    if frame["p_adjusted"].isna().all():
        all_pairs = len(frame) == tests
        frame["p_adjusted"] = holm(frame["p"]) if all_pairs else np.minimum(1.0, frame["p"] * tests)
    return shown(frame, _MAIN)


def _detectable(gaps: Sequence[Estimate], family: int, alpha: float) -> tuple[float, float]:
    """What the pair of median error, and what every pair, shows with a power of 0.8.

    Pairs without any spread say nothing of what would show.
    """
    known = sorted((gap for gap in gaps if gap.error > 0), key=lambda gap: gap.error)
    if not known:
        return np.nan, np.nan

    def shown(gap: Estimate) -> float:
        return detectable_shift(gap.error, gap.freedom, methods=family, alpha=alpha)

    return shown(known[len(known) // 2]), max(map(shown, known))


def _scales(
    results: Results, samples: Mapping[str, Mapping[str, Sample]]
) -> tuple[list[float], bool]:
    """What figures of each task are divided by, and whether these are noise floors."""
    floors = [results.tasks[key].noise_floor or 0.0 for key in samples]
    if all(floors):
        return floors, True
    return [_within(of_task) for of_task in samples.values()], False


def _within(samples: Mapping[str, Sample]) -> float:
    """Standard deviation over seeds, pooled over methods; 1 where there is no spread."""
    variances = [sample.figures.var(ddof=1) for sample in samples.values() if len(sample) > 1]
    variance = float(np.mean(variances)) if variances else 0.0
    return variance**0.5 if variance > 0 else 1.0
