"""What all contracts share."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import numpy as np
import pytest


class Contract:
    """Tests of parts, run once for each name.

    Attributes:
        names: the registered names of the parts.
    """

    names: ClassVar[Sequence[str]] = ()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run every test that takes ``name`` once for each of ``names``."""
        if "name" in metafunc.fixturenames:
            metafunc.parametrize("name", self.names)


@contextmanager
def global_generators_at(seed: int) -> Iterator[None]:
    """Set NumPy's and Python's global generators, and put them back afterwards.

    What draws from them then differs from seed to seed.
    """
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002 -- the one to guard against
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])
