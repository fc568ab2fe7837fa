"""``nasbench run``: what it says before anything runs."""

from __future__ import annotations

import pytest
from conftest import Command

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import parse_seeds, seed_ranges


@pytest.mark.parametrize(
    ("written", "told"),
    [("4", "1 seed: 4"), ("0-3", "4 seeds: 0-3"), ("7,0-2,1", "4 seeds: 0-2,7")],
)
def test_the_first_line_says_which_seeds_run(
    nasbench: Command, tmp_path: object, written: str, told: str
) -> None:
    words = ("run", "--methods", "random", "--evaluations", "3", "--store", f"{tmp_path}/r.sqlite")
    assert nasbench(*words, "--seeds", written).err.splitlines()[0] == told
    assert not nasbench(*words, "--seeds", "9", "--quiet").err
    assert told.split(": ")[1] in nasbench("store", "list", f"{tmp_path}/r.sqlite").out


@pytest.mark.parametrize("text", ["0", "0-1", "0,2", "0-2,4,6-9"])
def test_ranges_are_read_as_they_were_written(text: str) -> None:
    assert seed_ranges(parse_seeds(text)) == text


def test_every_help_says_that_a_number_is_one_seed(nasbench: Command) -> None:
    for command in (["run"], ["predict"], ["vae", "compare"], ["vae", "train"]):
        told = " ".join(nasbench(*command, "--help").out.split())
        if "--seeds" in told:
            assert "4 is seed 4 alone" in told, command


def test_a_budget_beyond_the_table_is_told_before_it_is_spent(
    nasbench: Command, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("run", "--methods", "random", "--seeds", "0", "--store", f"{tmp_path}/r.sqlite")

    def stopped(*_: object) -> None:
        raise SuiteError("stopped")

    monkeypatch.setattr("nasbench_suite.runner.runs._outcomes", stopped)
    told = " ".join(nasbench(*words, "--evaluations", "2e12").err.split())
    assert "the budget of 2e+12 evaluations is more than the 15,625 architectures" in told
    assert told.endswith("stopped")
    assert "Note" not in nasbench(*words, "--evaluations", "15625").err
