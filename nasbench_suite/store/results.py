"""The results file: one SQLite database, one transaction a finished trial.

One process writes; any number may read meanwhile (write-ahead log). A killed writer leaves
every finished trial and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.store import seals
from nasbench_suite.store.reading import BLOBS, StoredResults

if TYPE_CHECKING:
    from nasbench_suite.events import Front, Record, TrialResult
    from nasbench_suite.rows import CodeRow, EnvironmentRow, MethodRow, TaskRow


class ResultStore(StoredResults):
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
        """Copy a trial, unless it is here already; a failed one that is gives way.

        Args:
            other: the other file.
            trial: its row there.
            known: row numbers here by those there, by column.
            where: the trial in words.
        """
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
                if _bytes_of(self.record(number)) != _bytes_of(other.record(trial["id"])):
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
        self._copy_parts(other, trial["id"], cursor.lastrowid)

    def _copy_parts(self, other: ResultStore, there: int, here: int | None) -> None:
        """Copy what belongs to a trial in other tables, by its numbers in both files."""
        with other.reading() as connection:
            for table in (*seals.PARTS, "seals"):
                rows = connection.execute(f"SELECT * FROM {table} WHERE trial_id = ?", (there,))
                names = [column[0] for column in rows.description]
                place = names.index("trial_id")
                self._connection.executemany(
                    f"INSERT INTO {table} ({', '.join(names)}) "
                    f"VALUES ({', '.join('?' * len(names))})",
                    [(*row[:place], here, *row[place + 1 :]) for row in rows],
                )


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
        getattr(record, name).astype(kind, copy=False).tobytes() for name, kind in BLOBS.items()
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
