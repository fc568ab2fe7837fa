"""Training one cell on scikit-learn's digits: data, split, recipe.

Every choice that shapes the embedded table stands here, so that a supernet on the same data
can use the same images, the same split and the same augmentation.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.datasets import Split, load_images
from nasbench_suite.networks.module import LayersModule
from nasbench_suite.networks.nats import DIGITS_NORM_MOMENTUM, digits_network
from nasbench_suite.seeding import sequence

EPOCHS = (1, 2, 4, 8)  # where the learning curve is read; the last one ends the training
BATCH_SIZE = 64
EVALUATION_BATCH = 200  # small enough for the activations to stay in the processor's cache
LEARNING_RATE = 0.05
MOMENTUM = 0.9
WEIGHT_DECAY = 5e-4


@dataclass(frozen=True)
class DigitsData:
    """Images of shape (n, 1, 8, 8), float32 with zero mean and unit variance, and labels (n,)."""

    train: tuple[Tensor, Tensor]
    valid: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]


@cache
def load_digits_data() -> DigitsData:
    """The 1,797 digits in a fixed, stratified split of 800, 400 and 597 images.

    Mean and variance are those of the training images.
    """
    images = load_images("digits")
    levels = images.train.images.astype(np.float64)
    mean, std = levels.mean(), levels.std()

    def tensors(split: Split) -> tuple[Tensor, Tensor]:
        scaled = (split.images.astype(np.float64) - mean) / std
        return torch.tensor(scaled, dtype=torch.float32), torch.tensor(split.labels)

    return DigitsData(*(tensors(images.splits[name]) for name in ("train", "valid", "test")))


def roll_images(images: Tensor, generator: torch.Generator) -> Tensor:
    """Roll each image by -1, 0 or 1 pixels along both axes, drawn from ``generator``."""
    count, _, height, width = images.shape
    shifts = torch.randint(-1, 2, (2, count, 1), generator=generator)
    rows = (torch.arange(height) + shifts[0]) % height
    columns = (torch.arange(width) + shifts[1]) % width
    return images[torch.arange(count)[:, None, None], 0, rows[:, :, None], columns[:, None, :]][
        :, None
    ]


def evaluate(network: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Accuracy in percent and mean cross-entropy in nats, batch statistics frozen."""
    network.eval()
    with torch.inference_mode():
        scores = torch.cat([network(part) for part in torch.split(images, EVALUATION_BATCH)])
        right = (scores.argmax(1) == labels).sum().item()
        loss = F.cross_entropy(scores, labels).item()
    network.train()
    return 100.0 * right / len(labels), loss


@dataclass(frozen=True)
class TrainingCurve:
    """What one training leaves behind, each array read at the epochs in ``EPOCHS``.

    Attributes:
        valid_accuracy: validation accuracy in percent.
        valid_loss: mean cross-entropy on the validation images, in nats.
        test_accuracy: test accuracy in percent.
        test_loss: mean cross-entropy on the test images, in nats.
        train_loss: mean cross-entropy of the epoch's training batches, in nats.
        seconds: processor seconds of training since the start, evaluation left out.
    """

    valid_accuracy: np.ndarray
    valid_loss: np.ndarray
    test_accuracy: np.ndarray
    test_loss: np.ndarray
    train_loss: np.ndarray
    seconds: np.ndarray


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on the calling thread alone, and give it its threads back afterwards.

    Nets as small as these gain nothing from a second thread, and where all cores are busy with
    other trainings they lose a great deal. The bits of a sum also depend on the number of threads.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def train_cell(operations: Sequence[int], seed: Sequence[int]) -> TrainingCurve:
    """Train the digits network of one cell from scratch.

    Nesterov SGD at 0.05, cosine to zero a step, momentum 0.9, weight decay 5e-4, 8 epochs of
    batches of 64, images rolled by up to one pixel. Runs on the calling thread alone, and gives
    the same figures bit for bit for the same ``seed`` on one machine, in any process.

    Args:
        operations: the six operation indices of the cell, in edge order.
        seed: entropy of the initialisation and of the batches, as
            ``nasbench_suite.seeding.sequence`` takes it.
    """
    data = load_digits_data()
    images, labels = data.train
    words = sequence(*seed).generate_state(2, np.uint64)
    generator = torch.Generator().manual_seed(int(words[0]) >> 1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(words[1]) >> 1)
        network = LayersModule(digits_network(operations), norm_momentum=DIGITS_NORM_MOMENTUM).to(
            memory_format=torch.channels_last  # type: ignore[call-overload]  # not in the stubs
        )
    optimizer = torch.optim.SGD(
        network.parameters(),
        lr=LEARNING_RATE,
        momentum=MOMENTUM,
        weight_decay=WEIGHT_DECAY,
        nesterov=True,
        foreach=True,
    )
    steps_an_epoch = math.ceil(len(labels) / BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS[-1] * steps_an_epoch)

    readings: list[tuple[float, ...]] = []
    seconds = 0.0
    for epoch in range(1, EPOCHS[-1] + 1):
        start = time.process_time()
        total_loss = torch.zeros(())
        for batch in torch.split(torch.randperm(len(labels), generator=generator), BATCH_SIZE):
            inputs = roll_images(images[batch], generator)
            loss = F.cross_entropy(
                network(inputs.contiguous(memory_format=torch.channels_last)), labels[batch]
            )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total_loss += loss.detach() * len(batch)
        seconds += time.process_time() - start
        if epoch in EPOCHS:
            readings.append(
                (
                    *evaluate(network, *data.valid),
                    *evaluate(network, *data.test),
                    total_loss.item() / len(labels),
                    seconds,
                )
            )
    return TrainingCurve(*np.array(readings, dtype=np.float64).T)


__all__ = [
    "BATCH_SIZE",
    "EPOCHS",
    "DigitsData",
    "TrainingCurve",
    "evaluate",
    "load_digits_data",
    "one_thread",
    "roll_images",
    "train_cell",
]
