"""The figures of a metric: what is usual of its quantity, what they show, what cannot be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nasbench_suite.benchmarks.importing.cells import Numbers
from nasbench_suite.benchmarks.metric import Metric, metric_option
from nasbench_suite.benchmarks.quantities import QUANTITIES, impossible
from nasbench_suite.errors import SuiteError, and_more
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace

FEW_VALUES = 0.01
"""A latency or energy with fewer distinct values than this share of the rows is quantised."""
NO_FIGURE = -1
"""What stands for a figure that is not there, where a table or the user says so."""


def usual_facts(name: str, quantity: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Unit and direction of a quantity; of one that nobody knows, the direction that is said.

    Raises:
        SuiteError: none is.
    """
    if (known := QUANTITIES.get(quantity)) is not None:
        return {"unit": known.unit, "direction": known.direction}
    if said.get("direction") is None:
        raise SuiteError(
            f"Quantity {quantity!r} of metric {name!r} is none of {', '.join(QUANTITIES)}: "
            f"say whether larger is better with {metric_option(name, 'direction=maximize')} or "
            f"minimize."
        )
    return {"unit": "", "direction": said["direction"]}


class Shown(NamedTuple):
    """What figures themselves tell of their metric.

    Attributes:
        facts: further ones.
        note: in a few words; may be empty.
        hint: a sentence for the user; may be empty.
    """

    facts: Mapping[str, Any]
    note: str = ""
    hint: str = ""


def shown_by(name: str, facts: Mapping[str, Any], columns: Sequence[Numbers]) -> Shown:
    """Whether figures are shares of 1, or so few or whole that they are quantised.

    Args:
        name: of their metric.
        facts: what is known of it, with its quantity and unit.
        columns: the figures, each of shape (n,).
    """
    quantity, unit = facts["quantity"], facts["unit"]
    values = np.concatenate(columns)
    values = values[np.isfinite(values)]
    if quantity in ("accuracy", "error") and values.size and 0 <= values.min() <= values.max() <= 1:
        return Shown({"unit": "fraction"})
    if quantity not in ("latency", "energy"):
        return Shown({})
    distinct = len(np.unique(values))
    quantised = {"provenance": "quantised"}
    if np.all(values == np.rint(values)):
        return Shown(quantised, f"{counted(distinct, 'distinct value')}, whole {unit}")
    if distinct >= FEW_VALUES * len(columns[0]):
        return Shown({})
    hint = (
        f"{name} has only {counted(distinct, 'distinct value')}: if a model made them, say so with "
        f"{metric_option(name, 'provenance=modelled')}."
    )
    told = counted(distinct, "distinct value")
    return Shown(quantised, told, "" if "provenance" in facts else hint)


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


def refuse_impossible(
    path: Path, column: str, metric: Metric, values: Numbers, space: FiniteSpace
) -> None:
    """Refuse figures that cannot be.

    Args:
        path: the file, for messages.
        column: of the file.
        metric: what the column holds.
        values: by architecture, shape (size of the space,).
        space: the architectures.

    Raises:
        SuiteError: a cost that is not above 0, or an accuracy outside its scale.
    """
    if metric.quantity in ("accuracy", "error"):
        _refuse_mixed_scales(path, column, metric, values)
    wrong, rule = impossible(values, metric.quantity, metric.unit, metric.direction)
    if not wrong.any():
        return
    if metric.quantity == "loss":
        option = metric_option(metric.name, "direction=maximize")
        rule += f"; if it is minus the loss, say so with {option}"
    mend = (
        "why -1 stands for no figure with --missing REASON"
        if (values[wrong] == NO_FIGURE).all()
        else "if that stands for no figure, leave those cells empty and say why with "
        "--missing REASON"
    )
    at = int(wrong.argmax())
    raise SuiteError(
        f"Column {column!r} of {path} is {values[at]:g} at architecture {at} "
        f"({space.string(at)}){and_more(int(wrong.sum()) - 1)}: {rule}; leave the "
        f"column out, or say what it is with {metric_option(metric.name, 'quantity=NAME')}, or "
        f"{mend}."
    )


def _refuse_mixed_scales(path: Path, column: str, metric: Metric, values: Numbers) -> None:
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
