"""The names at the top, and old ones that work for one version more."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from importlib.metadata import version

import pytest

import nasbench_suite
from nasbench_suite.deprecated import REMOVED_IN

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
