"""Many independent computations, on one process or on several."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import Any, TypeVar

from nasbench_suite.errors import SuiteError

T = TypeVar("T")

_MOST_JOBS = 10_000
_LOOK_SECONDS = 1.0  # between two looks at whether the main process is there


def count_jobs(jobs: int) -> int:
    """How many processes are meant: a number from 1 is itself, and -1 is all cores.

    Raises:
        SuiteError: an impossible number.
    """
    if jobs == 0 or jobs < -1:
        raise SuiteError(f"{jobs} jobs are impossible: give a number from 1, or -1 for all cores.")
    if jobs > _MOST_JOBS:
        raise SuiteError(f"{jobs} jobs are too many: give {_MOST_JOBS:,} or fewer.")
    if jobs == -1:
        from joblib import cpu_count

        return int(cpu_count())
    return jobs


def spread(compute: Callable[..., T], inputs: Iterable[tuple[Any, ...]], jobs: int) -> Iterator[T]:
    """What a function makes of each of many inputs, in the order in which it is made.

    Args:
        compute: depends on its arguments alone; with several jobs it can be pickled.
        inputs: the arguments of each call.
        jobs: processes, as ``count_jobs`` counts them; with one, nothing leaves this process.

    Raises:
        SuiteError: an impossible number of jobs, or a process was killed.
    """
    jobs = count_jobs(jobs)
    if jobs == 1:
        yield from (compute(*one) for one in inputs)
        return
    from joblib import Parallel, delayed

    main = os.getpid()
    calls = (delayed(_call)(main, compute, one) for one in inputs)
    try:
        yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(calls)
    except BrokenProcessPool as error:
        raise SuiteError(
            f"One of {jobs} processes was killed, maybe for want of memory: what a journal holds "
            f"stays, so give the command again, with fewer --jobs."
        ) from error


def _call(main: int, compute: Callable[..., T], inputs: tuple[Any, ...]) -> T:
    """In a worker: what the function makes of its inputs."""
    _end_with(main)
    return compute(*inputs)


@cache
def _end_with(main: int) -> None:
    """Have this process end soon after the main one, whose kill it is not told of.

    It would go on with work that nobody takes, and then wait for minutes for more.
    """

    def watch() -> None:
        while os.getppid() == main:
            time.sleep(_LOOK_SECONDS)
        os._exit(1)

    if os.getppid() == main:  # and not where joblib was told to work in this process, or elsewhere
        threading.Thread(target=watch, daemon=True).start()
