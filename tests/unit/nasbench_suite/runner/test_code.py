"""Trials of other code are told apart, and finding out which code it is runs nothing."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.runner import RunSummary, ThisProcess, run
from nasbench_suite.runner.code import describe_code
from nasbench_suite.runner.revision import git_revision
from nasbench_suite.tasks.methods import make_method

_METHOD = """
from dataclasses import dataclass
from nasbench_suite.tasks import Method
from changing.helper import shift

@dataclass
class Changing(Method):
    def step(self, session):
        session.evaluate((session.trainings + shift()) % session.space.size)
"""


def write(folder: Path, shift: int, comment: str = "") -> ModuleType:
    """The package, with its method as it then is."""
    package = folder / "changing"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").write_text("")
    (package / "method.py").write_text(_METHOD + comment)
    (package / "helper.py").write_text(f"def shift():\n    return {shift}\n")
    for name in [name for name in sys.modules if name.partition(".")[0] == "changing"]:
        del sys.modules[name]
    importlib.invalidate_caches()
    return importlib.import_module("changing.method")


def search(toy: Benchmark, folder: Path, seeds: range, **options: bool) -> RunSummary:
    module = sys.modules["changing.method"]
    return run(
        toy,
        [("changing", module.Changing())],
        seeds=seeds,
        evaluations=5,
        store=folder / "r.sqlite",
        executor=ThisProcess(),
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture(autouse=True)
def importable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)


def test_trials_of_other_code_are_not_mixed_unless_it_is_said(
    toy: Benchmark, tmp_path: Path
) -> None:
    write(tmp_path, 1)
    search(toy, tmp_path, range(4))
    write(tmp_path, 1, "# a comment more\n\n")
    assert search(toy, tmp_path, range(5)).finished == 1
    write(tmp_path, 900)  # what the method imports of its own package is another
    with pytest.raises(SuiteError, match=r"other code for 5 seeds from 0 .*--rerun.*--keep"):
        search(toy, tmp_path, range(6))
    (hint,) = search(toy, tmp_path, range(5)).hints
    assert hint.startswith("changing on toy/toy: 5 trials of other code")
    assert hint.endswith("To run these again, give --rerun.")
    assert set(read_results(tmp_path / "r.sqlite").trials["method"]) == {"changing"}

    kept = search(toy, tmp_path, range(6), keep=True)
    assert (kept.finished, kept.skipped) == (1, 5)
    trials = read_results(tmp_path / "r.sqlite").trials
    assert set(trials["method"]) == {"changing (of 2 codes)"}
    before = trials.set_index("seed")["report"]

    assert search(toy, tmp_path, range(6), rerun=True).finished == 5
    trials = read_results(tmp_path / "r.sqlite").trials
    assert set(trials["method"]) == {"changing"}
    after = trials.set_index("seed")["report"]
    assert after[1] == after[3] == after[5] == before[5]  # seeds of one fold
    assert (after[:5] != before[:5]).all()


def test_a_class_without_a_file_and_a_method_of_ours_have_a_source() -> None:
    code = describe_code("random", make_method("random"))
    assert code.distribution == "nasbench-suite"
    assert code.source
    assert describe_code("random", make_method("random")) == code
    other = describe_code("local-search", make_method("local-search"))
    assert other.source != code.source


def test_finding_the_revision_runs_nothing_of_the_folder(tmp_path: Path) -> None:
    """Monitors, hooks and filters that a repository of somebody's asks for leave no mark."""
    folder, mark = tmp_path / "foreign", tmp_path / "ran"
    folder.mkdir()

    def git(*arguments: str) -> str:
        named = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", "-C", str(folder), *named, *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    git("init", "--quiet")
    (folder / "file").write_text("one\n")
    git("add", "file")
    git("commit", "--quiet", "-m", "one")
    commit = git("rev-parse", "HEAD")
    assert git_revision(folder) == commit
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "filter.f.clean", "filter.f.smudge", "diff.external"):
        git("config", key, str(script))
    git("config", "filter.f.required", "true")
    (folder / ".git" / "hooks" / "post-index-change").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (folder / ".git" / "hooks" / "post-index-change").chmod(0o755)
    (folder / ".gitattributes").write_text("file filter=f\n")
    (folder / "file").write_text("two\n")
    assert git_revision(folder) == f"{commit}-dirty"
    assert not mark.exists()
    assert git_revision(tmp_path) is None
