"""The contract of a runtime, as tests: for those of this suite and for those of others.

It is used as the contracts of ``nasbench_suite.testing`` are::

    from hardware.testing import RuntimeContract

    class TestMine(RuntimeContract):
        names = ("mine",)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from hardware.runtimes import Precision, RunOptions, prepare, runtime_versions
from nasbench_suite.errors import SuiteError
from nasbench_suite.networks import Network, describe_network
from nasbench_suite.networks.skeleton import Skeleton
from nasbench_suite.spaces import load_space
from nasbench_suite.testing import Contract

BATCH = 2


class RuntimeContract(Contract):
    """What measuring relies on in every runtime.

    Attributes:
        names: of the runtimes.
        reference: the runtime whose class scores they are to give.
        spaces: of which the network of one architecture each is run.
        tolerance: how far a score may be from the reference's, in units of the largest.
    """

    reference: ClassVar[str] = "torch"
    spaces: ClassVar[Sequence[str]] = ("nats-tss", "nasbench101", "darts")
    tolerance: ClassVar[float] = 1e-3

    def networks(self) -> list[Network]:
        """Small ones, of an architecture drawn at random in each space."""
        skeleton = Skeleton(image=(3, 16, 16), channels=8, cells=1)
        drawn = []
        for name in self.spaces:
            space = load_space(name)
            architecture = space.sample(np.random.default_rng(0))
            drawn.append(describe_network(space, architecture, skeleton))
        return drawn

    def test_its_versions_are_known(self, name: str) -> None:
        """A latency belongs to them, so that they stand beside it."""
        assert set(runtime_versions(name)) > {"numpy"}, "its packages are not named, or not there"

    def test_it_computes_the_network(self, name: str) -> None:
        """The class scores of each image, as another runtime has them."""
        for network in self.networks():
            expected = _scores(self.reference, network)
            scores = _scores(name, network)
            assert scores.shape == (BATCH, network.classes), f"scores of shape {scores.shape}"
            apart = np.abs(scores - expected).max() / np.abs(expected).max()
            assert apart <= self.tolerance, f"scores are {apart:.2g} from the reference's"

    def test_it_computes_the_same_each_time(self, name: str) -> None:
        """Whatever it was given to run in between."""
        one, other, *_ = self.networks()
        run = prepare(name, one, RunOptions(batch=BATCH))
        first = np.array(run())
        prepare(name, other, RunOptions())()
        assert np.array_equal(first, run())

    def test_what_it_cannot_do_it_says(self, name: str) -> None:
        """Any precision and device is computed with, or refused in a sentence."""
        network = self.networks()[0]
        precisions: tuple[Precision, ...] = ("float32", "float16")
        devices: tuple[Literal["cpu", "cuda"], ...] = ("cpu", "cuda")
        for options in [RunOptions(BATCH, 1, p, d) for p in precisions for d in devices]:
            try:
                run = prepare(name, network, options)
            except SuiteError:
                assert options != RunOptions(BATCH), "it refuses float32 on a processor"
                continue
            assert np.isfinite(run()).all(), f"scores that are no numbers with {options}"


def _scores(runtime: str, network: Network) -> NDArray[np.float32]:
    return prepare(runtime, network, RunOptions(batch=BATCH))()
