"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import replacing, write_text


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
