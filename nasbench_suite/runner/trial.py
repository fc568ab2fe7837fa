"""One trial: one method on one task with one seed, from start to the figures it is judged by."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.events import TrialResult
from nasbench_suite.files.atomic import replacing
from nasbench_suite.files.unpacking import read_arrays
from nasbench_suite.parsing import html_table
from nasbench_suite.sources import place_of
from nasbench_suite.tasks import BudgetSpent, Method, Session, Task
from nasbench_suite.tasks.judging import judge
from nasbench_suite.tasks.task import config_hash

_IDLE_STEPS = 10_000  # a method that steps this often without evaluating is taken to hang


class Trial:
    """A search that advances step by step, can be left after any step and gone on with."""

    def __init__(self, task: Task, method: Method, seed: int) -> None:
        method.refuse(task)
        self.task = task
        self.method = method
        self.session = Session(task, seed)
        self.finished = False
        self._started = False
        self._wall_seconds = 0.0
        self._settings = method.identity  # as asked for: some methods vary theirs on the way

    def __repr__(self) -> str:
        state = "finished" if self.finished else f"{100 * self.session.remaining:.0f} % left"
        name = type(self.method).__name__
        return f"<Trial: {name} on {self.task.name!r}, seed {self.session.seed}, {state}>"

    def _repr_html_(self) -> str:
        facts = {
            "method": repr(self.method),
            "task": self.task.name,
            "seed": str(self.session.seed),
            "spent": f"{self.session.evaluations:g} of {self.task.budget}",
            "state": "finished" if self.finished else "can go on",
        }
        return html_table("Trial", facts)

    def advance(self, steps: int | None = None, *, trainings: float = math.inf) -> None:
        """Take that many steps of the method, or all that are left, until so many trainings."""
        begin = time.perf_counter()
        session, method = self.session, self.method
        taken = idle = 0
        try:
            self._start()
            while (steps is None or taken < steps) and session.trainings < trainings:
                if method.finished or session.exhausted:
                    self.finished = True
                    break
                before = session.trainings
                method.step(session)
                taken += 1
                idle = idle + 1 if session.trainings == before else 0
                if idle >= _IDLE_STEPS:
                    raise SuiteError(
                        f"{type(method).__name__} took {idle} steps without evaluating anything: "
                        f"let it evaluate, or say that it has finished."
                    )
        except BudgetSpent:
            self.finished = True
        finally:
            self._wall_seconds += time.perf_counter() - begin

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self.method.start(self.session)

    def save(self, path: Path) -> bool:
        """Write a checkpoint, in one step; False if the method gives none."""
        state = self.method.checkpoint()
        if state is None:
            return False
        session = self.session.state()
        arrays: dict[str, Any] = {k: v for k, v in session.items() if isinstance(v, np.ndarray)}
        rest = {name: value for name, value in session.items() if name not in arrays}
        header = json.dumps(
            {**self._identity(), "session": rest, "wall_seconds": self._wall_seconds}
        )
        arrays["header"] = np.array(header)
        arrays["method"] = np.frombuffer(state, dtype=np.uint8)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, **arrays)
        return True

    def _identity(self) -> dict[str, object]:
        """What a checkpoint is of."""
        method = {"class": place_of(type(self.method)), "config": self._settings}
        return {
            "task": self.task.key,
            "method": config_hash(method),
            "seed": self.session.seed,
        }

    def load(self, path: Path) -> None:
        """Go on from a checkpoint of the same task, method and seed; only before any step.

        Raises:
            SuiteError: it is damaged, or of another task, method or seed.
        """
        # What a method makes of bytes that are not its own is not ours to foresee.
        with refused(f"Checkpoint {path} is damaged ({{reason}}): delete it.", Exception):
            content = read_arrays(path)
            header = json.loads(str(content.pop("header")))
            state = content.pop("method").tobytes()
            for what, own in self._identity().items():
                if header.get(what) != own:
                    raise SuiteError(f"Checkpoint {path} belongs to another {what}: delete it.")
            self._start()
            self.session.restore({**content, **header["session"]})
            self.method.restore(state)
            self._wall_seconds = float(header["wall_seconds"])

    def result(self) -> TrialResult:
        """The record so far and the figures it is judged by.

        Raises:
            SuiteError: the method ended without a single evaluation.
        """
        record = self.session.record()
        if not len(record.architectures):
            raise SuiteError(
                f"{type(self.method).__name__} ended without a single evaluation: the budget is "
                f"smaller than its first one, or it never called session.evaluate."
            )
        task = self.task.for_seed(self.session.seed)
        return judge(task, record, self._wall_seconds, self.session.diagnostics)
