"""What a file would become, and what speaks against it, before it is imported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.importing import (
    Imported,
    import_table,
    is_string_of,
    read_spelled,
)
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.plausibility import Check
from nasbench_suite.benchmarks.quantities import COSTS
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import read_frame
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace, SearchSpace, list_spaces, load_space
from nasbench_suite.statistics.correlation import spearman

_BARS = " ▁▂▃▄▅▆▇█"
_WIDTH, _HEIGHT = 60, 12


def examine(path: Path, space: str | None = None, **arguments: Any) -> str:
    """A report on a file in about a screenful.

    Args:
        path: a table, in any way that ``files.frames`` reads.
        space: the space of its architectures; found by its strings if left out.
        arguments: as ``import_table`` takes them.

    Returns:
        Lines: the columns, what each is taken for, its distribution, the three measures of the
        plausibility check, what is left out and why, hints and warnings, or why the file cannot be
        imported, and a picture of the first accuracy against the first cost.

    Raises:
        SuiteError: the file cannot be read, or no space is said and none fits.
    """
    file = read_frame(path)
    frame = file.frame
    lines = [f"{path.name}: {counted(len(frame), 'row')}, {counted(frame.shape[1], 'column')}"]
    where = load_space(space) if space else _find_space(path)
    size = (
        f"{where.size:,} architectures" if isinstance(where, FiniteSpace) else "too large to list"
    )
    lines.append(f"space: {where.name}, {size}")
    try:
        imported = import_table(path, "examined", where, **{"force": True, **arguments})
    except SuiteError as error:
        return "\n".join([*lines, f"cannot be imported: {error}"])
    lines += _metrics(imported)
    lines += [f"left out {column}: {why}" for column, why in imported.left_out.items()]
    lines += [*imported.hints, *imported.warnings, *_refusal(path, where, arguments)]
    return "\n".join([*lines, *_accuracy_against_cost(imported)])


def _refusal(path: Path, space: SearchSpace, arguments: dict[str, Any]) -> list[str]:
    """Why the file is not imported without ``--force``; nothing where it is."""
    try:
        import_table(path, "examined", space, **arguments)
    except SuiteError as error:
        return [f"not imported without --force: {error}"]
    return []


def _find_space(path: Path) -> SearchSpace:
    """The first space that any column holds strings of."""
    for name in list_spaces():
        try:
            space = load_space(name)
            frame = read_spelled(path, space).frame
        except SuiteError:
            continue
        if any(is_string_of(space, frame[column].iloc[0]) for column in frame.columns):
            return space
    raise SuiteError(
        f"{path} has no strings of any space known: say which it is with --space, one of "
        f"{', '.join(list_spaces())}."
    )


def _metrics(imported: Imported[Benchmark]) -> list[str]:
    benchmark = imported.benchmark
    check = Check(benchmark.space, np.arange(benchmark.space.size))
    width = max(map(len, benchmark.metrics))
    lines = []
    for metric in benchmark.metrics.values():
        values = benchmark.values(metric.name)
        judged = check.judge(values, metric.quantity)
        measures = ""
        if judged is not None:
            named = {"twins": judged.twins, "sums": judged.sums, "size": judged.size}
            known = [f"{name} {value:.2f}" for name, value in named.items() if value == value]
            measures = ", ".join(known) + ("" if judged.plausible else "  <- implausible")
        of = " ".join(filter(None, [metric.dataset, metric.split, metric.device]))
        epochs = f" {counted(metric.epochs, 'epoch')}" if metric.epochs else ""
        lines.append(
            f"{metric.name:<{width}}  {metric.quantity} {metric.unit} {of}{epochs}".rstrip()
        )
        low, high = np.nanmin(values), np.nanmax(values)
        lines.append(f"{'':<{width}}  {low:.4g} {_distribution(values)} {high:.4g}  {measures}")
    return lines


def _distribution(values: NDArray[np.float64]) -> str:
    counts, _ = np.histogram(values[np.isfinite(values)], bins=30)
    heights = np.ceil(counts / counts.max() * (len(_BARS) - 1)).astype(int)
    return "".join(_BARS[height] for height in heights)


def _accuracy_against_cost(imported: Imported[Benchmark]) -> list[str]:
    """A picture in text, darker where there are more architectures."""
    metrics = list(imported.benchmark.metrics.values())
    outcome = _first(metrics, lambda one: one.quantity == "accuracy")
    cost = _first(metrics, lambda one: one.quantity in COSTS)
    if outcome is None or cost is None:
        return []
    y, x = (imported.benchmark.values(one.name) for one in (outcome, cost))
    both = np.isfinite(x) & np.isfinite(y)
    counts, _, _ = np.histogram2d(y[both], x[both], bins=(_HEIGHT, _WIDTH))
    shades = np.ceil(np.log1p(counts) / np.log1p(counts.max()) * (len(_BARS) - 1)).astype(int)
    rows = ["".join(_BARS[shade] for shade in row) for row in shades[::-1]]
    title = (
        f"{outcome.name} (up) against {cost.name} (right), rank correlation "
        f"{spearman(x[both], y[both]):.2f}"
    )
    return [title, *(f"|{row}" for row in rows)]


def _first(metrics: Sequence[Metric], wanted: Any) -> Metric | None:
    return next((one for one in metrics if wanted(one)), None)
