"""Architectures that other codes keep as structures, not as strings: read into a space's strings.

* arch2vec's JSON (MSU-MLSys-Lab/arch2vec, ``preprocessing/nasbench201_json.py`` and
  ``gen_json.py``): ``module_adjacency`` and ``module_operations``, one row a vertex, for
  NAS-Bench-201 and NAS-Bench-101; NAS-Bench-101's own pairs of matrix and names as well;
* HW-NAS-Bench's configurations (``get_net_config``): ``arch_str`` or ``op_idx_list``;
* DARTS genotypes and configurations of NAS-Bench-301 as dictionaries: see ``spaces.darts``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import FiniteSpace, SearchSpace
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
    return _with_zeros(frame, space)


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
