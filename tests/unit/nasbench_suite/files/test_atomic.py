"""Files are written whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import need_folder, need_several, replacing, write_text


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "f.txt"
    write_text(path, "before")
    with replacing(path) as partial:
        partial.write_text("after")
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), OSError(28, "full")])
def test_a_failure_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "f.txt"
    write_text(path, "before")
    expected = SuiteError if isinstance(error, OSError) else type(error)

    def fail() -> None:
        with replacing(path) as partial:
            partial.write_text("half")
            raise error

    with pytest.raises(expected):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"Cannot write .*f\.txt \(No such file or directory\)"):
        write_text(tmp_path / "none" / "f.txt", "x")


def test_a_missing_folder_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    need_folder(tmp_path / "file")  # which need not be there itself
    with pytest.raises(SuiteError, match=r"^There is no folder '.*lost': create it first\.$"):
        need_folder(tmp_path / "lost" / "file")


def test_what_is_written_takes_the_place_of_no_results_folder_device_or_pipe(
    tmp_path: Path,
) -> None:
    results, folder, pipe = (tmp_path / name for name in ("r.sqlite", "folder", "pipe"))
    with closing(sqlite3.connect(results)) as database:
        database.execute("CREATE TABLE trials (seed INTEGER)")
    before = results.read_bytes()
    folder.mkdir()
    os.mkfifo(pipe)
    places = {results: "holds results", folder: "is a folder", Path(): "is a folder"}
    places |= {pipe: "is a device or a pipe", tmp_path / "a\0b": "is no name of a file"}
    for path, why in places.items():
        with pytest.raises(SuiteError, match=why):
            write_text(path, "figures")
    assert results.read_bytes() == before
    assert pipe.is_fifo()


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path: Path) -> None:
    kept, link = tmp_path / "kept", tmp_path / "link"
    write_text(kept, "before")
    link.symlink_to(kept)
    write_text(link, "after")
    assert (kept.read_text(), link.read_text()) == ("before", "after")
    assert not link.is_symlink()


def test_files_that_a_command_writes_are_not_one(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "t")
    need_several(the_table=tmp_path / "t", the_journal=tmp_path / "j")
    for other in (tmp_path / "t", tmp_path / "x" / ".." / "t", link):
        with pytest.raises(SuiteError, match="cannot be both the table and the journal"):
            need_several(the_table=tmp_path / "t", the_journal=other)
