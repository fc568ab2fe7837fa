"""The images a supernet is trained on, in two halves, and how they are augmented."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from nasbench_suite.benchmarks.digits.training import load_digits_data, roll_images
from nasbench_suite.datasets import Images, load_images
from nasbench_suite.datasets.digits import SPLIT_SEED
from nasbench_suite.datasets.library import ImportedDataSet, find_data_set, find_images
from nasbench_suite.datasets.sources import find_source, read_source
from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import parse_part

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


def find_search_data(name: str, data: str | Path | None = None) -> None:
    """Refuse what ``load_search_data`` would, as far as that is known without reading images.

    Raises:
        SuiteError: unknown name, or images that are not at hand.
    """
    spec = str(data or name)
    if data and not _is_spec(spec):
        data_set = find_data_set(name)
        if isinstance(data_set, ImportedDataSet):
            find_source(Path(spec).expanduser(), data_set.source)
        return
    find_images(spec)


def load_search_data(
    name: str, data: str | Path | None = None, *, architecture: str = "train"
) -> SearchData:
    """The images of a data set, in halves as differentiable search wants them.

    Args:
        name: the data set of the task, such as ``digits`` or ``cifar10``.
        data: a data set as ``load_images`` takes it, such as
            ``cifar10[images=8000,resolution=16]``, to search on another one or on less of it; or
            a folder that holds ``cifar-10-batches-py``, ``cifar-100-python`` or ``ImageNet16``,
            whose images are read at every start. By default the imported images of ``name``.
        architecture: ``train`` for two halves of the training images; ``test`` for all of them
            and half of the test images, which is what NAS-Bench-201's code trains the architecture
            on for CIFAR-100 and ImageNet16-120. It makes no test of what is found then.

    Raises:
        SuiteError: unknown name, images that are not at hand, or files that are damaged or not
            what they should be.
    """
    spec = str(data or name)
    if data and not _is_spec(spec):
        data_set = find_data_set(name)
        if isinstance(data_set, ImportedDataSet):
            wanted = ("train", "test") if architecture == "test" else ("train",)
            splits = read_source(Path(spec).expanduser(), data_set.source, wanted)
            images = Images(data_set.name, splits, data_set.source.classes)
            return _photographs(images, architecture)
        spec = name
    if parse_part(spec)[0] == "digits" and "[" not in spec and architecture == "train":
        return _digits()
    return _photographs(load_images(spec), architecture)


def _is_spec(text: str) -> bool:
    """Whether text names a data set, and not a folder."""
    return "/" not in text.partition("[")[0] and not Path(text).expanduser().is_dir()


def load_training_data(spec: str) -> tuple[SearchData, Batch]:
    """All training images of a data set, with its test images, for what was derived.

    Args:
        spec: as ``load_images`` takes it.

    Returns:
        The training images as ``train``, and the test images, scaled as these are.
    """
    if spec == "digits":
        digits, search = load_digits_data(), _digits()
        data = SearchData("digits", digits.train, digits.valid, search.classes, search.augment)
        return data, digits.test
    images = load_images(spec)
    train, test = _scaled(images, "train"), _scaled(images, "test")
    return SearchData(images.name, train, test, len(images.classes), _augment(images)), test


def _photographs(images: Images, architecture: str) -> SearchData:
    """Halves of images, as a search wants them."""
    classes = len(images.classes)
    if architecture == "train":
        return _halves(images.name, *_scaled(images, "train"), classes, _augment(images))
    if architecture != "test":
        raise SuiteError(
            f"The architecture cannot be trained on {architecture!r} images: choose train or test."
        )
    half = _halves(images.name, *_scaled(images, "test"), classes, _augment(images)).train
    return SearchData(images.name, _scaled(images, "train"), half, classes, _augment(images))


def _scaled(images: Images, split: str) -> Batch:
    """Images with mean 0 and variance 1 of the training images in each channel, and labels."""
    levels, train = np.arange(256), images.train.images
    means, stds = [], []
    for channel in range(images.channels):
        count = np.bincount(train[:, channel].ravel(), minlength=256)
        means.append(np.average(levels, weights=count))
        stds.append(np.average((levels - means[-1]) ** 2, weights=count) ** 0.5)
    chosen = images.splits[split]
    x = torch.tensor(chosen.images, dtype=torch.float32)
    x.sub_(torch.tensor(means, dtype=torch.float32).view(1, -1, 1, 1))
    x.div_(torch.tensor(stds, dtype=torch.float32).view(1, -1, 1, 1))
    return x, torch.tensor(chosen.labels)


@cache
def _digits() -> SearchData:
    """The 800 training images of the embedded benchmark, 400 and 400."""
    return _halves("digits", *load_digits_data().train, 10, _roll)


def _roll(images: Tensor) -> Tensor:
    """The augmentation of the embedded benchmark."""
    return roll_images(images, torch.default_generator)


def _augment(images: Images) -> Callable[[Tensor], Tensor]:
    """What is done to images: photographs are cropped and mirrored, grey ones rolled."""
    return _crop_and_flip if images.channels > 1 else _roll


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


def cut_out(images: Tensor, side: int, probability: float = 1.0) -> Tensor:
    """A square of zeros around a random pixel of each image, cut off at its borders.

    DeVries and Taylor, *Improved Regularization of Convolutional Neural Networks with Cutout*
    (arXiv 1708.04552), as DARTS's code has it. Draws from torch's generator.

    Args:
        images: shape (batch, channels, height, width), zero their mean.
        side: of the square, in pixels.
        probability: with which an image loses one.
    """
    count, _, height, width = images.shape
    rows, columns = torch.arange(height), torch.arange(width)
    top = torch.randint(height, (count, 1)) - side // 2
    left = torch.randint(width, (count, 1)) - side // 2
    within = ((rows >= top) & (rows < top + 2 * (side // 2)))[:, :, None] & (
        (columns >= left) & (columns < left + 2 * (side // 2))
    )[:, None, :]
    chosen = torch.rand(count, 1, 1) < probability
    return images.masked_fill((within & chosen)[:, None].to(images.device), 0.0)


def _halves(
    name: str,
    images: Tensor,
    labels: Tensor,
    classes: int,
    augment: Callable[[Tensor], Tensor],
) -> SearchData:
    from sklearn.model_selection import train_test_split

    if len(labels) < 2 * classes or int(torch.bincount(labels, minlength=classes).min()) < 2:
        raise SuiteError(
            f"{name} cannot be halved: a search needs two images of every class at least."
        )
    train, valid = train_test_split(
        np.arange(len(labels)), train_size=0.5, stratify=labels.numpy(), random_state=SPLIT_SEED
    )
    first, second = ((images[part], labels[part]) for part in (train, valid))
    return SearchData(name, first, second, classes, augment)
