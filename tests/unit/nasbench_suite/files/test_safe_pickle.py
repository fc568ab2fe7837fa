"""Arrays and tensors of numbers are read from pickles, and nothing in a pickle runs or bloats."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.safe_pickle import load

KINDS = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", ">f8", ">i4"]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_scalars_of_numbers(tmp_path: Path, kind: str, protocol: int) -> None:
    array = (np.arange(24) % 2 if kind == "b1" else np.arange(24)).astype(kind).reshape(2, 3, 4)
    content = {
        "whole": array,
        "by columns": np.asfortranarray(array[0]),
        "strided": array[:, ::2, 1],
        "in a tuple": (1, array),
        "no axis": np.array(array[0, 0, 1]),
        "empty": array[:0],
        "scalars": list(array.ravel()),
    }
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(content, protocol))
    read = load(path)
    for name in ("whole", "by columns", "strided", "no axis", "empty", "scalars"):
        np.testing.assert_array_equal(read[name], content[name])
    assert type(read["whole"]) is np.ndarray
    assert type(read["in a tuple"][1]) is np.ndarray
    np.testing.assert_array_equal(read["in a tuple"][1], array)
    assert read["whole"].dtype.newbyteorder("=") == array.dtype.newbyteorder("=")


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors(tmp_path: Path, zipped: bool) -> None:
    torch = pytest.importorskip("torch")
    whole = torch.arange(24, dtype=torch.float64).reshape(4, 6)
    content = {
        "float64": whole,
        "view": whole[1:, ::2].T,
        "shared": whole[2],
        "float16": torch.tensor([0.5, 2.0]).half(),
        "int32": torch.tensor([[1], [-2]], dtype=torch.int32),
        "bool": torch.tensor([True, False]),
        "number": torch.tensor(2.5),
        "empty": torch.zeros(0, 3),
        "plain": [1, "two"],
    }
    path = tmp_path / "t.pt"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    read = load(path)
    assert read.pop("plain") == [1, "two"]
    for name, array in read.items():
        np.testing.assert_array_equal(array, content[name].numpy())


@pytest.mark.parametrize(
    "content",
    [np.array(["text"]), np.array([{}], dtype=object), np.zeros(2, [("a", "f8")]), np.array(1j)],
)
def test_arrays_of_something_else_are_refused(tmp_path: Path, content: np.ndarray) -> None:
    path = tmp_path / "a.pickle"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(SuiteError, match=r"holds an array of NumPy type|is refused"):
        load(path)


def test_a_small_file_cannot_claim_much_memory(tmp_path: Path) -> None:
    """One text of a megabyte that fills a thousand arrays, and a length of 2**62 bytes."""
    raw = b"B" + (1 << 20).to_bytes(4, "little") + b"\0" * (1 << 20) + b"q\x01"
    minus_one = b"J\xff\xff\xff\xff"
    state = b"(K\x03U\x01>NNN" + minus_one + minus_one + b"K\0tb"
    kind = b"cnumpy\ndtype\n(U\x02f8I00\nI01\ntR" + state + b"q\x02"
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0tU\x01btR"
        b"(K\x01(J\0\0\2\0th\x02I00\nh\x01tb"
    )
    many = b"\x80\x02(" + raw + kind + array * 1000 + b"t."
    huge = b"\x80\x05\x96" + (1 << 62).to_bytes(8, "little") + b"."
    for name, content in (("many", many), ("huge", huge)):
        (tmp_path / name).write_bytes(content)
        code = (
            "import resource, sys\n"
            "from pathlib import Path\n"
            "from nasbench_suite.files.safe_pickle import load\n"
            "resource.setrlimit(resource.RLIMIT_DATA, (1 << 28, 1 << 28))\n"
            "load(Path(sys.argv[1]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / name)],
            capture_output=True,
            text=True,
            check=False,
            env={"OPENBLAS_NUM_THREADS": "1"},
        )
        assert "SuiteError" in done.stderr, done.stderr
        assert "MemoryError" not in done.stderr


@pytest.mark.parametrize(
    "states",
    [b"ctorch\nFloatStorage\nN}U\x01xK\x01s\x86b.", b"cnumpy\nndarray\n}U\x01xK\x01sb."],
)
def test_a_stand_in_takes_no_state(tmp_path: Path, states: bytes) -> None:
    (tmp_path / "a").write_bytes(b"\x80\x02" + states)
    with pytest.raises(SuiteError, match="a state of"):
        load(tmp_path / "a")


def test_a_reference_to_what_never_was_is_damage(tmp_path: Path) -> None:
    from nasbench_suite.benchmarks.nats_archive import read_nats

    path = tmp_path / "a.pickle"
    path.write_bytes(b"\x80\x02}q\x05h\x03.")  # the third object, after one numbered five
    with pytest.raises(SuiteError, match="damaged"):
        read_nats(path, partial=True)
