"""A method is found by its settings, in whatever order and with whatever defaults they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Command

from nasbench_suite import load_benchmark, run
from nasbench_suite.analysis.comparison import compare
from nasbench_suite.analysis.curves import anytime_curves, matched_costs
from nasbench_suite.errors import SuiteError
from nasbench_suite.store.maintenance import remove_trials
from nasbench_suite.tasks.methods import own_label
from reports.labels import read_presented

LABEL = "regularized-evolution[population_size=10,sample_size=3]"
OTHER = "regularized-evolution[population_size=50]"
TURNED = "regularized-evolution[sample_size=3,population_size=10]"
DEFAULT = "regularized-evolution[population_size=50,sample_size=25]"  # which is the default


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of random search, and of evolution with settings twice."""
    monkeypatch.chdir(tmp_path)
    methods = f"random,{LABEL},{OTHER}"
    run(load_benchmark("digits"), methods, seeds=3, evaluations=12, store="r.sqlite")
    return Path("r.sqlite")


@pytest.mark.parametrize("written", [TURNED, DEFAULT])
@pytest.mark.parametrize(
    "command",
    [
        *("compare --methods random,{} --store r.sqlite", "compare --against {} --store r.sqlite"),
        *(
            "compare --cost-to-reach {} --store r.sqlite",
            "leaderboard --methods random,{} --store r.sqlite",
        ),
        "leaderboard --order {} --store r.sqlite",
        "table --methods random,{} --store r.sqlite",
        "figure anytime --methods random,{} --store r.sqlite --output f.pdf",
        "report --output r.html --methods {} --store r.sqlite",
        "check --baseline b.json --save --methods {} --store r.sqlite",
        "check --baseline all.json --rare 0 --margin 50 --methods {} --store r.sqlite",
        "submit make s.nasbench.json.gz --methods {} --store r.sqlite",
        *("store remove r.sqlite --methods {}", "store failures r.sqlite --methods {}"),
        "store rename r.sqlite {} other",
    ],
)
def test_every_command_finds_a_method_by_its_settings(
    store: Path, nasbench: Command, command: str, written: str
) -> None:
    assert nasbench("check", "--baseline", "all.json", "--save", "--store", store).code == 0
    ended = nasbench(*(word.format(written) for word in command.split()))
    assert "Unknown" not in ended.err
    assert ended.code == 0, ended.err


@pytest.mark.parametrize(("written", "label"), [(TURNED, LABEL), (DEFAULT, OTHER)])
def test_it_is_that_method_and_no_other(store: Path, written: str, label: str) -> None:
    assert own_label(written) == label
    shown = read_presented(store, methods=[written])
    assert set(shown.named.values()) == {shown.shown[label]}
    found, meant = (
        compare(store, methods=["random", name], against=name) for name in (written, label)
    )
    assert repr(found) == repr(meant)
    curves = anytime_curves(store)
    assert matched_costs(curves, written).equals(matched_costs(curves, label))
    assert remove_trials(store, methods=[written]) == 3
    with pytest.raises(SuiteError, match="Unknown method"):
        remove_trials(store, methods=[written])


@pytest.mark.parametrize(
    "text",
    ["random", "Random search", "nobody[a=1]", "random[a=1]", "random[", "tpe[a]", "tpe[]", ""],
)
def test_what_makes_no_label_is_as_it_is(text: str) -> None:
    assert own_label(text) == text


def test_what_is_not_there_is_refused_as_it_was_written(store: Path, nasbench: Command) -> None:
    ended = nasbench("store", "remove", store, "--methods", "random[a=1]")
    assert ended.code == 2
    assert "Unknown method 'random[a=1]' of r.sqlite" in ended.err
