"""Suites that come with the package: experiment files under names that can be cited."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent

QUICK = _FOLDER / "quick.toml"
BOARD = _FOLDER / "board.toml"
NAS_BENCH_201 = _FOLDER / "nas-bench-201.toml"
FRONTS = _FOLDER / "fronts.toml"
