"""Zero-Cost-PT: perturbation-based selection on a supernet that was never trained."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from nasbench_suite.adding import add_up
from nasbench_suite.parsing import check_counts
from search_methods.supernet.cell import Mix, MixedOperations
from search_methods.supernet.data import Batch, SearchData, endless
from search_methods.supernet.hooks import forward_hooks
from search_methods.supernet.network import ResidualReduction, Supernet
from search_methods.supernet.operations import Operation
from search_methods.supernet.search import DifferentiableSearch, with_decided


@dataclass
class ZeroCostPt(DifferentiableSearch):
    """Xiang et al., *Zero-Cost Operation Scoring in Differentiable Architecture Search*, AAAI 2023.

    Edges of an untrained supernet are decided one at a time in random order (arXiv 2106.06799,
    algorithm 1): each candidate in turn is taken out, and the one without which the score of NASWOT
    is lowest is the edge's. The score is the logarithm of the determinant of K, whose entry for two
    images counts the ReLUs that agree on them, on one batch a decision. ``epochs`` proposals are
    made so, and the one is returned whose own network has the largest sum of scores over ``rounds``
    batches (code: zerocostptnas/zerocost_operation_score, ``pt_project`` of
    nasbench201/init_projection.py and zerocostnas/post_validate.py). The score is that of a network
    that the supernet holds, so that its weights are those of the supernet and not drawn anew.

    Attributes:
        rounds: batches on which proposals are compared.
    """

    title: ClassVar[str] = "Zero-Cost-PT"
    summary: ClassVar[str] = "Operations chosen by what an untrained supernet loses without them."

    epochs: int = 10
    batch_size: int = 256
    allow_none: bool = True
    rounds: int = 100

    relaxes: ClassVar[bool] = False
    topology_alone: ClassVar[str] = "chooses operations, not edges"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "rounds")

    def make_supernet(self, data: SearchData) -> Supernet:
        """A supernet in which every edge of one kind of cell is to be decided."""
        self.best_choice: list[int] = []
        self.best_score = -float("inf")
        return super().make_supernet(data)

    def train_epoch(self) -> dict[str, float]:
        """One proposal, and its score."""
        stream = endless(self.images.train, min(self.batch_size, len(self.images.train[1])))
        proposal = self.propose(stream)
        # The same batches for every proposal, whatever was drawn before.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.rounds)
            rounds = endless(self.images.train, min(self.batch_size, len(self.images.train[1])))
            score = add_up(
                self.score(next(rounds), self.discrete_mixes([proposal]))
                for _ in range(self.rounds)
            )
        if not self.best_choice or score > self.best_score:
            self.best_choice, self.best_score = proposal, score
        return {"score": score}

    def propose(self, stream: Iterator[Batch]) -> list[int]:
        """All edges decided, in random order."""
        layout = self.supernet.layouts[0]
        with torch.no_grad():
            noise = 1e-3 * torch.randn(layout.shape)
            mix = Mix(noise.to(self.alphas[0]).softmax(-1))
        decided = [-1] * layout.shape[0]
        for edge in torch.randperm(len(decided)).tolist():
            batch = next(stream)
            scores = []
            for candidate in range(layout.shape[1]):
                current = with_decided(mix, decided)
                without = current.operations.clone()
                without[edge, candidate] = 0.0
                scores.append(self.score(batch, [replace(current, operations=without)]))
            decided[edge] = min(range(len(scores)), key=scores.__getitem__)
        return decided

    def score(self, batch: Batch, mixes: Sequence[Mix]) -> float:
        """Log det K of a network on a batch; minus infinity where K is singular."""
        images = batch[0].contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), agreements(self.supernet) as count:
            scores = self.supernet(images, mixes)
        assert len(scores) == len(images)
        return float(torch.linalg.slogdet(count.total.double())[1])

    def choices(self) -> list[list[int]]:
        """The best proposal so far."""
        return [self.best_choice]

    def state(self) -> dict[str, Any]:
        """The best proposal too."""
        return {**super().state(), "choice": self.best_choice, "score": self.best_score}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.best_choice, self.best_score = list(state["choice"]), state["score"]


class Agreements:
    """K: for each two images of a batch the number of ReLUs that are both open or both closed."""

    def __init__(self) -> None:
        self.total = torch.zeros(())

    def add(self, x: Tensor, times: int = 1) -> None:
        """Count a ReLU whose input is ``x``, as often as there are modules that read it."""
        opened = (x.flatten(1) > 0).float()
        closed = 1 - opened
        self.total = self.total + times * (opened @ opened.T + closed @ closed.T)


@contextmanager
def agreements(network: Supernet) -> Iterator[Agreements]:
    """Count the ReLUs of a network, those of operations with weight zero on an edge among them."""
    count = Agreements()

    def note_edges(mixed: MixedOperations, given: tuple[Tensor, Mix], carried: Any) -> None:
        x, mix = given
        times = sum(
            len(mixed.computed(name, mix))
            for name, operation in mixed.operations.items()
            if isinstance(operation, Operation) and operation.rectifies
        )
        if times:
            count.add(x, times)

    def note_reduction(block: ResidualReduction, given: tuple[Tensor], out: Tensor) -> None:
        count.add(given[0])

    def note_norm(module: nn.Module, given: Any, out: Tensor) -> None:
        count.add(out)

    mixed = [module for module in network.modules() if isinstance(module, MixedOperations)]
    blocks = [module for module in network.modules() if isinstance(module, ResidualReduction)]
    last = network.get_submodule("norm")  # before the last ReLU
    hooks: list[tuple[nn.Module, Callable[..., None]]] = [
        *((module, note_edges) for module in mixed),
        *((block, note_reduction) for block in blocks),
        *((norm, note_norm) for norm in (*(block.first for block in blocks), last)),
    ]
    with forward_hooks(hooks):
        yield count
