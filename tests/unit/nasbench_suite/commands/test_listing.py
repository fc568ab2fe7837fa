"""``nasbench list``: what is installed, by kind."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from nasbench_suite import registry
from nasbench_suite.commands.app import build_app
from nasbench_suite.errors import SuiteError
from nasbench_suite.suites import load_suite


def listed(*arguments: str) -> str:
    answer = CliRunner().invoke(build_app(), ["list", *arguments], catch_exceptions=False)
    assert answer.exit_code == 0
    return str(answer.stdout)


def rows(text: str) -> list[str]:
    """The rows below the headings, each in one line; why some are marked is left out."""
    lines = text.split("\n", 2)[2].replace("\n  ", " ").splitlines()
    return [line for line in lines if not line.startswith("! ")]


def test_the_kinds() -> None:
    lines = rows(listed())
    assert [line.split()[0] for line in lines] == list(registry.KINDS)
    kinds = json.loads(listed("--json"))
    assert {kind["name"]: kind["installed"] for kind in kinds} == {
        name: len(registry.entries(name)) for name in registry.KINDS
    }


@pytest.mark.parametrize("kind", list(registry.KINDS))
def test_every_part_has_a_line_that_says_what_it_is(kind: str) -> None:
    known = registry.entries(kind)
    lines = rows(listed(kind))
    assert [line.split()[0] for line in lines] == list(known)
    assert all(len(line.split()) > 3 for line in lines), "a part without a summary"
    parts = json.loads(listed(kind, "--json"))
    assert [part["name"] for part in parts] == list(known)
    lacking = [part["fault"] for part in parts if part["fault"]]
    assert all("needs the package" in fault for fault in lacking)  # where an extra is missing


def test_a_suite_is_what_its_file_says() -> None:
    told = {part.name: part.summary for part in registry.describe("suites")}
    assert told["quick"] == load_suite("quick").description


def test_a_group_of_commands_is_what_its_help_says() -> None:
    told = {part.name: part.summary for part in registry.describe("commands")}
    assert told["data"] == "Benchmarks: list, import, inspect, verify and make them."


def test_an_unknown_kind_is_answered_with_the_nearest() -> None:
    with pytest.raises(SuiteError, match="Unknown kind 'space': did you mean 'spaces'"):
        listed("space")
    with pytest.raises(SuiteError, match="Unknown kind 'nonsense': choose from"):
        listed("nonsense")
