"""What a surrogate asks for one metric: an ensemble of models that is nothing but arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Model(ABC):
    """An ensemble for one metric, as plain arrays: whatever a file says, no code in it can run."""

    @property
    @abstractmethod
    def members(self) -> int:
        """How many models answer; a member stands for a training seed."""

    @abstractmethod
    def predict(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """What every member answers, shape (n, d) to (n, members)."""

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """All that it is, by name, by default its fields; ``from_arrays`` undoes this."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The model of its arrays.

        Raises:
            KeyError: an array is missing.
        """
        return cls(**{item.name: arrays[item.name] for item in fields(cls)})

    @abstractmethod
    def sound(self, features: int) -> bool:
        """Whether the arrays are a model of so many features, that ends whatever it is asked."""
