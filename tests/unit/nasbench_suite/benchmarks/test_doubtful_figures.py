"""Figures that are likely something else than they are called, said alike by both ways in."""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hardware.tables import read_table
from nasbench_suite.benchmarks.columns import infer_facts, read_metadata_file
from nasbench_suite.benchmarks.doctor import examine
from nasbench_suite.benchmarks.importing import (
    benchmark_from_frame,
    import_frame,
    import_table,
)
from nasbench_suite.benchmarks.metric import Metric
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
    full = np.where(marked == 9999, 65535.0, marked * 200)  # what 16 bits hold, in microseconds
    (hint,) = [one for one in said(costs(phone_us=full)) if "65535" in one]
    assert "times the next: if that stands for no figure" in hint
    assert "--missing" in hint


def test_costs_that_differ_as_real_ones_do_are_no_marks(said: Said) -> None:
    slow = COSTS.copy()
    slow[3] = 99 * np.median(COSTS)
    assert not [one for one in said(costs(phone_ms=slow)) if "its median" in one]


def test_costs_that_no_device_has_are_of_another_unit(said: Said) -> None:
    found = said(costs(tablet_ms=COSTS * 1000, phone_ms=COSTS / 1e6, pixel_ms=COSTS))
    hints = [one for one in found if "has a median of" in one]
    assert len(hints) == 2
    assert re.search(r"these are microseconds, .*(unit=|end in _)us\.$", hints[0])
    assert re.search(r"these are seconds, .*(unit=|end in _)s\.$", hints[1])


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


@pytest.mark.parametrize("cell", ["1,100", "1 000.00", "60.0 ± 0.2"])
def test_numbers_that_are_written_otherwise_are_told_how(said: Said, cell: str) -> None:
    found = said(costs(phone_ms=cell, tablet_ms=COSTS))
    assert any(f"{cell!r}; write plain ones, with a decimal point" in one for one in found)


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


@pytest.mark.parametrize("name", ["peak_memory", "power_draw", "model_size", "top1_final"])
def test_names_of_other_quantities_are_no_latencies(said: Said, name: str) -> None:
    with pytest.raises(SuiteError, match=f"{name!r} seems to be .*, not a latency: .*leave it out"):
        said(costs(**{name: COSTS}))


def test_seeds_and_spreads_are_no_costs(tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    costs(c_test_seed0=COSTS, phone_ms_std=COSTS, phone_ms=COSTS).to_csv(file, index=False)
    table = read_table(file, MACRO)
    assert list(table.columns) == ["phone_ms"]
    assert "left out c_test_seed0: accuracy, which is no cost" in table.hints


@pytest.mark.parametrize(
    "name", ["final_validation_accuracy", "trainable_parameters", "num_params"]
)
def test_words_of_the_field_are_no_data_sets(name: str) -> None:
    assert "dataset" not in infer_facts(name)


@pytest.mark.parametrize("name", ["cifar100_phone_ms", "phone_cifar100_ms"])
def test_a_data_set_in_the_name_of_a_cost_is_its_data_set(name: str) -> None:
    assert infer_facts(name)["dataset"] == "cifar100"


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("c_valid_3", lambda test: test / 100),
        ("c_valid_error_3", lambda test: 100 - test),
        ("c_valid_error_3", lambda test: 1 - test / 100),
    ],
)
def test_a_validation_that_is_a_test_on_another_scale_is_named(
    name: str, figures: Callable[[np.ndarray], np.ndarray]
) -> None:
    test = 60 + COSTS
    frame = costs(c_test_3=test, **{name: figures(test)})
    hints = import_frame(frame, "t", MACRO).hints
    assert any(f"{name} holds the figures of c_test_3" in hint for hint in hints)


@pytest.mark.parametrize("way", ["one share", "one percentage"])
def test_one_figure_on_another_scale_is_refused(way: str) -> None:
    test = (60 + COSTS) / (1 if way == "one share" else 100)
    test[MACRO.size // 2] *= 0.01 if way == "one share" else 100
    with pytest.raises(SuiteError, match="mixes shares of 1, such as 0"):
        import_frame(costs(c_test_3=test), "t", MACRO)


@pytest.mark.parametrize("part", [MACRO.size, 81])
def test_zeros_lost_in_front_of_digits_are_put_back(tmp_path: Path, part: int) -> None:
    strings = sorted(MACRO.all_strings)[:part]
    figures = [60.0 + sum(map(int, string)) for string in strings]
    file = tmp_path / "t.csv"
    frame = pd.DataFrame({"arch_str": list(map(int, strings)), "c_valid_3": figures})
    frame.to_csv(file, index=False)
    imported = import_table(file, "t", MACRO, partial=part < MACRO.size)
    assert imported.benchmark.query(strings[5], "c_valid_3") == figures[5]
    assert "arch_str had lost zeros in front, as in 0." in imported.hints


def test_vectors_with_the_last_decision_first_are_warned_of() -> None:
    figures = 60 + COSTS[MACRO.representatives][MACRO.classes]
    figures += np.array([int(string[0]) for string in MACRO.all_strings])
    vectors = [[int(c) for c in reversed(string)] for string in MACRO.all_strings]
    frame = pd.DataFrame({"arch": vectors, "c_valid_3": figures})
    assert "'lexicographic-reversed'" in import_frame(frame, "t", MACRO).warnings[0]
    right = frame.assign(arch=[vector[::-1] for vector in vectors])
    assert import_frame(right, "t", MACRO).warnings == []


def test_what_stands_for_no_figure_is_left_empty() -> None:
    marked = np.where(np.arange(MACRO.size) < 5, -999, COSTS)
    with pytest.raises(SuiteError, match="leave those cells empty and say why with --missing"):
        import_frame(costs(phone_ms=marked), "t", MACRO)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_metadata_in_every_encoding_of_a_table(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "m.toml"
    file.write_text("[metrics.phone_ms]\nresolution = 32\n", encoding=encoding)
    assert read_metadata_file(file).metrics["phone_ms"].resolution == "32"


def test_metadata_of_any_line_ends_and_none_of_an_unknown_encoding(tmp_path: Path) -> None:
    file = tmp_path / "m.toml"
    file.write_bytes(b"[metrics.phone_ms]\rresolution = 32\r")
    assert read_metadata_file(file).metrics["phone_ms"].resolution == "32"
    file.write_bytes(b"[metrics.phone_ms]\nnote = 'gr\xf6sser'\n")
    with pytest.raises(SuiteError, match=r"m.toml is text in .*: save it as UTF-8\.$"):
        read_metadata_file(file)


def test_metadata_that_is_no_table_of_keys(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("[1]")
    with pytest.raises(SuiteError, match="no table of keys: give metrics, about, or both"):
        read_metadata_file(tmp_path / "m.json")


def test_a_sample_of_a_space_too_large_to_list_is_examined(tmp_path: Path) -> None:
    networks = ["-".join([str(block)] * 22) for block in range(9)]
    pd.DataFrame({"ops": networks, "phone_ms": COSTS[:9]}).to_csv(tmp_path / "t.csv", index=False)
    assert "space: fbnet, too large to list" in examine(tmp_path / "t.csv")


def test_files_within_a_folder_are_named(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "t.csv").write_text("x")
    with pytest.raises(SuiteError, match=r"such as a/b/t\.csv"):
        import_table(tmp_path, "t", MACRO)


def test_a_frame_of_a_sample_is_a_benchmark() -> None:
    networks = ["-".join([str(block)] * 22) for block in range(9)]
    frame = pd.DataFrame({"ops": networks, "phone_ms": COSTS[:9]})
    assert benchmark_from_frame(frame, "fbnet").query(networks[3], "phone_ms") == COSTS[3]
    part = costs(phone_ms=COSTS).head(9)
    assert benchmark_from_frame(part, "nasbench-macro", partial=True).space.size == 9


def test_a_metric_added_in_python_is_doubted_as_an_imported_one_is() -> None:
    frame = costs(cifar10_test_3=50 + COSTS, phone_ms=COSTS / 1e4)
    with pytest.warns(UserWarning, match="phone_ms has a median of .*: if these are seconds"):
        benchmark = benchmark_from_frame(frame, "nasbench-macro")
    signal = Metric("signal", dataset="cifar10", split="valid", epochs=3)
    with pytest.warns(UserWarning, match="signal holds the figures of cifar10_test_3") as told:
        mended = benchmark.with_metric(signal, 50 + COSTS)
    assert len(told) == 1, "what was doubted before is not said again"
    with pytest.warns(UserWarning, match="signal holds the figures of cifar10_test_3"):
        mended.with_metric(signal, 50 + COSTS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mended.with_metric(signal, 49 + COSTS)


# -- accuracies ----------------------------------------------------------------------------------


def hints_of(name: str, values: np.ndarray) -> list[str]:
    """What is said of one column of cells of NAS-Bench-201, whose order is not the point."""
    frame = pd.DataFrame({"arch_str": CELLS.all_strings, name: values})
    hints = import_frame(frame, "t", CELLS, force=True).hints
    return [one for one in hints if one.startswith(name)]


def accuracies(best: float) -> np.ndarray:
    """With a long tail of bad ones, as real ones."""
    worst = np.random.default_rng(0).gamma(1.5, 4, CELLS.size)
    return best - np.minimum(worst, best - 20)


def test_zeros_below_all_others_may_stand_for_no_figure() -> None:
    failed = accuracies(92.0)
    failed[[2, 5, 9]] = 0
    (hint,) = hints_of("cifar10_valid_12", failed)
    assert "accuracy of 0 for 3 architectures and of 42 % or more for all others" in hint
    assert "--missing" in hint
    failed[3] = 0.4  # so bad that 0 is possible
    assert not hints_of("cifar10_valid_12", failed)
    assert not hints_of("cifar10_valid_12", accuracies(92.0))
    assert hints_of("cifar10_valid_error_12", np.where(failed == 0.4, 50, 100 - failed))


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("digits_valid_12", "quantity=error,direction=minimize"),
        ("digits_valid_error_12", "quantity=accuracy,direction=maximize"),
    ],
)
def test_an_accuracy_that_is_turned_round_is_named(name: str, other: str) -> None:
    right = accuracies(92.0) if "error" not in name else 100 - accuracies(92.0)
    for scale in (1, 0.01):
        assert not hints_of(name, right * scale)
        hints = hints_of(name, (100 - right) * scale)
        assert any(f"--metric {name}:{other}" in hint for hint in hints)


@pytest.mark.parametrize(
    ("called", "best", "meant"),
    [
        ("imagenet16_120_test_200", 94.4, "cifar10"),
        ("ImageNet16-120_valid_12", 61.3, "cifar100"),
        ("cifar100_test_200", 94.4, "cifar10"),
        ("cifar10_valid_200", 47.3, "imagenet16_120"),
        ("CIFAR-10 Test Acc. (%)", 73.5, "cifar100"),
    ],
)
def test_figures_of_another_data_set_are_named(called: str, best: float, meant: str) -> None:
    hints = [one for one in hints_of(called, accuracies(best)) if "as its best" in one]
    assert f"--metric {shlex.quote(f'{called}:dataset={meant}')}" in hints[0]


@pytest.mark.parametrize(
    ("called", "best"),
    [
        *(("cifar10_test_200", 94.4), ("cifar100_test_200", 73.5)),
        *(("imagenet16_120_test_200", 47.3), ("cifar10_valid_12", 84.9)),
        *(("cifar100_valid_12", 61.3), ("imagenet16_120_valid_12", 38.7)),
        *(("cifar10_valid_1", 40.0), ("cifar100_train_200", 99.9), ("digits_test_8", 45.0)),
    ],
)
def test_the_best_that_is_known_of_a_data_set_is_no_doubt(called: str, best: float) -> None:
    assert not [one for one in hints_of(called, accuracies(best)) if "as its best" in one]


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("CIFAR-10 Valid Acc. (%)", {"dataset": "cifar10", "split": "valid"}),
        ("CIFAR-100 test accuracy [%]", {"dataset": "cifar100", "split": "test"}),
        ("ImageNet16-120_valid_12", {"dataset": "imagenet16_120", "split": "valid"}),
        ("validAccuracy", {"quantity": "accuracy", "split": "valid"}),
        ("cifar10_testErr", {"quantity": "error", "split": "test"}),
        ("cifar10_val_top-1", {"quantity": "accuracy", "split": "valid"}),
        ("latency_s_phone", {"quantity": "latency", "unit": "s", "device": "phone"}),
    ],
)
def test_headers_of_spreadsheets_are_understood(name: str, facts: dict[str, str]) -> None:
    assert infer_facts(name).items() >= facts.items()


# -- architectures -------------------------------------------------------------------------------


def test_two_columns_that_name_different_architectures_are_told() -> None:
    frame = costs(c_valid_3=60 + COSTS)
    for other, told in ((MACRO.all_strings, False), (MACRO.all_strings[::-1], True)):
        hints = import_frame(frame.assign(network=other), "t", MACRO).hints
        found = [one for one in hints if "columns arch_str and network name different" in one]
        assert bool(found) == told


def test_vectors_as_text_are_read_in_spaces_too_large_to_list(tmp_path: Path) -> None:
    space = load_space("mnasnet")
    rng = np.random.default_rng(0)
    networks = [space.sample(rng) for _ in range(5)]
    for written in (str, lambda network: str(list(network)).replace(" ", "")):
        frame = pd.DataFrame({"arch": map(written, networks), "phone_ms": COSTS[:5]})
        frame.to_csv(tmp_path / "t.csv", index=False)
        pool = import_table(tmp_path / "t.csv", "t", space).benchmark.space
        assert pool.strings == tuple(map(space.string, networks))
