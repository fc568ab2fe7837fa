"""Data sets of images by name: embedded ones, and those imported under ``$NASBENCH_HOME``.

An imported data set is a folder of NumPy files, which are mapped into memory and not read before
they are used, with a description that holds their checksum.
"""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nasbench_suite import registry
from nasbench_suite.datasets.images import Images, Split
from nasbench_suite.datasets.sources import Source, read_source
from nasbench_suite.errors import SuiteError, choose_from, reason
from nasbench_suite.files.atomic import write_text
from nasbench_suite.files.home import home_folder
from nasbench_suite.parsing import parse_part

_OPTIONS = ("images", "test_images", "classes", "resolution", "seed")
_ABOUT = "about.json"


class DataSet(ABC):
    """What stands under a name among the data sets.

    Attributes:
        name: by which it is registered.
        summary: what it is, in one line.
    """

    name: str
    summary: str

    def check(self) -> None:  # noqa: B027 (what is embedded is at hand)
        """Refuse if the images are not at hand; reads none of them.

        Raises:
            SuiteError: they are not.
        """

    @abstractmethod
    def read(self) -> Images:
        """All its images.

        Raises:
            SuiteError: they are not at hand, or damaged.
        """


@dataclass(frozen=True)
class ImportedDataSet(DataSet):
    """A data set that is imported once.

    Attributes:
        source: what its files look like as they are published.
    """

    name: str
    summary: str
    source: Source

    @property
    def folder(self) -> Path:
        """Where it is kept once it is imported."""
        return home_folder("images") / self.name

    def check(self) -> None:
        """Refuse if the images were not imported."""
        if not (self.folder / _ABOUT).is_file():
            raise SuiteError(
                f"The images of {self.name} are not at hand: import them once by "
                f"`nasbench data images {self.name} FILE_OR_FOLDER`."
            )

    def read(self) -> Images:
        """The imported images, mapped from their files.

        Raises:
            SuiteError: they were not imported, or their files are damaged.
        """
        self.check()
        return _read_folder(self.folder)[0]


def load_images(spec: str) -> Images:
    """The data set of that name, whole or reduced.

    Args:
        spec: ``digits``, or ``cifar10[images=8000,resolution=16]``. The options are ``classes``,
            the first so many classes alone; ``images`` and ``test_images``, so many images of the
            training and of the test split, the classes in their own proportions
            (``stratified``); ``seed``, of the images that are taken, 0 if it is left out; and
            ``resolution``, pixels a side, by averaging areas (``area_average``). They are applied
            in this order, whatever the order in which they are written.

    Returns:
        The images, whose name has the options in that order.

    Raises:
        SuiteError: an unknown name or option, a value that it does not take, or images that are
            not at hand.
    """
    data_set, options = find_images(spec)
    images = data_set.read()
    seed = options.pop("seed", 0)
    if "classes" in options:
        images = images.with_classes(options["classes"])
    for option, split in (("images", "train"), ("test_images", "test")):
        if option in options:
            images = images.with_images(split, options[option], seed)
    if "resolution" in options:
        images = images.with_resolution(options["resolution"])
    if seed:
        options["seed"] = seed
    said = ",".join(f"{key}={options[key]}" for key in _OPTIONS if key in options)
    return replace(images, name=f"{images.name}[{said}]" if said else images.name)


def find_images(spec: str) -> tuple[DataSet, dict[str, int]]:
    """The data set and the options that ``load_images`` is asked for; no image is read.

    Raises:
        SuiteError: an unknown name or option, or images that are not at hand.
    """
    name, settings = parse_part(spec)
    data_set = find_data_set(name)
    options = _options(name, settings)
    data_set.check()
    return data_set, options


def find_data_set(name: str) -> DataSet:
    """The registered data set of that name, however its words are joined.

    Raises:
        SuiteError: there is none; the sentence names the nearest.
    """
    return registry.load_object("datasets", name.lower().replace("-", "_"), DataSet)


def _options(name: str, settings: dict[str, str]) -> dict[str, int]:
    options = {}
    for key, value in settings.items():
        if key not in _OPTIONS:
            raise SuiteError(choose_from(f"option of data set {name!r}", key, _OPTIONS))
        if not value.isdecimal():
            raise SuiteError(f"{key} of {name!r} is a whole number, not {value!r}.")
        options[key] = int(value)
    return options


def import_images(name: str, source: Path, *, overwrite: bool = False) -> Images:
    """Bring a data set into the form that is mapped into memory.

    Args:
        name: of a registered data set that is imported, such as ``cifar10``.
        source: the folder that torchvision unpacks it into, or one that holds that folder; the
            archive of its authors; or a Parquet table of images as they are compressed.
        overwrite: replace what was imported before.

    Returns:
        The images as they are mapped from their new place.

    Raises:
        SuiteError: an unknown name, files that are damaged or not what they should be, or a
            data set of that name is there.
    """
    data_set = find_data_set(name)
    if not isinstance(data_set, ImportedDataSet):
        raise SuiteError(f"{data_set.name} comes with the suite: there is nothing to import.")
    folder = data_set.folder
    if folder.exists() and not overwrite:
        raise SuiteError(f"The images of {data_set.name} are there: replace them by --overwrite.")
    images = Images(
        data_set.name, read_source(source.expanduser(), data_set.source), data_set.source.classes
    )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as place:
            new = Path(place) / data_set.name
            _write_folder(new, images, source)
            if folder.exists():
                folder.rename(Path(place) / "before")
            new.rename(folder)
    except OSError as error:
        raise SuiteError(f"Cannot write {folder} ({reason(error)}): make room there.") from error
    return _read_folder(folder)[0]


def verify_images(name: str) -> str:
    """Compare imported images with the checksum that was taken when they were written.

    Returns:
        The checksum.

    Raises:
        SuiteError: they are not at hand, or another.
    """
    data_set = find_data_set(name)
    if not isinstance(data_set, ImportedDataSet):
        return data_set.read().checksum()
    data_set.read()
    images, about = _read_folder(data_set.folder)
    found = images.checksum()
    if found != about["checksum"]:
        raise SuiteError(f"{data_set.folder} is damaged: import the images of {name} again.")
    return found


def _write_folder(folder: Path, images: Images, source: Path) -> None:
    folder.mkdir()
    for name, split in images.splits.items():
        np.save(folder / f"{name}_images.npy", split.images, allow_pickle=False)
        np.save(folder / f"{name}_labels.npy", split.labels, allow_pickle=False)
    about = {
        "name": images.name,
        "splits": {name: len(split) for name, split in images.splits.items()},
        "classes": images.classes,
        "source": source.name,
        "checksum": images.checksum(),
    }
    write_text(folder / _ABOUT, json.dumps(about, indent=2) + "\n")


def _read_folder(folder: Path) -> tuple[Images, dict[str, Any]]:
    try:
        about = json.loads((folder / _ABOUT).read_text())
        splits = {}
        for name, count in about["splits"].items():
            images = np.load(folder / f"{name}_images.npy", mmap_mode="r", allow_pickle=False)
            labels = np.load(folder / f"{name}_labels.npy", allow_pickle=False)
            if (
                images.dtype != np.uint8
                or images.ndim != 4
                or {len(images), len(labels)} != {count}
            ):
                raise ValueError(f"{name} holds no {count} images")
            splits[name] = Split(images, labels)
        return Images(about["name"], splits, tuple(about["classes"])), about
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SuiteError(
            f"The images in {folder} are damaged ({reason(error)}): import them again with "
            f"--overwrite."
        ) from error


def list_images() -> list[tuple[str, str]]:
    """Each registered data set, and where its images are: embedded, a folder, or empty."""
    found = []
    for name in registry.entries("datasets"):
        data_set = find_data_set(name)
        if not isinstance(data_set, ImportedDataSet):
            found.append((name, "embedded"))
            continue
        there = (data_set.folder / _ABOUT).is_file()
        found.append((name, str(data_set.folder) if there else ""))
    return found


__all__ = [
    "DataSet",
    "ImportedDataSet",
    "find_data_set",
    "find_images",
    "import_images",
    "list_images",
    "load_images",
    "verify_images",
]
