"""The suite beside the field's own tools, in one table of ratios.

    pip install nats-bench pymoo moocore optuna syne-tune
    python tests/benchmarks/side_by_side.py

Every tool is measured in a process of its own on one thread, one after the other, so that memory is
that of the tool alone. The archive that the official API reads is made up, as large as that of
NATS-Bench's topology space with one training a data set and in the structure of its authors:
curves and times of every epoch, evaluations after the last. Making it takes some minutes and 10 GB.
A tool that is not installed is left out, with a line that says so.
"""

from __future__ import annotations

import argparse
import bz2
import importlib.util
import json
import os
import pickle
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ARCHIVE = "NATS-tss-v1_0-3ffb9.pickle.pbz2"
TABLE = "nats-tss.parquet"
SEEDS, EVALUATIONS, POPULATION, SAMPLE = 500, 300, 100, 10
FEW = 20  # searches of which a slow tool's time for all is taken
QUERIES = 100_000
EDGES, OPERATIONS = 6, 5
EVALUATED = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
Figures = dict[str, Any]


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor time, and the result."""
    start = time.process_time()
    result = function()
    return time.process_time() - start, result


# -- the archive -----------------------------------------------------------------------------------


def make_archive(folder: Path) -> Figures:
    """An archive of all 15,625 cells, written as its authors write theirs."""
    from nats_bench.api_utils import ArchResults, ResultsCount

    from nasbench_suite import load_space

    space, rng = load_space("nats-tss"), np.random.default_rng(0)

    def curve(epochs: int) -> dict[int, float]:
        return dict(enumerate(rng.uniform(1, 99, epochs).tolist()))

    def record(index: int, architecture: str, epochs: int) -> Figures:
        results = ArchResults(index, architecture)
        for data_set, sets in EVALUATED.items():
            config = {"name": "infer.tiny", "channel": 16, "arch_str": architecture}
            latency = None if data_set == "cifar10" else rng.uniform(0.01, 0.1, size=3).tolist()
            result = ResultsCount(
                data_set, None, {}, {}, 1.0, 50.0, config, 777, epochs, latency
            )  # fmt: skip
            result.update_train_info(*(curve(epochs) for _ in range(4)))
            # What a query reads: the last accuracies and losses, and the times of all epochs.
            result.eval_names = list(sets)
            last = [f"{name}@{epochs - 1}" for name in sets]
            for evaluated in result.eval_acc1es, result.eval_losses:
                evaluated.update(zip(last, rng.uniform(1, 99, len(last)).tolist(), strict=True))
            for name in sets:
                times = rng.uniform(1, 9, epochs).tolist()
                result.eval_times.update({f"{name}@{i}": time for i, time in enumerate(times)})
            results.update(data_set, 777, result)
        state: Figures = results.state_dict()
        return state

    architectures = [space.string(index) for index in range(space.size)]
    content = {
        "meta_archs": architectures,
        "arch2infos": {
            index: {f"{epochs:02d}": record(index, name, epochs) for epochs in (12, 200)}
            for index, name in enumerate(architectures)
        },
        "evaluated_indexes": set(range(space.size)),
    }
    with bz2.open(folder / ARCHIVE, "wb", compresslevel=1) as file:
        pickle.dump(content, file)
    return {}


def import_archive(folder: Path) -> Figures:
    """The suite's conversion of the archive, once for all."""
    from nasbench_suite.benchmarks.nats_archive import import_nats
    from nasbench_suite.benchmarks.table_file import write_benchmark

    seconds, table = timed(lambda: import_nats(folder / ARCHIVE))
    write_benchmark(table, folder / TABLE)
    return {"import": seconds}


# -- tables ----------------------------------------------------------------------------------------


def official_table(folder: Path) -> Figures:
    """Load, ask, and search with the official API."""
    from nats_bench import create

    load, api = timed(lambda: create(str(folder / ARCHIVE), "tss", False, verbose=False))

    def ask(index: int) -> float:
        info = api.get_more_info(index, "cifar10-valid", hp="12", is_random=False)
        accuracy: float = info["valid-accuracy"]
        return accuracy

    drawn = np.random.default_rng(0).integers(15_625, size=QUERIES).tolist()
    query, _ = timed(lambda: [ask(index) for index in drawn])

    def search(seed: int) -> float:
        rng = random.Random(seed)
        population: deque[tuple[float, tuple[int, ...]]] = deque(maxlen=POPULATION)
        best = 0.0
        for _ in range(EVALUATIONS):
            if len(population) < POPULATION:
                cell = [rng.randrange(OPERATIONS) for _ in range(EDGES)]
            else:
                cell = list(max(rng.choices(population, k=SAMPLE))[1])
                edge = rng.randrange(EDGES)
                cell[edge] = (cell[edge] + rng.randrange(1, OPERATIONS)) % OPERATIONS
            accuracy = ask(sum(value * OPERATIONS**place for place, value in enumerate(cell)))
            population.append((accuracy, tuple(cell)))
            best = max(best, accuracy)
        return best

    searches, _ = timed(lambda: [search(seed) for seed in range(SEEDS)])
    return {"load": load, "query": query / QUERIES, "search": searches / SEEDS}


def our_table(folder: Path) -> Figures:
    """Load, ask, and search with the suite."""
    from nasbench_suite import load_benchmark
    from nasbench_suite.runner.trial import Trial
    from nasbench_suite.tasks import make_task
    from search_methods.regularized_evolution import RegularizedEvolution

    metric = "cifar10_valid_12"
    load, table = timed(lambda: _loaded(load_benchmark(folder / TABLE), metric))
    drawn = np.random.default_rng(0).integers(15_625, size=QUERIES).tolist()
    query, _ = timed(lambda: [table.query(index, metric) for index in drawn])
    task = make_task(table, "cifar10", evaluations=EVALUATIONS, signal=metric)

    def search(seed: int) -> None:
        trial = Trial(task, RegularizedEvolution(POPULATION, SAMPLE), seed=seed)
        trial.advance()
        trial.result()

    searches, _ = timed(lambda: [search(seed) for seed in range(SEEDS)])
    return {"load": load, "query": query / QUERIES, "search": searches / SEEDS}


def _loaded(table: Any, metric: str) -> Any:
    table.query(0, metric)
    return table


# -- searchers -------------------------------------------------------------------------------------


def made_up(seed: int = 0) -> tuple[list[float], list[float]]:
    """Two objectives of all cells, to be minimised."""
    rng = np.random.default_rng(seed)
    return rng.uniform(size=15_625).tolist(), rng.uniform(size=15_625).tolist()


def optuna_search(folder: Path) -> Figures:
    """NSGA-II of optuna."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    errors, latencies = made_up()

    def both(trial: Any) -> tuple[float, float]:
        index = sum(
            trial.suggest_categorical(f"edge{edge}", range(OPERATIONS)) * OPERATIONS**edge
            for edge in range(EDGES)
        )
        return errors[index], latencies[index]

    def search(seed: int) -> None:
        sampler = optuna.samplers.NSGAIISampler(population_size=20, seed=seed)
        study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
        study.optimize(both, n_trials=EVALUATIONS)

    search(0)
    seconds, _ = timed(lambda: [search(seed) for seed in range(FEW)])
    return {"front": seconds / FEW}


def pymoo_search(folder: Path) -> Figures:
    """NSGA-II of pymoo, with the operators of its guide to integers."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    table = np.array(made_up()).T
    weights = OPERATIONS ** np.arange(EDGES)

    class Cells(Problem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(n_var=EDGES, n_obj=2, xl=0, xu=OPERATIONS - 1, vtype=int)

        def _evaluate(self, x: Any, out: Any, *args: Any, **settings: Any) -> None:
            out["F"] = table[np.asarray(x, dtype=int) @ weights]

    def search(seed: int) -> None:
        method = NSGA2(
            pop_size=20,
            sampling=IntegerRandomSampling(),
            crossover=SBX(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
            mutation=PM(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
        )
        minimize(Cells(), method, ("n_eval", EVALUATIONS), seed=seed)

    search(0)
    seconds, _ = timed(lambda: [search(seed) for seed in range(FEW)])
    return {"front": seconds / FEW}


def our_search(folder: Path) -> Figures:
    """NSGA-II of the suite, with its record, incumbents and anytime indicators."""
    from nasbench_suite import load_space
    from nasbench_suite.benchmarks.metric import Metric
    from nasbench_suite.benchmarks.table import make_benchmark
    from nasbench_suite.runner.trial import Trial
    from nasbench_suite.tasks import make_task
    from search_methods.nsga2 import NSGA2

    errors, latencies = made_up()
    metrics = [
        Metric("d_valid_200", dataset="d", split="valid", epochs=200),
        Metric("d_test_200", dataset="d", split="test", epochs=200),
        Metric("ms", "latency", "ms", "minimize"),
    ]
    accuracy = 100 * (1 - np.array(errors))
    columns = {"d_valid_200": accuracy, "d_test_200": accuracy, "ms": 1 + np.array(latencies)}
    table = make_benchmark("made", load_space("nats-tss"), metrics, columns)
    task = make_task(table, "d", evaluations=EVALUATIONS, objectives=["ms"])

    def search(seed: int) -> None:
        trial = Trial(task, NSGA2(), seed=seed)
        trial.advance()
        trial.result()

    search(0)
    seconds, _ = timed(lambda: [search(seed) for seed in range(FEW)])
    return {"front": seconds / FEW}


def syne_tune_search(folder: Path) -> Figures:
    """Regularized evolution of syne-tune, asked and told."""
    from syne_tune.config_space import choice
    from syne_tune.optimizer.baselines import REA
    from syne_tune.optimizer.schedulers.ask_tell_scheduler import AskTellScheduler

    errors, _ = made_up()
    space = {f"edge{edge}": choice(list(range(OPERATIONS))) for edge in range(EDGES)}

    def search(seed: int) -> None:
        scheduler = AskTellScheduler(
            REA(
                space,
                "error",
                random_seed=seed,
                population_size=POPULATION,
                sample_size=SAMPLE,
            )
        )
        for _ in range(EVALUATIONS):
            trial = scheduler.ask()
            index = sum(trial.config[f"edge{edge}"] * OPERATIONS**edge for edge in range(EDGES))
            scheduler.tell(trial, {"error": errors[index]})

    search(0)
    seconds, _ = timed(lambda: [search(seed) for seed in range(FEW)])
    return {"search": seconds / FEW}


# -- hypervolume -----------------------------------------------------------------------------------


def volume(compute: Callable[[Any, Any], float]) -> Figures:
    """Of 300 points of three objectives on a sphere, within (1, 1, 1)."""
    points = np.abs(np.random.default_rng(0).normal(size=(300, 3)))
    points = 1 - points / np.linalg.norm(points, axis=1, keepdims=True)
    corner = np.ones(3)
    value = compute(points, corner)
    rounds, start = 0, time.process_time()
    while (seconds := time.process_time() - start) < 0.5:
        compute(points, corner)
        rounds += 1
    return {"hypervolume": seconds / rounds, "value": value}


def our_volume(folder: Path) -> Figures:
    """The suite's, which is moocore's behind a check of the input."""
    from nasbench_suite.statistics.pareto import hypervolume

    return volume(hypervolume)


def moocore_volume(folder: Path) -> Figures:
    """moocore's."""
    import moocore

    return volume(lambda points, corner: float(moocore.hypervolume(points, ref=corner)))


def pymoo_volume(folder: Path) -> Figures:
    """pymoo's."""
    from pymoo.indicators.hv import HV

    return volume(lambda points, corner: float(HV(ref_point=corner)(points)))


def optuna_volume(folder: Path) -> Figures:
    """optuna's, of its inner package."""
    from optuna._hypervolume import compute_hypervolume

    return volume(lambda points, corner: float(compute_hypervolume(points, corner)))


# -- the table -------------------------------------------------------------------------------------

PARTS: dict[str, tuple[str, str, Callable[[Path], Figures]]] = {
    "archive": ("nats_bench", "", make_archive),
    "import": ("nats_bench", "", import_archive),
    "official-table": ("nats_bench", "nats-bench, the official API", official_table),
    "our-table": ("nats_bench", "nasbench-suite", our_table),
    "syne-tune-search": ("syne_tune", "syne-tune", syne_tune_search),
    "our-search": ("pymoo", "nasbench-suite", our_search),
    "pymoo-search": ("pymoo", "pymoo", pymoo_search),
    "optuna-search": ("optuna", "optuna", optuna_search),
    "our-volume": ("moocore", "nasbench-suite", our_volume),
    "moocore-volume": ("moocore", "moocore", moocore_volume),
    "pymoo-volume": ("pymoo", "pymoo", pymoo_volume),
    "optuna-volume": ("optuna", "optuna", optuna_volume),
}
ROWS = (
    ("load", "load the full topology table, s", 1.0),
    ("memory", "memory with it in use, MB", 1.0),
    ("query", "one query, µs", 1e6),
    ("search", f"{SEEDS} searches of regularized evolution, {EVALUATIONS} evaluations, s", SEEDS),
    ("front", f"{SEEDS} searches of NSGA-II, {EVALUATIONS} evaluations, s", SEEDS),
    ("hypervolume", "hypervolume of 300 points, 3 objectives, µs", 1e6),
)


def _written(figure: float, digits: int) -> str:
    """With so many digits, and no exponent."""
    rounded = float(f"{figure:.{digits}g}")
    return f"{rounded:,.0f}" if rounded >= 10 ** (digits - 1) else f"{rounded:g}"


def measure(part: str, folder: Path) -> Figures:
    """One part in a process of its own."""
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--part", part, "--folder", str(folder)]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=alone, check=True)
    found: Figures = json.loads(answer.stdout.splitlines()[-1])
    return found


def print_table(figures: dict[str, dict[str, float]]) -> None:
    """Figures by row and tool as Markdown, with how many times ours each is."""
    tools = [tool for _, tool, _ in PARTS.values() if tool]
    tools = [tool for tool in dict.fromkeys(tools) if any(tool in row for row in figures.values())]
    print(f"\n| | {' | '.join(tools)} |\n|---|{'---|' * len(tools)}")
    for row, title, scale in ROWS:
        ours = figures[row].get("nasbench-suite")
        cells = []
        for tool in tools:
            figure = figures[row].get(tool)
            ratio = ""
            if figure and ours and tool != "nasbench-suite":
                ratio = f" ({_written(figure / ours, 2)} x)"
            cells.append("" if figure is None else _written(figure * scale, 3) + ratio)
        print(f"| {title} | {' | '.join(cells)} |")


def main() -> None:
    """Measure everything and print it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keep the archive here, and use it again")
    arguments = parser.parse_args()
    if arguments.part:
        found = PARTS[arguments.part][2](arguments.folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps(found | {"memory": peak}))
        return
    figures: dict[str, dict[str, float]] = {row: {} for row, *_ in ROWS}
    values = {}
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or Path(made)
        made_before = {file.name for file in folder.iterdir()}
        for part, (package, tool, _) in PARTS.items():
            if importlib.util.find_spec(package) is None:
                print(f"{part}: {package} is not installed, left out.", file=sys.stderr)
                continue
            if {"archive": ARCHIVE, "import": TABLE}.get(part) in made_before:
                continue
            print(f"{part} ...", file=sys.stderr, flush=True)
            found = measure(part, folder)
            if part == "import":
                print(f"The archive was converted in {found['import']:.0f} s, once for all.")
            if "value" in found:
                values[tool] = found["value"]
            for row, *_ in ROWS:
                if tool and row in found and (row != "memory" or "load" in found):
                    figures[row].setdefault(tool, found[row])
    print_table(figures)
    if values:
        spread = max(values.values()) - min(values.values())
        print(f"\nThe hypervolumes differ by at most {spread:.1e}.")


if __name__ == "__main__":
    main()
