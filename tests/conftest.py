"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import settings

from nasbench_suite.benchmarks import Benchmark, Metric, make_benchmark
from nasbench_suite.commands import main
from nasbench_suite.runner import executors, runs
from nasbench_suite.spaces import load_space

# How long one example takes says how busy the machine is.
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")

# The published figures: where this variable says, by default beside the checkout.
SHARED_DATA = Path(
    os.environ.get("NASBENCH_SUITE_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data"
)


# Where tests are of what runs trials, and of whole sessions as users have them.
_WITH_PROCESSES = ("runner", "submissions", "test_session_in_python.py")


@pytest.fixture(autouse=True, scope="module")
def one_job_in_this_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """One job at a time runs in the test's own process: another takes longer than most trials.

    Tests of what runs trials have processes as users do, and so have all that ask for limits or
    for several jobs.
    """
    if set(_WITH_PROCESSES) & set(request.path.parts):
        yield
        return
    local = executors.local_executor

    def without_processes(jobs: int, limits: executors.Limits | None = None) -> executors.Executor:
        limited = limits is not None and limits.any
        return executors.ThisProcess() if jobs == 1 and not limited else local(jobs, limits)

    with pytest.MonkeyPatch.context() as patch:
        for module in (executors, runs):
            patch.setattr(module, "local_executor", without_processes)
        yield


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def nasbench(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Calls ``nasbench`` with arguments as a shell would, but in this process."""

    def call(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["nasbench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return call


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of benchmarks of the test's own, empty."""
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Torch computes on one thread: small networks wait longer for several than they save."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with the published figures; the test is skipped where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"the published figures are not in {SHARED_DATA}: name it by NASBENCH_SUITE_DATA"
        )
    return SHARED_DATA


@pytest.fixture(scope="session")
def toy() -> Benchmark:
    """All of the topology space, with a made accuracy: additive over edges, two seeds.

    Signals at 1, 3 and 9 epochs, training times, and a test accuracy that is not the validation
    accuracy, so that a leak of one into the other shows.
    """
    space = load_space("nats-tss")
    rng = np.random.default_rng(0)
    worth = rng.normal(size=(6, 5))
    quality = worth[np.arange(6), space.all_vectors].sum(axis=1)
    quality = 50 + 40 * (quality - quality.mean()) / np.abs(quality).max()
    metrics, columns = [], {}
    for split, epochs in (("valid", 1), ("valid", 3), ("valid", 9), ("test", 9)):
        metric = Metric(
            f"toy_{split}_{epochs}", dataset="toy", split=split, epochs=epochs, seeds=(0, 1)
        )
        metrics.append(metric)
        for seed in metric.seeds:
            noise = rng.normal(scale=9 / epochs, size=space.size)
            columns[metric.seed_column(seed)] = quality + noise
    for epochs in (1, 3, 9):
        name = f"toy_train_time_{epochs}"
        metrics.append(Metric(name, "training_time", "s", "minimize", dataset="toy", epochs=epochs))
        columns[name] = epochs * rng.uniform(1, 2, size=space.size)
    return make_benchmark("toy", space, metrics, columns)
