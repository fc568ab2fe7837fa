"""Where imported benchmarks are kept: what the variable names is a folder, or is to be one."""

from __future__ import annotations

from pathlib import Path

import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.home import HOME_VARIABLE, home_folder


def test_a_home_that_is_no_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("new", "."):
        monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / name))
        assert home_folder("images") == tmp_path / name / "images"
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "link"):
        monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / name))
        with pytest.raises(SuiteError, match=f"{HOME_VARIABLE} is .*, which is no folder"):
            home_folder("images")
