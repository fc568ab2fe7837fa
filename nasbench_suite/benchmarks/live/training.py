"""Training the network of an architecture, epoch by epoch, so that it can be left and gone on."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from nasbench_suite.benchmarks.live.recipe import Recipe
from nasbench_suite.datasets import Images, Split, load_images
from nasbench_suite.datasets.images import stratified
from nasbench_suite.errors import SuiteError, refused
from nasbench_suite.files.atomic import replacing
from nasbench_suite.files.unpacking import read_arrays
from nasbench_suite.networks import describe_network
from nasbench_suite.networks.devices import is_cuda, repeatable
from nasbench_suite.networks.module import LayersModule
from nasbench_suite.seeding import sequence
from nasbench_suite.spaces import SearchSpace

MOMENTUM, WEIGHT_DECAY, CLIP = 0.9, 5e-4, 5.0
EVALUATION_BATCH = 250
_VALID_SHARE = 0.2
_SPLIT_SEED = 0


@dataclass(frozen=True)
class Parts:
    """The images of a recipe: normalised by the training images, and labels.

    Attributes:
        train: what weights are trained on, float32 of shape (n, channels, side, side), and (n,).
        valid: what the signal is read on.
        test: what the report is read on.
        classes: number of classes.
    """

    train: tuple[Tensor, Tensor]
    valid: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    classes: int


def split_images(images: Images, valid_images: int | None) -> dict[str, Split]:
    """Training, validation and test images; no image is in two of them.

    Validation images are the data set's own, or held apart from its training images, the classes
    in their own proportions.

    Raises:
        SuiteError: so many cannot be held apart.
    """
    if "valid" in images.splits:
        if valid_images is not None:
            raise SuiteError(
                f"{images.name} has {len(images.splits['valid'])} validation images of its own: "
                f"leave valid_images out."
            )
        return {name: images.splits[name] for name in ("train", "valid", "test")}
    whole = images.train
    count = round(len(whole) * _VALID_SHARE) if valid_images is None else valid_images
    if not len(images.classes) <= count <= len(whole) - len(images.classes):
        raise SuiteError(
            f"Of {len(whole)} training images of {images.name}, {count} cannot be held apart for "
            f"validation: leave {len(images.classes)} or more on either side."
        )
    held = np.zeros(len(whole), dtype=bool)
    held[stratified(whole.labels, count, _SPLIT_SEED, "valid")] = True
    return {
        "train": whole.take(np.flatnonzero(~held)),
        "valid": whole.take(np.flatnonzero(held)),
        "test": images.test,
    }


@lru_cache(maxsize=2)
def load_parts(images: str, valid_images: int | None, device: str) -> Parts:
    """The images of a recipe on a device."""
    found = load_images(images)
    splits = split_images(found, valid_images)
    pixels = splits["train"].images
    mean = pixels.mean(axis=(0, 2, 3), keepdims=True, dtype=np.float64)
    spread = pixels.std(axis=(0, 2, 3), keepdims=True, dtype=np.float64)

    def tensors(split: Split) -> tuple[Tensor, Tensor]:
        scaled = torch.from_numpy(((split.images - mean) / spread).astype(np.float32))
        return scaled.to(device), torch.from_numpy(np.array(split.labels)).to(device)

    train, valid, test = (tensors(splits[name]) for name in ("train", "valid", "test"))
    return Parts(train, valid, test, len(found.classes))


@dataclass(frozen=True)
class Reading:
    """What one epoch leaves.

    Attributes:
        epochs: epochs so far.
        valid: validation accuracy in percent.
        test: test accuracy in percent.
        loss: mean cross-entropy of the epoch's training batches, in nats.
        seconds: of wall clock that trainings took so far; evaluation left out.
    """

    epochs: int
    valid: float
    test: float
    loss: float
    seconds: float


class Training:
    """One training of one architecture.

    The same recipe, architecture and seed give the same figures on the same machine, whether a
    training was left and gone on with or not.

    Args:
        recipe: how.
        space: of the architecture.
        architecture: in any form.
        identity: what tells the training from others: its seed, and names.
    """

    def __init__(
        self, recipe: Recipe, space: SearchSpace, architecture: Any, identity: tuple[int | str, ...]
    ) -> None:
        self.recipe = recipe
        self.parts = load_parts(recipe.images, recipe.valid_images, recipe.device)
        image = tuple(self.parts.train[0].shape[1:])
        skeleton = recipe.skeleton((image[0], image[1], image[2]), self.parts.classes)
        self.network = describe_network(space, architecture, skeleton)
        words = sequence(int(identity[0]), *identity[1:]).generate_state(3, np.uint64) >> 1
        self._draws = torch.Generator().manual_seed(int(words[0]))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(words[1]))
            module = LayersModule(self.network)
        self._noise_seed = int(words[2])  # of layers that draw as they compute
        self.module = module.to(recipe.device).to(
            memory_format=torch.channels_last  # type: ignore[call-overload]  # not in the stubs
        )
        self.optimizer = torch.optim.SGD(
            self.module.parameters(),
            lr=recipe.learning_rate,
            momentum=MOMENTUM,
            weight_decay=WEIGHT_DECAY,
            nesterov=True,
            foreach=True,
        )
        self.epochs, self.seconds = 0, 0.0

    def train_epoch(self) -> Reading:
        """Train for one epoch more, and read the accuracies."""
        with self._alone():
            start = time.perf_counter()
            loss = self._pass()
            if is_cuda(self.recipe.device):
                torch.cuda.synchronize(self.recipe.device)
            self.seconds += time.perf_counter() - start
            self.epochs += 1
            valid, test = self._accuracy(*self.parts.valid), self._accuracy(*self.parts.test)
        return Reading(self.epochs, valid, test, loss, self.seconds)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One thread, and draws of the training's own, which leave no trace."""
        threads = torch.get_num_threads()
        device = self.recipe.device
        torch.set_num_threads(1)
        try:
            with (
                torch.random.fork_rng(devices=[device] if is_cuda(device) else []),
                repeatable(device),
            ):
                torch.manual_seed((self._noise_seed + self.epochs) % 2**62)
                yield
        finally:
            torch.set_num_threads(threads)

    def _pass(self) -> float:
        images, labels = self.parts.train
        order = torch.randperm(len(labels), generator=self._draws).to(labels.device)
        steps = math.ceil(len(labels) / self.recipe.batch)
        total = torch.zeros((), device=labels.device)
        for step, places in enumerate(torch.split(order, self.recipe.batch)):
            progress = (self.epochs * steps + step) / (self.recipe.epochs * steps)
            rate = 0.5 * self.recipe.learning_rate * (1 + math.cos(math.pi * progress))
            self.optimizer.param_groups[0]["lr"] = rate
            batch = shift_and_mirror(images[places], self._draws)
            scores = self.module(batch.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(scores, labels[places])
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(self.module.parameters(), CLIP, foreach=True)
            self.optimizer.step()
            total += loss.detach() * len(places)
        return float(total) / len(labels)

    def _accuracy(self, images: Tensor, labels: Tensor) -> float:
        self.module.eval()
        right = 0
        with torch.inference_mode():
            for x, y in zip(
                torch.split(images, EVALUATION_BATCH),
                torch.split(labels, EVALUATION_BATCH),
                strict=True,
            ):
                scores = self.module(x.contiguous(memory_format=torch.channels_last))
                right += int((scores.argmax(1) == y).sum())
        self.module.train()
        return 100.0 * right / len(labels)

    @property
    def megabytes(self) -> float:
        """Memory of a step: measured on a device with CUDA, else weights and activations counted.

        Counted are the outputs of all layers for a batch, and of every weight itself, its
        gradient and its momentum, four bytes each.
        """
        if is_cuda(self.recipe.device):
            return float(torch.cuda.max_memory_allocated(self.recipe.device)) / 1e6
        activations = sum(layer.channels * layer.size**2 for layer in self.network.layers)
        weights = sum(parameter.numel() for parameter in self.module.parameters())
        return float(4 * (self.recipe.batch * activations + 3 * weights)) / 1e6

    # -- leaving and going on ----------------------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write all that ``load`` needs to go on, as arrays, in one step."""
        arrays: dict[str, Any] = {
            "progress": np.array([self.epochs, self.seconds]),
            "draws": self._draws.get_state().numpy(),
        }
        for name, value in self.module.state_dict().items():
            arrays[f"module.{name}"] = value.numpy(force=True)
        for place, parameter in enumerate(self.module.parameters()):
            buffer = self.optimizer.state.get(parameter, {}).get("momentum_buffer")
            if buffer is not None:
                arrays[f"momentum.{place}"] = buffer.numpy(force=True)
        with replacing(path) as partial, partial.open("wb") as file:
            np.savez(file, **arrays)

    def load(self, path: Path) -> None:
        """Go on from what ``save`` wrote, of the same training; only before the first epoch.

        Raises:
            SuiteError: the file is damaged.
        """
        with refused(f"{path} is damaged ({{reason}}): delete it.", Exception):
            self._take(read_arrays(path))

    def _take(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        epochs, seconds = arrays["progress"].tolist()
        state = {
            name: torch.from_numpy(arrays[f"module.{name}"]) for name in self.module.state_dict()
        }
        self.module.load_state_dict(state)
        for place, parameter in enumerate(self.module.parameters()):
            name = f"momentum.{place}"
            if name in arrays:
                buffer = torch.empty_like(parameter)
                buffer.copy_(torch.from_numpy(arrays[name]))
                self.optimizer.state[parameter]["momentum_buffer"] = buffer
        self._draws.set_state(torch.from_numpy(arrays["draws"]))
        self.epochs, self.seconds = int(epochs), float(seconds)


def shift_and_mirror(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shift each image by up to an eighth of its side, zeros coming in, and mirror by chance.

    Images of one channel, such as digits, are not mirrored.

    Args:
        images: shape (n, channels, side, side).
        generator: from which shifts and mirrors are drawn, on the processor.
    """
    count, channels, side, _ = images.shape
    pad = max(1, side // 8)
    shifts = torch.randint(0, 2 * pad + 1, (2, count, 1), generator=generator).to(images.device)
    mirrored = torch.rand(count, 1, generator=generator).to(images.device) < 0.5
    steps = torch.arange(side, device=images.device)
    columns = torch.where(mirrored, steps.flip(0), steps) if channels > 1 else steps
    rows, columns = steps + shifts[0], columns + shifts[1]
    padded = F.pad(images, (pad,) * 4).permute(0, 2, 3, 1)
    numbers = torch.arange(count, device=images.device)[:, None, None]
    return padded[numbers, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
