"""A time limit for one input: what takes longer is stopped where it is, and counted."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class HangsError(BaseException):
    """An input took too long; no ``except Exception`` on the way takes it for another error."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what runs within after so many seconds; on the main thread alone.

    Raises:
        HangsError: it was stopped.
    """

    def stop(*_: Any) -> None:
        raise HangsError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)  # again, should a callback have eaten it
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
