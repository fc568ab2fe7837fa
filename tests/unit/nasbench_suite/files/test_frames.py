"""One table, kept in every way, is read as one table."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.frames import ARCHITECTURE, read_frame

TABLE = pd.DataFrame({"arch": ["a", "b", "c"], "x": [1.5, 22.25, -3.0]})
TEXT = TABLE.to_csv(index=False)
PICKLE = pickle.dumps(TABLE.to_dict("list"))


def _zip(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _tar(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


WAYS: dict[str, Callable[[Path], object]] = {
    "csv": lambda path: path.write_text(TEXT),
    "mark": lambda path: path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode()),
    "utf-16": lambda path: path.write_text(TEXT, encoding="utf-16"),
    "utf-16 without a mark": lambda path: path.write_text(TEXT, encoding="utf-16-le"),
    "utf-16 the other way round": lambda path: path.write_text(TEXT, encoding="utf-16-be"),
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
    "zip": lambda path: path.write_bytes(_zip("folder/t.csv", TEXT.encode())),
    "zip in zip": lambda path: path.write_bytes(_zip("t.zip", _zip("t.csv", TEXT.encode()))),
    "gzip in zip": lambda path: path.write_bytes(_zip("t.csv.gz", gzip.compress(TEXT.encode()))),
    "xz in tar": lambda path: path.write_bytes(_tar("t.csv.xz", lzma.compress(TEXT.encode()))),
    "zip in tar": lambda path: path.write_bytes(_tar("t.zip", _zip("t.csv", TEXT.encode()))),
    "parquet": lambda path: TABLE.to_parquet(path),
    "feather": lambda path: TABLE.to_feather(path),
    "records": lambda path: path.write_text(TABLE.to_json(orient="records")),
    "lines": lambda path: path.write_text(TABLE.to_json(orient="records", lines=True)),
    "by column": lambda path: path.write_text(TABLE.to_json()),
    "a schema beside": lambda path: path.write_text(TABLE.to_json(orient="table", index=False)),
    "records under a name": lambda path: path.write_text(
        json.dumps({"version": 1, "results": TABLE.to_dict("records")})
    ),
    "bars": lambda path: TABLE.to_csv(path, index=False, sep="|"),
    "Excel's first line": lambda path: path.write_text(
        "sep=;\n" + TABLE.to_csv(index=False, sep=";")
    ),
    "comment": lambda path: path.write_text(f"# exported\n\n{TEXT}"),
    "percent signs": lambda path: path.write_text("arch,x\na,1.5 %\nb,22.25%\nc,-3.0\u00a0%\n"),
    "percent signs behind commas and a space that holds": lambda path: path.write_text(
        "arch;x\na;1,5\u00a0%\nb;22,25%\nc;-3,0\u202f%\n"
    ),
    "carriage returns": lambda path: path.write_bytes(TEXT.replace("\n", "\r").encode()),
    "tar": lambda path: path.write_bytes(gzip.compress(_tar("folder/t.csv", TEXT.encode()))),
    "pickle": lambda path: path.write_bytes(pickle.dumps(TABLE.to_dict("list"))),
    "pickle in zip": lambda path: path.write_bytes(
        _zip("t.p", pickle.dumps(TABLE.to_dict("list")))
    ),
    "pickle in gzip": lambda path: path.write_bytes(
        gzip.compress(pickle.dumps(TABLE.to_dict("list")))
    ),
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


def test_a_separator_stands_in_the_rows_too(tmp_path: Path) -> None:
    """What stands in a column's name alone separates nothing."""
    (tmp_path / "t.csv").write_text("arch,accuracy;final,x|y\na,1.5,2\n")
    assert list(read_frame(tmp_path / "t.csv").frame) == ["arch", "accuracy;final", "x|y"]
    (tmp_path / "t.csv").write_text("arch;accuracy, final\na;1,5\n")
    assert read_frame(tmp_path / "t.csv").frame["accuracy, final"].astype(float).tolist() == [1.5]


def test_a_thousand_and_a_decimal_are_not_confused(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('arch,x\na,"1,234"\nb,"2,345"\n')
    assert read_frame(path).frame["x"].tolist() == ["1,234", "2,345"]


def test_commas_before_a_point_stand_at_thousands(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text('arch,x\na,"1,234.5"\nb,12.25\n')
    read = read_frame(path)
    assert read.frame["x"].tolist() == ["1234.5", "12.25"]
    assert read.notes == ["x was read without its commas at thousands."]


@pytest.mark.parametrize("mark", ["-", "--", "N/A", "null", "\N{EM DASH}", "?", ""])
def test_a_mark_for_no_figure_is_an_empty_cell(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"arch,x\na,1.5\nb,{mark}\n")
    assert read_frame(path).frame["x"].isna().tolist() == [False, True]


def test_figures_in_parts_of_a_record_are_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    inner = {"cifar10": {"valid": {"12": 1.5}, "test": 2}, "plan": {"kind": "a"}}
    for content in ({"a": inner, "b": inner}, [{"architecture": one, **inner} for one in "ab"]):
        path.write_text(json.dumps(content))
        frame = read_frame(path).frame
        assert frame[ARCHITECTURE].tolist() == ["a", "b"]
        assert frame["cifar10_valid_12"].tolist() == [1.5, 1.5]
        assert frame["plan"].tolist() == [{"kind": "a"}] * 2


def test_figures_by_metric_and_many_architectures_are_turned(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    figures = {f"arch {number}": number / 7 for number in range(20_001)}
    path.write_text(json.dumps({"x": figures, "y": dict(reversed(figures.items()))}))
    frame = read_frame(path).frame
    assert frame[ARCHITECTURE].tolist() == list(figures)
    assert frame["x"].tolist() == frame["y"].tolist() == list(figures.values())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"a title,x\narch,x,y\na,1,2\n", "Expected 2 fields in line 2.*must name the columns"),
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


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_arrays_of_numpy_are_read(tmp_path: Path, shape: tuple[int, ...]) -> None:
    figures = np.array([1.5, 2.5, 3.5]).reshape(shape)
    np.save(tmp_path / "phone.npy", figures)
    np.savez(tmp_path / "two.npz", phone=figures, gpu=figures)
    assert read_frame(tmp_path / "phone.npy").frame["phone"].tolist() == [1.5, 2.5, 3.5]
    if len(shape) == 1:
        assert list(read_frame(tmp_path / "two.npz").frame) == ["phone", "gpu"]


def test_figures_by_data_set_and_architecture(tmp_path: Path) -> None:
    nested = {"cifar10": {"a": {"valid": 1.5}, "b": {"valid": 2.5}}}
    (tmp_path / "t.json").write_text(json.dumps(nested))
    frame = read_frame(tmp_path / "t.json").frame
    assert frame.to_dict("list") == {ARCHITECTURE: ["a", "b"], "cifar10_valid": [1.5, 2.5]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x89HDF\r\n\x1a\n", "HDF5: save the table as Parquet or CSV"),
        (b"\x28\xb5\x2f\xfd00", "packed by zstd: unpack it"),
        ("arch,x\né,1".encode("latin-1"), "another encoding than UTF-8 .*: save it as UTF-8"),
        (b"<!-- saved from url --><html>", "saved web page"),
    ],
)
def test_other_formats_are_named(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SuiteError, match=sentence):
        read_frame(tmp_path / "t.csv")


def test_a_workbook_and_an_archive_of_several_files_are_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "")
    with pytest.raises(SuiteError, match="Excel workbook: save its sheet as CSV"):
        read_frame(tmp_path / "t.xlsx")
    with tarfile.open(tmp_path / "t.tar", "w") as packed:
        for name in ("a.csv", "b.csv"):
            (tmp_path / name).write_text(TEXT)
            packed.add(tmp_path / name, name)
    with pytest.raises(SuiteError, match=r"2 files \(a.csv, b.csv\): unpack it"):
        read_frame(tmp_path / "t.tar")


def test_what_is_packed_without_end_or_locked_is_one_sentence(tmp_path: Path) -> None:
    content = TEXT.encode()
    for _ in range(9):
        content = _zip("t.zip", content)
    (tmp_path / "t.zip").write_bytes(content)
    with pytest.raises(SuiteError, match="packed more than 4 times over: unpack it"):
        read_frame(tmp_path / "t.zip")
    locked = bytearray(_zip("t.csv", TEXT.encode()))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(header) + flags] |= 1  # says that a password is needed
    (tmp_path / "t.zip").write_bytes(locked)
    with pytest.raises(SuiteError, match="encrypted, password required"):
        read_frame(tmp_path / "t.zip")
