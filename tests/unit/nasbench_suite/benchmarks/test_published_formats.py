"""Excerpts, samples and packages through ``nasbench data import``."""

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.benchmarks.library import import_benchmark, load_benchmark, verify_benchmark
from nasbench_suite.errors import SuiteError

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("folder", "space", "epochs"),
    [("NATS-tss-v1_0-3ffb9-simple", "tss", 200), ("NATS-sss-v1_0-50262-simple", "sss", 90)],
)
def test_excerpt_of_an_official_archive(shared_data, folder, space, epochs):
    path = shared_data / "nats_official_sample" / folder
    with pytest.raises(SuiteError, match="lacks 000001"):
        import_benchmark(path, "excerpt")
    import_benchmark(path, "excerpt", partial=True)
    benchmark = load_benchmark("excerpt")
    assert not verify_benchmark("excerpt").faults
    figures = pd.read_parquet(path.parent / "figures.parquet")
    figures = figures[(figures.space == space) & (figures.epochs == epochs)]
    assert benchmark.space.size == 3
    compared = 0
    for (arch, dataset), rows in figures.groupby(["arch", "dataset"]):
        column = {"cifar10": "ori_test", "cifar10-valid": "x_valid"}.get(dataset, "x_test")
        split = "valid" if column == "x_valid" else "test"
        name = {"ImageNet16-120": "imagenet16_120"}.get(dataset, dataset)
        found = benchmark.query(arch, f"{name}_{split}_{epochs}")
        assert found == pytest.approx(rows[column].mean(), rel=1e-12)
        compared += 1
    assert compared == 12


def test_sample_of_a_space_too_large_to_list(shared_data, tmp_path):
    table = pd.read_parquet(shared_data / "mobile/fbnet_latency.parquet").head(200)
    table.loc[table.index[:7], "pixel3_ms"] = np.nan
    table.to_parquet(tmp_path / "fbnet.parquet")
    import_benchmark(tmp_path / "fbnet.parquet", "fbnet", "fbnet")
    benchmark = load_benchmark("fbnet")
    assert benchmark.space.size == 200
    assert benchmark.missing("pixel3_ms") == {"not measured": 7}
    assert benchmark.query(table.ops[100], "raspi4_ms") == table.raspi4_ms[100]
    with pytest.raises(SuiteError, match="not among the 200"):
        benchmark.query("-".join("0" * 22), "raspi4_ms")


def test_sample_of_a_listed_space_is_no_full_table(shared_data, tmp_path):
    table = pd.read_parquet(shared_data / "nasbench_macro/accuracy.parquet").head(900)
    table.to_parquet(tmp_path / "macro.parquet")
    with pytest.raises(SuiteError, match="lacks 5,661 of the 6,561 architectures"):
        import_benchmark(tmp_path / "macro.parquet", "macro", "nasbench-macro")
    import_benchmark(tmp_path / "macro.parquet", "macro", "nasbench-macro", partial=True)
    assert load_benchmark("macro").space.size == 900


def test_strings_with_blanks_are_read_as_they_stand(tmp_path):
    table = pd.DataFrame(
        {
            "architecture": ["0100 input,output", "011001000 input,maxpool3x3,output"],
            "cifar10_valid_108": [90.0, 91.0],
        }
    )
    table.to_csv(tmp_path / "modules.csv", index=False)
    import_benchmark(tmp_path / "modules.csv", "modules", "nasbench101")
    assert load_benchmark("modules").query("0100 input,output", "cifar10_valid_108") == 90.0


def test_package_of_another_space_is_refused():
    with pytest.raises(SuiteError, match="not 'nats-tss'"):
        import_benchmark("nas-bench-graph", space="nats-tss")
