"""Fuzz everything that reads a file or a line of text from outside, and count what comes of it.

    python tests/faults/fuzz.py --examples 2000

Sound files are made, hypothesis damages them (bytes changed, moved in, taken out, the end cut) or
draws what stands in their place, and each is read. An input is *accepted*, *refused* with the one
sentence of a ``SuiteError``, or *escapes* as any other exception or by hanging, which is a fault of
ours: it is printed, and the exit code is 1, as where a reader accepts nothing sound. No pickle
may run anything: damaged ones are full of opcodes that would call a function of ours, which counts.
Memory is limited (on Linux), so that an input that claims gigabytes escapes as well.
"""

from __future__ import annotations

import argparse
import bz2
import pickle
import resource
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from sound_files import archive, write_journal, zipped
from time_limit import HangsError, at_most

from hardware import tables
from hardware.measuring import read_measured
from nasbench_suite import load_benchmark, load_space
from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.benchmarks.importing import import_table
from nasbench_suite.benchmarks.nasbench201_archive import import_nasbench201
from nasbench_suite.benchmarks.nasbench301_models import ModelsFormat
from nasbench_suite.benchmarks.nats_archive import import_nats
from nasbench_suite.benchmarks.table_file import read_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files import safe_pickle
from nasbench_suite.gate.baseline import load_baseline, make_baseline, save_baseline
from nasbench_suite.parsing import parse_methods, parse_seeds
from nasbench_suite.runner import run
from nasbench_suite.runner.trial import Trial
from nasbench_suite.submissions import make_submission, read_submission, verify_submission
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method
from reports.html.report import write_report


@dataclass(frozen=True)
class Target:
    """Something that reads: its name, sound inputs, and the reading."""

    name: str
    sound: list[bytes]
    read: Callable[[Path], Any]
    suffix: str = ""


# -- what is read ----------------------------------------------------------------------------------


class Caller:
    """Unpickled by anything that runs code, it does so."""

    called = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _call, ()


def _call() -> None:
    Caller.called += 1


def pickles(content: Any) -> list[bytes]:
    """The content in old and new protocols, and beside something that would run code."""
    plain = [pickle.dumps(content, protocol=protocol) for protocol in (2, 4)]
    return [*plain, pickle.dumps([Caller(), content], protocol=2)]


def targets(folder: Path) -> Iterator[Target]:
    """Everything of ours that reads a file."""
    digits, space = load_benchmark("digits"), load_space("nats-tss")
    table = Path(str(files("nasbench_suite.benchmarks.digits"))) / "table.parquet"
    yield Target("benchmark, Parquet", [table.read_bytes()], read_benchmark, ".parquet")

    def table_of_costs(path: Path) -> Any:
        return tables.read_table(path, "nats-tss")

    cells = list(space.all_strings)
    figures = [float(value) for value in np.random.default_rng(0).uniform(1, 9, space.size)]
    rows = [f"{cell},{figure:.4f}" for cell, figure in zip(cells, figures, strict=True)]
    listed = "\n".join(["arch_str,pixel3", *rows[:50]]).encode()
    yield Target("costs, CSV", [listed], table_of_costs, ".csv")
    costs = folder / "costs.parquet"
    tables.write_table(tables.counted_table(space, "cifar10"), costs)
    yield Target("costs, Parquet", [costs.read_bytes()], table_of_costs, ".parquet")

    def import_any(path: Path) -> Any:
        return import_table(path, "t", space)

    whole = "\n".join(["arch_str,cifar10_test", *rows]).encode()
    yield Target("import, CSV", [whole], import_any, ".csv")
    excerpt = archive(cells[:3])
    yield Target("pickle", pickles(excerpt), safe_pickle.load)

    def read_excerpt(path: Path) -> Any:
        return import_nats(path, partial=True)

    def read_wrapped(path: Path) -> Any:
        return import_nasbench201(path, partial=True)

    files_of = [*pickles(excerpt), *map(bz2.compress, pickles(excerpt))]
    yield Target("NATS archive", files_of, read_excerpt, ".pickle.pbz2")
    wrapped = [*map(zipped, pickles(excerpt))]
    yield Target("NAS-Bench-201 archive", wrapped, read_wrapped, ".pth")
    chips = {"nasbench201": {"cifar100": {"fpga_latency": figures}}}
    yield Target("HW-NAS-Bench", pickles(chips), tables.import_hw_nas_bench, ".pickle")
    by_cell = dict(zip(cells[:50], figures[:50], strict=True))
    lists = [*pickles(by_cell), *map(zipped, pickles(by_cell))]
    yield Target("HELP", lists, tables.import_help, ".pt")

    store = folder / "results.sqlite"
    run(digits, methods="random,regularized-evolution", seeds=[0, 1], evaluations=20, store=store)

    def results(path: Path) -> Any:
        leaderboard(path)
        return write_report(path, path.with_suffix(".html"))

    yield Target("results, report", [store.read_bytes()], results, ".sqlite")
    submission = folder / "s.nasbench.json.gz"
    make_submission(store, submission)

    def verify(path: Path) -> Any:
        return verify_submission(read_submission(path), load=lambda _: digits)

    yield Target("submission", [submission.read_bytes()], verify, submission.name[1:])
    baseline = folder / "baseline.json"
    save_baseline(make_baseline(store), baseline)
    yield Target("baseline", [baseline.read_bytes()], load_baseline, ".json")

    write_journal(folder / "j.jsonl")
    yield Target("measurements", [(folder / "j.jsonl").read_bytes()], read_measured, ".jsonl")
    yield from models(folder)
    if find_spec("torch"):
        yield from torch_targets(folder)


def models(folder: Path) -> Iterator[Target]:
    """Members of NAS-Bench-301's ensembles, as its authors' code saves them."""
    place = Path(__file__).parents[1] / "unit/nasbench_suite/benchmarks/nasbench301_made.zip"
    with zipfile.ZipFile(place) as made:
        for packed in ("xgb1.2.1", "xgb1.3.3", "xgb1.2.1_runtime", "gin"):
            one = folder / packed
            one.mkdir()
            member = f"{packed}/ensemble_member_0/"
            (one / "model_config.json").write_bytes(made.read(f"{member}model_config.json"))

            def read(path: Path, one: Path = one) -> Any:
                shutil.copyfile(path, one / "surrogate_model.model")
                return ModelsFormat().read(one)

            yield Target(f"model, {packed}", [made.read(f"{member}surrogate_model.model")], read)


def torch_targets(folder: Path) -> Iterator[Target]:
    """Checkpoints of searches and of auto-encoders."""
    from search_methods.graph_vae.checkpoint import embedded_checkpoint, load_model

    embedded = embedded_checkpoint("nats-tss").read_bytes()
    yield Target("VAE checkpoint", [embedded], lambda path: load_model(path, "nats-tss"), ".npz")
    task = make_task(load_benchmark("digits"))

    def search() -> Trial:
        return Trial(task, make_method("darts", {"epochs": 2}), seed=0)

    trial = search()
    trial.advance(steps=1)
    trial.save(folder / "c.npz")
    saved = (folder / "c.npz").read_bytes()
    yield Target("search checkpoint", [saved], lambda path: search().load(path), ".npz")


def texts() -> Iterator[tuple[str, list[str], Callable[[str], Any]]]:
    """Everything of ours that parses a line."""
    tss, sss = load_space("nats-tss"), load_space("nats-sss")
    digits = load_benchmark("digits")
    methods = ["random,nsga2", "regularized-evolution[population_size=5,sample_size=2]"]

    def make_all(text: str) -> Any:
        return [make_method(name, config) for name, config in parse_methods(text)]

    yield "methods", methods, make_all
    yield "seeds", ["0-9", "0,2,5-9"], parse_seeds
    yield "cell", [tss.string(6111)], tss.index
    yield "sizes", [sss.string(6111)], sss.index
    yield "objective", ["onnxruntime_ms"], lambda text: make_task(digits, objectives=[text])
    yield "data set", ["digits"], lambda text: make_task(digits, text)
    yield "benchmark", ["digits", "nats-tss"], load_benchmark


# -- damage ----------------------------------------------------------------------------------------

_MEMORY = 12 << 30  # of which torch maps most; what asks for more has escaped
KINDS = (*["change"] * 3, "insert", "delete", "copy", "cut")
# Hypothesis draws what is done and the bytes; where is drawn evenly, which it would not do.
_EDITS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 2**63 - 1), st.binary(min_size=1, max_size=8)),
    max_size=3,
)


def damage(content: bytes, edits: list[tuple[str, int, bytes]]) -> bytes:
    """The content with these edits made."""
    for kind, number, piece in edits:
        start, origin = np.random.default_rng(number).integers(len(content) + 1, size=2).tolist()
        if kind == "change":
            content = content[:start] + piece + content[start + len(piece) :]
        elif kind == "insert":
            content = content[:start] + piece + content[start:]
        elif kind == "delete":
            content = content[:start] + content[start + 1 + origin % 64 :]
        elif kind == "copy":
            content = content[:start] + content[origin : origin + 64] + content[start:]
        else:
            content = content[:start]
    return content


def judge(counts: Counter[str], name: str, read: Callable[[], Any], seconds: float) -> None:
    """Read it and count what came of it."""
    try:
        with at_most(seconds):
            read()
    except HangsError:
        print(f"{name}: hangs", file=sys.stderr)
        counts["escaped"] += 1
    except SuiteError as error:
        said = str(error).strip()
        if not said or "\n" in said or "MemoryError" in said:
            print(f"{name}: refused with {said!r}", file=sys.stderr)
            counts["escaped"] += 1
        else:
            counts["refused"] += 1
    except Exception:
        counts["escaped"] += 1
        if counts["escaped"] <= 3:
            print(f"{name}:\n{traceback.format_exc(limit=-4)}", file=sys.stderr)
    else:
        counts["accepted"] += 1


def fuzz_file(target: Target, folder: Path, options: argparse.Namespace) -> Counter[str]:
    """Damage sound files and read them."""
    counts: Counter[str] = Counter()
    path = folder / f"fuzzed{target.suffix}"

    def look(drawn: tuple[bytes, list[Any]]) -> None:
        path.write_bytes(damage(*drawn))
        judge(counts, target.name, lambda: target.read(path), options.seconds)

    for content in target.sound:
        look((content, []))
    counts["sound"] = counts["accepted"]
    begun = [*target.sound * 4, b"", b"[" * 100_000, b'{"a":' * 100_000]
    draw(st.tuples(st.sampled_from(begun), _EDITS), look, options)
    return counts


def fuzz_text(
    name: str, lines: list[str], read: Callable[[str], Any], options: argparse.Namespace
) -> Counter[str]:
    """Damage sound lines, and read these and any other text."""
    counts: Counter[str] = Counter()

    def look(text: str) -> None:
        judge(counts, name, lambda: read(text), options.seconds)

    for line in lines:
        look(line)
    counts["sound"] = counts["accepted"]
    edited = st.tuples(st.sampled_from(lines), _EDITS).map(
        lambda drawn: damage(drawn[0].encode(), drawn[1]).decode(errors="replace")
    )
    draw(st.one_of(edited, st.text()), look, options)
    return counts


def draw(
    strategy: st.SearchStrategy[Any], look: Callable[[Any], None], options: argparse.Namespace
) -> None:
    """Have hypothesis draw examples for ``look``."""
    chosen = settings(
        max_examples=options.examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    seed(options.seed)(chosen(given(strategy)(look)))()


def main() -> int:
    """Fuzz all; 1 if anything escaped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, help="inputs for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0, help="for one input")
    parser.add_argument("--only", default="", help="readers whose names begin so")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    rows: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for target in targets(folder):
            if target.name.startswith(options.only):
                start = time.monotonic()
                rows[target.name] = fuzz_file(target, folder, options)
                print(f"{target.name}: {time.monotonic() - start:.0f} s", file=sys.stderr)
        for name, lines, read in texts():
            if name.startswith(options.only):
                rows[name] = fuzz_text(name, lines, read, options)
    print("| read | inputs | accepted | refused | escaped |\n|---|---|---|---|---|")
    for name, counts in rows.items():
        found = [counts[kind] for kind in ("accepted", "refused", "escaped")]
        print(f"| {name} | {sum(found):,} | {' | '.join(f'{n:,}' for n in found)} |")
    print(f"\nCode run from a pickle: {Caller.called} times.")
    unread = [name for name, counts in rows.items() if not counts["sound"]]
    if unread:
        print(f"Nothing sound was accepted of: {', '.join(unread)}.")
    escaped = any(counts["escaped"] for counts in rows.values())
    return int(escaped or Caller.called > 0 or bool(unread))


if __name__ == "__main__":
    sys.exit(main())
