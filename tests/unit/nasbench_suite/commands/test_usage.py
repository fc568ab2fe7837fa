"""What is wrong with an option is said in one sentence of ours, with what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from conftest import Command
from typer.main import get_command

from hardware.tables import make_table, write_table
from nasbench_suite import read_results, run
from nasbench_suite.commands.app import build_app
from nasbench_suite.commands.usage import value_fault
from nasbench_suite.spaces import load_finite_space

_CHOICES = re.compile(r"(--[a-z-]+)\s+[<\[]([a-z-]+(?:\|[a-z-]+)+)[>\]]")


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if not hasattr(command, "list_commands"):
        yield words
        return
    for name in command.list_commands(None):
        yield from _commands(command.get_command(None, name), (*words, name))


def test_every_option_of_several_values_suggests_the_nearest(nasbench: Command) -> None:
    seen = set()
    for words in _commands(get_command(build_app())):
        told = nasbench(*words, "--help").out
        for option, choices in _CHOICES.findall(told):
            known = choices.split("|")
            slip = known[0][:-1] + "0"
            ended = nasbench(*words, option, slip)
            assert ended.code == 2
            assert ended.err.startswith(f"nasbench: Unknown value {slip!r} of {option}: "), words
            assert repr(known[0]) in ended.err or known[0] in ended.err.split(": ")[-1]
            assert ended.err.count("\n") == 1
            seen.add((words[0], option))
    assert {("leaderboard", "--format"), ("compare", "--over"), ("export", "--what")} <= seen
    assert {("figure", "--venue"), ("table", "--statistic"), ("vae", "--format")} <= seen


_WITH_JOBS = {
    "run": "--methods random --seeds 0 --store r.sqlite",
    "predict": "--predictors gp --sizes 10 --seeds 0 --journal .",
    "proxies compute": "--architectures 2 --proxies params -o scores.parquet",
    "data make digits": "--journal trainings.jsonl",
}


def test_impossible_jobs_are_one_sentence_and_leave_nothing(
    nasbench: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    having = {
        " ".join(words)
        for words in _commands(get_command(build_app()))
        if " --jobs " in nasbench(*words, "--help").out
    }
    assert having == set(_WITH_JOBS)
    for words, rest in _WITH_JOBS.items():
        ended = nasbench(*words.split(), *rest.split(), "--jobs", "0")
        assert ended.code == 2
        said = "nasbench: 0 jobs are impossible: give a number from 1, or -1 for all cores.\n"
        assert ended.err.endswith(said), words
        assert "Traceback" not in ended.err
        assert not list(tmp_path.iterdir()), words


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("compare --alpha abc", "--alpha takes a number, not 'abc'."),
        ("run --jobs x", "--jobs takes a whole number, not 'x'."),
        ("submit verify a --rerun 1.5", "--rerun takes a whole number, not '1.5'."),
    ],
)
def test_what_is_no_number_is_told(nasbench: Command, words: str, said: str) -> None:
    ended = nasbench(*words.split())
    assert (ended.code, ended.err) == (2, f"nasbench: {said}\n")


class _Option:
    opts = ("-f", "--format")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ("'latx' is not one of 'latex', 'csv'.", "Unknown value 'latx' of --format: did you mean"),
        (
            "Value error, \"l'x\" is not one of 'a', 'b'.",
            'Unknown value "l\'x" of --format: choose',
        ),
        ("'x' is not a valid float.", "--format takes a number, not 'x'."),
        ("'x' is not a valid integer.", "--format takes a whole number, not 'x'."),
        ("Value error, nobody knows.", "--format: nobody knows."),
        ("", ""),
    ],
)
def test_words_of_every_version_of_typer_are_understood(found: str, said: str) -> None:
    fault = value_fault(typer.BadParameter(found, param=_Option()))  # type: ignore[arg-type]
    assert fault.startswith(said)
    assert "Value error" not in fault


def test_a_measure_is_looked_at_before_anything_is_computed(nasbench: Command) -> None:
    ended = nasbench("predict", "--measure", "kendal", "--benchmark", "nobody")
    assert "did you mean 'kendall'" in ended.err


@pytest.mark.parametrize("nothing", ["", ","])
@pytest.mark.parametrize(
    "command",
    [
        ("store", "remove", "r.sqlite", "--seeds", "0", "--yes", "--methods"),
        ("store", "remove", "r.sqlite", "--seeds", "0", "--yes", "--tasks"),
        ("store", "failures", "r.sqlite", "--methods"),
        ("submit", "make", "s.nasbench.json.gz", "--store", "r.sqlite", "--methods"),
        ("check", "--store", "r.sqlite", "--baseline", "b.json", "--save", "--methods"),
        ("leaderboard", "--store", "r.sqlite", "--methods"),
        ("compare", "--store", "r.sqlite", "--methods"),
        ("table", "--store", "r.sqlite", "--order"),
        ("run", "--benchmark", "digits", "--methods", "tpe", "--store", "r.sqlite", "--dataset"),
        ("hardware", "predict", "costs.parquet", "--sizes", "2", "--predictors"),
    ],
)
def test_a_list_of_nothing_is_not_the_list_of_all(
    command: tuple[str, ...],
    nothing: str,
    nasbench: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a shell writes it where a variable is not set."""
    monkeypatch.chdir(tmp_path)
    run("digits", "random", seeds=1, evaluations=2, store="r.sqlite")
    costs = make_table(load_finite_space("nats-tss"), range(9), {"a_ms": range(1, 10)})
    write_table(costs, Path("costs.parquet"))
    before = read_results("r.sqlite").finished
    ended = nasbench(*command, nothing)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert "is a list of no name" in ended.err
    assert read_results("r.sqlite").finished.equals(before)
