"""Small files that would fill the memory or never end, and names that would do something."""

from __future__ import annotations

import bz2
import gzip
import itertools
import json
import lzma
import os
import pickle
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from nasbench_suite.benchmarks.columns import read_metadata_file
from nasbench_suite.benchmarks.library import import_benchmark
from nasbench_suite.benchmarks.table_file import read_benchmark
from nasbench_suite.commands import main
from nasbench_suite.errors import SuiteError, printable
from nasbench_suite.files import safe_pickle
from nasbench_suite.files.atomic import write_text
from nasbench_suite.files.cells import guard_cells
from nasbench_suite.files.frames import read_frame
from nasbench_suite.files.journal import Journal
from nasbench_suite.files.tfrecord import read_tfrecord
from nasbench_suite.files.unpacking import read_arrays
from nasbench_suite.gate import load_baseline
from nasbench_suite.parsing import parse_seeds
from nasbench_suite.submissions import read_submission
from nasbench_suite.submissions.files import SUFFIX
from nasbench_suite.suites import read_suite
from reports.html.generative import read_generative
from reports.labels import read_labels
from reports.site import read_published

_MUCH = bytes(200 << 20)


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", _MUCH)


def torch_zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(_MUCH))


@pytest.mark.parametrize(
    ("make", "read"),
    [
        (lambda path: path.write_bytes(gzip.compress(_MUCH, 1)), read_frame),
        (lambda path: path.write_bytes(bz2.compress(_MUCH, 1)), read_frame),
        (lambda path: path.write_bytes(lzma.compress(_MUCH, preset=0)), read_frame),
        (zipped, read_frame),
        (lambda path: path.write_bytes(bz2.compress(pickle.dumps(_MUCH), 1)), safe_pickle.load),
        (torch_zipped, safe_pickle.load),
    ],
    ids=["gzip", "bzip2", "xz", "zip", "pickle in bzip2", "pickle in zip"],
)
def test_nothing_unpacks_to_more_than_its_size_allows(
    make: Callable[[Path], None], read: Callable[[Path], object], tmp_path: Path
) -> None:
    path = tmp_path / "bomb"
    make(path)
    with pytest.raises(SuiteError, match="too much for its size"):
        read(path)


def test_a_small_parquet_file_cannot_hold_many_rows(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    rows = 5 << 20
    table = pa.table({"arch_str": pa.array(["a"] * rows), "x_test": np.ones(rows)})
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(SuiteError, match="too much for its size"):
        read_frame(path)


def test_an_archive_that_claims_and_a_table_that_is_too_wide_end_in_a_sentence(
    tmp_path: Path,
) -> None:
    path, claim = tmp_path / "t", tarfile.TarInfo("x.csv")
    claim.size = 1 << 62
    for content in (claim.tobuf() + bytes(1024), b"," * 21_000 + b"\n" + b"1," * 21_000 + b"1\n"):
        path.write_bytes(content)
        with pytest.raises(SuiteError, match="cannot be read as Parquet or CSV"):
            read_frame(path)


def test_a_small_parquet_file_cannot_repeat_a_long_text_or_nothing_at_all(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    texts = pa.DictionaryArray.from_arrays(np.zeros(20_000, np.int32), ["x" * (1 << 16)])
    nothing = pa.nulls(20_000_000, pa.int32())
    in_list = pa.ListArray.from_arrays([0, len(texts)], texts)
    within = pa.ListArray.from_arrays([0, len(nothing)], nothing)
    in_struct = pa.StructArray.from_arrays([texts], ["of"])
    in_map = pa.MapArray.from_arrays([0, len(texts)], pa.array(map(str, range(len(texts)))), texts)
    of_one_length = pa.array([bytes(1 << 16)] * 2_000, pa.binary(1 << 16))
    for column in (texts, in_list, in_struct, in_map, of_one_length, within):
        pq.write_table(pa.table({"arch_str": column}), path, compression="zstd")
        assert path.stat().st_size < 100_000
        with pytest.raises(SuiteError, match="too much for its size"):
            read_frame(path)


def settings_of_a_model(path: Path) -> object:
    """Of two members of NAS-Bench-301's ensemble, of which the first is sound that far."""
    for number, held in enumerate((b'{"model": "xgb"}', None)):
        folder = path.parent / f"{path.stem}-xgb" / f"ensemble_member_{number}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "surrogate_model.model").write_bytes(b"")
        if held is not None:
            (folder / "model_config.json").write_bytes(held)
        else:
            (folder / "model_config.json").symlink_to(path)
    return import_benchmark(path.parent / f"{path.stem}-xgb", "x")


@pytest.mark.parametrize("kind", ["text", "numbers"])
def test_a_small_benchmark_cannot_repeat_a_long_text_or_a_figure(kind: str, tmp_path: Path) -> None:
    path, rows = tmp_path / "b.parquet", 2_000 if kind == "text" else 9 << 20
    texts = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int32), ["x" * (1 << 16)])
    said = {"format": 2, "name": "b", "space": "darts", "about": {}, "metrics": [], "columns": {}}
    content = {"nasbench_suite": json.dumps({**said, "checksum": ""})}
    columns = {"@architecture": texts} if kind == "text" else {"x": np.ones(rows)}
    table = pa.table(columns).replace_schema_metadata(content)
    pq.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 100_000
    with pytest.raises(SuiteError, match="too much for its size"):
        read_benchmark(path)


READERS: dict[str, Callable[[Path], object]] = {
    "submission": read_submission,
    "baseline": load_baseline,
    "table": read_frame,
    "benchmark": read_benchmark,
    "table to import": lambda path: import_benchmark(path, "x", space="nats-tss"),
    "settings of a model": settings_of_a_model,
    "pickle": safe_pickle.load,
    "records": lambda path: next(read_tfrecord(path)),
    "journal": lambda path: Journal(path).entries(),
    "experiment": read_suite,
    "labels": read_labels,
    "published": read_published,
    "facts": read_metadata_file,
    "generative": read_generative,
    "arrays": read_arrays,
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
@pytest.mark.parametrize("kind", READERS)
def test_a_pipe_and_a_device_are_neither_waited_for_nor_read_to_the_end(
    kind: str, tmp_path: Path
) -> None:
    pipe, device = tmp_path / f"p{SUFFIX}", tmp_path / f"d{SUFFIX}"
    os.mkfifo(pipe)
    device.symlink_to("/dev/zero")
    for path in (pipe, device):
        with pytest.raises(SuiteError, match="is no file"):
            READERS[kind](path)


def test_arrays_unpack_to_no_more_than_their_size_allows(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez_compressed(path, zeros=np.zeros(100 << 20, np.uint8))
    for read in (read_arrays, read_frame):
        with pytest.raises(SuiteError, match="too much for its size"):
            read(path)


@pytest.mark.parametrize(
    "text", ["a = " + "[" * 100_000, "a." * 100_000 + "b = 1", "a = 1\n" * 999_999]
)
def test_toml_as_deep_or_long_as_it_likes_ends_in_a_sentence(text: str, tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)
    start = time.monotonic()
    for read in (read_suite, read_labels, read_published, read_metadata_file):
        with pytest.raises(SuiteError):
            read(path)
    assert time.monotonic() - start < 20


def test_tuples_that_hold_each_other_do_not_hang(tmp_path: Path) -> None:
    tower: object = ()
    for _ in range(60):
        tower = (tower, tower)
    path = tmp_path / "tower.pickle"
    start = time.monotonic()
    for content in (pickle.dumps(tower), pickle.dumps([tower], protocol=2)):
        path.write_bytes(content)
        with pytest.raises(SuiteError, match="tuples that hold each other"):
            safe_pickle.load(path)
    assert time.monotonic() - start < 5


CONTAINERS = {  # what opens and closes them in a pickle, and what stands after each key
    "mapping": (b"}(", b"N", b"u"),
    "mapping at once": (b"(", b"N", b"d"),
    "mapping one by one": (b"}", b"Ns", b""),
    "set": (b"\x8f(", b"", b"\x90"),
    "frozen set": (b"(", b"", b"\x91"),
}


@pytest.mark.parametrize("container", CONTAINERS)
def test_keys_of_one_hash_do_not_hang(tmp_path: Path, container: str) -> None:
    """Each is compared with all before it: 30,000 took ten seconds."""
    opened, after, closed = CONTAINERS[container]
    path = tmp_path / "keys.pickle"
    numbers = [place * (2**61 - 1) for place in range(50_000)]
    pairs = itertools.product((-1, -2), repeat=15)  # -1 and -2 have one hash
    for keys in (numbers, pairs):
        written = [pickle.dumps(key, 2)[2:-1] + after for key in keys]
        path.write_bytes(opened + b"".join(written) + closed + b".")
        start = time.monotonic()
        with pytest.raises(SuiteError, match="keys that were made to have one hash"):
            safe_pickle.load(path)
        assert time.monotonic() - start < 20


def test_keys_as_archives_have_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "keys.pickle"
    sound = {("cifar10", seed): float(seed) for seed in range(5000)} | dict.fromkeys(range(5000))
    path.write_bytes(pickle.dumps([sound, set(sound)]))
    assert safe_pickle.load(path) == [sound, set(sound)]


def test_json_as_deep_as_it_likes_ends_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000 + "]" * 100_000)
    for read in (read_frame, load_baseline):
        with pytest.raises(SuiteError):
            read(path)


@pytest.mark.parametrize("text", ["0-999999999999", "0-" + "9" * 5000, "5," * 3 + "1-2000000"])
def test_more_seeds_than_fit_are_refused_at_once(text: str) -> None:
    with pytest.raises(SuiteError) as caught:
        parse_seeds(text)
    assert len(str(caught.value)) < 200


def test_what_is_shown_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[2J\u202eb\u200bc\ud800") == r"a\x1b[2J\u202eb\u200bc\ud800"
    assert printable("x" * 10_000).count("x") == 2000
    assert printable("plain ≈ 3 %\n") == "plain ≈ 3 %\n"


def test_what_an_error_says_cannot_steer_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["nasbench", "leaderboard", "\x1b[2J\u202ex"])
    with pytest.raises(SystemExit) as ending:
        main()
    said = capsys.readouterr()
    assert ending.value.code == 2
    assert r"\x1b[2J\u202ex" in said.err
    assert said.out == ""
    assert "\x1b" not in said.err
    assert "\u202e" not in said.err


def test_cells_that_a_spreadsheet_would_run_are_text() -> None:
    frame = pd.DataFrame({"=a": ["=1+1", "@b", "pl\x1b[2J\nain"], "number": [-1.0, 2.0, 3.0]})
    guarded = guard_cells(frame)
    assert guarded.columns.tolist() == ["'=a", "number"]
    assert guarded.iloc[:, 0].tolist() == ["'=1+1", "'@b", "pl\\x1b[2J\nain"]
    assert guarded["number"].tolist() == [-1.0, 2.0, 3.0]


def test_what_killed_processes_left_is_swept_away(tmp_path: Path) -> None:
    old, new = tmp_path / "a.json.77.partial", tmp_path / "a.json.78.partial"
    for left in (old, new):
        left.write_text("half")
    os.utime(old, (0, 0))
    write_text(tmp_path / "a.json", "whole")
    assert not old.exists()
    assert new.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_and_a_poor_terminal_end_in_one_sentence() -> None:
    command = [sys.executable, "-m", "nasbench_suite", "list"]
    with Path("/dev/full").open("w") as full:
        answer = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert answer.returncode == 2
    assert answer.stderr.startswith(b"nasbench: Cannot read or write")
    assert b"Traceback" not in answer.stderr
    reads, writes = os.pipe()
    os.close(reads)  # as `head` does when it has enough
    answer = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE, check=False)
    os.close(writes)
    assert (answer.returncode, answer.stderr) == (1, b"")
    poor = os.environ | {"PYTHONIOENCODING": "ascii", "NASBENCH_HOME": "/nowhere/\u00e4"}
    answer = subprocess.run(
        [*command[:3], "data", "info", "\u00e4\u4e2d"], capture_output=True, env=poor, check=False
    )
    assert answer.returncode == 2
    assert b"Traceback" not in answer.stderr


def test_an_altered_baseline_is_refused(tmp_path: Path) -> None:
    from nasbench_suite.gate import save_baseline
    from nasbench_suite.gate.baseline import Baseline, Entry

    entry = Entry(
        task_key="k",
        task="t",
        method="m",
        metric="a",
        unit="%",
        direction="maximize",
        noise_floor=0.2,
        figures={0: 1.0},
    )
    path = tmp_path / "b.json"
    save_baseline(Baseline(entries=[entry]), path)
    assert load_baseline(path).entries == [entry]
    for name, value in (("direction", "minimize"), ("noise_floor", 50.0), ("figures", {"0": 0.0})):
        content = json.loads(path.read_text())
        content["entries"][0][name] = value
        altered = tmp_path / "altered.json"
        for checksum in (content["checksum"], None):
            altered.write_text(json.dumps({**content, "checksum": checksum}))
            with pytest.raises(SuiteError, match="was altered after"):
                load_baseline(altered)
    earlier = {**json.loads(path.read_text()), "nasbench_baseline": 1}
    del earlier["checksum"]
    path.write_text(json.dumps(earlier))
    assert load_baseline(path).entries == [entry]
