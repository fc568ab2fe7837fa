"""Imported by Python at its start where this folder is on its path: the clock jumps by days."""

import itertools
import time

_true = time.time
_jumps = itertools.cycle([0.0, 86_400.0, -500_000.0, 3.0e6, -86_400.0])

time.time = lambda: _true() + next(_jumps)
time.time_ns = lambda: int(time.time() * 1e9)
