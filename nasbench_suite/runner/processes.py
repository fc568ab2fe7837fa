"""Trials on processes of this machine that can be limited, killed and replaced.

joblib's pool would do without the limits, but a trial that hangs cannot be stopped in it, and a
process that dies takes the whole pool with it.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from typing import Any

from nasbench_suite.errors import SuiteError
from nasbench_suite.runner.jobs import Failure, Job, Outcome, pack
from nasbench_suite.runner.worker import Greeting
from nasbench_suite.tasks import Method, Task

# Sums in another order give other results: every trial has one thread for its linear algebra.
ONE_THREAD = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM")
}


@dataclass(frozen=True)
class Limits:
    """What one trial may take.

    Attributes:
        seconds: of wall time; the process of a trial that takes longer is killed, with all that
            it started.
        megabytes: that its process may allocate (Linux).
        retries: how often a trial is begun again whose process died otherwise. Where the trial
            keeps checkpoints it goes on from the last.
    """

    seconds: float | None = None
    megabytes: float | None = None
    retries: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be.

        Raises:
            SuiteError: a limit that is not positive, or of memory where there is none.
        """
        for name, limit in (("time", self.seconds), ("memory", self.megabytes)):
            if limit is not None and not limit > 0:
                raise SuiteError(f"A {name} limit of {limit} is impossible: give a positive one.")
        if self.retries < 0:
            raise SuiteError(f"{self.retries} retries are impossible: give a number from 0.")
        if self.megabytes is not None and not sys.platform.startswith("linux"):
            raise SuiteError("Memory can be limited on Linux alone: leave the limit out.")

    @property
    def any(self) -> bool:
        """Whether a trial needs a process of its own to be held to them."""
        return self.seconds is not None or self.megabytes is not None


@dataclass(frozen=True)
class Processes:
    """An executor: so many processes of this machine, each running one trial at a time.

    Attributes:
        jobs: number of processes.
        limits: what one trial may take.
    """

    jobs: int
    limits: Limits = field(default_factory=Limits)

    def outcomes(
        self, plans: Sequence[tuple[Task, Method]], jobs: Iterable[Job]
    ) -> Iterator[tuple[Job, Outcome]]:
        """The outcome of every job, as they finish; see ``Executor``."""
        packed = [pack(*plan) for plan in plans]
        todo = iter(jobs)
        workers = [Worker(self.limits) for _ in range(self.jobs)]
        idle: SimpleQueue[Worker] = SimpleQueue()
        for worker in workers:
            idle.put(worker)

        def run(job: Job) -> Outcome:
            worker = idle.get()
            try:
                return worker.run(job, packed[job.plan])
            finally:
                idle.put(worker)

        with ThreadPoolExecutor(self.jobs) as threads:
            try:
                running: dict[Future[Outcome], Job] = {}
                while True:
                    # One ahead for each, so that no worker waits for what is being written.
                    for job in islice(todo, 2 * self.jobs - len(running)):
                        running[threads.submit(run, job)] = job
                    if not running:
                        return
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        yield running.pop(future), future.result()
            finally:
                threads.shutdown(wait=False, cancel_futures=True)
                for worker in workers:
                    worker.close()


class Worker:
    """A process that runs one trial at a time; begun when there is one, and again if lost."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._holds: bytes | None = None  # the task and method that the process has
        self._closed = False
        self._lock = threading.Lock()

    def run(self, job: Job, packed: bytes) -> Outcome:
        """The outcome of a trial, whatever becomes of its process."""
        begin = time.perf_counter()
        ending = "it was ended"
        for _ in range(self._limits.retries + 1):
            process = self._ready()
            if process is None:
                break
            late = threading.Event()
            try:
                if packed is not self._holds:
                    failure: Failure | None = _ask(process, packed)
                    if failure is not None:
                        return failure
                    self._holds = packed
                with self._timer(process, late):
                    outcome: Outcome = _ask(process, job)
                return outcome
            except (EOFError, OSError, pickle.UnpicklingError):
                self._end()
            if late.is_set():
                return Failure(
                    f"It was stopped at the time limit of {self._limits.seconds:g} s.",
                    "",
                    time.perf_counter() - begin,
                )
            ending = _ending(process.returncode)
        times = f" {self._limits.retries + 1} times" if self._limits.retries else ""
        return Failure(f"Its process was lost{times} ({ending}).", "", time.perf_counter() - begin)

    def close(self) -> None:
        """Kill the process; a trial that it runs is answered with a failure."""
        with self._lock:
            self._closed = True
        self._end()

    def _ready(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._process is None and not self._closed:
                self._holds = None
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-P",
                        "-c",
                        "from nasbench_suite.runner.worker import main; main()",
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    env=os.environ | ONE_THREAD,
                    start_new_session=True,  # to be killed with all that it starts
                )
                with suppress(OSError):  # it is lost already, as the first answer will tell
                    _tell(self._process, Greeting(sys.path, self._limits.megabytes))
            return self._process

    @contextmanager
    def _timer(self, process: subprocess.Popen[bytes], late: threading.Event) -> Iterator[None]:
        if self._limits.seconds is None:
            yield
            return

        def stop() -> None:
            late.set()
            _kill(process)

        timer = threading.Timer(self._limits.seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _end(self) -> None:
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            _kill(process)
            process.wait()


def _tell(process: subprocess.Popen[bytes], message: Job | bytes | Greeting) -> None:
    assert process.stdin is not None
    pickle.dump(message, process.stdin)
    process.stdin.flush()


def _ask(process: subprocess.Popen[bytes], request: Job | bytes) -> Any:
    _tell(process, request)
    assert process.stdout is not None
    return pickle.load(process.stdout)  # written by our own process


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _ending(code: int) -> str:
    if code >= 0:
        return f"it exited with code {code}"
    name = signal.Signals(-code).name
    return f"{name}, perhaps for want of memory" if -code == signal.SIGKILL else name
