"""Does an error that follows the shape of figures hold its level where they are flat?

    python tests/benchmarks/flat_figures.py [FILE ...]

Under 20 seeds the errors of ``estimates.trimmed_means`` are scaled as for Gaussian figures, of
which the middle halves spread less than those of flat figures do. Tried here: the errors of all
methods of a board, raised together by as much as their middle halves spread further, taken over
all of them. The table has the level of all pairs of 2, 5 and 10 equal methods (10,000 boards, so
that 0.05 is known to within 0.005), and the power of the difference of Gaussian figures that shows
with 0.8 now. Of each FILE, a results file of one task, figures of each of its methods are drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from nasbench_suite.analysis.results import read_results
from nasbench_suite.statistics.estimates import (
    error_of_unit,
    level_of_pair,
    pair_freedom,
    trimmed_means,
)
from nasbench_suite.statistics.planning import detectable_difference

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, ...]], Floats]

BOARDS, METHODS, SEEDS = 10_000, (2, 5, 10), (5, 7, 10, 15)
MADE: dict[str, Draw] = {
    "Gaussian": lambda rng, shape: rng.standard_normal(shape),
    "flat": lambda rng, shape: rng.uniform(-1.0, 1.0, shape),
    "skewed (exponential)": lambda rng, shape: rng.exponential(size=shape),
    "two humps": lambda rng, shape: rng.choice([-1.0, 1.0], shape) + 0.4 * rng.normal(size=shape),
}


def middle_squares(figures: Floats) -> Floats:
    """Squared error of the interquartile mean by the middle half alone, but for its scale."""
    array = np.sort(figures, axis=0)
    cut = len(array) // 4
    kept = np.clip(array, array[cut], array[len(array) - cut - 1])
    found: Floats = kept.var(axis=0)
    return found


def raised(figures: Floats, errors: Floats, scale: float) -> Floats:
    """Errors of all methods, shape (methods, boards), raised together as far as they are low."""
    with np.errstate(divide="ignore", invalid="ignore"):  # where all figures of a board are one
        low = scale * middle_squares(figures).sum(axis=0) / np.square(errors).sum(axis=0)
    found: Floats = errors * np.sqrt(np.fmax(np.where(errors > 0, low, 1.0), 1.0))
    return found


def told_apart(draw: Draw, methods: int, seeds: int, *, shift: float, raise_: bool) -> Floats:
    """Shares of boards on which any two of all, and on which the first and the second, differ."""
    rng = np.random.default_rng(seeds)
    unit = middle_squares(rng.standard_normal((seeds, 20_000))).mean()
    figures = draw(rng, (seeds, methods, BOARDS))
    figures[:, 0] += shift
    means, errors, freedoms = trimmed_means(figures)
    if raise_:
        errors = raised(figures, errors, error_of_unit(seeds) ** 2 / float(unit))
    level, found = level_of_pair(methods), []
    for one, other in combinations(range(methods), 2):
        pair = [one, other]
        freedom = pair_freedom(np.square(errors[pair]), freedoms[pair], (seeds, seeds))
        with np.errstate(divide="ignore", invalid="ignore"):
            gaps = np.abs(means[one] - means[other]) / np.hypot(errors[one], errors[other])
        found.append(2 * stdtr(freedom, -gaps) < level)
    return np.array([np.any(found, axis=0).mean(), found[0].mean()])


def drawn(own: Floats, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Figures of a method, with replacement."""
    return rng.choice(own, shape)


def main() -> None:
    """Print levels, and the power of Gaussian figures, now and with errors raised."""
    pools = dict(MADE)
    for path in sys.argv[1:]:
        results = read_results(path)
        (key,) = results.tasks
        for method, trials in results.finished_on(key).groupby("method"):
            own = trials["report"].to_numpy(dtype=np.float64)
            pools[f"{method}, {results.names[key]}"] = partial(drawn, own)
    print("| figures | seeds | now: 2, 5, 10 methods | raised | power now | raised |")
    print("|---|---:|---|---|---|---|")
    for name, draw in pools.items():
        for seeds in SEEDS:
            cells = []
            for place in (0, 1):
                for raise_ in (False, True):
                    if place and name != "Gaussian":
                        cells.append("")
                        continue
                    shares = [
                        told_apart(
                            draw,
                            methods,
                            seeds,
                            shift=place * detectable_difference(1.0, seeds, methods=methods),
                            raise_=raise_,
                        )[place]
                        for methods in METHODS
                    ]
                    cells.append(", ".join(f"{share:.3f}" for share in shares))
            print(f"| {name} | {seeds} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
