"""Damage where it is read: bits flipped in files, and fields changed behind their checksums.

    python tests/faults/damage.py [--flips 600] [--submissions 3000] [--baselines 4000] [--seed 0]

Every file is read as a user would have it read. What comes out is counted: ``refused`` in one
sentence, ``as it was`` (the figures of the sound file), ``named`` (a fault of a submission),
``OTHER FIGURES``, ``ESCAPED`` (another error than the one sentence), or ``SLOW`` (more than
``--limit`` seconds). Exit code 1 if there is any in capitals; a reader that refuses its sound file
ends it. ``--plant`` breaks the readers on purpose, and must make it fail.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import load_benchmark, table
from nasbench_suite.benchmarks.table import read_benchmark, write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.gate import load_baseline, make_baseline, save_baseline
from nasbench_suite.runner import run
from nasbench_suite.store import ResultStore, seals
from nasbench_suite.submissions import (
    Submission,
    make_submission,
    read_submission,
    verify_submission,
)
from nasbench_suite.submissions.files import SUFFIX, write_submission

Read = Callable[[Path], Any]


def figures_of_table(path: Path) -> Any:
    """All that a run reads of a benchmark."""
    found = read_benchmark(path)
    values = [found.values(name).tobytes() for name in sorted(found.metrics)]
    return values, found.metrics, found.checksum, found.space.name


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
    """A copy of JSON with one to three values, anywhere, taken out, doubled or put another for."""
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
        what = rng.integers(4)
        if what == 0 and isinstance(place, dict):
            del place[key]
        elif what == 1 and isinstance(place, list):
            place.append(copy.deepcopy(place[key]))
        elif what == 2 and isinstance(place[key], int | float):
            place[key] += int(rng.integers(-3, 4))
        else:
            place[key] = copy.deepcopy(_VALUES[int(rng.integers(len(_VALUES)))])
    return content


def count(readings: Iterator[Read], path: Path, truth: Any, limit: float) -> Counter[str]:
    """What came of each reading."""
    counts: Counter[str] = Counter()
    for read in readings:
        start = time.monotonic()
        try:
            found = read(path)
        except SuiteError as error:
            one_line = str(error).strip() and "\n" not in str(error)
            counts["refused" if one_line else "ESCAPED"] += 1
        except Exception:
            counts["ESCAPED"] += 1
            if counts["ESCAPED"] <= 3:
                print(traceback.format_exc(limit=-3), file=sys.stderr)
        else:
            named = isinstance(found, str) and found == "named"
            counts["named" if named else "as it was" if found == truth else "OTHER FIGURES"] += 1
        if time.monotonic() - start > limit:
            counts["SLOW"] += 1
    return counts


def plant() -> None:
    """Break what compares, so that damage goes through."""
    table._compare = lambda *_: None
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
    parser.add_argument("--plant", action="store_true")
    options = parser.parse_args()
    rng, rows = np.random.default_rng(options.seed), {}
    digits = load_benchmark("digits")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        small = digits.restricted(np.arange(0, digits.space.size, 40))
        store, files = folder / "r.sqlite", folder / "t.parquet"
        run(digits, "random,local-search", seeds=range(10), evaluations=50, store=store)
        if options.plant:
            plant()
            store.unlink()
            run(digits, "random,local-search", seeds=range(10), evaluations=50, store=store)

        def flip(name: str, path: Path, read: Read) -> None:
            truth = read(path)
            readings = flips(path, read, options.flips, rng)
            rows[f"one bit of {name}"] = count(readings, path, truth, options.limit)
            print(name, dict(rows[f"one bit of {name}"]), file=sys.stderr, flush=True)

        write_benchmark(small, files)
        flip("a benchmark", files, figures_of_table)
        content = pq.read_table(files)
        metadata = json.loads(content.schema.metadata[b"nasbench_suite"])
        del metadata["columns"]
        kept = {b"nasbench_suite": json.dumps(metadata).encode()}
        pq.write_table(content.replace_schema_metadata(kept), files, compression="none")
        flip("a benchmark of an earlier version", files, figures_of_table)
        flip("a results file", store, results_of)
        submission, baseline = folder / f"s{SUFFIX}", folder / "b.json"
        sound = make_submission(store, submission, author="A. Nobody")
        flip("a submission", submission, lambda path: read_submission(path).model_dump_json())
        save_baseline(make_baseline(store), baseline)
        flip("a baseline", baseline, lambda path: load_baseline(path).model_dump_json())

        def verified(path: Path) -> str:
            found = verify_submission(read_submission(path), load=lambda _: digits)
            return "sound" if found.accepted else "named"

        def submissions() -> Iterator[Read]:
            whole = json.loads(sound.model_dump_json())
            for _ in range(options.submissions):
                content = changed(whole, rng)
                made_up = Submission.model_construct(**content)
                object.__setattr__(made_up, "model_dump", lambda content=content: content)
                write_submission(made_up, submission)
                # What nobody can check may be anything: it is as it was, with other words.
                yield verified

        assert verified(submission) == "sound"
        rows["fields of a submission, checksum right"] = count(
            submissions(), submission, "sound", options.limit
        )
        print(dict(rows["fields of a submission, checksum right"]), file=sys.stderr)
        truth = load_baseline(baseline).model_dump_json()
        whole = json.loads(baseline.read_text())

        def baselines() -> Iterator[Read]:
            for _ in range(options.baselines):
                baseline.write_text(json.dumps(changed(whole, rng)))
                yield lambda path: load_baseline(path).model_dump_json()

        rows["fields of a baseline"] = count(baselines(), baseline, truth, options.limit)
    print("| damage | inputs | what came out |\n|---|---|---|")
    for name, counts in rows.items():
        inputs = counts.total() - counts["SLOW"]
        told = ", ".join(f"{number:,} {what}" for what, number in sorted(counts.items()))
        print(f"| {name} | {inputs:,} | {told} |")
    return int(any(what.isupper() and n for c in rows.values() for what, n in c.items()))


if __name__ == "__main__":
    sys.exit(main())
