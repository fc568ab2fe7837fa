"""Legends explain what tables show, all of it and nothing else; bold shows in a file too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import Command

from nasbench_suite import run
from nasbench_suite.benchmarks import Benchmark
from reports.tables.rendering import Sheet, Table, to_markdown
from reports.tables.terminal import to_terminal

# What a heading says by itself, or a title or subtitle does.
_PLAIN = {
    *("", "#", "method", "against", "seeds", "mean", "std", "worst", "tasks", "score", "group"),
    *("population_size", "95% interval", "interval", "oracle HV", "log10(1 - HV)"),
}
_SAID = {"constr. regret": "Constrained regret", "may rank": "May rank", "none": "skip, none"}


@pytest.fixture(scope="module")
def stores(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Results of one objective and of two."""
    folder = tmp_path_factory.mktemp("legends")
    found = {}
    for name, further in (("one", None), ("two", ["toy_train_time_9"])):
        found[name] = folder / f"{name}.sqlite"
        kind = "mo-regularized-evolution" if further else "regularized-evolution"
        run(
            toy,
            ",".join(["random", *(f"{kind}[population_size={n},sample_size=2]" for n in (3, 9))]),
            seeds=range(4),
            evaluations=30,
            objectives=further or (),
            store=found[name],
        )
    return found


@pytest.mark.parametrize(
    ("store", "command"),
    [
        ("one", "leaderboard --store {}"),
        ("one", "robustness --store {}"),
        ("one", "compare --store {} --resamples 20"),
        ("one", "sensitivity regularized-evolution population_size --store {}"),
        ("one", "compare --cost-to-reach random --store {}"),
        ("two", "leaderboard --store {}"),
        ("two", "robustness --store {}"),
        ("two", "fronts --store {}"),
    ],
)
def test_every_heading_is_explained_and_no_other(
    nasbench: Command, stores: dict[str, Path], store: str, command: str
) -> None:
    words = command.format(stores[store]).split()
    text = nasbench(*words, "--format", "markdown").out.replace("\\", "")
    lines = text.splitlines()
    rules = [number for number, line in enumerate(lines) if re.match(r"\|[ -]*-[-:| ]+\|$", line)]
    headings = {cell.strip() for n in rules for cell in lines[n - 1].split("|")[1:-1]}
    told = " ".join(line for line in lines if line[:1] not in ("|", "#"))
    for heading in headings - _PLAIN:
        assert re.search(rf"{re.escape(_SAID.get(heading, heading))}(?!\w)", told, re.IGNORECASE), (
            heading
        )
    for heading in (
        "skip",
        "no path",
        "gap",
        "λmax",
        "τ inherited",
        "signal regret",
        "CVaR",
        "IGD+",
    ):
        if heading not in headings:
            assert not re.search(rf"\b{re.escape(heading)}: ", told, re.IGNORECASE), heading
    assert ("Bold" in told or "bold" in told) == any("**" in line for line in lines)


def _table(best: tuple[bool, bool]) -> Sheet:
    rows = (("random", "94.37"), ("tpe", "93.10"))
    return Sheet((Table("t", "s", ("method", "IQM"), rows, best, ()),), ("Bold: the best IQM.",))


def test_what_is_bold_has_a_mark_where_nothing_is_bold() -> None:
    sheet = _table((False, True))
    plain = [str(part) for part in to_terminal(sheet, "utf-8", 60, bold=False)]
    assert "> tpe     93.10" in plain
    assert "  random  94.37" in plain
    assert plain[-1] == ">: the best IQM."
    shown = [str(part) for part in to_terminal(sheet, "utf-8", 60)]
    assert "tpe     93.10" in shown
    assert shown[-1] == "Bold: the best IQM."
    assert "**tpe**" in to_markdown(sheet)


def test_no_room_is_taken_where_no_row_is_best() -> None:
    plain = [str(part) for part in to_terminal(_table((False, False)), "utf-8", 60, bold=False)]
    assert "random  94.37" in plain


def test_a_table_in_a_pipe_tells_its_best_row(nasbench: Command, stores: dict[str, Path]) -> None:
    lines = nasbench("leaderboard", stores["one"]).out.splitlines()
    assert any(re.match(r">\s+1(\.5)?  ", line) for line in lines)
    assert not any("Bold" in line for line in lines)
