"""Loggers: what ``on_evaluation`` is given, written where others watch their experiments.

Each writes one run a trial, with the best signal so far beside every signal::

    with TensorBoardLogger("runs") as log:
        run("digits", "random", seeds=3, on_evaluation=log)

The packages are extras: ``tensorboard``, ``wandb``, ``mlflow``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Self

from nasbench_suite.errors import need_package
from nasbench_suite.runner.messages import Evaluation


class Logger(ABC):
    """Writes every evaluation of every trial somewhere.

    Args:
        maximize: whether larger signals are better.
    """

    def __init__(self, *, maximize: bool = True) -> None:
        self._maximize = maximize
        self._trial: tuple[str, str, int] | None = None
        self._best = float("nan")

    def __call__(self, evaluation: Evaluation) -> None:
        """Take note of an evaluation; the first one of a trial begins a new run."""
        trial = evaluation.task, evaluation.method, evaluation.seed
        if trial != self._trial:
            self.close()
            self._trial, self._best = trial, float("nan")
            self.begin(evaluation)
        signal = evaluation.signals[0]
        if not (self._best >= signal if self._maximize else self._best <= signal):
            self._best = signal if signal == signal else self._best
        figures = {"signal": signal, "best": self._best, "seconds": evaluation.seconds}
        self.log({name: value for name, value in figures.items() if value == value}, evaluation)

    @abstractmethod
    def begin(self, evaluation: Evaluation) -> None:
        """Begin a run for the trial of this evaluation."""

    @abstractmethod
    def log(self, figures: dict[str, float], evaluation: Evaluation) -> None:
        """Write the figures of one evaluation."""

    def close(self) -> None:  # noqa: B027 (optional)
        """End the run that was begun last, if any."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _name(evaluation: Evaluation) -> str:
    return f"{evaluation.task}/{evaluation.method}/{evaluation.seed}"


class TensorBoardLogger(Logger):
    """Event files for TensorBoard, a folder a trial.

    Args:
        folder: where to write.
        maximize: whether larger signals are better.

    Raises:
        SuiteError: tensorboard is not installed.
    """

    def __init__(self, folder: str | Path, *, maximize: bool = True) -> None:
        need_package("TensorBoardLogger", "tensorboard", "tensorboard")
        super().__init__(maximize=maximize)
        self.folder = Path(folder)
        self._writer: Any = None

    def begin(self, evaluation: Evaluation) -> None:
        """Open the event file of a trial."""
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(self.folder / _name(evaluation)))

    def log(self, figures: dict[str, float], evaluation: Evaluation) -> None:
        """Write scalars at the number of the evaluation."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in figures.items()]
        self._writer.add_event(Event(step=evaluation.number, summary=Summary(value=values)))

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


class WandbLogger(Logger):
    """Runs of Weights & Biases, grouped by task and method.

    Args:
        project: name of the project.
        maximize: whether larger signals are better.
        settings: whatever else ``wandb.init`` takes, such as ``mode="offline"``.

    Raises:
        SuiteError: wandb is not installed.
    """

    def __init__(self, project: str, *, maximize: bool = True, **settings: Any) -> None:
        need_package("WandbLogger", "wandb", "wandb")
        super().__init__(maximize=maximize)
        self.project, self.settings = project, settings
        self._run: Any = None

    def begin(self, evaluation: Evaluation) -> None:
        """Begin a run."""
        import wandb

        self._run = wandb.init(
            project=self.project,
            name=_name(evaluation),
            group=f"{evaluation.task}/{evaluation.method}",
            config={
                "task": evaluation.task,
                "method": evaluation.method,
                "seed": evaluation.seed,
            },
            reinit=True,
            **self.settings,
        )

    def log(self, figures: dict[str, float], evaluation: Evaluation) -> None:
        """Log a step."""
        self._run.log(figures, step=evaluation.number)

    def close(self) -> None:
        """Finish the run."""
        if self._run is not None:
            self._run.finish()
            self._run = None


class MLflowLogger(Logger):
    """Runs of an MLflow experiment.

    Args:
        experiment: its name.
        maximize: whether larger signals are better.

    Raises:
        SuiteError: mlflow is not installed.
    """

    def __init__(self, experiment: str, *, maximize: bool = True) -> None:
        need_package("MLflowLogger", "mlflow", "mlflow")
        super().__init__(maximize=maximize)
        self.experiment = experiment
        self._open = False

    def begin(self, evaluation: Evaluation) -> None:
        """Begin a run."""
        import mlflow

        mlflow.set_experiment(self.experiment)
        mlflow.start_run(run_name=_name(evaluation))
        mlflow.log_params(
            {"task": evaluation.task, "method": evaluation.method, "seed": evaluation.seed}
        )
        self._open = True

    def log(self, figures: dict[str, float], evaluation: Evaluation) -> None:
        """Log a step."""
        import mlflow

        mlflow.log_metrics(figures, step=evaluation.number)

    def close(self) -> None:
        """End the run."""
        if self._open:
            import mlflow

            mlflow.end_run()
            self._open = False


__all__ = ["Logger", "MLflowLogger", "TensorBoardLogger", "WandbLogger"]
