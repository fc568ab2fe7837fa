"""Damage where it is read: bits flipped in files, and fields changed behind their checksums.

    python tests/faults/damage.py [--flips 600] [--submissions 3000] [--baselines 4000] [--seed 0]
        [--only NAME,...] [--journal damage.jsonl]

Every file is read as a user would have it read. What comes out is counted: ``refused`` in one
sentence, ``as it was`` (the figures of the sound file), ``to be done again`` (of a journal, without
its last entry), ``named`` (a fault of a submission), ``judged`` (a baseline that says of its task
what the task says), ``OTHER FIGURES``, ``ESCAPED`` (another error than the one sentence), or
``HANGS`` (stopped after ``--limit`` seconds). Exit code 1 if there is any in capitals; a reader
that refuses its sound file ends it. With a journal, the same command goes on where it was stopped.
``--plant`` breaks the readers on purpose, and must make it fail.
"""

from __future__ import annotations

import argparse
import bz2
import copy
import json
import pickle
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sound_files import archive, write_journal, zipped
from time_limit import HangsError, at_most

from hardware import tables
from hardware.measuring import read_measured
from nasbench_suite import load_space
from nasbench_suite.analysis.leaderboard import leaderboard
from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import Benchmark, Metric, load_benchmark, table
from nasbench_suite.benchmarks.nasbench201_archive import import_nasbench201
from nasbench_suite.benchmarks.nats_archive import import_nats
from nasbench_suite.benchmarks.surrogate import fit_surrogate, read_surrogate, write_surrogate
from nasbench_suite.benchmarks.table_file import read_benchmark, write_benchmark
from nasbench_suite.errors import SuiteError, printable
from nasbench_suite.files import journal as journals
from nasbench_suite.files.journal import Journal
from nasbench_suite.gate import Baseline, check, load_baseline, make_baseline, save_baseline
from nasbench_suite.runner import run
from nasbench_suite.runner.trial import Trial
from nasbench_suite.spaces import load_finite_space
from nasbench_suite.store import ResultStore, seals
from nasbench_suite.submissions import (
    Submission,
    make_submission,
    merge_submissions,
    read_submission,
    verify_submission,
)
from nasbench_suite.submissions.files import SUFFIX, write_submission
from nasbench_suite.tasks import make_task
from nasbench_suite.tasks.methods import make_method
from search_methods.graph_vae.checkpoint import embedded_checkpoint, load_model

Read = Callable[[Path], Any]


# -- what is read ----------------------------------------------------------------------------------


def figures_of_table(path: Path) -> Any:
    """All that a run reads of a benchmark."""
    found = read_benchmark(path)
    values = [found.values(name).tobytes() for name in sorted(found.metrics)]
    return values, found.metrics, found.checksum, found.space.name


def figures_of_archive(found: Benchmark) -> Any:
    """All that a table has of an archive."""
    return found.checksum, list(found.space.all_strings), found.about


def figures_of_costs(path: Path) -> Any:
    """All that is read of a table of costs."""
    found = tables.read_table(path, "nats-tss")
    values = {name: column.tobytes() for name, column in found.columns.items()}
    return values, found.indices.tolist(), found.facts, found.about, found.space.name


def answers_of(path: Path) -> Any:
    """What a surrogate answers, and what it says of itself."""
    found = read_surrogate(path)
    networks = [found.space.sample(np.random.default_rng(seed)) for seed in range(5)]
    return found.predict(networks, "top1").tobytes(), found.checksum, found.fits, found.about


def entries_of(path: Path) -> Any:
    """The entries of a journal of measurements, as text each."""
    read_measured(path)
    return [json.dumps(entry, sort_keys=True) for entry in Journal(path).entries()]


def new_search() -> Trial:
    """A search that has not begun."""
    task = make_task(load_benchmark("digits"))
    return Trial(task, make_method("darts", {"epochs": 2}), seed=0)


def state_of_search(path: Path) -> Any:
    """What a search goes on from."""
    trial = new_search()
    trial.load(path)
    session = {name: str(value) for name, value in trial.session.state().items()}
    return session, trial.method.checkpoint()


def weights_of(path: Path) -> Any:
    """All that is read of a model's checkpoint."""
    model, training = load_model(path, "nats-tss")
    weights = {name: value.numpy().tobytes() for name, value in model.state_dict().items()}
    return weights, vars(training), model.config


def results_of(path: Path) -> Any:
    """All that boards, reports and submissions read of a results file."""
    results = read_results(path)
    with ResultStore(path, read_only=True) as store:
        return (
            results.trials.to_json(double_precision=15),
            [task.model_dump_json() for task in results.tasks.values()],
            [method.model_dump_json() for method in store.methods()],
            store.incumbents().to_json(double_precision=15),
            [store.record(trial).signals.tobytes() for trial in results.trials["trial"]],
        )


# -- what is damaged -------------------------------------------------------------------------------


def flips(path: Path, read: Read, count: int, rng: np.random.Generator) -> Iterator[Read]:
    """The reading of the file with one bit flipped, so often; at the end it is sound again."""
    sound = path.read_bytes()
    for number in rng.integers(0, 8 * len(sound), size=count).tolist():
        flipped = bytearray(sound)
        flipped[number // 8] ^= 1 << number % 8
        path.write_bytes(flipped)
        yield read
    path.write_bytes(sound)


_VALUES = (
    None, True, 0, -1, 1, 2**31, 2**63, 10**400, 0.5, -1e300, float("nan"), float("inf"), "", "x",
    "\ud800", "\x1b[2J", "\u202e", "x" * 5000, [], [[]], [None], {}, {"a": {"b": [1]}},
    json.loads("[" * 30 + "]" * 30),
)  # fmt: skip


def changed(content: Any, rng: np.random.Generator) -> Any:
    """A copy of JSON with one to three values, anywhere, taken out, doubled or put another for.

    Mostly it is another of the same kind that stands elsewhere in it, so that its form holds.
    """
    content = json.loads(json.dumps(content))
    for _ in range(int(rng.integers(1, 4))):
        place, key = content, None
        for _ in range(12):
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = keys[int(rng.integers(len(keys)))]
            if not isinstance(place[key], dict | list) or not place[key] or rng.random() < 0.15:
                break
            place = place[key]
        if key is None or not place:
            continue
        what = rng.integers(10)
        if what == 0 and isinstance(place, dict):
            del place[key]
        elif what == 1 and isinstance(place, list):
            place.append(copy.deepcopy(place[key]))
        elif what in (2, 3) and isinstance(place[key], int | float):
            place[key] += int(rng.integers(-3, 4))
        elif what < 8:
            alike = [value for value in _parts(content) if type(value) is type(place[key])]
            place[key] = copy.deepcopy(alike[int(rng.integers(len(alike)))])
        else:
            place[key] = copy.deepcopy(_VALUES[int(rng.integers(len(_VALUES)))])
    return content


def _parts(content: Any) -> Iterator[Any]:
    """Everything within JSON."""
    for value in content.values() if isinstance(content, dict) else content:
        yield value
        if isinstance(value, dict | list):
            yield from _parts(value)


def few_of_digits() -> Benchmark:
    """A fortieth of digits, which is soon read."""
    digits = load_benchmark("digits")
    return digits.restricted(np.arange(0, digits.space.size, 40))


def kinds_of_files(
    folder: Path, store: Path, wanted: Callable[[str], bool]
) -> Iterator[tuple[str, Path, Read]]:
    """Every kind of file that the suite reads and that can tell its damage: name, file, reading.

    Args:
        folder: for the files.
        store: a results file.
        wanted: whether kinds of such names are, where making them takes long.
    """
    tss = load_finite_space("nats-tss")
    files = folder / "t.parquet"
    write_benchmark(few_of_digits(), files)
    yield "a benchmark", files, figures_of_table
    content = pq.read_table(files)
    metadata = json.loads(content.schema.metadata[b"nasbench_suite"])
    del metadata["columns"]
    kept = {b"nasbench_suite": json.dumps(metadata).encode()}
    pq.write_table(content.replace_schema_metadata(kept), files, compression="none")
    yield "a benchmark of an earlier version", files, figures_of_table
    yield "a results file", store, results_of
    submission, baseline = folder / f"s{SUFFIX}", folder / "b.json"
    make_submission(store, submission, author="A. Nobody")
    yield "a submission", submission, lambda path: read_submission(path).model_dump_json()
    save_baseline(make_baseline(store), baseline)
    yield "a baseline", baseline, lambda path: load_baseline(path).model_dump_json()
    costs = folder / "costs.parquet"
    tables.write_table(tables.counted_table(tss, "cifar10"), costs)
    yield "a table of costs", costs, figures_of_costs
    yield from archives(folder, list(tss.all_strings[:3]))
    mobile, surrogate = load_space("mnasnet"), folder / "surrogate.npz"
    networks = [mobile.sample(np.random.default_rng(seed)) for seed in range(60)]
    features = mobile.features(networks)
    accuracy = {"top1": features @ np.arange(features.shape[1])}
    metrics = {"top1": Metric("top1", dataset="imagenet", split="valid")}
    write_surrogate(fit_surrogate("s", mobile, networks, metrics, accuracy), surrogate)
    yield "a surrogate", surrogate, answers_of
    journal = folder / "j.jsonl"
    write_journal(journal)
    yield "a journal", journal, entries_of
    if find_spec("torch") and wanted("checkpoint"):
        search, model = folder / "c.npz", folder / "vae.npz"
        trial = new_search()
        trial.advance(steps=1)
        trial.save(search)
        yield "a checkpoint of a search", search, state_of_search
        model.write_bytes(embedded_checkpoint("nats-tss").read_bytes())
        yield "a checkpoint of a model", model, weights_of


def archives(folder: Path, cells: list[str]) -> Iterator[tuple[str, Path, Read]]:
    """Official archives in their packings, which have checksums; a bare pickle has none."""
    excerpt = pickle.dumps(archive(cells), protocol=4)
    nats, nasbench201 = folder / "NATS-tss.pickle.pbz2", folder / "NAS-Bench-201.pth"
    nats.write_bytes(bz2.compress(excerpt))
    nasbench201.write_bytes(zipped(excerpt))
    yield (
        "NATS-Bench's archive",
        nats,
        lambda path: figures_of_archive(import_nats(path, partial=True)),
    )
    yield (
        "NAS-Bench-201's archive",
        nasbench201,
        lambda path: figures_of_archive(import_nasbench201(path, partial=True)),
    )


def submissions(
    benchmark: Benchmark, path: Path, how_many: int, rng: np.random.Generator
) -> Iterator[Read]:
    """Submissions with fields changed behind the checksum, verified and put on a board."""
    store = path.with_name("own.sqlite")
    run(benchmark, "random,local-search", seeds=range(3), evaluations=20, store=store)
    whole = json.loads(make_submission(store, path, author="A. Nobody").model_dump_json())
    merged = path.with_name("merged.sqlite")

    def read(path: Path) -> str:
        submission = read_submission(path)
        texts = [one for one in _parts(submission.model_dump()) if isinstance(one, str)]
        if not all(len(one) <= 1000 and one.replace("\n", "").isprintable() for one in texts):
            return "a text that is too long or cannot be shown"
        verified = verify_submission(submission, load=lambda _: benchmark)
        if not verified.accepted:
            return "named"
        for place, result in verified.results.items():
            claimed, so = submission.trials[place].reports, result.incumbents.reports
            if len(claimed) != len(so) or not np.allclose(claimed, so, rtol=1e-6, atol=0):
                return "claims that are not the table's"
        merged.unlink(missing_ok=True)
        merge_submissions(path.parent, merged, load=lambda _: benchmark)
        board = leaderboard(merged).to_csv()
        # What nobody can check may be anything that can be shown; figures may not.
        return "sound" if printable(board, len(board)) == board else "what cannot be shown"

    for _ in range(how_many):
        content = changed(whole, rng)
        made_up = Submission.model_construct(**content)
        object.__setattr__(made_up, "model_dump", lambda content=content: content)
        write_submission(made_up, path)
        yield read


def baselines(store: Path, path: Path, how_many: int, rng: np.random.Generator) -> Iterator[Read]:
    """Baselines with fields changed behind the checksum, checked against their results."""
    results, whole = read_results(store), json.loads(path.read_text())
    known = {entry.method: entry for entry in load_baseline(path).entries}

    def read(path: Path) -> str:
        found = load_baseline(path)
        check(results, found)
        for entry in found.entries:
            sound = known[entry.method]
            if (entry.direction, entry.noise_floor) != (sound.direction, sound.noise_floor):
                return "another direction or noise floor than the task's"
        return "judged"

    for _ in range(how_many):
        content = changed(whole, rng)
        path.write_text(json.dumps(content))
        with suppress(ValueError, TypeError):
            save_baseline(Baseline.model_validate(content), path)  # with the checksum of all this
        yield read


def damages(
    folder: Path, store: Path, options: argparse.Namespace
) -> Iterator[tuple[str, Path, Iterable[Read], Any]]:
    """Each kind of damage: its name, the file, readings of it damaged, and what is so."""

    def rng(name: str) -> np.random.Generator:
        return np.random.default_rng([options.seed, zlib.crc32(name.encode())])

    def wanted(kind: str) -> bool:
        return kind in options.only or options.only in f"one bit of a {kind} of"

    for kind, path, read in kinds_of_files(folder, store, wanted):
        name = f"one bit of {kind}"
        yield name, path, flips(path, read, options.flips, rng(name)), read(path)
    submission, baseline = folder / "own" / f"s{SUFFIX}", folder / "b.json"
    submission.parent.mkdir()
    name = "fields of a submission, checksum right"
    readings = submissions(few_of_digits(), submission, options.submissions, rng(name))
    yield name, submission, readings, "sound"
    name = "fields of a baseline, checksum right"
    save_baseline(make_baseline(store), baseline)
    yield name, baseline, baselines(store, baseline, options.baselines, rng(name)), "judged"


# -- what comes out --------------------------------------------------------------------------------


def count(readings: Iterable[Read], path: Path, truth: Any, limit: float) -> Counter[str]:
    """What came of each reading."""
    counts: Counter[str] = Counter()
    for read in readings:
        try:
            with at_most(limit):
                found = read(path)
        except HangsError:
            counts["HANGS"] += 1
        except SuiteError as error:
            one_line = str(error).strip() and "\n" not in str(error)
            counts["refused" if one_line else "ESCAPED"] += 1
            if not one_line:
                print(f"no sentence: {str(error)!r}", file=sys.stderr)
        except Exception:
            counts["ESCAPED"] += 1
            if counts["ESCAPED"] <= 3:
                print(traceback.format_exc(limit=-3), file=sys.stderr)
        else:
            counts[_told(found, truth)] += 1
    return counts


def _told(found: Any, truth: Any) -> str:
    if isinstance(found, str) and found in ("named", "judged"):
        return found
    if found == truth:
        return "as it was"
    if isinstance(truth, list) and found == truth[:-1]:
        return "to be done again"
    print(f"other: {str(found)[:300]}", file=sys.stderr)
    return "OTHER FIGURES"


def plant() -> None:
    """Break what compares, so that damage goes through."""
    table._compare = lambda *_: None
    journals._checksum = lambda entry, first=0: 0
    seals.seal_rows = lambda columns, kinds: np.zeros(  # type: ignore[assignment]
        len(columns[next(iter(kinds))]), np.uint64
    )


def main() -> int:
    """Damage all; 1 if anything was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--flips", type=int, default=600, help="of each kind of file")
    parser.add_argument("--submissions", type=int, default=3000)
    parser.add_argument("--baselines", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=30.0, help="seconds for one input")
    parser.add_argument("--only", default="", help="kinds of damage whose names hold this")
    parser.add_argument("--journal", type=Path, help="go on with what is noted there")
    parser.add_argument("--plant", action="store_true")
    options = parser.parse_args()
    asked = {name: getattr(options, name) for name in ("flips", "submissions", "baselines", "seed")}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        kept = Journal(options.journal or folder / "damage.jsonl")
        rows = {
            entry["name"]: Counter(entry["counts"])
            for entry in kept.entries()
            if entry["asked"] == asked
        }
        if options.plant:
            plant()
        store = folder / "r.sqlite"
        run("digits", "random,local-search", seeds=range(10), evaluations=50, store=store)
        for name, path, readings, truth in damages(folder, store, options):
            if name in rows or options.only not in name:
                continue
            start = time.monotonic()
            rows[name] = count(readings, path, truth, options.limit)
            with kept.appending() as note:
                note({"name": name, "counts": rows[name], "asked": asked})
            took = time.monotonic() - start
            print(f"{name}: {dict(rows[name])}, {took:.0f} s", file=sys.stderr, flush=True)
    print("| damage | inputs | what came out |\n|---|---|---|")
    for name, counts in rows.items():
        shown = ", ".join(f"{number:,} {what}" for what, number in sorted(counts.items()))
        print(f"| {name} | {counts.total():,} | {shown} |")
    return int(any(what.isupper() for counts in rows.values() for what in counts))


if __name__ == "__main__":
    sys.exit(main())
