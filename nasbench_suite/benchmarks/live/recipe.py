"""The recipe of a benchmark that trains: all that decides what a training gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nasbench_suite.errors import SuiteError, choose_from
from nasbench_suite.networks import Skeleton
from nasbench_suite.parsing import check_at_most, check_counts
from nasbench_suite.spaces import SearchSpace

_MOST_TRAININGS = 1000
VERSION = 1
"""Raised whenever the same recipe comes to give other figures."""
IMAGE_OPTIONS = ("classes", "images", "test_images", "seed", "resolution")
"""What is said of the images, in the order of ``nasbench_suite.datasets.load_images``."""
# Channels and cells where none are said: small enough for a processor. None is the published size.
SMALL: Mapping[str, tuple[int | None, int | None]] = {
    "nats-tss": (8, 1),
    "nats-sss": (None, None),
    "darts": (8, 5),
    "nasbench101": (16, 1),
    "nasbench-macro": (8, None),
    "transnas101-micro": (8, 1),
    "transnas101-macro": (8, 1),
}


@dataclass(frozen=True)
class Recipe:
    """How networks are trained.

    SGD with Nesterov's momentum 0.9 and weight decay 5e-4, the learning rate by a cosine from
    ``learning_rate`` to zero over all steps, gradients clipped at a norm of 5; images are shifted
    by up to an eighth of their side, and those in colour mirrored by chance.

    Attributes:
        images: as ``load_images`` takes it, with its options.
        epochs: of a whole training.
        channels: of the first cells; None for those of the space's publication.
        cells: of the network, or of each stage; None likewise.
        batch: images a step.
        learning_rate: at the beginning.
        valid_images: so many training images are held apart for the signal, where the data set
            has no validation images of its own; None for one in five.
        trainings: with how many seeds each architecture is trained; figures are their mean.
        device: where to train, such as ``cpu`` or ``cuda``; their figures differ in the last bits.
    """

    images: str
    epochs: int = 8
    channels: int | None = None
    cells: int | None = None
    batch: int = 64
    learning_rate: float = 0.05
    valid_images: int | None = None
    trainings: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        check_counts("A training", self, "epochs channels cells batch valid_images trainings")
        check_at_most("A training", self, "trainings", _MOST_TRAININGS)
        if not 0 < self.learning_rate < float("inf"):
            raise SuiteError(
                f"A learning rate of {self.learning_rate} trains nothing: give a number above 0."
            )

    @property
    def readings(self) -> tuple[int, ...]:
        """The epochs after which there are figures: 1, 2, 4 and so on, and the last."""
        powers = [2**power for power in range(self.epochs.bit_length())]
        return (*(epochs for epochs in powers if epochs < self.epochs), self.epochs)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the figures but the images themselves."""
        return {"version": VERSION, **asdict(self)}

    def skeleton(self, image: tuple[int, int, int], classes: int) -> Skeleton:
        """What surrounds the cells; what cannot matter is not trained."""
        return Skeleton(image, classes, self.channels, self.cells, pruned=True)

    def options(self) -> dict[str, Any]:
        """What differs from the defaults, in order, without the images."""
        return {
            item.name: value
            for item in fields(self)
            if item.name != "images" and (value := getattr(self, item.name)) != item.default
        }


def read_recipe(images: str, settings: Mapping[str, str], space: SearchSpace) -> Recipe:
    """The recipe that options say.

    Args:
        images: the data set's name.
        settings: what stands in the brackets of a benchmark's name, without its space.
        space: whose networks are trained.

    Raises:
        SuiteError: an unknown option, or a value that it does not take.
    """
    known = {item.name: item for item in fields(Recipe) if item.name != "images"}
    chosen = {key: settings[key] for key in IMAGE_OPTIONS if key in settings}
    said = f"{images}[{','.join(f'{k}={v}' for k, v in chosen.items())}]" if chosen else images
    values: dict[str, Any] = dict(zip(("channels", "cells"), small(space), strict=True))
    for key, text in settings.items():
        if key in chosen:
            continue
        if key not in known:
            options = ["space", *IMAGE_OPTIONS, *known]
            raise SuiteError(choose_from("option of a live benchmark", key, options))
        values[key] = _value(key, text)
    return Recipe(said, **values)


def small(space: SearchSpace) -> tuple[int | None, int | None]:
    """Channels and cells where none are said."""
    for above in type(space).__mro__:
        found = SMALL.get(str(vars(above).get("name")))
        if found is not None:
            return found
    return None, None


def _value(key: str, text: str) -> Any:
    if key == "device":
        return text
    try:
        return float(text) if key == "learning_rate" else int(text)
    except ValueError:
        kind = "number" if key == "learning_rate" else "whole number"
        raise SuiteError(f"{key} of a live benchmark is a {kind}, not {text!r}.") from None
