"""Images and labels as they are kept, and how fewer or smaller ones are made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.seeding import stream

_CHUNK = 1024  # images that are scaled at once, which bounds the memory that it takes


@dataclass(frozen=True)
class Split:
    """One part of a data set.

    Attributes:
        images: uint8 of shape (n, channels, height, width); perhaps mapped from a file.
        labels: int64 of shape (n,), from 0.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, places: NDArray[np.int64]) -> Split:
        """The images at these places, in this order."""
        return Split(self.images[places], self.labels[places])


@dataclass(frozen=True)
class Images:
    """A data set of images.

    Attributes:
        name: as ``load_images`` takes it, with the options that made it.
        splits: ``train`` and ``test``, and ``valid`` where the data set has one of its own.
        classes: names of the classes, by label.
    """

    name: str
    splits: Mapping[str, Split]
    classes: tuple[str, ...]

    @property
    def train(self) -> Split:
        """What weights, and architectures, are trained on."""
        return self.splits["train"]

    @property
    def test(self) -> Split:
        """What nothing is chosen by."""
        return self.splits["test"]

    @property
    def channels(self) -> int:
        """Channels of an image."""
        return int(self.train.images.shape[1])

    @property
    def resolution(self) -> int:
        """Height and width of an image, in pixels."""
        return int(self.train.images.shape[2])

    def checksum(self) -> str:
        """SHA-256 of all images and labels, and of the names of splits and classes."""
        digest = hashlib.sha256("\n".join(self.classes).encode())
        for name in sorted(self.splits):
            split = self.splits[name]
            digest.update(f"{name} {split.images.shape}".encode())
            digest.update(np.ascontiguousarray(split.images).data)
            digest.update(np.ascontiguousarray(split.labels, dtype="<i8").data)
        return digest.hexdigest()

    def with_classes(self, count: int) -> Images:
        """The images of the first ``count`` classes.

        Raises:
            SuiteError: there are not so many.
        """
        if not 2 <= count <= len(self.classes):
            raise SuiteError(
                f"{self.name} has {len(self.classes)} classes: choose from 2 to "
                f"{len(self.classes)} of them, not {count}."
            )
        splits = {
            name: split.take(np.flatnonzero(split.labels < count))
            for name, split in self.splits.items()
        }
        return replace(self, splits=splits, classes=self.classes[:count])

    def with_images(self, split: str, count: int, seed: int) -> Images:
        """The data set with ``count`` images in one split, see ``stratified``.

        Raises:
            SuiteError: there are not so many, or fewer than one a class.
        """
        if split not in self.splits:
            raise SuiteError(f"{self.name} has no split {split!r}.")
        whole = self.splits[split]
        if not len(self.classes) <= count <= len(whole):
            raise SuiteError(
                f"{self.name} has {len(whole):,} {split} images of {len(self.classes)} classes: "
                f"choose from {len(self.classes)} to {len(whole)} of them, not {count}."
            )
        chosen = stratified(whole.labels, count, seed, split)
        return replace(self, splits={**self.splits, split: whole.take(chosen)})

    def with_resolution(self, size: int) -> Images:
        """The images at ``size`` pixels a side, see ``area_average``.

        Raises:
            SuiteError: they have fewer.
        """
        if not 1 <= size <= self.resolution:
            raise SuiteError(
                f"{self.name} has images of {self.resolution} pixels a side, which are averaged "
                f"and never enlarged: choose a resolution from 1 to {self.resolution}, not {size}."
            )
        splits = {
            name: Split(area_average(split.images, size), split.labels)
            for name, split in self.splits.items()
        }
        return replace(self, splits=splits)


def stratified(
    labels: NDArray[np.int64], count: int, seed: int, split: str = "train"
) -> NDArray[np.int64]:
    """Places of ``count`` images with the classes in their own proportions, in their old order.

    Every class is put into an order of its own, drawn by the seed, the split and the label, and
    the first of that order are taken: a smaller subset is part of a larger one of the same seed.
    Shares that are no whole numbers are rounded down, and what is missing then goes to the classes
    of the largest remainders, of equals to the first.

    Args:
        labels: shape (n,), from 0.
        count: at most n.
        seed: of the orders.
        split: whose labels they are.

    Returns:
        Shape (count,), ascending.
    """
    present, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count // len(labels)
    remainders = sizes * count % len(labels)
    for place in np.argsort(-remainders, kind="stable")[: count - shares.sum()]:
        shares[place] += 1
    chosen = [
        stream(seed, "images", split, int(label)).permutation(np.flatnonzero(labels == label))[:n]
        for label, n in zip(present, shares, strict=True)
    ]
    return np.sort(np.concatenate(chosen))


def area_average(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Images at ``size`` pixels a side: every new pixel is the mean of the area that it covers.

    Halves are rounded up. The sums are whole numbers, so that the same images come out anywhere.

    Args:
        images: shape (n, channels, side, side).
        size: at most ``side``.

    Returns:
        Shape (n, channels, size, size).
    """
    side = images.shape[-1]
    # Overlap of new pixel i with old pixel j in units of 1 / (side * size) of the image.
    new, old = np.arange(size)[:, None] * side, np.arange(side)[None, :] * size
    overlap = np.clip(np.minimum(new + side, old + size) - np.maximum(new, old), 0, None)
    weights = overlap.astype(np.float64)  # whole numbers below 2^53, which are exact
    scaled = np.empty((*images.shape[:2], size, size), dtype=np.uint8)
    for start in range(0, len(images), _CHUNK):
        sums = weights @ images[start : start + _CHUNK].astype(np.float64) @ weights.T
        scaled[start : start + _CHUNK] = np.floor(sums / side**2 + 0.5).astype(np.uint8)
    return scaled
