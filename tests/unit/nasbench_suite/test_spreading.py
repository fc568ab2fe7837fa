"""Work on several processes: the same results, and one sentence when a process is killed."""

from __future__ import annotations

import os
import signal

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.spreading import count_jobs, spread


def double(number: int) -> int:
    return 2 * number


def die(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("jobs", [1, 2, -1])
def test_results_are_the_same_with_any_number_of_processes(jobs: int) -> None:
    found = spread(double, ((number,) for number in range(20)), jobs)
    assert sorted(found) == [2 * number for number in range(20)]


@pytest.mark.parametrize("jobs", [0, -2])
def test_an_impossible_number_of_processes_is_one_sentence(jobs: int) -> None:
    with pytest.raises(SuiteError, match=f"^{jobs} jobs are impossible: give a number from 1"):
        list(spread(double, [(1,)], jobs))
    with pytest.raises(SuiteError, match=f"^{jobs} jobs are impossible"):
        count_jobs(jobs)


def test_a_killed_process_is_one_sentence() -> None:
    with pytest.raises(SuiteError, match=r"^One of 2 processes was killed, maybe for want"):
        list(spread(die, ((number,) for number in range(6)), 2))
