"""Tasks, methods, and the session in which one meets the other."""

from nasbench_suite.events import Diagnostic, Record
from nasbench_suite.tasks.method import Method
from nasbench_suite.tasks.session import BudgetSpent, Session
from nasbench_suite.tasks.task import Budget, Objective, Task, make_task

__all__ = [
    "Budget",
    "BudgetSpent",
    "Diagnostic",
    "Method",
    "Objective",
    "Record",
    "Session",
    "Task",
    "make_task",
]
