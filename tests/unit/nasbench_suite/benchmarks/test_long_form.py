"""Tables with a row for each architecture and data set: what is said makes them readable."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hardware.tables import read_table
from nasbench_suite.benchmarks.importing import benchmark_from_frame, import_table
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_finite_space

MACRO = load_finite_space("nasbench-macro")
LEVELS = np.array([60.0 + sum(map(int, string)) for string in MACRO.all_strings])


def wide(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({"arch_str": MACRO.all_strings, **columns})


def by_data_set() -> pd.DataFrame:
    parts = [
        wide(dataset=dataset, valid_acc=LEVELS + shift, test_acc=LEVELS + shift + 0.5)
        for shift, dataset in enumerate(("cifar10", "cifar100", "imagenet16_120"))
    ]
    return pd.concat(parts)


def by_data_set_split_and_epochs() -> pd.DataFrame:
    parts = [
        wide(
            dataset=dataset,
            split=split,
            epochs=epochs,
            accuracy=LEVELS + 3.3 * shift + epochs / 50 + (split == "test"),
        )
        for shift, dataset in enumerate(("cifar10", "cifar100"))
        for split in ("valid", "test")
        for epochs in (12, 200)
    ]
    return pd.concat(parts)


def melted() -> pd.DataFrame:
    figures = wide(cifar10_valid_12=LEVELS, cifar10_test_200=LEVELS + 1)
    return figures.melt(id_vars="arch_str")


def by_seed() -> pd.DataFrame:
    return pd.concat([wide(seed=seed, valid_acc=LEVELS + seed / 1e3) for seed in (777, 888)])


def by_device() -> pd.DataFrame:
    return pd.concat([wide(device=f"phone{n}", latency_ms=LEVELS * n) for n in (1, 2)])


LONG = {
    by_data_set: ["cifar10_valid_acc", "cifar100_test_acc"],
    by_data_set_split_and_epochs: ["cifar10_valid_accuracy_12", "cifar100_test_accuracy_200"],
    melted: ["cifar10_valid_12", "cifar10_test_200"],
    by_seed: ["valid_acc"],
    by_device: ["phone1_latency_ms", "phone2_latency_ms"],
}


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("make", LONG)
def test_what_is_said_of_a_long_form_makes_it_readable(
    make: Callable[[], pd.DataFrame], partial: bool, tmp_path: Path
) -> None:
    frame = make().sample(frac=1, random_state=0, ignore_index=True)
    frame.to_csv(tmp_path / "long.csv", index=False)
    with pytest.raises(SuiteError, match="in long form, with a row for each") as refused:
        benchmark_from_frame(frame, MACRO, partial=partial)
    with pytest.raises(SuiteError, match="in long form, with a row for each"):
        import_table(tmp_path / "long.csv", "t", MACRO, partial=partial)
    lines = re.search(r"wide = .*", str(refused.value))
    assert lines is not None
    names: dict[str, pd.DataFrame] = {"frame": frame}
    exec(lines[0], {}, names)
    benchmark = benchmark_from_frame(names["wide"], MACRO)
    assert set(LONG[make]) <= set(benchmark.metrics)
    assert make is not by_seed or benchmark.metric("valid_acc").seeds == (777, 888)


def test_costs_in_long_form_are_refused_alike(tmp_path: Path) -> None:
    by_device().to_csv(tmp_path / "long.csv", index=False)
    with pytest.raises(SuiteError, match=r"device \(device: phone1, phone2\).*wide = frame\.pivot"):
        read_table(tmp_path / "long.csv", MACRO)


def test_rows_repeated_by_mistake_are_no_long_form() -> None:
    frame = wide(valid_acc=LEVELS, part=np.arange(MACRO.size) % 2)
    again = frame.head(3).assign(valid_acc=1.0, part=[1, 0, 1])
    with pytest.raises(SuiteError, match=r"twice .* keep one row"):
        benchmark_from_frame(pd.concat([frame, again]), MACRO)
    copied = pd.concat([frame.assign(part=0), frame.assign(part=1)])
    assert benchmark_from_frame(copied.drop(columns="part"), MACRO).values("valid_acc")[0] > 0
