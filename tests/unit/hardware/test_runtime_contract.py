"""Every registered runtime fulfils its contract, and those that break it turn it red."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from hardware import runtimes
from hardware.runtimes import Runtime, Torch
from hardware.testing import RuntimeContract
from nasbench_suite import registry

pytest.importorskip("torch", reason="what the others are compared with needs the extra 'torch'")


def is_at_hand(name: str) -> bool:
    """Whether the packages of a runtime are installed; torch.compile takes a minute a network."""
    packages = registry.load_object("runtimes", name, Runtime).packages
    return name != "torch-compile" and all(find_spec(package) for package in packages)


class TestRuntimes(RuntimeContract):
    names = tuple(filter(is_at_hand, registry.entries("runtimes")))


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="needs the extra 'hardware'")
class TestTorch(RuntimeContract):
    """What the others are compared with is compared with another."""

    names = ("torch",)
    reference = "onnxruntime"


class Nameless(Torch):
    """Keeps its packages to itself."""

    packages = ()


class Constant(Torch):
    """Gives zeros."""

    def prepare(self, network, options):  # type: ignore[no-untyped-def]
        return lambda: np.zeros((options.batch, network.classes), dtype=np.float32)


class Flat(Torch):
    """Gives one row for all images."""

    def prepare(self, network, options):  # type: ignore[no-untyped-def]
        run = super().prepare(network, options)
        return lambda: run()[0]


class Counting(Torch):
    """Gives something else each time."""

    calls = 0

    def prepare(self, network, options):  # type: ignore[no-untyped-def]
        run = super().prepare(network, options)

        def again():  # type: ignore[no-untyped-def]
            self.calls += 1
            return run() + self.calls

        return again


class Careless(Torch):
    """Lets anything through."""

    def prepare(self, network, options):  # type: ignore[no-untyped-def]
        if options.device == "cuda":
            raise RuntimeError("no such device")
        return super().prepare(network, options)


class Choosy(Torch):
    """Refuses whatever it is asked."""

    def prepare(self, network, options):  # type: ignore[no-untyped-def]
        raise runtimes.SuiteError("no")


@pytest.mark.parametrize(
    ("test", "broken"),
    [
        ("test_its_versions_are_known", Nameless),
        ("test_it_computes_the_network", Constant),
        ("test_it_computes_the_network", Flat),
        ("test_it_computes_the_same_each_time", Counting),
        ("test_what_it_cannot_do_it_says", Careless),
        ("test_what_it_cannot_do_it_says", Choosy),
    ],
)
def test_a_broken_runtime_turns_its_test_red(
    test: str, broken: type[Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    load = registry.load_object

    def load_object(kind, name, base):  # type: ignore[no-untyped-def]
        return broken() if name == "broken" else load(kind, name, base)

    find = registry.find
    monkeypatch.setattr(registry, "load_object", load_object)
    monkeypatch.setattr(
        registry, "find", lambda kind, name: find(kind, "torch" if name == "broken" else name)
    )
    with pytest.raises((AssertionError, RuntimeError)):
        getattr(RuntimeContract(), test)("broken")
