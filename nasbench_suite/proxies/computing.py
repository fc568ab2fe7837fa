"""Scores of many architectures: resumable, on several processes, with the same result.

Everything that a score depends on belongs to the seed and to the architecture, so neither the
number of processes nor the order nor an interruption changes it. Architectures are scored in an
order drawn at random: what is there at any moment is a sample of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench_suite import registry
from nasbench_suite.errors import SuiteError
from nasbench_suite.files.atomic import replacing
from nasbench_suite.files.frames import read_frame
from nasbench_suite.files.journal import Journal
from nasbench_suite.proxies.batch import BATCH_SIZE, make_batch
from nasbench_suite.proxies.proxy import Proxy, draws, make_subject, score_of
from nasbench_suite.seeding import stream
from nasbench_suite.spaces import FiniteSpace, load_space
from nasbench_suite.spreading import count_jobs, spread

if TYPE_CHECKING:
    import pandas as pd


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
        seed: of images, initial weights and draws.
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


def choose_architectures(space_name: str, which: str, seed: int = 0) -> list[str]:
    """The strings of architectures, in an order drawn by the seed.

    Args:
        space_name: name of the space.
        which: ``all``; ``classes``, one of each isomorphism class; a number, so many drawn at
            random; or a CSV or Parquet table with a column ``arch_str``.
        seed: of the draw and the order.

    Raises:
        SuiteError: none of these, or a space that cannot be listed where all are asked for.
    """
    space = load_space(space_name)
    rng = stream(seed, "architectures", space.name)
    if which.isdecimal():
        return _drawn(space, int(which), rng)
    if which in ("all", "classes"):
        if not isinstance(space, FiniteSpace):
            raise SuiteError(
                f"Space {space.name!r} is too large to score all of it: give a number of "
                f"architectures to draw."
            )
        every = np.arange(space.size) if which == "all" else space.representatives
        return [space.string(int(index)) for index in rng.permutation(every)]
    path = Path(which)
    if not path.is_file() or path.suffix not in (".csv", ".parquet"):
        raise SuiteError(
            f"{which!r} names no architectures: write all, classes, a number of random ones, or "
            f"the file of a table with a column arch_str."
        )
    frame = read_frame(path).frame
    if "arch_str" not in frame:
        raise SuiteError(f"{path} has no column arch_str to read architectures from.")
    strings = dict.fromkeys(space.string(text) for text in frame["arch_str"].astype(str))
    return [str(string) for string in rng.permutation(list(strings))]


def _drawn(space: Any, number: int, rng: np.random.Generator) -> list[str]:
    if isinstance(space, FiniteSpace):
        if not 1 <= number <= space.size:
            raise SuiteError(f"{number} of {space.size} architectures cannot be drawn.")
        return [space.string(int(one)) for one in rng.permutation(space.size)[:number]]
    found: dict[str, None] = {}
    while len(found) < number:
        found[space.string(space.sample(rng))] = None
    return list(found)


def compute(
    computation: Computation,
    architectures: Sequence[str],
    journal: Path,
    jobs: int = 1,
) -> Iterator[tuple[int, int]]:
    """Score what is not in the journal yet, appending to it.

    Args:
        computation: what to compute.
        architectures: their strings.
        journal: a file of ours, of the same computation; made if absent.
        jobs: processes, each with one thread; -1 for all cores.

    Yields:
        (architectures scored, architectures in all), once at the start and after each.

    Raises:
        SuiteError: the journal is of another computation or another process is writing it, a
            proxy is not defined there, or the number of jobs is impossible.
    """
    jobs = count_jobs(jobs)
    for name in computation.proxies:
        registry.load_class("proxies", name, Proxy)
    kept = Journal(journal)
    identity = computation.identity
    if not kept.begun:
        kept.begin(identity)
    header, *entries = kept.entries()
    if header != identity:
        differing = sorted(key for key in identity if header.get(key) != identity[key])
        raise SuiteError(
            f"Journal {journal} is of another computation ({', '.join(differing)} differs): give "
            f"another file."
        )
    done = {entry["architecture"] for entry in entries}
    todo = [one for one in architectures if one not in done]
    finished = len(architectures) - len(todo)
    yield finished, len(architectures)
    with kept.appending() as note:
        for entry in spread(score_all, ((computation, one) for one in todo), jobs):
            note(entry)
            finished += 1
            yield finished, len(architectures)


def score_all(computation: Computation, architecture: str) -> dict[str, Any]:
    """All scores of one architecture, and the seconds of each as if it were the only one."""
    from nasbench_suite.errors import need_package

    proxies = {n: registry.load_object("proxies", n, Proxy) for n in computation.proxies}
    for name, proxy in proxies.items():
        for package in proxy.packages:
            need_package(f"Proxy {name!r}", package, package)
    if any("torch" in proxy.packages for proxy in proxies.values()):
        import torch

        torch.set_num_threads(1)  # another number could add in another order
    batch = make_batch(computation.dataset, computation.batch_size, computation.seed)
    shared = make_subject(
        computation.proxies[0],
        load_space(computation.space),
        architecture,
        computation.seed,
        batch=batch,
        channels=computation.channels,
        cells=computation.cells,
        device=computation.device,
    )
    scores, seconds = {}, {}
    for name, proxy in proxies.items():
        subject = shared.drawing(draws(computation.seed, name, architecture))
        scores[name], seconds[name] = subject.timed(lambda p=proxy, s=subject: score_of(p, s))  # type: ignore[misc]
    return {"architecture": architecture, "scores": scores, "seconds": seconds}


def scored(journal: Path) -> pd.DataFrame:
    """What a journal holds: ``arch_str``, a column a proxy, and its seconds as ``NAME_seconds``."""
    import pandas as pd

    _, *entries = Journal(journal).entries()
    rows = [
        {
            "arch_str": entry["architecture"],
            **entry["scores"],
            **{f"{name}_seconds": seconds for name, seconds in entry["seconds"].items()},
        }
        for entry in entries
    ]
    return pd.DataFrame(rows).sort_values("arch_str", ignore_index=True)


def write_scores(journal: Path, output: Path) -> int:
    """Write what a journal holds as a Parquet table; returns the number of architectures."""
    frame = scored(journal)
    with replacing(output) as path, path.open("wb") as file:
        frame.to_parquet(file, index=False)
    return len(frame)
