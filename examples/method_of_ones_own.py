"""A method of one's own, run beside one that comes with the suite; nothing is installed for it.

python examples/method_of_ones_own.py
"""

from dataclasses import dataclass

from nasbench_suite import leaderboard, run
from nasbench_suite.tasks import Method, Session


@dataclass
class Climber(Method):
    """Move to a random neighbour whenever it is no worse; begin anew after some failures.

    Attributes:
        patience: neighbours in a row that may be worse.
    """

    patience: int = 20

    def start(self, session: Session) -> None:
        """Begin anywhere."""
        self.restart(session)

    def restart(self, session: Session) -> None:
        """Begin anew anywhere."""
        self.here = session.space.sample(session.rng)
        self.worth = session.evaluate(self.here)
        self.failures = 0

    def step(self, session: Session) -> None:
        """Try one neighbour."""
        if self.failures >= self.patience:
            self.restart(session)
            return
        neighbour = session.space.mutate(self.here, session.rng)
        worth = session.evaluate(neighbour)
        if worth >= self.worth:
            self.here, self.worth, self.failures = neighbour, worth, 0
        else:
            self.failures += 1


methods = ["random", ("climber", Climber()), ("climber", Climber(patience=5))]
run("digits", methods, seeds=range(10), evaluations=100, store="own.sqlite")
print(leaderboard("own.sqlite")[["method", "iqm", "low", "high"]].to_string(index=False))
