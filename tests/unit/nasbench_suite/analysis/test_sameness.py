"""Methods that are one method by two names, and settings without effect, are said on the board."""

from dataclasses import dataclass, replace

import pytest

from nasbench_suite.analysis import sameness
from nasbench_suite.analysis.leaderboard import leaderboard, results_boards
from nasbench_suite.analysis.results import read_results
from nasbench_suite.analysis.sameness import identical_methods, idle_settings
from nasbench_suite.runner import run
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method
from reports.tables.rendering import leaderboard_sheet
from search_methods.random_search import RandomSearch

EVOLUTION = "regularized-evolution"
SMALL = f"{EVOLUTION}[population_size=5,sample_size=2]"


@dataclass
class SameEnd(RandomSearch):
    """As random search, but the first two evaluations come the other way round."""

    def step(self, session):
        if session.trainings == 0:
            first, second = (session.space.sample(session.rng) for _ in range(2))
            session.evaluate(second)
            session.evaluate(first)
        else:
            super().step(session)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    store = tmp_path_factory.mktemp("sameness") / "re.sqlite"
    methods = ["random", EVOLUTION, SMALL, "local-search", ("swapped", SameEnd())]
    run("digits", methods, seeds=range(3), evaluations=20, store=store)
    return read_results(store)


def ran(results):
    return {label: key for key, label in results.named.items()}


def test_methods_with_the_same_records_are_one(results):
    (key,) = results.tasks
    assert identical_methods(results, key) == [["random", EVOLUTION]]


def test_what_ends_alike_is_not_taken_for_the_same(results, monkeypatch):
    """The swapped search ends where random search does: only its record tells them apart."""
    (key,) = results.tasks
    monkeypatch.setattr(sameness, "_COMPARED", ("evaluations",))
    assert identical_methods(results, key) == [["random", EVOLUTION]]


def test_a_setting_that_cannot_act_is_said(results):
    (key,) = results.tasks
    (said,) = idle_settings(results, key, ran(results))
    assert said.startswith(f"{EVOLUTION}: its beginning takes 100 evaluations and the budget is 20")


def test_the_board_says_both(results):
    rows = leaderboard(results.path)
    (table,) = leaderboard_sheet(results, rows).tables[:1]
    notes = " ".join(table.notes)
    assert f"random and {EVOLUTION} made the same evaluations with every seed" in notes
    assert "its beginning takes 100 evaluations" in notes


def test_rows_say_both(results):
    rows = leaderboard(results.path).set_index("method")
    assert rows["same_as"][EVOLUTION] == "random"
    assert rows["same_as"].drop(EVOLUTION).isna().all()
    assert set(rows["evaluations"]) == {20.0}


def test_each_task_is_read_once_for_the_whole_board(results, monkeypatch):
    """Board, scores, and what is said below: of 1e6 trials reading takes most of the time."""
    read = []
    trials = ResultStore.trials
    monkeypatch.setattr(ResultStore, "trials", lambda *args: read.append(args[1:]) or trials(*args))
    again = replace(results, last={})
    boards = results_boards(again)
    leaderboard_sheet(again, boards.rows, boards.overall)
    assert len(read) == 1


def test_methods_of_a_task_are_held_against_each_other_once(results, monkeypatch):
    """By the board, and by the command that says beside it which of them are one."""
    looked = []
    look = sameness._identical
    monkeypatch.setattr(sameness, "_identical", lambda *args: looked.append(args) or look(*args))
    again = replace(results, last={}, alike={})
    (key,) = again.tasks
    boards = results_boards(again)
    (said,) = sameness.told_same(again, key)
    assert "random" in said
    assert boards.rows["same_as"].notna().sum() == len(looked) == 1


def test_a_method_that_is_not_installed_spoils_nothing(results, monkeypatch):
    (key,) = results.tasks

    def missing(name, config):
        raise sameness.SuiteError(f"no method {name}")

    monkeypatch.setattr(sameness, "make_method", missing)
    assert list(idle_settings(results, key, ran(results))) == []
    assert issubclass(SameEnd, Method)
