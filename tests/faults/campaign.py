"""A fault campaign against the command line: what is lost, doubled or left without an answer.

    python tests/faults/campaign.py [--kills 200] [--damages 100] [--seed 0] [--only NAME,...]

Every scenario does something to a run, its results file or its benchmark and then asks: is every
finished trial still there, once, with the figures of an undisturbed run; was none of them begun
again (each notes that it begins, see ``noting_methods.py``); and did the command say in a sentence
what was wrong (exit code 2, no traceback)? Prints a table of counts; exit code 1 if anything was
lost, doubled, repeated or unclear. Full disks and read-only folders are mounted, which needs
the rights to; without them those scenarios are skipped and said to be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from killed_at import run_killed_at

from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.store.maintenance import verify_store
from nasbench_suite.tasks import make_task

NASBENCH = str(Path(sys.executable).with_name("nasbench"))
HERE = Path(__file__).parent
METHODS = "noting-random,noting-evolution"


@dataclass
class Campaign:
    """What the scenarios share.

    Attributes:
        folder: for everything written.
        rng: of moments and places.
        kills: how often the run is killed.
        damages: how often each kind of file is damaged.
        stride: one in so many statements is the last of a process.
        counts: what came out, by scenario.
    """

    folder: Path
    rng: np.random.Generator
    kills: int
    damages: int
    stride: int
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, scenario: str, *what: str) -> None:
        """Add one to each of these."""
        self.counts.setdefault(scenario, Counter()).update(what)

    def new(self, name: str) -> Path:
        """A path that is not taken."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / name

    def command(self, store: Path, *options: str, seeds: str = "0-19") -> list[str]:
        """A short run of two methods."""
        return [
            NASBENCH, "run", "--methods", METHODS, "--seeds", seeds, "--evaluations", "500",
            "--quiet", "--store", str(store), *options,
        ]  # fmt: skip

    def begun(self) -> Counter[tuple[str, int]]:
        """The trials begun since this was asked last: how often each, by method and seed."""
        notes = Path(os.environ["NOTES"])
        found = Counter(
            (method, int(seed)) for method, seed in map(str.split, notes.read_text().splitlines())
        )
        notes.write_text("")
        return found


def provide_methods(folder: Path) -> None:
    """Have every process that begins find the methods that note their trials, and the notes."""
    about = folder / "noting_methods-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: noting-methods\nVersion: 0\n")
    (about / "entry_points.txt").write_text(
        "[nasbench_suite.methods]\n"
        "noting-random = noting_methods:NotingRandom\n"
        "noting-evolution = noting_methods:NotingEvolution\n"
    )
    shutil.copy(HERE / "noting_methods.py", folder)
    others = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(folder), *([others] if others else [])])
    sys.path.insert(0, str(folder))
    os.environ["NOTES"] = str(folder / "notes")
    (folder / "notes").write_text("")


def contents(store: Path) -> list[Any]:
    """Every trial with its figures, in an order of its own; each row once."""
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        return connection.execute(
            "SELECT methods.label, seed, status, architecture, signal, report, architectures, "
            "signals FROM trials JOIN methods ON method_id = methods.id LEFT JOIN records "
            "ON trials.id = records.trial_id ORDER BY methods.label, seed"
        ).fetchall()


def finished(store: Path) -> set[tuple[str, int]]:
    """The trials that a results file has as finished, by method and seed; none without a file."""
    try:
        with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            return set(
                connection.execute(
                    "SELECT name, seed FROM trials JOIN methods ON method_id = methods.id "
                    "WHERE status = 'finished'"
                )
            )
    except sqlite3.Error:
        return set()


def judge(campaign: Campaign, scenario: str, answer: subprocess.CompletedProcess[str]) -> None:
    """Whether a command that could not do its work said so as it should."""
    text = answer.stderr.strip()
    if answer.returncode == 0:
        campaign.count(scenario, "went through")
    elif answer.returncode == 2 and "Traceback (most" not in text and text.startswith("nasbench:"):
        campaign.count(scenario, "one sentence")
    else:
        campaign.count(scenario, "UNCLEAR")
        print(f"{scenario}: exit code {answer.returncode}\n{text[-2000:]}", file=sys.stderr)


def call(command: list[str], **settings: Any) -> subprocess.CompletedProcess[str]:
    """The command's answer."""
    return subprocess.run(command, capture_output=True, text=True, timeout=600, **settings)


def compare(campaign: Campaign, scenario: str, store: Path, truth: Path) -> None:
    """Whether a results file is that of an undisturbed run."""
    found, expected = contents(store), contents(truth)
    keys = Counter(row[:2] for row in found)
    if any(number > 1 for number in keys.values()):
        campaign.count(scenario, "DOUBLED")
    if {row[:2] for row in expected} - set(keys):
        campaign.count(scenario, "LOST")
    campaign.count(scenario, "same results" if found == expected else "OTHER RESULTS")


# -- scenarios -------------------------------------------------------------------------------------


def kill_the_run(campaign: Campaign) -> None:
    """Kill -9, at any moment, the process that writes and all its workers."""
    name, seeds = "killed run", "0-1499"
    truth = campaign.new("truth.sqlite")
    call(campaign.command(truth, "--jobs", "2", seeds=seeds))
    store, before = campaign.new("killed.sqlite"), set[tuple[str, int]]()
    campaign.begun()
    for _ in range(campaign.kills):
        command = campaign.command(store, "--jobs", "2", seeds=seeds)
        process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
        try:
            process.wait(campaign.rng.uniform(0.0, 2.0))
            campaign.count(name, "had ended")
            compare(campaign, name, store, truth)
            store, before = campaign.new("killed.sqlite"), set()
            campaign.begun()
            continue
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        campaign.count(name, "killed")
        now = finished(store)
        if before - now:
            campaign.count(name, "LOST")
        if before & campaign.begun().keys():
            campaign.count(name, "REPEATED")
        before = now
    judge(campaign, name, call(campaign.command(store, "--jobs", "2", seeds=seeds)))
    if before & campaign.begun().keys():
        campaign.count(name, "REPEATED")
    compare(campaign, name, store, truth)


def killed_at_each_statement(campaign: Campaign) -> None:
    """The process that writes kills itself before each single statement that it gives SQLite.

    What was finished before is there, whole, and is not begun again.
    """
    name = "killed at each statement"
    truth = campaign.new("truth.sqlite")
    digits = load_benchmark("digits")
    task = make_task(digits.restricted(np.arange(0, digits.space.size, 40)), evaluations=10)
    run_killed_at(-1, truth, task)
    for statement in range(0, 10_000, campaign.stride):
        store = campaign.new("killed.sqlite")
        if run_killed_at(statement, store, task) == 0:  # there are no more statements
            break
        campaign.count(name, "killed")
        before = finished(store)
        if before and verify_store(store).faults:
            campaign.count(name, "LOST")
        campaign.begun()
        campaign.count(name, "UNCLEAR" if run_killed_at(-1, store, task) else "went through")
        if before & campaign.begun().keys():
            campaign.count(name, "REPEATED")
        compare(campaign, name, store, truth)


def kill_workers(campaign: Campaign) -> None:
    """Kill -9 single workers of a run that goes on, each trial with many tries."""
    name = "killed workers"
    store, truth, answer = run_with_killed_workers(campaign, name, retries=100)
    judge(campaign, name, answer)
    compare(campaign, name, store, truth)


def kill_workers_once(campaign: Campaign) -> None:
    """The same with one try a trial: those killed have failed, and the same command runs them."""
    name = "killed workers, no retries"
    store, truth, answer = run_with_killed_workers(campaign, name, retries=0)
    failed = {row[:2] for row in contents(store) if row[2] == "failed"}
    campaign.count(name, *["failed"] * len(failed))
    if "Traceback (most" in answer.stderr:
        campaign.count(name, "UNCLEAR")
        print(f"{name}: {answer.stderr[-4000:]}", file=sys.stderr)
    judge(campaign, name, call(campaign.command(store, "--jobs", "2", seeds="0-999")))
    compare(campaign, name, store, truth)


def run_with_killed_workers(
    campaign: Campaign, name: str, retries: int
) -> tuple[Path, Path, subprocess.CompletedProcess[str]]:
    """The results of a run whose workers were killed, those of one undisturbed, and its answer."""
    truth, store = campaign.new("truth.sqlite"), campaign.new("killed.sqlite")
    call(campaign.command(truth, "--jobs", "2", seeds="0-999"))
    command = campaign.command(store, "--jobs", "2", "--retries", str(retries), seeds="0-999")
    done = 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            time.sleep(campaign.rng.uniform(0.0, 0.2))
            before, done = done, len(finished(store))
            if done == before:  # on a busy machine, kills would come faster than processes begin
                continue
            try:
                os.kill(int(campaign.rng.choice(list(descendants(process.pid)))), signal.SIGKILL)
                campaign.count(name, "killed")
            except (OSError, ValueError):
                continue  # the run has just ended, or has no worker at the moment
        error = process.stderr.read() if process.stderr else ""
    answer = subprocess.CompletedProcess(command, process.returncode, "", error)
    return store, truth, answer


def descendants(process: int) -> Iterator[int]:
    """What a process began, and what that began: what forks, and its copies, which run trials."""
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, file.read_text().split()):
            yield child
            yield from descendants(child)


@contextmanager
def mounted(campaign: Campaign, size: str) -> Iterator[Path | None]:
    """A small disk of its own, or None without the rights."""
    folder = Path(tempfile.mkdtemp(dir=campaign.folder))
    made = call(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)])
    if made.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        call(["umount", "--lazy", str(folder)])


def full_disk(campaign: Campaign) -> None:
    """The disk fills up in mid-run; then there is room and the same command is given again."""
    name = "full disk"
    truth = campaign.new("truth.sqlite")
    call(campaign.command(truth, seeds="0-299"))
    for kilobytes in (16, 64, 200, 500, 1000):
        with mounted(campaign, f"{kilobytes}k") as disk:
            if disk is None:
                campaign.count(name, "skipped: no right to mount")
                return
            store = disk / "r.sqlite"
            judge(campaign, name, call(campaign.command(store, seeds="0-299")))
            before = finished(store)
            call(["mount", "-o", "remount,size=50m", str(disk)])
            campaign.begun()
            judge(campaign, name, call(campaign.command(store, seeds="0-299")))
            if before - finished(store):
                campaign.count(name, "LOST")
            if before & campaign.begun().keys():
                campaign.count(name, "REPEATED")
            compare(campaign, name, store, truth)


def read_only(campaign: Campaign) -> None:
    """The results file lies where nothing can be written."""
    name = "read-only folder"
    with mounted(campaign, "20m") as disk:
        if disk is None:
            campaign.count(name, "skipped: no right to mount")
            return
        store = disk / "r.sqlite"
        call(campaign.command(store))
        call(["mount", "-o", "remount,ro", str(disk)])
        judge(campaign, name, call(campaign.command(store, seeds="0-29")))
        judge(campaign, name, call(campaign.command(disk / "new.sqlite")))
        judge(campaign, f"{name}, read", call([NASBENCH, "leaderboard", "--store", str(store)]))
        call(["mount", "-o", "remount,rw", str(disk)])
        if len(contents(store)) != 40:
            campaign.count(name, "LOST")


def two_runs(campaign: Campaign) -> None:
    """Two runs on one results file at once, of the same trials and of others."""
    name = "two runs at once"
    truth = campaign.new("truth.sqlite")
    call(campaign.command(truth, seeds="0-299"))
    for _ in range(10):
        store = campaign.new("both.sqlite")
        running = [
            subprocess.Popen(
                campaign.command(store, seeds=seeds), stderr=subprocess.PIPE, text=True
            )
            for seeds in ("0-199", "100-299")
        ]
        for process in running:
            _, error = process.communicate(timeout=600)
            answer = subprocess.CompletedProcess(process.args, process.returncode, "", error)
            judge(campaign, name, answer)
        compare(campaign, name, store, truth)


def damage(campaign: Campaign, file: Path) -> str:
    """Cut the file, overwrite a piece, or flip one bit; what was done."""
    data = bytearray(file.read_bytes())
    kind = str(campaign.rng.choice(["cut", "overwritten", "flipped"]))
    place = int(campaign.rng.integers(len(data)))
    if kind == "cut":
        del data[place:]
    elif kind == "overwritten":
        piece = campaign.rng.bytes(int(campaign.rng.integers(1, 2000)))
        data[place : place + len(piece)] = piece
    else:
        data[place] ^= 1 << int(campaign.rng.integers(8))
    file.write_bytes(data)
    return kind


def damaged_store(campaign: Campaign) -> None:
    """A results file with a piece wrong or missing."""
    truth = campaign.new("truth.sqlite")
    short = ("--evaluations", "20")  # or nearly all of the file would be records, which few read
    call(campaign.command(truth, *short))
    table = call([NASBENCH, "leaderboard", "--store", str(truth), "--format", "json"]).stdout
    for _ in range(campaign.damages):
        store = campaign.new("r.sqlite")
        shutil.copy(truth, store)
        name = f"results file {damage(campaign, store)}"
        answer = call([NASBENCH, "leaderboard", "--store", str(store), "--format", "json"])
        judge(campaign, name, answer)
        if answer.returncode == 0 and answer.stdout != table:
            campaign.count(name, "OTHER RESULTS")
        judge(campaign, name, call(campaign.command(store, *short)))


def damaged_table(campaign: Campaign) -> None:
    """A benchmark's file with a piece wrong or missing, of which a run reads nearly all."""
    digits, embedded = load_benchmark("digits"), campaign.new("table.parquet")
    (objective,) = make_task(digits).objectives
    metrics = {name: digits.metric(name) for name in (objective.signal, objective.judged_by)}
    columns = {
        column: digits.columns[column]
        for metric in metrics.values()
        for column in (metric.name, *map(metric.seed_column, metric.seeds))
    }
    write_benchmark(Benchmark("digits", digits.space, metrics, columns), embedded)
    truth, options = campaign.new("truth.sqlite"), ("--benchmark", str(embedded))
    call(campaign.command(truth, *options))
    for _ in range(campaign.damages):
        file, store = campaign.new("table.parquet"), campaign.new("r.sqlite")
        shutil.copy(embedded, file)
        name = f"benchmark {damage(campaign, file)}"
        answer = call(campaign.command(store, "--benchmark", str(file)))
        judge(campaign, name, answer)
        if answer.returncode == 0 and contents(store) != contents(truth):
            campaign.count(name, "OTHER RESULTS")


def clock_jumps(campaign: Campaign) -> None:
    """The system's clock jumps by days, back and forth, all the time."""
    name = "clock jumps"
    truth, store = campaign.new("truth.sqlite"), campaign.new("r.sqlite")
    call(campaign.command(truth, "--jobs", "2"))
    clock = os.pathsep.join([str(HERE / "jumping_clock"), os.environ["PYTHONPATH"]])
    environment = os.environ | {"PYTHONPATH": clock}
    judge(campaign, name, call(campaign.command(store, "--jobs", "2"), env=environment))
    compare(campaign, name, store, truth)


SCENARIOS: dict[str, Callable[[Campaign], None]] = {
    function.__name__: function
    for function in (
        kill_the_run, killed_at_each_statement, kill_workers, kill_workers_once, full_disk,
        read_only, two_runs, damaged_store, damaged_table, clock_jumps,
    )
}  # fmt: skip


def main() -> None:
    """Run the scenarios and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--damages", type=int, default=100)
    parser.add_argument("--stride", type=int, default=1, help="of the statements killed at")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(SCENARIOS))
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        provide_methods(Path(folder))
        rng = np.random.default_rng(chosen.seed)
        campaign = Campaign(Path(folder), rng, chosen.kills, chosen.damages, chosen.stride)
        for scenario in chosen.only.split(","):
            begin = time.monotonic()
            SCENARIOS[scenario](campaign)
            print(f"{scenario}: {time.monotonic() - begin:.0f} s", file=sys.stderr)
    print("| scenario | what came out |\n|---|---|")
    for scenario, counter in campaign.counts.items():
        print(
            f"| {scenario} | {', '.join(f'{number} {what}' for what, number in counter.items())} |"
        )
    sys.exit(any(what.isupper() for counter in campaign.counts.values() for what in counter))


if __name__ == "__main__":
    main()
