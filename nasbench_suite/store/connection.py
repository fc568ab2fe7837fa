"""An open results file: its schema's version, its transactions, and errors as sentences."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from nasbench_suite.errors import SuiteError, printable, refused
from nasbench_suite.store.migrations import SCHEMA_VERSION, execute_all, migrate
from nasbench_suite.store.schema import APPLICATION_ID, SCHEMA

_BUSY_SECONDS = 30.0  # how long to wait for another process's transaction

# What is no plain table or index of one: what stands as another's type in the schema runs as what
# it says, so the statements count and not their types.
_STRANGE = """
SELECT name FROM sqlite_schema
WHERE sql IS NOT NULL AND sql NOT LIKE 'CREATE TABLE %' AND sql NOT LIKE 'CREATE INDEX %'
UNION ALL
SELECT part.name FROM sqlite_schema AS part JOIN pragma_table_xinfo(part.name) AS its
WHERE its.hidden > 1
"""


class ResultFile:
    """A results file, open for writing or for reading alone; see ``ResultStore``."""

    def __init__(
        self, path: str | Path, *, read_only: bool = False, shown: Path | None = None
    ) -> None:
        self.path = Path(path)
        self._shown = self.path if shown is None else shown
        self._read_only = read_only
        if read_only and not self.path.is_file():
            raise SuiteError(f"There is no results file {self.path}: make one with `nasbench run`.")
        with self._reading():
            self._connection = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?{self._mode(read_only)}",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,  # transactions are begun and ended below, in plain sight
            )
            try:
                self._open(read_only)
            except BaseException:
                self._connection.close()
                raise
        weakref.finalize(self, self._connection.close)

    def _mode(self, read_only: bool) -> str:
        if not read_only:
            return "mode=rwc"
        # Readers of a write-ahead log need its index, a file beside; where none can be made, as on
        # a read-only disk, nobody writes either.
        log, journal = (self.path.with_name(self.path.name + end) for end in ("-wal", "-journal"))
        if not os.access(self.path.parent, os.W_OK) and not log.exists():
            return "mode=ro&immutable=1"
        # Only who may write takes these files away again when it closes the file. Where a writer
        # is at work, or was killed, what it left is read and nothing of it touched.
        at_rest = not journal.exists() and not (log.exists() and log.stat().st_size)
        return "mode=rw" if at_rest and os.access(self.path, os.W_OK) else "mode=ro"

    def _open(self, read_only: bool) -> None:
        execute = self._connection.execute
        if read_only:
            execute("PRAGMA query_only = ON")
        version = self._version()
        if read_only:
            if version is None:
                raise SuiteError(f"{self._shown} is empty: fill it with `nasbench run`.")
            if version < SCHEMA_VERSION:
                self._read_copy(version)
            self._connection.execute("BEGIN")  # what is read is of one moment
            return
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")  # with a WAL: safe against a killed process
        with self._transaction():
            # Looked at again inside the transaction: two runs may open one new or old file.
            version = self._version()
            if version is None:
                execute_all(self._connection, SCHEMA)
                execute(f"PRAGMA application_id = {APPLICATION_ID}")
                execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            elif version < SCHEMA_VERSION:
                migrate(self._connection, version)

    def _version(self) -> int | None:
        """The version of the file's schema, or None if the file is empty."""
        execute = self._connection.execute
        (application,) = execute("PRAGMA application_id").fetchone()
        (version,) = execute("PRAGMA user_version").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if not tables:
            return None
        if application != APPLICATION_ID:
            raise SuiteError(
                f"{self._shown} is a database, but no results file: name another with --store."
            )
        if version > SCHEMA_VERSION:
            raise SuiteError(
                f"{self._shown} has results schema {version}, which a later version of "
                f"nasbench-suite wrote, and this one knows schemas 1 to {SCHEMA_VERSION}: upgrade "
                f"nasbench-suite, or name a new file with --store."
            )
        if version < 1:
            raise SuiteError(_damaged(self._shown))
        for (strange,) in execute(_STRANGE):
            raise SuiteError(
                f"{self._shown} has a part {printable(str(strange), 100)!r} that no results file "
                f"has, such as a view or a trigger, which would run whenever it is used: get the "
                f"file anew from whom it is of, or choose another --store."
            )
        return int(version)

    def _read_copy(self, version: int) -> None:
        """Read a copy that is brought up to date; the file of an earlier version stays as it is."""
        with closing(self._connection) as file:
            # A temporary database: in memory, and on disk where it is large.
            self._connection = sqlite3.connect("", isolation_level=None)
            file.backup(self._connection)
        with self._transaction():
            migrate(self._connection, version)
        self._connection.execute("PRAGMA query_only = ON")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The open connection, for reading what no method answers; errors become sentences."""
        with self._reading():
            yield self._connection

    @contextmanager
    def _one_moment(self) -> Iterator[None]:
        """What is read within is of one moment of the file, whoever writes to it meanwhile."""
        if self._connection.in_transaction:
            yield
            return
        with readable_errors(self._shown):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:  # an error that SQLite sees may have ended it
                self._connection.execute("COMMIT")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with readable_errors(self._shown):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._connection.in_transaction:  # SQLite ends it itself where a disk is full
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        # Text that is neither UTF-8 nor JSON, half an array, text where a number belongs.
        kinds = (ValueError, TypeError, KeyError, OverflowError, RecursionError)
        with readable_errors(self._shown), refused(f"{_damaged(self._shown)} ({{reason}})", *kinds):
            yield

    def _damage(self, what: str) -> SuiteError:
        return SuiteError(f"{_damaged(self._shown)} ({printable(what, 300)}.)")


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Have an error of SQLite on this file end as one sentence that says how to mend it."""
    try:
        yield
    except sqlite3.Error as error:
        said = printable(" ".join(str(error).split()), 300)  # what is damaged has line ends
        raise SuiteError(f"{_explain(error, path)} ({said})") from error


def _damaged(path: Path) -> str:
    return f"{path} is damaged or no results file: restore a copy, or choose another --store."


def _explain(error: sqlite3.Error, path: Path) -> str:
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return _damaged(path)
    if code.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
        return f"{path} cannot be written: make it writable, or choose another --store."
    if code.startswith("SQLITE_FULL"):
        return f"The disk of {path} is full: make room and run the same command again."
    if code.startswith("SQLITE_IOERR"):
        return f"{path} cannot be read or written: see that its disk works and has room."
    if code.startswith("SQLITE_CANTOPEN"):
        return f"{path} cannot be opened: check that its folder exists and may be written."
    if code.startswith("SQLITE_BUSY"):
        return f"{path} is in use by another program: wait for it and run the same command again."
    return f"The results file {path} could not be used."
