"""A device measured for a sample, filled: what was not measured is predicted from what was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hardware.tables import CostTable, make_table
from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples, make_predictor
from nasbench_suite.seeding import stream
from nasbench_suite.spaces import FiniteSpace
from nasbench_suite.statistics.correlation import spearman

Floats = NDArray[np.float64]
FOLDS = 5
FEWEST = 20
"""From fewer measurements no error of the predictions can be stated."""
NOT_MEASURED = "not measured"


class Error(NamedTuple):
    """How well a column's measured figures are predicted from each other, five folds.

    Attributes:
        measured: how many figures there are.
        spearman: rank correlation of predicted and measured figures.
        median: median of the relative error.
        most: its 95 % quantile.
    """

    measured: int
    spearman: float
    median: float
    most: float


def fill_table(
    table: CostTable, predictor: str = "additive", seed: int = 0
) -> tuple[CostTable, Mapping[str, Error]]:
    """A table with a figure for every architecture of its space.

    Measured figures stay as they are. A column that gets any other is marked modelled, with the
    number of measurements, the predictor, and its error in its note. Figures that are not there
    for another reason than that nobody measured them (the compiler refuses the network) stay
    empty.

    Args:
        table: of some architectures.
        predictor: of ``nasbench list predictors``.
        seed: of the folds and of the predictor.

    Returns:
        The table, and the error of each column that was filled.

    Raises:
        SuiteError: unknown predictor, fewer than ``FEWEST`` measurements in a column, or nothing
            to fill.
    """
    space = table.space
    everything = np.arange(space.size)
    columns: dict[str, Floats] = {}
    facts: dict[str, dict[str, str]] = {}
    errors: dict[str, Error] = {}
    for name, values in table.costs.items():
        said = dict(table.facts.get(name, {}))
        figures = np.full(space.size, np.nan)
        figures[table.indices] = values
        measured = np.flatnonzero(np.isfinite(figures))
        empty = np.isnan(figures)
        if said.get("missing", NOT_MEASURED) != NOT_MEASURED:
            empty[table.indices] = False
        facts[name], columns[name] = said, figures
        if not empty.any():
            continue
        if len(measured) < FEWEST:
            raise SuiteError(
                f"Column {name!r} has {len(measured)} measurements, too few to predict the others "
                f"and to say how well: measure {FEWEST} or more."
            )
        asked = np.flatnonzero(empty)
        columns[name] = figures.copy()
        columns[name][asked] = _predict(
            space, predictor, measured, figures[measured], asked, stream(seed, name)
        )
        errors[name] = _cross_validate(table, predictor, measured, figures[measured], seed, name)
        said |= {"provenance": "modelled", "note": _note(said, predictor, errors[name])}
        if not np.isnan(columns[name]).any():
            said.pop("missing", None)
    if not errors:
        raise SuiteError("Every architecture has its figure: there is nothing to fill.")
    return make_table(space, everything, columns, facts, table.about), errors


def _predict(
    space: FiniteSpace,
    predictor: str,
    known: NDArray[np.int64],
    values: Floats,
    asked: NDArray[np.int64],
    rng: np.random.Generator,
) -> Floats:
    """Figures of architectures from those of others, none below the least that was measured."""
    model = make_predictor(predictor)
    model.fit(Examples(space, known), values, rng)
    mean = model.predict(Examples(space, asked)).mean
    # A sum of costs may fall below 0, where no cost lies.
    return np.asarray(np.maximum(mean, values.min()), dtype=np.float64)


def _cross_validate(
    table: CostTable,
    predictor: str,
    measured: NDArray[np.int64],
    values: Floats,
    seed: int,
    name: str,
) -> Error:
    folds = stream(seed, name, "folds").permutation(len(measured)) % FOLDS
    predicted = np.empty(len(measured))
    for fold in range(FOLDS):
        held = folds == fold
        predicted[held] = _predict(
            table.space,
            predictor,
            measured[~held],
            values[~held],
            measured[held],
            stream(seed, name, fold),
        )
    relative = np.abs(predicted / values - 1)
    median, most = np.quantile(relative, [0.5, 0.95])
    return Error(len(measured), spearman(predicted, values), float(median), float(most))


def _note(said: Mapping[str, str], predictor: str, error: Error) -> str:
    filled = (
        f"{error.measured:,} measured, the others predicted by {predictor}: rank correlation "
        f"{error.spearman:.3f} and median error {100 * error.median:.2g} % (95 % quantile "
        f"{100 * error.most:.2g} %) in {FOLDS}-fold cross-validation"
    )
    return "; ".join(filter(None, [said.get("note"), filled]))
