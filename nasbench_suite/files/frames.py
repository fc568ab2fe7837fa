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
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.files.parquet import need_likely_texts, need_likely_values
from nasbench_suite.files.unpacking import most_unpacked, need_regular_file, read_arrays

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 1 << 31
"""A packed file that holds more than this is refused: no table of architectures does."""

ARCHITECTURE = "architecture"
"""The name of the column of architectures, where a file has them as keys."""

_CELLS = "nasbench201"
"""HW-NAS-Bench's figures of cells, beside which it keeps those of layers of another space."""

_SPLIT_KEYS = {"columns", "index", "data"}
_MOST_LAYERS = 4
_PACKERS = (lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)
_MOST_COLUMNS = 20_000  # every epoch of every seed of three data sets, several times over
_SEPARATORS = ("\t", ";", ",", "|")
_PERCENT_SIGN = "% \u00a0\u202f"  # and what spaces are before it
_PERCENT = re.compile(r"[-+]?\d*[.,]?\d+(e[-+]?\d+)?\s*%")
_OTHER_FORMATS = {
    b"\x89HDF": "HDF5: save the table as Parquet or CSV",
    b"\x28\xb5\x2f\xfd": "packed by zstd: unpack it first (`zstd -d`)",
    b"7z\xbc\xaf": "packed by 7-Zip: unpack it first",
    b"Rar!": "packed by RAR: unpack it first",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook: save the sheet as CSV",
    b"%PDF": "a PDF: get the table itself",
}
_DECIMAL_COMMA = re.compile(r"[-+]?(\d{1,3}(\.\d{3})+|\d*),\d+([eE][-+]?\d+)?")
_ABOVE = re.compile(r"\s*|#\s.*|sep=.")
_ROW = re.compile(r"0|[1-9]\d*")  # networks of nasbench-macro are digits, and some begin with 0
_NO_CELL = ("-", "--", "\N{EN DASH}", "\N{EM DASH}", "?")  # beside what pandas knows
_PLAIN_NUMBER = re.compile(r"[-+]?\d+")
# Before a point a comma can only stand at thousands.
_WITH_THOUSANDS = re.compile(r"[-+]?\d{1,3}(,\d{3})*\.\d+")
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
    except (pa.ArrowException, OSError, EOFError, *_PACKERS) as error:
        raise _unreadable(path, error) from None
    # RuntimeError: an archive with a password, or packed in a way that zipfile does not know.
    except (ValueError, OverflowError, MemoryError, RuntimeError) as error:
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
        files = (one for one in path.rglob("*") if one.is_file())
        inside = sorted(str(one.relative_to(path)) for one in files)[:3]
        raise SuiteError(
            f"{path} is a folder and cannot be read as a table: name one file of it"
            + (f", such as {', '.join(inside)}." if inside else "; it holds none.")
        )
    need_regular_file(path, MOST_BYTES)
    content = path.read_bytes()
    notes: list[str] = []
    for _ in range(_MOST_LAYERS):
        layer = _packed_within(path, content)
        if layer is None:
            return content, notes
        content, member = layer
        notes += [f"{path.name} was read from {member} in it."] if member else []
    raise SuiteError(f"{path} is packed more than {_MOST_LAYERS} times over: unpack it first.")


def _packed_within(path: Path, content: bytes) -> tuple[bytes, str] | None:
    """What a packed file holds, and its name in an archive; None if it is not packed."""
    for magic, opened in ((b"\x1f\x8b", gzip), (b"BZh", bz2), (b"\xfd7zXZ", lzma)):
        if content.startswith(magic):
            with opened.open(io.BytesIO(content)) as packed:
                return _bounded(path, packed), ""
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if any(name.startswith("xl/") for name in names):
                raise SuiteError(f"{path} is an Excel workbook: save its sheet as CSV.")
            arrays = bool(names) and all(name.endswith(".npy") for name in names)
            if arrays or any(name.endswith("data.pkl") for name in names):
                return None  # files of NumPy and of torch.save are zip files too
            member = _only_table(path, names)
            with archive.open(member) as packed:
                return _bounded(path, packed), member
    if content[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(content)) as tar:
            member = _only_table(path, [one.name for one in tar.getmembers() if one.isfile()])
            return _bounded(path, tar.extractfile(member)), member
    return None


def _only_table(path: Path, names: Sequence[str]) -> str:
    """The one file in an archive that can be a table."""
    tables = [name for name in names if not Path(name).name.startswith((".", "_"))]
    if len(tables) != 1:
        raise SuiteError(
            f"{path} holds {len(tables)} files ({', '.join(tables[:3])}): unpack it and name the "
            f"one with the table."
        )
    return tables[0]


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
            file = pq.ParquetFile(source, page_checksum_verification=True)
            need_likely_values(path, file)
            need_likely_texts(path, source)
            table = file.read()
        else:
            table = feather.read_table(source)
        table.validate(full=True)  # text that is no UTF-8 shows here
        # Without what pandas noted of its index, the index is a column like any other.
        frame = table.replace_schema_metadata(None).to_pandas()
        return FrameFile(_stripped(frame), table.schema.metadata or {})
    for magic, other in _OTHER_FORMATS.items():
        if content.startswith(magic):
            raise SuiteError(f"{path} is {other}.")
    if content.startswith(b"\x93NUMPY") or (content.startswith(b"PK") and b".npy" in content[:200]):
        single = content.startswith(b"\x93NUMPY")
        held = (
            np.load(io.BytesIO(content), allow_pickle=False)
            if single
            else read_arrays(path, content)
        )
        return FrameFile(frame_of(held, path))
    if content.startswith((b"\x80", b"PK\x03\x04")):
        from nasbench_suite.files.safe_pickle import load

        return FrameFile(frame_of(load(path, content=content), path))
    text = decoded(path, content)
    start = text.lstrip()[:200].lower()
    if start.startswith(("<!doctype", "<!--", "<html", "<head", "<?xml")):
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


def decoded(path: Path, content: bytes) -> str:
    """The text in a file, without its byte order mark."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16")):
        if content.startswith(mark):
            return content.decode(encoding)
    if content.startswith(b"\xfe\xff"):
        return content.decode("utf-16")
    if b"\0" in content[:4096]:
        for last, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
            if not any(content[last:4096:2]) and all(content[1 - last : 4096 : 2]):
                return content.decode(encoding)  # Latin text without its mark
        raise SuiteError(
            f"{path} cannot be read as Parquet or CSV (it is no text): is it truncated or of "
            f"another format?"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SuiteError(
            f"{path} is text in another encoding than UTF-8 (byte {content[error.start]:#x} at "
            f"{error.start:,}): save it as UTF-8."
        ) from None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        lines = [line for line in text.splitlines() if line.strip()]
        return [json.loads(line) for line in lines]  # a record a line


def frame_of(content: Any, path: Path) -> pd.DataFrame:
    """A table of what JSON or a pickle holds.

    Args:
        content: records; columns by name; figures, or records, by architecture; pairs of an
            architecture and its figure; figures alone; or rows beside the names of their columns,
            as pandas has them with ``orient="split"``.
        path: the file, whose name names figures that have none.

    Raises:
        SuiteError: it is none of these.
    """
    name = path.name.partition(".")[0]
    if isinstance(content, np.ndarray):
        content = content[:, 0] if content.ndim == 2 and content.shape[1] == 1 else content
        content = content.tolist() if content.ndim == 1 else content
    if isinstance(content, Mapping) and isinstance(content.get(_CELLS), Mapping):
        content = content[_CELLS]
    frame = None
    if isinstance(content, list) and content:
        frame = _frame_of_list(content, name)
    elif isinstance(content, Mapping) and {"columns", "data"} <= set(content) <= _SPLIT_KEYS:
        frame = _frame_of_split(content)
    elif isinstance(content, Mapping) and content:
        frame = _frame_of_mapping(content, name, path)
    if frame is None:
        raise SuiteError(
            f"{path} holds no table: give records, columns, or figures by architecture, as CSV, "
            f"JSON or Parquet."
        )
    return frame


def _frame_of_list(content: list[Any], name: str) -> pd.DataFrame | None:
    """A table of records, of pairs, or of figures alone; None of anything else."""
    import pandas as pd

    if all(isinstance(one, Mapping) for one in content):
        return pd.DataFrame.from_records([_flat(one) for one in content])
    if all(_is_number(one) for one in content):
        return pd.DataFrame({name: [_plain_number(one) for one in content]})
    if all(_is_pair(one) for one in content):
        cells = [tuple(cell) if isinstance(cell, list) else cell for cell, _ in content]
        figures = [_plain_number(figure) for _, figure in content]
        return pd.DataFrame({ARCHITECTURE: _cells(cells), name: figures})
    return None


def _frame_of_split(content: Mapping[Any, Any]) -> pd.DataFrame | None:
    """A table of rows beside the names of their columns; None if they do not fit."""
    import pandas as pd

    names, rows = content["columns"], content["data"]
    if not isinstance(names, list) or not isinstance(rows, list):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
        return None
    return pd.DataFrame(rows, columns=[str(one) for one in names])


def _frame_of_mapping(content: Mapping[Any, Any], name: str, path: Path) -> pd.DataFrame | None:
    """A table of figures, records or columns by some key; None of anything else."""
    import pandas as pd

    keys, values = list(content), list(content.values())
    if all(_is_number(value) for value in values):
        figures = [_plain_number(value) for value in values]
        return pd.DataFrame({ARCHITECTURE: _cells(keys), name: figures})
    if len(values) == 1 and _holds_mappings(values[0]):
        return _named_within(str(keys[0]), values[0], path)
    if all(isinstance(value, Mapping) for value in values):
        return _frame_of_records(content)
    records = [value for value in values if _holds_records(value)]
    if len(records) == 1:
        return frame_of(records[0], path)  # beside what is said of them
    if all(isinstance(value, list | np.ndarray) and np.ndim(value) == 1 for value in values):
        lengths = {len(value) for value in values}
        if len(lengths) == 1 and len(values) <= max(lengths):
            return pd.DataFrame({key: list(value) for key, value in content.items()})
    return frame_of(values[0], path) if len(values) == 1 else None


def _frame_of_records(content: Mapping[Any, Mapping[Any, Any]]) -> pd.DataFrame:
    """A table of records by architecture, of columns by row, or of columns in parts."""
    import pandas as pd

    keys, values = list(content), list(content.values())
    if (parts := _by_part(content)) is not None:
        return parts
    if _is_by_column(values):
        return pd.DataFrame({key: list(value.values()) for key, value in content.items()})
    if len(values[0]) > _MOST_COLUMNS:  # figures by metric and architecture
        architectures = list(dict.fromkeys(one for value in values for one in value))
        figures = {str(k): [v.get(one) for one in architectures] for k, v in content.items()}
        return pd.DataFrame({ARCHITECTURE: _cells(architectures), **figures})
    frame = pd.DataFrame.from_records([_flat(value) for value in values])
    if ARCHITECTURE not in frame:
        frame.insert(0, ARCHITECTURE, _cells(keys))
    return frame


def _is_pair(value: Any) -> bool:
    """An architecture, which is no number, and its figure."""
    pair = isinstance(value, list | tuple) and len(value) == 2
    return pair and not _is_number(value[0]) and _is_number(value[1])


def _holds_mappings(value: Any) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(one, Mapping) for one in value.values())


def _holds_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(r, Mapping) for r in value)


def _flat(record: Mapping[Any, Any]) -> dict[Any, Any]:
    """A record with the figures that stand in parts of it, as ``part_name``."""
    flat: dict[Any, Any] = {}
    for key, value in record.items():
        inner = _flat(value) if isinstance(value, Mapping) else {}
        if inner and all(_is_number(one) for one in inner.values()):
            flat |= {f"{key}_{name}": one for name, one in inner.items()}
        else:
            flat[key] = value
    return flat


def _named_within(name: str, content: Mapping[Any, Any], path: Path) -> pd.DataFrame:
    """A table that stands alone under a name, such as a data set's, which its columns get."""
    inner = frame_of(content, path)
    return inner.rename(columns={n: f"{name}_{n}" for n in inner if n != ARCHITECTURE})


def _by_part(content: Mapping[Any, Mapping[Any, Any]]) -> pd.DataFrame | None:
    """Columns by name in parts by name, as ``part_name``; None if it is something else."""
    import pandas as pd

    columns = {
        f"{part}_{name}": values
        for part, named in content.items()
        for name, values in named.items()
    }
    if not columns or any(not isinstance(v, list | np.ndarray) for v in columns.values()):
        return None
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1 or max(lengths) <= len(columns):
        return None
    return pd.DataFrame({name: pd.Series(list(values)) for name, values in columns.items()})


def _is_number(value: object) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 0  # a tensor of one figure
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _plain_number(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) else value


def _cells(keys: list[Any]) -> pd.Series[Any]:
    """Keys as cells: a column of tuples is none of rows."""
    import pandas as pd

    return pd.Series(keys, dtype=object) if isinstance(keys[0], tuple) else pd.Series(keys)


def _is_by_column(values: Sequence[Mapping[Any, Any]]) -> bool:
    """Whether mappings are columns by row number, as pandas writes JSON."""
    rows = list(values[0])
    return (
        len(values) < len(rows)
        and all(_ROW.fullmatch(str(row)) for row in rows)
        and all(list(value) == rows for value in values)
    )


def _delimited(text: str) -> FrameFile:
    """A table of text; the separator is the one in the first line, and in the row below it."""
    import pandas as pd

    lines = text.splitlines()
    above = 0  # lines that are no table's: blank, comments, and Excel's own
    while above < len(lines) and _ABOVE.fullmatch(lines[above]):
        above += 1
    header = lines[above] if above < len(lines) else ""
    bare = re.sub(r'"[^"]*"', "", header)
    row = re.sub(r'"[^"]*"', "", next(filter(str.strip, lines[above + 1 :]), header))
    there = [one for one in _SEPARATORS if one in bare]
    separator = next((one for one in there if one in row), there[0] if there else None)
    if separator is None:
        separator = r"\s+" if len(bare.split()) > 1 else ","
    try:
        frame = pd.read_csv(
            io.StringIO("\n".join(lines[above:]) if above else text),
            sep=separator,
            header=None,
            dtype=str,
            na_values=_NO_CELL,
            skipinitialspace=separator != "\t",
            engine="python" if separator == r"\s+" else "c",
        )
    except pd.errors.ParserError as error:
        raise ValueError(
            f"{str(error).strip()}; the first line must name the columns, a field each"
        ) from None
    frame.columns = pd.Index(frame.iloc[0].fillna(""))
    frame = _stripped(frame.iloc[1:].reset_index(drop=True))
    notes = []
    for position, column in enumerate(frame.columns):
        share = frame.iloc[:, position].dropna()
        if len(share) and share.str.fullmatch(_PERCENT.pattern).all():
            frame.isetitem(position, frame.iloc[:, position].str.rstrip(_PERCENT_SIGN).array)
            notes.append(f"{str(column).strip()} was read without its percent signs.")
        commas = share.str.contains(",", regex=False).any()
        if commas and share.str.fullmatch(_WITH_THOUSANDS.pattern).all():
            frame.isetitem(position, frame.iloc[:, position].str.replace(",", "").array)
            notes.append(f"{str(column).strip()} was read without its commas at thousands.")
            continue
        points = _with_points(frame.iloc[:, position], certain=separator == ";")
        if points is not None:
            frame.isetitem(position, points.array)
            notes.append(f"{str(column).strip()} was read with decimal commas.")
    return FrameFile(frame, notes=notes)


def _stripped(frame: pd.DataFrame) -> pd.DataFrame:
    """The table without white space about text."""
    import pandas as pd

    if frame.shape[1] > _MOST_COLUMNS:
        raise ValueError(f"more than {_MOST_COLUMNS:,} columns")
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
