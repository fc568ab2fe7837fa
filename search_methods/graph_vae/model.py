"""The graph VAE: a DAG-aware encoder, an autoregressive decoder, a latent ordered by function."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search_methods.graph_vae.base import CellVAE, TokenDecoder
from search_methods.graph_vae.grammar import CellGrammar


class GraphVAE(CellVAE):
    """A variational auto-encoder of cells with operations on edges.

    Our design; the parts that are others' are named where they stand. For a cell with nodes in
    topological order, edges ``e = (u, v)`` and operations ``o_e``::

        forward:    f_v = ReLU(W Σ_{e=(u,v)} ReLU(M f_u + l(o_e, e)) + p_v)      inputs first
        backward:   b_u = ReLU(W' Σ_{e=(u,v)} ReLU(M' b_v + l(o_e, e)) + p_u)    outputs first
        edges:      r_e = MLP(f_u, b_v, l(o_e, e))
        posterior:  mean, log variance = Linear(MLP(Σ_e r_e))
        decoder:    p(cell | z) = Π_t p(token_t | token_<t, z)                   under the mask
        structure:  (live operations, fingerprint) ≈ Linear(mean)
        grammar:    Π_t p(token_t allowed | token_<t, z) ≈ 1                     z from the prior

    A node waits for all its predecessors, as in D-VAE (Zhang et al., NeurIPS 2019), in both
    directions, as in SVGe (Lukasik et al., IJCNN 2021). The sum over *edges* read in the context
    of both directions is ours: every operation reaches the posterior in two steps, however deep
    the cell, so that nothing has to be remembered through the nodes and no cell is lost.

    The structure head is ours too. It asks the latent to be linear in what the cell computes: the
    operations on its live edges and the paths through it (``CellGrammar.live_counts`` and
    ``fingerprint``: free, equal for isomorphic cells). So cells of like function lie close, which
    is what a predictor on the latent needs. ``structure_weight`` 0 removes it.

    Attributes:
        latent_dim: dimensions of the latent.
        hidden_dim: units everywhere else.
        structure_weight: nats that the structure head's error costs where it explains nothing.
        grammar_weight: of the grammar loss at latents drawn from the prior: where no cell was ever
            encoded a decoder has learnt nothing, not even what a cell looks like.
    """

    name = "graph-vae"

    def __init__(
        self,
        grammar: CellGrammar,
        latent_dim: int = 32,
        hidden_dim: int = 64,
        structure_weight: float = 1.0,
        grammar_weight: float = 0.3,
    ) -> None:
        super().__init__(grammar, latent_dim)
        self.hidden_dim = hidden_dim
        self.structure_weight = structure_weight
        self.grammar_weight = grammar_weight
        operations, edges = len(grammar.cell.operations), len(grammar.cell.edges)
        self.edge_label = nn.Embedding(operations * edges, hidden_dim)  # an operation on an edge
        self.position = nn.Embedding(grammar.cell.nodes, hidden_dim)
        self.forward_message = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.backward_message = nn.Linear(hidden_dim, hidden_dim, bias=False)
        self.forward_update = nn.Linear(hidden_dim, hidden_dim)
        self.backward_update = nn.Linear(hidden_dim, hidden_dim)
        self.read_edge = nn.Sequential(
            nn.Linear(3 * hidden_dim, hidden_dim), nn.ReLU(), nn.Linear(hidden_dim, hidden_dim)
        )
        self.read_cell = nn.Sequential(nn.Linear(hidden_dim, hidden_dim), nn.ReLU())
        self.mean = nn.Linear(hidden_dim, latent_dim)
        self.log_variance = nn.Linear(hidden_dim, latent_dim)
        self.decoder = TokenDecoder(grammar, latent_dim, hidden_dim)
        # Their scale is that of cells drawn uniformly, so it needs no data.
        drawn = self._structure_of(grammar.sample(4096, np.random.default_rng(0)))
        self.register_buffer("structure_mean", drawn.mean(dim=0))
        self.register_buffer("structure_scale", drawn.var(dim=0).sum().sqrt())
        self.structure_mean: Tensor
        self.structure_scale: Tensor
        self.structure = nn.Linear(latent_dim, drawn.shape[1])

    @property
    def config(self) -> dict[str, Any]:
        """See ``CellVAE``."""
        return {
            "latent_dim": self.latent_dim,
            "hidden_dim": self.hidden_dim,
            "structure_weight": self.structure_weight,
            "grammar_weight": self.grammar_weight,
        }

    def posterior(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """See ``CellVAE``."""
        grammar = self.grammar
        offsets = torch.arange(len(grammar.cell.edges)) * len(grammar.cell.operations)
        labels = self.edge_label(cells + offsets)  # (n, edges, hidden)
        forwards = self._propagate(labels, into=True)
        backwards = self._propagate(labels, into=False)
        reads = [
            self.read_edge(torch.cat([forwards[source], backwards[target], labels[:, edge]], dim=1))
            for edge, (source, target) in enumerate(grammar.cell.edges)
        ]
        cell = self.read_cell(torch.stack(reads).sum(dim=0))
        return self.mean(cell), self.log_variance(cell).clamp(-12.0, 4.0)

    def _propagate(self, labels: Tensor, into: bool) -> list[Tensor]:
        """The states of all nodes, each after those it depends on, shape (n, hidden) each."""
        grammar = self.grammar
        message = self.forward_message if into else self.backward_message
        update = self.forward_update if into else self.backward_update
        order = range(grammar.cell.nodes) if into else reversed(range(grammar.cell.nodes))
        said: dict[int, Tensor] = {}
        states: dict[int, Tensor] = {}
        for node in order:
            total = labels.new_zeros(len(labels), self.hidden_dim)
            for edge, (source, target) in enumerate(grammar.cell.edges):
                here, there = (target, source) if into else (source, target)
                if here == node:
                    total = total + torch.relu(said[there] + labels[:, edge])
            states[node] = torch.relu(update(total) + self.position.weight[node])
            said[node] = message(states[node])
        return [states[node] for node in range(grammar.cell.nodes)]

    def negative_log_likelihood(self, latents: Tensor, cells: Tensor) -> Tensor:
        """See ``CellVAE``."""
        return self.decoder.negative_log_likelihood(latents, cells)

    def generate(self, latents: Tensor, rng: torch.Generator | None) -> Tensor:
        """See ``CellVAE``."""
        return self.decoder.generate(latents, rng, self.masked)

    def _structure_of(self, cells: NDArray[np.integer]) -> Tensor:
        """Live counts and fingerprints: numbers of operations, and of paths, as vectors."""
        blocks = [self.grammar.live_counts(cells), self.grammar.fingerprint(cells)]
        return torch.as_tensor(np.hstack(blocks)).float()

    def auxiliary_targets(self, cells: Tensor) -> Tensor:
        """What the structure head is to say of each cell."""
        return (self._structure_of(cells.numpy()) - self.structure_mean) / self.structure_scale

    def auxiliary_loss(self, means: Tensor, targets: Tensor) -> Tensor:
        """Squared error of the structure head, as a share of the whole variance."""
        errors: Tensor = (self.structure(means) - targets).square().sum(dim=1)
        return self.structure_weight * errors

    def functional(self, latents: NDArray[Any]) -> NDArray[np.float64]:
        """What the structure head says of latents: the part of them that is about function.

        Args:
            latents: shape (n, latent_dim).

        Returns:
            Shape (n, live counts and fingerprint), centred.
        """
        with self._quiet():
            said = self.structure(torch.as_tensor(np.asarray(latents), dtype=torch.float32))
        return np.asarray(said.numpy(), dtype=np.float64)

    def prior_loss(self, latents: Tensor, cells: Tensor) -> Tensor:
        """What the mask would have to forbid; so the model knows the grammar without it."""
        if not self.grammar_weight:
            return super().prior_loss(latents, cells)
        return self.grammar_weight * self.decoder.grammar_loss(latents, cells)
