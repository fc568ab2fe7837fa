"""Random numbers of a training's own, on the processor and on a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nasbench_suite.benchmarks.digits.training import one_thread
from nasbench_suite.networks.devices import is_cuda, repeatable


@contextmanager
def drawing_from(generator: torch.Generator, device: str) -> Iterator[None]:
    """Let torch draw from a generator, on one thread, and leave no trace.

    Args:
        generator: of the processor; it stands behind what was drawn afterwards.
        device: where networks are trained. A GPU takes a seed of the generator's state at every
            entry.
    """
    devices = [torch.device(device)] if is_cuda(device) else []
    with one_thread(), torch.random.fork_rng(devices=devices), repeatable(device):
        torch.set_rng_state(generator.get_state())
        if devices:
            torch.cuda.manual_seed(seed_of(generator))
        try:
            yield
        finally:
            generator.set_state(torch.get_rng_state())


def seed_of(generator: torch.Generator) -> int:
    """A seed for a device's own generator, another for another state.

    The generator is left as it is, so that what the processor draws, initial weights and the order
    of images among it, is the same wherever networks are trained.
    """
    return int(torch.randint(2**62, (1,), generator=generator.clone_state()))
