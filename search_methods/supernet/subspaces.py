"""Searching in the DARTS space and its subspaces, and training what was derived at that size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from nasbench_suite.benchmarks.digits.training import one_thread
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.journal import Journal
from nasbench_suite.parsing import parse_methods
from nasbench_suite.seeding import stream
from nasbench_suite.tasks.methods import make_method, method_label
from search_methods.supernet.cell import single_path
from search_methods.supernet.darts_space import DartsSupernet, find_darts_space
from search_methods.supernet.data import (
    Batch,
    batches,
    load_search_data,
    load_training_data,
)
from search_methods.supernet.network import CellOptions
from search_methods.supernet.search import EVALUATION_BATCH, DifferentiableSearch


def search_subspaces(
    methods: str,
    spaces: Sequence[str],
    seeds: Sequence[int],
    journal: Path,
    *,
    channels: int = 8,
    cells: int = 5,
    train_epochs: int = 50,
    images: str = "digits",
) -> Iterator[tuple[int, int]]:
    """Search each space with each method and seed, train the derived network, note its accuracy.

    A journal of finished searches, a JSON object a line, is appended to; what it holds is not
    done again.

    Args:
        methods: as ``nasbench run --methods`` takes them; differentiable ones.
        spaces: see ``find_darts_space``.
        seeds: of searches and trainings.
        journal: the file.
        channels: of the first cells, in search and training.
        cells: number of cells, in search and training.
        train_epochs: epochs of the training; with 0 nothing is trained, and the accuracy is not a
            number.
        images: the data set, as ``load_search_data`` takes it.

    Yields:
        Finished searches, and all of them.

    Raises:
        SuiteError: an unknown method or space, a method without a supernet, or a journal that
            cannot be read.
    """
    chosen = [(name, make_method(name, settings)) for name, settings in parse_methods(methods)]
    for name, method in chosen:
        if not isinstance(method, DifferentiableSearch):
            raise SuiteError(f"Method {name!r} has no supernet: choose a differentiable one.")
        if type(method).step is not DifferentiableSearch.step:
            raise SuiteError(
                f"Method {name!r} decides by what it reads or evaluates between epochs, which is "
                f"not done here: search by `nasbench run` on a benchmark of the space."
            )
        if getattr(method, "latency_weight", 0.0):
            raise SuiteError("Latencies are not known here: leave latency_weight out.")
    for space in spaces:
        find_darts_space(space)
    size = {"channels": channels, "cells": cells, "train_epochs": train_epochs}
    data = load_search_data(images)
    on = {} if images == "digits" else {"images": data.name}
    finished = {_identity(entry) for entry in read_journal(journal)}
    plan: list[dict[str, Any]] = [
        {"method": method_label(name, method), "space": space, "seed": seed, **size, **on}
        for name, method in chosen
        for space in spaces
        for seed in seeds
    ]
    makers = {method_label(name, m): (name, m.config) for name, m in chosen}
    done = sum(_identity(entry) in finished for entry in plan)
    yield done, len(plan)
    for entry in plan:
        if _identity(entry) in finished:
            continue
        name, config = makers[entry["method"]]
        method = make_method(name, config)
        assert isinstance(method, DifferentiableSearch)
        rng = stream(entry["seed"], entry["space"])
        method.width, method.cells = channels, cells
        method.prepare(data, rng, method.family_of(find_darts_space(entry["space"])))
        with method.randomness():
            while not method.finished:
                method.train_epoch()
                method.epoch += 1
            choices = method.choices()
        searched = find_darts_space(entry["space"])
        genotype = searched.string(searched.from_edge_choices(choices))
        accuracy = float("nan")
        if train_epochs:
            accuracy = train_derived(choices, entry["space"], entry["seed"], **size, images=images)
        with Journal(journal, sync=True).appending() as note:
            note({**entry, "genotype": genotype, "test_accuracy": accuracy})
        done += 1
        yield done, len(plan)


@one_thread()
def train_derived(
    choices: Sequence[Sequence[int]],
    space: str,
    seed: int,
    *,
    channels: int,
    cells: int,
    train_epochs: int,
    images: str = "digits",
) -> float:
    """Test accuracy in percent of a derived pair of cells, trained from scratch.

    On all training images, SGD at 0.025 by a cosine to zero, momentum 0.9, weight decay 3e-4,
    batches of 64: DARTS's own recipe for evaluation, at the size of the search.
    """
    data, test = load_training_data(images)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = DartsSupernet(
            data, CellOptions(), space=find_darts_space(space), channels=channels, cells=cells
        )
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        mixes = [
            single_path(choice, torch.zeros(layout.shape))
            for choice, layout in zip(choices, network.layouts, strict=True)
        ]
        optimizer = torch.optim.SGD(
            network.parameters(), lr=0.025, momentum=0.9, weight_decay=3e-4, foreach=True
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, train_epochs)
        for _ in range(train_epochs):
            for batch, labels in batches(data.train, 64):
                optimizer.zero_grad()
                loss = F.cross_entropy(network(_in_order(data.augment(batch)), mixes), labels)
                torch.autograd.backward(loss)
                torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0, foreach=True)
                optimizer.step()
            schedule.step()
        return _accuracy(network, mixes, test)


def _accuracy(network: DartsSupernet, mixes: Sequence[Any], data: Batch) -> float:
    images, labels = data
    with torch.inference_mode():
        scores = [network(_in_order(x), mixes) for x in torch.split(images, EVALUATION_BATCH)]
    return 100.0 * int((torch.cat(scores).argmax(1) == labels).sum()) / len(labels)


def _in_order(images: torch.Tensor) -> torch.Tensor:
    return images.contiguous(memory_format=torch.channels_last)


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The finished searches in a journal; a torn last line is left out.

    Raises:
        SuiteError: the file is no such journal.
    """
    entries = Journal(path).entries()
    if any("genotype" not in entry for entry in entries):
        raise SuiteError(f"{path} is no journal of searches: name another file.")
    return entries


def _identity(entry: dict[str, Any]) -> tuple[Any, ...]:
    names = ("method", "space", "seed", "channels", "cells", "train_epochs", "images")
    return tuple(entry.get(name) for name in names)
