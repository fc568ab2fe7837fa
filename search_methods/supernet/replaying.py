"""A supernet whose passes are recorded once as CUDA graphs and replayed.

The kernels of a search at reduced size are so small that a GPU waits for the processor to launch
them: a graph launches all of a pass at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from search_methods.supernet.cell import Mix
from search_methods.supernet.network import Supernet


class Flat(nn.Module):
    """A supernet as a function of tensors alone, which is what can be recorded."""

    def __init__(self, supernet: Supernet) -> None:
        super().__init__()
        self.supernet = supernet

    def forward(self, images: Tensor, *operations: Tensor) -> Tensor:
        """Class scores, under mixes of these weights of the candidates."""
        scores: Tensor = self.supernet(images, [Mix(weights) for weights in operations])
        return scores


class Replayed:
    """Class scores of a supernet, by replaying where what is asked is what was recorded.

    Recorded is a whole batch under mixes that have weights of all candidates and nothing else; any
    other call, and any under a hook, goes to the supernet itself. The gradients are of the first
    order.

    Args:
        supernet: on a CUDA device; records draw nothing at random, so without dropped paths.
        images: the shape of a whole batch.
        record: what records a module for samples of its arguments, with which it can be tried
            without a GPU.
    """

    def __init__(
        self,
        supernet: Supernet,
        images: Sequence[int],
        record: Callable[[nn.Module, tuple[Tensor, ...]], Callable[..., Tensor]] | None = None,
    ) -> None:
        device = next(supernet.parameters()).device
        batch = torch.zeros(*images, device=device).contiguous(memory_format=torch.channels_last)
        weights = [
            torch.zeros(layout.shape, device=device, requires_grad=True)
            for layout in supernet.layouts
        ]
        self._supernet, self._shape = supernet, tuple(images)
        self._modules = list(supernet.modules())
        recorded = (record or torch.cuda.make_graphed_callables)(Flat(supernet), (batch, *weights))
        self._replay: Callable[..., Tensor] = recorded  # type: ignore[assignment]  # as it is given

    def __call__(self, images: Tensor, mixes: Sequence[Mix]) -> Tensor:
        """See ``Supernet.forward``."""
        as_recorded = tuple(images.shape) == self._shape and all(map(_plain, mixes))
        if not as_recorded or any(module._forward_pre_hooks for module in self._modules):
            scores: Tensor = self._supernet(images, mixes)
        else:
            scores = self._replay(images, *(mix.operations for mix in mixes))
        return scores


def _plain(mix: Mix) -> bool:
    """Whether a mix has weights of all candidates and nothing else."""
    return mix.edges is None and mix.active is None and mix.constants is None and not mix.auxiliary
