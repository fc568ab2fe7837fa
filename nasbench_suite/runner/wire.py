"""Outcomes as bytes: numbers and text, and nothing that could be run.

A worker runs what anybody wrote, and whatever runs in it can write to its pipe. So what comes out
of it is read as data: a JSON header, and the arrays that it names, of three kinds of numbers.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import printable
from nasbench_suite.events import Diagnostic, Front, Incumbents, Record, TrialResult
from nasbench_suite.runner.jobs import MOST_TRACEBACK, Failure, Outcome

MOST_BYTES = 1 << 30  # of one outcome
_KINDS = ("<i4", "<i8", "<f8")
_LENGTH = struct.Struct("<I")


class WireError(ValueError):
    """Bytes that are no outcome."""


def encode(outcome: Outcome | None) -> bytes:
    """An outcome as bytes; None says that a task and method could be had."""
    arrays: dict[str, NDArray[Any]] = {}
    header: dict[str, Any] = {"kind": "ready"}
    if isinstance(outcome, Failure):
        header = {"kind": "failure", **vars(outcome)}
    elif outcome is not None:
        header = {
            "kind": "result",
            "wall_seconds": outcome.wall_seconds,
            "strings": outcome.record.strings,
            "logged": [[int(entry.step), entry.name] for entry in outcome.diagnostics],
            "indicators": dict(outcome.front.indicators) if outcome.front else None,
        }
        arrays |= _arrays_of("record", outcome.record)
        arrays |= _arrays_of("incumbents", outcome.incumbents)
        if outcome.front is not None:
            arrays |= _arrays_of("front", outcome.front)
        arrays |= {f"logged.{n}": entry.value for n, entry in enumerate(outcome.diagnostics)}
    # Not as contiguous arrays, which have one dimension at least: a number stays a number.
    whole = {name: np.asarray(array) for name, array in arrays.items()}
    header["arrays"] = [[name, a.dtype.newbyteorder("<").str, a.shape] for name, a in whole.items()]
    text = json.dumps(header).encode()
    return b"".join([_LENGTH.pack(len(text)), text, *(a.tobytes() for a in whole.values())])


def _arrays_of(prefix: str, event: Any) -> dict[str, NDArray[Any]]:
    return {
        f"{prefix}.{item.name}": value
        for item in fields(event)
        if isinstance(value := getattr(event, item.name), np.ndarray)
    }


def decode(content: bytes) -> Outcome | None:
    """What ``encode`` made bytes of.

    Raises:
        WireError: they are no outcome.
    """
    try:
        return _decode(content)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise WireError(f"{type(error).__name__}: {error}") from None
    except (struct.error, RecursionError) as error:
        raise WireError(type(error).__name__) from None


def _decode(content: bytes) -> Outcome | None:
    (length,) = _LENGTH.unpack_from(content)
    header = json.loads(content[_LENGTH.size : _LENGTH.size + length])
    arrays = _read_arrays(header["arrays"], content, _LENGTH.size + length)
    if header["kind"] == "ready":
        return None
    if header["kind"] == "failure":
        message, traceback = str(header["message"]), str(header["traceback"])
        seconds = float(header["wall_seconds"])
        return Failure(printable(message), printable(traceback, MOST_TRACEBACK), seconds)
    if header["kind"] != "result":
        raise WireError("it is of no known kind")
    strings = header["strings"]
    if strings is not None and not all(isinstance(string, str) for string in strings):
        raise WireError("an architecture is no string")
    indicators = header["indicators"]
    front = None
    if indicators is not None:
        named = {str(name): float(value) for name, value in indicators.items()}
        front = Front(**_part(arrays, "front"), indicators=named)
    logged = [
        Diagnostic(_whole(step), str(name), arrays[f"logged.{number}"])
        for number, (step, name) in enumerate(header["logged"])
    ]
    return TrialResult(
        Record(
            **_part(arrays, "record"),
            strings=None if strings is None else tuple(strings),
        ),
        Incumbents(**_part(arrays, "incumbents")),
        float(header["wall_seconds"]),
        front,
        tuple(logged),
    )


def _read_arrays(listed: Any, content: bytes, place: int) -> Mapping[str, NDArray[Any]]:
    arrays = {}
    for name, kind, shape in listed:
        if kind not in _KINDS or not all(_whole(size) >= 0 for size in shape):
            raise WireError(f"array {str(name)[:40]!r} is of no known kind or shape")
        dtype = np.dtype(kind)
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if place + count * dtype.itemsize > len(content):
            raise WireError("an array is cut off")
        arrays[str(name)] = np.frombuffer(content, dtype, count, place).reshape(shape)
        place += count * dtype.itemsize
    if place != len(content):
        raise WireError("there is more than it says")
    return arrays


def _part(arrays: Mapping[str, NDArray[Any]], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(f"{prefix}."): array
        for name, array in arrays.items()
        if name.startswith(f"{prefix}.")
    }


def _whole(number: Any) -> int:
    if isinstance(number, bool) or not isinstance(number, int):
        raise WireError("a number is not whole")
    return number
