"""SPOS: a uniformly trained single-path supernet, and evolution on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch

from nasbench_suite.parsing import check_counts, check_not_negative, check_shares
from nasbench_suite.spaces.cells import Cell
from search_methods.rsps import Rsps

Architecture = list[list[int]]  # a candidate of every edge, for each kind of cell


@dataclass
class Spos(Rsps):
    """Guo et al., *Single Path One-Shot NAS with Uniform Sampling*, ECCV 2020 (arXiv 1904.00420).

    Each step trains one architecture drawn uniformly. At the end evolution looks for the best
    inherited accuracy (algorithm 1; code: megvii-model/SinglePathOneShot): of every generation
    half comes by mutation of the best so far, half by crossover between them. Batch statistics
    need no recalibration here, since the supernet always uses those of the batch.

    Attributes:
        generations: generations after the first.
        population: architectures a generation.
        parents: the best so far, from which a generation comes.
        mutation_rate: probability of a new draw for each edge, or node of a DARTS cell.
    """

    title: ClassVar[str] = "SPOS"
    approach: ClassVar[str] = "one-shot"
    summary: ClassVar[str] = "Train a supernet on uniform single paths; evolve on its weights."

    generations: int = 20
    population: int = 50
    parents: int = 10
    mutation_rate: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_not_negative(self.title, self, "generations")
        check_counts(self.title, self, "population parents")
        check_shares(self.title, self, "mutation_rate")

    def choices(self) -> Architecture:
        """After the last epoch the best that evolution finds, before it the best of a few."""
        if not self.finished:
            return self.best([self.draw() for _ in range(self.interim)])
        scores: dict[str, tuple[float, Architecture]] = {}
        generation = [self.draw() for _ in range(self.population)]
        for _ in range(self.generations):
            self._score(generation, scores)
            best = [a for _, a in sorted(scores.values(), key=lambda s: -s[0])[: self.parents]]
            half = self.population // 2
            generation = [self.mutate(self._pick(best)) for _ in range(half)]
            generation += [self.cross(self._pick(best), self._pick(best)) for _ in range(half)]
        self._score(generation, scores)
        return max(scores.values(), key=lambda score: score[0])[1]

    def mutate(self, architecture: Architecture) -> Architecture:
        """Each edge drawn anew with some probability; node by node where some edges are kept."""
        return [
            self._mixed(old, new, layout, lambda: bool(torch.rand(()) < self.mutation_rate))
            for old, new, layout in zip(
                architecture, self.draw(), self.supernet.layouts, strict=True
            )
        ]

    def cross(self, first: Architecture, second: Architecture) -> Architecture:
        """Each edge from either parent; node by node where some edges are kept."""
        return [
            self._mixed(other, one, layout, lambda: bool(torch.rand(()) < 0.5))
            for one, other, layout in zip(first, second, self.supernet.layouts, strict=True)
        ]

    @staticmethod
    def _mixed(
        stays: list[int], comes: list[int], layout: Cell, drawn: Callable[[], bool]
    ) -> list[int]:
        """``stays`` with the edges of ``comes`` that are drawn.

        Where a node keeps two of its edges, all edges into it are drawn as one, so that it has
        two again.
        """
        if layout.kept is None:
            return [c if drawn() else s for s, c in zip(stays, comes, strict=True)]
        mixed = list(stays)
        for node in range(layout.inputs, layout.nodes):
            if drawn():
                for edge in layout.into(node):
                    mixed[edge] = comes[edge]
        return mixed

    def _score(
        self, generation: list[Architecture], scores: dict[str, tuple[float, Architecture]]
    ) -> None:
        for architecture in generation:
            if str(architecture) not in scores:
                scores[str(architecture)] = self.inherited_accuracy(architecture), architecture

    def _pick(self, best: list[Architecture]) -> Architecture:
        return best[int(torch.randint(len(best), ()))]
