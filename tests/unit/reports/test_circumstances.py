"""What a file says of a latency, from the file to leaderboards, reports and captions of figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from nasbench_suite.analysis.results import read_results
from nasbench_suite.benchmarks.columns import MetadataFile, merge_facts, parse_fact
from nasbench_suite.benchmarks.importing import import_table
from nasbench_suite.commands.app import build_app
from nasbench_suite.runner import run
from nasbench_suite.spaces import load_finite_space
from reports.figures.attainment import attainment_data
from reports.html.pareto import pareto_panel

MACRO = load_finite_space("nasbench-macro")
SAID = (
    "cifar100_phone_ms:resolution=32x32,batch=4,runtime=tflite,precision=int8,provenance=modelled"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Searches on ImageNet16-120 with the latency of CIFAR-100."""
    folder = tmp_path_factory.mktemp("circumstances")
    figures = 50.0 + np.arange(MACRO.size) % 7 + MACRO.all_vectors.sum(1)
    names = [f"{d}_{s}_3" for d in ("cifar100", "imagenet16_120") for s in ("valid", "test")]
    costs = {"cifar100_phone_ms": MACRO.all_vectors.sum(1) + 1.5}
    frame = pd.DataFrame({"arch_str": MACRO.all_strings, **dict.fromkeys(names, figures), **costs})
    frame.to_csv(folder / "t.csv", index=False)
    facts = merge_facts(MetadataFile(), [parse_fact(SAID)])
    benchmark = import_table(folder / "t.csv", "t", MACRO, metadata=facts).benchmark
    path = folder / "r.sqlite"
    searched = {"dataset": "imagenet16_120", "objectives": ["cifar100_phone_ms"], "evaluations": 8}
    run(benchmark, "random", **searched, seeds=[0, 1], store=path)
    return path


@pytest.mark.parametrize("command", ["leaderboard", "fronts"])
def test_boards_say_how_a_latency_was_measured(store: Path, command: str) -> None:
    said = " ".join(
        CliRunner().invoke(build_app(), [command, "--store", str(store)]).output.split()
    )
    assert (
        "are modelled; at 32x32, batch 4, tflite, int8; of CIFAR-100, and the search is on "
        "ImageNet16-120." in said
    )


def test_captions_and_axes_say_how_a_latency_was_measured(store: Path) -> None:
    results = read_results(store)
    label = attainment_data(results)["x_label"].iloc[0]
    name, below = label.splitlines()
    assert "CIFAR-100" in name
    assert below == "32x32, batch 4, tflite, int8"
    section = pareto_panel(results)
    assert section is not None
    (block,) = section.blocks
    assert "are modelled; at 32x32, batch 4, tflite, int8; of CIFAR-100" in block.caption
