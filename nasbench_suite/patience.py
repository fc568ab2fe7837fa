"""Doing something about what takes too long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def if_longer_than(seconds: float | None, act: Callable[[], object]) -> Iterator[None]:
    """Call something once, from a thread of its own, if what stands inside takes longer.

    Args:
        seconds: how long it may take; for None nothing is ever called, and no thread started.
        act: what is called while what stands inside goes on.
    """
    if seconds is None:
        yield
        return
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
