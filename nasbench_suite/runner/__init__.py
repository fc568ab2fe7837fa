"""Running trials: one by one, or many on several processes, into a results file."""

from nasbench_suite.runner.runs import RunSummary, TrialDone, run, run_tasks
from nasbench_suite.runner.trial import Front, Incumbents, Trial, TrialResult

__all__ = [
    "Front",
    "Incumbents",
    "RunSummary",
    "Trial",
    "TrialDone",
    "TrialResult",
    "run",
    "run_tasks",
]
