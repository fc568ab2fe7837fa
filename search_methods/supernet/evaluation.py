"""The evaluation of a pair of DARTS cells by its authors' protocol: trained from scratch for long.

Liu, Simonyan and Yang, *DARTS*, ICLR 2019, section 3.2 (code: quark0/darts, cnn/train.py), which
VS-DARTS takes over (genesis1104/VS-DARTS, train.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from nasbench_suite.benchmarks.digits.training import one_thread
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import replacing
from nasbench_suite.files.unpacking import need_regular_file
from nasbench_suite.networks import count_network, describe_network
from nasbench_suite.networks.devices import check_device
from nasbench_suite.networks.module import LayersModule
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.parsing import (
    check_counts,
    check_not_negative,
    check_portions,
    check_positive,
)
from nasbench_suite.seeding import sequence
from search_methods.supernet.darts_space import find_darts_space
from search_methods.supernet.data import Batch, batches, cut_out, load_training_data
from search_methods.supernet.drawing import drawing_from
from search_methods.supernet.search import EVALUATION_BATCH


@dataclass(frozen=True)
class Evaluation:
    """How a derived network is trained; the defaults are those of both papers on CIFAR-10.

    Attributes:
        epochs: passes over all training images.
        batch_size: images a step.
        channels: of the first cells.
        cells: number of cells.
        learning_rate: of SGD, by a cosine to zero, an epoch at a time.
        momentum: of SGD.
        weight_decay: of SGD.
        clip: largest norm of the gradient.
        auxiliary: weight of the auxiliary head's loss; 0 for no head.
        drop_path: probability in the last epoch, growing linearly from zero.
        cutout: side of the square that is cut out of training images, in pixels; 0 for none.
        device: where to compute, such as ``cpu`` or ``cuda``.
    """

    epochs: int = 600
    batch_size: int = 96
    channels: int = 36
    cells: int = 20
    learning_rate: float = 0.025
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float = 5.0
    auxiliary: float = 0.4
    drop_path: float = 0.2
    cutout: int = 16
    device: str = "cpu"

    def __post_init__(self) -> None:
        check_counts("A training", self, "epochs batch_size channels cells")
        check_positive("A training", self, "learning_rate clip")
        check_not_negative("A training", self, "weight_decay auxiliary cutout")
        check_portions("A training", self, "momentum drop_path")


@dataclass(frozen=True)
class Progress:
    """Where a training is after an epoch.

    Attributes:
        epoch: epochs that are over.
        train_loss: mean over the epoch, in nats, with that of the auxiliary head.
        test_accuracy: in percent.
        parameters: of the network, without the auxiliary head.
    """

    epoch: int
    train_loss: float
    test_accuracy: float
    parameters: int


def evaluate_cells(
    genotype: str,
    images: str = "cifar10",
    protocol: Evaluation | None = None,
    *,
    seed: int = 0,
    space: str = "darts",
    checkpoint: Path | None = None,
) -> Iterator[Progress]:
    """Train the network of a pair of cells from scratch, and test it after every epoch.

    Args:
        genotype: the cells, as the space writes them.
        images: a data set, as ``load_images`` takes it.
        protocol: how it is trained.
        seed: of weights, order and augmentation.
        space: of the cells.
        checkpoint: where the state is kept after every epoch; the same call again goes on.

    Yields:
        The state after each epoch.

    Raises:
        SuiteError: no such cells or images, or a checkpoint of another training.
    """
    protocol = protocol or Evaluation()
    check_device(protocol.device)
    device = torch.device(protocol.device)
    data, test = load_training_data(images)
    data = data.to(device)
    network = describe_network(
        (cells := find_darts_space(space)),
        cells.read(genotype),
        Skeleton(
            image=tuple(data.train[0].shape[1:]),  # type: ignore[arg-type]
            num_classes=data.classes,
            channels=protocol.channels,
            cells=protocol.cells,
            auxiliary=bool(protocol.auxiliary),
            drop_path=bool(protocol.drop_path),
        ),
    )
    parameters = int(count_network(network)[0])
    words = sequence(seed, "evaluation", genotype).generate_state(1, np.uint64)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(words[0]) >> 1)
        module = LayersModule(network).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(
        module.parameters(),
        lr=protocol.learning_rate,
        momentum=protocol.momentum,
        weight_decay=protocol.weight_decay,
    )
    state = _State(module, optimizer, f"{genotype} {data.name} {seed} {protocol}")
    state.random.manual_seed(int(words[0]) >> 1)
    if checkpoint is not None and checkpoint.exists():
        state.load(checkpoint, device)
    while state.epoch < protocol.epochs:
        with drawing_from(state.random, protocol.device):
            loss = _train_epoch(module, optimizer, data.train, data.augment, protocol, state.epoch)
            accuracy = _accuracy(module, test, device)
        state.epoch += 1
        if checkpoint is not None:
            state.save(checkpoint)
        yield Progress(state.epoch, loss, accuracy, parameters)


def _train_epoch(
    module: LayersModule,
    optimizer: torch.optim.Optimizer,
    train: Batch,
    augment: object,
    protocol: Evaluation,
    epoch: int,
) -> float:
    module.train()
    module.drop_path = protocol.drop_path * epoch / protocol.epochs
    cosine = 0.5 * (1 + math.cos(math.pi * epoch / protocol.epochs))
    optimizer.param_groups[0]["lr"] = protocol.learning_rate * cosine
    assert callable(augment)
    losses = []
    for images, labels in batches(train, protocol.batch_size):
        x = augment(images)
        if protocol.cutout:
            x = cut_out(x, protocol.cutout)
        scores = module(x.contiguous(memory_format=torch.channels_last))
        if isinstance(scores, tuple):
            loss = F.cross_entropy(scores[0], labels) + protocol.auxiliary * F.cross_entropy(
                scores[1], labels
            )
        else:
            loss = F.cross_entropy(scores, labels)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(module.parameters(), protocol.clip)
        optimizer.step()
        losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def _accuracy(module: LayersModule, data: Batch, device: torch.device) -> float:
    """In percent, by running statistics."""
    module.eval()
    right = 0
    with torch.inference_mode():
        for x, y in zip(*(torch.split(part, EVALUATION_BATCH) for part in data), strict=True):
            scores = module(x.to(device).contiguous(memory_format=torch.channels_last))
            assert isinstance(scores, Tensor)
            right += int((scores.argmax(1).cpu() == y).sum())
    return 100.0 * right / len(data[1])


class _State:
    """What a checkpoint holds: tensors and numbers."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, of: str) -> None:
        self.module, self.optimizer, self.of = module, optimizer, of
        self.epoch, self.random = 0, torch.Generator()

    def save(self, path: Path) -> None:
        content = {
            "of": self.of,
            "epoch": self.epoch,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": self.random.get_state(),
        }
        with replacing(path) as partial:
            torch.save(content, partial)

    def load(self, path: Path, device: torch.device) -> None:
        need_regular_file(path)
        try:
            content = torch.load(path, map_location=device, weights_only=True)
            of = content["of"]
        except Exception as error:  # whatever a damaged archive gives
            raise SuiteError(f"{path} is no checkpoint that can be read: remove it.") from error
        if of != self.of:
            raise SuiteError(f"{path} is a checkpoint of another training: name another file.")
        self.module.load_state_dict(content["module"])
        self.optimizer.load_state_dict(content["optimizer"])
        self.epoch = int(content["epoch"])
        self.random.set_state(content["random"].cpu())
