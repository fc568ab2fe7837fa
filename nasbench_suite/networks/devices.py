"""Where networks are trained: a device that is there, and that gives the same bits every time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from nasbench_suite.errors import SuiteError


def check_device(device: str) -> None:
    """Refuse a device that is not there.

    Raises:
        SuiteError: torch knows no such device, or sees none.
    """
    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        line = str(error).splitlines()[0]
        raise SuiteError(
            f"Nothing can be trained on device {device!r} ({line}): choose cpu."
        ) from None


def is_cuda(device: str) -> bool:
    """Whether a device's name is that of a GPU of CUDA."""
    return device.startswith("cuda")


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
