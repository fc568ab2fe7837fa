"""Figures that can hardly be what they are called: of another scale, split, data set, direction.

Whether they stand beside their own architectures is another question; see ``plausibility``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.metric import Metric, metric_option
from nasbench_suite.benchmarks.quantities import QUANTITIES, convert
from nasbench_suite.parsing import counted
from nasbench_suite.spaces import FiniteSpace, PoolSpace

SHORTEST_MS = 0.05
"""The median latencies of the devices in HELP and HW-NAS-Bench are above 0.8 ms."""
LONGEST_MS = 3000
"""The longest of the real tables' median latencies is 331 ms."""
FAR_OFF = 100
"""A cost of more than this times the median is none: 15 times is the most in the real tables."""
ALONE = 3
"""Nor is one of more than this times the next largest: 1.32 is the most in 124 real columns."""
SAME_FIGURES = 0.99
"""A validation metric that equals a test in more than this share of the rows is that test."""
IMAGES = {
    (space, dataset): {"valid": valid, "test": test}
    for space in ("nats-tss", "nats-sss")
    for dataset, valid, test in (
        ("cifar10", 25_000, 10_000),
        ("cifar100", 5_000, 5_000),
        ("imagenet16_120", 3_000, 3_000),
    )
}
"""How many images an accuracy counts. Validation and test of CIFAR-100 and ImageNet16-120 are
halves of one set (Dong and Yang, NAS-Bench-201, ICLR 2020)."""
SEVERAL_TRAININGS = 200
"""After so many epochs both spaces have up to three trainings, whose mean is no count of images;
after fewer they have one (same source)."""
BEST = {"cifar10": (78.0, 96.0), "cifar100": (52.0, 76.0), "imagenet16_120": (30.0, 50.0)}
"""Between what the best accuracy of all cells lies, in %: after 12 epochs 84.9, 61.2 and 38.3 on
validation, after 200 epochs 94.4, 73.5 and 47.3 on test; sizes are near (NATS-Bench, TPAMI 2021,
table 4)."""
FEWEST_EPOCHS = 12
SKEWED = 0.8
"""Accuracies have their long tail below: the largest skewness in the real tables is 0.71 (of
NAS-Bench-101 after 4 epochs), and of an error rate the negative of it."""
FEWEST = 100
"""Of fewer figures the distribution tells nothing."""
CHANCE = 1.0
"""In %: an accuracy of 0 beside none between it and this is likely no figure."""

_Numbers = NDArray[np.float64]


def doubtful_figures(
    space: FiniteSpace, metrics: Mapping[str, Metric], columns: Mapping[str, _Numbers]
) -> list[str]:
    """What a user should look at again, a sentence each, with what to type if it is so.

    Args:
        space: of the architectures.
        metrics: what each column is, by name.
        columns: figures by architecture index, shape (space.size,), as ``Benchmark.columns``.
    """
    hints = []
    for metric in metrics.values():
        values = columns[metric.name]
        hints += unlikely_costs(metric.name, metric.quantity, metric.unit, values)
        if metric.quantity in ("accuracy", "error"):
            hints += _unlikely_outcomes(metric, values)
            if not isinstance(space, PoolSpace):
                hints += _of_another_data_set(space.name, metric, values)
            hints += _on_test_grid(space.name, metric, values)
    return [*hints, *_same_figures(metrics, columns), *_units_apart(metrics)]


def unlikely_costs(
    name: str,
    quantity: str,
    unit: str,
    values: _Numbers,
    mend: Callable[[str], str] | None = None,
) -> list[str]:
    """Hints where costs of a device are likely in another unit, or no costs.

    Latencies in ms may be so short that they are seconds; a 9999, or a 65535, may stand for no
    figure.

    Args:
        name: of the metric.
        quantity: what it is.
        unit: of its figures.
        values: the figures, NaN where there is none.
        mend: what to do if they are in the unit that it is given; by default ``--metric`` says so.
    """
    known = QUANTITIES.get(quantity)
    if known is None or not known.of_device or not np.isfinite(values).any():
        return []
    if mend is None:
        mend = partial(_unit_option, name)
    hints = []
    middle, most = float(np.nanmedian(values)), float(np.nanmax(values))
    if quantity == "latency" and unit == "ms" and middle <= SHORTEST_MS:
        hints.append(
            f"{name} has a median of {middle:.3g} ms, which no device known reaches: if these are "
            f"seconds, {mend('s')}."
        )
    if quantity == "latency" and unit == "ms" and middle >= LONGEST_MS:
        hints.append(
            f"{name} has a median of {middle:,.0f} ms: if these are microseconds, {mend('us')}."
        )
    others = values[values < most]
    second = float(np.nanmax(others)) if others.size else most
    if most > FAR_OFF * middle or most > ALONE * second:
        far = (
            (most / middle, "its median")
            if most > FAR_OFF * middle
            else (most / second, "the next")
        )
        hints.append(
            f"{name} is {most:g} for {counted(int((values == most).sum()), 'architecture')}, "
            f"{far[0]:.3g} times {far[1]}: {_NO_FIGURE}"
        )
    return hints


def _unit_option(name: str, unit: str) -> str:
    return f"say so with {metric_option(name, f'unit={unit}')}"


_NO_FIGURE = "if that stands for no figure, leave those cells empty and say why with --missing."


def _unlikely_outcomes(metric: Metric, values: _Numbers) -> list[str]:
    """Hints where zeros likely stand for no figure, and where an accuracy looks like an error."""
    name, known = metric.name, values[np.isfinite(values)]
    if len(known) < FEWEST or not np.ptp(known) > 0:
        return []
    hints = []
    percent = _accuracy(metric, known)
    zeros = int((percent == 0).sum())
    if zeros and percent[percent > 0].min() > CHANCE:
        least = percent[percent > 0].min()
        hints.append(
            f"{name} is an accuracy of 0 for {counted(zeros, 'architecture')} and of {least:.3g} % "
            f"or more for all others: {_NO_FIGURE}"
        )
    rest = percent[percent > 0]
    deviations = rest - rest.mean()
    skewness = np.mean(deviations**3) / np.mean(deviations**2) ** 1.5
    if skewness > SKEWED:
        other = "error" if metric.quantity == "accuracy" else "accuracy"
        direction = "minimize" if other == "error" else "maximize"
        hints.append(
            f"{name} has few good and many bad figures, as one that is turned round has "
            f"(skewness {skewness:.2f} where accuracies have less than 0.8): if it is "
            f"{'an' if other[0] in 'ae' else 'a'} {other}, say so with --metric "
            f"{name}:quantity={other},direction={direction}."
        )
    return hints


def _of_another_data_set(space: str, metric: Metric, values: _Numbers) -> list[str]:
    """A hint where the best accuracy is none that was published of the data set."""
    bounds = BEST.get(metric.dataset or "")
    if (space, metric.dataset) not in IMAGES or bounds is None or metric.split == "train":
        return []
    best = float(np.nanmax(_accuracy(metric, values)))
    early = metric.epochs is not None and metric.epochs < FEWEST_EPOCHS
    if best <= bounds[1] and (early or best >= bounds[0]):
        return []
    fits = [name for name, (low, high) in BEST.items() if low <= best <= high]
    other = metric_option(metric.name, f"dataset={fits[0]}") if fits else "--metric"
    return [
        f"{metric.name} has {best:.4g} % as its best, and the best of {metric.dataset} in this "
        f"space lies between {bounds[0]:g} and {bounds[1]:g}"
        + (f", that of {fits[0]} there" if fits else "")
        + f": if it is of another data set, say so with {other}."
    ]


def _same_figures(metrics: Mapping[str, Metric], columns: Mapping[str, _Numbers]) -> list[str]:
    """A hint for each validation metric that holds figures of a test."""
    outcomes = [one for one in metrics.values() if one.quantity in ("accuracy", "error")]
    tests = [
        (column, _accuracy(metric, columns[column]))
        for metric in outcomes
        if metric.split == "test"
        for column in (metric.name, *map(metric.seed_column, metric.seeds))
    ]
    found = []
    for metric in outcomes:
        if metric.split != "valid":
            continue
        values = _accuracy(metric, columns[metric.name])
        for column, test in tests:
            if np.isclose(values, test, 0, 1e-4).mean() > SAME_FIGURES:
                found.append(
                    f"{metric.name} holds the figures of {column}: it is a test accuracy, and "
                    f"a search that sees it sees the test; say so with "
                    f"{metric_option(metric.name, 'split=test')}."
                )
                break
    return found


def _on_test_grid(space: str, metric: Metric, values: _Numbers) -> list[str]:
    """A hint where a validation metric holds counts of the test's images."""
    images = IMAGES.get((space.partition("[")[0], metric.dataset or ""))
    if images is None or metric.split != "valid":
        return []
    scale = 1 if metric.unit == "fraction" else 100
    shares = values[np.isfinite(values)] / scale
    tests = images["test"]
    # Figures of one decimal are rounded, whatever they count.
    if not _are_counts(shares, tests) or _are_counts(shares, tests // 10):
        return []
    if images["valid"] != tests:
        return [
            f"{metric.name} has only multiples of 1/{tests:,}, the number of test "
            f"images, and validation has {images['valid']:,}: unless it was rounded, it is "
            f"a test accuracy; say so with {metric_option(metric.name, 'split=test')}."
        ]
    if metric.epochs == SEVERAL_TRAININGS:
        return [
            f"{metric.name} has only multiples of 1/{tests:,}, so it is one training, and "
            f"validation and test have as many images: a column of this name that goes "
            f"round is the test accuracy of one seed; if it is, say so with "
            f"{metric_option(metric.name, 'split=test')}."
        ]
    return []


def _units_apart(metrics: Mapping[str, Metric]) -> list[str]:
    """A hint where some accuracies are shares and others percentages."""
    units: dict[str, str] = {}
    for metric in metrics.values():
        if metric.quantity == "accuracy":
            units.setdefault(metric.unit, metric.name)
    if {"%", "fraction"} <= units.keys():
        return [
            f"{units['fraction']} holds shares of 1 and {units['%']} percentages: do not "
            f"compare the two."
        ]
    return []


def _accuracy(metric: Metric, values: _Numbers) -> _Numbers:
    """An accuracy or an error rate as an accuracy in %."""
    percent: _Numbers = convert(values, metric.quantity, metric.unit, "%")
    return percent if metric.quantity == "accuracy" else 100 - percent


def _are_counts(shares: _Numbers, images: int) -> bool:
    """Whether each share is a whole number of so many images, up to single precision."""
    counts = shares * images
    return bool(np.all(np.abs(counts - np.rint(counts)) < 1e-3 * max(1, images / 10_000)))
