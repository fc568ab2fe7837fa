"""Two tests of all pairs that the suite does not use: a table in docs/metrics.md.

    python tests/benchmarks/studentised.py --repetitions 300

Of boards of equal methods, and of boards on which the first is better by what ``nasbench seeds``
says shows with 0.8: by the test that commands make, by the largest studentised difference when the
labels of all methods are exchanged together, and by that of figures drawn anew from each method
about its own mean (bootstrap-t).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from calibration import Boards, made_pools
from numpy.typing import NDArray

from nasbench_suite.statistics.estimates import trimmed_means
from nasbench_suite.statistics.planning import detectable_difference

Floats = NDArray[np.float64]

_DRAWS = 400


def studentised(figures: Floats) -> Floats:
    """Differences of all pairs over their errors, of figures of shape (seeds, methods, ...)."""
    means, errors, _ = trimmed_means(figures)
    one, other = np.triu_indices(figures.shape[1], 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (means[one] - means[other]) / np.hypot(errors[one], errors[other])
    return np.nan_to_num(found, nan=0.0, posinf=1e9, neginf=-1e9)


def exchanged(figures: Floats, rng: np.random.Generator) -> Floats:
    """Boards with the labels of all methods exchanged, shape (seeds, methods, draws)."""
    order = np.argsort(rng.random((figures.size, _DRAWS)), axis=0)
    return figures.ravel()[order].reshape(*figures.shape, _DRAWS)


def drawn_anew(figures: Floats, rng: np.random.Generator) -> Floats:
    """Boards drawn from each method about its mean, shape (seeds, methods, draws)."""
    seeds, methods = figures.shape
    about = figures - trimmed_means(figures)[0]
    rows = rng.integers(0, seeds, (seeds, methods, _DRAWS))
    return about[rows, np.arange(methods)[None, :, None]]


def told_apart(
    figures: Floats, null: Callable[[Floats, np.random.Generator], Floats], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Of each pair whether the first is called better (1), worse (-1) or neither."""
    found = studentised(figures[:, :, None])[:, 0]
    largest = np.abs(studentised(null(figures, rng))).max(axis=0)
    as_far = (largest >= np.abs(found)[:, None] - 1e-9).sum(axis=1)
    return np.where((1 + as_far) / (1 + _DRAWS) <= 0.05, np.sign(found), 0).astype(np.int64)


def main() -> None:
    """Measure and print a Markdown table of level and power by each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repetitions", type=int, default=300)
    given = parser.parse_args()
    rng = np.random.default_rng(1)
    pools = {pool.name: pool.figures for pool in made_pools(np.random.default_rng(0))}
    kinds = ["Gaussian", "skewed (exponential)", "collapse of 5 %", "Gaussian, the first thrice"]
    tests = ("now", "exchanged", "bootstrap-t")
    headings = ("figures", "methods", "seeds", *tests, *(f"power: {test}" for test in tests))
    print(f"| {' | '.join(headings)} |")
    print(f"|---|{'---:|' * 8}")
    for kind in kinds:
        figures = pools[kind.partition(",")[0]]
        for methods in (2, 5, 10):
            for seeds in (5, 10, 20):
                drawn = rng.choice(figures, (methods, seeds, given.repetitions))
                if kind.endswith("thrice"):  # as wide as the others
                    drawn[0] = 94.0 + 3.0 * (drawn[0] - 94.0)
                shown = detectable_difference(float(figures.std()), seeds, methods=methods)
                shifted = drawn - shown * (np.arange(methods) > 0)[:, None, None]
                levels = [float(Boards(list(drawn)).all.mean())]
                powers = [Boards(list(shifted)).seen_first()]
                for null in (exchanged, drawn_anew):
                    false = [told_apart(b.T, null, rng).any() for b in np.moveaxis(drawn, 2, 0)]
                    seen = [
                        (told_apart(b.T, null, rng)[: methods - 1] > 0).mean()
                        for b in np.moveaxis(shifted, 2, 0)
                    ]
                    levels.append(float(np.mean(false)))
                    powers.append(float(np.mean(seen)))
                cells = [f"{figure:.3f}" for figure in (*levels, *powers)]
                print(f"| {kind} | {methods} | {seeds} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
