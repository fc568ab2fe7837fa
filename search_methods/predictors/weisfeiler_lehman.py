"""A Gaussian process on graphs, by the Weisfeiler-Lehman kernel."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.parsing import check_not_negative
from nasbench_suite.predictors import Examples, Prediction, Predictor
from nasbench_suite.spaces.graphs import OperationGraph
from search_methods.predictors.profile_process import ProfileProcess

Array = NDArray[np.float64]

_NOISES = (1e-3, 1e-2, 1e-1, 1.0)  # of a kernel of variance 1


@dataclass
class WeisfeilerLehmanProcess(Predictor):
    """A Gaussian process whose kernel counts the subtrees that two architectures share.

    Ru, Wan, Dong and Osborne, *Interpretable neural architecture search via Bayesian optimisation
    with Weisfeiler-Lehman kernels* (NAS-BOWL), ICLR 2021; the kernel of Shervashidze et al.,
    JMLR 2011. Vertices carry their operations; in each of H rounds a vertex takes in the labels
    that it reads and those that read it. The kernel is the product of the counts of all labels of
    rounds 0 to H, divided so that every architecture has variance 1; H and the noise are those of
    largest likelihood.

    Where this deviates: the authors look along the edges alone, and choose H by likelihood as
    here but the noise by gradients.

    Attributes:
        rounds: the largest H considered.
    """

    rounds: int = 3

    def __post_init__(self) -> None:
        check_not_negative("The Weisfeiler-Lehman process", self, "rounds")

    def learn(self, known: Examples, values: Array, rng: np.random.Generator) -> None:
        """Choose H and the noise."""
        counts = self._counts(known)
        labels = dict.fromkeys(label for row in counts for level in row for label in level)
        self.places = {label: place for place, label in enumerate(labels)}
        self.histograms = [self._histogram(counts, level) for level in range(self.rounds + 1)]
        products = np.cumsum([_dense(one @ one.T) for one in self.histograms], axis=0)
        self.norms = [np.sqrt(np.diag(one)) for one in products]
        scaled = [one / np.outer(n, n) for one, n in zip(products, self.norms, strict=True)]
        noise = np.array(_NOISES)[:, None, None] * np.eye(len(values))
        kernels = (np.array(scaled)[:, None] + noise).reshape(-1, len(values), len(values))
        self.process = ProfileProcess.likeliest(kernels, values)
        self.depth = self.process.chosen // len(_NOISES)

    def predict(self, asked: Examples) -> Prediction:
        """The posterior without noise."""
        counts = self._counts(asked)
        cross, squares = np.zeros((len(asked), len(self.norms[0]))), np.zeros(len(asked))
        for level in range(self.depth + 1):
            cross += _dense(self._histogram(counts, level) @ self.histograms[level].T)
            squares += [sum(c * c for c in row[level].values()) for row in counts]
        cross /= np.outer(np.sqrt(squares), self.norms[self.depth])
        return Prediction(*self.process.predict(cross))

    def _counts(self, examples: Examples) -> list[tuple[Counter[int], ...]]:
        """Of every architecture the labels of each round, counted."""

        def make() -> NDArray[Any]:
            found = np.empty(len(examples), dtype=object)
            found[:] = [count_labels(graph, self.rounds) for graph in examples.graphs()]
            return found

        return list(examples.described(f"weisfeiler-lehman {self.rounds}", make))

    def _histogram(self, counts: list[tuple[Counter[int], ...]], level: int) -> Any:
        """The counts of the labels of one round that are known, as a sparse matrix."""
        from scipy.sparse import csr_matrix

        rows, columns, entries = [], [], []
        for row, levels in enumerate(counts):
            for label, count in levels[level].items():
                if label in self.places:
                    rows.append(row)
                    columns.append(self.places[label])
                    entries.append(float(count))
        return csr_matrix((entries, (rows, columns)), shape=(len(counts), len(self.places)))


def count_labels(graph: OperationGraph, rounds: int) -> tuple[Counter[int], ...]:
    """The labels of the Weisfeiler-Lehman test and how often each occurs, for rounds 0 to H.

    Labels are hashes of 64 bits, the same in every process.
    """
    size = len(graph.labels)
    sources: list[list[int]] = [[] for _ in range(size)]
    targets: list[list[int]] = [[] for _ in range(size)]
    for source, target in graph.edges:
        sources[target].append(source)
        targets[source].append(target)
    labels = [_hash(label) for label in graph.labels]
    found = [Counter(labels)]
    for _ in range(rounds):
        labels = [
            _hash(
                f"{labels[vertex]} {sorted(labels[one] for one in sources[vertex])} "
                f"{sorted(labels[one] for one in targets[vertex])}"
            )
            for vertex in range(size)
        ]
        found.append(Counter(labels))
    return tuple(found)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")


def _dense(matrix: Any) -> Array:
    return np.asarray(matrix.todense(), dtype=np.float64)
