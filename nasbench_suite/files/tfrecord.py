"""TensorFlow's record files, read without TensorFlow.

A file is a row of records, each as: length (8 bytes), checksum of the length (4), the data, and
checksum of the data (4). Checksums are CRC-32C, rotated and shifted; they are all compared.
Source: ``tensorflow/core/lib/io/record_writer.h``.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError

_HEADER = struct.Struct("<QI")
_FOOTER = struct.Struct("<I")
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
_MASK_DELTA = 0xA282EAD8
_LONGEST = 1 << 30
"""A length beyond this is damage; the data are not read into memory to find out."""


@cache
def _crc_tables() -> NDArray[np.uint32]:
    """What a byte adds to the checksum when zero to seven bytes follow it, shape (8, 256)."""
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = np.where(first & 1, (first >> 1) ^ np.uint32(_POLYNOMIAL), first >> 1)
    tables = [first]
    for _ in range(7):
        tables.append(first[tables[-1] & 0xFF] ^ (tables[-1] >> 8))
    return np.stack(tables).astype(np.uint32)


def crc32c(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """CRC-32C of each row of bytes, shape (rows, bytes) to (rows,).

    Rows are done side by side, eight bytes at a time: per record that takes a microsecond or two,
    a loop over bytes in Python a hundred.
    """
    tables = _crc_tables()
    columns = np.ascontiguousarray(rows.T)
    crc = np.full(rows.shape[0], 0xFFFFFFFF, dtype=np.uint32)
    done = 0
    while done + 8 <= len(columns):
        word = [columns[done + k] for k in range(8)]
        for k in range(4):
            word[k] = word[k] ^ (crc >> np.uint32(8 * k)).astype(np.uint8)
        crc = tables[7][word[0]]
        for k in range(1, 8):
            crc ^= tables[7 - k][word[k]]
        done += 8
    for column in columns[done:]:
        crc = tables[0][(crc.astype(np.uint8)) ^ column] ^ (crc >> np.uint32(8))
    return ~crc


def _masked(crc: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK_DELTA)


def read_tfrecord(path: Path, batch: int = 20_000) -> Iterator[list[bytes]]:
    """The records of a file in order, in lists of at most ``batch``.

    Raises:
        SuiteError: the file cannot be read, is truncated, or a checksum does not agree; the
            position of the record is named.
    """
    try:
        with path.open("rb") as stream:
            number, position, size = 0, 0, path.stat().st_size
            lengths: list[bytes] = []
            records: list[bytes] = []
            checksums: list[bytes] = []
            while header := stream.read(_HEADER.size):
                if len(header) < _HEADER.size:
                    raise _truncated(path, number, position)
                length, _ = _HEADER.unpack(header)
                if length > _LONGEST or position + length > size:
                    # A damaged length looks like a file that ends too early: its checksum tells.
                    _check(path, number, [header[:8]], [header[8:]])
                    raise _truncated(path, number, position)
                data, footer = stream.read(length), stream.read(_FOOTER.size)
                if len(data) < length or len(footer) < _FOOTER.size:
                    raise _truncated(path, number, position)
                lengths.append(header)
                records.append(data)
                checksums.append(footer)
                position += _HEADER.size + length + _FOOTER.size
                if len(records) == batch:
                    _check_batch(path, number, lengths, records, checksums)
                    yield records
                    number += len(records)
                    lengths, records, checksums = [], [], []
            if records:
                _check_batch(path, number, lengths, records, checksums)
                yield records
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror or error}.") from None


def _truncated(path: Path, number: int, position: int) -> SuiteError:
    return SuiteError(
        f"{path} ends within record {number} (byte {position:,}): it is truncated or no TFRecord "
        f"file; get it again."
    )


def _check_batch(
    path: Path,
    number: int,
    headers: Sequence[bytes],
    records: Sequence[bytes],
    footers: Sequence[bytes],
) -> None:
    _check(path, number, [header[:8] for header in headers], [header[8:] for header in headers])
    by_length: dict[int, list[int]] = {}
    for position, record in enumerate(records):
        by_length.setdefault(len(record), []).append(position)
    for positions in by_length.values():
        _check(
            path,
            number,
            [records[position] for position in positions],
            [footers[position] for position in positions],
            positions,
        )


def _check(
    path: Path,
    first: int,
    data: Sequence[bytes],
    written: Sequence[bytes],
    positions: Sequence[int] | None = None,
) -> None:
    """Compare the checksums of data of one length."""
    rows = np.frombuffer(b"".join(data), dtype=np.uint8).reshape(len(data), -1)
    wrong = _masked(crc32c(rows)) != np.frombuffer(b"".join(written), dtype="<u4")
    if wrong.any():
        place = int(wrong.argmax())
        number = first + (place if positions is None else positions[place])
        raise SuiteError(
            f"Record {number} of {path} does not have the checksum written with it: the file is "
            f"damaged or no TFRecord file; get it again."
        )
