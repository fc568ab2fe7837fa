"""Surrogates by name: fitted to a table at hand, and kept beside the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_suite.benchmarks.library import (
    SURROGATE_SUFFIX,
    Listed,
    benchmark_home,
    free_path,
    load_benchmark,
    surrogate_path,
)
from nasbench_suite.benchmarks.open import OpenBenchmark, describe_open, is_open, load_open
from nasbench_suite.benchmarks.surrogate import (
    Surrogate,
    fit_surrogate,
    read_surrogate,
    write_surrogate,
)
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.spaces import PoolSpace


def known_surrogates() -> list[str]:
    """The names that ``load_surrogate`` knows."""
    files = benchmark_home().glob(f"*{SURROGATE_SUFFIX}")
    return sorted(path.name.removesuffix(SURROGATE_SUFFIX) for path in files)


def load_surrogate(what: str, space: str | None = None) -> Surrogate:
    """The surrogate of that name, or in that file; what ``surrogate:WHAT`` asks for.

    Raises:
        SuiteError: there is none, it is damaged, or of another space.
    """
    path = Path(what)
    if what in known_surrogates():
        return replace(read_surrogate(surrogate_path(what), space), name=what)
    if path.is_file():
        return read_surrogate(path, space)
    raise SuiteError(
        f"{choose_from('surrogate', what, known_surrogates())} (`nasbench data fit-surrogate "
        f"TABLE --name {what}` makes one.)"
    )


def list_surrogates() -> list[Listed]:
    """The surrogates at hand; they answer for any architecture and have no rows."""
    return [_listed(name) for name in known_surrogates()]


def _listed(name: str) -> Listed:
    path = surrogate_path(name)
    try:
        found = load_surrogate(name)
    except SuiteError as error:
        return Listed(name, path, fault=str(error))
    fitted = found.about.get("fitted to")
    return Listed(
        name,
        path,
        found.space.name,
        tuple(found.datasets),
        len(found.metrics),
        size=path.stat().st_size,
        source=f"surrogate fitted to {fitted}"
        if fitted
        else str(found.about.get("source", "unknown")),
    )


def describe_surrogate(surrogate: Surrogate) -> dict[str, Any]:
    """What there is to know of a surrogate, as JSON-able values.

    Returns:
        ``name``, ``space``, ``checksum``, ``about``, ``metrics`` (for each its ``Metric`` fields),
        and ``fits`` (for each metric the fields of ``Fit``).
    """
    return {
        **describe_open(surrogate),
        "fits": {name: asdict(fit) for name, fit in surrogate.fits.items()},
    }


def load_any(name_or_path: str | Path, space: str | None = None) -> Benchmark | OpenBenchmark:
    """The table or the surrogate of that name, or in that file, or what ``kind:what`` asks for.

    Args:
        name_or_path: a name, a file, or such as ``live:digits``.
        space: the space that an open benchmark shall answer for, where it has a choice.

    Raises:
        SuiteError: there is none, or its file is damaged.
    """
    text = str(name_or_path)
    if is_open(text):
        return load_open(text, space)
    if text in known_surrogates() or text.endswith(SURROGATE_SUFFIX):
        return load_surrogate(text)
    return load_benchmark(name_or_path)


def make_surrogate(
    table: str | Path | Benchmark,
    name: str,
    metrics: Sequence[str] | None = None,
    *,
    seed: int = 0,
    overwrite: bool = False,
) -> Surrogate:
    """Fit a surrogate to a table and keep it under a name.

    Args:
        table: a benchmark, its name or its file, of a part of a space or of all.
        name: of the surrogate.
        metrics: what it shall predict; all metrics of the table if left out.
        seed: of the folds and of the trees.
        overwrite: replace a surrogate of that name.

    Raises:
        SuiteError: see ``fit_surrogate``; or an unknown metric, or the name is taken or no name.
    """
    target = free_path(name, overwrite, SURROGATE_SUFFIX)
    benchmark = table if isinstance(table, Benchmark) else load_benchmark(table)
    chosen = list(benchmark.metrics) if metrics is None else benchmark.named(metrics)
    pool = benchmark.space
    surrogate = fit_surrogate(
        name,
        pool.base if isinstance(pool, PoolSpace) else pool,
        pool.members if isinstance(pool, PoolSpace) else np.arange(pool.size).tolist(),
        {metric: benchmark.metric(metric) for metric in chosen},
        {metric: benchmark.values(metric) for metric in chosen},
        seed=seed,
        about={
            **benchmark.about,
            "fitted to": f"{benchmark.name}, {pool.size:,} architectures",
            "checksum of the table": benchmark.checksum,
        },
    )
    write_surrogate(surrogate, target)
    return surrogate
