"""How well predictors and zero-cost proxies rank the architectures of a benchmark."""

from __future__ import annotations

from nasbench_suite.prediction.board import Board, read_journal, run_board
from nasbench_suite.prediction.ceiling import CEILING
from nasbench_suite.prediction.making import make_board
from nasbench_suite.prediction.measures import MEASURES, REGIONS, measure_all
from nasbench_suite.prediction.summary import check_shown, summarise

__all__ = [
    "CEILING",
    "MEASURES",
    "REGIONS",
    "Board",
    "check_shown",
    "make_board",
    "measure_all",
    "read_journal",
    "run_board",
    "summarise",
]
