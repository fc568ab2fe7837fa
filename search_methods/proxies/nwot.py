"""NWOT: NAS without training."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from nasbench_suite.proxies import Proxy, Subject
from search_methods.proxies.passes import hooked, sound


class Nwot(Proxy):
    """The log-determinant of how often two images agree in which rectifiers let them through.

    Mellor, Turner, Storkey and Crowley, *Neural architecture search without training*, ICML 2021
    (BayesWatch/nas-without-training).
    """

    packages = ("torch",)

    def score(self, subject: Subject) -> float:
        """See ``Proxy``."""
        network = subject.network()
        images, _ = subject.tensors()
        agreements = np.zeros((len(images), len(images)))

        def see(_: nn.Module, inputs: tuple[Tensor, ...], __: Tensor) -> None:
            active = (inputs[0].flatten(1) > 0).float()
            shared = (active @ active.T).double()
            through = shared.diagonal()
            # Units that let both images through, and those that let neither: counts, so exact.
            neither = active.shape[1] - through[:, None] - through[None, :] + shared
            nonlocal agreements
            agreements = agreements + (shared + neither).cpu().numpy()

        hooked(network, lambda layer: isinstance(layer, nn.ReLU), see)
        with torch.no_grad():
            network(images)
        return sound(float(np.linalg.slogdet(agreements)[1]))
