"""Reading the pickles of official archives without ever running what they name.

A pickle is a small program: it can import any function and call it. Official archives need
five globals, all for building containers and NumPy scalars. Here each of the five is answered by
a stand-in of ours and every other name is refused, so nothing is imported and nothing foreign is
called, whatever the file says.

Containers of the pickle are opened here too: bzip2 (NATS-Bench), PyTorch's two file formats
(NAS-Bench-201), or none. Neither needs torch: what ``torch.save`` wrote of an archive without
weights is a plain pickle in a wrapper.
"""

from __future__ import annotations

import bz2
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np

from nasbench_suite.errors import SuiteError, reason

# The first object in a file of torch.save before version 1.6; two more precede the pickle.
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_BUFFER = 1 << 20


# A pickle may set attributes on whatever it gets from a global, and functions and classes would
# keep them. So the stand-ins are built-in types, or objects without attributes.


class _BytesFromText:
    """``_codecs.encode``, by which protocol 2 writes bytes."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"bytes written as {encoding}")
        return text.encode("latin1")


class _ScalarType:
    """A numeric ``numpy.dtype`` and no other."""

    __slots__ = ("_name", "_order")

    def __init__(self, name: str) -> None:
        self._name, self._order = name, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"byte order {state[1]!r}")
        self._order = state[1]

    def value(self, raw: bytes) -> Any:
        order = "=" if self._order == "|" else self._order
        return np.frombuffer(raw, np.dtype(order + self._name))[0]


class _MakeScalarType:
    """``numpy.dtype`` as pickles call it."""

    __slots__ = ()

    def __call__(self, name: str, align: object = False, copy: object = True) -> _ScalarType:
        if name not in ("f8", "f4", "i8", "i4"):
            raise pickle.UnpicklingError(f"a NumPy scalar of type {name!r}")
        return _ScalarType(name)


class _MakeScalar:
    """``numpy.core.multiarray.scalar``."""

    __slots__ = ()

    def __call__(self, kind: _ScalarType, raw: bytes) -> Any:
        return kind.value(raw)


# An ordered dictionary and a dictionary are the same thing to a reader.
_STAND_INS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): dict,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
    ("_codecs", "encode"): _BytesFromText(),
    ("numpy", "dtype"): _MakeScalarType(),
    ("numpy.core.multiarray", "scalar"): _MakeScalar(),
    ("numpy._core.multiarray", "scalar"): _MakeScalar(),
}


def _stand_in(module: str, name: str, path: Path) -> Any:
    try:
        return _STAND_INS[module, name]
    except KeyError:
        raise SuiteError(
            f"{path} is refused: it names {module}.{name}, and an official archive without "
            f"weights names nothing but containers and numbers, so this file is another one or "
            f"was tampered with; get it from its authors again."
        ) from None


class _Stream:
    """Reads no more memory than the file fills, whatever length a damaged pickle states."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.readline = stream.readline

    def read(self, size: int) -> bytes:
        if size <= _BUFFER:
            return self._stream.read(size)
        parts = []
        while size > 0 and (part := self._stream.read(min(size, _BUFFER))):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


class _PlainUnpickler(pickle._Unpickler):
    """A pickle's containers, text and numbers, in memory that the file's size bounds.

    The unpickler in C fills its memo up to any index that four bytes state, sixty gigabytes at
    most; the one in Python has a dictionary. No archive holds a ``bytearray``, whose length alone
    claims memory too.
    """

    dispatch: ClassVar[dict[int, Any]] = {
        code: read
        for code, read in pickle._Unpickler.dispatch.items()
        if code != pickle.BYTEARRAY8[0]
    }

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        super().__init__(cast(Any, _Stream(stream)))
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        """``_STAND_INS`` are all the globals there are."""
        return _stand_in(module, name, self._path)


class SharedObject(Exception):  # noqa: N818 -- not an error: read again without forgetting
    """A pickle refers back to an object that was forgotten."""


class _Memo(dict[int, Any]):
    """What a pickle may refer back to, forgotten architecture by architecture.

    The dictionary itself holds what was read since the last record ended, ``architecture`` what
    came with the present architecture's earlier records, and ``lasting`` what outlives it: the
    stand-ins, and the first string of each text (an attribute's name, say, is one shared object
    in all records).
    """

    def __init__(self) -> None:
        self.count = 0
        self.architecture: dict[int, Any] = {}
        self.lasting: dict[int, Any] = {}
        self._texts: set[str] = set()

    def __missing__(self, index: int) -> Any:
        for older in (self.architecture, self.lasting):
            if index in older:
                return older[index]
        raise SharedObject if 0 <= index < self.count else KeyError(index)

    def end_record(self, *, new_architecture: bool) -> None:
        if new_architecture:
            for index, value in self.architecture.items():
                kind = type(value)
                if kind is str:
                    if value not in self._texts:
                        self._texts.add(value)
                        self.lasting[index] = value
                elif kind in _STAND_IN_TYPES:
                    self.lasting[index] = value
            self.architecture = {}
        self.architecture.update(self)
        self.clear()


_STAND_IN_TYPES = {_ScalarType, *map(type, _STAND_INS.values())}


class _RecordUnpickler(_PlainUnpickler):
    """Reads a pickle of gigabytes record by record, emptying each when it was seen.

    Others remember every object until the end, which is several times the size of the file; here
    the memo is ours.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(_PlainUnpickler.dispatch)

    def __init__(
        self,
        stream: BinaryIO,
        path: Path,
        on_record: Callable[[dict[str, Any]], None],
        forget: bool,
    ) -> None:
        super().__init__(stream, path)
        self._on_record = on_record
        self._forget = forget
        self._architecture: object = None
        self.memo = _Memo()

    def _put(self, index: int) -> None:
        memo = self.memo
        memo[index] = cast(Any, self).stack[-1]
        memo.count = max(memo.count, index + 1)

    def _memoize(self) -> None:
        memo = self.memo
        memo[memo.count] = cast(Any, self).stack[-1]
        memo.count += 1

    def _binput(self) -> None:
        self._put(cast(Any, self).read(1)[0])

    def _long_binput(self) -> None:
        self._put(int.from_bytes(cast(Any, self).read(4), "little"))

    def _setitems(self) -> None:
        pickle._Unpickler.dispatch[pickle.SETITEMS[0]](cast(Any, self))
        record = cast(Any, self).stack[-1]
        if type(record) is dict and "all_results" in record and "arch_str" in record:
            self._on_record(record)
            architecture = record["arch_str"]
            record.clear()
            record["arch_str"] = architecture
            if self._forget:
                self.memo.end_record(new_architecture=architecture != self._architecture)
            self._architecture = architecture

    dispatch[pickle.MEMOIZE[0]] = _memoize
    dispatch[pickle.BINPUT[0]] = _binput
    dispatch[pickle.LONG_BINPUT[0]] = _long_binput
    dispatch[pickle.SETITEMS[0]] = _setitems


def load(path: Path) -> Any:
    """All that a pickle holds: numbers, text and containers, and nothing else.

    Raises:
        SuiteError: the file cannot be read, is damaged, or names any global beyond those few.
    """
    with explained(path), open_pickle(path) as (stream, _):
        content = _PlainUnpickler(stream, path).load()
        _drain(stream)
    return content


def load_records(
    path: Path, on_record: Callable[[dict[str, Any]], None], *, forget: bool = True
) -> Any:
    """As ``load``, for archives larger than memory.

    Every dictionary with keys ``arch_str`` and ``all_results`` is a record: it is given to
    ``on_record`` as soon as it was read, and then emptied but for ``arch_str``.

    Args:
        path: the file.
        on_record: takes a record.
        forget: let go what an architecture's records referred to once the next one begins.

    Raises:
        SuiteError: as for ``load``.
        SharedObject: ``forget``, and architectures share objects that were let go.
    """
    with explained(path), open_pickle(path) as (stream, _):
        content = _RecordUnpickler(stream, path, on_record, forget).load()
        _drain(stream)
    return content


@contextmanager
def open_pickle(path: Path) -> Iterator[tuple[BinaryIO, bool]]:
    """Open a file where its pickle begins, and say whether PyTorch wrote it.

    Known are bzip2, PyTorch's zip file and what it wrote before 1.6, and a pickle alone.
    """
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(0)
        if head.startswith(b"BZh"):
            with bz2.BZ2File(file) as packed:
                yield io.BufferedReader(cast(Any, packed), _BUFFER), False
        elif head.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(file) as archive:
                names = [name for name in archive.namelist() if name.endswith("data.pkl")]
                if len(names) != 1:
                    raise pickle.UnpicklingError("a zip file without data.pkl")
                with archive.open(names[0]) as member:
                    yield io.BufferedReader(cast(Any, member), _BUFFER), True
        elif head[257:262] == b"ustar":
            raise SuiteError(f"{path} is a tar file: unpack it (tar -xf) and import the folder.")
        elif _TORCH_MAGIC.to_bytes(10, "little") in head[:32]:
            for _ in ("magic number", "protocol version", "system"):
                _PlainUnpickler(file, path).load()
            yield file, True
        else:
            yield file, False


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn whatever reading a damaged or foreign file raises into one sentence."""
    try:
        yield
    except (SuiteError, SharedObject):
        raise
    except Exception as error:  # a damaged pickle raises nearly anything
        if isinstance(error, OSError) and error.strerror:
            raise SuiteError(f"{path} cannot be read: {error.strerror}.") from None
        raise SuiteError(
            f"{path} is truncated, damaged or no official archive: get it again ({reason(error)})."
        ) from None


def _drain(stream: BinaryIO) -> None:
    # Checksums of bzip2 and zip are compared at the very end.
    while stream.read(_BUFFER):
        pass
