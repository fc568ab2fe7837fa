"""The images a supernet is trained on, by name: digits, CIFAR, ImageNet16-120.

``digits`` is embedded. The others are read from the folders that torchvision and the authors of
NAS-Bench-201 keep them in; their files are pickles, and are read by an unpickler that knows
arrays alone, so no code in them can run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nasbench_suite.benchmarks.digits.training import SPLIT_SEED, load_digits_data, roll_images
from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.files.safe_pickle import load

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class SearchData:
    """Images in two halves: weights are trained on one, the architecture on the other.

    Attributes:
        name: of the data set.
        train: images, float32 of shape (n, channels, height, width), and labels (n,).
        valid: the other half. Test images have no part in a search and are not here.
        classes: number of classes.
        augment: what is done to a batch of training images; draws from torch's generator.
    """

    name: str
    train: Batch
    valid: Batch
    classes: int
    augment: Callable[[Tensor], Tensor]

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return int(self.train[0].shape[1])

    def to(self, device: torch.device) -> SearchData:
        """The same on a device."""
        train, valid = (
            (images.to(device), labels.to(device)) for images, labels in (self.train, self.valid)
        )
        return SearchData(self.name, train, valid, self.classes, self.augment)


def batches(data: Batch, size: int) -> Iterator[Batch]:
    """Batches of one pass in random order, the last one smaller; draws from torch's generator."""
    images, labels = data
    for chosen in torch.split(torch.randperm(len(labels)), size):
        yield images[chosen], labels[chosen]


def endless(data: Batch, size: int) -> Iterator[Batch]:
    """Batches of one pass after another."""
    while True:
        yield from batches(data, size)


def find_search_data(name: str, folder: str | Path | None = None) -> Path | None:
    """Where the images of ``load_search_data`` lie; None for the embedded ones. Reads none.

    Raises:
        SuiteError: unknown name, or no such folder.
    """
    name = _plain(name)
    if name == "digits":
        return None
    if name not in _READERS:
        raise SuiteError(choose_from("data set to search on", name, ["digits", *_READERS]))
    place = _READERS[name][0]
    if not folder:
        raise SuiteError(
            f"Searching on {name} needs its images: set the method's hyper-parameter 'data' to the "
            f"folder that holds {place!r}."
        )
    source = Path(folder).expanduser() / place
    if not source.is_dir():
        raise SuiteError(f"There is no folder {source} with the images of {name}.")
    return source


def _plain(name: str) -> str:
    return name.lower().replace("-", "_")


def load_search_data(name: str, folder: str | Path | None = None) -> SearchData:
    """The data set of that name, in halves as differentiable search wants them.

    Args:
        name: ``digits``, ``cifar10``, ``cifar100`` or ``imagenet16_120``.
        folder: where the folders ``cifar-10-batches-py``, ``cifar-100-python`` and
            ``ImageNet16`` lie; not needed for ``digits``.

    Raises:
        SuiteError: unknown name, no such folder, or files that are damaged or not what they
            should be.
    """
    source = find_search_data(name, folder)
    if source is None:
        return _digits()
    name = _plain(name)
    _, reader, classes, size = _READERS[name]
    images, labels = reader(source)
    if images.shape[1:] != (3, size, size) or len(images) != len(labels) or not len(images):
        raise SuiteError(
            f"{source} holds images of shape {images.shape} and {len(labels)} labels, not those of "
            f"{name}: (n, 3, {size}, {size})."
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise SuiteError(
            f"{source} has labels from {labels.min()} to {labels.max()}, but {name} has {classes} "
            f"classes."
        )
    mean = images.mean((0, 2, 3), keepdims=True)
    std = images.std((0, 2, 3), keepdims=True)
    return _halves(name, (images - mean) / std, labels, classes, _crop_and_flip)


@cache
def _digits() -> SearchData:
    """The 800 training images of the embedded benchmark, 400 and 400."""
    images, labels = load_digits_data().train
    return _halves("digits", images.numpy(), labels.numpy(), 10, _roll)


def _roll(images: Tensor) -> Tensor:
    """The augmentation of the embedded benchmark."""
    return roll_images(images, torch.default_generator)


def _crop_and_flip(images: Tensor) -> Tensor:
    """A random crop after padding by an eighth of the size, and a random mirror image."""
    count, _, size, _ = images.shape
    pad = size // 8
    padded = torch.nn.functional.pad(images, (pad,) * 4)
    shifts = torch.randint(0, 2 * pad + 1, (2, count, 1), device=images.device)
    steps = torch.arange(size, device=images.device)
    mirrored = torch.rand(count, 1, device=images.device) < 0.5
    columns = torch.where(mirrored, steps.flip(0), steps) + shifts[1]
    rows = steps + shifts[0]
    numbers = torch.arange(count, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[numbers, rows[:, :, None], columns[:, None, :]].permute(
        0, 3, 1, 2
    )


def _halves(
    name: str,
    images: np.ndarray,
    labels: np.ndarray,
    classes: int,
    augment: Callable[[Tensor], Tensor],
) -> SearchData:
    from sklearn.model_selection import train_test_split

    train, valid = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels, random_state=SPLIT_SEED
    )
    x = torch.tensor(images, dtype=torch.float32)
    y = torch.tensor(labels, dtype=torch.int64)
    return SearchData(name, (x[train], y[train]), (x[valid], y[valid]), classes, augment)


# -- files -----------------------------------------------------------------------------------------


def _read_pickle(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise SuiteError(f"There is no file {path}: is the data set unpacked as a whole?")
    content = load(path, encoding="latin1")
    if not isinstance(content, dict):
        raise SuiteError(f"{path} holds a {type(content).__name__}, no dictionary of images.")
    return content


def _read_files(paths: list[Path], labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Images in rows of bytes, channels first, and labels, of several files."""
    parts = [_read_pickle(path) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if not {"data", labels} <= part.keys() or np.ndim(part["data"]) != 2:
            raise SuiteError(f"{path} does not hold images under 'data' and labels: {list(part)}.")
    rows = np.concatenate([part["data"] for part in parts])
    size = round((rows.shape[1] / 3) ** 0.5)
    if rows.shape[1] != 3 * size * size:
        raise SuiteError(f"{paths[0]} holds rows of {rows.shape[1]} bytes: no square RGB images.")
    images = rows.reshape(-1, 3, size, size).astype(np.float32) / 255
    return images, np.concatenate([np.asarray(part[labels]) for part in parts])


def _read_cifar10(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    return _read_files([folder / f"data_batch_{number}" for number in range(1, 6)], "labels")


def _read_cifar100(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    return _read_files([folder / "train"], "fine_labels")


def _read_imagenet16(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """ImageNet16-120: the first 120 classes, whose labels in the files begin at 1."""
    files = [folder / f"train_data_batch_{number}" for number in range(1, 11)]
    images, labels = _read_files(files, "labels")
    chosen = labels <= 120
    return images[chosen], labels[chosen] - 1


_READERS: dict[str, tuple[str, Callable[[Path], tuple[np.ndarray, np.ndarray]], int, int]] = {
    "cifar10": ("cifar-10-batches-py", _read_cifar10, 10, 32),
    "cifar100": ("cifar-100-python", _read_cifar100, 100, 32),
    "imagenet16_120": ("ImageNet16", _read_imagenet16, 120, 16),
}
