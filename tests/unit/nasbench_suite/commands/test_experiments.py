"""Experiment files, suites, exports and completion."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from conftest import Command

from nasbench_suite import registry
from nasbench_suite.commands.completion import complete, complete_benchmarks
from nasbench_suite.errors import SuiteError
from nasbench_suite.suites import load_suite, read_suite

EXPERIMENT = """
description = "Two budgets."
seeds = "0-1"
methods = "random,local-search"
evaluations = 5

[[runs]]
benchmark = "digits"

[[runs]]
benchmark = "digits"
methods = "random"
evaluations = 8
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_methods_may_have_seeds_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "e.toml"
    path.write_text(
        """
        evaluations = 5
        [methods]
        "0-99" = "random,local-search"
        "0-9" = "bananas"
        [[runs]]
        benchmark = "digits"
        [[runs]]
        benchmark = "digits"
        seeds = "0-3"
        methods = "random"
        """
    )
    runs = [(run.seeds, run.methods) for run in read_suite(path).runs]
    assert runs == [("0-99", "random,local-search"), ("0-9", "bananas"), ("0-3", "random")]


def test_an_experiment_file_is_run_goes_on_and_is_exported(
    nasbench: Command, tmp_path: Path
) -> None:
    (tmp_path / "e.toml").write_text(EXPERIMENT)
    first = nasbench("run", "e.toml")
    assert first.code == 0, first.err
    assert "6 trials finished, 2 going on from a smaller budget: results.sqlite" in first.err
    assert "6/6" in first.err  # one bar for all
    assert "6 trials finished" not in nasbench("run", "e.toml").err
    # The command with the same settings is the same tasks.
    same = nasbench("run", "--methods", "random", "--seeds", "0-1", "--evaluations", 8)
    assert "0 trials finished, 2 were already there" in same.err

    assert nasbench("export", "t.csv").out == "t.csv: 6 trials\n"
    trials = pd.read_csv(tmp_path / "t.csv")
    assert set(trials["method"]) == {"random", "local-search"}
    for ending in ("csv", "parquet"):
        told = nasbench("export", f"e.{ending}", "--what", "evaluations")
        assert told.out == f"e.{ending}: 36 evaluations\n", told.err
    one, other = pd.read_csv(tmp_path / "e.csv"), pd.read_parquet(tmp_path / "e.parquet")
    assert one["signal"].tolist() == pytest.approx(other["signal"].tolist())
    assert one["architecture"].tolist() == other["architecture"].tolist()
    refused = nasbench("export", "t.xlsx")
    assert refused.code == 2
    assert ".csv or .parquet" in refused.err


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("seeds =", "seed ="), "seeds"),
        (("[[runs]]", "[[run]]"), "run"),
        (("evaluations = 8", "evaluations = -8"), "greater than 0"),
        (('benchmark = "digits"', ""), "benchmark"),
        (('"Two', '"""Two'), "cannot be read"),
        (("random,local-search", "randon"), "random"),
        (('methods = "random"', 'methods = "tpe[num_initial=0]"'), "num_initial"),
    ],
)
def test_what_is_wrong_with_an_experiment_is_found_before_anything_runs(
    nasbench: Command, tmp_path: Path, change: tuple[str, str], word: str
) -> None:
    (tmp_path / "e.toml").write_text(EXPERIMENT.replace(*change))
    result = nasbench("run", "e.toml")
    assert result.code == 2
    assert word in result.err
    assert len(result.err.splitlines()) == 1
    assert not (tmp_path / "results.sqlite").exists()


def test_old_names_and_missing_parts_of_an_experiment_are_told_in_a_sentence(
    nasbench: Command, tmp_path: Path
) -> None:
    run = '[[runs]]\nbenchmark = "digits"\nmethods = "random"\nevaluations = 3\nseeds = "0"\n'
    (tmp_path / "e.toml").write_text(f'{run}also = ["flops"]\n')
    (tmp_path / "flat.toml").write_text('benchmark = "digits"\nmethods = "random"\n')
    ended = nasbench("run", "e.toml", "--quiet")
    told = "nasbench: e.toml: 'also' is now 'objectives'; the old name is removed in version 0.3."
    assert (ended.code, ended.err.splitlines()) == (0, [told])
    for file, sentence in {
        "flat.toml": "Experiment file flat.toml has no run: say each benchmark under a [[runs]]",
        "none.toml": "Experiment file none.toml cannot be read (there is no such file).",
    }.items():
        ended = nasbench("run", file)
        assert ended.code == 2
        assert ended.err.startswith(f"nasbench: {sentence}")
        assert ended.err.count("\n") == 1


def test_every_suite_can_be_read_and_says_what_it_is_for() -> None:
    names = list(registry.entries("suites"))
    assert "quick" in names
    for name in names:
        suite = load_suite(name)
        assert suite.description
        for one in suite.runs:
            assert one.settings()["seeds"]
            assert one.evaluations is not None or one.simulated_seconds is not None
    with pytest.raises(SuiteError, match="quick"):
        load_suite("quik")


def test_objectives_are_names_parted_by_commas_or_a_list(tmp_path: Path) -> None:
    for written in ('"onnxruntime_ms,flops"', '["onnxruntime_ms", "flops"]'):
        (tmp_path / "e.toml").write_text(f"{EXPERIMENT}objectives = {written}\n")
        assert read_suite(tmp_path / "e.toml").runs[1].objectives == ["onnxruntime_ms", "flops"]


def test_methods_that_are_one_are_told_by_every_table(nasbench: Command, tmp_path: Path) -> None:
    """Evolution whose population is not below the budget is random search."""
    chosen = ("--methods", "random,regularized-evolution,local-search", "--seeds", "0-2")
    nasbench("run", *chosen, "--evaluations", "20", "--store", "s.sqlite")
    for command in ("leaderboard", "compare", "table", "robustness"):
        told = nasbench(command, "s.sqlite", *(["--format", "csv"] if command != "table" else []))
        assert told.err.count("made the same evaluations with every seed") == 1
    assert "made the same evaluations" in nasbench("leaderboard", "s.sqlite").out
    for words in (["figure", "profile"], ["report"]):
        assert "made the same evaluations" in nasbench(*words, "--store", "s.sqlite").err
    pairs = pd.read_csv(io.StringIO(nasbench("compare", "s.sqlite", "--format", "csv").out))
    same = pairs["first"].isin(["random", "regularized-evolution"]) & pairs["second"].isin(
        ["random", "regularized-evolution"]
    )
    assert pairs["identical"].tolist() == same.tolist()
    assert (pairs.loc[same, ["p_equivalent", "low", "high", "noise"]] == 0).all(axis=None)
    assert nasbench("compare", "s.sqlite").out.count("  identical  ") == 1


def test_a_budget_of_a_runs_own_takes_the_place_of_the_shared_one(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text(EXPERIMENT.replace("evaluations = 8", "simulated_seconds = 9"))
    first, second = read_suite(tmp_path / "e.toml").runs
    assert (first.evaluations, first.simulated_seconds) == (5.0, None)
    assert (second.evaluations, second.simulated_seconds) == (None, 9.0)


def test_nothing_to_run_and_too_much_are_refused(nasbench: Command) -> None:
    assert "--suite" in nasbench("run").err
    assert "one of them" in nasbench("run", "--suite", "quick", "--methods", "random").err


def test_names_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert complete("methods")("reg") == ["regularized-evolution"]
    assert complete("methods")("random,reg") == ["random,regularized-evolution"]
    assert "critical-difference" in complete("figures")("c")
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path))
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "mine.parquet").touch()
    assert complete_benchmarks("") == ["digits", "digits-top", "mine"]
