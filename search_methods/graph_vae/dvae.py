"""D-VAE: asynchronous message passing, and a decoder that builds the graph vertex by vertex."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from search_methods.graph_vae.base import CellVAE, choose
from search_methods.graph_vae.grammar import CellGrammar
from search_methods.graph_vae.line_graph import make_line_graph
from search_methods.graph_vae.training import Recipe

# β and the noise are the authors'. They train 300 epochs of batches of 32 at 1e-4 on a GPU; on
# one core the network is smaller and the steps fewer and longer.
RECIPE = Recipe(
    epochs=20, batch_size=128, learning_rate=2e-3, beta=0.005, warmup=0.0, clip=5.0, cosine=True
)


class DVAE(CellVAE):
    """A vertex waits for its predecessors; the decoder adds vertices and, backwards, their edges.

    Zhang, Jiang, Cui, Garnett and Chen, *D-VAE: a variational autoencoder for directed acyclic
    graphs*, NeurIPS 2019, sections 3.2 and 3.3, with the bidirectional encoder and the vertex
    numbers of the authors' code::

        encoder:  h_v = GRU(type_v, Σ_{u→v} gate(h_u, u) ⊙ map(h_u, u));  latent from the last
        decoder:  h_0 = tanh(W z);  type_v from h_{v-1};  for u = v-1 ... 0:
                  edge u→v from h_u, h_v, and h_v anew after each edge

    Where this deviates: a vertex knows its own number beside its type. In the authors' spaces each
    vertex follows the one before it; here two new vertices without edges yet would be the same to
    the decoder, though one has an edge from vertex 3 and the other has none, and no cell at all
    could be decoded.

    The authors scale the noise of the posterior by 0.01 in training and use its mean in tests, so
    theirs is close to an auto-encoder; the noise here is what the model was trained with.

    Attributes:
        hidden_dim: units of a vertex; 501 in the paper.
        latent_dim: dimensions of the latent.
    """

    name = "d-vae"
    posterior_scale = 0.01

    def __init__(self, grammar: CellGrammar, latent_dim: int = 56, hidden_dim: int = 96) -> None:
        super().__init__(grammar, latent_dim)
        self.graph = make_line_graph(grammar)
        self.hidden_dim = hidden_dim
        types, state = self.graph.num_types, hidden_dim + self.graph.num_vertices
        code = types + self.graph.num_vertices
        self.encoders = nn.ModuleList(nn.GRUCell(code, hidden_dim) for _ in range(2))
        self.gates = nn.ModuleList(nn.Linear(state, hidden_dim) for _ in range(2))
        self.maps = nn.ModuleList(nn.Linear(state, hidden_dim, bias=False) for _ in range(2))
        self.unify = nn.Linear(2 * hidden_dim, hidden_dim)
        self.mean = nn.Linear(hidden_dim, latent_dim)
        self.log_variance = nn.Linear(hidden_dim, latent_dim)
        self.begin = nn.Linear(latent_dim, hidden_dim)
        self.builder = nn.GRUCell(code, hidden_dim)
        self.type_head = nn.Sequential(
            nn.Linear(hidden_dim, 2 * hidden_dim), nn.ReLU(), nn.Linear(2 * hidden_dim, types)
        )
        self.edge_head = nn.Sequential(
            nn.Linear(2 * hidden_dim, 4 * hidden_dim), nn.ReLU(), nn.Linear(4 * hidden_dim, 1)
        )

    @property
    def config(self) -> dict[str, Any]:
        """See ``CellVAE``."""
        return {"latent_dim": self.latent_dim, "hidden_dim": self.hidden_dim}

    def posterior(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """See ``CellVAE``."""
        types = self.graph.types(cells)
        last = self.graph.num_vertices - 1
        ends = []
        for way, adjacency in enumerate((self.graph.adjacency, self.graph.adjacency.T)):
            messages: dict[int, Tensor] = {}
            state = torch.zeros(len(types), self.hidden_dim)
            for vertex in range(last + 1) if way == 0 else range(last, -1, -1):
                heard = [messages[u] for u in messages if adjacency[u, vertex]]
                total = torch.stack(heard).sum(dim=0) if heard else torch.zeros_like(state)
                state = self.encoders[way](self._code(types[:, vertex], vertex), total)
                messages[vertex] = self._message(state, vertex, way)
            ends.append(state)
        cell = self.unify(torch.cat(ends, dim=1))
        return self.mean(cell), self.log_variance(cell)

    def _code(self, types: Tensor, vertex: int) -> Tensor:
        """Type and number of a vertex, one-hot, shape (n, types + vertices)."""
        numbers = torch.full_like(types, vertex)
        return torch.cat(
            [F.one_hot(types, self.graph.num_types), F.one_hot(numbers, self.graph.num_vertices)],
            dim=1,
        ).float()

    def _message(self, state: Tensor, vertex: int, way: int) -> Tensor:
        """What a vertex tells those after it; the gate knows its number."""
        number = state.new_zeros(len(state), self.graph.num_vertices)
        number[:, vertex] = 1.0
        numbered = torch.cat([state, number], dim=1)
        message: Tensor = torch.sigmoid(self.gates[way](numbered)) * self.maps[way](numbered)
        return message

    def negative_log_likelihood(self, latents: Tensor, cells: Tensor) -> Tensor:
        """See ``CellVAE``; with teacher forcing, where all graphs have the same edges."""
        types = self.graph.types(cells)
        codes = [self._code(types[:, v], v) for v in range(self.graph.num_vertices)]
        states = [self.builder(codes[0], torch.tanh(self.begin(latents)))]
        messages = [self._message(states[0], 0, 0)]
        loss = latents.new_zeros(len(latents))
        for vertex in range(1, self.graph.num_vertices):
            if vertex < self.graph.num_vertices - 1:  # the last one is forced, as in the authors'
                scores = self.type_head(states[-1])
                loss = loss + F.cross_entropy(scores, types[:, vertex], reduction="none")
            total = torch.zeros_like(states[0])
            state = self.builder(codes[vertex], total)
            for before in range(vertex - 1, -1, -1):
                truth = self.graph.adjacency[before, vertex]
                score = self.edge_head(torch.cat([states[before], state], dim=1))[:, 0]
                loss = loss + F.binary_cross_entropy_with_logits(
                    score, truth.expand_as(score), reduction="none"
                )
                if truth:
                    total = total + messages[before]
                    state = self.builder(codes[vertex], total)
            states.append(state)
            messages.append(self._message(state, vertex, 0))
        return loss

    def generate(self, latents: Tensor, rng: torch.Generator | None) -> Tensor:
        """See ``CellVAE``; under the mask types are operations, and edges those of a cell."""
        graph, count = self.graph, len(latents)
        types = torch.full((count, graph.num_vertices), graph.input_type)
        adjacency = torch.zeros(count, graph.num_vertices, graph.num_vertices)
        ended = torch.zeros(count, dtype=torch.bool)  # an output before the last vertex
        states = [self.builder(self._code(types[:, 0], 0), torch.tanh(self.begin(latents)))]
        messages = [self._message(states[0], 0, 0)]
        for vertex in range(1, graph.num_vertices):
            if vertex == graph.num_vertices - 1:
                types[:, vertex] = graph.output_type
            else:
                scores = self.type_head(states[-1])
                if self.masked:
                    scores = scores[:, : graph.input_type]
                types[:, vertex] = choose(scores, rng)
                ended |= types[:, vertex] == graph.output_type
            code = self._code(types[:, vertex], vertex)
            total = torch.zeros_like(states[0])
            state = self.builder(code, total)
            for before in range(vertex - 1, -1, -1):
                if self.masked:
                    edge = graph.adjacency[before, vertex].expand(count)
                elif vertex == graph.num_vertices - 1:
                    edge = (adjacency[:, before].sum(dim=1) == 0).float()  # the loose ends
                else:
                    score = self.edge_head(torch.cat([states[before], state], dim=1))[:, 0]
                    limit = torch.rand(count, generator=rng) if rng is not None else 0.5
                    edge = (torch.sigmoid(score) > limit).float()
                adjacency[:, before, vertex] = edge
                total = total + edge[:, None] * messages[before]
                state = self.builder(code, total)
            states.append(state)
            messages.append(self._message(state, vertex, 0))
        return torch.where(ended[:, None], -1, graph.cells(types, adjacency))
