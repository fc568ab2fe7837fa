"""The processes that run trials: begun by ``nasbench_suite.runner.processes``.

Importing what a trial needs takes longer than most trials, and every method gets a process of its
own. So one process imports it once, runs nothing of anybody's and has no threads, and forks itself
whenever a method needs a process: ``serve_forks``.

Such a copy, ``serve_trials``, is asked and answers over two pipes of its own. What it is asked are
pickles of the process that runs all; what it answers is data (``nasbench_suite.runner.wire``), as
whatever the method is can write to the pipe too.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

LENGTH = struct.Struct("<Q")  # before every message
ORDER = struct.Struct("<cq")  # of the process that runs all to the one that forks
ANSWER = struct.Struct("<q")
FORK, REAP = b"f", b"r"

# What every trial needs, to be there in every copy. None of it begins a thread.
_SHARED = (
    "nasbench_suite.runner.jobs",
    "nasbench_suite.runner.wire",
    "pyarrow.parquet",
)


@dataclass(frozen=True)
class Greeting:
    """What is told first.

    Attributes:
        path: where modules are imported from.
        megabytes: what a trial may allocate, or None.
    """

    path: list[str]
    megabytes: float | None


def main() -> None:
    """Fork on demand until whoever asks is gone."""
    orders = socket.socket(fileno=os.dup(0))
    greeting: Greeting = pickle.loads(receive(lambda size: orders.recv(size)))
    sys.path[:] = greeting.path
    for name in _SHARED:
        import_module(name)
    gc.freeze()  # copies share the memory of what was imported
    serve_forks(orders, greeting)


def serve_forks(orders: socket.socket, greeting: Greeting) -> None:
    """Fork a copy for each order that brings two pipes, and tell how one ended if asked."""
    while True:
        order, pipes, _, _ = socket.recv_fds(orders, ORDER.size, 2)
        if not order:
            return
        kind, number = ORDER.unpack(order)
        if kind == REAP:
            orders.sendall(ANSWER.pack(_reap(number)))
            continue
        process = os.fork()
        if process == 0:
            orders.close()
            requests, answers = pipes
            serve_trials(requests, answers, greeting)
        with suppress(OSError):  # a group of its own, to be killed with all that it starts
            os.setpgid(process, process)
        for pipe in pipes:
            os.close(pipe)
        orders.sendall(ANSWER.pack(process))


def _reap(number: int) -> int:
    """How a copy ended, which is killed if it has not, wherever it hides from its group.

    One that another process of this kind forked, which a method has killed, ended with that.
    """
    try:
        ended, status = os.waitpid(number, os.WNOHANG)
        if not ended:
            os.kill(number, signal.SIGKILL)
            _, status = os.waitpid(number, 0)
    except ChildProcessError:
        return signal.SIGKILL
    return status


def serve_trials(requests: int, answers: int, greeting: Greeting) -> None:
    """Answer tasks and methods, given as bytes, and jobs on what was given last."""
    import random

    import numpy as np

    from nasbench_suite.runner.jobs import Job, failure_of, run_job_whatever, unpack_or_fail
    from nasbench_suite.runner.wire import encode

    # What a method prints goes to standard error, and it can read nothing.
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    with suppress(OSError):  # here too: whoever of both is first
        os.setpgid(0, 0)
    random.seed()  # copies of one process would draw alike
    np.random.seed()  # noqa: NPY002
    if greeting.megabytes is not None:
        limit_memory(greeting.megabytes)
    waiting: queue.SimpleQueue[Job | bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    while True:
        request = waiting.get()
        if isinstance(request, bytes):
            plan, failure = unpack_or_fail(request)
            if plan is not None:
                task, method = plan
            answer = encode(failure)
        else:
            outcome = run_job_whatever(task, method, request)
            try:
                answer = encode(outcome)
            except BaseException as error:  # what it left is none of what it should
                answer = encode(failure_of(error, outcome.wall_seconds))
        send(answers, answer)


def _read(requests: int, waiting: queue.SimpleQueue[Any]) -> None:
    """Pass requests on; when whoever asked is gone, leave at once, whatever a trial is doing."""
    try:
        while True:
            waiting.put(pickle.loads(receive(lambda size: os.read(requests, size))))
    except EOFError:
        os._exit(0)


def send(pipe: int, message: bytes) -> None:
    """Write a message to a pipe."""
    whole = memoryview(LENGTH.pack(len(message)) + message)
    while whole:
        whole = whole[os.write(pipe, whole) :]


def receive(read: Callable[[int], bytes], most: int | None = None) -> bytes:
    """A message.

    Args:
        read: reads at most so many bytes, none at the end.
        most: bytes that it may have.

    Raises:
        EOFError: there is no more, or not the whole of it.
        OverflowError: it says that it is longer than it may be.
    """
    (length,) = LENGTH.unpack(_receive(read, LENGTH.size))
    if most is not None and length > most:
        raise OverflowError(f"a message of {length:,} bytes")
    return _receive(read, length)


def _receive(read: Callable[[int], bytes], size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = read(min(size - len(parts), 1 << 20))
        if not part:
            raise EOFError
        parts += part
    return bytes(parts)


def limit_memory(megabytes: float) -> None:
    """Let this process allocate no more; what wants more gets a MemoryError."""
    import resource

    limit = int(megabytes * 1e6)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
