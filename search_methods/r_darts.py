"""DARTS-ES, DARTS-ADA and R-DARTS: what the sharpness of the loss in the architecture suggests."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from nasbench_suite.errors import SuiteError
from nasbench_suite.parsing import check_counts, check_not_negative, check_portions, check_positive
from nasbench_suite.tasks import Session
from search_methods.supernet.search import DifferentiableSearch
from search_methods.supernet.succession import Succession


@dataclass
class DartsEarlyStop(DifferentiableSearch):
    """Zela et al., *Understanding and Robustifying DARTS*, ICLR 2020 (arXiv 1909.09656), DARTS-ES.

    The largest eigenvalue of the Hessian of the validation loss in α is read in every other epoch.
    When its moving average has grown by ``factor`` within ``delay`` readings, the search stops
    and returns the architecture from before the growth (section 4.3; code: automl/RobustDARTS,
    ``EVLocalAvg`` of src/utils.py). As there, epochs are counted from 0: readings follow epochs 0,
    2, 4 and so on.

    Attributes:
        window: readings in the centred moving average.
        delay: readings between the averages that are compared.
        factor: how much the later may exceed the earlier.
        first: the earliest epoch that may be returned, counted from 0.
    """

    title: ClassVar[str] = "DARTS-ES"
    summary: ClassVar[str] = "DARTS that stops once the dominant eigenvalue rises."

    eigenvalue_every: int = 2
    window: int = 5
    delay: int = 4
    factor: float = 1.3
    first: int = 10

    eigenvalues: list[float] = field(default_factory=list, init=False, repr=False)
    derived: list[Sequence[int]] = field(default_factory=list, init=False, repr=False)
    stopped: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(self.title, self, "eigenvalue_every window delay")
        check_not_negative(self.title, self, "factor first")

    def start(self, session: Session) -> None:
        """No readings yet."""
        self.eigenvalues, self.derived, self.stopped = [], [], False
        super().start(session)

    @property
    def reads_eigenvalue(self) -> bool:
        """After the first epoch, and every so many behind it."""
        return (self.epoch - 1) % self.eigenvalue_every == 0

    def step(self, session: Session) -> None:
        """An epoch; after it perhaps the end, with an earlier architecture."""
        super().step(session)
        self.derived.append(self.derive())
        if not self.reads_eigenvalue:
            return
        self.eigenvalues.append(session.diagnostics[-1].value.item())
        if (returned := self.stop_epoch()) is not None:
            self.stop(session, returned)

    def stop(self, session: Session, returned: int) -> None:
        """End the search with the architecture of an epoch, counted from 0."""
        self.stopped = True
        session.recommend(self.derived[returned])

    def stop_epoch(self) -> int | None:
        """The epoch, counted from 0, whose architecture is returned, if the criterion is met."""
        last = self.epoch - 1
        centre = last - self.eigenvalue_every * (self.window // 2)
        earlier = centre - self.eigenvalue_every * self.delay
        if earlier < self.first or self.epoch >= self.epochs:
            return None
        readings = len(self.eigenvalues)
        now, before = (self.average(end) for end in (readings, readings - self.delay))
        return earlier if now / before > self.factor else None

    def average(self, end: int) -> float:
        """The mean of the last readings of the window that ends before ``end``."""
        return float(np.mean(self.eigenvalues[max(0, end - self.window) : end]))

    @property
    def finished(self) -> bool:
        """Stopped early, or all epochs over."""
        return self.stopped or super().finished

    def state(self) -> dict[str, Any]:
        """The readings too."""
        return {
            **super().state(),
            "eigenvalues": self.eigenvalues,
            "derived": self.derived,
            "stopped": self.stopped,
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.eigenvalues, self.derived = list(state["eigenvalues"]), list(state["derived"])
        self.stopped = state["stopped"]


@dataclass
class DartsAdaptive(DartsEarlyStop):
    """Zela et al., *Understanding and Robustifying DARTS*, ICLR 2020 (arXiv 1909.09656), DARTS-ADA.

    Where DARTS-ES would stop, the search goes back to the epoch that it would return, multiplies
    the weight decay, and goes on from there, until the decay has reached its largest value
    (section 5.1; code: automl/RobustDARTS, ``early_stop == 3`` of src/search/train_search.py).

    Attributes:
        growth: what the weight decay is multiplied by.
        weight_decay_max: of the weights; from here on the search is not stopped any more.
    """

    title: ClassVar[str] = "DARTS-ADA"
    summary: ClassVar[str] = "DARTS whose weight decay grows when the dominant eigenvalue rises."

    growth: float = 3.0
    weight_decay_max: float = 243e-4

    past: dict[int, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(self.title, self, "weight_decay weight_decay_max")
        check_portions(self.title, self, "weight_decay_max")
        if not 1 < self.growth < math.inf:  # by 1 the same epochs would come again for ever
            raise SuiteError(
                f"DARTS-ADA cannot work with growth={self.growth}: give a number above 1."
            )

    def start(self, session: Session) -> None:
        """Nothing to go back to yet."""
        self.past = {}
        super().start(session)

    def step(self, session: Session) -> None:
        """An epoch, whose end is remembered for as long as the search may come back to it."""
        super().step(session)
        if self.reads_eigenvalue:
            reach = self.eigenvalue_every * (self.window // 2 + self.delay + 1)
            recent = {e: s for e, s in self.past.items() if self.epoch - e <= reach}
            self.past = {**recent, self.epoch: copy.deepcopy(super().state())}

    def stop(self, session: Session, returned: int) -> None:
        """Go back, with more weight decay."""
        decay, largest = self.weight_decay_now, self.weight_decay_max
        if decay > largest or round(math.log(largest) / math.log(decay), 1) == 1.0:
            return
        super().load_state(self.past[returned + 1])
        self.weight_optimizer.param_groups[0]["weight_decay"] = decay * self.growth

    @property
    def weight_decay_now(self) -> float:
        """The weight decay of the next epoch."""
        return float(self.weight_optimizer.param_groups[0]["weight_decay"])

    def state(self) -> dict[str, Any]:
        """The epochs to come back to as well."""
        return {**super().state(), "past": self.past}

    def load_state(self, state: dict[str, Any]) -> None:
        """Take up what ``state`` gave."""
        super().load_state(state)
        self.past = dict(state["past"])


@dataclass
class RDarts(Succession):
    """Zela et al., *Understanding and Robustifying DARTS*, ICLR 2020 (arXiv 1909.09656), R-DARTS.

    DARTS is run four times under more and more regularisation, and the best of the four
    architectures is returned (section 5.2): weight decays of 3e-4, 9e-4, 27e-4 and 81e-4 in R-DARTS
    (L2), drop path probabilities of 0, 0.2, 0.4 and 0.6 with cutout in R-DARTS (DP), both of which
    grow from zero to the last epoch (code: automl/RobustDARTS, src/search/train_search.py). The
    authors train the four from scratch to choose; here each costs one evaluation of the task.

    Attributes:
        regularisation: ``l2`` or ``drop-path``.
    """

    title: ClassVar[str] = "R-DARTS"
    summary: ClassVar[str] = (
        "The best of four searches by DARTS under more and more regularisation."
    )

    regularisation: Literal["l2", "drop-path"] = "l2"

    strengths_of: ClassVar[dict[str, tuple[float, ...]]] = {
        "l2": (3e-4, 9e-4, 27e-4, 81e-4),
        "drop-path": (0.0, 0.2, 0.4, 0.6),
    }

    @property
    def total(self) -> int:
        """One search for each strength."""
        return len(self.strengths_of[self.regularisation])

    def vary(self) -> None:
        """Set the strength of the regularisation."""
        strength = self.strengths_of[self.regularisation][self.done]
        if self.regularisation == "l2":
            self.weight_decay = strength
        else:
            self.drop_path, self.cutout = strength, 0.5 if strength else 0.0
