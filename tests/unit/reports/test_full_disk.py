"""A disk that fills up while a command writes: one sentence, nothing half, nothing lost."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from test_names_that_deceive import call

from nasbench_suite.benchmarks import load_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import replacing
from nasbench_suite.runner import run
from nasbench_suite.store.maintenance import verify_store
from nasbench_suite.submissions import make_submission

_ROOM = 64  # bytes: less than any of these commands writes
_ROOM_FOR_A_PAGE = 16_384  # a database fails later, and leaves more beside itself


@contextmanager
def files_no_longer_than(most: int) -> Iterator[None]:
    """What a full disk is to a program: a write that fails, in the middle of a file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table, results and a submission of it."""
    path = tmp_path_factory.mktemp("sound")
    digits = load_benchmark("digits")
    write_benchmark(digits.restricted(np.arange(0, digits.space.size, 40)), path / "t.parquet")
    run("digits", "random,local-search", seeds=4, evaluations=20, store=path / "r.sqlite")
    (path / "submissions").mkdir()
    make_submission(path / "r.sqlite", path / "submissions" / "s.nasbench.json.gz")
    return path


@pytest.mark.parametrize(
    "command",
    [
        "leaderboard R --figure OUT/f.pdf", "leaderboard R --figure OUT/f.svg",
        "figure anytime --store R -o OUT/f.png", "report R -o OUT/r.html",
        "export OUT/e.csv --store R", "export OUT/e.parquet --store R --what evaluations",
        "store backup R OUT/b.sqlite", "store merge R R -o OUT/m.sqlite",
        "store export R OUT/x.json", "submit make OUT/s.nasbench.json.gz --store R",
        "submit merge SUB --store OUT/n.sqlite", "site SUB -o OUT/site",
        "check --save --store R --baseline OUT/b.json", "space draw 42 -o OUT/c.png",
        "space draw 42 -o OUT/c.dot",
    ],
)  # fmt: skip
def test_a_full_disk_ends_each_writing_command_in_one_sentence(
    command: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {"R": folder / "r.sqlite", "SUB": folder / "submissions"}
    words = [str(places.get(word, word)).replace("OUT", str(tmp_path)) for word in command.split()]
    room = _ROOM_FOR_A_PAGE if "merge" in words else _ROOM
    with files_no_longer_than(room):
        code, _, error = call(monkeypatch, *words)
    assert code == 2, error
    assert error.startswith("nasbench: ")
    assert error.count("\n") == 1
    assert ".partial" not in error
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "command",
    ["report R -o OUT", "export OUT --store R", "check --save --store R --baseline OUT"],
)
def test_a_full_disk_takes_nothing_that_was_finished(
    command: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a command writes anew what is there, the old stays until the new is whole."""
    kind = {"report": "html", "export": "csv", "check": "json"}[command.split()[0]]
    places = {"R": folder / "r.sqlite", "OUT": tmp_path / f"o.{kind}"}
    words = [str(places.get(word, word)) for word in command.split()]
    assert call(monkeypatch, *words)[0] == 0
    before = places["OUT"].read_bytes()
    with files_no_longer_than(_ROOM):
        code, _, error = call(monkeypatch, *words)
    assert (code, error[:10]) == (2, "nasbench: ")
    assert places["OUT"].read_bytes() == before
    assert list(tmp_path.iterdir()) == [places["OUT"]]


def test_a_full_disk_in_a_run_loses_nothing_and_the_same_command_goes_on(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "r.sqlite"
    shutil.copy(folder / "r.sqlite", store)
    words = (
        *("run", "--quiet", "--methods", "random,local-search", "--seeds", "0-49"),
        *("--evaluations", "20", "--store", str(store)),
    )
    with files_no_longer_than(store.stat().st_size + 50_000):
        code, _, error = call(monkeypatch, *words)
    assert (code, error.count("\n")) == (2, 1)
    assert error.startswith(
        ("nasbench: The disk of ", f"nasbench: {store} cannot be read or written")
    )
    found = verify_store(store)
    assert 8 < found.trials < 100
    assert not found.faults
    assert call(monkeypatch, *words)[0] == 0
    found = verify_store(store)
    assert (found.trials, found.faults) == (100, ())


def test_what_a_library_makes_of_a_failed_write_is_still_a_failed_write(tmp_path: Path) -> None:
    """Writers of archives stumble over their own half a file, and raise something else."""
    path = tmp_path / "a"

    def stumble() -> None:
        with replacing(path) as partial:
            try:
                partial.write_bytes(bytes(5000))
            finally:
                assert 1 / 0

    with files_no_longer_than(_ROOM), pytest.raises(SuiteError, match="too large"):
        stumble()
    with pytest.raises(ZeroDivisionError):
        stumble()
    assert not list(tmp_path.iterdir())
