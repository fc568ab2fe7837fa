"""Benchmarks that train: ``live:digits[space=darts,epochs=4]``.

An evaluation builds the network of the architecture, trains it under a stated recipe and seed, and
keeps what came of it, so that the next who asks is answered at once. What a search sees is read on
validation images and what it is judged by on test images, that no training has seen.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.live.recipe import Recipe, read_recipe
from nasbench_suite.benchmarks.live.trainings import Trainings
from nasbench_suite.benchmarks.metric import Metric
from nasbench_suite.benchmarks.open import OpenBenchmark
from nasbench_suite.datasets import load_images
from nasbench_suite.datasets.library import find_images
from nasbench_suite.errors import SuiteError, need_package
from nasbench_suite.files.home import home_folder
from nasbench_suite.networks import count_network, describe_network, find_builder
from nasbench_suite.parsing import parse_part
from nasbench_suite.spaces import SearchSpace, load_space

_CURVES = {"valid": "valid", "test": "test", "train_time": "seconds"}


@dataclass(frozen=True)
class LiveBenchmark(OpenBenchmark):
    """A benchmark that trains.

    Attributes:
        name: with its space and all options that differ from their defaults.
        space: whose architectures it trains.
        recipe: how.
    """

    name: str
    space: SearchSpace
    recipe: Recipe

    trains: ClassVar[bool] = True

    def __getstate__(self) -> dict[str, Any]:
        # What was read stays behind: a worker reads it anew.
        kept = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**kept, "checksum": self.checksum}

    @property
    def plain_name(self) -> str:
        """The data set's name without options."""
        return self.recipe.images.partition("[")[0]

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:  # type: ignore[override]
        """Accuracies and training times by epoch, and what the network costs."""
        seeds = tuple(range(self.recipe.trainings))
        found = []
        for epochs in self.recipe.readings:
            rest: dict[str, Any] = {"dataset": self.recipe.images, "epochs": epochs}
            rest |= {"seeds": seeds, "provenance": "measured"}
            for split in ("valid", "test"):
                name = f"{self.plain_name}_{split}_{epochs}"
                found.append(Metric(name, split=split, **rest))
            name = f"{self.plain_name}_train_time_{epochs}"
            note = "wall clock, evaluation left out"
            found.append(Metric(name, "training_time", "s", "minimize", note=note, **rest))
        found.append(Metric("parameters", "parameters", "", "minimize", provenance="modelled"))
        found.append(Metric("flops", "flops", "", "minimize", provenance="modelled"))
        return {metric.name: metric for metric in found}

    @cached_property
    def about(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The recipe in words, and where trainings are kept."""
        return {
            "description": f"Networks of space {self.space.name} trained on {self.recipe.images}",
            "recipe": {**self.recipe.identity, "method": " ".join(str(Recipe.__doc__).split())},
            "kept": str(self.trainings.folder),
            "source": "trained when asked for",
        }

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the recipe, the space and the images."""
        images = load_images(self.recipe.images).checksum()
        identity = {**self.recipe.identity, "space": self.space.name, "pixels": images}
        return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()

    @cached_property
    def trainings(self) -> Trainings:
        """What was trained by this recipe."""
        recipe = {**self.recipe.identity, "space": self.space.name}
        return Trainings(home_folder("live") / self.checksum[:32], recipe)

    def figures(
        self, architectures: Sequence[Any], metric: str, seed: int | None = None
    ) -> NDArray[np.float64]:
        """See ``OpenBenchmark.figures``; what was not trained so far is trained now."""
        self.metric(metric)
        return np.array([self._figure(each, metric, seed) for each in architectures])

    def _figure(self, architecture: Any, metric: str, seed: int | None) -> float:
        if metric in ("parameters", "flops"):
            parameters, flops = self.count(architecture)
            return float(parameters if metric == "parameters" else flops)
        kind, _, epochs = metric.removeprefix(f"{self.plain_name}_").rpartition("_")
        seeds = range(self.recipe.trainings) if seed is None else [seed]
        read = [
            self.train(architecture, each, int(epochs))["readings"][int(epochs) - 1]
            for each in seeds
        ]
        return float(np.mean([reading[_CURVES[kind]] for reading in read]))

    def count(self, architecture: Any) -> tuple[int, int]:
        """Parameters, and multiply-adds for one image, of the network of an architecture."""
        skeleton = self.recipe.skeleton(self._image, self._classes)
        return count_network(describe_network(self.space, architecture, skeleton))

    def train(self, architecture: Any, seed: int, epochs: int) -> dict[str, Any]:
        """What is kept of a training of at least so many epochs; it is trained if need be.

        What is trained is the architecture that stands for all that compute the same, so that the
        figures do not depend on who of them was asked for first; see ``SearchSpace.normal_form``.
        """
        string = self.space.string(self.space.normal_form(architecture))
        found = self.trainings.find(string, seed, epochs)
        if found is not None:
            return found
        need_package("A live benchmark", "torch", "torch")
        from nasbench_suite.benchmarks.live.training import Training

        identity = (seed, "live", self.space.name, string)
        return self.trainings.train(
            string, seed, epochs, lambda: Training(self.recipe, self.space, string, identity)
        )

    @cached_property
    def _image(self) -> tuple[int, int, int]:
        images = load_images(self.recipe.images)
        return images.channels, images.resolution, images.resolution

    @cached_property
    def _classes(self) -> int:
        return len(load_images(self.recipe.images).classes)

    def check(self) -> None:
        """Refuse, before anything is trained, what cannot be.

        Raises:
            SuiteError: torch or the device is not there, or networks of the space cannot be built
                for these images.
        """
        need_package("A live benchmark", "torch", "torch")
        from nasbench_suite.benchmarks.live.training import split_images
        from nasbench_suite.networks.devices import check_device

        check_device(self.recipe.device)
        split_images(load_images(self.recipe.images), self.recipe.valid_images)
        self.count(self.space.sample(np.random.default_rng(0)))


def make_live(what: str, space: str | None) -> LiveBenchmark:
    """The live benchmark of ``live:WHAT``.

    Args:
        what: a data set with options, such as ``cifar10[images=4000,resolution=16,epochs=2]``;
            the options are those of the images and those of ``Recipe``, and ``space``.
        space: the space, unless ``what`` says it.

    Raises:
        SuiteError: no or two spaces, an unknown data set or option, images that are not at hand,
            or networks that cannot be built or trained here.
    """
    images, settings = parse_part(what)
    said = settings.pop("space", None)
    if said is None and space is None:
        raise SuiteError(
            f"Benchmark 'live:{what}' trains architectures of any space that networks are known "
            f"of: say which with --space, such as darts."
        )
    chosen = load_space(said or space or "")
    if said and space and load_space(space).name != chosen.name:
        raise SuiteError(f"Benchmark 'live:{what}' is of space {said!r}: leave --space out.")
    find_builder(chosen)
    recipe = read_recipe(images, settings, chosen)
    find_images(recipe.images)
    benchmark = LiveBenchmark(_name(recipe, settings, chosen), chosen, recipe)
    benchmark.check()
    return benchmark


def _name(recipe: Recipe, settings: Mapping[str, str], space: SearchSpace) -> str:
    plain, options = parse_part(recipe.images)
    said = {"space": space.name, **options}
    said |= {key: value for key, value in recipe.options().items() if key in settings}
    return f"live:{plain}[{','.join(f'{key}={value}' for key, value in said.items())}]"


__all__ = ["LiveBenchmark", "Recipe", "make_live"]
