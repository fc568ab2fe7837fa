"""A sequence VAE: the cell as a sentence, read and written by recurrent networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from search_methods.graph_vae.base import CellVAE, TokenDecoder
from search_methods.graph_vae.grammar import CellGrammar


class SequenceVAE(CellVAE):
    """A bidirectional GRU reads the tokens, another writes them; nothing knows of a graph.

    Bowman et al., *Generating sentences from a continuous space*, CoNLL 2016; the S-VAE with
    which D-VAE is compared is of this kind. Its decoder is the one of the graph VAE, so that the
    two differ in the encoder and in what their latent is asked for.

    Attributes:
        latent_dim: dimensions of the latent.
        hidden_dim: units of each network.
    """

    name = "sequence-vae"

    def __init__(self, grammar: CellGrammar, latent_dim: int = 32, hidden_dim: int = 64) -> None:
        super().__init__(grammar, latent_dim)
        self.hidden_dim = hidden_dim
        self.token = nn.Embedding(grammar.num_tokens, 16)
        self.reader = nn.GRU(16, hidden_dim, batch_first=True, bidirectional=True)
        self.mean = nn.Linear(2 * hidden_dim, latent_dim)
        self.log_variance = nn.Linear(2 * hidden_dim, latent_dim)
        self.decoder = TokenDecoder(grammar, latent_dim, hidden_dim)

    @property
    def config(self) -> dict[str, Any]:
        """See ``CellVAE``."""
        return {"latent_dim": self.latent_dim, "hidden_dim": self.hidden_dim}

    def posterior(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """See ``CellVAE``."""
        tokens = torch.as_tensor(self.grammar.to_tokens(cells.numpy()))
        _, last = self.reader(self.token(tokens))
        both = torch.cat([last[0], last[1]], dim=1)
        return self.mean(both), self.log_variance(both).clamp(-12.0, 4.0)

    def negative_log_likelihood(self, latents: Tensor, cells: Tensor) -> Tensor:
        """See ``CellVAE``."""
        return self.decoder.negative_log_likelihood(latents, cells)

    def generate(self, latents: Tensor, rng: torch.Generator | None) -> Tensor:
        """See ``CellVAE``."""
        return self.decoder.generate(latents, rng, self.masked)
