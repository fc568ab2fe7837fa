"""Image data sets as they are published: folders and archives of pickles, Parquet tables.

Pickles are read by an unpickler that knows arrays alone, so no code in them can run.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.datasets.images import Split
from nasbench_suite.errors import SuiteError, reason
from nasbench_suite.files.safe_pickle import load


@dataclass(frozen=True)
class Source:
    """What the published files of a data set look like.

    Attributes:
        folder: the folder that holds them, whose name torchvision and the authors agree on.
        files: the pickles of every split.
        labels: under which word they hold their labels.
        size: pixels a side.
        classes: names of the classes. Images of later labels are left out, file by file and
            before anything is converted: of ImageNet16 one file (128,000 rows of 768 bytes,
            98 MB) and the chosen images (117 MB) are in memory at once.
        first_label: the number by which the first class is meant.
    """

    folder: str
    files: Mapping[str, tuple[str, ...]]
    labels: str
    size: int
    classes: tuple[str, ...]
    first_label: int = 0


def read_source(
    path: Path, source: Source, splits: tuple[str, ...] | None = None
) -> dict[str, Split]:
    """The splits of a data set, from a folder, an archive, or a Parquet table.

    Args:
        path: of any of these.
        source: what is expected there.
        splits: which to read, by default all.

    Raises:
        SuiteError: nothing is there, or it is damaged or no such data set.
    """
    wanted = splits or tuple(source.files)
    path = find_source(path, source)
    if path.is_dir():
        return _read_folder(path, source, wanted)
    if path.suffix == ".parquet":
        return _read_table(path, source, wanted)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / source.folder
        _unpack(path, source, folder)
        return _read_folder(folder, source, wanted)


def find_source(path: Path, source: Source) -> Path:
    """The file, or the folder of files, that ``read_source`` reads.

    Raises:
        SuiteError: nothing is there.
    """
    if path.is_dir():
        place = path if path.name == source.folder else path / source.folder
        if not place.is_dir():
            raise SuiteError(f"There is no folder {place} with the images of the data set.")
        return place
    if not path.is_file():
        raise SuiteError(f"There is no file or folder {path}.")
    return path


def _unpack(path: Path, source: Source, folder: Path) -> None:
    """The files of the data set, and nothing else, from a tar archive."""
    wanted = {(source.folder, name) for files in source.files.values() for name in files}
    folder.mkdir()
    try:
        with tarfile.open(path) as archive:
            for member in filter(tarfile.TarInfo.isfile, archive):
                within = Path(member.name).parts[-2:]
                if within not in wanted:
                    continue
                content = archive.extractfile(member)
                assert content is not None, "a file has content"
                with (folder / within[-1]).open("wb") as file:
                    copyfileobj(content, file)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise SuiteError(
            f"{path} is no whole tar archive ({reason(error)}): get it again, or name the folder "
            f"{source.folder}, or a Parquet table."
        ) from error


# -- folders of pickles --------------------------------------------------------------------------


def _read_folder(folder: Path, source: Source, wanted: tuple[str, ...]) -> dict[str, Split]:
    splits = {}
    for split in wanted:
        parts = [_read_pickle(folder / name, source) for name in source.files[split]]
        images = np.concatenate([part.images for part in parts])
        splits[split] = Split(images, np.concatenate([part.labels for part in parts]))
    return splits


def _read_pickle(path: Path, source: Source) -> Split:
    """The images of one file whose classes are asked for."""
    if not path.exists():
        raise SuiteError(f"There is no file {path}: is the data set unpacked as a whole?")
    content = load(path, encoding="latin1")
    if not isinstance(content, dict):
        raise SuiteError(f"{path} holds a {type(content).__name__}, no dictionary of images.")
    if not {"data", source.labels} <= content.keys() or np.ndim(content["data"]) != 2:
        raise SuiteError(f"{path} does not hold images under 'data' and labels: {list(content)}.")
    return _chosen(path, np.asarray(content["data"]), np.asarray(content[source.labels]), source)


def _chosen(path: Path, rows: NDArray[Any], labels: NDArray[Any], source: Source) -> Split:
    """The rows of the first classes as images, their labels counted from 0."""
    size, first, count = source.size, source.first_label, len(source.classes)
    if rows.dtype != np.uint8 or rows.shape != (len(labels), 3 * size * size) or not len(rows):
        raise SuiteError(
            f"{path} holds {rows.dtype} images of shape {rows.shape} and {len(labels)} labels, "
            f"not uint8 images of shape (n, {3 * size * size}) for {size} x {size} pixels."
        )
    if labels.min() < first or (first == 0 and labels.max() >= count):
        raise SuiteError(
            f"{path} has labels from {labels.min()} to {labels.max()}, not those of {count} "
            f"classes from {first}."
        )
    kept = labels < first + count
    images = rows if kept.all() else rows[kept]
    return Split(images.reshape(-1, 3, size, size), labels[kept].astype(np.int64) - first)


# -- tables of compressed images -----------------------------------------------------------------


def _read_table(path: Path, source: Source, wanted: tuple[str, ...]) -> dict[str, Split]:
    """A Parquet table of images as they are compressed, a label, and the split of each row.

    The columns are told by what they hold: bytes, or a struct with ``bytes`` as the ``datasets``
    library writes it; whole numbers called ``label`` or as in the authors' files; and ``split``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise SuiteError(f"{path} is no Parquet table ({reason(error)}).") from error
    names = table.schema.names
    words = ("label", source.labels, source.labels.removesuffix("s"), "fine_label")
    label = next((word for word in words if word in names), None)
    picture = next(
        (
            field.name
            for field in table.schema
            if pa.types.is_binary(field.type)
            or pa.types.is_large_binary(field.type)
            or (pa.types.is_struct(field.type) and field.type.get_field_index("bytes") >= 0)
        ),
        None,
    )
    if label is None or picture is None or "split" not in names:
        raise SuiteError(
            f"{path} needs a column of images as bytes, one of labels and one called 'split': "
            f"it has {', '.join(names)}."
        )
    of = np.array(table.column("split").to_pylist(), dtype=object)
    labels = np.asarray(table.column(label).to_numpy())
    pictures = table.column(picture)
    if pa.types.is_struct(pictures.type):
        pictures = pa.chunked_array(
            [chunk.field("bytes") for chunk in pictures.chunks], type=pa.binary()
        )
    splits = {}
    for split in wanted:
        places = np.flatnonzero(of == split)
        if not len(places):
            raise SuiteError(f"{path} has no rows of split {split!r}.")
        size = source.size
        rows = np.empty((len(places), 3 * size * size), dtype=np.uint8)
        for row, content in zip(rows, _pictures(pictures.take(places)), strict=True):
            row[:] = _decoded(content, size, path)
        splits[split] = _chosen(path, rows, labels[places], source)
    return splits


def _pictures(column: Any) -> Iterator[bytes | None]:
    for chunk in column.chunks:
        for cell in chunk:
            yield cell.as_py()


def _decoded(content: bytes | None, size: int, path: Path) -> NDArray[np.uint8]:
    """The pixels of one picture, channels first, as one row."""
    from PIL import Image

    try:
        if content is None:
            raise ValueError("no picture")
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as picture:
            if picture.size != (size, size):
                raise ValueError(f"{picture.size} pixels")
            pixels = np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise SuiteError(
            f"{path} holds a picture that is no {size} x {size} JPEG or PNG ({reason(error)})."
        ) from error
    return pixels.transpose(2, 0, 1).ravel()
