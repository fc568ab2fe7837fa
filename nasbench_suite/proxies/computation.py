"""What is computed of many architectures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasbench_suite.proxies.batch import BATCH_SIZE, make_batch
from nasbench_suite.proxies.proxy import make_subject
from nasbench_suite.proxies.subject import Subject
from nasbench_suite.seeding import check_seed
from nasbench_suite.spaces import load_space


@dataclass(frozen=True)
class Computation:
    """What is computed, by whom and on what.

    Attributes:
        space: name of the search space.
        proxies: their names.
        dataset: of the images.
        batch_size: number of images.
        channels: of the network's first cells; None for the published number.
        cells: of the network, or of each of its stages; None likewise.
        seed: of images, initial weights and draws, from 0, of 15 digits at most.
        device: ``cpu``, ``cuda``, or another that torch knows.
    """

    space: str
    proxies: tuple[str, ...]
    dataset: str = "digits"
    batch_size: int = BATCH_SIZE
    channels: int | None = None
    cells: int | None = None
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        check_seed(self.seed)

    def subject(self, architecture: str) -> Subject:
        """What its proxies are shown of an architecture, given by its string."""
        return make_subject(
            self.proxies[0],
            load_space(self.space),
            architecture,
            self.seed,
            batch=make_batch(self.dataset, self.batch_size, self.seed),
            channels=self.channels,
            cells=self.cells,
            device=self.device,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What the entries of a journal depend on."""
        batch = make_batch(self.dataset, self.batch_size, self.seed)
        return {
            "space": self.space,
            "proxies": list(self.proxies),
            "batch": batch.checksum,
            "channels": self.channels,
            "cells": self.cells,
            "seed": self.seed,
            "device": self.device,
        }

    def differing(self, header: Mapping[str, Any]) -> list[str]:
        """In what a journal that begins so differs; in the order of proxies it may."""
        known = dict(header)
        if isinstance(known.get("proxies"), list):
            known["proxies"] = sorted(known["proxies"], key=str)
        identity = {**self.identity, "proxies": sorted(self.proxies)}
        return sorted(key for key, value in identity.items() if known.get(key) != value)
