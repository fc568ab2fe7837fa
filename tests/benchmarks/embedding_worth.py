"""What encodings of NAS-Bench-201's cells say of accuracies: the tables in docs/graph-vae.md.

    python tests/benchmarks/embedding_worth.py
    python tests/benchmarks/embedding_worth.py --search

Needs ``nas201`` and ``nas201-proxies`` of ``examples/import_real_tables.py``. Kendall's
tau of a Gaussian process on so many labelled cells, over the cells that have proxies; or, with
``--search``, the best found among these cells by expected improvement of that process.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import MLPRegressor

from nasbench_suite import load_benchmark, load_space
from nasbench_suite.analysis.generative import prediction_curve
from nasbench_suite.spaces.base import encode_one_hot
from nasbench_suite.statistics.estimates import estimates, interval_ends
from search_methods.graph_vae.embedding import load_embedding
from search_methods.graph_vae_search import expected_improvement
from search_methods.predictors.gaussian_process import CandidateProcess
from search_methods.zero_cost_process import normal_scores

LABELS = (10, 20, 30, 50, 100)
FREE = ("synflow", "nwot", "snip", "zen", "flops", "params")
TARGETS = ("cifar10_valid_200", "cifar100_test_200")
SEEDS, QUERIES, FIRST, REFIT = 20, (20, 30, 50, 100), 10, 10

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


def search(features: Floats, values: Floats, seed: int) -> Floats:
    """The best value after each query: ten at random, then by expected improvement.

    As the graph-VAE search of one objective has it, of cells of which no two compute the same.
    """
    process, unseen = CandidateProcess(features), np.ones(len(values), dtype=bool)
    seen = np.random.default_rng(seed).choice(len(values), FIRST, replace=False).tolist()
    for query in range(max(QUERIES)):
        if query >= FIRST:
            if query % REFIT == 0:
                process.fit(seen, values[seen])
            gains = expected_improvement(*process.predict(), values[seen].max())
            seen.append(int(np.where(unseen, gains, -np.inf).argmax()))
            process.observe(seen[-1], float(values[seen[-1]]))
        unseen[seen[query]] = False
    return np.maximum.accumulate(values[seen])


def print_searches(features: Floats, values: Floats, name: str) -> None:
    """Means over seeds with half the width of their intervals, and how many found the best."""
    found = np.stack([search(features, values, seed) for seed in range(SEEDS)])
    means, errors, freedoms = estimates(found[:, np.array(QUERIES) - 1])
    low, high = interval_ends(means, errors, freedoms)
    halves = (high - low) / 2
    cells = [f"{mean:.2f} ± {half:.2f}" for mean, half in zip(means, halves, strict=True)]
    print(name, *cells, int((found[:, -1] == values.max()).sum()), sep=" | ", flush=True)


def main() -> None:
    """Print Kendall's tau by encoding, target and number of labels, or what searches found."""
    space, whole = load_space("nats-tss"), load_benchmark("nas201")
    known = load_benchmark("nas201-proxies")
    rows = np.array([space.index(string) for string in known.space.strings])
    free = normal_scores(np.array([known.values(f"cifar10_{name}") for name in FREE])).T
    _, first = np.unique(space.classes[rows], return_index=True)
    for name, features in encodings(rows, free).items():
        for target in TARGETS:
            values = whole.values(target)[rows]
            if "--search" in sys.argv[1:]:
                print_searches(features[first], values[first], f"{name} | {target}")
            else:
                print_curve(features, values, space.classes[rows], f"{name} {target}")


def print_curve(features: Floats, values: Floats, classes: NDArray[np.int64], name: str) -> None:
    """Kendall's tau by number of labels."""
    curve = prediction_curve(
        features,
        values,
        LABELS,
        rng=np.random.default_rng(0),
        classes=classes,
        repeats=6,
        test_size=1000,
    )
    means = curve.groupby("train_size")["kendall"].mean()
    print(name, features.shape[1], *means.round(3), flush=True)


if __name__ == "__main__":
    main()
