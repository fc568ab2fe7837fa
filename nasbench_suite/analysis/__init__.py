"""From results files to figures in tables: leaderboards, comparisons, curves, robustness."""

from nasbench_suite.analysis.curves import anytime_curves, figures_at

__all__ = ["anytime_curves", "figures_at"]
