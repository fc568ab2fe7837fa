"""A runtime."""

import numpy as np

from hardware.runtimes import Runtime, make_images, torch_module
from nasbench_suite.errors import SuiteError


class OneByOne(Runtime):
    """PyTorch, an image after the other."""

    packages = ("torch",)

    def prepare(self, network, options):
        import torch

        if options.device != "cpu" or options.precision != "float32":
            raise SuiteError("Runtime 'one-by-one' computes in float32 on a processor alone.")
        module = torch_module(network)
        images = torch.from_numpy(make_images(network, options.batch))
        return lambda: np.concatenate([module(image[None]).numpy() for image in images])
