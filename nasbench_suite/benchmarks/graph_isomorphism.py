"""NAS-Bench-301's graph networks: the forward pass of its GIN, written anew with NumPy.

Source: Xu, Hu, Leskovec and Jegelka, *How Powerful are Graph Neural Networks?*, ICLR 2019, with
the edges' embeddings and the virtual node of Hu et al., *Open Graph Benchmark*, NeurIPS 2020, on
the graphs of automl/nasbench301 (surrogate_models/gnn: gnn_utils.py, models/gincnn.py, conv.py).

A graph holds both cells: of each the inputs, four inner nodes and the output. Operations are on
edges. The authors list a cell's operations by target and source, and its edges by source and
target, and pair the two lists: an operation may stand on another edge than in the cell. What they
trained learnt these graphs, so the same are made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.benchmarks.models import Model
from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces.darts import CONFIGURED_EDGES, INPUTS, KEPT, STEPS

_NODES = INPUTS + STEPS + 1  # of a cell
_KINDS = np.array([0, 1, 2, 2, 2, 2, 3] * 2)
_OPERATIONS = 8  # the identity, then the seven of the space
_DEGREES = 8
# Source and target of edges that all graphs have: to the outputs, and between both cells.
_OUTPUTS = [(node, _NODES - 1) for node in range(INPUTS, _NODES - 1)]
_BETWEEN = [(6, 6), (6, 7), (6, 8), (13, 0), (13, 1)]
_ENDS = np.array([(s, t) for t in range(INPUTS, INPUTS + STEPS) for s in range(t)])
_EPSILON = np.float32(1e-5)  # of a batch normalisation
_POOLINGS = ("mean", "sum", "max")
_SETTINGS = "settings"


@dataclass(frozen=True)
class GraphIsomorphism(Model):
    """An ensemble of graph isomorphism networks with a virtual node.

    Attributes:
        weights: by the name that PyTorch has for it, the members' one above the other.
        pooling: how the nodes of a graph become one: ``mean``, ``sum`` or ``max``.
        self_loops: whether every node reads itself.
        undirected: whether edges are read both ways.
    """

    weights: Mapping[str, NDArray[np.float32]]
    pooling: str
    self_loops: bool
    undirected: bool

    @classmethod
    def of(cls, states: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> Self:
        """The ensemble of members' state dictionaries and their configuration.

        Raises:
            SuiteError: the configuration is of another network.
            ValueError: the members differ in shape; or KeyError.
        """
        pooling = config["graph_pooling"]
        if pooling not in _POOLINGS or config["virtual_node"] is not True:
            raise SuiteError(
                f"A graph network with pooling {str(pooling)[:40]!r} or no virtual node is not "
                f"read: give one with a virtual node and {', '.join(_POOLINGS)}."
            )
        twice = "gnn_node.node_encoder."  # the same encoder under another name
        names = [
            name
            for name in states[0]
            if not (name.startswith(twice) or name.endswith("num_batches_tracked"))
        ]
        weights = {
            name: np.stack([np.asarray(state[name], dtype=np.float32) for state in states])
            for name in names
        }
        loops, both = (
            config[f"graph_preprocessing:{name}"] is True
            for name in ("self_loops", "undirected_graph")
        )
        return cls(weights, pooling, loops, both)

    @property
    def members(self) -> int:
        """See ``Model``."""
        return len(self.weights["graph_pred_linear.bias"])

    @property
    def _layers(self) -> int:
        return sum(name.startswith("gnn_node.batch_norms.") for name in self.weights) // 4

    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """See ``Model``; the features are those of the encoding ``nasbench301``."""
        rows = [self._predict(features[k : k + 64]) for k in range(0, len(features), 64)]
        return np.concatenate(rows) if rows else np.empty((0, self.members))

    def _predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        sources, targets, operations, degrees = self._graphs(features)
        graph = np.arange(len(features))[:, None]
        into = (targets[:, None, :] == np.arange(2 * _NODES)[:, None]).astype(np.float32)
        x = self.weights["node_encoder.type_encoder.weight"][:, None, _KINDS]
        x = x + self.weights["node_encoder.attribute_encoder.weight"][:, degrees]
        virtual = self.weights["gnn_node.virtualnode_embedding.weight"].repeat(
            len(features), axis=1
        )
        for layer in range(self._layers):
            conv = f"gnn_node.convs.{layer}"
            x = x + virtual[:, :, None]
            embedded = self.weights[f"{conv}.edge_encoder.weight"][:, operations]
            told = into @ np.maximum(x[:, graph, sources] + embedded, 0)
            own = (1 + self.weights[f"{conv}.eps"].reshape(-1, 1, 1, 1)) * x
            h = self._perceptron(f"{conv}.mlp", own + told)
            h = self._normal(f"gnn_node.batch_norms.{layer}", h)
            if layer < self._layers - 1:
                h = np.maximum(h, 0)
                of_all = x.sum(axis=2) + virtual
                mlp = f"gnn_node.mlp_virtualnode_list.{layer}"
                virtual = np.maximum(self._normal(f"{mlp}.4", self._perceptron(mlp, of_all)), 0)
            x = h
        pooled = getattr(x, self.pooling)(axis=2)
        out = self._linear("graph_pred_linear", pooled)[..., 0]
        return 100 * np.exp(-np.logaddexp(0, -out.astype(np.float64))).T

    def _linear(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        weight, bias = (self._of(f"{name}.{part}", x) for part in ("weight", "bias"))
        return np.asarray(x @ np.swapaxes(weight, -1, -2) + bias)

    def _normal(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        weight, bias, mean, variance = (
            self._of(f"{name}.{part}", x)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return np.asarray((x - mean) / np.sqrt(variance + _EPSILON) * weight + bias)

    def _perceptron(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        inside = self._normal(f"{name}.1", self._linear(f"{name}.0", x))
        return self._linear(f"{name}.3", np.maximum(inside, 0))

    def _of(self, name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """A weight, with as many dimensions behind the members' as fit ``x``."""
        weight = self.weights[name]
        rows = weight.shape[1:] if weight.ndim == 3 else (1, *weight.shape[1:])
        return weight.reshape(len(weight), *[1] * (x.ndim - 3), *rows)

    def _graphs(self, features: NDArray[np.float64]) -> tuple[NDArray[np.int64], ...]:
        """Source, target and operation of every edge, shape (n, edges), and degrees (n, nodes)."""
        n = len(features)
        sources, targets, operations = [], [], []
        for place, columns in enumerate(CONFIGURED_EDGES):
            chosen = features[:, columns].astype(np.int64)
            edges = np.nonzero(chosen >= 0)[1].reshape(n, KEPT * STEPS)
            operations.append(np.take_along_axis(chosen, edges, axis=1) + 1)
            ends = _ENDS[edges]
            order = np.argsort(ends[..., 0] * _NODES + ends[..., 1], axis=1)
            ends = np.take_along_axis(ends, order[..., None], axis=1)
            ends = np.concatenate([ends, np.broadcast_to(_OUTPUTS, (n, STEPS, 2))], axis=1)
            operations.append(np.zeros((n, STEPS), dtype=np.int64))
            sources.append(ends[..., 0] + place * _NODES)
            targets.append(ends[..., 1] + place * _NODES)
        between = np.broadcast_to(np.transpose(_BETWEEN), (n, 2, len(_BETWEEN)))
        operations.append(np.zeros((n, len(_BETWEEN)), dtype=np.int64))
        source = np.concatenate([*sources, between[:, 0]], axis=1)
        target = np.concatenate([*targets, between[:, 1]], axis=1)
        operation = np.concatenate(operations, axis=1)
        graph = np.arange(n)[:, None]
        beside = np.zeros((n, 2 * _NODES, 2 * _NODES), dtype=bool)
        beside[graph, source, target] = beside[graph, target, source] = True
        if self.self_loops:  # (6, 6) is one already
            further = np.broadcast_to(np.delete(np.arange(2 * _NODES), 6), (n, 2 * _NODES - 1))
            source, target = (np.concatenate([ends, further], axis=1) for ends in (source, target))
            operation = np.concatenate([operation, np.zeros_like(further)], axis=1)
        if self.undirected:
            source, target = np.hstack([source, target]), np.hstack([target, source])
            operation = np.hstack([operation, operation])
        return source, target, operation, beside.sum(axis=2)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """See ``Model``."""
        settings = [_POOLINGS.index(self.pooling), self.self_loops, self.undirected]
        return {_SETTINGS: np.array(settings, dtype=np.int64), **self.weights}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """See ``Model``."""
        pooling, loops, both = arrays[_SETTINGS].tolist()
        weights = {name: array for name, array in arrays.items() if name != _SETTINGS}
        return cls(weights, _POOLINGS[pooling], bool(loops), bool(both))

    def sound(self, features: int) -> bool:
        """See ``Model``."""
        first = self.weights.get("node_encoder.type_encoder.weight")
        if first is None or first.ndim != 3 or self._layers < 2:
            return False
        expected = _shapes(self._layers, first.shape[2])
        return self.weights.keys() == expected.keys() and all(
            array.shape == (len(first), *expected[name])
            and array.dtype == np.float32
            and bool(np.isfinite(array).all())
            for name, array in self.weights.items()
        )


def _shapes(layers: int, width: int) -> dict[str, tuple[int, ...]]:
    """The shape of every weight of a member."""
    wide = 2 * width

    def linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
        return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}

    def normal(name: str, size: int) -> dict[str, tuple[int, ...]]:
        return {f"{name}.{p}": (size,) for p in ("weight", "bias", "running_mean", "running_var")}

    def perceptron(name: str) -> dict[str, tuple[int, ...]]:
        return {
            **linear(f"{name}.0", width, wide),
            **normal(f"{name}.1", wide),
            **linear(f"{name}.3", wide, width),
        }

    encoder = "node_encoder"
    shapes: dict[str, tuple[int, ...]] = {"gnn_node.virtualnode_embedding.weight": (1, width)}
    shapes[f"{encoder}.type_encoder.weight"] = (int(_KINDS.max()) + 1, width)
    shapes[f"{encoder}.attribute_encoder.weight"] = (_DEGREES, width)
    for layer in range(layers):
        conv = f"gnn_node.convs.{layer}"
        shapes |= {f"{conv}.eps": (1,), f"{conv}.edge_encoder.weight": (_OPERATIONS, width)}
        shapes |= perceptron(f"{conv}.mlp")
        shapes |= normal(f"gnn_node.batch_norms.{layer}", width)
        if layer < layers - 1:
            mlp = f"gnn_node.mlp_virtualnode_list.{layer}"
            shapes |= {**perceptron(mlp), **normal(f"{mlp}.4", width)}
    return {**shapes, **linear("graph_pred_linear", width, 1)}
