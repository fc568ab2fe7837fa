"""Reading a results file: every row is compared with its seal, and tables are read in parts."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.events import Record
from nasbench_suite.rows import CodeRow, EnvironmentRow, MethodRow, TaskRow, TrialRow
from nasbench_suite.store import seals
from nasbench_suite.store.connection import ResultFile

if TYPE_CHECKING:
    import pandas as pd

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
BLOBS = {
    "architectures": "<i4",
    "epochs": "<i4",
    "signals": "<f8",
    "evaluations": "<f8",
    "seconds": "<f8",
    "recommended": "<i4",
}


class StoredResults(ResultFile):
    """What stands in a results file; the arguments are those of ``ResultStore``."""

    def __init__(
        self, path: str | Path, *, read_only: bool = False, shown: Path | None = None
    ) -> None:
        super().__init__(path, read_only=read_only, shown=shown)
        self._known_census: pd.DataFrame | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.path)!r}>"

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
            if any(isinstance(value, bytes) for value in values) or (
                seal is not None and seal != seals.seal_text(values)
            ):
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
                if row["trial"] not in reports:
                    raise self._damage(f"trial {row['trial']} has no incumbents")
                with self._reading():
                    made = TrialRow.of(
                        self.record(row["trial"]),
                        reports[row["trial"]],
                        task=row["task_key"],
                        method=row["method_key"],
                        seed=row["seed"],
                        environment=environments[row["trial"]],
                        wall_seconds=row["wall_seconds"],
                    )
                yield made

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
                for (name, kind), blob in zip(BLOBS.items(), blobs, strict=True)
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


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _sum(census: pd.DataFrame) -> int:
    """The sum of the seals of all trials in a census, as SQLite keeps it."""
    high, low = (int(census[half].sum()) for half in ("high", "low"))
    return seals.add_stored((high << 32) + low, 0)
