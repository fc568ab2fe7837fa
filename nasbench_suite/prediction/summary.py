"""A board in short: interquartile means over seeds, with intervals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.prediction.measures import IN_PERCENT, MEASURES, REGIONS, STEP
from nasbench_suite.statistics.estimates import estimates, interval_ends

if TYPE_CHECKING:
    import pandas as pd

    from nasbench_suite.benchmarks.metric import Metric


def check_shown(measure: str, region: str, judged: Iterable[Metric] = ()) -> None:
    """Refuse what is no measure or region, or no measure of these figures.

    Args:
        measure: one of ``MEASURES``.
        region: one of ``REGIONS``.
        judged: the figures that are predicted.

    Raises:
        SuiteError: unknown measure or region, or a measure of percent and figures of another unit.
    """
    if measure not in MEASURES:
        raise SuiteError(choose_from("measure", measure, list(MEASURES)))
    if region not in REGIONS:
        raise SuiteError(choose_from("region", region, list(REGIONS)))
    for metric in judged:
        if measure in IN_PERCENT and metric.unit != "%":
            raise SuiteError(
                f"{MEASURES[measure].title} rounds to {STEP:g} points, and {metric.name} is not "
                f"in percent: choose another measure, such as kendall."
            )


def summarise(
    rows: pd.DataFrame, measure: str = "kendall", region: str = "all", confidence: float = 0.95
) -> pd.DataFrame:
    """One measure of every predictor at every size.

    Args:
        rows: as ``run_board`` gives them.
        measure: one of ``MEASURES``.
        region: one of ``REGIONS``.
        confidence: of the intervals.

    Returns:
        A row a predictor and size: ``predictor``, ``kind``, ``size``, ``seeds`` (with a figure),
        ``value`` (interquartile mean over seeds), ``low``, ``high`` (missing where all seeds gave
        one figure), ``fit_seconds`` and ``query_seconds`` (medians).

    Raises:
        SuiteError: unknown measure or region.
    """
    import pandas as pd

    check_shown(measure, region)
    found = []
    for (name, size), part in rows.groupby(["predictor", "size"], sort=False):
        values = part[f"{region} {measure}"].dropna().to_numpy()
        value = low = high = np.nan
        if len(values):
            mean, error, freedom = estimates(values)
            ends = interval_ends(mean, error, freedom, confidence, MEASURES[measure].bounds)
            value = float(mean)
            if error > 0:  # else all seeds gave one figure, which says nothing of others
                low, high = (float(end) for end in ends)
        found.append(
            {
                "predictor": name,
                "kind": part["kind"].iloc[0],
                "size": size,
                "seeds": len(values),
                "value": value,
                "low": low,
                "high": high,
                "fit_seconds": part["fit_seconds"].median(),
                "query_seconds": part["query_seconds"].median(),
            }
        )
    return pd.DataFrame(found)
