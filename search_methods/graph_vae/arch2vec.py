"""arch2vec: a variational graph isomorphism auto-encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_methods.graph_vae.base import CellVAE, choose
from search_methods.graph_vae.grammar import CellGrammar
from search_methods.graph_vae.line_graph import make_line_graph
from search_methods.graph_vae.training import Recipe

# The authors' settings for NAS-Bench-201. Their loss divides the divergence of a cell by 8 vertices
# and by 32 x 8, and the likelihood by about 60 entries a cell: in nats a cell, 60 / 2048 = 0.03.
RECIPE = Recipe(
    epochs=10, batch_size=32, learning_rate=1e-3, beta=0.03, warmup=0.0, clip=5.0, cosine=False
)


class Arch2Vec(CellVAE):
    """A latent for each vertex, by graph isomorphism layers; edges by inner products.

    Yan, Zheng, Ao, Zeng and Zhang, *Does unsupervised architecture representation learning help
    neural architecture search?*, NeurIPS 2020, section 3, with the settings of the authors'
    code for NAS-Bench-201. The adjacency is made symmetric, a layer is
    ``ReLU(BN(MLP((1 + ε) H + A H)))``, and the decoder has ``σ(Z Zᵀ)`` for edges and a linear
    layer with ``σ`` (in the paper: softmax) for types, both trained by binary cross-entropy,
    with dropout on the latent.

    The latent of a cell is that of all its vertices, one after another. The authors' code calls
    a cell valid if its types are, without looking at edges: ``check_edges`` off.

    Attributes:
        hidden_dim: units of the layers.
        vertex_dim: dimensions of the latent of a vertex.
        num_layers: graph isomorphism layers; the authors' 5 hops are 4 layers.
        dropout: on the latent, in the decoder.
        check_edges: whether a cell with wrong edges is invalid.
    """

    name = "arch2vec"

    def __init__(
        self,
        grammar: CellGrammar,
        hidden_dim: int = 128,
        vertex_dim: int = 16,
        num_layers: int = 4,
        dropout: float = 0.3,
    ) -> None:
        graph = make_line_graph(grammar)
        super().__init__(grammar, graph.num_vertices * vertex_dim)
        self.graph = graph
        self.hidden_dim, self.vertex_dim = hidden_dim, vertex_dim
        self.num_layers, self.dropout = num_layers, dropout
        self.check_edges = True
        widths = [self.graph.num_types] + [hidden_dim] * num_layers
        self.epsilons = nn.Parameter(torch.zeros(num_layers))
        self.perceptrons = nn.ModuleList(
            nn.Sequential(
                nn.Linear(width, hidden_dim),
                nn.BatchNorm1d(hidden_dim),
                nn.ReLU(),
                nn.Linear(hidden_dim, hidden_dim),
            )
            for width in widths[:-1]
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(hidden_dim) for _ in range(num_layers))
        self.mean = nn.Linear(hidden_dim, vertex_dim)
        self.log_deviation = nn.Linear(hidden_dim, vertex_dim)
        self.type_head = nn.Linear(vertex_dim, self.graph.num_types)

    @property
    def config(self) -> dict[str, Any]:
        """See ``CellVAE``."""
        return {
            "hidden_dim": self.hidden_dim,
            "vertex_dim": self.vertex_dim,
            "num_layers": self.num_layers,
            "dropout": self.dropout,
        }

    def posterior(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """See ``CellVAE``."""
        adjacency = self.graph.adjacency + self.graph.adjacency.T
        hidden = F.one_hot(self.graph.types(cells), self.graph.num_types).float()
        for layer, (perceptron, norm) in enumerate(zip(self.perceptrons, self.norms, strict=True)):
            gathered = (1 + self.epsilons[layer]) * hidden + adjacency @ hidden
            flat = torch.relu(norm(perceptron(gathered.flatten(0, 1))))
            hidden = flat.view(len(cells), self.graph.num_vertices, -1)
        return self.mean(hidden).flatten(1), 2 * self.log_deviation(hidden).flatten(1)

    def negative_log_likelihood(self, latents: Tensor, cells: Tensor) -> Tensor:
        """See ``CellVAE``; both cross-entropies are summed over their entries."""
        types, edges = self._scores(latents)
        truth = F.one_hot(self.graph.types(cells), self.graph.num_types).float()
        wanted = self.graph.adjacency.expand_as(edges)
        losses = F.binary_cross_entropy_with_logits(types, truth, reduction="none").sum(dim=(1, 2))
        found = F.binary_cross_entropy_with_logits(edges, wanted, reduction="none").triu(1)
        summed: Tensor = losses + found.sum(dim=(1, 2))
        return summed

    def generate(self, latents: Tensor, rng: torch.Generator | None) -> Tensor:
        """See ``CellVAE``; under the mask types are operations, and edges those of a cell."""
        types, edges = self._scores(latents)
        scores = F.logsigmoid(types)
        if self.masked:
            scores = scores[:, 1:-1, : self.graph.input_type]
            return choose(scores.flatten(0, 1), rng).view(len(latents), -1)
        chosen = choose(scores.flatten(0, 1), rng).view(len(latents), -1)
        chances = torch.sigmoid(edges)
        threshold = torch.full_like(chances, 0.5)
        if rng is not None:
            threshold = torch.rand(chances.shape, generator=rng)
        adjacency = (chances > threshold).float().triu(1)
        return self.graph.cells(chosen, adjacency if self.check_edges else None)

    def _scores(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of types (n, vertices, types) and of edges (n, vertices, vertices)."""
        vertices = latents.view(len(latents), self.graph.num_vertices, self.vertex_dim)
        vertices = F.dropout(vertices, self.dropout, self.training)
        return self.type_head(vertices), vertices @ vertices.transpose(1, 2)
