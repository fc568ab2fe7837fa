"""Records what every registered method returns, and compares it with an earlier recording.

    python tests/recordings.py --output before.json          # some minutes
    python tests/recordings.py --against before.json         # after a change: what differs?
    python tests/recordings.py --against before.json --methods random,tpe

A change that is to leave every search as it is, bit for bit, is shown so. Recorded is a hash of
each part of what a trial left: the evaluations, the incumbents, the front, the diagnostics, and why
it failed if it did. Times are left out. Linear algebra differs between machines, so compare
recordings of one.

Tasks: the embedded table by its means, by single trainings, by simulated seconds, and with a
latency as a second objective; and the published accuracies and latencies of NATS-Bench where they
are at hand, see --data. Every method is run on those that it can do, differentiable ones for two
epochs. Exit code 1 if anything differs that both recordings have.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.importing import import_table
from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import split_names
from nasbench_suite.runner import Trial, run_tasks
from nasbench_suite.spaces import load_space
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Task, make_task
from nasbench_suite.tasks.methods import make_method

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SEEDS, EVALUATIONS, EPOCHS = (0, 1), 60, 2
ARRAYS = ("architectures", "epochs", "signals", "evaluations", "seconds", "recommended")
CHANGES = ("training", "evaluations", "seconds", "architecture", "signal", "report")
# Methods that run with settings alone.
SETTINGS: dict[str, dict[str, Any]] = {
    "latency-sweep": {
        "searches": 2,
        "latency_table": "digits",
        "latency_column": "onnxruntime_ms",
        "latency_target": 1.0,
    }
}

Recording = dict[str, dict[str, str]]  # hash of each part, by "task | method | seed"


@dataclass(frozen=True)
class Named:
    """A task by a name that later versions will not change."""

    name: str
    task: Task


def tasks(data: Path) -> Iterator[Named]:
    """What is searched."""
    digits = load_benchmark("digits")
    budget: dict[str, Any] = {"evaluations": EVALUATIONS}
    # As recordings of earlier versions have it: signals are means over the trainings.
    mean: dict[str, Any] = {**budget, "crossfit": False}
    yield Named("digits", make_task(digits, **mean))
    yield Named("digits, single trainings", make_task(digits, **mean, answers="sample"))
    yield Named("digits, seconds", make_task(digits, simulated_seconds=60.0, crossfit=False))
    yield Named("digits, latency", make_task(digits, **mean, objectives=["onnxruntime_ms"]))
    yield Named("digits, cross-fitted", make_task(digits, **budget))
    table = published(data)
    if table is not None:
        yield Named("cifar100", make_task(table, "cifar100", **budget))
        yield Named(
            "cifar100, latency", make_task(table, "cifar100", **budget, objectives=["raspi4"])
        )


def published(data: Path) -> Benchmark | None:
    """The published figures of NATS-Bench's topology space, or None where they are not."""
    folder = data / "nasbench201"
    if not folder.is_dir():
        print(f"{folder} is not there: the published figures are left out", file=sys.stderr)
        return None
    table, latency = folder / "accuracy.parquet", folder / "latency_ms.parquet"
    space = load_space("nats-tss")
    return import_table(table, "nas201", space, latency=[latency]).benchmark


def methods(chosen: Sequence[str] | None) -> Iterator[tuple[str, Method]]:
    """Every registered method, those that train for two epochs."""
    for name in sorted({point.name for point in entry_points(group="nasbench_suite.methods")}):
        if chosen is None or name in chosen:
            settings = dict(SETTINGS.get(name, {}))
            if "epochs" in make_method(name, settings).config:
                settings["epochs"] = EPOCHS
            yield name, make_method(name, settings)


def can_do(method: Method, task: Task) -> bool:
    """Whether a method takes a task."""
    try:
        Trial(task, method, 0)
    except SuiteError:
        return False
    return True


def record(data: Path, chosen: Sequence[str] | None, jobs: int) -> Recording:
    """Run everything and hash what it left."""
    made = list(methods(chosen))
    recording: Recording = {}
    with tempfile.TemporaryDirectory() as folder:
        for number, named in enumerate(tasks(data)):
            store = Path(folder) / f"{number}.sqlite"
            able = [pair for pair in made if can_do(pair[1], named.task)]
            if able:
                run_tasks([named.task], able, seeds=SEEDS, jobs=jobs, store=store)
                recording |= {
                    f"{named.name} | {method} | {seed}": parts
                    for method, seed, parts in trials(store)
                }
            print(f"{named.name}: {len(able)} methods", file=sys.stderr)
    return dict(sorted(recording.items()))


def trials(path: Path) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Name of the method, seed and the hash of each part, of every trial of a file."""
    with ResultStore(path, read_only=True) as store:
        names = {method.key: method.name for method in store.methods()}
        incumbents, fronts = store.incumbents(), store.fronts()
        indicators, diagnostics = store.indicators(), store.diagnostics()
        for row in store.trials().to_dict("records"):
            trial = row["trial"]
            parts = {"status": digest(row["status"], str(row["message"]).partition("\n")[0])}
            if row["status"] == "finished":
                found = store.record(trial)
                parts["evaluations"] = digest(*(getattr(found, name) for name in ARRAYS))
                parts["incumbents"] = digest(*columns(incumbents, trial, CHANGES))
                parts["front"] = digest(
                    *columns(fronts, trial, ("architecture", "objective", "report")),
                    *columns(indicators, trial, ("name", "value")),
                )
                parts["diagnostics"] = digest(
                    *columns(diagnostics, trial, ("name", "step")),
                    *diagnostics.loc[diagnostics["trial"] == trial, "value"],
                )
            yield names[row["method_key"]], row["seed"], parts


def columns(frame: pd.DataFrame, trial: int, names: Sequence[str]) -> list[Any]:
    """The columns of a trial's rows."""
    rows = frame[frame["trial"] == trial]
    return [rows[name].tolist() for name in names]


def digest(*values: Any) -> str:
    """A hash of values and arrays, to the last bit and with their shapes."""
    found = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            found.update(f"{value.dtype.str}{value.shape}".encode() + value.tobytes())
        else:
            found.update(repr(value).encode())
    return found.hexdigest()[:16]


def differences(before: Recording, now: Recording) -> list[str]:
    """What both recordings have and is not the same, a line each."""
    lines = []
    for name in before.keys() & now.keys():
        one, other = before[name], now[name]
        parts = [part for part in one.keys() | other.keys() if one.get(part) != other.get(part)]
        if parts:
            lines.append(f"{name}: {', '.join(sorted(parts))}")
    return sorted(lines)


def main() -> int:
    """Record, compare, say what differs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, help="write the recording to this file")
    parser.add_argument("--against", type=Path, help="compare with the recording in this file")
    parser.add_argument("--methods", help="record these alone, as name,name")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with published figures")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    given = parser.parse_args()
    if given.output is None and given.against is None:
        parser.error("give --output, --against or both")
    chosen = split_names(given.methods) if given.methods else None
    before: Recording = json.loads(given.against.read_text()) if given.against else {}
    now = record(given.data, chosen, given.jobs)
    if given.output is not None:
        given.output.write_text(json.dumps(now, indent=0) + "\n")
    if given.against is None:
        return 0
    lines = differences(before, now)
    print(*lines, sep="\n", end="\n" if lines else "")
    common = len(before.keys() & now.keys())
    print(f"{common - len(lines)} of {common} trials are the same to the last bit")
    for there, others, words in ((before, now, "in the earlier recording"), (now, before, "now")):
        alone = sorted({name.split(" | ")[1] for name in there.keys() - others.keys()})
        if alone and chosen is None:
            print(f"{len(there.keys() - others.keys())} trials {words} alone: {', '.join(alone)}")
    return 1 if lines or not common else 0


if __name__ == "__main__":
    sys.exit(main())
