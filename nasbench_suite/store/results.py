"""The results file: one SQLite database, one transaction a finished trial.

One process writes; any number may read meanwhile (write-ahead log). A killed writer leaves
every finished trial and nothing else.
"""

from __future__ import annotations

import json
import os
import sqlite3
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nasbench_suite.errors import SuiteError, printable, refused
from nasbench_suite.events import Record
from nasbench_suite.rows import CodeRow, EnvironmentRow, MethodRow, TaskRow, TrialRow
from nasbench_suite.store import seals
from nasbench_suite.store.migrations import SCHEMA_VERSION, execute_all, migrate
from nasbench_suite.store.schema import APPLICATION_ID, SCHEMA

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.events import Front, TrialResult

_BUSY_SECONDS = 30.0  # how long to wait for another process's transaction

# Not by the index, in which damage would lose or double a row. Sums of halves, as those of whole
# seals would not fit.
_CENSUS = """
SELECT task_id, method_id, code_id, count(*) AS trials,
    sum(coalesce(seal, 0) >> 32) AS high, sum(coalesce(seal, 0) & 0xffffffff) AS low
FROM trials NOT INDEXED GROUP BY task_id, method_id, code_id
"""
_TRIALS = f"""
SELECT id AS trial, {", ".join(seals.TRIAL)}, coalesce(seal, 0) AS seal
FROM trials WHERE task_id = :task AND method_id = :method ORDER BY seed
"""
_NAMES = {
    "tasks": {
        "key": "task_key",
        "name": "task_name",
        "benchmark": "benchmark",
        "dataset": "dataset",
    },
    "methods": {"label": "method", "key": "method_key"},
    "codes": {"code": "code"},
}
_TRIAL_COLUMNS = (
    *("trial", "task_key", "task_name", "benchmark", "dataset", "method", "method_key", "seed"),
    *("status", "message", "trainings", "evaluations", "seconds", "wall_seconds"),
    *("architecture", "signal", "report", "unavailable", "code"),
)
_TEXTS = ("status", "message", "name", "shape", "value")
_CHUNK = 100_000  # rows that are Python objects at one time
_INCUMBENTS = """
SELECT trial_id AS trial, training, evaluations, seconds, architecture, signal, report
FROM incumbents {where} ORDER BY trial_id, training
"""
_FRONTS = """
SELECT trial_id AS trial, architecture, objective, report
FROM fronts {where} ORDER BY trial_id, architecture, objective
"""
_INDICATORS = """
SELECT trial_id AS trial, name, value FROM indicators {where} ORDER BY trial_id, name
"""
_CHOSEN = "trial_id IN (SELECT value FROM json_each(:trials))"
_DIAGNOSTICS = """
SELECT trial_id AS trial, name, step, shape, value, coalesce(seal, 0) AS seal
FROM diagnostics {where} ORDER BY trial_id, name, step
"""
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
        read_only: open an existing file and write nothing; what is read is of one moment, whoever
            writes to the file meanwhile. Of a file that an earlier version wrote, a copy is read.
        shown: the file that errors name, where this one is to take its place.

    Raises:
        SuiteError: the file cannot be opened, is no results file, is damaged, or was written by
            a later version.
    """

    def __init__(
        self, path: str | Path, *, read_only: bool = False, shown: Path | None = None
    ) -> None:
        self.path = Path(path)
        self._shown = self.path if shown is None else shown
        self._read_only = read_only
        self._known_census: pd.DataFrame | None = None
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
        log = self.path.with_name(self.path.name + "-wal")
        frozen = not os.access(self.path.parent, os.W_OK) and not log.exists()
        return "mode=ro&immutable=1" if frozen else "mode=ro"

    def _open(self, read_only: bool) -> None:
        execute = self._connection.execute
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
        """The row number of a task, added if it is new.

        Earlier versions took a budget of 12 and one of 12.0 for two tasks: one that was written so
        is found, and gets its key of today.
        """
        known = task.optimum is not None
        with self._transaction():
            rows = self._connection.execute(
                "SELECT id, key, config FROM tasks WHERE name = ?", (task.name,)
            ).fetchall()
            known_keys = {key for _, key, _ in rows}
            for number, _, config in rows:
                if task.key not in known_keys and json.loads(config) == task.config:
                    known_keys.add(task.key)
                    self._connection.execute(
                        "UPDATE tasks SET key = ?, config = ? WHERE id = ?",
                        (task.key, json.dumps(task.config, sort_keys=True), number),
                    )
        optimum = 0.0 if task.optimum is None else task.optimum + 0.0  # no negative zero in SQLite
        return self._add("tasks", {**vars(task), "optimum": optimum, "optimum_known": int(known)})

    def add_method(self, method: MethodRow) -> int:
        """The row number of a method, added if it is new."""
        return self._add("methods", vars(method))

    def add_environment(self, environment: EnvironmentRow) -> int:
        """The row number of an environment, added if it is new."""
        return self._add("environments", vars(environment))

    def add_code(self, code: CodeRow) -> int:
        """The row number of the code of a method, added if it is new."""
        return self._add("codes", vars(code))

    def _add(self, table: str, row: Mapping[str, Any]) -> int:
        values = {
            name: json.dumps(value, sort_keys=True) if isinstance(value, Mapping) else value
            for name, value in row.items()
        }
        values["seal"] = seals.seal_text(list(values.values()))
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

    def finished_seeds(self) -> dict[tuple[int, int], dict[int, int | None]]:
        """The seeds whose trials are finished; failed ones are not, and may run again.

        Returns:
            By task and method, as numbers of rows, the code of each seed's trial, as a row number;
            None of an earlier version.
        """
        found: dict[tuple[int, int], dict[int, int | None]] = {}
        with self._reading():
            rows = self._connection.execute(
                "SELECT task_id, method_id, seed, code_id FROM trials NOT INDEXED "
                "WHERE status = 'finished'"
            )
            for task_id, method_id, seed, code_id in rows:
                found.setdefault((task_id, method_id), {})[seed] = code_id
        return found

    def add_trial(
        self,
        task_id: int,
        method_id: int,
        environment_id: int,
        seed: int,
        result: TrialResult,
        *,
        code_id: int | None = None,
        replace: bool = False,
    ) -> None:
        """Write a finished trial, in one transaction.

        One that failed before is replaced. One that another process finished meanwhile is left
        as it is, since the same trial has the same result; unless ``replace`` asks for this one in
        its place, as other code ran it.
        """
        record, rows = result.record, _rows_of(result)
        _, _, _, architecture, signal, report = rows["incumbents"][-1]
        with self._transaction():
            trial = self._insert_trial(
                (task_id, method_id, seed),
                replaced="finished" if replace else None,
                environment_id=environment_id,
                code_id=code_id,
                status="finished",
                message=None,
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
            sealed = {table: self._insert_rows(table, trial, rows[table]) for table in seals.PARTS}
            self._connection.execute(
                f"INSERT INTO seals (trial_id, {', '.join(sealed)}) "
                f"VALUES ({trial}, {', '.join('?' * len(sealed))})",
                list(sealed.values()),
            )

    def _insert_rows(self, table: str, trial: int, rows: Sequence[tuple[Any, ...]]) -> int:
        """Write what belongs to a trial in another table; gives the seal of these rows."""
        if not rows:
            return 0
        kinds = seals.PARTS[table]
        columns = dict(zip(kinds, zip(*rows, strict=True), strict=True))
        each = seals.seal_rows(columns, kinds)
        names = list(kinds)
        if table == "diagnostics":  # those of one name are read without the others
            names.append("seal")
            own = each.view(np.int64).tolist()
            rows = [(*row, seal) for row, seal in zip(rows, own, strict=True)]
        self._connection.executemany(
            f"INSERT INTO {table} (trial_id, {', '.join(names)}) "
            f"VALUES ({trial}, {', '.join('?' * len(names))})",
            rows,
        )
        return seals.as_stored(each)

    def add_failure(
        self,
        task_id: int,
        method_id: int,
        environment_id: int,
        seed: int,
        message: str,
        wall_seconds: float,
        *,
        code_id: int | None = None,
    ) -> None:
        """Write down that a trial failed and why; a finished one is never overwritten."""
        with self._transaction():
            self._insert_trial(
                (task_id, method_id, seed),
                environment_id=environment_id,
                code_id=code_id,
                status="failed",
                message=message,
                wall_seconds=wall_seconds,
            )

    def _insert_trial(
        self, identity: tuple[int, int, int], *, replaced: str | None = None, **values: Any
    ) -> int | None:
        """The new row's number, or None if the trial is already there as finished.

        Args:
            identity: task, method and seed.
            replaced: a status, besides failed, of what gives way.
            values: the other columns.
        """
        giving_way = (
            "FROM trials WHERE task_id = ? AND method_id = ? AND seed = ? "
            "AND status IN ('failed', ?)"
        )
        before = self._connection.execute(
            f"SELECT seal {giving_way}", (*identity, replaced)
        ).fetchall()
        self._connection.execute(f"DELETE {giving_way}", (*identity, replaced))
        columns = {
            **dict(zip(("task_id", "method_id", "seed"), identity, strict=True)),
            "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
            **values,
        }
        row = {name: [columns.get(name)] for name in seals.TRIAL}
        columns["seal"] = seals.as_stored(seals.seal_rows(row, seals.TRIAL))
        cursor = self._connection.execute(
            f"INSERT OR IGNORE INTO trials ({', '.join(columns)}) "
            f"VALUES ({', '.join(f':{name}' for name in columns)})",
            columns,
        )
        added = [columns["seal"]] if cursor.rowcount else []
        trial = int(cursor.lastrowid or 0)
        self._count([seal for (seal,) in before], added)
        return trial if added else None

    def _count(self, gone: Sequence[int | None], added: Sequence[int]) -> None:
        """Bring the number of trials and the sum of their seals up to date."""
        ((count, total),) = self._connection.execute(
            "SELECT rows, seal FROM totals WHERE name = 'trials'"
        ).fetchall()
        for seal in gone:
            total = seals.add_stored(total, -(seal or 0))
        for seal in added:
            total = seals.add_stored(total, seal)
        self._connection.execute(
            "UPDATE totals SET rows = ?, seal = ? WHERE name = 'trials'",
            (count - len(gone) + len(added), total),
        )

    def change_method(self, method: MethodRow) -> None:
        """Put another label or name in the row of the method with that key."""
        config = json.dumps(method.config, sort_keys=True)
        seal = seals.seal_text([method.key, method.label, method.name, config])
        with self._transaction():
            self._connection.execute(
                "UPDATE methods SET label = ?, name = ?, config = ?, seal = ? WHERE key = ?",
                (method.label, method.name, config, seal, method.key),
            )

    def remove(self, trials: Iterable[int]) -> None:
        """Remove trials with all that belongs to them, in one transaction."""
        numbers = [int(trial) for trial in trials]
        with self._transaction():
            self._remove(numbers)

    def _remove(self, numbers: Sequence[int]) -> None:
        chosen = {"trials": json.dumps(numbers)}
        where = "WHERE id IN (SELECT value FROM json_each(:trials))"
        gone = self._connection.execute(f"SELECT seal FROM trials {where}", chosen).fetchall()
        self._connection.execute(f"DELETE FROM trials {where}", chosen)
        self._count([seal for (seal,) in gone], [])

    def take_over(self, other: ResultStore) -> None:
        """Copy the trials of another file, seals and all, in one transaction.

        A trial that is here with the same record stays; a failed one gives way to a finished one.

        Raises:
            SuiteError: both have a finished trial of one task, method and seed, and they differ.
        """
        frame = other.trials()
        known: dict[str, dict[Any, Any]] = {}
        with other.reading() as connection:
            columns = ["id", *seals.TRIAL, "finished_at", "seal"]
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM trials ORDER BY id")
            trials = [dict(zip(columns, row, strict=True)) for row in rows]
            codes = {number: self.add_code(code) for number, code in other.codes().items()}
            numbers = {
                "task_id": {row.key: self.add_task(row) for row in other.tasks().values()},
                "method_id": {row.key: self.add_method(row) for row in other.methods()},
                "environment_id": {
                    row.key: self.add_environment(row) for row in other.environments()
                },
            }
            for name, table in (
                ("task_id", "tasks"),
                ("method_id", "methods"),
                ("environment_id", "environments"),
            ):
                keys = dict(connection.execute(f"SELECT id, key FROM {table}").fetchall())
                known[name] = {number: numbers[name][key] for number, key in keys.items()}
        labels = frame.set_index("trial")[["task_name", "method"]].to_dict("index")
        known["code_id"] = {**codes, None: None}
        with self._transaction():
            for trial in trials:
                names = labels[trial["id"]]
                where = f"{names['method']} on {names['task_name']}, seed {trial['seed']}"
                self._take_over_trial(other, trial, known, where)

    def _take_over_trial(
        self,
        other: ResultStore,
        trial: Mapping[str, Any],
        known: Mapping[str, Mapping[Any, Any]],
        where: str,
    ) -> None:
        here = {name: known[name][trial[name]] if name in known else trial[name] for name in trial}
        identity = (here["task_id"], here["method_id"], here["seed"])
        present = self._connection.execute(
            "SELECT id, status FROM trials WHERE task_id = ? AND method_id = ? AND seed = ?",
            identity,
        ).fetchone()
        if present is not None:
            number, status = present
            if here["status"] == "failed":
                return
            if status == "finished":
                same = _bytes_of(self.record(number)) == _bytes_of(other.record(trial["id"]))
                if not same:
                    raise SuiteError(
                        f"{other.path} has {where}, with other results than a file before it: "
                        f"remove it from one of them with `nasbench store remove`."
                    )
                return
            self._remove([number])
        row = {name: [here[name]] for name in seals.TRIAL}
        sealed = trial["seal"] is not None
        here["seal"] = seals.as_stored(seals.seal_rows(row, seals.TRIAL)) if sealed else None
        del here["id"]
        cursor = self._connection.execute(
            f"INSERT INTO trials ({', '.join(here)}) "
            f"VALUES ({', '.join(f':{name}' for name in here)})",
            here,
        )
        self._count([], [here["seal"] or 0])
        with other.reading() as connection:
            for table in (*seals.PARTS, "seals"):
                rows = connection.execute(
                    f"SELECT * FROM {table} WHERE trial_id = ?", (trial["id"],)
                )
                names_of = [column[0] for column in rows.description]
                place = names_of.index("trial_id")
                self._connection.executemany(
                    f"INSERT INTO {table} ({', '.join(names_of)}) "
                    f"VALUES ({', '.join('?' * len(names_of))})",
                    [(*row[:place], cursor.lastrowid, *row[place + 1 :]) for row in rows],
                )

    # -- reading -----------------------------------------------------------------------------

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The open connection, for reading what no method answers; errors become sentences."""
        with self._reading():
            yield self._connection

    def tasks(self) -> dict[str, TaskRow]:
        """All tasks by key, in the order they were first run."""
        found = {}
        with self._reading():
            for _, row in self._rows("tasks", [*TaskRow.model_fields, "optimum_known"]):
                row["optimum"] = row["optimum"] if row.pop("optimum_known") else None
                row["config"] = json.loads(row["config"])
                row["measure"] = json.loads(row["measure"]) if row["measure"] else None
                found[row["key"]] = TaskRow(**row)
        return found

    def methods(self) -> list[MethodRow]:
        """All methods, in the order they were first run."""
        with self._reading():
            return [
                MethodRow(**{**row, "config": json.loads(row["config"])})
                for _, row in self._rows("methods", MethodRow.model_fields)
            ]

    def environments(self) -> list[EnvironmentRow]:
        """Where trials ran, in the order they were first run there."""
        with self._reading():
            return [
                EnvironmentRow(**{**row, "packages": json.loads(row["packages"])})
                for _, row in self._rows("environments", EnvironmentRow.model_fields)
            ]

    def codes(self) -> dict[int, CodeRow]:
        """The code of methods by the number of its row, in the order it was first run."""
        with self._reading():
            return {
                number: CodeRow(**row) for number, row in self._rows("codes", CodeRow.model_fields)
            }

    def _rows(self, table: str, names: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The rows of a table of text with their numbers, each compared with its seal."""
        names = list(names)
        rows = self._connection.execute(
            f"SELECT id, seal, {', '.join(names)} FROM {table} NOT INDEXED ORDER BY id"
        )
        for number, seal, *values in rows:
            if seal is not None and seal != seals.seal_text(values):
                raise self._damage(f"row {number} of {table} is not as it was written")
            yield number, dict(zip(names, values, strict=True))

    def census(self) -> pd.DataFrame:
        """How many trials there are, one row a task, method and code, in the order of ``trials``.

        Columns: ``task_key``, ``method`` (label), ``method_key``, ``code``, ``trials``.
        """
        frame = self._counted()
        return frame[["task_key", "method", "method_key", "code", "trials"]]

    def trials(self, task: str | None = None) -> pd.DataFrame:
        """All trials, one a row, ordered by task, method and seed.

        Columns: ``trial`` (number), ``task_key``, ``task_name``, ``benchmark``, ``dataset``,
        ``method`` (label), ``method_key``, ``seed``, ``status``, ``message``, ``trainings``,
        ``evaluations``, ``seconds``, ``wall_seconds``, ``architecture``, ``signal``,
        ``report``, ``unavailable`` (evaluations without a figure), ``code`` (what tells the
        method's code from other code); the figures of a failed trial are missing.

        Args:
            task: the key of the one whose trials are read, and take memory; by default all.
        """
        import pandas as pd

        with self._one_moment():
            census = self._counted()
            if task is not None:
                census = census[census["task_key"] == task]
            parts = [
                part
                for number, counted in census.groupby("task_id", sort=False)
                for part in self._trials_of(int(str(number)), counted)
            ]
        frame = _joined(parts) if parts else pd.DataFrame(columns=list(_TRIAL_COLUMNS))
        # Names are few and trials many: they are put in here, not carried through every row.
        first = census.drop_duplicates(["task_id", "method_id"])
        repeats = census.groupby(["task_id", "method_id"], sort=False)["trials"].sum()
        for name in (*_NAMES["tasks"].values(), *_NAMES["methods"].values()):
            frame[name] = np.repeat(first[name].to_numpy(dtype=object), repeats)
        for name in ("message", "code"):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
        return frame[list(_TRIAL_COLUMNS)]

    def _trials_of(self, task: int, counted: pd.DataFrame) -> Iterator[pd.DataFrame]:
        """The trials of one task in parts, each as it was written, and as many as were counted.

        They are found by the index, in which damage would lose or double a row, and are compared
        with what was counted without it.
        """
        codes = self._names("codes")["code"]
        count, total = 0, 0
        for method in counted["method_id"].unique().tolist():
            for chunk in self._chunks(_TRIALS, {"task": task, "method": method}):
                self._compare_trials(chunk)
                count += len(chunk)
                total = seals.add_stored(total, seals.as_stored(chunk["seal"].to_numpy(np.int64)))
                states = {state: state for state in chunk["status"].unique()}
                # One text for all rows that have it, of which SQLite makes one a row.
                yield chunk.assign(
                    status=chunk["status"].map(states), code=codes.reindex(chunk["code_id"]).array
                ).drop(columns=["task_id", "method_id", "environment_id", "code_id", "seal"])
        if (count, total) != (counted["trials"].sum(), _sum(counted)):
            wanted = counted["trials"].sum()
            raise self._damage(f"its index has {count} trials of a task, and {wanted} were written")

    def _counted(self) -> pd.DataFrame:
        """The census, with the numbers of the rows that trials are of and halves of their seals."""
        if self._known_census is not None:
            return self._known_census
        with self._one_moment():
            frame = self._frame(_CENSUS)
            with self._reading():
                (written,) = self._connection.execute(
                    "SELECT rows, seal FROM totals WHERE name = 'trials'"
                ).fetchall()
            for table in _NAMES:
                column, names = f"{table.removesuffix('s')}_id", self._names(table)
                strange = set(frame[column].dropna().unique()) - set(names.index)
                if strange:
                    raise self._damage(f"a trial is of row {strange.pop()} of {table}, not there")
                for name in names:
                    frame[name] = names[name].reindex(frame[column]).array
        count = int(frame["trials"].sum())
        if (count, _sum(frame)) != written:
            raise self._damage(f"it has {count} trials, and {written[0]} were written")
        frame = frame.sort_values(["task_id", "method", "method_key"], ignore_index=True)
        if self._read_only:
            self._known_census = frame
        return frame

    def _names(self, table: str) -> pd.DataFrame:
        """The columns of a table that name its rows, by the numbers of the rows."""
        import pandas as pd

        columns = {"tasks": [*TaskRow.model_fields, "optimum_known"]}.get(table) or list(
            (MethodRow if table == "methods" else CodeRow).model_fields
        )
        with self._reading():
            rows = dict(self._rows(table, columns))
        if table == "codes":
            for row in rows.values():
                row["code"] = CodeRow(**row).identity
        return pd.DataFrame(
            {
                shown: pd.Series({number: row[name] for number, row in rows.items()}, dtype=object)
                for name, shown in _NAMES[table].items()
            }
        )

    def _compare_trials(self, frame: pd.DataFrame) -> None:
        """See that each of these trials is as it was written."""
        with self._reading():
            written = frame["seal"].to_numpy(dtype=np.int64)
            found = seals.seal_rows(frame, seals.TRIAL).view(np.int64)
        wrong = (written != 0) & (found != written)  # others are of an earlier version
        if wrong.any():
            row = frame.iloc[int(wrong.argmax())]
            raise self._damage(f"trial {row['trial']} is not as it was written")

    def _compare_parts(
        self, table: str, frame: pd.DataFrame, trials: Sequence[int] | None = None
    ) -> None:
        """See that the rows that belong to trials, ordered by these, are as they were written."""
        where = "" if trials is None else f"WHERE {_CHOSEN}"
        with self._reading():
            written = dict(
                self._connection.execute(
                    f"SELECT trial_id, {table} FROM seals {where}",
                    {"trials": json.dumps(trials)},
                ).fetchall()
            )
            rows = seals.seal_rows(frame, seals.PARTS[table])
            found = seals.seal_sums(frame["trial"].to_numpy(dtype=np.int64), rows)
        for trial, seal in written.items():
            if found.get(trial, 0) != seal:
                raise self._damage(f"{table} of trial {trial} are not as they were written")

    def incumbents(self, trials: Iterable[int] | None = None) -> pd.DataFrame:
        """All changes of incumbents, one a row, ordered by trial and time.

        Columns: ``trial`` (number), ``training``, ``evaluations``, ``seconds``,
        ``architecture``, ``signal``, ``report``.

        Args:
            trials: of these trials alone.
        """
        return self._part("incumbents", _INCUMBENTS, trials)

    def _part(self, table: str, query: str, trials: Iterable[int] | None) -> pd.DataFrame:
        """The rows of a table that belong to trials, each trial's as they were written."""
        chosen = None if trials is None else [int(trial) for trial in trials]
        where = "" if chosen is None else f"WHERE {_CHOSEN}"
        frame = self._frame(query.format(where=where), {"trials": json.dumps(chosen)})
        self._compare_parts(table, frame, chosen)
        return frame

    def trial_environments(self) -> list[tuple[int, str]]:
        """Each trial's number and the key of the environment it ran in."""
        with self._reading():
            return self._connection.execute(
                "SELECT trials.id, environments.key FROM trials "
                "JOIN environments ON environments.id = environment_id ORDER BY trials.id"
            ).fetchall()

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
                    task=row["task_key"],
                    method=row["method_key"],
                    seed=row["seed"],
                    environment=environments[row["trial"]],
                    wall_seconds=row["wall_seconds"],
                )

    def fronts(self, trials: Iterable[int] | None = None) -> pd.DataFrame:
        """The last fronts of all searches for several objectives.

        Columns: ``trial`` (number), ``architecture``, ``objective`` (its place among the task's),
        ``report``; ordered so.

        Args:
            trials: of these trials alone.
        """
        return self._part("fronts", _FRONTS, trials)

    def indicators(self, trials: Iterable[int] | None = None) -> pd.DataFrame:
        """The indicators of these fronts: ``trial`` (number), ``name``, ``value``.

        Args:
            trials: of these trials alone.
        """
        return self._part("indicators", _INDICATORS, trials)

    def logged(self) -> list[str]:
        """The names under which any method told something of itself."""
        with self._reading():
            rows = self._connection.execute("SELECT DISTINCT name FROM diagnostics ORDER BY name")
            return [name for (name,) in rows]

    def diagnostics(
        self, name: str | None = None, trials: Iterable[int] | None = None
    ) -> pd.DataFrame:
        """What methods told of themselves: a row for each trial, name and step.

        Args:
            name: this one alone, such as ``entropy``.
            trials: of these trials alone.

        Returns:
            Columns ``trial``, ``name``, ``step`` and ``value``, an array of float64.
        """
        import pandas as pd

        chosen = None if trials is None else [int(trial) for trial in trials]
        wanted = [] if name is None else ["name = :name"]
        wanted += [] if chosen is None else [_CHOSEN]
        where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
        frame = self._frame(
            _DIAGNOSTICS.format(where=where), {"name": name, "trials": json.dumps(chosen)}
        )
        if name is None:
            self._compare_parts("diagnostics", frame, chosen)
        with self._reading():
            written = frame.pop("seal").to_numpy(dtype=np.int64)
            found = seals.seal_rows(frame, seals.PARTS["diagnostics"]).view(np.int64)
            wrong = (written != 0) & (found != written)
            if wrong.any():
                trial = frame["trial"].iloc[int(wrong.argmax())]
                raise self._damage(f"diagnostics of trial {trial} are not as they were written")
            values = [
                np.frombuffer(blob, dtype="<f8").reshape(json.loads(shape))
                for blob, shape in zip(frame["value"], frame.pop("shape"), strict=True)
            ]
        return frame.assign(value=pd.Series(values, dtype=object))

    def finished_trial(self, task: str, method: str, seed: int) -> int | None:
        """The number of a finished trial, by the keys of task and method; None if there is none."""
        with self._reading():
            row = self._connection.execute(
                "SELECT trials.id FROM trials JOIN tasks ON tasks.id = task_id "
                "JOIN methods ON methods.id = method_id WHERE tasks.key = ? AND methods.key = ? "
                "AND seed = ? AND status = 'finished'",
                (task, method, seed),
            ).fetchone()
        return None if row is None else int(row[0])

    def record(self, trial: int) -> Record:
        """Every evaluation of one finished trial.

        Raises:
            SuiteError: there is no such finished trial.
        """
        kinds = seals.PARTS["records"]
        with self._reading():
            row = self._connection.execute(
                f"SELECT seals.records, {', '.join(f'records.{name}' for name in kinds)} "
                "FROM records LEFT JOIN seals USING (trial_id) WHERE trial_id = ?",
                (int(trial),),
            ).fetchone()
        if row is None:
            raise SuiteError(f"{self._shown} has no finished trial {trial}.")
        seal, *values = row
        with self._reading():
            columns = {name: [value] for name, value in zip(kinds, values, strict=True)}
            if seal is not None and seal != seals.as_stored(seals.seal_rows(columns, kinds)):
                raise self._damage(f"the record of trial {trial} is not as it was written")
            *blobs, strings = values
            arrays = {
                name: np.frombuffer(blob, dtype=kind)
                for (name, kind), blob in zip(_BLOBS.items(), blobs, strict=True)
            }
            arrays["signals"] = arrays["signals"].reshape(len(arrays["architectures"]), -1)
            named = None if strings is None else tuple(map(str, json.loads(strings)))
        return Record(**arrays, strings=named)

    def _frame(self, query: str, values: Mapping[str, Any] | None = None) -> pd.DataFrame:
        return _joined(list(self._chunks(query, values)))

    def _chunks(
        self, query: str, values: Mapping[str, Any] | None = None
    ) -> Iterator[pd.DataFrame]:
        """What a query finds, in parts; one at least, of no rows if there are none."""
        import pandas as pd

        with self._reading():
            cursor = self._connection.execute(query, values or {})
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchmany(_CHUNK)
            while True:
                chunk = pd.DataFrame(rows, columns=names)
                # A column of nulls alone is of objects until it is told.
                for name in chunk.columns.difference(list(_TEXTS)):
                    if chunk[name].dtype == object and chunk[name].isna().all():
                        chunk[name] = chunk[name].astype(float)
                yield chunk
                if not (rows := cursor.fetchmany(_CHUNK)):
                    return

    # -- transactions and errors ---------------------------------------------------------------

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
        return SuiteError(f"{_damaged(self._shown)} ({what}.)")


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Have an error of SQLite on this file end as one sentence that says how to mend it."""
    try:
        yield
    except sqlite3.Error as error:
        said = printable(" ".join(str(error).split()), 300)  # what is damaged has line ends
        raise SuiteError(f"{_explain(error, path)} ({said})") from error


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _sum(census: pd.DataFrame) -> int:
    """The sum of the seals of all trials in a census, as SQLite keeps it."""
    high, low = (int(census[half].sum()) for half in ("high", "low"))
    return seals.add_stored((high << 32) + low, 0)


def _bytes_of(record: Record) -> tuple[Any, ...]:
    """What decides whether two records are the same."""
    names = ("architectures", "epochs", "signals", "recommended")
    return (*(getattr(record, name).tobytes() for name in names), record.strings)


def _rows_of(result: TrialResult) -> dict[str, list[tuple[Any, ...]]]:
    """What belongs to a trial in other tables, by table; columns as in ``seals.PARTS``."""
    record, incumbents, front = result.record, result.incumbents, result.front
    changes = (
        *(incumbents.trainings, incumbents.evaluations, incumbents.seconds),
        *(incumbents.architectures, incumbents.signals, incumbents.reports),
    )
    blobs = [
        getattr(record, name).astype(kind, copy=False).tobytes() for name, kind in _BLOBS.items()
    ]
    strings = None if record.strings is None else json.dumps(record.strings)
    return {
        "incumbents": list(zip(*(column.tolist() for column in changes), strict=True)),
        "fronts": [] if front is None else _front_rows(front),
        "indicators": [] if front is None else list(front.indicators.items()),
        "diagnostics": _diagnostic_rows(result),
        "records": [(*blobs, strings)],
    }


def _front_rows(front: Front) -> list[tuple[int, int, float]]:
    return [
        (architecture, objective, report)
        for architecture, reports in zip(
            front.architectures.tolist(), front.reports.tolist(), strict=True
        )
        for objective, report in enumerate(reports)
    ]


def _diagnostic_rows(result: TrialResult) -> list[tuple[str, int, str, bytes]]:
    """What the method told of itself; of what it told twice at one step the later."""
    rows = {
        (entry.name, entry.step): (
            entry.name,
            entry.step,
            json.dumps(entry.value.shape),
            entry.value.astype("<f8", copy=False).tobytes(),
        )
        for entry in result.diagnostics
    }
    return list(rows.values())


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
