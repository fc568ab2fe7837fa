"""Where statistics and analysis stood before; ``deprecated`` says how long this works."""

from __future__ import annotations

from nasbench_suite.deprecated import moved

_STATISTICS, _ANALYSIS = "nasbench_suite.statistics", "nasbench_suite.analysis"

__getattr__, __dir__ = moved(
    __name__,
    {
        "Statistic": _STATISTICS,
        "aggregate": _STATISTICS,
        "anytime_curves": _ANALYSIS,
        "figures_at": _ANALYSIS,
        "interquartile_mean": _STATISTICS,
        "mean_ranks": _STATISTICS,
        "ranks": _STATISTICS,
        "regret": _STATISTICS,
        "stratified_bootstrap": _STATISTICS,
    },
)
