"""Tables as other people keep them: read by what they hold, whatever their names end in.

Parquet, Feather, JSON, pickles of numbers, and text with any separator; packed by gzip, bzip2, xz
or zip; with byte order marks, white space, or decimal commas. Nothing in a file is ever run.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.unpacking import most_unpacked

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 1 << 31
"""A packed file that holds more than this is refused: no table of architectures does."""

ARCHITECTURE = "architecture"
"""The name of the column of architectures, where a file has them as keys."""

_SEPARATORS = ("\t", ";", ",")
_DECIMAL_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d*),\d+([eE][-+]?\d+)?")
_PLAIN_NUMBER = re.compile(r"[-+]?\d+")
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")


@dataclass(frozen=True)
class FrameFile:
    """A table read from a file.

    Attributes:
        frame: the table, at least a row and a column, each column's name once and as text.
        metadata: what a Parquet or Feather file says of itself beside the table.
        notes: what was found and mended on the way, a sentence each.
    """

    frame: pd.DataFrame
    metadata: Mapping[bytes, bytes] = field(default_factory=dict)
    notes: Sequence[str] = ()


def read_frame(path: Path) -> FrameFile:
    """The table in a file.

    Cells of text files stay text. A list of numbers becomes a column named as the file, figures by
    architecture two columns, of which the first is ``ARCHITECTURE``.

    Raises:
        SuiteError: there is no such file, or it holds no table.
    """
    import pyarrow as pa

    try:
        content, notes = _unpacked(path)
        found = _parse(path, content)
    except FileNotFoundError:
        raise SuiteError(f"There is no file {path}.") from None
    except SuiteError:
        raise
    except (pa.ArrowException, OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise _unreadable(path, error) from None
    except (ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise _unreadable(path, error) from None
    frame = found.frame
    if frame.empty:
        raise SuiteError(f"{path} is no table of figures: it has no rows or no columns.")
    frame.columns = frame.columns.map(lambda name: str(name).strip())
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise SuiteError(f"{path} has column {twice!r} twice: rename or drop one of them.")
    return FrameFile(frame, found.metadata, [*notes, *found.notes])


def _unreadable(path: Path, error: BaseException) -> SuiteError:
    reason = str(error).strip().splitlines() or [type(error).__name__]
    return SuiteError(
        f"{path} cannot be read as Parquet or CSV ({reason[0]}): is it truncated or of "
        f"another format?"
    )


def _unpacked(path: Path) -> tuple[bytes, list[str]]:
    """The content of a file, unpacked; a folder is refused with what it holds."""
    if path.is_dir():
        inside = sorted(one.name for one in path.iterdir() if one.is_file())[:3]
        raise SuiteError(
            f"{path} is a folder and cannot be read as a table: name one file of it"
            + (f", such as {', '.join(inside)}." if inside else "; it holds none.")
        )
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith(b"PK\x03\x04"):
            return _from_zip(path)
        for magic, opened in ((b"\x1f\x8b", gzip), (b"BZh", bz2), (b"\xfd7zXZ", lzma)):
            if head.startswith(magic):
                with opened.open(file) as packed:
                    return _bounded(path, packed), []
        return file.read(), []


def _from_zip(path: Path) -> tuple[bytes, list[str]]:
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
        tables = [n for n in names if not Path(n).name.startswith((".", "_"))]
        if any(name.endswith("data.pkl") for name in names):
            return path.read_bytes(), []  # a file of torch.save is a zip file too
        if len(tables) != 1:
            raise SuiteError(
                f"{path} holds {len(tables)} files ({', '.join(tables[:3])}): unpack it and name "
                f"the one with the table."
            )
        with archive.open(tables[0]) as packed:
            return _bounded(path, packed), [f"{path.name} was read from {tables[0]} in it."]


def _bounded(path: Path, packed: Any) -> bytes:
    most = min(MOST_BYTES, most_unpacked(path))
    content: bytes = packed.read(most + 1)
    if len(content) > most:
        raise SuiteError(
            f"{path} unpacks to more than {most >> 20} MiB, too much for its size: it is no table."
        )
    return content


def _parse(path: Path, content: bytes) -> FrameFile:
    import pyarrow as pa
    import pyarrow.feather as feather
    import pyarrow.parquet as pq

    if content.startswith((b"PAR1", b"ARROW1", b"FEA1")):
        is_parquet = content.startswith(b"PAR1")
        source = pa.BufferReader(content)
        if is_parquet:
            table = pq.ParquetFile(source, page_checksum_verification=True).read()
        else:
            table = feather.read_table(source)
        table.validate(full=True)  # text that is no UTF-8 shows here
        # Without what pandas noted of its index, the index is a column like any other.
        frame = table.replace_schema_metadata(None).to_pandas()
        return FrameFile(_stripped(frame), table.schema.metadata or {})
    if content.startswith((b"\x80", b"PK\x03\x04")):
        from nasbench_suite.files.safe_pickle import load

        return FrameFile(frame_of(load(path), path))
    text = _decoded(path, content)
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<html", "<?xml")):
        raise SuiteError(
            f"{path} is a saved web page, not the file shown on it: download the file itself "
            f"(on GitHub by 'Raw')."
        )
    if start.startswith("version https://git-lfs"):
        raise SuiteError(
            f"{path} is a pointer of Git LFS, not the file: fetch it with `git lfs pull`."
        )
    if start.startswith(("[", "{")):
        return FrameFile(_stripped(frame_of(_json(text), path)))
    return _delimited(text)


def _decoded(path: Path, content: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    if content.startswith(b"\xfe\xff"):
        return content.decode("utf-16")
    if b"\0" in content[:4096]:
        raise SuiteError(
            f"{path} cannot be read as Parquet or CSV (it is no text): is it truncated or of "
            f"another format?"
        )
    return content.decode("utf-8")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        return [json.loads(line) for line in lines]  # a record a line


def frame_of(content: Any, path: Path) -> pd.DataFrame:
    """A table of what JSON or a pickle holds.

    Args:
        content: records; columns by name; figures, or records, by architecture; or figures alone.
        path: the file, whose name names figures that have none.

    Raises:
        SuiteError: it is none of these.
    """
    import pandas as pd

    name = path.name.partition(".")[0]
    if isinstance(content, np.ndarray):
        content = content.tolist() if content.ndim == 1 else content
    if isinstance(content, list) and content:
        if all(isinstance(one, Mapping) for one in content):
            return pd.DataFrame.from_records(content)
        if all(_is_number(one) for one in content):
            return pd.DataFrame({name: content})
    if isinstance(content, Mapping) and content:
        keys, values = list(content), list(content.values())
        if all(_is_number(value) for value in values):
            return pd.DataFrame({ARCHITECTURE: _cells(keys), name: values})
        if all(isinstance(value, Mapping) for value in values):
            if _is_by_column(values):
                return pd.DataFrame({key: list(value.values()) for key, value in content.items()})
            frame = pd.DataFrame.from_records(values)
            if ARCHITECTURE not in frame:
                frame.insert(0, ARCHITECTURE, _cells(keys))
            return frame
        if all(isinstance(v, list | np.ndarray) and np.ndim(v) == 1 for v in values):
            lengths = {len(value) for value in values}
            if len(lengths) == 1 and len(values) <= max(lengths):
                return pd.DataFrame({key: list(value) for key, value in content.items()})
        if len(content) == 1:
            return frame_of(values[0], path)
    raise SuiteError(
        f"{path} holds no table: give records, columns, or figures by architecture, as CSV, JSON "
        f"or Parquet."
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _cells(keys: list[Any]) -> pd.Series[Any]:
    """Keys as cells: a column of tuples is none of rows."""
    import pandas as pd

    return pd.Series(keys, dtype=object) if isinstance(keys[0], tuple) else pd.Series(keys)


def _is_by_column(values: Sequence[Mapping[Any, Any]]) -> bool:
    """Whether mappings are columns by row number, as pandas writes JSON."""
    rows = list(values[0])
    return (
        len(values) < len(rows)
        and all(str(row).isdigit() for row in rows)
        and all(list(value) == rows for value in values)
    )


def _delimited(text: str) -> FrameFile:
    """A table of text; the separator is the one in the first line."""
    import pandas as pd

    header = next((line for line in text.splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", header)
    separator = next((one for one in _SEPARATORS if one in bare), None)
    if separator is None:
        separator = r"\s+" if len(bare.split()) > 1 else ","
    frame = pd.read_csv(
        io.StringIO(text),
        sep=separator,
        header=None,
        dtype=str,
        skipinitialspace=separator != "\t",
        engine="python" if separator == r"\s+" else "c",
    )
    frame.columns = pd.Index(frame.iloc[0].fillna(""))
    frame = _stripped(frame.iloc[1:].reset_index(drop=True))
    notes = []
    for position, column in enumerate(frame.columns):
        points = _with_points(frame.iloc[:, position], certain=separator == ";")
        if points is not None:
            frame.isetitem(position, points.array)
            notes.append(f"{str(column).strip()} was read with decimal commas.")
    return FrameFile(frame, notes=notes)


def _stripped(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without white space about text."""
    import pandas as pd

    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if pd.api.types.is_string_dtype(column) and len(column):
            frame.isetitem(position, column.str.strip().array)
    return frame


def _with_points(column: pd.Series[Any], *, certain: bool) -> pd.Series[Any] | None:
    """A column of numbers with decimal commas, with points; None if it is none.

    Args:
        column: text.
        certain: whether a comma can only be a decimal one. Else ``1,234`` in every cell that has
            a comma may be a thousand, and the column stays as it is.
    """
    cells = column.dropna()
    with_comma = cells[cells.str.contains(",", regex=False)]
    if with_comma.empty or not with_comma.str.fullmatch(_DECIMAL_COMMA.pattern).all():
        return None
    rest = cells.drop(with_comma.index)
    if not rest.empty and not rest.str.fullmatch(_PLAIN_NUMBER.pattern).all():
        return None
    if not certain and with_comma.str.fullmatch(_THOUSANDS.pattern).all():
        return None
    plain: pd.Series[Any] = column.str.replace(".", "", regex=False)
    return plain.str.replace(",", ".", regex=False)
