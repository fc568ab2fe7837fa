"""The images that proxies are computed on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.seeding import stream

BATCH_SIZE = 64

_CHUNK = 1000  # images that are counted at once


@dataclass(frozen=True)
class Batch:
    """Labelled images.

    Attributes:
        name: of the data set.
        images: shape (n, channels, height, width), float32; channels have mean 0 and variance 1
            over the training images of the data set.
        labels: from 0, shape (n,), int64.
        num_classes: of the data set.
    """

    name: str
    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    num_classes: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    @property
    def checksum(self) -> str:
        """Of images and labels."""
        return sha256(self.images.tobytes() + self.labels.tobytes()).hexdigest()


@cache
def make_batch(dataset: str = "digits", size: int = BATCH_SIZE, seed: int = 0) -> Batch:
    """Training images of a data set drawn at random, without augmentation.

    Args:
        dataset: a name as ``nasbench_suite.datasets.load_images`` takes it.
        size: number of images.
        seed: of the draw.

    Raises:
        SuiteError: there is no such data set, its images are not at hand, or they are too few.
    """
    from nasbench_suite.datasets import load_images

    found = load_images(dataset)
    train = found.train
    if not 2 <= size <= len(train):
        raise SuiteError(
            f"A batch of {size} images cannot be drawn from {found.name!r}, which has "
            f"{len(train)} to train: choose from 2 to {len(train)}."
        )
    chosen = train.take(stream(seed, "batch", found.name).permutation(len(train))[:size])
    mean, deviation = channel_statistics(train.images)
    return Batch(
        found.name,
        ((chosen.images - mean[:, None, None]) / deviation[:, None, None]).astype(np.float32),
        np.asarray(chosen.labels, dtype=np.int64),
        len(found.classes),
    )


def channel_statistics(images: NDArray[np.uint8]) -> tuple[NDArray[np.float64], ...]:
    """Mean and standard deviation of every channel, from how often it has each level.

    Args:
        images: shape (n, channels, height, width); perhaps mapped from a file.

    Returns:
        Two arrays of shape (channels,).
    """
    counts = np.zeros((images.shape[1], 256))
    for begin in range(0, len(images), _CHUNK):
        part = np.asarray(images[begin : begin + _CHUNK])
        for channel, levels in enumerate(counts):
            levels += np.bincount(part[:, channel].reshape(-1), minlength=256)
    shares = counts / counts.sum(axis=1, keepdims=True)
    mean = shares @ np.arange(256.0)
    return mean, np.sqrt(np.maximum(shares @ np.arange(256.0) ** 2 - mean**2, 0.0))
