"""The contracts can fail: parts that break them, each in one way, turn the right test red."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import broken_parts
import pytest

from nasbench_suite import registry
from nasbench_suite.testing import (
    Contract,
    ExecutorContract,
    FormatContract,
    MethodContract,
    PredictorContract,
    ProxyContract,
    SpaceContract,
    SupernetContract,
)


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of ``broken_parts`` by its name in small letters, besides those installed."""
    installed = registry.entries

    def entries(kind: str) -> dict[str, registry.Entry]:
        chosen = registry.choose_kind(kind)
        made = {
            name.lower(): registry.Entry(
                chosen,
                name.lower(),
                f"broken_parts:{name}",
                EntryPoint(name.lower(), f"broken_parts:{name}", chosen.group),
            )
            for name in vars(broken_parts)
            if kind != "benchmarks"  # none of them is one
        }
        return {**made, **installed(kind)}

    monkeypatch.setattr(registry, "entries", entries)


class Formats(FormatContract):
    def source(self, name: str, folder: Path) -> Path:
        return broken_parts.write_plain(folder)


def run(contract: Contract, test: str, name: str, request: pytest.FixtureRequest) -> None:
    """One test of a contract, with the fixtures it asks for."""
    if isinstance(contract, SupernetContract):
        pytest.importorskip("torch", reason="supernets need the extra 'torch'")
    function = getattr(contract, test)
    wanted = [part for part in inspect.signature(function).parameters if part != "name"]
    for arguments in _cases(function, wanted, request):
        function(name, **arguments)


def _cases(
    function: Any, wanted: list[str], request: pytest.FixtureRequest
) -> Iterator[dict[str, Any]]:
    marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
    if marks:
        yield from ({marks[0].args[0]: value} for value in marks[0].args[1])
    else:
        yield {part: request.getfixturevalue(part) for part in wanted}


METHODS = MethodContract()
SPACES = SpaceContract()
SUPERNETS = SupernetContract()
SAME_SEARCH = "test_a_search_is_the_same_left_and_gone_on_with"
SOUND = [
    (METHODS, "sound"),
    (SUPERNETS, "soundsupernet"),
    (SPACES, "letters"),
    (SPACES, "nasbench-macro"),
    (ProxyContract(), "length"),
    (PredictorContract(), "linear"),
    (Formats(), "plain"),
]


@pytest.mark.parametrize(
    ("contract", "test", "name"),
    [
        (contract, test, name)
        for contract, name in SOUND
        for test in dir(contract)
        if test.startswith("test_")
    ],
)
def test_sound_parts_pass(
    contract: Contract, test: str, name: str, request: pytest.FixtureRequest
) -> None:
    run(contract, test, name, request)


@pytest.mark.parametrize(
    ("contract", "test", "name"),
    [
        (METHODS, "test_it_is_described_and_can_be_named", "undescribed"),
        (METHODS, "test_it_is_described_and_can_be_named", "unwritable"),
        (METHODS, "test_it_is_described_and_can_be_named", "misspelt"),
        (METHODS, "test_the_same_seed_gives_the_same_record", "global"),
        (METHODS, "test_the_same_seed_gives_the_same_record", "globalpython"),
        (METHODS, "test_the_same_seed_gives_the_same_record", "sharing"),
        (METHODS, "test_a_copy_searches_as_the_original", "sharing"),
        (METHODS, "test_it_goes_on_from_a_checkpoint", "forgetting"),
        (METHODS, "test_it_goes_on_from_a_checkpoint", "pickling"),
        (METHODS, "test_any_settings_work_or_are_refused", "brittle"),
        (METHODS, "test_any_settings_work_or_are_refused", "late"),
        (METHODS, "test_several_objectives", "singleminded"),
        (SUPERNETS, "test_it_is_described_and_can_be_named", "undescribed"),
        (SUPERNETS, SAME_SEARCH, "globalsupernet"),
        (SUPERNETS, SAME_SEARCH, "silentsupernet"),
        (SUPERNETS, SAME_SEARCH, "forgettingsupernet"),
        (SUPERNETS, SAME_SEARCH, "seedlesssupernet"),
        (SUPERNETS, "test_other_spaces_are_searched_or_refused", "topologysupernet"),
        (SPACES, "test_it_has_one_name", "misnamed"),
        (SPACES, "test_it_has_one_name", "undescribedspace"),
        (SPACES, "test_drawing_depends_on_the_generator_alone", "drifting"),
        (SPACES, "test_drawing_depends_on_the_generator_alone", "constant"),
        (SPACES, "test_it_is_made_anew_in_another_process", "drifting"),
        (SPACES, "test_what_is_drawn_is_read_and_written", "reversing"),
        (SPACES, "test_nonsense_is_refused", "credulous"),
        (SPACES, "test_neighbours_are_mutual", "selfsame"),
        (SPACES, "test_neighbours_are_mutual", "oneway"),
        (SPACES, "test_a_mutant_is_a_neighbour", "leaping"),
        (SPACES, "test_a_mutant_is_a_neighbour", "still"),
        (SPACES, "test_a_child_is_an_architecture", "stranger"),
        (SPACES, "test_canonical_keys_are_of_the_architecture", "unhashable"),
        (SPACES, "test_features_are_numbers", "relative"),
        (SPACES, "test_features_are_numbers", "infinite"),
        (SPACES, "test_a_listed_space_is_numbered", "doubled"),
        (ProxyContract(), "test_scores_are_numbers_that_differ", "flat"),
        (ProxyContract(), "test_scores_are_numbers_that_differ", "missing"),
        (ProxyContract(), "test_a_score_depends_on_its_subject_alone", "counting"),
        (PredictorContract(), "test_it_predicts_what_it_has_not_seen", "certain"),
        (PredictorContract(), "test_it_predicts_what_it_has_not_seen", "backward"),
        (PredictorContract(), "test_it_depends_on_what_it_is_given_alone", "moody"),
        (PredictorContract(), "test_it_depends_on_what_it_is_given_alone", "placed"),
        (PredictorContract(), "test_an_update_takes_further_figures", "forgetful"),
        (ExecutorContract(), "test_results_are_those_of_one_process", "losing"),
        (ExecutorContract(), "test_results_are_those_of_one_process", "reseeding"),
        (Formats(), "test_it_knows_its_own_and_no_other", "greedy"),
        (Formats(), "test_it_knows_its_own_and_no_other", "raising"),
        (Formats(), "test_what_is_imported_is_sound", "noisy"),
        (Formats(), "test_a_damaged_file_is_told", "careless"),
    ],
    ids=lambda part: part if isinstance(part, str) else type(part).__name__,
)
def test_a_broken_part_turns_its_test_red(
    contract: Contract, test: str, name: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises((Exception, pytest.fail.Exception)) as caught:
        run(contract, test, name, request)
    assert not isinstance(caught.value, NotImplementedError), caught.value
