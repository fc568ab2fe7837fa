"""``nasbench data``: what it prints, writes and refuses; what it does is tested elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from nasbench_suite.benchmarks import Benchmark, load_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.commands.data import app
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import load_space

MACRO = load_space("nasbench-macro")


pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A table with test accuracies of two seeds, parameters, and a column nobody knows."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"arch_str": MACRO.all_strings})
    for seed in (0, 1):
        frame[f"c_test_seed{seed}"] = rng.uniform(10, 90, size=MACRO.size)
    frame["params"] = np.arange(MACRO.size)
    frame["score"] = 1.5
    frame.to_csv(tmp_path / "source.csv", index=False)
    return tmp_path / "source.csv"


def nasbench_data(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def done(*arguments: object) -> Result:
    result = nasbench_data(*arguments)
    assert result.exit_code == 0, result.output
    return result


def test_import_says_what_it_took_and_what_not(source: Path) -> None:
    result = done("import", source, "--name", "mine", "--space", "nasbench-macro")
    assert result.stdout.startswith("Imported 'mine': 2 metrics of 6,561 architectures")
    assert "left out source.csv: score: nothing says what it is" in result.stderr
    assert "--metric c_test_seed0:split=valid" in result.stderr
    assert list(load_benchmark("mine").metrics) == ["c_test", "params"]


def test_names_of_columns_steer_neither_terminal_nor_shell(source: Path) -> None:
    frame = pd.read_csv(source, dtype={"arch_str": str})
    names = {"score": "\x1b[2Jscore\u202e; echo", "params": "\x1b[2J\u202eparams"}
    frame.rename(columns=names).to_csv(source, index=False)
    facts = f"{names['params']}:quantity=parameters"
    imported = done(
        "import", source, "--name", "mine", "--space", "nasbench-macro", "--metric", facts
    )
    hint = next(line for line in imported.stderr.splitlines() if "echo" in line)
    assert "--metric '\\x1b[2Jscore\\u202e; echo:quantity=accuracy'" in hint
    said = done("info", "mine").output, done("doctor", source, "--space", "nasbench-macro").output
    assert all(r"\u202e" in text and "\u202e" not in text for text in said)


def test_import_options_reach_the_import(source: Path, tmp_path: Path) -> None:
    latency = tmp_path / "latency.csv"
    frame = pd.DataFrame({"network": MACRO.all_strings, "phone": np.arange(1, MACRO.size + 1) / 8})
    frame.to_csv(latency, index=False)
    (tmp_path / "facts.toml").write_text("[metrics.c_test]\nepochs = 36\nprovenance = 'measured'")
    renamed = tmp_path / "renamed.csv"
    pd.read_csv(source, dtype=str).rename(columns={"arch_str": "x"}).to_csv(renamed, index=False)
    arguments = ["import", renamed, "--name", "mine", "--space", "nasbench-macro", "--arch", "x"]
    arguments += ["--latency", latency, "--metadata", tmp_path / "facts.toml"]
    arguments += ["--metric", "c_test_seed0:split=valid", "--metric", "c_test:epochs=300"]
    done(*arguments, "--metric", "score:quantity=robustness,direction=maximize")
    metrics = load_benchmark("mine").metrics
    assert list(metrics) == ["c_test", "c_test_seed0", "params", "score", "phone"]
    assert (metrics["c_test"].epochs, metrics["c_test"].provenance) == (300, "measured")
    assert metrics["c_test_seed0"].split == "valid"
    assert metrics["phone"].quantity == "latency"

    result = nasbench_data(*arguments)
    assert isinstance(result.exception, SuiteError)
    assert "--overwrite" in str(result.exception)
    done(*arguments, "--overwrite")
    assert "score" not in load_benchmark("mine").metrics


def test_import_in_index_order(source: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.csv"
    pd.read_csv(source)[["params"]].to_csv(plain, index=False)
    done("import", plain, "--name", "mine", "--space", "nasbench-macro", "--in-order")
    assert load_benchmark("mine").query(7, "params") == 7


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["import", "nothing.csv", "--name", "x", "--space", "nats-tss"], "no file nothing.csv"),
        (["import", "{source}", "--space", "nasbench-macro"], "needs a name"),
        (["import", "{source}", "--name", "x"], "needs the space"),
        (["import", "{source}", "--name", "x", "--metric", "a"], "Cannot read --metric 'a'"),
        (
            ["import", "{source}", "--name", "x", "--missing", "excluded"],
            "Unknown reason 'excluded'",
        ),
        (
            ["import", "{source}", "--name", "x", "--metadata", "no.toml"],
            "no metadata file no.toml",
        ),
        (["import", "{source}", "--name", "../x", "--space", "nats-tss"], "cannot name"),
        (["info", "nothing"], "Unknown benchmark 'nothing'"),
        (["verify", "nothing"], "Unknown benchmark 'nothing'"),
        pytest.param(
            ["make", "digits", "--journal", "no/folder/j.jsonl"],
            "no folder 'no/folder'",
            marks=pytest.mark.skipif(find_spec("torch") is None, reason="needs torch"),
        ),
    ],
)
def test_bad_input_is_one_sentence(source: Path, arguments: list[str], sentence: str) -> None:
    result = nasbench_data(*(argument.format(source=source) for argument in arguments))
    assert isinstance(result.exception, SuiteError)
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)
    assert "\n" not in result.stderr  # of a progress bar that never began


def test_a_part_of_a_space_is_a_sample(source: Path) -> None:
    source.write_text("".join(source.open().readlines()[:100]))
    words = ("import", source, "--name", "part", "--space", "nasbench-macro")
    refused = str(nasbench_data(*words).exception)
    assert "lacks 6,462 of the 6,561 architectures" in refused
    assert "--partial" in refused
    assert "--missing" in refused
    done(*words, "--partial")
    listed = done("list").stdout
    assert re.search(r"part .* [1-9]\d* kB  ", listed)
    assert " 0.0 MB" not in listed


def test_list(source: Path, home: Path) -> None:
    done("import", source, "--name", "mine", "--space", "nasbench-macro")
    (home / "benchmarks" / "broken.parquet").write_bytes(b"PAR1")
    lines = done("list").stdout.splitlines()
    row = next(line for line in lines if line.startswith("mine"))
    assert row.split()[:5] == ["mine", "nasbench-macro", "c", "2", "6,561"]
    assert any(line.startswith("broken: ") and "not a readable" in line for line in lines)
    entries = {entry["name"]: entry for entry in json.loads(done("list", "--json").stdout)}
    assert list(entries) == ["digits", "digits-top", "broken", "mine"]
    assert (entries["mine"]["rows"], entries["mine"]["datasets"]) == (6561, ["c"])


def test_info_prints_metrics_and_noise_floor(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    folder = shared_data / "nasbench201"
    latency = ["--latency", folder / "latency_ms.parquet"]
    fpga = ["--metric", "fpga:provenance=modelled"]
    accuracy = folder / "accuracy.parquet"
    done("import", accuracy, "--name", "nas201", "--space", "nats-tss", *latency, *fpga)
    lines = done("info", "nas201").stdout.splitlines()
    assert "6,466 of them different, 341 without a path" in lines[0]
    metric, noise = (
        " ".join(line.split()) for line in lines if line.startswith("cifar100_test_200")
    )
    assert metric.startswith("cifar100_test_200 ↑ accuracy % cifar100 test 200 epochs 1 73.513")
    columns = noise.split()
    assert columns[:7] == ["cifar100_test_200", "73.5133", "9930", "0.32", "0.63", "5.62", "0.41"]
    assert columns[-2:] == ["1,350", "twins"]
    assert next(line for line in lines if line.startswith("fpga ")).split()[-1] == "modelled"
    assert "pixel2: 42 distinct values, whole ms" in lines
    facts = json.loads(done("info", "nas201", "--json").stdout)
    assert facts["disconnected"] == 341


def test_info_prints_few_digits() -> None:
    shown = done("info", "digits").stdout
    assert "noise_floor_ms 0.0002338," in shown
    assert not re.search(r"\d\.\d{9}", shown)
    assert "0.0002337778717383093" in done("info", "digits", "--json").stdout


def test_info_of_what_has_no_table() -> None:
    pytest.importorskip("torch")
    shown = done("info", "live:digits", "--space", "nats-tss").stdout
    assert "live:digits[space=nats-tss]: Networks of space nats-tss trained on digits" in shown
    assert "epochs 8" in shown
    assert "checksum: " in shown
    facts = json.loads(done("info", "live:digits", "--space", "nats-tss", "--json").stdout)
    assert {"parameters", "flops"} <= {metric["name"] for metric in facts["metrics"]}


def test_info_of_several_seeds(source: Path) -> None:
    done("import", source, "--name", "mine", "--space", "nasbench-macro")
    lines = done("info", "mine").stdout.splitlines()
    assert any("0, 1" in line for line in lines if line.startswith("c_test"))


def test_verify(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "toy.parquet"
    write_benchmark(toy, path)
    assert done("verify", path).stdout.splitlines()[-1] == f"{path} is sound."
    content = bytearray(path.read_bytes())
    content[1000] ^= 0xFF
    path.write_bytes(content)
    result = nasbench_data("verify", path)
    assert isinstance(result.exception, SuiteError)
    assert "is damaged" in str(result.exception)


def test_make_digits(toy: Benchmark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trains what is asked, then packs; the training itself is tested where it stands."""
    called: list[tuple[Path, list[int], int]] = []

    def train_all(
        journal: Path, seeds: Sequence[int], jobs: int, indices: Sequence[int] | None
    ) -> Iterator[tuple[int, int]]:
        assert indices is None
        called.append((journal, list(seeds), jobs))
        yield 0, 2
        yield 2, 2

    def pack(journal: Path, output: Path) -> Benchmark:
        assert journal == called[0][0]
        write_benchmark(toy, output)
        return toy

    making = pytest.importorskip("nasbench_suite.benchmarks.digits.making")
    pytest.importorskip("torch")
    monkeypatch.setattr(making, "train_all", train_all)
    monkeypatch.setattr(making, "pack", pack)
    journal, output = tmp_path / "j.jsonl", tmp_path / "made.parquet"
    options = ["--journal", journal, "--output", output, "--seeds", "0,3-4", "--jobs", 2]
    result = done("make", "digits", *options)
    assert called == [(journal, [0, 3, 4], 2)]
    assert str(output) in result.stdout
    assert load_benchmark(output).checksum == toy.checksum
