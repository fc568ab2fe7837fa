"""Submissions to a shared leaderboard: small files whose every claim can be computed again."""

from nasbench_suite.submissions.files import Submission, make_submission, read_submission
from nasbench_suite.submissions.merging import Merge, merge_submissions
from nasbench_suite.submissions.verifying import Fault, Verification, verify_submission

__all__ = [
    "Fault",
    "Merge",
    "Submission",
    "Verification",
    "make_submission",
    "merge_submissions",
    "read_submission",
    "verify_submission",
]
