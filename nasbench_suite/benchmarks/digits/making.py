"""Making the embedded table: train every cell, keep a journal, resume where it stopped.

``nasbench data make digits`` calls ``train_all`` and then packs the journal into the Parquet
file that ships with the package.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nasbench_suite.spaces.topology import TopologySpace


def read_journal(path: Path) -> list[dict[str, Any]]:
    """The finished trainings in a journal, one dictionary each; a torn last line is left out."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")
    return [json.loads(line) for line in lines[:-1]]


def _drop_torn_line(path: Path) -> None:
    """Cut what a kill in the middle of a write left after the last full line."""
    if not path.exists():
        return
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        os.truncate(path, content.rfind(b"\n") + 1)


def _train(index: int, seed: int) -> dict[str, Any]:
    import torch

    from nasbench_suite.benchmarks.digits.training import train_cell

    torch.set_num_threads(1)
    curve = train_cell(TopologySpace().vector(index), (seed, index))
    readings = {name: values.tolist() for name, values in asdict(curve).items()}
    return {"index": index, "seed": seed, **readings}


def train_all(
    journal: Path, seeds: Sequence[int] = (0, 1), jobs: int = 1
) -> Iterator[tuple[int, int]]:
    """Train one cell of every isomorphism class with every seed, appending to ``journal``.

    Trainings already in the journal are not repeated. Each is independent of the others, so
    the figures do not depend on ``jobs``, on the order or on interruptions; only the measured
    seconds vary.

    Yields:
        (trainings finished, trainings in all), once at the start and after each training.
    """
    from joblib import Parallel, delayed

    _drop_torn_line(journal)
    done = {(line["index"], line["seed"]) for line in read_journal(journal)}
    wanted = [
        (index, seed) for seed in seeds for index in TopologySpace().representatives.tolist()
    ]
    todo = [pair for pair in wanted if pair not in done]
    finished = len(wanted) - len(todo)
    yield finished, len(wanted)
    results = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=4)(
        delayed(_train)(index, seed) for index, seed in todo
    )
    with journal.open("a") as file:
        for result in results:
            file.write(json.dumps(result) + "\n")
            file.flush()
            finished += 1
            yield finished, len(wanted)
