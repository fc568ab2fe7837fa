"""What is measured of architectures, in which units, and how the names of columns say it.

The one place for it: ``nasbench data import`` and ``nasbench hardware import`` both ask here.
Figures stay in the unit they came in; ``convert`` is for those who need another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError, choose_from

Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class Quantity:
    """One quantity.

    Attributes:
        name: as ``Metric.quantity`` has it.
        unit: the usual unit.
        direction: whether larger or smaller is better.
        units: every unit known, and by what a figure in it is multiplied for the usual one.
        is_cost: whether an architecture can be charged with it; a cost is above 0.
        of_device: whether a device belongs to it, rather than a data set.
    """

    name: str
    unit: str
    direction: Direction = "minimize"
    units: Mapping[str, float] = field(default_factory=dict)
    is_cost: bool = True
    of_device: bool = False


_COUNTED = ("flops", "macs", "parameters")
_COUNTS = {"": 1.0, "K": 1e3, "k": 1e3, "M": 1e6, "G": 1e9}
_SECONDS = {"s": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0}

QUANTITIES: Mapping[str, Quantity] = {
    quantity.name: quantity
    for quantity in (
        Quantity("accuracy", "%", "maximize", {"%": 1.0, "fraction": 100.0}, is_cost=False),
        Quantity("error", "%", units={"%": 1.0, "fraction": 100.0}, is_cost=False),
        Quantity("loss", "nats", units={"nats": 1.0}, is_cost=False),
        Quantity(
            "latency", "ms", units={"ms": 1.0, "s": 1e3, "us": 1e-3, "ns": 1e-6}, of_device=True
        ),
        Quantity(
            "energy", "mJ", units={"mJ": 1.0, "J": 1e3, "uJ": 1e-3, "kWh": 3.6e9}, of_device=True
        ),
        Quantity("power", "W", units={"W": 1.0, "mW": 1e-3}, of_device=True),
        Quantity(
            "memory",
            "MB",
            units={
                "MB": 1.0,
                "kB": 1e-3,
                "GB": 1e3,
                "MiB": 1.048576,
                "KiB": 1.024e-3,
                "GiB": 1073.741824,
                "B": 1e-6,
            },
            of_device=True,
        ),
        Quantity(
            "throughput", "images/s", "maximize", {"images/s": 1.0}, is_cost=False, of_device=True
        ),
        Quantity("training_time", "s", units=_SECONDS),
        Quantity("validation_time", "s", units=_SECONDS),
        Quantity("parameters", "", units=_COUNTS),
        Quantity("flops", "", units=_COUNTS),
        Quantity("macs", "", units=_COUNTS),
    )
}
COSTS = tuple(name for name, quantity in QUANTITIES.items() if quantity.is_cost)

# The last part of a column's name, in lower case, and the quantity and unit it stands for.
SUFFIXES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("ms", "msec", "msecs", "millis", "milliseconds"), ("latency", "ms")),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("latency", "s")),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microseconds"), ("latency", "us")),
    **dict.fromkeys(("ns", "nsec", "nanoseconds"), ("latency", "ns")),
    "latency": ("latency", "ms"),
    "mj": ("energy", "mJ"),
    "j": ("energy", "J"),
    "uj": ("energy", "uJ"),
    "kwh": ("energy", "kWh"),
    "energy": ("energy", "mJ"),
    "mw": ("power", "mW"),
    "w": ("power", "W"),
    "mb": ("memory", "MB"),
    "kb": ("memory", "kB"),
    "gb": ("memory", "GB"),
    "mib": ("memory", "MiB"),
    "kib": ("memory", "KiB"),
    "gib": ("memory", "GiB"),
    "bytes": ("memory", "B"),
    **dict.fromkeys(("fps", "ips", "throughput"), ("throughput", "images/s")),
    "flops": ("flops", ""),
    "mflops": ("flops", "M"),
    "gflops": ("flops", "G"),
    "macs": ("macs", ""),
    "mmacs": ("macs", "M"),
    "gmacs": ("macs", "G"),
    "params": ("parameters", ""),
    "parameters": ("parameters", ""),
    "mparams": ("parameters", "M"),
}

UNKNOWN_UNITS = (
    *("cycles", "kcycles", "mcycles", "ticks", "clocks", "jiffies", "hz", "mhz", "ghz"),
    *("min", "mins", "minutes", "h", "hours", "days", "ps", "fs"),
    *("rel", "relative", "norm", "normalized", "normalised", "scaled", "log", "rank", "score"),
)
"""Last parts of names that say a unit, or none, in which no quantity is kept here."""

OTHER_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("memory", "mem", "vram", "ram", "rss"), "memory"),
    **dict.fromkeys(("power", "watt", "watts"), "power"),
    **dict.fromkeys(("energy", "joule", "joules"), "energy"),
    **dict.fromkeys(("throughput", "fps", "qps"), "throughput"),
    **dict.fromkeys(("params", "parameters", "size"), "parameters"),
    **dict.fromkeys(("flops", "macs"), "flops"),
    **dict.fromkeys(("accuracy", "acc", "top1", "top5"), "accuracy"),
    **dict.fromkeys(("error", "err", "misclassification"), "error"),
    "loss": "loss",
}
"""Parts of names that speak of another quantity than a latency."""

_SAID_BY_WORD = ("latency", "energy", "throughput")


def _plain(name: str) -> str:
    """A name with its parts joined by ``_``, from ``phone (ms)``, ``phone-ms`` or ``#params``."""
    return re.sub(r"(?:[^\w%µμ]|_)+", "_", name).strip("_")


def read_suffix(name: str) -> tuple[str, dict[str, Any]]:
    """What stands before a known suffix, and the quantity and unit it says; ("", {}) if none.

    A name may begin with its quantity instead.

    >>> read_suffix("pixel3_ms")
    ('pixel3', {'quantity': 'latency', 'unit': 'ms'})
    >>> read_suffix("throughput_tpuv2")
    ('tpuv2', {'quantity': 'throughput', 'unit': 'images/s'})
    >>> read_suffix("colour")
    ('', {})
    """
    plain = _plain(name)
    base, _, suffix = plain.rpartition("_")
    known = SUFFIXES.get(suffix.lower())
    counted = SUFFIXES.get(base.rpartition("_")[2].lower(), ("",))[0]
    if counted in _COUNTED and suffix.upper() in _COUNTS:
        # "Params (M)", "flops_G": the scale stands behind what is counted.
        base, known = base.rpartition("_")[0], (counted, suffix.upper())
    if known is None and (words := plain.split("_"))[0].lower() in _SAID_BY_WORD:
        known, base = SUFFIXES[words[0].lower()], "_".join(words[1:])  # "latency_zcu102"
        unit = SUFFIXES.get(words[1].lower()) if len(words) > 2 else None
        if unit is not None and unit[0] == known[0]:
            known, base = unit, "_".join(words[2:])  # "latency_s_zcu102"
    # "s" or "latency" alone is too little; a count needs no device and no unit.
    if known is None or (not base and known[0] not in _COUNTED):
        return "", {}
    return base, {"quantity": known[0], "unit": known[1]}


def unit_alone(name: str) -> str | None:
    """The unit of a latency that is all that a name says: ``seconds`` or ``time_s``; else None."""
    word = _plain(name).lower().removeprefix("time_")
    quantity, unit = SUFFIXES.get(word, ("", ""))
    return unit if quantity == "latency" and word not in _SAID_BY_WORD else None


def latency_of(name: str) -> dict[str, str]:
    """Facts of a column of latencies that is named by its device, or by its unit alone.

    Raises:
        SuiteError: its name ends in an unknown unit, or speaks of something else.
    """
    unit = unit_alone(name)
    if unit is None:
        check_named_unit(name)
    return {"quantity": "latency", "unit": unit or "ms", "device": name}


def says_no_unit(name: str) -> bool:
    """Whether a name says a quantity and leaves its unit to be taken as the usual one."""
    words = _plain(name).lower().split("_")
    if len(words) > 1 and words[-1] in _SAID_BY_WORD:
        return True
    return words[0] in _SAID_BY_WORD and not SUFFIXES.keys() & {words[-1], *words[1:2]}


def check_unit(column: str, quantity: str, unit: str) -> None:
    """Refuse a unit that is none of a known quantity's.

    Raises:
        SuiteError: it is none.
    """
    known = QUANTITIES.get(quantity)
    if known is not None and unit not in known.units:
        names = [name or "none" for name in known.units]
        raise SuiteError(
            f"Column {column!r} has unit {unit!r}, which is none of {quantity}: choose from "
            f"{', '.join(names)}."
        )


def check_named_unit(column: str) -> None:
    """Refuse a column as a latency whose name ends in an unknown unit or speaks of something else.

    Raises:
        SuiteError: it does.
    """
    parts = _plain(column).lower().split("_")
    word = parts[-1]
    for part in parts:
        if (other := OTHER_WORDS.get(part)) is not None:
            unit = next((end for end, known in SUFFIXES.items() if known[0] == other), "")
            mend = f"end its name in its unit, such as _{unit}, or " if unit else ""
            raise SuiteError(
                f"Column {column!r} seems to be {other}, not a latency: {mend}leave it out."
            )
    if word in UNKNOWN_UNITS:
        raise SuiteError(
            f"Column {column!r} seems to be in {word!r}, which is no unit known here: convert it "
            f"to ms (or s, us, ns) and name it so, or leave it out."
        )


def impossible(
    values: NDArray[np.float64], quantity: str, unit: str, direction: str | None = None
) -> tuple[NDArray[np.bool_], str]:
    """Which figures cannot be of a quantity, and the rule that these break.

    Args:
        values: figures of any shape; NaN, where there is none, breaks no rule.
        quantity: what they are; of an unknown one any figure can be.
        unit: theirs.
        direction: whether larger or smaller is better; by default as usual.

    Returns:
        What is wrong, of the shape of ``values``, and one clause.
    """
    known = QUANTITIES.get(quantity)
    if known is None:
        return np.zeros(values.shape, dtype=np.bool_), ""
    if known.of_device:
        return values <= 0, f"{quantity} is a number above 0"
    if known.is_cost:
        return values < 0, f"{quantity} is no number below 0"
    if quantity == "loss":
        falls = (direction or known.direction) == "minimize"
        return (values < 0) & falls, "loss is no number below 0"
    most = 1 if unit == "fraction" else 100
    return (values < 0) | (values > most), f"{quantity} in {unit} lies between 0 and {most}"


def convert(value: Any, quantity: str, unit: str, to: str) -> Any:
    """A figure, or an array of figures, in another unit of its quantity.

    >>> convert(0.25, "latency", "s", "ms")
    250.0

    Raises:
        SuiteError: unknown quantity or unit.
    """
    if quantity not in QUANTITIES:
        raise SuiteError(choose_from("quantity", quantity, list(QUANTITIES)))
    for one in (unit, to):
        check_unit(quantity, quantity, one)
    units = QUANTITIES[quantity].units
    return value if unit == to else value * (units[unit] / units[to])
