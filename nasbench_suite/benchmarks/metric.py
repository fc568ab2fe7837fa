"""What one column of a benchmark is."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from typing import Any, Literal

from nasbench_suite.benchmarks.quantities import Direction

Split = Literal["train", "valid", "test"]
Provenance = Literal["measured", "modelled", "quantised", "unknown"]

CONDITIONS = ("resolution", "batch", "runtime", "precision")
"""Under which a cost was measured."""


@dataclass(frozen=True)
class Metric:
    """What one column of a benchmark is.

    Attributes:
        name: name of the column, such as ``cifar10_valid_12``.
        quantity: what was measured: ``accuracy``, ``loss``, ``latency``, ``energy``,
            ``training_time`` (cost of training up to ``epochs``), ``parameters``, ``flops``, ...
        unit: its unit: ``%``, ``nats``, ``ms``, ``mJ``, ``s``, or empty for a count.
        direction: whether larger or smaller is better.
        dataset: the data set it was measured on, if any.
        split: the part of the data set; a search may see ``valid``, never ``test``.
        epochs: epochs of training behind the figure.
        device: the device, for latency and energy.
        resolution: of the images it was measured on, such as ``32x32``, where that is known.
        batch: architectures were given so many images at once, where that is known.
        runtime: what ran the networks, such as ``onnxruntime``, where that is known.
        precision: the numeric type, such as ``float32`` or ``int8``, where that is known.
        seeds: the training seeds, in column order; the metric is then their mean. Empty where
            the source gives one figure alone.
        provenance: whether the figures were measured, modelled, or measured but quantised.
        note: anything a reader must know.
    """

    name: str
    quantity: str = "accuracy"
    unit: str = "%"
    direction: Direction = "maximize"
    dataset: str | None = None
    split: Split | None = None
    epochs: int | None = None
    device: str | None = None
    seeds: tuple[int, ...] = ()
    provenance: Provenance = "unknown"
    note: str = ""
    resolution: str | None = None
    batch: int | None = None
    runtime: str | None = None
    precision: str | None = None

    @property
    def conditions(self) -> str:
        """Under which a cost was measured, as far as is known: ``batch 32, int8``; or nothing."""
        batch = f"batch {self.batch}" if self.batch is not None else None
        return ", ".join(filter(None, [self.resolution, batch, self.runtime, self.precision]))

    def as_dict(self) -> dict[str, Any]:
        """What the metric is, without the conditions that are not known.

        They came later than the others: a metric without them has the checksum that it always had.
        """
        said = asdict(self)
        return {k: v for k, v in said.items() if k not in CONDITIONS or v is not None}

    def seed_column(self, seed: int) -> str:
        """The name of the Parquet column with the figures of one seed."""
        return f"{self.name}@{seed}"

    @property
    def missing_column(self) -> str:
        """The name of the column with the reason of each architecture; only where some lack it."""
        return f"{self.name}@missing"


def metric_option(name: str, said: str) -> str:
    """What to type for ``columns.parse_fact``, whatever a column's name is to a shell."""
    return f"--metric {shlex.quote(f'{name}:{said}')}"
