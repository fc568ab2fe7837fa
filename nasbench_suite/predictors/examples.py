"""Architectures as a predictor is shown them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.spaces import SearchSpace
from nasbench_suite.spaces.base import encode_one_hot
from nasbench_suite.spaces.graphs import OperationGraph

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Examples:
    """Some architectures of a space, and what is known of them before they are trained to the end.

    Attributes:
        space: the space.
        architectures: values of the space's own, as ``space.sample`` gives them; n of them.
        curves: figures after the first epochs of training, larger is better, shape (n, epochs);
            None where there are none.
        extras: further features, such as scores of zero-cost proxies, shape (n, d); None for none.
    """

    space: SearchSpace
    architectures: Sequence[Any] | NDArray[np.integer]
    curves: Array | None = None
    extras: Array | None = None
    _rows: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.architectures)

    def features(self, encoding: str = "auto") -> Array:
        """Numbers that describe the architectures, the extras behind them, shape (n, d).

        Args:
            encoding: see ``SearchSpace.features``; ``auto`` for the first that the space has.

        Raises:
            SuiteError: the space does not have that encoding.
        """
        encoded = self.described(encoding, lambda: self._encode(encoding))
        return encoded if self.extras is None else np.hstack([encoded, self.extras])

    def described(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """What ``make`` says of the architectures, made once and kept for all parts taken later.

        Args:
            name: of the description, whatever it depends on among it.
            make: gives an array with a row for each architecture.
        """
        if name not in self._rows:
            self._rows[name] = make()
        return self._rows[name]

    def _encode(self, encoding: str) -> Array:
        if encoding == "one-hot" and self.space.choices:
            return encode_one_hot(self.space.vectors(self.architectures), self.space.choices)
        if encoding == "auto" and self.space.encodings:
            encoding = self.space.encodings[0]
        return self.space.features(self.architectures, encoding)

    def graphs(self) -> list[OperationGraph]:
        """Every architecture as a graph; see ``SearchSpace.graph``.

        Raises:
            SuiteError: the space knows no graphs.
        """

        def make() -> NDArray[Any]:
            found = np.empty(len(self), dtype=object)
            found[:] = [self.space.graph(one) for one in _listed(self.architectures)]
            return found

        return list(self.described("graphs", make))

    def known_curves(self) -> Array:
        """The curves.

        Raises:
            SuiteError: there are none.
        """
        if self.curves is None:
            raise SuiteError(
                "No learning curves are at hand to extrapolate: choose a benchmark with figures "
                "of several epochs, or a predictor that needs none."
            )
        return self.curves

    def take(self, rows: ArrayLike) -> Examples:
        """The examples at these positions, in this order."""
        places = np.asarray(rows, dtype=np.int64)
        chosen = (
            self.architectures[places]
            if isinstance(self.architectures, np.ndarray)
            else [self.architectures[place] for place in places.tolist()]
        )
        return Examples(
            self.space,
            chosen,
            None if self.curves is None else self.curves[places],
            None if self.extras is None else self.extras[places],
            {name: rows[places] for name, rows in self._rows.items()},
        )

    def followed_by(self, more: Examples) -> Examples:
        """These examples and then others of the same space, with curves and extras if both have."""

        def joined(one: Array | None, other: Array | None) -> Array | None:
            return None if one is None or other is None else np.concatenate([one, other])

        return Examples(
            self.space,
            [*_listed(self.architectures), *_listed(more.architectures)],
            joined(self.curves, more.curves),
            joined(self.extras, more.extras),
        )


def _listed(values: Sequence[Any] | NDArray[np.integer]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)
