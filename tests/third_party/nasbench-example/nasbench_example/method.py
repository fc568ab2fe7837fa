"""A search method."""

from dataclasses import dataclass

from nasbench_suite.tasks import Method, Session


@dataclass
class CoordinateDescent(Method):
    """Go to the best neighbour seen until none is better, then begin anew.

    Attributes:
        patience: neighbours tried in vain before it begins anew.
    """

    patience: int = 10

    def start(self, session: Session) -> None:
        self.begin(session)

    def begin(self, session: Session) -> None:
        self.vain = 0
        self.here = session.space.sample(session.rng)
        self.worth = session.evaluate(self.here)

    def step(self, session: Session) -> None:
        if self.vain == self.patience:
            self.begin(session)
            return
        neighbour = session.space.mutate(self.here, session.rng)
        worth = session.evaluate(neighbour)
        if worth > self.worth:
            self.here, self.worth, self.vain = neighbour, worth, 0
        else:
            self.vain += 1
