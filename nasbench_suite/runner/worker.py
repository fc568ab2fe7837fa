"""A process that runs trials: begun by ``nasbench_suite.runner.processes``.

It is asked over its standard input and answers over its standard output, in pickles that the
process which began it makes and reads. It gets a ``Greeting``; then
tasks and methods, as bytes, each answered by None or why it cannot be had; and jobs on what it got
last, each answered by its outcome.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
from dataclasses import dataclass
from typing import IO, Any


@dataclass(frozen=True)
class Greeting:
    """What a worker is told first.

    Attributes:
        path: where modules are imported from.
        megabytes: what it may allocate, or None.
    """

    path: list[str]
    megabytes: float | None


def main() -> None:
    """Answer jobs until the input ends."""
    # The pipes are kept for messages: what a method prints goes to standard error, and it can
    # read nothing.
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    greeting = pickle.load(requests)
    sys.path[:] = greeting.path

    from nasbench_suite.runner.jobs import Job, run_job, unpack_or_fail

    if greeting.megabytes is not None:
        limit_memory(greeting.megabytes)
    waiting: queue.SimpleQueue[Job | bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    while True:
        request = waiting.get()
        answer: Any
        if isinstance(request, bytes):
            plan, answer = unpack_or_fail(request)
            if plan is not None:
                task, method = plan
        else:
            answer = run_job(task, method, request)
        pickle.dump(answer, answers)
        answers.flush()


def _read(requests: IO[bytes], waiting: queue.SimpleQueue[Any]) -> None:
    """Pass requests on; when whoever asked is gone, leave at once, whatever a trial is doing."""
    try:
        while True:
            waiting.put(pickle.load(requests))
    except EOFError:
        os._exit(0)


def limit_memory(megabytes: float) -> None:
    """Let this process allocate no more; what wants more gets a MemoryError."""
    import resource

    limit = int(megabytes * 1e6)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
