"""Which architectures are scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import read_frame
from nasbench_suite.seeding import stream
from nasbench_suite.spaces import FiniteSpace, SearchSpace, load_space

_MOST_DRAWN = 1_000_000  # of a space that is not listed


def choose_architectures(space_name: str, which: str, seed: int = 0) -> list[str]:
    """The strings of architectures, in an order drawn by the seed.

    Args:
        space_name: name of the space.
        which: ``all``; ``classes``, one of each isomorphism class; a number, so many drawn at
            random; or a CSV or Parquet table with a column ``arch_str``, of which each counts once.
        seed: of the draw and the order.

    Raises:
        SuiteError: none of these, or a space that cannot be listed where all are asked for.
    """
    space = load_space(space_name)
    rng = stream(seed, "architectures", space.name)
    if which.isdecimal():
        return _drawn(space, int(which), rng)
    if which in ("all", "classes"):
        if not isinstance(space, FiniteSpace):
            raise SuiteError(
                f"Space {space.name!r} is too large to score all of it: give a number of "
                f"architectures to draw."
            )
        every = np.arange(space.size) if which == "all" else space.representatives
        return [space.string(int(index)) for index in rng.permutation(every)]
    path = Path(which)
    if not path.is_file() or path.suffix not in (".csv", ".parquet"):
        raise SuiteError(
            f"{which!r} names no architectures: write all, classes, a number of random ones, or "
            f"the file of a table with a column arch_str."
        )
    return [str(string) for string in rng.permutation(list(_listed(space, path)))]


def _listed(space: SearchSpace, path: Path) -> dict[str, None]:
    """The strings of the architectures in a table, each once."""
    frame = read_frame(path).frame
    if "arch_str" not in frame:
        raise SuiteError(f"{path} has no column arch_str to read architectures from.")
    found: dict[str, None] = {}
    for row, text in enumerate(frame["arch_str"].astype(str)):
        try:
            found[space.string(text)] = None
        except SuiteError as error:
            raise SuiteError(f"{path}, row {row}: {error}") from error
    return found


def _drawn(space: SearchSpace, number: int, rng: np.random.Generator) -> list[str]:
    if number < 1:
        raise SuiteError("No architecture is asked for: give a number from 1.")
    if isinstance(space, FiniteSpace):
        if number > space.size:
            raise SuiteError(
                f"{number} of {space.size} architectures cannot be drawn: give {space.size} or "
                f"fewer."
            )
        return [space.string(int(one)) for one in rng.permutation(space.size)[:number]]
    if number > _MOST_DRAWN:
        raise SuiteError(
            f"{number} architectures are more than can be scored: give {_MOST_DRAWN:,} or fewer."
        )
    found: dict[str, None] = {}
    while len(found) < number:
        found[space.string(space.sample(rng))] = None
    return list(found)
