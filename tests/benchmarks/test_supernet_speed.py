"""A step of the supernet beside the same net without any trick, in one run.

Measure with ``pytest tests/benchmarks/test_supernet_speed.py --benchmark-enable``. A step is what
one batch costs a first-order search: the architecture's gradient on one batch and the weights' on
another. The aim is 0.7 of the plain net's time, and no more memory for the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

torch = pytest.importorskip("torch", reason="supernets need the extra 'torch'")

from plain_supernet import PlainSupernet  # noqa: E402
from torch.nn import functional as F  # noqa: E402

from search_methods.supernet.cell import Mix  # noqa: E402
from search_methods.supernet.data import load_search_data  # noqa: E402
from search_methods.supernet.network import CellOptions, DigitsSupernet  # noqa: E402

BATCH = 32


pytestmark = pytest.mark.usefixtures("one_thread")


class Step:
    """Both gradients of a step, by our supernet or by the plain one."""

    def __init__(self, normalised: bool = False) -> None:
        torch.manual_seed(0)
        data = load_search_data("digits")
        self.images, self.labels = data.train[0][:BATCH], data.train[1][:BATCH]
        nodes = "all" if normalised else "none"
        self.net = DigitsSupernet(data, CellOptions(nodes))
        self.plain = PlainSupernet(self.net, normalised)
        self.net.to(memory_format=torch.channels_last)
        self.alpha = (1e-3 * torch.randn(6, 5)).requires_grad_()

    def supernet_loss(self, weights: torch.Tensor) -> torch.Tensor:
        images = self.images.contiguous(memory_format=torch.channels_last)
        return F.cross_entropy(self.net(images, [Mix(weights)]), self.labels)

    def plain_loss(self, weights: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(self.plain(self.images, weights), self.labels)

    def supernet(self) -> None:
        """Each gradient alone, as ``DifferentiableSearch`` takes them."""
        torch.autograd.grad(self.supernet_loss(self.alpha.softmax(-1)), self.alpha)
        loss = self.supernet_loss(self.alpha.detach().softmax(-1))
        torch.autograd.grad(loss, list(self.net.parameters()))

    def plain_twice(self) -> None:
        """As the published code does: a backward pass through everything, both times."""
        for _ in range(2):
            self.plain_loss(self.alpha.softmax(-1)).backward()


@pytest.mark.benchmark(group="one step of a supernet")
@pytest.mark.parametrize("normalised", [False, True], ids=["darts", "vs-darts"])
@pytest.mark.parametrize("kind", ["supernet", "plain_twice"])
def test_step(benchmark: Callable[..., object], kind: str, normalised: bool) -> None:
    benchmark(getattr(Step(normalised), kind))


def saved_bytes(loss: Callable[[], torch.Tensor]) -> int:
    """What a forward pass keeps for the backward pass, each storage counted once."""
    kept: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        value = loss()  # held, so that no storage is freed and its address used again
    assert value.isfinite()
    return sum(kept.values())


def test_no_more_memory_is_kept_for_the_backward_pass() -> None:
    step = Step()
    weights = step.alpha.softmax(-1)
    ours = saved_bytes(lambda: step.supernet_loss(weights))
    plain = saved_bytes(lambda: step.plain_loss(weights))
    assert ours <= plain
