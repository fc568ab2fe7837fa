"""What surrounds the cells of a network."""

from __future__ import annotations

from dataclasses import dataclass

from nasbench_suite.errors import SuiteError
from nasbench_suite.networks.graph import Image
from nasbench_suite.parsing import check_at_most, check_counts

_MOST_CELLS = 1000


@dataclass(frozen=True)
class Skeleton:
    """What surrounds the cells, and what else is not the architecture's.

    Attributes:
        image: channels, height and width of an image.
        num_classes: number of classes.
        channels: of the first cells; None for the number in the space's publication.
        cells: of the network, or of each of its stages where it has stages; None likewise.
        auxiliary: whether there is an auxiliary head, for training (DARTS).
        drop_path: whether paths can be dropped in training (DARTS).
        pruned: leave out what cannot matter. Isomorphic architectures compute the same, but as
            they are written they need not cost the same.
    """

    image: Image = (3, 32, 32)
    num_classes: int = 10
    channels: int | None = None
    cells: int | None = None
    auxiliary: bool = False
    drop_path: bool = False
    pruned: bool = False

    def __post_init__(self) -> None:
        check_counts("A network", self, "channels cells")
        check_at_most("A network", self, "cells", _MOST_CELLS)

    def without_heads(self, space: str) -> None:
        """Refuse what networks of DARTS cells alone have.

        Raises:
            SuiteError: an auxiliary head or dropped paths are asked for.
        """
        if self.auxiliary or self.drop_path:
            raise SuiteError(
                f"Networks of space {space!r} have no auxiliary head and drop no paths: leave "
                f"auxiliary and drop_path out."
            )
