"""Measure how often the regression gate is wrong, on planted regressions of evolution.

    python tests/benchmarks/gate_error_rates.py --repetitions 200
    python tests/benchmarks/gate_error_rates.py --benchmark FILE --dataset cifar10
    python tests/benchmarks/gate_error_rates.py --store FILE --before NAME --now NAME,NAME
        [--diagnostic node_variance --margin 0.1]
    python tests/benchmarks/gate_error_rates.py --made --repetitions 200

Every repetition runs a baseline and every variant anew, each with seeds of its own, through the
results file and ``nasbench_suite.gate.check`` as a user would. The number of seeds is what
the gate itself asks for, by the spread of a pilot of 100 seeds. The table that is printed gives
the share of each verdict with its 95 % Wilson interval.

Searches that take long are run once, into a results file of many seeds (``--store``). Each
repetition then draws baseline and method, with replacement, from the seeds of ``--before`` and
``--now`` in it; the shares are those of a world in which these seeds are all there are.

With ``--made`` figures are drawn from made distributions: rare collapses, one seed alone, and
twenty unchanged methods in one check, which fails where any of them does.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from nasbench_suite import load_benchmark, run
from nasbench_suite.benchmarks.noise import noise_floor
from nasbench_suite.gate import Baseline, check, make_baseline
from nasbench_suite.gate.checking import compare
from nasbench_suite.parsing import split_names
from nasbench_suite.statistics.noninferiority import RARE, noninferiority
from nasbench_suite.tasks import Method, Session, make_task
from search_methods.regularized_evolution import RegularizedEvolution

Draw = Callable[[int], NDArray[np.float64]]

LABEL = "evolution"
_PILOT = 100


@dataclass
class Evolution(RegularizedEvolution):
    """Evolution of 20, samples of 5, unchanged."""

    population_size: int = 20
    sample_size: int = 5

    def parent(self, session: Session) -> int:
        drawn = session.rng.integers(self.population_size, size=self.sample_size).tolist()
        return max((self.population[position] for position in drawn), key=itemgetter(0))[1]


@dataclass
class Reordered(Evolution):
    """Unchanged, but for one random number drawn before: other results, equally good."""

    def start(self, session: Session) -> None:
        session.rng.random()
        super().start(session)


@dataclass
class NoMutation(Evolution):
    """The mutation is broken: a child is its parent."""

    def step(self, session: Session) -> None:
        if len(self.population) < self.population_size:
            super().step(session)
        else:
            parent = self.parent(session)
            self.population.append((session.evaluate(parent), parent))


@dataclass
class OneEdge(Evolution):
    """The mutation is broken: it changes the first decision alone."""

    def step(self, session: Session) -> None:
        if len(self.population) < self.population_size:
            super().step(session)
        else:
            vector = list(session.space.vector(self.parent(session)))
            vector[0] = int(session.rng.integers(session.space.choices[0]))
            child = session.space.index(vector)
            self.population.append((session.evaluate(child), child))


@dataclass
class WorstParent(Evolution):
    """The selection is broken: the worst of the sample is mutated."""

    def step(self, session: Session) -> None:
        if len(self.population) < self.population_size:
            super().step(session)
        else:
            drawn = session.rng.integers(self.population_size, size=self.sample_size).tolist()
            _, parent = min((self.population[position] for position in drawn), key=itemgetter(0))
            child = session.space.mutate(parent, session.rng)
            self.population.append((session.evaluate(child), child))


VARIANTS: tuple[type[Method], ...] = (Evolution, Reordered, NoMutation, OneEdge, WorstParent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--benchmark", default="digits")
    parser.add_argument("--dataset")
    parser.add_argument("--evaluations", type=float, default=200.0)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--alpha", type=float, default=0.05)
    parser.add_argument("--power", type=float, default=0.9)
    parser.add_argument("--margin", type=float, help="by default the noise floor")
    parser.add_argument("--store", type=Path, help="draw from this results file instead")
    parser.add_argument("--before", help="label of the baseline in it")
    parser.add_argument("--diagnostic", help="compare what was logged last under this name")
    parser.add_argument("--now", help="labels of what is checked, as name,name")
    parser.add_argument("--made", action="store_true", help="draw from made distributions instead")
    given = parser.parse_args()
    if given.made:
        made(given)
        return
    if given.store:
        resample(given)
        return
    table = load_benchmark(given.benchmark)
    next_seed = 0

    def reach(method: type[Method], count: int, folder: Path) -> Baseline:
        """Run with seeds that were never used before."""
        nonlocal next_seed
        seeds = range(next_seed, next_seed + count)
        next_seed += count
        store = folder / f"{method.__name__}-{seeds.start}.sqlite"
        run(
            table,
            [(LABEL, method())],
            dataset=given.dataset,
            seeds=seeds,
            evaluations=given.evaluations,
            store=store,
        )
        return make_baseline(store)

    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        report = make_task(table, given.dataset).objectives[0].judged_by
        noise = noise_floor(table, report)
        margin = given.margin or (noise.floor if noise else None)
        if margin is None:
            parser.error("this benchmark has no noise floor: give --margin")
        pilot = list(reach(Evolution, _PILOT, folder).entries[0].figures.values())
        count = noninferiority(
            pilot, pilot, margin, alpha=given.alpha, power=given.power
        ).seeds_needed
        print(
            f"{given.benchmark} {report}, {given.evaluations:g} evaluations, margin {margin:.3f}, "
            f"alpha {given.alpha}, power {given.power}, {count} seeds, "
            f"{given.repetitions} repetitions\n"
        )
        verdicts: dict[str, Counter[str]] = {kind.__name__: Counter() for kind in VARIANTS}
        means: dict[str, list[float]] = {kind.__name__: [] for kind in VARIANTS}
        before = []
        for _ in range(given.repetitions):
            baseline = reach(Evolution, count, folder)
            before.append(_mean(baseline))
            for kind in VARIANTS:
                now = reach(kind, count, folder)
                means[kind.__name__].append(_mean(now))
                store = max(folder.glob(f"{kind.__name__}-*.sqlite"), key=_first_seed)
                (finding,) = check(
                    store, baseline, margin=margin, alpha=given.alpha, power=given.power
                ).findings
                verdicts[kind.__name__][finding.verdict] += 1
            for file in folder.iterdir():
                file.unlink()
    losses = {name: float(np.mean(before) - np.mean(values)) for name, values in means.items()}
    print_verdicts(verdicts, losses)


def resample(given: argparse.Namespace) -> None:
    """Measure and print, of the seeds in a results file."""
    labels = [given.before, *split_names(given.now)]
    made = make_baseline(given.store, methods=labels, diagnostic=given.diagnostic)
    entries = {entry.method: entry for entry in made.entries}
    pools = {name: np.array(list(entry.figures.values())) for name, entry in entries.items()}
    first = entries[given.before]
    margin = given.margin or first.noise_floor
    settings = {"margin": margin, "alpha": given.alpha, "power": given.power}
    count = compare(first, first.figures, **settings).seeds_needed
    print(
        f"{first.task}, {first.metric}, margin {margin:.3f}, alpha {given.alpha}, power "
        f"{given.power}, {count} seeds drawn from {len(first.figures)}, {given.repetitions} "
        f"repetitions\n"
    )
    rng = np.random.default_rng(0)

    def draw(name: str) -> dict[int, float]:
        return dict(enumerate(rng.choice(pools[name], count).tolist()))

    verdicts: dict[str, Counter[str]] = {name: Counter() for name in labels}
    for _ in range(given.repetitions):
        before = first.model_copy(update={"figures": draw(given.before)})
        for name in labels:
            verdicts[name][compare(before, draw(name), **settings).verdict] += 1
    losses = {name: float(pools[given.before].mean() - pools[name].mean()) for name in labels}
    print_verdicts(verdicts, losses)


def made(given: argparse.Namespace) -> None:
    """Measure and print, of made distributions with a margin of 0.7."""
    rng = np.random.default_rng(0)
    discrete = [94.4, 94.2, 93.6, 92.8]  # what a search returns on a table, with these chances
    chances = [0.55, 0.2, 0.15, 0.1]

    def good(count: int) -> NDArray[np.float64]:
        return rng.normal(94.0, 0.6, count)

    def collapsing(count: int) -> NDArray[np.float64]:
        return np.where(rng.random(count) < RARE, 94.0 - 88.0, good(count))

    def tied(count: int) -> NDArray[np.float64]:
        return rng.choice(discrete, count, p=chances)

    def worse(count: int) -> NDArray[np.float64]:
        return rng.choice(discrete, count, p=chances[::-1])

    cases: list[tuple[str, int, int, Draw, Draw, float | None]] = [
        ("unchanged", 1, 59, good, good, RARE),
        ("collapse of 5 % of seeds, loss 4.4", 1, 59, good, collapsing, RARE),
        ("the same, asked for the mean alone", 1, 10, good, collapsing, None),
        ("the same, ten seeds", 1, 10, good, collapsing, RARE),
        ("unchanged, one seed", 1, 1, tied, tied, RARE),
        ("worse by 0.9, one seed", 1, 1, tied, worse, RARE),
        ("20 unchanged methods", 20, 59, good, good, RARE),
        ("20 methods, one of them lost 1.0", 20, 59, good, good, RARE),
    ]
    print("| case | seeds | no worse | worse | undecided |")
    print("|---|---:|---:|---:|---:|")
    for name, methods, seeds, before, now, rare in cases:
        each = 1.0 - (1.0 - given.power) / methods
        counts: Counter[str] = Counter()
        for _ in range(given.repetitions):
            verdicts = set()
            for method in range(methods):
                old, new = before(seeds), now(seeds)
                if method == 0 and "lost" in name:
                    new = new - 1.0
                same = seeds == 1 and bool(old[0] == new[0])
                test = noninferiority(
                    new, old, 0.7, alpha=given.alpha, power=each, rare=rare, unchanged=same
                )
                verdicts.add(test.verdict)
            worst = next((v for v in ("worse", "undecided") if v in verdicts), "no worse")
            counts[worst] += 1
        cells = " | ".join(str(counts[verdict]) for verdict in ("no worse", "worse", "undecided"))
        print(f"| {name} | {seeds} | {cells} |")


def print_verdicts(verdicts: dict[str, Counter[str]], losses: dict[str, float]) -> None:
    """A Markdown table, a variant a row."""
    print("| variant | true loss | no worse | worse | undecided | 95 % interval of no worse |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, counts in verdicts.items():
        passed = counts["no worse"] + counts["unchanged"]
        interval = binomtest(passed, counts.total()).proportion_ci(method="wilson")
        print(
            f"| {name} | {losses[name]:.3f} | {passed} | {counts['worse']} | "
            f"{counts['undecided']} | {interval.low:.3f} to {interval.high:.3f} |"
        )


def _mean(baseline: Baseline) -> float:
    return float(np.mean(list(baseline.entries[0].figures.values())))


def _first_seed(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


if __name__ == "__main__":
    main()
