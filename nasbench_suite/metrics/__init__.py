"""Aggregates, anytime curves and leaderboards of the trials in a results file."""

from nasbench_suite.metrics.aggregates import (
    Statistic,
    aggregate,
    interquartile_mean,
    mean_ranks,
    ranks,
    regret,
    stratified_bootstrap,
)
from nasbench_suite.metrics.curves import anytime_curves, figures_at

__all__ = [
    "Statistic",
    "aggregate",
    "anytime_curves",
    "figures_at",
    "interquartile_mean",
    "mean_ranks",
    "ranks",
    "regret",
    "stratified_bootstrap",
]
