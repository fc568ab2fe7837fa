"""One trial as a job: packed so that it can run in another process, and its outcome."""

from __future__ import annotations

import copy
import os
import pickle
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from nasbench_suite.errors import SuiteError, printable, reason
from nasbench_suite.events import TrialResult
from nasbench_suite.runner.trial import Trial
from nasbench_suite.tasks import Method, Task

MOST_TRACEBACK = 20_000  # characters of a traceback that are kept
CHECKPOINT_SECONDS = 10.0  # a killed search loses no more than this, and a step


@dataclass(frozen=True)
class Job:
    """One trial to run.

    Attributes:
        plan: number of its task and method among those of the run.
        seed: its seed.
        checkpoint: where it leaves a checkpoint, and goes on from one.
    """

    plan: int
    seed: int
    checkpoint: Path


@dataclass(frozen=True)
class Failure:
    """Why a trial gave no result: a sentence, and the traceback for the method's author."""

    message: str
    traceback: str
    wall_seconds: float


Outcome: TypeAlias = TrialResult | Failure


def pack(task: Task, method: Method) -> bytes:
    """A task and a method as bytes; classes of a script or a notebook go along by value."""
    import cloudpickle

    return bytes(cloudpickle.dumps((task, method)))


def unpack_or_fail(packed: bytes) -> tuple[tuple[Task, Method] | None, Failure | None]:
    """What ``pack``, in the process that runs all, made bytes of a moment ago; or why not."""
    try:
        return pickle.loads(packed), None
    except BaseException as error:  # a module may do anything when it is imported
        return None, failure_of(error, 0.0)


def run_job(task: Task, method: Method, job: Job) -> Outcome:
    """One trial on a fresh copy of the method; whatever it raises becomes a failure.

    A method that gives checkpoints leaves one now and then, and goes on from it.
    """
    start = time.perf_counter()
    process = os.getpid()
    try:
        trial = Trial(task, copy.deepcopy(method), job.seed)
        if job.checkpoint.exists():
            trial.load(job.checkpoint)
        saved = time.perf_counter()
        keeps_checkpoints = type(method).checkpoint is not Method.checkpoint
        while not trial.finished:
            trial.advance(1 if keeps_checkpoints else None)
            now = time.perf_counter()
            if keeps_checkpoints and not trial.finished and now - saved > CHECKPOINT_SECONDS:
                job.checkpoint.parent.mkdir(parents=True, exist_ok=True)
                trial.save(job.checkpoint)
                saved = now
        return trial.result()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a method that exits fails, and no more
        return failure_of(error, time.perf_counter() - start)
    finally:
        if os.getpid() != process:
            os._exit(0)  # the method forked, and this is the copy: the trial is its parent's


def run_job_whatever(task: Task, method: Method, job: Job) -> Outcome:
    """As ``run_job`` in a process of the method's own, where nobody interrupts but the method."""
    start = time.perf_counter()
    try:
        return run_job(task, method, job)
    except KeyboardInterrupt as error:
        return failure_of(error, time.perf_counter() - start)


def failure_of(error: BaseException, seconds: float) -> Failure:
    """What was raised and where, in text that can be kept, whatever the error says of itself."""
    told = traceback.extract_tb(error.__traceback__)
    where = f" (line {told[-1].lineno} of {told[-1].filename})" if told else ""
    message = str(error) if isinstance(error, SuiteError) else f"{reason(error)}{where}"
    try:
        text = "".join(traceback.format_exception(error))
    except BaseException:  # an error that cannot be shown
        text = ""
    return Failure(printable(message), printable(text, MOST_TRACEBACK), seconds)
