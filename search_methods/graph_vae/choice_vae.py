"""A VAE of any space's architectures, written as vectors of choices: trained in seconds."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from nasbench_suite.spaces import SearchSpace, load_space
from search_methods.graph_vae.base import CellVAE, choose
from search_methods.graph_vae.training import Recipe, train
from search_methods.graph_vae.wording import Wording, wording

RECIPE = Recipe(epochs=30, batch_size=256, learning_rate=4e-3, beta=0.003)
SAMPLES = 20_000
_DIMENSIONS = 4  # of the latent, a choice


class ChoiceVAE(CellVAE):
    """Choices in, choices out.

    ::

        posterior:  mean, log variance = Linear(one-hot choices) + MLP(one-hot choices)
        decoder:    p(choices | z) = Π_i p(choice_i | z), all by Linear(z) + MLP(z)

    The graph VAE of cells (``model.py``) passes messages along the edges of one kind of cell; here
    the edges are choices themselves. Given the latent the choices are independent, so decoding is
    one matrix product, and what the space forbids is told by its own ``read`` afterwards. It has
    no structure head: on NAS-Bench-101 and DARTS, which have hundreds of paths, a latent that must
    tell them has no room left for the architecture.

    Attributes:
        latent_dim: dimensions of the latent; 0 for four a choice.
        hidden_dim: units of each hidden layer.
    """

    name = "choice-vae"

    def __init__(self, grammar: Wording, latent_dim: int = 0, hidden_dim: int = 192) -> None:
        super().__init__(grammar, latent_dim or _DIMENSIONS * len(grammar.options))
        self.hidden_dim = hidden_dim
        width, latent_dim = sum(grammar.options), self.latent_dim
        self.reader = _Perceptron(width, hidden_dim, 2 * latent_dim)
        self.writer = _Perceptron(latent_dim, hidden_dim, width)
        offsets = np.concatenate([[0], np.cumsum(grammar.options)[:-1]])
        self.register_buffer("offsets", torch.as_tensor(offsets), persistent=False)
        self.offsets: Tensor

    @property
    def config(self) -> dict[str, Any]:
        """See ``CellVAE``."""
        return {"latent_dim": self.latent_dim, "hidden_dim": self.hidden_dim}

    def posterior(self, cells: Tensor) -> tuple[Tensor, Tensor]:
        """See ``CellVAE``."""
        hot = torch.zeros(len(cells), sum(self.grammar.options))
        mean, log_variance = self.reader(hot.scatter_(1, cells + self.offsets, 1.0)).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 4.0)

    def negative_log_likelihood(self, latents: Tensor, cells: Tensor) -> Tensor:
        """See ``CellVAE``."""
        chosen = [scores.log_softmax(dim=1) for scores in self._scores(latents)]
        said = [one.gather(1, cells[:, [place]])[:, 0] for place, one in enumerate(chosen)]
        return -torch.stack(said).sum(dim=0)

    def generate(self, latents: Tensor, rng: torch.Generator | None) -> Tensor:
        """See ``CellVAE``; nothing is masked."""
        return torch.stack([choose(scores, rng) for scores in self._scores(latents)], dim=1)

    def _scores(self, latents: Tensor) -> tuple[Tensor, ...]:
        scores: tuple[Tensor, ...] = self.writer(latents).split(list(self.grammar.options), dim=1)
        return scores


class _Perceptron(nn.Module):
    """Two hidden layers beside a linear map, which tells choices apart from the start."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.layers = nn.Sequential(
            *(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU()),
            nn.Linear(hidden, outputs),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Shape (n, inputs) to (n, outputs)."""
        told: Tensor = self.linear(values) + self.layers(values)
        return told


def train_choices(
    space: SearchSpace,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
    recipe: Recipe = RECIPE,
) -> tuple[ChoiceVAE, float]:
    """Train on architectures drawn from a space, without any figure of theirs.

    Args:
        space: the space.
        samples: architectures drawn; equal ones count once.
        seed: of the draw, the weights, the order and the noise.
        recipe: how it is trained.

    Returns:
        The model, and seconds of processor time.

    Raises:
        SuiteError: architectures of the space are no vectors of choices.
    """
    words = wording(space)
    cells = words.sample(samples, np.random.default_rng(seed))
    with torch.random.fork_rng(devices=[]):  # the caller's generator stays where it was
        torch.manual_seed(seed)
        model = ChoiceVAE(words)
    return model, train(model, cells, recipe, seed=seed)


@lru_cache(maxsize=4)
def trained_on(space: str, samples: int, epochs: int) -> ChoiceVAE:
    """The model that a search of a space uses, trained once a process."""
    recipe = Recipe(**{**RECIPE.config, "epochs": epochs})
    return train_choices(load_space(space), samples=samples, recipe=recipe)[0]
