"""One table, kept in every way, is read as one table."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import read_frame

TABLE = pd.DataFrame({"arch": ["a", "b", "c"], "x": [1.5, 22.25, -3.0]})
TEXT = TABLE.to_csv(index=False)


def _zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/t.csv", TEXT)


WAYS: dict[str, Callable[[Path], object]] = {
    "csv": lambda path: path.write_text(TEXT),
    "mark": lambda path: path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode()),
    "utf-16": lambda path: path.write_text(TEXT, encoding="utf-16"),
    "crlf": lambda path: path.write_bytes(TEXT.replace("\n", "\r\n").encode()),
    "tabs": lambda path: TABLE.to_csv(path, index=False, sep="\t"),
    "semicolons": lambda path: TABLE.to_csv(path, index=False, sep=";"),
    "decimal commas": lambda path: TABLE.to_csv(path, index=False, sep=";", decimal=","),
    "quoted commas": lambda path: TABLE.to_csv(path, index=False, decimal=","),
    "white space": lambda path: path.write_text(" arch ,  x \n a , 1.5 \nb ,22.25\n c, -3.0\n"),
    "blanks": lambda path: path.write_text("arch x\na 1.5\nb  22.25\nc -3.0\n"),
    "gzip": lambda path: path.write_bytes(gzip.compress(TEXT.encode())),
    "bzip2": lambda path: path.write_bytes(bz2.compress(TEXT.encode())),
    "xz": lambda path: path.write_bytes(lzma.compress(TEXT.encode())),
    "zip": _zipped,
    "parquet": lambda path: TABLE.to_parquet(path),
    "feather": lambda path: TABLE.to_feather(path),
    "records": lambda path: path.write_text(TABLE.to_json(orient="records")),
    "lines": lambda path: path.write_text(TABLE.to_json(orient="records", lines=True)),
    "by column": lambda path: path.write_text(TABLE.to_json()),
    "pickle": lambda path: path.write_bytes(pickle.dumps(TABLE.to_dict("list"))),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_gives_the_table(tmp_path: Path, way: str) -> None:
    path = tmp_path / "t.dat"
    WAYS[way](path)
    frame = read_frame(path).frame
    assert list(frame.columns) == ["arch", "x"]
    assert frame["arch"].tolist() == TABLE["arch"].tolist()
    assert frame["x"].astype(float).tolist() == TABLE["x"].tolist()


def test_figures_by_architecture(tmp_path: Path) -> None:
    path = tmp_path / "phone.json"
    path.write_text(json.dumps({"a": 1.5, "b": 2.0}))
    assert read_frame(path).frame.to_dict("list") == {"architecture": ["a", "b"], "phone": [1.5, 2]}
    path.write_text(json.dumps({"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 4}}))
    frame = read_frame(path).frame
    assert frame.to_dict("list") == {"architecture": ["a", "b"], "x": [1, 3], "y": [2, 4]}


def test_a_thousand_and_a_decimal_are_not_confused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('arch,x\na,"1,234"\nb,"2,345"\n')
    assert read_frame(path).frame["x"].tolist() == ["1,234", "2,345"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<!DOCTYPE html><html>", "saved web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "pointer of Git LFS"),
        (b"", "is truncated|no table|cannot be read"),
        (b"\0\1\2\3" * 100, "cannot be read"),
        (b'{"a": ', "cannot be read"),
        (b"a,a\n1,2\n", "column 'a' twice"),
        (b"[1, [2]]", "holds no table"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], "cannot be read"),
    ],
)
def test_what_is_no_table_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(SuiteError, match=sentence):
        read_frame(path)
