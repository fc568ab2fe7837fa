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
def global_generators_untouched(seed: int = 0) -> Iterator[None]:
    """Fail where something within draws from NumPy's or Python's global generator.

    Args:
        seed: they are set to this first, so that what depends on them differs between seeds.
    """
    kept = np.random.get_state(), random.getstate()  # noqa: NPY002 -- the one that is guarded
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    before = np.random.get_state()[1].copy(), random.getstate()  # type: ignore[union-attr,index]  # noqa: NPY002
    try:
        yield
        after = np.random.get_state()[1], random.getstate()  # type: ignore[union-attr,index]  # noqa: NPY002
        assert np.array_equal(before[0], after[0]), "draws from NumPy's global generator"
        assert before[1] == after[1], "draws from Python's global generator"
    finally:
        np.random.set_state(kept[0])  # noqa: NPY002
        random.setstate(kept[1])
