"""Locks between processes of one machine: one at a time does what a lock's file stands for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from nasbench_suite.errors import SuiteError, reason


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until no other process holds the lock of this file, and hold it meanwhile.

    The system takes the lock back when the process ends, however it ends. Where the system has no
    such locks (Windows) nothing is held.

    Raises:
        SuiteError: the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        why = error.strerror or reason(error)
        raise SuiteError(f"Cannot make the lock {path} ({why}): choose another folder.") from error
    with file:
        hold(file)
        yield


def hold(file: IO[Any], *, wait: bool = True) -> bool:
    """Hold the lock of an open file until it is closed.

    Args:
        file: opened for writing.
        wait: until no other process holds it.

    Returns:
        False if another process holds it. Where there are no such locks (Windows, some network
        drives) nothing is held, and the answer is True.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a drive without locks
        pass
    return True
