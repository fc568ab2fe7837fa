"""A short run, in a copy of this process that kills itself before a statement given to SQLite."""

from __future__ import annotations

import os
import signal
import sqlite3
import traceback
from pathlib import Path
from typing import Any, NoReturn

from nasbench_suite.runner.executors import ThisProcess
from nasbench_suite.runner.runs import run_tasks
from nasbench_suite.tasks import Task

METHODS = "noting-random,noting-evolution[population_size=5,sample_size=2]"


def run_killed_at(statement: int, store: Path, task: Task) -> int:
    """How the copy ended: 0 where it gave no so many statements; -1 for none to be killed at."""
    copy = os.fork()
    if copy == 0:
        _run(statement, store, task)
    return os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])


def _run(statement: int, store: Path, task: Task) -> NoReturn:
    left = statement

    class Mortal(sqlite3.Connection):
        """Counts statements, and kills the process before one of them."""

        def execute(self, *arguments: Any) -> sqlite3.Cursor:
            before_a_statement()
            return super().execute(*arguments)

        def executemany(self, *arguments: Any) -> sqlite3.Cursor:
            before_a_statement()
            return super().executemany(*arguments)

    def before_a_statement() -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    connect = sqlite3.connect
    sqlite3.connect = lambda *arguments, **settings: connect(  # type: ignore[assignment]
        *arguments, **settings, factory=Mortal
    )
    try:
        run_tasks([task], METHODS, seeds=2, store=store, executor=ThisProcess())
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
