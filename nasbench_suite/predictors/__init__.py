"""Performance predictors: what learns figures of architectures from some that have them.

A further predictor is one file with a dataclass below ``Predictor``, and one line under the entry
point group ``nasbench_suite.predictors``.
"""

from __future__ import annotations

from nasbench_suite.predictors.examples import Examples
from nasbench_suite.predictors.making import make_predictor, predictor_label
from nasbench_suite.predictors.predictor import EnsemblePredictor, Prediction, Predictor

__all__ = [
    "EnsemblePredictor",
    "Examples",
    "Prediction",
    "Predictor",
    "make_predictor",
    "predictor_label",
]
