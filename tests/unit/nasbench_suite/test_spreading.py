"""Work on several processes: the same results, and one sentence when a process is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

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


def test_more_processes_than_any_machine_has_are_refused() -> None:
    with pytest.raises(SuiteError, match=r"^1000000000 jobs are too many: give 10,000 or fewer"):
        count_jobs(10**9)


def test_a_killed_process_is_one_sentence() -> None:
    with pytest.raises(SuiteError, match=r"^One of 2 processes was killed, maybe for want"):
        list(spread(die, ((number,) for number in range(6)), 2))


def wait_long(folder: Path, number: int) -> None:
    (folder / str(os.getpid())).touch()
    time.sleep(300)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are read from /proc")
def test_workers_end_with_a_main_process_that_is_killed(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; from test_spreading import wait_long; "
        "from nasbench_suite.spreading import spread; "
        f"list(spread(wait_long, ((Path({str(tmp_path)!r}), n) for n in range(2)), 2))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    main = subprocess.Popen([sys.executable, "-c", program], env=environment)
    begun = time.monotonic()
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < begun + 60:
        time.sleep(0.1)
    main.kill()
    main.wait()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2
    begun = time.monotonic()
    while any(runs(worker) for worker in workers) and time.monotonic() < begun + 20:
        time.sleep(0.1)
    left = [worker for worker in workers if runs(worker)]
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert not left


def runs(process: int) -> bool:
    """Whether a process is there, and not only its entry, which waits to be read."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
