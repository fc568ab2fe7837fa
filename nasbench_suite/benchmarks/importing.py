"""Importing tables: any file that ``files.frames`` reads, in any row order.

``columns`` says how the columns are understood. Text, and numbers that nothing describes, are
left out and named in what ``import_table`` returns.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.columns import (
    COSTS_KEY,
    ColumnFacts,
    ColumnGroup,
    MetadataFile,
    group_columns,
    infer_facts,
    is_index,
    label_of,
    reason_of,
    said_of,
)
from nasbench_suite.benchmarks.doubtful import doubtful_figures
from nasbench_suite.benchmarks.encodings import (
    Integers,
    check_encoding,
    find_encoding,
    numberings,
    vector_encodings,
)
from nasbench_suite.benchmarks.long_form import refuse_long_form
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.noise import are_copied
from nasbench_suite.benchmarks.plausibility import (
    Reading,
    compare_readings,
    describe,
    doubt,
    fits_better,
    fitting,
)
from nasbench_suite.benchmarks.quantities import (
    QUANTITIES,
    check_named_unit,
    check_unit,
    impossible,
    says_no_unit,
)
from nasbench_suite.benchmarks.structures import hw_nas_bench_facts, spelled
from nasbench_suite.benchmarks.table import REASONS, Benchmark, make_benchmark
from nasbench_suite.errors import SuiteError, and_more, choose_from, refused
from nasbench_suite.files.frames import ARCHITECTURE, FrameFile, read_frame
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import (
    FiniteSpace,
    PoolSpace,
    SearchSpace,
    list_spaces,
    load_space,
)

if TYPE_CHECKING:
    import pandas as pd

FEW_VALUES = 0.01
"""A latency or energy with fewer distinct values than this share of the rows is quantised."""

# Strings come first: they mean the same whatever order a source numbers its architectures in.
_ARCHITECTURE_COLUMNS = (
    *("arch_str", ARCHITECTURE, "arch", "arch_string", "cell"),
    *("arch_index", "architecture_index", "arch_id", "index"),
)

_PER_FUNCTION = ("accuracy", "loss", "latency", "energy")
HELP_SUFFIX = ".pt"
_LOOKED_AT = 20  # rows
_VECTOR = re.compile(r"\(\d+(,\d+)*,?\)|\[\d+(,\d+)*\]")
NO_FIGURE = -1
"""What stands for a figure that is not there, where a table or the user says so."""
_Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Imported:
    """An imported benchmark, and what the user should be told of it.

    Attributes:
        benchmark: the benchmark.
        left_out: columns that did not become metrics, as ``file: column``, and why.
        hints: sentences on what was found, and how to say otherwise.
        warnings: sentences on figures that can hardly belong to their architectures.
    """

    benchmark: Benchmark
    left_out: Mapping[str, str] = field(default_factory=dict)
    hints: Sequence[str] = ()
    warnings: Sequence[str] = ()


def import_table(
    path: Path,
    name: str,
    space: SearchSpace,
    *,
    metadata: MetadataFile | None = None,
    latency: Sequence[Path] = (),
    arch_column: str | None = None,
    in_index_order: bool = False,
    encoding: str | None = None,
    force: bool = False,
    partial: bool = False,
) -> Imported:
    """Make a benchmark of a table.

    A seed column that ``metadata`` names exactly is set aside: it becomes a metric of its own
    and leaves the mean of the others. So a table with test accuracies alone gets an honest
    search signal, a training that does not enter the reported figure, by
    ``cifar10_test_seed0:split=valid``.

    Args:
        path: the table.
        name: name of the benchmark.
        space: the space of its architectures.
        metadata: facts on metrics, which override what the names of columns tell.
        latency: further tables, whose undescribed numbers are latencies in ms, of the device
            that the column is named by.
        arch_column: the column with the architecture; found by name or content if left out.
        in_index_order: the table has no such column, row ``i`` is architecture ``i``.
        encoding: how numbers and vectors are meant; see ``encodings``. Where it is not said,
            vectors are read in the one that the figures fit, and numbers as indices.
        force: import figures that fit another order or encoding of the architectures better.
        partial: the table is of a sample of the space: the benchmark is over the pool of what is
            there, and a cell left empty is a figure not measured. So are all tables of a space
            too large to list.

    Raises:
        SuiteError: a file cannot be read, architectures are missing, unknown or repeated with
            other figures, a figure is not finite or not possible, no metric is left, or the
            figures fit another order of the architectures and not this one.
    """
    file = read_spelled(path, space)
    file, listed, arch_column = _listed(path, file, space, arch_column, partial)
    importer = _Importer(listed, metadata or MetadataFile(), encoding, force)
    importer.add(path, file, arch_column=arch_column, in_index_order=in_index_order)
    for source in latency:
        for one in tables_in(source):
            importer.add(one, read_spelled(one, listed), are_latencies=True)
    return importer.finish(name, {"source": path.name})


def import_frame(
    frame: pd.DataFrame,
    name: str,
    space: SearchSpace,
    *,
    metadata: MetadataFile | None = None,
    arch_column: str | None = None,
    in_index_order: bool = False,
    encoding: str | None = None,
    force: bool = False,
    partial: bool = False,
) -> Imported:
    """Make a benchmark of a data frame, with the checks of ``import_table``."""
    renamed, notes = spelled(frame.rename(columns=str), space)
    source, file = Path("the data frame"), FrameFile(renamed, notes=notes)
    file, listed, arch_column = _listed(source, file, space, arch_column, partial)
    importer = _Importer(listed, metadata or MetadataFile(), encoding, force)
    importer.add(source, file, arch_column=arch_column, in_index_order=in_index_order)
    return importer.finish(name, {})


def benchmark_from_frame(
    frame: pd.DataFrame, space: str | SearchSpace, name: str = "frame", **arguments: Any
) -> Benchmark:
    """A benchmark of a data frame, with the checks of ``nasbench data import``.

    Warns of what an import prints.

    Args:
        frame: a row an architecture, with a column of architectures, and columns named as
            ``nasbench data import`` knows them.
        space: the space, or its name.
        name: of the benchmark.
        arguments: further ones of ``import_frame``, such as ``encoding``, or ``partial`` for a
            sample.

    Raises:
        SuiteError: see ``import_table``.
    """
    where = load_space(space) if isinstance(space, str) else space
    imported = import_frame(frame, name, where, **arguments)
    for told in (*imported.hints, *imported.warnings):
        warnings.warn(told, stacklevel=2)
    return imported.benchmark


def add_latencies(
    benchmark: Benchmark,
    latency: Sequence[Path],
    metadata: MetadataFile | None = None,
    *,
    encoding: str | None = None,
    force: bool = False,
) -> Imported:
    """A benchmark with the columns of latency tables beside its own; see ``import_table``."""
    importer = _Importer(benchmark.space, metadata or MetadataFile(), encoding, force)
    for metric in benchmark.metrics.values():
        importer.metrics[metric.name] = replace(metric, **said_of(metric.name, importer.facts))
        if (codes := benchmark.reasons(metric.name)) is not None:
            importer.gaps[metric.name] = codes
    importer.columns.update(benchmark.columns)
    for file in latency:
        for one in tables_in(file):
            importer.add(one, read_spelled(one, benchmark.space), are_latencies=True)
    return importer.finish(benchmark.name, benchmark.about)


def tables_in(path: Path) -> list[Path]:
    """The files meant by a path: of a folder of HELP's its ``device.pt``, a device each."""
    return sorted(path.glob(f"*{HELP_SUFFIX}")) or [path]


def read_spelled(path: Path, space: SearchSpace) -> FrameFile:
    """The table in a file, with architectures that it keeps as structures written as strings.

    For the pool of a partial table its rows that are in the pool.

    Raises:
        SuiteError: see ``read_frame``, ``spelled`` and ``within``.
    """
    file = read_frame(path)
    base = space.base if isinstance(space, PoolSpace) else space
    frame, notes = spelled(*_upright(path, file.frame, base))
    spelt = replace(file, frame=frame, notes=[*file.notes, *notes])
    return within(path, spelt, space) if isinstance(space, PoolSpace) else spelt


class _Importer:
    """Collects the metrics of several tables."""

    def __init__(
        self,
        space: FiniteSpace,
        metadata: MetadataFile,
        encoding: str | None = None,
        force: bool = False,
    ) -> None:
        self.space = space
        self.facts: dict[str, ColumnFacts] = dict(metadata.metrics)
        self.asked = list(metadata.metrics)  # each must describe something
        self.about = dict(metadata.about)
        self.encoding = encoding
        self.force = force
        self.metrics: dict[str, Metric] = {}
        self.columns: dict[str, _Numbers] = {}
        self.gaps: dict[str, NDArray[np.uint8]] = {}  # of metrics that were there before
        self.left_out: dict[str, str] = {}
        self.hints: list[str] = []
        self.assumed: dict[str, str] = {}
        self.warnings: list[str] = []
        self.seed_sources: dict[str, str] = {}  # the column of a metric's first seed

    def add(
        self,
        path: Path,
        file: FrameFile,
        *,
        are_latencies: bool = False,
        arch_column: str | None = None,
        in_index_order: bool = False,
    ) -> None:
        """Take the metrics of one file."""
        self.hints += file.notes
        self._take_own_facts(path, file)
        frame = file.frame
        if are_latencies and is_bare(frame, self.space):
            self.hints.append(in_order_hint(path))
            in_index_order = True
        column = find_architecture_column(path, frame, self.space, arch_column, in_index_order)
        if column is not None and arch_column is None:
            self.hints += other_names(path, frame, column, self.space)
        figures, left_out = read_figures(frame, column)
        if column is not None:
            refuse_long_form(path, frame, column, figures)
        groups, statistics = group_columns(list(figures), self.facts)
        left_out |= statistics
        figures = self._without_marks(groups, figures)
        metrics: dict[str, Metric] = {}
        for name, group in groups.items():
            metric = self._metric(name, group, figures, are_latencies)
            if isinstance(metric, str):
                left_out |= dict.fromkeys(filter(None, [group.mean, *group.seeds.values()]), metric)
            else:
                metrics[name] = metric
        if not metrics:
            raise SuiteError(_no_metric(path, left_out))
        rows = self._rows(path, frame, column, metrics, groups, figures)
        used = {
            column: figures[column]
            for name in metrics
            for column in filter(None, [groups[name].mean, *groups[name].seeds.values()])
        }
        figures = self._in_index_order(path, rows, used, metrics)
        for name, metric in metrics.items():
            self._check_figures(path, metric, groups[name], figures)
            self._take(path, metric, groups[name], figures)
        self.left_out |= {f"{path.name}: {column}": why for column, why in left_out.items()}

    def _without_marks(
        self, groups: Mapping[str, ColumnGroup], figures: Mapping[str, _Numbers]
    ) -> dict[str, _Numbers]:
        """The columns with NaN in place of -1 where it is said why figures are not there."""
        unmarked = dict(figures)
        for name, group in groups.items():
            if reason_of(name, self.facts) is not None:
                for column in filter(None, [group.mean, *group.seeds.values()]):
                    values = figures[column]
                    unmarked[column] = np.where(values == NO_FIGURE, np.nan, values)
        return unmarked

    def _take_own_facts(self, path: Path, file: FrameFile) -> None:
        """What a table of costs of ours says of its columns and of the device."""
        said = described_costs(path, file)
        for column, facts in said.metrics.items():
            self.facts = {column: facts, **self.facts}  # what the user says comes later and decides
        if said.about:
            costs = self.about.setdefault("costs", {})
            costs |= dict.fromkeys(said.metrics, said.about)

    def _rows(
        self,
        path: Path,
        frame: pd.DataFrame,
        column: str | None,
        metrics: Mapping[str, Metric],
        groups: Mapping[str, ColumnGroup],
        figures: Mapping[str, _Numbers],
    ) -> NDArray[np.int64]:
        """The architecture of each row, in the encoding said or else found."""
        judged = {
            name: (metric.quantity, figures[groups[name].mean or min(groups[name].seeds.values())])
            for name, metric in metrics.items()
        }
        found = read_architectures(
            path, frame, column, self.space, judged, encoding=self.encoding, force=self.force
        )
        self.hints += found.hints
        self.warnings += found.warnings
        return found.indices

    def finish(self, name: str, about: Mapping[str, Any]) -> Imported:
        """The benchmark of all that was added."""
        for pattern in self.asked:
            one = {pattern: self.facts[pattern]}
            if not any(
                said_of(name, one) or reason_of(name, one) or label_of(name, one)
                for name in self.metrics
            ):
                raise SuiteError(choose_from("metric to describe", pattern, list(self.metrics)))
        metrics = list(self.metrics.values())
        about = {**about, **self.about}
        if labels := {n: said for n in self.metrics if (said := label_of(n, self.facts))}:
            names = about.get("names", {})
            about["names"] = {**names, "metrics": {**names.get("metrics", {}), **labels}}
        benchmark = make_benchmark(name, self.space, metrics, self.columns, about, self._gaps())
        hints = [*self.hints, *units_assumed(self.assumed), *self._not_there(benchmark)]
        hints += self._no_signal()
        hints += doubtful_figures(benchmark.space, benchmark.metrics, benchmark.columns)
        return Imported(benchmark, self.left_out, hints, self.warnings)

    def _not_there(self, benchmark: Benchmark) -> list[str]:
        """A hint for each metric whose figures are not there for a reason that was said."""
        return [
            f"{name}: {count:,} of {self.space.size:,} architectures have no figure ({reason}); "
            f"no search on it returns them."
            for name in self.metrics
            if name not in self.gaps and reason_of(name, self.facts)
            for reason, count in benchmark.missing(name).items()
        ]

    def _gaps(self) -> dict[str, NDArray[np.uint8]]:
        """Why architectures have no figure: as said; of a table of a sample, "not measured"."""
        gaps = dict(self.gaps)
        usual = "not measured" if isinstance(self.space, PoolSpace) else None
        for metric in self.metrics.values():
            reason = reason_of(metric.name, self.facts) or usual
            if reason is None or metric.name in gaps:
                continue
            columns = (
                [metric.name]
                if metric.name in self.columns
                else [metric.seed_column(seed) for seed in metric.seeds]
            )
            empty = np.all([np.isnan(self.columns[column]) for column in columns], axis=0)
            if empty.any():
                gaps[metric.name] = empty.astype(np.uint8) * np.uint8(REASONS.index(reason))
        return gaps

    def _no_signal(self) -> list[str]:
        """A hint where there are test accuracies and nothing that a search may see."""
        accuracies = [one for one in self.metrics.values() if one.quantity == "accuracy"]
        tests = [metric for metric in accuracies if metric.split == "test"]
        if not tests or any(metric.split == "valid" for metric in accuracies):
            return []
        hint = "There is no validation accuracy, so no signal that a search may see"
        for test in tests:
            if len(test.seeds) > 1:
                column = self.seed_sources[test.name]
                hint += f": set one training aside with --metric {column}:split=valid"
                break
        return [f"{hint}."]

    def _in_index_order(
        self,
        path: Path,
        rows: NDArray[np.int64],
        figures: Mapping[str, _Numbers],
        metrics: Mapping[str, Metric],
    ) -> dict[str, _Numbers]:
        """The columns by architecture index; equal rows of one architecture are taken once.

        NaN at an architecture without a row, where it is said of all metrics why they lack some.
        """
        known, first, row_of = np.unique(rows, return_index=True, return_inverse=True)
        for column, values in figures.items():
            kept = values[first][row_of]
            same = (values == kept) | (np.isnan(values) & np.isnan(kept))
            if not same.all():
                row = int(np.argmin(same))
                raise SuiteError(
                    f"{path} has architecture {rows[row]} twice (rows {first[row_of[row]]} and "
                    f"{row}) with different figures in column {column!r}: keep one row."
                )
        if len(known) < len(rows):
            self.hints.append(
                f"{path.name} repeats {counted(len(rows) - len(known), 'row')}; each is taken once."
            )
        if len(known) < self.space.size:
            missing = np.setdiff1d(np.arange(self.space.size), known)
            if any(reason_of(name, self.facts) is None for name in metrics):
                of_device = [QUANTITIES.get(one.quantity) for one in metrics.values()]
                fill = ""
                if all(one is not None and one.of_device for one in of_device):
                    fill = ", or predict the others with `nasbench hardware fill`"
                raise SuiteError(
                    f"{path} lacks {len(missing)} of the {self.space.size} architectures of space "
                    f"{self.space.name!r}, first {missing[0]} "
                    f"({self.space.string(int(missing[0]))}): give a row for each, or say why "
                    f"there is none with --missing 'not measured' or another reason{fill}."
                )
        complete = {column: np.full(self.space.size, np.nan) for column in figures}
        for column, values in figures.items():
            complete[column][known] = values[first]
        return complete

    def _metric(
        self, name: str, group: ColumnGroup, figures: Mapping[str, _Numbers], latencies: bool
    ) -> Metric | str:
        """What the columns of a group are, or why they are left out."""
        said = said_of(name, self.facts)
        inferred = infer_facts(group.seed_of or name)
        if is_index(name) and name not in self.facts:
            return "an index"
        if latencies and not inferred and "quantity" not in said:
            check_named_unit(name)
            inferred = {"quantity": "latency", "unit": "ms", "device": name}
            if "unit" not in said:
                self.assumed[name] = "ms"
        quantity = said.get("quantity", inferred.get("quantity"))
        if quantity is None:
            return f"nothing says what it is; add --metric {name}:quantity=accuracy or another"
        if quantity != inferred.get("quantity"):
            inferred.pop("unit", None)  # it was that of another quantity
        facts = {**_usual(name, quantity, said), **inferred}
        if "unit" in said:
            check_unit(name, quantity, said["unit"])
        elif quantity == inferred.get("quantity") and says_no_unit(name):
            self.assumed[name] = inferred["unit"]
        notes = [f"one training of {group.seed_of}, set aside"] if group.seed_of else []
        notes += [f"without {', '.join(group.aside)}, set aside"] if group.aside else []
        values = [figures[column] for column in filter(None, [group.mean, *group.seeds.values()])]
        shown = self._shown(name, {**facts, **said}, values, notes)
        seeds = tuple(sorted(group.seeds))
        return Metric(**{"name": name, **facts, **shown, **said, "seeds": seeds})

    def _shown(
        self, name: str, facts: Mapping[str, Any], columns: Sequence[_Numbers], notes: list[str]
    ) -> dict[str, Any]:
        """What the figures themselves tell."""
        shown: dict[str, Any] = {}
        quantity, unit = facts["quantity"], facts["unit"]
        values = np.concatenate(columns)
        values = values[np.isfinite(values)]
        shares = values.size and values.min() >= 0 and values.max() <= 1
        if quantity in ("accuracy", "error") and shares:
            shown["unit"] = "fraction"
        if quantity in ("latency", "energy"):
            distinct = len(np.unique(values))
            whole = bool(np.all(values == np.rint(values)))
            if whole or distinct < FEW_VALUES * len(columns[0]):
                shown["provenance"] = "quantised"
                notes.append(f"{distinct} distinct values" + (f", whole {unit}" if whole else ""))
                if not whole and "provenance" not in facts:
                    self.hints.append(
                        f"{name} has only {distinct} distinct values: if a model made them, say "
                        f"so with --metric {name}:provenance=modelled."
                    )
        return {**shown, "note": "; ".join(notes)}

    def _check_figures(
        self,
        path: Path,
        metric: Metric,
        group: ColumnGroup,
        figures: Mapping[str, _Numbers],
    ) -> None:
        """Refuse figures that cannot be.

        Raises:
            SuiteError: a cost that is not above 0, or an accuracy outside its scale.
        """
        for column in filter(None, [group.mean, *group.seeds.values()]):
            values = figures[column]
            if metric.quantity in ("accuracy", "error"):
                self._refuse_mixed(path, column, metric, values)
            wrong, rule = impossible(values, metric.quantity, metric.unit, metric.direction)
            if metric.quantity == "loss":
                turned = f"--metric {metric.name}:direction=maximize"
                rule += f"; if it is minus the loss, say so with {turned}"
            if wrong.any():
                at = int(wrong.argmax())
                marked = bool((values[wrong] == NO_FIGURE).all())
                mend = (
                    "why -1 stands for no figure with --missing REASON"
                    if marked
                    else "if that stands for no figure, leave those cells empty and say why with "
                    "--missing REASON"
                )
                raise SuiteError(
                    f"Column {column!r} of {path} is {values[at]:g} at architecture {at} "
                    f"({self.space.string(at)}){and_more(int(wrong.sum()) - 1)}: {rule}; leave the "
                    f"column out, or say what it is with --metric {metric.name}:quantity=NAME"
                    f", or {mend}."
                )

    def _refuse_mixed(self, path: Path, column: str, metric: Metric, values: _Numbers) -> None:
        """Refuse a column of percentages in which some are shares of 1."""
        known = values[np.isfinite(values)]
        shares, rest = known[(known > 0) & (known <= 1)], known[known > 1]
        if metric.unit == "fraction" or not len(shares) or not len(rest):
            return
        low, high = np.quantile(rest, [0.05, 0.95])
        mostly = 2 * len(shares) > len(known) and shares.min() < np.median(rest) / 100
        if mostly or low < 100 * np.median(shares) < high:
            raise SuiteError(
                f"Column {column!r} of {path} mixes shares of 1, such as {shares[0]:g}, and "
                f"percentages, such as {rest[0]:g}: multiply the shares by 100."
            )

    def _take(
        self, path: Path, metric: Metric, group: ColumnGroup, figures: Mapping[str, _Numbers]
    ) -> None:
        if metric.name in self.metrics:
            raise SuiteError(
                f"Metric {metric.name!r} of {path} is already there from another file: rename "
                f"its column in one of them."
            )
        columns = [figures[one] for one in filter(None, [group.mean, *group.seeds.values()])]
        has_twins = len(self.space.representatives) < self.space.size
        may_differ = metric.quantity in _PER_FUNCTION and has_twins
        if may_differ and all(are_copied(self.space, column) for column in columns):
            note = "isomorphic architectures share one figure"
            said = said_of(metric.name, self.facts).get("note")
            notes = [metric.note] if metric.note else []
            metric = replace(metric, note=said or "; ".join([*notes, note]))
        self.metrics[metric.name] = metric
        if group.mean:
            self.columns[metric.name] = figures[group.mean]
        for seed, column in group.seeds.items():
            self.seed_sources.setdefault(metric.name, column)
            self.columns[metric.seed_column(seed)] = figures[column]


def _usual(name: str, quantity: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Unit and direction of a quantity; of one that nobody knows, the direction that is said.

    Raises:
        SuiteError: none is.
    """
    if (known := QUANTITIES.get(quantity)) is not None:
        return {"unit": known.unit, "direction": known.direction}
    if said.get("direction") is None:
        raise SuiteError(
            f"Quantity {quantity!r} of metric {name!r} is none of {', '.join(QUANTITIES)}: "
            f"say whether larger is better with --metric {name}:direction=maximize or minimize."
        )
    return {"unit": "", "direction": said["direction"]}


def _listed(
    path: Path, file: FrameFile, space: SearchSpace, arch_column: str | None, partial: bool
) -> tuple[FrameFile, FiniteSpace, str | None]:
    """A table, the space that it has a row for each of, and its column of architectures.

    Of a sample, and of a space too large to list, that is the pool of what is there.
    """
    if isinstance(space, FiniteSpace) and not partial:
        return file, space, arch_column
    pool, file, column = _pool(path, file, space, arch_column)
    return file, pool, column


def _pool(
    path: Path, file: FrameFile, space: SearchSpace, arch_column: str | None
) -> tuple[PoolSpace, FrameFile, str]:
    """The architectures that a table has in the order of its rows, and the table of their strings.

    Returns:
        The pool, the table with the architectures as their space writes them, and their column.
    """
    column = find_architecture_column(path, file.frame, space, arch_column, in_index_order=False)
    assert column is not None
    keys, strings = _keys_and_strings(path, file.frame[column], space)
    found: dict[Hashable, str] = {}
    for key, string in zip(keys, strings, strict=True):
        found.setdefault(key, string)
    written = file.frame.assign(**{column: [found[key] for key in keys]})
    kept = list(found) if space.one_row_a_class else None
    return PoolSpace(space, list(found.values()), kept), replace(file, frame=written), column


def within(path: Path, file: FrameFile, pool: PoolSpace) -> FrameFile:
    """A table of the pool's whole space, or of any part of it, without what is not in the pool.

    Numbers are those of the whole space; a row of the pool has no number that others know.

    Raises:
        SuiteError: it has no architecture of the pool, or something else than architectures.
    """
    column = find_architecture_column(path, file.frame, pool.base, None, in_index_order=False)
    assert column is not None
    keys, strings = _keys_and_strings(path, file.frame[column], pool.base)
    inside = np.array([key in pool.index_of_key for key in keys])
    if not inside.any():
        raise SuiteError(
            f"{path} has none of the {pool.size:,} architectures of the benchmark, a part of "
            f"space {pool.base.name!r}: give figures of those."
        )
    kept = file.frame.loc[inside]
    others = [name for name in kept.columns if name.lower() in _ARCHITECTURE_COLUMNS]
    frame = kept.drop(columns={column, *others})
    frame.insert(0, "arch_str", [s for s, known in zip(strings, inside, strict=True) if known])
    notes = list(file.notes)
    if not inside.all():
        notes.append(
            f"{path.name} has {int((~inside).sum()):,} rows of architectures that are not in the "
            f"benchmark; they are left out."
        )
    return replace(file, frame=frame.reset_index(drop=True), notes=notes)


def _keys_and_strings(
    path: Path, column: pd.Series[Any], space: SearchSpace
) -> tuple[list[Hashable], list[str]]:
    """What tells the architecture of each row from others, and how the space writes it."""
    cells = column.tolist()
    listed = isinstance(space, FiniteSpace) and not is_string_of(space, cells[0])
    if listed and (numbers := _numbers(column)) is not None:
        cells = [int(one) if one.is_integer() else one for one in numbers.tolist()]
    by_hash = space.find_hashes({c for c in cells if isinstance(c, str) and space.is_hash(c)})
    keys, strings = [], []
    for row, given in enumerate(cells):
        try:
            if isinstance(given, str) and given in by_hash:
                value = by_hash[given]
            else:
                value = _read_string(space, given) if isinstance(given, str) else space.read(given)
            keys.append(space.row_key(value))
        except SuiteError as error:
            raise _no_architecture(path, row, given, space, error) from None
        strings.append(space.string(value))
    return keys, strings


def read_measurements(
    path: Path, column: str, space: FiniteSpace
) -> tuple[NDArray[np.int64], _Numbers]:
    """The architectures and the figures of one column, of a table that need not be complete.

    Args:
        path: Parquet or CSV, with a column of architectures as ``import_table`` finds it.
        column: of numbers.
        space: that the architectures are in.

    Returns:
        Indices, int64 of shape (n,), and figures, float64 of shape (n,).

    Raises:
        SuiteError: there is no such column, or the table is not what it should be.
    """
    frame = read_spelled(path, space).frame
    if column not in frame:
        raise SuiteError(choose_from(f"column of {path}", column, list(frame.columns)))
    figures = _numbers(frame[column])
    if figures is None:
        raise SuiteError(f"Column {column!r} of {path} holds no numbers.")
    where = find_architecture_column(path, frame, space, None, in_index_order=False)
    judged = {column: ("latency", figures)}
    return read_architectures(path, frame, where, space, judged).indices, figures


def units_assumed(units: Mapping[str, str]) -> list[str]:
    """A hint for each unit in which figures are taken to be, though nothing says so.

    Args:
        units: the unit by column.
    """
    hints = []
    for unit in dict.fromkeys(units.values()):
        first, *more = [name for name, one in units.items() if one == unit]
        are = "name no unit and are" if more else "names no unit and is"
        hints.append(
            f"{first}{and_more(len(more))} {are} taken to be in {unit}: if that is wrong, add the "
            f"unit to the name."
        )
    return hints


def described_costs(path: Path, file: FrameFile) -> MetadataFile:
    """What a table of costs of ours says of its columns, and what is known of HW-NAS-Bench's.

    Empty for any other table.

    Raises:
        SuiteError: what it says is damaged.
    """
    if COSTS_KEY not in file.metadata:
        return MetadataFile.model_validate({"metrics": hw_nas_bench_facts(file.frame.columns)})
    with refused(f"{path} has damaged metadata ({{reason}}): get it again.", ValueError, TypeError):
        said = json.loads(file.metadata[COSTS_KEY])
        kept = {"metrics": said.get("metrics", {}), "about": said.get("about") or {}}
        return MetadataFile.model_validate(kept)


def read_figures(
    frame: pd.DataFrame, architectures: str | None
) -> tuple[dict[str, _Numbers], dict[str, str]]:
    """The columns of numbers, and why the others are left out."""
    figures: dict[str, _Numbers] = {}
    left_out: dict[str, str] = {}
    for column in frame.columns.drop([architectures] if architectures else []):
        numbers = _numbers(frame[column])
        if numbers is None:
            left_out[column] = "no numbers" + _first_texts(frame[column])
        else:
            figures[column] = numbers
    return figures, left_out


def _first_texts(column: pd.Series[Any]) -> str:
    """What is no number in a column, for a sentence: a cell, or words that stand for no figure."""
    import pandas as pd

    if not pd.api.types.is_string_dtype(column) and not pd.api.types.is_object_dtype(column):
        return ""
    wrong = pd.to_numeric(column, errors="coerce").isna() & column.notna()
    if not wrong.any():
        return ""
    said = f", such as {str(column[wrong].iloc[0])[:40]!r}"
    if 2 * wrong.sum() < len(column):
        said += (
            f", in {counted(int(wrong.sum()), 'cell')}; where there is no figure leave them empty "
            f"and say why with --missing"
        )
    return said


def _no_metric(path: Path, left_out: Mapping[str, str]) -> str:
    """Why a table has no metric, with what it has instead."""
    return (
        f"{path} has no metric{in_brackets(left_out)}: name accuracies as "
        f"dataset_split_epochs (cifar10_valid_12), or describe a column with "
        f"--metric NAME:quantity=accuracy."
    )


def in_brackets(left_out: Mapping[str, str]) -> str:
    """The first columns that were left out and why, for a sentence; nothing if there are none."""
    why = "; ".join(f"{column}: {reason}" for column, reason in list(left_out.items())[:3])
    return f" ({why})" if why else ""


def _upright(
    path: Path, frame: pd.DataFrame, space: SearchSpace
) -> tuple[pd.DataFrame, SearchSpace]:
    """A table with a row an architecture, also where it has a column an architecture."""
    if len(frame) >= frame.shape[1] or not is_string_of(space, frame.columns[-1]):
        return frame, space
    names = [name for name in frame.columns if not is_string_of(space, name)]
    if len(names) > 1:
        raise SuiteError(
            f"{path} has a column for each architecture and {len(names)} others "
            f"({', '.join(names[:3])}): leave one, with the names of the figures."
        )
    labelled = frame.set_index(names[0]) if names else frame
    turned = labelled.T.rename_axis(ARCHITECTURE).rename(columns=str).reset_index()
    return turned.rename_axis(columns=None), space


def is_bare(frame: pd.DataFrame, space: SearchSpace) -> bool:
    """Whether a table of costs has figures alone, one for each architecture in order."""
    if not isinstance(space, FiniteSpace) or len(frame) != space.size:
        return False
    named = any(
        name.lower() in _ARCHITECTURE_COLUMNS
        or is_index(name)
        or is_string_of(space, frame[name].iloc[0])
        for name in frame.columns
    )
    return not named and all(_numbers(frame[name]) is not None for name in frame.columns)


def in_order_hint(path: Path) -> str:
    """What is told of a table that ``is_bare``."""
    return f"{path.name} names no architectures: its rows are taken to stand in index order."


def find_architecture_column(
    path: Path, frame: pd.DataFrame, space: SearchSpace, wanted: str | None, in_index_order: bool
) -> str | None:
    """The column with architectures: as said, or by its name, or by its content.

    None if rows stand in index order.

    Raises:
        SuiteError: there is none.
    """
    columns = list(frame.columns)
    if wanted is not None:
        if wanted not in columns:
            raise SuiteError(choose_from(f"column of {path}", wanted, columns))
        return wanted
    if in_index_order:
        if len(frame) != space.size:
            raise SuiteError(
                f"{path} has {len(frame)} rows, but space {space.name!r} has {space.size} "
                f"architectures: rows in index order must be complete."
            )
        return None
    by_name = {column.lower(): column for column in columns}
    for name in _ARCHITECTURE_COLUMNS:
        numbered = isinstance(space, FiniteSpace) or not is_index(name)
        if name in by_name and numbered:
            return by_name[name]
    for column in columns:
        if is_string_of(space, frame[column].iloc[0]):
            return column
    size = space.size if isinstance(space, FiniteSpace) else len(frame)
    if frame.shape[1] == 1 and _numbers(frame[columns[0]]) is not None and len(frame) != size:
        raise SuiteError(
            f"{path} has {len(frame):,} figures and names no architectures, of which space "
            f"{space.name!r} has {size:,}: add a column of them, arch_str."
        )
    raise SuiteError(
        f"{path} has no architecture column: name it arch_str or arch_index, say which it is with "
        f"--arch COLUMN, or that rows stand in index order with --in-order."
    )


def other_names(path: Path, frame: pd.DataFrame, column: str, space: SearchSpace) -> list[str]:
    """A hint where another column names other architectures than the one that is taken."""
    first, space = frame.head(_LOOKED_AT), getattr(space, "base", space)
    for other in frame.columns.drop(column):
        both = first[[column, other]].dropna()
        if len(both) and all(is_string_of(space, cell) for cell in [*both[other], *both[column]]):
            pairs = zip(both[column].tolist(), both[other], strict=True)
            if any(space.read(one) != space.read(two) for one, two in pairs):
                return [
                    f"{path.name}: columns {column} and {other} name different architectures; "
                    f"{column} is taken: say another with --arch."
                ]
    return []


@dataclass(frozen=True)
class Rows:
    """The architectures of a table.

    Attributes:
        indices: architecture of each row, shape (n,).
        hints: what was decided, and how to say otherwise.
        warnings: what speaks against the architectures.
    """

    indices: NDArray[np.int64]
    hints: Sequence[str] = ()
    warnings: Sequence[str] = ()


def read_architectures(
    path: Path,
    frame: pd.DataFrame,
    column: str | None,
    space: FiniteSpace,
    figures: Mapping[str, tuple[str, _Numbers]],
    *,
    encoding: str | None = None,
    force: bool = False,
) -> Rows:
    """The architecture of each row, held against the figures.

    Args:
        path: the file, for messages.
        frame: its table.
        column: of architectures; None if rows stand in order.
        space: their space.
        figures: quantity and values of each metric.
        encoding: how numbers or vectors are meant; see ``encodings``.
        force: take the encoding, or the publisher's order, though the figures fit another.

    Raises:
        SuiteError: a cell is no architecture, or the figures fit another order and not this one.
    """
    written = _written(frame, column, space)
    if written is None:
        rows = _rows_of_strings(path, frame[str(column)], space)
        hints = []
        if encoding is not None:
            check_encoding(space, encoding)
            hints.append(
                f"{path.name} names architectures by strings, which mean the same in every "
                f"encoding: --encoding {encoding} alters nothing there."
            )
        return Rows(rows, hints, _warnings(path, space, rows, figures, column))
    vectors = written.ndim == 2
    if encoding is not None:
        rows = find_encoding(space, encoding, vectors=vectors).decode(space, written)
        if (rows < 0).any():
            at = int((rows < 0).argmax())
            raise SuiteError(
                f"{path}, row {at}: {written[at].tolist()} is no architecture of space "
                f"{space.name!r} in encoding {encoding!r}."
            )
        return Rows(rows, warnings=_warnings(path, space, rows, figures, column))
    if not vectors and not _warnings(path, space, written, figures, column):
        return Rows(written)  # the usual case, without a look at what else they could mean
    known = vector_encodings(space) if vectors else numberings(space)
    readings = compare_readings(space, known, written, figures)
    if not readings:
        raise SuiteError(
            f"{path} has vectors such as {written[0].tolist()}, which are none of space "
            f"{space.name!r}: write its strings."
        )
    if len(readings) == 1:
        rows = readings[0].indices
        return Rows(rows, warnings=_warnings(path, space, rows, figures, column))
    return _chosen(path, space, column, readings, vectors=vectors, force=force)


def _chosen(
    path: Path,
    space: FiniteSpace,
    column: str | None,
    readings: Sequence[Reading],
    *,
    vectors: bool,
    force: bool,
) -> Rows:
    """The reading that is meant, and what the user should be told."""
    own, fit = readings[0], fitting(readings)
    what = f"column {column}" if column else "rows in order"
    if vectors and len(fit) == 1 < len(readings) and not force:
        name, summary = fit[0].encoding.name, fit[0].encoding.summary
        decided = (
            f"{path.name}: the vectors of {what} are read in encoding {name!r} ({summary}), which "
            f"the figures fit best; say another with --encoding."
        )
        return Rows(fit[0].indices, hints=[decided])
    if fit and own not in fit and not force:
        against = (
            describe(*next(iter(own.implausible.items())))
            if own.implausible
            else "another order fits them clearly better"
        )
        names = " or ".join(f"{one.encoding.name!r} ({one.encoding.summary})" for one in fit)
        raise SuiteError(
            f"{path} has its figures beside other architectures than they belong to, as {against}: "
            f"they fit encoding {names}: say it with --encoding {fit[0].encoding.name}"
            f"{', or whichever it is' if fit[1:] else ''}, or import them as they are with --force."
        )
    clauses = [describe(name, judged) for name, judged in own.implausible.items()][:1]
    if fit and own not in fit and not clauses:
        clauses.append(fits_better("all together", fit[0].encoding))
    warnings = [_against(path, what, clause) for clause in clauses]
    if vectors and len(readings) > 1 and not (len(fit) == 1 and fit[0] is own):
        names = ", ".join(repr(reading.encoding.name) for reading in fit or readings)
        warnings.append(
            f"{path.name}: the vectors of {what} can be meant in several encodings ({names}), and "
            f"the figures do not tell which; they are read in {own.encoding.name!r}: say which it "
            f"is with --encoding."
        )
    return Rows(own.indices, warnings=warnings)


def _warnings(
    path: Path,
    space: FiniteSpace,
    rows: NDArray[np.int64],
    figures: Mapping[str, tuple[str, _Numbers]],
    column: str | None,
) -> list[str]:
    """A warning where the figures speak against the architectures they stand beside."""
    clause = doubt(space, rows, figures)
    what = f"column {column}" if column else "rows in order"
    return [] if clause is None else [_against(path, what, clause)]


def _against(path: Path, what: str, clause: str) -> str:
    return (
        f"Warning: {path.name} may have its figures beside other architectures than they belong "
        f"to ({what}): {clause}."
    )


def _written(frame: pd.DataFrame, column: str | None, space: FiniteSpace) -> Integers | None:
    """Architectures as numbers of shape (n,) or vectors (n, decisions); None if as strings.

    Vectors are tuples, lists, arrays, or text such as ``(4, 0, 3)``.
    """
    if column is None:
        return np.arange(len(frame))
    cells = frame[column].tolist()
    first = cells[0]
    if isinstance(first, str) and first.startswith(("(", "[")):
        numbers = [re.findall(r"-?\d+", str(cell)) for cell in cells]
        alike = len({len(one) for one in numbers}) == 1 and len(numbers[0]) > 1
        return np.array(numbers, dtype=np.int64) if alike else None
    if isinstance(first, tuple | list | np.ndarray):
        try:
            array = np.array([list(cell) for cell in cells])
        except (TypeError, ValueError):
            return None
        return array.astype(np.int64) if array.ndim == 2 and array.dtype.kind in "iu" else None
    figures = None if is_string_of(space, first) else _numbers(frame[column])
    if figures is None or not np.isin(figures, np.arange(space.size)).all():
        return None
    return figures.astype(np.int64)


def is_string_of(space: SearchSpace, cell: object) -> bool:
    """Whether a cell is text that names an architecture of the space."""
    try:
        if not isinstance(cell, str):
            return False
        return space.is_hash(cell) or _read_string(space, cell) is not None
    except SuiteError:
        return False


def _no_architecture(
    path: Path, row: int, cell: object, space: SearchSpace, error: SuiteError
) -> SuiteError:
    """What is wrong with a cell, with the space that it is of where that is another."""
    others = [name for name in list_spaces() if name != space.name] if row == 0 else []
    fits = [name for name in others if is_string_of(load_space(name), cell)]
    if not fits:
        from_one = isinstance(cell, int) and cell == getattr(space, "size", None)
        mend = " If the column counts from 1, subtract 1." if from_one else ""
        return SuiteError(f"{path}, row {row}: {error}{mend}")
    return SuiteError(
        f"{path} has architectures of space {fits[0]!r}, not of {space.name!r}, such as "
        f"{str(cell)[:80]!r}: say --space {fits[0]}{' (or ' if fits[1:] else ''}"
        f"{', '.join(fits[1:3])}{')' if fits[1:] else ''}."
    )


def _read_string(space: SearchSpace, cell: str) -> Any:
    """The architecture in a cell, as it stands or else without blanks, which some tables add.

    Also a vector written as text, such as ``(4, 0, 3)``.
    """
    try:
        return space.read(cell)
    except SuiteError as error:
        bare = "".join(cell.split())
        if not _VECTOR.fullmatch(bare) and bare == cell:
            raise
        try:
            vector = _VECTOR.fullmatch(bare) and space.choices
            return space.read(tuple(map(int, re.findall(r"\d+", bare))) if vector else bare)
        except SuiteError:
            raise error from None  # what is wrong with the cell as it stands


def _rows_of_strings(path: Path, column: pd.Series[Any], space: FiniteSpace) -> NDArray[np.int64]:
    """The architecture index of each row, from strings or indices."""
    cells = column.tolist()
    if not is_string_of(space, cells[0]) and (numbers := _numbers(column)) is not None:
        cells = [int(number) if number.is_integer() else number for number in numbers.tolist()]
    indices = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        try:
            indices[row] = _read_string(space, cell) if isinstance(cell, str) else space.index(cell)
        except SuiteError as error:
            raise _no_architecture(path, row, cell, space, error) from None
    return indices


def _numbers(column: pd.Series[Any]) -> _Numbers | None:
    """A column as numbers, NaN where a cell is empty; None if it holds anything else."""
    import pandas as pd

    kind = pd.api.types
    if kind.is_string_dtype(column) or kind.is_object_dtype(column):
        try:
            read = pd.to_numeric(column)
        except (ValueError, TypeError, OverflowError):
            return None
        if read.dtype.kind == "f":
            # Pandas before 3 errs in the last bit of text.
            exact = [
                float(cell) if isinstance(cell, str) and number == number else number
                for cell, number in zip(column, read, strict=True)
            ]
            read = pd.Series(exact, dtype=np.float64)
        column = read
    if not kind.is_numeric_dtype(column) or kind.is_bool_dtype(column):
        return None
    if kind.is_complex_dtype(column):
        return None
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
