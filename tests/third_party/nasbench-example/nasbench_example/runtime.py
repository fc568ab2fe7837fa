"""A runtime."""

import numpy as np

from hardware.runtimes import Runtime


class Constant(Runtime):
    """Answers at once, whatever the network."""

    def prepare(self, network, options):
        scores = np.zeros((options.batch, network.setting.classes), dtype=np.float32)
        return lambda: scores
