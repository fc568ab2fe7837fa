"""MeCo."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from nasbench_suite.adding import add_up
from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import hooked, sound


class MeCo(Proxy):
    """The sum over layers of the smallest eigenvalue of the correlations between channels.

    Jiang, Wang and Bie, *MeCo: Zero-shot NAS with one data and single forward pass via minimum
    eigenvalue of correlation*, NeurIPS 2023 (HamsterMimi/MeCo): of the feature maps of one image,
    after every module of the network. Where the authors' modules are nested, ours are not: every
    layer counts once here, and the whole network once more.
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        smallest: list[float] = []

        def see(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
            channels = output[0].detach().reshape(len(output[0]), -1)
            if channels.shape[1] < 2:
                return  # nothing correlates over one position: the authors' eigenvalue is 0
            correlations = torch.corrcoef(channels)
            correlations = torch.nan_to_num(correlations, nan=0.0, posinf=0.0, neginf=0.0)
            if correlations.dim() == 2:
                smallest.append(float(torch.linalg.eigvalsh(correlations.double())[0]))

        network = subject.network()
        hooked(network, lambda layer: not isinstance(layer, nn.ModuleList), see)
        images, _ = subject.tensors()
        with torch.no_grad():
            network(images)
        return sound(add_up(smallest))
