"""A Gaussian process on the latent of a graph VAE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.predictors import Examples
from nasbench_suite.spaces import listed
from search_methods.graph_vae.checkpoint import embedded_checkpoint
from search_methods.graph_vae.embedding import load_embedding
from search_methods.predictors.gaussian_process import GaussianProcess

Array = NDArray[np.float64]


@dataclass
class LatentProcess(GaussianProcess):
    """A Gaussian process on the embedding by the graph VAE that comes with the suite.

    The accuracy head of the graph-VAE search, without the mean over twins. The embedding was
    trained without any accuracy; it is there for spaces that the suite has a model of.
    """

    encoding: Literal["latent"] = "latent"  # type: ignore[assignment]

    def describe(self, examples: Examples) -> Array:
        """The posterior means of the latent, shape (n, d).

        Raises:
            SuiteError: the suite has no model of the space.
        """
        space = examples.space.name
        try:
            embedded_checkpoint(space)
        except SuiteError:
            raise SuiteError(
                f"gp-latent reads the graph VAE that comes with the suite, and there is none of "
                f"space {space!r}: choose another predictor, such as gp."
            ) from None
        latents = load_embedding(listed(examples.space).name).latents
        described: Array = latents[np.asarray(examples.architectures)]
        return described
