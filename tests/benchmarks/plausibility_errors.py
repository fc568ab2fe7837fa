"""How often the plausibility check is wrong: real tables in order, and misordered in ten ways.

``python tests/benchmarks/plausibility_errors.py FOLDER`` prints the first table of
``docs/data.md`` for the folder of real figures that the tests take by the fixture ``shared_data``:
the tables that the bounds were chosen on. ``python tests/benchmarks/plausibility_errors.py
--others NAME...`` prints the second for benchmarks at hand, as ``examples/import_real_tables.py``
imports them: tables that no bound was chosen on.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nasbench_suite import load_benchmark
from nasbench_suite.benchmarks.columns import infer_facts
from nasbench_suite.benchmarks.encodings import numberings, vector_encodings
from nasbench_suite.benchmarks.plausibility import Check, exchanged
from nasbench_suite.spaces import FiniteSpace, load_finite_space
from nasbench_suite.spaces.finite import FiniteProductSpace

Rows = NDArray[np.int64]


def columns(folder: Path) -> Iterator[tuple[str, FiniteProductSpace, str, Rows, NDArray]]:
    """Space, column, quantity, architectures and figures of every outcome and cost."""
    cells, networks = load_finite_space("nats-tss"), load_finite_space("nasbench-macro")
    names = ("accuracy", "valid_200_and_cost", "latency_ms", "hw_nas_bench", "pi5")
    for file, space in [(f"nasbench201/{name}", cells) for name in names] + [
        ("nasbench_macro/accuracy", networks)
    ]:
        frame = pd.read_parquet(folder / f"{file}.parquet")
        named = "arch_str" if "arch_str" in frame else "arch_index"
        rows = space.indices(frame[named].tolist())
        for name, values in frame.select_dtypes("number").items():
            known = infer_facts(str(name)).get("quantity")
            guess = {"latency_ms": "latency", "hw_nas_bench": "latency"}.get(file.split("/")[1])
            quantity = "accuracy" if "_test_" in str(name) else known or guess
            if str(name).endswith("_std"):
                continue
            figures = values.to_numpy(np.float64)
            if quantity and not str(name).startswith("arch") and "intensity" not in str(name):
                yield (
                    f"{file}: {name}",
                    space,
                    quantity,
                    rows,
                    np.where(figures > 0, figures, np.nan),
                )


def misorderings(space: FiniteProductSpace) -> dict[str, Callable[[Rows], Rows]]:
    """Ten ways to put figures beside other architectures, each a permutation of indices."""
    ways: dict[str, Callable[[Rows], Rows]] = {
        "shuffled": lambda rows: np.random.default_rng(0).permutation(space.size)[rows],
    }
    for encoding in numberings(space)[1:]:
        if encoding.name in ("lexicographic-naslib",) and space.name != "nats-tss":
            continue
        decoded = encoding.decode(space, np.arange(space.size))
        if not np.array_equal(decoded, np.arange(space.size)):
            ways[f"rows {encoding.name}"] = lambda rows, to=decoded: to[rows]
    for encoding in vector_encodings(space)[1:]:
        decoded = encoding.decode(space, space.all_vectors.astype(np.int64))
        ways[f"vectors {encoding.name}"] = lambda rows, to=decoded: to[rows]
    return ways


def is_warned_of(space: FiniteSpace, rows: Rows, values: NDArray, quantity: str) -> bool | None:
    """Whether a column is warned of at import; None where nothing can be said of it."""
    found = Check(space, rows).judge(values, quantity)
    if found is None:
        return None
    return not found.plausible or exchanged(space, rows, {"it": (quantity, values)}) is not None


def ways_of_rows(size: int, strings: Sequence[str]) -> dict[str, Rows]:
    """Ten ways to put the rows of any table beside other architectures of it."""
    rng, order = np.random.default_rng(0), np.arange(size)
    fifth = rng.permutation(size)[: size // 5]
    swapped = order.copy()
    swapped[fifth] = rng.permutation(fifth)
    ways = {
        "shuffled": rng.permutation(size),
        "sorted by strings": np.argsort(np.array(strings), kind="stable"),
        "sorted by the index as text": np.array(sorted(range(size), key=str)),
        "the last first": order[::-1],
        "one row late": np.roll(order, 1),
        "one row early": np.roll(order, -1),
        "a hundred rows late": np.roll(order, 100),
        "halves exchanged": np.roll(order, size // 2),
        "every other row first": np.concatenate([order[::2], order[1::2]]),
        "a fifth of the rows shuffled": swapped,
    }
    return {way: rows for way, rows in ways.items() if not np.array_equal(rows, order)}


def others(names: Sequence[str]) -> None:
    """Print the columns warned of in benchmarks at hand, in order and misordered in ten ways."""
    print("| table | rows | columns | in order | misordered: least, most | not seen |")
    print("|---|---|---|---|---|---|")
    for name in names:
        benchmark = load_benchmark(name)
        space = benchmark.space
        judged: dict[str, list[bool]] = {}
        ways = ways_of_rows(space.size, [space.string(index) for index in range(space.size)])
        for way, rows in {"in order": np.arange(space.size), **ways}.items():
            for metric in benchmark.metrics.values():
                values = benchmark.values(metric.name)
                warned = is_warned_of(space, rows, values, metric.quantity)
                if warned is not None:
                    judged.setdefault(way, []).append(warned)
        if not judged:
            print(f"| `{name}` | {space.size:,} | 0 | - | - | - |")
            continue
        right, wrong = judged.pop("in order"), {way: sum(one) for way, one in judged.items()}
        unseen = [f"{way} ({wrong[way]})" for way in wrong if wrong[way] < len(right)]
        print(
            f"| `{name}` | {space.size:,} | {len(right)} | {sum(right)} | "
            f"{min(wrong.values())}, {max(wrong.values())} | {'; '.join(unseen) or 'none'} |"
        )


def main(folder: Path) -> None:
    """Print, for each way and kind of figure, how many columns are warned of."""
    counts: dict[tuple[str, str, str], list[bool]] = {}
    for name, space, quantity, rows, values in columns(folder):
        kind = "accuracy" if quantity in ("accuracy", "error", "loss") else "cost"
        ways = {"in order": lambda rows: rows, **misorderings(space)}
        for way, move in ways.items():
            warned = is_warned_of(space, move(rows), values, quantity)
            counts.setdefault((space.name, way, kind), []).append(bool(warned))
            if way == "in order" and warned:
                print(f"false alarm: {name}", file=sys.stderr)
    print("| space | order | accuracies warned of | costs warned of |\n|---|---|---|---|")
    for space_name, way in dict.fromkeys((space, way) for space, way, _ in counts):
        cells = [counts.get((space_name, way, kind), []) for kind in ("accuracy", "cost")]
        shown = [f"{sum(one)} of {len(one)}" if one else "-" for one in cells]
        print(f"| `{space_name}` | {way} | {shown[0]} | {shown[1]} |")


if __name__ == "__main__":
    if sys.argv[1] == "--others":
        others(sys.argv[2:])
    else:
        main(Path(sys.argv[1]))
