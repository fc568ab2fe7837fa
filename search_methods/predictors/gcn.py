"""A graph convolutional network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_counts, check_not_negative, check_positive
from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.predictors.predictor import Standard, undeviating

Array = NDArray[np.float64]


@dataclass
class GCN(Predictor):
    """A graph convolutional network on the graph of operations, read at a global vertex.

    Dudziak, Chau, Abdelfattah, Lee, Kim and Lane, *BRP-NAS: Prediction-based NAS using GCNs*,
    NeurIPS 2020: four layers, and a vertex that every other one leads to, whose features are
    what is read. As in Wen et al., *Neural predictor for neural architecture search*, ECCV 2020,
    messages go along the edges and against them, and half of their sum is passed on.

    Where this deviates: 144 units as in Wen et al. in place of 600, no dropout, and the squared
    error of the figure; BRP-NAS's relation of two architectures is learnt by ``GCNRanker``.

    Attributes:
        layers: graph convolutions.
        width: units of each.
        epochs: passes over the data.
        batch_size: architectures a step.
        learning_rate: at the beginning; it falls along a cosine.
        weight_decay: of AdamW.
    """

    needs_package: ClassVar[tuple[str, str] | tuple[()]] = ("torch", "torch")

    layers: int = 4
    width: int = 144
    epochs: int = 150
    batch_size: int = 16
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3

    def __post_init__(self) -> None:
        check_counts("A graph network", self, "layers width epochs batch_size")
        check_positive("A graph network", self, "learning_rate")
        check_not_negative("A graph network", self, "weight_decay")

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Train by AdamW on the squared error, on one thread."""
        import torch

        self.standard = Standard.of(values)
        self.labels = {
            label: place
            for place, label in enumerate(
                sorted({label for graph in known.graphs() for label in graph.labels})
            )
        }
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # another number could add in another order
        try:
            generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
            self.network = make_network(len(self.labels), self.layers, self.width, generator)
            self._train(known, torch.tensor(self.standard.scale(values), dtype=torch.float32), rng)
        finally:
            torch.set_num_threads(threads)

    def _train(self, known: Examples, targets: Any, rng: np.random.Generator) -> None:
        import torch

        vertices, adjacency = self._tensors(known)
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.epochs)
        for _ in range(self.epochs):
            order = torch.from_numpy(rng.permutation(len(targets)))
            for batch in torch.split(order, self.batch_size):
                optimizer.zero_grad()
                found = self.network(vertices[batch], adjacency[batch])
                self.loss(found, targets[batch]).backward()
                optimizer.step()
            schedule.step()

    def loss(self, found: Any, targets: Any) -> Any:
        """What is minimised over a batch of figures of mean 0 and variance 1, shape (n,)."""
        return (found - targets).square().mean()

    def predict(self, asked: Examples) -> Prediction:
        """What the network says, without deviations."""
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            with torch.no_grad():
                parts = [
                    self.network(*self._tensors(asked.take(rows)))
                    for rows in np.split(np.arange(len(asked)), range(1000, len(asked), 1000))
                ]
        finally:
            torch.set_num_threads(threads)
        scaled = torch.cat(parts).numpy().astype(np.float64)
        return undeviating(self.standard.unscale(scaled, scaled).mean)

    def _tensors(self, examples: Examples) -> tuple[Any, Any]:
        """Labels one-hot, (n, vertices, labels), and adjacency, (n, vertices, vertices).

        The last vertex is the global one; vertices that a smaller graph lacks have no label and
        no edge.
        """
        import torch

        graphs = examples.graphs()
        most = max(len(graph.labels) for graph in graphs) + 1
        vertices = np.zeros((len(graphs), most, len(self.labels)), dtype=np.float32)
        adjacency = np.zeros((len(graphs), most, most), dtype=np.float32)
        for row, graph in enumerate(graphs):
            for place, label in enumerate(graph.labels):
                if label in self.labels:
                    vertices[row, place, self.labels[label]] = 1
                adjacency[row, place, -1] = 1
            for source, target in graph.edges:
                adjacency[row, source, target] = 1
        return torch.from_numpy(vertices), torch.from_numpy(adjacency)


@dataclass
class GCNRanker(GCN):
    """The same network, which learns of two architectures which is better.

    The binary relation of BRP-NAS (Dudziak et al., NeurIPS 2020, section 4; code: SamsungLabs/
    eagle): the divergence of the softmax of two outputs, linear in both graphs' features, from the
    softmax of the two figures. Of such outputs only the difference counts, and learnt from both
    orders of a pair it is one score of the one less the same score of the other; so that is what
    is learnt, and ranking needs no sorting by pairs.

    Where this deviates, besides what ``GCN`` does: the pairs are those within a batch, each graph
    passed once for all of them, in place of all pairs one by one; figures are brought to variance
    1 before the softmax, which makes of fractions of 1 nearly a coin toss.
    """

    fewest: ClassVar[int] = 2

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Train, and place the scores where the figures are."""
        import torch

        super().learn(known, values, rng)
        with torch.no_grad():
            self.network.bias -= float(self.standard.scale(self.predict(known).mean).mean())

    def loss(self, found: Any, targets: Any) -> Any:
        """The mean divergence over pairs, but for a constant of the targets."""
        from torch.nn import functional

        first, second = np.triu_indices(len(found), 1)
        if not len(first):  # one alone: it has no order
            return 0 * found.sum()
        apart, truly = found[first] - found[second], targets[first] - targets[second]
        return functional.binary_cross_entropy_with_logits(apart, truly.sigmoid())


def make_network(labels: int, layers: int, width: int, generator: Any) -> Any:
    """The network: takes what ``GCN._tensors`` gives, answers a number a graph."""
    import torch
    from torch import nn

    class Convolution(nn.Module):
        def __init__(self, inputs: int) -> None:
            super().__init__()
            limit = (6 / (inputs + width)) ** 0.5
            drawn = torch.rand(2, inputs, width, generator=generator)
            self.weights = nn.Parameter((2 * drawn - 1) * limit)

        def forward(self, vertices: Any, along: Any, against: Any) -> Any:
            forth = along @ (vertices @ self.weights[0])
            back = against @ (vertices @ self.weights[1])
            return (forth.relu() + back.relu()) / 2

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = [labels, *[width] * (layers - 1)]
            self.convolutions = nn.ModuleList([Convolution(size) for size in sizes])
            limit = width**-0.5
            drawn = torch.rand(width, generator=generator)
            self.reading = nn.Parameter((2 * drawn - 1) * limit)
            self.bias = nn.Parameter(torch.zeros(()))

        def forward(self, vertices: Any, adjacency: Any) -> Any:
            own = torch.eye(adjacency.shape[-1])
            against = adjacency + own
            along = adjacency.transpose(1, 2) + own
            along = along / along.sum(dim=2, keepdim=True)
            against = against / against.sum(dim=2, keepdim=True)
            for convolution in self.convolutions:
                vertices = convolution(vertices, along, against)
            return vertices[:, -1] @ self.reading + self.bias

    return Network()
