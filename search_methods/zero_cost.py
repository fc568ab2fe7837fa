"""Zero-cost search, and the warm start of any method by zero-cost proxies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from nasbench_suite.tasks.method import Session
from search_methods.ranking import Scoring
from search_methods.warm_starting import Warmed


@dataclass
class ZeroCost(Scoring):
    """Score architectures without training, and evaluate the best of them, best first.

    Abdelfattah, Mehrotra, Dudziak and Lane, *Zero-cost proxies for lightweight NAS*, ICLR 2021,
    section 4. Several proxies are assembled by ranks (Lee and Ham, *AZ-NAS*, CVPR 2024).

    Attributes:
        proxies: names, as ``synflow`` or ``nwot+synflow``.
        scores: a table of scores, by its file or the name of a benchmark of them; empty to compute
            them on the networks.
        candidates: how many architectures are drawn and scored; 0 for all of the space.
        images: the data set that proxies are computed on, where they are computed.
        seconds_each: simulated seconds that a score costs, where a table does not say.
    """

    title: ClassVar[str] = "Zero-cost search"

    def start(self, session: Session) -> None:
        """Rank the candidates."""
        self.queue = self.rank(session)[::-1]

    @property
    def finished(self) -> bool:
        """Whether every candidate has been evaluated."""
        return not self.queue

    def step(self, session: Session) -> None:
        """Evaluate the next best."""
        session.evaluate(self.queue.pop())


@dataclass
class WarmStart(Scoring, Warmed):
    """Another method, which begins with what zero-cost proxies think best.

    The first architectures that the method draws at random are the best by the proxies; all else
    is the method's. Abdelfattah et al., ICLR 2021, section 4.2 (warm-up); White et al., *How
    powerful are performance predictors*, NeurIPS 2021.

    Attributes:
        method: name of the method, with its default hyper-parameters.
        num_warm: how many of its first architectures are the proxies' best.
        proxies: names, as ``synflow`` or ``nwot+synflow``.
        scores: a table of scores, by its file or the name of a benchmark of them; empty to compute
            them on the networks.
        candidates: how many architectures are drawn and scored; 0 for all of the space.
        images: the data set that proxies are computed on, where they are computed.
        seconds_each: simulated seconds that a score costs, where a table does not say.
    """

    title: ClassVar[str] = "Warm start"

    def __post_init__(self) -> None:
        Scoring.__post_init__(self)
        Warmed.__post_init__(self)

    def choose(self, session: Session) -> list[Any]:
        """The ranking."""
        return self.rank(session)
