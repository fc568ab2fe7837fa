"""Where networks are trained: a device that is there, and that gives the same bits every time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nasbench_suite.errors import SuiteError


def check_device(device: str, done: str = "trained") -> None:
    """Refuse a device that is not there.

    Args:
        device: as torch names it.
        done: what would be done on it.

    Raises:
        SuiteError: torch knows no such device, or sees none.
    """
    try:
        torch.zeros(1, device=device).item()  # some devices take tensors and give nothing back
    except (RuntimeError, AssertionError) as error:
        line = str(error).splitlines()[0]
        raise SuiteError(
            f"Nothing can be {done} on device {device!r} ({line}): choose cpu."
        ) from None


def is_cuda(device: str) -> bool:
    """Whether a device's name is that of a GPU of CUDA."""
    return device.startswith("cuda")


def memory_of(device: str) -> int | None:
    """Bytes of memory that a device has, in use or not; None where that is not known."""
    if is_cuda(device):
        return int(torch.cuda.get_device_properties(device).total_memory)
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not every system says it
        return None


@contextmanager
def repeatable(device: str) -> Iterator[None]:
    """Convolutions on a GPU that give the same bits every time, in whole single precision.

    Nothing is changed on other devices. The settings are as they were afterwards.
    """
    if not is_cuda(device):
        yield
        return
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield
