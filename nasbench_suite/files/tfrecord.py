"""TensorFlow's record files, read without TensorFlow.

A file is a row of records, each as: length (8 bytes), checksum of the length (4), the data, and
checksum of the data (4). Checksums are CRC-32C, rotated and shifted; they are all compared.
Source: ``tensorflow/core/lib/io/record_writer.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.unpacking import need_regular_file

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_BEFORE = b"Td\x1fd"
"""Takes the register from zeros, which zeros before do not change, to the start: all ones."""
_MASK_DELTA = 0xA282EAD8
_LONGEST = 1 << 30
"""A length beyond this is damage; the data are not read into memory to find out."""
_BLOCK = 1 << 21  # bytes read at once


@cache
def _crc_tables() -> NDArray[np.uint32]:
    """What two bytes add to the checksum when six, four, two or none follow, shape (4, 65536)."""
    table = np.arange(1 << 16, dtype=np.uint32)
    tables = []
    for _ in range(4):
        for _ in range(16):
            table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
        tables.append(table)
    return np.stack(tables[::-1]).astype(np.uint32)


def crc32c(records: Sequence[bytes]) -> NDArray[np.uint32]:
    """CRC-32C of each record, shape (records,).

    Records are done side by side, eight bytes at a time, filled up with zeros before them: per
    record of 400 bytes that takes less than a microsecond, a loop over bytes in Python a hundred.
    """
    found = np.empty(len(records), dtype=np.uint32)
    by_size: dict[int, list[int]] = {}
    for position, record in enumerate(records):
        by_size.setdefault(len(record).bit_length(), []).append(position)
    for positions in by_size.values():
        longest = max(len(records[position]) for position in positions) + len(_BEFORE)
        width = -(-longest // 8) * 8
        filled = b"".join(
            [(_BEFORE + records[position]).rjust(width, b"\0") for position in positions]
        )
        found[positions] = ~_register(np.frombuffer(filled, "<u2").reshape(-1, width // 2))
    return found


def _register(rows: NDArray[np.uint16]) -> NDArray[np.uint32]:
    """The register after each row, shape (records, a multiple of 4), from a register of zeros."""
    tables = _crc_tables()
    columns = np.ascontiguousarray(rows.T)
    register = np.zeros(len(rows), dtype=np.uint32)
    for place in range(0, len(columns), 4):
        words = columns[place : place + 4]
        low = register.astype(np.uint16) ^ words[0]
        high = (register >> np.uint32(16)).astype(np.uint16) ^ words[1]
        register = tables[0].take(low)
        register ^= tables[1].take(high)
        register ^= tables[2].take(words[2])
        register ^= tables[3].take(words[3])
    return register


def _masked(crc: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK_DELTA)


def read_tfrecord(path: Path, batch: int = 20_000) -> Iterator[list[bytes]]:
    """The records of a file in order, in lists of at most ``batch``.

    Raises:
        SuiteError: the file cannot be read, is truncated, or a checksum does not agree; the
            position of the record is named.
    """
    need_regular_file(path)
    try:
        with path.open("rb") as stream:
            size = path.stat().st_size
            number = position = 0  # of the first record that was not yet given
            block, wanted = b"", 1
            while more := stream.read(max(_BLOCK, wanted)):
                block += more
                ends, wanted = _ends(path, block, number, position, size)
                for first in range(0, len(ends) - 1, batch):
                    spans = list(pairwise(ends[first : first + batch + 1]))
                    records = [
                        block[start + _HEADER.size : end - _FOOTER.size] for start, end in spans
                    ]
                    headers = [block[start : start + _HEADER.size] for start, _ in spans]
                    _check(path, number, [h[:8] for h in headers], [h[8:] for h in headers])
                    _check(
                        path, number, records, [block[end - _FOOTER.size : end] for _, end in spans]
                    )
                    yield records
                    number += len(records)
                block, position = block[ends[-1] :], position + ends[-1]
            if block:
                raise _truncated(path, number, position)
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror or error}.") from None


def _ends(path: Path, block: bytes, number: int, position: int, size: int) -> tuple[list[int], int]:
    """Where whole records in a block end, 0 first, and how many bytes the next one wants.

    ``number`` and ``position`` in the file are those of the block's first record.
    """
    ends = [0]
    while (place := ends[-1]) + _HEADER.size <= len(block):
        length, _ = _HEADER.unpack_from(block, place)
        if length > _LONGEST or position + place + length > size:
            # A damaged length looks like a file that ends too early: its checksum tells.
            header = block[place : place + _HEADER.size]
            _check(path, number + len(ends) - 1, [header[:8]], [header[8:]])
            raise _truncated(path, number + len(ends) - 1, position + place)
        end = place + _HEADER.size + length + _FOOTER.size
        if end > len(block):
            return ends, end - len(block)
        ends.append(end)
    return ends, _HEADER.size


def _truncated(path: Path, number: int, position: int) -> SuiteError:
    return SuiteError(
        f"{path} ends within record {number} (byte {position:,}): it is truncated or no TFRecord "
        f"file; get it again."
    )


def _check(path: Path, first: int, data: Sequence[bytes], written: Sequence[bytes]) -> None:
    """Compare the checksums of data, the first of which belong to record ``first``."""
    wrong = _masked(crc32c(data)) != np.frombuffer(b"".join(written), dtype="<u4")
    if wrong.any():
        raise SuiteError(
            f"Record {first + int(wrong.argmax())} of {path} does not have the checksum written "
            f"with it: the file is damaged or no TFRecord file; get it again."
        )
