"""Parquet files that say the same so often that they are no tables of figures.

Arrow unpacks what one says of itself: a few hundred bytes may repeat a long text, or nothing, until
memory ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nasbench_suite.files.unpacking import need_likely_size

if TYPE_CHECKING:
    from pathlib import Path


def need_likely_values(path: Path, file: Any) -> None:
    """Refuse a file of more numbers than one of its size may hold.

    Args:
        path: the file.
        file: the same, open as Arrow's ``ParquetFile``.

    Raises:
        SuiteError: it is.
    """
    found = file.metadata
    groups = [found.row_group(place) for place in range(found.num_row_groups)]
    columns = [file.schema.column(place) for place in range(found.num_columns)]
    size = sum(
        group.column(place).num_values * max(8, column.length or 0)  # of bytes of one length each
        for group in groups
        for place, column in enumerate(columns)
    )
    need_likely_size(path, max(size, sum(group.total_byte_size for group in groups)))


def need_likely_texts(path: Path, source: Any, column: str | None = None) -> None:
    """Refuse a file whose texts, each as often as it stands there, are too much for its size.

    Args:
        path: the file.
        source: what Arrow opens of it.
        column: the one that is looked at; by default all.

    Raises:
        SuiteError: it is; or Arrow's errors, where it is damaged.
    """
    import pyarrow.parquet as pq

    schema = pq.ParquetFile(source).schema
    texts = [
        leaf.path
        for leaf in map(schema.column, range(len(schema)))
        if leaf.physical_type == "BYTE_ARRAY"
        and (column is None or leaf.path == column or leaf.path.startswith(f"{column}."))
    ]
    if texts:  # by dictionaries each stands once in memory
        table = pq.ParquetFile(source, read_dictionary=texts).read(texts)
        sizes = (_unpacked(chunk) for found in table.columns for chunk in found.chunks)
        need_likely_size(path, sum(sizes))


def _unpacked(array: Any) -> int:
    """The bytes of the text in an array that is encoded by dictionaries."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        return int(pc.sum(pc.binary_length(array.dictionary).take(array.indices)).as_py() or 0)
    if pa.types.is_struct(kind):
        return sum(map(_unpacked, array.flatten()))
    if pa.types.is_map(kind):
        return _unpacked(array.keys) + _unpacked(array.items)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _unpacked(array.flatten())
    return 0
