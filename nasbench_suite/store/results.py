"""The results file: one SQLite database, one transaction a finished trial.

One process writes; any number may read meanwhile (write-ahead log). A killed writer leaves
every finished trial and nothing else.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.events import Record
from nasbench_suite.rows import EnvironmentRow, MethodRow, TaskRow, TrialRow
from nasbench_suite.store.migrations import SCHEMA_VERSION, execute_all, migrate
from nasbench_suite.store.schema import APPLICATION_ID, SCHEMA

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.events import Front, TrialResult

_BUSY_SECONDS = 30.0  # how long to wait for another process's transaction

_TRIALS = """
SELECT trials.id AS trial, task_id, method_id, seed, status, message, trainings, evaluations,
       seconds, wall_seconds, architecture, signal, report, unavailable
FROM trials JOIN methods ON methods.id = method_id
ORDER BY task_id, methods.label, methods.key, seed
"""
_TASK_NAMES = "SELECT id, key AS task, name AS task_name, benchmark, dataset FROM tasks"
_METHOD_NAMES = "SELECT id, label AS method, key AS method_key FROM methods"
_TRIAL_COLUMNS = (
    *("trial", "task", "task_name", "benchmark", "dataset", "method", "method_key", "seed"),
    *("status", "message", "trainings", "evaluations", "seconds", "wall_seconds"),
    *("architecture", "signal", "report", "unavailable"),
)
_TEXTS = ("status", "message", "task", "task_name", "benchmark", "dataset", "method", "method_key")
_CHUNK = 100_000  # rows that are Python objects at one time
_INCUMBENTS = """
SELECT trial_id AS trial, training, evaluations, seconds, architecture, signal, report
FROM incumbents {where} ORDER BY trial_id, training
"""
_CHOSEN = "WHERE trial_id IN (SELECT value FROM json_each(:trials))"
_BLOBS = {
    "architectures": "<i4",
    "epochs": "<i4",
    "signals": "<f8",
    "evaluations": "<f8",
    "seconds": "<f8",
    "recommended": "<i4",
}


class ResultStore:
    """A results file, open for writing or for reading alone.

    A file of an earlier version is brought to this version's schema when it is opened for writing,
    in one transaction; earlier versions cannot open it then.

    Args:
        path: the SQLite file; made if absent, unless ``read_only``.
        read_only: open an existing file and write nothing; of a file that an earlier version
            wrote, a copy is read.

    Raises:
        SuiteError: the file cannot be opened, is no results file, is damaged, or was written by
            a later version.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        self.path = Path(path)
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

    def _mode(self, read_only: bool) -> str:
        if not read_only:
            return "mode=rwc"
        # Readers of a write-ahead log need its index, a file beside; where none can be made, as on
        # a read-only disk, nobody writes either.
        log = self.path.with_name(self.path.name + "-wal")
        frozen = not os.access(self.path.parent, os.W_OK) and not log.exists()
        return "mode=ro&immutable=1" if frozen else "mode=ro"

    def _open(self, read_only: bool) -> None:
        execute = self._connection.execute
        version = self._version()
        if read_only:
            if version is None:
                raise SuiteError(f"{self.path} is empty: fill it with `nasbench run`.")
            if version < SCHEMA_VERSION:
                self._read_copy(version)
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
                f"{self.path} is a database, but no results file: name another with --store."
            )
        if version > SCHEMA_VERSION:
            raise SuiteError(
                f"{self.path} has results schema {version}, which a later version of "
                f"nasbench-suite wrote, and this one knows schemas 1 to {SCHEMA_VERSION}: upgrade "
                f"nasbench-suite, or name a new file with --store."
            )
        if version < 1:
            raise SuiteError(_damaged(self.path))
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

    # -- writing -----------------------------------------------------------------------------

    def add_task(self, task: TaskRow) -> int:
        """The row number of a task, added if it is new."""
        known = task.optimum is not None
        row = {**vars(task), "optimum": task.optimum if known else 0.0, "optimum_known": known}
        return self._add("tasks", row)

    def add_method(self, method: MethodRow) -> int:
        """The row number of a method, added if it is new."""
        return self._add("methods", vars(method))

    def add_environment(self, environment: EnvironmentRow) -> int:
        """The row number of an environment, added if it is new."""
        return self._add("environments", vars(environment))

    def _add(self, table: str, row: Mapping[str, Any]) -> int:
        values = {
            name: json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value
            for name, value in row.items()
        }
        names = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        with self._transaction():
            self._connection.execute(
                f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})", values
            )
            (number,) = self._connection.execute(
                f"SELECT id FROM {table} WHERE key = :key", values
            ).fetchone()
        return int(number)

    def finished_seeds(self, task_id: int, method_id: int) -> set[int]:
        """The seeds whose trials are finished; failed ones are not, and may run again."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT seed FROM trials WHERE task_id = ? AND method_id = ? "
                "AND status = 'finished'",
                (task_id, method_id),
            )
            return {seed for (seed,) in rows}

    def add_trial(
        self,
        task_id: int,
        method_id: int,
        environment_id: int,
        seed: int,
        result: TrialResult,
    ) -> None:
        """Write a finished trial, in one transaction.

        One that failed before is replaced. One that another process finished meanwhile is left
        as it is, since the same trial has the same result.
        """
        record, incumbents = result.record, result.incumbents
        rows = list(
            zip(
                incumbents.trainings.tolist(),
                incumbents.evaluations.tolist(),
                incumbents.seconds.tolist(),
                incumbents.architectures.tolist(),
                incumbents.signals.tolist(),
                incumbents.reports.tolist(),
                strict=True,
            )
        )
        _, _, _, architecture, signal, report = rows[-1]
        with self._transaction():
            trial = self._insert_trial(
                (task_id, method_id, seed),
                environment_id=environment_id,
                status="finished",
                wall_seconds=result.wall_seconds,
                trainings=len(record.architectures),
                evaluations=float(record.evaluations[-1]),
                seconds=float(record.seconds[-1]),
                architecture=architecture,
                signal=signal,
                report=report,
                unavailable=record.unavailable,
            )
            if trial is None:
                return
            self._connection.executemany(
                "INSERT INTO incumbents (trial_id, training, evaluations, seconds, architecture, "
                f"signal, report) VALUES ({trial}, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            if result.front is not None:
                self._insert_front(trial, result.front)
            self._connection.executemany(
                "INSERT OR REPLACE INTO diagnostics (trial_id, name, step, shape, value) "
                f"VALUES ({trial}, ?, ?, ?, ?)",
                (
                    (
                        entry.name,
                        entry.step,
                        json.dumps(entry.value.shape),
                        entry.value.astype("<f8", copy=False).tobytes(),
                    )
                    for entry in result.diagnostics
                ),
            )
            self._connection.execute(
                f"INSERT INTO records (trial_id, {', '.join(_BLOBS)}, strings) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    trial,
                    *(
                        getattr(record, name).astype(kind, copy=False).tobytes()
                        for name, kind in _BLOBS.items()
                    ),
                    None if record.strings is None else json.dumps(record.strings),
                ),
            )

    def _insert_front(self, trial: int, front: Front) -> None:
        points = zip(front.architectures.tolist(), front.reports.tolist(), strict=True)
        self._connection.executemany(
            "INSERT INTO fronts (trial_id, architecture, objective, report) "
            f"VALUES ({trial}, ?, ?, ?)",
            [
                (architecture, objective, report)
                for architecture, reports in points
                for objective, report in enumerate(reports)
            ],
        )
        self._connection.executemany(
            f"INSERT INTO indicators (trial_id, name, value) VALUES ({trial}, ?, ?)",
            front.indicators.items(),
        )

    def add_failure(
        self,
        task_id: int,
        method_id: int,
        environment_id: int,
        seed: int,
        message: str,
        wall_seconds: float,
    ) -> None:
        """Write down that a trial failed and why; a finished one is never overwritten."""
        with self._transaction():
            self._insert_trial(
                (task_id, method_id, seed),
                environment_id=environment_id,
                status="failed",
                message=message,
                wall_seconds=wall_seconds,
            )

    def _insert_trial(self, identity: tuple[int, int, int], **values: Any) -> int | None:
        """The new row's number, or None if the trial is already there as finished."""
        self._connection.execute(
            "DELETE FROM trials WHERE task_id = ? AND method_id = ? AND seed = ? "
            "AND status = 'failed'",
            identity,
        )
        columns = {
            **dict(zip(("task_id", "method_id", "seed"), identity, strict=True)),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            **values,
        }
        cursor = self._connection.execute(
            f"INSERT OR IGNORE INTO trials ({', '.join(columns)}) "
            f"VALUES ({', '.join(f':{name}' for name in columns)})",
            columns,
        )
        return int(cursor.lastrowid or 0) if cursor.rowcount else None

    # -- reading -----------------------------------------------------------------------------

    def tasks(self) -> dict[str, TaskRow]:
        """All tasks by key, in the order they were first run."""
        names = list(TaskRow.model_fields)
        with self._reading():
            columns = ", ".join([*names, "optimum_known"])
            rows = self._connection.execute(f"SELECT {columns} FROM tasks ORDER BY id")
            found = [dict(zip([*names, "optimum_known"], row, strict=True)) for row in rows]
            for row in found:
                row["optimum"] = row["optimum"] if row.pop("optimum_known") else None
                row["config"] = json.loads(row["config"])
                row["measure"] = json.loads(row["measure"]) if row["measure"] else None
            return {row["key"]: TaskRow(**row) for row in found}

    def trials(self) -> pd.DataFrame:
        """All trials, one a row, ordered by task, method and seed.

        Columns: ``trial`` (number), ``task`` (key), ``task_name``, ``benchmark``, ``dataset``,
        ``method`` (label), ``method_key``, ``seed``, ``status``, ``message``, ``trainings``,
        ``evaluations``, ``seconds``, ``wall_seconds``, ``architecture``, ``signal``,
        ``report``, ``unavailable`` (evaluations without a figure); the figures of a failed trial
        are missing.
        """
        frame = self._frame(_TRIALS)
        # Names are few and trials many: they are put in here, not carried through every row.
        for column, query in (("task_id", _TASK_NAMES), ("method_id", _METHOD_NAMES)):
            names = self._frame(query).set_index("id")
            for name in names:
                frame[name] = names[name].reindex(frame[column]).array
        told = frame["message"].notna()
        frame["message"] = frame["message"].astype(object).where(told, None)
        return frame[list(_TRIAL_COLUMNS)]

    def incumbents(self, trials: Iterable[int] | None = None) -> pd.DataFrame:
        """All changes of incumbents, one a row, ordered by trial and time.

        Columns: ``trial`` (number), ``training``, ``evaluations``, ``seconds``,
        ``architecture``, ``signal``, ``report``.

        Args:
            trials: of these trials alone.
        """
        if trials is None:
            return self._frame(_INCUMBENTS.format(where=""))
        chosen = json.dumps([int(trial) for trial in trials])
        return self._frame(_INCUMBENTS.format(where=_CHOSEN), {"trials": chosen})

    def methods(self) -> list[MethodRow]:
        """All methods, in the order they were first run."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT key, label, name, config FROM methods ORDER BY id"
            )
            return [
                MethodRow(key=key, label=label, name=name, config=json.loads(config))
                for key, label, name, config in rows
            ]

    def trial_environments(self) -> list[tuple[int, str]]:
        """Each trial's number and the key of the environment it ran in."""
        with self._reading():
            return self._connection.execute(
                "SELECT trials.id, environments.key FROM trials "
                "JOIN environments ON environments.id = environment_id ORDER BY trials.id"
            ).fetchall()

    def environments(self) -> list[EnvironmentRow]:
        """Where trials ran, in the order they were first run there."""
        with self._reading():
            rows = self._connection.execute(
                "SELECT key, git_revision, packages, platform FROM environments ORDER BY id"
            )
            return [
                EnvironmentRow(
                    key=key,
                    git_revision=revision,
                    packages=json.loads(packages),
                    platform=where,
                )
                for key, revision, packages, where in rows
            ]

    def finished_trials(self, methods: Collection[str] | None = None) -> Iterator[TrialRow]:
        """Every finished trial with its record, ordered as ``trials``.

        Args:
            methods: of the methods with these labels alone.
        """
        frame = self.trials()
        environments = dict(self.trial_environments())
        reports = self.incumbents().groupby("trial")["report"].agg(list)
        for row in frame[frame["status"] == "finished"].to_dict("records"):
            if methods is None or row["method"] in methods:
                yield TrialRow.of(
                    self.record(row["trial"]),
                    reports[row["trial"]],
                    task=row["task"],
                    method=row["method_key"],
                    seed=row["seed"],
                    environment=environments[row["trial"]],
                    wall_seconds=row["wall_seconds"],
                )

    def fronts(self) -> pd.DataFrame:
        """The last fronts of all searches for several objectives.

        Columns: ``trial`` (number), ``architecture``, ``objective`` (its place among the task's),
        ``report``; ordered so.
        """
        return self._frame(
            "SELECT trial_id AS trial, architecture, objective, report FROM fronts "
            "ORDER BY trial_id, architecture, objective"
        )

    def indicators(self) -> pd.DataFrame:
        """The indicators of these fronts: ``trial`` (number), ``name``, ``value``."""
        return self._frame(
            "SELECT trial_id AS trial, name, value FROM indicators ORDER BY trial_id, name"
        )

    def logged(self) -> list[str]:
        """The names under which any method told something of itself."""
        with self._reading():
            rows = self._connection.execute("SELECT DISTINCT name FROM diagnostics ORDER BY name")
            return [name for (name,) in rows]

    def diagnostics(self, name: str | None = None) -> pd.DataFrame:
        """What methods told of themselves: a row for each trial, name and step.

        Args:
            name: this one alone, such as ``entropy``.

        Returns:
            Columns ``trial``, ``name``, ``step`` and ``value``, an array of float64.
        """
        import pandas as pd

        chosen = "" if name is None else "WHERE name = :name "
        frame = self._frame(
            f"SELECT trial_id AS trial, name, step, shape, value FROM diagnostics {chosen}"
            "ORDER BY trial_id, name, step",
            {"name": name},
        )
        with self._reading():
            values = [
                np.frombuffer(blob, dtype="<f8").reshape(json.loads(shape))
                for blob, shape in zip(frame["value"], frame.pop("shape"), strict=True)
            ]
        return frame.assign(value=pd.Series(values, dtype=object))

    def record(self, trial: int) -> Record:
        """Every evaluation of one finished trial.

        Raises:
            SuiteError: there is no such finished trial.
        """
        with self._reading():
            row = self._connection.execute(
                f"SELECT {', '.join(_BLOBS)}, strings FROM records WHERE trial_id = ?",
                (int(trial),),
            ).fetchone()
        if row is None:
            raise SuiteError(f"{self.path} has no finished trial {trial}.")
        *row, strings = row
        with self._reading():
            arrays = {
                name: np.frombuffer(blob, dtype=kind)
                for (name, kind), blob in zip(_BLOBS.items(), row, strict=True)
            }
            arrays["signals"] = arrays["signals"].reshape(len(arrays["architectures"]), -1)
            named = None if strings is None else tuple(map(str, json.loads(strings)))
        return Record(**arrays, strings=named)

    def _frame(self, query: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
        import pandas as pd

        with self._reading():
            cursor = self._connection.execute(query, values or {})
            names = [column[0] for column in cursor.description]
            chunks = [
                pd.DataFrame(rows, columns=names)
                for rows in iter(lambda: cursor.fetchmany(_CHUNK), [])
            ] or [pd.DataFrame(columns=names)]
        for chunk in chunks:  # a column of nulls alone is of objects until it is told
            for name in chunk.columns.difference(list(_TEXTS)):
                if chunk[name].dtype == object and chunk[name].isna().all():
                    chunk[name] = chunk[name].astype(float)
        return chunks[0] if len(chunks) == 1 else pd.concat(chunks, ignore_index=True)

    # -- transactions and errors ---------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._readable_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _readable_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise SuiteError(f"{_explain(error, self.path)} ({error})") from error

    @contextmanager
    def _reading(self) -> Iterator[None]:
        # Text that is neither UTF-8 nor JSON, half an array.
        with self._readable_errors(), refused(f"{_damaged(self.path)} ({{reason}})", ValueError):
            yield


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
    if code.startswith("SQLITE_CANTOPEN"):
        return f"{path} cannot be opened: check that its folder exists and may be written."
    if code.startswith("SQLITE_BUSY"):
        return f"{path} is in use by another program: wait for it and run the same command again."
    return f"The results file {path} could not be used."
