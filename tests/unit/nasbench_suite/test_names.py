"""The names at the top, and old ones that work for one version more."""

from __future__ import annotations

import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

import nasbench_suite
from nasbench_suite import load_benchmark, load_space, make_task
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.commands.app import build_app
from nasbench_suite.deprecated import (
    OPTIONS,
    REMOVED_COMMANDS,
    REMOVED_IN,
    current_options,
    renamed_arguments,
)
from nasbench_suite.errors import SuiteError
from nasbench_suite.suites import read_suite

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
_FILE = "nasbench_suite.benchmarks.table_file"
RENAMED = {
    "nasbench_suite.benchmarks.table": {
        name: f"{_FILE}:{name}"
        for name in ("is_benchmark_file", "read_benchmark", "read_metadata", "write_benchmark")
    },
    "reports.commands.options": {"print_report": "print_sheet"},
    "reports.tables.comparison": {
        "comparison_report": "comparison_sheet",
        "cost_report": "cost_sheet",
    },
    "reports.tables.fronts": {"fronts_report": "fronts_sheet"},
    "reports.tables.prediction": {"prediction_report": "prediction_sheet"},
    "reports.tables.rendering": {"Report": "Sheet", "make_report": "leaderboard_sheet"},
    "reports.tables.robustness": {
        "robustness_report": "robustness_sheet",
        "sensitivity_report": "sensitivity_sheet",
    },
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


def test_a_run_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    words = "run --methods random --seeds 0 --evaluations 5 --quiet --executor this-process"
    code = (
        f"import sys; sys.argv = {['nasbench', *words.split(), '--store', str(tmp_path / 'r')]}\n"
        "from nasbench_suite.commands import main\n"
        "try: main()\n"
        "except SystemExit as ending: assert not ending.code\n"
        "print({'pandas', 'scipy', 'joblib', 'sklearn', 'matplotlib'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


@pytest.mark.parametrize(("module", "name"), [(m, name) for m in OLD for name in OLD[m]])
def test_what_moved_is_found_and_warns(module: str, name: str) -> None:
    old = import_module(module)
    assert name in dir(old)
    with pytest.warns(DeprecationWarning, match=f"{module}.{name} is now .*{REMOVED_IN}") as told:
        found = getattr(old, name)
    assert told[0].filename == __file__  # the line that asks is named, not ours
    home = str(told[0].message).split(" is now ")[1].split(";")[0].rpartition(".")[0]
    assert found is getattr(import_module(home), name)


@pytest.mark.parametrize(("module", "name"), [(m, name) for m in RENAMED for name in RENAMED[m]])
def test_what_has_another_name_is_found_and_warns(module: str, name: str) -> None:
    home, _, new = RENAMED[module][name].rpartition(":")
    home = home or module
    with pytest.warns(DeprecationWarning, match=f"{module}.{name} is now {home}.{new}") as told:
        found = getattr(import_module(module), name)
    assert told[0].filename == __file__
    assert found is getattr(import_module(home), new)


@pytest.mark.parametrize("module", [*OLD, *RENAMED])
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


def test_a_search_by_the_old_names_is_the_same(tmp_path: Path) -> None:
    digits = load_benchmark("digits")
    new = make_task(digits, simulated_seconds=9, objectives=["flops"], judged_by="digits_valid_8")
    with pytest.warns(DeprecationWarning, match="make_task") as told:
        old = make_task(digits, seconds=9, also=["flops"], report="digits_valid_8")  # type: ignore[call-arg]
    assert len(told) == 3
    assert old.key == new.key
    with pytest.warns(DeprecationWarning, match="answers="):
        noisy = make_task(digits, noise="sample")  # type: ignore[call-arg]
    assert noisy.key == make_task(digits, answers="sample").key
    with pytest.warns(DeprecationWarning, match="Task.answers"):
        assert noisy.noise == "sample"
    with pytest.warns(DeprecationWarning, match="Objective.judged_by"):
        assert old.objectives[0].report == "digits_valid_8"
    runs = []
    for text in ('each_objective = ["flops"]', 'each = ["flops"]'):
        (tmp_path / "runs.toml").write_text(
            f'[[runs]]\nbenchmark = "digits"\n{text}\nmethods = "random"\n'
        )
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            runs.append(read_suite(tmp_path / "runs.toml"))
        assert len(found) == len(runs) - 1  # of the old name alone
    assert runs[0] == runs[1]


def test_commands_take_old_options(tmp_path: Path) -> None:
    store = str(tmp_path / "r.sqlite")
    call = ["run", "--methods", "random", "--seeds", "0", "--evaluations", "3", "--store", store]
    answer = CliRunner().invoke(build_app(), [*call, "--also", "flops", "--quiet"])
    assert answer.exit_code == 0
    assert b"flops" in Path(store).read_bytes()  # among the task's objectives
    assert "--also is now --objectives" in answer.stderr
    help_of_run = CliRunner().invoke(build_app(), ["run", "--help"]).stdout
    for old, new in OPTIONS["run"].items():
        assert new in help_of_run
        assert f" {old} " not in help_of_run


def test_a_command_that_is_gone_says_what_to_type() -> None:
    known = {" ".join(words) for words in _commands(get_command(build_app()))}
    for command, instead in REMOVED_COMMANDS.items():
        assert command not in known
        for more in ([], ["--images", "digits"], ["--help"]):
            answer = CliRunner().invoke(build_app(), [*command.split(), *more])
            assert isinstance(answer.exception, SuiteError)  # one sentence, and exit code 2
            assert instead in str(answer.exception)


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name in command.list_commands(None) if hasattr(command, "list_commands") else ():
        yield from _commands(command.get_command(None, name), (*words, name))


def test_no_sentence_advises_an_old_option() -> None:
    """``--seconds`` is still one of commands that read results."""
    root = Path(__file__).resolve().parents[3]
    old = re.compile(r"--(also|each|report|noise)(?![\w-])")
    folders = ("nasbench_suite", "search_methods", "hardware", "reports", "docs", "examples")
    pages = [*root.glob("*.md"), *(one for name in folders for one in (root / name).rglob("*"))]
    advised = {
        path.name
        for path in pages
        if path.suffix in (".py", ".md", ".toml", ".ipynb") and old.search(path.read_text("utf-8"))
    }
    assert advised <= {"CHANGELOG.md", "deprecated.py"}


def test_results_are_read_with_the_options_that_made_them() -> None:
    for command in ("leaderboard", "compare"):
        help_of_it = CliRunner().invoke(build_app(), [command, "--help"]).stdout
        assert "--simulated-seconds" in help_of_it


def test_a_benchmark_of_a_frame_by_its_old_name() -> None:
    frame = pd.DataFrame({"arch_str": load_space("nasbench-macro").all_strings, "top_ms": 1.0})
    with pytest.warns(DeprecationWarning, match="from_frame is now .*benchmark_from_frame"):
        benchmark = Benchmark.from_frame(frame, "nasbench-macro")
    assert benchmark.metric("top_ms").quantity == "latency"
