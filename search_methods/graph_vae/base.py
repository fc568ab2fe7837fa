"""What every variational auto-encoder of cells here has in common.

A model says how a cell becomes a posterior, and a latent cells and their likelihood. Training
(``training.py``), scoring (``nasbench_suite.analysis.generative``) and checkpoints
(``checkpoint.py``) ask for no more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search_methods.graph_vae.grammar import CellGrammar

_BATCH = 4096


class CellVAE(nn.Module, ABC):
    """A variational auto-encoder of cells.

    Attributes:
        name: as on the command line.
        grammar: the cells it is for: a ``CellGrammar``, or a ``Wording`` of any space.
        masked: whether decoding may emit valid cells alone; a switch, so that validity can be
            compared with models that have no mask.
        prior: latents are drawn from a Gaussian of this mean and deviation, shape (dimensions,)
            each: N(0, I), unless ``match_prior`` was called.
        posterior_scale: what deviations of posteriors are multiplied by, in training as in
            scoring. 1 is a proper variational bound; D-VAE's code has 0.01.
    """

    name: ClassVar[str]
    posterior_scale: ClassVar[float] = 1.0

    def __init__(self, grammar: Any, latent_dim: int) -> None:
        super().__init__()
        self.grammar = grammar
        self.latent_dim = latent_dim
        self.masked = True
        self.register_buffer("prior_mean", torch.zeros(latent_dim))
        self.register_buffer("prior_deviation", torch.ones(latent_dim))
        self.prior_mean: Tensor
        self.prior_deviation: Tensor

    # -- what a model says -----------------------------------------------------------------------

    @abstractmethod
    def posterior(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log variances, shape (n, latent_dim), of cells of shape (n, edges)."""

    @abstractmethod
    def negative_log_likelihood(self, latents: Tensor, cells: Tensor) -> Tensor:
        """Nats that cells cost given latents, shape (n,)."""

    @abstractmethod
    def generate(self, latents: Tensor, rng: torch.Generator | None) -> Tensor:
        """The cells that latents stand for, shape (n, edges); rows of -1 where one is invalid.

        The most likely step by step without ``rng``, drawn with it.
        """

    def auxiliary_targets(self, cells: Tensor) -> Tensor:
        """What ``auxiliary_loss`` compares with, one row a cell; computed once for all epochs."""
        return torch.zeros(len(cells), 0)

    def auxiliary_loss(self, means: Tensor, targets: Tensor) -> Tensor:
        """A further loss of each cell, shape (n,); none by default."""
        return means.new_zeros(len(means))

    def prior_loss(self, latents: Tensor, cells: Tensor) -> Tensor:
        """A further loss of latents drawn from N(0, I), shape (n,); none by default."""
        return latents.new_zeros(len(latents))

    # -- what is asked of it from outside, in NumPy ----------------------------------------------

    @property
    def config(self) -> dict[str, Any]:
        """What, beside the grammar, makes a model of the same shape."""
        return {"latent_dim": self.latent_dim}

    def encode(self, cells: NDArray[np.integer]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Means and log variances; see ``GenerativeModel``."""
        whole = torch.as_tensor(np.array(cells, dtype=np.int64))
        with self._quiet():
            parts = [self.posterior(part) for part in batches(whole, _BATCH)]
        mean = torch.cat([part[0] for part in parts]).numpy()
        log_variance = torch.cat([part[1] for part in parts]).numpy()
        return mean, log_variance + np.float32(2 * np.log(self.posterior_scale))

    def decode(
        self, latents: NDArray[Any], rng: np.random.Generator | None = None
    ) -> NDArray[np.int64]:
        """One cell a latent; see ``GenerativeModel``."""
        generator = None
        if rng is not None:
            generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        whole = torch.as_tensor(np.asarray(latents), dtype=torch.float32)
        with self._quiet():
            parts = [self.generate(part, generator) for part in batches(whole, _BATCH)]
        found: NDArray[np.int64] = torch.cat(parts).numpy()
        return found

    def sample(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Cells drawn from the prior; see ``GenerativeModel``."""
        noise = rng.standard_normal((count, self.latent_dim))
        latents = self.prior_mean.numpy() + noise * self.prior_deviation.numpy()
        return self.decode(latents, rng)

    def match_prior(self, cells: NDArray[np.integer] | None) -> None:
        """Draw from now on from a Gaussian with the moments of these cells' means.

        So do the codes of D-VAE and arch2vec, where few latents near the prior are ever trained.
        None goes back to N(0, I).
        """
        self.prior_mean.zero_()
        self.prior_deviation.fill_(1.0)
        if cells is not None:
            mean, _ = self.encode(cells)
            self.prior_mean.copy_(torch.as_tensor(mean.mean(axis=0)))
            self.prior_deviation.copy_(torch.as_tensor(mean.std(axis=0)))

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Without gradients, and without dropout."""
        training = self.training
        self.eval()
        try:
            with torch.no_grad():
                yield
        finally:
            self.train(training)


class TokenDecoder(nn.Module):
    """p(cell | latent) as a product over tokens: a GRU that sees the latent at every step.

    Args:
        grammar: of the cells.
        latent_dim: dimensions of the latent.
        hidden_dim: units of the GRU.
    """

    def __init__(self, grammar: CellGrammar, latent_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.grammar = grammar
        self.start = nn.Linear(latent_dim, hidden_dim)
        self.token = nn.Embedding(grammar.num_tokens + 1, 16)  # the last one begins a sentence
        self.gru = nn.GRU(16 + latent_dim, hidden_dim, batch_first=True)
        self.head = nn.Sequential(
            nn.Linear(hidden_dim + latent_dim, hidden_dim),
            nn.ReLU(),
            nn.Linear(hidden_dim, grammar.num_tokens),
        )

    def negative_log_likelihood(self, latents: Tensor, cells: Tensor) -> Tensor:
        """With teacher forcing; shape (n,)."""
        tokens, logits = self._forced(latents, cells)
        losses = nn.functional.cross_entropy(logits.transpose(1, 2), tokens, reduction="none")
        return losses.sum(dim=1)

    def grammar_loss(self, latents: Tensor, cells: Tensor) -> Tensor:
        """-log of the probability that each next token is allowed, after true beginnings.

        ``cells`` give the beginnings and need not belong to the latents.
        """
        tokens, logits = self._forced(latents, cells)
        allowed = [self.grammar.allowed(tokens[:, :t].numpy()) for t in range(tokens.shape[1])]
        mask = torch.as_tensor(np.stack(allowed, axis=1))
        lawful = logits.masked_fill(~mask, -torch.inf).logsumexp(dim=2)
        return (logits.logsumexp(dim=2) - lawful).sum(dim=1)

    def _forced(self, latents: Tensor, cells: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens of cells (n, length), and logits of each given those before it."""
        tokens = torch.as_tensor(self.grammar.to_tokens(cells.numpy()))
        begin = torch.full_like(tokens[:, :1], self.grammar.num_tokens)
        heard = self.token(torch.cat([begin, tokens[:, :-1]], dim=1))
        every = latents[:, None].expand(-1, tokens.shape[1], -1)
        hidden, _ = self.gru(
            torch.cat([heard, every], dim=2), torch.tanh(self.start(latents))[None]
        )
        return tokens, self.head(torch.cat([hidden, every], dim=2))

    def generate(self, latents: Tensor, rng: torch.Generator | None, masked: bool) -> Tensor:
        """Token after token; see ``CellVAE.generate``."""
        state = torch.tanh(self.start(latents))[None]
        heard = torch.full((len(latents),), self.grammar.num_tokens)
        tokens = torch.empty((len(latents), 0), dtype=torch.long)
        for _ in self.grammar.layout:
            step = torch.cat([self.token(heard), latents], dim=1)[:, None]
            hidden, state = self.gru(step, state)
            logits = self.head(torch.cat([hidden[:, 0], latents], dim=1))
            if masked:
                allowed = torch.as_tensor(self.grammar.allowed(tokens.numpy()))
                logits = logits.masked_fill(~allowed, -torch.inf)
            heard = choose(logits, rng)
            tokens = torch.cat([tokens, heard[:, None]], dim=1)
        return torch.as_tensor(self.grammar.from_tokens(tokens.numpy()))


def batches(whole: Tensor, size: int) -> Iterator[Tensor]:
    """The rows of a tensor, ``size`` at a time."""
    for begin in range(0, len(whole), size):
        yield whole[begin : begin + size]


def choose(logits: Tensor, rng: torch.Generator | None) -> Tensor:
    """The most likely class, or one drawn, of logits of shape (n, classes)."""
    if rng is None:
        return logits.argmax(dim=1)
    return torch.multinomial(logits.softmax(dim=1), 1, generator=rng)[:, 0]
