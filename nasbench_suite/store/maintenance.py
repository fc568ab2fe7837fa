"""Looking after results files: verifying, copying, merging, renaming, removing, exporting."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.atomic import replacing, write_text
from nasbench_suite.files.cells import guard_cells
from nasbench_suite.store.connection import readable_errors
from nasbench_suite.store.results import ResultStore
from nasbench_suite.tasks.methods import find_label

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class StoreVerification:
    """What checking a results file found.

    Attributes:
        trials: number of trials in it.
        unsealed: how many of them an earlier version wrote, which have no seal.
        faults: what is damaged, a sentence each.
    """

    trials: int
    unsealed: int
    faults: tuple[str, ...]


def verify_store(path: str | Path) -> StoreVerification:
    """Read everything in a results file and compare it with what was written.

    Raises:
        SuiteError: it cannot be opened at all.
    """
    with ResultStore(path, read_only=True) as store:
        faults, frame = [], None
        with store.reading() as connection:
            for pragma in ("integrity_check", "foreign_key_check"):
                rows = connection.execute(f"PRAGMA {pragma}").fetchall()
                faults += [f"{pragma}: {row[0]}" for row in rows if row[0] != "ok"][:3]
        readers = (
            *(store.tasks, store.methods, store.environments, store.codes, store.trials),
            *(store.incumbents, store.fronts, store.indicators, store.diagnostics),
        )
        for read in readers:
            try:
                found: Any = read()
                frame = found if read == store.trials else frame
            except SuiteError as error:
                faults.append(str(error))
        if frame is None:
            return StoreVerification(0, 0, tuple(faults))
        for trial in frame.loc[frame["status"] == "finished", "trial"].tolist():
            try:
                store.record(trial)
            except SuiteError as error:
                faults.append(str(error))
        with store.reading() as connection:
            ((unsealed,),) = connection.execute(
                "SELECT count(*) FROM trials NOT INDEXED WHERE seal IS NULL"
            ).fetchall()
        return StoreVerification(len(frame), unsealed, tuple(faults))


def backup_store(path: str | Path, target: str | Path) -> None:
    """Copy a results file whole, also while a run writes to it; never over a file.

    Raises:
        SuiteError: it cannot be read, or ``target`` exists or cannot be written.
    """
    target = Path(target)
    if target.exists():
        raise SuiteError(f"{target} exists already: name a new file for the copy.")
    with (
        ResultStore(path, read_only=True) as store,
        store.reading() as connection,
        replacing(target) as partial,
        readable_errors(target),
        closing(sqlite3.connect(partial)) as copy,
    ):
        connection.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whatever is beside the other


@contextmanager
def new_store(target: Path) -> Iterator[ResultStore]:
    """A results file to write into, which is there whole at the end or not at all.

    Raises:
        SuiteError: it cannot be written.
    """
    with replacing(target) as partial, ResultStore(partial, shown=target) as store:
        yield store
        with store.reading() as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # what is renamed must be one file


def merge_stores(paths: Sequence[str | Path], target: str | Path) -> int:
    """Write the trials of several results files into a new one; those alike enter once.

    Where one file has a trial as failed and another as finished, the finished one enters.

    Returns:
        The number of trials in the new file.

    Raises:
        SuiteError: a file cannot be read or is damaged, ``target`` exists, or two files have one
            trial with different results.
    """
    target = Path(target)
    if target.exists():
        raise SuiteError(f"{target} exists already: name a new file for what is merged.")
    with new_store(target) as merged:
        for path in paths:
            found = verify_store(path)
            if found.faults:
                raise SuiteError(f"{path} cannot be merged: {found.faults[0]}")
            with ResultStore(path, read_only=True) as store:
                merged.take_over(store)
        with merged.reading() as connection:
            ((trials,),) = connection.execute("SELECT count(*) FROM trials").fetchall()
    return int(trials)


def rename_method(path: str | Path, label: str, new: str) -> None:
    """Give a method another label in a results file; what was run stays as it is.

    Raises:
        SuiteError: there is no such method, or the new label is taken or none.
    """
    if not new.strip() or not new.isprintable() or len(new) > 200:
        raise SuiteError(f"{new[:50]!r} cannot be a label: give 1 to 200 printable characters.")
    with ResultStore(path) as store:
        known = {method.label: method for method in store.methods()}
        label = find_label(f"method of {path}", label, list(known))
        if new in known:
            raise SuiteError(f"{path} has a method {new!r} already: choose another label.")
        store.change_method(known[label].model_copy(update={"label": new}))


def remove_trials(
    path: str | Path,
    *,
    methods: Collection[str] = (),
    tasks: Collection[str] = (),
    seeds: Collection[int] = (),
    failed: bool = False,
    dry: bool = False,
) -> int:
    """Remove the trials that fulfil all that is asked; nothing is removed if nothing is asked.

    Args:
        path: a results file.
        methods: of these labels.
        tasks: of tasks of these names.
        seeds: with these seeds.
        failed: failed ones alone.
        dry: only count them.

    Returns:
        How many there are.

    Raises:
        SuiteError: nothing is asked, or a method or task is not there.
    """
    if not (methods or tasks or seeds or failed):
        raise SuiteError("Say which trials to remove: by method, task, seeds, or the failed ones.")
    with ResultStore(path, read_only=dry) as store:
        frame = store.trials()
        if methods:
            known = sorted(frame["method"].unique())
            labels = [find_label(f"method of {path}", name, known) for name in methods]
            frame = frame[frame["method"].isin(labels)]
        if tasks:
            known = sorted(frame["task_name"].unique())
            for name in tasks:
                if name not in known:
                    raise SuiteError(choose_from(f"task of {path}", name, known))
            frame = frame[frame["task_name"].isin(list(tasks))]
        if seeds:
            frame = frame[frame["seed"].isin(list(seeds))]
        if failed:
            frame = frame[frame["status"] == "failed"]
        if not dry:
            store.remove(frame["trial"].tolist())
        return len(frame)


def summarise_store(path: str | Path) -> pd.DataFrame:
    """A row for each task and method: trials finished and failed, seeds, and codes that ran."""
    with ResultStore(path, read_only=True) as store:
        frame = store.trials()
    frame["finished"] = frame["status"] == "finished"
    return (
        frame.groupby(["task_key", "task_name", "method"], sort=False)
        .agg(
            finished=("finished", "sum"),
            failed=("finished", lambda done: int((~done).sum())),
            seeds=("seed", list),
            codes=("code", "nunique"),
        )
        .reset_index()
    )


def failed_trials(path: str | Path, methods: Collection[str] = ()) -> pd.DataFrame:
    """A row for each trial that failed: task, method, seed, and message with traceback.

    Args:
        path: the results file.
        methods: labels of the methods; by default all.

    Raises:
        SuiteError: the file cannot be read, or has no such method.
    """
    with ResultStore(path, read_only=True) as store:
        frame = store.trials()
        known = [method.label for method in store.methods()]
    labels = [find_label(f"method of {path}", name, known) for name in methods] or known
    frame = frame[(frame["status"] != "finished") & (frame["method"].isin(labels))]
    return frame[["task_name", "method", "seed", "message"]].reset_index(drop=True)


def export_store(path: str | Path, target: str | Path) -> int:
    """Write a row for each trial as CSV, JSON or Parquet, by the name's end.

    Text that a spreadsheet would take for a formula gets an apostrophe before it in CSV.

    Returns:
        The number of rows.

    Raises:
        SuiteError: the file cannot be read, or ``target`` has another end or cannot be written.
    """
    target = Path(target)
    with ResultStore(path, read_only=True) as store:
        frame = store.trials()
    if target.suffix == ".csv":
        write_text(target, guard_cells(frame).to_csv(index=False))
    elif target.suffix == ".json":
        write_text(target, frame.to_json(orient="records", indent=1, double_precision=15) + "\n")
    elif target.suffix == ".parquet":
        with replacing(target) as partial, partial.open("wb") as file:
            frame.to_parquet(file, index=False)
    else:
        raise SuiteError(f"{target} names no known format: end it in .csv, .json or .parquet.")
    return len(frame)
