"""Measuring latencies by a protocol that can be defended, into a journal that can be gone on with.

Every architecture is visited once in each *round*, in a new random order a round, so that what
changes on the machine falls on all alike. A visit prepares the network, runs it a few times
untimed, then times each of several runs. Between visits a *reference* architecture is timed again
and again. Visits are scaled by how much slower or faster than usual it runs about them (another
program, a throttled processor, another host); where it changes from one timing to the next, the
visits between are taken to be disturbed and are left out.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hardware.networks import find_setting, live_forms, setting_network
from hardware.runtimes import Run, RunOptions, prepare, runtime_versions
from nasbench_suite import registry
from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.files.atomic import need_folder
from nasbench_suite.files.journal import Journal
from nasbench_suite.parsing import check_at_most, check_counts, counted, parse_numbers
from nasbench_suite.seeding import check_seed, stream
from nasbench_suite.spaces import FiniteSpace, load_finite_space

JOURNAL_VERSION = 1
_MOST_RUNS = 1_000_000  # at a visit
_MOST_VISITS = 10_000_000  # a year of them, at three seconds each
DISTURBED = 0.10  # by this share the reference's timings before and after a visit may differ


@dataclass(frozen=True)
class Plan:
    """What is measured, and how.

    Attributes:
        space: name of the space.
        setting: skeleton and input; see ``networks.SETTINGS``.
        architectures: indices to measure, each once.
        runtime: name of a runtime.
        options: how networks are run.
        pruned: whether dead branches are left out.
        rounds: visits to each architecture.
        warmup: untimed runs at each visit.
        repeats: timed runs at each visit.
        reference_every: visits between two timings of the reference.
        reference: index of the reference; it need not be among ``architectures``.
        seed: of the order.
    """

    space: str
    setting: str
    architectures: tuple[int, ...]
    runtime: str
    options: RunOptions = field(default_factory=RunOptions)
    pruned: bool = False
    rounds: int = 5
    warmup: int = 5
    repeats: int = 20
    reference_every: int = 20
    reference: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        find_setting(self.setting)
        registry.find("runtimes", self.runtime)
        check_counts("A measurement", self, "rounds repeats reference_every")
        check_at_most("A measurement", self, "warmup repeats", _MOST_RUNS)
        if self.warmup < 0:
            raise SuiteError(f"{self.warmup} untimed runs are impossible: give 0 or more.")
        check_seed(self.seed)
        if not self.architectures:
            raise SuiteError("There is no architecture to measure: name at least one.")
        if len(set(self.architectures)) < len(self.architectures):
            raise SuiteError("An architecture is to be measured twice: name each once.")
        if self.rounds * len(self.architectures) > _MOST_VISITS:
            raise SuiteError(
                f"{self.rounds} rounds of {counted(len(self.architectures), 'architecture')} are "
                f"more than {_MOST_VISITS:,} visits: give fewer rounds."
            )
        load_finite_space(self.space).indices(np.array([*self.architectures, self.reference]))

    def visits(self) -> list[tuple[int, int]]:
        """Rounds and architectures in the order they are visited."""
        order = []
        for number in range(self.rounds):
            rng = stream(self.seed, number)
            order += [(number, int(one)) for one in rng.permutation(self.architectures)]
        return order


@dataclass(frozen=True)
class Measured:
    """Latencies from a journal.

    Attributes:
        plan: what was measured.
        card: the device; see ``device_card``.
        architectures: indices with at least one visit, ascending, shape (n,).
        latency: median over all timed runs of undisturbed visits, scaled to the reference's usual
            pace, in ms, shape (n,).
        spread: interquartile range of the same runs, in ms, shape (n,).
        visits: visits behind each latency, shape (n,).
        halves: medians of the even and of the odd rounds, in ms, shape (n, 2); NaN where a half
            has no visit.
        disturbed: share of all visits that were left out.
        reference: medians of the reference's timings, in ms, in the order they were taken.
    """

    plan: Plan
    card: dict[str, Any]
    architectures: NDArray[np.int64]
    latency: NDArray[np.float64]
    spread: NDArray[np.float64]
    visits: NDArray[np.int64]
    halves: NDArray[np.float64]
    disturbed: float
    reference: NDArray[np.float64]

    @property
    def noise_floor(self) -> float:
        """Median difference of two repetitions of the whole measurement, in ms.

        From the two halves of the rounds, whose medians scatter more than those of all rounds by
        the square root of two. NaN with a single round.
        """
        differences = np.abs(self.halves[:, 0] - self.halves[:, 1])
        known = differences[~np.isnan(differences)]
        return float(np.median(known) / np.sqrt(2)) if len(known) else float("nan")

    @property
    def drift(self) -> float:
        """How far the reference's timings moved: the middle nine tenths, over their median.

        The ends are left out, since a single disturbed visit is no drift.
        """
        low, middle, high = np.quantile(self.reference, [0.05, 0.5, 0.95])
        return float((high - low) / middle)


def choose_architectures(space: FiniteSpace, which: str, seed: int = 0) -> tuple[int, ...]:
    """Which architectures to measure.

    Args:
        space: their space.
        which: ``all``; ``live``, one of each network without dead branches (``live_forms``);
            ``operations``, the cell without operations and each operation alone on each edge; a
            number, so many drawn at random; or indices such as ``3,17,200``.
        seed: of the draw.
    """
    if which == "all":
        return tuple(range(space.size))
    if which == "live":
        return tuple(np.unique(live_forms(space)).tolist())
    if which == "operations":
        empty = (0,) * len(space.choices)
        cells = {empty: None} | {
            (*empty[:position], option, *empty[position + 1 :]): None
            for position, options in enumerate(space.choices)
            for option in range(1, options)
        }
        return tuple(space.index(cell) for cell in cells)
    try:
        numbers = parse_numbers(which)
    except SuiteError:
        raise SuiteError(
            f"{which!r} names no architectures: write all, live, operations, a number of "
            f"random ones, or indices such as 3,17,200."
        ) from None
    if len(numbers) > 1:
        return tuple(dict.fromkeys(space.indices(np.array(numbers)).tolist()))
    if not 1 <= numbers[0] <= space.size:
        raise SuiteError(
            f"{numbers[0]} of {space.size} architectures cannot be drawn: give a number from 1 to "
            f"{space.size}."
        )
    drawn = stream(seed).choice(space.size, numbers[0], replace=False)
    return tuple(np.sort(drawn).tolist())


def measure(
    plan: Plan, journal: Path, cores: Sequence[int] | None = None
) -> Iterator[tuple[int, int]]:
    """Measure what is not in the journal yet, appending to it.

    Args:
        plan: what to measure.
        journal: a file of ours, of the same plan and machine; made if absent.
        cores: processor cores to stay on; by default the last ones allowed, as many as threads.

    Yields:
        (visits done, visits in all), at the start and after each visit.

    Raises:
        SuiteError: the runtime is missing or cannot do what is planned, or cores are not free to
            use, and then no journal is made; or the journal is another plan's, machine's or runtime
            version's. What is in the journal stays.
    """
    wanted = _wanted_cores(cores, plan.options.threads)
    card = device_card(plan)
    space = load_finite_space(plan.space)
    _prepared(plan, space, plan.reference)
    done = _open_journal(plan, journal, card)
    todo = [visit for visit in plan.visits() if visit not in done]
    total = plan.rounds * len(plan.architectures)
    yield total - len(todo), total
    with (
        Journal(journal).appending() as note,
        _pinned(wanted),
        _without_collection(),
    ):
        for number, (round_number, architecture) in enumerate(todo):
            if number % plan.reference_every == 0:
                note({"reference": _visit(plan, space, plan.reference)})
            times = _visit(plan, space, architecture)
            note({"round": round_number, "index": architecture, "us": times})
            yield total - len(todo) + number + 1, total
        if todo:
            note({"reference": _visit(plan, space, plan.reference)})


def _prepared(plan: Plan, space: FiniteSpace, architecture: int) -> Run:
    """What runs an architecture once."""
    network = setting_network(space, architecture, plan.setting, pruned=plan.pruned)
    return prepare(plan.runtime, network, plan.options)


def _visit(plan: Plan, space: FiniteSpace, architecture: int) -> list[float]:
    """Times of the timed runs, in microseconds."""
    run = _prepared(plan, space, architecture)
    for _ in range(plan.warmup):
        run()
    times = []
    for _ in range(plan.repeats):
        begin = time.perf_counter_ns()
        run()
        times.append((time.perf_counter_ns() - begin) / 1e3)
    return times


def _wanted_cores(cores: Sequence[int] | None, threads: int) -> set[int] | None:
    """The processor cores to stay on; None where the system cannot.

    Raises:
        SuiteError: they are not free to use.
    """
    if not hasattr(os, "sched_setaffinity"):
        return None
    free = sorted(os.sched_getaffinity(0))
    wanted = set(free[-threads:] if cores is None else cores)
    if not wanted or not wanted <= set(free):
        raise SuiteError(f"Cores {sorted(wanted)} are not free to use: choose of {free}.")
    return wanted


@contextmanager
def _pinned(wanted: set[int] | None) -> Iterator[None]:
    """Keep to some processor cores, where the system can."""
    if wanted is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _without_collection() -> Iterator[None]:
    """No garbage collection in the middle of a timed run."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# -- the journal ---------------------------------------------------------------------------------


def device_card(plan: Plan) -> dict[str, Any]:
    """The machine and the software that a latency belongs to, as JSON-able values."""
    card: dict[str, Any] = {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "governor": _read_first(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "system": platform.platform(),
        "python": platform.python_version(),
        "runtime": plan.runtime,
        "versions": runtime_versions(plan.runtime),
    }
    if plan.options.device == "cuda":
        card["accelerator"] = _accelerator()
    return card


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _accelerator() -> str:
    try:
        import torch
    except ImportError:
        return "unknown"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


def _read_first(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return "unknown"


def _plan_values(plan: Plan) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(json.dumps(asdict(plan)))
    return values


def _read(journal: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The header of a journal and its entries."""
    if not journal.exists():
        raise SuiteError(f"There is no journal {journal}: measure first.")
    entries = Journal(journal).entries()
    if not entries or entries[0].get("journal") != JOURNAL_VERSION:
        raise SuiteError(f"{journal} is no journal of measurements: name another file.")
    return entries[0], entries[1:]


def _undamaged(journal: Path) -> AbstractContextManager[None]:
    """Entries that are not what was written become one sentence."""
    return refused(
        f"Journal {journal} is damaged ({{reason}}): delete it.",
        *(LookupError, TypeError, ValueError, ArithmeticError, AttributeError),
    )


def _open_journal(plan: Plan, journal: Path, card: dict[str, Any]) -> set[tuple[int, int]]:
    """The visits done; a journal that does not exist yet is begun."""
    need_folder(journal)
    if not Journal(journal).begun:
        started = datetime.now(UTC).isoformat(timespec="seconds")
        header = {"journal": JOURNAL_VERSION, "plan": _plan_values(plan), "card": card}
        Journal(journal).begin({**header, "started": started})
        return set()
    head, entries = _read(journal)
    with _undamaged(journal):
        if head["plan"] != _plan_values(plan):
            changed = [k for k, value in _plan_values(plan).items() if head["plan"].get(k) != value]
            raise SuiteError(
                f"Journal {journal} is of another measurement ({', '.join(changed)} differ): name "
                f"another journal, or repeat the command that began it."
            )
        if head["card"] != card:
            changed = [k for k, value in card.items() if head["card"].get(k) != value]
            raise SuiteError(
                f"Journal {journal} was begun on another machine or version ({', '.join(changed)} "
                f"differ), and latencies of both do not mix: name another journal."
            )
        return {(entry["round"], entry["index"]) for entry in entries if "index" in entry}


def read_measured(journal: Path) -> Measured:
    """Latencies from a journal, complete or not.

    Raises:
        SuiteError: it is damaged, or holds no visit yet.
    """
    head, entries = _read(journal)
    with _undamaged(journal):
        return _measured(head, entries, journal)


def _measured(head: dict[str, Any], entries: list[dict[str, Any]], journal: Path) -> Measured:
    values = dict(head["plan"])
    values["architectures"] = tuple(values["architectures"])
    values["options"] = RunOptions(**values["options"])
    plan = Plan(**values)
    reference = np.array([np.median(e["reference"]) for e in entries if "reference" in e]) / 1e3
    visits = _visits_at_usual_pace(entries, reference)
    if not visits:
        raise SuiteError(f"Journal {journal} holds no visit yet: measure first.")
    used = {one: _without_disturbed(of_one, plan.rounds) for one, of_one in visits.items()}
    total = sum(map(len, visits.values()))
    architectures = sorted(used)
    rows = [{number: times for number, (times, _) in used[one].items()} for one in architectures]
    runs = [np.concatenate(list(of_one.values())) for of_one in rows]
    quartiles = np.array([np.quantile(one, [0.25, 0.5, 0.75]) for one in runs])
    return Measured(
        plan,
        {**head["card"], "started": head["started"]},
        np.array(architectures, dtype=np.int64),
        latency=quartiles[:, 1],
        spread=quartiles[:, 2] - quartiles[:, 0],
        visits=np.array([len(of_one) for of_one in rows]),
        halves=np.array([[_half(of_one, odd) for odd in (0, 1)] for of_one in rows]),
        disturbed=(total - sum(map(len, rows))) / total,
        reference=reference,
    )


_Visits = dict[int, tuple[NDArray[np.float64], bool]]
"""Visits to one architecture by round: the times in ms, and whether the visit was disturbed."""


def _visits_at_usual_pace(
    entries: Sequence[dict[str, Any]], reference: NDArray[np.float64]
) -> dict[int, _Visits]:
    """The visits by architecture, scaled to how fast the reference usually runs.

    A visit's pace is the mean of the reference's timings before and after it, and it is disturbed
    where these two differ by more than ``DISTURBED``.

    Args:
        entries: a journal's, in the order in which they were written.
        reference: medians of the reference's timings in the same order, in ms, shape (n,).
    """
    usual = float(np.median(reference)) if len(reference) else float("nan")
    visits: dict[int, _Visits] = {}
    last = -1  # the reference's latest timing; a visit that precedes them all has the first
    for entry in entries:
        if "reference" in entry:
            last += 1
            continue
        before = reference[max(last, 0)]
        after = reference[min(last + 1, len(reference) - 1)]
        pace = (before + after) / 2
        times = np.array(entry["us"]) / 1e3 * (usual / pace)
        disturbed = bool(abs(before - after) > DISTURBED * pace)
        visits.setdefault(entry["index"], {})[entry["round"]] = times, disturbed
    return visits


def _without_disturbed(visits: _Visits, rounds: int) -> _Visits:
    """The undisturbed visits; all, where these are not more than half of the rounds.

    The median of many, some of them disturbed, beats that of one or two.
    """
    calm = {number: visit for number, visit in visits.items() if not visit[1]}
    return calm if 2 * len(calm) > rounds else visits


def _half(visits: dict[int, NDArray[np.float64]], odd: int) -> float:
    runs = [times for number, times in visits.items() if number % 2 == odd]
    return float(np.median(np.concatenate(runs))) if runs else float("nan")
