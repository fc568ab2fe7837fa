"""Unpacking what others packed: no more than a file of its size may hold."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from nasbench_suite.errors import SuiteError

_RATIO = 100  # what figures and their names pack to at best; gzip can pack to a thousandth
_FREE = 1 << 26  # bytes that any file may unpack to


def most_unpacked(path: Path) -> int:
    """The bytes that a packed file may unpack to."""
    return _FREE + _RATIO * path.stat().st_size


def need_regular_file(path: Path, most: int) -> None:
    """Refuse a pipe, which would be waited for, a device, which has no end, and too large a file.

    Raises:
        SuiteError: it is there and is one of these.
    """
    if path.exists() and not path.is_file():
        raise SuiteError(f"{path} is no file: name one.")
    if path.exists() and path.stat().st_size > most:
        raise SuiteError(f"{path} is larger than {most >> 20} MiB: name another file.")


class Bounded(io.RawIOBase):
    """A packed stream that ends with a sentence where it unpacks to too much.

    Args:
        packed: reads what is unpacked.
        path: the file.
    """

    def __init__(self, packed: Any, path: Path) -> None:
        self._packed, self._path = packed, path
        self._left = most_unpacked(path)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read as much as there is room for.

        Raises:
            SuiteError: there was more before than the file may hold.
        """
        content = self._packed.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise SuiteError(
                f"{self._path} unpacks to more than {most_unpacked(self._path) >> 20} MiB, too "
                f"much for its size: it is no file of figures."
            )
        buffer[: len(content)] = content
        return len(content)
