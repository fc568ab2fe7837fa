"""Trials on processes of this machine that can be limited, killed and replaced.

joblib's pool would do without the limits, but a trial that hangs cannot be stopped in it, and a
process that dies takes the whole pool with it. Every method has a process of its own, so that what
one does to the classes and arrays that it finds there reaches no other.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from nasbench_suite.errors import SuiteError
from nasbench_suite.patience import if_longer_than
from nasbench_suite.runner.jobs import Failure, Job, Outcome, pack
from nasbench_suite.runner.wire import MOST_BYTES, WireError, decode
from nasbench_suite.runner.worker import ANSWER, FORK, ORDER, REAP, Greeting, receive, send
from nasbench_suite.tasks import Method, Task

# Sums in another order give other results: every trial has one thread for its linear algebra.
_ENDLESS = 1e9  # seconds, or megabytes, that no machine has and no timer takes
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
            SuiteError: a limit that is not positive or limits nothing, or of memory where there is
                none.
        """
        for name, limit in (("time", self.seconds), ("memory", self.megabytes)):
            if limit is not None and not 0 < limit < _ENDLESS:
                raise SuiteError(
                    f"A {name} limit of {limit} is impossible: give a positive one below "
                    f"{_ENDLESS:,.0f}, or none."
                )
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
        server = ForkServer(self.limits.megabytes)
        workers = [Worker(self.limits, server) for _ in range(self.jobs)]
        idle, lock = list(workers), threading.Lock()

        def run(job: Job) -> Outcome:
            content = packed[job.plan]
            with lock:  # one that has the method already, if there is
                worker = next((one for one in idle if one.holds is content), idle[0])
                idle.remove(worker)
            try:
                return worker.run(job, content)
            finally:
                with lock:
                    idle.append(worker)

        try:
            with ThreadPoolExecutor(self.jobs) as threads:
                try:
                    running: dict[Future[Outcome], Job] = {}
                    while True:
                        # One ahead for each, so that no worker waits for what is being written.
                        for job in islice(todo, 2 * self.jobs - len(running)):
                            running[threads.submit(run, job)] = job
                        if not running:
                            return
                        ended = wait(running, return_when=FIRST_COMPLETED).done
                        for future in [one for one in running if one in ended]:  # as they began
                            yield running.pop(future), future.result()
                finally:
                    threads.shutdown(wait=False, cancel_futures=True)
                    for worker in workers:
                        worker.stop()
        finally:
            for worker in workers:
                worker.close()
            server.close()


@dataclass(frozen=True)
class _Process:
    """A copy of the fork server, and the two pipes to it."""

    number: int
    requests: int
    answers: int


class ForkServer:
    """A process that has imported what trials need, and copies itself when asked; see ``worker``.

    Args:
        megabytes: that a copy may allocate; None for no limit.
    """

    def __init__(self, megabytes: float | None = None) -> None:
        self._megabytes = megabytes
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        self._closed = False

    def fork(self) -> _Process | None:
        """A new process; None if this is closed."""
        with self._lock:
            if self._closed:
                return None
            if self._process is None or self._process.poll() is not None:
                self._begin()
            try:
                return self._fork()
            except OSError:  # a method has killed what forks, which can be seen only now
                assert self._process is not None
                self._process.kill()
                self._process.wait()
                self._begin()
                return self._fork()

    def _fork(self) -> _Process:
        assert self._orders is not None
        (asked, requests), (answers, told) = os.pipe(), os.pipe()
        try:
            socket.send_fds(self._orders, [ORDER.pack(FORK, 0)], [asked, told])
            number = self._answer()
        except OSError:
            os.close(requests)
            os.close(answers)
            raise
        finally:
            os.close(asked)
            os.close(told)
        return _Process(number, requests, answers)

    def reap(self, process: _Process) -> int:
        """How a process ended that was killed or has closed its pipe; kills what it began."""
        _kill(process.number)
        for pipe in (process.requests, process.answers):
            with suppress(OSError):
                os.close(pipe)
        with self._lock:
            if self._orders is None or self._closed:
                return -signal.SIGKILL
            try:
                self._orders.sendall(ORDER.pack(REAP, process.number))
                return os.waitstatus_to_exitcode(self._answer())
            except OSError:
                return -signal.SIGKILL

    def close(self) -> None:
        """End the process; its copies go on until their pipes are closed."""
        with self._lock:
            self._closed = True
            if self._orders is not None:
                self._orders.close()
            if self._process is not None:
                self._process.kill()
                self._process.wait()

    def _begin(self) -> None:
        self._orders, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-c",
                    "from nasbench_suite.runner.worker import main; main()",
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=os.environ | ONE_THREAD,
                start_new_session=True,
            )
        send(self._orders.fileno(), pickle.dumps(Greeting(sys.path, self._megabytes)))

    def _answer(self) -> int:
        assert self._orders is not None
        content = self._orders.recv(ANSWER.size, socket.MSG_WAITALL)
        if len(content) < ANSWER.size:
            raise OSError("the process that forks is gone")
        (number,) = ANSWER.unpack(content)
        return int(number)


class Worker:
    """A place for one trial at a time; its process is a method's own, and begun again if lost.

    Args:
        limits: what one trial may take.
        server: where processes come from; by default one of its own.
    """

    def __init__(self, limits: Limits, server: ForkServer | None = None) -> None:
        self._limits = limits
        self._server = server or ForkServer(limits.megabytes)
        self._own = server is None
        self._process: _Process | None = None
        self._closed = False
        self._lock = threading.Lock()
        self.holds: bytes | None = None  # the task and method that the process has

    def run(self, job: Job, packed: bytes) -> Outcome:
        """The outcome of a trial, whatever becomes of its process."""
        begin = time.perf_counter()
        ending = "it was ended"
        for _ in range(self._limits.retries + 1):
            late = threading.Event()
            try:
                process = self._ready(packed)
                if process is None:
                    break
                if self.holds is None:
                    failure = _ask(process, packed)
                    if isinstance(failure, Failure):
                        self._end()
                        return failure
                    self.holds = packed
                with if_longer_than(self._limits.seconds, partial(_stop, process, late)):
                    outcome = _ask(process, job)
                if outcome is None:
                    raise WireError("it says that it is ready")
                return outcome
            except (WireError, OverflowError) as error:
                self._end()
                message = f"What its process answered is no outcome ({error})."
                return Failure(message, "", time.perf_counter() - begin)
            except (EOFError, OSError):
                code = self._end()
            if late.is_set():
                return Failure(
                    f"It was stopped at the time limit of {self._limits.seconds:g} s.",
                    "",
                    time.perf_counter() - begin,
                )
            ending = _ending(code)
        times = f" {self._limits.retries + 1} times" if self._limits.retries else ""
        return Failure(f"Its process was lost{times} ({ending}).", "", time.perf_counter() - begin)

    def stop(self) -> None:
        """Kill the process; a trial that it runs is answered with a failure."""
        with self._lock:
            self._closed = True
            process = self._process
        if process is not None:
            _kill(process.number)

    def close(self) -> None:
        """Kill the process and let go of it; no trial may be running any more."""
        self.stop()
        self._end()
        if self._own:
            self._server.close()

    def _ready(self, packed: bytes) -> _Process | None:
        """A process that no other method has been in; None if this is closed."""
        if self.holds is not None and self.holds is not packed:
            self._end()
        with self._lock:
            if self._process is None and not self._closed:
                self.holds = None
                self._process = self._server.fork()
            return None if self._closed else self._process

    def _end(self) -> int:
        """End the process; how it did."""
        with self._lock:
            process, self._process = self._process, None
            self.holds = None
        return -signal.SIGKILL if process is None else self._server.reap(process)


def _ask(process: _Process, request: Job | bytes) -> Outcome | None:
    send(process.requests, pickle.dumps(request))
    return decode(receive(lambda size: os.read(process.answers, size), MOST_BYTES))


def _stop(process: _Process, late: threading.Event) -> None:
    """Kill a process that takes too long, having said so."""
    late.set()
    _kill(process.number)


def _kill(process: int) -> None:
    """Kill a process with its group, also where it has left that."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)


def _ending(code: int) -> str:
    if code >= 0:
        return f"it exited with code {code}"
    name = signal.Signals(-code).name
    return f"{name}, perhaps for want of memory" if -code == signal.SIGKILL else name
