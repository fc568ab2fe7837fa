"""Measure whether the commands' decisions hold what they state: level, coverage, power.

    python tests/benchmarks/calibration.py --repetitions 1000 --store FILE [--store FILE ...]
    python tests/benchmarks/calibration.py --made --journal made.jsonl

Figures are drawn with replacement from the seeds of methods in results files of real tables
(``--store``), or from made distributions that are Gaussian, skewed, tied to four values, or
collapse (``--made``). The table has one row a pool, number of methods and seeds:

- level: boards of equal methods on which any pair is called different: any with the best
  (``leaderboard``, ``table``, the report, merged submissions, ``compare --against best``), any at
  all (``compare``), or any with one that was named before (``compare --against m00``);
- coverage: intervals that hold the truth: of the interquartile means on the leaderboard and in the
  anytime figure, and of all of a board's differences at once;
- power: of pairs that differ by what ``nasbench seeds`` says shows with 0.8, how many are told
  apart, with the same number of methods on the board;
- equal: of pairs that differ by the noise floor, how many are called equivalent (at most 0.05).

``--shares`` prints another table: the power where one method reaches the best of few figures more
often than others, so that what decides is the exchange of labels.

These are counted with the functions that every command decides by, of all boards at once, and with
``--journal`` a row that was measured is not measured again. That each command decides so is counted
beside it: the first ``--checked`` boards are written as results files and go through
``leaderboard``, ``table``, ``report``, ``compare`` in its three forms with its sets of ranks,
``check`` (of the second method against the first, with and without the look for rare collapses),
the anytime figure, and the critical-difference figure, whose own test has its level in the last
column; ``seeds`` is asked once a row, and the board of submissions (``leaderboard --from``) is
compared with that of each store. This command fails where one decides otherwise.

The gate's error rates are measured by gate_error_rates.py.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import typer
from made import ENVIRONMENT, made_search, made_task
from numpy.typing import NDArray
from scipy.special import stdtr
from scipy.stats import fisher_exact, mannwhitneyu

from nasbench_suite.analysis.curves import results_curves
from nasbench_suite.analysis.results import read_results
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.rows import MethodRow
from nasbench_suite.statistics import interquartile_mean
from nasbench_suite.statistics.estimates import (
    Estimate,
    difference,
    estimates,
    family_interval,
    family_p,
    few_distinct,
    interval_ends,
    level_of_pair,
    pair_freedom,
    trimmed_means,
)
from nasbench_suite.statistics.noninferiority import noninferiority
from nasbench_suite.statistics.planning import detectable_difference, drawn_difference
from nasbench_suite.statistics.sample import make_sample
from nasbench_suite.statistics.significance import holm
from nasbench_suite.store import ResultStore
from reports.figures.comparison import critical_difference_data
from reports.html.report import write_report

Floats = NDArray[np.float64]
Pairs = set[tuple[str, str]]

SEEDS = (2, 3, 5, 10, 20, 50)
METHODS = (2, 5, 10)
ALPHA = 0.05
OPTIMUM = 100.0
_RESAMPLES = 20  # of the probability of improvement, which decides nothing
_ROUNDING = 1e-5
_FLOOR = 0.5  # by which two methods differ that must not be called equivalent


@dataclass(frozen=True)
class Pool:
    """Figures that a method reaches, to draw from; larger is better."""

    name: str
    figures: Floats

    @property
    def center(self) -> float:
        """The interquartile mean that intervals are to hold."""
        return float(interquartile_mean(self.figures))


# -- what the commands decide ----------------------------------------------------------------------


def printed(*words: object) -> str:
    """What a command of ``nasbench`` prints."""
    with contextlib.redirect_stdout(io.StringIO()) as text:
        if code := build_app()([str(word) for word in words], standalone_mode=False):
            raise typer.Exit(code)
    return text.getvalue()


def board_rows(*words: object) -> list[dict[str, Any]]:
    """The rows of ``nasbench leaderboard`` on its only task."""
    (task,) = json.loads(printed("leaderboard", "--format", "json", *words))["tasks"]
    rows: list[dict[str, Any]] = task["methods"]
    return rows


def leaderboard_pairs(store: Path) -> Pairs:
    """The best method with each that is worse."""
    rows = board_rows("--store", store)
    best = next(row["method"] for row in rows if row["best"])
    return {(best, row["method"]) for row in rows if row["worse"]}


def table_pairs(store: Path) -> Pairs:
    """The best method with each that has a dagger."""
    lines = printed("table", "--statistic", "iqm", "--format", "latex", "--store", store)
    rows = [line for line in lines.split("\n") if line.startswith("m0")]
    best = next(line[:3] for line in rows if "textbf" in line)
    return {(best, line[:3]) for line in rows if "dagger" in line}


def report_pairs(store: Path) -> Pairs:
    """The best method with each that has no mark in the page."""
    page = store.with_suffix(".html")
    write_report(store, page, panels=())
    rows = page.read_text("utf-8").split("data-method=")[1:]
    marked = {row[1:4]: 'role="img"' in row for row in rows}
    best = {row[1:4] for row, before in zip(rows, _before(page), strict=True) if "best" in before}
    return {(min(best), m) for m, shown in marked.items() if not shown and m not in best}


def _before(page: Path) -> list[str]:
    """What stands in the tag of each row before its method."""
    parts = page.read_text("utf-8").split("data-method=")
    return [part.rpartition("<tr")[2] for part in parts[:-1]]


def comparison(store: Path, against: str | None = None) -> dict[str, Any]:
    """What ``nasbench compare`` says of the only task."""
    named = [] if against is None else ["--against", against]
    words = ["compare", "--format", "json", "--resamples", "20", "--store", store, *named]
    (found,) = json.loads(printed(*words))
    return dict(found)


def compare_pairs(store: Path, against: str | None = None) -> Pairs:
    """Pairs with an adjusted p below the level, the better one first."""
    pairs = comparison(store, against)["pairs"]
    return {
        (pair["first"], pair["second"])
        for pair in pairs
        if pair["p_adjusted"] is not None and pair["p_adjusted"] < ALPHA
    }


def figure_pairs(store: Path) -> Pairs:
    """Pairs of methods whose mean ranks differ by more than the critical difference."""
    frame = critical_difference_data(read_results(store), ALPHA)
    ranks = dict(zip(frame["method"], frame["mean_rank"], strict=True))
    wide = float(frame["critical_difference"].iloc[0])
    return {(a, b) for a in ranks for b in ranks if ranks[b] - ranks[a] > wide}


COMMANDS: Mapping[str, Callable[[Path], Pairs]] = {
    "leaderboard": leaderboard_pairs,
    "table": table_pairs,
    "report": report_pairs,
    "compare": compare_pairs,
    "--against best": lambda store: compare_pairs(store, "best"),
    "--against m00": lambda store: compare_pairs(store, "m00"),
}


def gate_verdict(folder: Path, before: Floats, now: Floats, *, rare: float) -> str:
    """What ``nasbench check`` says of one method with these figures, by its exit code."""
    words = ["--baseline", folder / "baseline.json", "--rare", str(rare), "--store"]
    printed("check", "--save", *words, write_board(folder / "before.sqlite", [before], _FLOOR))
    try:
        printed("check", *words, write_board(folder / "now.sqlite", [now], _FLOOR))
    except SuiteError:
        return "undecided"
    except typer.Exit as ended:
        return "worse" if ended.exit_code == 1 else "undecided"
    return "no worse"


def merged_alike(store: Path) -> bool:
    """Whether the board of merged submissions is that of the file that they were made from."""
    with tempfile.TemporaryDirectory() as folder:
        printed("submit", "make", Path(folder) / "made.nasbench.json.gz", "--store", store)
        return board_rows("--from", folder) == board_rows("--store", store)


# -- boards ----------------------------------------------------------------------------------------


def made_pools(rng: np.random.Generator) -> list[Pool]:
    """Distributions of the kinds that searches give."""
    size = 20_000
    collapsed = np.where(rng.random(size) < 0.05, 10.0, rng.normal(94.0, 0.3, size))
    values, chances = [94.37, 94.2, 94.0, 93.1], [0.5, 0.2, 0.2, 0.1]
    return [
        Pool("Gaussian", rng.normal(94.0, 0.3, size)),
        Pool("skewed (exponential)", 94.4 - rng.exponential(0.4, size)),
        Pool("four values", rng.choice(values, size, p=chances)),
        Pool("two values, half each", rng.choice([94.37, 94.0], size)),
        Pool("collapse of 5 %", collapsed),
    ]


def store_pools(path: Path) -> Iterator[Pool]:
    """The figures of every method on every task of a results file."""
    results = read_results(path)
    for (key, method), part in results.finished.groupby(["task_key", "method"], sort=False):
        sign = 1.0 if results.tasks[str(key)].direction == "maximize" else -1.0
        name = f"{method} on {results.names[str(key)]}"
        yield Pool(name, sign * part["report"].to_numpy(dtype=float))


def write_board(path: Path, samples: Sequence[Floats], floor: float | None = None) -> Path:
    """A results file of one task, a method a sample, each search of one evaluation."""
    path.unlink(missing_ok=True)
    with ResultStore(path) as store:
        where = store.add_environment(ENVIRONMENT)
        task = store.add_task(
            made_task(
                benchmark="made for a calibration", unit="", optimum=OPTIMUM, noise_floor=floor
            )
        )
        for place, figures in enumerate(samples):
            name = f"m{place:02}"
            method = store.add_method(MethodRow(key=name, label=name, name=name, config={}))
            for seed, figure in enumerate(figures.tolist()):
                store.add_trial(task, method, where, seed, made_search(figure))
    return path


# -- what is counted -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decisions:
    """What a board says.

    Attributes:
        all: pairs called different, of all of them, the better one first.
        best: those among them with the best method.
        named: pairs with method 0, which was named beforehand, called different.
        means: whether each method's interval holds the truth; empty without intervals.
        differences: whether all intervals of differences hold zero; None without any.
    """

    all: Pairs
    best: Pairs
    named: Pairs
    means: list[bool]
    differences: bool | None


def decide(samples: Sequence[Floats], truth: float) -> Decisions:
    """The decisions on a board by the functions that all commands use."""
    named = [make_sample(figures, method=f"m{m:02}") for m, figures in enumerate(samples)]
    means = [estimates(figures) for figures in samples]
    count = len(named)
    best = min(range(count), key=lambda m: (-round(float(means[m][0]), 5), m))
    different, held, first = set(), [], {}
    for a in range(count):
        for b in range(a + 1, count):
            gap = difference(named[a], named[b])
            if a == 0:
                first[b] = gap
            low, high = family_interval(gap, count, 1 - ALPHA)
            if np.isfinite(low):
                held.append(bool(low - _ROUNDING <= 0.0 <= high + _ROUNDING))
            if family_p(gap, count) < ALPHA:
                different.add(_ordered(named[a].method, named[b].method, gap))
    adjusted = holm([gap.p for gap in first.values()])
    ends = [interval_ends(*mean, 1 - ALPHA) for mean in means]
    return Decisions(
        different,
        {pair for pair in different if pair[0] == named[best].method},
        {
            _ordered("m00", named[b].method, gap)
            for (b, gap), p in zip(first.items(), adjusted, strict=True)
            if p < ALPHA
        },
        [
            bool(low - _ROUNDING <= truth <= high + _ROUNDING)
            for low, high in ends
            if np.isfinite(low)
        ],
        all(held) if held else None,
    )


def _ordered(one: str, other: str, gap: Estimate) -> tuple[str, str]:
    return (one, other) if gap.value >= 0 else (other, one)


def disagreements(samples: Sequence[Floats], truth: float) -> list[str]:
    """The commands whose decisions on a board are not those of ``decide``."""
    expected = decide(samples, truth)
    wanted = {
        **dict.fromkeys(("leaderboard", "table", "report", "--against best"), expected.best),
        "compare": expected.all,
        "--against m00": expected.named,
    }
    with tempfile.TemporaryDirectory() as folder:
        store = write_board(Path(folder) / "board.sqlite", samples)
        wrong = [name for name, command in COMMANDS.items() if command(store) != wanted[name]]
        found = comparison(store)
        if _rank_sets(expected.all, found["methods"]) != found["ranks"]:
            wrong.append("sets of ranks")
        board = pd.DataFrame(board_rows("--store", store)).dropna(subset=["low"])
        if sorted(_hold(board, truth)) != sorted(expected.means):
            wrong.append("intervals of the leaderboard")
        curves = results_curves(read_results(store)).dropna(subset=["low"])
        if sorted(_hold(curves, OPTIMUM - truth)) != sorted(expected.means):
            wrong.append("bands of the anytime figure")
        before, now = samples[0], samples[1]
        for rare in (0.0, 0.2):
            same = np.array_equal(now, before[: len(now)])
            test = noninferiority(now, before, _FLOOR, rare=rare or None, unchanged=same)
            verdict = "no worse" if test.verdict == "unchanged" else test.verdict
            if gate_verdict(Path(folder), before, now, rare=rare) != verdict:
                wrong.append(f"check --rare {rare:g}")
    return wrong


def _rank_sets(better: Pairs, methods: Sequence[str]) -> list[list[int]]:
    """First and last rank of each method where these pairs are shown."""
    return [
        [1 + sum(m == b for _, b in better), len(methods) - sum(m == a for a, _ in better)]
        for m in methods
    ]


def _hold(frame: pd.DataFrame, truth: float) -> list[bool]:
    near = (frame["low"] - _ROUNDING <= truth) & (truth <= frame["high"] + _ROUNDING)
    return [bool(value) for value in near]


@dataclass(frozen=True)
class Calibration:
    """What was measured for one pool, number of methods and numbers of seeds; shares.

    Attributes:
        pool: name of what all methods draw from.
        methods: on a board.
        seeds: of each method, in turn.
        best: boards of equal methods on which one is called worse than the best.
        all: on which any pair is called different.
        named: on which any pair with a method named beforehand is.
        means: intervals of means that hold the truth.
        differences: boards on which all intervals of differences hold zero.
        power: pairs with a known difference that are told apart.
        ranks: boards with one better method on which all sets of ranks hold the truth.
        equal: boards of two methods that differ by the floor which are called equivalent.
        figure: boards on which the critical-difference figure tells any pair apart.
        wrong: commands that decided otherwise, each with how often.
    """

    pool: str
    methods: int
    seeds: Sequence[int]
    best: float
    all: float
    named: float
    means: float
    differences: float
    power: float
    ranks: float
    equal: float
    figure: float
    wrong: Mapping[str, int]


def calibrate(
    pool: Pool,
    methods: int,
    seeds: Sequence[int],
    repetitions: int,
    rng: np.random.Generator,
    *,
    checked: int = 0,
    power: bool = True,
    exchange: bool = True,
    pilot: bool = False,
) -> Calibration:
    """Draw boards and count decisions.

    Args:
        pool: what all methods draw from; a known difference is subtracted from all but one.
        methods: on a board.
        seeds: of each method; the first number counts for what ``nasbench seeds`` says.
        repetitions: boards.
        rng: of the draws.
        checked: boards that go through the commands too.
        power: whether to measure power and false equivalence.
        exchange: whether labels are exchanged where few figures are distinct, as commands do.
        pilot: whether ``nasbench seeds`` is given the pool's figures, and not their deviation.
    """
    sd = float(pool.figures.std())
    shown = np.nan
    if power and sd:
        shown = (
            drawn_difference(pool.figures, seeds[0], methods=methods)
            if pilot
            else detectable_difference(sd, seeds[0], methods=methods)
        )
    if checked and not pilot and np.isfinite(shown):
        told = printed("seeds", "--sd", sd, "--seeds", seeds[0], "--methods", methods)
        if f"{shown:.4g}" not in told:
            raise SystemExit(f"nasbench seeds says {told.strip()}, and {shown:.4g} is meant")
    drawn = [rng.choice(pool.figures, (seeds[m % len(seeds)], repetitions)) for m in range(methods)]
    below = ALPHA if exchange else 0.0
    boards = Boards(drawn, below)
    wrong: Counter[str] = Counter()
    figure = []
    for board in range(min(checked, repetitions)):
        samples = [figures[:, board] for figures in drawn]
        wrong.update(disagreements(samples, pool.center))
        expected = decide(samples, pool.center)
        if (bool(expected.all), bool(expected.best)) != (boards.all[board], boards.best[board]):
            wrong.update(["boards at once"])
        if min(seeds) > 1:
            with tempfile.TemporaryDirectory() as folder:
                store = write_board(Path(folder) / "board.sqlite", samples)
                figure.append(bool(figure_pairs(store)))
    shifted = np.full(methods, shown) * (np.arange(methods) > 0)
    apart = (
        Boards([f - s for f, s in zip(drawn, shifted, strict=True)], below)
        if np.isfinite(shown)
        else None
    )
    edges = Boards([drawn[0], drawn[1] - _FLOOR], below=float(exchange))
    held = [
        (low - _ROUNDING <= pool.center) & (pool.center <= high + _ROUNDING)
        for low, high in (interval_ends(*estimates(figures), 1 - ALPHA) for figures in drawn)
    ]
    return Calibration(
        pool.name,
        methods,
        tuple(seeds),
        best=float(boards.best.mean()),
        all=float(boards.all.mean()),
        named=float(boards.named.mean()),
        means=float(np.mean(held)) if min(seeds) > 1 else np.nan,
        differences=float(1 - boards.all.mean()),
        power=np.nan if apart is None else apart.seen_first(),
        ranks=np.nan if apart is None else apart.ranks_held(),
        equal=float((edges.equivalence_p(_FLOOR) < ALPHA).mean()),
        figure=_share(figure),
        wrong=wrong,
    )


@dataclass(frozen=True)
class Shares:
    """A method that reaches some of the same few figures more often than all others.

    Attributes:
        name: of the figures and shares.
        values: the figures.
        better: how often the first method reaches each.
        others: how often all others do.
    """

    name: str
    values: Sequence[float]
    better: Sequence[float]
    others: Sequence[float]


_TWO, _FOUR = (94.37, 94.0), (94.37, 94.2, 94.0, 93.1)
SHARES = (
    Shares("two values, 0.9 against 0.3", _TWO, (0.9, 0.1), (0.3, 0.7)),
    Shares("two values, 0.8 against 0.4", _TWO, (0.8, 0.2), (0.4, 0.6)),
    Shares(
        "four values, 0.8 against 0.2 at the best", _FOUR, (0.8, 0.2, 0, 0), (0.2, 0.3, 0.3, 0.2)
    ),
)


def shares_row(
    shares: Shares, methods: int, seeds: int, repetitions: int, rng: np.random.Generator
) -> str:
    """How often the better method is told apart: as commands do, by variances alone, and a peer.

    The peer of two values is Fisher's exact test, of four Mann and Whitney's, at the level that
    each of all pairs has.
    """
    values = np.array(shares.values)
    drawn = [
        rng.choice(values, (seeds, repetitions), p=shares.others if m else shares.better)
        for m in range(methods)
    ]
    found = [Boards(drawn, below).seen_first() for below in (ALPHA, 0.0)]
    level = level_of_pair(methods, ALPHA)
    one, other = drawn[0], drawn[1]
    if len(values) == 2:
        best = [(each == values[0]).sum(axis=0) for each in (one, other)]
        peer = _fisher_power(best[0], best[1], seeds, level)
    else:
        p = mannwhitneyu(one, other, alternative="two-sided", method="asymptotic").pvalue
        peer = float(np.mean((p < level) & (one.mean(axis=0) > other.mean(axis=0))))
    cells = [f"{figure:.3f}" for figure in (*found, peer)]
    return f"| {' | '.join([shares.name, str(methods), str(seeds), *cells])} |"


def _fisher_power(
    one: NDArray[np.int64], other: NDArray[np.int64], seeds: int, level: float
) -> float:
    """Share of boards on which Fisher's exact test finds the first method the better one."""
    pairs, counts = np.unique(np.stack([one, other]), axis=1, return_counts=True)
    seen = [
        a > b and fisher_exact([[a, seeds - a], [b, seeds - b]]).pvalue < level
        for a, b in pairs.T.tolist()
    ]
    return float(np.average(seen, weights=counts))


class Boards:
    """Decisions on many boards at once, by the functions that ``difference`` consists of.

    Args:
        drawn: the figures of each method, shape (seeds, boards).
        below: labels are exchanged where p without it is below this.

    Attributes:
        all: boards on which any pair is called different, shape (boards,). On the others every
            interval of a difference holds zero.
        best: boards on which a method is called worse than the best.
        named: boards on which method 0 differs from any, its pairs alone adjusted.
    """

    def __init__(self, drawn: Sequence[Floats], below: float = ALPHA) -> None:
        parts = [trimmed_means(figures) for figures in drawn]
        means, errors, freedoms = (np.stack(part) for part in zip(*parts, strict=True))
        count = len(drawn)
        self.first, self.second = np.triu_indices(count, 1)
        pair = np.stack([self.first, self.second])
        variances = np.square(errors[pair])
        counts = [len(figures) for figures in drawn]
        self.freedom = np.stack(
            [
                pair_freedom(variances[:, place], freedoms[[a, b]], (counts[a], counts[b]))
                for place, (a, b) in enumerate(pair.T)
            ]
        )
        self.gaps = means[self.first] - means[self.second]
        self.errors = np.sqrt(variances.sum(axis=0))
        with np.errstate(divide="ignore", invalid="ignore"):
            p = 2 * stdtr(self.freedom, -np.abs(self.gaps) / self.errors)
        # Where few figures are distinct, or none differ, labels are exchanged. That raises p alone,
        # so where it is not below what decides, it need not be.
        few = np.stack([few_distinct(drawn[a], drawn[b]) for a, b in pair.T]) & (p < below)
        for place, board in np.argwhere((few | (self.errors == 0)) & (self.gaps != 0)):
            one, other = (drawn[m[place]][:, board] for m in (self.first, self.second))
            gap = difference(make_sample(one), make_sample(other))
            p[place, board], self.errors[place, board] = gap.p, gap.error
        p[(self.errors == 0) & (self.gaps == 0)] = 1.0
        self.different = p < level_of_pair(count, ALPHA)
        self.all = self.different.any(axis=0)
        best = np.argmax(means.round(5), axis=0)
        with_best = (self.first[:, None] == best) | (self.second[:, None] == best)
        self.best = (self.different & with_best).any(axis=0)
        # Holm's first step decides whether there is any.
        self.named = p[self.first == 0].min(axis=0) * (count - 1) < ALPHA

    def seen_first(self) -> float:
        """Share of pairs of method 0 and another in which method 0 is called better."""
        pairs = self.first == 0
        return float((self.different & (self.gaps > 0))[pairs].mean())

    def ranks_held(self) -> float:
        """Share of boards on which each set of ranks holds the true one.

        Method 0 is first and all others are second: a set misses its rank where another is called
        better than method 0, or any two of the others different.
        """
        pairs = self.first == 0
        wrong = np.where(pairs[:, None], self.different & (self.gaps < 0), self.different)
        return float(1 - wrong.any(axis=0).mean())

    def equivalence_p(self, margin: float) -> Floats:
        """As ``Estimate.equivalence_p``, of the only pair."""
        room = margin - np.abs(self.gaps[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            found: Floats = stdtr(self.freedom[0], -room / self.errors[0])
        return np.where(self.errors[0] == 0, 0.5 - 0.5 * np.sign(room), found)


def _share(found: Sequence[bool]) -> float:
    return float(np.mean(found)) if found else np.nan


_HEADINGS = (
    *("figures", "methods", "seeds", "level: with the best", "all pairs", "named"),
    *("coverage: means", "all differences", "sets of ranks", "power", "called equal"),
    "level of the rank figure",
)


def row_of(found: Calibration) -> str:
    """One row of the Markdown table."""
    figures = (
        *(found.best, found.all, found.named, found.means, found.differences, found.ranks),
        *(found.power, found.equal, found.figure),
    )
    cells = ["-" if np.isnan(figure) else f"{figure:.3f}" for figure in figures]
    seeds = " and ".join(map(str, found.seeds))
    return f"| {' | '.join([found.pool, str(found.methods), seeds, *cells])} |"


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--checked", type=int, default=20, help="boards through the commands too")
    parser.add_argument("--store", type=Path, action="append", default=[])
    parser.add_argument("--made", action="store_true", help="made distributions too")
    parser.add_argument("--pool", action="append", help="these alone, by the start of a name")
    parser.add_argument("--methods", type=int, action="append", help="by default 2, 5 and 10")
    parser.add_argument("--seeds", type=int, action="append", help="by default 2 to 50")
    parser.add_argument("--level", action="store_true", help="no power, which takes as long again")
    parser.add_argument(
        "--variances", action="store_true", help="as if labels were never exchanged; checks nothing"
    )
    parser.add_argument(
        "--shares", action="store_true", help="power where methods reach few figures more often"
    )
    parser.add_argument(
        "--pilot", action="store_true", help="power as `seeds --pilot` says, not `seeds --sd`"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--journal", type=Path, help="rows measured so far, to go on from")
    given = parser.parse_args()
    if given.shares:
        print_shares(given)
        return
    rng = np.random.default_rng(given.seed)
    pools = made_pools(rng) if given.made or not given.store else []
    pools += [pool for path in given.store for pool in store_pools(path)]
    pools = [pool for pool in pools if pool.name.startswith(tuple(given.pool or [""]))]
    for path in given.store if given.checked else ():
        if not merged_alike(path):
            raise SystemExit(f"submissions of {path} have another board than the file")
    print(f"| {' | '.join(_HEADINGS)} |")
    print(f"|---|{'---:|' * (len(_HEADINGS) - 1)}")
    journal = read_journal(given.journal)
    for pool in pools:
        for methods in given.methods or METHODS:
            for seeds in (*((count,) for count in given.seeds or SEEDS), (20, 5)):
                what = [pool.name, methods, *seeds, given.repetitions, given.seed]
                what += ["variances"] if given.variances else []
                what += ["pilot"] if given.pilot else []
                # A row's draws are its own, or a journal would change what comes after.
                draws = np.random.default_rng([given.seed, *json.dumps(what).encode()])
                if (known := journal.get(json.dumps(what))) is None:
                    found = calibrate(
                        pool,
                        methods,
                        seeds,
                        given.repetitions,
                        draws,
                        checked=0 if given.variances else given.checked,
                        power=not given.level,
                        exchange=not given.variances,
                        pilot=given.pilot,
                    )
                    if found.wrong:
                        raise SystemExit(f"commands that decide otherwise: {dict(found.wrong)}")
                    known = row_of(found)
                    if given.journal is not None:
                        with given.journal.open("a") as file:
                            file.write(json.dumps([json.dumps(what), known]) + "\n")
                print(known, flush=True)


def print_shares(given: argparse.Namespace) -> None:
    """Print a Markdown table of the power where methods differ by how often they reach figures."""
    print("| figures | methods | seeds | now | by variances alone | Fisher, Mann and Whitney |")
    print(f"|---|{'---:|' * 5}")
    for shares in SHARES:
        for methods in given.methods or METHODS:
            for seeds in given.seeds or SEEDS:
                what = [shares.name, methods, seeds, given.repetitions]
                draws = np.random.default_rng([given.seed, *json.dumps(what).encode()])
                print(shares_row(shares, methods, seeds, given.repetitions, draws), flush=True)


def read_journal(path: Path | None) -> dict[str, str]:
    """Rows by what was measured; a line that was cut off is measured again."""
    if path is None or not path.exists():
        return {}
    rows = {}
    for line in path.read_text().splitlines():
        with suppress(ValueError):
            what, row = json.loads(line)
            rows[what] = row
    return rows


if __name__ == "__main__":
    main()
