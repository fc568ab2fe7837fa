"""Reading other people's pickles without ever running what they name.

A pickle is a small program: it can import any function and call it. What is read here are
containers, text, numbers, and arrays and tensors of numbers; these need a dozen globals, each of
which is answered by a stand-in of ours. Every other name is refused, so nothing is imported and
nothing foreign is called, whatever the file says.

Containers of the pickle are opened here too: bzip2 (NATS-Bench), PyTorch's two file formats
(NAS-Bench-201, HELP), or none. None needs torch; a tensor is read as a NumPy array.
"""

from __future__ import annotations

import bz2
import io
import math
import pickle
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np

from nasbench_suite.errors import SuiteError, reason
from nasbench_suite.files.unpacking import Bounded, need_regular_file

# The first object in a file of torch.save before version 1.6; two more precede the pickle.
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_BUFFER = 1 << 20
_MOST_ALIKE = 100  # keys of one hash, as each is compared with all of it
_HEAVIEST = 1_000_000  # items that a tuple of tuples holds, each counted where it is


# A pickle may set attributes on whatever it gets from a global, and functions and classes would
# keep them. So the stand-ins are built-in types, or objects without attributes.


class _BytesFromText:
    """``_codecs.encode``, by which protocol 2 writes bytes."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"bytes written as {encoding}")
        return text.encode("latin1")


_NUMBERS = {f"{kind}{size}" for kind in "iu" for size in (1, 2, 4, 8)} | {"f2", "f4", "f8", "b1"}


class _ScalarType:
    """A numeric ``numpy.dtype`` and no other."""

    __slots__ = ("_name", "_order")

    def __init__(self, name: str) -> None:
        self._name, self._order = name, "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", ">", "|", "="):
            raise pickle.UnpicklingError(f"byte order {state[1]!r}")
        self._order = state[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        order = "=" if self._order == "|" else self._order
        return np.dtype(order + self._name)


class _NoNumbers(pickle.UnpicklingError):
    """A sound array of text, dates or objects."""


class _MakeScalarType:
    """``numpy.dtype`` as pickles call it."""

    __slots__ = ()

    def __call__(self, name: str, align: object = False, copy: object = True) -> _ScalarType:
        if name not in _NUMBERS:
            raise _NoNumbers(name)
        return _ScalarType(name)


class _MakeScalar:
    """``numpy.core.multiarray.scalar``."""

    __slots__ = ()

    def __call__(self, kind: _ScalarType, raw: bytes) -> Any:
        return np.frombuffer(raw, kind.dtype)[0]


class _Array(np.ndarray[Any, Any]):
    """An array of numbers that a pickle fills; ``load`` hands out plain arrays."""

    __slots__ = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        version, shape, kind, by_columns, raw = state
        if type(kind) is not _ScalarType or type(raw) not in (bytes, str):
            raise pickle.UnpicklingError("an array of something else than numbers")
        super().__setstate__((version, shape, kind.dtype, by_columns, raw))


class _MakeArray:
    """``numpy.core.multiarray._reconstruct``: an empty array, whose content comes as its state."""

    __slots__ = ()

    def __call__(self, kind: object, shape: object, typecode: object) -> _Array:
        return cast(_Array, np.empty(0, np.uint8).view(_Array))


class _ArrayOfBuffer:
    """``numpy.core.numeric._frombuffer``, by which protocol 5 writes arrays."""

    __slots__ = ()

    def __call__(self, raw: bytes, kind: _ScalarType, shape: Any, order: Any) -> _Array:
        array: Any = np.frombuffer(raw, kind.dtype).reshape(shape, order=order)
        return cast(_Array, array.view(_Array))


class _MakeTensor:
    """``torch._utils._rebuild_tensor_v2``: a view of a storage."""

    __slots__ = ()

    def __call__(self, storage: _Array, offset: int, shape: Any, strides: Any, *_: Any) -> _Array:
        shape, strides = tuple(shape), tuple(strides)
        steps = [(size - 1) * step for size, step in zip(shape, strides, strict=True)]
        inside = min((offset, *shape, *strides)) >= 0 and offset + sum(steps) < storage.size
        if math.prod(shape) == 0:
            return cast(_Array, storage[:0].reshape(shape))
        if not inside or math.prod(shape) > storage.size:
            raise pickle.UnpicklingError("a tensor larger than what is stored of it")
        size = storage.itemsize
        view = np.lib.stride_tricks.as_strided(
            storage[offset:], shape, [step * size for step in strides], subok=True
        )
        return cast(_Array, view)


class _EmptyBytes:
    """``bytes``, by which protocol 2 writes none."""

    __slots__ = ()

    def __call__(self) -> bytes:
        return b""


class _Bytes:
    """``bytearray``, which protocols before 5 write as its bytes."""

    __slots__ = ()

    def __call__(self, content: bytes = b"") -> bytes:
        if type(content) is not bytes:
            raise pickle.UnpicklingError("bytes of something else")
        return content


class _EmptyDict:
    """``collections.defaultdict``, whose default nobody asks for."""

    __slots__ = ()

    def __call__(self, default: object = None) -> dict[Any, Any]:
        return {}


class _Attributes(dict[str, Any]):
    """An object of somebody's class: what it had as attributes, and none of what it could do."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.update(state)


class _Name:
    """A global that is only ever an argument, such as ``numpy.ndarray``."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError(f"a state of {self.text}")


_STORED = {
    f"{name}Storage": kind
    for name, kind in (
        *(("Double", "f8"), ("Float", "f4"), ("Half", "f2"), ("Bool", "b1"), ("Byte", "u1")),
        *(("Long", "i8"), ("Int", "i4"), ("Short", "i2"), ("Char", "i1")),
    )
}


# An ordered dictionary and a dictionary are the same thing to a reader.
_STAND_INS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): dict,
    ("collections", "defaultdict"): _EmptyDict(),
    ("__builtin__", "bytearray"): _Bytes(),
    ("builtins", "bytearray"): _Bytes(),
    # Boosters keep their trees in one attribute, as the library's own bytes or text.
    ("xgboost.core", "Booster"): _Attributes,
    ("lightgbm.basic", "Booster"): _Attributes,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
    ("_codecs", "encode"): _BytesFromText(),
    ("__builtin__", "bytes"): _EmptyBytes(),
    ("builtins", "bytes"): _EmptyBytes(),
    ("numpy", "dtype"): _MakeScalarType(),
    ("numpy", "ndarray"): _Name("numpy.ndarray"),
    **{
        (f"numpy.{core}.{module}", name): made
        for core in ("core", "_core")
        for module, name, made in (
            ("multiarray", "scalar", _MakeScalar()),
            ("multiarray", "_reconstruct", _MakeArray()),
            ("numeric", "_frombuffer", _ArrayOfBuffer()),
        )
    },
    ("torch._utils", "_rebuild_tensor_v2"): _MakeTensor(),
    **{("torch", name): _Name(name) for name in _STORED},
}


def _stand_in(module: str, name: str, path: Path) -> Any:
    try:
        return _STAND_INS[module, name]
    except KeyError:
        raise SuiteError(
            f"{path} is refused: it names {module}.{name}, which could run code; containers, "
            f"text, numbers and arrays of numbers are read, so save the figures as these, or as "
            f"CSV, or get an official archive from its authors again."
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
    most; the one in Python has a dictionary. An array is no larger than what was read of the file,
    and all arrays together neither, though a pickle may fill several from the same bytes.
    """

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def __init__(
        self,
        stream: BinaryIO,
        path: Path,
        encoding: str = "ASCII",
        storages: _Storages | None = None,
    ) -> None:
        super().__init__(cast(Any, _Stream(stream)), encoding=encoding)
        self._path = path
        self._source = stream
        self._storages = storages
        self._filled = 0
        self._weights: dict[int, int] = {}
        self._heavy: list[tuple[Any, ...]] = []
        self._hashes: dict[int, tuple[object, Counter[int]]] = {}
        self.has_arrays = False

    def find_class(self, module: str, name: str) -> Any:
        """``_STAND_INS`` are all the globals there are."""
        found = _stand_in(module, name, self._path)
        self.has_arrays |= isinstance(found, _MakeArray | _ArrayOfBuffer | _MakeTensor)
        return found

    def persistent_load(self, key: Any) -> _Array:
        """The content of a tensor, which PyTorch keeps outside the pickle."""
        what, kind, name, _, count, *_ = key
        if what != "storage" or type(kind) is not _Name or self._storages is None:
            raise pickle.UnpicklingError("content that is not in the file")
        return self._storages.get(str(name), np.dtype("<" + _STORED[kind.text]), count)

    def _build(self) -> None:
        if type(cast(Any, self).stack[-2]) is dict:  # what PyTorch notes beside its weights
            cast(Any, self).stack.pop()
            return
        pickle._Unpickler.dispatch[pickle.BUILD[0]](cast(Any, self))
        built = cast(Any, self).stack[-1]
        if type(built) is _Array:
            self._filled += built.nbytes
            if self._filled > self._source.tell():
                raise pickle.UnpicklingError("arrays larger than the file")

    def _bytearray8(self) -> None:
        # As bytes, read piece by piece: nothing is claimed that the file does not fill.
        size = int.from_bytes(cast(Any, self).read(8), "little")
        cast(Any, self).append(cast(Any, self).read(size))

    def _weighed(self) -> None:
        """Refuse tuples of tuples that are small as written and endless to go through."""
        made = cast(Any, self).stack[-1]
        inner = [part for part in made if type(part) is tuple]
        if not inner:
            return
        weight = 1 + len(made) + sum(self._weights.get(id(part), len(part)) for part in inner)
        if weight > _HEAVIEST:
            raise pickle.UnpicklingError("tuples that hold each other too often")
        self._weights[id(made)] = weight
        self._heavy.append(made)  # so that its number stays its own

    def _spread(self, holder: Any, keys: Iterable[Any]) -> None:
        """Refuse keys that were made to have one hash, with which a small file takes for ever."""
        made = _hashes_that_can_be_made(keys)
        if not made or len(holder) + len(made) <= _MOST_ALIKE:
            return
        if id(holder) not in self._hashes:  # with the holder, so that its number stays its own
            self._hashes[id(holder)] = holder, Counter(_hashes_that_can_be_made(holder))
        _, counts = self._hashes[id(holder)]
        counts.update(made)
        if any(counts[one] > _MOST_ALIKE for one in made):
            raise pickle.UnpicklingError("keys that were made to have one hash")

    def _setitem(self) -> None:
        holder, key, _ = cast(Any, self).stack[-3:]
        self._spread(holder, [key])
        pickle._Unpickler.dispatch[pickle.SETITEM[0]](cast(Any, self))

    def _setitems(self) -> None:
        self._spread(cast(Any, self).metastack[-1][-1], cast(Any, self).stack[::2])
        pickle._Unpickler.dispatch[pickle.SETITEMS[0]](cast(Any, self))

    def _dict(self) -> None:
        self._spread((), cast(Any, self).stack[::2])
        pickle._Unpickler.dispatch[pickle.DICT[0]](cast(Any, self))

    def _additems(self) -> None:
        self._spread(cast(Any, self).metastack[-1][-1], cast(Any, self).stack)
        pickle._Unpickler.dispatch[pickle.ADDITEMS[0]](cast(Any, self))

    def _frozenset(self) -> None:
        self._spread((), cast(Any, self).stack)
        pickle._Unpickler.dispatch[pickle.FROZENSET[0]](cast(Any, self))

    def _tuple(self) -> None:
        pickle._Unpickler.dispatch[pickle.TUPLE[0]](cast(Any, self))
        self._weighed()

    def _tuple1(self) -> None:
        pickle._Unpickler.dispatch[pickle.TUPLE1[0]](cast(Any, self))
        self._weighed()

    def _tuple2(self) -> None:
        pickle._Unpickler.dispatch[pickle.TUPLE2[0]](cast(Any, self))
        self._weighed()

    def _tuple3(self) -> None:
        pickle._Unpickler.dispatch[pickle.TUPLE3[0]](cast(Any, self))
        self._weighed()

    dispatch[pickle.SETITEM[0]] = _setitem
    dispatch[pickle.SETITEMS[0]] = _setitems
    dispatch[pickle.DICT[0]] = _dict
    dispatch[pickle.ADDITEMS[0]] = _additems
    dispatch[pickle.FROZENSET[0]] = _frozenset
    dispatch[pickle.TUPLE[0]] = _tuple
    dispatch[pickle.TUPLE1[0]] = _tuple1
    dispatch[pickle.TUPLE2[0]] = _tuple2
    dispatch[pickle.TUPLE3[0]] = _tuple3
    dispatch[pickle.BUILD[0]] = _build
    dispatch[pickle.BYTEARRAY8[0]] = _bytearray8


def _hashes_that_can_be_made(keys: Iterable[Any]) -> list[int]:
    """Hashes of keys but of text, whose nobody foresees, and of numbers that are their own."""
    return [
        hash(key)
        for key in keys
        if type(key) not in (str, bytes)
        and not (type(key) is int and abs(key) < sys.hash_info.modulus)
    ]


class _Storages:
    """The contents of tensors in a file of ``torch.save``."""

    def get(self, name: str, kind: np.dtype[Any], count: int) -> _Array:
        """The numbers stored under a name, shape (count,)."""
        raise NotImplementedError

    def finish(self) -> None:
        """Called after the pickle was read."""


class _ZippedStorages(_Storages):
    """Each a member of the zip file, as PyTorch writes since 1.6."""

    def __init__(self, archive: zipfile.ZipFile, folder: str) -> None:
        self._archive, self._folder = archive, folder
        self._read: dict[str, _Array] = {}

    def get(self, name: str, kind: np.dtype[Any], count: int) -> _Array:
        if name not in self._read:
            member = self._archive.getinfo(f"{self._folder}data/{name}")
            if member.compress_type != zipfile.ZIP_STORED:
                raise pickle.UnpicklingError("packed tensors, which PyTorch does not write")
            content = np.frombuffer(self._archive.read(member), kind).view(_Array)
            self._read[name] = content
        if self._read[name].size != count or self._read[name].dtype != kind:
            raise pickle.UnpicklingError("a tensor that is not of the size stated")
        return self._read[name]


class _TrailingStorages(_Storages):
    """All behind the pickle, as PyTorch wrote before 1.6."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file, self._path = file, path
        begin = file.tell()
        self._left = file.seek(0, io.SEEK_END)
        file.seek(begin)
        self._made: dict[str, _Array] = {}

    def get(self, name: str, kind: np.dtype[Any], count: int) -> _Array:
        if name not in self._made:
            self._left -= count * kind.itemsize
            if count < 0 or self._left < 0:
                raise pickle.UnpicklingError("tensors larger than the file")
            self._made[name] = np.zeros(count, kind).view(_Array)
        if self._made[name].size != count or self._made[name].dtype != kind:
            raise pickle.UnpicklingError("one tensor of two sizes")
        return self._made[name]

    def finish(self) -> None:
        for name in _PlainUnpickler(self._file, self._path).load():
            content = self._made[name]
            count = int.from_bytes(self._file.read(8), "little")
            raw = self._file.read(content.nbytes)
            if count != content.size or len(raw) != content.nbytes:
                raise pickle.UnpicklingError("a tensor that is cut short")
            content[:] = np.frombuffer(raw, content.dtype)


class SharedObject(Exception):  # noqa: N818 -- not an error: read again without forgetting
    """A pickle refers back to an object that was forgotten."""


class _Memo(dict[int, Any]):
    """What a pickle may refer back to, forgotten architecture by architecture.

    The dictionary itself holds what was read since the last record ended, ``architecture`` what
    came with the present architecture's earlier records, and ``lasting`` what outlives it: the
    stand-ins, and the first string of each text (an attribute's name, say, is one shared object
    in all records).
    """

    def __init__(self, forgets: bool) -> None:
        self.forgets = forgets
        self.count = 0
        self.architecture: dict[int, Any] = {}
        self.lasting: dict[int, Any] = {}
        self._texts: set[str] = set()

    def __missing__(self, index: int) -> Any:
        for older in (self.architecture, self.lasting):
            if index in older:
                return older[index]
        raise SharedObject if self.forgets and 0 <= index < self.count else KeyError(index)

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
        self.memo = _Memo(forget)

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
        super()._setitems()
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


def load(path: Path, *, encoding: str = "ASCII", content: bytes | None = None) -> Any:
    """All that a pickle holds: numbers, text, containers, arrays of numbers, and nothing else.

    Args:
        path: the file; tensors of a file of ``torch.save`` become arrays too.
        encoding: of text that Python 2 wrote; ``latin1`` for arrays that it wrote.
        content: what the file holds, where it was packed.

    Raises:
        SuiteError: the file cannot be read, is damaged, or names any global beyond those few.
    """
    with explained(path), open_pickle(path, content) as (stream, storages):
        unpickler = _PlainUnpickler(stream, path, encoding, storages)
        held = unpickler.load()
        if storages is not None:
            storages.finish()
        _drain(stream)
        return _plain(held) if unpickler.has_arrays else held


def _plain(content: Any) -> Any:
    """The content with plain arrays, in which nothing of ours is left.

    Containers are gone through in place, each once: a pickle may hold itself.
    """
    seen: set[int] = set()
    root = [content]
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        places = one.items() if isinstance(one, dict) else enumerate(one)
        for key, value in list(places):
            if type(value) is tuple and any(type(part) is _Array for part in value):
                value = tuple(np.asarray(p) if type(p) is _Array else p for p in value)
                one[key] = value
            if type(value) is _Array:
                one[key] = np.asarray(value)
            elif isinstance(value, dict | list):
                waiting.append(value)
    return root[0]


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
def open_pickle(
    path: Path, content: bytes | None = None
) -> Iterator[tuple[BinaryIO, _Storages | None]]:
    """Open a file where its pickle begins, with the tensors beside it if PyTorch wrote it.

    Known are bzip2, PyTorch's zip file and what it wrote before 1.6, and a pickle alone.
    """
    if content is None:
        need_regular_file(path)
    with path.open("rb") if content is None else io.BytesIO(content) as file:
        head = file.read(512)
        file.seek(0)
        if head.startswith(b"BZh"):
            with bz2.BZ2File(file) as packed:
                yield io.BufferedReader(Bounded(packed, path), _BUFFER), None
        elif head.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(file) as archive:
                names = [name for name in archive.namelist() if name.endswith("data.pkl")]
                if len(names) != 1:
                    raise pickle.UnpicklingError("a zip file without data.pkl")
                with archive.open(names[0]) as member:
                    folder = names[0].removesuffix("data.pkl")
                    stream = io.BufferedReader(Bounded(member, path), _BUFFER)
                    yield stream, _ZippedStorages(archive, folder)
        elif head[257:262] == b"ustar":
            raise SuiteError(f"{path} is a tar file: unpack it (tar -xf) and import the folder.")
        elif _TORCH_MAGIC.to_bytes(10, "little") in head[:32]:
            for _ in ("magic number", "protocol version", "system"):
                _PlainUnpickler(file, path).load()
            yield file, _TrailingStorages(file, path)
        else:
            yield file, None


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
        if isinstance(error, _NoNumbers):
            raise SuiteError(
                f"{path} holds an array of NumPy type {str(error)!r}, and of arrays only those of "
                f"real numbers are read: save the figures as numbers, or the table as CSV."
            ) from None
        raise SuiteError(
            f"{path} is truncated, damaged or another kind of file: get it again ({reason(error)})."
        ) from None


def _drain(stream: BinaryIO) -> None:
    # Checksums of bzip2 and zip are compared at the very end.
    while stream.read(_BUFFER):
        pass
