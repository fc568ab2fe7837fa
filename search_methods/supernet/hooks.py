"""Seeing what modules put out, for as long as it is of interest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from torch import nn


@contextmanager
def forward_hooks(hooks: Iterable[tuple[nn.Module, Callable[..., Any]]]) -> Iterator[None]:
    """Call functions with a module, its inputs and its output in every forward pass inside.

    Args:
        hooks: each module, and what is called after it; the results are ignored or, as torch has
            it, take the place of the output.
    """
    with ExitStack() as registered:
        for module, see in hooks:
            registered.callback(module.register_forward_hook(see).remove)
        yield
