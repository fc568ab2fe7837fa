"""Architectures that other codes keep as structures, not as strings: read into a space's strings.

* arch2vec's JSON (MSU-MLSys-Lab/arch2vec, ``preprocessing/nasbench201_json.py`` and
  ``gen_json.py``): ``module_adjacency`` and ``module_operations``, one row a vertex, for
  NAS-Bench-201 and NAS-Bench-101; NAS-Bench-101's own pairs of matrix and names as well;
* HW-NAS-Bench's configurations (``get_net_config``): ``arch_str`` or ``op_idx_list``;
* NASLib's numbers (``convert_genotype_to_compact`` of nasbench301, ``convert_spec_to_tuple`` of
  nasbench101): sources and operations of two DARTS cells; a module's matrix and operations;
* Accel-NASBench's networks, a column a decision (``block0_e``);
* DARTS genotypes and configurations of NAS-Bench-301 as dictionaries: see ``spaces.darts``.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace, SearchSpace
from nasbench_suite.spaces.darts import KEPT, STEPS, DartsSpace
from nasbench_suite.spaces.mobile import MnasNetSpace
from nasbench_suite.spaces.nasbench101 import MAX_VERTICES, NASBench101Space
from nasbench_suite.spaces.topology import EDGES

if TYPE_CHECKING:
    import pandas as pd

MATRIX, OPERATIONS = "module_adjacency", "module_operations"
# arch2vec's positions in a row of operations.
_CELLS = (
    *("input", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "output"),
)
_MODULES = ("input", "conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3", "output")
# HW-NAS-Bench's costs (Li et al., ICLR 2021): those of two accelerators come from the simulators
# named in its section 3, and -1 stands for the 4,699 cells that the compiler of edgetpu refuses.
HW_DEVICES = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")
HW_MODELLED = ("eyeriss", "fpga")
HW_REJECTING = ("edgetpu",)
_HW_DATA = ("cifar10", "cifar100", "ImageNet16-120", "imagenet16_120")
_NO_COST = ("arithmetic_intensity", "average_hw_metric")  # which it has beside them
# NASLib's OPS of nasbench301, before which BANANAS counts ``none``, and all_ops of nasbench101.
_NASLIB_CELLS = (
    *("max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"),
    *("dil_conv_3x3", "dil_conv_5x5"),
)
_NASLIB_MODULES = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")
_BLOCK = re.compile(r"(?:.*_)?(block\d_(?:e|k|l|se))")
_NUMBER = re.compile(r"\d+(\.0+)?")
_LONGEST = 10_000  # characters; two cells of NASLib's have some two hundred
_KEYS = ("architecture", "arch", "key", "index")


def spelled(frame: pd.DataFrame, space: SearchSpace) -> tuple[pd.DataFrame, list[str]]:
    """A table with its architectures as strings, and a sentence on what they were read from.

    The table as it is where it holds none of these structures.

    Raises:
        SuiteError: a row of them is no architecture of the space.
    """
    if MATRIX in frame and OPERATIONS in frame:
        rows = zip(frame[MATRIX], frame[OPERATIONS], strict=True)
        strings = [_of_matrix(space, row, *map(_read, pair)) for row, pair in enumerate(rows)]
        # The keys of such a file count its rows, and say less than its graphs.
        rest = frame.drop(columns=[MATRIX, OPERATIONS, *(k for k in _KEYS if k in frame)])
        rest.insert(0, "arch_str", strings)
        what = f"arch2vec's {MATRIX} and {OPERATIONS}"
        return rest, [
            f"The architectures are read from {what}; other columns that name them are left out."
        ]
    if hw_nas_bench_facts(frame.columns):
        others = [name for name in frame.columns if name.endswith(_NO_COST)]
        frame = frame.drop(columns=others)
    for column in frame.columns:
        cells = frame[column]
        if len(cells) and isinstance(cells.iloc[0], Mapping):
            return frame.assign(**{column: [_of_mapping(cell) for cell in cells]}), []
        if (found := _of_naslib(space, column, cells)) is not None:
            return frame.assign(**{column: found[0]}), [found[1]]
    blocks = [column for column in frame.columns if _BLOCK.fullmatch(column)]
    if isinstance(space, MnasNetSpace) and len(blocks) == len(space.choices):
        records = frame[blocks].rename(columns=lambda c: _BLOCK.sub(r"\1", c)).to_dict("records")
        strings = [_string(space, row, _plain_record(one)) for row, one in enumerate(records)]
        rest = frame.drop(columns=blocks)
        rest.insert(0, "arch_str", strings)
        more = counted(len(blocks) - 1, "more column")
        return rest, [f"The networks are read from {blocks[0]} and {more}."]
    return _with_zeros(frame, space)


def _of_naslib(
    space: SearchSpace, column: str, cells: pd.Series[Any]
) -> tuple[list[str], str] | None:
    """Strings of what NASLib writes as numbers, and a sentence on them; None of anything else."""
    if not isinstance(space, DartsSpace | NASBench101Space) or not len(cells):
        return None
    if not _is_naslibs(space, _numbers(cells.iloc[0])):
        return None
    numbers = [_numbers(cell) for cell in cells]
    for row, one in enumerate(numbers):
        if not _is_naslibs(space, one):
            raise SuiteError(
                f"Row {row}: {str(cells.iloc[row])[:80]!r} in column {column!r} is not what NASLib "
                f"writes of an architecture of space {space.name!r}."
            )
    operations: Sequence[str] = _NASLIB_MODULES
    if isinstance(space, DartsSpace):
        # Nobody derives ``none``, so that one number in many tells whether it is counted.
        counted = any(one[..., 1].max() == len(_NASLIB_CELLS) for one in numbers)
        operations = ("none", *_NASLIB_CELLS) if counted else _NASLIB_CELLS
    strings = [_string(space, row, _named(one, operations)) for row, one in enumerate(numbers)]
    return strings, (
        f"{column} is read as NASLib's numbers, with operations {', '.join(operations)}, in this "
        f"order."
    )


def _numbers(cell: Any) -> NDArray[np.int64]:
    """A cell of whole numbers, in lists or as text; empty if it is something else."""
    try:
        if isinstance(cell, str):
            cell = ast.literal_eval(cell) if len(cell) < _LONGEST and cell[:1] in "([" else ()
        array = np.array(cell.tolist() if isinstance(cell, np.ndarray) else cell)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return np.empty(0, dtype=np.int64)
    return array.astype(np.int64) if array.dtype.kind in "iu" else np.empty(0, dtype=np.int64)


def _is_naslibs(space: SearchSpace, numbers: NDArray[np.int64]) -> bool:
    """Whether numbers are as many, and in as many lists, as NASLib writes."""
    if isinstance(space, DartsSpace):
        return numbers.shape == (len(space.cells), KEPT * STEPS, 2)
    side = math.isqrt(numbers.size)
    return numbers.ndim == 1 and 2 <= side <= MAX_VERTICES and numbers.size == side * (side + 1)


def _named(numbers: NDArray[np.int64], operations: Sequence[str]) -> Any:
    """What ``read`` of the space takes, from NASLib's numbers of one architecture."""

    def name(number: int) -> str:
        return operations[number] if 0 <= number < len(operations) else str(number)

    if numbers.ndim == 1:
        side = math.isqrt(numbers.size)
        return numbers[:-side].reshape(side, side), [name(one) for one in numbers[-side:].tolist()]
    return " / ".join(
        "|".join(f"{name(operation)}~{source}" for source, operation in cell)
        for cell in numbers.tolist()
    )


def _string(space: SearchSpace, row: int, given: Any) -> str:
    """The string of the architecture in a row.

    Raises:
        SuiteError: it is none of the space.
    """
    try:
        return space.string(given)
    except SuiteError as error:
        raise SuiteError(f"Row {row}: {error}") from None


def _plain_record(record: Mapping[Any, Any]) -> dict[str, Any]:
    """A record of numbers, some of them written as text, or of whether something is so."""
    words = {"true": 1, "false": 0}
    found = {}
    for key, value in record.items():
        text = str(value).strip().lower()
        number = words.get(text, text)
        found[str(key)] = int(float(number)) if _NUMBER.fullmatch(str(number)) else value
    return found


def _with_zeros(frame: pd.DataFrame, space: SearchSpace) -> tuple[pd.DataFrame, list[str]]:
    """Strings of digits that were read as numbers, which have no zeros in front."""
    if not isinstance(space, FiniteSpace) or not (first := space.string(0)).isdigit():
        return frame, []
    for column in frame.columns:
        cells = frame[column].astype(str)
        strings = cells.str.zfill(len(first))
        lost = not cells.equals(strings) and strings.isin(space.all_strings).all()
        if lost and (column == "arch_str" or cells.str.len().max() > len(str(space.size))):
            said = f"{column} had lost zeros in front, as in {cells[cells != strings].iloc[0]}."
            return frame.assign(**{column: strings}), [said]
    return frame, []


def hw_nas_bench_facts(columns: Iterable[str]) -> dict[str, dict[str, str]]:
    """What is known of each column of HW-NAS-Bench's; empty for a table that is not it.

    Such a table has the latency on all of ``HW_DEVICES`` of one data set, under the names of its
    API (``raspi4_latency``) or with the data set before them.
    """
    names = set(columns)
    facts: dict[str, dict[str, str]] = {}
    for data in ("", *_HW_DATA):
        before = f"{data}_" if data else ""
        if not {f"{before}{device}_latency" for device in HW_DEVICES} <= names:
            continue
        for device in HW_DEVICES:
            for quantity, unit in (("latency", "ms"), ("energy", "mJ")):
                if (name := f"{before}{device}_{quantity}") in names:
                    facts[name] = {
                        "quantity": quantity,
                        "unit": unit,
                        "device": device,
                        **({"dataset": data.lower().replace("-", "_")} if data else {}),
                        **(
                            {"missing": "rejected by the compiler"}
                            if device in HW_REJECTING
                            else {}
                        ),
                        "provenance": "modelled" if device in HW_MODELLED else "measured",
                        "note": "HW-NAS-Bench",
                    }
    return facts


def _read(cell: Any) -> Any:
    """A cell of lists, written as text where the table is text."""
    if not isinstance(cell, str):
        return cell
    try:
        return json.loads(cell.replace("'", '"'))
    except (ValueError, RecursionError):
        return None


def _of_matrix(space: SearchSpace, row: int, matrix: Any, operations: Any) -> str:
    try:
        names = [_name(one) for one in operations]
        kept = [vertex for vertex, name in enumerate(names) if name is not None]
        edges = np.array([list(line) for line in matrix], dtype=np.int64)[np.ix_(kept, kept)]
        labels = [str(names[vertex]) for vertex in kept]
        if space.name == "nats-tss":
            if not np.array_equal(edges, _cell_graph()):
                raise SuiteError("not the graph of a cell")
            it = iter(labels[1:-1])
            nodes = [[f"{next(it)}~{s}" for s, t in EDGES if t == node] for node in (1, 2, 3)]
            return "+".join(f"|{'|'.join(inputs)}|" for inputs in nodes)
        return space.string(space.read((edges, labels)))
    except (SuiteError, TypeError, ValueError, IndexError, StopIteration) as error:
        raise SuiteError(
            f"Row {row}: {MATRIX} and {OPERATIONS} are no architecture of space {space.name!r} "
            f"({error}): say which space it is with --space."
        ) from None


def _name(operation: Any) -> str | None:
    """The operation of a vertex; None for a row of padding."""
    if isinstance(operation, str):
        return operation
    marked = np.flatnonzero(np.asarray(operation))
    if len(marked) > 1:
        raise ValueError("a vertex with several operations")
    names: Sequence[str] = _CELLS if len(operation) == len(_CELLS) else _MODULES
    return names[int(marked[0])] if len(marked) else None


def _cell_graph() -> np.ndarray[Any, Any]:
    """The graph whose inner vertices are the edges of a cell, in the order of its strings."""
    ends = [(-1, 0), *EDGES, (len(EDGES) // 2, -2)]
    return np.array([[int(t == s) for s, _ in ends] for _, t in ends])


def _of_mapping(cell: Any) -> Any:
    if not isinstance(cell, Mapping):
        return cell
    if isinstance(cell.get("arch_str"), str):
        return cell["arch_str"]
    if "op_idx_list" in cell:
        return "-".join(map(str, cell["op_idx_list"]))
    return repr(dict(cell))
