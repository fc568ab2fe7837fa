"""Making a board of predictors: all that can be refused is refused here, before it is run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from operator import index
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.benchmarks.library import load_benchmark
from nasbench_suite.benchmarks.noise import OUTCOMES
from nasbench_suite.benchmarks.table import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import Seeds, check_seeds, counted, parse_part, split_names
from nasbench_suite.prediction.board import FEWEST_TESTED, SIZES, TESTED, Board
from nasbench_suite.prediction.ceiling import CEILING
from nasbench_suite.prediction.scores import check_scores
from nasbench_suite.predictors import make_predictor, predictor_label

Array = NDArray[np.float64]
Settings = tuple[str, Mapping[str, Any]]

_OUTCOMES = (*OUTCOMES, "similarity")
_TRIED = 10  # architectures that a predictor learns from to see that it can


def make_board(
    benchmark: Benchmark | str | Path,
    *,
    metric: str | None = None,
    learnt: str | None = None,
    dataset: str | None = None,
    predictors: str | Sequence[str | Settings] = (),
    sizes: Iterable[int] = SIZES,
    seeds: Seeds = 20,
    tested: int = TESTED,
    scores: Mapping[str, ArrayLike] | None = None,
    with_proxies: bool = False,
) -> Board:
    """A board, checked: every predictor has learnt from a few and predicted some others.

    Args:
        benchmark: the table, or its name or file.
        metric: the figure that is predicted; by default the accuracy (or loss) on the data set
            after most epochs, a test figure where there is one.
        learnt: the figure that predictors learn from; by default ``metric`` itself.
        dataset: the data set meant; by default the first, or that of ``metric``.
        predictors: names and settings, or text such as ``gp[encoding=path]``.
        sizes: from how many architectures predictors learn.
        seeds: each draws anew; a number stands for so many, from 0.
        tested: how many architectures each seed tests, 20 at least; 0 for all others.
        scores: of proxies by name, shape (space.size,).
        with_proxies: whether predictors learn from the scores too.

    Raises:
        SuiteError: unknown metric, predictor or setting, or a metric of another data set; too few
            architectures for these sizes; impossible sizes, seeds or number tested; scores of
            another length, with plus infinity, or named as another row; a predictor that cannot
            work with this space.
    """
    table = load_benchmark(benchmark) if isinstance(benchmark, str | Path) else benchmark
    truth = _judged(table, dataset) if metric is None else _of_data_set(table, metric, dataset)
    source = truth if learnt is None else table.metric(learnt).name
    made, curves = _predictors(table, truth, predictors)
    columns = _columns(table, scores or {}, made)
    if not made and not columns:
        raise SuiteError("There is nothing to judge: name predictors, or give scores of proxies.")
    if with_proxies and not (made and columns):
        raise SuiteError(
            "For predictors to learn from scores as well there must be both: name predictors and "
            "give scores of proxies, or leave --with-proxies out."
        )
    board = Board(
        table,
        truth,
        source,
        made,
        _sizes(sizes) if made else (),
        tuple(check_seeds(seeds)),
        _tested(tested),
        columns,
        curves,
        with_proxies,
    )
    _check_enough(board)
    _try_out(board)
    return board


def _judged(benchmark: Benchmark, dataset: str | None) -> str:
    """The outcome after most epochs on a data set, test figures before others."""
    chosen = dataset
    if dataset is None and benchmark.datasets:
        chosen = benchmark.datasets[0]
    able = [
        metric
        for metric in benchmark.metrics.values()
        if metric.quantity in _OUTCOMES and metric.dataset == chosen
    ]
    if not able:
        raise SuiteError(
            f"Benchmark {benchmark.name!r} has no accuracy on {chosen!r}: name the metric."
        )
    return max(able, key=lambda one: (one.epochs or 0, one.split == "test")).name


def _of_data_set(benchmark: Benchmark, metric: str, dataset: str | None) -> str:
    """A metric that is there, and of the data set if one is named."""
    found = benchmark.metric(metric)
    if dataset is not None and dataset != found.dataset:
        raise SuiteError(
            f"Metric {metric!r} is of data set {found.dataset!r}, and not of {dataset!r}: leave "
            f"one of them out."
        )
    return found.name


def _predictors(
    benchmark: Benchmark, truth: str, named: str | Sequence[str | Settings]
) -> tuple[dict[str, Settings], tuple[str, ...]]:
    """Predictors by label, and the metrics of the curves that they read."""
    given = split_names(named) if isinstance(named, str) else named
    if isinstance(named, str) and named.strip() and not given:
        raise SuiteError(
            f"No predictor is named in {named!r}: name one, such as gp, or none for proxies alone."
        )
    made: dict[str, Settings] = {}
    curves: tuple[str, ...] = ()
    for one in given:
        name, settings = parse_part(one) if isinstance(one, str) else one
        if make_predictor(name, settings).needs_curves:
            curves = _earlier(benchmark, truth)
            if not curves:
                raise SuiteError(
                    f"Predictor {name!r} reads learning curves, and benchmark {benchmark.name!r} "
                    f"has no figures of fewer epochs than {truth!r}: leave it out."
                )
        made[predictor_label(name, settings)] = (name, settings)
    return made, curves


def _earlier(benchmark: Benchmark, metric: str) -> tuple[str, ...]:
    """Validation figures on the same data set after fewer epochs, fewest first."""
    truth = benchmark.metric(metric)
    found = [
        one
        for one in benchmark.metrics.values()
        if one.dataset == truth.dataset
        and one.quantity == truth.quantity
        and one.split == "valid"
        and one.epochs is not None
        and (truth.epochs is None or one.epochs < truth.epochs)
    ]
    return tuple(one.name for one in sorted(found, key=lambda one: one.epochs or 0))


def _columns(
    benchmark: Benchmark, scores: Mapping[str, ArrayLike], predictors: Iterable[str]
) -> dict[str, Array]:
    """Scores as arrays, each of a name that no other row has."""
    space = benchmark.space
    others = {CEILING: "the noise ceiling", **dict.fromkeys(predictors, "a predictor")}
    columns = {}
    for name, given in scores.items():
        array = np.asarray(given, dtype=np.float64)
        if array.shape != (space.size,):
            raise SuiteError(
                f"Scores {name!r} are of shape {array.shape}, and space {space.name!r} has "
                f"{space.size} architectures: give one score for each."
            )
        if name in others:
            raise SuiteError(
                f"Scores {name!r} are named as {others[name]} is: rename their column."
            )
        check_scores(f"Proxy {name!r}", array)
        columns[name] = array
    return columns


def _sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    try:
        found = sorted({index(size) for size in sizes})
    except TypeError:
        raise SuiteError(
            f"{sizes!r} are no numbers of architectures: give whole ones, such as 10, 50."
        ) from None
    if not found:
        raise SuiteError("No number of trained architectures is given: give one, such as 10.")
    if found[0] < 1:
        raise SuiteError(f"Nothing is learnt from {found[0]} architectures: give at least 1.")
    return tuple(found)


def _tested(tested: int) -> int:
    try:
        found = index(tested)
    except TypeError:
        found = -1
    if found and found < FEWEST_TESTED:
        raise SuiteError(
            f"{tested!r} architectures cannot be tested: give {FEWEST_TESTED} or more, or 0 for "
            f"all that are left."
        )
    return found


def _check_enough(board: Board) -> None:
    """See that enough architectures are left to test when the others are trained."""
    there, most = len(board.pool), max(board.sizes, default=0)
    spare = there - FEWEST_TESTED
    if spare >= most:
        return
    mend = "give scores of more" if board.scores else "choose a benchmark with more"
    if spare > 0:
        mend = f"give smaller sizes, {spare} at most"
    trained = f" and {most} to train" if most else ""
    raise SuiteError(
        f"All figures{' and scores' if board.scores else ''} are there of "
        f"{counted(there, 'architecture')}, too few for {FEWEST_TESTED} to test{trained}: {mend}."
    )


def _try_out(board: Board) -> None:
    """See that each predictor can learn from, and predict, architectures as the board has them.

    What a predictor reads it alone knows: choices, a graph, an encoding, three points of a curve.
    """
    from threadpoolctl import threadpool_limits

    if not board.predictors:
        return
    trained, tested = board.draw(board.seeds[0])
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they come when it is run
        for name, settings in board.predictors.values():
            predictor = make_predictor(name, settings)
            known = trained[: max(min(board.sizes[0], _TRIED), predictor.fewest)]
            if len(known) < predictor.fewest:
                continue
            figures = board.figures(board.learnt)[known]
            predictor.fit(board.examples.take(known), figures, np.random.default_rng(0))
            predictor.predict(board.examples.take(tested[:_TRIED]))
