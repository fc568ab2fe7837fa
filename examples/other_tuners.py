"""SMAC and DEHB as methods, on the budget and the board of ours.

pip install smac dehb 'pyarrow<23'
python examples/other_tuners.py
"""

import os
from dataclasses import dataclass
from tempfile import mkdtemp

# DEHB says every step, unless its logger is told otherwise before it is imported.
os.environ.setdefault("LOGURU_LEVEL", "ERROR")

from dehb import DEHB
from smac import HyperparameterOptimizationFacade, Scenario
from smac.runhistory.dataclasses import TrialValue

from nasbench_suite import leaderboard, run
from nasbench_suite.spaces.exchange import architecture_of, config_space
from nasbench_suite.tasks import Method, Session

EVALUATIONS = 40


@dataclass
class Smac(Method):
    """SMAC3's facade for hyperparameters: random forests over the choices.

    Attributes:
        trials: what its initial design is at most a quarter of.
    """

    trials: int = EVALUATIONS

    def start(self, session: Session) -> None:
        """Begin with SMAC's own initial design."""
        scenario = Scenario(
            config_space(session.space),
            n_trials=self.trials,
            seed=int(session.rng.integers(2**31)),
            output_directory=mkdtemp(),
        )
        self.tuner = HyperparameterOptimizationFacade(
            scenario, lambda config, seed: 0.0, logging_level=40, overwrite=True
        )

    def step(self, session: Session) -> None:
        """Ask SMAC, and tell it what came of it."""
        info = self.tuner.ask()
        worth = session.evaluate(architecture_of(session.space, dict(info.config)))
        self.tuner.tell(info, TrialValue(cost=-worth))


@dataclass
class Dehb(Method):
    """DEHB: differential evolution within Hyperband's brackets, at the epochs that the task has."""

    def start(self, session: Session) -> None:
        """Begin at the fewest epochs."""
        seed = int(session.rng.integers(2**31))
        self.tuner = DEHB(
            cs=config_space(session.space, seed),
            min_fidelity=min(session.fidelities),
            max_fidelity=max(session.fidelities),
            eta=2,
            seed=seed,
            n_workers=1,
            output_path=mkdtemp(),
            save_freq="end",
        )

    def step(self, session: Session) -> None:
        """Ask DEHB; brief trainings cost their share of a full one."""
        job = self.tuner.ask()
        architecture = architecture_of(session.space, dict(job["config"]))
        epochs = min(session.fidelities, key=lambda known: abs(known - job["fidelity"]))
        worth = session.evaluate(architecture, epochs)
        self.tuner.tell(job, {"fitness": -worth, "cost": epochs})


if __name__ == "__main__":
    methods = ["random", ("smac", Smac()), ("dehb", Dehb())]
    run("digits", methods, seeds=range(3), evaluations=EVALUATIONS, store="tuners.sqlite")
    print(leaderboard("tuners.sqlite")[["method", "seeds", "iqm"]].to_string(index=False))
