"""REINFORCE over independent categorical decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from nasbench_suite.errors import SuiteError
from nasbench_suite.tasks.method import Method, Session

# Adam's own defaults (Kingma and Ba, 2015), which NATS-Bench keeps.
_BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8


@dataclass
class Reinforce(Method):
    """Raise the probability of the choices that did better than the moving average.

    Williams, *Simple statistical gradient-following algorithms for connectionist reinforcement
    learning*, Machine Learning 1992; for architectures Zoph and Le, ICLR 2017, whose recurrent
    controller is here, as in the comparisons of NAS-Bench-101 (Ying et al., ICML 2019) and
    NATS-Bench (Dong et al., TPAMI 2021), one categorical distribution a decision.

    The policy starts uniform. The baseline is a bias-corrected moving average that includes the
    present reward, as in both. The defaults are NATS-Bench's (AutoDL-Projects,
    ``exps/NATS-algos/run-all.sh``): Adam at 0.01, momentum 0.9; its logits start at Gaussian
    noise of 0.001, ours at 0. NAS-Bench-101's code ascends by plain gradient steps of 0.1 on
    accuracies from 0 to 1; Adam does not depend on the unit of the reward, so it is kept here.

    Attributes:
        learning_rate: step size of Adam.
        momentum: weight of the past in the baseline.
    """

    title: ClassVar[str] = "REINFORCE"
    approach: ClassVar[str] = "black box"

    needs_parameters: ClassVar[bool] = True
    draws_first: ClassVar[bool] = False

    learning_rate: float = 0.01
    momentum: float = 0.9

    def __post_init__(self) -> None:
        if not 0 < self.learning_rate < np.inf:
            raise SuiteError(
                f"A learning rate of {self.learning_rate} teaches nothing: "
                f"choose a learning_rate above 0."
            )
        if not 0 <= self.momentum < 1:
            raise SuiteError(
                f"A baseline cannot have momentum {self.momentum}: "
                f"choose a momentum of at least 0 and below 1."
            )

    def start(self, session: Session) -> None:
        """Begin with the uniform policy."""
        choices = np.array(session.space.parameters)
        # One row a decision; what is beyond its options has logit -inf, hence no probability.
        self.logits = np.where(np.arange(choices.max()) < choices[:, None], 0.0, -np.inf)
        self.first_moment = np.zeros_like(self.logits)
        self.second_moment = np.zeros_like(self.logits)
        self.reward_sum = self.reward_weight = 0.0
        self.steps = 0

    def step(self, session: Session) -> None:
        """Sample an architecture, evaluate it, and follow the policy gradient once."""
        # The largest logit after adding Gumbel noise is a draw from the softmax.
        noise = session.rng.gumbel(size=self.logits.shape)
        actions = np.argmax(self.logits + noise, axis=1)
        reward = session.evaluate(session.space.closest(actions))
        if not np.isfinite(reward):  # a training that failed tells of no direction
            return
        self.reward_sum = self.momentum * self.reward_sum + (1 - self.momentum) * reward
        self.reward_weight = self.momentum * self.reward_weight + (1 - self.momentum)
        advantage = reward - self.reward_sum / self.reward_weight
        self._ascend(advantage * score_function(self.logits, actions))

    def _ascend(self, gradient: NDArray[np.float64]) -> None:
        """One step of Adam uphill."""
        self.steps += 1
        self.first_moment += (1 - _BETA_1) * (gradient - self.first_moment)
        self.second_moment += (1 - _BETA_2) * (gradient**2 - self.second_moment)
        mean = self.first_moment / (1 - _BETA_1**self.steps)
        scale = np.sqrt(self.second_moment / (1 - _BETA_2**self.steps)) + _EPSILON
        self.logits += self.learning_rate * mean / scale


def score_function(
    logits: NDArray[np.float64], actions: NDArray[np.integer]
) -> NDArray[np.float64]:
    """The gradient of the log-likelihood of ``actions`` with respect to ``logits``.

    Args:
        logits: shape (decisions, options); -inf where there is no such option.
        actions: the option taken at each decision, shape (decisions,).

    Returns:
        One at the option taken minus the probabilities, shape (decisions, options).
    """
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    gradient: NDArray[np.float64] = -weights / weights.sum(axis=1, keepdims=True)
    gradient[np.arange(len(actions)), actions] += 1.0
    return gradient
