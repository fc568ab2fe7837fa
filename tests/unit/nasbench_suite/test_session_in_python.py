"""What a session in Python does: run, look, drive a search, talk to other tuners and loggers."""

from __future__ import annotations

import re
import sqlite3
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from nasbench_suite import Experiment, Search, load_space, make_task, run
from nasbench_suite.analysis.results import choose_task, read_results
from nasbench_suite.benchmarks import Benchmark
from nasbench_suite.errors import SuiteError
from nasbench_suite.loggers import MLflowLogger, TensorBoardLogger, WandbLogger
from nasbench_suite.runner import Evaluation, Trial
from nasbench_suite.runner.messages import TrialDone
from nasbench_suite.runner.progress import Bar, duration
from nasbench_suite.spaces.exchange import architecture_of, config_space, optuna_distributions
from nasbench_suite.store import ResultStore
from nasbench_suite.tasks import Method, Session
from search_methods.optuna_sampler import OptunaSampler
from search_methods.random_search import RandomSearch


@dataclass
class MyMethod(Method):
    """Draws twice and keeps nothing."""

    draws: int = 2

    def step(self, session: Session) -> None:
        for _ in range(self.draws):
            session.evaluate(session.space.sample(session.rng))


@pytest.fixture(scope="module")
def experiment(toy: Benchmark, tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    path = tmp_path_factory.mktemp("session") / "r.sqlite"
    methods = [MyMethod, MyMethod(draws=3), "local-search", RandomSearch]
    return run(toy, methods, seeds=4, store=path, evaluations=20)


# -- running ---------------------------------------------------------------------------------------


def test_classes_and_methods_run_under_their_names(experiment: Experiment) -> None:
    assert experiment.finished == 16
    assert set(experiment.trials["method"]) == {
        *("my-method", "my-method[draws=3]", "local-search", "random"),
    }
    assert sorted(experiment.trials["seed"].unique()) == [0, 1, 2, 3]


def test_a_class_and_its_registered_name_are_one_method(toy: Benchmark, tmp_path: Path) -> None:
    first = run(toy, "random", seeds=2, store=tmp_path / "r.sqlite", evaluations=5)
    again = run(toy, [RandomSearch()], seeds=2, store=tmp_path / "r.sqlite", evaluations=5.0)
    assert (first.finished, again.finished, again.skipped) == (2, 0, 2)


@dataclass
class Demanding(MyMethod):
    """It cannot be made without saying this."""

    needed: int = field(kw_only=True)


@pytest.mark.parametrize(
    ("methods", "why"),
    [
        ([dict], "is no method"),
        ([("mine", dict)], "is no method"),
        ([(3, MyMethod())], "is no method"),
        ([("mine", MyMethod(), 3)], "is no method"),
        ([3], "is no method"),
        (Demanding, "cannot be made without settings .*needed"),
        ([], "No method is named"),
    ],
)
def test_what_is_no_method_is_refused(
    toy: Benchmark, tmp_path: Path, methods: Any, why: str
) -> None:
    with pytest.raises(SuiteError, match=why):
        run(toy, methods, store=tmp_path / "r.sqlite")


@pytest.mark.parametrize("methods", [("mine", MyMethod()), [("mine", MyMethod)]])
def test_a_pair_is_one_method_by_that_name(toy: Benchmark, tmp_path: Path, methods: Any) -> None:
    made = run(toy, methods, seeds=1, store=tmp_path / "r.sqlite", evaluations=3)
    assert list(made.trials["method"]) == ["mine"]


@pytest.mark.parametrize(
    ("seeds", "meant"),
    [
        (3, [0, 1, 2]),
        ("0-1,4", [0, 1, 4]),
        (range(2), [0, 1]),
        (np.arange(2), [0, 1]),
        ((5, 5), [5]),
    ],
)
def test_seeds_are_a_number_numbers_or_text(
    toy: Benchmark, tmp_path: Path, seeds: Any, meant: list[int]
) -> None:
    made = run(toy, "random", seeds=seeds, store=tmp_path / "r.sqlite", evaluations=3)
    assert list(made.trials["seed"]) == meant


@pytest.mark.parametrize(
    ("seeds", "why"),
    [
        (2.5, "are no seeds: give a number"),
        ([1.5], "are no seeds"),
        (["a"], "are no seeds"),
        (None, "are no seeds"),
        ("a", "no list of seeds"),
        (-1, "No seed is given"),
        ([-1], "Seed -1 is impossible"),
        ([], "No seed is given"),
    ],
)
def test_what_are_no_seeds_is_told(toy: Benchmark, tmp_path: Path, seeds: Any, why: str) -> None:
    with pytest.raises(SuiteError, match=why):
        run(toy, "random", seeds=seeds, store=tmp_path / "r.sqlite", evaluations=3)


@dataclass
class Held(Method):
    """A method with a hyper-parameter of any kind."""

    k: Any = 5

    def step(self, session: Session) -> None:
        session.evaluate(session.space.sample(session.rng))


@pytest.mark.parametrize(
    ("methods", "budget", "why"),
    [
        (Held(k={1, 2}), 3, r"k of held is \{1, 2\}, which no results file can hold"),
        (("", Held()), 3, "'' is no name of a method"),
        ((" held", Held()), 3, "' held' is no name of a method"),
        ("random", "x", "A budget of x evaluations is impossible"),
    ],
)
def test_what_no_file_can_hold_is_told(
    toy: Benchmark, tmp_path: Path, methods: Any, budget: Any, why: str
) -> None:
    with pytest.raises(SuiteError, match=why):
        run(toy, methods, seeds=1, store=tmp_path / "r.sqlite", evaluations=budget)


def test_a_budget_is_one_whether_whole_or_not(toy: Benchmark, tmp_path: Path) -> None:
    """A file from before: its task gets the key of today, and nothing is run again."""
    assert make_task(toy, evaluations=12).key == make_task(toy, evaluations=12.0).key
    path = tmp_path / "r.sqlite"
    run(toy, "random", seeds=2, store=path, evaluations=12)
    with sqlite3.connect(path) as file:
        (config,) = file.execute("SELECT config FROM tasks").fetchone()
        old = config.replace("12.0", "12")
        assert old != config
        file.execute("UPDATE tasks SET key = 'before', seal = NULL, config = ?", (old,))
    file.close()
    again = run(toy, "random", seeds=2, store=path, evaluations=12)
    assert (again.finished, again.skipped) == (0, 2)
    with ResultStore(path, read_only=True) as store:
        assert list(store.tasks()) == [make_task(toy, evaluations=12).key]


def test_every_evaluation_is_told_in_order(toy: Benchmark, tmp_path: Path) -> None:
    told: list[Evaluation] = []
    made = run(
        toy,
        "random",
        seeds=2,
        store=tmp_path / "r.sqlite",
        evaluations=6,
        on_evaluation=told.append,
    )
    frame = made.evaluations()
    assert [e.number for e in told] == [1, 2, 3, 4, 5, 6] * 2
    assert [e.architecture for e in told] == list(frame["architecture"])
    assert [e.signals[0] for e in told] == list(frame["signal"])


def test_progress_tells_the_time_left_by_what_each_method_took(
    toy: Benchmark, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy, "random", seeds=2, store=tmp_path / "r.sqlite", evaluations=5, progress=True)
    assert "2/2" in capsys.readouterr().err
    bar = Bar()
    bar.plan({("t", "quick"): (100, 0), ("t", "slow"): (2, 0)})
    bar._begin -= 11.0  # as if so many seconds had gone by
    for method, seconds in (("quick", 1.0), ("slow", 10.0)):
        bar.advance(TrialDone("t", method, 0, None, seconds))
    bar.__exit__()
    assert bar.seconds_left == pytest.approx(99 * 1 + 10, rel=0.05)
    assert bar.told() == ["quick: 1 trial, 1 s each", "slow: 1 trial, 10 s each"]
    assert duration(7300) == "2 h 01 min"
    assert duration(0.0012) == "1.2 ms"


# -- looking ---------------------------------------------------------------------------------------


def test_an_experiment_has_tables_and_figures(experiment: Experiment) -> None:
    assert set(experiment.leaderboard()["method"]) == set(experiment.trials["method"])
    assert len(experiment.compare(resamples=10)) == 1
    assert {"budget", "regret"} <= set(experiment.curves().columns)
    frame = experiment.evaluations()
    assert len(frame) == 16 * 20
    last = frame.groupby(["method", "seed"])["evaluations"].max()
    assert set(last) == {20.0}
    ax = Figure().subplots()
    assert experiment.plot("anytime", ax=ax) is ax
    assert any(text.get_text() == "Random search" for text in ax.texts)  # no slugs
    assert ax.has_data()
    with pytest.raises(SuiteError, match="anytme"):
        experiment.plot("anytme")


def test_a_task_is_chosen_by_what_tells_it_apart(toy: Benchmark, tmp_path: Path) -> None:
    path = tmp_path / "r.sqlite"
    for evaluations in (5, 10):
        run(toy, "random", seeds=2, store=path, evaluations=evaluations)
    results = read_results(path)
    assert choose_task(results, "10 evaluations") == "toy/toy, 10 evaluations"
    assert choose_task(results, "toy/toy, 5 evaluations") == "toy/toy, 5 evaluations"
    with pytest.raises(SuiteError, match="say more"):
        choose_task(results, "toy")
    with pytest.raises(SuiteError, match="Unknown task"):
        choose_task(results, "tiy")


def test_things_say_what_they_are_in_a_line_and_in_a_notebook(
    experiment: Experiment, toy: Benchmark
) -> None:
    task = make_task(toy, evaluations=20)
    trial = Trial(task, MyMethod(), 3)
    for thing in (toy, task, trial, experiment):
        assert len(repr(thing)) < 160
        assert repr(thing).startswith(f"<{type(thing).__name__}")
        assert "<table" in thing._repr_html_()  # type: ignore[attr-defined]
    assert "20 evaluations" in repr(task)
    trial.advance()
    assert "finished" in repr(trial)


# -- ask and tell ----------------------------------------------------------------------------------


def test_a_search_that_others_drive_is_the_search_itself(toy: Benchmark, tmp_path: Path) -> None:
    search = Search(
        "regularized-evolution[population_size=5,sample_size=3]", evaluations=30, seed=3
    )
    asked = []
    while (architecture := search.ask()) is not None:
        assert search.ask() == architecture
        asked.append(architecture)
        search.tell(toy.query(architecture, "toy_valid_9"))
    assert search.ask() is None
    alone = run(
        toy,
        "regularized-evolution[population_size=5,sample_size=3]",
        seeds=[3],
        store=tmp_path / "r.sqlite",
        evaluations=30,
    ).evaluations()
    strings = [toy.space.string(index) for index in alone["architecture"]]
    assert asked == list(dict.fromkeys(strings))
    assert search.best == max(search.told, key=lambda name: search.told[name])


def test_a_loss_is_minimised_and_errors_reach_who_drives() -> None:
    search = Search("random", "darts", evaluations=3, maximize=False)
    with pytest.raises(SuiteError, match="ask for an architecture first"):
        search.tell(1.0)
    with pytest.raises(SuiteError, match="Nothing was told"):
        _ = search.best
    for loss in (3.0, 1.0, 2.0):
        search.ask()
        search.tell(loss)
    assert search.told[search.best] == 1.0

    class Broken(Method):
        def step(self, session: Session) -> None:
            raise RuntimeError("a slip")

    with pytest.raises(RuntimeError, match="a slip"):
        Search(Broken()).ask()


# -- other tuners ----------------------------------------------------------------------------------


def test_optuna_samplers_are_methods(toy: Benchmark, tmp_path: Path) -> None:
    methods = [OptunaSampler("RandomSampler"), "optuna[sampler=TPESampler]"]
    made = run(toy, methods, seeds=2, store=tmp_path / "r.sqlite", evaluations=15)
    assert set(made.trials["method"]) == {"optuna[sampler=RandomSampler]", "optuna"}
    one, other = (part["architecture"] for _, part in made.evaluations().groupby("seed"))
    assert list(one) != list(other)
    with pytest.raises(SuiteError, match="TPESampler"):
        OptunaSampler("TPESampla")


@pytest.mark.parametrize("name", ["nats-tss", "mnasnet"])
def test_spaces_are_spaces_of_other_tuners(name: str) -> None:
    pytest.importorskip("ConfigSpace")
    space = load_space(name)
    configurations = config_space(space, seed=0).sample_configuration(20)
    assert len(optuna_distributions(space)) == len(space.choices)
    for configuration in configurations:
        architecture = architecture_of(space, configuration)
        proposed = [configuration[f"decision_{n}"] for n in range(len(space.choices))]
        assert list(space.vector(architecture)) == proposed
    with pytest.raises(SuiteError, match="decision_0"):
        architecture_of(space, {})


# -- loggers ---------------------------------------------------------------------------------------


def test_tensorboard_reads_what_was_logged(toy: Benchmark, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with TensorBoardLogger(tmp_path / "runs") as log:
        made = run(
            toy, "random", seeds=2, store=tmp_path / "r.sqlite", evaluations=6, on_evaluation=log
        )
    frame = made.evaluations()
    for seed, part in frame.groupby("seed"):
        (folder,) = (tmp_path / "runs").rglob(f"random/{seed}")
        events = EventAccumulator(str(folder)).Reload()
        signals = [scalar.value for scalar in events.Scalars("signal")]
        assert signals == pytest.approx(list(part["signal"]))
        best = [scalar.value for scalar in events.Scalars("best")]
        assert best == pytest.approx(list(np.maximum.accumulate(part["signal"])))


def evaluation(number: int, signal: float, seed: int = 0) -> Evaluation:
    return Evaluation("t", "m", seed, number, 7, 1, (signal,), float(number), 0.0)


@pytest.mark.parametrize("kind", ["wandb", "mlflow"])
def test_other_loggers_are_called_as_their_packages_say(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in that takes the calls: a run a trial, each ended before the next."""
    calls: list[Any] = []

    def note(name: str) -> Any:
        def call(*arguments: Any, **settings: Any) -> Any:
            calls.append((name, arguments, settings))
            return types.SimpleNamespace(log=note("log"), finish=note("end"))

        return call

    stand_in = types.ModuleType(kind)
    stand_in.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    for name in ("init", "set_experiment", "start_run", "log_params", "end_run"):
        setattr(stand_in, name, note("end" if name == "end_run" else name))
    stand_in.log_metrics = note("log")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, kind, stand_in)
    with (WandbLogger if kind == "wandb" else MLflowLogger)("p") as log:
        for seed in (0, 1):
            for number, signal in enumerate((1.0, 3.0, 2.0), start=1):
                log(evaluation(number, signal, seed))
    steps = [settings["step"] for name, _, settings in calls if name == "log"]
    assert steps == [1, 2, 3, 1, 2, 3]
    assert [arguments[0]["best"] for name, arguments, _ in calls if name == "log"] == [1, 3, 3] * 2
    begins = "init" if kind == "wandb" else "start_run"
    order = [name for name, _, _ in calls if name in (begins, "end")]
    assert order == [begins, "end"] * 2


def test_a_logger_without_its_package_says_which_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SuiteError, match=re.escape("nasbench-suite[mlflow]")):
        MLflowLogger("p")


def test_evaluations_of_two_objectives_have_two_signals(toy: Benchmark, tmp_path: Path) -> None:
    made = run(
        toy,
        "random",
        seeds=1,
        store=tmp_path / "r.sqlite",
        evaluations=4,
        objectives=["toy_train_time_9"],
    )
    frame = made.evaluations()
    assert isinstance(frame, pd.DataFrame)
    assert (frame["signal_2"] > 0).all()
