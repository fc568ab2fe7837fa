"""Latency of a device from few measurements on it and the tables of other devices.

Every predictor is kernel ridge regression on logarithms of latencies: linear in the
architecture's own choices, linear in what other devices say of it, or both. What they say is taken
as the principal components of their latencies, which are few, since devices are much alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from hardware.predictors import check_repeats, encode_costs
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.seeding import stream
from nasbench_suite.spaces import FiniteSpace
from nasbench_suite.statistics.correlation import spearman
from nasbench_suite.tasks.transfer import device_family

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COMPONENTS = 6
_SHARES = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)  # of what other devices say, in the kernel
_CURVED = (0.0, 0.3, 0.7)  # of what is not linear
_PENALTIES = np.geomspace(1e-4, 10.0, 11)
_LEVEL = 10.0  # prior variance of the mean, which is thus hardly penalised
_POOL = 1000  # rows among which those to measure are chosen


@dataclass(frozen=True)
class Sources:
    """What is known of all architectures before a device is measured.

    Attributes:
        own: features of their choices, shape (n, d), centred, of a mean square length of 1.
        devices: logarithms of latencies on the other devices, each of mean 0 and variance 1,
            shape (n, devices).
        components: principal components of these, scaled as ``own``.
    """

    own: Floats
    devices: Floats
    components: Floats


def make_sources(own: Floats, latencies: Floats, known: Ints | None = None) -> Sources:
    """What other devices say of all architectures.

    Args:
        own: features of the choices, shape (n, d).
        latencies: on the other devices, above 0, shape (n, devices).
        known: rows that were measured on them; what they would say of the others is predicted
            from the choices. None for all.
    """
    own = _scaled(own)
    logs = np.log(latencies)
    if known is not None:
        logs = np.column_stack(
            [
                _regress([_kernel([(1.0, own)], known, curved=0.7)], known, column)
                for column in logs.T
            ]
        )
    spread = logs.std(axis=0)
    devices = (logs - logs.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    left, sizes, _ = np.linalg.svd(devices, full_matrices=False)
    return Sources(own, devices, _scaled((left * sizes)[:, :COMPONENTS]))


Predict = Callable[[Sources, Ints, Floats], Floats]
"""(sources, rows measured, logarithms of which those of these rows are read) to all, shape (n,)."""


def no_transfer(sources: Sources, measured: Ints, logs: Floats) -> Floats:
    """Its own choices alone."""
    return _regress([_mixture(sources, measured, 0.0)], measured, logs)


def nearest_device(sources: Sources, measured: Ints, logs: Floats) -> Floats:
    """The other device that ranks the measured architectures most alike."""
    alike = [spearman(column[measured], logs[measured]) for column in sources.devices.T]
    best = sources.devices[:, int(np.nan_to_num(alike, nan=-1.0).argmax())]
    return np.asarray(best * logs[measured].std() + logs[measured].mean(), dtype=np.float64)


def ridge_on_devices(sources: Sources, measured: Ints, logs: Floats) -> Floats:
    """Linear in the other devices' latencies."""
    parts = [(1.0 / sources.devices.shape[1], sources.devices)]
    return _regress([_kernel(parts, measured)], measured, logs)


def ridge_on_components(sources: Sources, measured: Ints, logs: Floats) -> Floats:
    """Linear in its choices and in the principal components, both as strongly."""
    return _regress([_mixture(sources, measured, 0.5)], measured, logs)


def cross_validated(sources: Sources, measured: Ints, logs: Floats) -> Floats:
    """The same, with the share of either chosen by leaving one measurement out.

    A share of 0 is among them, so that devices which are of no use need not hurt.
    """
    return _regress([_mixture(sources, measured, s) for s in _SHARES], measured, logs)


def gaussian_process(sources: Sources, measured: Ints, logs: Floats) -> Floats:
    """The same shares and squared-exponential parts, chosen by their likelihood."""
    kernels = [_mixture(sources, measured, s, curved) for s in _SHARES for curved in _CURVED]
    return _regress(kernels, measured, logs, by_likelihood=True)


TRANSFERS: dict[str, Predict] = {
    "no-transfer": no_transfer,
    "nearest-device": nearest_device,
    "ridge-on-devices": ridge_on_devices,
    "ridge-on-components": ridge_on_components,
    "cross-validated": cross_validated,
    "gaussian-process": gaussian_process,
}


# -- which architectures are measured --------------------------------------------------------------

Choose = Callable[[Sources, int, np.random.Generator], Ints]


def choose_random(sources: Sources, count: int, rng: np.random.Generator) -> Ints:
    """Drawn uniformly."""
    return rng.permutation(len(sources.own))[:count]


def choose_diverse(sources: Sources, count: int, rng: np.random.Generator) -> Ints:
    """Each next one the farthest, in its choices, from those before."""
    pool = choose_random(sources, max(_POOL, count), rng)
    points = sources.own[pool]
    chosen, nearest = [0], ((points - points[0]) ** 2).sum(axis=1)
    while len(chosen) < count:
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
    return pool[chosen]


def choose_by_spread(sources: Sources, count: int, rng: np.random.Generator) -> Ints:
    """Each next one where a prediction from those before would be least certain.

    The largest variance of a Gaussian process on choices and components, by pivoted Cholesky.
    """
    pool = choose_random(sources, max(_POOL, count), rng)
    both = np.hstack([sources.own[pool], sources.components[pool]])
    kernel = both @ both.T + _LEVEL
    chosen: list[int] = []
    for _ in range(count):
        left = np.diag(kernel).copy()
        left[chosen] = -1.0
        best = int(left.argmax())
        chosen.append(best)
        column = kernel[:, best]
        kernel = kernel - np.outer(column, column) / (column[best] + 0.02)
    return pool[chosen]


CHOICES: dict[str, Choose] = {
    "random": choose_random,
    "diverse": choose_diverse,
    "spread": choose_by_spread,
}


# -- the protocol ----------------------------------------------------------------------------------


def transfer_curves(
    space: FiniteSpace,
    indices: Ints,
    columns: Mapping[str, Floats],
    *,
    targets: Sequence[str] = (),
    sources: Sequence[str] = (),
    siblings: bool = False,
    source_rows: int | None = None,
    predictors: Sequence[str] = tuple(TRANSFERS),
    choices: Sequence[str] = ("random",),
    sizes: Sequence[int] = (10, 20, 50, 100),
    repeats: int = 10,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Rank correlation on a device, from few measurements on it and other devices' tables.

    Args:
        space: the space.
        indices: architecture of each row.
        columns: latencies by device, above 0.
        targets: devices to be predicted, each in turn; by default all.
        sources: devices that others are predicted from; by default all but the target.
        siblings: whether sources may be the target's device at another batch size.
        source_rows: architectures measured on the sources, drawn at random; by default all.
        predictors: of ``TRANSFERS``.
        choices: how the measured architectures are chosen, of ``CHOICES``.
        sizes: numbers of measured architectures.
        repeats: draws of each.
        seed: of the draws.
        progress: called with the draws done and all of them.

    Returns:
        One row a device, choice, number measured, repetition and predictor, with ``spearman`` on
        what was not measured.

    Raises:
        SuiteError: an unknown name, a target among the sources, no source, a number that cannot
            be measured, or no draw.
    """
    import pandas as pd

    check_repeats(repeats)
    _check(columns, targets, sources, predictors, choices, sizes, source_rows, len(indices))
    own = encode_costs(space)[indices]
    rows: list[dict[str, Any]] = []
    targets = targets or list(columns)
    total, done = len(targets) * len(sizes) * repeats * len(choices), 0
    for device in targets:
        others = _others(device, sources or list(columns), siblings)
        latencies = np.column_stack([columns[name] for name in others])
        logs = np.log(columns[device])
        said = make_sources(own, latencies)
        for repeat in range(repeats):
            if source_rows is not None:
                drawn = stream(seed, "sources", repeat).permutation(len(indices))
                said = make_sources(own, latencies, np.sort(drawn[:source_rows]))
            for choice, size in product(choices, sizes):
                measured = CHOICES[choice](said, size, stream(seed, choice, size, repeat))
                rest = np.setdiff1d(np.arange(len(indices)), measured)
                draw = {"device": device, "choice": choice, "measured": size, "repeat": repeat}
                for name in predictors:
                    predicted = TRANSFERS[name](said, measured, logs)
                    found = spearman(predicted[rest], logs[rest])
                    rows.append({**draw, "predictor": name, "spearman": found})
                done += 1
                if progress is not None:
                    progress(done, total)
    return pd.DataFrame(rows)


def _others(device: str, sources: Sequence[str], siblings: bool) -> list[str]:
    """The devices that one is predicted from: not itself, nor itself at another batch size."""
    family = device_family(device)
    others = [
        name for name in sources if name != device and (siblings or device_family(name) != family)
    ]
    if not others:
        raise SuiteError(
            f"No device is left to predict {device!r} from: name others with --sources, or "
            f"allow its siblings."
        )
    return others


def _check(
    columns: Mapping[str, Floats],
    targets: Sequence[str],
    sources: Sequence[str],
    predictors: Sequence[str],
    choices: Sequence[str],
    sizes: Sequence[int],
    source_rows: int | None,
    rows: int,
) -> None:
    for kind, names, known in (
        ("device", [*targets, *sources], list(columns)),
        ("transfer predictor", predictors, list(TRANSFERS)),
        ("choice of what is measured", choices, list(CHOICES)),
    ):
        for name in names:
            if name not in known:
                raise SuiteError(choose_from(kind, name, known))
    both = sorted({*targets} & {*sources})
    if both:
        raise SuiteError(
            f"Device {both[0]!r} cannot be a target and a source: leave it out of either."
        )
    for size in [*sizes, *([] if source_rows is None else [source_rows])]:
        if not 2 <= size <= rows - 3:
            raise SuiteError(
                f"{size} measured of {rows} architectures are too few or leave too little to "
                f"predict: choose from 2 to {rows - 3}."
            )


def summarise(curves: pd.DataFrame) -> pd.DataFrame:
    """Mean and worst device, by choice and predictor, against the number of measurements."""
    import pandas as pd

    means = curves.groupby(["choice", "predictor", "measured", "device"], sort=False)["spearman"]
    by_device = means.mean().groupby(["choice", "predictor", "measured"], sort=False)
    both = by_device.agg(["mean", "min"]).rename(columns={"min": "worst"})
    shown = pd.DataFrame(both.unstack("measured"))
    return shown.swaplevel(axis=1).sort_index(axis=1, level=0, sort_remaining=False)


# -- kernels ---------------------------------------------------------------------------------------

Kernel = Callable[[Ints], Floats]
"""Prior covariances of some rows with those measured, shape (rows, measured)."""


def _scaled(features: Floats) -> Floats:
    """Centred, and of a mean square length of 1."""
    centred = features - features.mean(axis=0)
    return np.asarray(centred / (np.sqrt((centred**2).sum(axis=1).mean()) or 1.0))


def _kernel(parts: Sequence[tuple[float, Floats]], measured: Ints, curved: float = 0.0) -> Kernel:
    """Linear in weighted blocks of features, and squared-exponential in them to a degree."""

    def kernel(rows: Ints) -> Floats:
        products = sum(w * (block[rows] @ block[measured].T) for w, block in parts)
        if not curved:
            return np.asarray(products)
        here, there = (
            sum(w * (block[which] ** 2).sum(axis=1) for w, block in parts)
            for which in (rows, measured)
        )
        distances = np.maximum(np.asarray(here)[:, None] + there - 2 * products, 0.0)
        return np.asarray((1 - curved) * products + curved * np.exp(-distances / 2))

    return kernel


def _mixture(sources: Sources, measured: Ints, share: float, curved: float = 0.0) -> Kernel:
    """Of its own choices and of a share of what other devices say."""
    parts = [(1 - share, sources.own), (share, sources.components)]
    return _kernel(parts, measured, curved)


def _regress(
    kernels: Sequence[Kernel], measured: Ints, targets: Floats, *, by_likelihood: bool = False
) -> Floats:
    """Kernel ridge regression with the best of some kernels and penalties.

    Best is the least squared error of each measurement predicted from the others, which has a
    closed form (Rasmussen and Williams, 2006, section 5.4.2), or the largest marginal likelihood
    (section 5.4.1), in either case with the scale that suits.

    Args:
        kernels: among which to choose.
        measured: rows, shape (m,).
        targets: of every row, of which those of ``measured`` alone are read.
        by_likelihood: the second.

    Returns:
        Predictions of all rows, shape (n,).
    """
    known = targets[measured]
    centre, spread = known.mean(), known.std() or 1.0
    values = (known - centre) / spread
    least, best, weights = np.inf, kernels[0], values
    for kernel in kernels:
        sizes, vectors = np.linalg.eigh(kernel(measured) + _LEVEL)
        turned = vectors.T @ values
        for penalty in _PENALTIES:
            shrunk = 1.0 / (np.maximum(sizes, 0.0) + penalty)
            found = vectors @ (shrunk * turned)
            if by_likelihood:
                loss = len(values) * np.log(values @ found + 1e-12) - np.log(shrunk).sum()
            else:
                loss = float(np.mean((found / ((vectors**2) @ shrunk)) ** 2))
            if loss < least:
                least, best, weights = loss, kernel, found
    return np.asarray(
        centre + spread * (best(np.arange(len(targets))) @ weights + _LEVEL * weights.sum())
    )
