"""Journals: long work noted as it is done, so that a command given again goes on with it.

A journal is a file of JSON objects, a line each, that only grows. What a kill in the middle of a
line leaves is dropped by whoever reads it, and cut off by whoever goes on writing. Each entry has a
checksum, of itself and the first, so that a flipped bit is told from a figure; journals of earlier
versions begin without.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nasbench_suite.errors import SuiteError, reason
from nasbench_suite.files.atomic import write_bytes
from nasbench_suite.files.locks import hold
from nasbench_suite.files.unpacking import need_regular_file

Entry = dict[str, Any]

_SEAL = "crc32"  # of the first entry and this one as JSON


class Journal:
    """One journal.

    Args:
        path: its file, which need not exist yet.
        sync: wait for the disk after each entry, for entries that took long and are few. Without
            it an entry survives a kill of the process, and a power cut may take the last seconds.
    """

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        self.path = path
        self._sync = sync

    @property
    def begun(self) -> bool:
        """Whether there is an entry in it."""
        return bool(self.entries())

    def begin(self, header: Mapping[str, Any]) -> None:
        """Make a new journal whose first entry is ``header``, whole or not at all.

        Raises:
            SuiteError: the file cannot be written.
        """
        write_bytes(self.path, _line(header))

    def entries(self) -> list[Entry]:
        """All whole entries in order, the header among them; none where there is no file.

        Raises:
            SuiteError: the file cannot be read, a line before the last is no JSON object or not
                the one that was written, or it is no journal's.
        """
        need_regular_file(self.path)
        try:
            *lines, last = self.path.read_bytes().split(b"\n")  # the last is empty, or torn
        except FileNotFoundError:
            return []
        except OSError as error:
            raise SuiteError(f"Journal {self.path} cannot be read: {error.strerror}.") from error
        if last and not lines and not _may_be_torn(last):
            raise SuiteError(f"{self.path} is no journal: name another file.")
        entries: list[Entry] = []
        sealed, first = False, 0
        for number, line in enumerate(lines, 1):
            entry = self._entry(number, line)
            seal = entry.pop(_SEAL, None)
            if seal is None and sealed:
                raise self._damaged(number, "it has no checksum, and those before it have")
            if seal is not None and seal != _checksum(entry, first):
                raise self._damaged(number, "its checksum differs")
            sealed = seal is not None
            entries.append(entry)
            first = first or _checksum(entry)
        return entries

    def _entry(self, number: int, line: bytes) -> Entry:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise self._unread(number, line, reason(error)) from None
        if not isinstance(entry, dict):
            raise self._unread(number, line, "it is no entry")
        return entry

    def _unread(self, number: int, line: bytes, why: str) -> SuiteError:
        if number > 1 or f'"{_SEAL}"'.encode() in line:
            return self._damaged(number, why)
        return SuiteError(  # and never that somebody else's file be deleted
            f"{self.path} is no journal, or is damaged at line 1 ({why}): name another file."
        )

    def _damaged(self, number: int, why: str) -> SuiteError:
        return SuiteError(
            f"Journal {self.path} is damaged at line {number} ({why}): delete that line if it is "
            f"not the first, and what it held is done again; else delete the journal."
        )

    @contextmanager
    def appending(self) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """What appends an entry; a torn last line is cut off first, and a file made if needed.

        Raises:
            SuiteError: the file cannot be written, or another process is writing it.
        """
        need_regular_file(self.path)
        try:
            with self.path.open("ab") as file:
                if not hold(file, wait=False):  # both would do the same work
                    raise SuiteError(
                        f"Journal {self.path} is being written by another command: wait until "
                        f"that has ended, or give another file."
                    )
                first = next((_checksum(entry) for entry in self.entries()[:1]), 0)
                _cut_torn_line(self.path)  # once it is known for a journal

                def append(entry: Mapping[str, Any]) -> None:
                    nonlocal first
                    file.write(_line(entry, first))
                    first = first or _checksum(entry)
                    file.flush()
                    if self._sync:
                        os.fsync(file.fileno())

                yield append
        except OSError as error:
            raise SuiteError(
                f"Cannot write journal {self.path} ({error.strerror or reason(error)}): what is "
                f"in it stays; make room and give the command again."
            ) from error


def _line(entry: Mapping[str, Any], first: int = 0) -> bytes:
    return json.dumps({**entry, _SEAL: _checksum(entry, first)}).encode() + b"\n"


def _checksum(entry: Mapping[str, Any], first: int = 0) -> int:
    return zlib.crc32(json.dumps(entry).encode(), first)


def _may_be_torn(line: bytes) -> bool:
    """Whether a kill may have left this of the first line: its beginning, and not all of it."""
    if not line.startswith(b"{"):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return True
    return False


def _cut_torn_line(path: Path) -> None:
    """Cut what a kill in the middle of a write left after the last full line."""
    if path.exists():
        content = path.read_bytes()
        if not content.endswith(b"\n"):
            os.truncate(path, content.rfind(b"\n") + 1)
