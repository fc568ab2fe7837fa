"""Unpacking what others packed: no more than a file of its size may hold."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_suite.errors import SuiteError

if TYPE_CHECKING:
    import numpy as np

_RATIO = 100  # what figures and their names pack to at best; gzip can pack to a thousandth
_FREE = 1 << 26  # bytes that any file may unpack to


def most_unpacked(path: Path) -> int:
    """The bytes that a packed file may unpack to."""
    return _FREE + _RATIO * path.stat().st_size


def need_regular_file(path: Path, most: int | None = None) -> None:
    """Refuse a pipe, which would be waited for, a device, which has no end, and too large a file.

    Args:
        path: what is to be read, which need not be there.
        most: bytes that it may have; by default as many as it has.

    Raises:
        SuiteError: it is there and is one of these.
    """
    if path.exists() and not path.is_file():
        raise SuiteError(f"{path} is no file: name one.")
    if most is not None and path.exists() and path.stat().st_size > most:
        raise SuiteError(f"{path} is larger than {most >> 20} MiB: name another file.")


def read_arrays(path: Path, content: bytes | None = None) -> dict[str, np.ndarray[Any, Any]]:
    """The arrays of a NumPy archive by name; no objects, and no more than its size allows.

    Args:
        path: the file.
        content: what it holds, where that was read.

    Raises:
        SuiteError: it is a pipe or a device, or unpacks to too much.
        Exception: nearly any, where it is no such archive or damaged.
    """
    import numpy as np

    need_regular_file(path)
    source = path if content is None else io.BytesIO(content)
    with zipfile.ZipFile(source) as archive:
        need_likely_size(path, sum(member.file_size for member in archive.infolist()))
    if content is not None:
        source = io.BytesIO(content)
    with np.load(source, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def need_likely_size(path: Path, size: int) -> None:
    """Refuse a file that is to unpack to more bytes than one of its size may.

    Raises:
        SuiteError: it is.
    """
    most = most_unpacked(path)
    if size > most:
        raise SuiteError(
            f"{path} unpacks to more than {most >> 20} MiB, too much for its size: it is no file "
            f"of figures."
        )


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
