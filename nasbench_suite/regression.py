"""Where the gate stood before; ``deprecated`` says how long this works."""

from __future__ import annotations

from nasbench_suite.deprecated import moved

_NAMES = (
    *("Baseline", "Check", "Finding", "check"),
    *("load_baseline", "make_baseline", "save_baseline"),
)

__getattr__, __dir__ = moved(__name__, dict.fromkeys(_NAMES, "nasbench_suite.gate"))
