"""How far the variance of a mixture drifts as it sharpens: the claim behind VS-DARTS, measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nasbench_suite.errors import SuiteError
from nasbench_suite.seeding import check_seed
from nasbench_suite.spaces.cells import Cell
from search_methods.supernet.cell import Mix, MixedOperations
from search_methods.supernet.data import load_search_data
from search_methods.supernet.diagnostics import variance
from search_methods.supernet.network import ConvNorm

if TYPE_CHECKING:
    import pandas as pd

_CHANNELS, _IMAGES = 16, 256
_FIVE = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")

CANDIDATES = {
    "independent": ("nor_conv_1x1", "nor_conv_3x3"),
    "five": (*_FIVE, "avg_pool_3x3"),
    "five, pooling normalised": (*_FIVE, "avg_pool_3x3_norm"),
}
SHARPNESS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


def variance_drift(draws: int = 50, seed: int = 0) -> pd.DataFrame:
    """The variance that one edge carries, from uniform to nearly one-hot mixtures.

    The input is the embedded benchmark's images behind a stem that ends in batch normalisation, so
    of unit variance; operations are as initialised. α is drawn from N(0, sharpness²), anew with
    the operations in every draw.

    Args:
        draws: of α and of the operations, for each sharpness.
        seed: of both.

    Returns:
        One row a set of candidates and a sharpness: ``candidates``, ``sharpness``, ``entropy``
        (of β, mean, in nats), and of the variances of Σ β o(x) and Σ √β o(x) over the draws
        ``softmax``, ``root`` (means), ``softmax_std``, ``root_std``.

    Raises:
        SuiteError: fewer than two draws, or an impossible seed.
    """
    import pandas as pd

    check_seed(seed)
    if draws < 2:
        raise SuiteError(f"A spread needs two draws or more, not {draws}: give 2 or more.")
    images = load_search_data("digits").train[0][:_IMAGES]
    rows = []
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        for label, names in CANDIDATES.items():
            layout = Cell(1, 2, (names,))
            torch.manual_seed(seed)
            for sharpness in SHARPNESS:
                found: dict[str, list[float]] = {"softmax": [], "root": [], "entropy": []}
                for _ in range(draws):
                    x = ConvNorm(1, _CHANNELS, 3)(images)
                    mixed = MixedOperations(layout, 0, _CHANNELS)
                    beta = (sharpness * torch.randn(1, len(names))).softmax(-1)
                    found["softmax"].append(_carried(mixed, x, beta))
                    found["root"].append(_carried(mixed, x, beta.sqrt()))
                    found["entropy"].append(float(torch.special.entr(beta).sum()))
                rows.append(
                    {
                        "candidates": label,
                        "sharpness": sharpness,
                        "entropy": float(np.mean(found["entropy"])),
                        **{name: float(np.mean(found[name])) for name in ("softmax", "root")},
                        **{
                            f"{name}_std": float(np.std(found[name]))
                            for name in ("softmax", "root")
                        },
                    }
                )
    return pd.DataFrame(rows)


def _carried(mixed: MixedOperations, x: Tensor, weights: Tensor) -> float:
    return variance(mixed(x, Mix(weights))[0])
