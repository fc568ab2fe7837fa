"""Tables of what architectures cost: one Parquet format, and importers of others' formats.

A table has a row an architecture (``arch_index``, ``arch_str``) and a column a metric, named so
that ``nasbench data import`` knows its quantity and unit: ``..._ms`` latency, ``..._mj`` energy,
``..._mb`` peak memory, ``flops``, ``parameters``; ``..._iqr`` is the spread of a measured one. What
the columns are, and on which device, stands as JSON in the file's metadata under
``nasbench_hardware``, in the form of ``nasbench data import --metadata``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardware.measuring import Measured
from hardware.networks import count_all, find_setting, live_forms
from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.benchmarks.columns import COSTS_KEY, infer_facts, is_index
from nasbench_suite.benchmarks.doubtful import unlikely_costs
from nasbench_suite.benchmarks.importing import (
    HELP_SUFFIX,
    NO_FIGURE,
    described_costs,
    find_architecture_column,
    in_brackets,
    in_order_hint,
    is_bare,
    read_architectures,
    read_figures,
    read_spelled,
    tables_in,
    units_assumed,
)
from nasbench_suite.benchmarks.long_form import refuse_long_form
from nasbench_suite.benchmarks.metric import CONDITIONS
from nasbench_suite.benchmarks.quantities import (
    COSTS,
    QUANTITIES,
    check_unit,
    impossible,
    latency_of,
    says_no_unit,
    unit_alone,
)
from nasbench_suite.benchmarks.structures import HW_MODELLED, HW_REJECTING
from nasbench_suite.benchmarks.table import REASONS
from nasbench_suite.errors import SuiteError, and_more, choose_from
from nasbench_suite.files.atomic import need_folder, replacing, write_text
from nasbench_suite.files.frames import ARCHITECTURE, FrameFile, frame_of, read_frame
from nasbench_suite.files.safe_pickle import load
from nasbench_suite.files.unpacking import need_regular_file
from nasbench_suite.spaces import FiniteSpace, PoolSpace, load_finite_space

if TYPE_CHECKING:
    import pandas as pd

METADATA_KEY = COSTS_KEY
_KEPT = (*COSTS, "throughput")
_METRIC_FIELDS = ("quantity", "unit", "dataset", "device", *CONDITIONS, "provenance", "note")


@dataclass(frozen=True)
class CostTable:
    """Costs of some or all architectures of a space.

    Attributes:
        space: the space.
        indices: the architectures, ascending, shape (n,).
        columns: figures by name, each of shape (n,), finite; latencies and the like above 0.
            NaN where there is none, in columns of which ``facts`` say why.
        facts: of each column: ``quantity``, ``unit``, ``device``, ``resolution``, ``batch``,
            ``runtime``, ``precision``, ``provenance``, ``note``, and
            ``missing``, why architectures have no figure, where some have none.
        about: the device card, or whatever else a reader should be told.
        hints: what was found while it was read, a sentence each; not written with it.
    """

    space: FiniteSpace
    indices: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]
    facts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    hints: Sequence[str] = ()

    @property
    def costs(self) -> dict[str, NDArray[np.float64]]:
        """The columns without the spreads."""
        return {name: c for name, c in self.columns.items() if not name.endswith("_iqr")}

    def provenance(self, column: str) -> str:
        """Whether a column was measured, modelled or quantised; ``unknown`` if nothing says."""
        return str(self.facts.get(column, {}).get("provenance", "unknown"))


def make_table(
    space: FiniteSpace,
    indices: Sequence[int] | NDArray[np.integer],
    columns: Mapping[str, Any],
    facts: Mapping[str, Mapping[str, Any]] | None = None,
    about: Mapping[str, Any] | None = None,
) -> CostTable:
    """A table, checked.

    Args:
        space: the space.
        indices: the architecture of each row, in any order, each once.
        columns: figures by name, a row an architecture; -1 or NaN where there is none, if
            ``facts`` say why.
        facts: see ``CostTable``; inferred from the name where left out.
        about: see ``CostTable``.

    Raises:
        SuiteError: rows are repeated or missing, or a figure is NaN or not positive and nothing
            says why, or for a reason that is not known.
    """
    rows = space.indices(np.asarray(indices))
    order = np.argsort(rows, kind="stable")
    if len(np.unique(rows)) < len(rows):
        first = rows[order][:-1][np.diff(rows[order]) == 0][0]
        raise SuiteError(
            f"Architecture {first} ({space.string(int(first))}) has two rows: keep one."
        )
    given = facts or {}
    if not columns:
        raise SuiteError("A table of costs needs at least one column.")
    whose = {name: name.removesuffix("_iqr") for name in columns}
    facts_of = {one: {**_inferred(one), **given.get(one, {})} for one in whose.values()}
    checked = {
        name: _checked(name, values, rows, space, facts_of[whose[name]])[order]
        for name, values in columns.items()
    }
    known = {name: facts_of[name] for name in checked if whose[name] == name}
    for name, said in known.items():
        if len(rows) == space.size and not np.isnan(checked[name]).any():
            said.pop("missing", None)
        _check_facts(name, said)
    return CostTable(space, rows[order], checked, known, dict(about or {}))


def _checked(
    name: str,
    values: Any,
    rows: NDArray[np.int64],
    space: FiniteSpace,
    said: Mapping[str, Any],
) -> NDArray[np.float64]:
    """A column of costs, NaN where there is none.

    Args:
        name: of the column.
        values: its figures.
        rows: the architecture of each.
        space: of the table.
        said: what is said of the column; ``missing`` why there may be none.

    Raises:
        SuiteError: see ``make_table``.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise SuiteError(f"Column {name!r} holds something else than numbers.") from None
    if array.shape != rows.shape:
        raise SuiteError(
            f"Column {name!r} has {array.size} figures for {len(rows)} architectures: "
            f"the device lacks rows, or has too many."
        )
    reason = said.get("missing")
    if reason is not None:
        if reason not in REASONS[1:]:
            raise SuiteError(choose_from("reason", reason, REASONS[1:]))
        array = np.where(array == NO_FIGURE, np.nan, array)
    if name.endswith("_iqr"):
        wrong, rule = array < 0, "a spread is no number below 0"
    else:
        wrong, rule = impossible(array, said.get("quantity", ""), said.get("unit", ""))
    wrong |= np.isinf(array) | (np.isnan(array) & (reason is None))
    if wrong.any():
        at = int(wrong.argmax())
        marked = bool((array[wrong] == NO_FIGURE).all())
        raise SuiteError(
            f"Column {name!r} is {array[at]} at architecture {rows[at]} "
            f"({space.string(int(rows[at]))}){and_more(int(wrong.sum()) - 1)}: "
            f"{rule or 'give a number'}"
            f"{'; say why -1 stands for no figure with --missing REASON' if marked else ''}."
        )
    return array


def _check_facts(name: str, said: Mapping[str, Any]) -> None:
    """Refuse what is no cost, and a unit that is not the quantity's or the name's.

    Raises:
        SuiteError: it is so.
    """
    if said.get("quantity") not in _KEPT:
        raise SuiteError(
            f"Column {name!r} is of quantity {said.get('quantity', 'unknown')!r}, which is no "
            f"cost: choose {', '.join(COSTS)}."
        )
    check_unit(name, said["quantity"], said.get("unit", ""))
    named = _inferred(name).get("unit", said.get("unit"))
    if said.get("unit") != named:
        raise SuiteError(
            f"Column {name!r} has unit {said.get('unit', '')!r}: give {said['quantity']} in "
            f"{named or 'plain numbers'}, as its name says, or rename it."
        )


def _inferred(name: str) -> dict[str, str]:
    """What the name of a cost tells of it; empty if nothing."""
    facts = infer_facts(name)
    if facts.get("quantity") not in _KEPT:
        return {}
    facts.setdefault("unit", QUANTITIES[facts["quantity"]].unit)
    known = ("quantity", "unit", "device", "dataset")
    return {k: str(facts[k]) for k in known if k in facts}


# -- our format ------------------------------------------------------------------------------------


def write_table(table: CostTable, path: Path) -> None:
    """Write a table; a file already there is replaced in one step."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = {"space": table.space.name, "metrics": table.facts, "about": table.about}
    strings = [table.space.string(int(index)) for index in table.indices]
    content = pa.table({"arch_index": table.indices, "arch_str": strings, **table.columns})
    content = content.replace_schema_metadata({METADATA_KEY: json.dumps(metadata).encode()})
    need_folder(path)
    with replacing(path) as partial, partial.open("wb") as file:
        pq.write_table(content, file, compression="zstd", write_page_checksum=True)


def costs_of(benchmark: Benchmark) -> CostTable:
    """The latencies of a benchmark, NaN where one is missing.

    Raises:
        SuiteError: it has none.
    """
    metrics = {name: m for name, m in benchmark.metrics.items() if m.quantity == "latency"}
    if not metrics:
        raise SuiteError(f"Benchmark {benchmark.name!r} has no latency: name another.")
    return CostTable(
        benchmark.space,
        np.arange(benchmark.space.size),
        {name: benchmark.values(name) for name in metrics},
        {
            name: {"quantity": "latency", "unit": m.unit, "provenance": m.provenance or "unknown"}
            for name, m in metrics.items()
        },
    )


def read_table(
    path: Path,
    space: str | FiniteSpace | None = None,
    *,
    encoding: str | None = None,
    force: bool = False,
    missing: str | None = None,
) -> CostTable:
    """Read a table of ours, or any table with an architecture column.

    Of a foreign table the columns of numbers are taken; undescribed ones are latencies in ms.

    Args:
        path: the file.
        space: the space of a foreign table; ours know theirs. Of a pool of a partial table, the
            rows that are in it are read.
        encoding: how numbers or vectors are meant; see ``benchmarks.encodings``.
        force: read figures though they fit another order of the architectures better.
        missing: why an empty cell, a row that is not there, or a -1 stands for no figure.

    Raises:
        SuiteError: it cannot be read, has no architectures, a figure is no cost, or the figures
            fit another order of the architectures.
    """
    file = read_frame(path)
    said = described_costs(path, file)
    where = _space_of(path, file, space)
    file = read_spelled(path, where, encoding, force=force)
    if isinstance(where, PoolSpace):
        encoding = None  # its rows have strings by now
    bare = is_bare(file.frame, where)
    key = find_architecture_column(path, file.frame, where, None, in_index_order=bare)
    columns, left_out = _read_costs(path, file.frame, key)
    facts = {name: one.model_dump(exclude_none=True) for name, one in said.metrics.items()}
    foreign, assumed = _undescribed(columns, facts)
    known = _saying_why({**foreign, **facts}, columns, missing)
    judged = {
        name: ({**_inferred(name), **known.get(name, {})}.get("quantity", ""), values)
        for name, values in columns.items()
    }
    found = read_architectures(path, file.frame, key, where, judged, encoding=encoding, force=force)
    table = make_table(where, found.indices, columns, known, said.about)
    hints = (
        *file.notes,
        *(f"left out {name}: {why}" for name, why in left_out.items()),
        *([in_order_hint(path)] if bare else []),
        *found.hints,
        *units_assumed(assumed),
        *_unlikely(table),
        *found.warnings,
    )
    return replace(table, hints=hints)


def _read_costs(
    path: Path, frame: pd.DataFrame, key: str | None
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """The columns of costs beside the architectures, and what was left out, with the reason.

    Raises:
        SuiteError: there is none.
    """
    figures, left_out = read_figures(frame, key)
    if key is not None:
        refuse_long_form(path, frame, key, figures)
    columns, left_out = _costs_among(figures, left_out)
    if not columns:
        raise SuiteError(
            f"{path} has no column of costs{in_brackets(left_out)}: give one of numbers above 0."
        )
    return columns, left_out


def _undescribed(
    columns: Iterable[str], facts: Mapping[str, Any]
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What no facts describe, by column.

    Returns:
        Facts of columns whose names say nothing, which are latencies of what they are named by;
        and the units that are assumed.
    """
    foreign, assumed = {}, {}
    for name in columns:
        inferred = _inferred(name)
        if name in facts:
            continue
        if unit_alone(name) is not None:
            foreign[name] = latency_of(name)
        elif not inferred and not name.endswith("_iqr"):
            foreign[name] = latency_of(name)
            assumed[name] = foreign[name]["unit"]
        elif says_no_unit(name):
            assumed[name] = inferred["unit"]
    return foreign, assumed


def _unlikely(table: CostTable) -> Iterator[str]:
    """Hints on costs that can hardly be."""
    for name, values in table.costs.items():
        facts = table.facts[name]
        yield from unlikely_costs(
            name, facts["quantity"], facts["unit"], values, "let its name end in _{}".format
        )


def _space_of(path: Path, file: FrameFile, space: str | FiniteSpace | None) -> FiniteSpace:
    """The space of a table: the one given, else the one that the file states."""
    stated = json.loads(file.metadata.get(METADATA_KEY, b"{}")).get("space")
    if not isinstance(space, FiniteSpace):
        return load_finite_space(stated or space or "nats-tss")
    if stated is not None and stated != getattr(space, "base", space).name:
        raise SuiteError(f"{path} is a table of space {stated!r}, not of {space.name!r}.")
    return space


def _costs_among(
    figures: Mapping[str, NDArray[np.float64]], left_out: Mapping[str, str]
) -> tuple[dict[str, NDArray[np.float64]], dict[str, str]]:
    """The columns that are costs, and what was left out, with the reason."""
    columns, without = {}, dict(left_out)
    for name, values in figures.items():
        quantity = infer_facts(name).get("quantity")
        if quantity is not None and quantity not in _KEPT:
            without[name] = f"{quantity}, which is no cost"
        elif name.lower().endswith("_std"):
            without[name] = "a spread"
        elif not is_index(name):
            columns[name] = values
    return columns, without


def _saying_why(
    facts: Mapping[str, Mapping[str, str]], columns: Iterable[str], missing: str | None
) -> dict[str, dict[str, str]]:
    """Facts that say of all columns why figures are not there, if anything is said."""
    said = {name: dict(one) for name, one in facts.items()}
    if missing is not None:
        for name in columns:
            said.setdefault(name, {})["missing"] = missing
    return said


def export_metadata(table: CostTable, path: Path) -> None:
    """Write what the columns are as the file that ``nasbench data import --metadata`` takes."""
    content = {"metrics": table.facts, "about": table.about}
    write_text(path, json.dumps(content, indent=2) + "\n")


# -- what is made here -------------------------------------------------------------------------


def measured_table(measured: Measured, name: str | None = None) -> CostTable:
    """The table of a measurement.

    Where dead branches were left out, architectures with the same live edges are one network and
    carry one figure.

    Args:
        measured: from a journal.
        name: of the device; by default the runtime's.
    """
    plan = measured.plan
    space = load_finite_space(plan.space)
    indices, source = measured.architectures, np.arange(len(measured.architectures))
    if plan.pruned:
        indices, source = _with_same_live_edges(space, indices)
    floor = measured.noise_floor
    note = (
        f"median of {plan.rounds} rounds of {plan.repeats} runs; noise floor {floor:.4g} ms, "
        f"{100 * floor / np.median(measured.latency):.2g} % of the median latency; "
        + (
            "dead branches removed, cells with the same live edges share one figure"
            if plan.pruned
            else "networks as they are written"
        )
    )
    column = f"{name or plan.runtime}_ms"
    _, height, width = find_setting(plan.setting).image
    about = {
        "device": measured.card,
        "protocol": {
            "setting": plan.setting,
            "pruned": plan.pruned,
            "batch": plan.options.batch,
            "threads": plan.options.threads,
            "precision": plan.options.precision,
            "rounds": plan.rounds,
            "warmup": plan.warmup,
            "repeats": plan.repeats,
            "architectures": len(measured.architectures),
        },
        "noise_floor_ms": floor,
        "drift": measured.drift if len(measured.reference) else None,
        "disturbed": measured.disturbed,
    }
    return make_table(
        space,
        indices,
        {column: measured.latency[source], f"{column}_iqr": measured.spread[source]},
        {
            column: {
                "provenance": "measured",
                "note": note,
                "resolution": f"{height}x{width}",
                "batch": plan.options.batch,
                "runtime": plan.runtime,
                "precision": plan.options.precision,
            }
        },
        about,
    )


def _with_same_live_edges(
    space: FiniteSpace, measured: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All architectures that are the network of a measured one, and the place of that one."""
    forms = live_forms(space)
    place_of_form = np.full(space.size, -1)
    place_of_form[forms[measured]] = np.arange(len(measured))
    indices = np.flatnonzero(place_of_form[forms] >= 0)
    return indices, place_of_form[forms[indices]]


def counted_table(space: FiniteSpace, setting: str, *, pruned: bool = False) -> CostTable:
    """FLOPs and parameters of every architecture; see ``networks.count_network``."""
    parameters, flops = count_all(space, setting, pruned=pruned)
    note = "dead branches removed" if pruned else "networks as they are written"
    return make_table(
        space,
        np.arange(space.size),
        {"flops": flops, "parameters": parameters},
        {
            "flops": {"provenance": "modelled", "note": f"multiply-adds of one image, {note}"},
            "parameters": {"provenance": "modelled", "note": note},
        },
        {"protocol": {"setting": setting, "pruned": pruned}},
    )


def add_costs(benchmark: Benchmark, tables: Sequence[CostTable]) -> Benchmark:
    """A benchmark with the columns of cost tables beside its own.

    Figures that a table lacks are not available, for the reason that its facts say.
    A column that the benchmark has already is replaced. What is said of each table's device and
    protocol stands in the benchmark's ``about`` under ``costs``.

    Raises:
        SuiteError: a table of another space, or one that lacks architectures and does not say
            why.
    """
    gaps = {
        name: codes for name in benchmark.metrics if (codes := benchmark.reasons(name)) is not None
    }
    metrics, columns = dict(benchmark.metrics), dict(benchmark.columns)
    about: dict[str, Any] = {**benchmark.about, "costs": dict(benchmark.about.get("costs", {}))}
    for table in tables:
        if table.space.name != benchmark.space.name:
            raise SuiteError(
                f"A table of space {table.space.name!r} does not fit benchmark "
                f"{benchmark.name!r} of space {benchmark.space.name!r}."
            )
        reasons = {name: table.facts[name].get("missing") for name in table.costs}
        if len(table.indices) < table.space.size and None in reasons.values():
            missing = np.setdiff1d(np.arange(table.space.size), table.indices)
            raise SuiteError(
                f"The table with {', '.join(table.costs)} lacks {len(missing)} of "
                f"{table.space.size} architectures, first {missing[0]} "
                f"({table.space.string(int(missing[0]))}): measure all of them, or say why "
                f"there is no figure with --missing 'not measured' or another reason."
            )
        for name, values in table.costs.items():
            said = {k: v for k, v in table.facts[name].items() if k in _METRIC_FIELDS}
            direction = QUANTITIES[said["quantity"]].direction
            metrics[name] = Metric(name, **{**said, "direction": direction})
            columns[name] = np.full(table.space.size, np.nan)
            columns[name][table.indices] = values
            gaps.pop(name, None)
            if (reason := reasons[name]) is not None:
                gaps[name] = np.isnan(columns[name]) * np.uint8(REASONS.index(reason))
            about["costs"][name] = dict(table.about)
    kept = list(metrics.values())
    return make_benchmark(benchmark.name, benchmark.space, kept, columns, about, gaps)


# -- importers -------------------------------------------------------------------------------------


def is_hw_nas_bench(path: Path) -> bool:
    """Whether a file is a pickle that has HW-NAS-Bench's part on NAS-Bench-201."""
    need_regular_file(path)
    with path.open("rb") as file:
        if file.read(1) != b"\x80":
            return False
    content = load(path)
    return isinstance(content, Mapping) and "nasbench201" in content


def import_hw_nas_bench(path: Path, dataset: str = "cifar100") -> CostTable:
    """HW-NAS-Bench's pickle (Li et al., ICLR 2021), its part on NAS-Bench-201.

    It is read without running any code that may be in it.

    Args:
        path: ``HW-NAS-Bench-v1_0.pickle``.
        dataset: ``cifar10``, ``cifar100`` or ``ImageNet16-120``.

    Raises:
        SuiteError: no such file, not of this structure, code in it, or a figure that is no cost.
    """
    content = load(path)
    try:
        parts = content["nasbench201"]
        known = list(parts)
        metrics = dict(parts[dataset])
    except (KeyError, TypeError, ValueError, IndexError):
        if isinstance(content, Mapping) and isinstance(content.get("nasbench201"), Mapping):
            raise SuiteError(choose_from(f"data set of {path}", dataset, known)) from None
        raise SuiteError(
            f"{path} has no part 'nasbench201': is it HW-NAS-Bench-v1_0.pickle?"
        ) from None
    columns, facts = {}, {}
    for metric, values in metrics.items():
        device, _, quantity = str(metric).rpartition("_")
        suffix = {"latency": "ms", "energy": "mj"}.get(quantity)
        if suffix is None:
            continue  # configurations, and an intensity that is no cost
        columns[f"{device}_{suffix}"] = values
        provenance = "modelled" if device in HW_MODELLED else "measured"
        facts[f"{device}_{suffix}"] = {
            "provenance": provenance,
            "dataset": dataset.lower().replace("-", "_"),
            "note": "HW-NAS-Bench",
        }
        if device in HW_REJECTING:
            facts[f"{device}_{suffix}"]["missing"] = "rejected by the compiler"
    space = load_finite_space("nats-tss")
    about = {"source": "HW-NAS-Bench (Li et al., ICLR 2021)", "dataset": dataset}
    return make_table(space, np.arange(space.size), columns, facts, about)


def import_help(
    path: Path,
    space: str = "nats-tss",
    *,
    unit: str = "ms",
    encoding: str | None = None,
    force: bool = False,
    missing: str | None = None,
) -> CostTable:
    """Latencies in the form of HELP (Lee et al., NeurIPS 2021): a ``device.pt`` a device.

    Each holds a list or array of latencies in index order, or a dictionary of them by architecture
    string, index or vector, as LatBench's do. Read without running any code that may be in it.

    Args:
        path: such a file, or a folder of them.
        space: the space of the architectures.
        unit: of the latencies: HELP keeps ms, BRP-NAS s.
        encoding: how numbers or vectors are meant; see ``benchmarks.encodings``.
        force: read figures though they fit another order of the architectures better.
        missing: why an empty cell, an architecture that is not there, or a -1 stands for no
            figure.

    Raises:
        SuiteError: nothing there, another structure, code in it, a figure that is no cost, or
            figures that fit another order of the architectures.
    """
    files = tables_in(path)
    if path in files and path.is_dir():
        raise SuiteError(f"There is no file *{HELP_SUFFIX} in {path}.")
    where = load_finite_space(space)
    columns: dict[str, NDArray[np.float64]] = {}
    facts: dict[str, dict[str, str]] = {}
    hints: list[str] = []
    common: NDArray[np.int64] | None = None
    for file in files:
        frame = frame_of(load(file), file)
        named = ARCHITECTURE in frame
        if frame.shape[1] != 1 + named:
            raise SuiteError(
                f"{file} holds several columns ({', '.join(map(str, frame.columns[:5]))}), where "
                f"one of latencies is read: save each device in a file of its own, or all of them "
                f"as CSV."
            )
        if not named and len(frame) != where.size:
            raise SuiteError(
                f"{file} has {len(frame)} latencies, but space {where.name!r} has "
                f"{where.size} architectures: the device lacks rows."
            )
        name = f"{file.stem}_{unit}"
        values = frame.iloc[:, -1].to_numpy(dtype=np.float64)
        key = ARCHITECTURE if named else None
        found = read_architectures(
            file, frame, key, where, {name: ("latency", values)}, encoding=encoding, force=force
        )
        hints += [
            *found.hints,
            *found.warnings,
            *unlikely_costs(name, "latency", unit, values, "say so with --unit {}".format),
        ]
        plain = {name: {"quantity": "latency", "unit": unit, "device": file.stem}}
        facts |= _saying_why(plain, [name], missing)
        table = make_table(where, found.indices, {name: values}, {name: facts[name]})
        if common is not None and not np.array_equal(common, table.indices):
            raise SuiteError(f"{file} has other architectures than {files[0]}: import it alone.")
        common = table.indices
        columns |= table.columns
    assert common is not None, "there is at least one file"
    about = {"source": "HELP (Lee et al., NeurIPS 2021)"}
    return replace(make_table(where, common, columns, facts, about), hints=tuple(hints))
