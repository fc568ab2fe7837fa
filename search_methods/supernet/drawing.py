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
        generator: of the processor; it stands behind what was drawn afterwards. A GPU takes a
            seed from it at every entry.
        device: where networks are trained.
    """
    devices = [torch.device(device)] if is_cuda(device) else []
    with one_thread(), torch.random.fork_rng(devices=devices), repeatable(device):
        torch.set_rng_state(generator.get_state())
        if devices:
            torch.cuda.manual_seed(int(torch.randint(2**62, (1,))))
        try:
            yield
        finally:
            generator.set_state(torch.get_rng_state())
