"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from nasbench_suite.errors import SuiteError, reason

_STALE_SECONDS = 86_400.0  # nothing is written for longer
_DATABASE = b"SQLite format 3\0"  # as such a file begins
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to, which takes its place in one step at the end.

    Whoever reads ``path`` meanwhile, or after this process was killed, finds what was there
    before. Where writing fails nothing is left behind, nor what a database keeps beside its file.
    A link is replaced; what it leads to stays as it is.

    Yields:
        The path to write to. Its name holds the number of the process, so that two processes
        that write one file do not write into each other's; the last to finish stays.

    Raises:
        SuiteError: the folder does not exist, is full or cannot be written; or see ``need_place``.
    """
    need_place(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    _sweep(path)
    try:
        yield partial
        _reach_disk(partial)
        partial.replace(path)
    except SuiteError:
        raise
    except Exception as error:
        failed = _failed_write(error)
        if failed is None:
            raise
        why = failed.strerror or reason(failed)
        raise SuiteError(
            f"Cannot write {path} ({why}): make room or choose another folder."
        ) from error
    finally:
        # After a success there is nothing by that name; where even this fails, the first error
        # is the one to tell.
        with suppress(OSError):
            for left in path.parent.glob(f"{glob.escape(partial.name)}*"):
                left.unlink(missing_ok=True)


def need_folder(path: Path) -> None:
    """See that the folder is there that a file is to be in.

    Raises:
        SuiteError: it is not.
    """
    if not path.parent.is_dir():
        raise SuiteError(f"There is no folder {str(path.parent)!r}: create it first.")


def need_place(path: Path) -> None:
    """See that a file may be written to a path, or text be appended to what is there.

    Raises:
        SuiteError: the path names no file, or there is a folder, a device, a pipe, or a database,
            such as results, that would be lost.
    """
    held = ""
    try:
        kind = path.lstat().st_mode
        if stat.S_ISDIR(kind):
            held = "is a folder"
        elif stat.S_ISREG(kind):
            with path.open("rb") as file:
                held = "holds results" if file.read(len(_DATABASE)) == _DATABASE else ""
        elif not stat.S_ISLNK(kind):
            held = "is a device or a pipe"
    except OSError:  # nothing is there, or it says why when it is written
        pass
    except ValueError as error:  # no name of a file may hold such a character
        held = f"is no name of a file ({error})"
    if held:
        raise SuiteError(f"Cannot write {path}, which {held}: name another file.")


def need_several(**paths: Path) -> None:
    """See that files to write, or to read and to write, are not one, of which one would be lost.

    Args:
        paths: what each is, ``_`` for a blank, and where.

    Raises:
        SuiteError: two are the same file.
    """
    known: dict[str, str] = {}
    for name, path in paths.items():
        what = name.replace("_", " ")
        other = known.setdefault(os.path.realpath(path), what)
        if other != what:
            raise SuiteError(f"{path} cannot be both {other} and {what}: name another file.")


def _failed_write(error: BaseException) -> OSError | None:
    """The failure to write that an error is, or that a library came by it while handling."""
    if isinstance(error, OSError):
        return error
    behind = error.__context__
    while behind is not None:  # writers of archives and of PDF stumble over their own half a file
        if isinstance(behind, OSError) and behind.errno in _NO_ROOM:
            return behind
        behind = behind.__context__
    return None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of bytes, replacing what was there in one step.

    Raises:
        SuiteError: see ``replacing``.
    """
    with replacing(path) as partial:
        partial.write_bytes(content)


def write_text(path: Path, content: str) -> None:
    """Write a file of UTF-8 text, replacing what was there in one step.

    Raises:
        SuiteError: see ``replacing``.
    """
    write_bytes(path, content.encode())


def _reach_disk(path: Path) -> None:
    """Wait until the file is on the disk: a name must not outlive a power cut without content."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sweep(path: Path) -> None:
    """Remove what processes that were killed left beside a file some time ago."""
    with suppress(OSError):
        for left in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                left.unlink(missing_ok=True)
