"""Training a variational auto-encoder of cells: KL annealing, free bits, one core, minutes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_counts, check_not_negative, check_positive
from search_methods.graph_vae.base import CellVAE, batches

_PRIOR_SHARE = 4  # one latent drawn from the prior for so many cells


@dataclass(frozen=True)
class Recipe:
    """How a model is trained.

    Attributes:
        epochs: passes over the cells.
        batch_size: cells a step.
        learning_rate: of Adam; falls to a hundredth on a cosine, if ``cosine``.
        beta: final weight of the KL divergence. 1 is the evidence lower bound, which pays for
            a nat less of divergence with a nat more of error: on NAS-Bench-201's cells 0.1
            gives back 91 % of them, 0.03 97 % and 0.01 99 % (10x10 protocol, 32 dimensions).
        warmup: share of the epochs over which it rises from 0, linearly (Bowman et al., CoNLL
            2016).
        free_bits: nats of each latent dimension, averaged over the batch, that are not charged
            (Kingma et al., NeurIPS 2016).
        clip: largest norm of the gradient.
        cosine: whether the learning rate falls.
    """

    epochs: int = 80
    batch_size: int = 256
    learning_rate: float = 2e-3
    beta: float = 0.005
    warmup: float = 0.4
    free_bits: float = 0.0
    clip: float = 5.0
    cosine: bool = True

    def __post_init__(self) -> None:
        check_counts("A training", self, "epochs batch_size")
        check_positive("A training", self, "learning_rate clip")
        check_not_negative("A training", self, "beta warmup free_bits")

    @property
    def config(self) -> dict[str, Any]:
        """JSON-able values."""
        return asdict(self)


@dataclass(frozen=True)
class EpochDone:
    """What is known after an epoch: means over its cells, in nats."""

    epoch: int
    epochs: int
    reconstruction: float
    kl: float
    auxiliary: float


def train(
    model: CellVAE,
    cells: NDArray[np.integer],
    recipe: Recipe,
    *,
    seed: int = 0,
    progress: Callable[[EpochDone], None] | None = None,
) -> float:
    """Train a model in place, on one thread.

    Args:
        model: the model, as initialised.
        cells: shape (n, edges).
        recipe: see there.
        seed: of the order of cells and the noise; the same seed gives the same weights.
        progress: told after every epoch.

    Returns:
        Seconds of processor time, which what else the machine does leaves as they are.

    Raises:
        SuiteError: the loss is no number any more.
    """
    begin = time.process_time()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # another number could add in another order
    try:
        _train(model, torch.as_tensor(np.asarray(cells)).long(), recipe, seed, progress)
    finally:
        torch.set_num_threads(threads)
    return time.process_time() - begin


def _train(
    model: CellVAE,
    cells: torch.Tensor,
    recipe: Recipe,
    seed: int,
    progress: Callable[[EpochDone], None] | None,
) -> None:
    rng = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)
    steps = recipe.epochs * -(-len(cells) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, steps, eta_min=recipe.learning_rate * (0.01 if recipe.cosine else 1.0)
    )
    targets = model.auxiliary_targets(cells)
    model.train()
    step = 0
    for epoch in range(1, recipe.epochs + 1):
        sums = torch.zeros(3)
        for batch in batches(torch.randperm(len(cells), generator=rng), recipe.batch_size):
            chosen = cells[batch]
            mean, log_variance = model.posterior(chosen)
            noise = torch.randn(mean.shape, generator=rng) * model.posterior_scale
            latents = mean + noise * (0.5 * log_variance).exp()
            losses = model.negative_log_likelihood(latents, chosen)
            by_unit = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
            charged = by_unit.mean(dim=0).clamp(min=recipe.free_bits).sum()
            auxiliary = model.auxiliary_loss(mean, targets[batch])
            few = chosen[: len(chosen) // _PRIOR_SHARE + 1]
            drawn = torch.randn((len(few), model.latent_dim), generator=rng)
            auxiliary = auxiliary + model.prior_loss(drawn, few).mean()
            step += 1
            beta = recipe.beta * min(1.0, step / max(1.0, recipe.warmup * steps))
            loss = losses.mean() + beta * charged + auxiliary.mean()
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
            optimizer.step()
            schedule.step()
            parts = torch.stack([losses.mean(), by_unit.sum(dim=1).mean(), auxiliary.mean()])
            sums += parts.detach() * len(batch) / len(cells)
        if not torch.isfinite(sums).all():
            raise SuiteError(
                f"{model.name} diverged in epoch {epoch}: train it with a lower learning rate "
                f"than {recipe.learning_rate}."
            )
        if progress is not None:
            progress(EpochDone(epoch, recipe.epochs, *sums.tolist()))
    model.eval()
