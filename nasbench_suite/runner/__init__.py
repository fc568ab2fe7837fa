"""Running trials: one by one, or many on several processes, into a results file."""

from nasbench_suite.runner.executors import Executor, ThisProcess
from nasbench_suite.runner.messages import Evaluation, TrialDone
from nasbench_suite.runner.processes import Limits, Processes
from nasbench_suite.runner.ray_cluster import RayCluster
from nasbench_suite.runner.runs import RunSummary, run, run_tasks
from nasbench_suite.runner.trial import Trial

__all__ = [
    "Evaluation",
    "Executor",
    "Limits",
    "Processes",
    "RayCluster",
    "RunSummary",
    "ThisProcess",
    "Trial",
    "TrialDone",
    "run",
    "run_tasks",
]
