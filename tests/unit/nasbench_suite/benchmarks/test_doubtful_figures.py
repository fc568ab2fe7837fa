"""Figures that are likely something else than they are called, said alike by both ways in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hardware.tables import read_table
from nasbench_suite.benchmarks.importing import import_frame, import_table
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import frame_of
from nasbench_suite.spaces import load_finite_space, load_space

MACRO = load_finite_space("nasbench-macro")
CELLS = load_space("nats-tss")
COSTS = np.array([5.0 + sum(map(int, string)) for string in MACRO.all_strings])
Said = Callable[[pd.DataFrame], list[str]]


def by_data_import(folder: Path) -> Said:
    """What ``nasbench data import --latency`` says of a table of costs."""
    accuracies = folder / "accuracies.csv"
    pd.DataFrame({"arch_str": MACRO.all_strings, "c_valid_3": COSTS}).to_csv(accuracies)

    def said(costs: pd.DataFrame) -> list[str]:
        costs.to_csv(folder / "costs.csv", index=False)
        imported = import_table(accuracies, "t", MACRO, latency=[folder / "costs.csv"])
        return [*imported.hints, *imported.left_out.values()]

    return said


def by_hardware_import(folder: Path) -> Said:
    """What ``nasbench hardware import`` says of it."""

    def said(costs: pd.DataFrame) -> list[str]:
        costs.to_csv(folder / "costs.csv", index=False)
        return list(read_table(folder / "costs.csv", MACRO).hints)

    return said


@pytest.fixture(params=[by_data_import, by_hardware_import])
def said(request: pytest.FixtureRequest, tmp_path: Path) -> Said:
    made: Said = request.param(tmp_path)
    return made


def costs(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"arch_str": MACRO.all_strings, **columns})


def test_a_cost_far_from_all_others_may_stand_for_no_figure(said: Said) -> None:
    marked = COSTS.copy()
    marked[[3, 8]] = 9999
    (hint,) = [one for one in said(costs(phone_ms=marked)) if "9999" in one]
    assert hint.startswith("phone_ms is 9999 for 2 architectures, ")
    assert "--missing" in hint


def test_costs_that_differ_as_real_ones_do_are_no_marks(said: Said) -> None:
    slow = COSTS.copy()
    slow[3] = 99 * np.median(COSTS)
    assert not [one for one in said(costs(phone_ms=slow)) if "its median" in one]


def test_columns_without_a_unit_are_named_once(said: Said) -> None:
    found = said(costs(pixel3=COSTS, phone=COSTS, toaster_latency=COSTS, tablet_us=COSTS))
    hints = [one for one in found if "no unit" in one]
    assert hints == [
        "pixel3 and 2 more name no unit and are taken to be in ms: if that is wrong, add the unit "
        "to the name."
    ]


def test_words_in_place_of_figures_are_counted(said: Said) -> None:
    words = pd.Series(COSTS, dtype=object)
    words[[1, 5]] = "OOM"
    found = said(costs(phone_ms=words, tablet_ms=COSTS))
    assert any("no numbers, such as 'OOM', in 2 cells" in one for one in found)


def test_a_table_of_words_alone_says_why_it_has_no_costs(tmp_path: Path) -> None:
    costs(phone_ms="slow").to_csv(tmp_path / "c.csv")
    with pytest.raises(SuiteError, match=r"no column of costs .*no numbers, such as 'slow'"):
        read_table(tmp_path / "c.csv", MACRO)


def test_accuracies_are_no_costs(tmp_path: Path) -> None:
    costs(c_valid_3=COSTS, c_train_time_3=COSTS, phone_ms=COSTS).to_csv(tmp_path / "c.csv")
    table = read_table(tmp_path / "c.csv", MACRO)
    assert list(table.columns) == ["c_train_time_3", "phone_ms"]
    assert table.facts["c_train_time_3"]["unit"] == "s"
    assert "left out c_valid_3: accuracy, which is no cost" in table.hints


@pytest.mark.parametrize(("dataset", "images"), [("cifar100", 5_000), ("imagenet16_120", 3_000)])
def test_one_training_called_validation_after_200_epochs(dataset: str, images: int) -> None:
    """Its publisher has the mean of up to three, so that a column that goes round is a test's."""
    rng = np.random.default_rng(0)
    trainings = rng.integers(images // 10, images, size=(3, CELLS.size)) * 100 / images

    def hints(values: np.ndarray, epochs: int) -> list[str]:
        frame = pd.DataFrame({"arch_str": CELLS.all_strings, f"{dataset}_valid_{epochs}": values})
        found = import_frame(frame, "t", CELLS, force=True).hints
        return [one for one in found if "goes round" in one]

    assert hints(trainings[0], 200)
    assert not hints(trainings[0], 12)
    assert not hints(trainings.mean(axis=0), 200)


@pytest.mark.parametrize(
    "content",
    [
        {"columns": ["architecture", "phone"], "index": [0, 1], "data": [["a", 1.5], ["b", 2.5]]},
        [("a", 1.5), ("b", 2.5)],
        [["a", 1.5], ["b", 2.5]],
    ],
)
def test_pairs_and_rows_beside_their_names_are_tables(content: object) -> None:
    frame = frame_of(content, Path("phone.json"))
    assert frame.to_dict("list") == {"architecture": ["a", "b"], "phone": [1.5, 2.5]}


@pytest.mark.parametrize(
    "content", [{"columns": 5, "data": [1]}, {"columns": ["a"], "data": 3}, [("a", "b")], [(1, 2)]]
)
def test_what_only_looks_like_them_is_none(content: object) -> None:
    with pytest.raises(SuiteError, match="holds no table"):
        frame_of(content, Path("phone.json"))
