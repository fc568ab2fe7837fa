"""Statistics: pure functions of arrays, which read no files and know no methods."""

from nasbench_suite.statistics.aggregates import (
    Statistic,
    aggregate,
    interquartile_mean,
    mean_ranks,
    ranks,
    regret,
    stratified_bootstrap,
)

__all__ = [
    "Statistic",
    "aggregate",
    "interquartile_mean",
    "mean_ranks",
    "ranks",
    "regret",
    "stratified_bootstrap",
]
