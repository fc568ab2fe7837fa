"""What encodings of NAS-Bench-201's cells say of accuracies: the table in docs/graph-vae.md.

    python tests/benchmarks/embedding_worth.py

Needs ``nas201`` and ``nas201-proxies`` of ``examples/import_real_tables.py``. Kendall's
tau of a Gaussian process on so many labelled cells, over the cells that have proxies.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata
from sklearn.neural_network import MLPRegressor

from nasbench_suite import load_benchmark, load_space
from nasbench_suite.analysis.generative import prediction_curve
from nasbench_suite.spaces.base import encode_one_hot
from search_methods.graph_vae.embedding import load_embedding

LABELS = (10, 20, 30, 50, 100)
FREE = ("synflow", "nwot", "snip", "zen", "flops", "params")
TARGETS = ("cifar10_valid_200", "cifar100_test_200")

Floats = NDArray[np.float64]


def encodings(rows: NDArray[np.int64], free: Floats) -> dict[str, Floats]:
    """Each encoding of some cells; the last is that of a network that learnt what is free."""
    space, embedding = load_space("nats-tss"), load_embedding("nats-tss", "")
    hot = encode_one_hot(space.vectors(rows), space.choices)
    latent = np.asarray(embedding.latents[rows], dtype=np.float64)
    structure = np.asarray(embedding.functional[rows], dtype=np.float64)
    spread = structure.std(axis=0) + 1e-9
    targets = np.hstack([free, (structure - structure.mean(axis=0)) / spread])
    network = MLPRegressor(hidden_layer_sizes=(64, 16), max_iter=60, random_state=0)
    network.fit(hot, targets)
    trained = hot
    for weights, shifts in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
        trained = np.maximum(trained @ weights + shifts, 0.0)
    return {
        "one-hot": hot,
        "latent": latent,
        "structure head": structure,
        "latent and structure": np.hstack([latent, structure]),
        "free figures": free,
        "trained on free figures": trained,
        "latent, structure and free": np.hstack([latent, structure, free]),
    }


def main() -> None:
    """Print Kendall's tau by encoding, target and number of labels."""
    space, whole = load_space("nats-tss"), load_benchmark("nas201")
    known = load_benchmark("nas201-proxies")
    rows = np.array([space.index(string) for string in known.space.strings])
    figures = [known.values(f"cifar10_{name}") for name in FREE]
    free = np.stack([norm.ppf(rankdata(one) / (len(one) + 1)) for one in figures], axis=1)
    for name, features in encodings(rows, free).items():
        for target in TARGETS:
            curve = prediction_curve(
                features,
                whole.values(target)[rows],
                LABELS,
                rng=np.random.default_rng(0),
                classes=space.classes[rows],
                repeats=6,
                test_size=1000,
            )
            means = curve.groupby("train_size")["kendall"].mean()
            print(name, features.shape[1], target, *means.round(3), flush=True)


if __name__ == "__main__":
    main()
