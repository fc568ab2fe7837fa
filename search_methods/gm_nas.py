"""GM-NAS: a supernet split where operations disagree on the weights that they share."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar

import torch
from torch import Tensor

from nasbench_suite.adding import add_up
from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_counts, check_positive
from nasbench_suite.spaces.cells import NONE
from nasbench_suite.tasks import Session, Task
from search_methods.darts import Darts
from search_methods.supernet.cell import Mix, MixedOperations
from search_methods.supernet.data import Batch, endless
from search_methods.supernet.network import Supernet
from search_methods.supernet.operations import Convolution


@dataclass
class GmNas(Darts):
    """Hu et al., *Generalizing Few-Shot NAS with Gradient Matching*, ICLR 2022 (arXiv 2203.15207).

    Few-shot NAS splits a supernet, so that fewer architectures share weights. Here it is split in
    two by the operations of one edge, as gradients suggest: with one operation alone on the edge
    and the others mixed, the training loss has a gradient in the weights of all other edges, and
    the distance of two operations is one less the cosine of theirs, averaged over batches. An
    edge's operations are grouped with the least distance within groups, and the edge is split whose
    groups are farthest apart (code: skhu101/GM-NAS, WS-GM/nasbench201/train_search.py,
    ``match_loss`` and ``mincut_split_201`` of utils.py, whose groups have two operations and the
    others).

    Weights alone are trained before the last split, and halves go on with those of the whole. What
    the last split makes begins anew, learns weights and α as DARTS of the second order, and has its
    architecture evaluated, where the authors look all of them up. The settings are those of its
    NAS-Bench-201 script (ws-so-darts-201.sh): 15 and 30 of 60 epochs to the splits, 30 behind them
    on the first half of the cosine.

    Attributes:
        epochs: of the cosine, and of one branch.
        splits: how often, which makes 2 to the power of it in the end.
        split_share: of the epochs, before each split.
        matching_batches: over which distances are averaged.
    """

    title: ClassVar[str] = "GM-NAS"
    summary: ClassVar[str] = "DARTS in a supernet split where operations disagree on weights."

    order: int = 2
    epochs: int = 60
    batch_size: int = 48
    weight_decay: float = 5e-4
    nesterov: bool = True
    splits: int = 2
    split_share: float = 0.25
    matching_batches: int = 100

    topology_alone: ClassVar[str] = "splits operations, not edges"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "splits matching_batches")
        check_positive(self.title, self, "split_share")
        if not 1 <= self.splits * self.split_epochs < self.epochs:
            raise SuiteError(
                "GM-NAS needs a split at least, with epochs before and behind it: raise epochs, or "
                "lower splits or split_share."
            )
        if self.selection != "strength":
            raise SuiteError("GM-NAS decides edges by strength alone: leave selection as it is.")

    def refuse(self, task: Task) -> None:
        """Also where there are fewer edges than splits."""
        super().refuse(task)
        edges = len(task.benchmark.space.choices)
        if self.splits > edges:
            raise SuiteError(f"There are {edges} edges to split, not {self.splits}.")

    def start(self, session: Session) -> None:
        """Begin with the supernet of all operations."""
        self.waiting: list[dict[str, Any]] = []  # what the splits have made, the oldest first
        self.depth, self.trained, self.ended = 0, 0, False
        super().start(session)
        (layout,) = self.supernet.layouts
        allowed = [[self.allow_none or op != NONE for op in ops] for ops in layout.candidates]
        self.allowed = torch.tensor(allowed)  # the operations of the supernet, (edges, candidates)

    def step(self, session: Session) -> None:
        """An epoch of one supernet; behind its last one the split, or the evaluation."""
        with self.randomness():
            losses = self.train_epoch()
            self.epoch, self.trained = self.epoch + 1, self.trained + 1
            session.log(self.trained, **losses)
            if self.epoch < self.last_epoch:
                return
            if not self.at_the_end:
                self.split(session)
        if self.at_the_end:
            session.evaluate(self.derive())
        if self.waiting:
            self.take_up(self.waiting.pop(0), session)
        else:
            self.ended = True

    @property
    def split_epochs(self) -> int:
        """Epochs from one split to the next."""
        return round(self.split_share * self.epochs)

    @property
    def at_the_end(self) -> bool:
        """Whether the supernet has the last split behind it."""
        return self.depth == self.splits

    @property
    def last_epoch(self) -> int:
        """The epoch behind which the supernet is split, or what it derives evaluated."""
        if self.at_the_end:
            return self.epochs - self.splits * self.split_epochs
        return (self.depth + 1) * self.split_epochs

    @property
    def finished(self) -> bool:
        """Whether no supernet is left to be trained."""
        return self.ended

    def relaxation(self) -> list[Mix]:
        """softmax(α) over the operations of the supernet."""
        (strength,) = super().relaxation()
        return [Mix(strength.operations, active=self.allowed.numpy())]

    def relax(self, alpha: Tensor) -> Tensor:
        """softmax(α) over the operations of the supernet, zero for the others."""
        return alpha.masked_fill(~self.allowed.to(alpha.device), -torch.inf).softmax(-1)

    def strengths(self) -> list[Tensor]:
        """The same."""
        return [self.relax(alpha.detach()) for alpha in self.alphas]

    def update_architecture(self, train: Batch, valid: Batch) -> float | None:
        """A step in α behind the last split, none before it."""
        return super().update_architecture(train, valid) if self.at_the_end else None

    # -- the split -----------------------------------------------------------------------------

    def split(self, session: Session) -> None:
        """Put the halves of the supernet in the queue."""
        most = self.allowed.sum(1).max()
        whole = [edge for edge, count in enumerate(self.allowed.sum(1)) if count == most]
        cuts = {edge: cut(self.distances(edge)) for edge in whole}
        edge = max(cuts, key=lambda edge: cuts[edge][1])  # the first of equals
        groups, apart = cuts[edge]
        session.log(self.trained, split_edge=edge, split_distance=apart)
        for group in groups:
            half = self.allowed.clone()
            half[edge] = False
            half[edge, self.allowed[edge].nonzero()[group, 0]] = True
            last = self.depth + 1 == self.splits
            kept = None if last else copy.deepcopy(super().state())
            self.waiting.append({"depth": self.depth + 1, "allowed": half, "kept": kept})

    def take_up(self, half: dict[str, Any], session: Session) -> None:
        """Go on with a half, with the weights of the whole or, behind the last split, new ones."""
        self.depth, self.allowed = half["depth"], half["allowed"]
        if half["kept"] is None:
            self.prepare(self.images, session.rng, self.family)
        else:
            super().load_state({**half["kept"], "random": self._random.get_state()})

    def distances(self, edge: int) -> Tensor:
        """1 − cosine of the gradients of each two operations that the edge has, mean of batches."""
        operations = self.allowed[edge].nonzero()[:, 0].tolist()
        weights = shared_weights(self.supernet, edge)
        stream = endless(self.images.train, self.batch_size)
        total = torch.zeros(len(operations), len(operations), dtype=torch.double)
        for _ in range(self.matching_batches):
            batch = self.augment(next(stream))
            gradients = [self.gradient(batch, edge, operation, weights) for operation in operations]
            total += distances(torch.stack(gradients)).cpu()
        return total / self.matching_batches

    def gradient(
        self, batch: Batch, edge: int, operation: int, weights: Sequence[Tensor]
    ) -> Tensor:
        """Of the training loss in some weights, with one operation alone on an edge."""
        with torch.no_grad():
            (mix,) = self.mixes()
        alone = mix.operations.clone()
        alone[edge] = 0.0
        alone[edge, operation] = 1.0
        loss = self.loss(batch, [Mix(alone, active=alone.numpy(force=True) > 0)], twice=True)
        gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
        return torch.cat([gradient.flatten() for gradient in gradients])

    # -- going on ------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The supernet that is trained, and those that wait."""
        return {
            **super().state(),
            "depth": self.depth,
            "trained": self.trained,
            "ended": self.ended,
            "allowed": self.allowed,
            "waiting": self.waiting,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.depth, self.trained, self.ended = state["depth"], state["trained"], state["ended"]
        self.allowed, self.waiting = state["allowed"].cpu(), list(state["waiting"])
        for half in self.waiting:
            half["allowed"] = half["allowed"].cpu()


def shared_weights(network: Supernet, edge: int) -> list[Tensor]:
    """The weights of cells and of what stands between them, without those on one edge of a cell."""
    own = {
        id(weight)
        for mixed in network.modules()
        if isinstance(mixed, MixedOperations) and edge in mixed.edges
        for operation in mixed.operations.values()
        if isinstance(operation, Convolution)
        for weight in operation.convolutions[mixed.edges.index(edge)].parameters()
    }
    return [
        weight
        for name, part in network.named_children()
        if name not in ("stem", "norm", "classifier")
        for weight in part.parameters()
        if id(weight) not in own
    ]


def distances(gradients: Tensor) -> Tensor:
    """1 − cosine of each two of some gradients.

    Args:
        gradients: shape (operations, weights).

    Returns:
        Shape (operations, operations), in double precision.
    """
    gradients = gradients.double()
    norms = gradients.norm(dim=1)
    cosines: Tensor = gradients @ gradients.T / (norms[:, None] * norms + 1e-6)
    return 1 - cosines


def cut(distance: Tensor) -> tuple[tuple[list[int], list[int]], float]:
    """Two operations and the others, with the least distance within; and the sum of that between.

    Args:
        distance: of each two operations, shape (operations, operations).
    """
    everything = range(len(distance))

    def within(group: Sequence[int]) -> float:
        return add_up(float(distance[one, other]) for one, other in combinations(group, 2))

    groups = [
        (list(pair), [place for place in everything if place not in pair])
        for pair in combinations(everything, 2)
    ]
    best = min(groups, key=lambda halves: within(halves[0]) + within(halves[1]))
    return best, within(everything) - within(best[0]) - within(best[1])
