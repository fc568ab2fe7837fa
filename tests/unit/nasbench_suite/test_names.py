"""The names at the top, and old ones that work for one version more."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import pandas as pd
import pytest

import nasbench_suite
from nasbench_suite import load_space
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.deprecated import REMOVED_IN, current_options, renamed_arguments

OLD = {
    "nasbench_suite.metrics": [
        *("Statistic", "aggregate", "anytime_curves", "figures_at", "interquartile_mean"),
        *("mean_ranks", "ranks", "regret", "stratified_bootstrap"),
    ],
    "nasbench_suite.regression": [
        *("Baseline", "Check", "Finding", "check", "load_baseline", "make_baseline"),
        "save_baseline",
    ],
}


def test_the_top_completes_to_the_public_names_alone() -> None:
    assert dir(nasbench_suite) == sorted(nasbench_suite.__all__)
    for name in nasbench_suite.__all__:
        assert getattr(nasbench_suite, name) is not None
    assert nasbench_suite.__version__ == version("nasbench-suite")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nasbench_suite.nothing  # noqa: B018 (asked for to be refused)


def test_the_top_is_imported_without_numpy() -> None:
    code = "import sys, nasbench_suite; print('numpy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


@pytest.mark.parametrize(("module", "name"), [(m, name) for m in OLD for name in OLD[m]])
def test_what_moved_is_found_and_warns(module: str, name: str) -> None:
    old = import_module(module)
    assert name in dir(old)
    with pytest.warns(DeprecationWarning, match=f"{module}.{name} is now .*{REMOVED_IN}") as told:
        found = getattr(old, name)
    assert told[0].filename == __file__  # the line that asks is named, not ours
    home = str(told[0].message).split(" is now ")[1].split(";")[0].rpartition(".")[0]
    assert found is getattr(import_module(home), name)


@pytest.mark.parametrize("module", OLD)
def test_what_was_never_there_is_refused(module: str) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(import_module(module), "nothing")  # noqa: B009 (as a user would meet it)


@renamed_arguments(old="new")
def renamed(*, new: int) -> int:
    return new


def test_an_argument_by_its_old_name_works_and_warns() -> None:
    assert renamed(new=1) == 1
    with pytest.warns(DeprecationWarning, match=r"renamed\(old=\) is now new=") as told:
        assert renamed(old=2) == 2  # type: ignore[call-arg]
    assert told[0].filename == __file__
    with pytest.raises(TypeError, match="twice"):
        renamed(new=1, old=2)  # type: ignore[call-arg]


def test_an_option_by_its_old_name_works_and_warns(capsys: pytest.CaptureFixture[str]) -> None:
    written = ["--old", "--old=x", "--older", "old"]
    assert current_options({"--old": "--new"}, written) == ["--new", "--new=x", "--older", "old"]
    assert capsys.readouterr().err.count("--old is now --new") == 2


def test_a_benchmark_of_a_frame_by_its_old_name() -> None:
    frame = pd.DataFrame({"arch_str": load_space("nasbench-macro").all_strings, "top_ms": 1.0})
    with pytest.warns(DeprecationWarning, match="from_frame is now .*benchmark_from_frame"):
        benchmark = Benchmark.from_frame(frame, "nasbench-macro")
    assert benchmark.metric("top_ms").quantity == "latency"
