"""Making the embedded table: train every cell, keep a journal, resume where it stopped.

``nasbench data make digits`` calls ``train_all`` and then packs the journal into the Parquet
file that ships with the package; with ``--retrain-top`` it trains the best of that table again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.digits.training import (
    BATCH_SIZE,
    EPOCHS,
    LEARNING_RATE,
    MOMENTUM,
    WEIGHT_DECAY,
    train_cell,
)
from nasbench_suite.benchmarks.metric import Metric, Split
from nasbench_suite.benchmarks.table import Benchmark, make_benchmark
from nasbench_suite.benchmarks.table_file import write_benchmark
from nasbench_suite.datasets.digits import TEST_IMAGES, TRAIN_IMAGES, VALID_IMAGES
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.journal import Journal
from nasbench_suite.spaces import load_finite_space
from nasbench_suite.spreading import count_jobs, spread

_SPLITS: tuple[Split, ...] = ("train", "valid", "test")
_IMAGES: dict[Split, int] = {"valid": VALID_IMAGES, "test": TEST_IMAGES}


def _train(index: int, seed: int) -> dict[str, Any]:
    curve = train_cell(load_finite_space("nats-tss").vector(index), (seed, index))
    readings = {name: values.tolist() for name, values in asdict(curve).items()}
    return {"index": index, "seed": seed, **readings}


def best_classes(benchmark: Benchmark, count: int) -> NDArray[np.int64]:
    """Representatives of the classes with the best validation accuracy, best first.

    Chosen by the mean over the benchmark's seeds after the last epoch, and by validation alone:
    test figures that had been chosen by themselves would be too good. Of equals, the class of the
    smaller index comes first.

    Args:
        benchmark: the embedded table.
        count: how many classes.

    Raises:
        SuiteError: there are not so many.
    """
    representatives = load_finite_space("nats-tss").representatives
    if not 1 <= count <= len(representatives):
        raise SuiteError(
            f"{count} of {len(representatives):,} classes cannot be trained: give a number from 1 "
            f"to {len(representatives)}."
        )
    accuracy = benchmark.seed_values(f"digits_valid_{EPOCHS[-1]}")[representatives]
    order = np.argsort(-np.nanmean(accuracy, axis=1).round(6), kind="stable")
    return representatives[order[:count]]


def train_all(
    journal: Path,
    seeds: Sequence[int] = (0, 1),
    jobs: int = 1,
    indices: Sequence[int] | None = None,
) -> Iterator[tuple[int, int]]:
    """Train one cell of every isomorphism class with every seed, appending to ``journal``.

    With ``indices``, only those cells. Trainings already in the journal are not repeated. Each is
    independent of the others, so the figures do not depend on ``jobs``, on the order or on
    interruptions; only the measured seconds vary.

    Yields:
        (trainings finished, trainings in all), once at the start and after each training.
    """
    jobs = count_jobs(jobs)
    finished_trainings = Journal(journal)
    done = {(line["index"], line["seed"]) for line in finished_trainings.entries()}
    if indices is None:
        indices = load_finite_space("nats-tss").representatives.tolist()
    wanted = [(index, seed) for seed in seeds for index in indices]
    todo = [pair for pair in wanted if pair not in done]
    finished = len(wanted) - len(todo)
    yield finished, len(wanted)
    with finished_trainings.appending() as note:
        for result in spread(_train, todo, jobs):
            note(result)
            finished += 1
            yield finished, len(wanted)


def pack(journal: Path, output: Path) -> Benchmark:
    """Turn a complete journal into the embedded benchmark and write it to ``output``.

    Every architecture gets the figures of its class's representative. The seeds are those for
    which the journal holds every class.

    Raises:
        SuiteError: no seed is complete.
    """
    space = load_finite_space("nats-tss")
    by_seed = _complete_seeds(journal, len(space.representatives))

    def reading(name: str, position: int, seed: int) -> NDArray[np.float64]:
        lines = by_seed[seed]
        figures = [lines[index][name][position] for index in space.representatives.tolist()]
        return np.array(figures)[space.classes]

    seeds = tuple(by_seed)
    metrics: list[Metric] = []
    columns: dict[str, NDArray[np.float64]] = {}
    for position in range(len(EPOCHS)):
        for metric, figures in _metrics_after(position, seeds, reading):
            metrics.append(metric)
            columns |= figures
    benchmark = make_benchmark("digits", space, metrics, columns, _about(seeds))
    write_benchmark(benchmark, output)
    return benchmark


def _complete_seeds(journal: Path, classes: int) -> dict[int, dict[int, dict[str, Any]]]:
    """The trainings of every seed that has all classes, by seed and representative.

    Raises:
        SuiteError: no seed has.
    """
    by_seed: dict[int, dict[int, dict[str, Any]]] = {}
    for line in Journal(journal).entries():
        by_seed.setdefault(line["seed"], {})[line["index"]] = line
    complete = {seed: by_seed[seed] for seed in sorted(by_seed) if len(by_seed[seed]) == classes}
    if not complete:
        counts = {seed: len(lines) for seed, lines in sorted(by_seed.items())}
        raise SuiteError(
            f"{journal} holds no complete seed (trainings by seed: {counts or 'none'}, "
            f"{classes} needed): run `nasbench data make digits` again, it goes on "
            f"where it stopped."
        )
    return complete


def _metrics_after(
    position: int, seeds: tuple[int, ...], reading: Callable[[str, int, int], NDArray[np.float64]]
) -> Iterator[tuple[Metric, dict[str, NDArray[np.float64]]]]:
    """The metrics at one place of the learning curve, each with its columns.

    Args:
        position: which of ``EPOCHS``.
        seeds: of the trainings.
        reading: the figures of a name at a position with a seed, by architecture.
    """
    epochs, last = EPOCHS[position], position == len(EPOCHS) - 1
    made = partial(Metric, dataset="digits", epochs=epochs, provenance="measured")
    during = "" if last else f", during the run of {EPOCHS[-1]}"
    for split, images in _IMAGES.items():
        note = f"{images} images{during}"
        accuracy = made(f"digits_{split}_{epochs}", split=split, seeds=seeds, note=note)
        percent = [reading(f"{split}_accuracy", position, seed) for seed in seeds]
        shares = [_unrounded(figures, images) for figures in percent]
        yield accuracy, dict(zip(map(accuracy.seed_column, seeds), shares, strict=True))
    smaller = partial(made, direction="minimize")
    for split in _SPLITS if last else _SPLITS[:1]:
        note = "rounded to 4 decimals"
        nats = partial(smaller, quantity="loss", unit="nats", note=note)
        loss = nats(f"digits_{split}_loss_{epochs}", split=split, seeds=seeds)
        losses = [reading(f"{split}_loss", position, seed).round(4) for seed in seeds]
        yield loss, dict(zip(map(loss.seed_column, seeds), losses, strict=True))
    note = "processor seconds on one core, mean over the seeds, evaluation left out"
    seconds = partial(smaller, quantity="training_time", unit="s", note=note)
    time = seconds(f"digits_train_time_{epochs}")
    spent = np.mean([reading("seconds", position, seed) for seed in seeds], axis=0)
    yield time, {time.name: spent.round(3)}


def _unrounded(percent: NDArray[np.float64], images: int) -> NDArray[np.float64]:
    """Accuracies as shares of so many images, of which the journal has rounded percentages."""
    return np.rint(percent * images / 100) * (100 / images)


def pack_more(journal: Path, base: Benchmark, output: Path, *, alone: bool = False) -> Benchmark:
    """Add further trainings of some classes, such as the best, to a table of every class.

    The accuracies get a column for each further seed; classes without that training have none
    there, and a metric is the mean of the trainings that there are. Losses and times stay as
    they were.

    Args:
        journal: of the further trainings. Those classes enter which have all seeds that are in it.
        base: a table that ``pack`` made, or the embedded one.
        output: the file to write.
        alone: write the accuracies of these classes alone, an architecture each: a table whose
            every architecture has all seeds.

    Raises:
        SuiteError: no class has all seeds of the journal, or the base has one of them already.
    """
    by_class, seeds = _whole_classes(journal, base)
    whole = sorted(by_class)
    place = np.full(base.space.size, -1)
    place[whole] = np.arange(len(whole))
    members = place[base.space.representatives][base.space.classes]
    metrics, columns = [], dict(base.columns)
    for metric in base.metrics.values():
        if metric.quantity != "accuracy" or metric.split is None or metric.epochs is None:
            metrics.append(metric)
            continue
        position, images = EPOCHS.index(metric.epochs), _IMAGES[metric.split]
        for seed in seeds:
            shares = [by_class[i][seed][f"{metric.split}_accuracy"][position] for i in whole]
            figures = _unrounded(np.array(shares), images)
            columns[metric.seed_column(seed)] = np.where(members < 0, np.nan, figures[members])
        del columns[metric.name]  # to be the mean of all
        metrics.append(replace(metric, seeds=(*metric.seeds, *seeds)))
    known = _known_seeds(base)
    about = {
        **base.about,
        "seeds": [*known, *seeds],
        "trained again": (
            f"the {len(whole):,} classes that are best by their mean validation accuracy over "
            f"seeds {', '.join(map(str, known))}, with seeds {', '.join(map(str, seeds))} more"
        ),
    }
    if alone:
        metrics = [metric for metric in metrics if metric.quantity == "accuracy"]
    benchmark = make_benchmark("digits", base.space, metrics, columns, about)
    if alone:
        about = {name: value for name, value in about.items() if name != "costs"}
        about["source"] = f"made by `nasbench data make digits --retrain-top {len(whole)} --alone`"
        benchmark = replace(benchmark.restricted(whole), name="digits-top", about=about)
    write_benchmark(benchmark, output)
    return benchmark


def _whole_classes(
    journal: Path, base: Benchmark
) -> tuple[dict[int, dict[int, dict[str, Any]]], tuple[int, ...]]:
    """The classes that have all seeds of a journal, by representative and seed, and these seeds.

    Raises:
        SuiteError: none has, or the base has one of the seeds already.
    """
    by_class: dict[int, dict[int, dict[str, Any]]] = {}
    for line in Journal(journal).entries():
        by_class.setdefault(line["index"], {})[line["seed"]] = line
    seeds = tuple(sorted({seed for lines in by_class.values() for seed in lines}))
    known = _known_seeds(base)
    if set(seeds) & set(known):
        raise SuiteError(
            f"The table has seeds {', '.join(map(str, known))} already: give others with --seeds."
        )
    whole = {index: lines for index, lines in by_class.items() if len(lines) == len(seeds)}
    if not whole:
        raise SuiteError(
            f"{journal} holds no class with all of its seeds {', '.join(map(str, seeds))}: run "
            f"`nasbench data make digits --retrain-top` again, it goes on where it stopped."
        )
    return whole, seeds


def _known_seeds(base: Benchmark) -> tuple[int, ...]:
    """The seeds that every class of a table was trained with."""
    return base.metric(f"digits_test_{EPOCHS[-1]}").seeds


def _about(seeds: Sequence[int]) -> dict[str, Any]:
    import platform

    import sklearn
    import torch

    return {
        "description": (
            "NAS-Bench-201 cells in a network of two stages (16 and 32 channels) trained on "
            "scikit-learn's digits: 8x8 images, 10 classes"
        ),
        "recipe": (
            f"{TRAIN_IMAGES} training images rolled by up to one pixel, {EPOCHS[-1]} epochs of "
            f"batches of {BATCH_SIZE}, Nesterov SGD {LEARNING_RATE} with momentum {MOMENTUM}, "
            f"cosine to zero, weight decay {WEIGHT_DECAY}"
        ),
        "trained": (
            "one cell of each of the 6,466 isomorphism classes, dead branches removed; the other "
            "members of a class carry its figures"
        ),
        "seeds": list(seeds),
        "source": "made by `nasbench data make digits`",
        "licence": "MIT",
        "versions": {"torch": torch.__version__, "scikit-learn": sklearn.__version__},
        "machine": _machine(),
        "python": platform.python_version(),
    }


def _machine() -> str:
    import platform

    import torch

    return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, one thread a training"
