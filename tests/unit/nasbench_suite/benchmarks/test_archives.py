"""Official archives: what our tables hold against what the official APIs answer.

The archives are small, but built of the official classes in the official structure, and both
sides read the same file.
"""

from __future__ import annotations

import bz2
import itertools
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from nasbench_suite import load_benchmark, load_space
from nasbench_suite.benchmarks.nasbench201_archive import import_nasbench201, read_nasbench201
from nasbench_suite.benchmarks.nats_archive import (
    ArchiveFigures,
    import_nats,
    read_nats,
    recognise,
)
from nasbench_suite.commands.data import app
from nasbench_suite.errors import SuiteError

EVALUATED = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
SEEDS = {"cifar10-valid": (777, 888, 999), "cifar10": (777, 888), "cifar100": (777,)}
FILES = {
    "nats-tss": "NATS-tss-v1_0-3ffb9.pickle.pbz2",
    "nats-sss": "NATS-sss-v1_0-50262.pickle.pbz2",
    "nas-bench-201": "NAS-Bench-201-v1_1-096897.pth",
}
EPOCHS = {"nats-tss": (12, 200), "nats-sss": (1, 12, 90), "nas-bench-201": (12, 200)}
EXCERPT = (0, 1, 6111, 15_624)
each_kind = pytest.mark.parametrize("kind", FILES)


def record(
    api: Any,
    index: int,
    architecture: str,
    epochs: int,
    rng: np.random.Generator,
    seeds: dict[str, Sequence[int]] = SEEDS,
) -> dict[str, Any]:
    """One architecture's trainings at one number of epochs, as the official classes write them."""
    results = api.ArchResults(index, architecture)
    size = float(rng.uniform(0.1, 2)), float(rng.uniform(10, 200))
    for data_set, sets in EVALUATED.items():
        for seed in seeds.get(data_set, (777,)):

            def curve() -> dict[int, float]:
                return {epoch: float(rng.uniform(1, 99)) for epoch in range(epochs)}

            result = api.ResultsCount(
                data_set,
                None,
                curve(),
                curve(),
                *size,
                {"name": "infer.tiny", "channel": 16, "arch_str": architecture},
                seed,
                epochs,
                None if data_set == "cifar10" else rng.uniform(0.01, 0.1, size=3).tolist(),
            )
            result.update_train_info(curve(), curve(), curve(), curve())
            keys = [f"{name}@{epoch}" for name in sets for epoch in range(epochs)]
            draw = [dict(zip(keys, rng.uniform(1, 99, len(keys)).tolist(), strict=True))] * 3
            draw = [{key: value * (1 + i) for key, value in draw[i].items()} for i in range(3)]
            result.update_eval(*draw)
            results.update(data_set, seed, result)
    state: dict[str, Any] = results.state_dict()
    return state


def build(kind: str, indices: Sequence[int], epochs: Sequence[int], full_list: bool) -> Any:
    """The content of an archive with figures of ``indices``."""
    if kind == "nas-bench-201":
        pytest.importorskip("torch")
        api = pytest.importorskip("nas_201_api.api_utils")
        names = ["less", "full"]
    else:
        api = pytest.importorskip("nats_bench.api_utils")
        names = [f"{epoch:02d}" for epoch in epochs]
    space = load_space("nats-sss" if kind == "nats-sss" else "nats-tss")
    rng = np.random.default_rng(7)
    listed = range(space.size) if full_list else indices
    architectures = [space.string(index) for index in listed]
    return {
        "meta_archs": architectures,
        "arch2infos": {
            position: {
                name: record(api, position, architectures[position], epoch, rng)
                for name, epoch in zip(names, epochs, strict=True)
            }
            for position in (indices if full_list else range(len(indices)))
        },
        "evaluated_indexes": set(indices) if full_list else set(range(len(indices))),
    }


def write(kind: str, content: Any, folder: Path) -> Path:
    """Write an archive as its authors do."""
    path = folder / FILES[kind]
    if kind == "nas-bench-201":
        import torch

        torch.save(content, path)
    else:
        from nats_bench.api_utils import pickle_save

        pickle_save(content, str(path).removesuffix(".pbz2"))
    return path


def write_folder(kind: str, content: Any, folder: Path) -> Path:
    """Write the ``-simple`` form."""
    from nats_bench.api_utils import pickle_save

    path = folder / (FILES[kind].removesuffix(".pickle.pbz2") + "-simple")
    path.mkdir()
    pickle_save({**content, "arch2infos": None}, str(path / "meta.pickle"))
    for index, records in content["arch2infos"].items():
        pickle_save(records, str(path / f"{index:06d}.pickle"))
    return path


def official(kind: str, path: Path) -> Any:
    """The official API on an archive."""
    if kind == "nas-bench-201":
        import torch
        from nas_201_api import NASBench201API

        # Its own torch.load stumbles over torch >= 2.6, whose default refuses what it needs.
        return NASBench201API(torch.load(path, weights_only=False), verbose=False)
    from nats_bench import create

    return create(
        str(path), "size" if kind == "nats-sss" else "topology", path.is_dir(), verbose=False
    )


def read(kind: str, path: Path) -> ArchiveFigures:
    reader = read_nasbench201 if kind == "nas-bench-201" else read_nats
    return reader(path, partial=True)


def expected_figures(api: Any, kind: str, position: int) -> dict[str, Any]:
    """Everything a table should hold of an architecture, in the official API's words."""
    figures: dict[str, Any] = {}
    for data_set, epochs in itertools.product(EVALUATED, EPOCHS[kind]):
        hp = f"{epochs:02d}"
        name = data_set.lower().replace("-120", "_120")

        def ask(data_set: str, seed: int | bool, hp: str = hp) -> dict[str, Any]:
            answer: dict[str, Any] = api.get_more_info(position, data_set, hp=hp, is_random=seed)
            return answer

        searched = "cifar10-valid" if data_set == "cifar10" else data_set
        for split, training in (("train", data_set), ("valid", searched), ("test", data_set)):
            for seed in (False, *SEEDS.get(training, (777,))):
                answer = ask(training, seed)
                suffix = "" if seed is False else f"@{seed}"
                figures[f"{name}_{split}_{epochs}{suffix}"] = answer[f"{split}-accuracy"]
                figures[f"{name}_{split}_loss_{epochs}{suffix}"] = answer[f"{split}-loss"]
        answer = ask(searched, False)
        figures[f"{name}_train_time_{epochs}"] = answer["train-all-time"]
        figures[f"{name}_valid_time_{epochs}"] = answer["valid-per-time"]
        costs = api.get_cost_info(position, data_set, hp=hp)
        figures[f"{name}_parameters"] = costs["params"]
        figures[f"{name}_flops"] = costs["flops"]
        if costs["latency"] is not None and costs["latency"] > 0:
            figures[f"{name}_latency"] = costs["latency"]
    return figures


@each_kind
@pytest.mark.parametrize("form", ["file", "folder"])
def test_every_figure_is_what_the_official_api_answers(
    kind: str, form: str, tmp_path: Path
) -> None:
    if (kind, form) == ("nas-bench-201", "folder"):
        pytest.skip("NAS-Bench-201 has no folder of this form")
    content = build(kind, EXCERPT, EPOCHS[kind], full_list=False)
    path = (write if form == "file" else write_folder)(kind, content, tmp_path)
    assert recognise(path) == kind
    figures = read(kind, path)
    api = official(kind, path)
    assert figures.indices.tolist() == sorted(EXCERPT)
    for position, architecture in enumerate(content["meta_archs"]):
        row = figures.indices.tolist().index(figures.space.index(architecture))
        expected = expected_figures(api, kind, position)
        ours = {name: values[row] for name, values in figures.columns.items()}
        assert ours == expected


@pytest.mark.slow
def test_a_complete_archive_becomes_a_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    content = build("nats-tss", range(15_625), (1,), full_list=True)
    path = write("nats-tss", content, tmp_path)
    result = CliRunner().invoke(app, ["import", str(path)])
    assert result.exit_code == 0, result.output
    benchmark = load_benchmark("nats-tss")
    trainings = content["arch2infos"][6111]["01"]["all_results"]
    tests = [trainings["cifar10", seed]["eval_acc1es"]["ori-test@0"] for seed in (777, 888)]
    assert benchmark.query(6111, "cifar10_test_1") == sum(tests) / 2
    assert benchmark.seed_values("cifar10_test_1")[6111].tolist() == tests
    # The authors timed no network of the full CIFAR-10 training, and so does this archive.
    assert "cifar10_latency" not in benchmark.metrics
    assert "cifar10-valid_latency" in benchmark.metrics


class Code:
    """Runs a command when a careless reader unpickles it."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return os.system, (self.command,)


@each_kind
def test_code_in_an_archive_does_not_run(kind: str, tmp_path: Path) -> None:
    content = build(kind, EXCERPT, EPOCHS[kind], full_list=False)
    content["evaluated_indexes"] = Code(f"touch {tmp_path / 'ran'}")
    path = write(kind, content, tmp_path)
    with pytest.raises(SuiteError, match=r"is refused: it names posix\.system"):
        read(kind, path)
    assert not (tmp_path / "ran").exists()


def test_code_in_a_simple_folder_does_not_run(tmp_path: Path) -> None:
    content = build("nats-tss", EXCERPT, (12,), full_list=False)
    content["arch2infos"][2]["12"]["arch_config"] = Code(f"touch {tmp_path / 'ran'}")
    path = write_folder("nats-tss", content, tmp_path)
    with pytest.raises(SuiteError, match="is refused"):
        read("nats-tss", path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "opcodes",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cbuiltins\ngetattr\n.",
        b"cnumpy\nload\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"(S'true'\nios\nsystem\n.",
    ],
)
def test_other_globals_are_refused(opcodes: bytes, tmp_path: Path) -> None:
    path = tmp_path / FILES["nats-tss"]
    path.write_bytes(bz2.compress(opcodes))
    with pytest.raises(SuiteError, match="is refused"):
        import_nats(path)


@each_kind
def test_truncated_archives_are_told(kind: str, tmp_path: Path) -> None:
    path = write(kind, build(kind, EXCERPT, EPOCHS[kind], full_list=False), tmp_path)
    whole = path.read_bytes()
    for share in (0.0, 0.3, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(SuiteError):
            read(kind, path)


def test_an_excerpt_is_not_taken_for_the_archive(tmp_path: Path) -> None:
    path = write("nats-tss", build("nats-tss", EXCERPT, (12,), full_list=False), tmp_path)
    with pytest.raises(SuiteError, match="get the complete archive"):
        import_nats(path)
    path = write("nats-tss", build("nats-tss", EXCERPT, (12,), full_list=True), tmp_path)
    with pytest.raises(SuiteError, match="figures of 4 of the 15625 architectures"):
        import_nats(path)
    path = write(
        "nas-bench-201", build("nas-bench-201", EXCERPT, (12, 200), full_list=False), tmp_path
    )
    with pytest.raises(SuiteError, match="get the complete archive"):
        import_nasbench201(path)


def test_a_folder_that_lacks_an_architecture_is_told(tmp_path: Path) -> None:
    content = build("nats-tss", EXCERPT, (12,), full_list=True)
    path = write_folder("nats-tss", content, tmp_path)
    with pytest.raises(SuiteError, match=r"lacks 000002\.pickle\.pbz2"):
        import_nats(path)
    shutil.copy(path / "000000.pickle.pbz2", path / "000001.pickle.pbz2")
    with pytest.raises(SuiteError, match=r"000001.* is of architecture"):
        read("nats-tss", path)


def test_a_bad_archive_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASBENCH_HOME", str(tmp_path / "home"))
    path = tmp_path / FILES["nats-tss"]
    path.write_bytes(bz2.compress(pickle.dumps({"meta_archs": ["?"], "arch2infos": {}})))
    result = CliRunner().invoke(app, ["import", str(path)])
    assert isinstance(result.exception, SuiteError)  # which the command line prints, exit code 2
    assert "is an architecture of neither" in str(result.exception)
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
@pytest.mark.parametrize(
    ("opcodes", "answer"),
    [
        (b"\x80\x02]r\xff\xff\xff\xff.", "[]"),  # remembered at the largest index
        (b"\x80\x04\x8e" + (1 << 40).to_bytes(8, "little") + b"abc.", "truncated"),
        (b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little") + b"abc.", "truncated"),
        (b"\x80\x04\x95" + (1 << 40).to_bytes(8, "little") + b"].", "[]"),
    ],
    ids=["memo", "bytes", "bytearray", "frame"],
)
def test_no_more_memory_than_the_file(opcodes: bytes, answer: str, tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(opcodes)
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))\n"
        "from pathlib import Path\n"
        "from nasbench_suite.files.safe_pickle import load\n"
        "try: print(load(Path('p')))\n"
        "except ValueError as error: print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert answer in said.stdout
    assert "MemoryError" not in said.stdout
