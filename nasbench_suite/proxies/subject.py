"""What a proxy is shown of an architecture: its network, images, and what others computed of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from nasbench_suite.networks import (
    Network,
    Skeleton,
    build_network,
    count_network,
    describe_network,
)
from nasbench_suite.proxies.batch import Batch, make_batch
from nasbench_suite.seeding import sequence
from nasbench_suite.spaces import SearchSpace

if TYPE_CHECKING:
    from torch import Tensor

    from nasbench_suite.networks.module import LayersModule

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """One architecture, to be scored by any number of proxies.

    Attributes:
        space: the search space.
        architecture: a value of the space's own, as ``space.sample`` gives it.
        rng: for whatever the proxy draws besides initial weights; equal for equal seeds.
        batch: the images; None for 64 of the embedded digits.
        channels: of the network's first cells; None for the published number.
        cells: of the network, or of each of its stages; None likewise.
        device: ``cpu``, ``cuda``, or another that torch knows.
        weights_seed: of the initial weights, which are the same for all proxies.
    """

    space: SearchSpace
    architecture: Any
    rng: np.random.Generator
    batch: Batch | None = None
    channels: int | None = None
    cells: int | None = None
    device: str = "cpu"
    weights_seed: int = 0
    _passes: dict[str, tuple[Any, float]] = field(default_factory=dict, repr=False, compare=False)
    _spent: dict[str, float] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def images(self) -> Batch:
        """The images, those that are there by default among them."""
        return make_batch() if self.batch is None else self.batch

    def drawing(self, rng: np.random.Generator) -> Subject:
        """The same subject with another generator; what is computed once is shared."""
        return replace(self, rng=rng)

    def network(self, **changed: Any) -> LayersModule:
        """The network in training mode, made anew with the same initial weights.

        Args:
            changed: arguments of ``build_network`` that are to be others than the subject's.

        Raises:
            SuiteError: torch is not installed, or networks of the space are not known.
        """
        from nasbench_suite.errors import need_package

        need_package("A network", "torch", "torch")
        import torch

        settings: dict[str, Any] = {
            "num_classes": self.images.num_classes,
            "image": self.images.shape,
            "channels": self.channels,
            "cells": self.cells,
        }
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.weights_seed)
            made = build_network(self.space, self.architecture, **{**settings, **changed})
        return made.to(self.device).train()

    def tensors(self) -> tuple[Tensor, Tensor]:
        """Images and labels on the device, new ones each time."""
        import torch

        images = torch.from_numpy(self.images.images.copy()).to(self.device)
        return images, torch.from_numpy(self.images.labels.copy()).to(self.device)

    def generator(self, name: str) -> Any:
        """A torch generator on the processor, the same for whoever asks by that name."""
        import torch

        state = sequence(self.weights_seed, name).generate_state(1)
        return torch.Generator().manual_seed(int(state[0]))

    def count(self) -> tuple[float, float]:
        """Parameters and multiply-adds of the network as it is written."""
        parameters, flops = count_network(self.describe())
        return float(parameters), float(flops)

    def describe(self, **changed: Any) -> Network:
        """The layers of the network, for which torch is not needed.

        Args:
            changed: attributes of ``Skeleton`` that are to be others than the subject's.

        Raises:
            SuiteError: networks of the space are not known, or not of such a size.
        """
        skeleton = Skeleton(self.images.shape, self.images.num_classes, self.channels, self.cells)
        return describe_network(self.space, self.architecture, replace(skeleton, **changed))

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` computes, kept for all proxies that ask for it by that name.

        Its seconds are charged to each of them, as if it were the only one; see ``seconds``.
        """
        if name not in self._passes:
            begun = time.perf_counter()
            made = make()
            spent = time.perf_counter() - begun
            self._passes[name] = made, spent
            self._spent["now"] = self._spent.get("now", 0.0) + spent
        found, spent = self._passes[name]
        self._spent["shared"] = self._spent.get("shared", 0.0) + spent
        result: T = found
        return result

    def timed(self, compute: Callable[[], T]) -> tuple[T, float]:
        """What ``compute`` gives, and the seconds it takes were nothing shared with others."""
        self._spent.clear()
        begun = time.perf_counter()
        result = compute()
        elapsed = time.perf_counter() - begun
        return result, elapsed - self._spent.get("now", 0.0) + self._spent.get("shared", 0.0)
